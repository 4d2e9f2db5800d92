"""What a pixel tells about being piece or backdrop: the planes that the refiner network reads.

Each cue is weak alone. Colour says nothing of silver on grey card, the backdrop model nothing on printed paper, the
network's coarse evidence nothing about a link's daylight. Side by side, at the resolution of the picture, they nearly
always decide.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.backdrop import Backdrop, fit_backdrop
from vitrina.imaging.colour import encode_srgb, lab
from vitrina.model import Alpha, Mask, Plane, Rgb

COUNT = 14
"""Number of planes in `Cues.planes`."""

_BINS = (50, 48, 48)
_LOWEST = np.array([-100, -60, -60], np.float32)
_STEP = np.array([4.0, 2.5, 2.5], np.float32)
_SHADES = ((1.0, 1.0), (0.85, 0.12), (0.72, 0.10), (0.6, 0.08), (0.5, 0.05), (0.4, 0.03))
"""Darkenings a cast shadow may have, and how much each counts beside the plain backdrop."""


@dataclass(frozen=True, slots=True)
class Cues:
    """`planes`: float32 (COUNT, rows, columns), roughly −1…1; `backdrop`: the model they were taken from.

    The planes: encoded red, green and blue; the wide and the close evidence; distance from the backdrop, plain and
    shaded; the best darkening; the residual L*, a*, b*; how much likelier the colour is on the piece; the slope; the
    spread.
    """

    planes: NDArray[np.float32]
    backdrop: Backdrop


def find_cues(rgb: Rgb, wide: Alpha, close: Alpha) -> Cues:
    """Cues of a picture from two coarse answers about it at its size: `wide` sees solids, `close` thin parts."""
    either = np.maximum(wide, close)
    far = cv2.dilate(either, np.ones((15, 15), np.uint8)) < 0.2
    if far.mean() < 0.1:
        far = either <= np.percentile(either, 20)
    backdrop = fit_backdrop(rgb, far)
    planes = np.empty((COUNT, *rgb.shape[:2]), np.float32)
    planes[0:3] = encode_srgb(rgb).transpose(2, 0, 1) - np.float32(0.5)
    planes[3], planes[4] = wide, close
    planes[5] = np.log1p(backdrop.distance) / 3
    planes[6] = np.log1p(backdrop.shaded_distance) / 3
    planes[7] = backdrop.shading
    planes[8:11] = np.clip(backdrop.residual / 40, -2, 2).transpose(2, 0, 1)
    planes[11] = _likelier(rgb, backdrop, far, np.asarray((wide + close) / 2, np.float32))
    planes[12] = np.log1p(backdrop.slope) / 3
    planes[13] = min(backdrop.spread / 32, 1.5)
    return Cues(planes, backdrop)


def _likelier(rgb: Rgb, backdrop: Backdrop, far: Mask, evidence: Alpha) -> Plane:
    """Log likelihood ratio of a pixel's colour, piece over backdrop, −1…1, from two smoothed Lab histograms."""
    step = max(1, int(np.sqrt(far.sum() / 40000)))
    chosen = np.zeros_like(far)
    chosen[::step, ::step] = far[::step, ::step]
    plain = rgb[chosen][None]
    surface = lab(rgb)[chosen] - backdrop.residual[chosen]
    shades = [(_bin(lab(plain * np.float32(shade))[0] - surface), weight) for shade, weight in _SHADES]
    behind = _histogram(
        np.concatenate([index for index, _ in shades]),
        np.concatenate([np.full(len(index), weight) for index, weight in shades]),
    )
    index = _bin(backdrop.residual)
    front = _histogram(index.ravel(), (np.where(evidence > 0.5, evidence, 0) + 1e-6).ravel())
    ratio = np.log((front + 2e-6) / (behind + 2e-6)).astype(np.float32)
    return np.asarray(np.clip(ratio / 5, -1, 1)[index], np.float32)


def _bin(colour: NDArray[np.float32]) -> NDArray[np.int32]:
    place = np.rint((colour - _LOWEST) / _STEP).astype(np.int32)
    place = np.clip(place, 0, np.array(_BINS, np.int32) - 1)
    return np.asarray((place[..., 0] * _BINS[1] + place[..., 1]) * _BINS[2] + place[..., 2], np.int32)


def _histogram(index: NDArray[np.int32], weight: NDArray[np.floating]) -> NDArray[np.float64]:
    counts = np.bincount(index, weights=weight, minlength=int(np.prod(_BINS))).reshape(_BINS)
    kernel = np.array([0.25, 0.5, 0.25])
    for axis in range(3):
        before, after = np.roll(counts, 1, axis), np.roll(counts, -1, axis)
        counts = kernel[0] * before + kernel[1] * counts + kernel[2] * after
    return np.asarray(counts.ravel() / max(float(counts.sum()), 1e-9), np.float64)
