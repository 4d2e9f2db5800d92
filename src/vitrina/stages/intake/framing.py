"""The piece in the frame: there, whole, and large enough."""

from __future__ import annotations

from typing import Any

import numpy as np

from vitrina.model import Finding, Region, Severity
from vitrina.stages.intake.advice import finding
from vitrina.stages.intake.view import View


def check(view: View) -> tuple[list[Finding], dict[str, Any]]:
    """No piece, cut by the frame, too small in it."""
    limits, size = view.limits, view.size
    best = float(view.evidence.max())
    if view.box is None:
        missing = finding(
            "pieces", "no-piece", Severity.BLOCK, measured=best, limit=limits.piece_evidence, unit="evidence"
        )
        return [missing], {"fill": 0.0, "extent_px": 0}
    box = view.box
    extent = max(box.width, box.height)
    fill = max(box.width / size.width, box.height / size.height)
    findings = [*_touching(view)]
    if fill < limits.fill_warn:
        findings.append(
            finding(
                "framing", "too-small", Severity.WARN, measured=fill, limit=limits.fill_warn,
                unit="of the frame", region=box,
            )
        )  # fmt: skip
    if extent < limits.extent_warn_px:
        is_block = extent < limits.extent_block_px
        limit = limits.extent_block_px if is_block else limits.extent_warn_px
        findings.append(
            finding(
                "framing", "few-pixels-on-piece", Severity.BLOCK if is_block else Severity.WARN,
                measured=extent, limit=limit, unit="px", region=box,
            )
        )  # fmt: skip
    return findings, {"fill": fill, "extent_px": extent, "box": box}


def _touching(view: View) -> list[Finding]:
    """Contact of the piece with the border, as a share of the frame's perimeter."""
    near = view.limits.touch_px
    piece = view.piece
    sides = (
        piece[:near].any(axis=0),
        piece[-near:].any(axis=0),
        piece[:, :near].any(axis=1),
        piece[:, -near:].any(axis=1),
    )
    length = sum(int(np.count_nonzero(side)) for side in sides)
    share = length / (2 * sum(piece.shape))
    if share <= view.limits.touch_length:
        return []
    at = np.zeros_like(piece)
    at[:near], at[-near:], at[:, :near], at[:, -near:] = True, True, True, True
    region = view.from_whole(Region.around(at & piece))
    return [
        finding(
            "framing", "cut-by-frame", Severity.WARN, measured=share, limit=view.limits.touch_length,
            unit="of the frame's border", region=region,
        )
    ]  # fmt: skip
