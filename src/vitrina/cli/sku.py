"""``vitrina sku`` and ``variant``: the catalogue."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vitrina.cli.desk import As, Code, Home, Json, Licence, Right, TakenBy, run, say, table
from vitrina.cli.output import progress, say_findings

if TYPE_CHECKING:
    from vitrina.actions.house import House

Text = Annotated[str | None, typer.Option(show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(help="The catalogue: SKUs, their facts and photos.", no_args_is_help=True)
    group.command("add")(add)
    group.command("change")(change)
    group.command("photo")(photo)
    group.command("copies")(copies)
    group.command("import")(import_)
    group.command("export")(export)
    group.command("show")(show)
    group.command("list")(list_skus)
    group.command("return")(return_)
    app.add_typer(group, name="sku")
    variants = typer.Typer(help="Pictures made by other tools.", no_args_is_help=True)
    variants.command("import")(import_variant)
    app.add_typer(variants, name="variant")


def add(
    code: Code,
    title: Text = None,
    piece_type: Annotated[
        str | None, typer.Option(help="ring, earrings, necklace, chain, bracelet, pendant, brooch, set or other.")
    ] = None,
    line: Text = None,
    stock: Text = None,
    top: Annotated[bool | None, typer.Option("--top/--no-top", help="A top SKU: two reviewers.")] = None,
    factory: Text = None,
    stone_batch: Text = None,
    metal: Text = None,
    alloy: Text = None,
    stones: Annotated[str | None, typer.Option(help="COUNT KIND/CUT/COLOUR; several with ;")] = None,
    pieces: Text = None,
    parts: Annotated[str | None, typer.Option(help="The parts of a set, with ; between.")] = None,
    links: Text = None,
    chain_length_mm: Text = None,
    link_pattern: Text = None,
    clasp: Text = None,
    engraving: Text = None,
    marks: Annotated[str | None, typer.Option(help="Known marks and scratches, with ; between.")] = None,
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Add an SKU with what its description promises."""
    return _put(locals(), is_new=True)


def change(
    code: Code,
    title: Text = None,
    piece_type: Text = None,
    line: Text = None,
    stock: Text = None,
    top: Annotated[bool | None, typer.Option("--top/--no-top", help="A top SKU: two reviewers.")] = None,
    factory: Text = None,
    stone_batch: Text = None,
    metal: Text = None,
    alloy: Text = None,
    stones: Text = None,
    pieces: Text = None,
    parts: Text = None,
    links: Text = None,
    chain_length_mm: Text = None,
    link_pattern: Text = None,
    clasp: Text = None,
    engraving: Text = None,
    marks: Text = None,
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Change an SKU. Approvals that rest on a changed fact, factory or stone batch go back to draft."""
    return _put(locals(), is_new=False)


def photo(
    code: Code,
    path: Annotated[Path, typer.Argument(metavar="PHOTO", help="The photo as the camera wrote it.")],
    replaces: Annotated[
        str, typer.Option(help="The name, or the beginning of the digest, of a photo it replaces.")
    ] = "",
    right: Right = "",
    taken_by: TakenBy = "",
    licence: Licence = "",
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Archive a photo of an SKU, or replace one; the same photo again says whose it is."""
    from vitrina.actions.origins import stated
    from vitrina.actions.pictures import import_photo

    def tell(document: Mapping[str, Any]) -> None:
        say(f"{code}: {path.name} is archived as {document['digest'][:12]}…")
        for finding in document["findings"]:
            say(f"  {finding['severity']:5} {finding['check']}: {finding['message']}")
        for line in document["back_to_draft"]:
            say(f"  back to draft: {line}")

    rights = stated(right, taken_by, licence)
    return run(home, as_, json, lambda h: import_photo(h, code, path, replaces=replaces, rights=rights), tell)


def copies(as_: As = None, home: Home = None, json: Json = False) -> int:
    """Find every photo that stands under several SKUs, byte for byte or encoded, resized or mirrored."""
    from vitrina.actions.origins import list_copies

    def tell(document: Mapping[str, Any]) -> None:
        say(f"{document['photos']} photos compared, {document['prints_taken']} of them for the first time")
        for pair in document["copies"]:
            say(f"  {' and '.join(pair['skus'])}: the same photo ({pair['bits']} of 256 bits differ)")
        for line in document["lost"]:
            say(f"  not compared: {line}")

    def act(house: House) -> dict[str, Any]:
        with progress("comparing photos") as show:
            return list_copies(house, say=show)

    return run(home, as_, json, act, tell)


def import_(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV in UTF-8, or an XLSX.", show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing; list every problem.")] = False,
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Import a price list. With any problem nothing is imported, and every problem row is listed."""
    from vitrina.actions.skus import import_skus

    def tell(document: Mapping[str, Any]) -> None:
        counts = ", ".join(f"{document[key]} {key}" for key in ("new", "changed", "unchanged"))
        what = "imported" if document["imported"] else "nothing imported (dry run)" if dry_run else "nothing imported"
        say(f"{path.name}: {document['rows']} rows: {counts}; {what}")
        for problem in document["problems"]:
            say(f"  row {problem['row']} {problem['sku']}: {problem['column']}: {problem['message']}")
        for line in document["back_to_draft"]:
            say(f"  back to draft: {line}")

    return run(home, as_, json, lambda h: import_skus(h, path, dry_run=dry_run), tell)


def export(
    output: Annotated[Path, typer.Option("-o", "--output", help="A .csv or .xlsx file.", show_default=False)],
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Write the catalogue as a price list that `sku import` reads back."""
    from vitrina.actions.skus import export_skus

    return run(
        home,
        as_,
        json,
        lambda house: export_skus(house, output),
        lambda d: say(f"{d['file']}: {d['skus']} SKUs, {d['bytes']} bytes"),
    )


def show(code: Code, as_: As = None, home: Home = None, json: Json = False) -> int:
    """Everything about one SKU."""
    from vitrina.actions.skus import show_sku

    return run(home, as_, json, lambda house: show_sku(house, code), _tell_sku)


def list_skus(
    search: Annotated[str, typer.Option(help="Part of a code or title.")] = "",
    line: Annotated[str, typer.Option(help="Only this line.")] = "",
    state: Annotated[str, typer.Option(help="Only SKUs with a variant in this state.")] = "",
    after: Annotated[str, typer.Option(help="The last code of the page before.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="SKUs per page.")] = 50,
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """A page of the catalogue."""
    from vitrina.actions import skus

    def tell(document: Mapping[str, Any]) -> None:
        table(document["skus"], ("sku", "title", "piece_type", "line", "stock", "photos", "variants"))
        if document["next_after"]:
            print(f"more: --after {document['next_after']}", file=sys.stderr)

    return run(
        home,
        as_,
        json,
        lambda h: skus.list_skus(h, search=search, line=line, state=state, after=after, limit=limit),
        tell,
    )


def return_(
    code: Code,
    reason: Annotated[
        str, typer.Option(help="stones, metal, chain, colour, … as for a rejection.", show_default=False)
    ],
    ordered: Annotated[str, typer.Option(help="The day of the order, 2026-11-25.", show_default=False)],
    returned: Annotated[str | None, typer.Option(help="The day it came back; today otherwise.")] = None,
    words: Annotated[str, typer.Option(help="What the buyer said.")] = "",
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Record that a buyer sent a piece back."""
    from vitrina.actions.skus import add_return

    day = returned or date.today().isoformat()
    return run(
        home,
        as_,
        json,
        lambda h: add_return(h, code, ordered=ordered, returned=day, reason=reason, words=words),
        lambda d: say(f"{d['sku']}: returned for {d['reason']}"),
    )


def import_variant(
    code: Code,
    path: Annotated[
        Path, typer.Argument(metavar="EDIT", help="The picture that another tool made.", show_default=False)
    ],
    tool: Annotated[str, typer.Option(help="The program or person that made it.", show_default=False)],
    source: Annotated[str, typer.Option(help="The photo it was made from, when the SKU has several.")] = "",
    look: Annotated[str, typer.Option(help="How it is dressed.")] = "white",
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Bring in an outside edit: an unverified draft, verified against its source at once."""
    from vitrina.actions.pictures import import_variant

    def tell(document: Mapping[str, Any]) -> None:
        say_findings(f"{code} variant {document['variant']} ({document['state']})", document)

    return run(
        home,
        as_,
        json,
        lambda h: import_variant(h, code, path, tool=tool, source=source, look=look),
        tell,
    )


def _put(given: dict[str, Any], *, is_new: bool) -> int:
    from vitrina.actions.skus import put_sku

    common = {key: given.pop(key) for key in ("code", "as_", "home", "json", "top")}
    cells = {key: value for key, value in given.items() if value is not None}
    cells["sku"] = common["code"]
    if common["top"] is not None:
        cells["top"] = "yes" if common["top"] else "no"
    return run(
        common["home"], common["as_"], common["json"], lambda house: put_sku(house, cells, is_new=is_new), _tell_sku
    )


def _tell_sku(document: Mapping[str, Any]) -> None:
    say(f"{document['sku']}  {document['title']}")
    for key in (
        "piece_type",
        "line",
        "stock",
        "factory",
        "stone_batch",
        "metal",
        "alloy",
        "stones",
        "pieces",
        "parts",
        "chain_length_mm",
        "link_pattern",
        "clasp",
        "engraving",
        "marks",
    ):
        if document[key]:
            say(f"  {key.replace('_', ' ')}: {document[key]}")
    for item in document["photos"]:
        say(f"  photo {item['digest'][:8]} {item['name']}{' (replaced)' if item['replaced_at'] else ''}")
    for item in document["variants"]:
        why = f": {item['reason']}" if item["reason"] else ""
        say(f"  variant {item['number']} {item['look']} by {item['tool']}: {item['verdict']}, {item['state']}{why}")
    for item in document["decisions"]:
        void = f" (no longer counts: {item['void_why']})" if item["void_at"] else ""
        words = f" {item['reason']} {item['words']}".rstrip()
        say(f"  {item['at'][:16]} {item['person']} {item['verdict']}s variant {item['variant']}{words}{void}")
