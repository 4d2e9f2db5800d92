"""Checks of the picture as a whole: ground and framing."""

from __future__ import annotations

import numpy as np

from vitrina.model import Finding, Region, Severity
from vitrina.stages.verify.align import Aligned
from vitrina.stages.verify.limits import VerifyLimits


def judge_ground(pair: Aligned, limits: VerifyLimits) -> tuple[list[Finding], dict[str, object]]:
    """Neutral, light and even, as a main picture's ground must be."""
    lightness, a, b = pair.ground.lab
    chroma = float(np.hypot(a, b))
    findings = []
    whole = Region(0, 0, pair.size.width, pair.size.height)
    if chroma > limits.ground_chroma:
        findings.append(
            Finding(
                "background",
                "tinted",
                Severity.BLOCK,
                chroma,
                limits.ground_chroma,
                "C*ab",
                f"The background is tinted (chroma {chroma:.1f}, {limits.ground_chroma:g} allowed). Use white "
                "or neutral light grey.",
                whole,
            )
        )
    if lightness < limits.ground_min_l:
        findings.append(
            Finding(
                "background",
                "dark",
                Severity.BLOCK if lightness < limits.ground_min_l - 12 else Severity.WARN,
                lightness,
                limits.ground_min_l,
                "L*",
                f"The background is dark (L* {lightness:.0f}, at least {limits.ground_min_l:g}). Use white or "
                "light grey.",
                whole,
            )
        )
    if pair.ground.range_l > limits.ground_range_l:
        findings.append(
            Finding(
                "background",
                "uneven",
                Severity.BLOCK,
                pair.ground.range_l,
                limits.ground_range_l,
                "L* range",
                f"The background runs over {pair.ground.range_l:.0f} L* steps, {limits.ground_range_l:g} "
                "allowed. Use an even ground.",
                whole,
            )
        )
    if pair.ground.support < 0.6 or pair.ground.roughness > 6:
        findings.append(
            Finding(
                "background",
                "busy",
                Severity.BLOCK,
                pair.ground.roughness,
                6.0,
                "Lab",
                "The background is not plain. Put the piece on white or neutral light grey.",
                whole,
            )
        )
    measures = {
        "lab": pair.ground.lab,
        "chroma": chroma,
        "range_l": pair.ground.range_l,
        "roughness": pair.ground.roughness,
    }
    return findings, measures


def judge_framing(pair: Aligned, limits: VerifyLimits) -> list[Finding]:
    """Product that lies outside the edit's frame."""
    if pair.lost <= limits.frame_lost:
        return []
    height, width = pair.alpha.shape
    edge = np.zeros_like(pair.alpha, bool)
    edge[:3], edge[-3:], edge[:, :3], edge[:, -3:] = True, True, True, True
    region = Region.around(edge & (pair.alpha > 0.3)) or Region(0, 0, width, height)
    return [
        Finding(
            "framing",
            "clipped",
            Severity.BLOCK,
            pair.lost,
            limits.frame_lost,
            "share of the piece",
            f"{100 * pair.lost:.1f} % of the piece lies outside the frame. Frame it whole.",
            region,
        )
    ]
