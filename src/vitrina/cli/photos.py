"""``vitrina inspect`` and ``vitrina cutout``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from vitrina.cli.output import complain, error_document, exit_code_of, print_document, progress, say_findings
from vitrina.errors import VitrinaError

Photos = Annotated[
    list[Path], typer.Argument(help="Photos: JPEG, PNG, WebP, HEIC, AVIF, TIFF or RAW.", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document per photo on stdout, nothing else there.")]
Model = Annotated[Path | None, typer.Option(help="A local ONNX segmentation model instead of the shipped one.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("inspect")(inspect)
    app.command("cutout")(cutout)


def inspect(
    photos: Photos,
    json: Json = False,
    model: Model = None,
    language: Annotated[str, typer.Option("--lang", help="Language of the advice: en, ru or kk.")] = "en",
) -> int:
    """Check whether photos are good enough to work from: light, focus, colour, framing, marks."""
    from vitrina import actions

    return each(photos, lambda path: actions.inspect(path, model=model, language=language), "inspecting", as_json=json)


def cutout(
    photos: Photos,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The PNG to write; for several photos a folder.", show_default=False)
    ],
    json: Json = False,
    model: Model = None,
    keep: Annotated[
        Path | None, typer.Option(help="A mask (white = certainly the piece), the size of the upright photo.")
    ] = None,
    drop: Annotated[
        Path | None, typer.Option(help="A mask (white = certainly not the piece), the size of the upright photo.")
    ] = None,
    piece_type: Annotated[
        str | None,
        typer.Option("--type", help="ring, earrings, necklace, chain, bracelet, ...: hold parts and openings to it."),
    ] = None,
) -> int:
    """Cut pieces out: 16-bit RGBA PNG, straight alpha, sRGB, the size of the upright photo; then check the edges."""
    from vitrina import actions

    targets = actions.cutout_targets(photos, output)
    return each(
        photos,
        lambda path: actions.cutout(path, targets[path], model=model, keep=keep, drop=drop, piece_type=piece_type),
        "cutting out",
        as_json=json,
    )


def each(photos: list[Path], act: Callable[[Path], dict[str, Any]], doing: str, *, as_json: bool) -> int:
    """Do every photo although some fail; the exit code is the worst, a failure before a finding."""
    codes = []
    with progress(doing) as say:
        for number, path in enumerate(photos):
            say(f"{doing} {path.name}", number / len(photos))
            try:
                document = act(path)
            except VitrinaError as error:
                document = error_document(error, file=str(path))
                complain(str(error))
            codes.append(exit_code_of(document))
            if as_json:
                print_document(document, lines=len(photos) > 1)
            elif "error" not in document:
                say_findings(str(path), document)
    return worst(codes)


def worst(codes: list[int]) -> int:
    """3 and 4 say that something was not done and go before 1 and 0."""
    return max(codes, default=0)
