"""Checks along the contour: halo, erosion, fringe, steps."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.colour import delta_e00, lab
from vitrina.imaging.edges import (
    STATIONS,
    depth_of,
    hard_steps,
    onto,
    outermost,
    pull,
    step_near,
    value_at,
    wobble,
)
from vitrina.model import Finding, Severity
from vitrina.stages.edges.scene import (
    EdgeScene,
    averaged,
    edge_finding,
    share_of,
    stretches_of,
)


def check_halo(scene: EdgeScene) -> tuple[list[Finding], dict[str, Any]]:
    """Backdrop that the matte took along.

    Seen from outside, the photo departs from its backdrop further in than the matte's contour, at a clear edge of its
    own, and shows plain backdrop before that; or the matte fades out over plain backdrop (a glow).
    """
    at, limits = scene.at, scene.limits
    departs = outermost(at, np.maximum(6.0, 3 * at.noise))
    edge = step_near(at, departs, 1.5, 0.5)
    here = at.step[:, np.abs(STATIONS) <= 0.5].max(axis=1)
    between = (STATIONS[None] >= np.nan_to_num(departs, nan=99)[:, None] + 1) & (STATIONS <= 1.5)
    plain = (at.departure * between).sum(axis=1) < (1.3 * at.noise + 2) * between.sum(axis=1)
    wide = at.is_open & (departs <= -1) & (departs > -6.5) & (here < 0.6 * edge) & plain
    glow = _glow(scene)
    glowing = glow > limits.halo_px
    width = np.where(wide, -np.nan_to_num(departs), np.where(glowing, glow, 0)).astype(np.float32)
    findings = []
    strength = _strength(scene)
    stretches = stretches_of(scene, wide | glowing, width)
    for region, length, worst in stretches[:3]:
        findings.append(
            edge_finding(
                scene, "edges", "halo", worst, limits.halo_px, "px", region,
                f"A rim of backdrop {worst:.1f} px wide was kept along {length:.0f} px of the edge, "
                f"{limits.halo_px:.1f} px allowed "
                f"(ΔE00 {strength:.0f} from the piece). Cut out again, or drop the rim with a --drop stroke.",
            )
        )  # fmt: skip
    worst = max((w for _, _, w in stretches), default=0.0)
    return findings, {"halo_px": worst, "halo_share": share_of(wide | glowing, at.is_open), "halo_de00": strength}


def _glow(scene: EdgeScene) -> NDArray[np.float32]:
    """Alpha left over plain backdrop beyond the contour, in pixels of full alpha, per contour pixel."""
    alpha, sigma = scene.frame.alpha, scene.limits.window_px
    fading = alpha * (alpha < 0.5) * (depth_of(alpha < 0.5) > 1.5) * scene.plate.likeness
    length = cv2.GaussianBlur(onto(alpha.shape, scene.at, np.ones(len(scene.at.rows))), (0, 0), sigma)
    glow = cv2.GaussianBlur(fading.astype(np.float32), (0, 0), sigma) / np.maximum(length, 1e-3)
    return np.asarray(glow[scene.at.rows, scene.at.columns], np.float32)


def _strength(scene: EdgeScene) -> float:
    """ΔE00 between what the rim shows on the new ground and the piece's own colour beside it."""
    alpha = scene.frame.alpha
    rim = (alpha > 0.3) & ~scene.core & (scene.plate.likeness > 0.5)
    if rim.sum() < 8 or not scene.core.any():
        return 0.0
    weight = scene.core.astype(np.float32)
    own = lab(scene.frame.foreground)
    near = averaged(own, weight, 6.0)
    return float(np.median(delta_e00(own[rim], near[rim])))


def check_eroded(scene: EdgeScene) -> tuple[list[Finding], dict[str, Any]]:
    """Piece that the matte cut away: seen from outside, the photo leaves its backdrop before the contour and stays
    away."""
    at, limits = scene.at, scene.limits
    departs = outermost(at, np.maximum(6.0, 3 * at.noise))
    outer = value_at(at.departure, 1.0)
    inner = np.maximum(value_at(at.departure, -1.0), value_at(at.departure, -0.5))
    eroded = at.is_open & (departs >= 1.5) & (departs <= 4.5) & (outer > 0.6 * inner)
    stretches = [s for s in stretches_of(scene, eroded, np.nan_to_num(departs)) if s[2] >= limits.eroded_px]
    findings = [
        edge_finding(
            scene, "edges", "eroded", worst, limits.eroded_px, "px", region,
            f"{worst:.1f} px of the piece were cut away along {length:.0f} px of its edge, "
            f"{limits.eroded_px:.1f} px allowed. "
            "Bring them back with a --keep stroke, or cut out again.",
        )
        for region, length, worst in stretches[:3]
    ]  # fmt: skip
    worst = max((w for _, _, w in stretches), default=0.0)
    return findings, {"eroded_px": worst, "eroded_share": share_of(eroded, at.is_open)}


def check_fringe(scene: EdgeScene) -> tuple[list[Finding], dict[str, Any]]:
    """Old backdrop left in the rim's colour, from the compositing equation: what the rim should be against what it
    is."""
    frame, limits, at = scene.frame, scene.limits, scene.at
    share, local = pull(frame.rgb, frame.foreground, frame.alpha, at)
    fringed = at.is_open & (local > limits.fringe_de00) & (share > limits.fringe_share)
    stretches = stretches_of(scene, fringed, local)
    findings = [
        edge_finding(
            scene, "edges", "fringe", worst, limits.fringe_de00, "ΔE00", region,
            f"The old backdrop still colours {length:.0f} px of the rim by ΔE00 {worst:.1f}, "
            f"{limits.fringe_de00:.1f} allowed. "
            "Cut out again, so that the rim's own colour is estimated.",
            severity=Severity.WARN,
        )
        for region, length, worst in stretches[:3]
    ]  # fmt: skip
    return findings, {"fringe_de00": max((w for _, _, w in stretches), default=0.0)}


def check_jagged(scene: EdgeScene) -> tuple[list[Finding], dict[str, Any]]:
    """Staircases and a contour that strays to and fro."""
    alpha, limits = scene.frame.alpha, scene.limits
    crossings, leaps = hard_steps(alpha)
    share = float(leaps.sum() / max(1.0, float(crossings.sum())))
    rough = float(wobble(alpha).sum() / max(1.0, float(scene.density.sum())))
    findings = []
    if share > limits.leap_share:
        findings.append(
            edge_finding(
                scene, "edges", "jagged", share, limits.leap_share, "of the contour", scene.frame.region(leaps > 0),
                f"{100 * share:.0f} % of the contour steps from nothing to full without a half tone, "
                f"{100 * limits.leap_share:.0f} % allowed. The matte is a bare mask: cut out again.",
                severity=Severity.WARN,
            )
        )  # fmt: skip
    return findings, {"leap_share": share, "wobble_px": rough}
