"""Changes that a wrong matte alone would explain.

Where nobody gave the matte, it was settled from a network and from the pair, and is wrong here and there: it takes a
link's daylight for metal, or metal that mirrors the backdrop for backdrop. Such a spot looks like a change though both
pictures show the same. Two tests tell it from one: what the edit shows is what the source shows, or what the source
shows is its own bare backdrop.
"""

from __future__ import annotations

import cv2
import numpy as np

from vitrina.imaging.compare import interval, strength
from vitrina.model import Alpha, Mask
from vitrina.stages.verify.align import Aligned, Shrunk
from vitrina.stages.verify.changes import Change
from vitrina.stages.verify.settle import backdrop_distance

_SAME_DE = 8.0
"""Excess ΔE76 beyond the half-pixel interval below which the edit shows the source's own pixel."""
_BARE_DE = 7.0
"""ΔE76 from the edit's ground below which a place is bare."""
_MOSTLY = 0.65
_SHUT = 0.35
"""Share of what lies around a spot that is the piece: less, and the spot is something left over beside it."""
_SMALL = 0.02
"""Largest share of the piece that a wrong spot may have; more is judged as it looks."""
_BACKDROP, _BOUNCE = 5.0, 14.0
"""Mahalanobis distance that backdrop in shadow reaches, and in the bounce light between links: gold dyes it deeply."""
_TINY, _DAYLIGHT_SHUT = 0.004, 0.6
"""Such daylight is at most this share of the piece, and the piece lies around this share of it."""
_EVEN_L = 6.0
"""Deviation of L* inside a spot of bare backdrop, its rim left out; a stone or a link has edges of its own."""


def without_matte_errors(
    changes: tuple[Change, ...], pair: Aligned, source: Shrunk, evidence: Alpha
) -> tuple[Change, ...]:
    """The changes that the pictures themselves bear out, whatever the matte says."""
    if not changes:
        return changes
    same = strength(interval(pair.source_lab).distance(pair.edit_lab)) < _SAME_DE
    bare = strength(pair.edit_lab - pair.ground.surface) < _BARE_DE
    distance = backdrop_distance(pair, source, evidence)
    piece = pair.alpha > 0.5
    largest = _SMALL * float(piece.sum())

    def is_doubtful(change: Change) -> bool:
        if change.area_px > largest:
            return False
        core = _core(change.mask)
        if change.extra > 0.5:
            return float(same[core].mean()) > _MOSTLY and _enclosure(change.mask, piece) > _SHUT
        shut_in = change.area_px < _TINY * largest / _SMALL and _enclosure(change.mask, piece) > _DAYLIGHT_SHUT
        reach = _BOUNCE if shut_in else _BACKDROP
        is_even = float(pair.source_lab[..., 0][core].std()) < _EVEN_L
        return float(bare[core].mean()) > _MOSTLY and is_even and float(np.median(distance[core])) < reach

    return tuple(change for change in changes if not is_doubtful(change))


def _core(spot: Mask) -> Mask:
    """`spot` without its rim, whose pixels are half of one thing and half of another."""
    inner: Mask = cv2.erode(spot.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return inner if inner.sum() >= 6 else spot


def _enclosure(spot: Mask, piece: Mask) -> float:
    ring = (cv2.dilate(spot.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0) & ~spot
    return float(piece[ring].mean()) if ring.any() else 0.0
