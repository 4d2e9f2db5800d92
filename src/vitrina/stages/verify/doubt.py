"""Changes that a wrong matte alone would explain.

Where nobody gave the matte, it was settled from a network and from the pair, and is wrong here and there: it takes a
link's daylight for metal, or metal that mirrors the backdrop for backdrop. Such a spot looks like a change though both
pictures show the same. Three tests tell it from one: what the edit shows is what the source shows; what the source
shows is its own bare backdrop; or the edit shows ground where the network, which never saw the edit, saw no piece.
"""

from __future__ import annotations

import cv2
import numpy as np

from vitrina.imaging.compare import interval, strength
from vitrina.imaging.register import warp
from vitrina.model import Alpha, Mask
from vitrina.stages.verify.align import Aligned, Shrunk
from vitrina.stages.verify.changes import Change, core_of
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
_SURELY_BACKDROP = 1.5
"""Mahalanobis distance of the backdrop's own print and weave: what is that near needs not be even, if it is tiny."""
_NEVER_PIECE, _HARDLY_PIECE, _SURELY_PIECE = 0.78, 0.85, 1.02
"""The network's answer for a spot over its usual answer for what stayed. It knows nothing of the edit: the parts that
were really gone from rendered pairs had 0.88 and more, daylight and shadow between beads 0.1 to 0.8."""
_STRIP_PX = 5.5
"""Depth of a strip along the contour, at an extent of 1000 px, that a contour set too wide explains."""


def without_matte_errors(
    changes: tuple[Change, ...], pair: Aligned, source: Shrunk, evidence: Alpha
) -> tuple[Change, ...]:
    """The changes that the pictures themselves bear out, whatever the matte says."""
    if not changes:
        return changes
    same = strength(interval(pair.source_lab).distance(pair.edit_lab)) < _SAME_DE
    bare = strength(pair.edit_lab - pair.ground.surface) < _BARE_DE
    distance = backdrop_distance(pair, source, evidence)
    shady = bare | _is_shady(pair)
    network = warp(evidence, pair.matrix, pair.size)
    piece = pair.alpha > 0.5
    stayed = piece & same & ~bare
    usual = float(np.median(network[stayed])) if stayed.any() else 1.0
    largest = _SMALL * float(piece.sum())

    def is_doubtful(change: Change) -> bool:
        if change.area_px > largest:
            return False
        core = core_of(change.mask)
        told = float(np.median(network[core])) / max(usual, 1e-3)
        if change.extra > 0.5:
            is_part = told > _HARDLY_PIECE or _enclosure(change.mask, piece) > _SHUT
            return float(same[core].mean()) > _MOSTLY and is_part
        if float(shady[core].mean()) > _MOSTLY and (
            told < _NEVER_PIECE or (told < _HARDLY_PIECE and _is_along(change, stayed, piece, pair.extent_px))
        ):
            return True
        if told > _SURELY_PIECE:
            return False
        shut_in = change.area_px < _TINY * largest / _SMALL and _enclosure(change.mask, piece) > _DAYLIGHT_SHUT
        reach = _BOUNCE if shut_in else _BACKDROP
        away = float(np.median(distance[core]))
        is_even = float(pair.source_lab[..., 0][core].std()) < _EVEN_L
        is_even |= away < _SURELY_BACKDROP and change.area_px < _TINY * largest / _SMALL
        return float(bare[core].mean()) > _MOSTLY and is_even and away < reach

    return tuple(change for change in changes if not is_doubtful(change))


def _is_shady(pair: Aligned) -> Mask:
    """Darker than the edit's ground and of its hue, however steep: a contact shadow in a narrow gap is."""
    difference = pair.edit_lab - pair.ground.surface
    untinted = np.hypot(difference[..., 1], difference[..., 2]) < 4 + 0.15 * np.abs(difference[..., 0])
    return np.asarray((difference[..., 0] < 0) & untinted, bool)


def _is_along(change: Change, stayed: Mask, piece: Mask, extent_px: float) -> bool:
    """A strip between what stayed of the piece and the open ground."""
    deep = float(cv2.distanceTransform(np.pad(change.mask, 1).astype(np.uint8), cv2.DIST_L2, 3).max())
    return deep < max(2.0, _STRIP_PX * extent_px / 1000) and (
        _enclosure(change.mask, stayed) > 0.3 and _enclosure(change.mask, piece) < 0.95
    )


def _enclosure(spot: Mask, piece: Mask) -> float:
    ring = (cv2.dilate(spot.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0) & ~spot
    return float(piece[ring].mean()) if ring.any() else 0.0
