"""Packs grow old: exports warn, then stop, until a person with the role says that they have read the page again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.house import BLOCK, WARN, Opinions, a_house, hire, picture
from tests.flows.test_gate import approve, make
from vitrina.actions import pictures, release
from vitrina.actions.house import House
from vitrina.actions.rule_packs import confirm_rules, list_rules, packs_of, show_rules
from vitrina.errors import NotAllowed, UsageError
from vitrina.rules.load import load_pack
from vitrina.store import events
from vitrina.store import pictures as records

PACK = load_pack("kaspi")
DAY = timedelta(days=1)


@pytest.fixture
def opinions() -> Opinions:
    return Opinions()


@pytest.fixture
def house(tmp_path: Path, opinions: Opinions) -> Iterator[House]:
    """A house with one approved ring, whose kaspi file is approved too."""
    with a_house(tmp_path / "home", None, opinions) as opened:
        hire(opened)
        make(opened, tmp_path)
        with opened.store.writing() as conn:
            variant = records.get_variant(conn, 1)
            digest = opened.works.put(picture(50))
            records.keep_blob(conn, digest, room="works", size=1, at="t")
            records.add_rendition(
                conn, variant.id, market="kaspi", slot="main", name="a.jpg", digest=digest, verdict="pass"
            )
            records.set_check(
                conn, variant.id, verdict="pass", basis={**variant.basis, "packs": {"kaspi": "1"}}, second_look=[]
            )
        pictures.submit(opened.acting_as("Ray"), "RING-1")
        approve(opened, "Rita")
        yield opened


def on(house: House, day: date) -> House:
    return replace(house, clock=lambda: datetime(day.year, day.month, day.day, 12, tzinfo=UTC))


def export(house: House, **more: Any) -> dict[str, Any]:
    return release.export(house.acting_as("Pat"), "RING-1", **{"market": "kaspi", **more})


def test_a_fresh_pack_exports_in_silence(house: House) -> None:
    done = export(on(house, PACK.reread_by))
    assert (done["verdict"], done["warnings"]) == ("pass", [])
    assert done["rules"] == {"edition": PACK.edition, "read_on": PACK.checked_on.isoformat()}


def test_a_stale_pack_warns_on_every_export(house: House) -> None:
    for _ in range(2):
        done = export(on(house, PACK.reread_by + DAY))
        assert done["verdict"] == "review"
        assert "vitrina rules confirm kaspi --who NAME" in done["warnings"][0]


def test_an_expired_pack_exports_nothing_until_a_person_confirms(house: House) -> None:
    late = on(house, PACK.stop_after + DAY)
    with pytest.raises(NotAllowed, match="confirmation of a publisher or an admin is lacking") as caught:
        export(late)
    assert caught.value.exit_code == 5
    assert not (house.config.home / "exports").exists()
    with pytest.raises(NotAllowed, match=r"Rita \(reviewer\) may not confirm rule packs"):
        confirm_rules(late.acting_as("Rita"), "kaspi")
    confirmed = confirm_rules(late.acting_as("Pat"), "kaspi", words="Read the page, nothing new.")
    assert confirmed["confirmed_by"] == "Pat" and confirmed["pages"]
    done = export(late)
    assert (done["verdict"], done["files"]) == ("pass", ["a.jpg"])
    assert done["rules"]["read_on"] == (PACK.stop_after + DAY).isoformat()
    with pytest.raises(NotAllowed):
        export(on(house, PACK.stop_after + DAY + (PACK.stop_after - PACK.checked_on) + DAY))


def test_the_confirmation_is_in_the_ledger_and_shown(house: House) -> None:
    day = PACK.checked_on + 5 * DAY
    confirm_rules(on(house, day).acting_as("Ann"), "kaspi", read_on=day - DAY)
    with house.store.reading() as conn:
        event = events.latest(conn, verb="rules.confirm", subject="rules/kaspi")
        assert event is not None and list(events.problems(conn)) == []
    assert (event.person, event.details["read_on"]) == ("Ann", (day - DAY).isoformat())
    shown = show_rules(house.config, "kaspi")
    assert (shown["confirmed_by"], shown["confirmed_on"]) == ("Ann", (day - DAY).isoformat())


def test_days_that_cannot_be_are_refused(house: House) -> None:
    day = PACK.checked_on + DAY
    pat = on(house, day).acting_as("Pat")
    with pytest.raises(UsageError, match="is to come"):
        confirm_rules(pat, "kaspi", read_on=day + DAY)
    with pytest.raises(UsageError, match="read later"):
        confirm_rules(pat, "kaspi", read_on=PACK.checked_on - DAY)


def test_what_was_confirmed_was_this_edition(house: House) -> None:
    """After the seller's own change the word given for the pack as it was no longer counts."""
    late = on(house, PACK.stop_after + DAY)
    confirm_rules(late.acting_as("Pat"), "kaspi")
    folder = house.config.home / "rules"
    folder.mkdir()
    own = 'market = "kaspi"\nwhy = "smaller"\n[[slot]]\nname = "main"\nsafe = { fill = 0.6 }\n'
    (folder / "kaspi.toml").write_text(own, "utf-8")
    with pytest.raises(NotAllowed, match="confirmation"):
        export(late)
    assert packs_of(house.config)("kaspi").edition != PACK.edition
    listed = {pack["market"]: pack["local"] for pack in list_rules(house.config)["packs"]}
    assert listed["kaspi"]["changes"] == ["main: safe.fill"] and listed["ozon"] is None


def test_files_copied_to_another_marketplace_are_held_against_its_rules(house: House, opinions: Opinions) -> None:
    early = on(house, PACK.checked_on)
    done = export(early, market="ebay", copied_from="kaspi")
    assert (done["files"], done["copied_from"], done["verdict"]) == (["a.jpg"], "kaspi", "pass")
    assert any("text" in line.lower() for line in done["by_hand"])
    opinions.rule_findings = [{**WARN, "message": "Below 1000 px."}]
    done = export(early, market="ebay", copied_from="kaspi")
    assert (done["verdict"], done["warnings"]) == ("review", ["a.jpg: Below 1000 px."])
    opinions.rule_findings = [{**BLOCK, "message": "Below 500 px."}]
    with pytest.raises(NotAllowed, match=r"made for kaspi and breaks the rules of ebay: Below 500 px"):
        export(early, market="ebay", copied_from="kaspi")
