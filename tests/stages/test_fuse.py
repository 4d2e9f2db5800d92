"""Fusing drawn brackets and stacks: what no single frame shows well, the fused picture does; what moved is left out."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from tests import scenes
from vitrina.errors import UsageError
from vitrina.imaging.colour import encode_srgb
from vitrina.imaging.measure import clipped_high
from vitrina.model import Alpha, Finding, Region, Rgb, Severity, Size, Source
from vitrina.stages.fuse import Fused, Method, fuse, undisputed
from vitrina.steps import from_array

SIZE = Size(720, 600)


@cache
def drawn() -> scenes.Scene:
    return scenes.ring(SIZE, ground="paper")


def fused(frames: list[Rgb], alpha: Alpha, method: Method | None = None) -> Fused:
    sources = [from_array(np.clip(f, 0, 1).astype(np.float32), name=f"f{n}") for n, f in enumerate(frames)]

    def frame(number: int) -> Source:
        return sources[number]

    return fuse(len(frames), frame, alpha, method=method)


def moved(rgb: Rgb, *, x: float, y: float, turn: float = 0.0, scale: float = 1.0) -> Rgb:
    """The same view by a phone that was held a little otherwise."""
    matrix = cv2.getRotationMatrix2D((SIZE.width / 2, SIZE.height / 2), turn, scale)
    matrix[:, 2] += x, y
    return np.asarray(cv2.warpAffine(rgb, matrix, rgb.shape[1::-1], flags=cv2.INTER_CUBIC, borderMode=1), np.float32)


def soft_half(rgb: Rgb, *, left: bool) -> Rgb:
    across = np.clip((np.arange(rgb.shape[1]) / rgb.shape[1] - 0.5) * 10 + 0.5, 0, 1).astype(np.float32)
    soft = (1 - across if left else across)[None, :, None]
    return (1 - soft) * rgb + soft * cv2.GaussianBlur(rgb, (0, 0), 5)


def error_on(piece: Alpha, rgb: Rgb, truth: Rgb) -> float:
    """RMS in 8-bit codes over the piece, away from the frame."""
    inside = piece > 0.5
    apart = encode_srgb(np.clip(rgb, 0, 1)) - encode_srgb(np.clip(truth, 0, 1))
    return float(255 * np.sqrt((apart[inside] ** 2).mean()))


def test_a_stack_is_sharp_where_any_frame_was() -> None:
    scene = drawn()
    near, far = (
        soft_half(scene.rgb, left=False),
        soft_half(moved(scene.rgb, x=3, y=-2, turn=0.4, scale=1.01), left=True),
    )
    made = fused([near, far], scene.alpha)
    assert made.method is Method.FOCUS
    assert made.frames == (0, 1)
    assert made.rgb is not None
    assert error_on(scene.alpha, made.rgb, scene.rgb) < 0.5 * error_on(scene.alpha, near, scene.rgb)


def test_a_bracket_keeps_what_each_exposure_shows() -> None:
    scene = drawn()
    light, dark = scene.rgb * 3.5, moved(scene.rgb * 0.3, x=-2, y=2)
    made = fused([light, dark], scene.alpha)
    assert made.method is Method.EXPOSURE
    assert made.rgb is not None
    piece = scene.alpha > 0.5
    burnt = float(clipped_high(np.clip(light, 0, 1).astype(np.float32))[piece].mean())
    assert burnt > 0.05
    assert float(clipped_high(made.rgb)[piece].mean()) < 0.2 * burnt


def test_another_view_is_left_out_and_said() -> None:
    scene, other = drawn(), scenes.earrings(SIZE)
    made = fused([scene.rgb, other.rgb], scene.alpha)
    assert made.rgb is None
    assert [(found.code, found.measured) for found in made.findings] == [("frame-left-out", "f1")]
    made = fused([scene.rgb, other.rgb, scene.rgb], scene.alpha)
    assert made.frames == (0, 2)


def test_one_frame_cannot_be_fused() -> None:
    scene = drawn()
    with pytest.raises(UsageError, match="two of one view"):
        fused([scene.rgb], scene.alpha)


@pytest.mark.parametrize(
    ("place", "stands"), [(Region(5, 5, 10, 10), True), (Region(30, 5, 10, 10), False), (None, True)]
)
def test_a_finding_stands_when_every_frame_says_it_of_the_same_place(place: Region | None, stands: bool) -> None:
    def missing(region: Region | None) -> Finding:
        return Finding("stones", "stone-missing", Severity.BLOCK, 1, 0, "stones", "Gone.", region)

    one = missing(Region(8, 8, 4, 4))
    assert undisputed([[one], [missing(place)]]) == ([one] if stands else [])
    assert undisputed([[one], []]) == []
