"""Reading packs: strict about keys, sources and inheritance."""

from __future__ import annotations

from importlib import resources

import pytest

from vitrina.errors import NotBuilt, ResourceError, UsageError
from vitrina.rules.load import find_slot, list_markets, list_packs, load_pack, pack_schema, parse_pack


@pytest.fixture(scope="module")
def text() -> str:
    return (resources.files("vitrina.rules") / "packs" / "kaspi.toml").read_text("utf-8")


def test_every_marketplace_of_the_facts_has_a_pack() -> None:
    asked = {"kaspi", "wildberries", "ozon", "etsy", "ebay", "amazon", "yandex_market", "uzum", "shopify"}
    assert set(list_markets()) == asked
    assert [pack.market for pack in list_packs()] == sorted(asked)


def test_a_slot_inherits_what_it_neither_states_nor_drops() -> None:
    pack = load_pack("kaspi")
    main, extra = find_slot(pack, "main"), find_slot(pack, "extra")
    assert extra.min_size == main.min_size
    assert extra.target == main.target
    assert extra.ground == () and main.ground != ()
    answers = {rule.topic: rule.allowed for rule in extra.by_hand}
    assert answers["text"] == "yes" and answers["watermark"] == "no"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('country = "KZ"', 'countri = "KZ"', "countri: unknown key"),
        ("version = 1", "version = 0", "version"),
        ("reread_by = 2027-02-23", "reread_by = 2020-02-23", "checked_on ≤ reread_by"),
        ('source = ["schema"]', 'source = ["hearsay"]', "'hearsay' is not in [sources]"),
        ('source = ["schema"]', "source = []", "source"),
        ('inherits = "main"', 'inherits = "head"', "inherits 'head'"),
        ('drops = ["ground"', 'drops = ["grund"', "drops 'grund'"),
        ('url = "https://guide.kaspi.kz/partner/ru/shop/api/goods/q3223"', 'url = "kaspi"', "not a web address"),
        ('confidence = "low"\nseverity = "warn"', 'confidence = "low"\nseverity = "block"', "never blocks"),
        ("fill = 0.75", "fill = 1.75", "safe.fill"),
        ("[[slot]]", "[[slot", "not TOML"),
    ],
)  # fmt: skip
def test_a_wrong_pack_is_refused_and_named(text: str, old: str, new: str, said: str) -> None:
    assert old in text
    with pytest.raises(ResourceError) as caught:
        parse_pack(text.replace(old, new, 1), name="mine.toml")
    assert "mine.toml" in str(caught.value) and said in str(caught.value)


def test_unknown_names_are_refused_with_the_ones_there_are() -> None:
    with pytest.raises(UsageError, match="kaspi"):
        load_pack("bazaar")
    with pytest.raises(UsageError, match="main, extra, macro"):
        find_slot(load_pack("ozon"), "hero")


@pytest.mark.parametrize("slot", ["video", "reels"])
def test_moving_pictures_are_refused_in_plain_words(slot: str) -> None:
    with pytest.raises(NotBuilt, match="still pictures only") as caught:
        find_slot(load_pack("ozon"), slot)
    assert caught.value.exit_code == 4


def test_the_schema_forbids_unknown_keys() -> None:
    schema = pack_schema()
    assert schema["additionalProperties"] is False
    assert "slot" in schema["required"]


def test_a_slot_that_is_only_ordered_keeps_the_rules_of_extra() -> None:
    for pack in list_packs():
        macro, extra = find_slot(pack, "macro"), find_slot(pack, "extra")
        assert macro.name == "macro" and list(macro.rules()) == list(extra.rules())
        assert pack.slots_in_order[:2] == ("main", "extra") and set(pack.slots_in_order) == set(pack.slots)
