"""``vitrina batch`` and ``worker``: many SKUs, durably."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vitrina.cli.card import LOOKS, MARKETS
from vitrina.cli.desk import As, Home, Json, Licence, Right, TakenBy, desk, say
from vitrina.cli.output import Say, complain, error_document, print_document, progress
from vitrina.config import load_config
from vitrina.errors import VitrinaError

if TYPE_CHECKING:
    from vitrina.actions.house import House

_LOOK_S = 0.5


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("batch")(batch)
    app.command("worker")(worker)


def batch(
    source: Annotated[
        Path, typer.Argument(metavar="DIR_OR_CSV", help="A folder with a folder per SKU, or a CSV or XLSX: sku,photo.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder of the cards.", show_default=False)],
    looks: Annotated[str, typer.Option(help="How the variants are dressed.")] = LOOKS,
    markets: Annotated[str, typer.Option(help="Marketplaces to render drafts for.")] = MARKETS,
    force: Annotated[bool, typer.Option("--force", help="Go on with weak photos; the reports say so.")] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="Processes; as many as cores and memory allow otherwise.")
    ] = None,
    right: Right = "",
    taken_by: TakenBy = "",
    licence: Licence = "",
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """A card for every SKU. Stopped at any moment, the same command goes on where it stopped."""
    from vitrina.actions import batch as verbs
    from vitrina.actions.cards import recipe_of
    from vitrina.actions.origins import stated

    try:
        recipe = recipe_of(looks=looks, markets=markets, force=force, rights=stated(right, taken_by, licence))
        with desk(home, as_) as house:
            number = verbs.ask(house, source, output, recipe=recipe)
            _work_off(house, number, workers, home)
            document = verbs.report(house, number)
    except VitrinaError as error:
        if json:
            print_document(error_document(error))
        raise
    if json:
        print_document(document)
    else:
        _tell(document)
    for item in document["items"]:
        if item["state"] == "parked":
            complain(f"{item['sku']}: parked at {item['step']}: {item['reason']}")
    return 3 if document["counts"]["parked"] else 0 if document["verdict"] == "pass" else 1


def worker(
    slot: Annotated[
        str | None, typer.Option(help="The worker's name, its own among all workers; the first free one otherwise.")
    ] = None,
    until_idle: Annotated[
        bool,
        typer.Option(
            "--until-idle",
            help="End when nothing is left to do; a webhook that waits for its receiver counts, for hours.",
        ),
    ] = False,
    parent: Annotated[int | None, typer.Option(hidden=True, help="End with this process.")] = None,
    home: Home = None,
) -> int:
    """One more worker. Stop it at any moment: its work goes on with the next one."""
    from vitrina.actions.work import work

    for number in (signal.SIGINT, signal.SIGTERM):
        # Nothing is lost by leaving at once, and a card in the making may take a minute.
        signal.signal(number, lambda _number, _frame: os._exit(0))
    with desk(home, None) as house:
        work(house, slot=slot, until_idle=until_idle, should_stop=_orphaned(parent))
    return 0


def _work_off(house: House, number: int, workers: int | None, home: Path | None) -> None:
    from vitrina.actions import batch as verbs
    from vitrina.jobs.crew import Crew, crew_size

    counts = verbs.how_far(house, number)
    if not _left(counts):
        return
    command = [sys.executable, "-m", "vitrina", "worker", "--parent", str(os.getpid())]
    command += ["--home", str(load_config(home=home).home)]
    size = min(crew_size(workers), _left(counts))
    with progress("starting the workers") as show, Crew(command, size) as crew:
        line = _Line(show, _ended(counts))
        while _left(counts):
            line.show(counts)
            time.sleep(_LOOK_S)
            crew.tend()
            counts = verbs.how_far(house, number)


class _Line:
    """The progress line: how many are done, and how long the rest takes at the pace so far."""

    def __init__(self, show: Say, begun_at: int) -> None:
        self._show = show
        self._begun_at = begun_at
        self._started = time.monotonic()
        self._said = begun_at

    def show(self, counts: dict[str, int]) -> None:
        ended, total = _ended(counts), sum(counts.values())
        left = self._time_left(ended, total)
        text = f"{ended} of {total} SKUs, {counts.get('parked', 0)} parked{left}"
        self._show(text, ended / total)
        if ended != self._said and not sys.stderr.isatty():
            print(text, file=sys.stderr, flush=True)
        self._said = ended

    def _time_left(self, ended: int, total: int) -> str:
        done = ended - self._begun_at
        if done < 1:
            return ""
        seconds = (time.monotonic() - self._started) / done * (total - ended)
        return f", about {seconds / 60:.0f} min left" if seconds >= 90 else f", about {seconds:.0f} s left"


def _left(counts: dict[str, int]) -> int:
    return counts.get("waiting", 0) + counts.get("running", 0)


def _ended(counts: dict[str, int]) -> int:
    return counts.get("done", 0) + counts.get("parked", 0)


def _orphaned(parent: int | None) -> Callable[[], bool]:
    """Leaves at once, in the middle of a step if need be, when the process that started this one has gone."""
    if parent is None:
        return lambda: False

    def is_orphan() -> bool:
        if os.getppid() != parent:
            os._exit(0)
        return False

    return is_orphan


def _tell(document: dict[str, Any]) -> None:
    for item in document["items"]:
        why = f": {item['reason']}" if item["reason"] else ""
        say(f"{item['sku']}: {item['verdict'] or item['state']}{why}")
    counts = document["counts"]
    say(f"batch {document['batch']}: {counts['done']} done, {counts['parked']} parked, in {document['folder']}")
    if document["state"] == "held":
        say(f"  held: {document['reason']}")
