"""What all tests share: the drawn pieces, drawn once, and a home that is thrown away."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import scenes
from tests.buckets import bucket, s3_server  # noqa: F401
from tests.databases import database, databases, postgres  # noqa: F401
from tests.doubles.marketplaces import HOSTS, SETTINGS, Bazaar, a_bazaar
from tests.scenes import Scene

_homes = itertools.count()
DATA = Path(__file__).parent / "data"


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has a home of its own, which is not there until something is put into it."""
    folder = tmp_path_factory.getbasetemp() / f"home-{next(_homes)}"
    monkeypatch.setenv("VITRINA_HOME", str(folder))
    monkeypatch.delenv("VITRINA_MAX_MEGAPIXELS", raising=False)
    monkeypatch.delenv("VITRINA_DEBUG", raising=False)
    monkeypatch.delenv("VITRINA_DATABASE", raising=False)
    monkeypatch.delenv("VITRINA_USER", raising=False)
    return folder


@pytest.fixture
def bazaar(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bazaar]:
    """Five marketplaces on this machine, and the settings that lead to them."""
    with a_bazaar() as opened:
        for name, value in SETTINGS.items():
            monkeypatch.setenv(name, value)
        for name, path in HOSTS.items():
            monkeypatch.setenv(f"VITRINA_{name}_URL", opened.url + path)
        yield opened


@pytest.fixture(scope="session")
def drawn_ring() -> Scene:
    return scenes.ring()


@pytest.fixture(scope="session")
def drawn_chain() -> Scene:
    return scenes.chain()


@pytest.fixture(scope="session")
def drawn_earrings() -> Scene:
    return scenes.earrings()
