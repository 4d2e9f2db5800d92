"""``vitrina rules list``, ``show`` and ``check``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vitrina.cli.output import error_document, exit_code_of, print_document, say_findings
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
            print(f"{pack['market']:12} version {pack['version']}, read on {pack['checked_on']}{stale}")
    return 0


def show(
    market: Annotated[str, typer.Argument(help="kaspi, wildberries, ozon, etsy or ebay.")], json: Json = False
) -> int:
    """One rule pack with every rule, its level and its sources."""
    from vitrina import actions

    document = actions.show_rules(market)
    if json:
        print_document(document)
    else:
        _print_tree({key: value for key, value in document.items() if key != "schema"}, 0)
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


def _print_tree(value: object, depth: int) -> None:
    pad = "  " * depth
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, dict | list) and item:
                print(f"{pad}{key}")
                _print_tree(item, depth + 1)
            else:
                print(f"{pad}{key}: {'—' if item in (None, [], {}) else item}")
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                _print_tree(item, depth)
                print()
            else:
                print(f"{pad}- {item}")
