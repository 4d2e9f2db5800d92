"""Letting approved pictures out: export asks for the proof of approval, writes the very bytes, and records them."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Any

from vitrina.actions.gate import live_decisions, names_of
from vitrina.actions.house import House, actor, basis_of, log, sku_called
from vitrina.actions.pictures import refresh, what_is
from vitrina.actions.rule_packs import pack_in_effect, require_fresh
from vitrina.errors import NotAllowed, NotWritable, UsageError
from vitrina.files import require_writable, write_bytes
from vitrina.model import Digest, Severity
from vitrina.rules.evaluate import check_count
from vitrina.rules.load import find_slot
from vitrina.rules.pack import Pack
from vitrina.stages import review
from vitrina.stages.review import Move, State
from vitrina.store import Connection, Row, batches, decisions, pictures

_ASIDE = ".vitrina-export"
_SUFFIXES = {b"\xff\xd8": "jpg", b"\x89P": "png", b"RI": "webp", b"II": "tif", b"MM": "tif"}


def export(
    house: House, code: str, *, market: str, out: Path | None = None, copied_from: str | None = None
) -> dict[str, Any]:
    """The approved files of an SKU for one marketplace, in the folder `out` (by default under the home).

    With `copied_from` the files approved for that other marketplace are taken, byte for byte, once each of them has
    been held against this one's own rules.

    Raises NotAllowed naming the role, the approvals or the confirmation that is lacking; then nothing is written.
    """
    with house.store.writing() as conn:
        person = actor(conn, house, "export")
        pack = pack_in_effect(conn, house.config, market)
        warnings = require_fresh(pack, house.clock().date())
        refresh(conn, house, person, sku_called(conn, code))
    with house.store.reading() as conn:
        planned = approved_files(conn, house, code, copied_from or market)
    files: dict[str, bytes] = {}
    for variant, made in planned:
        if copied_from is not None:
            warnings += _copied(house, code, variant, made, copied_from, pack)
        for name, digest in (made or _as_it_is(house, code, variant, market)).items():
            if name in files:
                raise UsageError(
                    f"two approved variants of {code} would both be {name}. Supersede or reject one of them."
                )
            files[name] = house.works.get(Digest(digest))
    warnings += _too_many(len({variant.photo_id for variant, _ in planned}), pack)
    folder = out or house.config.home / "exports" / code / market
    require_writable(folder / "file")
    aside = folder / _ASIDE
    shutil.rmtree(aside, ignore_errors=True)
    try:
        for name, data in files.items():
            write_bytes(aside / name, data)
        with house.store.writing() as conn:  # the proof once more, now with the write lock
            person = actor(conn, house, "export")
            again = approved_files(conn, house, code, copied_from or market)
            if [(v.id, made) for v, made in again] != [(v.id, made) for v, made in planned]:
                raise NotAllowed(
                    f"{code} changed while it was being exported: its approvals are lacking. Look at it again."
                )
            told = [
                _record(conn, house, person, code, variant, market, made, files, folder, copied_from)
                for variant, made in again
            ]
        for name in files:
            (aside / name).replace(folder / name)
    except OSError as error:
        raise NotWritable(f"{folder}: cannot be written ({error.strerror}). Choose another -o.") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        with contextlib.suppress(OSError):
            folder.rmdir()  # only when nothing came of it
    return {
        "schema": "vitrina.export/1",
        "sku": code,
        "market": market,
        "folder": str(folder),
        "files": sorted(files),
        "variants": told,
        "copied_from": copied_from,
        "rules": {"edition": pack.edition, "read_on": pack.read_on.isoformat()},
        "by_hand": [rule.says for rule in (*pack.by_hand, *find_slot(pack, "main").by_hand)],
        "warnings": warnings,
        "notice": "The seller answers for publication; no marketplace has approved these files.",
        "verdict": "review" if warnings else "pass",
    }


def approved_files(conn: Connection, house: House, code: str, market: str) -> list[tuple[Row[Any], dict[str, str]]]:
    """The approved variants with their files for `market`; raises NotAllowed when there is none that may go."""
    sku = sku_called(conn, code)
    variants = [v for v in pictures.variants_of(conn, sku.id) if v.state not in (State.REJECTED, State.SUPERSEDED)]
    live = [variant for variant in variants if variant.state in review.LIVE and not variant.planted]
    if not live:
        waiting = "; ".join(_lacks(conn, sku.code, variant) for variant in variants) or "there is no picture yet"
        raise NotAllowed(f"{code} cannot be exported: the approval of a reviewer is lacking ({waiting}).")
    plan = []
    for variant in live:
        _require_not_held(conn, variant)
        names = names_of(conn, variant)
        photo = pictures.get_photo(conn, variant.photo_id)
        proof = review.approved(
            live_decisions(conn, variant.id),
            state=State(variant.state),
            names=names,
            basis=basis_of(house, sku, photo, variant.basis["packs"]),
            needs_second=bool(variant.second_look),
            what=what_is(code, variant),
        )
        made = pictures.renditions_of(conn, variant.id, market=market)
        if made or variant.tool != "vitrina":
            plan.append((variant, {r.name: str(proof.names[f"{market}/{r.slot}/{r.name}"]) for r in made}))
    if not plan:
        raise UsageError(
            f"{code} has no approved file for {market}. Make its card with --markets {market} and have it approved."
        )
    return plan


def _require_not_held(conn: Connection, variant: Row[Any]) -> None:
    batch = batches.get(conn, variant.batch_id) if variant.batch_id is not None else None
    if batch is not None and batch.state == "held":
        raise NotAllowed(
            f"batch {batch.id} is held: {batch.reason}. The release by a reviewer or an admin is lacking: "
            f"vitrina review release {batch.id} --words …"
        )


def _lacks(conn: Connection, code: str, variant: Row[Any]) -> str:
    if variant.state == State.IN_REVIEW and variant.second_look and decisions.of_variant(conn, variant.id):
        return f"{what_is(code, variant)} waits for a second reviewer"
    why = f": {variant.reason}" if variant.reason else ""
    return f"{what_is(code, variant)} is {variant.state}{why}"


def _as_it_is(house: House, code: str, variant: Row[Any], market: str) -> dict[str, str]:
    """Another tool's picture goes out byte for byte, if it meets the marketplace's rules as it is."""
    data = house.works.get(variant.digest)
    name = f"{code}-main.{_SUFFIXES.get(data[:2], 'bin')}"
    held = house.program.check_rules(data, market, "main", name)
    blocks = [finding["message"] for finding in held["findings"] if finding["severity"] == "block"]
    if blocks:
        raise NotAllowed(
            f"{what_is(code, variant)} was approved, but as a file for {market} it breaks the rules: {blocks[0]} "
            "Another file needs another approval: import it in the form the marketplace wants."
        )
    return {name: variant.digest}


def _copied(house: House, code: str, variant: Row[Any], made: dict[str, str], origin: str, pack: Pack) -> list[str]:
    """What this marketplace's own rules say of files made for the marketplace `origin`; raises NotAllowed on blocks."""
    slots = {r.name: r.slot for r in made_for(house, variant, origin)}
    warnings = []
    for name, digest in made.items():
        slot = slots[name] if slots[name] in pack.slots else "main"
        held = house.program.check_rules(house.works.get(Digest(digest)), pack.market, slot, name)
        blocks = [finding["message"] for finding in held["findings"] if finding["severity"] == "block"]
        if blocks:
            raise NotAllowed(
                f"{what_is(code, variant)}: {name} was made for {origin} and breaks the rules of {pack.market}: "
                f"{blocks[0]} Make its own: vitrina card … --markets {pack.market}, and have it approved."
            )
        warnings += [f"{name}: {f['message']}" for f in held["findings"] if f["severity"] == "warn"]
    return warnings


def made_for(house: House, variant: Row[Any], market: str) -> list[Row[Any]]:
    """The renditions of `variant` for a marketplace."""
    with house.store.reading() as conn:
        return pictures.renditions_of(conn, variant.id, market=market)


def _too_many(count: int, pack: Pack) -> list[str]:
    """What the pack says of this many pictures in one listing; raises NotAllowed when they are too many."""
    found = check_count(count, pack)
    for finding in found:
        if finding.severity is Severity.BLOCK:
            raise NotAllowed(f"{finding.message} Supersede or reject some of the variants.")
    return [finding.message for finding in found if finding.severity is Severity.WARN]


def _record(
    conn: Connection,
    house: House,
    person: str,
    code: str,
    variant: Row[Any],
    market: str,
    made: dict[str, str],
    files: dict[str, bytes],
    folder: Path,
    copied_from: str | None,
) -> dict[str, Any]:
    named = made or {name: variant.digest for name in files if name.startswith(f"{code}-main.")}
    state = review.move(State(variant.state), Move.EXPORT, what=what_is(code, variant))
    decisions.add_export(
        conn,
        variant_id=variant.id,
        sku_id=variant.sku_id,
        market=market,
        files=named,
        folder=str(folder),
        person=person,
        at=house.now(),
    )
    pictures.set_state(conn, variant.id, state, reason="", at=house.now())
    details = {"variant": variant.number, "market": market, "files": named}
    if copied_from is not None:
        details["copied_from"] = copied_from
    log(conn, house, person, "export", f"sku/{code}", digests=tuple(named.values()), details=details)
    return {"variant": variant.number, "state": state.value, "files": named}
