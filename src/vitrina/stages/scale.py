"""What a photo with the scale card in it tells: millimetres, white balance, and lengths held against the facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from vitrina.imaging.lengths import length_of, midline, ring_diameters
from vitrina.imaging.scale_card import FoundCard, find_card, white_balance
from vitrina.model import Alpha, Finding, Mask, Region, Severity, Source

_PX_PER_MM = 6.0
"""Scale at which shapes are measured on the card's plane."""
_LONGEST_PX = 3000


@dataclass(frozen=True, slots=True)
class ScaleLimits:
    """What a measurement may differ by before a person looks."""

    error_mm: float = 0.4
    """RMS of the markers' corners: a bent card, or one printed in another size in one direction."""
    tilt_degrees: float = 40.0
    """Beyond this a piece's own height shifts what is measured by more than a tenth of it."""
    length_share: float = 0.03
    """Of the chain's length; chains hang and bend, and stand a little above the card."""
    diameter_mm: float = 0.5
    """A ring size is 0.4 mm of inner diameter (a half US size)."""


LIMITS = ScaleLimits()


@dataclass(frozen=True, slots=True)
class Promised:
    """What the description says, mm; None where it says nothing."""

    chain_length_mm: float | None = None
    inner_diameter_mm: float | None = None


def measure(
    source: Source, piece: Alpha, *, promised: Promised = Promised(), limits: ScaleLimits = LIMITS
) -> tuple[list[Finding], dict[str, Any]]:
    """Findings and measures of a photo with the card in it. `piece` is evidence 0…1 of where the piece is, at any size.

    Everything is measured on the card's plane, which takes the tilt out; what stands above it comes out a little large.
    """
    card = find_card(source.rgb)
    if card is None:
        return [
            _finding("no-card", Severity.WARN, "fewer than 3 markers", "3 markers", "markers",
                     "The scale card was not found: fewer than 3 of its 5 markers show, 3 needed. "
                     "Lay the whole card beside the piece, flat and in focus.")
        ], {}  # fmt: skip
    middle = (source.size.width / 2, source.size.height / 2)
    measures: dict[str, Any] = {
        "mm_per_px": card.mm_per_px(*middle), "markers": card.markers, "card_error_mm": card.error_mm,
        "tilt_degrees": card.tilt_degrees,
    }  # fmt: skip
    findings = _of_card(card, limits)
    neutral = white_balance(source.rgb, card)
    measures |= {
        "white_balance": None if neutral is None else list(neutral.gains),
        "cast": None if neutral is None else neutral.cast,
    }
    if neutral is None:
        findings.append(
            _finding("no-neutral", Severity.NOTE, "none", "2 patches", "patches",
                     "The card's grey patches are covered, clipped or out of the frame: "
                     "the white balance was not measured.")
        )  # fmt: skip
    flat = _on_plane(source, piece, card)
    if flat is not None:
        findings += _lengths(*flat, promised, limits, measures)
    return findings, measures


def _of_card(card: FoundCard, limits: ScaleLimits) -> list[Finding]:
    findings = []
    if card.error_mm > limits.error_mm:
        findings.append(
            _finding("card-bent", Severity.WARN, card.error_mm, limits.error_mm, "mm",
                     f"The card's markers lie {card.error_mm:.1f} mm from where they belong, {limits.error_mm} mm "
                     "allowed: it is bent or was not printed at 100 %. Lay it flat, or print it again.")
        )  # fmt: skip
    if card.tilt_degrees > limits.tilt_degrees:
        findings.append(
            _finding("card-tilted", Severity.WARN, card.tilt_degrees, limits.tilt_degrees, "degrees",
                     f"The photo was taken {card.tilt_degrees:.0f}° off the card's upright, "
                     f"{limits.tilt_degrees:.0f}° allowed. Hold the phone straight above it.")
        )  # fmt: skip
    return findings


def _on_plane(source: Source, piece: Alpha, card: FoundCard) -> tuple[Mask, float] | None:
    """The piece as seen from straight above, without the card's own print, and its pixels per millimetre."""
    size = source.size
    evidence = np.asarray(cv2.resize(piece, (size.width, size.height), interpolation=cv2.INTER_LINEAR), np.float32)
    evidence[card.print_mask(evidence.shape)] = 0
    box = Region.around(evidence > 0.5)
    if box is None:
        return None
    edges = [
        (box.x, box.y),
        (box.x + box.width, box.y),
        (box.x, box.y + box.height),
        (box.x + box.width, box.y + box.height),
    ]
    places = card.place(np.array(edges, np.float64))
    low, high = places.min(axis=0) - 2, places.max(axis=0) + 2
    scale = min(_PX_PER_MM, _LONGEST_PX / float((high - low).max()))
    width, height = (int(np.ceil(extent * scale)) for extent in high - low)
    shift = np.array([[scale, 0, -scale * low[0]], [0, scale, -scale * low[1]], [0, 0, 1.0]])
    flat = cv2.warpPerspective(evidence, shift @ card.to_mm, (width, height), flags=cv2.INTER_LINEAR)
    return np.asarray(flat > 0.5, bool), scale


def _lengths(
    flat: Mask, scale: float, promised: Promised, limits: ScaleLimits, measures: dict[str, Any]
) -> list[Finding]:
    findings = []
    rings = ring_diameters(flat)
    if rings is not None:
        measures |= {"inner_diameter_mm": rings[0] / scale, "outer_diameter_mm": rings[1] / scale}
    path, is_closed = midline(flat, close_px=round(1.2 * scale))
    measures |= {"midline_mm": length_of(path, is_closed=is_closed) / scale, "is_closed": is_closed}
    if promised.chain_length_mm is not None:
        measured, allowed = measures["midline_mm"], limits.length_share * promised.chain_length_mm
        if abs(measured - promised.chain_length_mm) > allowed:
            findings.append(
                _finding("length-differs", Severity.WARN, measured, promised.chain_length_mm, "mm",
                         f"The chain measures {measured:.0f} mm, described are {promised.chain_length_mm:.0f} mm "
                         f"({allowed:.0f} mm of difference allowed). Lay it out in one curve and measure again, "
                         "or mend the description.", check="chain")
            )  # fmt: skip
    if promised.inner_diameter_mm is not None:
        if rings is None:
            findings.append(
                _finding("no-ring", Severity.NOTE, "none", promised.inner_diameter_mm, "mm",
                         "No ring lies flat on the card: its inner diameter was not measured. Lay it on its side.")
            )  # fmt: skip
        elif abs(rings[0] / scale - promised.inner_diameter_mm) > limits.diameter_mm:
            measured = rings[0] / scale
            findings.append(
                _finding("diameter-differs", Severity.WARN, measured, promised.inner_diameter_mm, "mm",
                         f"The ring measures {measured:.1f} mm inside, the description says "
                         f"{promised.inner_diameter_mm:.1f} mm ({limits.diameter_mm} mm of difference allowed). "
                         "Lay it flat in the middle of the card and measure again, or mend the description.")
            )  # fmt: skip
    return findings


def _finding(
    code: str, severity: Severity, measured: float | str, limit: float | str, unit: str, message: str,
    *, check: str = "geometry",
) -> Finding:  # fmt: skip
    return Finding(check, code, severity, measured, limit, unit, message)
