"""Local warps: places that moved although the piece as a whole was only re-framed.

Corners are followed from the source's prediction to the edit by pyramidal Lucas-Kanade (Bouguet 2001), forwards and
back; only corners that come home and look alike at both ends are believed, and only where neighbours moved alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitrina.imaging.colour import encode_srgb, luminance
from vitrina.imaging.compose import over
from vitrina.model import Finding, Region, Severity
from vitrina.stages.verify.align import Aligned
from vitrina.stages.verify.limits import VerifyLimits

_CORNERS = 500
_WINDOW = 15
_NEIGHBOURS = 5


@dataclass(frozen=True, slots=True)
class Displacement:
    """Pixels of the work frame: `typical` is the median distance of a corner from its place (the registration's error),
    `local` the 95th percentile of what neighbours share beyond the whole piece's own shift."""

    typical: float
    local: float


def judge_distortion(pair: Aligned, limits: VerifyLimits) -> tuple[list[Finding], Displacement | None]:
    """Findings, and how far the believed corners lie from where they should; None when too few could be followed."""
    box = Region.around(pair.alpha > 0.5, margin_px=12)
    if box is None:
        return [], None
    surface = np.ascontiguousarray(pair.ground.surface[box.slices])
    ground = np.asarray(cv2.cvtColor(surface, cv2.COLOR_Lab2LRGB), np.float32)
    first = _to8(luminance(over(pair.source[box.slices], pair.alpha[box.slices], ground)))
    second = _to8(luminance(pair.edit[box.slices]))
    inside = (pair.alpha[box.slices] > 0.5).astype(np.uint8)
    corners = cv2.goodFeaturesToTrack(first, _CORNERS, 0.01, 5, mask=inside, blockSize=5)
    if corners is None or len(corners) < 4 * _NEIGHBOURS:
        return [], None
    window = {"winSize": (_WINDOW, _WINDOW), "maxLevel": 2}
    there, found, _ = cv2.calcOpticalFlowPyrLK(first, second, corners, None, **window)
    back, again, _ = cv2.calcOpticalFlowPyrLK(second, first, there, None, **window)
    start, end = corners[:, 0], there[:, 0]
    home = np.hypot(*(back[:, 0] - start).T) < 0.35
    good = home & (found[:, 0] > 0) & (again[:, 0] > 0)
    pairs = zip(start, end, good, strict=True)
    good &= np.array([ok and _alike(first, second, a, b) for a, b, ok in pairs], bool)
    start, moved = start[good], (end - start)[good]
    if len(start) < 4 * _NEIGHBOURS:
        return [], None
    typical = np.median(moved, axis=0)
    length = np.hypot(*(moved - typical).T)
    gap = np.hypot(*(start[:, None] - start[None]).transpose(2, 0, 1))
    near = np.argsort(gap, axis=1)[:, : _NEIGHBOURS + 1]
    local = np.median((moved - typical)[near], axis=1)
    spread = np.median(np.hypot(*(moved[near] - typical - local[:, None]).transpose(2, 0, 1)), axis=1)
    shifted = (np.hypot(*local.T) > limits.warp_px) & (spread < 0.5 * np.hypot(*local.T)) & (length > limits.warp_px)
    measure = Displacement(float(np.median(np.hypot(*moved.T))), float(np.percentile(np.hypot(*local.T), 95)))
    if shifted.sum() < 2 * _NEIGHBOURS:
        return [], measure
    x0, y0 = start[shifted].min(axis=0)
    x1, y1 = start[shifted].max(axis=0)
    worst = float(np.percentile(np.hypot(*local[shifted].T), 90))
    return [
        Finding(
            "geometry", "warped", Severity.BLOCK, worst, limits.warp_px, "px",
            f"Part of the piece is shifted by {worst:.1f} px against the rest, {limits.warp_px:g} px allowed: "
            "its shape was bent "
            "or redrawn. Regenerate or reject.",
            Region(int(x0) + box.x, int(y0) + box.y, int(x1 - x0) + 1, int(y1 - y0) + 1),
        )
    ], measure  # fmt: skip


def _to8(plane: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(encode_srgb(plane), 0, 1) * 255).astype(np.uint8)


def _alike(first: np.ndarray, second: np.ndarray, a: np.ndarray, b: np.ndarray) -> bool:
    """Whether the windows around `a` in one picture and `b` in the other correlate above 0.9."""
    one = cv2.getRectSubPix(first, (_WINDOW, _WINDOW), (float(a[0]), float(a[1]))).astype(np.float32)
    two = cv2.getRectSubPix(second, (_WINDOW, _WINDOW), (float(b[0]), float(b[1]))).astype(np.float32)
    one -= one.mean()
    two -= two.mean()
    power = float((one * one).sum()) * float((two * two).sum())
    return power > 0 and float((one * two).sum()) / power**0.5 > 0.9
