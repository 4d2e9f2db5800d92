"""Rows of a price list: what is read, what is wrong, and the way back."""

from __future__ import annotations

from vitrina.model import Sku
from vitrina.stages.catalogue import as_row, parse_one, parse_rows, parts_of, verify_facts

STONES = [{"count": 7, "kind": "sapphire", "cut": "round", "colour": "blue"}, {"count": 1, "kind": "pearl"}]
FULL = Sku(
    "RING-1",
    "Ring «Night»",
    "set",
    "Night",
    3,
    True,
    "Almaty-2",
    "S-77",
    {
        "metal": "gold",
        "alloy": "585",
        "stones": STONES,
        "pieces": 2,
        "links": 40,
        "chain_length_mm": 450,
        "parts": ["ring", "chain"],
        "marks": ["scratch inside"],
        "clasp": "lobster",
    },
)


def test_a_row_comes_back_as_it_was() -> None:
    assert parse_one(as_row(FULL)) == (FULL, [])


def test_every_problem_of_every_row_is_listed() -> None:
    rows = [
        {"sku": "A", "stock": "-1", "piece_type": "rng"},
        {"sku": "", "title": "nameless"},
        {"sku": "", "title": ""},
        {"sku": "B", "stones": "seven blue"},
        {"sku": "A"},
        {"sku": "a/b", "pieces": "2", "parts": "one; two; three", "top": "perhaps"},
        {"sku": "OK", "stock": "4.0"},
    ]
    skus, problems = parse_rows(rows)
    assert [sku.code for sku in skus] == ["OK"]
    assert skus[0].stock == 4
    assert [(p.row, p.column) for p in problems] == [
        (2, "piece_type"), (2, "stock"), (3, "sku"), (5, "stones"), (6, "sku"), (7, "sku"), (7, "top"), (7, "parts"),
    ]  # fmt: skip
    assert "A stands in row 2 already" in problems[4].message


def test_an_unknown_column_is_a_problem_of_the_heading() -> None:
    skus, problems = parse_rows([{"sku": "A", "colour": "red"}])
    assert [sku.code for sku in skus] == ["A"]
    assert [(p.row, p.column) for p in problems] == [(1, "colour")]


def test_facts_for_verify_say_only_what_a_picture_can_contradict() -> None:
    assert verify_facts(FULL.facts).decode() == 'stones = 8\npieces = 2\nlinks = 40\nmetal = "585 gold"\n'
    assert verify_facts({"metal": 'a"b\\c'}).decode() == 'metal = "a\\"b\\\\c"\n'
    assert verify_facts({}).strip() == b""


def test_parts_of_a_set_have_names_or_numbers() -> None:
    assert parts_of(FULL) == ("ring", "chain")
    assert parts_of(Sku("S", piece_type="set", facts={"pieces": 2})) == ("piece 1", "piece 2")
    assert parts_of(Sku("R", piece_type="ring")) == ()
