"""Colour: a cast of the light, told from a coloured backdrop by what the piece's highlights say."""

from __future__ import annotations

from typing import Any

import numpy as np

from vitrina.model import Finding, Severity
from vitrina.stages.intake.advice import finding
from vitrina.stages.intake.view import View


def check(view: View) -> tuple[list[Finding], dict[str, Any]]:
    """A light backdrop and the piece's highlights that lean to the same hue."""
    limits = view.limits
    piece = view.close_piece
    ground = view.whole_lab[view.beyond]
    if view.box is None or len(ground) < 500 or not piece.any():
        return [], {}
    light = float(np.median(ground[:, 0]))
    a, b = (float(np.median(ground[:, i])) for i in (1, 2))
    values = view.close_lab[piece]
    bright = values[(values[:, 0] >= np.percentile(values[:, 0], 96)) & (values[:, 0] < 97)]
    shine_a, shine_b = (float(np.median(bright[:, i])) if len(bright) > 20 else 0.0 for i in (1, 2))
    chroma, shine = float(np.hypot(a, b)), float(np.hypot(shine_a, shine_b))
    agree = (a * shine_a + b * shine_b) / max(chroma * shine, 1e-6)
    measures = {"ground_lab": [light, a, b], "highlight_ab": [shine_a, shine_b], "agreement": agree}
    if light < 45 or chroma <= limits.cast_warn or shine < 5 or agree < 0.9:
        return [], measures
    is_block = chroma > limits.cast_block
    code = "warm-cast" if b > 0 else "cold-cast"
    return [
        finding(
            "colour", code, Severity.BLOCK if is_block else Severity.WARN, measured=chroma,
            limit=limits.cast_block if is_block else limits.cast_warn, unit="C*ab",
        )
    ], measures  # fmt: skip
