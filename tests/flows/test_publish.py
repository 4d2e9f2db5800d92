"""Publishing behind the gate: role, approved digest, fresh pack; once only; read back; no secret on record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.house import Opinions, a_house, hire
from tests.doubles.marketplaces import LISTING, SETTINGS, Bazaar, Fault
from tests.flows.test_gate import approve, make
from tests.rules.pictures import canvas, encoded
from vitrina.actions import gate, pictures
from vitrina.actions.house import House
from vitrina.actions.publishing import Sending, publish
from vitrina.actions.rule_packs import confirm_rules
from vitrina.cli import run
from vitrina.errors import Conflict, NotAllowed, Refused, Retryable, UsageError
from vitrina.model import Size
from vitrina.rules.load import load_pack
from vitrina.store import events
from vitrina.store import pictures as records

MARKETS = tuple(LISTING)
TODAY = load_pack("wildberries").checked_on


@pytest.fixture
def house(tmp_path: Path, bazaar: Bazaar) -> Iterator[House]:
    """A ring with an approved main and macro file for each marketplace, its files hosted where anybody can get them."""
    with a_house(tmp_path / "home", None, Opinions()) as opened:
        hire(opened)
        make(opened, tmp_path)
        with opened.store.writing() as conn:
            variant = records.get_variant(conn, 1)
            for market in MARKETS:
                for slot, fill in (("macro", 0.5), ("main", 0.8)):
                    data = encoded(canvas(Size(750, 1000), fill=fill))
                    name = f"a-{market}-{slot}.jpg"
                    bazaar.host(data, name)
                    digest = opened.works.put(data)
                    records.keep_blob(conn, digest, room="works", size=len(data), at="t")
                    records.add_rendition(
                        conn, variant.id, market=market, slot=slot, name=name, digest=digest, verdict="pass"
                    )
            packs = {market: load_pack(market).edition for market in MARKETS}
            records.set_check(conn, variant.id, verdict="pass", basis={**variant.basis, "packs": packs}, second_look=[])
        pictures.submit(opened.acting_as("Ray"), "RING-1")
        approve(opened, "Rita")
        yield on(opened, TODAY)


def on(house: House, day: date) -> House:
    return replace(house, clock=lambda: datetime(day.year, day.month, day.day, 12, tzinfo=UTC))


def sent(house: House, bazaar: Bazaar, market: str, **more: Any) -> dict[str, Any]:
    sending = Sending(market, listing=LISTING[market], pictures_at=f"{bazaar.url}/files")
    if market == "kaspi":
        sending = replace(sending, replace=True)
    return publish(house.acting_as("Pat"), "RING-1", replace(sending, **more))


def state(house: House) -> str:
    with house.store.reading() as conn:
        return str(records.get_variant(conn, 1).state)


@pytest.mark.parametrize("market", MARKETS)
def test_approved_files_arrive_main_first_and_are_read_back(house: House, bazaar: Bazaar, market: str) -> None:
    planned = sent(house, bazaar, market, dry_run=True)
    assert bazaar.seen == [] and state(house) == "approved", "a dry run sends nothing and changes nothing"
    done = sent(house, bazaar, market)
    assert [picture["slot"] for picture in done["pictures"]] == ["main", "macro"]
    assert done["requests"] == planned["requests"]
    assert done["sent"] >= 1 and state(house) == "published"
    codes = [finding["code"] for finding in done["findings"]]
    assert codes == (["not-read-back"] if market == "kaspi" else [])
    again = sent(house, bazaar, market)
    assert again["sent"] == 0, "sent once only"


def test_nothing_secret_is_on_record(house: House, bazaar: Bazaar) -> None:
    for market in MARKETS:
        bazaar.gallery = []  # one for Wildberries and Ozon in this bazaar
        sent(house, bazaar, market)
    with house.store.reading() as conn:
        record = json.dumps([event["details"] for event in events.every(conn)])
        assert list(events.problems(conn)) == []
    assert "imageUrl" in record, "answers are kept"
    for name, value in SETTINGS.items():
        assert value in ("42", "shared") or value not in record, name


def test_the_gate_holds(house: House, bazaar: Bazaar) -> None:
    def refused(act: Callable[[], object], said: str) -> None:
        with pytest.raises(NotAllowed, match=said):
            act()
        assert bazaar.seen == []

    sending = Sending("ebay", listing=LISTING["ebay"])
    for who in ("Ann", "Phil", "Ray", "Rita", "Aud"):
        refused(lambda who=who: publish(house.acting_as(who), "RING-1", sending), "publisher is lacking")
    late = on(house, load_pack("ebay").stop_after + timedelta(days=1))
    refused(lambda: sent(late, bazaar, "ebay"), "confirmation of a publisher or an admin is lacking")
    gate.reject(house.acting_as("Rita"), "RING-1", reason="metal")
    refused(lambda: sent(house, bazaar, "ebay"), "the approval of a reviewer is lacking")


def test_after_the_confirmation_it_goes_on(house: House, bazaar: Bazaar) -> None:
    late = on(house, load_pack("ebay").stop_after + timedelta(days=1))
    confirm_rules(late.acting_as("Pat"), "ebay")
    assert sent(late, bazaar, "ebay")["verdict"] == "pass"


def test_altered_bytes_are_not_sent(house: House, bazaar: Bazaar) -> None:
    with house.store.reading() as conn:
        digest = next(r.digest for r in records.renditions_of(conn, 1, market="ebay") if r.slot == "main")
    path = house.config.home / "works" / "sha256" / digest[:2] / digest[2:4] / digest
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(Exception, match="changed"):
        sent(house, bazaar, "ebay")
    assert bazaar.seen == []


def test_an_interrupted_sending_goes_on(house: House, bazaar: Bazaar) -> None:
    bazaar.faults.append(Fault("/media/file", 429, None, {"X-Ratelimit-Retry": "1800"}, after=1))
    with pytest.raises(Retryable, match="same command again in 1800 s"):
        sent(house, bazaar, "wildberries")
    assert state(house) == "approved" and len(bazaar.gallery) == 1
    done = sent(house, bazaar, "wildberries")
    assert (done["sent"], done["verdict"], len(bazaar.gallery)) == (1, "pass", 2)


def test_pictures_that_are_there_go_only_when_that_is_said(house: House, bazaar: Bazaar) -> None:
    bazaar.gallery = [bazaar.host(encoded(canvas(Size(800, 1000))))] * 3
    with pytest.raises(Conflict, match="shows 3 pictures now"):
        sent(house, bazaar, "wildberries")
    done = sent(house, bazaar, "wildberries", replace=True)
    assert [(f["code"], f["measured"]) for f in done["findings"]] == [("shown-count", 3)]
    with pytest.raises(Conflict, match="does not tell"):
        sent(house, bazaar, "kaspi", replace=False)


def test_what_the_marketplace_makes_of_it_is_compared(house: House, bazaar: Bazaar) -> None:
    bazaar.reencodes = True
    done = sent(house, bazaar, "ebay")
    assert [(f["code"], f["severity"]) for f in done["findings"]] == [("shown-reencoded", "note")] * 2
    assert done["verdict"] == "pass"
    bazaar.item["product"]["imageUrls"].reverse()
    bazaar.seen.clear()
    done = sent(house, bazaar, "ebay")  # the item differs from what was sent, so it is written again
    assert done["verdict"] == "pass" and [seen.method for seen in bazaar.seen if seen.method == "PUT"] == ["PUT"]


def test_swapped_pictures_are_found(house: House, bazaar: Bazaar) -> None:
    sent(house, bazaar, "wildberries")
    bazaar.gallery.reverse()
    done = sent(house, bazaar, "wildberries")
    assert {f["code"] for f in done["findings"]} == {"shown-swapped"} and done["verdict"] == "reject"
    done = sent(house, bazaar, "wildberries", again=True, replace=True)
    assert done["findings"] == []


def test_addresses_must_give_the_approved_bytes(house: House, bazaar: Bazaar) -> None:
    with pytest.raises(UsageError, match="--pictures-at"):
        sent(house, bazaar, "ozon", pictures_at="")
    bazaar.files["a-ozon-main.jpg"] += b"x"
    with pytest.raises(Refused, match="other bytes"):
        sent(house, bazaar, "ozon")
    assert not bazaar.asked("/import")


@pytest.mark.parametrize(
    ("more", "said"),
    [({"listing": {}}, "nm_id=… .the card's number"), ({"listing": {"nm": "1"}}, "wildberries knows nm_id"),
     ({"by": "pigeon"}, "no publishers plugin is called 'pigeon'"),
     ({"upload_to": "s3://shop"}, "takes the files themselves")],
)  # fmt: skip
def test_wrong_orders_say_what_is_wanted(house: House, bazaar: Bazaar, more: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        sent(house, bazaar, "wildberries", **more)


def test_a_zip_for_the_cabinet_always_works(house: House, bazaar: Bazaar, tmp_path: Path) -> None:
    sending = Sending("wildberries", by="folder", listing={"path": str(tmp_path / "ring.zip")})
    done = publish(house.acting_as("Pat"), "RING-1", sending)
    assert done["verdict"] == "pass" and (tmp_path / "ring.zip").is_file()
    assert bazaar.seen == []


def test_the_command_shows_a_dry_run_and_sends(
    house: House, bazaar: Bazaar, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    product = tmp_path / "product.json"
    product.write_text(LISTING["kaspi"]["product"], "utf-8")
    common = ["publish", "RING-1", "--market", "kaspi", "--to", f"product=@{product}", "--as", "Pat"]
    common += ["--home", str(house.config.home), "--pictures-at", f"{bazaar.url}/files"]
    assert run([*common, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "2 pictures would be sent to kaspi" in said and "kaspi-1" not in said and "VITRINA_KASPI_TOKEN" in said
    assert bazaar.seen == []
    assert run([*common, "--replace", "--json"]) == 1, "it cannot be read back: a person looks"
    assert json.loads(capsys.readouterr().out)["sent"] == 1
    assert run([*common, "--to", "nonsense"]) == 2
    assert run(["publish", "RING-1", "--market", "kaspi", "--as", "Rita", "--home", str(house.config.home)]) == 5
