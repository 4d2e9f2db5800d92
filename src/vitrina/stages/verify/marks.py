"""Known marks: scratches of the shipped piece that the description records, and that every edit must still show."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from vitrina.imaging.colour import encode_srgb, luminance
from vitrina.model import Finding, Plane, Region, Severity
from vitrina.stages.verify.align import Aligned
from vitrina.stages.verify.facts import Mark

_FINE_PX, _COARSE_PX = 0.7, 4.0
"""Marks are detail between these widths, work frame."""
_KEPT = 0.5
"""Least share of the mark's contrast that the edit must keep; another encoding keeps 0.9 and more."""
_WINDOW_PX = 7
_SEEN = 0.006
"""RMS contrast (encoded, 0…1) below which a mark does not show in the source itself at working size."""


def judge_marks(marks: Sequence[Mark], pair: Aligned, source_scale: float) -> list[Finding]:
    """Whether each mark is still there: the share of the source's own detail in its region that the edit repeats.

    Regions of `marks` are in pixels of the source; `source_scale` is working size over full size.
    """
    findings = []
    source, edit = (_detail(encode_srgb(luminance(rgb))) for rgb in (pair.source, pair.edit))
    for mark in marks:
        region = _placed(mark.region, pair, source_scale)
        before = source[region.slices] if region is not None else np.zeros((0, 0), np.float32)
        strength = float(np.sqrt((before * before).mean())) if before.size else 0.0
        if region is None or strength < _SEEN:
            findings.append(
                Finding(
                    "texture", "known-mark-unseen", Severity.NOTE, strength, _SEEN, "RMS contrast",
                    f"The known mark ({mark.what}) does not show in the source at working size: it was not looked for "
                    "in the edit. Mend its region in the facts, or photograph it closer.", region,
                )
            )  # fmt: skip
            continue
        kept = _least_kept(before, edit[region.slices])
        if kept < _KEPT:
            findings.append(
                Finding(
                    "texture", "known-mark-missing", Severity.BLOCK, kept, _KEPT, "of its contrast",
                    f"The known mark ({mark.what}) is gone: {100 * max(0.0, kept):.0f} % of its contrast is left, "
                    f"{100 * _KEPT:.0f} % needed. The piece ships with it: regenerate without retouching.", region,
                )
            )  # fmt: skip
    return findings


def _detail(plane: Plane) -> Plane:
    fine, coarse = (cv2.GaussianBlur(plane, (0, 0), width) for width in (_FINE_PX, _COARSE_PX))
    return np.asarray(fine - coarse, np.float32)


def _least_kept(before: Plane, after: Plane) -> float:
    """The share of the detail `before` that `after` repeats, in the tenth of the windows that repeat least of it.

    A mark's region shows edges of the piece too, which stay when the mark goes: so window by window, and only where
    there is a good part of the strongest detail.
    """
    window = (_WINDOW_PX, _WINDOW_PX)
    energy = cv2.boxFilter(before * before, -1, window, borderType=cv2.BORDER_REFLECT)
    shared = cv2.boxFilter(before * after, -1, window, borderType=cv2.BORDER_REFLECT)
    telling = energy > max(0.25 * float(energy.max()), _SEEN**2)
    return float(np.percentile(shared[telling] / energy[telling], 10))


def _placed(region: Region, pair: Aligned, scale: float) -> Region | None:
    """A region of the source in the work frame; None outside of it."""
    right, bottom = region.x + region.width, region.y + region.height
    corners = scale * np.array([[[region.x, region.y], [right, region.y], [right, bottom], [region.x, bottom]]], float)
    at = cv2.perspectiveTransform(corners, np.asarray(pair.matrix, np.float64))[0]
    low, high = np.floor(at.min(axis=0)).astype(int), np.ceil(at.max(axis=0)).astype(int)
    x0, y0 = max(0, int(low[0])), max(0, int(low[1]))
    x1, y1 = min(pair.size.width, int(high[0])), min(pair.size.height, int(high[1]))
    return Region(x0, y0, x1 - x0, y1 - y0) if x1 - x0 > 1 and y1 - y0 > 1 else None
