"""The source check: will this photo do, and if not, the one thing to change.

Each family is one module with one function from a `View` to findings and measures; `check_source` asks them all. The
findings are sorted so that the first one is the thing to change first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vitrina.model import Alpha, Finding, Rgb, Severity, Source
from vitrina.plugins import Reader
from vitrina.stages.intake import (
    colour,
    dust,
    file,
    focus,
    framing,
    light,
    marks,
    provenance,
    screen,
    surroundings,
    worn,
)
from vitrina.stages.intake.advice import finding
from vitrina.stages.intake.limits import LIMITS, LIVE_LIMITS, IntakeLimits
from vitrina.stages.intake.view import View, shrunk, view_of

__all__ = ["LIMITS", "LIVE_LIMITS", "IntakeLimits", "check_reflections", "check_source", "whole_frame"]

Family = Callable[[View], tuple[list[Finding], dict[str, Any]]]

_FAMILIES: dict[str, Family] = {
    "file": file.check,
    "provenance": provenance.check,
    "worn": worn.check,
    "framing": framing.check,
    "light": light.check,
    "colour": colour.check,
    "focus": focus.check,
    "surroundings": surroundings.check,
    "dust": dust.check,
    "screen": screen.check,
}
_NOT_LIVE = {"file", "provenance", "screen", "dust"}
"""What a preview, made by the browser from a video, says nothing of."""
_ONLY_OF_FILES = {"few-pixels-on-piece", "noise"}
"""Findings that a preview's own size and smoothing decide."""
_CASTS = {"warm-cast", "cold-cast"}
_ORDER = (Severity.BLOCK, Severity.WARN, Severity.NOTE)


def whole_frame(source: Source, limits: IntakeLimits = LIMITS) -> Rgb:
    """The photo as most checks look at it, shrunk: what `check_source` takes as `whole`."""
    return shrunk(source.rgb, limits.whole_px)


def check_source(
    source: Source,
    *,
    piece: Alpha,
    whole: Rgb | None = None,
    reader: Reader | None = None,
    is_live: bool = False,
    limits: IntakeLimits = LIMITS,
) -> tuple[list[Finding], dict[str, Any]]:
    """Findings and measures of a photo. `piece` is coarse evidence 0…1 of where the piece is, at any size; `whole` is
    `whole_frame(source)` where that was made already; without a `reader` text is not looked for, which a note says.

    Of a preview (`is_live`) the file, the count of pixels, noise, dust and print are not judged, which a note says.

    Findings come most severe first. A piece that is worn or not there at all makes the rest of its measures void: then
    only that is said, and of a worn one the colour of the light, which the size frame suffers from too.
    """
    view = view_of(source, whole_frame(source, limits) if whole is None else whole, piece, limits)
    findings: list[Finding] = []
    measures: dict[str, Any] = {}
    for name, check in _FAMILIES.items():
        if is_live and name in _NOT_LIVE:
            continue
        found, measures[name] = check(view)
        findings += found
    if is_live:
        findings = [found for found in findings if found.code not in _ONLY_OF_FILES]
        findings.append(finding("file", "live", Severity.NOTE, measured="preview", limit="photo", unit="kind"))
    else:
        found, measures["marks"] = marks.check(view, reader)
        findings += found
    decisive = {found.code for found in findings} & {"worn", "no-piece"}
    if decisive:
        # The lit part of a dark picture of a person is skin, which says nothing of the light.
        is_all_lit = measures["colour"].get("ground_share") == 1
        kept = {*decisive, *(_CASTS if "worn" in decisive and is_all_lit else ())}
        findings = [f for f in findings if f.code in kept or f.check in ("file", "rights", "text")]
    return sorted(findings, key=lambda found: _ORDER.index(found.severity)), measures


def check_reflections(source: Source, alpha: Alpha, *, limits: IntakeLimits = LIMITS) -> list[Finding]:
    """What a cutout must say of its photo: a mirror image beside the piece, which is left out, and the backdrop's
    colour in the metal, which is not painted over. `alpha` is the matte, at the size of the source."""
    view = view_of(source, whole_frame(source, limits), alpha, limits)
    if view.box is None or view.beyond.sum() < surroundings.LEAST_BACKDROP_PX:
        return []
    return surroundings.reflections(view, {})
