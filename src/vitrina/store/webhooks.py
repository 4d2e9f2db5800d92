"""Webhooks and their deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from vitrina.store.schema_doors import deliveries, webhooks


def add(conn: Connection, *, url: str, types: Sequence[str], secret: str, person: str, at: str) -> int:
    """A new webhook's number."""
    values = {"url": url, "types": list(types), "secret": secret, "made_by": person, "made_at": at, "ended_why": ""}
    return int(conn.execute(sa.insert(webhooks).values(**values).returning(webhooks.c.id)).scalar_one())


def get(conn: Connection, number: int) -> Row[Any] | None:
    """A webhook, ended ones too."""
    return conn.execute(sa.select(webhooks).where(webhooks.c.id == number)).one_or_none()


def page(conn: Connection, *, after: int, limit: int) -> list[Row[Any]]:
    """Webhooks by number, after one of them, ended ones too."""
    return list(conn.execute(sa.select(webhooks).where(webhooks.c.id > after).order_by(webhooks.c.id).limit(limit)))


def listening(conn: Connection, type_: str) -> list[Row[Any]]:
    """The webhooks that want to be told of `type_`."""
    rows = conn.execute(sa.select(webhooks).where(webhooks.c.ended_at.is_(None)).order_by(webhooks.c.id))
    return [row for row in rows if type_ in row.types]


def end(conn: Connection, number: int, *, why: str, at: str) -> None:
    """Tell this one nothing more."""
    conn.execute(sa.update(webhooks).where(webhooks.c.id == number).values(ended_at=at, ended_why=why))


def add_delivery(conn: Connection, number: int, *, message: str, type_: str, body: str, at: str) -> int:
    """A message that waits to be sent."""
    values = {"webhook_id": number, "message": message, "type": type_, "body": body, "state": "waiting", "tries": 0,
              "said": "", "added_at": at}  # fmt: skip
    return int(conn.execute(sa.insert(deliveries).values(**values).returning(deliveries.c.id)).scalar_one())


def get_delivery(conn: Connection, delivery: int) -> Row[Any] | None:
    """A message, with its webhook's address, secret and end."""
    query = sa.select(deliveries, webhooks.c.url, webhooks.c.secret, webhooks.c.ended_at).join(webhooks)
    return conn.execute(query.where(deliveries.c.id == delivery)).one_or_none()


def tried(conn: Connection, delivery: int, *, state: str, status: int | None, said: str, at: str) -> None:
    """Write down how an attempt went."""
    values = {"state": state, "status": status, "said": said, "tried_at": at, "tries": deliveries.c.tries + 1}
    conn.execute(sa.update(deliveries).where(deliveries.c.id == delivery).values(**values))


def set_state(conn: Connection, delivery: int, state: str) -> None:
    """Say how a message stands."""
    conn.execute(sa.update(deliveries).where(deliveries.c.id == delivery).values(state=state))


def deliveries_of(conn: Connection, number: int, *, before: int, limit: int) -> list[Row[Any]]:
    """The newest messages of a webhook before one of them, newest first."""
    where = (deliveries.c.webhook_id == number) & (deliveries.c.id < before)
    return list(conn.execute(sa.select(deliveries).where(where).order_by(deliveries.c.id.desc()).limit(limit)))


def forget(conn: Connection, *, before: str) -> None:
    """Forget messages that were sent or given up before a time."""
    conn.execute(sa.delete(deliveries).where((deliveries.c.state != "waiting") & (deliveries.c.added_at < before)))
