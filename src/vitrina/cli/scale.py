"""``vitrina scale-card`` and ``vitrina measure``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vitrina.cli.photos import each


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("scale-card")(scale_card)
    app.command("measure")(measure)


def scale_card(
    output: Annotated[Path, typer.Option("-o", "--output", help="The PDF to write.", show_default=False)],
) -> int:
    """Write the scale card (A6, PDF): markers, a ruler and neutral patches. Print it at 100 %."""
    from vitrina.actions import scale

    scale.scale_card(output)
    typer.echo(f"{output}: print it at 100 % and check that the ruler measures 100 mm.", err=True)
    return 0


def measure(
    photos: Annotated[list[Path], typer.Argument(help="Photos with the scale card in them.", show_default=False)],
    facts: Annotated[
        Path | None, typer.Option(help="What the SKU says (TOML): chain_length_mm, inner_diameter_mm.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document per photo on stdout.")] = False,
    model: Annotated[
        Path | None, typer.Option(help="A local ONNX segmentation model instead of the shipped one.")
    ] = None,
) -> int:
    """Measure a piece beside the scale card: millimetres, white balance, chain length, ring diameter."""
    from vitrina.actions import scale

    return each(photos, lambda path: scale.measure(path, facts=facts, model=model), "measuring", as_json=json)
