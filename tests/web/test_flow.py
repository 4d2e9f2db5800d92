"""The main way through the studio and its REST, without a browser."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from tests.doubles.house import WARN, Opinions
from tests.web.studio import a_client, a_crew, a_studio, drawn, picture_card, sign_in
from vitrina.actions import doors
from vitrina.actions.closeups import show_parts
from vitrina.actions.pictures import import_photo, import_variant
from vitrina.actions.skus import put_sku, show_sku
from vitrina.actions.viewing import LEAST_MS
from vitrina.actions.work import work
from vitrina.model import Sku
from vitrina.store import skus
from vitrina.web import make_app
from vitrina.web.words import say


def test_a_picture_from_photo_to_export(tmp_path: Path) -> None:
    opinions = Opinions(findings=[{**WARN, "region": {"x": 100, "y": 80, "width": 40, "height": 40}}])
    with a_crew(tmp_path, opinions) as (_, house, clients):
        phil, rita, rob = clients["Phil"], clients["Rita"], clients["Rob"]
        assert phil.post("/skus/new", data={"sku": "R-1", "piece_type": "ring"}).url.path == "/skus/R-1"
        import_photo(house.acting_as("Phil"), "R-1", _file(tmp_path, "s.png", drawn(200)))
        import_variant(house.acting_as("Ray"), "R-1", _file(tmp_path, "e.png", drawn(252)), tool="a retoucher")
        phil.post("/skus/R-1/review")
        page = rita.get("/skus/R-1/variants/1")
        assert page.status_code == 200 and "colour moved" in page.text
        # The checklist is shut until the places have been looked at.
        shut = rita.post("/skus/R-1/variants/1/answer", data={"line": "stones", "answer": "yes"})
        assert shut.status_code == 403 and "look first" in shut.text
        assert _look(rita, ms=LEAST_MS - 1, zoom=100)["seen"] == []
        assert _look(rita, ms=5000, zoom=99)["seen"] == []
        assert _look(rita, ms=5000, zoom=150)["seen"] == [0, 1, 2, 3]
        assert rita.post("/skus/R-1/variants/1/approve").status_code == 403
        _answer_all(rita)
        done = rita.post("/skus/R-1/variants/1/approve")
        assert done.url.path == "/review" and "R-1" in done.text
        # In doubt, so a second person decides, and learns nothing of the first.
        assert "Rita" not in rob.get("/skus/R-1").text
        assert clients["Pat"].post("/skus/R-1/export", data={"market": "kaspi"}).status_code == 403
        _look(rob, ms=900, zoom=400)
        _answer_all(rob)
        rob.post("/skus/R-1/variants/1/approve")
        out = clients["Pat"].post("/skus/R-1/export", data={"market": "kaspi"})
        assert out.status_code == 200, out.text
        assert (house.config.home / "exports" / "R-1" / "kaspi" / "R-1-main.png").read_bytes() == drawn(252)
        assert "chain holds" in clients["Aud"].get("/ledger?check=1").text


def test_a_rejection_needs_a_reason_of_the_list(tmp_path: Path) -> None:
    with a_studio(tmp_path) as (app, house):
        rita = sign_in(app, house, "Rita")
        _in_review(house, tmp_path)
        assert rita.post("/skus/R-1/variants/1/reject", data={"reason": "because"}).status_code == 400
        assert rita.post("/skus/R-1/variants/1/reject", data={"reason": "stones"}).url.path == "/review"
        assert show_sku(house.acting_as("Aud"), "R-1")["variants"][0]["state"] == "rejected"


def test_a_token_may_its_scopes_and_no_more(tmp_path: Path) -> None:
    with a_studio(tmp_path) as (app, house):
        phil = house.acting_as("Phil")
        with pytest.raises(Exception, match="choose among"):
            doors.make_token(phil, "too much", ["export"])
        secret = doors.make_token(phil, "reader", ["read"])["secret"]
        client = a_client(app, html=False)
        client.headers["Authorization"] = f"Bearer {secret}"
        assert client.get("/api/v1/skus").json()["total"] == 0
        refused = client.post("/api/v1/skus", json={"sku": "X-1"})
        assert refused.status_code == 403 and "scopes" in refused.json()["detail"]
        client.headers["Authorization"] = "Bearer vtr_wrong"
        assert client.get("/api/v1/skus").status_code == 401


def test_an_idempotency_key_does_a_thing_once(tmp_path: Path) -> None:
    with a_studio(tmp_path) as (app, house):
        secret = doors.make_token(house.acting_as("Phil"), "robot", ["read", "sku.edit"])["secret"]
        client = a_client(app, html=False)
        client.headers.update({"Authorization": f"Bearer {secret}", "Idempotency-Key": "k-1"})
        first = client.post("/api/v1/skus", json={"sku": "X-1"})
        again = client.post("/api/v1/skus", json={"sku": "X-1"})
        assert (first.status_code, again.status_code) == (201, 201) and first.json() == again.json()
        other = client.post("/api/v1/skus", json={"sku": "X-2"})
        assert other.status_code == 409 and other.headers["content-type"] == "application/problem+json"
        del client.headers["Idempotency-Key"]
        assert client.post("/api/v1/skus", json={"sku": "X-1"}).status_code == 409


def test_the_list_pages_and_filters(tmp_path: Path) -> None:
    with a_studio(tmp_path) as (app, house):
        with house.store.writing() as conn:
            for number in range(120):
                skus.put(conn, Sku(f"A-{number:03}", title=f"ring {number}"), at=house.now())
        client = sign_in(app, house, "Phil")
        page = client.get("/skus")
        assert "A-049" in page.text and "A-050" not in page.text
        following = re.search(r'rel="next" href="([^"]+)"', page.text)
        assert following
        assert "A-050" in client.get("/skus" + following[1].replace("&amp;", "&")).text
        assert client.get("/skus?search=A-119").text.count("/skus/A-") == 1
        codes, after = [], ""
        while after is not None:
            told = client.get("/api/v1/skus", params={"limit": 50, "after": after}).json()
            codes += [item["sku"] for item in told["skus"]]
            after = told["next_after"]
        assert len(codes) == len(set(codes)) == 120


def test_broken_uploads_are_told_and_leave_nothing(tmp_path: Path) -> None:
    with a_studio(tmp_path) as (app, house):
        client = sign_in(app, house, "Phil")
        put_sku(house.acting_as("Phil"), {"sku": "R-1"}, is_new=True)
        for name, data in (("a.jpg", b""), ("b.jpg", b"no picture"), ("../../c.png", drawn(3)[:200])):
            answer = client.post("/skus/R-1/photos", files={"photo": (name, data)})
            assert answer.status_code == 422, answer.text
        assert client.post("/judge", files={"source": ("a.png", b"x"), "edit": ("b.png", b"y")}).status_code == 422
        assert client.post("/batches", data={"market": "kaspi"}).status_code == 400
        assert show_sku(house.acting_as("Phil"), "R-1")["photos"] == []
        assert not list((house.config.home / "incoming").glob("*"))


def test_a_card_is_asked_for_from_the_archive(tmp_path: Path) -> None:
    with a_studio(tmp_path) as (app, house):
        client = sign_in(app, house, "Phil")
        put_sku(house.acting_as("Phil"), {"sku": "R-1"}, is_new=True)
        import_photo(house.acting_as("Phil"), "R-1", _file(tmp_path, "s.png", drawn(200)))
        asked = client.post("/skus/R-1/card", data={"look": ["white", "grey"], "market": ["kaspi"]})
        assert asked.status_code == 200 and asked.url.path == "/skus/R-1"
        work(house, until_idle=True)
        assert "1 done" in client.get("/batches/1").text
        assert len(show_sku(house.acting_as("Phil"), "R-1")["variants"]) == 2


def _in_review(house: object, folder: Path) -> None:
    from vitrina.actions.house import House
    from vitrina.actions.pictures import submit

    assert isinstance(house, House)
    put_sku(house.acting_as("Phil"), {"sku": "R-1", "piece_type": "ring"}, is_new=True)
    import_photo(house.acting_as("Phil"), "R-1", _file(folder, "s.png", drawn(200)))
    import_variant(house.acting_as("Ray"), "R-1", _file(folder, "e.png", drawn(252)), tool="a retoucher")
    submit(house.acting_as("Phil"), "R-1")


def _file(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def _look(client: object, *, ms: int, zoom: int) -> dict[str, list[int]]:
    import json

    seen = json.dumps([{"place": n, "ms": ms, "zoom": zoom} for n in range(4)])
    answer = client.post("/skus/R-1/variants/1/look", data={"seen": seen})  # type: ignore[attr-defined]
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def _answer_all(client: object) -> None:
    page = client.get("/skus/R-1/variants/1").text  # type: ignore[attr-defined]
    for line in re.findall(r'data-line="([^"]+)"', page):
        client.post("/skus/R-1/variants/1/answer", data={"line": line, "answer": "yes"})  # type: ignore[attr-defined]


def test_the_parts_of_a_set_stand_side_by_side(tmp_path: Path) -> None:
    with a_studio(tmp_path) as (_, drawn_house):
        house = replace(drawn_house, program=replace(drawn_house.program, make_card=picture_card))
        photographer = sign_in(make_app(house), house, "Phil")
        put_sku(house.acting_as("Phil"), {"sku": "SET-1", "piece_type": "set", "parts": "ring; pendant; chain"},
                is_new=True)  # fmt: skip
        pair = Image.new("RGB", (700, 400), (200, 200, 200))
        pen = ImageDraw.Draw(pair)
        pen.ellipse((60, 100, 280, 320), outline=(190, 150, 60), width=40)
        pen.ellipse((400, 120, 560, 280), fill=(40, 60, 160))
        pair.save(tmp_path / "pair.png")
        import_photo(house.acting_as("Phil"), "SET-1", tmp_path / "pair.png")
        assert "Part 1" not in photographer.get("/skus/SET-1").text  # nothing is cut out yet
        photographer.post("/skus/SET-1/card", data={"look": ["white", "grey"], "market": "kaspi"})
        work(house, until_idle=True)
        told = show_parts(house.acting_as("Phil"), "SET-1")
        assert [(one["x"], one["width"]) for one in told["parts"]] == [(60, 221), (400, 161)]
        page = photographer.get("/skus/SET-1").text
        assert 'viewBox="400 120 161 161"' in page and page.count('role="img"') == 4
        assert "The facts name 3: ring, pendant, chain. 2 are seen." in page


@pytest.mark.parametrize(
    ("language", "told"),
    [("ru", "Товара &#39;R-9&#39; в каталоге нет."), ("kk", "Каталогта &#39;R-9&#39; тауары жоқ.")],
)
def test_what_is_refused_is_said_in_the_visitors_language(tmp_path: Path, language: str, told: str) -> None:
    with a_studio(tmp_path) as (app, house):
        phil = sign_in(app, house, "Phil")
        phil.cookies.set("vitrina_language", language)
        page = phil.get("/skus/R-9")
        assert page.status_code == 404 and told in page.text and "there is no SKU" not in page.text
        phil.post("/skus/new", data={"sku": "R-1", "piece_type": "ring"})
        auditor = sign_in(app, house, "Aud")
        auditor.cookies.set("vitrina_language", language)
        ledger = auditor.get("/ledger").text
        assert "sku.add" not in ledger and say(language, "verb-sku-add") in ledger
