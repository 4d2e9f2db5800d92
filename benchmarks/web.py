"""How fast the studio answers: the list of 10,000 SKUs, a photo of 24 megapixels on the stage and under the brush.

    python benchmarks/web.py [list] [stage]

The list: the median and the slowest of 20 requests each, through the whole application but not the network. The
stage, in Chromium, once the tiles exist: from opening Compare to the first tile on the screen and to everything that
is wanted; the weight of the scripts of each page; and a stroke of the brush, from the request to the solved patch.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from fastapi.testclient import TestClient

from vitrina.actions import doors
from vitrina.actions.brush import try_strokes
from vitrina.actions.house import open_house
from vitrina.actions.people import add_person
from vitrina.actions.pictures import import_photo
from vitrina.actions.skus import put_sku
from vitrina.actions.studio import ask_card
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
    """What was asked for, or all of it."""
    asked = sys.argv[1:] or ["list", "stage"]
    if "list" in asked:
        measure_list()
    if "stage" in asked:
        measure_stage()


def measure_stage() -> None:
    """A ring of 24 megapixels with a drawn card, looked at in Chromium."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.web.browsing import a_tour, work_aside
    from tests.web.studio import drawn

    with tempfile.TemporaryDirectory() as folder, a_tour(Path(folder)) as tour:
        put_sku(tour.house.acting_as("Phil"), {"sku": "LARGE", "piece_type": "ring"}, is_new=True)
        path = Path(folder) / "large.png"
        path.write_bytes(drawn(210, side=4900))
        import_photo(tour.house.acting_as("Phil"), "LARGE", path)
        recipe = {"mode": "exact", "looks": ["white", "grey"], "markets": ["kaspi"], "force": False}
        ask_card(tour.house.acting_as("Phil"), "LARGE", recipe=recipe)
        work_aside(tour.house)
        page = tour.window("Rita")
        page.goto(tour.base)
        tiles: list[float] = []
        page.on("requestfinished", lambda r: tiles.append(time.perf_counter()) if "/tiles/" in r.url else None)
        for turn in range(3):
            tiles.clear()
            began = time.perf_counter()
            page.goto(f"{tour.base}/skus/LARGE/variants/1")
            page.wait_for_selector("[data-stage][data-ready]")
            page.wait_for_load_state("networkidle")
            first, last = (1000 * (moment - began) for moment in (tiles[0], tiles[-1]))
            print(
                f"Compare of 24 MP, time {turn + 1}: first tile after {first:.0f} ms, all of them after {last:.0f} ms"
            )
        for where in ("/", "/capture?sku=LARGE", "/skus/LARGE/variants/1", "/skus/LARGE/variants/1/brush"):
            weights: list[int] = []
            other = tour.window("Ray" if "brush" in where or "capture" in where else "Rita")
            other.on("response", lambda r, w=weights: w.append(len(r.body())) if ".js" in r.url else None)
            other.goto(tour.base + where)
            other.wait_for_load_state("networkidle")
            print(f"scripts of {where:32} {sum(weights) / 1000:5.1f} kB in {len(weights)} files")
        strokes = [{"kind": "keep", "radius": 30, "points": [[2450, 2600 + 10 * n] for n in range(20)]}]
        for turn in range(4):
            began = time.perf_counter()
            try_strokes(tour.house.acting_as("Ray"), "LARGE", 1, strokes)
            print(f"a stroke on 24 MP, time {turn + 1}: {time.perf_counter() - began:.2f} s")


def measure_list() -> None:
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
