"""Passwords and keys: sessions, tokens and invitations are secrets of which only the SHA-256 is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from vitrina.store.schema import people
from vitrina.store.schema_doors import attempts, keys, passwords, replies, views


def password_of(conn: Connection, name: str) -> str | None:
    """The hash of a person's password; None when there is none, or nobody is called so."""
    query = sa.select(passwords.c.hash).join(people).where((people.c.name == name) & people.c.left_at.is_(None))
    return conn.execute(query).scalar()


def set_password(conn: Connection, person_id: int, hashed: str, *, at: str) -> None:
    """Write a person's password's hash in the place of an earlier one."""
    conn.execute(sa.delete(passwords).where(passwords.c.person_id == person_id))
    conn.execute(sa.insert(passwords).values(person_id=person_id, hash=hashed, set_at=at))


def add(
    conn: Connection,
    digest: str,
    *,
    kind: str,
    person_id: int,
    name: str = "",
    scopes: Sequence[str] = (),
    at: str,
    ends_at: str,
) -> int:
    """Keep a key by its digest; returns its id."""
    values = {"kind": kind, "person_id": person_id, "name": name, "scopes": list(scopes)}
    made = sa.insert(keys).values(digest=digest, made_at=at, used_at=at, ends_at=ends_at, **values)
    return int(conn.execute(made.returning(keys.c.id)).scalar_one())


def find(conn: Connection, digest: str, *, kind: str, at: str) -> Row[Any] | None:
    """The living key of this digest and kind, with its person's name as `person`."""
    query = sa.select(keys, people.c.name.label("person")).join(people)
    where = (keys.c.digest == digest) & (keys.c.kind == kind) & (keys.c.ends_at > at) & people.c.left_at.is_(None)
    return conn.execute(query.where(where)).one_or_none()


def touch(conn: Connection, key_id: int, *, at: str, ends_at: str) -> None:
    """Say that a key was used just now, and until when it lives."""
    conn.execute(sa.update(keys).where(keys.c.id == key_id).values(used_at=at, ends_at=ends_at))


def end(conn: Connection, key_id: int) -> None:
    """Forget a key."""
    conn.execute(sa.delete(keys).where(keys.c.id == key_id))


def end_all(conn: Connection, person_id: int, *, kinds: Sequence[str]) -> None:
    """Forget every key of some kinds of a person."""
    conn.execute(sa.delete(keys).where((keys.c.person_id == person_id) & keys.c.kind.in_(kinds)))


def of_person(conn: Connection, person_id: int, *, kind: str) -> list[Row[Any]]:
    """A person's keys of a kind, newest first."""
    where = (keys.c.person_id == person_id) & (keys.c.kind == kind)
    return list(conn.execute(sa.select(keys).where(where).order_by(keys.c.id.desc())))


def sweep(conn: Connection, *, before: str, now: str) -> None:
    """Forget keys whose time is over, and attempts and replies older than `before`."""
    conn.execute(sa.delete(keys).where(keys.c.ends_at <= now))
    conn.execute(sa.delete(attempts).where(attempts.c.at < before))
    conn.execute(sa.delete(replies).where(replies.c.at < before))


def attempt(conn: Connection, subject: str, *, at: str) -> None:
    """Count a failed attempt."""
    conn.execute(sa.insert(attempts).values(subject=subject, at=at))


def attempts_since(conn: Connection, subject: str, *, since: str) -> int:
    """How many failed attempts there were since a time."""
    where = (attempts.c.subject == subject) & (attempts.c.at >= since)
    return int(conn.execute(sa.select(sa.func.count()).select_from(attempts).where(where)).scalar_one())


def forget_attempts(conn: Connection, subject: str) -> None:
    """A right password wipes the slate."""
    conn.execute(sa.delete(attempts).where(attempts.c.subject == subject))


def reply(conn: Connection, person: str, key: str) -> Row[Any] | None:
    """What was answered to a request of this idempotency key."""
    return conn.execute(sa.select(replies).where((replies.c.person == person) & (replies.c.key == key))).one_or_none()


def keep_reply(conn: Connection, person: str, key: str, *, request: str, status: int, body: Any, at: str) -> None:
    """Keep an answer, so that the same request again is answered without being done again."""
    conn.execute(sa.delete(replies).where((replies.c.person == person) & (replies.c.key == key)))
    conn.execute(sa.insert(replies).values(person=person, key=key, request=request, status=status, body=body, at=at))


def drop_reply(conn: Connection, person: str, key: str) -> None:
    """Free an idempotency key: what it was used for was not done."""
    conn.execute(sa.delete(replies).where((replies.c.person == person) & (replies.c.key == key)))


def see(
    conn: Connection, variant_id: int, *, person: str, digest: str, place: int, ms: int, zoom: int, at: str
) -> None:
    """Add to how long a person has looked at a place of exact bytes."""
    where = (
        (views.c.variant_id == variant_id)
        & (views.c.person == person)
        & (views.c.digest == digest)
        & (views.c.place == place)
    )
    known = conn.execute(sa.select(views).where(where)).one_or_none()
    if known is None:
        values: Mapping[str, Any] = {"variant_id": variant_id, "person": person, "digest": digest, "place": place}
        conn.execute(sa.insert(views).values(milliseconds=ms, zoom_percent=zoom, at=at, **values))
        return
    longer = {"milliseconds": min(known.milliseconds + ms, 86_400_000), "zoom_percent": max(known.zoom_percent, zoom)}
    conn.execute(sa.update(views).where(where).values(at=at, **longer))


def seen(conn: Connection, variant_id: int, *, person: str, digest: str) -> dict[int, int]:
    """How long a person has looked at each place of exact bytes, in milliseconds."""
    where = (views.c.variant_id == variant_id) & (views.c.person == person) & (views.c.digest == digest)
    return {int(row.place): int(row.milliseconds) for row in conn.execute(sa.select(views).where(where))}
