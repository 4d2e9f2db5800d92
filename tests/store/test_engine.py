"""Opening, migrating and protecting the database, on both kinds."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from vitrina.config import Config
from vitrina.errors import Broken, Busy, NotWritable, ResourceError
from vitrina.store import events
from vitrina.store.engine import open_store
from vitrina.store.schema import metadata


def test_the_migrations_make_exactly_the_tables_of_the_schema(database: str, tmp_path: Path) -> None:
    store = open_store(Config(tmp_path, database=database))
    with store.reading() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    store.close()


def test_opening_again_keeps_what_is_there(database: str, tmp_path: Path) -> None:
    for number in (1, 2):
        store = open_store(Config(tmp_path, database=database))
        with store.writing() as conn:
            assert events.append(conn, at="t", person="p", verb="v", subject="s") == number
        store.close()


def test_a_database_of_a_newer_program_is_left_alone(database: str, tmp_path: Path) -> None:
    store = open_store(Config(tmp_path, database=database))
    with store.writing() as conn:
        conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(Broken, match="newer Vitrina"):
        open_store(Config(tmp_path, database=database))


def test_sqlite_writes_ahead_and_checks_references(tmp_path: Path) -> None:
    store = open_store(Config(tmp_path))
    with store.reading() as conn:
        assert conn.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert conn.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert conn.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000
    store.close()


def test_a_locked_database_says_so_and_readers_go_on(tmp_path: Path) -> None:
    store = open_store(Config(tmp_path), busy_s=0.2)
    other = sqlite3.connect(tmp_path / "app.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with store.reading() as conn:
        assert events.head(conn)[0] == 0
    with pytest.raises(Busy, match="another program holds the database"), store.writing():
        pass
    other.execute("ROLLBACK")
    other.close()
    with store.writing() as conn:
        events.append(conn, at="t", person="p", verb="v", subject="s")
    store.close()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "app.sqlite").write_bytes(b"not a database at all, however long it is" * 100)
    with pytest.raises(Broken, match="damaged"):
        open_store(Config(tmp_path))


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotWritable, match="cannot be made"):
        open_store(Config(tmp_path / "file" / "home"))


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="does not answer") as told:
        open_store(Config(tmp_path, database="postgresql://u:secret@127.0.0.1:1/x"))
    assert "secret" not in str(told.value)
