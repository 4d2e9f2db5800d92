"""How fast the studio answers: the list of 10,000 SKUs by page, search and state, and the first page of a picture.

    python benchmarks/web.py

Prints the median and the slowest of 20 requests each, through the whole application but not the network.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from fastapi.testclient import TestClient

from vitrina.actions import doors
from vitrina.actions.house import open_house
from vitrina.actions.people import add_person
from vitrina.config import Config
from vitrina.model import Sku
from vitrina.store import skus
from vitrina.web import make_app

SKUS = 10_000
ASKED = {
    "first page": "/skus",
    "a page in the middle": "/skus?after=SKU-05000",
    "search, many hits": "/skus?search=ring",
    "search, one hit": "/skus?search=SKU-09999",
    "search, no hit": "/skus?search=nowhere",
    "by line": "/skus?line=line%207",
    "by state": "/skus?state=approved",
    "REST, 50 of them": "/api/v1/skus?limit=50",
    "Today": "/",
}


def main() -> None:
    """Fill a house, ask, print."""
    with tempfile.TemporaryDirectory() as folder, open_house(Config(Path(folder))) as house:
        add_person(house.acting_as("Ann"), "Ann", ["admin", "reviewer"])
        with house.store.writing() as conn:
            for number in range(SKUS):
                code = f"SKU-{number:05}"
                skus.put(conn, Sku(code, f"ring {number}", "ring", f"line {number % 40}", number % 9), at=house.now())
            secret = doors.begin_session(conn, house, "Ann")
        client = TestClient(make_app(house), base_url="http://127.0.0.1:8765", cookies={"vitrina_session": secret})
        client.get("/")
        for what, path in ASKED.items():
            took = []
            for _ in range(20):
                began = time.perf_counter()
                assert client.get(path).status_code == 200
                took.append(1000 * (time.perf_counter() - began))
            print(f"{what:22} median {statistics.median(took):5.0f} ms   slowest {max(took):5.0f} ms")


if __name__ == "__main__":
    main()
