"""The source's matte, settled with the help of the edit when nobody gave it.

A network says roughly where the piece is, and the edit shows which of the source's pixels somebody kept and which gave way
to the ground. Nearly all of that is right even in a bad edit, so the pair itself teaches which colours are the piece's and
which the backdrop's, shadows and bounce included: two Lab histograms and their likelihood ratio, as in Bayesian matting's
and GrabCut's colour models (Rother, Kolmogorov and Blake 2004). A stone that was taken out has the piece's colours though
the ground shows there; a rim of old backdrop has the backdrop's though it was kept.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.compare import LabPlanes, interval, smooth, strength
from vitrina.imaging.register import warp
from vitrina.model import Alpha, Mask, Plane
from vitrina.stages.verify.align import Aligned, with_matte

_SIMILAR_DE = 8.0
"""Excess ΔE76 beyond the half-pixel interval below which a pixel of the source goes on in the edit."""
_GROUND_DE = 6.0
"""ΔE76 from the edit's ground below which a place is bare."""
_NEAR_PX = 40
"""How far from the piece the backdrop is learned: its shadow and bounce light are there."""
_STEP = 5.0
_BINS = (21, 33, 33)
_KEPT, _GONE = 1.5, -0.5
"""Prior log odds of a pixel that was kept as it was, and of one that gave way to the ground."""


def settle_matte(pair: Aligned, evidence: Alpha) -> Aligned:
    """`pair` with a matte that agrees with both pictures. `evidence` 0…1 is the network's, at the size of the source."""
    net = np.clip(warp(evidence, pair.matrix, pair.size), 0.02, 0.98).astype(np.float32)
    logit = 0.5 * np.log(net / (1 - net))
    similar = strength(interval(pair.source_lab).distance(pair.edit_lab)) < _SIMILAR_DE
    bare = strength(pair.edit_lab - pair.ground.surface) < _GROUND_DE
    piece = np.zeros(net.shape, bool)
    likelier = np.zeros_like(net)
    for _ in range(2):  # the second time the histograms know better what was kept
        kept = (similar & ~bare & (net > 0.3)) if not piece.any() else (piece & similar & ~bare)
        likelier = _likelier(pair.source_lab, kept, bare & ~similar & _around(kept))
        odds = logit + np.where(similar & ~bare, likelier + _KEPT, 0)
        odds += np.where(bare & ~similar, 1.2 * likelier + _GONE, 0)
        odds += np.where(bare == similar, 0.5 * likelier, 0)
        piece = (cv2.GaussianBlur(odds.astype(np.float32), (0, 0), 0.8) > 0) & pair.covered
    piece = _without_dust(piece, net)
    # A contour pixel is part piece, part ground in the edit, so it is neither similar nor bare: it belongs to its neighbour.
    rim = (cv2.dilate(piece.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & ~bare & pair.covered
    alpha = np.asarray(cv2.GaussianBlur((piece | rim).astype(np.float32), (0, 0), 0.7), np.float32)
    return with_matte(pair, alpha)


def _around(kept: Mask) -> Mask:
    size = 2 * _NEAR_PX + 1
    return np.asarray(cv2.dilate(kept.astype(np.uint8), np.ones((size, size), np.uint8)) > 0, bool)


def _likelier(picture: LabPlanes, kept: Mask, gone: Mask) -> Plane:
    """Log likelihood ratio, −4…4, of a colour under `kept` over `gone`, averaged over the neighbourhood; 0 without both."""
    if kept.sum() < 200 or gone.sum() < 200:
        return np.zeros(kept.shape, np.float32)
    place = np.rint((picture - np.array([0, -80, -80], np.float32)) / _STEP).astype(np.int32)
    place = np.clip(place, 0, np.array(_BINS, np.int32) - 1)
    index = (place[..., 0] * _BINS[1] + place[..., 1]) * _BINS[2] + place[..., 2]
    ratio = np.log((_histogram(index[kept]) + 1e-5) / (_histogram(index[gone]) + 1e-5))
    return smooth(np.clip(ratio, -4, 4).astype(np.float32)[index], 1.5)


def _histogram(index: NDArray[np.int32]) -> NDArray[np.float64]:
    counts = np.bincount(index, minlength=int(np.prod(_BINS))).astype(np.float64).reshape(_BINS)
    for axis in range(3):
        counts = 0.25 * np.roll(counts, 1, axis) + 0.5 * counts + 0.25 * np.roll(counts, -1, axis)
    return np.asarray(counts.ravel() / counts.sum(), np.float64)


def _without_dust(mask: Mask, net: Plane) -> Mask:
    """`mask` without patches that are specks, or that no part of the network's answer supports."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count == 1:
        return mask
    best = np.zeros(count, np.float32)
    np.maximum.at(best, labels.ravel(), net.ravel())
    area = stats[:, cv2.CC_STAT_AREA]
    keep = (area >= max(12.0, 0.0015 * float(area[1:].max()))) & (best > 0.5)
    keep[0] = False
    filled = keep[labels]
    _, holes, hole_stats, _ = cv2.connectedComponentsWithStats((~filled).astype(np.uint8), connectivity=4)
    pinhole = hole_stats[:, cv2.CC_STAT_AREA] < 6
    pinhole[0] = False
    return np.asarray(filled | pinhole[holes], bool)
