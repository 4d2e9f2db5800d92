"""Keeping: fixity of everything, dispute packs, backup and restore, erasure by policy."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from vitrina import __version__
from vitrina.actions.house import House, actor, log, open_blobs, open_house, sku_called
from vitrina.actions.pictures import OURS
from vitrina.card_folder import REPORT
from vitrina.config import Config
from vitrina.errors import Broken, Missing, NotWritable, UsageError, VitrinaError
from vitrina.files import require_writable
from vitrina.model import Digest
from vitrina.stages.archive import RECIPE, check_fixity, sums
from vitrina.stages.catalogue import as_row
from vitrina.store import Connection, Row, decisions, events, people, pictures, skus
from vitrina.store.engine import copy_database, fill_database, require_empty

Say = Callable[[str, float], None]

_STAMP = (1980, 1, 1, 0, 0, 0)
"""The time every entry of a pack bears, so that the same records give the same pack."""


def examine_archive(house: House, *, say: Say = lambda _what, _share: None) -> dict[str, Any]:
    """Read and hash everything that is kept, and follow the ledger from its first event to its last."""
    with house.store.reading() as conn:
        recorded = {row.digest: row.room for row in pictures.every_blob(conn)}
        chain = list(events.problems(conn))
        seq, head = events.head(conn)
    found: dict[str, str | None] = {}
    names = [(blobs, digest) for blobs in (house.originals, house.works) for digest in blobs.digests()]
    for number, (blobs, digest) in enumerate(names):
        say("hashing the archive again", number / len(names))
        found[digest] = _hash(blobs.get, digest)
    fixity = check_fixity(recorded, found)
    problems = [f"lost: {recorded[digest]} {digest}" for digest in fixity.lost]
    problems += [f"altered: {digest}" for digest in fixity.altered]
    return {
        "files": len(found),
        "lost": list(fixity.lost),
        "altered": list(fixity.altered),
        "orphans": list(fixity.orphans),
        "ledger": {"events": seq, "head": head, "problems": chain},
        "problems": [*problems, *chain],
    }


def dispute_pack(house: House, code: str, out: Path, *, until: str | None = None) -> dict[str, Any]:
    """Everything that shows what an SKU's pictures were made from, who approved them and what went out, as one zip.

    `until` (a date) leaves out what was exported after that day: the state as of an order.
    """
    if until is not None:
        try:
            until = f"{date.fromisoformat(until).isoformat()}T23:59:59.999999Z"
        except ValueError as error:
            raise UsageError(f"--ordered {until!r} is not a date such as 2026-11-25.") from error
    require_writable(out)
    with house.store.writing() as conn:
        person = actor(conn, house, "dispute.make")
        sku = sku_called(conn, code)
        log(conn, house, person, "dispute.make", f"sku/{code}", details={"until": until})
        manifest, blobs, chain = _gather(conn, house, sku, until)
    files: dict[str, bytes] = {"README.txt": RECIPE.encode(), "events.jsonl": chain}
    lost = []
    for digest, name in blobs.items():
        try:
            keeper = house.originals if name.startswith("originals/") else house.works
            files[name] = keeper.get(Digest(digest))
        except VitrinaError as error:
            lost.append(str(error))
    manifest["lost"] = lost
    files["manifest.json"] = (json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    files["SHA256SUMS"] = sums(digests).encode()
    with _zip(out) as pack:
        for name in sorted(files):
            pack.writestr(zipfile.ZipInfo(name, _STAMP), files[name], zipfile.ZIP_DEFLATED)
    return {
        "schema": "vitrina.dispute/1",
        "sku": code,
        "file": str(out),
        "sha256": _digest_of_file(out),
        "files": len(files),
        "exports": len(manifest["exports"]),
        "lost": lost,
        "verdict": "review" if lost else "pass",
    }


def backup(house: House, out: Path, *, say: Say = lambda _what, _share: None) -> dict[str, Any]:
    """The records and everything that is kept, as one zip, consistent while others work."""
    require_writable(out)
    with house.store.writing() as conn:
        person = actor(conn, house, "archive.keep")
        log(conn, house, person, "archive.backup", "archive", details={"file": out.name})
        head = events.head(conn)
    aside = out.with_name(f".{out.name}.sqlite")
    sums_: dict[str, str] = {}
    try:
        copy_database(house.store, aside)  # before the files are listed: a record's bytes are kept before the record
        names = [(blobs, digest) for blobs in (house.originals, house.works) for digest in blobs.digests()]
        with _zip(out) as pack:
            pack.write(aside, "app.sqlite", zipfile.ZIP_DEFLATED)
            sums_["app.sqlite"] = _digest_of_file(aside)
            for number, (blobs, digest) in enumerate(names):
                say("backing up", number / len(names))
                name = f"{blobs.room}/{digest}"
                pack.writestr(zipfile.ZipInfo(name, _STAMP), blobs.get(digest), zipfile.ZIP_STORED)
                sums_[name] = digest
            about = {"schema": "vitrina.backup/1", "version": __version__, "events": head[0], "head": head[1]}
            pack.writestr("backup.json", json.dumps(about))
            pack.writestr("SHA256SUMS", sums(sums_))
    finally:
        aside.unlink(missing_ok=True)
    return {
        "schema": "vitrina.backup/1",
        "file": str(out),
        "files": len(names),
        "events": head[0],
        "bytes": out.stat().st_size,
    }


def restore(config: Config, path: Path, *, say: Say = lambda _what, _share: None) -> dict[str, Any]:
    """Put a backup into an empty home and an empty database, of either kind; every file is checked before it takes its
    place."""
    require_empty(config)
    aside = config.home / ".restoring.sqlite"
    try:
        with zipfile.ZipFile(path) as pack:
            lines = [line.split("  ", 1) for line in pack.read("SHA256SUMS").decode().splitlines()]
            wanted = {name: digest for digest, name in lines}
            config.home.mkdir(parents=True, exist_ok=True)
            for number, (name, digest) in enumerate(wanted.items()):
                say("restoring", number / len(wanted))
                if name == "app.sqlite":
                    with pack.open(name) as source, aside.open("wb") as target:
                        shutil.copyfileobj(source, target)
                    if _digest_of_file(aside) != digest:
                        raise Broken(f"{path}: its app.sqlite is damaged. Use another backup.")
                    continue
                data = pack.read(name)
                if hashlib.sha256(data).hexdigest() != digest:
                    raise Broken(f"{path}: its {name} is damaged. Use another backup.")
                open_blobs(config, room=name.split("/", 1)[0]).put(data)
        fill_database(config, aside)
    except FileNotFoundError as error:
        raise Missing(f"{path}: there is no such file.") from error
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise Broken(f"{path}: not a backup of Vitrina, or damaged ({error}). Use another backup.") from error
    except OSError as error:
        raise NotWritable(f"{config.home}: cannot be written ({error.strerror}). Free some space.") from error
    finally:
        aside.unlink(missing_ok=True)
    with open_house(config) as house:
        examined = examine_archive(house)
    return {
        "schema": "vitrina.restore/1",
        "home": str(config.home),
        "files": examined["files"],
        "problems": examined["problems"],
        "verdict": "reject" if examined["problems"] else "pass",
    }


def erase(house: House, *, words: str, dry_run: bool) -> dict[str, Any]:
    """Remove the bytes of works that the retention policy lets go, and keep the record that they were.

    They belong to variants that are superseded or rejected, were never exported, and are older than the policy's years.
    Originals, and whatever else rests on the same bytes, stay.
    """
    if not words.strip():
        raise UsageError("--words: say why.")
    with house.store.writing() as conn:
        person = actor(conn, house, "archive.erase")
        years = int(people.policy(conn, "retention_years"))
        now = house.clock()
        before = now.replace(year=now.year - years, day=min(now.day, 28)).isoformat()
        digests = pictures.erasable(conn, before=before)
        if not dry_run and digests:
            for digest in digests:
                pictures.erase_blob(conn, digest, at=house.now(), why=words)
            details = {"years": years, "words": words}
            log(conn, house, person, "archive.erase", "archive", digests=tuple(digests), details=details)
    if not dry_run:
        for digest in digests:
            house.works.remove(Digest(digest))
    return {
        "schema": "vitrina.erase/1",
        "retention_years": years,
        "dry_run": dry_run,
        "erased": digests,
        "verdict": "pass",
    }


def _gather(
    conn: Connection, house: House, sku: Row[Any], until: str | None
) -> tuple[dict[str, Any], dict[str, str], bytes]:
    """What a pack says, the blobs it holds by digest with their names in it, and its ledger as JSON Lines."""
    variants = pictures.variants_of(conn, sku.id)
    exported = decisions.exports_of(conn, [sku.id], until=until)
    if until is not None:
        variants = [variant for variant in variants if variant.id in {e.variant_id for e in exported}]
    kept = {variant.id: variant for variant in variants if not variant.planted}
    photos = {photo.id: photo for photo in pictures.photos_of(conn, sku.id)}
    blobs: dict[str, str] = {}
    for photo in photos.values():
        if until is None or photo.id in {variant.photo_id for variant in kept.values()}:
            blobs[photo.digest] = f"originals/{photo.digest}-{photo.name}"
    told = []
    for variant in kept.values():
        blobs.setdefault(variant.digest, f"works/{variant.digest}")
        made = pictures.renditions_of(conn, variant.id)
        blobs.update({r.digest: f"works/{r.digest}-{r.name}" for r in made})
        if variant.tool == OURS:
            blobs.update(_of_card(house, variant.card))
        told.append(
            {
                **{key: getattr(variant, key) for key in _VARIANT},
                "source": photos[variant.photo_id].digest,
                "renditions": [{key: getattr(r, key) for key in _RENDITION} for r in made],
                "findings": [
                    {key: getattr(f, key) for key in _FINDING}
                    for f in pictures.findings_of(conn, sku.id, variant_id=variant.id)
                ],
            }
        )
    seq, head = events.head(conn)
    manifest = {
        "schema": "vitrina.dispute-pack/1",
        "version": __version__,
        "made_at": house.now(),
        "until": until,
        "sku": {**as_row(skus.value_of(sku)), "facts": sku.facts},
        "photos": [{key: getattr(p, key) for key in _PHOTO} for p in photos.values() if p.digest in blobs],
        "variants": told,
        "decisions": [
            {**{key: getattr(d, key) for key in _DECISION}, "variant": kept[d.variant_id].number}
            for d in decisions.of_sku(conn, sku.id)
            if d.variant_id in kept
        ],
        "exports": [
            {**{key: getattr(e, key) for key in _EXPORT}, "variant": kept[e.variant_id].number}
            for e in exported
            if e.variant_id in kept
        ],
        "ledger": {"events": seq, "head": head},
    }
    return manifest, blobs, _chain(conn, f"sku/{sku.code}")


def _of_card(house: House, card: str) -> dict[str, str]:
    """The report of a card and its certificate, by digest, with their names in a pack."""
    from vitrina.certificate import CERTIFICATE

    found = {card: f"works/{card}-{REPORT}"}
    try:
        certificate = json.loads(house.works.get(Digest(card)))["files"].get(CERTIFICATE)
    except (VitrinaError, ValueError, KeyError):
        certificate = None  # a report that is lost is told as lost, with everything else
    return {**found, **({certificate: f"works/{certificate}-{CERTIFICATE}"} if certificate else {})}


_VARIANT = (
    "number", "look", "tool", "digest", "card", "verdict", "state", "reason", "basis", "second_look", "made_by",
    "made_at",
)  # fmt: skip
_RENDITION = ("market", "slot", "name", "digest", "verdict")
_FINDING = ("check", "code", "severity", "measured", "limit", "unit", "region", "message", "market")
_PHOTO = ("digest", "name", "capture", "verdict", "added_at", "replaced_at", "usage_right", "taken_by", "licence")
_DECISION = ("person", "verdict", "digest", "names", "basis", "reason", "words", "at", "void_at", "void_why")
_EXPORT = ("market", "files", "person", "at")


def _chain(conn: Connection, subject: str) -> bytes:
    """The whole ledger as JSON Lines; events about anything else are sealed to their place in the chain."""
    lines = []
    for event in events.every(conn):
        if event["subject"] != subject:
            event = {key: event[key] for key in ("seq", "previous", "hash")} | {"sealed": True}
        lines.append(json.dumps(event, ensure_ascii=False, sort_keys=True, separators=(",", ":")))
    return ("\n".join(lines) + "\n").encode()


@contextmanager
def _zip(out: Path) -> Iterator[zipfile.ZipFile]:
    """A zip that appears under its name only when it is complete."""
    aside = out.with_name(f".{out.name}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(aside, "w", allowZip64=True) as pack:
            yield pack
        aside.replace(out)
    except OSError as error:
        raise NotWritable(f"{out}: cannot be written ({error.strerror}). Free some space.") from error
    finally:
        aside.unlink(missing_ok=True)


def _hash(get: Callable[[Digest], bytes], digest: Digest) -> str | None:
    try:
        return hashlib.sha256(get(digest)).hexdigest()
    except VitrinaError:
        return None


def _digest_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


__all__ = ["backup", "dispute_pack", "erase", "examine_archive", "restore"]
