"""A bucket on this machine, as a fixture: a server that speaks S3, and the environment that leads there."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of a server that this session alone uses; skips, loudly, when there is none to start."""
    pytest.importorskip("obstore", reason="obstore is not installed: blobs in S3 are not tested here")
    moto = pytest.importorskip("moto.server", reason="moto[s3] is not installed: blobs in S3 are not tested here")
    running = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty place in a bucket, and the environment that leads there."""
    for name, value in {
        "AWS_ENDPOINT_URL": s3_server, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    with urllib.request.urlopen(urllib.request.Request(f"{s3_server}/atelier", method="PUT")):
        pass
    return f"s3://atelier/{next(_numbers)}"


_numbers = iter(range(10**6))
