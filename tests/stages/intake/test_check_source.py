"""The source check on drawn photos: good ones pass, each fault is named."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import pytest

from tests import scenes
from vitrina.model import Alpha, Finding, Line, Mask, Region, Rgb, Severity, Size, Source
from vitrina.stages.intake import check_reflections, check_source
from vitrina.steps import from_array

SIZE = Size(960, 800)


@dataclass(frozen=True)
class Reading:
    """Reads what it is told to."""

    lines: tuple[Line, ...]
    name: str = "told"

    def read(self, rgb: Rgb) -> tuple[Line, ...]:
        return self.lines if rgb.size else ()


def nothing_to_read() -> Reading:
    return Reading(())


@cache
def drawn(ground: str = "paper") -> scenes.Scene:
    return scenes.ring(SIZE, ground=ground)


def judged(rgb: Rgb, alpha: Alpha) -> dict[str, Finding]:
    source = from_array(np.clip(rgb, 0, 1).astype(np.float32), name="drawn")
    findings, _ = check_source(source, piece=alpha, reader=nothing_to_read())
    return {finding.code: finding for finding in findings}


@pytest.mark.parametrize("ground", ["white", "paper", "grey", "velvet"])
def test_a_good_photo_passes(ground: str) -> None:
    scene = drawn(ground)
    assert not [f for f in judged(scene.rgb, scene.alpha).values() if f.severity is not Severity.NOTE]


def test_a_blurred_piece_is_named_with_its_place() -> None:
    scene = drawn()
    blurred = cv2.GaussianBlur(scene.rgb, (0, 0), 3)
    found = judged(blurred, scene.alpha)
    assert found["blur"].check == "focus"
    region = found["blur"].region
    assert region is not None and region.width >= 0.95 * scene.box.width


def test_sharp_glints_do_not_speak_for_a_soft_outline() -> None:
    scene = drawn()
    soft = cv2.GaussianBlur(scene.rgb, (0, 0), 4)
    inside = cv2.erode((scene.alpha > 0.99).astype(np.uint8), np.ones((27, 27), np.uint8)) > 0
    ys, xs = np.mgrid[: SIZE.height, : SIZE.width]
    glint = inside & (ys % 6 < 2) & (xs % 6 < 2)
    found = judged(np.where(glint[..., None], np.float32(1), soft), scene.alpha)
    assert "blur" in found and "shallow-focus" not in found


def test_a_piece_that_is_sharp_on_one_side_only_is_named_with_the_soft_side() -> None:
    scene = drawn()
    middle = scene.box.x + scene.box.width // 2
    far = np.clip((np.arange(SIZE.width) - middle) / 60, 0, 1).astype(np.float32)[None, :, None]
    found = judged(scene.rgb * (1 - far) + cv2.GaussianBlur(scene.rgb, (0, 0), 5) * far, scene.alpha)
    region = found["shallow-focus"].region
    assert region is not None and region.x > scene.box.x + scene.box.width // 3


def test_shade_beside_coloured_paper_is_told_by_blue_highlights() -> None:
    scene = drawn()
    linen = np.array([0.75, 0.62, 0.4], np.float32)
    rgb = np.where(scene.alpha[..., None] > 0.5, scene.rgb, scene.rgb * linen)
    glint = (scene.alpha > 0.9) & (np.random.default_rng(2).random(scene.alpha.shape) < 0.1)
    rgb = np.where(glint[..., None], np.float32(0.9), rgb)
    assert "cold-cast" not in judged(rgb, scene.alpha)
    shade = np.array([0.62, 0.95, 1.25], np.float32)
    assert "cold-cast" in judged(rgb * shade, scene.alpha)


def test_no_piece_blocks_and_says_nothing_else_of_the_piece() -> None:
    scene = drawn()
    found = judged(scene.ground, np.zeros_like(scene.alpha))
    assert set(found) == {"no-piece"}
    assert found["no-piece"].severity is Severity.BLOCK


def test_a_piece_cut_by_the_frame_is_named() -> None:
    scene = drawn()
    left = scene.box.x + scene.box.width // 3
    found = judged(scene.rgb[:, left:], scene.alpha[:, left:])
    region = found["cut-by-frame"].region
    assert region is not None and region.x == 0


def test_a_small_piece_in_a_large_frame_is_named() -> None:
    scene = scenes.ring(Size(360, 300))
    rgb = cv2.copyMakeBorder(scene.rgb, 700, 700, 800, 800, cv2.BORDER_REPLICATE)
    alpha = cv2.copyMakeBorder(scene.alpha, 700, 700, 800, 800, cv2.BORDER_CONSTANT, value=0)
    assert {"too-small", "few-pixels-on-piece"} <= set(judged(rgb, alpha))


def test_burnt_out_metal_is_named() -> None:
    scene = drawn()
    assert "clipped" in judged(scene.rgb * 4, scene.alpha)


@pytest.mark.parametrize(("wall", "is_warm"), [((0.8, 0.55, 0.3), True), ((0.7, 0.7, 0.7), False)])
def test_a_lit_wall_behind_velvet_tells_of_a_warm_lamp(wall: tuple[float, float, float], is_warm: bool) -> None:
    scene = drawn("velvet")
    rgb = scene.rgb * np.array([1.25, 0.95, 0.38], np.float32)
    top = scene.box.y // 2
    rgb[:top] = wall
    assert ("warm-cast" in judged(rgb, scene.alpha)) is is_warm


def test_an_arm_in_the_frame_is_a_person() -> None:
    scene = drawn()
    rgb = np.where(_arm(scene.rgb)[..., None], _skin(scene.rgb), scene.rgb)
    found = judged(scene.alpha[..., None] * scene.foreground + (1 - scene.alpha[..., None]) * rgb, scene.alpha)
    assert found["worn"].severity is Severity.BLOCK
    assert "not a main image" in found["worn"].message


def test_a_table_of_the_colour_of_skin_is_no_person() -> None:
    scene = drawn()
    table = np.broadcast_to(np.array([0.45, 0.24, 0.15], np.float32), scene.rgb.shape)
    found = judged(scene.alpha[..., None] * scene.foreground + (1 - scene.alpha[..., None]) * table, scene.alpha)
    assert "worn" not in found


def test_every_finding_is_complete() -> None:
    scene = drawn()
    found = judged(cv2.GaussianBlur(scene.rgb * 4, (0, 0), 6), scene.alpha)
    assert found
    for finding in found.values():
        assert finding.measured is not None and finding.limit is not None and finding.unit
        assert finding.message.endswith(".")


def _arm(rgb: Rgb) -> Mask:
    rows, columns = np.indices(rgb.shape[:2])
    return np.asarray(np.abs(rows - 400 - 0.2 * columns) < 136, bool)


def _skin(rgb: Rgb) -> Rgb:
    """A rounded arm from left to right."""
    rows, columns = np.indices(rgb.shape[:2])
    round_ = np.clip(1 - ((rows - 400 - 0.2 * columns) / 152) ** 2, 0.05, 1) ** 0.5
    return (round_[..., None] * np.array([0.55, 0.30, 0.20])).astype(np.float32)


def test_the_check_takes_evidence_of_any_size() -> None:
    scene = drawn()
    small = cv2.resize(scene.alpha, (300, 250), interpolation=cv2.INTER_AREA)
    source: Source = from_array(scene.rgb, name="drawn")
    assert check_source(source, piece=small, reader=nothing_to_read())[0] == []


def test_print_beside_the_piece_is_named_and_beads_that_look_like_letters_are_not() -> None:
    scene = drawn()
    source = from_array(scene.rgb, name="drawn")
    beside, inside = Region(10, 10, 200, 40), scene.box
    for lines, expected in (
        ((Line("jewel.shop", 0.9, beside),), {"text"}),
        ((Line("CO", 0.95, Region(0, 0, 400, 700)),), set()),
        ((Line("0:0:0", 0.95, beside), Line("CO", 0.73, beside)), set()),
        ((Line("OBPA3EU", 0.6, beside),), {"text"}),
        (tuple(Line("daily market", 0.9, beside) for _ in range(8)), {"printed-backdrop"}),
        ((Line("925", 0.99, Region(inside.x + inside.width // 2 - 4, inside.y + 12, 8, 8)),), set()),
    ):
        findings, _ = check_source(source, piece=scene.alpha, reader=Reading(lines))
        assert {finding.code for finding in findings} == expected


def test_without_a_reader_it_is_said_that_print_was_not_looked_for() -> None:
    scene = drawn()
    findings, _ = check_source(from_array(scene.rgb, name="drawn"), piece=scene.alpha)
    assert [finding.code for finding in findings] == ["text-unchecked"]
    assert findings[0].severity is Severity.NOTE


def test_a_preview_is_not_judged_as_a_file() -> None:
    scene = scenes.ring(Size(480, 400))
    findings, measures = check_source(from_array(scene.rgb, name="drawn"), piece=scene.alpha, is_live=True)
    assert [finding.code for finding in findings] == ["live"]
    assert "file" not in measures and "few-pixels-on-piece" in judged(scene.rgb, scene.alpha)


def test_a_cluttered_backdrop_is_named() -> None:
    scene = drawn()
    rng = np.random.default_rng(3)
    tiles = np.kron(rng.uniform(0.1, 0.7, (40, 48)), np.ones((20, 20)))[: SIZE.height, : SIZE.width]
    found = judged(scene.on((0.5, 0.5, 0.5)), scene.alpha)
    assert "cluttered-backdrop" not in found
    cluttered = scene.alpha[..., None] * scene.foreground + (1 - scene.alpha[..., None]) * tiles[..., None]
    assert judged(cluttered, scene.alpha)["cluttered-backdrop"].severity is Severity.WARN


def test_a_piece_mirrored_below_itself_is_named() -> None:
    scene = scenes.ring(Size(720, 560), ground="grey")
    paper = np.full((600, 720, 3), scene.rgb[0, 0], np.float32)
    rgb, alpha = np.concatenate([scene.rgb, paper]), np.concatenate([scene.alpha, np.zeros((600, 720), np.float32)])
    assert "mirror-table" not in judged(rgb, alpha)
    last = scene.box.y + scene.box.height
    turned, cover = rgb[:last][::-1], 0.5 * alpha[:last][::-1, :, None]
    below = np.s_[last : last + last]
    mirrored = rgb.copy()
    mirrored[below] = (1 - cover) * rgb[below] + cover * cv2.GaussianBlur(turned, (0, 0), 1.5)
    region = judged(mirrored, alpha)["mirror-table"].region
    assert region is not None and region.y >= last - 24
    source = from_array(mirrored.astype(np.float32))
    assert [found.code for found in check_reflections(source, alpha)] == ["mirror-table"]
    assert not check_reflections(from_array(rgb.astype(np.float32)), alpha)


def test_two_lights_are_named_and_a_plain_backdrop_is_not() -> None:
    scene = drawn("grey")
    across = np.linspace(0, 1, SIZE.width, dtype=np.float32)[None, :, None]
    light = (1 - across) * np.array([0.85, 1, 1.2]) + across * np.array([1.15, 0.98, 0.7])
    assert "mixed-light" in judged(scene.rgb * light.astype(np.float32), scene.alpha)


def test_a_pink_cloth_in_silver_is_named() -> None:
    scene = drawn("grey")
    pink, alpha = np.array([1, 0.35, 0.6], np.float32), scene.alpha[..., None]
    silver = scene.foreground.mean(axis=2, keepdims=True)
    found = judged(alpha * silver * (0.4 + 0.6 * pink) + (1 - alpha) * 0.5 * pink, scene.alpha)
    assert "tinted" in found and "worn" not in found


def test_a_photographed_screen_is_named() -> None:
    scene = drawn()
    rows, columns = np.indices(scene.rgb.shape[:2])
    grid = [1 + 0.3 * np.cos(2 * np.pi * ((columns + 0.05 * rows) / 4.6 + shift / 3)) for shift in range(3)]
    found = judged(scene.rgb * np.stack(grid, axis=-1).astype(np.float32), scene.alpha)
    assert found["rephotographed"].check == "file"


def test_dust_is_a_note_and_scratches_are_not_dust() -> None:
    """A broad, smooth band of metal: motes are said, scratches belong to it."""
    rng = np.random.default_rng(5)
    alpha = np.zeros((700, 800), np.float32)
    alpha[150:550, 120:680] = 1
    shade = np.linspace(0.25, 0.5, 800, dtype=np.float32)[None, :].repeat(700, axis=0)
    clean = np.where(alpha > 0, shade, 0.8).astype(np.float32)
    dusty, scratched = clean.copy(), clean.copy()
    for x, y in zip(rng.integers(150, 650, 120), rng.integers(180, 520, 120), strict=True):
        cv2.circle(dusty, (int(x), int(y)), 1, 0.9, -1, cv2.LINE_AA)
        cv2.line(scratched, (int(x), int(y)), (int(x) + 24, int(y) + 9), 0.9, 1, cv2.LINE_AA)
    said = [set(judged(plane[..., None].repeat(3, axis=2), alpha)) for plane in (clean, dusty, scratched)]
    assert ["dust" in codes for codes in said] == [False, True, False]
