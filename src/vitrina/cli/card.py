"""``vitrina card``: the main job."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from vitrina.cli.desk import As, Licence, Right, TakenBy
from vitrina.cli.output import complain, error_document, exit_code_of, one_line, print_document, progress
from vitrina.config import load_config
from vitrina.errors import VitrinaError

LOOKS = "white,grey"
MARKETS = "kaspi,wildberries,ozon,etsy,ebay"


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("card")(card)


def card(
    photos: Annotated[
        list[Path],
        typer.Argument(help="Photos of one piece: JPEG, PNG, WebP, HEIC, AVIF, TIFF or RAW.", show_default=False),
    ],
    sku: Annotated[str, typer.Option(help="The SKU the photos show.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder of this card.", show_default=False)],
    mode: Annotated[
        str, typer.Option(help="How much may change besides the background: exact, jewelry or lifestyle.")
    ] = "exact",
    looks: Annotated[
        str, typer.Option(help="How the variants are dressed; white-shadow and grey-shadow have a contact shadow.")
    ] = LOOKS,
    markets: Annotated[str, typer.Option(help="Marketplaces to render drafts for.")] = MARKETS,
    file_format: Annotated[
        str,
        typer.Option(
            "--format", help="jpeg, webp or png, where the marketplace takes it; by default as its rule pack says."
        ),
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Go on with a weak photo; the report says so.")] = False,
    model: Annotated[
        Path | None, typer.Option(help="A local ONNX segmentation model instead of the shipped one.")
    ] = None,
    home: Annotated[
        Path | None,
        typer.Option(help="Folder of records and originals; a card made in a named home is put on record there."),
    ] = None,
    right: Right = "",
    taken_by: TakenBy = "",
    licence: Licence = "",
    person: As = None,
    json: Annotated[
        bool, typer.Option("--json", help="The report as one JSON document on stdout, nothing else there.")
    ] = False,
) -> int:
    """Phone photos of one SKU in; checked draft pictures for every marketplace and a report out."""
    from vitrina import actions
    from vitrina.actions.origins import stated

    try:
        with progress("opening the studio") as say:
            document = actions.card(
                photos, sku=sku, out=output, mode=mode, looks=_names(looks), markets=_names(markets), force=force,
                model=model, config=load_config(home=home), say=say,
                person=person, rights=stated(right, taken_by, licence), file_format=file_format,
            )  # fmt: skip
    except VitrinaError as error:
        if json:
            print_document(error_document(error, sku=sku))
        raise
    for failed in document["errors"]:
        complain(failed["message"])
    if json:
        print_document(document)
    else:
        _tell(document, output)
    return max([exit_code_of(document), *(3 for _ in document["errors"])])


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))


def _tell(document: dict[str, Any], output: Path) -> None:
    """The card in a few lines of prose."""
    print(
        f"{one_line(document['sku'])}: {document['verdict']}, {len(document['drafts'])} drafts "
        f"for {len(document['markets'])} marketplace{'s' if len(document['markets']) != 1 else ''}"
    )
    if document.get("catalogue"):
        made = document["catalogue"]["variants"]
        what = f"variants {', '.join(map(str, made))}" if made else "nothing new"
        print(f"  on record in {document['catalogue']['home']}: {what}")
        for name, found in document["catalogue"]["findings"].items():
            for finding in found:
                print(f"  {finding['severity']:5} {finding['check']}: {name}: {one_line(finding['message'])}")
    if document["stopped"]:
        print(f"  stopped: {one_line(document['stopped'])}")
    told = set()
    for finding in document["summary"]:
        if finding["severity"] != "note" and finding["message"] not in told:
            told.add(finding["message"])
            print(f"  {finding['severity']:5} {finding['check']}: {one_line(finding['message'])}")
    print(f"  open {output / 'report.html'}")
    sys.stdout.flush()
