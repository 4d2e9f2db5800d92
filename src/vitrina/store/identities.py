"""Accounts at an OpenID provider, and whose they are."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from vitrina.store.schema import people
from vitrina.store.schema_doors import identities


def find(conn: Connection, issuer: str, subject: str) -> Row[Any] | None:
    """An account with its person's name as `person`; None when it is nobody's, or of somebody who left."""
    query = sa.select(identities, people.c.name.label("person")).join(people)
    where = (identities.c.issuer == issuer) & (identities.c.subject == subject) & people.c.left_at.is_(None)
    return conn.execute(query.where(where)).one_or_none()


def add(conn: Connection, person_id: int, *, issuer: str, subject: str, name: str, at: str) -> int:
    """Connect an account with a person."""
    values = {"issuer": issuer, "subject": subject, "person_id": person_id, "name": name, "made_at": at}
    return int(conn.execute(sa.insert(identities).values(**values).returning(identities.c.id)).scalar_one())


def touch(conn: Connection, number: int, *, at: str) -> None:
    """Say that somebody came in by it just now."""
    conn.execute(sa.update(identities).where(identities.c.id == number).values(used_at=at))


def of_person(conn: Connection, person_id: int) -> list[Row[Any]]:
    """A person's accounts, oldest first."""
    return list(
        conn.execute(sa.select(identities).where(identities.c.person_id == person_id).order_by(identities.c.id))
    )


def end(conn: Connection, number: int) -> None:
    """Nobody comes in by this one any more."""
    conn.execute(sa.delete(identities).where(identities.c.id == number))
