"""The gate as values: states and moves in one table, the checklist, four eyes, and what an approval rests on.

Nothing here knows a database. `actions.gate` reads the records, asks these functions, and writes what they say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from vitrina.errors import Conflict, NotAllowed, UsageError
from vitrina.model import Digest


class State(StrEnum):
    """Where a variant stands."""

    DRAFT = "draft"
    CHECKED = "checked"
    IN_REVIEW = "in review"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPORTED = "exported"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"


class Move(StrEnum):
    """What takes a variant from one state to another."""

    CHECK = "check"
    SUBMIT = "submit"
    APPROVE = "approve"
    REJECT = "reject"
    EXPORT = "export"
    PUBLISH = "publish"
    VOID = "void"
    SUPERSEDE = "supersede"


MOVES: Mapping[tuple[State, Move], State] = {
    (State.DRAFT, Move.CHECK): State.CHECKED,
    (State.CHECKED, Move.CHECK): State.CHECKED,
    (State.CHECKED, Move.SUBMIT): State.IN_REVIEW,
    (State.IN_REVIEW, Move.APPROVE): State.APPROVED,
    (State.IN_REVIEW, Move.REJECT): State.REJECTED,
    (State.APPROVED, Move.REJECT): State.REJECTED,
    (State.EXPORTED, Move.REJECT): State.REJECTED,
    (State.PUBLISHED, Move.REJECT): State.REJECTED,
    (State.APPROVED, Move.EXPORT): State.EXPORTED,
    (State.EXPORTED, Move.EXPORT): State.EXPORTED,
    (State.PUBLISHED, Move.EXPORT): State.PUBLISHED,
    (State.EXPORTED, Move.PUBLISH): State.PUBLISHED,
    (State.PUBLISHED, Move.PUBLISH): State.PUBLISHED,
    **{
        (state, Move.VOID): State.DRAFT
        for state in (State.DRAFT, State.CHECKED, State.IN_REVIEW, State.APPROVED, State.EXPORTED, State.PUBLISHED)
    },
    **{(state, Move.SUPERSEDE): State.SUPERSEDED for state in State if state is not State.SUPERSEDED},
}
"""Every move there is. What is not here cannot happen."""

LIVE = (State.APPROVED, State.EXPORTED, State.PUBLISHED)
"""The states that rest on a person's approval."""

REASONS = (
    "stones",
    "metal",
    "chain",
    "clasp",
    "parts",
    "edges",
    "background",
    "text",
    "glare",
    "texture",
    "framing",
    "colour",
    "source",
    "rules",
    "other",
)
"""The short list a rejection chooses from; words go beside it."""

FIVE_LINES: Mapping[str, str] = {
    "stones": "Stones and metal match the piece: number, colour, tone.",
    "chain": "The chain has no breaks and no doubled links.",
    "edges": "The edges were checked at high zoom.",
    "background": "The main background is neutral; no text, no logo.",
    "rules": "The marketplace's rules were checked by hand.",
}

COMPARED = {"compared": "The picture was compared with the piece itself."}
"""The sample check: asked whenever a second look is required."""

DOUBTS = ("stones", "metal")
"""The families of findings on which one pair of eyes is not enough."""

TYPE_LINES: Mapping[str, Mapping[str, str]] = {
    "ring": {"hole": "The inside of the ring is open; hallmark and engraving are as on the piece."},
    "earrings": {"pair": "Both earrings are there with their wires or posts."},
    "necklace": {"clasp": "The clasp and the link pattern are those of the piece."},
    "chain": {"clasp": "The clasp and the link pattern are those of the piece."},
    "bracelet": {"clasp": "The clasp and the link pattern are those of the piece."},
    "pendant": {"bail": "The bail is whole and hangs as on the piece."},
    "brooch": {"pin": "The pin's side is not shown as the front."},
    "set": {"parcel": "The picture shows exactly what ships together."},
    "other": {},
}
"""Lines of their own per piece type; its keys are the piece types there are."""


def move(state: State, by: Move, *, what: str) -> State:
    """Where `by` takes a variant that is in `state`; raises Conflict naming the moves that there are."""
    if (state, by) not in MOVES:
        there = ", ".join(sorted(m.value for s, m in MOVES if s is state)) or "none"
        raise Conflict(f"{what} is {state.value}: it cannot {by.value}. Moves from here: {there}.")
    return MOVES[state, by]


def checklist(
    piece_type: str, *, parts: Sequence[str] = (), is_sample: bool = False, extra: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The lines a person answers yes to, by short name: five, the type's, one per part of a set, the line's own."""
    per_part = {
        f"part-{number}": f"This part is there and right: {part}." for number, part in enumerate(parts, start=1)
    }
    return {
        **FIVE_LINES,
        **TYPE_LINES.get(piece_type, {}),
        **per_part,
        **(COMPARED if is_sample else {}),
        **(extra or {}),
    }


def second_look(
    findings: Iterable[Mapping[str, Any]], *, piece_type: str, is_top: bool, batch_position: int | None, every: int
) -> tuple[str, ...]:
    """Why a second reviewer is required, in words; empty when one is enough.

    Of the program's `findings` only those about stones or metal ask for it: a warning that the piece is small in the
    frame is seen by one person as well as by two. `batch_position` counts from 1; every `every`-th SKU of a batch is a
    sample (0: none).
    """
    doubted = {finding["check"] for finding in findings if finding["severity"] != "note"}
    reasons = [f"the program is in doubt about the {check}" for check in DOUBTS if check in doubted]
    if piece_type == "set":
        reasons.append("a set")
    if is_top:
        reasons.append("a top SKU")
    if batch_position is not None and every > 0 and batch_position % every == 0:
        reasons.append(f"spot check: every {every}. SKU of a batch")
    return tuple(reasons)


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's judgement of exact bytes. `names` maps what was judged ("master", "kaspi/main/FILE") to its digest."""

    person: str
    approves: bool
    names: Mapping[str, str]
    basis: Mapping[str, Any]


def outcome(decisions: Sequence[Decision], *, needs_second: bool) -> Move | None:
    """What the live decisions of one variant come to; None while a second reviewer is awaited.

    With four eyes both verdicts are always awaited, or a waiting picture would tell the second reviewer that the first
    approved. Disagreement is a rejection.
    """
    people = {decision.person for decision in decisions}
    if not people or (needs_second and len(people) < 2):
        return None
    return Move.APPROVE if all(decision.approves for decision in decisions) else Move.REJECT


def require_reviewer(person: str, *, made_by: str, tool: str, decided: Sequence[str], needs_second: bool) -> None:
    """Raise NotAllowed when `person` may not decide on this picture whatever their role."""
    if person in decided:
        more = " A second reviewer, not the first, must look." if needs_second else ""
        raise NotAllowed(f"{person} has decided on this picture already.{more}")
    if tool != "vitrina" and person == made_by:
        raise NotAllowed(f"{person} brought this picture in ({tool}): another reviewer must decide on it.")


def require_answers(lines: Mapping[str, str], yes: Sequence[str], *, person: str, code: str) -> None:
    """Raise NotAllowed listing the checklist lines that `person` has not answered yes for these bytes."""
    missing = [line for line in lines if line not in yes]
    if missing:
        raise NotAllowed(
            f"{person} has not answered {len(missing)} of {len(lines)} checklist lines for {code}: "
            f"{', '.join(missing)}. "
            f"Look, then: vitrina review answer {code} {' '.join(missing)}"
        )


def require_reason(reason: str) -> str:
    """`reason` when it is on the short list."""
    if reason not in REASONS:
        raise UsageError(f"--reason {reason!r}: choose one of {', '.join(REASONS)}; say more with --words.")
    return reason


@dataclass(frozen=True, slots=True)
class Approved:
    """The proof that export asks for. Only `approved` makes it."""

    names: Mapping[str, Digest]
    by: tuple[str, ...]


def approved(
    decisions: Sequence[Decision],
    *,
    state: State,
    names: Mapping[str, str],
    basis: Mapping[str, Any],
    needs_second: bool,
    what: str,
) -> Approved:
    """The proof that exactly the bytes `names`, resting on `basis`, were approved by as many people as are required.

    Raises NotAllowed saying which approval is lacking.
    """
    needed = 2 if needs_second else 1
    if state not in LIVE:
        raise NotAllowed(
            f"{what} is {state.value}: the approval of {'two reviewers' if needed == 2 else 'a reviewer'} is lacking."
        )
    people = tuple(dict.fromkeys(d.person for d in decisions if d.approves and dict(d.names) == dict(names)))
    if len(people) < needed:
        raise NotAllowed(
            f"{what}: {len(people)} of {needed} approvals name exactly these bytes; "
            f"{'a second reviewer' if people else 'a reviewer'} is lacking."
        )
    for decision in decisions:
        reasons = changes(decision.basis, basis)
        if reasons:
            raise NotAllowed(f"{what}: approved before {reasons[0]}. It must be checked and approved again.")
        if not decision.approves:
            raise NotAllowed(f"{what}: {decision.person} rejects it.")
    return Approved({name: Digest(digest) for name, digest in names.items()}, people)


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What has changed between two bases, in words; empty when an approval still rests on what it rested on.

    A basis has the keys facts (a table), factory, stone_batch, source (a digest) and packs (versions by marketplace).
    """
    said = []
    for key, name in (("factory", "the factory"), ("stone_batch", "the stone batch")):
        if before.get(key) != now.get(key):
            said.append(f"{name} changed from {before.get(key) or 'none'} to {now.get(key) or 'none'}")
    facts = (before.get("facts", {}), now.get("facts", {}))
    for key in sorted({*facts[0], *facts[1]}):
        if facts[0].get(key) != facts[1].get(key):
            said.append(f"the fact {key} changed from {_in_words(facts[0].get(key))} to {_in_words(facts[1].get(key))}")
    if before.get("source") != now.get("source"):
        said.append("the source photo was replaced")
    packs = (before.get("packs", {}), now.get("packs", {}))
    for market in sorted({*packs[0], *packs[1]}):
        if packs[0].get(market) != packs[1].get(market):
            said.append(
                f"the rules of {market} changed from version {packs[0].get(market) or 'none'} "
                f"to {packs[1].get(market) or 'none'}"
            )
    return said


def shared_causes(failures: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the failures of a batch have in common, most telling first: each mapping is one failure's facts."""
    if not failures:
        return []
    said = []
    for key in dict.fromkeys(key for failure in failures for key in failure):
        values = [value for failure in failures for value in _listed(failure.get(key))]
        for value in sorted(set(values), key=lambda v: (-values.count(v), v)):
            share = sum(value in _listed(failure.get(key)) for failure in failures)
            if value and (share >= 2 or len(failures) == 1):
                said.append(f"{key} {value} ({share} of {len(failures)})")
    return said


def _listed(value: Any) -> list[str]:
    if value is None or value == "":
        return []
    return sorted({str(item) for item in value}) if isinstance(value, list | tuple | set) else [str(value)]


def _in_words(value: Any) -> str:
    return "nothing" if value in (None, "", [], {}) else str(value)
