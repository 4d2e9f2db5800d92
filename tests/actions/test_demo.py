"""The demo: pieces that say that they are one, in a home of their own, and an edit that is refused."""

from __future__ import annotations

from pathlib import Path

from fastapi.testclient import TestClient

from tests.doubles.house import BLOCK, Opinions, a_house
from tests.web.studio import BASE
from vitrina.actions import skus
from vitrina.actions.demo import PIECES, demo_config, furnish
from vitrina.config import Config
from vitrina.web import make_app


def test_it_never_touches_the_house(tmp_path: Path) -> None:
    real = Config(tmp_path, database="postgresql://somewhere/real", blobs="s3://real")
    config = demo_config(real)
    assert (config.home, config.database, config.blobs) == (tmp_path / "demo", None, None)


def test_it_is_furnished_once_and_says_on_every_page_what_it_is(tmp_path: Path) -> None:
    opinions = Opinions(findings=[BLOCK])
    with a_house(demo_config(Config(tmp_path)).home, None, opinions) as house:
        assert furnish(house) and not furnish(house)
        listed = skus.list_skus(house)["skus"]
        assert {row["sku"] for row in listed} == set(PIECES)
        assert all(row["sku"].startswith("DEMO-") and row["title"].startswith("Demo: ") for row in listed)
        shown = skus.show_sku(house, "DEMO-RING")
        (edit,) = shown["variants"]
        assert (edit["state"], edit["verdict"]) == ("draft", "reject")
        assert len(opinions.judged) == 1 and len(shown["photos"]) == 1
        for is_demo in (True, False):
            page = TestClient(make_app(house, is_demo=is_demo), base_url=BASE).get("/set-up").text
            assert ('class="demo"' in page) is is_demo
