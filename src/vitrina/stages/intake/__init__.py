"""The source check: will this photo do, and if not, the one thing to change.

Each family is one module with one function from a `View` to findings and measures; `check_source` asks them all. The
findings are sorted so that the first one is the thing to change first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vitrina.model import Alpha, Finding, Severity, Source
from vitrina.plugins import Reader
from vitrina.stages.intake import colour, file, focus, framing, light, marks, provenance, worn
from vitrina.stages.intake.limits import LIMITS, IntakeLimits
from vitrina.stages.intake.view import View, view_of

__all__ = ["LIMITS", "IntakeLimits", "check_source"]

Family = Callable[[View], tuple[list[Finding], dict[str, Any]]]

_FAMILIES: dict[str, Family] = {
    "file": file.check,
    "provenance": provenance.check,
    "worn": worn.check,
    "framing": framing.check,
    "light": light.check,
    "colour": colour.check,
    "focus": focus.check,
}
_ORDER = (Severity.BLOCK, Severity.WARN, Severity.NOTE)


def check_source(
    source: Source, *, piece: Alpha, reader: Reader | None = None, limits: IntakeLimits = LIMITS
) -> tuple[list[Finding], dict[str, Any]]:
    """Findings and measures of a photo. `piece` is coarse evidence 0…1 of where the piece is, at any size; without a
    `reader` text is not looked for, which a note says.

    Findings come most severe first. A piece that is worn or not there at all makes the rest of its measures void: then
    only that is said.
    """
    view = view_of(source, piece, limits)
    findings: list[Finding] = []
    measures: dict[str, Any] = {}
    for name, check in _FAMILIES.items():
        found, measured = check(view)
        findings += found
        measures[name] = measured
    found, measures["marks"] = marks.check(view, reader)
    findings += found
    decisive = {finding.code for finding in findings} & {"worn", "no-piece"}
    if decisive:
        findings = [f for f in findings if f.code in decisive or f.check in ("file", "rights", "text")]
    return sorted(findings, key=lambda finding: _ORDER.index(finding.severity)), measures
