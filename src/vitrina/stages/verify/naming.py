"""What a changed region is: a stone, a link, the clasp, a piece, glare or an overlay."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitrina.imaging.compare import strength
from vitrina.model import Mask, Plane
from vitrina.stages.verify.align import Aligned
from vitrina.stages.verify.changes import Change
from vitrina.stages.verify.zones import Zones

_LEFT_OVER, _LEFT_OVER_STRIP = 0.65, 0.35
"""Share of the source's own pixels from which something beside the piece is the old backdrop, and nothing new; a strip
is mostly rim, whose pixels are half old and half new ground. A link laid over a chain is a strip as well."""
_ALL_STONE = 0.6
"""Share of stone colours in the source from which a change is no clasp's, wherever it lies."""
_ELONGATED = 2.0
"""Least length of a scratch over its breadth."""


@dataclass(frozen=True, slots=True)
class Name:
    """A check family and a code; `sure` is False where the picture allows another reading."""

    check: str
    code: str
    sure: bool = True


def name_change(change: Change, pair: Aligned, zones: Zones) -> tuple[Name, ...]:
    """The likeliest reading first. A second one follows where the regions of two families overlap."""
    is_rim = is_strip(change) and _overlap(change.mask, zones.chain) < 0.4
    if change.extra > 0.5 and change.own > (_LEFT_OVER_STRIP if is_rim else _LEFT_OVER):
        return (Name("background" if is_apart(change, zones) else "edges", "leftover"),)
    if is_apart(change, zones):
        return (Name("text", "overlay"),) if is_flat(change, pair) else (Name("pieces", "extra-piece"),)
    if _whole_component(change, zones):
        return (Name("pieces", "piece-missing"),)
    is_stone = _overlap(change.mask & zones.piece, zones.stone_like) > _ALL_STONE
    if is_glare(change, pair, zones):
        spot = Name("glare", "glare-added")
        return (spot, Name("stones", "stone-changed", sure=False)) if change.missing > 0.3 or is_stone else (spot,)
    over = {
        name: _overlap(change.mask, mask)
        for name, mask in (("clasp", zones.clasp), ("chain", zones.chain), ("wire", zones.wire))
    }
    covered = _overlap(zones.clasp & zones.piece, change.mask)
    if (over["clasp"] > 0.4 or covered > 0.45) and not is_stone:
        names = [Name("clasp", "clasp-missing" if change.missing > 0.6 else "clasp-changed")]
        if over["chain"] > 0.35:
            names.append(Name("chain", "chain-changed", sure=False))
        return tuple(names)
    stony = _stony(change, pair, zones)
    if over["chain"] > 0.4 and not stony:
        code = "link-missing" if change.missing > 0.5 else "link-added" if change.extra > 0.5 else "link-altered"
        names = [Name("chain", code)]
        longest = max(change.region.width, change.region.height)
        if over["clasp"] > 0.1 or longest > 1.8 * zones.link_px:
            names.append(Name("clasp", "clasp-changed", sure=False))
        if change.altered > 0.6 and _is_compact(change):
            names.append(Name("stones", "stone-changed", sure=False))
        return tuple(names)
    if over["wire"] > 0.4 and not stony and (change.missing + change.extra) > 0.4:
        return (Name("clasp", "ear-wire-missing" if change.missing > 0.6 else "ear-wire-changed"),)
    if is_scratch(change, pair, zones):
        return (Name("texture", "scratch-removed"),)
    if change.drifted:
        return (Name("stones", "stone-recoloured"),)
    if change.missing > 0.5:
        gone = Name("stones", "stone-missing")
        return (gone, Name("glare", "glare-added", sure=False)) if may_be_glare(change, pair) else (gone,)
    if change.extra > 0.4:
        return (Name("stones", "stone-added"),)
    return (Name("stones", "stone-changed"),)


def is_strip(change: Change) -> bool:
    """Much longer than it is deep."""
    depth = float(cv2.distanceTransform(np.pad(change.mask, 1).astype(np.uint8), cv2.DIST_L2, 3).max())
    return float(np.hypot(change.region.width, change.region.height)) > 5 * 2 * depth


def is_apart(change: Change, zones: Zones) -> bool:
    """The change lies clear of the piece, or mostly runs across open ground."""
    near = cv2.dilate(zones.piece.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    return change.extra > 0.8 and _overlap(change.mask, near) < 0.12


def is_flat(change: Change, pair: Aligned) -> bool:
    """Print, not metal: thin strokes, or at most two flat colours."""
    own = change.mask.astype(np.uint8)
    depth = cv2.distanceTransform(cv2.copyMakeBorder(own, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0), cv2.DIST_L2, 3)
    inner = depth[1:-1, 1:-1] > 2.0
    colours = pair.edit_lab[inner] if inner.sum() > 40 else pair.edit_lab[change.mask]
    if len(colours) < 12:
        return True
    _, labels, centres = cv2.kmeans(
        np.ascontiguousarray(colours, np.float32),
        2,
        None,
        (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 0.5),
        1,
        cv2.KMEANS_PP_CENTERS,
    )
    error = np.sqrt(((colours - centres[labels.ravel()]) ** 2).sum(axis=1))
    return bool(np.percentile(error, 75) < (5.0 if inner.sum() > 40 else 12.0))


def is_glare(change: Change, pair: Aligned, zones: Zones) -> bool:
    """A bright soft spot: burnt out where the source is not, and its light spills beyond it over what goes on below.

    A hole through which a white ground shows is burnt out too, but it ends with the part that is missing.
    """
    if change.drifted or change.extra > 0.5:
        return False
    light = pair.edit_lab[..., 0]
    lift = light - pair.source_lab[..., 0]
    burnt = (light > 95) & (np.hypot(pair.edit_lab[..., 1], pair.edit_lab[..., 2]) < 9) & zones.piece
    hot = burnt & change.mask
    core = int((change.mask & zones.piece).sum())
    if hot.sum() < max(6, 0.12 * core) or float(np.median(lift[hot])) < 10:
        return False
    bare = strength(pair.edit_lab - pair.ground.surface) < 5
    radius = max(3, round(0.6 * float(np.sqrt(hot.sum() / np.pi))))
    near = cv2.dilate(hot.astype(np.uint8), _disc(1)) > 0
    around = cv2.dilate(hot.astype(np.uint8), _disc(radius)) > 0
    ring = around & ~near & (cv2.erode(pair.alpha, np.ones((3, 3), np.uint8)) > 0.95) & ~bare
    if ring.sum() < 0.8 * np.sqrt(hot.sum()):
        return False
    least = 2.0 if change.missing < 0.4 else 12.0
    return bool((lift[ring] > 0).mean() > 0.75) and _spills_all_round(lift, ring, hot, least)


def _spills_all_round(lift: Plane, ring: Mask, hot: Mask, least: float) -> bool:
    """Whether `ring` is lifted by `least` (L*) in the median on every side of `hot`, and less the further away."""
    rows, columns = np.nonzero(ring)
    middle = np.argwhere(hot).mean(axis=0)
    value = lift[ring]
    side = 2 * (rows > middle[0]) + (columns > middle[1])
    told = [float(np.median(value[side == k])) for k in range(4) if (side == k).sum() > max(4, 0.05 * len(value))]
    far = np.hypot(rows - middle[0], columns - middle[1])
    inner = far <= np.median(far)
    fades = float(np.median(value[inner])) > float(np.median(value[~inner]))
    return fades and len(told) >= 2 and sum(v > least for v in told) >= max(2, len(told) - 1)


def may_be_glare(change: Change, pair: Aligned) -> bool:
    """The change lies in a much larger burnt-out patch of the piece: light may have washed it out."""
    burnt = (pair.edit_lab[..., 0] > 95) & (np.hypot(pair.edit_lab[..., 1], pair.edit_lab[..., 2]) < 9)
    burnt &= pair.alpha > 0.95
    _, labels = cv2.connectedComponents(burnt.astype(np.uint8), connectivity=8)
    own = np.unique(labels[burnt & change.mask])
    return int(np.isin(labels, own[own > 0]).sum()) > 3 * change.area_px


def _disc(radius: int) -> np.ndarray:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)


def is_scratch(change: Change, pair: Aligned, zones: Zones) -> bool:
    """A thin mark of the source, on metal, that the edit smoothed over."""
    if change.missing > 0.3 or change.extra > 0.3 or change.drifted:
        return False
    if not is_strip(change) or not _is_elongated(change) or _overlap(change.mask, zones.metal_like) < 0.5:
        return False
    grown = cv2.dilate(change.mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    fine = [cv2.Laplacian(lab[..., 0], cv2.CV_32F) for lab in (pair.source_lab, pair.edit_lab)]
    before, after = (float(np.abs(plane[grown]).mean()) for plane in fine)
    return after < 0.6 * before


def _whole_component(change: Change, zones: Zones) -> bool:
    if change.missing < 0.5 or len(zones.components) < 2:
        return False
    total = float(zones.piece.sum())
    return any(
        float((own & change.mask).sum()) > 0.5 * float(own.sum()) and float(own.sum()) < 0.85 * total
        for own in zones.components
    )


def _stony(change: Change, pair: Aligned, zones: Zones) -> bool:
    """Stone colours on either side of the change, or a compact new body that no link is."""
    before = _overlap(change.mask & zones.piece, zones.stone_like)
    chroma = np.hypot(pair.edit_lab[..., 1], pair.edit_lab[..., 2])
    metal_chroma = np.hypot(pair.source_lab[..., 1], pair.source_lab[..., 2])[zones.metal_like & (pair.alpha > 0.9)]
    usual = float(np.percentile(metal_chroma, 90)) if metal_chroma.size else 10.0
    hue_e = np.degrees(np.arctan2(pair.edit_lab[..., 2], pair.edit_lab[..., 1]))
    golden = (hue_e > 25) & (hue_e < 108)
    after = (chroma > usual + 14) | ((chroma > 12) & ~golden)
    shown = change.mask & ~((pair.edit_lab[..., 0] > 97) & (chroma < 4))
    share = float(after[shown].sum()) / change.area_px
    return before > 0.4 or share > 0.35


def _is_elongated(change: Change) -> bool:
    """Along whichever axis: a stone that is gone leaves thin marks too, but all over a round spot."""
    _, sides, _ = cv2.minAreaRect(np.argwhere(change.mask).astype(np.float32))
    return bool(max(sides) + 1 > _ELONGATED * (min(sides) + 1))


def _is_compact(change: Change) -> bool:
    """As round as a stone: no side more than twice the other, and the box well filled."""
    short, long = sorted((change.region.width, change.region.height))
    return long < 2 * short + 3 and change.area_px > 0.25 * short * long


def _overlap(mask: Mask, other: Mask) -> float:
    total = int(mask.sum())
    return float((mask & other).sum()) / total if total else 0.0
