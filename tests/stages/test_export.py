"""Renditions: where the piece goes, what it is encoded to, and what stays out of the file."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from PIL import Image

from tests.scenes import Scene
from vitrina.codec.decode import decode
from vitrina.errors import NotBuilt, Unreadable, UsageError
from vitrina.imaging.colour import delta_e00, lab
from vitrina.imaging.resample import resample
from vitrina.model import Cutout, Placement, Region, Severity, Size, Variant
from vitrina.rules.load import find_slot, list_markets, load_pack
from vitrina.rules.pixels import piece_box
from vitrina.stages.cutout import parts_of
from vitrina.stages.export import check_rules, check_size, file_name, refuse_video, render
from vitrina.stages.scene import compose

TODAY = date(2026, 11, 25)
MARKETS = list_markets()


def cut_of(scene: Scene) -> Cutout:
    return Cutout(scene.foreground, scene.alpha, parts_of(scene.alpha), (0.6, 0.6, 0.6), "drawn")


def enlarged(variant: Variant, factor: int) -> Variant:
    """The same picture from a photo of more pixels (only its size matters here)."""
    grown = {"rgb": variant.rgb, "alpha": variant.alpha}
    planes = {name: np.repeat(np.repeat(plane, factor, 0), factor, 1) for name, plane in grown.items()}
    own = variant.placement
    size = Size(variant.size.width * factor, variant.size.height * factor)
    return replace(variant, **planes, placement=Placement(own.scale, own.dx * factor, own.dy * factor, size))


@pytest.fixture(scope="module")
def white(drawn_ring: Scene) -> Variant:
    return compose(cut_of(drawn_ring), "white")


@pytest.fixture(scope="module")
def large(white: Variant) -> Variant:
    return enlarged(white, 5)


@pytest.mark.parametrize("market", ["kaspi", "wildberries", "uzum"])
def test_a_rendition_of_a_large_photo_meets_its_pack(market: str, large: Variant) -> None:
    pack = load_pack(market)
    made = render(large, pack, "main")
    safe = find_slot(pack, "main").target
    assert made.size == safe.size and made.format == "JPEG" and len(made.data) <= safe.max_bytes
    judgement = check_rules(made.data, pack, "main", name=market, today=TODAY)
    assert [f.message for f in judgement.findings if f.severity is not Severity.NOTE] == []
    assert check_size(made, large, pack) == []
    with Image.open(io.BytesIO(made.data)) as image:  # another library than the one that wrote it
        assert image.size == (safe.width, safe.height) and image.mode == "RGB"
        assert "icc_profile" in image.info and not dict(image.getexif()) and "xmp" not in image.info
        assert image.layer[1][1:3] == (1, 1), "4:4:4"  # type: ignore[attr-defined]


@pytest.mark.parametrize("market", ["kaspi", "etsy"])
def test_the_piece_stands_in_the_middle_at_the_packs_fill(market: str, white: Variant) -> None:
    pack = load_pack(market)
    made = render(enlarged(white, 2), pack, "main")
    safe = find_slot(pack, "main").target
    box = piece_box(decode(made.data, name="made").rgb)
    assert box is not None
    side = min(made.size.width, made.size.height)
    frame = Size(side, side) if safe.is_square_safe else made.size
    assert max(box.width / frame.width, box.height / frame.height) == pytest.approx(safe.fill, abs=0.02)
    assert box.x + box.width / 2 == pytest.approx(made.size.width / 2, abs=6)
    assert box.y + box.height / 2 == pytest.approx(made.size.height / 2, abs=6)


def test_a_small_photo_is_never_enlarged_and_its_canvas_keeps_the_limits(white: Variant) -> None:
    for market in MARKETS:
        pack = load_pack(market)
        made = render(white, pack, "main")
        assert made.placement.scale <= 1 + 1e-9
        judgement = check_rules(made.data, pack, "main", name=market, today=TODAY)
        blocks = [finding.message for finding in judgement.findings if finding.severity is Severity.BLOCK]
        assert blocks == [] or market == "amazon", blocks


def test_too_small_a_photo_is_said(white: Variant) -> None:
    pack = load_pack("wildberries")
    tiny = replace(white, rgb=white.rgb[::3, ::3], alpha=white.alpha[::3, ::3])
    made = render(tiny, pack, "main")
    assert made.size.width >= 700 and made.size.height >= 900
    assert [(f.code, f.severity) for f in check_size(made, tiny, pack)] == [("piece-small", Severity.WARN)]


def test_the_placement_takes_source_pixels_to_the_files(drawn_ring: Scene, white: Variant) -> None:
    """Place the source forward through the same placement and compare: only the encoding lies between."""
    made = render(white, load_pack("kaspi"), "main")
    shipped = decode(made.data, name="made").rgb
    moved = resample(drawn_ring.on((1.0, 1.0, 1.0)), made.placement, fill=(1.0, 1.0, 1.0))
    assert float(np.median(delta_e00(lab(moved), lab(shipped)))) < 0.3
    piece = resample(drawn_ring.alpha[..., None].repeat(3, 2), made.placement, fill=(0.0, 0.0, 0.0))[..., 0] > 0.98
    assert float(np.percentile(delta_e00(lab(moved)[piece], lab(shipped)[piece]), 95)) < 3


def test_quality_is_the_lowest_that_passes(white: Variant) -> None:
    pack = load_pack("kaspi")
    made = render(white, pack, "main")
    finer = render(white, pack, "main", least_quality=97)
    assert finer.quality == 97 and len(finer.data) > len(made.data)
    flat = replace(white, rgb=np.where(white.alpha > 0.5, np.float32(0.2), np.float32(1))[..., None].repeat(3, 2))
    assert render(flat, pack, "main").quality <= made.quality


def test_the_bytes_keep_the_limit_even_if_the_canvas_must_shrink(white: Variant) -> None:
    pack = load_pack("kaspi")
    slots = []
    for slot in pack.slot:
        target = slot.target.model_copy(update={"max_bytes": 20_000})
        slots.append(slot.model_copy(update={"safe": target}))
    full = render(white, pack, "main")
    made = render(white, pack.model_copy(update={"slot": tuple(slots)}), "main")
    assert len(full.data) > 20_000 >= len(made.data) and made.size.width < full.size.width


def test_the_same_variant_gives_the_same_bytes(white: Variant) -> None:
    pack = load_pack("kaspi")
    assert render(white, pack, "main").data == render(white, pack, "main").data


def test_nothing_to_render_and_unknown_slots_are_refused(white: Variant) -> None:
    pack = load_pack("kaspi")
    with pytest.raises(UsageError, match="hero"):
        render(white, pack, "hero")
    with pytest.raises(UsageError, match="no piece"):
        render(replace(white, alpha=np.zeros_like(white.alpha)), pack, "main")
    with pytest.raises(UsageError, match="hero"):
        check_rules(b"", pack, "hero", name="x", today=TODAY)
    with pytest.raises(Unreadable):
        check_rules(b"no picture", pack, "main", name="x", today=TODAY)


def test_a_stale_pack_warns_on_every_check(white: Variant) -> None:
    pack = load_pack("kaspi")
    data = render(white, pack, "main").data
    late = check_rules(data, pack, "main", name="x", today=date(2027, 3, 1))
    assert "pack-stale" in {finding.code for finding in late.findings}


def test_files_are_named_by_sku_and_slot() -> None:
    assert file_name("RING-001", "main", look="white") == "RING-001_main_white.jpg"
    assert file_name("RING-001", "extra", look="grey", number=2) == "RING-001_extra-2_grey.jpg"
    strange = {file_name(sku, "main", look="white") for sku in ("кольцо/1", "серьги/1", "../1", "a b", "a-b")}
    assert len(strange) == 5, "two SKUs never share a name"
    assert all(
        set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") for name in strange
    )
    assert not any("/" in name or name.startswith(".") for name in strange)


def test_video_is_refused_with_the_way_out() -> None:
    with pytest.raises(NotBuilt, match="still pictures only") as caught:
        refuse_video("reels")
    assert caught.value.exit_code == 4


def test_the_ends_of_a_chain_are_never_clipped(drawn_chain: Scene) -> None:
    variant = compose(cut_of(drawn_chain), "grey-shadow")
    for market in ("kaspi", "etsy", "wildberries"):
        made = render(variant, load_pack(market), "main")
        alpha = np.repeat(drawn_chain.alpha[..., None], 3, 2)
        moved = resample(alpha, made.placement, fill=(0.0, 0.0, 0.0))[..., 0]
        box = Region.around(moved > 0.05)
        assert box is not None
        assert box.x > 0 and box.y > 0
        assert box.x + box.width < made.size.width and box.y + box.height < made.size.height
