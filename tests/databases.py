"""The two databases that the records run on, as fixtures: every store and flow test runs on both.

PostgreSQL is a private cluster under a temporary folder, started once, owned by an unprivileged account.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa


def _binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [
        Path(path) for path in [shutil.which("initdb")] if path
    ]
    return found[-1].parent if found else None


def _account() -> str | None:
    """Whom the server runs as: root may not start one."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    return None


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server that this session alone uses; skips, loudly, when there is none to start."""
    binaries = _binaries()
    if binaries is None:
        reason = "PostgreSQL is not installed: the records were tested on SQLite only. apt-get install postgresql"
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="vitrina-pg-"))
    account = _account()
    if account:
        shutil.chown(folder, account)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    where = {"user": account, "cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    data = folder / "data"
    try:
        subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "vitrina", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C"],
            check=True,
            env={"PATH": os.environ["PATH"], "TZ": "UTC"},
            **where,
        )
        settings = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c fsync=off -c max_connections=60"
        subprocess.run(
            [binaries / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", settings, "start"], check=True, **where
        )
        yield f"postgresql://vitrina@127.0.0.1:{port}"
    finally:
        subprocess.run([binaries / "pg_ctl", "-D", data, "-m", "immediate", "-W", "stop"], check=False, **where)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Callable[[], str]]:
    """What makes an empty database of each kind and gives its address."""

    def sqlite() -> str:
        return f"sqlite:///{tmp_path / f'records-{next(_numbers)}' / 'app.sqlite'}"

    def postgresql() -> str:
        server = request.getfixturevalue("postgres")
        name = f"t{os.getpid()}_{next(_numbers)}"
        engine = sa.create_engine(server.replace("://", "+psycopg://") + "/postgres", isolation_level="AUTOCOMMIT")
        with engine.connect() as conn:
            conn.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        return f"{server}/{name}"

    return {"sqlite": sqlite, "postgresql": postgresql}


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, databases: dict[str, Callable[[], str]]) -> str:
    """The address of an empty database, of each kind in turn."""
    return databases[request.param]()


_numbers = iter(range(10**6))
