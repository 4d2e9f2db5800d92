"""Focus: blur on the piece itself, motion, depth of field across it, and noise."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from vitrina.imaging.measure import Edges, noise_level
from vitrina.model import Finding, Region, Severity
from vitrina.stages.intake.advice import finding
from vitrina.stages.intake.view import View

_CELLS = 7
_LEAST_EDGES = 60


def check(view: View) -> tuple[list[Finding], dict[str, Any]]:
    """Sharpness of the piece's edges, everywhere, by direction and by place; noise."""
    if view.box is None:
        return [], {}
    edges = view.edges
    noise = noise_level(np.ascontiguousarray(view.close_lab[..., 0]), np.ones(view.close_piece.shape, bool))
    measures: dict[str, Any] = {"edges": len(edges), "noise_l": noise}
    findings = _noise(view, noise)
    if len(edges) < _LEAST_EDGES:
        return findings, measures
    sharpest = float(np.percentile(edges.width_px, 10))
    measures |= {"blur_px": sharpest}
    limits = view.limits
    if sharpest > limits.blur_warn_px:
        is_block = sharpest > limits.blur_block_px
        limit = limits.blur_block_px if is_block else limits.blur_warn_px
        ratio = motion_ratio(edges)
        measures |= {"motion_ratio": ratio}
        code = "motion-blur" if ratio > limits.motion_ratio else "blur"
        severity = Severity.BLOCK if is_block else Severity.WARN
        blurred = finding("focus", code, severity, measured=sharpest, limit=limit, unit="px", region=view.box)
        return [*findings, blurred], measures
    return [*findings, *_depth(view, edges, measures)], measures


def motion_ratio(edges: Edges) -> float:
    """The widest over the narrowest of the edges' typical widths by direction; 1 without motion."""
    sector = (np.degrees(edges.facing) % 180 // 22.5).astype(int)
    typical = [
        float(np.percentile(edges.width_px[sector == s], 20))
        for s in range(8)
        if (sector == s).sum() >= _LEAST_EDGES // 4
    ]
    return max(typical) / max(min(typical), 0.3) if len(typical) > 1 else 1.0


def _noise(view: View, noise: float) -> list[Finding]:
    limits = view.limits
    if noise <= limits.noise_warn:
        return []
    is_block = noise > limits.noise_block
    limit = limits.noise_block if is_block else limits.noise_warn
    severity = Severity.BLOCK if is_block else Severity.WARN
    return [finding("focus", "noise", severity, measured=noise, limit=limit, unit="L*", region=view.box)]


def _depth(view: View, edges: Edges, measures: dict[str, Any]) -> list[Finding]:
    """Parts of the piece whose sharpest edges are far wider than elsewhere."""
    limits = view.limits
    height, width = view.close_piece.shape
    side = max(24, round(max(height, width) / _CELLS))
    soft = np.zeros((-(-height // side), -(-width // side)), np.uint8)
    seen = np.zeros_like(soft)
    widths = []
    for row in range(soft.shape[0]):
        for column in range(soft.shape[1]):
            inside = (edges.rows // side == row) & (edges.columns // side == column)
            if inside.sum() < _LEAST_EDGES // 2:
                continue
            seen[row, column] = 1
            widths.append((row, column, float(np.percentile(edges.width_px[inside], 15))))
    if len(widths) < 4:
        return []
    best = max(0.7, float(np.percentile([w for _, _, w in widths], 15)))
    for row, column, own in widths:
        soft[row, column] = own > max(limits.soft_factor * best, limits.blur_warn_px)
    share = float(soft.sum() / seen.sum())
    measures |= {"soft_share": share, "sharpest_part_px": best}
    if share <= limits.soft_warn:
        return []
    box = Region.around(cv2.resize(soft, (soft.shape[1] * side, soft.shape[0] * side), interpolation=0) > 0)
    return [
        finding(
            "focus", "shallow-focus", Severity.WARN, measured=share, limit=limits.soft_warn,
            unit="of the piece's parts", region=view.from_close(box),
        )
    ]  # fmt: skip
