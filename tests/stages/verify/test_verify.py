"""Does verify pass what may be done to a picture, and find, name and place what may not?

The pieces are drawn and their mattes known, so the matte is given: cutting out has tests of its own. The defects are
plain ones; how often subtle ones are found is measured by benchmarks/verify.py, not here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests import scenes
from tests.conftest import DATA
from tests.scenes import Scene
from tests.stages.verify import damage
from tests.stages.verify.damage import card, layer
from vitrina import from_array
from vitrina.codec.decode import decode
from vitrina.errors import InputError, UsageError
from vitrina.imaging.colour import encode_srgb
from vitrina.model import Finding, Judgement, Region, Rgb, Severity, Size, Source, Verdict
from vitrina.stages.verify import examine, load_facts, verify
from vitrina.stages.verify.facts import Facts


@cache
def ring(metal: str = "gold", colour: str = "blue") -> Scene:
    return scenes.ring(metal=metal, colour=colour)


@cache
def chain() -> Scene:
    return scenes.chain(Size(540, 380))


@cache
def earrings() -> Scene:
    return scenes.earrings()


def judged(scene: Scene, edit: Rgb | Source, **given: Facts) -> Judgement:
    return verify(scene.source(), card(edit) if isinstance(edit, np.ndarray) else edit, matte=scene.alpha, **given)


def against(judgement: Judgement, check: str) -> list[Finding]:
    """The findings of one family that change the verdict."""
    return [f for f in judgement.findings if f.check == check and f.severity is not Severity.NOTE]


def told(judgement: Judgement) -> str:
    return ", ".join(f"{f.severity.value} {f.check}/{f.code} {f.measured} at {f.region}" for f in judgement.findings)


def meets(first: Region, second: Region) -> bool:
    return (
        first.x < second.x + second.width and second.x < first.x + first.width
        and first.y < second.y + second.height and second.y < first.y + first.height
    )  # fmt: skip


def shaded(scene: Scene) -> Rgb:
    """On white with a soft shadow beside the piece."""
    fall = np.array([[1, 0, 8], [0, 1, 12]], np.float32)
    size = (scene.size.width, scene.size.height)
    shadow = cv2.GaussianBlur(cv2.warpAffine(scene.alpha, fall, size), (0, 0), 9)[..., None]
    a = scene.alpha[..., None]
    return np.asarray(a * scene.foreground + (1 - a) * (1 - 0.3 * shadow), np.float32)


ALLOWED: dict[str, Callable[[Scene], Rgb | Source]] = {
    "white": lambda scene: scene.on((1, 1, 1)),
    "light grey": lambda scene: scene.on((0.87, 0.87, 0.87)),
    "soft shadow": shaded,
    "exposure": lambda scene: scene.on((1, 1, 1)) * np.float32(2**0.1),
    "reframed": lambda scene: damage.reframed(scene.on((1, 1, 1))),
    "jpeg": lambda scene: decode(damage.jpeg(scene.on((1, 1, 1)), quality=85), name="edit.jpg"),
    "larger": lambda scene: cv2.resize(scene.on((1, 1, 1)), None, fx=1.7, fy=1.7, interpolation=cv2.INTER_CUBIC),
    "smaller": lambda scene: cv2.resize(scene.on((1, 1, 1)), None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA),
    "untouched": lambda scene: scene.source(),
}


@pytest.mark.parametrize("kind", [kind for kind in ALLOWED if kind != "untouched"])
def test_what_may_be_done_to_a_ring_passes(kind: str, drawn_ring: Scene) -> None:
    judgement = judged(drawn_ring, ALLOWED[kind](drawn_ring))
    assert judgement.verdict is Verdict.PASS, told(judgement)


def test_a_reframed_chain_and_a_reframed_pair_pass() -> None:
    for scene in (chain(), earrings()):
        judgement = judged(scene, damage.reframed(scene.on((1, 1, 1)), scale=0.95, turn=-2.5))
        assert judgement.verdict is Verdict.PASS, told(judgement)


def test_the_photo_itself_still_shows_the_piece(drawn_ring: Scene) -> None:
    """Its old ground, and the shadow on it, may be wrong for a main picture; the piece is not."""
    judgement = judged(drawn_ring, drawn_ring.source())
    wrong = {finding.check for finding in judgement.findings if finding.severity is not Severity.NOTE}
    assert wrong <= {"background", "edges"}, told(judgement)


@dataclass(frozen=True, slots=True)
class Defect:
    """The families that may name it, how it is made from its scene, and where it is (None: everywhere)."""

    families: tuple[str, ...]
    scene: Callable[[], Scene]
    edit: Callable[[Scene], Rgb]
    where: Callable[[Scene], Region] | None = None


def nth(kind: str, number: int, margin: int = 4) -> Callable[[Scene], Region]:
    return lambda scene: scene.of_kind(kind)[number].region.grown(margin, within=scene.size)


def left_half(scene: Scene) -> Region:
    return Region(0, 0, scene.size.width // 2, scene.size.height)


def stones_of(scene: Scene) -> np.ndarray:
    mask = np.zeros(scene.alpha.shape, bool)
    for stone in scene.of_kind("stone"):
        mask[stone.region.slices] = True
    return mask


DEFECTS: dict[str, Defect] = {
    "mirrored": Defect(("geometry",), chain, lambda s: np.ascontiguousarray(s.on((1, 1, 1))[:, ::-1])),
    "stretched": Defect(
        ("geometry",), ring, lambda s: cv2.resize(s.on((1, 1, 1)), None, fx=1.08, fy=1.0)
    ),
    "another piece": Defect(("geometry",), ring, lambda _: earrings().on((1, 1, 1))),
    "gold turned rose": Defect(("metal",), ring, lambda _: ring(metal="rose").on((1, 1, 1))),
    "stones recoloured": Defect(
        ("stones",), ring, lambda _: ring(colour="red").on((1, 1, 1)), nth("stone", 2)
    ),
    "stone filled with metal": Defect(
        ("stones",), ring, lambda s: damage.plugged(layer(s), s.of_kind("stone")[2].region).on(), nth("stone", 2)
    ),
    "link gone": Defect(("chain",), chain, lambda s: scenes.chain(s.size, missing=(7,)).on((1, 1, 1)), nth("link", 7)),
    "links melted": Defect(
        ("chain",), chain, lambda s: damage.smeared(layer(s), nth("link", 9, 12)(s), 5).on(), nth("link", 9, 12)
    ),
    "clasp gone": Defect(
        ("clasp",), chain, lambda s: damage.without(layer(s), nth("clasp", 0, 10)(s)).on(), nth("clasp", 0)
    ),
    "earring gone": Defect(
        ("pieces",), earrings, lambda s: damage.without(layer(s), left_half(s)).on(), left_half
    ),
    "something extra": Defect(
        ("pieces",), ring, lambda s: damage.pasted(layer(s), nth("stone", 2)(s), (14, 14)).on(),
        lambda _: Region(14, 14, 60, 60),
    ),
    "smoothed": Defect(("texture",), ring, lambda s: damage.smoothed(layer(s), 2.5).on()),
    "sharpened": Defect(("texture",), ring, lambda s: damage.sharpened(layer(s), 2.0).on()),
    "glare": Defect(
        ("glare",), ring,
        lambda s: damage.lit(layer(s), (s.box.x + 12, s.box.y + 0.55 * s.box.height), 11).on(),
        lambda s: Region(s.box.x, s.box.y + s.box.height // 3, 40, s.box.height // 2),
    ),
    "eroded": Defect(("edges",), ring, lambda s: damage.eroded(layer(s), 3).on()),
    "halo": Defect(("edges",), ring, lambda s: damage.with_rim(s, 5).on()),
    "tinted ground": Defect(("background",), ring, lambda s: s.on((1, 0.9, 0.84))),
    "uneven ground": Defect(("background",), ring, damage.gradient),
    "latin text": Defect(
        ("text",), ring, lambda s: damage.written(s.on((1, 1, 1)), "SALE -50%", at=(14, 44)),
        lambda _: Region(14, 14, 170, 40),
    ),
    "cropped": Defect(("framing",), ring, lambda s: s.on((1, 1, 1))[:, s.box.x + 30 :].copy()),
}  # fmt: skip


@pytest.mark.parametrize("kind", DEFECTS)
def test_a_plain_defect_is_found_named_and_placed(kind: str) -> None:
    defect = DEFECTS[kind]
    scene = defect.scene()
    judgement = judged(scene, defect.edit(scene))
    assert judgement.verdict is Verdict.REJECT, told(judgement)
    named = [finding for check in defect.families for finding in against(judgement, check)]
    assert named, told(judgement)
    if defect.where is not None:
        true = defect.where(scene)
        whole = scene.size.width * scene.size.height
        placed = [f for f in named if f.region and meets(f.region, true)]
        assert placed, told(judgement)
        assert min(f.region.width * f.region.height for f in placed if f.region) < 0.5 * whole, told(judgement)


def test_every_finding_says_what_to_do_and_lies_in_the_edit(drawn_ring: Scene) -> None:
    edit = damage.reframed(ring(colour="red").on((1, 1, 1)), scale=0.8)
    judgement = judged(drawn_ring, edit)
    assert judgement.findings
    for finding in judgement.findings:
        assert finding.message.endswith("."), finding
        assert finding.measured is not None
        assert finding.limit is not None
        region = finding.region
        if region is not None:
            assert min(region.x, region.y) >= 0, finding
            assert region.x + region.width <= edit.shape[1] + 1, finding
            assert region.y + region.height <= edit.shape[0] + 1, finding


@pytest.mark.parametrize("size", [Size(1, 1), Size(16, 16), Size(2, 300)], ids=str)
def test_a_tiny_edit_does_not_pass(size: Size, drawn_ring: Scene) -> None:
    judgement = judged(drawn_ring, shrunk_to(size, drawn_ring.on((1, 1, 1))))
    assert judgement.verdict is not Verdict.PASS, told(judgement)


@pytest.mark.parametrize("size", [Size(1, 1), Size(16, 16), Size(2, 300)], ids=str)
def test_a_tiny_source_does_not_pass(size: Size, drawn_ring: Scene) -> None:
    tiny = from_array(shrunk_to(size, drawn_ring.on((1, 1, 1))), name="tiny")
    judgement = verify(tiny, card(drawn_ring.on((1, 1, 1))), matte=shrunk_to(size, drawn_ring.alpha))
    assert judgement.verdict is not Verdict.PASS, told(judgement)


def shrunk_to(size: Size, picture: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.resize(picture, (size.width, size.height), interpolation=cv2.INTER_AREA), np.float32)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_an_empty_edit_is_no_match(level: float, drawn_ring: Scene) -> None:
    judgement = judged(drawn_ring, from_array(np.full((300, 300, 3), round(255 * level), np.uint8), name="empty"))
    assert judgement.verdict is Verdict.REJECT
    assert [f.code for f in against(judgement, "geometry")] == ["no-match"]


def test_a_source_without_a_piece_is_no_match(drawn_ring: Scene) -> None:
    nothing = np.zeros(drawn_ring.alpha.shape, np.float32)
    judgement = verify(drawn_ring.source(), card(drawn_ring.on((1, 1, 1))), matte=nothing)
    assert judgement.verdict is Verdict.REJECT


def test_a_matte_of_another_shape_is_refused(drawn_ring: Scene) -> None:
    with pytest.raises(UsageError, match=r"matte is 50×40, the source 480×400"):
        verify(drawn_ring.source(), drawn_ring.source(), matte=np.ones((40, 50), np.float32))


def test_without_matte_or_segmenter_it_says_so(drawn_ring: Scene) -> None:
    with pytest.raises(UsageError, match="matte or a segmenter"):
        verify(drawn_ring.source(), drawn_ring.source())


def test_no_input_is_written_into(drawn_ring: Scene) -> None:
    source, edit, matte = drawn_ring.source(), card(drawn_ring.on((1, 1, 1))), drawn_ring.alpha.copy()
    kept = source.rgb.copy(), edit.rgb.copy(), matte.copy()
    verify(source, edit, matte=matte)
    for before, after in zip(kept, (source.rgb, edit.rgb, matte), strict=True):
        assert np.array_equal(before, after)


def test_the_same_input_gives_the_same_document(drawn_ring: Scene) -> None:
    edit = damage.reframed(ring(colour="red").on((1, 1, 1)))
    first, second = (judged(drawn_ring, edit).as_dict() for _ in range(2))
    first.pop("seconds"), second.pop("seconds")
    assert first == second


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_heatmap_has_the_edits_shape_and_glows_where_it_changed(mirrored: bool) -> None:
    scene = chain()
    edit = scenes.chain(scene.size, missing=(7,)).on((1, 1, 1))
    place = scene.of_kind("link")[7].region
    if mirrored:
        edit = np.ascontiguousarray(edit[:, ::-1])
        place = Region(scene.size.width - place.x - place.width, place.y, place.width, place.height)
    seen = examine(scene.source(), card(edit), matte=scene.alpha)
    assert seen.pair is not None
    assert seen.pair.mirrored is mirrored
    heat = seen.heatmap()
    assert heat.shape == edit.shape
    assert heat.dtype == np.float32
    glow = heat.max(axis=-1) - heat.min(axis=-1)
    assert float(glow[place.slices].mean()) > 5 * float(np.median(glow)) + 0.05


def test_there_is_no_heatmap_of_what_was_not_found(drawn_ring: Scene) -> None:
    white = from_array(np.full((200, 200, 3), 255, np.uint8), name="white")
    seen = examine(drawn_ring.source(), white, matte=drawn_ring.alpha)
    with pytest.raises(UsageError, match="no heatmap"):
        seen.heatmap()


def test_facts_that_the_picture_contradicts_are_findings(drawn_earrings: Scene) -> None:
    edit = drawn_earrings.on((1, 1, 1))
    assert judged(drawn_earrings, edit, facts=Facts(pieces=2)).verdict is Verdict.PASS
    judgement = judged(drawn_earrings, edit, facts=Facts(pieces=3))
    assert judgement.verdict is not Verdict.PASS
    assert [f.limit for f in against(judgement, "pieces")] == [3]


def test_a_metal_that_the_facts_deny_is_a_finding(drawn_ring: Scene) -> None:
    judgement = judged(drawn_ring, drawn_ring.on((1, 1, 1)), facts=Facts(metal="silver"))
    assert judgement.verdict is not Verdict.PASS
    assert against(judgement, "metal"), told(judgement)


def test_facts_are_read_in_both_spellings() -> None:
    flat = load_facts(b'stones = 7\npieces = 2\nmetal = "rose gold"\nlength_cm = 45')
    assert (flat.stones, flat.pieces, flat.links, flat.metal) == (7, 2, None, "rose gold")
    nested = load_facts(b'[stones]\ncount = 7\n[metal]\nalloy = "silver"')
    assert (nested.stones, nested.metal) == (7, "silver")


@pytest.mark.parametrize("text", [b"stones = -1", b"stones = true", b'links = "many"', b"stones =", b"\xff\xfe"])
def test_wrong_facts_are_an_error_that_names_the_file(text: bytes) -> None:
    with pytest.raises(InputError, match=r"sku\.toml"):
        load_facts(text, name="sku.toml")


def rendered(name: str) -> Source:
    path: Path = DATA / "rendered" / name
    return decode(path.read_bytes(), name=name)


def test_a_rendered_pair_passes_and_its_defect_does_not() -> None:
    """Path-traced metal and stones, 480 px: reflections and noise that no drawing has."""
    source = rendered("source.jpg")
    matte = encode_srgb(rendered("alpha.png").rgb[..., 1])
    clean = verify(source, rendered("clean.jpg"), matte=matte)
    assert clean.verdict is Verdict.PASS, told(clean)
    defect = verify(source, rendered("defect.jpg"), matte=matte)
    assert defect.verdict is Verdict.REJECT
    assert against(defect, "stones"), told(defect)
