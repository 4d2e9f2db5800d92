"""What goes in and out of the studio in parts: uploads in pieces, tables of photos, exported sets, dispute packs."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.web.studio import a_crew, a_studio, drawn, sign_in
from vitrina.actions import handing, studio, uploads
from vitrina.actions.pictures import import_photo
from vitrina.actions.skus import put_sku, show_sku
from vitrina.errors import Conflict, Missing, NotAllowed, UsageError

RECIPE = {"mode": "exact", "looks": ["white", "grey"], "markets": ["kaspi"], "force": False}


def test_a_photo_in_pieces(tmp_path: Path) -> None:
    with a_studio(tmp_path) as (app, house):
        client = sign_in(app, house, "Phil")
        client.headers["accept"] = "application/json"
        put_sku(house.acting_as("Phil"), {"sku": "R-1"}, is_new=True)
        data = drawn(200)
        begun = client.post("/skus/R-1/uploads", data={"name": "../a.png", "size": str(len(data))})
        assert begun.status_code == 201 and begun.json()["offset"] == 0
        where = f"/skus/R-1/uploads/{begun.json()['id']}"
        half = len(data) // 2
        assert client.patch(f"{where}?offset=0", content=data[:half]).json()["offset"] == half
        again = client.patch(f"{where}?offset=0", content=data[:half])
        assert again.status_code == 409 and str(half) in again.json()["detail"]
        assert client.get(where).json()["offset"] == half
        assert client.patch(f"{where}?offset={half}", content=data[half:] + b"more").status_code == 400
        client.headers["X-Form-Token"] = "wrong"
        assert client.patch(f"{where}?offset={half}", content=data[half:]).status_code == 403
        rita = sign_in(app, house, "Ray")
        assert rita.get(where, headers={"accept": "application/json"}).status_code == 404
        client = sign_in(app, house, "Phil")
        done = client.patch(f"{where}?offset={half}", content=data[half:], headers={"accept": "application/json"})
        assert done.status_code == 200 and done.json()["photo"]["verdict"]
        photo = show_sku(house.acting_as("Phil"), "R-1")["photos"][0]
        assert house.originals.get(photo["digest"]) == data and photo["name"] == "a.png"
        assert client.get(where, headers={"accept": "application/json"}).status_code == 404


def test_what_is_no_photo_leaves_nothing_half_sent(tmp_path: Path) -> None:
    with a_studio(tmp_path) as (_, house):
        phil = house.acting_as("Phil")
        put_sku(phil, {"sku": "R-1"}, is_new=True)
        begun = uploads.begin_upload(phil, "R-1", "a.png", 9)
        with pytest.raises(Exception, match="not a picture"):
            uploads.send_piece(phil, "R-1", begun["id"], 0, b"no photo!")
        assert not list((house.config.home / "incoming" / ".uploads").iterdir())
        with pytest.raises(Missing):
            uploads.show_upload(phil, "R-1", "../../app")


def test_a_table_says_whose_photo_is_whose(tmp_path: Path) -> None:
    with a_studio(tmp_path) as (_, house):
        phil = house.acting_as("Phil")
        table = "Артикул;Файл\nR-1;a.png\nR-2;a.png\nR-2;b.png\nR-3;gone.png\n../x;b.png\n".encode()
        files = [("in/a.png", drawn(200)), ("b.png", drawn(201)), ("c.png", drawn(202))]
        asked = studio.ask_batch(phil, files, recipe=RECIPE, table=("t.csv", table), columns=("артикул", "ФАЙЛ"))
        items = studio.show_batch(phil, asked["batch"])["items"]
        assert [item["sku"] for item in items] == ["R-1", "R-2"]
        assert len(asked["refused"]) == 3
        with pytest.raises(UsageError, match="no column 'sku'"):
            studio.ask_batch(phil, files, recipe=RECIPE, table=("t.csv", table))


def test_a_folder_names_its_skus(tmp_path: Path) -> None:
    with a_studio(tmp_path) as (_, house):
        files = [("set/R-1/a.png", drawn(200)), ("set/R-1/b.png", drawn(201)), ("set/R-9_2.png", drawn(202))]
        asked = studio.ask_batch(house.acting_as("Phil"), files, recipe=RECIPE)
        items = studio.show_batch(house.acting_as("Phil"), asked["batch"])["items"]
        assert [item["sku"] for item in items] == ["R-1", "R-9"]


def test_an_export_is_given_only_while_it_stands(tmp_path: Path) -> None:
    with a_crew(tmp_path) as (_, house, clients):
        put_sku(house.acting_as("Phil"), {"sku": "R-1"}, is_new=True)
        with pytest.raises(Missing, match="not been exported"):
            handing.export_zip(house.acting_as("Pat"), "R-1", "kaspi")
        with pytest.raises(NotAllowed):
            handing.export_zip(house.acting_as("Phil"), "R-1", "kaspi")
        with pytest.raises(UsageError, match="no interface"):
            handing.send(house.acting_as("Pat"), "R-1", "folder", {"path": "/tmp/x.zip"})
        pack = clients["Pat"].post("/skus/R-1/dispute")
        assert pack.status_code == 200
        with zipfile.ZipFile(io.BytesIO(pack.content)) as packed:
            assert "manifest.json" in packed.namelist()
        assert not [path for path in (house.config.home / "incoming").glob(".*/*")]


def test_an_edit_comes_in_by_the_browser(tmp_path: Path) -> None:
    with a_crew(tmp_path) as (_, house, clients):
        put_sku(house.acting_as("Phil"), {"sku": "R-1"}, is_new=True)
        path = tmp_path / "s.png"
        path.write_bytes(drawn(200))
        import_photo(house.acting_as("Phil"), "R-1", path)
        edit: dict[str, Any] = {"files": {"picture": ("e.png", drawn(250))}, "data": {"tool": "a retoucher"}}
        answer = clients["Ray"].post("/skus/R-1/edits", **edit)
        assert answer.status_code == 200 and answer.url.path == "/skus/R-1/variants/1"
        assert clients["Ray"].post("/skus/R-1/edits", **edit).status_code == 409
        strips = clients["Ray"].get("/skus/R-1/variants/1/strips").json()
        assert strips["needs_cutout"] is True
        assert clients["Ray"].get("/skus/R-1/variants/1/brush").status_code == 409
        with pytest.raises(Conflict):
            from vitrina.actions import brush

            brush.show_brush(house.acting_as("Ray"), "R-1", 1)
