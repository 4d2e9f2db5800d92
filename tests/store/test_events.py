"""The ledger cannot be rewritten unnoticed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from vitrina.config import Config
from vitrina.errors import ResourceError
from vitrina.store import events
from vitrina.store.engine import Store, forbid_rewriting, open_store


def filled(tmp_path: Path, database: str, number: int = 5) -> Store:
    store = open_store(Config(tmp_path, database=database))
    for i in range(number):
        with store.writing() as conn:
            events.append(conn, at=f"t{i}", person="Ann", verb="sku.add", subject="sku/Ü", details={"n": i})
    return store


def problems(store: Store) -> list[str]:
    with store.reading() as conn:
        return list(events.problems(conn))


def tamper(store: Store, statement: str) -> None:
    """What somebody with the database's own tools could do: take the protection off, and put it back."""
    with store.writing() as conn:
        if store.is_sqlite:
            conn.exec_driver_sql("DROP TRIGGER events_no_update")
            conn.exec_driver_sql("DROP TRIGGER events_no_delete")
        else:
            conn.exec_driver_sql("DROP TRIGGER events_append_only ON events")
            conn.exec_driver_sql("DROP FUNCTION events_is_append_only")
        conn.exec_driver_sql(statement)
        forbid_rewriting(conn, "events")


def test_a_chain_verifies_and_the_database_itself_refuses_rewriting(database: str, tmp_path: Path) -> None:
    store = filled(tmp_path, database)
    assert problems(store) == []
    for statement in ("UPDATE events SET person = 'Bob'", "DELETE FROM events WHERE seq = 5"):
        with pytest.raises(ResourceError, match="append-only"), store.writing() as conn:
            conn.execute(sa.text(statement))
    assert problems(store) == []
    store.close()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE events SET person = 'Bob' WHERE seq = 3", "event 3 was altered"),
        ("DELETE FROM events WHERE seq = 2", "event 2 is missing"),
        ("DELETE FROM events WHERE seq = 5", "events are missing"),
        ("UPDATE events SET previous = hash WHERE seq = 4", "event 4 does not follow"),
    ],
)
def test_whatever_is_done_to_it_shows(database: str, tmp_path: Path, statement: str, words: str) -> None:
    store = filled(tmp_path, database)
    tamper(store, statement)
    assert any(words in problem for problem in problems(store))
    store.close()


def test_a_transaction_that_fails_leaves_no_event(database: str, tmp_path: Path) -> None:
    store = filled(tmp_path, database, 1)
    with pytest.raises(RuntimeError), store.writing() as conn:
        events.append(conn, at="t", person="p", verb="v", subject="s")
        raise RuntimeError
    assert problems(store) == []
    with store.reading() as conn:
        assert events.head(conn)[0] == 1
    store.close()


def test_writers_at_once_make_one_chain(database: str, tmp_path: Path) -> None:
    store = filled(tmp_path, database, 0)

    def write() -> None:
        for _ in range(10):
            with store.writing() as conn:
                events.append(conn, at="t", person="p", verb="v", subject="s")

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems(store) == []
    with store.reading() as conn:
        assert events.head(conn)[0] == 40
    store.close()
