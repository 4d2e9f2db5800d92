"""The file: enough pixels, and pixels that a camera really recorded."""

from __future__ import annotations

import re
from typing import Any

import cv2
import numpy as np

from vitrina.imaging.colour import lab
from vitrina.imaging.measure import blockiness, find_edges, noise_level
from vitrina.model import Finding, Plane, Rgb, Severity
from vitrina.stages.intake.advice import finding
from vitrina.stages.intake.view import View

_NATIVE_PX = 1152
"""Side of the part of the photo that is looked at pixel by pixel."""
_BLOCK = 8
_SHARPEST_PX = 0.6
"""σ of the finest edges that a sensor's own pixels show."""
_SCREENSHOT = re.compile(r"screen ?shot|снимок экрана|скриншот|snipping|screen capture", re.IGNORECASE)


def check(view: View) -> tuple[list[Finding], dict[str, Any]]:
    """Size, compression, enlargement, screenshots."""
    limits, facts = view.limits, view.source.facts
    size = view.size
    short = min(size.width, size.height)
    native = _native(view)
    blocks = blockiness(native)
    measures: dict[str, Any] = {
        "width": size.width, "height": size.height, "megapixels": size.megapixels,
        "jpeg_quality": facts.jpeg_quality, "blockiness_l": blocks,
    }  # fmt: skip
    findings = []
    if short < limits.short_side_block_px:
        findings.append(_of_file("too-few-pixels", Severity.BLOCK, short, limits.short_side_block_px, "px"))
    if facts.jpeg_quality is not None and facts.jpeg_quality < limits.jpeg_quality:
        findings.append(
            _of_file("over-compressed", Severity.WARN, facts.jpeg_quality, limits.jpeg_quality, "JPEG quality")
        )
    elif blocks > limits.blockiness:
        findings.append(_of_file("blocky", Severity.WARN, blocks, limits.blockiness, "L*"))
    findings += [*_enlarged(view, native, measures), *_screenshot(view, measures)]
    return findings, measures


def _native(view: View) -> Plane:
    """L* of the middle of the piece at the photo's own pixels, from a corner of a JPEG block on."""
    box, size = view.close_box, view.size
    x = max(0, min(box.x + box.width // 2 - _NATIVE_PX // 2, size.width - _NATIVE_PX)) // _BLOCK * _BLOCK
    y = max(0, min(box.y + box.height // 2 - _NATIVE_PX // 2, size.height - _NATIVE_PX)) // _BLOCK * _BLOCK
    return np.ascontiguousarray(lab(view.source.rgb[y : y + _NATIVE_PX, x : x + _NATIVE_PX])[..., 0])


def _enlarged(view: View, native: Plane, measures: dict[str, Any]) -> list[Finding]:
    """Soft everywhere and without a camera's grain: enlarged by software. A lens that blurs leaves the grain."""
    limits = view.limits
    edges = find_edges(native, contrast=12.0, within=np.ones(native.shape, bool))
    grain = noise_level(native, percentile=50)
    measures |= {"grain_l": grain}
    if len(edges) < 200:
        return []
    finest = float(np.percentile(edges.width_px, 5))
    measures |= {"finest_px": finest}
    extent = 0 if view.box is None else max(view.box.width, view.box.height)
    true_extent = extent * _SHARPEST_PX / max(finest, _SHARPEST_PX)
    measures |= {"true_extent_px": true_extent}
    if finest <= limits.finest_px or grain > limits.grain or true_extent > limits.true_extent_px:
        return []
    return [_of_file("upscaled", Severity.WARN, finest, limits.finest_px, "px")]


def _screenshot(view: View, measures: dict[str, Any]) -> list[Finding]:
    """A screenshot says so in its texts or name, or has the bars of the screen: rows of one colour, cut off sharply."""
    texts = " ".join(view.source.facts.metadata.get(tag, "") for tag in ("Software", "ImageDescription"))
    bars = _bars(view)
    measures |= {"bars": bars}
    limit = view.limits.bars
    if _SCREENSHOT.search(texts) or _SCREENSHOT.search(view.source.name):
        return [_of_file("screenshot", Severity.WARN, "screenshot", "photo", "kind")]
    if bars > limit:
        return [_of_file("bars", Severity.WARN, bars, limit, "of the height")]
    return []


def _bars(view: View) -> float:
    """Share of the height (or width) that bars of one colour take, at two opposite sides, ended by a straight step."""
    rgb = view.whole
    return max(_bars_of_rows(rgb), _bars_of_rows(np.asarray(cv2.transpose(rgb), np.float32)))


def _bars_of_rows(rgb: Rgb) -> float:
    # numpy's own reductions of three channels are ten times slower.
    least, greatest, colour = (
        cv2.reduce(rgb, 1, how)[:, 0] for how in (cv2.REDUCE_MIN, cv2.REDUCE_MAX, cv2.REDUCE_AVG)
    )
    plain = (greatest - least).max(axis=-1) < 0.004
    count = len(plain)
    lengths = []
    for rows in (range(count), range(count - 1, -1, -1)):
        length = 0
        first = colour[rows[0]]
        for row in rows:
            if not plain[row] or np.abs(colour[row] - first).max() > 0.004:
                break
            length += 1
        if length == 0 or length > 0.45 * count:
            return 0.0
        at = rows[length]
        # The row behind a bar differs from it along nearly all of its length; on plain paper only where a piece begins.
        differs = (np.abs(rgb[at] - first).max(axis=-1) > 0.02).mean()
        if differs < 0.7:
            return 0.0
        lengths.append(length / count)
    return float(sum(lengths))


def _of_file(code: str, severity: Severity, measured: float | str, limit: float | str, unit: str) -> Finding:
    return finding("file", code, severity, measured=measured, limit=limit, unit=unit)
