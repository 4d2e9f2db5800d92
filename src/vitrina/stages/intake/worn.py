"""A piece worn on or held by a person: a frame that shows the scale, not a main image."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from vitrina.model import Finding, Mask, Plane, Region, Severity
from vitrina.stages.intake.advice import finding
from vitrina.stages.intake.view import View, shrunk

_SIDE = 384
_BORDER = 0.55
"""A colour that lines more of the frame than this is the table, not a body: bodies come in from one side."""

_ON_PIECE = 0.6
"""Mean evidence above which a part away from the border is the piece itself: broad, smooth rosy metal. A body comes in
from a side."""
_SAME_TONE = 7.0
"""Distance in a* and b* within which the border has the same colour."""


def check(view: View) -> tuple[list[Finding], dict[str, Any]]:
    """Skin, by colour and by how it lies in the picture."""
    limits = view.limits
    skin, share = find_skin(view)
    measures = {"skin_share": share}
    if share < limits.skin_warn:
        return [], measures
    sure = share >= limits.skin_block
    limit = limits.skin_block if sure else limits.skin_warn
    region = Region.around(skin)
    scale = view.size.width / skin.shape[1]
    return [
        finding(
            "background", "worn" if sure else "hand-in-frame", Severity.BLOCK if sure else Severity.WARN,
            measured=share, limit=limit, unit="of the photo",
            region=region.scaled(scale).grown(0, within=view.size) if region else None,
        )
    ], measures  # fmt: skip


def find_skin(view: View) -> tuple[Mask, float]:
    """Where there is skin and its share of the photo.

    Skin of every tone lies in a narrow fan of hues (22° to 70° in CIELAB) and is never grey; so are rosy metals, wood,
    terracotta and flesh-coloured paper. Metal is told apart by its hard contrasts, paper and wood by lining the frame
    or by being flat, where a body is rounded.
    """
    small = cv2.resize(view.whole_lab, _size(view), interpolation=cv2.INTER_AREA)
    evidence = cv2.resize(view.evidence, small.shape[1::-1], interpolation=cv2.INTER_AREA)
    light, a, b = small[..., 0], small[..., 1], small[..., 2]
    chroma, hue = np.hypot(a, b), np.degrees(np.arctan2(b, a))
    toned = (light > 12) & (light < 95) & (chroma > 8) & (chroma < 48) & (hue > 22) & (hue < 70)
    opened = cv2.morphologyEx(toned.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    smooth = cv2.GaussianBlur(light, (0, 0), 1)
    slope = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)) / 8
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=8)
    skin = np.zeros(opened.shape, bool)
    for index in range(1, count):
        if stats[index, cv2.CC_STAT_AREA] < 0.01 * opened.size:
            continue
        part = labels == index
        low, high = np.percentile(light[part], [10, 90])
        rounded = high - low > 10
        is_metal = float(np.median(slope[part])) > 2.0
        is_piece = float(evidence[part].mean()) > _ON_PIECE and not _at_border(part)
        if rounded and not is_metal and not is_piece and _lined(part, a, b) < _BORDER:
            skin |= part
    return skin, float(skin.mean())


def _at_border(part: Mask) -> bool:
    return bool(part[:3].any() or part[-3:].any() or part[:, :3].any() or part[:, -3:].any())


def _lined(part: Mask, a: Plane, b: Plane) -> float:
    """The share of the frame's border that has the colour of `part` (its shadows and its lit places included)."""
    tone = (float(np.median(a[part])), float(np.median(b[part])))
    alike = (np.hypot(a - tone[0], b - tone[1]) < _SAME_TONE) | part
    return float(np.concatenate([alike[0], alike[-1], alike[:, 0], alike[:, -1]]).mean())


def _size(view: View) -> tuple[int, int]:
    height, width = shrunk(view.whole, _SIDE).shape[:2]
    return width, height
