"""Exposure fusion and focus stacking: repeated exposures of one view, aligned and made one picture, which is a draft.

The best of the frames is the reference: the others are moved onto it, and what cannot be is left out and said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import cv2
import numpy as np

from vitrina.errors import UsageError
from vitrina.imaging import register
from vitrina.imaging.colour import decode_srgb, encode_srgb, luminance
from vitrina.imaging.fuse import Blend, Picture, exposure_weight, focus_weight
from vitrina.imaging.register import Matrix, Motion
from vitrina.model import Alpha, Finding, Mask, Plane, Rgb, Severity, Source
from vitrina.stages.intake.advice import finding

_ALIGN_PX = 1000
"""Long side at which frames are aligned; the transform is refined to hundredths of such a pixel."""
_LEVELS = (8, 4, 2, 1)
_WORTH = 0.02
"""Correlation that perspective must add to be believed."""
_ALIKE = 0.7
"""Least correlation over the piece after alignment: a piece that was moved, or another one, stays below."""
_BRACKET = 1.25
"""Ratio of the frames' brightness on the piece from which on they are a bracket, not a stack."""
_OF_DRESSING = {"background", "text", "framing", "edges"}
_LARGEST_SHIFT = 0.15
"""Share of the frame by which its corners may move."""


class Method(StrEnum):
    """What several frames of one view are made one by."""

    EXPOSURE = "exposure"
    FOCUS = "focus"


@dataclass(frozen=True, slots=True)
class Fused:
    """A fused picture of the reference's size, what it was made by, and the numbers of the frames in it, the reference
    first. `rgb` is None when there was nothing to fuse; the findings say why."""

    rgb: Rgb | None
    method: Method
    frames: tuple[int, ...]
    findings: tuple[Finding, ...]
    measures: dict[str, Any]


def fuse(count: int, frame: Callable[[int], Source], piece: Alpha, *, method: Method | None = None) -> Fused:
    """Make frames 0 … `count` − 1 one; frame 0 is the reference, `piece` (0…1, any size) says where its piece is.

    `frame` is asked for one at a time, so memory does not grow with their number. Without a `method` frames that differ
    in brightness are a bracket, others a focus stack. Raises UsageError for less than two frames.
    """
    if count < 2:
        raise UsageError(f"{count} frame: two of one view at least are wanted.")
    first = frame(0)
    shape = first.rgb.shape[:2]
    base = encode_srgb(first.rgb)
    evidence = _at(piece, shape)
    brightness = [_brightness(base, evidence)]
    aligned: list[tuple[int, Matrix, float]] = []
    left: list[str] = []
    for number in range(1, count):
        source = frame(number)
        picture = encode_srgb(source.rgb)
        matrix, likeness = _aligned(picture, base, evidence)
        if matrix is None:
            left.append(source.name)
            continue
        aligned.append((number, matrix, likeness))
        brightness.append(_brightness(_moved(picture, matrix, shape)[0], evidence))
    spread = max(brightness) / max(min(brightness), 1e-4)
    chosen = method or (Method.EXPOSURE if spread > _BRACKET else Method.FOCUS)
    measures = {
        "method": chosen, "brightness_ratio": spread, "likeness": {str(n): like for n, _, like in aligned},
    }  # fmt: skip
    findings = [
        finding("geometry", "frame-left-out", Severity.WARN, measured=name, limit="the same view", unit="frame")
        for name in left
    ]
    if not aligned:
        return Fused(None, chosen, (0,), tuple(findings), measures)
    weigh = exposure_weight if chosen is Method.EXPOSURE else focus_weight
    blend = Blend(*shape)
    blend.add(base, weigh(base), np.ones(shape, bool))
    del base
    for number, matrix, _ in aligned:
        picture, shown = _moved(encode_srgb(frame(number).rgb), matrix, shape)
        blend.add(picture, weigh(picture), shown)
    return Fused(decode_srgb(blend.result()), chosen, (0, *(n for n, _, _ in aligned)), tuple(findings), measures)


def on_white(rgb: Rgb, piece: Alpha) -> tuple[Rgb, Alpha]:
    """The piece of a fused picture on white, so that its backdrop has no say in verification, and its coarse matte."""
    alpha = np.clip(2 * _at(piece, rgb.shape) - 0.5, 0, 1)
    return alpha[..., None] * rgb + (1 - alpha[..., None]), alpha


def undisputed(said: Sequence[Sequence[Finding]]) -> list[Finding]:
    """Of what verification against each frame says, that which every frame says of the same place: what one of them
    shows was not invented. Findings that are about the dressing of a cutout are left out.
    """
    first, *others = ([found for found in one if found.check not in _OF_DRESSING] for one in said)
    return [found for found in first if all(any(_is_same(found, other) for other in one) for one in others)]


def _is_same(one: Finding, other: Finding) -> bool:
    is_there = one.region is None or other.region is None or one.region.meets(other.region)
    return is_there and (one.check, one.code) == (other.check, other.code)


def _brightness(picture: Picture, evidence: Plane) -> float:
    """The median luminance on the piece."""
    return float(np.median(luminance(decode_srgb(picture[evidence > 0.5][None]))))


def _aligned(picture: Picture, base: Picture, evidence: Plane) -> tuple[Matrix | None, float]:
    """What takes `picture` to `base`, and how alike they then are on the piece; None for what is no exposure of it."""
    scale = min(1.0, _ALIGN_PX / max(base.shape[:2]))
    own = min(1.0, _ALIGN_PX / max(picture.shape[:2]))
    first, second = _grey(base, scale), _grey(picture, own)
    weight = _at(evidence, first.shape)
    weight = np.asarray(cv2.dilate(weight, np.ones((9, 9), np.uint8)), np.float32)
    start = np.diag([second.shape[1] / first.shape[1], second.shape[0] / first.shape[0], 1.0])
    found, likeness, seen = start, -1.0, 0.0
    for motion in (Motion.SIMILARITY, Motion.HOMOGRAPHY):
        tried = register.refine(first, second, weight, found, levels=_LEVELS, motion=motion)
        alike, shown = register.sample_agreement(first, second, weight, tried)
        if alike > likeness + _WORTH:  # what is soft in one frame lets a looser motion bend the piece for nothing
            found, likeness, seen = tried, alike, shown
    rows, columns = first.shape
    corners = np.array([[[0, 0], [columns, 0], [0, rows], [columns, rows]]], np.float64)
    shift = float(np.abs(cv2.perspectiveTransform(corners, found @ np.linalg.inv(start)) - corners).max())
    if likeness < _ALIKE or seen < 0.9 or shift > _LARGEST_SHIFT * max(first.shape):
        return None, likeness
    to_first, to_second = register.as3(_scaling(base, first)), register.as3(_scaling(picture, second))
    return np.linalg.inv(to_second) @ found @ to_first, likeness


def _scaling(large: Picture, small: Plane) -> Matrix:
    """Takes pixel centres of `large` to those of its reduction."""
    x, y = small.shape[1] / large.shape[1], small.shape[0] / large.shape[0]
    return np.array([[x, 0.0, (x - 1) / 2], [0.0, y, (y - 1) / 2]])


def _moved(picture: Picture, matrix: Matrix, shape: tuple[int, int]) -> tuple[Picture, Mask]:
    """`picture` on the reference's canvas and where it shows something; `matrix` takes reference pixels to its own."""
    canvas, flags = (shape[1], shape[0]), cv2.WARP_INVERSE_MAP
    moved = cv2.warpPerspective(picture, matrix, canvas, flags=cv2.INTER_CUBIC | flags, borderMode=cv2.BORDER_REFLECT)
    inside = np.ones(picture.shape[:2], np.uint8)
    shown = cv2.warpPerspective(inside, matrix, canvas, flags=cv2.INTER_NEAREST | flags)
    return np.clip(moved, 0, 1).astype(np.float32), cv2.erode(shown, np.ones((5, 5), np.uint8), borderValue=0) > 0


def _grey(picture: Picture, scale: float) -> Plane:
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))


def _at(plane: Plane, shape: Sequence[int]) -> Plane:
    return np.asarray(cv2.resize(plane, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)
