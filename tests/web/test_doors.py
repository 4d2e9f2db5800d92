"""Coming in, and what keeps others out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles.house import a_house
from tests.web.studio import BASE, PASSWORD, a_client, a_studio, sign_in, token_in
from vitrina.actions import doors
from vitrina.errors import NotAllowed, NotSignedIn, TooOften, UsageError
from vitrina.store import events, keys, people
from vitrina.web import Door, make_app
from vitrina.web.app import is_loopback


def test_the_first_visitor_makes_the_admin(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        client = a_client(make_app(house))
        page = client.get("/skus")
        assert page.url.path == "/set-up"
        made = client.post(
            "/set-up", data={"form_token": token_in(page.text), "name": "Ann", "password": PASSWORD, "alone": "1"}
        )
        assert made.url.path == "/" and "Ann" in made.text
        with house.store.reading() as conn:
            found = people.get(conn, "Ann")
            assert found is not None and {"admin", "reviewer"} <= set(found[1])
            assert not list(events.problems(conn))
        # A second set-up is refused, and the form leads home.
        other = a_client(make_app(house))
        assert other.get("/set-up").url.path == "/sign-in"
        with pytest.raises(UsageError, match="sign in"):
            doors.set_up(house, "Eve", PASSWORD)


def test_beyond_this_machine_set_up_needs_the_code(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        client = a_client(make_app(house, Door(("127.0.0.1",), "s3cret")))
        form = {"form_token": token_in(client.get("/set-up").text), "name": "Ann", "password": PASSWORD}
        assert client.post("/set-up", data={**form, "code": "guess"}).status_code == 403
        assert doors.needs_first_person(house)
        assert client.post("/set-up", data={**form, "code": "s3cret"}).status_code == 200
        assert not doors.needs_first_person(house)


@pytest.mark.parametrize("base", [BASE, BASE.replace("http", "https")])
def test_sessions_are_cookies_that_no_script_and_no_other_site_gets(tmp_path: Path, base: str) -> None:
    with a_studio(tmp_path) as (app, house):
        secret = doors.renew_invitation(house.acting_as("Ann"), "Rita")["secret"]
        client = a_client(app)
        client.base_url = base
        data = {"form_token": token_in(client.get(f"/join/{secret}").text), "password": PASSWORD}
        cookie = client.post(f"/join/{secret}", data=data, follow_redirects=False).headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=lax" in cookie
        assert ("secure" in cookie) == base.startswith("https")


def test_wrong_passwords_are_counted_and_written_down(tmp_path: Path) -> None:
    with a_studio(tmp_path) as (_, house):
        doors.set_password(house.acting_as("Ann"), "Rita", PASSWORD)
        with house.store.writing() as conn:
            for _ in range(doors.TRIES - 1):
                keys.attempt(conn, "name/Rita", at=house.now())
        with pytest.raises(NotSignedIn):
            doors.sign_in(house, "Rita", "a wrong password", address="10.0.0.1")
        with pytest.raises(TooOften):
            doors.sign_in(house, "Rita", PASSWORD, address="10.0.0.2")
        with house.store.reading() as conn:
            told = [e.verb for e in events.of_subjects(conn, ["person/Rita"])]
        assert told.count("door.refuse") == 1
        with pytest.raises(NotSignedIn):
            doors.sign_in(house, "nobody at all", PASSWORD, address="10.0.0.3")


def test_a_new_password_ends_every_session(tmp_path: Path) -> None:
    with a_studio(tmp_path) as (app, house):
        doors.set_password(house.acting_as("Ann"), "Rita", PASSWORD)
        client = sign_in(app, house, "Rita")
        other = doors.sign_in(house, "Rita", PASSWORD, address="x")
        token = doors.make_token(house.acting_as("Rita"), "robot", ["read"])["secret"]
        with pytest.raises(NotAllowed):
            doors.change_password(house.acting_as("Rita"), "not the old one", "quite another phrase")
        answer = client.post("/me/password", data={"old": PASSWORD, "new": "quite another phrase"})
        assert answer.url.path == "/me" and answer.status_code == 200
        assert doors.visitor_of(house, other) is None
        with pytest.raises(NotSignedIn):
            doors.visitor_of_token(house, token)
        client.headers["X-Form-Token"] = token_in(answer.text)
        assert client.post("/sign-out").url.path == "/sign-in"
        assert client.get("/skus").url.path == "/sign-in"


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "x" * 300])
def test_poor_passwords_are_refused(tmp_path: Path, password: str) -> None:
    with a_studio(tmp_path) as (_, house), pytest.raises(UsageError, match="10 to 256"):
        doors.set_password(house.acting_as("Ann"), "Rita", password)


def test_an_invitation_works_once(tmp_path: Path) -> None:
    with a_studio(tmp_path) as (app, house):
        secret = doors.renew_invitation(house.acting_as("Ann"), "Rita")["secret"]
        doors.accept(house, secret, PASSWORD)
        assert a_client(app).get(f"/join/{secret}").status_code == 404


def test_forms_from_elsewhere_change_nothing(tmp_path: Path) -> None:
    with a_studio(tmp_path) as (app, house):
        client = sign_in(app, house, "Phil")
        token = client.headers.pop("X-Form-Token")
        form = {"sku": "X-1", "title": "x"}
        assert client.post("/skus/new", data=form).status_code == 403
        assert client.post("/skus/new", data={**form, "form_token": "0" * 64}).status_code == 403
        stranger = a_client(app)
        theirs = token_in(stranger.get("/sign-in").text)
        assert client.post("/skus/new", data={**form, "form_token": theirs}).status_code == 403
        for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
            answer = client.post("/skus/new", data={**form, "form_token": token}, headers=headers)
            assert answer.status_code == 403
        assert client.post("/skus/new", data={**form, "form_token": token}).status_code == 200


def test_only_known_names_answer(tmp_path: Path) -> None:
    with a_studio(tmp_path) as (app, _):
        client = a_client(app)
        assert client.get("/sign-in", headers={"host": "rebound.example"}).status_code == 421
        assert client.get("/sign-in", headers={"host": "localhost:8765"}).status_code == 200
        huge = client.post("/sign-in", headers={"content-length": str(10**12)})
        assert huge.status_code == 413


def test_every_answer_has_the_headers(tmp_path: Path) -> None:
    with a_studio(tmp_path) as (app, _):
        client = a_client(app)
        for path in ("/sign-in", "/static/stage.js", "/nowhere", "/api/v1/skus", "/openapi.json"):
            headers = client.get(path).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy, path
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"


def test_next_never_leads_elsewhere(tmp_path: Path) -> None:
    with a_studio(tmp_path) as (app, _):
        for bad in ("https://evil.example", "//evil.example", "/\\evil.example"):
            assert "evil" not in a_client(app).get("/sign-in", params={"next": bad}).text


def test_loopback_is_told_from_the_rest() -> None:
    assert is_loopback("127.0.0.1") and is_loopback("::1") and is_loopback("localhost")
    assert not is_loopback("0.0.0.0") and not is_loopback("studio.example")
