"""What only the studio asks for: what waits today, cards of archived photos, checks of pictures without an SKU."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from vitrina import access
from vitrina.actions import batch as batch_verbs
from vitrina.actions.closeups import make_photo_previews, make_previews, strips_of_examined
from vitrina.actions.gate import shown_digest
from vitrina.actions.house import House, actor, holds, sku_called
from vitrina.actions.pictures import import_photo, import_variant
from vitrina.actions.price_list import read_rows
from vitrina.actions.rule_packs import list_rules
from vitrina.actions.viewing import aligned, fitted, pyramid_file, read_entry, turned_back
from vitrina.errors import InputError, Missing, UsageError
from vitrina.files import write_bytes
from vitrina.model import Digest
from vitrina.stages.review import REASONS
from vitrina.stages.rights import UNSTATED, Rights
from vitrina.store import batches, decisions, events, people, pictures, skus, tallies

_SAID = ("check", "code", "severity", "measured", "limit", "unit", "message")

MOST_JUDGED = 60
"""So many judged pairs are kept; the oldest goes when a new one comes."""


def today(house: House) -> dict[str, Any]:
    """What waits for the person at the desk, what is blocked, what is being made, and which rules grow stale."""
    with house.store.reading() as conn:
        person = actor(conn, house, "read")
        reviews = holds(conn, house, "review.decide")
        waiting = decisions.queue(conn, person=person, limit=12) if reviews else []
        shown = {row.id: shown_digest(conn, row) for row in waiting}
        counts = tallies.states(conn)
        blocked = tallies.blocked(conn, limit=8)
        why = {row.id: pictures.findings_of(conn, row.sku_id, variant_id=row.id)[:1] for row in blocked}
        running = [row for row in batches.every(conn)[:40]]
        standing = {row.id: batches.counts(conn, row.id) for row in running}
        seq, _ = events.head(conn)
        empty = skus.count(conn) == 0
    busy = [
        {"batch": row.id, "name": Path(row.folder).name, "state": row.state, "reason": row.reason,
         "counts": standing[row.id]}
        for row in running
        if row.state == "held" or any(standing[row.id].get(k) for k in ("waiting", "running", "parked"))
    ]  # fmt: skip
    stale = [pack for pack in list_rules(house.config)["packs"] if pack["stale"]]
    return {
        "schema": "vitrina.today/1",
        "person": person,
        "waiting": [{"sku": r.code, "title": r.title, "variant": r.number, "look": r.look, "verdict": r.verdict,
                     "since": r.changed_at, "shown": shown[r.id]} for r in waiting],
        "states": counts,
        "blocked": [{"sku": r.code, "title": r.title, "variant": r.number, "reason": r.reason,
                     "findings": [{key: getattr(f, key) for key in _SAID} for f in why[r.id]]} for r in blocked],
        "batches": busy,
        "stale": stale,
        "events": seq,
        "empty": empty,
    }  # fmt: skip


def add_photo(
    house: House, code: str, name: str, data: bytes, *, language: str = "en", rights: Rights = UNSTATED
) -> dict[str, Any]:
    """Archive an uploaded photo under an SKU and check it; the document of `inspect` is under ``inspect``, with what
    was found of the photo's origin."""
    aside = _aside(house)
    try:
        path = aside / _safe(name)
        write_bytes(path, data)
        document = import_photo(house, code, path, rights=rights)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    checked = inspect_bytes(house, data, name=_safe(name), language=language)
    found = [*_translated(document["findings"], language), *checked["findings"]]
    verdict = "review" if (checked["verdict"], document["verdict"]) == ("pass", "review") else checked["verdict"]
    checked = {**checked, "findings": found, "verdict": verdict}
    with house.store.writing() as conn:
        sku = sku_called(conn, code)
        photo = next(p for p in pictures.photos_of(conn, sku.id) if p.digest == document["digest"])
        pictures.put_photo(conn, sku.id, digest=photo.digest, name=photo.name, capture=photo.capture,
                           verdict=checked["verdict"], at=house.now())  # fmt: skip
        pictures.clear_photo_findings(conn, photo.id)
        pictures.add_findings(conn, sku.id, checked["findings"], photo_id=photo.id, at=house.now())
    make_photo_previews(house, code, photo.digest)
    return {**document, "inspect": checked, "verdict": checked["verdict"]}


def _translated(findings: Sequence[Mapping[str, Any]], language: str) -> list[dict[str, Any]]:
    from vitrina.stages.intake.advice import say

    return [{**one, "message": say(one["code"], language, one["measured"], one["limit"])} for one in findings]


def add_edit(
    house: House, code: str, name: str, data: bytes, *, tool: str, source: str = "", look: str = "white"
) -> dict[str, Any]:
    """Bring in an uploaded picture that another tool made of an SKU's photo, and verify it at once."""
    aside = _aside(house)
    try:
        path = aside / _safe(name)
        write_bytes(path, data)
        document = import_variant(house, code, path, tool=tool, source=source, look=look)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    make_previews(house, code, [document["variant"]])
    return document


def inspect_bytes(
    house: House, data: bytes, *, name: str, language: str = "en", is_live: bool = False
) -> dict[str, Any]:
    """The source check of a picture that nobody keeps; `is_live` for a preview while the piece is still framed."""
    from vitrina import steps

    with house.store.reading() as conn:
        actor(conn, house, "read")
    source = steps.take_in(data, name=name, max_megapixels=house.config.max_megapixels)
    return steps.advise(steps.inspect(source, is_live=is_live), language).as_dict()


def ask_card(house: House, code: str, *, recipe: Mapping[str, Any]) -> int:
    """Ask for a card of an SKU's photos in the archive; a worker makes it. Returns the batch's number."""
    with house.store.reading() as conn:
        actor(conn, house, "card.make")
        sku = sku_called(conn, code)
        photos = [photo for photo in pictures.photos_of(conn, sku.id) if photo.replaced_at is None]
    if not photos:
        raise UsageError(f"{code} has no photo yet. Add one first.")
    if any(c in code for c in '/\\:*?"<>|') or not code.strip("."):
        raise UsageError(f'{code}: a code with / \\ : * ? " < > | cannot name a folder. Give the SKU another code.')
    folder = house.config.home / "incoming" / code
    shutil.rmtree(folder, ignore_errors=True)
    for number, photo in enumerate(photos):
        taken = photo.name in [p.name for p in photos[:number]]
        name = f"{photo.digest[:8]}-{photo.name}" if taken else photo.name
        write_bytes(folder / code / name, house.originals.get(Digest(photo.digest)))
    return batch_verbs.ask(house, folder, house.config.home / "cards" / code, recipe=recipe)


def ask_batch(
    house: House,
    files: Sequence[tuple[str, bytes]],
    *,
    recipe: Mapping[str, Any],
    table: tuple[str, bytes] | None = None,
    columns: tuple[str, str] = ("sku", "photo"),
) -> dict[str, Any]:
    """A card for every SKU that the uploaded photos name.

    By a `table` (CSV or XLSX) with these `columns`, by the folder they lie in, or by their own names (SKU.jpg,
    SKU_1.jpg, SKU_2.jpg …).

    What cannot be read, or is in the table and was not sent, is told under ``refused``, and the rest goes on.
    """
    from vitrina import steps

    with house.store.reading() as conn:
        actor(conn, house, "batch.run")
    owners, refused = _owners(table, columns, [name for name, _ in files]) if table else ({}, [])
    name = f"{house.clock():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    folder = house.config.home / "incoming" / name
    for file, data in files:
        if table and _safe(file) not in owners:
            refused.append(f"{_safe(file)}: no row of the table names it.")
            continue
        try:
            steps.require_photo(data, name=_safe(file), max_megapixels=house.config.max_megapixels)
        except InputError as error:
            refused.append(str(error))
            continue
        for sku in owners.get(_safe(file), [_folder_of(file)]):
            write_bytes(folder / sku / _safe(file) if sku else folder / _safe(file), data)
    if not folder.is_dir():
        raise UsageError(" ".join(refused[:20]) or "no photo was sent.")
    number = batch_verbs.ask(house, folder, house.config.home / "cards" / name, recipe=recipe)
    return {"schema": "vitrina.batch-ask/1", "batch": number, "refused": refused}


def _owners(
    table: tuple[str, bytes], columns: tuple[str, str], sent: Sequence[str]
) -> tuple[dict[str, list[str]], list[str]]:
    """The SKUs of each photo that a table names, and what of it was not sent."""
    name, data = table
    rows = [row for row in read_rows(data, name=_safe(name)) if any(row.values())]
    code, photo = (column.strip().lower() for column in columns)
    known = ", ".join(rows[0]) if rows else "none"
    for column in (code, photo):
        if not rows or column not in rows[0]:
            raise UsageError(f"{_safe(name)}: there is no column {column!r}; its columns: {known}.")
    there = {_safe(file) for file in sent}
    owners: dict[str, list[str]] = {}
    refused = []
    for number, row in enumerate(rows, start=2):
        written, file = row.get(code, ""), _safe(row.get(photo) or "(none)")
        sku = _safe(written) if written else ""
        if not sku or sku != written:
            refused.append(f"row {number}: {written[:40]!r} cannot be an SKU code.")
        elif file not in there:
            refused.append(f"row {number} ({sku}): the photo {file} was not sent.")
        elif sku not in owners.setdefault(file, []):
            owners[file].append(sku)
    return {file: codes for file, codes in owners.items() if codes}, refused


def _folder_of(file: str) -> str:
    """The folder of a photo inside the folder that was dropped: its SKU; empty when it lay in that one directly."""
    parts = [part for part in re.split(r"[/\\]", file) if part not in ("", ".", "..")]
    return _safe(parts[-2]) if len(parts) > 2 else ""


def progress(house: House, number: int | None = None) -> dict[str, Any]:
    """How far one batch is, or every batch that has something left to do; `is_done` when nothing is left."""
    with house.store.reading() as conn:
        actor(conn, house, "read")
        if number is not None and batches.get(conn, number) is None:
            raise Missing(f"there is no batch {number}.")
        counts = batches.under_way(conn, number)
    left = sum(of.get(state, 0) for of in counts.values() for state in ("waiting", "running"))
    told = [{"batch": key, "counts": counts[key]} for key in sorted(counts)]
    return {"schema": "vitrina.progress/1", "batches": told, "is_done": left == 0}


def list_batches(house: House) -> dict[str, Any]:
    """Every batch and how far it is, newest first."""
    with house.store.reading() as conn:
        actor(conn, house, "read")
        rows = batches.every(conn)[:200]
        told = [
            {"batch": r.id, "name": Path(r.folder).name, "state": r.state, "reason": r.reason, "asked_by": r.asked_by,
             "added_at": r.added_at, "counts": batches.counts(conn, r.id)}
            for r in rows
        ]  # fmt: skip
    return {"schema": "vitrina.batches/1", "batches": told}


def show_batch(house: House, number: int) -> dict[str, Any]:
    """A batch with its SKUs, and its failures grouped by cause."""
    with house.store.reading() as conn:
        actor(conn, house, "read")
    document = batch_verbs.report(house, number)
    causes: dict[str, list[str]] = {}
    for item in document["items"]:
        if item["state"] == "parked":
            cause = re.sub(r"[\w./\\-]*/", "", item["reason"])
            causes.setdefault(re.sub(r"\d+", "…", cause), []).append(item["sku"])
    return {**document, "causes": [{"cause": cause, "skus": found} for cause, found in causes.items()]}


def read_ledger(house: House, *, before: int = 0, limit: int = 100) -> dict[str, Any]:
    """A page of the ledger, newest first."""
    with house.store.reading() as conn:
        actor(conn, house, "audit.read")
        seq, head = events.head(conn)
        rows = events.page(conn, before=before or seq + 1, limit=limit)
    told = [
        {"seq": e.seq, "at": e.at, "person": e.person, "verb": e.verb, "subject": e.subject, "details": e.details}
        for e in rows
    ]
    more = rows[-1].seq if len(rows) == limit and rows[-1].seq > 1 else None
    return {"schema": "vitrina.ledger/1", "events": told, "total": seq, "head": head, "next_before": more}


def verify_ledger(house: House) -> dict[str, Any]:
    """Whether the ledger's chain holds from the first event to the head."""
    with house.store.reading() as conn:
        actor(conn, house, "audit.read")
        problems = list(events.problems(conn))
    return {"schema": "vitrina.ledger-check/1", "problems": problems, "verdict": "reject" if problems else "pass"}


def judge_pair(
    house: House, source: tuple[str, bytes], edit: tuple[str, bytes], *, facts: bytes = b""
) -> dict[str, Any]:
    """Judge a pair without an SKU and keep it for looking at, for the person at the desk alone."""
    from vitrina import steps
    from vitrina.codec.tiles import pyramid, pyramid_of
    from vitrina.stages.verify import load_facts

    with house.store.reading() as conn:
        person = actor(conn, house, "read")
    before, after = (
        steps.take_in(data, name=_safe(name), max_megapixels=house.config.max_megapixels)
        for name, data in (source, edit)
    )
    seen = steps.examine(before, after, facts=load_facts(facts, name="the facts") if facts.strip() else None)
    number = secrets.token_hex(16)
    layers: dict[str, Any] = {}
    for called, (name, data) in (("source", source), ("edit", edit)):
        path = pyramid_file(house, _judged(number, called), lambda d=data, n=name: pyramid(d, name=_safe(n)))  # type: ignore[misc]
        layers[called] = {"digest": "", **json.loads(read_entry(path, "info.json")), "matrix": [1, 0, 0, 1, 0, 0]}
    placed = fitted(layers["source"], layers["edit"])
    strips = None
    if seen.pair is not None:
        measured = aligned(seen.pair)
        placed = measured["edit"]
        path = pyramid_file(house, _judged(number, "heat"), lambda: pyramid_of(seen.heatmap()))
        layers["heat"] = {"digest": "", **json.loads(read_entry(path, "info.json")), "matrix": measured["heat"]}
        strips = strips_of_examined(seen.pair, measured["heat"])
    layers["edit"]["matrix"] = placed
    document = seen.judgement.as_dict()
    shown = [
        {**f, "market": "", "region": turned_back(f["region"], placed) if f["region"] else None}
        for f in sorted(document["findings"], key=lambda f: ("block", "warn", "note").index(f["severity"]))
    ]
    kept = {"schema": "vitrina.judged/1", "id": number, "person": person, "source": _safe(source[0]),
            "edit": _safe(edit[0]), "verify": document, "pictures": layers, "findings": shown,
            "strips": strips}  # fmt: skip
    folder = house.config.home / "judged"
    write_bytes(folder / f"{number}.json", json.dumps(kept).encode())
    for old in sorted(folder.glob("*.json"), key=lambda p: p.stat().st_mtime)[:-MOST_JUDGED]:
        for called in ("source", "edit", "heat"):
            name = _judged(old.stem, called)
            (house.config.home / "previews" / name[:2] / f"{name}.zip").unlink(missing_ok=True)
        old.unlink(missing_ok=True)
    return kept


def show_judged(house: House, number: str) -> dict[str, Any]:
    """A judged pair; somebody else's is as if it were not there."""
    with house.store.reading() as conn:
        person = actor(conn, house, "read")
    path = house.config.home / "judged" / f"{number}.json"
    kept = json.loads(path.read_bytes()) if re.fullmatch(r"[0-9a-f]{32}", number) and path.is_file() else {}
    if kept.get("person") != person:
        raise Missing("there is no such pair, or it was judged long ago. Judge it again.")
    return dict(kept)


def show_judged_picture(house: House, number: str, called: str, entry: str) -> bytes:
    """One file of a judged picture's pyramid."""
    show_judged(house, number)
    name = _judged(number, called)
    path = house.config.home / "previews" / name[:2] / f"{name}.zip"
    if called not in ("source", "edit", "heat") or not path.is_file():
        raise Missing("there is no such picture.")
    return read_entry(path, entry)


def people_of(house: House) -> dict[str, Any]:
    """Everybody, their roles and whether they can sign in; for those who may change it."""
    from vitrina.store import keys

    with house.store.reading() as conn:
        actor(conn, house, "people.edit")
        told = [
            {"name": name, "roles": list(held), "can_sign_in": keys.password_of(conn, name) is not None}
            for name, held in people.everyone(conn).items()
        ]
    return {"schema": "vitrina.people/1", "people": told, "roles": list(access.ROLES)}


def reject_reasons() -> Sequence[str]:
    """The short list of reasons that a rejection chooses from."""
    return REASONS


def as_nobody(house: House) -> House:
    """The house with nobody at its desk, whatever the settings say."""
    return replace(house, person=None)


def _judged(number: str, called: str) -> str:
    return hashlib.sha256(f"judged {number} {called}".encode()).hexdigest()


def _aside(house: House) -> Path:
    return house.config.home / "incoming" / f".{secrets.token_hex(8)}"


def _safe(name: str) -> str:
    """The last part of an uploaded file's name, without what could lead elsewhere."""
    last = re.split(r"[/\\]", name)[-1].strip().strip(".")
    return re.sub(r"[^\w .()\[\]+-]", "_", last)[-120:] or "photo"
