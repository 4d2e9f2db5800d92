"""The source's matte, settled with the help of the edit when nobody gave it.

A network says roughly where the piece is; the edit, on its plain ground, shows a silhouette of it. Where the source's
pixel goes on in the edit and is no backdrop, it is the piece; where the edit shows ground and the source only
backdrop, it is not. Everything else is left to the network: what an edit lost must not be taken for backdrop, nor a
rim of the old backdrop for the piece. The three witnesses are added up as log odds (naive Bayes).
"""

from __future__ import annotations

import cv2
import numpy as np

from vitrina.imaging.backdrop import fit_backdrop
from vitrina.imaging.compare import interval, strength
from vitrina.imaging.register import warp
from vitrina.model import Alpha, Mask, Plane
from vitrina.stages.verify.align import Aligned, Shrunk, between_sizes, shrink, with_matte

_BACKDROP_PX = 800
_SURE, _LIKELY = 4.0, 1.5
"""Log odds of a clear and of a fair witness."""
_SIMILAR_DE = 8.0
"""Excess ΔE76 beyond the half-pixel interval below which a pixel of the source goes on in the edit."""
_GROUND_DE = 6.0
_BACKDROP_FAR, _BACKDROP_NEAR = 4.0, 2.7
"""Mahalanobis distances beyond which a pixel is surely not backdrop, and below which it may be."""


def settle_matte(pair: Aligned, source: Shrunk, evidence: Alpha) -> Aligned:
    """`pair` with a matte that agrees with both pictures. `evidence` 0…1 is the network's, at the size of `source`."""
    distance = warp(_backdrop_distance(source, evidence), pair.matrix, pair.size, outside=0.0)
    net = np.clip(warp(evidence, pair.matrix, pair.size), 0.02, 0.98)
    odds = np.log(net / (1 - net))
    similar = strength(interval(pair.source_lab).distance(pair.edit_lab)) < _SIMILAR_DE
    bare = strength(pair.edit_lab - pair.ground.surface) < _GROUND_DE
    is_backdrop, is_not = distance < _BACKDROP_NEAR, distance > _BACKDROP_FAR
    odds += np.where(similar & ~bare & is_not, _SURE, 0)
    odds -= np.where(~similar & bare & is_backdrop, _SURE, 0)
    odds += np.where(~similar & bare & is_not, _LIKELY, 0)
    settled = cv2.GaussianBlur(odds.astype(np.float32), (0, 0), 0.8) > 0
    settled &= pair.covered
    kept = _without_dust(settled, net)
    alpha = np.asarray(cv2.GaussianBlur(kept.astype(np.float32), (0, 0), 0.7), np.float32)
    return with_matte(pair, alpha)


def _backdrop_distance(source: Shrunk, evidence: Alpha) -> Plane:
    """How far each pixel of the source is from its backdrop, shaded or not, at the size of `source`."""
    small = shrink(source.rgb, _BACKDROP_PX)
    size = (small.rgb.shape[1], small.rgb.shape[0])
    there = np.asarray(cv2.resize(evidence, size, interpolation=cv2.INTER_AREA), np.float32)
    far = cv2.dilate(there, np.ones((13, 13), np.uint8)) < 0.15
    if far.mean() < 0.08:
        far = there <= np.quantile(there, 0.2)
    distance = fit_backdrop(small.rgb, far).shaded_distance
    matrix = between_sizes(small.luma, source.luma)
    full = cv2.warpAffine(
        distance,
        matrix[:2],
        (source.luma.shape[1], source.luma.shape[0]),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(full, np.float32)


def _without_dust(mask: Mask, net: Plane) -> Mask:
    """`mask` without patches that are specks, or that no part of the network's answer supports."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count == 1:
        return mask
    best = np.zeros(count, np.float32)
    np.maximum.at(best, labels.ravel(), net.ravel().astype(np.float32))
    area = stats[:, cv2.CC_STAT_AREA]
    keep = (area >= max(12.0, 0.0015 * float(area[1:].max()))) & (best > 0.5)
    keep[0] = False
    filled = keep[labels]
    _, holes, hole_stats, _ = cv2.connectedComponentsWithStats((~filled).astype(np.uint8), connectivity=4)
    pinhole = hole_stats[:, cv2.CC_STAT_AREA] < 6
    pinhole[0] = False
    return np.asarray(filled | pinhole[holes], bool)
