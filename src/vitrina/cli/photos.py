"""``vitrina inspect`` and ``vitrina cutout``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from vitrina.cli.output import complain, error_document, exit_code_of, print_document, progress, say_findings
from vitrina.errors import UsageError, VitrinaError

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
    sku: Annotated[
        str | None, typer.Option(help="The photos are of this SKU: judge its shot list too, in a document of its own.")
    ] = None,
    piece_type: Annotated[
        str | None, typer.Option("--type", help="ring, earrings, necklace, ...; the catalogue's own with --sku.")
    ] = None,
    shot: Annotated[
        list[str] | None, typer.Option(help="FILE=KIND: what a photo shows, where that was not recognised.")
    ] = None,
    fuse: Annotated[
        Path | None,
        typer.Option(help="A folder: make each view that was taken several times one draft picture there, verified."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(help="Fuse by exposure (a bracket) or focus (a stack); told from the frames otherwise."),
    ] = None,
) -> int:
    """Check whether photos are good enough to work from: light, focus, colour, framing, marks; folders too."""
    from vitrina import actions
    from vitrina.actions import shots

    paths = shots.photos_of(photos)
    if by is not None and fuse is None:
        raise UsageError("--by goes with --fuse DIR.")
    if sku is None and piece_type is None and fuse is None:
        return each(
            paths, lambda path: actions.inspect(path, model=model, language=language), "inspecting", as_json=json
        )
    known = piece_type or (shots.piece_type_of(sku) if sku else None)
    if known is None and sku:
        complain(
            f"{sku}: the catalogue does not say what it is; the list for other pieces is used. Say it with --type."
        )
    together = shots.ShotList(known or "other", shots.told_shots(shot or [], paths), language, model)
    code = each(paths, together.inspect, "inspecting", as_json=json, lines=True)
    codes = [code]
    if sku or piece_type:
        document = together.judge(sku or "")
        codes.append(exit_code_of(document))
        if json:
            print_document(document, lines=True)
        else:
            say_findings(sku or "together", document)
            for group in document["measures"]["repeated"]:
                print(f"  best of {1 + len(group['others'])}: {group['best']} ({group['why']})")
    if fuse is not None:
        made = [_tell_fused(document, json) for document in together.fuse(fuse, by)]
        if not made:
            complain("no two of these photos are of one view: there is nothing to fuse.")
        codes += made or [1]
    return worst(codes)


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


def _tell_fused(document: dict[str, Any], json: bool) -> int:
    if json:
        print_document(document, lines=True)
    else:
        made = document["output"] or "nothing written"
        say_findings(f"{len(document['frames'])} frames by {document['measures']['method']}: {made}", document)
    return exit_code_of(document)


def each(
    photos: list[Path], act: Callable[[Path], dict[str, Any]], doing: str, *, as_json: bool, lines: bool = False
) -> int:
    """Do every photo although some fail; the exit code is the worst, a failure before a finding. `lines` when other
    documents follow."""
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
                print_document(document, lines=lines or len(photos) > 1)
            elif "error" not in document:
                say_findings(str(path), document)
    return worst(codes)


def worst(codes: list[int]) -> int:
    """3 and 4 say that something was not done and go before 1 and 0."""
    return max(codes, default=0)
