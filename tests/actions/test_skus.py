"""The catalogue by command: adding, changing, importing, exporting, listing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.house import a_house, hire
from vitrina.actions import skus
from vitrina.actions.house import House
from vitrina.cli import run
from vitrina.errors import Conflict, Missing, Unreadable, UsageError
from vitrina.store import events


@pytest.fixture
def house(tmp_path: Path, database: str) -> Iterator[House]:
    with a_house(tmp_path / "home", database) as house:
        hire(house)
        yield house.acting_as("Phil")


LIST = """sku;title;piece_type;stones;stock;line
R-1;Ring «Night»;ring;7 sapphire/round/blue; 3;Night
R-2;Ring;ring;;0;
"""


def test_a_list_is_tried_imported_exported_and_read_back(house: House, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(LIST.replace("; 3", ";3"), "utf-8")
    tried = skus.import_skus(house, path, dry_run=True)
    assert (tried["new"], tried["imported"]) == (2, False)
    assert skus.list_skus(house)["total"] == 0
    assert skus.import_skus(house, path, dry_run=False)["imported"]
    assert [row["sku"] for row in skus.list_skus(house, line="Night")["skus"]] == ["R-1"]
    for name in ("out.xlsx", "out.csv"):
        skus.export_skus(house, tmp_path / name)
        again = skus.import_skus(house, tmp_path / name, dry_run=False)
        assert (again["new"], again["changed"], again["unchanged"]) == (0, 0, 2), name
    path.write_text("sku,stock\nR-1,9\n", "utf-8")
    assert skus.import_skus(house, path, dry_run=False)["changed"] == 1
    shown = skus.show_sku(house, "R-1")
    assert (shown["stock"], shown["title"], shown["stones"]) == (9, "Ring «Night»", "7 sapphire/round/blue")


def test_with_one_bad_row_nothing_is_imported(house: House, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("sku,stock\nGOOD,1\nBAD,many\n,2\n", "utf-8")
    told = skus.import_skus(house, path, dry_run=False)
    assert not told["imported"]
    assert [(p["row"], p["column"]) for p in told["problems"]] == [(3, "stock"), (4, "sku")]
    assert skus.list_skus(house)["total"] == 0


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04junk", b"sku\n\xff\xfe", b'sku\n"open'])
def test_what_is_no_list_is_refused(house: House, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(data)
    with pytest.raises(Unreadable, match=r"list\.csv"):
        skus.import_skus(house, path, dry_run=False)


def test_formulas_stay_text(house: House, tmp_path: Path) -> None:
    skus.put_sku(house, {"sku": "R", "title": "=1+1"}, is_new=True)
    for name in ("out.xlsx", "out.csv"):
        skus.export_skus(house, tmp_path / name)
        assert skus.import_skus(house, tmp_path / name, dry_run=True)["unchanged"] == 1
    assert "'=1+1" in (tmp_path / "out.csv").read_text("utf-8-sig")
    with pytest.raises(UsageError, match=r"\.csv or \.xlsx"):
        skus.export_skus(house, tmp_path / "out.txt")


def test_adding_twice_and_changing_nothing(house: House) -> None:
    skus.put_sku(house, {"sku": "R", "factory": "A"}, is_new=True)
    with pytest.raises(Conflict, match="in the catalogue already"):
        skus.put_sku(house, {"sku": "R"}, is_new=True)
    with pytest.raises(Missing, match="no SKU 'S'"):
        skus.put_sku(house, {"sku": "S"}, is_new=False)
    with pytest.raises(UsageError, match="--piece-type"):
        skus.put_sku(house, {"sku": "T", "piece_type": "crown"}, is_new=True)
    skus.put_sku(house, {"sku": "R", "clasp": "hook"}, is_new=False)
    shown = skus.show_sku(house, "R")
    assert (shown["factory"], shown["facts"]) == ("A", {"clasp": "hook"})
    with house.store.reading() as conn:
        told = events.of_subjects(conn, ["sku/R"])
    assert [event.details["changed"] for event in told][1] == {"clasp": ["", "hook"]}


def test_pages_meet_and_searches_take_signs_as_they_are(house: House) -> None:
    for number in range(7):
        skus.put_sku(house, {"sku": f"R{number}", "title": "50% off" if number == 3 else "plain_x"}, is_new=True)
    first = skus.list_skus(house, limit=4)
    rest = skus.list_skus(house, limit=4, after=first["next_after"])
    assert [row["sku"] for row in first["skus"] + rest["skus"]] == [f"R{n}" for n in range(7)]
    assert rest["next_after"] is None
    assert [row["sku"] for row in skus.list_skus(house, search="0%")["skus"]] == ["R3"]
    assert len(skus.list_skus(house, search="PLAIN_")["skus"]) == 6
    assert skus.list_skus(house, search="n%x")["skus"] == []


def test_the_command_line_speaks_json_and_exit_codes(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    def ask(*words: str) -> tuple[int, Any]:
        code = run([*words, "--json", "--home", str(home)])
        out = capsys.readouterr().out
        return code, json.loads(out) if out else None

    assert ask("people", "add", "Ann", "--role", "admin", "--role", "photographer")[0] == 0
    assert ask("people", "add", "Bob", "--role", "publisher", "--as", "Ann")[0] == 0
    assert ask("sku", "add", "R", "--stones", "2 ruby", "--as", "Ann")[1]["facts"]["stones"][0]["count"] == 2
    assert ask("sku", "add", "R", "--as", "Ann")[0] == 2
    assert ask("sku", "show", "S", "--as", "Ann")[0] == 3
    for words in (["approve", "R", "--as", "Ann"], ["export", "R", "--market", "kaspi", "--as", "Bob"]):
        code, document = ask(*words)
        assert (code, document["error"]["exit_code"]) == (5, 5)
        assert "lacking" in document["error"]["message"]
    assert ask("review", "queue")[0] == 5
    assert ask("report", "line", "--as", "Ann")[1]["lines"] == [
        {"line": "", "skus": 1, "stock": 0, "photos": 0, "variants": {}}
    ]
