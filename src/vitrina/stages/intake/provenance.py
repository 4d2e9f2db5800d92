"""Where the picture comes from, as far as the file says: made by a generator, or photographed."""

from __future__ import annotations

from typing import Any

from vitrina.model import Finding, Severity
from vitrina.stages.intake.advice import finding
from vitrina.stages.intake.view import View

_MADE = {
    "trainedalgorithmicmedia", "compositewithtrainedalgorithmicmedia", "algorithmicmedia", "compositesynthetic",
}  # fmt: skip
"""IPTC digital source types of pictures that no camera took (or not wholly), in small letters."""


def check(view: View) -> tuple[list[Finding], dict[str, Any]]:
    """IPTC digital source type (IPTC NewsCodes), in XMP or in C2PA content credentials, or a generator's own name;
    and whether this program wrote the file, which is then a draft and no original."""
    said = view.source.facts.metadata
    kind, maker = said.get("DigitalSourceType", ""), said.get("Generator", "")
    findings = []
    if kind.lower() in _MADE or maker:
        measured = kind if kind.lower() in _MADE else maker
        findings.append(
            finding(
                "rights", "ai-marked", Severity.BLOCK, measured=measured, limit="digitalCapture", unit="source type"
            )
        )
    if said.get("MadeBy"):
        findings.append(
            finding("file", "not-original", Severity.BLOCK, measured=said["MadeBy"], limit="a camera", unit="maker")
        )
    return findings, {
        "digital_source_type": kind or None,
        "content_credentials": said.get("ContentCredentials"),
        "generator": maker or None,
    }
