"""Marks that are not the piece's own: text, a watermark, a supplier's logo; print on what it lies on."""

from __future__ import annotations

from typing import Any

import numpy as np

from vitrina.model import Finding, Line, Region, Severity
from vitrina.plugins import Reader
from vitrina.stages.intake.advice import finding
from vitrina.stages.intake.view import View


def check(view: View, reader: Reader | None) -> tuple[list[Finding], dict[str, Any]]:
    """What can be read in the photo. Without a reader that is said in a note, for then nothing was checked."""
    limits = view.limits
    if reader is None:
        return [finding("text", "text-unchecked", Severity.NOTE, measured="none", limit="a reader", unit="reader")], {}
    lines = [line for line in reader.read(view.whole) if _is_print(line, view)]
    measures = {"reader": reader.name, "lines": len(lines), "text": [line.text for line in lines[:5]]}
    if not lines:
        return [], measures
    region = view.from_whole(_around([line.region for line in lines]))
    free = [line for line in lines if _share_on_piece(line, view) < 0.02]
    if len(free) == len(lines) and len(lines) >= limits.print_lines:
        return [
            finding(
                "background", "printed-backdrop", Severity.NOTE, measured=len(lines), limit=limits.print_lines,
                unit="lines", region=region,
            )
        ], measures  # fmt: skip
    return [
        finding("text", "text", Severity.WARN, measured=lines[0].text, limit="none", unit="text", region=region)
    ], measures


def _is_print(line: Line, view: View) -> bool:
    """Print, and not links or beads that look like letters, nor a hallmark on the piece itself."""
    letters = [letter for letter in line.text if letter.isalnum()]
    various = len({letter.lower() for letter in letters} - {"0", "o"})
    if len(letters) >= 4 and various >= 2:
        sure = line.score >= view.limits.text_score_long
    else:
        sure = len(letters) >= 2 and various >= 1 and line.score >= view.limits.text_score
    if min(line.region.width, line.region.height) > view.limits.text_tall * min(view.whole.shape[:2]):
        return False
    return sure and _share_on_piece(line, view) < view.limits.text_on_piece


def _share_on_piece(line: Line, view: View) -> float:
    inside = view.piece[line.region.slices]
    return float(inside.mean()) if inside.size else 0.0


def _around(regions: list[Region]) -> Region:
    x0, y0 = min(r.x for r in regions), min(r.y for r in regions)
    x1, y1 = max(r.x + r.width for r in regions), max(r.y + r.height for r in regions)
    return Region(int(np.floor(x0)), int(np.floor(y0)), x1 - x0, y1 - y0)
