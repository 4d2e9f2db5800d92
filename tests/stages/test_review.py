"""The gate as values: the table of moves, four eyes, and what an approval rests on."""

from __future__ import annotations

import pytest

from vitrina.errors import Conflict, NotAllowed, UsageError
from vitrina.stages import review
from vitrina.stages.review import Decision, Move, State

BASIS = {"facts": {"pieces": 1}, "factory": "A", "stone_batch": "7", "source": "s1", "packs": {"kaspi": "1"}}
NAMES = {"master": "d1"}


def says(person: str, approves: bool, names: dict[str, str] | None = None) -> Decision:
    return Decision(person, approves, names or NAMES, BASIS)


def warn(check: str) -> dict[str, str]:
    return {"check": check, "severity": "warn"}


def test_only_a_persons_approval_leads_to_the_states_that_may_be_exported() -> None:
    leads = {(state, by) for (state, by), to in review.MOVES.items() if to is State.APPROVED}
    assert leads == {(State.IN_REVIEW, Move.APPROVE)}
    for (state, by), to in review.MOVES.items():
        if to in (State.EXPORTED, State.PUBLISHED):
            assert state in review.LIVE and by in (Move.EXPORT, Move.PUBLISH)


def test_nothing_leaves_the_last_states_but_by_being_made_anew() -> None:
    assert not [move for state, move in review.MOVES if state is State.SUPERSEDED]
    assert {move for state, move in review.MOVES if state is State.REJECTED} == {Move.SUPERSEDE}


def test_a_move_that_is_not_in_the_table_is_refused_with_those_that_are() -> None:
    with pytest.raises(Conflict, match=r"is draft: it cannot approve. Moves from here: check, supersede, void"):
        review.move(State.DRAFT, Move.APPROVE, what="RING-1 variant 1")


@pytest.mark.parametrize(
    ("found", "piece_type", "top", "position", "reasons"),
    [
        ([], "ring", False, None, ()),
        ([warn("stones")], "ring", False, None, ("the program is in doubt about the stones",)),
        ([warn("metal"), warn("edges")], "ring", False, None, ("the program is in doubt about the metal",)),
        ([warn("edges"), warn("framing"), warn("rules")], "ring", False, None, ()),
        ([{"check": "stones", "severity": "note"}], "ring", False, None, ()),
        ([], "set", False, None, ("a set",)),
        ([], "ring", True, None, ("a top SKU",)),
        ([], "ring", False, 4, ()),
        ([], "ring", False, 10, ("spot check: every 5. SKU of a batch",)),
    ],
)
def test_a_second_look_is_required(
    found: list[dict[str, str]], piece_type: str, top: bool, position: int | None, reasons: tuple[str, ...]
) -> None:
    asked = review.second_look(found, piece_type=piece_type, is_top=top, batch_position=position, every=5)
    assert asked == reasons


def test_with_four_eyes_the_first_verdict_settles_nothing_and_disagreement_rejects() -> None:
    assert review.outcome([], needs_second=False) is None
    assert review.outcome([says("Rita", True)], needs_second=False) is Move.APPROVE
    assert review.outcome([says("Rita", True)], needs_second=True) is None
    assert review.outcome([says("Rita", False)], needs_second=True) is None
    assert review.outcome([says("Rita", True), says("Rob", True)], needs_second=True) is Move.APPROVE
    assert review.outcome([says("Rita", True), says("Rob", False)], needs_second=True) is Move.REJECT
    assert review.outcome([says("Rita", False), says("Rob", False)], needs_second=True) is Move.REJECT


def prove(decisions: list[Decision], **changed: object) -> review.Approved:
    given = {"state": State.APPROVED, "names": NAMES, "basis": BASIS, "needs_second": False, "what": "R", **changed}
    return review.approved(decisions, **given)  # type: ignore[arg-type]


def test_the_proof_needs_as_many_people_as_the_policy_and_exactly_these_bytes() -> None:
    assert prove([says("Rita", True)]).by == ("Rita",)
    with pytest.raises(NotAllowed, match="1 of 2 approvals"):
        prove([says("Rita", True)], needs_second=True)
    with pytest.raises(NotAllowed, match="1 of 2 approvals"):
        prove([says("Rita", True), says("Rita", True)], needs_second=True)
    with pytest.raises(NotAllowed, match="0 of 1 approvals"):
        prove([says("Rita", True, {"master": "another"})])
    with pytest.raises(NotAllowed, match="Rob rejects it"):
        prove([says("Rita", True), says("Rob", False)])
    with pytest.raises(NotAllowed, match="is in review: the approval of a reviewer is lacking"):
        prove([says("Rita", True)], state=State.IN_REVIEW)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"factory": "B"}, "the factory changed from A to B"),
        ({"stone_batch": "8"}, "the stone batch changed from 7 to 8"),
        ({"facts": {"pieces": 2}}, "the fact pieces changed from 1 to 2"),
        ({"facts": {"pieces": 1, "clasp": "hook"}}, "the fact clasp changed from nothing to hook"),
        ({"source": ""}, "the source photo was replaced"),
        ({"packs": {"kaspi": "2"}}, "the rules of kaspi changed from version 1 to 2"),
    ],
)
def test_what_an_approval_rests_on_may_not_change(change: dict[str, object], words: str) -> None:
    assert review.changes(BASIS, {**BASIS, **change}) == [words]
    with pytest.raises(NotAllowed, match=words):
        prove([says("Rita", True)], basis={**BASIS, **change})
    assert review.changes(BASIS, dict(BASIS)) == []


def test_a_checklist_asks_the_five_lines_the_types_and_each_part() -> None:
    lines = review.checklist("set", parts=("ring", "necklace"), is_sample=True, extra={"card": "The card is there."})
    assert list(lines)[:5] == list(review.FIVE_LINES)
    assert {"parcel", "part-1", "part-2", "compared", "card"} <= set(lines)
    assert "compared" not in review.checklist("ring")
    with pytest.raises(NotAllowed, match=r"has not answered 1 of 6 checklist lines for R: hole"):
        review.require_answers(review.checklist("ring"), list(review.FIVE_LINES), person="Rita", code="R")


def test_reviewers_look_once_and_not_at_their_own_edits() -> None:
    with pytest.raises(NotAllowed, match="A second reviewer, not the first"):
        review.require_reviewer("Rita", made_by="x", tool="vitrina", decided=["Rita"], needs_second=True)
    with pytest.raises(NotAllowed, match="another reviewer must decide"):
        review.require_reviewer("Rita", made_by="Rita", tool="Other", decided=[], needs_second=False)
    review.require_reviewer("Rita", made_by="Rita", tool="vitrina", decided=[], needs_second=False)


def test_a_reason_comes_from_the_short_list() -> None:
    assert review.require_reason("stones") == "stones"
    with pytest.raises(UsageError, match="choose one of stones"):
        review.require_reason("ugly")


def test_what_failures_share_is_told_with_its_share() -> None:
    failures = [
        {"factory": "A", "look": "white", "finding": ["metal/tone", "edges/halo"]},
        {"factory": "A", "look": "grey", "finding": ["metal/tone"]},
    ]
    assert review.shared_causes(failures) == ["factory A (2 of 2)", "finding metal/tone (2 of 2)"]
    assert review.shared_causes([]) == []
