"""Dust and lint on polished metal: specks without a direction. Scratches have one and are the piece's own."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from vitrina.imaging.measure import steepness
from vitrina.model import Finding, Mask, Plane, Region, Severity
from vitrina.stages.intake.advice import finding
from vitrina.stages.intake.view import View

_LARGEST_PX = 40
"""Pixels of a speck in the close frame."""
_ROUND = 2.2
"""Longer than this many times its width it is a scratch or an edge."""


def check(view: View) -> tuple[list[Finding], dict[str, Any]]:
    """Specks per 10,000 px of smooth metal. Only said where at least half of the piece is smooth: elsewhere links,
    stones and engraving look the same."""
    limits = view.limits
    light: Plane = np.ascontiguousarray(view.close_lab[..., 0])
    polished, even = _polished(light, view.close_piece)
    share = float(polished.sum() / max(1, view.close_piece.sum()))
    measures: dict[str, Any] = {"polished_share": share}
    if view.box is None or share < limits.polished_share:
        return [], measures
    rough = np.abs(light - even)
    grain = 1.4826 * float(np.median(rough[polished]))
    specks = (polished & (rough > max(limits.speck_l, 5 * grain))).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(specks, connectivity=8)
    width, height, area = (stats[:, i] for i in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
    is_speck = (area >= 2) & (area <= _LARGEST_PX)
    is_speck &= np.maximum(width, height) <= _ROUND * np.minimum(width, height) + 1
    is_speck[0] = False
    density = float(1e4 * is_speck.sum() / polished.sum())
    measures |= {"specks": int(is_speck.sum()), "specks_per_10k": density}
    if density <= limits.specks_note:
        return [], measures
    return [
        finding(
            "texture", "dust", Severity.NOTE, measured=density, limit=limits.specks_note, unit="specks per 10,000 px",
            region=view.from_close(Region.around(is_speck[labels])),
        )
    ], measures  # fmt: skip


def _polished(light: Plane, piece: Mask) -> tuple[Mask, Plane]:
    """Where the piece is smooth but for specks, and its L* without them."""
    codes = np.clip(2.55 * light, 0, 255).astype(np.uint8)
    even = cv2.medianBlur(codes, 9).astype(np.float32) / np.float32(2.55)
    inside = cv2.erode(piece.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    steep = (steepness(even, smooth_px=1.5) > 1.0).astype(np.uint8)
    smooth = (inside & (cv2.dilate(steep, np.ones((5, 5), np.uint8)) == 0)).astype(np.uint8)
    return np.asarray(cv2.morphologyEx(smooth, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8)) > 0, bool), even
