"""Batches survive whatever is done to them: killed anywhere, they finish every SKU exactly once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.house import a_house, picture
from vitrina.actions import batch, skus
from vitrina.actions.house import House
from vitrina.backends.blobs import digest_of
from vitrina.errors import Missing, UsageError
from vitrina.store import batches, events
from vitrina.store import pictures as records

RECIPE = {"mode": "exact", "looks": ["white", "grey"], "markets": ["kaspi"], "force": False}
STEPS = ("take in", "make", "place", "record")


class Bench:
    """A home, a database, an archive, a folder of photos and the workers let loose on them."""

    def __init__(self, folder: Path, database: str, skus_: int = 3, *, blobs: str = "") -> None:
        self.home, self.photos, self.out = folder / "home", folder / "photos", folder / "out"
        self.journal, self.database, self.blobs = folder / "journal", database, blobs
        self.codes = [f"R{number:x}" for number in range(skus_)]
        for number in range(skus_):
            path = self.photos / f"R{number:x}" / "front.png"
            path.parent.mkdir(parents=True)
            path.write_bytes(picture(number))

    def ask(self) -> int:
        with self.house() as house:
            return batch.ask(house, self.photos, self.out, recipe=RECIPE)

    def house(self) -> Any:
        return a_house(self.home, self.database or None, blobs=self.blobs or None)

    def start(self, *lives: str, stderr: int | None = None) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.doubles.worker", str(self.home), self.database, self.blobs]
        root = Path(__file__).parents[2]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root / "src"), str(root)])}
        return subprocess.Popen(
            [*command, str(self.journal), *(lives or ("-",))], env=env, cwd=root, stdout=subprocess.PIPE, stderr=stderr,
            text=True,
        )  # fmt: skip

    def work(self, *lives: str) -> list[int]:
        """How each of the lives of a worker ended: 0 when there was nothing left to do, -9 when it was killed."""
        out, _ = self.start(*lives).communicate(timeout=300)
        return [int(line) for line in out.splitlines()]

    def steps(self) -> list[str]:
        return [line.split(" ", 1)[1] for line in self.journal.read_text().splitlines()]

    def finished_once(self, batch_id: int) -> None:
        """Every SKU is done, on record once, with its files in place, and the ledger tells it once."""
        with self.house() as house:
            report = batch.report(house, batch_id)
            assert [(item["sku"], item["state"]) for item in report["items"]] == [(code, "done") for code in self.codes]
            for number, code in enumerate(self.codes):
                shown = skus.show_sku(house, code)
                assert [v["look"] for v in shown["variants"]] == ["white", "grey"]
                assert [v["state"] for v in shown["variants"]] == ["checked", "checked"]
                folder = self.out / code
                files = json.loads((folder / "report.json").read_text())["files"]
                assert {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} == {
                    *files,
                    "report.json",
                }
                assert (folder / "original" / "front.png").read_bytes() == picture(number)
            with house.store.reading() as conn:
                assert list(events.problems(conn)) == []
                told = [e.subject for e in events.between(conn, since="", until="9") if e.verb == "card.make"]
                assert sorted(told) == [f"sku/{code}" for code in self.codes]
                for row in records.every_blob(conn):
                    (house.originals if row.room == "originals" else house.works).get(row.digest)
            assert not list((self.home / "making").glob("*"))


@pytest.fixture
def bench(tmp_path: Path, database: str) -> Bench:
    return Bench(tmp_path, "" if database.startswith("sqlite") else database)


@pytest.fixture
def light(tmp_path: Path) -> Bench:
    """A bench on SQLite only."""
    return Bench(tmp_path, "")


@pytest.fixture
def house(light: Bench) -> Iterator[House]:
    with light.house() as house:
        yield house


def test_a_batch_waits_for_the_disk_parks_a_bug_and_redoes_only_what_must_be(bench: Bench) -> None:
    number = bench.ask()
    assert bench.work("place:R1:full,make:R2:bug") == [0]
    assert bench.steps().count("place:R1") == 3
    with bench.house() as house:
        report = batch.report(house, number)
    assert report["counts"] == {"done": 2, "parked": 1, "waiting": 0, "running": 0}
    assert "an unexpected ZeroDivisionError: a bug" in report["items"][2]["reason"]
    (bench.photos / "R0" / "front.png").write_bytes(picture(700))
    bench.journal.unlink()
    assert bench.ask() == number  # what is parked is tried again, what has changed is done anew, R1 is left alone
    assert bench.work() == [0]
    assert sorted(bench.steps()) == sorted(f"{step}:{code}" for step in STEPS for code in ("R0", "R2"))
    with bench.house() as house:
        made = [(v["state"], v["reason"]) for v in skus.show_sku(house, "R0")["variants"]]
        assert made == [*[("draft", "the source photo was replaced")] * 2, *[("checked", "")] * 2]
    (bench.photos / "R0" / "front.png").write_bytes(picture(0))
    bench.ask()
    with bench.house() as house:
        assert batch.how_far(house, number) == {"done": 2, "waiting": 1}


BETWEEN = [(step, when) for step in STEPS for when in ("before", "after")]
INSIDE = [
    ("take in", "put1"), ("take in", "commit1"), ("make", "commit1"), ("make", "put2"), ("make", "commit2"),
    ("place", "get3"), ("record", "commit1"),
]  # fmt: skip
AT_THE_ARCHIVE = [("take in", "put1"), ("make", "put2"), ("make", "get1"), ("place", "get3"), ("place", "after")]


def killed_everywhere(bench: Bench, points: list[tuple[str, str]]) -> None:
    """A worker per point is killed there, each at an SKU of its own; the last one finishes everything."""
    number = bench.ask()
    faults = [f"{step}:R{place:x}:{when}" for place, (step, when) in enumerate(points)]
    assert bench.work(*faults, "-") == [*[-signal.SIGKILL] * len(faults), 0]
    bench.finished_once(number)
    repeated = sorted(name for name in set(bench.steps()) if bench.steps().count(name) > 1)
    assert repeated == sorted(fault.rsplit(":", 1)[0] for fault in faults)  # the step in flight, and no other
    assert max(bench.steps().count(name) for name in repeated) == 2


def test_killed_between_or_inside_any_two_steps_it_goes_on(tmp_path: Path, database: str) -> None:
    points = BETWEEN + INSIDE
    killed_everywhere(Bench(tmp_path, "" if database.startswith("sqlite") else database, len(points)), points)


def test_killed_while_it_speaks_with_a_bucket_it_goes_on(tmp_path: Path, bucket: str) -> None:
    killed_everywhere(Bench(tmp_path, "", len(AT_THE_ARCHIVE), blobs=bucket), AT_THE_ARCHIVE)


def test_two_workers_on_one_queue_and_one_of_them_dies_for_good(bench: Bench) -> None:
    number = bench.ask()
    dying = bench.start("make:R1:pause")
    deadline = time.monotonic() + 200
    while not bench.journal.exists() or "make:R1" not in bench.steps():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    other = bench.start()
    time.sleep(1.0)
    dying.terminate()
    dying.communicate()
    assert other.communicate(timeout=300) == ("0\n", None)  # it takes over what the dead one left, without any help
    bench.finished_once(number)


def test_a_locked_database_is_waited_for(bench: Bench) -> None:
    number = bench.ask()
    with bench.house() as house:
        other = house.store.engine.connect().execution_options(vitrina_writes=True)
        with other.begin():  # SQLite: the write lock; PostgreSQL: nobody may touch these tables
            if not house.store.is_sqlite:
                other.exec_driver_sql("LOCK TABLE batch_items, ledger, outbox IN ACCESS EXCLUSIVE MODE")
            worker = bench.start()
            time.sleep(2)
        other.close()
    assert worker.communicate(timeout=300) == ("0\n", None)
    bench.finished_once(number)


@pytest.mark.parametrize("step", ["take in", "place"])
def test_a_disk_that_fills_up_under_everything_is_waited_for(light: Bench, step: str) -> None:
    """The engine's own book included, which then does not know how the job in hand went."""
    number = light.ask()
    worker = light.start(f"{step}:R1:choke", stderr=subprocess.PIPE)
    out, said = worker.communicate(timeout=300)
    assert out == "0\n"
    assert "cannot be written" in said and "Traceback" not in said
    with light.house() as house:
        parked = [item["sku"] for item in batch.report(house, number)["items"] if item["state"] == "parked"]
    assert parked in ([], ["R1"])  # five tries may be over before there is room again
    if parked:
        light.ask()
        assert light.work() == [0]
    light.finished_once(number)


def test_a_lost_original_is_archived_again_and_a_lost_result_made_again(bench: Bench) -> None:
    loses_and_finds(bench)


def test_what_a_bucket_loses_is_found_again(tmp_path: Path, bucket: str) -> None:
    loses_and_finds(Bench(tmp_path, "", blobs=bucket))


def loses_and_finds(bench: Bench) -> None:
    number = bench.ask()
    assert bench.work("make:R0:before,place:R1:before") == [-signal.SIGKILL]
    lose(bench, picture(0))
    assert bench.work("place:R1:before") == [-signal.SIGKILL]
    lose(bench, b"kaspi white of " + picture(1))
    assert bench.work() == [0]
    with bench.house() as house:
        parked = batch.report(house, number)["items"][1]
    assert parked["state"] == "parked" and "not in the archive" in parked["reason"]
    bench.ask()
    assert bench.work() == [0]
    bench.finished_once(number)


def lose(bench: Bench, data: bytes) -> None:
    """Remove these bytes from the archive behind its back."""
    with bench.house() as house:
        rooms = [room for room in (house.originals, house.works) if room.has(digest_of(data))]
        assert rooms
        for room in rooms:
            room.remove(digest_of(data))


def test_a_card_that_kills_its_worker_again_and_again_is_parked(light: Bench) -> None:
    number = light.ask()
    with light.house() as house, house.store.writing() as conn:
        batches.change_item(conn, number, "R1", 1, attempts=batch.DEATHS)
    assert light.work() == [0]
    with light.house() as house:
        item = batch.report(house, number)["items"][1]
    assert item["state"] == "parked" and "the worker died 3 times" in item["reason"]


def test_inputs_are_folders_numbered_files_or_tables(tmp_path: Path, house: House) -> None:
    folder = tmp_path / "in"
    (folder / "A").mkdir(parents=True)
    for name in ("A/1.jpg", "A/2.HEIC", "A/notes.txt", "B_1.png", "B_2.png", "RING-001.jpg", ".hidden.jpg"):
        (folder / name).write_bytes(b"x")
    found = batch.list_inputs(folder)
    assert {code: [p.name for p in paths] for code, paths in found.items()} == {
        "A": ["1.jpg", "2.HEIC"],
        "B": ["B_1.png", "B_2.png"],
        "RING-001": ["RING-001.jpg"],
    }
    table = folder / "list.csv"
    table.write_text("sku,photo\nA,A/1.jpg\nC,B_1.png\nA,A/2.HEIC\n")
    assert {c: [p.name for p in ps] for c, ps in batch.list_inputs(table).items()} == {
        "A": ["1.jpg", "2.HEIC"],
        "C": ["B_1.png"],
    }
    table.write_text("sku,photo\nA,\n")
    with pytest.raises(UsageError, match="row 2 names no photo"):
        batch.list_inputs(table)
    with pytest.raises(Missing, match="no such folder"):
        batch.list_inputs(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no photos in it"):
        batch.ask(house, tmp_path / "empty", tmp_path / "out", recipe=RECIPE)
