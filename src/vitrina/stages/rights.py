"""Whose photo it is: who took it, and under which right it is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from vitrina.errors import UsageError
from vitrina.model import Finding, Severity
from vitrina.stages.intake.advice import finding

MAX_TEXT = 300


class Right(StrEnum):
    """Under which right a photo is used."""

    OWN = "own"
    """Taken by the seller."""
    COMMISSIONED = "commissioned"
    """Taken by a photographer for the seller, who holds the rights."""
    LICENSED = "licensed"
    """A supplier's, with a licence for commercial use."""
    SUPPLIER = "supplier"
    """A supplier's, without one: refused."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What was said of a photo; without a `right` nothing was."""

    right: Right | None = None
    taken_by: str = ""
    licence: str = ""

    def as_dict(self) -> dict[str, str | None]:
        return {"right": self.right, "taken_by": self.taken_by, "licence": self.licence}

    def taken_by_default(self, person: str) -> Rights:
        """The same; a photo of one's own is by `person` where nobody else is named."""
        is_own = self.right is Right.OWN and not self.taken_by
        return Rights(self.right, person, self.licence) if is_own else self

    @property
    def refusal(self) -> str:
        """Why such a photo is not taken; empty when it is."""
        if self.right is not Right.SUPPLIER:
            return ""
        whose = f" of {self.taken_by}" if self.taken_by else ""
        return (
            f"photos{whose} without a commercial right are not taken (right: supplier; own, commissioned or licensed "
            "are). Ask for a licence and name it with --right licensed --licence, or photograph the piece yourself."
        )


UNSTATED = Rights()


def stated(right: str = "", taken_by: str = "", licence: str = "") -> Rights:
    """The rights that somebody states; raises UsageError for what is unknown or incomplete."""
    words = {"taken-by": taken_by.strip(), "licence": licence.strip()}
    for name, text in words.items():
        if len(text) > MAX_TEXT or not text.isprintable():
            raise UsageError(f"--{name}: at most {MAX_TEXT} printable characters are wanted.")
    if not right.strip():
        if any(words.values()):
            raise UsageError("--taken-by and --licence go with --right: own, commissioned, licensed or supplier.")
        return UNSTATED
    try:
        which = Right(right.strip().lower())
    except ValueError:
        raise UsageError(f"--right {right!r}: there are {', '.join(Right)}.") from None
    if which in (Right.COMMISSIONED, Right.LICENSED) and not words["taken-by"]:
        raise UsageError(f"--right {which}: say who took the photo: --taken-by NAME.")
    if which is Right.LICENSED and not words["licence"]:
        raise UsageError('--right licensed: say where the licence is written: --licence "contract 12 of 2026-03-01".')
    return Rights(which, words["taken-by"], words["licence"])


def from_dict(said: Mapping[str, Any] | None) -> Rights:
    """Rights as a document has them."""
    said = said or {}
    right = said.get("right")
    return Rights(Right(right) if right else None, str(said.get("taken_by") or ""), str(said.get("licence") or ""))


def check_rights(rights: Rights) -> list[Finding]:
    """A note where nobody said whose photo it is."""
    if rights.right is not None:
        return []
    taken = ", ".join((Right.OWN, Right.COMMISSIONED, Right.LICENSED))
    return [finding("rights", "rights-unstated", Severity.NOTE, measured="unstated", limit=taken, unit="right")]
