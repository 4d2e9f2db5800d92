"""``vitrina dispute``, ``backup``, ``restore`` and ``erase``: keeping."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from vitrina.cli.desk import As, Code, Home, Json, run, say
from vitrina.cli.output import complain, error_document, print_document, progress
from vitrina.config import load_config
from vitrina.errors import VitrinaError


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("dispute")(dispute)
    app.command("backup")(backup)
    app.command("restore")(restore)
    app.command("erase")(erase)


def dispute(
    code: Code,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="The zip; SKU-dispute.zip otherwise.")] = None,
    ordered: Annotated[
        str | None, typer.Option(help="Only what had been exported by this day, 2026-11-25.", show_default=False)
    ] = None,
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Everything that shows what an SKU's pictures were made from and who approved them, as one zip."""
    from vitrina.actions.archive import dispute_pack

    out = output or Path(f"{code}-dispute.zip")

    def tell(document: Mapping[str, Any]) -> None:
        say(f"{document['file']}: {document['files']} files, {document['exports']} exports")
        say(f"  SHA-256 {document['sha256']}")
        for lost in document["lost"]:
            complain(lost)

    return run(home, as_, json, lambda house: dispute_pack(house, code, out, until=ordered), tell)


def backup(
    output: Annotated[Path, typer.Option("-o", "--output", help="The zip to write.", show_default=False)],
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """The records and everything that is kept, as one zip, while others go on working."""
    from vitrina.actions import archive

    with progress("backing up") as show:
        return run(
            home,
            as_,
            json,
            lambda house: archive.backup(house, output, say=show),
            lambda d: say(f"{d['file']}: {d['files']} files, {d['events']} events, {d['bytes']} bytes"),
        )


def restore(
    path: Annotated[Path, typer.Argument(metavar="BACKUP", help="A zip made by vitrina backup.", show_default=False)],
    home: Home = None,
    json: Json = False,
) -> int:
    """Put a backup into an empty home, every file checked."""
    from vitrina.actions import archive

    try:
        with progress("restoring") as show:
            document = archive.restore(load_config(home=home), path, say=show)
    except VitrinaError as error:
        if json:
            print_document(error_document(error, file=str(path)))
        raise
    if json:
        print_document(document)
    else:
        say(f"{document['home']}: {document['files']} files restored")
    for problem in document["problems"]:
        complain(problem)
    return 4 if document["problems"] else 0


def erase(
    words: Annotated[str, typer.Option(help="Why.", show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Remove works that the retention policy lets go. Originals, and what was exported, stay; so does every record."""
    from vitrina.actions import archive

    def tell(document: Mapping[str, Any]) -> None:
        what = "would go" if dry_run else "erased"
        say(f"{len(document['erased'])} files older than {document['retention_years']} years {what}")

    return run(home, as_, json, lambda house: archive.erase(house, words=words, dry_run=dry_run), tell)
