"""Every endpoint and every page against every role; one's own things against other people's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.doubles.house import CREW
from tests.web.studio import a_client, a_crew, drawn
from vitrina import access
from vitrina.actions import studio
from vitrina.actions.house import House
from vitrina.actions.pictures import import_photo, import_variant, submit
from vitrina.actions.skus import put_sku
from vitrina.store import people

PHOTO = {"photo": ("p.png", b"not a picture", "image/png")}
STROKE = {"kind": "keep", "radius": 5.0, "points": [[10, 10], [20, 12]]}
API: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    ("GET", "/skus"): ("read", {}),
    ("POST", "/skus"): ("sku.edit", {"json": {"sku": "NEW-1", "title": "new"}}),
    ("GET", "/skus/{code}"): ("read", {}),
    ("PATCH", "/skus/{code}"): ("sku.edit", {"json": {"title": "other"}}),
    ("GET", "/skus/{code}/variants"): ("read", {}),
    ("GET", "/rules"): ("read", {}),
    ("GET", "/rules/{market}"): ("read", {}),
    ("GET", "/reports/rejections"): ("read", {}),
    ("GET", "/reports/returns"): ("read", {}),
    ("GET", "/reports/audit"): ("audit.read", {}),
    ("GET", "/reports/line"): ("read", {}),
    ("GET", "/ledger"): ("audit.read", {}),
    ("GET", "/people"): ("people.edit", {}),
    ("GET", "/review/queue"): ("review.decide", {}),
    ("POST", "/skus/{code}/review"): ("review.submit", {}),
    ("GET", "/skus/{code}/variants/{number}"): ("read", {}),
    ("GET", "/skus/{code}/variants/{number}/desk"): ("review.decide", {}),
    ("POST", "/skus/{code}/variants/{number}/look"): (
        "review.decide",
        {"json": [{"place": 0, "ms": 900, "zoom": 100}]},
    ),
    ("POST", "/skus/{code}/variants/{number}/answer"): ("review.decide", {"json": {"line": "stones", "yes": False}}),
    ("POST", "/skus/{code}/variants/{number}/approve"): ("review.decide", {"json": {}}),
    ("POST", "/skus/{code}/variants/{number}/reject"): ("review.decide", {"json": {"reason": "stones"}}),
    ("POST", "/skus/{code}/export"): ("export", {"json": {"market": "kaspi"}}),
    ("POST", "/verify"): ("read", {"files": {"source": PHOTO["photo"], "edit": PHOTO["photo"]}}),
    ("POST", "/inspect"): ("read", {"files": PHOTO}),
    ("POST", "/skus/{code}/photos"): ("photo.add", {"files": {"photo": ("p.png", drawn(90), "image/png")}}),
    ("POST", "/skus/{code}/cards"): ("card.make", {"json": {"markets": ["kaspi"]}}),
    ("POST", "/skus/{code}/edits"): (
        "variant.import",
        {"files": {"picture": PHOTO["photo"]}, "data": {"tool": "another program"}},
    ),
    ("POST", "/skus/{code}/variants/{number}/strokes"): ("card.make", {"json": {"strokes": [STROKE]}}),
    ("GET", "/skus/{code}/variants/{number}/strips"): ("read", {}),
    ("GET", "/batches"): ("read", {}),
    ("GET", "/batches/{number}"): ("read", {}),
    ("GET", "/calendar"): ("read", {}),
    ("GET", "/progress"): ("read", {"params": {"seconds": 0}}),
    ("GET", "/batches/{number}/progress"): ("read", {"params": {"seconds": 0}}),
    ("GET", "/webhooks"): ("webhook.edit", {}),
    ("POST", "/webhooks"): ("webhook.edit", {"json": {"url": "http://127.0.0.1:9/", "types": ["card.made"]}}),
    ("DELETE", "/webhooks/{number}"): ("webhook.edit", {}),
    ("POST", "/webhooks/{number}/ping"): ("webhook.edit", {}),
    ("GET", "/webhooks/{number}/deliveries"): ("webhook.edit", {}),
    ("POST", "/webhooks/{number}/deliveries/{delivery}/again"): ("webhook.edit", {}),
    ("GET", "/skus/{code}/pictures/{digest}/{entry:path}"): ("read", {}),
}
"""What each endpoint needs, and a call to it."""

PAGES: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    ("GET", "/"): ("read", {}),
    ("GET", "/skus"): ("read", {}),
    ("GET", "/skus/{code}"): ("read", {}),
    ("POST", "/skus/new"): ("sku.edit", {"data": {"sku": "NEW-2"}}),
    ("POST", "/skus/{code}/change"): ("sku.edit", {"data": {"title": "t"}}),
    ("POST", "/skus/{code}/card"): ("card.make", {"data": {"market": "kaspi"}}),
    ("POST", "/skus/{code}/review"): ("review.submit", {}),
    ("POST", "/skus/{code}/export"): ("export", {"data": {"market": "kaspi"}}),
    ("GET", "/review"): ("review.decide", {}),
    ("GET", "/skus/{code}/variants/{number}"): ("read", {}),
    ("POST", "/skus/{code}/variants/{number}/answer"): ("review.decide", {"data": {"line": "stones", "answer": "no"}}),
    ("POST", "/skus/{code}/variants/{number}/approve"): ("review.decide", {}),
    ("POST", "/skus/{code}/variants/{number}/reject"): ("review.decide", {"data": {"reason": "stones"}}),
    ("POST", "/batches"): ("batch.run", {"data": {"market": "kaspi"}}),
    ("GET", "/batches"): ("read", {}),
    ("POST", "/batches/1/release"): ("batch.release", {"data": {"words": "mended"}}),
    ("GET", "/marketplaces/kaspi"): ("read", {}),
    ("POST", "/marketplaces/kaspi/confirm"): ("rules.confirm", {}),
    ("GET", "/reports"): ("read", {}),
    ("GET", "/ledger"): ("audit.read", {}),
    ("GET", "/people"): ("people.edit", {}),
    ("POST", "/people"): ("people.edit", {"data": {"name": "Eve", "role": "admin"}}),
    ("POST", "/people/invite"): ("people.edit", {"data": {"name": "Aud"}}),
    ("POST", "/people/take"): ("people.edit", {"data": {"name": "Eve", "role": "admin"}}),
    ("GET", "/settings"): ("policy.edit", {}),
    ("GET", "/webhooks"): ("webhook.edit", {}),
    ("POST", "/webhooks"): ("webhook.edit", {"data": {"url": "https://h/", "type": "card.made"}}),
    ("POST", "/webhooks/1/ping"): ("webhook.edit", {}),
    ("POST", "/webhooks/1/deliveries/1/again"): ("webhook.edit", {}),
    ("POST", "/webhooks/1/end"): ("webhook.edit", {}),
    ("GET", "/skus/{code}/variants/{number}/strips"): ("read", {}),
    ("GET", "/skus/{code}/variants/{number}/brush"): ("card.make", {}),
    ("POST", "/skus/{code}/variants/{number}/brush"): ("card.make", {"data": {"strokes": json.dumps([STROKE])}}),
    ("POST", "/skus/{code}/variants/{number}/brush/try"): ("card.make", {"data": {"strokes": json.dumps([STROKE])}}),
    ("POST", "/skus/{code}/edits"): ("variant.import", {"files": {"picture": PHOTO["photo"]}, "data": {"tool": "t"}}),
    ("POST", "/skus/{code}/uploads"): ("photo.add", {"data": {"name": "p.png", "size": "100"}}),
    ("GET", "/skus/{code}/uploads/{digest}"): ("photo.add", {}),
    ("PATCH", "/skus/{code}/uploads/{digest}?offset=0"): ("photo.add", {"content": b"piece"}),
    ("GET", "/skus/{code}/exports/kaspi.zip"): ("export", {}),
    ("POST", "/skus/{code}/publish"): ("publish", {"data": {"market": "folder"}}),
    ("POST", "/skus/{code}/dispute"): ("dispute.make", {}),
    ("POST", "/settings/policy"): ("policy.edit", {"data": {"policy": "spot_check_every", "value": "5"}}),
}


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FastAPI, House, dict[str, TestClient]]]:
    home = tmp_path_factory.mktemp("home")
    with a_crew(home) as (app, house, clients):
        for code in ("S-1", "S-2"):
            put_sku(house.acting_as("Phil"), {"sku": code, "piece_type": "ring"}, is_new=True)
        source, edit = home / "s.png", home / "e.png"
        source.write_bytes(drawn(200))
        edit.write_bytes(drawn(250))
        import_photo(house.acting_as("Phil"), "S-1", source)
        import_variant(house.acting_as("Ray"), "S-1", edit, tool="another program")
        submit(house.acting_as("Phil"), "S-1")
        yield app, house, clients


def test_the_table_knows_every_endpoint(crew: tuple[FastAPI, House, dict[str, TestClient]]) -> None:
    document = a_client(crew[0]).get("/openapi.json").json()
    told = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert told == {(method, "/api/v1" + path.replace(":path", "")) for method, path in API}


@pytest.mark.parametrize("name", CREW)
def test_what_each_role_may(crew: tuple[FastAPI, House, dict[str, TestClient]], name: str) -> None:
    _, house, clients = crew
    digest = _photo_of(house)
    named = {"{code}": "S-1", "{number}": "1", "{market}": "kaspi", "{digest}": digest, "{entry:path}": "thumb.jpg"}
    named["{delivery}"] = "1"
    for prefix, table, accept in (("/api/v1", API, "application/json"), ("", PAGES, "text/html")):
        for (method, path), (permission, how) in table.items():
            for key, value in named.items():
                path = path.replace(key, value)
            answer = clients[name].request(method, prefix + path, headers={"accept": accept}, **how)
            assert answer.status_code < 500, (name, method, path, answer.text[:300])
            lacks = answer.status_code == 403 and "the role" in answer.text
            with house.store.reading() as conn:
                found = people.get(conn, name)
            assert found is not None
            assert lacks != access.may(found[1], permission), (name, method, prefix + path, answer.text[-400:])


def test_a_stranger_may_nothing(crew: tuple[FastAPI, House, dict[str, TestClient]]) -> None:
    client = a_client(crew[0])
    client.follow_redirects = False
    for method, path in API:
        answer = client.request(method, "/api/v1" + path.replace("{number}", "1").replace("{delivery}", "1"))
        assert answer.status_code in (401, 422), (method, path)
        assert answer.headers["content-type"] == "application/problem+json"
    for method, path in PAGES:
        answer = client.request(method, path.replace("{number}", "1"))
        assert answer.status_code in (303, 401, 403), (method, path, answer.status_code)
        if answer.status_code == 303:
            assert answer.headers["location"].startswith("/sign-in")


def test_other_peoples_things_are_not_there(crew: tuple[FastAPI, House, dict[str, TestClient]]) -> None:
    _, house, clients = crew
    digest = _photo_of(house)
    assert clients["Rita"].get(f"/skus/S-1/pictures/{digest}/thumb.jpg").status_code == 200
    assert clients["Rita"].get(f"/skus/S-2/pictures/{digest}/thumb.jpg").status_code == 404
    assert clients["Rita"].get(f"/skus/S-1/pictures/{digest}/../../app.sqlite").status_code == 404
    folder = house.config.home / "judged"
    folder.mkdir(exist_ok=True)
    (folder / f"{'a' * 32}.json").write_text(json.dumps({"person": "Phil", "id": "a" * 32}))
    assert studio.show_judged(house.acting_as("Phil"), "a" * 32)["person"] == "Phil"
    assert clients["Rita"].get(f"/judge/{'a' * 32}").status_code == 404
    clients["Phil"].post("/me/tokens", data={"name": "mine", "scope": "read"})
    from vitrina.actions import doors

    token = doors.list_tokens(house.acting_as("Phil"))["tokens"][0]["token"]
    assert clients["Rita"].post(f"/me/tokens/{token}/end").status_code == 404
    assert clients["Phil"].post(f"/me/tokens/{token}/end").status_code == 200


def _photo_of(house: House) -> str:
    from vitrina.actions.skus import show_sku

    return str(show_sku(house.acting_as("Phil"), "S-1")["photos"][0]["digest"])
