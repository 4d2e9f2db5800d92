"""Checking a cutout: is the edge clean, is nothing lost, filled, see-through or left over?

The check asks the photo, never the network that made the matte, so the two cannot share a mistake. All lengths are in
pixels of the work frame: the surroundings of the piece, shrunk so that their long side is at most `work_px`. Findings
carry their region in pixels of the photo.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vitrina.model import Cutout, Finding, Source
from vitrina.stages.edges.contract import check_contract
from vitrina.stages.edges.limits import EDGE_LIMITS, EdgeLimits
from vitrina.stages.edges.parts import check_clipped, check_filled, check_islands, check_lost, check_see_through
from vitrina.stages.edges.rim import check_eroded, check_fringe, check_halo, check_jagged
from vitrina.stages.edges.scene import EdgeScene, look, share_of

__all__ = ["EDGE_LIMITS", "EdgeLimits", "check_edges"]


def check_edges(
    source: Source, cutout: Cutout, *, piece_type: str | None = None, limits: EdgeLimits = EDGE_LIMITS
) -> tuple[list[Finding], dict[str, Any]]:
    """The findings about a cutout's edges, and everything that was measured.

    With `piece_type` its parts and openings are held to what such a piece has.

    An empty matte gives no findings: `cut_out` has said so already.
    """
    if not (cutout.alpha > 0.5).any():
        return [], {}
    scene = look(source, cutout, limits)
    findings: list[Finding] = []
    measures: dict[str, Any] = {"judged_share": share_of(scene.at.is_open, np.ones_like(scene.at.is_open))}
    checks: tuple[Callable[[EdgeScene], tuple[list[Finding], dict[str, Any]]], ...] = (
        check_halo, check_eroded, check_fringe, check_lost, check_filled, check_see_through, check_jagged,
        check_islands, check_clipped,
    )  # fmt: skip
    for check in checks:
        found, measured = check(scene)
        findings += found
        measures |= measured
    if piece_type is not None:
        findings += check_contract(cutout.alpha, cutout.parts, piece_type)
    return findings, measures
