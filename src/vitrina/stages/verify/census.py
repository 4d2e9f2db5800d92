"""The census of stones that colour alone tells from metal, before and after.

Colourless stones mirror their setting and gold-coloured ones look like it: neither can be counted by colour, so a
census is a lower bound. It may contradict a description; it never confirms more stones than it found.
"""

from __future__ import annotations

import cv2
import numpy as np

from vitrina.imaging.compare import LabPlanes
from vitrina.model import Alpha, Finding, Region, Severity
from vitrina.stages.verify.align import Aligned
from vitrina.stages.verify.facts import Facts

_CHROMA = 14.0
"""C*ab from which a colour is one; reflections on metal stay below it, or are small or ragged."""
_RED_CHROMA = 38.0
"""C*ab beyond which a red is ruby or garnet and no rose gold."""
_SHARE = 0.005
_SOLIDITY = 0.72
"""Least area beside the piece's, and beside its own convex hull."""


def coloured_stones(picture: LabPlanes, alpha: Alpha) -> tuple[Region, ...]:
    """The compact patches of a colour that no precious metal has, largest first. `picture` is CIELAB."""
    smooth = cv2.GaussianBlur(picture, (0, 0), 1.2)
    hue = np.degrees(np.arctan2(smooth[..., 2], smooth[..., 1]))
    chroma = np.hypot(smooth[..., 1], smooth[..., 2])
    coloured = ((chroma > _CHROMA) & ((hue < 22) | (hue > 112))) | ((chroma > _RED_CHROMA) & (hue < 50) & (hue > 0))
    coloured &= alpha > 0.8
    piece = float((alpha > 0.5).sum())
    size = 2 * max(1, round(0.006 * piece**0.5)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    mask = cv2.morphologyEx(coloured.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel)
    found = []
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    for contour in contours:
        area = float(cv2.contourArea(contour))
        x, y, width, height = (int(v) for v in cv2.boundingRect(contour))
        hull = float(cv2.contourArea(cv2.convexHull(contour)))
        if area < max(40.0, _SHARE * piece) or area < _SOLIDITY * hull or max(width, height) > 3.2 * min(width, height):
            continue
        found.append((area, Region(x, y, width, height)))
    return tuple(region for _, region in sorted(found, key=lambda item: (-item[0], item[1].x, item[1].y)))


def check_stones(facts: Facts, pair: Aligned, shown: tuple[Region, ...]) -> list[Finding]:
    """The stones that the description promises against the coloured ones that the edit shows."""
    wanted = facts.stones
    if wanted is None or wanted == len(shown):
        return []
    region = Region.around(pair.alpha > 0.5)
    if wanted < len(shown):
        message = (
            f"The description says {wanted} stone(s); at least {len(shown)} coloured ones show. "
            "Correct the description or reject the picture."
        )
        return [Finding("stones", "facts-stones", Severity.WARN, len(shown), wanted, "stones", message, region)]
    message = (
        f"The description says {wanted} stone(s); {len(shown)} could be told by colour. Colourless and gold-coloured "
        "stones are compared with the source but not counted: count them by eye."
    )
    return [Finding("stones", "facts-stones-uncounted", Severity.WARN, len(shown), wanted, "stones", message, region)]
