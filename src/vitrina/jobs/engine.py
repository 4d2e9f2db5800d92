"""The worker: takes jobs from the outbox and carries them out durably on dbos, which this module alone knows.

Every finished step is written down before the next begins. A worker that is killed repeats at most the step in
flight, when it or another comes back. Results are JSON.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from vitrina.errors import Busy, NeedsPerson, NotWritable, ResourceError, Retryable, VitrinaError
from vitrina.jobs.port import Kind, Step
from vitrina.store import batches
from vitrina.store.engine import Store, hold_slot, in_words

SCHEMA = "1"
"""Raised only when a kind's steps change their order: jobs begun under another number wait for a worker of that one."""

RUNS = 5
"""How often a job that the engine itself gave up is begun again."""

BEAT_S = 3.0

_GIVEN_UP = ("ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a worker works. `jobs_url` is dbos' own database; `patience_s` the first wait before a step is retried."""

    jobs_url: str
    locks: Path
    patience_s: float = 2.0
    poll_s: float = 0.25


def jobs_url(store: Store, home: Path) -> str:
    """The engine's own database: ``jobs.sqlite`` in the home, or a schema of its own in the same PostgreSQL."""
    if store.is_sqlite:
        return f"sqlite:///{home.resolve() / 'jobs.sqlite'}"
    return store.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def take_slot(store: Store, settings: Settings, wanted: str | None = None) -> tuple[str, Callable[[], None]]:
    """A slot that no other worker holds, and what lets it go: the one that is `wanted`, or the first free one."""
    for slot in [wanted] if wanted else [f"worker-{number}" for number in range(1, 257)]:
        release = hold_slot(store, slot, settings.locks)
        if release is not None:
            return slot, release
    raise ResourceError(f"the worker slot {wanted or 'worker-1 to worker-256'} is taken by a worker that lives.")


def work(
    store: Store,
    kinds: Sequence[Kind],
    settings: Settings,
    *,
    slot: str | None = None,
    until_idle: bool = False,
    should_stop: Callable[[], bool] = lambda: False,
) -> str:
    """Carry out jobs, one at a time, until told to stop or, with `until_idle`, until there is none left.

    Returns the slot that was used. Raises ResourceError when the slot is taken.
    """
    taken, release = take_slot(store, settings, slot)
    try:
        _Worker(store, {kind.name: kind for kind in kinds}, settings, taken).run(until_idle, should_stop)
    finally:
        release()
    return taken


class _Worker:
    """One process at work: owns the engine, the slot and the place in the outbox."""

    def __init__(self, store: Store, kinds: Mapping[str, Kind], settings: Settings, slot: str) -> None:
        from dbos import DBOS, SetWorkflowID

        self.store, self.kinds, self.settings, self.slot = store, kinds, settings, slot
        self._seen = 0
        self._beat_at = 0.0
        self._running: set[str] = set()
        self._stopped: set[str] = set()
        """Jobs in our hand by the engine's book that we do not carry out: it could not write how they went."""
        self._dbos, self._named = DBOS, SetWorkflowID
        if settings.jobs_url.startswith("sqlite"):
            _prepare_sqlite(Path(settings.jobs_url.removeprefix("sqlite:///")))
        logging.getLogger("dbos").setLevel(logging.CRITICAL)  # what it would log, `_beat` sees and mends
        DBOS(
            config={
                "name": "vitrina",
                "system_database_url": settings.jobs_url,
                "executor_id": slot,
                "application_version": SCHEMA,
                "log_level": "CRITICAL",
                "notification_listener_polling_interval_sec": 1.0,
            }
        )

        def job(name: str, kind: str, payload: dict[str, Any]) -> None:
            number = str(DBOS.workflow_id)
            self._running.add(number)
            try:
                self._carry_out(name, kind, payload)
            finally:
                self._running.discard(number)

        self._job = DBOS.workflow(name="vitrina.job")(job)

    def run(self, until_idle: bool, should_stop: Callable[[], bool]) -> None:
        dbos = self._dbos
        try:
            dbos.launch()
            for queue, at_once in {kind.queue: kind.at_once for kind in self.kinds.values()}.items():
                dbos.register_queue(queue, worker_concurrency=at_once, polling_interval_sec=self.settings.poll_s)
            while not should_stop():
                if self._turn() and until_idle:
                    return
                time.sleep(self.settings.poll_s)
        finally:
            dbos.destroy(workflow_completion_timeout_sec=0)

    def _turn(self) -> bool:
        """Look after the queue once; whether there is nothing left to do. What a disk or a server refuses, the next
        turn tries again."""
        try:
            with in_words(self.settings.jobs_url):
                self._take_in()
                if time.monotonic() - self._beat_at > BEAT_S:
                    self._beat_at = time.monotonic()
                    self._beat()
            with self.store.reading() as conn:
                return not batches.unended(conn, limit=1)
        except (Busy, NotWritable) as error:
            _say(str(error))
        time.sleep(self.settings.patience_s)
        return False

    def _take_in(self) -> None:
        """Move posted jobs into the queue. A job's name is its id there, so one that is in already stays one."""
        with self.store.reading() as conn:
            posted = batches.unended(conn, after=self._seen)
        for row in posted:
            with self._named(row.job):
                queue = self.kinds[row.kind].queue
                self._dbos.enqueue_workflow(queue, self._job, row.job, row.kind, row.payload)
            self._seen = row.id

    def _beat(self) -> None:
        """Say that this worker lives, and take over what dead ones left."""
        with self.store.writing() as conn:
            batches.beat(conn, self.slot, pid=os.getpid(), at=_now())
            others = [row.executor for row in batches.all_workers(conn) if row.executor != self.slot]
        for other in others:
            release = hold_slot(self.store, other, self.settings.locks)
            if release is None:
                continue  # it lives: nobody else may hold its slot
            try:
                self._resume(self._pending(other))
                with self.store.writing() as conn:
                    batches.forget_worker(conn, other)
            finally:
                release()
        stopped = {job: queue for job, queue in self._pending(self.slot).items() if job not in self._running}
        self._resume({job: queue for job, queue in stopped.items() if job in self._stopped})
        self._stopped = set(stopped)
        self._revive()

    def _pending(self, slot: str) -> dict[str, str]:
        """The jobs that the engine believes a worker has in hand, and the queues that they came from."""
        found = self._dbos.list_workflows(status="PENDING", executor_id=slot, load_input=False, load_output=False)
        return {job.workflow_id: job.queue_name or "" for job in found}

    def _resume(self, jobs: Mapping[str, str]) -> None:
        """Put jobs that nobody has in hand back into their queue; what they have finished stays finished."""
        for queue in sorted(set(jobs.values())):
            self._dbos.resume_workflows([job for job in sorted(jobs) if jobs[job] == queue], queue_name=queue)

    def _revive(self) -> None:
        """Begin again, under another id, what the engine itself gave up: its steps' results are kept by ours."""
        with self.store.reading() as conn:
            open_jobs = {row.job: row for row in batches.unended(conn)}
        ids = [job if run == 1 else f"{job}~{run}" for job in open_jobs for run in range(1, RUNS + 1)]
        known = self._dbos.list_workflows(workflow_ids=ids, load_input=False, load_output=False) if ids else []
        status = {workflow.workflow_id: workflow.status for workflow in known}
        for job, row in open_jobs.items():
            runs = [run for run in range(1, RUNS + 1) if (job if run == 1 else f"{job}~{run}") in status]
            if not runs or status[job if runs[-1] == 1 else f"{job}~{runs[-1]}"] not in _GIVEN_UP:
                continue
            if runs[-1] < RUNS:
                with self._named(f"{job}~{runs[-1] + 1}"):
                    queue = self.kinds[row.kind].queue
                    self._dbos.enqueue_workflow(queue, self._job, job, row.kind, row.payload)
            else:
                reason = f"the job engine gave it up {RUNS} times"
                self._park(self.kinds[row.kind], job, row.payload, "engine", reason)

    def _carry_out(self, job: str, kind_name: str, payload: dict[str, Any]) -> None:
        """The durable job: the same calls in the same order, however often it is resumed."""
        kind = self.kinds[kind_name]
        results: dict[str, Any] = {}
        for step in kind.steps:
            for attempt in range(1, kind.tries + 1):
                said = self._step(step.name, partial(self._try, step, payload, dict(results)))
                if "after_s" not in said or attempt == kind.tries:
                    break
                self._dbos.sleep(said["after_s"] * 2 ** (attempt - 1))
            if "value" not in said:
                self._step("park", partial(self._park, kind, job, payload, step.name, said["reason"]))
                return
            results[step.name] = said["value"]
        self._step("end", partial(self._end, job))

    def _step(self, name: str, act: Callable[[], Any]) -> Any:
        """Run `act` once and for all: when the job is resumed, what it gave is remembered."""

        def step() -> Any:
            return act()

        return self._dbos.run_step({"name": name}, step)

    def _try(self, step: Step, payload: dict[str, Any], results: dict[str, Any]) -> dict[str, Any]:
        """One attempt at a step: its value, or why not, and whether waiting may help."""
        try:
            return {"value": step.run(payload, results)}
        except Retryable as error:
            return {"reason": str(error), "after_s": error.after_s}
        except (Busy, NotWritable) as error:
            return {"reason": str(error), "after_s": self.settings.patience_s}
        except (NeedsPerson, VitrinaError) as error:
            return {"reason": str(error)}
        except MemoryError:
            return {"reason": "out of memory", "after_s": self.settings.patience_s}
        except Exception as error:  # a bug: loud, and the other jobs go on
            traceback.print_exc(file=sys.stderr)
            return {"reason": f"an unexpected {type(error).__name__}: {error}. Please report it."}

    def _park(self, kind: Kind, job: str, payload: dict[str, Any], step: str, reason: str) -> None:
        self._insist(lambda: kind.park(payload, step, reason))
        self._end(job)

    def _end(self, job: str) -> None:
        def end() -> None:
            with self.store.writing() as conn:
                batches.end(conn, job, at=_now())

        self._insist(end)

    def _insist(self, act: Callable[[], None]) -> None:
        """Do what must be written down, however long the database or the disk refuses."""
        while True:
            try:
                return act()
            except (Busy, NotWritable) as error:
                _say(str(error))
                time.sleep(self.settings.patience_s)


def _prepare_sqlite(path: Path) -> None:
    """Write-ahead logging is kept in the file, and dbos does not ask for it itself."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=30)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.close()
    except (OSError, sqlite3.Error) as error:
        raise NotWritable(f"{path}: cannot be opened for writing ({error}). Check the home's permissions.") from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _say(text: str) -> None:
    print(f"vitrina: {text}", file=sys.stderr, flush=True)
