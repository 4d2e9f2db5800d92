"""The source's matte, settled with the help of the edit when nobody gave it.

A network says roughly where the piece is, and the edit shows which of the source's pixels somebody kept and which gave
way to the ground. Nearly all of that is right even in a bad edit, so the pair itself teaches which colours are the
piece's and which the backdrop's, shadows and bounce included: two Lab histograms and their likelihood ratio, the colour
models of GrabCut (Rother, Kolmogorov and Blake 2004). A stone that was taken out has the piece's colours though the
ground shows there; a rim of old backdrop has the backdrop's though it was kept.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.backdrop import fit_backdrop
from vitrina.imaging.compare import LabPlanes, interval, smooth, strength
from vitrina.imaging.register import warp
from vitrina.model import Alpha, Mask, Plane
from vitrina.stages.verify.align import Aligned, Shrunk, shrink, with_matte

_SIMILAR_DE = 8.0
"""Excess ΔE76 beyond the half-pixel interval below which a pixel of the source goes on in the edit."""
_GROUND_DE = 6.0
"""ΔE76 from the edit's ground below which a place is bare."""
_NEAR_PX = 40
"""How far from the piece the backdrop is learned: its shadow and bounce light are there."""
_STEP = 5.0
_BINS = (21, 33, 33)
_KEPT = 1.5
"""Prior log odds of a pixel that was kept as it was."""
_EDGE = 5.0
"""Slope of the source, Lab units a pixel, that is an edge; the penumbra of a contact shadow stays under 2."""
_RIM_PX = 2.0
"""How far an edge of the bare ground may lie from what was kept and still be its contour."""
_MIXED_PX = 2.0
"""How deep the contour's mixed pixels reach into what was settled as the piece."""
_CLEAR, _DAYLIGHT = 6.5, 4.5
"""Log odds from which a patch is clearly the piece's, and what is held against one that is not."""
_SHUT = 0.7
"""Share of what lies around a patch that was kept, from which the piece shuts it in."""
_FOREIGN = 12.0
"""Mahalanobis distance from the backdrop that neither shadow nor bounce light explains."""
_AWAY = (2.5, 4.0, 7.0, _FOREIGN), (-4.0, -2.5, 0.0, 1.5)
"""Log odds that distances from the backdrop stand for."""
_CERTAIN = 4.0
"""Log odds of a pixel that is the piece's whatever the patch around it says: contours have gaps, and through one a
wire would run out into the open backdrop."""
_BELIEVED = 0.5
"""What the network's word for the piece counts where the edit is bare; its word against it counts in full. It takes
print and mirrored ground for the piece more often than it overlooks one."""
_BUILT_PX, _FREE_PX, _BUILT = 3.0, 4.0, 3.0
"""Width of the windows in which the source's structure is weighed, how far from what was kept they have to be to show
none of it, and how many log odds structure can stand for."""
_ENERGY_BINS = 40
_OPEN, _OPEN_PX = 0.1, 20.0
"""The network's answer below which a place is open backdrop, and how far around one asks what that looks like."""
_BACKDROP_PX = 700


def settle_matte(pair: Aligned, source: Shrunk, evidence: Alpha) -> Aligned:
    """`pair` with a matte that agrees with both pictures. `evidence` 0…1 is the network's, at the size of `source`."""
    net = np.clip(warp(evidence, pair.matrix, pair.size), 0.02, 0.98).astype(np.float32)
    logit = np.log(net / (1 - net))
    similar = strength(interval(pair.source_lab).distance(pair.edit_lab)) < _SIMILAR_DE
    bare = (strength(pair.edit_lab - pair.ground.surface) < _GROUND_DE) | (_is_shadow(pair) & ~similar)
    distance = backdrop_distance(pair, source, evidence)
    chance = _chance(similar, net)
    said = np.where(logit > 0, _BELIEVED, 1) * logit
    piece = np.zeros(net.shape, bool)
    for _ in range(2):  # the second time the histograms know better what was kept
        kept = (similar & ~bare & (net > 0.3)) if not piece.any() else (piece & similar & ~bare)
        likelier = _likelier(pair.source_lab, kept, bare & ~similar & _around(kept))
        odds = 0.75 * logit + np.where(similar & ~bare, likelier + _KEPT, 0.5 * likelier)
        gone = _gone(pair.source_lab, bare, kept, said, distance, bare & ~similar & (net < _OPEN))
        gone = gone + np.where(similar, chance, 0)
        odds = np.where(bare, gone, cv2.GaussianBlur(odds.astype(np.float32), (0, 0), 0.8))
        piece = cv2.morphologyEx((odds > 0).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)) > 0
        piece &= pair.covered
    piece = _without_dust(piece, net, bare)
    # A contour pixel is part piece, part ground in the edit, so it is neither similar nor bare: it is half of each.
    rim = (cv2.dilate(piece.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & ~bare & pair.covered
    whole = (piece | rim).astype(np.uint8)
    mixed = (whole > 0) & ~similar & (cv2.distanceTransform(whole, cv2.DIST_L2, 3) <= _MIXED_PX)
    # Far from all that stayed there is no contour of the edit: a thin part is gone there, rim and all.
    stayed = piece & similar & ~bare
    mixed &= ~bare | (cv2.distanceTransform((~stayed).astype(np.uint8), cv2.DIST_L2, 3) <= _MIXED_PX + 1)
    alpha = cv2.GaussianBlur(np.where(mixed, np.float32(0.5), whole.astype(np.float32)), (0, 0), 0.5)
    return with_matte(pair, np.asarray(alpha, np.float32))


def _gone(picture: LabPlanes, bare: Mask, kept: Mask, logit: Plane, distance: Plane, far: Mask) -> Plane:
    """Log odds, where the edit is `bare`, that the piece was there.

    The source is cut along its edges: shadow runs softly into open backdrop and is judged with it as one patch, while a
    part that was taken out has a contour of its own. A patch that a darkened backdrop explains is none of the piece.
    Pixels that are clearly the piece's by themselves are patches of their own.
    """
    slope = np.zeros(bare.shape, np.float32)
    for plane in cv2.split(picture):
        across = cv2.Sobel(plane, cv2.CV_32F, 1, 0, scale=1 / 8)
        slope = np.maximum(slope, np.hypot(across, cv2.Sobel(plane, cv2.CV_32F, 0, 1, scale=1 / 8)))
    edge = slope > _EDGE
    count, labels = cv2.connectedComponents((bare & ~edge).astype(np.uint8), connectivity=4)
    odds = logit + _likelier(picture, kept, bare & _around(kept), labels, far)
    odds += np.where(logit > 0, structure_odds(slope, kept, bare, far), 0)
    # On print or linen the backdrop explains the piece as well: then its distance says nothing.
    telling = float(np.clip((np.median(distance[kept]) - 4) / 8, 0, 1)) if kept.any() else 0.0
    clear = (odds + telling * np.interp(distance, *_AWAY) > _CERTAIN) & bare & ~edge
    _, parts = cv2.connectedComponents(clear.astype(np.uint8), connectivity=4)
    _, said = cv2.connectedComponents((bare & ~edge & ~clear & (logit > 0)).astype(np.uint8), connectivity=4)
    count, labels = cv2.connectedComponents((bare & ~edge & ~clear & (logit <= 0)).astype(np.uint8), connectivity=4)
    labels = np.where(said > 0, said + count - 1, labels)
    count = int(labels.max()) + 1
    labels = np.where(clear, parts + count - 1, labels)
    count = int(labels.max()) + 1
    area = np.maximum(np.bincount(labels.ravel(), minlength=count), 1)
    mean = np.bincount(labels.ravel(), weights=odds.ravel(), minlength=count) / area
    # A smooth bare patch shut in by the piece is daylight unless its colour says clearly otherwise.
    away = np.bincount(labels.ravel(), weights=np.minimum(distance, 20).ravel(), minlength=count) / area
    shut_in = (area < 0.02 * bare.size) & (away < _FOREIGN) & (_enclosure(labels, count, bare) > _SHUT)
    mean -= np.where(shut_in & (mean < _CLEAR), _DAYLIGHT, 0)
    mean += telling * np.interp(away, *_AWAY)
    from_kept = cv2.distanceTransform(bare.astype(np.uint8), cv2.DIST_L2, 3)
    at_edge = np.where(from_kept > _RIM_PX, odds + 0.5, -1.0)
    return np.asarray(np.where(edge, at_edge, mean[labels]), np.float32)


def structure_odds(slope: Plane, kept: Mask, bare: Mask, far: Mask) -> Plane:
    """Log likelihood ratio, 0…3, that a `bare` place is too rich in edges for the backdrop: silver on pale marble has
    the marble's colours, but not its calm. Near what was kept it is 0, since that has edges of its own."""
    free = (bare & (cv2.distanceTransform((~kept).astype(np.uint8), cv2.DIST_L2, 3) > _FREE_PX)).astype(np.float32)
    calm = far & (free > 0)
    if calm.sum() < 200 or kept.sum() < 200:
        return np.zeros(slope.shape, np.float32)
    seen = smooth(free, _BUILT_PX)
    here, there = (_energy_bins(slope, where) for where in (free, kept.astype(np.float32)))
    front, behind = (
        np.bincount(bins[where], minlength=_ENERGY_BINS) / where.sum() for bins, where in ((there, kept), (here, calm))
    )
    front, behind = (np.convolve(counts, (0.25, 0.5, 0.25), "same") for counts in (front, behind))
    ratio = np.clip(np.log((front + 1e-3) / (behind + 1e-3)), 0, _BUILT)[here]
    return np.asarray(np.where(seen > 0.3, ratio, 0), np.float32)


def _energy_bins(slope: Plane, weight: Plane) -> NDArray[np.int32]:
    """The mean slope in windows, of what has `weight`, in quarters of an octave."""
    mean = smooth(slope * weight, _BUILT_PX) / np.maximum(smooth(weight, _BUILT_PX), 0.05)
    return np.asarray(np.clip(np.rint(4 * np.log2(mean + 0.25)) + 8, 0, _ENERGY_BINS - 1), np.int32)


def _enclosure(labels: NDArray[np.int32], count: int, bare: Mask) -> NDArray[np.float64]:
    """Per patch, the share of the ring 4 px around it that is not bare."""
    grown = cv2.dilate(labels.astype(np.float32), np.ones((9, 9), np.uint8)).astype(np.int32)
    ring = (labels == 0) & (grown > 0)
    total = np.bincount(grown[ring], minlength=count)
    return np.asarray(np.bincount(grown[ring & ~bare], minlength=count) / np.maximum(total, 1), np.float64)


def backdrop_distance(pair: Aligned, source: Shrunk, evidence: Alpha) -> Plane:
    """How far each pixel of the source is from its backdrop, shaded or not (Mahalanobis), in the work frame."""
    small = shrink(source.rgb, _BACKDROP_PX)
    size = (small.rgb.shape[1], small.rgb.shape[0])
    there = np.asarray(cv2.resize(evidence, size, interpolation=cv2.INTER_AREA), np.float32)
    far = cv2.dilate(there, np.ones((13, 13), np.uint8)) < 0.15
    if far.mean() < 0.08:
        far = there <= np.quantile(there, 0.2)
    distance = fit_backdrop(small.rgb, far).shaded_distance
    whole = cv2.resize(distance, source.luma.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return warp(np.asarray(whole, np.float32), pair.matrix, pair.size)


def _chance(similar: Mask, net: Plane) -> Plane:
    """Log likelihood ratio, 0…4, that a pixel of the source goes on in the edit because it is the piece's, a white
    highlight on white for one, and not because the backdrop around happens to look like the edit's ground."""
    backdrop = (net < _OPEN).astype(np.float32)
    alike = cv2.GaussianBlur(backdrop * similar, (0, 0), _OPEN_PX)
    share = (alike + 0.01) / (cv2.GaussianBlur(backdrop, (0, 0), _OPEN_PX) + 0.02)
    return np.asarray(np.clip(np.log(0.8 / share), 0, 4), np.float32)


def _around(kept: Mask) -> Mask:
    size = 2 * _NEAR_PX + 1
    return np.asarray(cv2.dilate(kept.astype(np.uint8), np.ones((size, size), np.uint8)) > 0, bool)


def _likelier(
    picture: LabPlanes,
    kept: Mask,
    gone: Mask,
    patches: NDArray[np.int32] | None = None,
    far: Mask | None = None,
) -> Plane:
    """Log likelihood ratio, −4…4, of a colour under `kept` over `gone`, averaged nearby; 0 without both.

    With `patches` (labels) no patch bears witness on itself: what only it shows is unknown, not the backdrop's. `far`
    is more backdrop, whose colours count where they are the commoner ones: print goes on beyond the piece.
    """
    if kept.sum() < 200 or gone.sum() < 200:
        return np.zeros(kept.shape, np.float32)
    place = np.rint((picture - np.array([0, -80, -80], np.float32)) / _STEP).astype(np.int32)
    place = np.clip(place, 0, np.array(_BINS, np.int32) - 1)
    index = (place[..., 0] * _BINS[1] + place[..., 1]) * _BINS[2] + place[..., 2]
    front, behind = _histogram(index[kept])[index], _histogram(index[gone])[index]
    if patches is not None:
        small = (np.bincount(patches.ravel()) < 0.02 * patches.size)[patches] & gone
        key = patches[small].astype(np.int64) * int(np.prod(_BINS)) + index[small]
        _, which, own = np.unique(key, return_inverse=True, return_counts=True)
        behind[small] = np.maximum(behind[small] - own[which] / gone.sum(), 0)
    if far is not None and far.sum() > 200:
        behind = np.maximum(behind, _histogram(index[far])[index])
    ratio = np.log((front + 1e-5) / (behind + 1e-5))
    return smooth(np.clip(ratio, -4, 4).astype(np.float32), 1.5)


def _histogram(index: NDArray[np.int32]) -> NDArray[np.float64]:
    counts = np.bincount(index, minlength=int(np.prod(_BINS))).astype(np.float64).reshape(_BINS)
    for axis in range(3):
        counts = 0.25 * np.roll(counts, 1, axis) + 0.5 * counts + 0.25 * np.roll(counts, -1, axis)
    return np.asarray(counts.ravel() / counts.sum(), np.float64)


def _is_shadow(pair: Aligned) -> Mask:
    """Darker than the edit's ground, of its hue, and without edges."""
    difference = pair.edit_lab - pair.ground.surface
    untinted = np.hypot(difference[..., 1], difference[..., 2]) < 4 + 0.15 * np.abs(difference[..., 0])
    lightness = pair.edit_lab[..., 0]
    return np.asarray((difference[..., 0] < 0) & untinted & (np.abs(lightness - smooth(lightness, 2.5)) < 2), bool)


def _without_dust(mask: Mask, net: Plane, bare: Mask) -> Mask:
    """`mask` without patches that are specks or that no part of the network's answer supports, and without holes in
    which the edit shows no ground."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count == 1:
        return mask
    best = np.zeros(count, np.float32)
    np.maximum.at(best, labels.ravel(), net.ravel())
    area = stats[:, cv2.CC_STAT_AREA]
    keep = (area >= max(12.0, 0.0015 * float(area[1:].max()))) & (best > 0.5)
    keep[0] = False
    filled = keep[labels]
    number, holes, hole_stats, _ = cv2.connectedComponentsWithStats((~filled).astype(np.uint8), connectivity=4)
    daylight = np.bincount(holes[bare], minlength=number)
    pinhole = (hole_stats[:, cv2.CC_STAT_AREA] < 6) | (daylight < 0.2 * hole_stats[:, cv2.CC_STAT_AREA])
    pinhole[0] = False
    return np.asarray(filled | pinhole[holes], bool)
