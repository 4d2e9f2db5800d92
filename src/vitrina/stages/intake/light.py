"""Light: exposure of the piece, clipped highlights, glare."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from vitrina.imaging.colour import luminance
from vitrina.imaging.measure import clipped_high, find_spots
from vitrina.model import Finding, Mask, Region, Rgb, Severity
from vitrina.stages.intake.advice import finding
from vitrina.stages.intake.view import View, shrunk

_HARD_PX = 700
"""Long side at which the shapes of highlights are looked at."""


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
    findings = [*_exposure(view, middle, high), *_glare(view, clipped, share, measures)]
    return [*findings, *_hardness(view, measures)], measures


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


def _hardness(view: View, measures: dict[str, Any]) -> list[Finding]:
    """A small, hard source (flash, bare bulb): metal mirrors a dark room, with thin, bright specks and lines in it.

    Under a window, a softbox or a tent the metal is bright far below its highlights too, and these are broad. Links are
    thin under any light, so the darker the metal is, the fewer thin highlights are needed to say so.
    """
    limits = view.limits
    middle, thin = highlight_shape(shrunk(view.close, _HARD_PX), view.close_piece)
    allowed = max(limits.hard_thin_least, limits.hard_thin + limits.hard_thin_per_middle * middle)
    measures |= {"middle_to_highlights": middle, "highlight_thin": thin}
    if thin <= allowed:
        return []
    return [
        finding(
            "light", "hard-light", Severity.WARN, measured=thin, limit=allowed, unit="of the highlights",
            region=view.box,
        )
    ]  # fmt: skip


def highlight_shape(rgb: Rgb, piece: Mask) -> tuple[float, float]:
    """How bright the piece's middling pixel is as a share of its highlights, and the share of the highlights in thin
    shapes.

    Highlights are at least half as bright as the piece's brightest fiftieth. Thin is what a disc of a fiftieth of the
    picture's long side does not fit into (white top-hat) once everything beside the piece is as bright as its middling
    pixel: on velvet a whole chain would stand out. `piece` may be larger than `rgb`; both show the same place.
    """
    size = (rgb.shape[1], rgb.shape[0])
    inside = cv2.resize(piece.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(bool)
    if inside.sum() < 50:
        return 1.0, 0.0
    light = np.minimum(luminance(rgb), np.float32(1))
    middle, top = (float(v) for v in np.percentile(light[inside], [50, 98]))
    light[~inside] = middle
    width = max(3, round(0.02 * max(size))) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    standing_out = light - cv2.morphologyEx(light, cv2.MORPH_OPEN, disc)
    bright = inside & (light > 0.5 * top)
    if not bright.any():
        return 1.0, 0.0
    return middle / top, float((standing_out[bright] > 0.5 * top).mean())
