"""Progress as it happens, and the calendar of checks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.house import WARN, Opinions, a_house, hire, picture
from tests.flows.test_gate import approve, make
from tests.web.studio import a_studio, sign_in
from vitrina.actions import archive, batch, pictures, skus, studio
from vitrina.actions.calendar import calendar
from vitrina.actions.house import House
from vitrina.errors import NotAllowed
from vitrina.rules.load import load_pack
from vitrina.store import batches
from vitrina.web.api.progress import told

RECIPE = {"mode": "exact", "looks": ["white", "grey"], "markets": ["kaspi"], "force": False}


@pytest.fixture
def house(tmp_path: Path, database: str) -> Iterator[House]:
    with a_house(tmp_path / "home", database, Opinions()) as house:
        hire(house)
        yield house


def heard(answers: list[Any], *, last_id: str = "", seconds: float = 9.0) -> list[dict[str, str]]:
    """The events that are told while these answers are given one after the other."""
    given = iter(answers)

    async def ask() -> dict[str, Any]:
        answer = next(given)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def listen() -> list[str]:
        return [text async for text in told(ask, last_id=last_id, seconds=seconds, every_s=0.0)]

    blocks = [text.strip().splitlines() for text in asyncio.run(listen())]
    return [dict(line.split(": ", 1) for line in block) for block in blocks]


def at(done: int, left: int) -> dict[str, Any]:
    return {"batches": [{"batch": 1, "counts": {"done": done, "waiting": left}}], "is_done": left == 0}


def test_only_what_changes_is_told_until_nothing_is_left() -> None:
    retry, *events = heard([at(0, 2), at(0, 2), at(1, 1), at(1, 1), at(2, 0), at(9, 9)])
    assert retry == {"retry": "3000"}
    assert [event["event"] for event in events] == ["progress", "progress", "done"]
    assert [json.loads(event["data"])["batches"][0]["counts"]["done"] for event in events] == [0, 1, 2]
    again = heard([at(1, 1), at(2, 0)], last_id=events[1]["id"])
    assert [event.get("event") for event in again] == [None, "done"], "who comes back is not told what they know"


def test_who_may_no_longer_listen_hears_no_more_and_time_ends_it() -> None:
    assert len(heard([at(0, 2), NotAllowed("left the house"), at(0, 1)])) == 2
    assert len(heard([at(0, 2), at(0, 1)], seconds=0.0)) == 2


def test_progress_counts_what_is_left(house: House, tmp_path: Path) -> None:
    for code in ("A", "B", "C"):
        (tmp_path / "in" / code).mkdir(parents=True)
        (tmp_path / "in" / code / "1.png").write_bytes(picture(ord(code)))
    phil = house.acting_as("Phil")
    assert studio.progress(phil) == {"schema": "vitrina.progress/1", "batches": [], "is_done": True}
    number = batch.ask(phil, tmp_path / "in", tmp_path / "out", recipe=RECIPE)
    with house.store.writing() as conn:
        batches.change_item(conn, number, "A", 1, state="done")
    assert studio.progress(phil)["batches"] == [{"batch": number, "counts": {"done": 1, "waiting": 2}}]
    with house.store.writing() as conn:
        for code in ("B", "C"):
            batches.change_item(conn, number, code, 1, state="parked")
    assert studio.progress(phil)["batches"] == []
    assert studio.progress(phil, number)["is_done"]


def test_over_rest_it_is_an_event_stream(tmp_path: Path) -> None:
    with a_studio(tmp_path) as (app, house):
        (tmp_path / "in" / "A").mkdir(parents=True)
        (tmp_path / "in" / "A" / "1.png").write_bytes(picture(1))
        number = batch.ask(house.acting_as("Phil"), tmp_path / "in", tmp_path / "out", recipe=RECIPE)
        client = sign_in(app, house, "Rita")
        answer = client.get("/api/v1/progress?seconds=0")
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "event: progress" in answer.text and '"waiting": 1' in answer.text
        assert client.get(f"/api/v1/batches/{number + 1}/progress").status_code == 404
        assert client.get("/api/v1/progress?seconds=301").status_code == 422
        page = client.get("/").text
        assert 'data-progress="/api/v1/progress"' in page and "<noscript>" in page
        with house.store.writing() as conn:
            batches.change_item(conn, number, "A", 1, state="done")
        assert "event: done" in client.get(f"/api/v1/batches/{number}/progress").text


def due(house: House, day: datetime | None = None) -> dict[str, dict[str, Any]]:
    asked = house.acting_as("Rita") if day is None else replace(house.acting_as("Rita"), clock=lambda: day)
    return {item["kind"] + item["what"]: item for item in calendar(asked)["due"]}


def test_the_calendar_tells_what_falls_due(house: House, tmp_path: Path) -> None:
    pack = load_pack("kaspi")
    day = datetime(pack.checked_on.year, pack.checked_on.month, pack.checked_on.day, 12, tzinfo=UTC)
    empty = due(house, day)
    assert empty["rules"]["on"] == pack.reread_by.isoformat() and not empty["rules"]["is_due"]
    assert pack.name in empty["rules"]["name"]
    assert empty["rejections"]["on"][-3:] == "-01" and empty["audit"]["on"][5:] in (
        "01-01", "04-01", "07-01", "10-01"
    )  # fmt: skip
    assert empty["backup"]["is_due"], "nobody has made one yet"
    assert not {"spot-check", "recheck"} & set(empty)
    archive.backup(house.acting_as("Ann"), tmp_path / "b.zip")
    assert due(house)["backup"]["on"] == "2026-01-08"
    make(house, tmp_path)
    pictures.submit(house.acting_as("Ray"), "RING-1")
    approve(house, "Rita")
    skus.put_sku(house.acting_as("Phil"), {"sku": "RING-1", "factory": "B"}, is_new=False)
    assert (due(house)["recheck"]["count"], due(house)["recheck"]["is_due"]) == (1, True)
    with house.store.writing() as conn:
        number = batches.open_batch(conn, "out", recipe=RECIPE, person="Phil", at="t")
        batches.set_state(conn, number, "held", reason="a spot check failed")
    assert due(house)[f"held{number}"]["is_due"]


def test_samples_that_wait_are_in_the_calendar(tmp_path: Path) -> None:
    with a_house(tmp_path / "home", None, Opinions(findings=[WARN])) as house:
        hire(house)
        make(house, tmp_path)
        pictures.submit(house.acting_as("Ray"), "RING-1")
        assert "spot-check" not in due(house), "a second look for doubt is no spot check"
        with house.store.writing() as conn:
            from vitrina.store import pictures as records

            variant = records.get_variant(conn, 1)
            records.set_check(
                conn, 1, verdict="review", basis=variant.basis, second_look=["spot check: every 5. SKU of a batch"]
            )
        assert due(house)["spot-check"]["count"] == 1
