"""A worker process whose cards are drawn in a moment, for tests that kill it.

Arguments: home, database ('' for SQLite in the home), blobs ('' for folders in the home), a journal that every begun
step is written to, and any number of worker lives, each ``-`` or faults by commas: ``STEP:SKU:WHAT``. WHAT says what
happens at that step of that SKU:

- ``before``, ``after``: the process kills itself there;
- ``put2``, ``get2``, ``commit2``: it kills itself inside, when the second file is about to be archived, read from the
  archive, or the second transaction committed;
- ``pause``: it waits there; ``full``: the disk is full, twice; ``bug``: an unexpected error;
- ``choke``: from there on the system refuses to write beyond the first 4 KiB of any file, for three seconds.

Each life is a process of its own, one after the other; what became of them is printed: ``0`` or ``-9``.
"""

from __future__ import annotations

import os
import re
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import dbos  # noqa: F401  imported once, for all the lives that are forked from here
from sqlalchemy import Connection, event

from tests.doubles.house import a_house
from vitrina.actions.work import kinds
from vitrina.errors import NotWritable
from vitrina.jobs import Kind, Step
from vitrina.jobs.engine import Settings, jobs_url, work
from vitrina.model import Digest
from vitrina.plugins import BlobStore

Faults = Mapping[tuple[str, str], str]


class Countdown:
    """Kills the process at the n-th of some doing, once it is set."""

    def __init__(self) -> None:
        self.doing, self.left = "", 0

    def set(self, what: str) -> None:
        found = re.fullmatch(r"(put|get|commit)(\d+)", what)
        self.doing, self.left = (found[1], int(found[2])) if found else ("", 0)

    def tick(self, doing: str) -> None:
        if doing == self.doing:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class Watched:
    """A blob store that a countdown listens to."""

    def __init__(self, blobs: BlobStore, countdown: Countdown) -> None:
        self.blobs, self.countdown, self.room = blobs, countdown, blobs.room

    def put(self, data: bytes) -> Digest:
        self.countdown.tick("put")
        return self.blobs.put(data)

    def get(self, digest: Digest) -> bytes:
        self.countdown.tick("get")
        return self.blobs.get(digest)

    def has(self, digest: Digest) -> bool:
        return self.blobs.has(digest)

    def digests(self) -> Iterator[Digest]:
        return self.blobs.digests()

    def remove(self, digest: Digest) -> None:
        self.blobs.remove(digest)

    def mend(self, data: bytes) -> Digest:
        return self.blobs.mend(data)


def main(home: str, database: str, blobs: str, journal: str, *lives: str) -> None:
    """Live each life in turn and print how it ended."""
    for life in lives:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                live(home, database, blobs, Path(journal), life)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        signal.signal(signal.SIGTERM, lambda *_, child=child: (os.kill(child, signal.SIGKILL), os._exit(1)))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def live(home: str, database: str, blobs: str, journal: Path, life: str) -> None:
    """Work until there is nothing left."""
    faults = {tuple(fault.split(":")[:2]): fault.split(":")[2] for fault in life.split(",") if fault != "-"}
    countdown = Countdown()
    with a_house(Path(home), database or None, blobs=blobs or None) as house:
        house = replace(house, originals=Watched(house.originals, countdown), works=Watched(house.works, countdown))
        event.listen(house.store.engine, "commit", lambda conn: _commits(conn, countdown))
        settings = Settings(jobs_url(house.store, Path(home)), Path(home) / "workers", patience_s=0.05, poll_s=0.05)
        faulty = [_watched(kind, journal, faults, countdown) for kind in kinds(house)]
        work(house.store, faulty, settings, until_idle=True)


def _choke(seconds: float) -> None:
    """What a full disk is to every program of this process, the job engine's own database too."""
    free, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, most))
    threading.Timer(seconds, resource.setrlimit, (resource.RLIMIT_FSIZE, (free, most))).start()


def _commits(conn: Connection, countdown: Countdown) -> None:
    if conn.get_execution_options().get("vitrina_writes"):
        countdown.tick("commit")


def _watched(kind: Kind, journal: Path, faults: Faults, countdown: Countdown) -> Kind:
    return replace(kind, steps=tuple(_watch(step, journal, faults, countdown) for step in kind.steps))


def _watch(step: Step, journal: Path, faults: Faults, countdown: Countdown) -> Step:
    def run(payload: Mapping[str, Any], got: Mapping[str, Any]) -> Any:
        sku = payload.get("sku", "")
        with journal.open("a") as file:
            file.write(f"{os.getpid()} {step.name}:{sku}\n")
        what = faults.get((step.name, sku), "")
        if what == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "pause":
            time.sleep(60)
        begun = journal.read_text().count(f" {step.name}:{sku}\n")
        if what == "full" and begun < 3:
            raise NotWritable("the disk is full")
        if what == "choke" and begun == 1:
            _choke(3.0)
        if what == "bug":
            raise ZeroDivisionError("a bug")
        countdown.set(what)
        value = step.run(payload, got)
        countdown.set("")
        if what == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return value

    return replace(step, run=run)


if __name__ == "__main__":
    main(*sys.argv[1:])
