"""Light: exposure of the piece, clipped highlights, glare."""

from __future__ import annotations

from typing import Any

import numpy as np

from vitrina.imaging.measure import clipped_high, find_spots
from vitrina.model import Finding, Mask, Region, Severity
from vitrina.stages.intake.advice import finding
from vitrina.stages.intake.view import View


def check(view: View) -> tuple[list[Finding], dict[str, Any]]:
    """Exposure and clipping, on the piece alone."""
    piece = view.close_piece
    if view.box is None or not piece.any():
        return [], {}
    light = view.close_lab[..., 0][piece]
    clipped = clipped_high(view.close) & piece
    share = float(clipped.sum() / piece.sum())
    low, middle, high = (float(v) for v in np.percentile(light, [5, 50, 95]))
    measures = {"piece_l": [low, middle, high], "clipped_share": share}
    return [*_exposure(view, middle, high), *_glare(view, clipped, share, measures)], measures


def _exposure(view: View, middle: float, high: float) -> list[Finding]:
    limits = view.limits
    if high < limits.key_low:
        return [
            finding("light", "too-dark", Severity.WARN, measured=high, limit=limits.key_low, unit="L*", region=view.box)
        ]
    if middle > limits.key_high:
        return [
            finding(
                "light", "too-bright", Severity.WARN, measured=middle, limit=limits.key_high, unit="L*", region=view.box
            )
        ]
    return []


def _glare(view: View, clipped: Mask, share: float, measures: dict[str, Any]) -> list[Finding]:
    limits = view.limits
    spots = find_spots(clipped, least_px=6)
    area = int(view.close_piece.sum())
    largest = spots[0].area_px / area if spots else 0.0
    measures |= {"spots": len(spots), "largest_spot": largest}
    if share > limits.clip_piece_warn:
        is_block = share > limits.clip_piece_block
        limit = limits.clip_piece_block if is_block else limits.clip_piece_warn
        return [
            finding(
                "glare", "clipped", Severity.BLOCK if is_block else Severity.WARN, measured=share, limit=limit,
                unit="of the piece", region=view.from_close(Region.around(clipped)),
            )
        ]  # fmt: skip
    if largest > limits.glare_spot_warn:
        region = Region(*spots[0].box)
        return [
            finding(
                "glare", "glare-spot", Severity.WARN, measured=largest, limit=limits.glare_spot_warn,
                unit="of the piece", region=view.from_close(region),
            )
        ]  # fmt: skip
    return []
