"""A seller's own changes to a pack, and a person's word that a pack still holds."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from vitrina.errors import ResourceError
from vitrina.rules.evaluate import check_age
from vitrina.rules.load import find_slot, load_pack, pack_schema
from vitrina.rules.local import Changes

OWN = """
market = "kaspi"
why = "The cabinet refused 24 MB twice."
order = ["main", "scale"]
thumbnail = [{ width = 300, height = 300, level = "required", confidence = "high", source = ["cabinet"] }]

[sources]
cabinet = { url = "https://guide.kaspi.kz/partner/ru/shop" }

[[by_hand]]
topic = "ai-label"
says = "We say it in the description."
level = "required"
confidence = "high"
source = ["cabinet"]

[[slot]]
name = "main"
safe = { fill = 0.6 }
max_bytes = [{ max = 20000000, level = "required", confidence = "high", source = ["cabinet"] }]

[[slot]]
name = "extra"
safe = { width = 1200, height = 1200 }

[[slot]]
name = "hallmark"
inherits = "main"
"""


def test_changes_are_laid_over_and_told() -> None:
    ours, pack = load_pack("kaspi"), load_pack("kaspi", Changes("rules/kaspi.toml", OWN))
    main = find_slot(pack, "main")
    assert (main.target.fill, main.target.width) == (0.6, find_slot(ours, "main").target.width)
    assert [rule.max for rule in main.max_bytes] == [20_000_000]
    assert main.max_bytes[0].sources == ("https://guide.kaspi.kz/partner/ru/shop",)
    assert find_slot(pack, "extra").target.fill == 0.6, "what is inherited is changed as well"
    assert find_slot(pack, "extra").target.width == 1200
    assert "hallmark" in pack.slots
    assert [rule.width for rule in pack.thumbnail] == [300]
    assert [rule.says for rule in pack.by_hand if rule.topic == "ai-label"] == ["We say it in the description."]
    assert pack.local is not None
    assert pack.local.changes == (
        "every listing: thumbnail",
        "every listing: order", "every listing: by_hand ai-label", "main: safe.fill", "main: max_bytes",
        "extra: safe.width", "extra: safe.height", "hallmark: a slot of its own",
    )  # fmt: skip
    assert pack.edition.startswith(f"{ours.edition}+") and ours.local is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('market = "kaspi"', 'market = "ozon"', "market = 'kaspi' is wanted"),
        ('why = "The cabinet refused 24 MB twice."', "", "why is missing"),
        ("order =", "stop_after = 2030-01-01\norder =", "'stop_after' may not be changed"),
        ("order =", "version = 9\norder =", "'version' may not be changed"),
        ("safe = { fill = 0.6 }", "safe = { fil = 0.6 }", "fil: unknown key"),
        ("safe = { fill = 0.6 }", 'safe = { format = "WEBP" }', "exports WEBP, but takes only JPEG"),
        ("safe = { fill = 0.6 }", "safe = 3", "safe is written as"),
        ("max_bytes =", "max_byte =", "'max_byte' of slot 'main' may not be changed"),
        ("cabinet = {", "schema = {", "'schema' is the pack's own"),
        ('confidence = "high", source', 'confidence = "low", severity = "block", source', "never blocks"),
        ('[[slot]]\nname = "main"', '[slot]\nname = "main"', "not TOML"),
    ],
)  # fmt: skip
def test_changes_that_may_not_be_made_are_refused(old: str, new: str, said: str) -> None:
    assert old in OWN
    with pytest.raises(ResourceError) as caught:
        load_pack("kaspi", Changes("mine.toml", OWN.replace(old, new, 1)))
    assert "mine.toml" in str(caught.value) and said in str(caught.value)


def test_a_file_that_changes_nothing_is_refused() -> None:
    with pytest.raises(ResourceError, match="changes nothing"):
        load_pack("kaspi", Changes("mine.toml", 'market = "kaspi"\nwhy = "no reason"\n'))


def test_a_confirmation_begins_both_dates_anew() -> None:
    pack = load_pack("etsy")
    day = pack.stop_after + timedelta(days=10)
    assert [finding.code for finding in check_age(pack, today=day)] == ["pack-expired"]
    again = pack.confirmed(day, by="Pat")
    assert again.reread_by - day == pack.reread_by - pack.checked_on
    assert again.stop_after - day == pack.stop_after - pack.checked_on
    assert (again.read_on, again.edition) == (day, pack.edition)
    assert check_age(again, today=day) == []
    assert [finding.code for finding in check_age(again, today=again.reread_by + timedelta(days=1))] == ["pack-stale"]
    assert pack.confirmed(date(2020, 1, 1), by="Pat") is pack, "an older reading than ours changes nothing"


def test_the_schema_knows_every_key_and_nothing_that_loading_fills_in() -> None:
    schema = pack_schema()
    assert json.loads(json.dumps(schema)) == schema
    assert not {"local", "confirmed_on", "confirmed_by"} & set(schema["properties"])
    rules = [kind for kind in schema["$defs"].values() if "confidence" in kind.get("properties", {})]
    assert len(rules) >= 8
    assert all(kind["additionalProperties"] is False and "sources" not in kind["properties"] for kind in rules)
