"""A screen photographed instead of the piece: its grid of red, green and blue, or the moiré of it."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.colour import encode_srgb
from vitrina.model import Finding, Plane, Severity
from vitrina.stages.intake.advice import finding
from vitrina.stages.intake.view import View

_SIDE = 384
"""Side of the parts that are looked at, at the photo's own pixels."""
_PLACES = ((0.5, 0.5), (0.15, 0.15), (0.85, 0.85))
"""Their middles, as shares of height and width; a screen's grid is everywhere, a chain or a weave is not."""
_SLOWEST, _FASTEST = 0.06, 0.48
"""Cycles per pixel: slower ones are shades, faster ones the mosaic of the sensor."""
_AXIS = 0.008
"""Distance to the axes and to JPEG's own frequencies (eighths) within which nothing counts."""


def check(view: View) -> tuple[list[Finding], dict[str, Any]]:
    """The strongest regular pattern of *colour*: woven cloth and chains repeat too, but not in red against green."""
    size = view.size
    if min(size.width, size.height) < _SIDE:
        return [], {}
    peaks = []
    for down, right in _PLACES:
        y, x = round(down * (size.height - _SIDE)), round(right * (size.width - _SIDE))
        encoded = encode_srgb(np.ascontiguousarray(view.source.rgb[y : y + _SIDE, x : x + _SIDE]))
        peaks.append(_peak(100 * (encoded[..., 0] - encoded[..., 1])))
    height, amplitude = sorted(peaks)[len(peaks) // 2]
    measures = {"grid_peak": height, "grid_amplitude": amplitude}
    if height <= view.limits.screen_peak or amplitude <= view.limits.screen_amplitude:
        return [], measures
    return [
        finding(
            "file", "rephotographed", Severity.WARN, measured=height, limit=view.limits.screen_peak, unit="× the noise"
        )
    ], measures


def _peak(plane: Plane) -> tuple[float, float]:
    """The highest peak of the spectrum over what is usual at its distance from the middle, and its amplitude."""
    window, bins, allowed = _tables()
    spectrum = np.abs(np.fft.rfft2((plane - cv2.GaussianBlur(plane, (0, 0), 8)) * window))
    usual = np.ones(bins.max() + 1)
    order = np.argsort(bins, axis=None, kind="stable")
    ranked, starts = spectrum.ravel()[order], np.searchsorted(bins.ravel()[order], np.arange(bins.max() + 2))
    for index, (start, stop) in enumerate(pairwise(starts)):
        if stop > start:
            usual[index] = max(float(np.median(ranked[start:stop])), 1e-3)
    over = np.where(allowed, spectrum / usual[bins], 0)
    at = int(over.argmax())
    return float(over.flat[at]), float(2 * spectrum.flat[at] / window.sum())


@cache
def _tables() -> tuple[NDArray[np.float32], NDArray[np.intp], NDArray[np.bool_]]:
    """The window, the distance class of each frequency, and which frequencies count."""
    window = np.outer(np.hanning(_SIDE), np.hanning(_SIDE)).astype(np.float32)
    down, right = np.meshgrid(np.fft.fftfreq(_SIDE), np.fft.rfftfreq(_SIDE), indexing="ij")
    distance = np.hypot(down, right)
    allowed = (distance > _SLOWEST) & (distance < _FASTEST)
    for axis in (down, right):
        for eighth in range(5):
            allowed &= np.abs(np.abs(axis) - eighth / 8) > _AXIS
    return window, (distance * 64).astype(np.intp), allowed
