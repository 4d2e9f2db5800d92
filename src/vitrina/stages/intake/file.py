"""The file: enough pixels, and pixels that were really photographed."""

from __future__ import annotations

from typing import Any

from vitrina.model import Finding, Severity
from vitrina.stages.intake.advice import finding
from vitrina.stages.intake.view import View


def check(view: View) -> tuple[list[Finding], dict[str, Any]]:
    """Size of the photo."""
    limits, size = view.limits, view.size
    short = min(size.width, size.height)
    findings = []
    if short < limits.short_side_block_px:
        findings.append(
            finding(
                "file", "too-few-pixels", Severity.BLOCK, measured=short, limit=limits.short_side_block_px, unit="px"
            )
        )
    return findings, {"width": size.width, "height": size.height, "megapixels": size.megapixels}
