"""Webhooks: every change is told once, signed, in the transaction that made it, and tried again until it is heard."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.house import WARN, Opinions, a_house, hire, picture
from tests.doubles.serving import Quiet, serving
from tests.web.studio import a_studio, sign_in
from vitrina.actions import gate, pictures, skus, webhooks
from vitrina.actions.house import House
from vitrina.actions.webhooks import kind_of_deliveries
from vitrina.actions.work import work
from vitrina.errors import Busy, Conflict, Missing, NeedsPerson, NotAllowed, UsageError
from vitrina.store import batches


@dataclass
class Receiver:
    """A program that listens, and answers as it is told."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.heard]


@contextmanager
def a_receiver(*answers: int) -> Iterator[Receiver]:
    told = Receiver(answers=list(answers))

    class Handler(Quiet):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            told.heard.append(({key.lower(): value for key, value in self.headers.items()}, body))
            self.send_response(told.answers.pop(0) if told.answers else 204)
            self.send_header("Location", "http://127.0.0.1:9/")
            self.send_header("Content-Length", "0")
            self.end_headers()

    with serving(Handler) as address:
        told.url = f"{address}/hook"
        yield told


@pytest.fixture
def opinions() -> Opinions:
    return Opinions()


@pytest.fixture
def house(tmp_path: Path, database: str, opinions: Opinions) -> Iterator[House]:
    with a_house(tmp_path / "home", database, opinions) as house:
        hire(house)
        yield house


def listen(house: House, url: str, *types: str) -> dict[str, Any]:
    return webhooks.add_webhook(house.acting_as("Ann"), url, types or webhooks.TYPES)


def waiting(house: House) -> list[Any]:
    with house.store.reading() as conn:
        return [row for row in batches.unended(conn) if row.kind == "webhook"]


def attempt(house: House) -> list[str]:
    """One attempt at every message that waits; what was raised."""
    (step,) = kind_of_deliveries(house).steps
    said = []
    for row in waiting(house):
        try:
            step.run(row.payload, {})
            with house.store.writing() as conn:
                batches.end(conn, row.job, at=house.now())
        except (Busy, NeedsPerson) as error:
            said.append(str(error))
    return said


def test_a_message_is_signed_as_the_convention_says(house: House) -> None:
    with a_receiver() as receiver:
        made = listen(house, receiver.url, "sku.added")
        skus.put_sku(house.acting_as("Phil"), {"sku": "R-1", "title": "Кольцо"}, is_new=True)
        assert attempt(house) == []
        ((headers, body),) = receiver.heard
    told = json.loads(body)
    assert (told["type"], told["data"]["sku"]) == ("sku.added", "R-1")
    assert told["data"]["changed"]["title"] == ["", "Кольцо"]
    key = base64.b64decode(made["secret"].removeprefix("whsec_"))
    over = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.new(key, over, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{wanted}"
    assert headers["webhook-id"].startswith("msg_") and headers["content-type"] == "application/json"
    assert abs(int(headers["webhook-timestamp"]) - house.clock().timestamp()) < 100


def test_what_fails_is_tried_again_with_the_same_id_and_bytes(house: House) -> None:
    with a_receiver(500, 302, 200) as receiver:
        number = listen(house, receiver.url, "sku.added")["webhook"]
        skus.put_sku(house.acting_as("Phil"), {"sku": "R-1"}, is_new=True)
        assert "answered 500" in attempt(house)[0]
        assert "answered 302" in attempt(house)[0]  # a redirection is not followed
        assert attempt(house) == []
        assert len({(headers["webhook-id"], body) for headers, body in receiver.heard}) == 1
    (told,) = webhooks.list_deliveries(house.acting_as("Ann"), number)["deliveries"]
    assert (told["state"], told["tries"], told["status"]) == ("sent", 3, 200)
    assert attempt(house) == []


def test_nobody_at_home_and_a_receiver_that_is_gone_for_good(house: House) -> None:
    ann = house.acting_as("Ann")
    with a_receiver(410) as receiver:
        number = listen(house, receiver.url, "sku.added", "sku.changed")["webhook"]
        skus.put_sku(house.acting_as("Phil"), {"sku": "R-1"}, is_new=True)
        skus.put_sku(house.acting_as("Phil"), {"sku": "R-1", "title": "x"}, is_new=False)
        gone, after = attempt(house)
        assert "410 Gone" in gone and "was ended" in after
    assert webhooks.list_webhooks(ann)["webhooks"][0]["ended_why"] == "the receiver answered 410 Gone"
    kind = kind_of_deliveries(house)
    for row in waiting(house):
        kind.park(row.payload, "send", "given up")
        kind.park(row.payload, "send", "given up")  # it may run twice
    assert {d["state"] for d in webhooks.list_deliveries(ann, number)["deliveries"]} == {"failed"}
    with pytest.raises(Conflict, match="was ended"):
        webhooks.send_again(ann, number, 1)
    other = listen(house, "http://127.0.0.1:9/", "sku.changed")["webhook"]
    skus.put_sku(house.acting_as("Phil"), {"sku": "R-1", "title": "y"}, is_new=False)
    assert "answered nothing" in attempt(house)[-1]
    (lost,) = webhooks.list_deliveries(ann, other)["deliveries"]
    with pytest.raises(Conflict, match="being sent already"):
        webhooks.send_again(ann, other, lost["delivery"])
    kind.park({"delivery": lost["delivery"]}, "send", "given up")
    webhooks.send_again(ann, other, lost["delivery"])
    assert webhooks.list_deliveries(ann, other)["deliveries"][0]["state"] == "waiting"
    with pytest.raises(Missing):
        webhooks.send_again(ann, number, lost["delivery"])


def test_the_first_of_two_verdicts_is_told_to_nobody(house: House, opinions: Opinions, tmp_path: Path) -> None:
    opinions.findings = [WARN]  # doubt: two reviewers
    with a_receiver() as receiver:
        listen(house, receiver.url)
        skus.put_sku(house.acting_as("Phil"), {"sku": "R-1", "piece_type": "ring"}, is_new=True)
        for shade, bring in ((1, import_photo), (2, import_edit)):
            (tmp_path / f"{shade}.png").write_bytes(picture(shade))
            bring(house, tmp_path / f"{shade}.png")
        pictures.submit(house.acting_as("Ray"), "R-1")
        gate.reject(house.acting_as("Rita"), "R-1", reason="stones", words="paler")
        attempt(house)
        assert receiver.types() == ["sku.added", "photo.added", "variant.imported", "review.started"]
        gate.reject(house.acting_as("Rob"), "R-1", reason="stones")
        attempt(house)
        assert receiver.types()[4:] == ["variant.rejected"]


def import_photo(house: House, path: Path) -> None:
    pictures.import_photo(house.acting_as("Phil"), "R-1", path)


def import_edit(house: House, path: Path) -> None:
    pictures.import_variant(house.acting_as("Ray"), "R-1", path, tool="Other")


def test_what_is_taken_back_is_not_told(house: House) -> None:
    """The message is in the transaction: no change, no message."""
    listen(house, "http://127.0.0.1:9/", "sku.added")
    with pytest.raises(UsageError):
        skus.put_sku(house.acting_as("Phil"), {"sku": "R-1", "piece_type": "crown"}, is_new=True)
    assert waiting(house) == []


@pytest.mark.parametrize(
    "url",
    ["http://example.org/", "ftp://127.0.0.1/", "https://", "https://a:b@example.org/", "nothing", "http://[::1", "https://h:99999/",
     "https://exämple.org/", "https://h/\n", "https://h/" + "a" * 3000],
)  # fmt: skip
def test_addresses_that_are_not_taken(house: House, url: str) -> None:
    with pytest.raises(UsageError, match="url"):
        listen(house, url, "sku.added")


def test_only_an_admin_manages_them(house: House) -> None:
    with pytest.raises(UsageError, match="choose among"):
        listen(house, "https://example.org/", "sku.eaten")
    listen(house, "https://example.org/", "sku.added")
    acts: list[Callable[[House], Any]] = [
        webhooks.list_webhooks, lambda h: webhooks.end_webhook(h, 1), lambda h: webhooks.ping(h, 1),
        lambda h: webhooks.list_deliveries(h, 1), lambda h: webhooks.add_webhook(h, "https://h/", ["sku.added"]),
    ]  # fmt: skip
    for act in acts:
        with pytest.raises(NotAllowed, match="the role admin is lacking"):
            act(house.acting_as("Pat"))
    assert "secret" not in webhooks.list_webhooks(house.acting_as("Ann"))["webhooks"][0]


def test_a_worker_sends_what_waits(tmp_path: Path) -> None:
    with a_receiver(503) as receiver, a_house(tmp_path / "home") as house:
        hire(house)
        number = listen(house, receiver.url, "sku.added")["webhook"]
        webhooks.ping(house.acting_as("Ann"), number)
        work(house, until_idle=True, patience_s=0.05)
        assert receiver.types() == ["ping", "ping"]
        assert waiting(house) == []


def test_over_rest_once_per_key_and_in_pages(tmp_path: Path) -> None:
    with a_studio(tmp_path) as (app, house):
        client = sign_in(app, house, "Ann")
        client.headers["accept"] = "application/json"
        order = {"url": "https://example.org/hook", "types": ["card.made", "variant.approved"]}
        first, second = (
            client.post("/api/v1/webhooks", json=order, headers={"Idempotency-Key": "one"}) for _ in range(2)
        )
        assert first.status_code == second.status_code == 201 and first.json() == second.json()
        assert client.post("/api/v1/webhooks", json=order).json()["webhook"] == 2
        page = client.get("/api/v1/webhooks?limit=1").json()
        rest = client.get(f"/api/v1/webhooks?limit=1&after={page['next_after']}").json()
        assert [w["webhook"] for w in page["webhooks"] + rest["webhooks"]] == [1, 2]
        for _ in range(3):
            assert client.post("/api/v1/webhooks/1/ping").status_code == 202
        newest = client.get("/api/v1/webhooks/1/deliveries?limit=2").json()
        older = client.get(f"/api/v1/webhooks/1/deliveries?limit=2&before={newest['next_before']}").json()
        assert [d["delivery"] for d in newest["deliveries"] + older["deliveries"]] == [3, 2, 1]
        assert client.delete("/api/v1/webhooks/1").json()["ended_why"] == "ended by Ann"
        refused = client.post("/api/v1/webhooks/1/ping")
        assert (refused.status_code, refused.headers["content-type"]) == (409, "application/problem+json")


def test_the_page_shows_the_secret_once_and_what_was_sent(tmp_path: Path) -> None:
    with a_receiver(500) as receiver, a_studio(tmp_path) as (app, house):
        client = sign_in(app, house, "Ann")
        made = client.post("/webhooks", data={"url": receiver.url, "type": ["card.made", "sku.added"]})
        assert made.status_code == 200 and "whsec_" in made.text
        assert "whsec_" not in client.get("/webhooks").text
        assert client.post("/webhooks/1/ping").status_code == 200
        attempt(house)
        assert "waiting, 1 tries" in client.get("/webhooks").text
        kind = kind_of_deliveries(house)
        kind.park({"delivery": 1}, "send", "given up")
        assert "given up after 1" in client.get("/webhooks").text
        assert client.post("/webhooks/1/deliveries/1/again").status_code == 200
        refused = client.post("/webhooks", data={"url": "http://example.org", "type": ["card.made"]})
        assert refused.status_code == 400 and "https" in refused.text
        client.post("/webhooks/1/end")
        assert receiver.url not in client.get("/webhooks").text
