"""What the commands say: documents to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from vitrina.errors import VitrinaError

Say = Callable[[str, float], None]
"""Called with what is being done and the share that is done, 0…1."""


def complain(message: str) -> None:
    """One line to stderr."""
    print(f"vitrina: {one_line(message)}", file=sys.stderr)


def one_line(text: str) -> str:
    """`text` on one line, without characters that could drive a terminal."""
    words = " ".join(text.split())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in words)


def print_document(document: Mapping[str, Any], *, lines: bool = False) -> None:
    """One JSON document to stdout; with `lines`, on one line."""
    print(json.dumps(document, ensure_ascii=False, indent=None if lines else 2), flush=True)


def error_document(error: VitrinaError, **named: str) -> dict[str, Any]:
    """What stands in the place of a document that could not be made."""
    what = {"kind": type(error).__name__, "message": one_line(str(error)), "exit_code": error.exit_code}
    return {"schema": "vitrina.error/1", **named, "error": what}


def say_findings(title: str, document: Mapping[str, Any]) -> None:
    """The verdict and the findings of a document as prose, to stdout."""
    print(f"{one_line(title)}: {document['verdict']}")
    for finding in document["findings"]:
        print(f"  {finding['severity']:5} {finding['check']}: {one_line(finding['message'])}")


def exit_code_of(document: Mapping[str, Any]) -> int:
    """The contract's exit code of a document."""
    if "error" in document:
        return int(document["error"]["exit_code"])
    return 0 if document["verdict"] == "pass" else 1


@contextmanager
def progress(title: str) -> Iterator[Say]:
    """A progress bar on stderr while a terminal is watching; silent otherwise."""
    if not sys.stderr.isatty():
        yield lambda _what, _share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=1.0)
        yield lambda what, share: bar.update(task, description=one_line(what), completed=share)
