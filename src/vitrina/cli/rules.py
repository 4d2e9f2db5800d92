"""``vitrina rules list``, ``show`` and ``check``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from vitrina.cli.output import error_document, exit_code_of, one_line, print_document, say_findings
from vitrina.errors import VitrinaError

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else there.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(
        help="The dated rule packs of the marketplaces, and files held against them.", no_args_is_help=True
    )
    group.command("list")(list_packs)
    group.command("show")(show)
    group.command("check")(check)
    app.add_typer(group, name="rules")


def list_packs(json: Json = False) -> int:
    """Every rule pack: version, when it was read, whether it is stale."""
    from vitrina import actions

    document = actions.list_rules()
    if json:
        print_document(document)
    else:
        for pack in document["packs"]:
            stale = "  stale: read the marketplace's page again" if pack["stale"] else ""
            print(f"{pack['market']:14} version {pack['version']}, read on {pack['checked_on']}{stale}")
    return 0


def show(
    market: Annotated[str, typer.Argument(help="A marketplace of `vitrina rules list`.", show_default=False)],
    json: Json = False,
) -> int:
    """One rule pack with every rule, its level and its sources."""
    from vitrina import actions

    document = actions.show_rules(market)
    if json:
        print_document(document)
    else:
        _print_pack(document)
    return 0


def check(
    image: Annotated[Path, typer.Argument(help="The picture as it would be uploaded.", show_default=False)],
    market: Annotated[str, typer.Option(help="The marketplace.", show_default=False)],
    slot: Annotated[str, typer.Option(help="The slot in the listing.")] = "main",
    json: Json = False,
) -> int:
    """One file against one slot of one marketplace. Passing promises nothing: the marketplace decides."""
    from vitrina import actions

    try:
        document = actions.check_rules(image, market=market, slot=slot)
    except VitrinaError as error:
        if json:
            print_document(error_document(error, file=str(image)))
        raise
    if json:
        print_document(document)
    else:
        say_findings(str(image), document)
    return exit_code_of(document)


def _print_pack(pack: dict[str, Any]) -> None:
    """A pack as a person reads it: each rule on a line, and under it how far to trust it and where it was read."""
    stale = "STALE, read the marketplace's page again" if pack["stale"] else f"read again by {pack['reread_by']}"
    print(f"{pack['name']}: version {pack['version']}, read on {pack['checked_on']} ({stale})")
    print(f"{pack['note']}\n\norder of pictures: {', '.join(pack['order_of_pictures'])}")
    print("\nevery listing")
    for rule in pack["count"]:
        _print_rule("pictures", rule)
    for rule in pack["by_hand"]:
        _print_rule("by hand", rule)
    for slot in pack["slots"]:
        safe = slot["we_export"]
        size = f"{safe['width']}×{safe['height']} px, {safe['fill']:.0%} filled, up to {safe['max_bytes'] / 1e6:.1f} MB"
        print(f"\n{slot['slot']} image (we export {safe['format']}, {size})")
        for rule in slot["rules"]:
            _print_rule("other than sRGB" if rule["rule"] == "srgb" else rule["rule"].replace("_", " "), rule)


def _print_rule(name: str, rule: dict[str, Any]) -> None:
    value = rule["value"]
    if "says" in value:
        told = f"{value['topic']}: {value['says']}"
    else:
        told = ", ".join(_told(key, item) for key, item in value.items()) or "nothing found"
    note = f" ({rule['note']})" if rule.get("note") else ""
    print(f"  {name}: {one_line(told + note)}")
    print(f"      {rule['level']}, breaking it is a {rule['breaking_it']}; {rule['confidence']} confidence, ", end="")
    print(f"read on {rule['read_on']}: {' '.join(rule['sources'])}")


def _told(key: str, value: object) -> str:
    if key == "allowed":
        return "allowed" if value else "not allowed"
    return f"{key.replace('_', ' ')} {' '.join(map(str, value)) if isinstance(value, list) else value}"
