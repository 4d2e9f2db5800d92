"""Pictures of an SKU: photos and other tools' edits brought in, checked, and submitted for review."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vitrina.actions.house import House, actor, basis_of, log, sku_called
from vitrina.actions.origins import admit, judge_origin, recorded
from vitrina.errors import Conflict, Missing, UsageError
from vitrina.files import read_bytes
from vitrina.model import FileFacts, Verdict, verdict_of
from vitrina.stages import review
from vitrina.stages.catalogue import verify_facts
from vitrina.stages.copies import print_of
from vitrina.stages.review import Move, State
from vitrina.stages.rights import UNSTATED, Rights
from vitrina.store import Connection, Row, decisions, people, pictures

OURS = "vitrina"
"""The tool's name of pictures that the program itself made."""


def import_photo(
    house: House, code: str, path: Path, *, replaces: str = "", rights: Rights = UNSTATED
) -> dict[str, Any]:
    """Archive a photo under an SKU. `replaces` (the beginning of a digest) takes an earlier one's place, and what rests
    on that one goes back to draft. A supplier's photo without a commercial right is refused (NotAllowed).

    Findings say where nobody said whose it is, and where the same photo stands under another SKU.
    """
    from vitrina import steps
    from vitrina.codec.metadata import probe

    name, data = path.name, read_bytes(path)
    source = steps.take_in(data, name=name, max_megapixels=house.config.max_megapixels)
    if "MadeBy" in source.facts.metadata:
        raise UsageError(
            f"{name} was made by {source.facts.metadata['MadeBy']} from photos: it is a draft, no original. Add those "
            f"photos, and this one with: vitrina variant import {code} {name} --tool NAME"
        )
    admit(house, "photo.add", f"sku/{code}", rights, [name])
    taken_print, capture = print_of(source), capture_of(probe(data, name=name))
    digest = house.originals.put(data)
    with house.store.writing() as conn:
        person = actor(conn, house, "photo.add")
        sku = sku_called(conn, code)
        voided: list[str] = []
        if replaces:
            old = photo_of(pictures.photos_of(conn, sku.id), replaces, code)
            pictures.replace_photo(conn, old.id, at=house.now())
        pictures.keep_blob(conn, digest, room="originals", size=len(data), at=house.now())
        rights = rights.taken_by_default(person)
        photo_id = pictures.put_photo(
            conn, sku.id, digest=digest, name=name, capture=capture, verdict="", at=house.now(),
            rights=rights.as_dict(), taken_print=taken_print,
        )  # fmt: skip
        rights = recorded(pictures.get_photo(conn, photo_id))
        found = judge_origin(conn, sku.id, digest=digest, taken_print=taken_print, rights=rights)
        same = pictures.elsewhere(conn, digest, sku.id)
        pictures.clear_photo_findings(conn, photo_id)
        pictures.add_findings(conn, sku.id, [one.as_dict() for one in found], photo_id=photo_id, at=house.now())
        log(
            conn,
            house,
            person,
            "photo.add",
            f"sku/{code}",
            digests=(digest,),
            details={"name": name, "replaces": replaces, **rights.as_dict()},
        )
        if replaces:
            voided = refresh(conn, house, person, sku)
    return {
        "schema": "vitrina.photo/1",
        "sku": code,
        "digest": digest,
        "same_photo_under": same[0] if same else None,
        **rights.as_dict(),
        "verdict": verdict_of(found).value,
        "findings": [one.as_dict() for one in found],
        "back_to_draft": voided,
    }


def import_variant(
    house: House, code: str, path: Path, *, tool: str, source: str = "", look: str = "white"
) -> dict[str, Any]:
    """Bring in a picture that another tool made: an unverified draft, then verified against its source at once."""
    name, data = path.name, read_bytes(path)
    if not tool.strip() or tool.strip().lower() == OURS:
        raise UsageError(f"--tool {tool!r}: name the program or the person that made the picture.")
    with house.store.reading() as conn:
        actor(conn, house, "variant.import")
        sku = sku_called(conn, code)
        photo = photo_of([p for p in pictures.photos_of(conn, sku.id) if p.replaced_at is None], source, code)
        copies = [found for found in pictures.findings_of_photo(conn, photo.id) if found["code"] == "same-photo"]
    document = house.program.judge(house.originals.get(photo.digest), data, verify_facts(sku.facts))
    if copies:  # whoever reviews the picture hears of it
        findings = [*document["findings"], *copies]
        document = {**document, "findings": findings, "verdict": _verdict(findings)}
    digest = house.works.put(data)
    with house.store.writing() as conn:
        person = actor(conn, house, "variant.import")
        sku = sku_called(conn, code)
        if any(v.digest == digest and v.state != State.SUPERSEDED for v in pictures.variants_of(conn, sku.id)):
            raise Conflict(f"{name}: exactly these bytes are a variant of {code} already.")
        pictures.keep_blob(conn, digest, room="works", size=len(data), at=house.now())
        variant_id = add_variant(
            conn, house, person, sku, photo, digest=digest, look=look, tool=tool.strip(), card=digest, document=document
        )
        variant = pictures.get_variant(conn, variant_id)
        log(
            conn,
            house,
            person,
            "variant.import",
            f"sku/{code}",
            digests=(digest, photo.digest),
            details={"variant": variant.number, "tool": tool, "file": name, "verdict": variant.verdict},
        )
    return {
        "schema": "vitrina.variant/1",
        "sku": code,
        "variant": variant.number,
        "digest": digest,
        "tool": tool,
        "state": variant.state,
        "reason": variant.reason,
        "verdict": variant.verdict,
        "findings": document["findings"],
    }


def add_variant(
    conn: Connection,
    house: House,
    person: str,
    sku: Row[Any],
    photo: Row[Any],
    *,
    digest: str,
    look: str,
    tool: str,
    card: str,
    document: Mapping[str, Any],
    batch: tuple[int, int] | None = None,
    markets: Sequence[str] = (),
) -> int:
    """Record a made and judged picture: checked, or a draft with the reason when the program rejects it."""
    blocked = _block(document)
    variant_id = pictures.add_variant(
        conn,
        sku.id,
        photo_id=photo.id,
        batch_id=batch[0] if batch else None,
        batch_position=batch[1] if batch else None,
        look=look,
        tool=tool,
        digest=digest,
        card=card,
        verdict=document["verdict"],
        state=State.DRAFT if blocked else review.move(State.DRAFT, Move.CHECK, what=look),
        reason=blocked,
        basis=basis_of(house, sku, photo, markets),
        second_look=second_look_for(conn, sku, document["findings"], batch[1] if batch else None),
        planted=None,
        made_by=person,
        made_at=house.now(),
        changed_at=house.now(),
    )
    pictures.add_findings(conn, sku.id, document["findings"], variant_id=variant_id, at=house.now())
    return variant_id


def refresh(conn: Connection, house: House, person: str, sku: Row[Any]) -> list[str]:
    """Send back to draft, with the reason, every variant that rests on something that has changed; says which."""
    told = []
    photos = {photo.id: photo for photo in pictures.photos_of(conn, sku.id)}
    for variant in pictures.variants_of(conn, sku.id):
        if variant.state in (State.REJECTED, State.SUPERSEDED) or variant.planted:
            continue
        now = basis_of(house, sku, photos[variant.photo_id], variant.basis["packs"])
        reasons = review.changes(variant.basis, now)
        if not reasons:
            continue
        why = "; ".join(reasons)
        state = review.move(State(variant.state), Move.VOID, what=what_is(sku.code, variant))
        if variant.state != state or variant.reason != why:
            ended = decisions.void(conn, variant.id, why=why, at=house.now())
            pictures.set_state(conn, variant.id, state, reason=why, at=house.now())
            log(
                conn,
                house,
                person,
                "approval.void",
                f"sku/{sku.code}",
                digests=(variant.digest,),
                details={"variant": variant.number, "was": variant.state, "why": why, "decisions": ended},
            )
            told.append(f"{what_is(sku.code, variant)}: {why}")
    return told


def submit(house: House, code: str, *, number: int | None = None) -> dict[str, Any]:
    """Start the review of an SKU's checked variants. A draft whose basis changed is checked again first."""
    with house.store.writing() as conn:
        person = actor(conn, house, "review.submit")
        refresh(conn, house, person, sku_called(conn, code))
    _check_again(house, code, number)
    submitted, held = [], []
    with house.store.writing() as conn:
        person = actor(conn, house, "review.submit")
        sku = sku_called(conn, code)
        for variant in chosen(conn, sku, number, (State.DRAFT, State.CHECKED)):
            if variant.state == State.DRAFT:
                held.append({"variant": variant.number, "reason": variant.reason})
                continue
            state = review.move(State(variant.state), Move.SUBMIT, what=what_is(code, variant))
            pictures.set_state(conn, variant.id, state, reason="", at=house.now())
            log(
                conn,
                house,
                person,
                "review.start",
                f"sku/{code}",
                digests=(variant.digest,),
                details={"variant": variant.number},
            )
            submitted.append({"variant": variant.number, "digest": variant.digest, "second_look": variant.second_look})
    return {
        "schema": "vitrina.review-start/1",
        "sku": code,
        "in_review": submitted,
        "held_back": held,
        "verdict": "reject" if held and not submitted else "review" if held else "pass",
    }


def _check_again(house: House, code: str, number: int | None) -> None:
    """Judge again the drafts whose basis has changed since they were checked; pixels outside of any transaction."""
    with house.store.reading() as conn:
        sku = sku_called(conn, code)
        stale = []
        for variant in chosen(conn, sku, number, (State.DRAFT, State.CHECKED)):
            photo = pictures.get_photo(conn, variant.photo_id)
            if photo.replaced_at is not None:
                continue
            now = basis_of(house, sku, photo, variant.basis["packs"])
            if review.changes(variant.basis, now):
                stale.append((variant, photo, now, pictures.renditions_of(conn, variant.id)))
    for variant, photo, basis, made in stale:
        source = house.originals.get(photo.digest)
        found: list[tuple[str | None, dict[str, Any]]] = []
        ships = [(r.market, r.digest) for r in made] if variant.tool == OURS else [(None, variant.digest)]
        for market, digest in ships:
            judged = house.program.judge(source, house.works.get(digest), verify_facts(sku.facts))
            found += [(market, finding) for finding in judged["findings"]]
        for rendition in made:
            held = house.program.check_rules(
                house.works.get(rendition.digest), rendition.market, rendition.slot, rendition.name
            )
            found += [(rendition.market, finding) for finding in held["findings"]]
        findings = [finding for _, finding in found]
        verdict = _verdict(findings)
        document = {"findings": findings, "verdict": verdict}
        with house.store.writing() as conn:
            person = actor(conn, house, "review.submit")
            if (
                sku_called(conn, code).facts != sku.facts
                or pictures.get_variant(conn, variant.id).state != variant.state
            ):
                raise Conflict(f"{code} was changed while it was being checked. Run this again.")
            pictures.clear_findings(conn, variant.id)
            for market, finding in found:
                pictures.add_findings(conn, sku.id, [finding], variant_id=variant.id, market=market, at=house.now())
            second = second_look_for(conn, sku, findings, variant.batch_position)
            pictures.set_check(conn, variant.id, verdict=verdict, basis=basis, second_look=second)
            blocked = _block(document)
            state = (
                State.DRAFT if blocked else review.move(State(variant.state), Move.CHECK, what=what_is(code, variant))
            )
            pictures.set_state(conn, variant.id, state, reason=blocked, at=house.now())
            log(
                conn,
                house,
                person,
                "variant.check",
                f"sku/{code}",
                digests=(variant.digest,),
                details={"variant": variant.number, "verdict": document["verdict"], "state": state},
            )


def _verdict(findings: Sequence[Mapping[str, Any]]) -> str:
    severities = {finding["severity"] for finding in findings}
    return "reject" if "block" in severities else "review" if "warn" in severities else "pass"


def second_look_for(
    conn: Connection, sku: Row[Any], findings: Iterable[Mapping[str, Any]], position: int | None
) -> list[str]:
    """Why a picture of `sku` needs two reviewers, by the house's policy."""
    every = int(people.policy(conn, "spot_check_every"))
    return list(
        review.second_look(
            findings, piece_type=sku.piece_type, is_top=bool(sku.is_top), batch_position=position, every=every
        )
    )


def _block(document: Mapping[str, Any]) -> str:
    """Why the program rejects the picture; empty when it does not."""
    messages = [finding["message"] for finding in document["findings"] if finding["severity"] == "block"]
    if document["verdict"] == Verdict.REJECT and not messages:
        return "the program rejects it"
    return f"the program rejects it: {messages[0]}" if messages else ""


def chosen(conn: Connection, sku: Row[Any], number: int | None, states: Sequence[State]) -> list[Row[Any]]:
    """The variants of an SKU that are in one of `states`, or the one called `number`; raises Missing or Conflict."""
    found = pictures.variants_of(conn, sku.id)
    if number is not None:
        found = [variant for variant in found if variant.number == number]
        if not found:
            raise Missing(f"{sku.code} has no variant {number}.")
    fitting = [variant for variant in found if variant.state in states]
    if not fitting:
        there = ", ".join(f"{v.number} {v.state}" + (f" ({v.reason})" if v.reason else "") for v in found) or "none"
        raise Conflict(f"{sku.code} has no variant that is {' or '.join(states)}; its variants: {there}.")
    return fitting


def photo_of(photos: Sequence[Row[Any]], wanted: str, code: str) -> Row[Any]:
    """The only photo, or the one whose name, or digest's beginning, is `wanted`; raises Missing or UsageError."""
    found = [photo for photo in photos if photo.digest.startswith(wanted) or photo.name == wanted]
    if not found:
        raise Missing(f"{code} has no photo {wanted or 'yet'}. Add one: vitrina sku photo {code} PHOTO")
    if len(found) > 1:
        names = ", ".join(f"{photo.name} ({photo.digest[:8]})" for photo in found)
        raise UsageError(f"{code} has several photos: say which with --source: {names}.")
    return found[0]


def capture_of(facts: FileFacts) -> dict[str, str]:
    """What the camera wrote of a photo, as the records keep it."""
    camera = " ".join(facts.metadata[key] for key in ("Make", "Model") if facts.metadata.get(key))
    return {"camera": camera, "taken_at": facts.metadata.get("DateTime", ""), "size": str(facts.size)}


def what_is(code: str, variant: Row[Any]) -> str:
    """A variant as messages call it."""
    return f"{code} variant {variant.number}"
