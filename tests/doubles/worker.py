"""A worker process whose cards are drawn in a moment, for tests that kill it.

Arguments: home, database ('' for SQLite in the home), a journal that every begun step is written to, and any number of
``STEP:SKU:WHAT``, where WHAT says what happens at that step of that SKU: ``before`` or ``after`` (the process kills
itself there), ``pause`` (it waits there), ``full`` (the disk is full, twice) or ``bug`` (an unexpected error).
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.doubles.house import a_house
from vitrina.actions.batch import kinds
from vitrina.errors import NotWritable
from vitrina.jobs import Kind, Step
from vitrina.jobs.engine import Settings, jobs_url, work


def main(home: str, database: str, journal: str, *faults: str) -> None:
    """Work until there is nothing left."""
    with a_house(Path(home), database or None) as house:
        settings = Settings(jobs_url(house.store, Path(home)), Path(home) / "workers", patience_s=0.05, poll_s=0.05)
        faulty = [_watched(kind, Path(journal), faults) for kind in kinds(house)]
        work(house.store, faulty, settings, until_idle=True)


def _watched(kind: Kind, journal: Path, faults: tuple[str, ...]) -> Kind:
    return replace(kind, steps=tuple(_watch(step, journal, faults) for step in kind.steps))


def _watch(step: Step, journal: Path, faults: tuple[str, ...]) -> Step:
    wanted = {(where, sku): what for where, sku, what in (fault.split(":") for fault in faults)}

    def run(payload: Mapping[str, Any], got: Mapping[str, Any]) -> Any:
        with journal.open("a") as file:
            file.write(f"{os.getpid()} {step.name}:{payload['sku']}\n")
        sku = payload["sku"]
        what = wanted.get((step.name, sku))
        if what == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "pause":
            time.sleep(60)
        if what == "full" and journal.read_text().count(f" {step.name}:{sku}\n") < 3:
            raise NotWritable("the disk is full")
        if what == "bug":
            raise ZeroDivisionError("a bug")
        value = step.run(payload, got)
        if what == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return value

    return replace(step, run=run)


if __name__ == "__main__":
    main(*sys.argv[1:])
