"""The gate: the queue, the checklist, approvals and rejections, planted faults, held batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitrina.actions.announce import DECIDED, announce
from vitrina.actions.house import House, actor, log, sku_called
from vitrina.actions.pictures import OURS, add_variant, chosen, photo_of, refresh, what_is
from vitrina.errors import Conflict, Missing, UsageError
from vitrina.files import read_bytes
from vitrina.model import Verdict
from vitrina.stages import review
from vitrina.stages.catalogue import parts_of
from vitrina.stages.review import Move, State
from vitrina.store import Connection, Row, batches, decisions, people, pictures, skus


def queue(house: House, *, limit: int = 50, after: int = 0) -> dict[str, Any]:
    """What waits for the person at the desk. It does not tell whether anybody has decided already."""
    with house.store.reading() as conn:
        person = actor(conn, house, "review.decide")
        rows = decisions.queue(conn, person=person, limit=limit, after=after)
        shown = {row.id: shown_digest(conn, row) for row in rows}
    waiting = [
        {
            "sku": row.code,
            "title": row.title,
            "variant": row.number,
            "look": row.look,
            "tool": row.tool,
            "verdict": row.verdict,
            "digest": row.digest,
            "shown": shown[row.id],
            "since": row.changed_at,
            "second_look": row.second_look,
        }
        for row in rows
    ]
    more = rows[-1].id if len(rows) == limit else None
    return {"schema": "vitrina.review-queue/1", "person": person, "waiting": waiting, "next_after": more}


def show_checklist(house: House, code: str, *, number: int | None = None) -> dict[str, Any]:
    """The lines that the person at the desk must answer for what is in review, and what they have answered."""
    with house.store.reading() as conn:
        person = actor(conn, house, "review.decide")
        sku = sku_called(conn, code)
        told = []
        for variant in chosen(conn, sku, number, (State.IN_REVIEW,)):
            given = decisions.answered(conn, variant.id, person=person, digest=variant.digest)
            lines = _lines(sku, variant)
            told.append(
                {
                    "variant": variant.number,
                    "digest": variant.digest,
                    "lines": [{"line": k, "asks": text, "answer": given.get(k)} for k, text in lines.items()],
                }
            )
    return {"schema": "vitrina.checklist/1", "sku": code, "person": person, "variants": told}


def answer(house: House, code: str, lines: Sequence[str], *, yes: bool, number: int | None = None) -> dict[str, Any]:
    """Answer checklist lines, for exactly the bytes that are in review."""
    with house.store.writing() as conn:
        person = actor(conn, house, "review.decide")
        sku = sku_called(conn, code)
        for variant in chosen(conn, sku, number, (State.IN_REVIEW,)):
            known = _lines(sku, variant)
            for line in lines:
                if line not in known:
                    raise UsageError(f"{line!r} is no line of {code}'s checklist: {', '.join(known)}.")
                decisions.answer(
                    conn, variant.id, person=person, digest=variant.digest, line=line, yes=yes, at=house.now()
                )
            log(
                conn,
                house,
                person,
                "review.answer",
                f"sku/{code}",
                digests=(variant.digest,),
                details={"variant": variant.number, "lines": list(lines), "yes": yes},
            )
    return show_checklist(house, code, number=number)


def approve(house: House, code: str, *, number: int | None = None, words: str = "") -> dict[str, Any]:
    """Approve the exact bytes of what is in review."""
    return _decide(house, code, number, _Judged(True, "", words))


def reject(house: House, code: str, *, reason: str, number: int | None = None, words: str = "") -> dict[str, Any]:
    """Reject what is in review, or take back an approval."""
    return _decide(house, code, number, _Judged(False, review.require_reason(reason), words))


def plant(house: House, code: str, path: Path, *, fault: str, look: str = "white") -> dict[str, Any]:
    """Let a known-bad picture into the queue to see who notices. It can never be exported."""
    if not fault.strip():
        raise UsageError("--fault: say what is wrong with the picture.")
    from vitrina import steps

    data = read_bytes(path)
    steps.take_in(data, name=path.name)
    digest = house.works.put(data)
    with house.store.writing() as conn:
        person = actor(conn, house, "review.plant")
        sku = sku_called(conn, code)
        photo = photo_of([p for p in pictures.photos_of(conn, sku.id) if p.replaced_at is None], "", code)
        pictures.keep_blob(conn, digest, room="works", size=len(data), at=house.now())
        passing = {"verdict": Verdict.PASS.value, "findings": []}
        variant_id = add_variant(
            conn, house, OURS, sku, photo, digest=digest, look=look, tool=OURS, card=digest, document=passing
        )
        pictures.plant(conn, variant_id, fault=fault.strip(), state=State.IN_REVIEW)
        number = pictures.get_variant(conn, variant_id).number
        log(
            conn,
            house,
            person,
            "review.plant",
            f"sku/{code}",
            digests=(digest,),
            details={"variant": number, "fault": fault},
        )
    return {"schema": "vitrina.plant/1", "sku": code, "variant": number, "fault": fault, "verdict": "pass"}


def release(house: House, batch_id: int, *, words: str) -> dict[str, Any]:
    """Let a held batch go on, with the reason why."""
    if not words.strip():
        raise UsageError("--words: say what was done about the failures.")
    with house.store.writing() as conn:
        person = actor(conn, house, "batch.release")
        batch = batches.get(conn, batch_id)
        if batch is None:
            raise Missing(f"there is no batch {batch_id}.")
        if batch.state != "held":
            raise Conflict(f"batch {batch_id} is {batch.state}, not held.")
        batches.set_state(conn, batch_id, "open", reason="")
        log(conn, house, person, "batch.release", f"batch/{batch_id}", details={"was": batch.reason, "words": words})
    return {"schema": "vitrina.batch-release/1", "batch": batch_id, "state": "open", "verdict": "pass"}


def shown_digest(conn: Connection, variant: Row[Any]) -> str:
    """The picture by which a variant is shown: its first rendition, else itself."""
    made = pictures.renditions_of(conn, variant.id)
    return str(made[0].digest if made else variant.digest)


def names_of(conn: Connection, variant: Row[Any]) -> dict[str, str]:
    """Everything a decision about `variant` is a decision about: its master and each rendition, by digest."""
    made = pictures.renditions_of(conn, variant.id)
    return {"master": variant.digest, **{f"{r.market}/{r.slot}/{r.name}": r.digest for r in made}}


def live_decisions(conn: Connection, variant_id: int) -> list[review.Decision]:
    """The decisions that count, as values."""
    rows = decisions.of_variant(conn, variant_id)
    return [review.Decision(row.person, row.verdict == "approve", row.names, row.basis) for row in rows]


@dataclass(frozen=True, slots=True)
class _Judged:
    approves: bool
    reason: str
    words: str


def _decide(house: House, code: str, number: int | None, judged: _Judged) -> dict[str, Any]:
    with house.store.writing() as conn:
        person = actor(conn, house, "review.decide")
        told = refresh(conn, house, person, sku_called(conn, code))
    with house.store.writing() as conn:
        person = actor(conn, house, "review.decide")
        sku = sku_called(conn, code)
        states = (State.IN_REVIEW,) if judged.approves else (State.IN_REVIEW, *review.LIVE)
        try:
            found = chosen(conn, sku, number, states)
        except Conflict as error:
            raise Conflict(f"{error} {told[0]}" if told else str(error)) from error
        answers = [_decide_one(conn, house, person, sku, variant, judged) for variant in found]
    return {
        "schema": "vitrina.decision/1",
        "sku": code,
        "person": person,
        "decided": answers,
        "verdict": "pass" if judged.approves else "reject",
    }


def _decide_one(
    conn: Connection, house: House, person: str, sku: Row[Any], variant: Row[Any], judged: _Judged
) -> dict[str, Any]:
    needs_second = bool(variant.second_look)
    was = State(variant.state)
    what = what_is(sku.code, variant)
    if was is State.IN_REVIEW:
        decided = [decision.person for decision in live_decisions(conn, variant.id)]
        review.require_reviewer(
            person, made_by=variant.made_by, tool=variant.tool, decided=decided, needs_second=needs_second
        )
        if judged.approves:
            given = decisions.answered(conn, variant.id, person=person, digest=variant.digest)
            yes = [line for line, is_yes in given.items() if is_yes]
            review.require_answers(_lines(sku, variant), yes, person=person, code=sku.code)
    names = names_of(conn, variant)
    decisions.add(
        conn,
        variant_id=variant.id,
        sku_id=sku.id,
        person=person,
        verdict="approve" if judged.approves else "reject",
        digest=variant.digest,
        names=names,
        basis=variant.basis,
        reason=judged.reason,
        words=judged.words,
        at=house.now(),
    )
    verb = "review.approve" if judged.approves else "review.reject"
    log(
        conn,
        house,
        person,
        verb,
        f"sku/{sku.code}",
        digests=tuple(names.values()),
        details={"variant": variant.number, "reason": judged.reason, "words": judged.words},
    )
    by = review.outcome(live_decisions(conn, variant.id), needs_second=needs_second and was is State.IN_REVIEW)
    if by is None:
        return {
            "variant": variant.number,
            "digest": variant.digest,
            "state": was.value,
            "waits_for": "a second reviewer",
        }
    if variant.planted:
        noticed = by is Move.REJECT
        reason = f"planted fault {'noticed' if noticed else 'missed'}: {variant.planted}"
        state = review.move(was, Move.SUPERSEDE, what=what)
        pictures.set_state(conn, variant.id, state, reason=reason, at=house.now())
        return {"variant": variant.number, "digest": variant.digest, "state": state.value, "reason": reason}
    state = review.move(was, by, what=what)
    pictures.set_state(conn, variant.id, state, reason=judged.reason, at=house.now())
    answer = {"variant": variant.number, "digest": variant.digest, "state": state.value}
    told = {"variant": variant.number, "digest": variant.digest, "reason": judged.reason}
    announce(conn, DECIDED[state.value], f"sku/{sku.code}", told, at=house.now())
    if by is Move.APPROVE:
        _supersede_older(conn, house, person, sku, variant)
    elif variant.batch_id is not None and _is_sample(conn, variant):
        answer["held"] = _hold(conn, house, person, variant.batch_id)
    return answer


def _supersede_older(conn: Connection, house: House, person: str, sku: Row[Any], new: Row[Any]) -> None:
    for old in pictures.variants_of(conn, sku.id, states=review.LIVE):
        if old.id != new.id and (old.look, old.photo_id) == (new.look, new.photo_id) and old.number < new.number:
            state = review.move(State(old.state), Move.SUPERSEDE, what=what_is(sku.code, old))
            pictures.set_state(conn, old.id, state, reason=f"variant {new.number} was approved", at=house.now())
            log(
                conn,
                house,
                person,
                "variant.supersede",
                f"sku/{sku.code}",
                digests=(old.digest,),
                details={"variant": old.number, "by": new.number},
            )


def _hold(conn: Connection, house: House, person: str, batch_id: int) -> list[str]:
    """Hold a batch because a spot check failed; returns what its failures share."""
    failures = [
        {
            "factory": row.factory,
            "stone batch": row.stone_batch,
            "line": row.line,
            "piece type": row.piece_type,
            "look": row.look,
            "tool": row.tool,
            "reason": row.reason,
            "camera": (row.capture or {}).get("camera"),
            "finding": [f"{f.check}/{f.code}" for f in pictures.findings_of(conn, row.sku_id, variant_id=row.id)],
        }
        for row in pictures.rejected_of_batch(conn, batch_id)
    ]
    shared = review.shared_causes(failures)
    reason = f"a spot check failed; the failures share: {', '.join(shared) or 'nothing that is recorded'}"
    batches.set_state(conn, batch_id, "held", reason=reason)
    log(conn, house, person, "batch.hold", f"batch/{batch_id}", details={"shared": shared})
    return shared


def _is_sample(conn: Connection, variant: Row[Any]) -> bool:
    every = int(people.policy(conn, "spot_check_every"))
    return variant.batch_position is not None and every > 0 and variant.batch_position % every == 0


def _lines(sku: Row[Any], variant: Row[Any]) -> dict[str, str]:
    return review.checklist(
        sku.piece_type,
        parts=parts_of(skus.value_of(sku)),
        is_sample=bool(variant.second_look),
        extra=sku.line_checklist or {},
    )
