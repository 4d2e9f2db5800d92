"""Bring the source and the edit onto one canvas: the first thing every check needs."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.colour import encode_srgb, lab, luminance
from vitrina.imaging.compare import Ground, LabPlanes, fit_ground, smooth
from vitrina.imaging.register import (
    Affine,
    Fit,
    as3,
    correlation,
    feature_fits,
    is_plausible,
    refine,
    scale_of,
    silhouette_fit,
    warp,
)  # fmt: skip
from vitrina.model import Alpha, Mask, Plane, Region, Rgb, Size
from vitrina.stages.verify.limits import VerifyLimits

_SEARCH_PX = 900
"""Long side at which features are matched: enough for prongs, cheap enough for a second."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """Source and edit in the work frame (the edit's canvas, shrunk by `scale` work px per edit px).

    `source` carries the global `gain` already; Lab planes are smoothed by 0.7 px. `alpha` is the source's matte.
    """

    source: Rgb
    edit: Rgb
    source_lab: LabPlanes
    edit_lab: LabPlanes
    alpha: Alpha
    covered: Mask
    ground: Ground
    matrix: Affine
    scale: float
    gain: float
    fit: Fit
    mirrored: bool
    lost: float
    extent_px: float

    @property
    def size(self) -> Size:
        return Size(self.alpha.shape[1], self.alpha.shape[0])

    def to_edit(self, region: Region | None) -> Region | None:
        """A region of the work frame in pixels of the edit."""
        if region is None:
            return None
        if self.mirrored:
            region = Region(self.size.width - region.x - region.width, region.y, region.width, region.height)
        return region.scaled(1 / self.scale)


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A picture at working size with its encoded luminance."""

    rgb: Rgb
    luma: Plane
    scale: float


def shrink(rgb: Rgb, long_side_px: float) -> Shrunk:
    """`rgb` with its long side at most `long_side_px` (area means)."""
    scale = min(1.0, long_side_px / max(rgb.shape[:2]))
    if scale < 1:
        size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.float32)
    return Shrunk(rgb, encode_srgb(luminance(rgb)), scale)


def rough_ground(edit: Rgb) -> tuple[Ground, Mask]:
    """The edit's ground fitted from a border band, and a mask of what stands out from it."""
    edit_lab = smooth(lab(edit), 0.7)
    height, width = edit_lab.shape[:2]
    band = max(4, round(0.06 * min(height, width)))
    border = np.ones((height, width), bool)
    border[band:-band, band:-band] = False
    ground = fit_ground(edit_lab, border)
    apart = np.sqrt(((edit_lab - ground.surface) ** 2).sum(axis=-1))
    mask = apart > max(7.0, 5 * ground.roughness)
    return ground, cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0


def align(source: Shrunk, alpha: Alpha, edit: Rgb, limits: VerifyLimits) -> Aligned | None:
    """Register `source` (with its matte at the same size) to `edit`; None when the piece cannot be found in it."""
    work = shrink(edit, limits.work_px)
    _, apart = rough_ground(work.rgb)
    best = _search(source, alpha, work, apart)
    mirrored = False
    if best is None or best.correlation < 0.8:
        flipped = Shrunk(np.ascontiguousarray(work.rgb[:, ::-1]), np.ascontiguousarray(work.luma[:, ::-1]), work.scale)
        other = _search(source, alpha, flipped, np.ascontiguousarray(apart[:, ::-1]))
        if other is not None and (best is None or other.correlation > max(best.correlation + 0.15, 0.6)):
            best, work, mirrored = other, flipped, True
    if best is None or best.correlation < limits.match_correlation:
        return None
    return _compose(source, alpha, work, best, mirrored)


def _search(source: Shrunk, alpha: Alpha, work: Shrunk, apart: Mask) -> Fit | None:
    """The best transform source → work by features and by silhouette, densely refined."""
    small_source = _at(source.luma, _SEARCH_PX)
    small_work = _at(work.luma, _SEARCH_PX)
    near = _grown(_like(alpha, small_source) > 0.1, 5)
    there = _grown(_like(apart.astype(np.float32), small_work) > 0.2, 5)
    shown = apart.astype(np.float32)
    touches = _touches_frame(apart)
    up = work.luma.shape[1] / small_work.shape[1]
    down = small_source.shape[1] / source.luma.shape[1]
    starts = feature_fits(small_source, small_work, near, there)
    silhouette = silhouette_fit(_like(alpha, small_source), _like(apart.astype(np.float32), small_work))
    if silhouette is not None and is_plausible(silhouette):
        starts.append(silhouette)
    weight = _weight(alpha)
    fits: list[Fit] = []
    ranks: list[float] = []
    for start in starts:
        full = (np.diag([up, up, 1.0]) @ as3(start) @ np.diag([down, down, 1.0]))[:2]
        coarse = refine(source.luma, work.luma, weight, full, levels=(4,), rounds=15, rigid=True)
        fits.append(_score(source.luma, work.luma, weight, coarse))
        ranks.append(
            _correlation_shown(source.luma, work.luma, weight * 1.0, shown, coarse)
            + _overlap(alpha, shown, coarse, touches=touches)
        )
        if fits[-1].correlation > 0.9 and ranks[-1] > 1.7:
            break
    # print([(round(f.correlation,2),round(r,2), f.matrix.round(2).tolist()) for f,r in zip(fits,ranks)])
    if not fits:
        return None
    best = fits[int(np.argmax(ranks))]
    fine = refine(source.luma, work.luma, weight, best.matrix, levels=(2,), rounds=10, rigid=best.correlation < 0.7)
    fine = refine(source.luma, work.luma, weight, fine, levels=(1,), rounds=8, rigid=best.correlation < 0.7)
    refined = _score(source.luma, work.luma, weight, fine)
    return refined if refined.correlation >= best.correlation - 0.01 else best


def _score(first: Plane, second: Plane, weight: Plane, matrix: Affine) -> Fit:
    size = Size(second.shape[1], second.shape[0])
    moved = smooth(warp(first, matrix, size), 1.0)
    covered = np.clip(warp(weight, matrix, size), 0, 1)
    return Fit(matrix, correlation(moved, smooth(second, 1.0), covered), int(covered.sum()))


def _correlation_shown(first: Plane, second: Plane, weight: Plane, shown: Plane, matrix: Affine) -> float:
    """Correlation where both pictures show something: a missing part says nothing about where the rest lies."""
    size = Size(second.shape[1], second.shape[0])
    both = np.clip(warp(weight, matrix, size), 0, 1) * shown
    if both.sum() < 64:
        return -1.0
    return correlation(smooth(warp(first, matrix, size), 1.0), smooth(second, 1.0), both)


def _overlap(alpha: Alpha, shown: Plane, matrix: Affine, *, touches: bool) -> float:
    """Intersection over union of the moved matte and what stands out from the edit's ground.

    What falls outside the frame counts against a fit unless something in the edit does touch the frame.
    """
    size = Size(shown.shape[1], shown.shape[0])
    moved = np.clip(warp(alpha, matrix, size), 0, 1)
    total = float(alpha.sum()) * scale_of(matrix) ** 2
    lost = max(0.0, total - float(moved.sum()))
    both = float(np.minimum(moved, shown).sum())
    either = float(np.maximum(moved, shown).sum()) + (0.3 if touches else 1.0) * lost
    return both / max(either, 1e-6) - (0.0 if touches else 0.5 * lost / max(total, 1e-6))


def _touches_frame(apart: Mask) -> bool:
    edges = np.concatenate([apart[:2].ravel(), apart[-2:].ravel(), apart[:, :2].ravel(), apart[:, -2:].ravel()])
    return bool(edges.sum() >= 4)


def _weight(alpha: Alpha) -> Plane:
    inner = cv2.erode((alpha > 0.5).astype(np.float32), np.ones((3, 3), np.uint8))
    return inner if inner.sum() > 0.3 * (alpha > 0.5).sum() else (alpha > 0.5).astype(np.float32)


def _compose(source: Shrunk, alpha: Alpha, work: Shrunk, fit: Fit, mirrored: bool) -> Aligned:
    size = Size(work.rgb.shape[1], work.rgb.shape[0])
    moved = np.clip(warp(source.rgb, fit.matrix, size), 0, None)
    matte = np.clip(warp(alpha, fit.matrix, size), 0, 1)
    covered = warp(np.ones(alpha.shape, np.float32), fit.matrix, size) > 0.99
    total = float(alpha.sum()) * scale_of(fit.matrix) ** 2
    edit_lab = smooth(lab(work.rgb), 0.7)
    outside = cv2.dilate(matte, np.ones((15, 15), np.uint8)) < 0.02
    ground = fit_ground(edit_lab, outside)
    gain = _gain(luminance(moved), luminance(work.rgb), matte > 0.98)
    moved = np.asarray(moved * np.float32(gain), np.float32)
    box = Region.around(matte > 0.5)
    return Aligned(
        source=moved,
        edit=work.rgb,
        source_lab=smooth(lab(moved), 0.7),
        edit_lab=edit_lab,
        alpha=matte,
        covered=covered,
        ground=ground,
        matrix=fit.matrix,
        scale=work.scale,
        gain=gain,
        fit=fit,
        mirrored=mirrored,
        lost=max(0.0, 1 - float(matte.sum()) / max(total, 1e-6)),
        extent_px=float(max(box.width, box.height)) if box else 1.0,
    )


def _gain(first: Plane, second: Plane, core: Mask) -> float:
    """The commonest ratio second : first inside the piece (half-sample mode), so that a changed part does not pull it."""
    use = core & (first > 0.02) & (first < 0.9) & (second < 0.97)
    if use.sum() < 64:
        return 1.0
    ratio = np.sort(np.log(np.maximum(second[use], 1e-4) / first[use]))
    while len(ratio) > 64:
        half = len(ratio) // 2
        start = int(np.argmin(ratio[half:] - ratio[: len(ratio) - half]))
        ratio = ratio[start : start + half]
    return float(np.clip(np.exp(float(np.mean(ratio))), 0.25, 4.0))


def _at(plane: Plane, long_side_px: int) -> Plane:
    scale = min(1.0, long_side_px / max(plane.shape))
    if scale == 1:
        return plane
    size = (max(1, round(plane.shape[1] * scale)), max(1, round(plane.shape[0] * scale)))
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def _like(plane: NDArray[np.float32], other: Plane) -> Plane:
    if plane.shape == other.shape:
        return plane
    size = (other.shape[1], other.shape[0])
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def _grown(mask: Mask, radius: int) -> Mask:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.dilate(mask.astype(np.uint8), kernel) > 0
