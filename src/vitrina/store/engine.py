"""Opening the database, and the only place that knows which one it is: SQLite in the home, or PostgreSQL by URL."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from vitrina.config import Config
from vitrina.errors import Broken, Busy, Conflict, NotWritable, ResourceError
from vitrina.store.schema import metadata

HEAD = "0005"
"""The newest migration; a database that says something else is migrated, or refused when it is newer."""

BUSY_S = 30
"""How long a writer waits for another one before it gives up."""

_ROWS = 2000
"""So many rows are copied at a time."""

_LOCK = 7_164_001
"""The advisory lock that keeps two programs from migrating at once (PostgreSQL)."""


@dataclass(frozen=True, slots=True)
class Store:
    """An open database. `reading` and `writing` are its only doors, so that every transaction is one or the other."""

    engine: Engine
    url: str

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads: it never waits for a writer."""
        with self._open(is_writing=False) as conn:
            yield conn

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that takes the write lock at once, so that what it read is still true when it commits."""
        with self._open(is_writing=True) as conn:
            yield conn

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def _open(self, *, is_writing: bool) -> Iterator[Connection]:
        try:
            with self.engine.connect().execution_options(vitrina_writes=is_writing) as conn, conn.begin():
                yield conn
        except DBAPIError as error:
            raise told(error, self.url) from error


def database_url(config: Config) -> str:
    """The database the settings name; by default ``app.sqlite`` in the home."""
    url = config.database or f"sqlite:///{config.home.resolve() / 'app.sqlite'}"
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def open_store(config: Config, *, busy_s: float = BUSY_S) -> Store:
    """The store of `config`, its tables up to date. Raises NotWritable, Busy, Broken or ResourceError."""
    url = database_url(config)
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NotWritable(f"{path.parent}: cannot be made ({error.strerror}). Choose another --home.") from error
        engine = sa.create_engine(url, connect_args={"timeout": busy_s})
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        engine = sa.create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})
    shown = sa.make_url(url).render_as_string(hide_password=True)
    store = Store(engine, shown)
    try:
        _migrate(store)
    except BaseException:
        engine.dispose()
        raise
    return store


def forbid_rewriting(conn: Connection, table: str) -> None:
    """Make `table` append-only in the database itself: no program can change or delete a row without removing this."""
    if conn.dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            conn.exec_driver_sql(
                f"CREATE TRIGGER {table}_no_{what.lower()} BEFORE {what} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    conn.exec_driver_sql(
        f"CREATE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    conn.exec_driver_sql(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_append_only()"
    )


def hold_slot(store: Store, slot: str, folder: Path) -> Callable[[], None] | None:
    """Take the worker slot `slot` for this process alone; returns what lets it go, or None when another holds it.

    A file lock on SQLite, whose workers share a machine; a session's advisory lock on PostgreSQL. Both end with the
    process, however it ends.
    """
    if store.is_sqlite:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / f"{slot}.lock").open("ab")
        if _lock_file(file):
            return file.close
        file.close()
        return None
    conn = store.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    number = int.from_bytes(hashlib.sha256(slot.encode()).digest()[:8], "big", signed=True)
    if conn.execute(sa.select(sa.func.pg_try_advisory_lock(number))).scalar():
        return conn.invalidate
    conn.close()
    return None


def _lock_file(file: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def copy_database(store: Store, target: Path) -> None:
    """A consistent copy of the records as one SQLite file, made while others use them."""
    target.unlink(missing_ok=True)
    if not store.is_sqlite:
        copy = open_store(Config(target.parent, database=f"sqlite:///{target.resolve()}"))
        try:
            with store.engine.connect().execution_options(isolation_level="REPEATABLE READ") as source, source.begin():
                _copy_rows(source, copy)
        except DBAPIError as error:
            raise told(error, store.url) from error
        finally:
            copy.close()
        return
    source_ = sqlite3.connect(str(store.engine.url.database))
    try:
        with sqlite3.connect(target) as copy_:
            source_.backup(copy_)
        copy_.close()
    except sqlite3.Error as error:
        raise NotWritable(
            f"{target}: cannot be written ({error}). Free some space or choose another output."
        ) from error
    finally:
        source_.close()


def fill_database(config: Config, source: Path) -> None:
    """Put the records of the SQLite file `source`, a copy that may be moved, into the empty database of `config`.

    All of them or none. Raises Conflict when there are records already.
    """
    require_empty(config)
    url = database_url(config)
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(source, path)
        except OSError as error:
            raise NotWritable(f"{path}: cannot be written ({error.strerror}). Free some space.") from error
        return
    copy, store = open_store(Config(source.parent, database=f"sqlite:///{source.resolve()}")), open_store(config)
    try:
        with copy.reading() as conn:
            _copy_rows(conn, store)
    finally:
        copy.close()
        store.close()


def require_empty(config: Config) -> None:
    """Raise Conflict when the database of `config` holds records; one that is not there yet is not made."""
    url = database_url(config)
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        if path.exists():
            raise Conflict(f"{path}: there are records here already. Restore into an empty folder with --home.")
        return
    store = open_store(config)
    try:
        with store.reading() as conn:
            if conn.execute(sa.select(metadata.tables["ledger"].c.seq)).scalar():
                raise Conflict(f"{store.url}: there are records here already. Restore into an empty database.")
    finally:
        store.close()


def _copy_rows(source: Connection, target: Store) -> None:
    """Write every row of `source` into the new database `target`, in one transaction, and count on from there."""
    with target.writing() as conn:
        for table in metadata.sorted_tables:
            if table.name == "ledger":
                conn.execute(table.delete())  # a new database begins with an empty head
            found = source.execute(sa.select(table).execution_options(yield_per=_ROWS))
            for rows in found.partitions():
                conn.execute(table.insert(), [dict(row._mapping) for row in rows])
            if not target.is_sqlite and table.autoincrement_column is not None:
                last = sa.select(sa.func.max(table.autoincrement_column)).scalar_subquery()
                counter = sa.func.pg_get_serial_sequence(table.name, table.autoincrement_column.name)
                conn.execute(sa.select(sa.func.setval(counter, sa.func.coalesce(last, 0) + 1, False)))


@contextmanager
def in_words(url: str) -> Iterator[None]:
    """Raise what a database of somebody else's (at `url`) refuses as one of the house's errors."""
    try:
        yield
    except SQLAlchemyError as error:
        raise told(error, sa.make_url(url).render_as_string(hide_password=True)) from error


def told(error: SQLAlchemyError, url: str) -> ResourceError:
    """A database's error as one of the house's, saying what to do."""
    text = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    if "is locked" in text or "lock timeout" in text or "deadlock" in text:
        return Busy(f"{url}: another program holds the database ({text}). Wait for it to end and run this again.")
    if "disk is full" in text or "No space left" in text or "disk I/O error" in text:
        return NotWritable(f"{url}: cannot be written ({text}). Free some space; nothing that was saved is lost.")
    if "readonly" in text or "unable to open" in text:
        return NotWritable(f"{url}: cannot be opened for writing ({text}). Check its folder and permissions.")
    if "not a database" in text or "malformed" in text:
        return Broken(f"{url}: damaged ({text}). Restore it: vitrina restore BACKUP.zip")
    if isinstance(error, OperationalError):
        kind = ResourceError if url.startswith("sqlite") else Busy  # a server may come back
        return kind(f"{url}: the database does not answer ({text}). Is it running, and is VITRINA_DATABASE right?")
    return Broken(f"{url}: the database refused ({type(error).__name__}: {text}). Please report this.")


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by _begin_sqlite alone
    cursor = connection.cursor()  # busy_timeout is the `timeout` given at connect
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(conn: Connection) -> None:
    writes = conn.get_execution_options().get("vitrina_writes", True)
    conn.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _migrate(store: Store) -> None:
    with store.reading() as conn:
        if _version(conn) == HEAD:
            return
    from alembic import command
    from alembic.config import Config as AlembicConfig

    settings = AlembicConfig()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with store.writing() as conn:
        if not store.is_sqlite:
            conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        now = _version(conn)
        if now == HEAD:
            return
        if now is not None and now > HEAD:
            raise Broken(f"{store.url}: written by a newer Vitrina (migration {now}, here {HEAD}). Update Vitrina.")
        settings.attributes["connection"] = conn
        command.upgrade(settings, HEAD)


def _version(conn: Connection) -> str | None:
    if not sa.inspect(conn).has_table("alembic_version"):
        return None
    with suppress(SQLAlchemyError):
        return conn.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return None
