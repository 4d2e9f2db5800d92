"""``vitrina doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vitrina.cli.output import complain, print_document, progress
from vitrina.config import load_config


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("doctor")(doctor)


def doctor(
    archive: Annotated[
        bool, typer.Option("--archive", help="Read every archived original again and compare its SHA-256.")
    ] = False,
    home: Annotated[Path | None, typer.Option(help="Folder of records and originals.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else there.")] = False,
) -> int:
    """What is installed, which models, which rule packs are stale, and whether the archive is whole."""
    from vitrina import actions

    with progress("looking around") as say:
        document = actions.examine_house(load_config(home=home), archive=archive, say=say)
    if json:
        print_document(document)
    else:
        for title in ("versions", "models", "rule_packs"):
            print(title.replace("_", " "))
            for name, state in document[title].items():
                said = state if isinstance(state, str) else ", ".join(f"{key} {value}" for key, value in state.items())
                print(f"  {name:24} {said}")
        print(f"home\n  {document['home']['path']} ({document['home']['originals']} originals)")
    for problem in document["problems"]:
        complain(problem)
    return int(document["exit_code"])
