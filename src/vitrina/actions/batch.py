"""Many SKUs, durably: what is asked for, the steps of one SKU, and how far it is."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vitrina import __version__
from vitrina.actions.cards import keep_files, record_card
from vitrina.actions.closeups import make_previews
from vitrina.actions.house import CardRequest, House, actor, log
from vitrina.actions.origins import admit, origins_of, rights_of
from vitrina.actions.pictures import capture_of
from vitrina.actions.price_list import read_rows
from vitrina.card_folder import CardFolder
from vitrina.errors import InputError, Missing, NeedsPerson, UsageError
from vitrina.files import PHOTO_ENDINGS, photos_in, read_bytes, require_writable
from vitrina.jobs import Kind, Outcome, Step
from vitrina.model import Digest
from vitrina.stages.catalogue import verify_facts
from vitrina.stages.rights import Rights, from_dict
from vitrina.store import batches, skus
from vitrina.store.schema import canonical

CARD_VERSION = 1
"""Raised when the same photos and recipe give another card; part of the key under which a card is reused."""

DEATHS = 3
"""How often a card may take its worker down with it before a person must look."""

_NUMBERED = re.compile(r"(?P<sku>.+?)(?:_\d{1,3}| ?\(\d{1,3}\))")


def list_inputs(source: Path) -> dict[str, list[Path]]:
    """The photos of each SKU that `source` names, in order.

    A folder: each folder in it is an SKU; photos lying in it directly are named by their SKU, several as SKU_1, SKU_2.
    A CSV or XLSX: the columns ``sku`` and ``photo``, a row per photo; paths are looked up beside the file.
    """
    if source.is_dir():
        found = _in_folder(source)
    elif source.suffix.lower() in (".csv", ".xlsx"):
        found = _in_table(source)
    elif source.exists():
        raise UsageError(f"{source}: neither a folder nor a CSV or XLSX. For one SKU use: vitrina card")
    else:
        raise Missing(f"{source}: there is no such folder or file.")
    if not found:
        raise UsageError(f"{source}: no photos in it. Make a folder per SKU with its photos, or a CSV with sku,photo.")
    for code in found:
        if len(code) > 100 or not code.isprintable() or any(c in code for c in '/\\:*?"<>|') or not code.strip("."):
            raise UsageError(
                f'{source}: {code[:40]!r} cannot be an SKU code (100 characters, none of / \\ : * ? " < > |).'
            )
    return found


def ask(house: House, source: Path, out: Path, *, recipe: Mapping[str, Any]) -> int:
    """Ask for a card of every SKU of `source` in `out`, and return the batch's number.

    Asked again, only what is new, changed or parked is done; a batch is known by the folder it writes into.
    """
    listed = list_inputs(source)
    admit(house, "batch.run", "batch", from_dict(recipe.get("rights")), [p.name for ps in listed.values() for p in ps])
    for market in recipe["markets"]:
        house.program.pack_version(market)
    require_writable(out / "batch")
    with house.store.writing() as conn:
        person = actor(conn, house, "batch.run")
        if "rights" in recipe:
            recipe = {**recipe, "rights": from_dict(recipe["rights"]).taken_by_default(person).as_dict()}
        batch_id = batches.open_batch(conn, str(out.resolve()), recipe=recipe, person=person, at=house.now())
        asked = 0
        for code, paths in listed.items():
            key = _key({"recipe": dict(recipe), "files": [_stamp(path) for path in paths]})
            inputs = [str(path.resolve()) for path in paths]
            run = batches.put_item(conn, batch_id, code, inputs=inputs, key=key, at=house.now())
            if run is not None:
                payload = {"batch": batch_id, "sku": code, "run": run}
                batches.post(conn, f"batch-{batch_id}/{code}/{run}", "card", payload, at=house.now())
                asked += 1
        if asked:
            told = {key: value for key, value in recipe.items() if key != "strokes"}  # an event of their own has those
            details = {"source": str(source), "skus": len(listed), "asked": asked, "recipe": told}
            log(conn, house, person, "batch.ask", f"batch/{batch_id}", details=details)
    return batch_id


def how_far(house: House, batch_id: int) -> dict[str, int]:
    """How many SKUs of a batch stand where."""
    with house.store.reading() as conn:
        return batches.counts(conn, batch_id)


def report(house: House, batch_id: int) -> dict[str, Any]:
    """A batch with every SKU: done and what came of it, or parked and why."""
    with house.store.reading() as conn:
        batch = batches.get(conn, batch_id)
        if batch is None:
            raise Missing(f"there is no batch {batch_id}.")
        rows = batches.items(conn, batch_id)
    items = [
        {
            "sku": row.sku,
            "state": row.state,
            "verdict": row.verdict or None,
            "step": row.step,
            "reason": row.reason,
            "folder": str(Path(batch.folder) / row.sku),
            "seconds": float(row.seconds) if row.seconds else None,
        }
        for row in rows
    ]
    verdicts = [row.verdict for row in rows]
    parked = any(row.state == "parked" for row in rows)
    return {
        "schema": "vitrina.batch/1",
        "batch": batch_id,
        "folder": batch.folder,
        "state": batch.state,
        "reason": batch.reason,
        "items": items,
        "counts": {
            state: sum(row.state == state for row in rows) for state in ("done", "parked", "waiting", "running")
        },
        "verdict": "reject" if parked or "reject" in verdicts else "review" if "review" in verdicts else "pass",
    }


def kinds(house: House) -> list[Kind]:
    """The kinds of jobs that a worker of this house carries out."""
    steps = (
        Step("take in", lambda payload, _: _take_in(house, payload)),
        Step("make", lambda payload, got: _make(house, payload, got)),
        Step("place", lambda payload, got: _place(house, payload, got)),
        Step("record", lambda payload, got: _record(house, payload, got)),
    )
    return [Kind("card", steps, lambda payload, step, reason: _park(house, payload, step, reason))]


def _take_in(house: House, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Archive the photos' bytes; what cannot be read is told, and the rest goes on."""
    from vitrina import steps
    from vitrina.codec.metadata import probe

    with house.store.reading() as conn:
        item = batches.get_item(conn, payload["batch"], payload["sku"])
    _mark(house, payload, state="running", step="take in")
    photos: list[dict[str, Any]] = []
    errors: list[str] = []
    for path in map(Path, item.inputs):
        try:
            data = read_bytes(path)
            digest = house.originals.put(data)
            steps.require_photo(data, name=str(path), max_megapixels=house.config.max_megapixels)
            facts = probe(data, name=str(path))
        except InputError as error:
            errors.append(str(error))
            continue
        if digest in [photo["digest"] for photo in photos]:
            continue
        capture = capture_of(facts)
        photos.append({"digest": digest, "name": path.name, "bytes": len(data), "capture": capture, "path": str(path)})
    if not photos:
        raise NeedsPerson(" ".join(errors) or "no photo")
    return {"photos": photos, "errors": errors}


def _make(house: House, payload: Mapping[str, Any], got: Outcome) -> dict[str, Any]:
    """Make the card, or take the one that the same photos, recipe and facts gave before."""
    taken = got["take in"]["photos"]
    with house.store.reading() as conn:
        batch = batches.get(conn, payload["batch"])
        assert batch is not None
        sku = skus.get(conn, payload["sku"])
        rights_by = rights_of(conn, payload["sku"], from_dict(batch.recipe.get("rights")))
    rights = {photo["digest"]: rights_by(photo["digest"]) for photo in taken}
    facts = verify_facts(sku.facts) if sku is not None else b""
    key = _key(
        {
            "step": "make",
            "version": [CARD_VERSION, __version__],
            "sku": payload["sku"],
            "photos": [[photo["name"], photo["digest"]] for photo in taken],
            "recipe": batch.recipe,
            "facts": facts.decode(),
            "rights": {digest: said.as_dict() for digest, said in rights.items()},
            "packs": {market: house.program.pack_version(market) for market in batch.recipe["markets"]},
        }
    )
    with house.store.reading() as conn:
        kept = batches.result(conn, key)
    if kept is not None and all(house.works.has(Digest(digest)) for digest in kept["files"].values()):
        return dict(kept)
    _count_attempt(house, payload)
    try:
        result = _make_aside(house, payload, taken, batch.recipe, facts, rights)
    except BaseException:
        _count_attempt(house, payload, by=-1)  # it came back to say so: it did not take its worker with it
        raise
    with house.store.writing() as conn:
        if kept is not None:
            batches.drop_result(conn, key)
        return dict(batches.keep_result(conn, key, step="make", value=result, at=house.now()))


def _make_aside(
    house: House,
    payload: Mapping[str, Any],
    taken: Sequence[Mapping[str, Any]],
    recipe: Mapping[str, Any],
    facts: bytes,
    rights: Mapping[str, Rights],
) -> dict[str, Any]:
    """Make the card in a folder of its own, archive its files, and leave nothing else behind."""
    aside = house.config.home / "making" / hashlib.sha256(f"{payload}".encode()).hexdigest()[:16]
    shutil.rmtree(aside, ignore_errors=True)
    try:
        photos = []
        for number, photo in enumerate(taken):
            clash = photo["name"] in [p["name"] for p in taken[:number]]
            path = aside / "photos" / (f"{photo['digest'][:8]}-{photo['name']}" if clash else photo["name"])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_original(house, photo))
            photos.append(path)
        request = CardRequest(
            payload["sku"], tuple(photos), aside / "card", recipe, facts, house.config.max_megapixels, rights
        )
        document = house.program.make_card(request)
        return keep_files(house, aside / "card", document)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _original(house: House, photo: Mapping[str, Any]) -> bytes:
    """An archived photo; when the archive has lost it and the very file is still there, it is archived again."""
    digest = Digest(photo["digest"])
    try:
        return house.originals.get(digest)
    except Missing:
        data = read_bytes(Path(photo["path"]))
        if house.originals.put(data) != digest:
            raise NeedsPerson(
                f"the archive has lost {photo['name']} ({digest[:12]}…) and the file has changed since. "
                "Restore the archive: vitrina restore BACKUP.zip"
            ) from None
        return data


def _place(house: House, payload: Mapping[str, Any], got: Outcome) -> dict[str, Any]:
    """Put the card's files into the folder the person asked for."""
    _mark(house, payload, step="place")
    made = got["make"]
    with house.store.reading() as conn:
        batch = batches.get(conn, payload["batch"])
        assert batch is not None
    document = json.loads(house.works.get(Digest(made["report"])))
    with CardFolder(Path(batch.folder) / payload["sku"], payload["sku"]) as folder:
        for name, digest in made["originals"].items():
            folder.put(name, house.originals.get(Digest(digest)))
        for name, digest in made["files"].items():
            if name != "report.json":
                folder.put(name, house.works.get(Digest(digest)))
        folder.finish(document)
    return {}


def _record(house: House, payload: Mapping[str, Any], got: Outcome) -> dict[str, Any]:
    """Put the card on record and end the item, in one transaction."""
    made, taken = got["make"], got["take in"]
    document = json.loads(house.works.get(Digest(made["report"])))
    sizes = {**made["sizes"], **{photo["digest"]: photo["bytes"] for photo in taken["photos"]}}
    captures = {photo["digest"]: photo["capture"] for photo in taken["photos"]}
    origins = origins_of(house, payload["sku"], document["photos"])
    said = [one["message"] for found in origins.values() for one in found if one["severity"] == "warn"]
    with house.store.writing() as conn:
        item = batches.get_item(conn, payload["batch"], payload["sku"])
        batch = batches.get(conn, payload["batch"])
        assert batch is not None
        if item.run != payload["run"] or item.state == "done":
            return {}
        numbers = record_card(
            conn,
            house,
            batch.asked_by,
            payload["sku"],
            document,
            card=made["report"],
            sizes=sizes,
            captures=captures,
            origins=origins,
            batch=(payload["batch"], item.position),
        )
        reason = " ".join([*([made["stopped"]] if made["stopped"] else []), *taken["errors"], *dict.fromkeys(said)])
        seconds = document.get("seconds", {}).get("total")
        batches.change_item(
            conn,
            payload["batch"],
            payload["sku"],
            payload["run"],
            state="done",
            step="",
            verdict="review" if said and made["verdict"] == "pass" else made["verdict"],
            reason=reason,
            seconds=str(seconds) if seconds is not None else None,
            changed_at=house.now(),
        )
    make_previews(house.acting_as(batch.asked_by), payload["sku"], numbers)
    return {"variants": numbers}


def _park(house: House, payload: Mapping[str, Any], step: str, reason: str) -> None:
    with house.store.writing() as conn:
        item = batches.get_item(conn, payload["batch"], payload["sku"])
        if item.run != payload["run"] or item.state in batches.ENDED:
            return
        batch = batches.get(conn, payload["batch"])
        assert batch is not None
        values = {"state": "parked", "step": step, "reason": reason, "changed_at": house.now()}
        batches.change_item(conn, payload["batch"], payload["sku"], payload["run"], **values)
        details = {"sku": payload["sku"], "step": step, "reason": reason}
        log(conn, house, batch.asked_by, "batch.park", f"batch/{payload['batch']}", details=details)


def _mark(house: House, payload: Mapping[str, Any], **values: Any) -> None:
    with house.store.writing() as conn:
        batches.change_item(conn, payload["batch"], payload["sku"], payload["run"], changed_at=house.now(), **values)


def _count_attempt(house: House, payload: Mapping[str, Any], *, by: int = 1) -> None:
    """Count the times this card was begun, so that one that kills its worker does not do so for ever."""
    with house.store.writing() as conn:
        item = batches.get_item(conn, payload["batch"], payload["sku"])
        if by > 0 and item.attempts >= DEATHS and item.run == payload["run"]:
            raise NeedsPerson(
                f"the worker died {item.attempts} times while it made this card, most likely out of memory. "
                "Resize its photos or free memory, then run the batch again."
            )
        batches.change_item(
            conn,
            payload["batch"],
            payload["sku"],
            payload["run"],
            step="make",
            attempts=max(0, item.attempts + by),
            changed_at=house.now(),
        )


def _in_folder(folder: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            photos = photos_in(path)
            if photos:
                found.setdefault(path.name, []).extend(photos)
        elif path.suffix.lower() in PHOTO_ENDINGS:
            numbered = _NUMBERED.fullmatch(path.stem)
            found.setdefault(numbered["sku"] if numbered else path.stem, []).append(path)
    return dict(sorted(found.items()))


def _in_table(path: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for number, row in enumerate(read_rows(read_bytes(path), name=str(path)), start=2):
        if not any(row.values()):
            continue
        code, photo = row.get("sku", ""), row.get("photo", "")
        if not code or not photo:
            raise UsageError(f"{path}: row {number} names no {'sku' if not code else 'photo'}. Its columns: sku,photo.")
        where = Path(photo) if Path(photo).is_absolute() else path.parent / photo
        found.setdefault(code, []).append(where)
    return found


def _stamp(path: Path) -> list[Any]:
    """What tells that a file is another one than before, without reading it."""
    try:
        stat = path.stat()
    except OSError:
        return [str(path.resolve())]
    return [str(path.resolve()), stat.st_size, stat.st_mtime_ns]


def _key(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()
