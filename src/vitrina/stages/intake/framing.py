"""The piece in the frame: there, whole, and large enough."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from vitrina.model import Finding, Mask, Region, Severity
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
    """Where the piece runs out of the frame: contact with the border by something with contrast of its own.

    A velvet stand, a shadow or a table that the network took for the piece is flat where it meets the border; a chain
    or a ring that goes on beyond it is not.
    """
    limits, piece = view.limits, view.piece
    _, labels, stats, _ = cv2.connectedComponentsWithStats(piece.astype(np.uint8), connectivity=8)
    total, length = int(piece.sum()), 0
    at = np.zeros_like(piece)
    light = view.whole_lab[..., 0]
    # Each side as a strip that starts at the border; the views share memory with the arrays themselves.
    for turn in range(4):
        sides = [np.rot90(plane, turn) for plane in (piece, labels, light, view.evidence, at)]
        edge, label, tone, evidence, mark = sides
        for start, stop in _runs(edge[0]):
            part = stats[label[0, (start + stop) // 2], cv2.CC_STAT_AREA] / total
            strip = tone[: limits.touch_depth_px, start:stop]
            low, high = np.percentile(strip, [10, 90])
            sure = float(evidence[0, start:stop].max())
            if high - low >= limits.touch_contrast and part >= limits.touch_part and sure >= limits.touch_evidence:
                length += stop - start
                mark[0, start:stop] = True
    share = length / (2 * sum(piece.shape))
    if share <= limits.touch_length:
        return []
    region = view.from_whole(Region.around(at))
    return [
        finding(
            "framing", "cut-by-frame", Severity.WARN, measured=share, limit=limits.touch_length,
            unit="of the frame's border", region=region,
        )
    ]  # fmt: skip


def _runs(line: Mask) -> list[tuple[int, int]]:
    """Start and stop of each run of true values."""
    change = np.diff(np.concatenate([[0], line.astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(change == 1).tolist(), np.flatnonzero(change == -1).tolist(), strict=True))
