"""The same photo found again: the same bytes or not, encoded, resized, lightened or mirrored anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from vitrina.imaging.likeness import as_words, bits_apart, photo_print
from vitrina.model import Finding, Severity, Source
from vitrina.stages.intake.advice import finding

SAME_PHOTO_BITS = 40
"""Bits of 256 in which a photo's print may differ from its copy's: encoded, resized or lightened anew copies differ in
up to 30, turned by a degree in up to 37; photos of different pieces on one stand differ in 78 and more."""
_SHOWN = 5


def print_of(source: Source) -> str:
    """The print of a photo; empty when it has no shape that one could be taken of."""
    return photo_print(source.rgb)


def find_copies(taken: str, others: str) -> list[str]:
    """Which of the prints `others`, written one after the other, are of the same photo as the print `taken`; each once,
    the most alike first."""
    words = as_words(others)
    apart = bits_apart(as_words(taken)[0], words)
    near = np.flatnonzero(apart <= SAME_PHOTO_BITS)
    return list(dict.fromkeys(words[at].tobytes().hex() for at in near[np.argsort(apart[near], kind="stable")]))


def find_all_copies(prints: Sequence[str], owners: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Every two prints of the same photo that different owners have: two places in the list, and the bits between."""
    words, whose = as_words("".join(prints)), np.asarray(owners)
    for at in range(len(words) - 1):
        apart = bits_apart(words[at], words[at + 1 :])
        for near in np.flatnonzero((apart <= SAME_PHOTO_BITS) & (whose[at + 1 :] != whose[at])):
            yield at, at + 1 + int(near), int(apart[near])


def check_copies(codes: Sequence[str], unknown: int) -> list[Finding]:
    """The SKUs under which the same photo stands, and how many photos could not be compared."""
    found = []
    if codes:
        shown = ", ".join(codes[:_SHOWN]) + (f" (+{len(codes) - _SHOWN})" if len(codes) > _SHOWN else "")
        found.append(finding("rights", "same-photo", Severity.WARN, measured=shown, limit="this SKU alone", unit="SKU"))
    if unknown:
        found.append(finding("rights", "likeness-unknown", Severity.NOTE, measured=unknown, limit=0, unit="photos"))
    return found
