"""``vitrina rules``: the dated packs, files held against them, and the word of a person who has read them again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from vitrina.cli.desk import Home, run, say
from vitrina.cli.output import error_document, exit_code_of, one_line, print_document, say_findings
from vitrina.config import load_config
from vitrina.errors import VitrinaError

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else there.")]
Market = Annotated[str, typer.Argument(help="A marketplace of `vitrina rules list`.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(
        help="The dated rule packs of the marketplaces, and files held against them.", no_args_is_help=True
    )
    group.command("list")(list_packs)
    group.command("show")(show)
    group.command("check")(check)
    group.command("confirm")(confirm)
    group.command("schema")(schema)
    app.add_typer(group, name="rules")


def list_packs(home: Home = None, json: Json = False) -> int:
    """Every rule pack: version, when it was read, whether it is stale, and whether you changed it."""
    from vitrina.actions import rule_packs

    document = rule_packs.list_rules(load_config(home=home))
    if json:
        print_document(document)
    else:
        for pack in document["packs"]:
            own = f"  changed by {pack['local']['file']}" if pack["local"] else ""
            read = pack["confirmed_on"] or pack["checked_on"]
            print(f"{pack['market']:14} version {pack['version']}, read on {read}{_age(pack)}{own}")
    return 0


def show(market: Market, home: Home = None, json: Json = False) -> int:
    """One rule pack with every rule, its level and its sources, and your own changes to it."""
    from vitrina.actions import rule_packs

    document = rule_packs.show_rules(load_config(home=home), market)
    if json:
        print_document(document)
    else:
        _print_pack(document)
    return 0


def confirm(
    market: Market,
    who: Annotated[str | None, typer.Option("--who", "--as", help="Who has read it; VITRINA_USER otherwise.")] = None,
    read_on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day it was read; today otherwise.")
    ] = None,
    words: Annotated[str, typer.Option(help="What was read and what was found.")] = "",
    home: Home = None,
    json: Json = False,
) -> int:
    """Say that you have read the marketplace's current pages and that the pack still holds. It goes on record."""
    from vitrina.actions import rule_packs

    return run(
        home, who, json,
        lambda house: rule_packs.confirm_rules(house, market, read_on=read_on.date() if read_on else None, words=words),
        _tell_confirmed,
    )  # fmt: skip


def schema(_json: Json = False) -> int:
    """The JSON schema of a rule pack, for editors and for your own checks."""
    from vitrina.actions import rule_packs

    print_document(rule_packs.show_schema())
    return 0


def check(
    image: Annotated[Path, typer.Argument(help="The picture as it would be uploaded.", show_default=False)],
    market: Annotated[str, typer.Option(help="The marketplace.", show_default=False)],
    slot: Annotated[str, typer.Option(help="The slot in the listing.")] = "main",
    home: Home = None,
    json: Json = False,
) -> int:
    """One file against one slot of one marketplace. Passing promises nothing: the marketplace decides."""
    from vitrina.actions import rule_packs

    try:
        document = rule_packs.check_rules(load_config(home=home), image, market=market, slot=slot)
    except VitrinaError as error:
        if json:
            print_document(error_document(error, file=str(image)))
        raise
    if json:
        print_document(document)
    else:
        say_findings(str(image), document)
    return exit_code_of(document)


def _age(pack: Mapping[str, Any]) -> str:
    if pack["expired"]:
        return "  EXPIRED: nothing is exported by it"
    return "  stale: read the marketplace's page again" if pack["stale"] else ""


def _tell_confirmed(document: Mapping[str, Any]) -> None:
    by = f"confirmed by {document['confirmed_by']}" if document["confirmed_by"] else "read that day already"
    say(f"{document['market']}: {by}; read again by {document['reread_by']}, stop after {document['stop_after']}")


def _print_pack(pack: dict[str, Any]) -> None:
    """A pack as a person reads it: each rule on a line, and under it how far to trust it and where it was read."""
    age = _age(pack).strip() or f"read again by {pack['reread_by']}, exports stop after {pack['stop_after']}"
    print(f"{pack['name']}: version {pack['version']}, read on {pack['checked_on']} ({age})")
    if pack["confirmed_on"]:
        print(
            f"confirmed by {one_line(pack['confirmed_by'])}, who read the marketplace's page on {pack['confirmed_on']}"
        )
    if pack["local"]:
        own = pack["local"]
        print(f"CHANGED by {one_line(own['file'])} ({one_line(own['why'])}): {one_line('; '.join(own['changes']))}")
    print(f"{pack['note']}\n\norder of pictures: {', '.join(pack['order_of_pictures'])}")
    print("\nevery listing")
    for rule in pack["count"]:
        _print_rule("pictures", rule)
    for rule in pack["thumbnail"]:
        _print_rule("in search results", rule)
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
