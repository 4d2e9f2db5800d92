"""``vitrina certificate check``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vitrina.cli.output import error_document, exit_code_of, print_document, progress, say_findings
from vitrina.errors import VitrinaError


def register(app: typer.Typer) -> None:
    """Add the command group to `app`."""
    group = typer.Typer(help="The fidelity certificate of a card.", no_args_is_help=True)
    group.command("check")(check)
    group.callback()(lambda: None)
    app.add_typer(group, name="certificate")


def check(
    folder: Annotated[Path, typer.Argument(help="The folder of the card.", show_default=False)],
    model: Annotated[
        Path | None, typer.Option(help="A local ONNX segmentation model instead of the shipped one.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else there.")] = False,
) -> int:
    """Compute everything in a card's certificate again: hashes, product pixels, every rendition and its checks."""
    from vitrina import actions

    try:
        with progress("checking the certificate") as say:
            document = actions.check_certificate(folder, model=model, say=say)
    except VitrinaError as error:
        if json:
            print_document(error_document(error, folder=str(folder)))
        raise
    if json:
        print_document(document)
    else:
        say_findings(f"{folder}, {document['renditions']} renditions of {document['photos']} photos", document)
    return exit_code_of(document)
