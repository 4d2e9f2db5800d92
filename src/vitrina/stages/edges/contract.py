"""What a piece's type promises of its cutout: how many parts, and whether one of them is open in the middle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from vitrina.errors import UsageError
from vitrina.model import Alpha, Finding, Part, Region, Severity

_BY_ITSELF = 0.05
"""Share of the largest part from which another one is a piece of jewelry and no loose prong or bead."""


@dataclass(frozen=True, slots=True)
class Contract:
    """`parts` (least, most) objects; at least `opening` of the largest part's box is daylight in one hole."""

    parts: tuple[int, int | None]
    opening: float = 0.0
    why: str = ""


CONTRACTS: Mapping[str, Contract] = {
    "ring": Contract((1, 1), 0.01, "the inside of a ring"),
    "earrings": Contract((2, 2)),
    "necklace": Contract((1, 1), 0.1, "the inside of a closed chain"),
    "chain": Contract((1, 1), 0.1, "the inside of a closed chain"),
    "bracelet": Contract((1, 1), 0.05, "the inside of a closed bracelet"),
    "pendant": Contract((1, 1)),
    "brooch": Contract((1, 1)),
    "set": Contract((2, None)),
    "other": Contract((1, None)),
}
"""By the catalogue's piece types."""


def check_contract(alpha: Alpha, parts: tuple[Part, ...], piece_type: str) -> list[Finding]:
    """What the cutout's parts and openings lack or have too much of; asks a person, since a view may hide both.

    Raises UsageError for a type that there is not.
    """
    if piece_type not in CONTRACTS:
        raise UsageError(f"piece type {piece_type!r}: there are {', '.join(CONTRACTS)}.")
    if not parts:
        return []
    contract = CONTRACTS[piece_type]
    findings = []
    objects = [part for part in parts if part.area_px >= _BY_ITSELF * parts[0].area_px]
    least, most = contract.parts
    if len(objects) < least or (most is not None and len(objects) > most):
        wanted = f"{least}" if most == least else f"{least} or more"
        findings.append(
            Finding(
                "pieces", "parts-unlike-type", Severity.WARN, len(objects), least, "parts",
                f"{len(objects)} separate part(s) were cut out, {wanted} expected of: {piece_type}. Look for a chain "
                "cut in two, a part left out, or something that is not the piece; mend it with --keep and --drop.",
                _around(objects),
            )
        )  # fmt: skip
    opened = _opening(alpha, parts[0].region)
    if contract.opening and opened < contract.opening:
        findings.append(
            Finding(
                "edges", "opening-closed", Severity.WARN, opened, contract.opening, "of the part's box",
                f"No open daylight of {100 * contract.opening:.0f} % shows in {contract.why} (found "
                f"{100 * opened:.1f} %). Open it with a --drop stroke, unless this view does not show it.",
                parts[0].region,
            )
        )  # fmt: skip
    return findings


def _around(parts: list[Part]) -> Region:
    left, top = min(p.region.x for p in parts), min(p.region.y for p in parts)
    right = max(p.region.x + p.region.width for p in parts)
    bottom = max(p.region.y + p.region.height for p in parts)
    return Region(left, top, right - left, bottom - top)


def _opening(alpha: Alpha, box: Region) -> float:
    """The largest enclosed daylight inside `box` as a share of the box."""
    inside = np.pad(alpha[box.slices] > 0.5, 1).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(1 - inside, connectivity=4)
    outside = labels[0, 0]
    areas = [int(stats[k, cv2.CC_STAT_AREA]) for k in range(1, count) if k != outside]
    return max(areas, default=0) / (box.width * box.height)
