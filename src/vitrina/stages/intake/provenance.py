"""Where the picture comes from, as far as the file says: made by a generator, or photographed."""

from __future__ import annotations

from typing import Any

from vitrina.model import Finding, Severity
from vitrina.stages.intake.advice import finding
from vitrina.stages.intake.view import View

_MADE = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "algorithmicMedia")
"""IPTC digital source types of pictures that no camera took (or not wholly)."""


def check(view: View) -> tuple[list[Finding], dict[str, Any]]:
    """IPTC digital source type (IPTC NewsCodes)."""
    kind = view.source.facts.metadata.get("DigitalSourceType", "")
    findings = []
    if kind in _MADE:
        findings.append(
            finding("rights", "ai-marked", Severity.BLOCK, measured=kind, limit="digitalCapture", unit="source type")
        )
    return findings, {"digital_source_type": kind or None}
