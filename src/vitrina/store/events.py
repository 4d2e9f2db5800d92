"""The ledger: append-only events, each chained to the one before by SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from vitrina.store.schema import canonical, events, ledger

GENESIS = "0" * 64
"""What the first event calls its predecessor."""

FIELDS = ("seq", "at", "person", "verb", "subject", "digests", "details", "previous")
"""What an event's hash covers."""


def hash_of(event: Mapping[str, Any]) -> str:
    """SHA-256 of the event's fields as canonical JSON (sorted keys, no spaces, UTF-8)."""
    return hashlib.sha256(canonical({key: event[key] for key in FIELDS}).encode()).hexdigest()


def append(
    conn: Connection,
    *,
    at: str,
    person: str,
    verb: str,
    subject: str,
    digests: Sequence[str] = (),
    details: Mapping[str, Any] | None = None,
) -> int:
    """Write one event and return its number. The head's row is locked first, so that the chain cannot fork."""
    conn.execute(sa.update(ledger).where(ledger.c.id == 1).values(seq=ledger.c.seq + 1))
    seq, previous = conn.execute(sa.select(ledger.c.seq, ledger.c.hash).where(ledger.c.id == 1)).one()
    event = {
        "seq": seq,
        "at": at,
        "person": person,
        "verb": verb,
        "subject": subject,
        "digests": list(digests),
        "details": dict(details or {}),
        "previous": previous,
    }
    event["hash"] = hash_of(event)
    conn.execute(sa.insert(events).values(**event))
    conn.execute(sa.update(ledger).where(ledger.c.id == 1).values(hash=event["hash"]))
    return int(seq)


def problems(conn: Connection) -> Iterator[str]:
    """What is wrong with the chain, in words; nothing when it verifies from the first event to the head."""
    previous, last = GENESIS, 0
    for row in conn.execute(sa.select(events).order_by(events.c.seq)):
        event = row._asdict()
        if event["seq"] != last + 1:
            yield f"ledger: event {last + 1} is missing (the next one is {event['seq']})."
        if event["previous"] != previous:
            yield f"ledger: event {event['seq']} does not follow the event before it."
        if hash_of(event) != event["hash"]:
            yield f"ledger: event {event['seq']} was altered after it was written."
        previous, last = event["hash"], event["seq"]
    head = conn.execute(sa.select(ledger.c.seq, ledger.c.hash)).one_or_none()
    if head is None or tuple(head) != (last, previous):
        yield f"ledger: ends at event {last}, but its head says {head.seq if head else 'nothing'}: events are missing."


def of_subjects(conn: Connection, subjects: Sequence[str]) -> list[Row[Any]]:
    """The events about any of `subjects`, oldest first."""
    found = conn.execute(sa.select(events).where(events.c.subject.in_(subjects)).order_by(events.c.seq))
    return list(found)


def latest(conn: Connection, *, verb: str, subject: str) -> Row[Any] | None:
    """The last event of this verb about `subject`; None when there is none."""
    where = (events.c.subject == subject) & (events.c.verb == verb)
    return conn.execute(sa.select(events).where(where).order_by(events.c.seq.desc()).limit(1)).first()


def between(conn: Connection, *, since: str, until: str, limit: int = 500) -> list[Row[Any]]:
    """The newest `limit` events of a time, newest first."""
    where = (events.c.at >= since) & (events.c.at < until)
    return list(
        conn.execute(sa.select(events).where(where).order_by(events.c.at.desc(), events.c.seq.desc()).limit(limit))
    )


def head(conn: Connection) -> tuple[int, str]:
    """The number and hash of the last event."""
    row = conn.execute(sa.select(ledger.c.seq, ledger.c.hash)).one()
    return int(row.seq), str(row.hash)


def every(conn: Connection) -> Iterator[dict[str, Any]]:
    """Every event with its hash, oldest first."""
    for row in conn.execute(sa.select(events).order_by(events.c.seq)):
        yield row._asdict()


def page(conn: Connection, *, before: int, limit: int) -> list[Row[Any]]:
    """The newest `limit` events before number `before`, newest first."""
    query = sa.select(events).where(events.c.seq < before).order_by(events.c.seq.desc()).limit(limit)
    return list(conn.execute(query))
