"""Renditions: where the piece goes, what it is encoded to, and what stays out of the file."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from tests.rules.independent import problems
from tests.scenes import Scene
from vitrina.codec.decode import decode
from vitrina.codec.metadata import probe
from vitrina.errors import Unreadable, UsageError
from vitrina.imaging.colour import delta_e00, encode_srgb, lab
from vitrina.imaging.geometry import centre_of_mass
from vitrina.imaging.resample import resample, resample_plane
from vitrina.model import Cutout, Placement, Region, Severity, Size, Variant
from vitrina.rules.load import find_slot, list_markets, load_pack
from vitrina.rules.pixels import piece_box
from vitrina.stages.cutout import parts_of
from vitrina.stages.export import check_kind, check_rules, check_size, check_thumbnail, file_name, render
from vitrina.stages.scene import AS_SHOT, LOOKS, compose

TODAY = date(2026, 11, 25)
MARKETS = list_markets()
DATA = Path(__file__).parents[1] / "data"


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


@pytest.fixture(scope="module")
def rendered() -> Variant:
    """The rendered piece of tests/data by its exact matte, from a photo of more pixels."""
    photo = decode((DATA / "rendered" / "source.jpg").read_bytes(), name="source").rgb
    matte = decode((DATA / "rendered" / "alpha.png").read_bytes(), name="alpha")
    alpha = encode_srgb(matte.rgb[..., 1])
    cut = Cutout(photo, alpha, parts_of(alpha), (0.6, 0.6, 0.6), "rendered")
    return enlarged(compose(cut, "white"), 5)


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
        assert "icc_profile" in image.info and not dict(image.getexif())
        assert b"digitalsourcetype/algorithmicallyEnhanced" in image.info["xmp"], "a photo, corrected by program"
        assert image.layer[1][1:3] == (1, 1), "4:4:4"  # type: ignore[attr-defined]


@pytest.mark.parametrize("market", ["kaspi", "etsy"])
def test_the_piece_stands_near_the_middle_at_the_packs_fill(market: str, white: Variant) -> None:
    pack = load_pack(market)
    made = render(enlarged(white, 2), pack, "main")
    safe = find_slot(pack, "main").target
    box = piece_box(decode(made.data, name="made").rgb)
    assert box is not None
    side = min(made.size.width, made.size.height)
    frame = Size(side, side) if safe.is_square_safe else made.size
    assert max(box.width / frame.width, box.height / frame.height) == pytest.approx(safe.fill, abs=0.02)
    rooms = (frame.width - box.width) / 4 + 6, (frame.height - box.height) / 4 + 6
    assert abs(box.x + box.width / 2 - made.size.width / 2) <= rooms[0]
    assert abs(box.y + box.height / 2 - made.size.height / 2) <= rooms[1], "half of the margin stays at least"


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
    assert finer.quality >= 97 and len(finer.data) > len(made.data)
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


@pytest.mark.parametrize("market", MARKETS)
def test_another_library_finds_each_marketplaces_rules_kept(market: str, large: Variant) -> None:
    """The file's markers read by hand, its pixels by Pillow: see tests/rules/independent.py."""
    pack = load_pack(market)
    assert problems(render(large, pack, "main").data, find_slot(pack, "main")) == []


@pytest.mark.parametrize("market", MARKETS)
def test_another_library_finds_them_kept_for_a_rendered_piece_too(market: str, rendered: Variant) -> None:
    pack = load_pack(market)
    made = render(rendered, pack, "main")
    assert problems(made.data, find_slot(pack, "main"), whole_fill=not check_size(made, rendered, pack)) == []


@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
def test_other_formats_go_where_they_are_taken(kind: str, large: Variant) -> None:
    for market, takes in (("wildberries", True), ("amazon", False), ("kaspi", False), ("ozon", kind == "PNG")):
        pack = load_pack(market)
        if not takes:
            with pytest.raises(UsageError, match=f"{kind} is not taken"):
                render(large, pack, "main", kind=kind)
            continue
        made = render(large, pack, "main", kind=kind, rights="© Aru")
        assert made.format == kind == probe(made.data, name="x").format
        assert problems(made.data, find_slot(pack, "main")) == [], "held against the rules by another library"
        assert "© Aru".encode() in made.data and probe(made.data, name="x").metadata["DigitalSourceType"]
        judgement = check_rules(made.data, pack, "main", name=market, today=TODAY)
        assert [f.message for f in judgement.findings if f.severity is not Severity.NOTE] == []
        jpeg = decode(render(large, pack, "main").data, name="x").rgb
        error = delta_e00(lab(decode(made.data, name="x").rgb), lab(jpeg))
        assert float(np.mean(error)) < 0.5 and float(np.percentile(error, 99)) < 6


def test_a_marketplace_that_does_not_take_a_format_gets_another_and_that_is_said(large: Variant) -> None:
    pack = load_pack("kaspi")
    made = render(large, pack, "main")
    assert [(f.code, f.measured, f.limit) for f in check_kind(made, pack, "WEBP")] == [
        ("another-format", "JPEG", "WEBP")
    ]
    assert check_kind(made, pack, "JPEG") == check_kind(made, pack, "") == []


def test_the_other_library_would_find_what_is_wrong(large: Variant) -> None:
    slot = find_slot(load_pack("amazon"), "main")
    with Image.open(io.BytesIO(render(large, load_pack("amazon"), "main").data)) as image:
        grey = io.BytesIO()
        small = image.resize((400, 480)).point(lambda code: min(code, 240))
        small.save(grey, "JPEG", quality=60, comment=b"made by hand", exif=Image.Exif().tobytes() or b"Exif")
    found = " ".join(problems(grey.getvalue(), slot))
    for word in ("ICC", "XMP", "comments", "long_side 480", "is not 1:1", "rim is"):
        assert word in found, found


def test_the_weight_of_the_piece_comes_to_the_middle() -> None:
    """A pendant on a long chain: its weight hangs low, so it is lifted, but not out of the frame."""
    alpha = np.zeros((900, 500), np.float32)
    alpha[100:700, 240:244] = 1
    alpha[700:820, 180:300] = 1
    rgb = np.where(alpha[..., None] > 0.5, np.float32(0.2), np.float32(1)).repeat(3, 2)
    variant = Variant(rgb, alpha, LOOKS["white"], AS_SHOT, Placement(1.0, 0.0, 0.0, Size(500, 900)))
    for market in ("kaspi", "etsy"):
        made = render(variant, load_pack(market), "main")
        moved = resample_plane(alpha, made.placement)
        box = Region.around(moved > 0.5)
        assert box is not None
        mass = centre_of_mass(moved)[1]
        assert made.size.height / 2 - 2 < mass < box.y + box.height
        top, bottom = box.y, made.size.height - box.y - box.height
        assert 0 < top < bottom, "lifted, not clipped"
        assert top >= 0.45 * (top + bottom) / 2


def test_a_chain_that_fades_in_the_thumbnail_is_told() -> None:
    rng = np.random.default_rng(1)
    for shade, told in ((0.78, ["thumbnail-faint"]), (0.02, [])):
        alpha = np.zeros((1200, 1200), np.float32)
        for at in range(100, 1100, 90):
            alpha[at : at + 2, 100:1100] = 1
        alpha[500:700, 500:700] = 1
        piece = shade + 0.02 * rng.random((1200, 1200, 1), np.float32)
        rgb = (alpha[..., None] * piece + 1 - alpha[..., None]).repeat(3, 2).astype(np.float32)
        variant = Variant(rgb, alpha, LOOKS["white"], AS_SHOT, Placement(1.0, 0.0, 0.0, Size(1200, 1200)))
        for market, tile in (("kaspi", "250×250 px, as in Kaspi.kz"), ("wildberries", "246×328 px, as in Wildberries")):
            pack = load_pack(market)
            made = render(variant, pack, "main")
            found = check_thumbnail(made, variant, decode(made.data, name="made").rgb, pack)
            assert [finding.code for finding in found] == told
            assert all(finding.severity is Severity.WARN and finding.region is not None for finding in found)
            assert all(tile in finding.message for finding in found)


def test_the_label_says_generated_exactly_when_a_generator_painted(white: Variant) -> None:
    plain = render(white, load_pack("kaspi"), "main", rights='© 2026 "Aru" & co')
    painted = render(replace(white, generator="Painter 3"), load_pack("kaspi"), "main")
    with Image.open(io.BytesIO(plain.data)) as image:
        tree = ElementTree.fromstring(image.info["xmp"].decode())
    assert '© 2026 "Aru" & co' in "".join(tree.itertext())
    kinds = [probe(made.data, name="x").metadata["DigitalSourceType"] for made in (plain, painted)]
    assert kinds == ["algorithmicallyEnhanced", "compositeWithTrainedAlgorithmicMedia"]
    assert b"Painter 3" in painted.data and b"AI" not in plain.data[:4000]


def test_its_quality_is_what_marketplaces_read(white: Variant) -> None:
    for market in ("kaspi", "wildberries", "ebay"):
        pack = load_pack(market)
        made = render(white, pack, "main")
        assert probe(made.data, name="x").jpeg_quality == pytest.approx(made.quality, abs=1)
        asked = [rule.min for rule in find_slot(pack, "main").jpeg_quality if rule.min]
        assert made.quality >= max([1, *asked])
