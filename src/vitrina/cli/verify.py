"""``vitrina verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vitrina.cli.output import complain, error_document, exit_code_of, print_document, progress, say_findings
from vitrina.errors import UsageError, VitrinaError


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("verify")(verify)


def verify(
    source: Annotated[Path | None, typer.Argument(help="The photo as it was taken.", show_default=False)] = None,
    edit: Annotated[
        Path | None, typer.Argument(help="The picture made from it, by any tool.", show_default=False)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout, nothing else there.")] = False,
    matte: Annotated[
        Path | None, typer.Option(help="The source's alpha as a picture of the upright photo's size, if known.")
    ] = None,
    facts: Annotated[
        Path | None, typer.Option(help="What the SKU says, as TOML: stones, metal, pieces, links.")
    ] = None,
    heatmap: Annotated[Path | None, typer.Option(help="Write a PNG showing where the two differ.")] = None,
    pairs: Annotated[
        Path | None, typer.Option(help="A CSV with the columns source,edit and optionally matte,facts; JSON Lines out.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes for --pairs.")] = 2,
) -> int:
    """Does EDIT still show the piece in SOURCE?

    Paths in a --pairs file are looked up from the current folder first, then from the file's own folder.
    """
    from vitrina import actions

    if pairs is not None:
        if source or edit or matte or facts or heatmap:
            raise UsageError("--pairs goes alone: its columns name source, edit, matte and facts.")
        return _many(pairs, workers)
    if source is None or edit is None:
        raise UsageError("verify needs SOURCE and EDIT, or --pairs PAIRS.csv. See vitrina verify --help.")
    try:
        with progress("verifying") as say:
            say(f"verifying {edit.name}", 0.1)
            document = actions.judge(source, edit, matte=matte, facts=facts, heatmap=heatmap)
    except VitrinaError as error:
        if json:
            print_document(error_document(error, source=str(source), edit=str(edit)))
        raise
    if heatmap is not None and document["heatmap"] is None:
        complain(f"{heatmap}: no heatmap was drawn, since the piece could not be found in the edit.")
    if json:
        print_document(document)
    else:
        say_findings(str(edit), document)
    return exit_code_of(document)


def _many(pairs: Path, workers: int) -> int:
    from vitrina import actions

    code = 0
    with progress("verifying") as say:
        listed = actions.read_pairs(pairs)
        for number, document in enumerate(actions.judge_pairs(listed, workers=workers)):
            if "error" in document:
                complain(document["error"]["message"])
            print_document(document, lines=True)
            code = max(code, exit_code_of(document))
            say(f"verified {number + 1} of {len(listed)}", (number + 1) / len(listed))
    return code
