"""Coming in by an OpenID provider: only by an account that was connected here, and only when its word holds."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient

from tests.doubles.serving import Quiet, serving
from tests.web.studio import a_client, a_studio, sign_in
from vitrina.actions.house import House
from vitrina.config import load_config
from vitrina.errors import UsageError
from vitrina.store import events
from vitrina.web import make_app

jose = pytest.importorskip("joserfc", reason="joserfc is not installed: signing in by a provider is not tested here")
from joserfc import jwt  # noqa: E402
from joserfc.jwk import OctKey, RSAKey  # noqa: E402

KEY, STRANGERS_KEY = RSAKey.generate_key(2048), RSAKey.generate_key(2048)


@dataclass
class Provider:
    """A provider that signs in whoever it is told, and can lie in any way."""

    issuer: str = ""
    subject: str = "42"
    claims: dict[str, Any] = field(default_factory=dict)
    key: Any = field(default_factory=lambda: KEY)
    algorithm: str = "RS256"
    asked: dict[str, list[str]] = field(default_factory=dict)
    status: int = 200

    def token(self, form: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"][0].encode()).digest()).rstrip(b"=")
        right = (form["code"], form["client_secret"], form["redirect_uri"]) == (
            ["the code"], ["client secret"], self.asked["redirect_uri"]
        )  # fmt: skip
        if not right or [challenge.decode()] != self.asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": "studio", "sub": self.subject, "iat": now, "exp": now + 60,
                  "nonce": self.asked["nonce"][0], "name": "Rita at work", **self.claims}  # fmt: skip
        token = jwt.encode({"alg": self.algorithm}, claims, self.key, algorithms=[self.algorithm])
        return 200, {"access_token": "a", "token_type": "Bearer", "id_token": token}


@contextmanager
def a_provider() -> Iterator[Provider]:
    provider = Provider()

    class Handler(Quiet):
        def do_GET(self) -> None:
            keys = {"keys": [KEY.as_dict(private=False)]}
            about = {key: f"{provider.issuer}/{key}" for key in ("authorization_endpoint", "token_endpoint")}
            about |= {"issuer": provider.issuer, "jwks_uri": f"{provider.issuer}/keys"}
            self.say(provider.status, keys if self.path == "/keys" else about)

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            self.say(*provider.token(form))

        def say(self, status: int, document: dict[str, Any]) -> None:
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    with serving(Handler) as address:
        provider.issuer = address
        yield provider


@dataclass
class Door:
    app: Any
    house: House
    provider: Provider


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with a_provider() as provider, a_studio(tmp_path) as (_, plain):
        config = replace(
            plain.config, oidc_issuer=provider.issuer, oidc_client_id="studio", oidc_client_secret="client secret"
        )
        house = replace(plain, config=config)
        yield Door(make_app(house), house, provider)


def visit(door: Door, client: TestClient, *, connect: bool = False, code: str = "the code", state: str = "") -> Any:
    """What a browser does: to the provider, and back with its answer."""
    client.follow_redirects = False
    out = client.get("/oidc/start?next=/skus" + ("&connect=1" if connect else ""))
    assert out.status_code == 303 and out.headers["location"].startswith(door.provider.issuer)
    door.provider.asked = parse_qs(urlsplit(out.headers["location"]).query)
    assert door.provider.asked["response_type"] == ["code"] and door.provider.asked["code_challenge_method"] == ["S256"]
    client.follow_redirects = True
    return client.get("/oidc/back", params={"code": code, "state": state or door.provider.asked["state"][0]})


def verbs(house: House) -> list[str]:
    with house.store.reading() as conn:
        return [event["verb"] for event in events.every(conn) if event["verb"].startswith("door.")]


def test_an_account_is_connected_once_and_opens_the_door_after(door: Door) -> None:
    stranger = a_client(door.app)
    assert "127.0.0.1" in stranger.get("/sign-in").text
    refused = visit(door, stranger)
    assert refused.status_code == 401 and "nobody&#39;s here yet" in refused.text
    rita = sign_in(door.app, door.house, "Rita")
    connected = visit(door, rita, connect=True)
    assert connected.url.path == "/me" and "Rita at work" in connected.text
    visit(door, rita, connect=True)  # a second time changes nothing
    fresh = a_client(door.app)
    came = visit(door, fresh)
    assert came.status_code == 200 and came.url.path == "/skus"
    assert "Rita" in fresh.get("/me").text
    assert verbs(door.house) == ["door.refuse", "door.connect", "door.open"]
    rob = sign_in(door.app, door.house, "Rob")
    assert "Rita&#39;s already" in visit(door, rob, connect=True).text
    assert rob.post("/me/accounts/1/end").status_code == 404
    assert rita.post("/me/accounts/1/end").status_code == 200
    assert visit(door, a_client(door.app)).status_code == 401


LIES: dict[str, dict[str, Any]] = {
    "another issuer": {"claims": {"iss": "https://elsewhere.example"}},
    "for another program": {"claims": {"aud": "other"}},
    "for several programs": {"claims": {"aud": ["studio", "other"], "azp": "other"}},
    "too old": {"claims": {"exp": int(time.time()) - 3600}},
    "no end": {"claims": {"exp": None}},
    "another question's": {"claims": {"nonce": "other"}},
    "nobody": {"claims": {"sub": None}},
    "a stranger's key": {"key": STRANGERS_KEY},
    "a shared secret": {"key": OctKey.import_key("client secret that is long enough"), "algorithm": "HS256"},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_word_that_does_not_hold_opens_nothing(door: Door, lie: str) -> None:
    rita = sign_in(door.app, door.house, "Rita")
    visit(door, rita, connect=True)
    for name, value in LIES[lie].items():
        setattr(door.provider, name, value)
    client = a_client(door.app)
    answer = visit(door, client)
    assert answer.status_code == 401
    assert "does not hold" in answer.text or "not from us" in answer.text
    assert client.get("/me").url.path == "/sign-in"


def test_answers_to_no_question_and_refusals_open_nothing(door: Door) -> None:
    client = a_client(door.app)
    assert "no question of ours" in client.get("/oidc/back?code=x&state=y").text
    assert "no question of ours" in visit(door, client, state="another").text
    assert visit(door, client, code="another code").status_code == 401
    client.follow_redirects = False
    client.get("/oidc/start")
    client.cookies.set("vitrina_errand", "e30=")
    assert client.get("/oidc/back?code=x&state=y").status_code == 401
    door.provider.status = 500
    down = client.get("/oidc/start")
    assert down.status_code == 503 and "answered 500" in down.text
    assert verbs(door.house) == []


def test_without_a_provider_nobody_is_sent_anywhere(tmp_path: Path) -> None:
    with a_studio(tmp_path) as (app, _):
        client = a_client(app)
        assert "/oidc/start" not in client.get("/sign-in").text
        assert client.get("/oidc/start").status_code == 404
        assert client.get("/oidc/back?code=x&state=y").status_code == 404


def test_the_settings_are_checked(tmp_path: Path) -> None:
    told = {"VITRINA_HOME": str(tmp_path), "VITRINA_OIDC_ISSUER": "https://id.example.org"}
    with pytest.raises(UsageError, match="CLIENT_ID is not"):
        load_config(told)
    config = load_config({**told, "VITRINA_OIDC_CLIENT_ID": "c", "VITRINA_OIDC_CLIENT_SECRET": "hidden"})
    assert "hidden" not in repr(config)
    from vitrina.backends.oidc import Provider as Known

    with pytest.raises(UsageError, match="not an https address"):
        Known("http://id.example.org", "c", "s")
