"""What the catalogue's commands share: who acts, where the records are, and how a document is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vitrina.cli.output import error_document, one_line, print_document
from vitrina.config import load_config
from vitrina.errors import VitrinaError

if TYPE_CHECKING:
    from vitrina.actions.house import House

Home = Annotated[Path | None, typer.Option(help="Folder of records and originals.", show_default=False)]
As = Annotated[str | None, typer.Option("--as", help="Who acts; VITRINA_USER otherwise.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else there.")]
Code = Annotated[str, typer.Argument(metavar="SKU", help="The SKU's code.", show_default=False)]
Right = Annotated[
    str, typer.Option(help="Whose photos these are: own, commissioned, licensed, or supplier (which is refused).")
]
TakenBy = Annotated[str, typer.Option(help="Who took them; you, when they are your own.")]
Licence = Annotated[str, typer.Option(help="Where a supplier's licence for commercial use is written.")]
Number = Annotated[int | None, typer.Option("--variant", help="One variant's number; all that fit otherwise.")]


@contextmanager
def desk(home: Path | None, person: str | None) -> Iterator[House]:
    """The house with `person` at its desk."""
    from vitrina.actions.house import open_house

    with open_house(load_config(home=home), person=person) as house:
        yield house


def run(
    home: Path | None,
    person: str | None,
    json: bool,
    act: Callable[[House], dict[str, Any]],
    tell: Callable[[Mapping[str, Any]], None],
) -> int:
    """Do one verb, show its document and return the exit code; an error is a document too under ``--json``."""
    try:
        with desk(home, person) as house:
            document = act(house)
    except VitrinaError as error:
        if json:
            print_document(error_document(error))
        raise
    if json:
        print_document(document)
    else:
        tell(document)
    return 0 if document.get("verdict", "pass") == "pass" else 1


def say(text: str) -> None:
    """One line of prose to stdout."""
    print(one_line(text))


def table(rows: list[Mapping[str, Any]], columns: tuple[str, ...]) -> None:
    """Rows as aligned columns to stdout."""
    cells = [[one_line(_cell(row[column])) for column in columns] for row in rows]
    widths = [max(len(line[i]) for line in [list(columns), *cells]) for i in range(len(columns))]
    for line in [list(columns), *cells]:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    return "" if value is None or value is False else "yes" if value is True else str(value)
