"""Whose photos are, what is refused, and the same photo found again under another SKU; on both databases."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests import scenes
from tests.doubles.house import Opinions, a_house, hire
from vitrina.actions import archive, batch, cards, pictures, skus
from vitrina.actions.house import CardRequest, House
from vitrina.actions.origins import list_copies, stated
from vitrina.errors import NotAllowed, UsageError
from vitrina.imaging.colour import encode_srgb8
from vitrina.model import Size
from vitrina.store import events
from vitrina.store import pictures as records


@pytest.fixture
def studio(tmp_path: Path, database: str) -> Iterator[House]:
    with a_house(tmp_path / "home", database, Opinions()) as house:
        hire(house)
        for code in ("RING-1", "RING-2"):
            skus.put_sku(house.acting_as("Phil"), {"sku": code, "piece_type": "ring"}, is_new=True)
        yield house.acting_as("Phil")
        with house.store.reading() as conn:
            assert list(events.problems(conn)) == []


def photo(path: Path, ground: str = "paper", **how: Any) -> Path:
    """A drawn ring as a file, resized or mirrored on the way."""
    picture = Image.fromarray(encode_srgb8(scenes.ring(Size(480, 400), ground=ground).rgb))
    if how.get("mirrored"):
        picture = Image.fromarray(np.asarray(picture)[:, ::-1])
    picture.resize(how.get("size", picture.size)).save(path, quality=how.get("quality", 92))
    return path


def ledger(house: House, verb: str) -> list[dict[str, Any]]:
    with house.store.reading() as conn:
        return [event for event in events.every(conn) if event["verb"] == verb]


def test_whose_a_photo_is_stands_in_the_records_the_ledger_and_the_dispute_pack(studio: House, tmp_path: Path) -> None:
    path = photo(tmp_path / "a.jpg")
    told = pictures.import_photo(studio, "RING-1", path, rights=stated("own"))
    assert (told["right"], told["taken_by"], told["findings"]) == ("own", "Phil", [])
    assert ledger(studio, "photo.add")[-1]["details"]["taken_by"] == "Phil"
    told = pictures.import_photo(studio, "RING-1", path, rights=stated("licensed", "Gold Ltd", "contract 12"))
    assert (told["right"], told["licence"]) == ("licensed", "contract 12")
    again = pictures.import_photo(studio, "RING-1", path)
    assert (again["right"], again["taken_by"]) == ("licensed", "Gold Ltd")
    (shown,) = skus.show_sku(studio, "RING-1")["photos"]
    assert shown["licence"] == "contract 12"
    archive.dispute_pack(studio.acting_as("Aud"), "RING-1", tmp_path / "pack.zip")
    with zipfile.ZipFile(tmp_path / "pack.zip") as pack:
        (kept,) = json.loads(pack.read("manifest.json"))["photos"]
    assert (kept["usage_right"], kept["taken_by"]) == ("licensed", "Gold Ltd")


def test_a_photo_of_which_nothing_is_said_is_taken_with_a_note(studio: House, tmp_path: Path) -> None:
    told = pictures.import_photo(studio, "RING-1", photo(tmp_path / "a.jpg"))
    assert [finding["code"] for finding in told["findings"]] == ["rights-unstated"]
    assert (told["right"], told["verdict"]) == (None, "pass")


def test_a_suppliers_photo_without_a_right_is_refused_at_every_door(studio: House, tmp_path: Path) -> None:
    path, rights = photo(tmp_path / "RING-1.jpg"), stated("supplier", "Gold Ltd")
    recipe = cards.recipe_of(looks="white,grey", markets="kaspi", force=False, rights=rights)
    with pytest.raises(NotAllowed, match="Gold Ltd without a commercial right"):
        pictures.import_photo(studio, "RING-1", path, rights=rights)
    with pytest.raises(NotAllowed, match=r"RING-1\.jpg"):
        batch.ask(studio, tmp_path, tmp_path / "out", recipe=recipe)
    assert [event["details"]["right"] for event in ledger(studio, "photo.refuse")] == ["supplier", "supplier"]
    assert skus.show_sku(studio, "RING-1")["photos"] == []
    assert list(studio.originals.digests()) == []


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (("mine",), "there are own, commissioned"),
        (("licensed", "Gold Ltd"), "--licence"),
        (("commissioned",), "--taken-by"),
        (("", "Gold Ltd"), "go with --right"),
        (("own", "x" * 301), "at most 300"),
        (("own", "a\nb"), "printable"),
    ],
)
def test_an_incomplete_statement_says_what_it_lacks(said: tuple[str, ...], wanted: str) -> None:
    with pytest.raises(UsageError, match=wanted):
        stated(*said)


@pytest.mark.parametrize(
    "how",
    [{"quality": 45}, {"size": (200, 166)}, {"mirrored": True}, {}],
    ids=["encoded", "resized", "mirrored", "same"],
)
def test_the_same_photo_under_another_sku_is_said_aloud(studio: House, tmp_path: Path, how: dict[str, Any]) -> None:
    pictures.import_photo(studio, "RING-1", photo(tmp_path / "a.jpg"), rights=stated("own"))
    told = pictures.import_photo(studio, "RING-2", photo(tmp_path / "b.jpg", **how), rights=stated("own"))
    (finding,) = told["findings"]
    assert (finding["code"], finding["severity"], finding["measured"]) == ("same-photo", "warn", "RING-1")
    assert told["verdict"] == "review"
    copies = list_copies(studio)
    assert [pair["skus"] for pair in copies["copies"]] == [["RING-1", "RING-2"]]
    assert copies["verdict"] == "review"
    edit = pictures.import_variant(
        studio.acting_as("Ray"), "RING-2", photo(tmp_path / "c.jpg", ground="white"), tool="Other"
    )
    assert "same-photo" in [finding["code"] for finding in edit["findings"]]
    assert edit["verdict"] == "review"


def test_another_piece_and_a_replaced_photo_are_no_copies(studio: House, tmp_path: Path) -> None:
    own = stated("own")
    first = pictures.import_photo(studio, "RING-1", photo(tmp_path / "a.jpg"), rights=own)
    bar = Image.fromarray(encode_srgb8(scenes.earrings(Size(480, 400)).rgb))
    bar.save(tmp_path / "b.jpg")
    assert pictures.import_photo(studio, "RING-2", tmp_path / "b.jpg", rights=own)["findings"] == []
    other = photo(tmp_path / "c.jpg", quality=60)
    pictures.import_photo(studio, "RING-1", tmp_path / "b.jpg", replaces=first["digest"][:8], rights=own)
    assert pictures.import_photo(studio, "RING-2", other, rights=own)["same_photo_under"] is None
    assert [pair["bits"] for pair in list_copies(studio)["copies"]] == [0]  # b.jpg, which stands under both


def test_photos_from_before_are_counted_until_their_prints_are_taken(studio: House, tmp_path: Path) -> None:
    own = stated("own")
    pictures.import_photo(studio, "RING-1", photo(tmp_path / "a.jpg"), rights=own)
    with studio.store.writing() as conn:
        (row,) = records.photos_of(conn, skus_id(conn, "RING-1"))
        conn.execute(records.photos.update().values(print=None))
    told = pictures.import_photo(studio, "RING-2", photo(tmp_path / "b.jpg", quality=60), rights=own)
    assert [(f["code"], f["measured"]) for f in told["findings"]] == [("likeness-unknown", 1)]
    copies = list_copies(studio)
    assert (copies["prints_taken"], copies["photos"]) == (1, 2)
    assert [pair["skus"] for pair in copies["copies"]] == [["RING-1", "RING-2"]]
    assert row.digest


def test_a_lost_original_is_named_and_the_rest_is_compared(studio: House, tmp_path: Path) -> None:
    told = pictures.import_photo(studio, "RING-1", photo(tmp_path / "a.jpg"), rights=stated("own"))
    with studio.store.writing() as conn:
        conn.execute(records.photos.update().values(print=None))
    studio.originals.remove(told["digest"])
    copies = list_copies(studio)
    assert len(copies["lost"]) == 1
    assert copies["verdict"] == "review"


def test_a_card_says_whose_its_photos_are_and_where_else_they_stand(studio: House, tmp_path: Path) -> None:
    """The double draws the card: what the records add is tested."""
    pictures.import_photo(studio, "RING-1", photo(tmp_path / "a.jpg"), rights=stated("own"))
    folder, copy = tmp_path / "card", photo(tmp_path / "b.jpg")
    request = CardRequest("RING-2", (copy,), folder, {"looks": ["white", "grey"], "markets": ["kaspi"]}, b"", 100)
    document = studio.program.make_card(request)
    studio.originals.put(copy.read_bytes())
    document["photos"][0]["rights"] = stated("commissioned", "Ida").as_dict()
    filed = cards.file_card(studio, "RING-2", folder, document)
    assert [finding["code"] for finding in filed["findings"]["b.jpg"]] == ["same-photo"]
    shown = skus.show_sku(studio, "RING-2")
    assert [(p["right"], p["taken_by"], p["verdict"]) for p in shown["photos"]] == [("commissioned", "Ida", "review")]
    assert {variant["verdict"] for variant in shown["variants"]} == {"review"}


def skus_id(conn: Any, code: str) -> int:
    from vitrina.store import skus as rows

    found = rows.get(conn, code)
    assert found is not None
    return int(found.id)
