"""Bring the source and the edit onto one canvas: the first thing every check needs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.colour import encode_srgb, lab, luminance
from vitrina.imaging.compare import Ground, LabPlanes, fit_ground, smooth, strength, structural_agreement
from vitrina.imaging.compose import over
from vitrina.imaging.register import (
    Fit,
    Matrix,
    Motion,
    as3,
    feature_fits,
    is_plausible,
    refine,
    sample_agreement,
    scale_of,
    silhouette_fit,
    warp,
)  # fmt: skip
from vitrina.model import Alpha, Mask, Plane, Region, Rgb, Size
from vitrina.stages.verify.limits import VerifyLimits

_SEARCH_PX = 720
"""Long side at which features are matched: enough for prongs, cheap enough for a second."""
_FINE_POINTS = 30_000
"""Pixels on which the last refinement rests."""
_SURE_CORRELATION, _SURE_RANK = 0.9, 1.75
"""Correlation of the whole piece, and correlation plus overlap, from which no other start is tried."""
_HINT_PX = 1.5
"""How far, in the work frame, the refinement may move a corner of the piece away from where the hint put it."""


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
    matrix: Matrix
    scale: float
    gain: float
    fit: Fit
    mirrored: bool
    lost: float
    extent_px: float
    source_centre: tuple[float, float]

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
    apart = strength(edit_lab - ground.surface)
    mask = apart > max(7.0, 5 * ground.roughness)
    return ground, cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0


def align(
    source: Shrunk, alpha: Alpha, edit: Rgb, limits: VerifyLimits, *, hint: Matrix | None = None
) -> Aligned | None:
    """Register `source` (with its matte at the same size) to `edit`; None when the piece cannot be found in it.

    `hint` says where the edit's maker put the source: full-size source pixels → edit pixels. It saves the search and
    nothing else: it is refined and checked like any other start, and when the pixels do not bear it out the piece is
    searched for as if nobody had said anything.
    """
    work = shrink(edit, limits.work_px)
    ground, apart = rough_ground(work.rgb)
    # Dressed in the edit's ground, the source's contour has the slopes that the edit shows.
    behind = np.asarray(cv2.cvtColor(np.array([[ground.lab]], np.float32), cv2.COLOR_Lab2LRGB), np.float32)[0, 0]
    dressed = replace(source, luma=encode_srgb(luminance(over(source.rgb, alpha, behind))))
    mirrored = False
    if hint is not None:
        start = _scaling(work.scale) @ as3(hint) @ np.linalg.inv(_scaling(source.scale))
        told = _borne_out(dressed, alpha, work, apart, start)
        if told is not None:
            return _compose(source, alpha, work, told, mirrored)
    best = _search(dressed, alpha, work, apart)
    if best is None or _merit(best) < 0.7:  # an edit that kept a rim of the old backdrop looks like the photo itself
        best = max((fit for fit in (best, _search(source, alpha, work, apart)) if fit), key=_merit, default=None)
    if best is None or _merit(best) < 0.7:
        flipped = Shrunk(np.ascontiguousarray(work.rgb[:, ::-1]), np.ascontiguousarray(work.luma[:, ::-1]), work.scale)
        other = _search(dressed, alpha, flipped, np.ascontiguousarray(apart[:, ::-1]))
        if other is not None and (best is None or _merit(other) > _merit(best) + 0.15):
            best, work, mirrored = other, flipped, True
    if best is None:
        return None
    if best.correlation_shown < limits.match_poor or not _is_found(best, limits):
        best = replace(best, agreement=_agreement(source, alpha, work, best.matrix))
    if not _is_found(best, limits):
        return None
    return _compose(source, alpha, work, best, mirrored)


def _borne_out(source: Shrunk, alpha: Alpha, work: Shrunk, apart: Mask, start: Matrix) -> Fit | None:
    """The fit that `start` leads to, if it stays there and the pixels agree as well as the search's best would have to;
    else None."""
    if not is_plausible(start):
        return None
    small_source, small_work = _at(source.luma, _SEARCH_PX), _at(work.luma, _SEARCH_PX)
    matte, there = _like(alpha, small_source), _like(apart.astype(np.float32), small_work)
    weight, shown = _grown(matte > 0.5, 2).astype(np.float32), _grown(there > 0.2, 2).astype(np.float32)
    matrix = refine(
        source.luma, work.luma, _like(weight, source.luma), start, shown=_like(shown, work.luma), levels=(1,),
        points=_FINE_POINTS,
    )  # fmt: skip
    box = Region.around(alpha > 0.5)
    if box is None or _stray(matrix, start, box) > _HINT_PX:
        return None
    small = between_sizes(work.luma, small_work) @ matrix @ between_sizes(small_source, source.luma)
    fit = _fit(small_source, small_work, (matte > 0.5).astype(np.float32), shown, small)
    overlap = _overlap(matte, there, small, touches=touches_frame(apart))
    if fit.correlation < _SURE_CORRELATION or fit.correlation_shown + overlap < _SURE_RANK:
        return None
    return replace(fit, matrix=matrix, overlap=overlap)


def _stray(first: Matrix, second: Matrix, box: Region) -> float:
    """How far apart two transforms put the corners of `box`, at most."""
    right, bottom = box.x + box.width - 1.0, box.y + box.height - 1.0
    corners = np.array([[[box.x, box.y], [right, box.y], [box.x, bottom], [right, bottom]]], np.float64)
    one, two = (cv2.perspectiveTransform(corners, as3(matrix)) for matrix in (first, second))
    return float(np.linalg.norm(one - two, axis=-1).max())


def _scaling(scale: float) -> Matrix:
    """Takes pixel centres of a picture to those of its reduction by `scale`."""
    return np.array([[scale, 0, 0.5 * scale - 0.5], [0, scale, 0.5 * scale - 0.5], [0, 0, 1.0]])


def _merit(fit: Fit) -> float:
    return max(fit.correlation, fit.correlation_shown * fit.seen)


def _is_found(fit: Fit, limits: VerifyLimits) -> bool:
    """The whole piece agrees, or what is left of it agrees well, or its edges lie where they have to."""
    if fit.overlap < limits.match_overlap:
        return False
    return (
        fit.agreement >= limits.match_agreement
        or fit.correlation >= limits.match_correlation
        or (fit.seen >= limits.match_seen and fit.correlation_shown >= limits.match_correlation_shown)
    )


def _agreement(source: Shrunk, alpha: Alpha, work: Shrunk, matrix: Matrix) -> float:
    size = Size(work.luma.shape[1], work.luma.shape[0])
    moved, matte = warp(source.luma, matrix, size), warp(alpha, matrix, size)
    return structural_agreement(moved, work.luma, matte > 0.5)


def _search(source: Shrunk, alpha: Alpha, work: Shrunk, apart: Mask) -> Fit | None:
    """The best transform source → work by features and by silhouette, densely refined."""
    small_source, small_work = _at(source.luma, _SEARCH_PX), _at(work.luma, _SEARCH_PX)
    there = _like(apart.astype(np.float32), small_work)
    matte = _like(alpha, small_source)
    starts = feature_fits(small_source, small_work, _grown(matte > 0.1, 5), _grown(there > 0.2, 5))
    silhouette = silhouette_fit(matte, there)
    if silhouette is not None and is_plausible(silhouette):
        starts.append(silhouette)
    weight = _grown(matte > 0.5, 2).astype(np.float32)
    inner = (matte > 0.5).astype(np.float32)
    shown = _grown(there > 0.2, 2).astype(np.float32)
    touches = touches_frame(apart)
    fits: list[Fit] = []
    ranks: list[float] = []
    for start in starts:
        matrix = refine(small_source, small_work, weight, start, shown=shown, levels=(4, 2), motion=Motion.SIMILARITY)
        fits.append(_fit(small_source, small_work, inner, shown, matrix))
        overlap = _overlap(matte, there, matrix, touches=touches)
        fits[-1] = replace(fits[-1], overlap=overlap)
        ranks.append(fits[-1].correlation_shown + overlap)
        if fits[-1].correlation > _SURE_CORRELATION and ranks[-1] > _SURE_RANK:
            break
    if not fits:
        return None
    best = fits[int(np.argmax(ranks))]
    for motion in (Motion.AFFINE, Motion.HOMOGRAPHY):
        matrix = refine(small_source, small_work, weight, best.matrix, shown=shown, levels=(2, 1), motion=motion)
        fit = _fit(small_source, small_work, inner, shown, matrix)
        if fit.correlation_shown > best.correlation_shown + (0.004 if motion is Motion.HOMOGRAPHY else 0.0):
            best = replace(fit, overlap=best.overlap)
    full = between_sizes(small_work, work.luma) @ as3(best.matrix) @ between_sizes(source.luma, small_source)
    shown_full, weight_full = _like(shown, work.luma), _like(weight, source.luma)
    motion = Motion.HOMOGRAPHY if np.abs(best.matrix[2, :2]).max() > 1e-9 else Motion.AFFINE
    fine = refine(
        source.luma, work.luma, weight_full, full, shown=shown_full, levels=(1,), motion=motion, points=_FINE_POINTS
    )
    return replace(best, matrix=fine)


def between_sizes(first: Plane, second: Plane) -> Matrix:
    """Takes pixel centres of one size of a picture to those of another."""
    sx, sy = second.shape[1] / first.shape[1], second.shape[0] / first.shape[0]
    return np.array([[sx, 0, 0.5 * sx - 0.5], [0, sy, 0.5 * sy - 0.5], [0, 0, 1.0]])


def _fit(first: Plane, second: Plane, weight: Plane, shown: Plane, matrix: Matrix) -> Fit:
    whole, _ = sample_agreement(first, second, weight, matrix)
    there, seen = sample_agreement(first, second, weight, matrix, shown=shown)
    return Fit(matrix, whole, there, seen)


def _overlap(matte: Alpha, shown: Plane, matrix: Matrix, *, touches: bool) -> float:
    """Intersection over union of the moved matte and what stands out from the edit's ground.

    What falls outside the frame counts against a fit unless something in the edit does touch the frame.
    """
    small = _at(shown, 300)
    to_small = between_sizes(shown, small)
    moved = np.clip(warp(matte, to_small @ as3(matrix), Size(small.shape[1], small.shape[0])), 0, 1)
    total = float(matte.sum()) * scale_of(to_small @ as3(matrix)) ** 2
    lost = max(0.0, total - float(moved.sum()))
    both = float(np.minimum(moved, small).sum())
    either = float(np.maximum(moved, small).sum()) + (0.3 if touches else 1.0) * lost
    return both / max(either, 1e-6) - (0.0 if touches else 0.5 * lost / max(total, 1e-6))


def touches_frame(apart: Mask) -> bool:
    """Whether a region reaches the rim of the picture (two pixels deep)."""
    edges = np.concatenate([apart[:2].ravel(), apart[-2:].ravel(), apart[:, :2].ravel(), apart[:, -2:].ravel()])
    return bool(edges.sum() >= 4)


def _compose(source: Shrunk, alpha: Alpha, work: Shrunk, fit: Fit, mirrored: bool) -> Aligned:
    size = Size(work.rgb.shape[1], work.rgb.shape[0])
    moved = np.asarray(np.clip(warp(source.rgb, fit.matrix, size), 0, None), np.float32)
    edit_lab = smooth(lab(work.rgb), 0.7)
    pair = Aligned(
        source=moved,
        edit=work.rgb,
        source_lab=edit_lab,
        edit_lab=edit_lab,
        alpha=np.zeros((size.height, size.width), np.float32),
        covered=warp(np.ones(alpha.shape, np.float32), fit.matrix, size) > 0.99,
        ground=Ground(edit_lab, (100.0, 0.0, 0.0), 0.0, 0.0, 1.0),
        matrix=fit.matrix,
        scale=work.scale,
        gain=1.0,
        fit=fit,
        mirrored=mirrored,
        lost=_lost(alpha, fit.matrix, size),
        extent_px=1.0,
        source_centre=_centre(alpha),
    )
    return with_matte(pair, np.clip(warp(alpha, fit.matrix, size), 0, 1))


def with_matte(pair: Aligned, alpha: Alpha) -> Aligned:
    """`pair` seen through another matte (in the work frame): ground and exposure are judged anew."""
    outside = cv2.dilate(alpha, np.ones((15, 15), np.uint8)) < 0.02
    ground = fit_ground(pair.edit_lab, outside)
    raw = pair.source * np.float32(1 / pair.gain)
    gain = _gain(luminance(raw), luminance(pair.edit), alpha > 0.98)
    source = np.asarray(raw * np.float32(gain), np.float32)
    box = Region.around(alpha > 0.5)
    return replace(
        pair,
        source=source,
        source_lab=smooth(lab(source), 0.7),
        alpha=alpha,
        ground=ground,
        gain=gain,
        extent_px=float(max(box.width, box.height)) if box else 1.0,
    )


def _lost(alpha: Alpha, matrix: Matrix, size: Size) -> float:
    """The share of the piece that falls outside the canvas."""
    rows, columns = np.nonzero(alpha > 0.5)
    if len(rows) == 0:
        return 0.0
    place = cv2.perspectiveTransform(np.stack([columns, rows], axis=-1).astype(np.float64)[None], as3(matrix))[0]
    inside = (place > -0.5).all(axis=1) & (place[:, 0] < size.width - 0.5) & (place[:, 1] < size.height - 0.5)
    return float(1 - inside.mean())


def _centre(alpha: Alpha) -> tuple[float, float]:
    box = Region.around(alpha > 0.5)
    return (box.x + box.width / 2, box.y + box.height / 2) if box else (0.0, 0.0)


def _gain(first: Plane, second: Plane, core: Mask) -> float:
    """The commonest ratio second : first inside the piece (half-sample mode), so that a changed part does not pull
    it."""
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
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel) > 0, bool)
