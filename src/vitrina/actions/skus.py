"""SKUs: adding, importing, exporting, listing, showing; and the lines they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from vitrina.actions.house import House, actor, holds, log, sku_called
from vitrina.actions.pictures import refresh
from vitrina.actions.price_list import read_rows, write_csv, write_xlsx
from vitrina.errors import Conflict, Missing, UsageError
from vitrina.files import read_bytes, write_bytes
from vitrina.model import Sku
from vitrina.stages.catalogue import COLUMNS, Problem, as_row, parse_one, parse_rows
from vitrina.stages.review import REASONS
from vitrina.store import Connection, decisions, events, pictures, skus


def put_sku(house: House, cells: Mapping[str, str], *, is_new: bool) -> dict[str, Any]:
    """Add an SKU, or change the given columns of one. What rests on a changed fact goes back to draft."""
    with house.store.writing() as conn:
        person = actor(conn, house, "sku.edit")
        known = skus.get(conn, cells["sku"].strip())
        if is_new and known is not None:
            raise Conflict(f"{cells['sku']} is in the catalogue already. Change it: vitrina sku change {cells['sku']}")
        if not is_new and known is None:
            sku_called(conn, cells["sku"])
        before = as_row(skus.value_of(known)) if known is not None else {}
        sku, problems = parse_one({**before, **cells})
        if problems:
            raise UsageError("; ".join(f"--{p.column.replace('_', '-')}: {p.message}" for p in problems))
        _write(conn, house, person, sku)
        return _sku_document(conn, house, sku.code)


def import_skus(house: House, path: Path, *, dry_run: bool) -> dict[str, Any]:
    """A price list, CSV or XLSX. With any problem nothing is imported and every problem is listed.

    A column that the list does not have leaves what is on record; an empty cell empties.
    """
    name = path.name
    rows = read_rows(read_bytes(path), name=str(path))
    counts = {"new": 0, "changed": 0, "unchanged": 0}
    voided: list[str] = []
    with house.store.reading() as conn:
        actor(conn, house, "sku.edit")
        known = {row.code: skus.value_of(row) for row in skus.every(conn)}
    full = [{**as_row(known[row["sku"]]), **row} if row.get("sku") in known else row for row in rows]
    wanted, problems = parse_rows(full)
    for sku in wanted:
        before = known.get(sku.code)
        counts["new" if before is None else "unchanged" if before == sku else "changed"] += 1
    if not problems and not dry_run and wanted:
        with house.store.writing() as conn:
            person = actor(conn, house, "sku.edit")
            for sku in wanted:
                if known.get(sku.code) != sku:
                    voided += _write(conn, house, person, sku)
            log(conn, house, person, "sku.import", f"file/{name}", details=counts)
    return {
        "schema": "vitrina.sku-import/1",
        "file": name,
        "dry_run": dry_run,
        "rows": len(wanted) + len({problem.row for problem in problems if problem.row > 1}),
        **counts,
        "imported": not problems and not dry_run,
        "back_to_draft": voided,
        "problems": [problem.as_dict() for problem in problems or _nothing(wanted)],
        "verdict": "reject" if problems or not wanted else "pass",
    }


def export_skus(house: House, path: Path) -> dict[str, Any]:
    """The whole catalogue as a price list that `import_skus` reads back: a .csv or an .xlsx."""
    kind = path.suffix.lower()
    if kind not in (".csv", ".xlsx"):
        raise UsageError(f"-o {path}: end the name in .csv or .xlsx.")
    with house.store.reading() as conn:
        actor(conn, house, "read")
        rows = [as_row(skus.value_of(row)) for row in skus.every(conn)]
    data = write_xlsx(rows) if kind == ".xlsx" else write_csv(rows)
    write_bytes(path, data)
    return {"schema": "vitrina.sku-export/1", "file": str(path), "skus": len(rows), "bytes": len(data)}


def list_skus(
    house: House, *, search: str = "", line: str = "", state: str = "", after: str = "", limit: int = 50
) -> dict[str, Any]:
    """A page of the catalogue."""
    with house.store.reading() as conn:
        actor(conn, house, "read")
        found = skus.page(conn, search=search, line_name=line, state=state, after=after, limit=limit)
        total = skus.count(conn)
    more = found[-1]["sku"] if len(found) == limit else None
    return {"schema": "vitrina.sku-list/1", "total": total, "skus": found, "next_after": more}


def show_sku(house: House, code: str) -> dict[str, Any]:
    """Everything about one SKU, except what would spoil a blind second look."""
    with house.store.reading() as conn:
        actor(conn, house, "read")
        return _sku_document(conn, house, code)


def add_return(house: House, code: str, *, ordered: str, returned: str, reason: str, words: str) -> dict[str, Any]:
    """Record that a buyer sent a piece back, and why."""
    if reason not in REASONS:
        raise UsageError(f"--reason {reason!r}: choose one of {', '.join(REASONS)}.")
    try:
        days = [date.fromisoformat(day) for day in (ordered, returned)]
    except ValueError as error:
        raise UsageError(f"--ordered and --returned are dates such as 2026-11-25 ({error}).") from error
    if days[1] < days[0]:
        raise UsageError(f"--returned {returned} is before --ordered {ordered}.")
    with house.store.writing() as conn:
        person = actor(conn, house, "sku.edit")
        row = sku_called(conn, code)
        skus.add_return(conn, row.id, ordered_on=ordered, returned_on=returned, reason=reason, words=words)
        log(
            conn,
            house,
            person,
            "sku.return",
            f"sku/{code}",
            details={"ordered_on": ordered, "reason": reason, "words": words},
        )
    return {"schema": "vitrina.sku-return/1", "sku": code, "reason": reason, "verdict": "pass"}


def set_line(house: House, name: str, *, recipe: Mapping[str, Any], checklist: Mapping[str, str]) -> dict[str, Any]:
    """Make a line or change its recipe and its own checklist lines. A preset in a recipe is
    ``{"presets": {NAME: {"checked": bool, …}}}``."""
    with house.store.writing() as conn:
        person = actor(conn, house, "line.edit")
        line_id = skus.line(conn, name, at=house.now())
        row = skus.get_line(conn, name)
        assert row is not None
        now = {"recipe": {**row.recipe, **recipe}, "checklist": {**row.checklist, **checklist}}
        skus.change_line(conn, line_id, recipe=now["recipe"], checklist=now["checklist"])
        log(conn, house, person, "line.set", f"line/{name}", details=now)
        return {"schema": "vitrina.line/1", "line": name, **now}


def copy_line(house: House, old: str, new: str) -> dict[str, Any]:
    """A new line with the recipe and the checklist of an old one; never its approvals, nor presets nobody checked."""
    with house.store.writing() as conn:
        person = actor(conn, house, "line.edit")
        row = skus.get_line(conn, old)
        if row is None:
            raise Missing(f"there is no line {old!r}. See vitrina line list.")
        if skus.get_line(conn, new) is not None:
            raise Conflict(f"the line {new!r} is there already.")
        recipe = dict(row.recipe)
        presets = recipe.get("presets", {})
        kept = {name: preset for name, preset in presets.items() if preset.get("checked") is True}
        left = sorted(set(presets) - set(kept))
        if presets:
            recipe["presets"] = kept
        skus.change_line(conn, skus.line(conn, new, at=house.now()), recipe=recipe, checklist=row.checklist)
        log(conn, house, person, "line.copy", f"line/{new}", details={"of": old, "left_behind": left})
    return {"schema": "vitrina.line/1", "line": new, "recipe": recipe, "checklist": row.checklist, "left_behind": left}


def list_lines(house: House) -> dict[str, Any]:
    """Every line with its recipe and its own checklist lines."""
    with house.store.reading() as conn:
        actor(conn, house, "read")
        found = [{"line": row.name, "recipe": row.recipe, "checklist": row.checklist} for row in skus.all_lines(conn)]
    return {"schema": "vitrina.lines/1", "lines": found}


def _write(conn: Connection, house: House, person: str, sku: Sku) -> list[str]:
    """Put an SKU and take back what rested on what changed; returns the variants that went back to draft."""
    known = skus.get(conn, sku.code)
    before = as_row(skus.value_of(known)) if known is not None else {}
    skus.put(conn, sku, at=house.now())
    now = as_row(sku)
    changed = {key: [before.get(key, ""), now[key]] for key in COLUMNS[1:] if before.get(key, "") != now[key]}
    log(conn, house, person, "sku.change" if before else "sku.add", f"sku/{sku.code}", details={"changed": changed})
    return refresh(conn, house, person, sku_called(conn, sku.code)) if before else []


def _nothing(wanted: list[Sku]) -> list[Problem]:
    return [] if wanted else [Problem(1, "", "sku", "no SKU in it")]


def _sku_document(conn: Connection, house: House, code: str) -> dict[str, Any]:
    row = sku_called(conn, code)
    sees_all = holds(conn, house, "audit.read")
    variants = pictures.variants_of(conn, row.id)
    by_id = {variant.id: variant for variant in variants}
    told = [
        decision
        for decision in decisions.of_sku(conn, row.id)
        if sees_all or by_id[decision.variant_id].state != "in review" or decision.person == house.person
    ]
    sku = as_row(skus.value_of(row))
    return {
        "schema": "vitrina.sku/1",
        **{key: sku[key] for key in COLUMNS},
        "stock": row.stock,
        "top": bool(row.is_top),
        "facts": row.facts,
        "photos": [
            {
                "digest": p.digest,
                "name": p.name,
                "verdict": p.verdict,
                "capture": p.capture,
                "right": p.usage_right or None,
                "taken_by": p.taken_by,
                "licence": p.licence,
                "added_at": p.added_at,
                "replaced_at": p.replaced_at,
            }
            for p in pictures.photos_of(conn, row.id)
        ],
        "variants": [_variant_document(conn, row.id, variant, sees_all=sees_all) for variant in variants],
        "decisions": [
            {
                "variant": by_id[d.variant_id].number,
                "person": d.person,
                "verdict": d.verdict,
                "digest": d.digest,
                "reason": d.reason,
                "words": d.words,
                "at": d.at,
                "void_at": d.void_at,
                "void_why": d.void_why,
            }
            for d in told
        ],
        "exports": [
            {
                "variant": by_id[e.variant_id].number,
                "market": e.market,
                "files": e.files,
                "person": e.person,
                "at": e.at,
            }
            for e in decisions.exports_of(conn, [row.id])
        ],
        "history": [
            {"seq": e.seq, "at": e.at, "person": e.person, "verb": e.verb, "details": e.details}
            for e in events.of_subjects(conn, [f"sku/{code}"])
        ]
        if sees_all
        else [],
    }


def _variant_document(conn: Connection, sku_id: int, variant: Any, *, sees_all: bool) -> dict[str, Any]:
    found = pictures.findings_of(conn, sku_id, variant_id=variant.id)
    return {
        "number": variant.number,
        "look": variant.look,
        "tool": variant.tool,
        "digest": variant.digest,
        "verdict": variant.verdict,
        "state": variant.state,
        "reason": variant.reason,
        "second_look": variant.second_look,
        "made_by": variant.made_by,
        "made_at": variant.made_at,
        **({"planted": variant.planted} if sees_all and variant.planted else {}),
        "renditions": [
            {"market": r.market, "slot": r.slot, "name": r.name, "digest": r.digest, "verdict": r.verdict}
            for r in pictures.renditions_of(conn, variant.id)
        ],
        "findings": [
            {
                key: getattr(f, key)
                for key in ("check", "code", "severity", "measured", "limit", "unit", "region", "message")
            }
            | ({"market": f.market} if f.market else {})
            for f in found
        ],
    }
