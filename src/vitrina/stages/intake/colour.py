"""Colour: a cast of the light, told from a coloured backdrop by what the piece's highlights say."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.measure import least_channel
from vitrina.model import Finding, Severity
from vitrina.stages.intake.advice import finding
from vitrina.stages.intake.limits import IntakeLimits
from vitrina.stages.intake.view import View

_WARM, _COLD = (55.0, 105.0), (220.0, 290.0)
"""Hues (degrees, CIELAB) of lamps and of shade: lights lie along this line, papers anywhere."""

_SKY = (195.0, 245.0)
"""Hues of highlights in shade: the sky's own light on silver and stones, cut off where its blue is full."""
_LIGHT = 75.0
"""L* from which on a backdrop of another hue is paper, and a highlight is no stone."""

_COLDEST = 28.0
"""C*ab beyond which a darker backdrop is blue of its own."""
_LEAST_GROUND = 80
"""Pixels of the backdrop; with less of it nothing can be said of the light."""


def check(view: View) -> tuple[list[Finding], dict[str, Any]]:
    """A light backdrop tinted like a lamp or like shade, and highlights on the piece that agree.

    A highlight shows the light's own colour on silver and on stones. On gold it is always yellow, so it can speak
    against cold light but not for warm light alone: there the backdrop must be tinted too.
    """
    limits = view.limits
    piece = view.close_piece
    ground = view.ground_lab
    if view.box is None or len(ground) < _LEAST_GROUND or not piece.any():
        return [], {}
    lit = _lit(ground, limits)
    light, a, b = (float(v) for v in np.median(lit, axis=0))
    chroma, hue = float(np.hypot(a, b)), float(np.degrees(np.arctan2(b, a)) % 360)
    shine_l, shine_a, shine_b = _highlight(view)
    measures = {"ground_lab": [light, a, b], "ground_share": len(lit) / len(ground), "highlight_ab": [shine_a, shine_b]}
    shine = float(np.hypot(shine_a, shine_b))
    agreement = (a * shine_a + b * shine_b) / max(chroma * shine, 1e-6)
    is_warm = _WARM[0] < hue < _WARM[1] and shine > 5 and agreement > 0.75
    does_agree = light > _LIGHT or (agreement > 0.75 and shine > 6 and chroma < _COLDEST)
    is_cold = _COLD[0] < hue < _COLD[1] and shine_b < 6 and does_agree
    if light < limits.cast_ground_l or chroma <= limits.cast_warn or not (is_warm or is_cold):
        is_white = light > _LIGHT and chroma < limits.cast_warn / 2
        is_blue = _COLD[0] < hue < _COLD[1] and chroma > limits.cast_warn
        return ([] if is_white else _blue_highlights(view, shine_l, shine_a, shine_b, beside_blue=is_blue)), measures
    is_block = chroma > limits.cast_block
    return [
        finding(
            "colour", "warm-cast" if is_warm else "cold-cast", Severity.BLOCK if is_block else Severity.WARN,
            measured=chroma, limit=limits.cast_block if is_block else limits.cast_warn, unit="C*ab",
        )
    ], measures  # fmt: skip


def _blue_highlights(view: View, light: float, a: float, b: float, *, beside_blue: bool) -> list[Finding]:
    """Shade beside a coloured backdrop, which cannot tell: the brightest highlights are as blue as the sky.

    They must be lighter than blue stones are, unless the backdrop is blue too; a white one would speak against it.
    """
    limit = view.limits.cast_highlight
    chroma, hue = float(np.hypot(a, b)), float(np.degrees(np.arctan2(b, a)) % 360)
    if chroma <= limit or not _SKY[0] < hue < _SKY[1] or not (light > _LIGHT or beside_blue):
        return []
    return [finding("colour", "cold-cast", Severity.WARN, measured=chroma, limit=limit, unit="C*ab")]


def _lit(ground: NDArray[np.float32], limits: IntakeLimits) -> NDArray[np.float32]:
    """The backdrop's pixels (L*a*b*); of a dark one its lightest part, where it has one: a wall behind velvet."""
    if float(np.median(ground[:, 0])) >= limits.cast_ground_l:
        return ground
    bright = ground[ground[:, 0] > max(limits.cast_ground_l, float(np.percentile(ground[:, 0], 90)) - 12)]
    return bright if len(bright) >= limits.cast_lit_share * len(ground) else ground


def _highlight(view: View) -> tuple[float, float, float]:
    """L*, a* and b* of the piece's brightest pixels that still have colour; zeros when there are too few."""
    with_colour = view.close_piece & (least_channel(view.close) < 0.96)
    values = view.close_lab[with_colour]
    if len(values) < 200:
        return 0.0, 0.0, 0.0
    bright = values[values[:, 0] >= np.percentile(values[:, 0], 96)]
    light, a, b = (float(v) for v in np.median(bright, axis=0))
    return light, a, b
