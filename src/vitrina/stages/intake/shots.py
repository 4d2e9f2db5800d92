"""The shot list: which views a piece of its type needs, which are there, and the best of several of one view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.errors import UsageError
from vitrina.imaging.likeness import distance, view_hash
from vitrina.imaging.scale_card import find_card
from vitrina.model import Alpha, Finding, Severity, Source
from vitrina.stages.intake.advice import finding
from vitrina.stages.intake.view import shrunk


class Shot(StrEnum):
    """What a photo shows."""

    FRONT = "front"
    PROFILE = "profile"
    MACRO = "macro"
    CLASP = "clasp"
    PAIR = "pair"
    ON_HAND = "on-hand"
    SCALE = "scale"
    PARTS = "parts"
    PARCEL = "parcel"


_OF_ALL = (Shot.SCALE,)
_RING = (Shot.FRONT, Shot.PROFILE, Shot.MACRO, *_OF_ALL)
_STRAND = (Shot.FRONT, Shot.CLASP, Shot.MACRO, *_OF_ALL)
WANTED: Mapping[str, tuple[Shot, ...]] = {
    "ring": _RING,
    "earrings": (Shot.PAIR, Shot.PROFILE, Shot.CLASP, *_OF_ALL),
    "necklace": _STRAND,
    "chain": _STRAND,
    "bracelet": _STRAND,
    "pendant": (Shot.FRONT, Shot.PROFILE, Shot.MACRO, *_OF_ALL),
    "brooch": (Shot.FRONT, Shot.CLASP, *_OF_ALL),
    "set": (Shot.PARTS, Shot.PARCEL, Shot.CLASP, *_OF_ALL),
    "other": (Shot.FRONT, Shot.MACRO, *_OF_ALL),
}
"""The views that each piece type needs. A photo on a hand or model serves as the one with a scale."""

_SAME_VIEW = 10
"""Bits of 64 in which two exposures of one view may differ; other views differ in 20 and more."""
_LOOK_PX = 1600
_ALIKE = 0.6
"""Least ratio of the areas and of the extents of two earrings."""
_NEAR = 0.9
"""Share of the frame from which on a piece that runs out of it is a close-up."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A photo as it was inspected: its findings and measures, its view's hash, and what it shows (None: asked)."""

    name: str
    findings: tuple[Finding, ...]
    measures: Mapping[str, Any]
    view: NDArray[np.bool_]
    shot: Shot | None

    @property
    def blocks(self) -> int:
        return sum(found.severity is Severity.BLOCK for found in self.findings)

    @property
    def warnings(self) -> int:
        return sum(found.severity is Severity.WARN for found in self.findings)

    @property
    def clipped(self) -> float:
        return float(self.measures.get("light", {}).get("clipped_share", 1.0))

    @property
    def blur_px(self) -> float:
        return float(self.measures.get("focus", {}).get("blur_px", 99.0))


def see(
    source: Source, piece: Alpha, findings: Sequence[Finding], measures: Mapping[str, Any],
    *, piece_type: str, told: Shot | None = None,
) -> Seen:  # fmt: skip
    """A photo that was inspected, with what it shows: as it was `told`, else as it can be recognised, else None."""
    shot = told if told is not None else recognise(source, piece, findings, measures, piece_type)
    return Seen(source.name, tuple(findings), measures, view_hash(source.rgb), shot)


def recognise(
    source: Source, piece: Alpha, findings: Sequence[Finding], measures: Mapping[str, Any], piece_type: str
) -> Shot | None:
    """What a photo shows, where that can be told; None where a person must say."""
    codes = {found.code for found in findings}
    if find_card(shrunk(source.rgb, _LOOK_PX)) is not None:
        return Shot.SCALE
    if codes & {"worn", "hand-in-frame"}:
        return Shot.ON_HAND
    if "no-piece" in codes:
        return None
    fill = float(measures.get("framing", {}).get("fill", 0.0))
    if "cut-by-frame" in codes and fill >= _NEAR:
        # From near by a stone and a clasp look alike; on a ring there is no clasp.
        return Shot.MACRO if piece_type in ("ring", "pendant") else None
    if piece_type == "earrings":
        return Shot.PAIR if _is_pair(piece) else None
    if piece_type == "set":
        return Shot.PARTS if _objects(piece) > 1 else None
    if piece_type in ("necklace", "chain", "bracelet", "brooch", "other") and "cut-by-frame" not in codes:
        return Shot.FRONT
    return None  # a ring from the front and from the side: a person says


def _objects(piece: Alpha) -> int:
    """The count of separate objects, without crumbs."""
    count, _, stats, _ = cv2.connectedComponentsWithStats((piece > 0.5).astype(np.uint8), connectivity=8)
    areas = stats[1:count, cv2.CC_STAT_AREA]
    return int((areas > 0.05 * areas.max(initial=1)).sum())


def _is_pair(piece: Alpha) -> bool:
    """Two halves with a gap between them, side by side or one above the other, of about one area and one extent.

    An earring may fall into several objects (its hook, its drop); the gap between two earrings is wider.
    """
    mask = piece > 0.5
    for side in (mask, mask.T):
        filled = np.flatnonzero(side.any(axis=0))
        steps = np.diff(filled)
        if not len(steps) or steps.max() < 3:
            continue
        at = int(filled[int(steps.argmax())]) + 1
        halves = side[:, :at], side[:, at:]
        areas = sorted(int(half.sum()) for half in halves)
        extents = sorted(int(np.ptp(np.flatnonzero(half.any(axis=1)))) + 1 for half in halves)
        if areas[0] > _ALIKE * areas[1] and extents[0] > _ALIKE * extents[1]:
            return True
    return False


def judge_shots(photos: Sequence[Seen], *, piece_type: str) -> tuple[list[Finding], dict[str, Any]]:
    """What the shot list of `piece_type` lacks, what must be asked, and the best photo of each view that was taken
    several times."""
    if piece_type not in WANTED:
        raise UsageError(f"piece type {piece_type!r}: there are {', '.join(WANTED)}.")
    usable = [photo for photo in photos if photo.blocks == 0 or photo.shot is Shot.ON_HAND]
    there = {photo.shot for photo in usable}
    if Shot.ON_HAND in there:
        there.add(Shot.SCALE)
    missing = [shot for shot in WANTED[piece_type] if shot not in there]
    unknown = [photo.name for photo in usable if photo.shot is None]
    findings = [
        finding("framing", f"shot-{shot}", Severity.WARN, measured=0, limit=1, unit="usable photos") for shot in missing
    ]
    if unknown and missing:
        findings.append(
            finding("framing", "shot-unknown", Severity.NOTE, measured=len(unknown), limit=0, unit="photos")
        )
    return findings, {
        "piece_type": piece_type,
        "photos": [
            {"photo": photo.name, "shot": photo.shot, "blocks": photo.blocks, "warnings": photo.warnings}
            for photo in photos
        ],
        "missing": list(missing),
        "ask": [{"photo": name, "which": sorted({*WANTED[piece_type], Shot.ON_HAND})} for name in unknown],
        "repeated": [_best(group) for group in groups(photos) if len(group) > 1],
    }


def groups(photos: Sequence[Seen]) -> list[list[Seen]]:
    """The photos by view: repeated and bracketed exposures lie together."""
    made: list[list[Seen]] = []
    for photo in photos:
        home = next((group for group in made if distance(group[0].view, photo.view) <= _SAME_VIEW), None)
        if home is None:
            made.append([photo])
        else:
            home.append(photo)
    return made


def best_first(group: Sequence[Seen]) -> list[Seen]:
    """Fewest faults first, then the least clipped piece, then the sharpest one."""
    return sorted(group, key=lambda p: (p.blocks, p.warnings, round(p.clipped, 2), round(p.blur_px, 1), p.name))


def _best(group: Sequence[Seen]) -> dict[str, Any]:
    """The best of several, and why."""
    ranked = best_first(group)
    best, next_best = ranked[0], ranked[1]
    if (best.blocks, best.warnings) != (next_best.blocks, next_best.warnings):
        why = (
            f"{best.blocks} blocking faults and {best.warnings} warnings, "
            f"{next_best.blocks} and {next_best.warnings} in the next"
        )
    elif round(best.clipped, 2) != round(next_best.clipped, 2):
        why = f"{100 * best.clipped:.0f} % of the piece burnt out, {100 * next_best.clipped:.0f} % in the next"
    elif round(best.blur_px, 1) != round(next_best.blur_px, 1):
        why = f"edges {best.blur_px:.1f} px wide, {next_best.blur_px:.1f} px in the next"
    else:
        why = "alike in every measure: the first by name"
    return {"best": best.name, "others": [photo.name for photo in ranked[1:]], "why": why}
