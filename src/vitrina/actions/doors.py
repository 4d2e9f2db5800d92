"""Who comes in: the first admin, passwords, sessions, invitations and tokens. Only the SHA-256 of a secret is kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from vitrina import access
from vitrina.actions.house import House, actor, log
from vitrina.actions.people import add_person
from vitrina.errors import Conflict, Missing, NotAllowed, NotSignedIn, TooOften, UsageError
from vitrina.store import Connection, keys, people

if TYPE_CHECKING:
    from pwdlib import PasswordHash

SESSION = timedelta(hours=12)
"""How long a session lives without being used."""
LONGEST_SESSION = timedelta(days=14)
INVITATION = timedelta(days=7)
TOKEN = timedelta(days=365)
WINDOW = timedelta(minutes=15)
TRIES, TRIES_PER_ADDRESS = 8, 40
"""Wrong passwords in WINDOW, for one name and from one address, before both have to wait."""
SHORTEST, LONGEST = 10, 256


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who was let in: by a session, or by a token that may do only its scopes."""

    person: str
    roles: tuple[str, ...]
    secret: str
    scopes: tuple[str, ...] | None = None

    @property
    def csrf(self) -> str:
        """What a form must carry so that it is known to come from our own page."""
        return hmac.new(self.secret.encode(), b"form", hashlib.sha256).hexdigest()

    def may(self, permission: str) -> bool:
        """Whether roles (and the token's scopes) hold `permission`; the verb itself asks again."""
        return access.may(self.roles, permission) and (self.scopes is None or permission in self.scopes)


def needs_first_person(house: House) -> bool:
    """Whether nobody is registered yet."""
    with house.store.reading() as conn:
        return not people.everyone(conn)


def set_up(house: House, name: str, password: str, *, roles: Sequence[str] = ("admin",)) -> str:
    """Make the first person, an admin with a password, and sign them in; returns the session's secret."""
    _require_good(password)
    if not needs_first_person(house):
        raise Conflict("the house has its people already: sign in.")
    hashed = _hasher().hash(password)
    name = " ".join(name.split())
    add_person(house.acting_as(name), name, list(dict.fromkeys(["admin", *roles])))
    with house.store.writing() as conn:
        _write_password(conn, house, name, name, hashed)
        return begin_session(conn, house, name)


def sign_in(house: House, name: str, password: str, *, address: str) -> str:
    """A new session's secret. Raises NotSignedIn for a wrong name or password, TooOften after too many of them."""
    name = " ".join(name.split())[:120]
    subjects = {f"name/{name}": TRIES, f"address/{address}"[:160]: TRIES_PER_ADDRESS}
    since = _ago(house, WINDOW)
    with house.store.reading() as conn:
        for subject, limit in subjects.items():
            if keys.attempts_since(conn, subject, since=since) >= limit:
                raise TooOften(f"{limit} wrong passwords in {WINDOW.seconds // 60} minutes. Wait, then try again.")
        hashed = keys.password_of(conn, name)
    # A stranger's name takes as long as a wrong password, so that nobody learns who is in the house.
    is_right = _hasher().verify(password[:LONGEST], hashed or _nobodys()) and hashed is not None
    with house.store.writing() as conn:
        if not is_right:
            for subject in subjects:
                keys.attempt(conn, subject, at=house.now())
            known = name if people.get(conn, name) else "(a stranger)"
            log(conn, house, "(nobody)", "door.refuse", f"person/{known}", details={"address": address})
        else:
            keys.forget_attempts(conn, f"name/{name}")
            keys.sweep(conn, before=_ago(house, timedelta(days=1)), now=house.now())
            log(conn, house, name, "door.open", f"person/{name}", details={"address": address})
            return begin_session(conn, house, name)
    raise NotSignedIn("the name or the password is wrong.")


def sign_out(house: House, secret: str) -> None:
    """End the session of `secret`."""
    with house.store.writing() as conn:
        key = keys.find(conn, _digest(secret), kind="session", at=house.now())
        if key is not None:
            keys.end(conn, key.id)
            log(conn, house, key.person, "door.close", f"person/{key.person}")


def visitor_of(house: House, secret: str) -> Visitor | None:
    """Whose session `secret` is; None when it is nobody's or its time is over."""
    with house.store.reading() as conn:
        key = keys.find(conn, _digest(secret), kind="session", at=house.now())
        found = people.get(conn, key.person) if key is not None else None
    if key is None or found is None:
        return None
    if key.used_at < _ago(house, timedelta(minutes=10)):
        latest = _time(key.made_at) + LONGEST_SESSION
        ends = min(latest, house.clock().astimezone(UTC) + SESSION)
        with house.store.writing() as conn:
            keys.touch(conn, key.id, at=house.now(), ends_at=_text(ends))
    return Visitor(key.person, found[1], secret)


def visitor_of_token(house: House, secret: str) -> Visitor:
    """Whose token `secret` is; raises NotSignedIn."""
    with house.store.reading() as conn:
        key = keys.find(conn, _digest(secret), kind="token", at=house.now())
        found = people.get(conn, key.person) if key is not None else None
    if key is None or found is None:
        raise NotSignedIn("the token is unknown, ended or revoked. Make a new one on your own page in the studio.")
    if key.used_at < _ago(house, timedelta(minutes=10)):
        with house.store.writing() as conn:
            keys.touch(conn, key.id, at=house.now(), ends_at=key.ends_at)
    return Visitor(key.person, found[1], secret, tuple(key.scopes))


def invite(house: House, name: str, roles: list[str]) -> dict[str, Any]:
    """Add a person (or more roles to one) and make the secret with which they choose a password; told only once."""
    add_person(house, name, roles)
    return renew_invitation(house, name)


def renew_invitation(house: House, name: str) -> dict[str, Any]:
    """A new invitation for somebody who is in the house; earlier ones end."""
    name = " ".join(name.split())
    secret = secrets.token_urlsafe(32)
    with house.store.writing() as conn:
        person = actor(conn, house, "people.edit")
        person_id = _person(conn, name)
        keys.end_all(conn, person_id, kinds=("invitation",))
        ends = _text(house.clock().astimezone(UTC) + INVITATION)
        keys.add(conn, _digest(secret), kind="invitation", person_id=person_id, at=house.now(), ends_at=ends)
        log(conn, house, person, "people.invite", f"person/{name}", details={"until": ends})
    return {"schema": "vitrina.invitation/1", "name": name, "secret": secret, "until": ends, "verdict": "pass"}


def invited(house: House, secret: str) -> str:
    """Who is invited by `secret`; raises Missing when it is used up or over."""
    with house.store.reading() as conn:
        key = keys.find(conn, _digest(secret), kind="invitation", at=house.now())
    if key is None:
        raise Missing("this invitation was used already or is over. Ask an admin for a new one.")
    return str(key.person)


def accept(house: House, secret: str, password: str) -> str:
    """Choose a password by an invitation and come in; returns the session's secret."""
    _require_good(password)
    name = invited(house, secret)
    hashed = _hasher().hash(password)
    with house.store.writing() as conn:
        key = keys.find(conn, _digest(secret), kind="invitation", at=house.now())
        if key is None:
            raise Missing("this invitation was used already or is over. Ask an admin for a new one.")
        keys.end(conn, key.id)
        _write_password(conn, house, name, name, hashed)
        return begin_session(conn, house, name)


def set_password(house: House, name: str, password: str) -> dict[str, Any]:
    """Set a person's password at the machine itself; every session and token of theirs ends.

    The command line's way in when nobody can sign in. While anybody is registered, an admin or the person themselves.
    """
    _require_good(password)
    hashed = _hasher().hash(password)
    with house.store.writing() as conn:
        person = house.person if house.person == name else actor(conn, house, "people.edit")
        _write_password(conn, house, str(person), name, hashed)
    return {"schema": "vitrina.password/1", "name": name, "verdict": "pass"}


def change_password(house: House, old: str, new: str) -> str:
    """Change one's own password; returns the secret of a new session, every other one ends."""
    _require_good(new)
    name = house.person or ""
    with house.store.reading() as conn:
        hashed = keys.password_of(conn, name)
    if hashed is None or not _hasher().verify(old[:LONGEST], hashed):
        raise NotAllowed("the old password is wrong.")
    made = _hasher().hash(new)
    with house.store.writing() as conn:
        _write_password(conn, house, name, name, made)
        return begin_session(conn, house, name)


def make_token(house: House, name: str, scopes: Collection[str]) -> dict[str, Any]:
    """A token for the person at the desk that may do `scopes`, all of them theirs; its secret is told only once."""
    name = " ".join(name.split())
    if not name or len(name) > 120:
        raise UsageError("name the token, in up to 120 characters: what is it for?")
    secret = f"vtr_{secrets.token_urlsafe(32)}"
    with house.store.writing() as conn:
        person = actor(conn, house, "read")
        found = people.get(conn, person)
        if found is None:
            raise NotAllowed("tokens are for registered people: set the house up first.")
        wrong = [scope for scope in scopes if scope not in access.PERMISSIONS or not access.may(found[1], scope)]
        if wrong or not scopes:
            raise UsageError(f"scopes: {', '.join(wrong) or 'none'}: choose among what {person} may do.")
        ends = _text(house.clock().astimezone(UTC) + TOKEN)
        key = keys.add(
            conn, _digest(secret), kind="token", person_id=found[0], name=name, scopes=sorted(scopes),
            at=house.now(), ends_at=ends,
        )  # fmt: skip
        log(conn, house, person, "token.make", f"person/{person}", details={"name": name, "scopes": sorted(scopes)})
    return {"schema": "vitrina.token/1", "token": key, "name": name, "secret": secret, "scopes": sorted(scopes),
            "until": ends}  # fmt: skip


def list_tokens(house: House) -> dict[str, Any]:
    """The tokens of the person at the desk, without their secrets."""
    with house.store.reading() as conn:
        found = people.get(conn, actor(conn, house, "read"))
        rows = keys.of_person(conn, found[0], kind="token") if found else []
    told = [{"token": r.id, "name": r.name, "scopes": r.scopes, "used_at": r.used_at, "until": r.ends_at} for r in rows]
    return {"schema": "vitrina.tokens/1", "tokens": told}


def end_token(house: House, token: int) -> None:
    """Revoke one's own token; somebody else's is as if it were not there."""
    with house.store.writing() as conn:
        person = actor(conn, house, "read")
        found = people.get(conn, person)
        mine = [r for r in keys.of_person(conn, found[0], kind="token") if r.id == token] if found else []
        if not mine:
            raise Missing(f"you have no token {token}.")
        keys.end(conn, token)
        log(conn, house, person, "token.end", f"person/{person}", details={"name": mine[0].name})


def begin_session(conn: Connection, house: House, name: str) -> str:
    """A new session of somebody who has proved who they are; returns its secret."""
    secret = secrets.token_urlsafe(32)
    ends = _text(house.clock().astimezone(UTC) + SESSION)
    person_id = _person(conn, name)
    keys.add(conn, _digest(secret), kind="session", person_id=person_id, at=house.now(), ends_at=ends)
    return secret


def _write_password(conn: Connection, house: House, person: str, name: str, hashed: str) -> None:
    person_id = _person(conn, name)
    keys.set_password(conn, person_id, hashed, at=house.now())
    keys.end_all(conn, person_id, kinds=("session", "token"))
    log(conn, house, person, "door.password", f"person/{name}")


def _person(conn: Connection, name: str) -> int:
    found = people.get(conn, name)
    if found is None:
        raise Missing(f"nobody is called {name!r}. See vitrina people list.")
    return found[0]


def _require_good(password: str) -> None:
    if not SHORTEST <= len(password) <= LONGEST or len(set(password)) < 5:
        raise UsageError(
            f"the password has {len(password)} characters, {len(set(password))} different; {SHORTEST} to {LONGEST} "
            "and at least 5 different ones are wanted. Three or four words do well."
        )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@cache
def _hasher() -> PasswordHash:
    from pwdlib import PasswordHash

    return PasswordHash.recommended()


@cache
def _nobodys() -> str:
    return _hasher().hash(secrets.token_urlsafe(16))


def _ago(house: House, span: timedelta) -> str:
    return _text(house.clock().astimezone(UTC) - span)


def _text(time: datetime) -> str:
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
