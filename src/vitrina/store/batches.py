"""Batches and their items, the outbox, stored step results and the workers: what durable work leaves in the records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from vitrina.store.schema import batch_items, batches, outbox, results, workers

ENDED = ("done", "parked")
"""Item states that no worker will change."""


def open_batch(conn: Connection, folder: str, *, recipe: Mapping[str, Any], person: str, at: str) -> int:
    """The batch that writes into `folder`, added when it is new; its recipe and person become these."""
    known = conn.execute(sa.select(batches.c.id).where(batches.c.folder == folder)).scalar()
    if known is not None:
        values = {"recipe": dict(recipe), "asked_by": person}
        conn.execute(sa.update(batches).where(batches.c.id == known).values(**values))
        return int(known)
    values = {
        "folder": folder,
        "state": "open",
        "reason": "",
        "recipe": dict(recipe),
        "asked_by": person,
        "added_at": at,
    }
    return int(conn.execute(sa.insert(batches).values(**values).returning(batches.c.id)).scalar_one())


def get(conn: Connection, batch_id: int) -> Row[Any] | None:
    """A batch by its id."""
    return conn.execute(sa.select(batches).where(batches.c.id == batch_id)).one_or_none()


def every(conn: Connection) -> list[Row[Any]]:
    """Every batch, newest first."""
    return list(conn.execute(sa.select(batches).order_by(batches.c.id.desc())))


def held(conn: Connection) -> list[Row[Any]]:
    """The batches that a failed spot check stopped, oldest first."""
    return list(conn.execute(sa.select(batches).where(batches.c.state == "held").order_by(batches.c.id)))


def under_way(conn: Connection, batch_id: int | None = None) -> dict[int, dict[str, int]]:
    """How many items stand in each state, of one batch or of every batch that has something left to do."""
    counted = sa.select(batch_items.c.batch_id, batch_items.c.state, sa.func.count().label("number"))
    if batch_id is None:
        unfinished = sa.select(batch_items.c.batch_id).where(batch_items.c.state.not_in(ENDED))
        counted = counted.where(batch_items.c.batch_id.in_(unfinished))
    else:
        counted = counted.where(batch_items.c.batch_id == batch_id)
    told: dict[int, dict[str, int]] = {}
    for row in conn.execute(counted.group_by(batch_items.c.batch_id, batch_items.c.state)):
        told.setdefault(int(row.batch_id), {})[row.state] = int(row.number)
    return told


def set_state(conn: Connection, batch_id: int, state: str, *, reason: str) -> None:
    """Hold a batch, or open it again."""
    conn.execute(sa.update(batches).where(batches.c.id == batch_id).values(state=state, reason=reason))


def put_item(conn: Connection, batch_id: int, sku: str, *, inputs: Sequence[str], key: str, at: str) -> int | None:
    """Ask for one SKU of a batch. Returns the item's run to be done, or None when it is done or under way with the
    same inputs already; a parked item is asked for anew."""
    where = (batch_items.c.batch_id == batch_id) & (batch_items.c.sku == sku)
    known = conn.execute(sa.select(batch_items).where(where)).one_or_none()
    fresh = {
        "inputs": list(inputs),
        "inputs_key": key,
        "state": "waiting",
        "step": "",
        "reason": "",
        "verdict": "",
        "attempts": 0,
        "seconds": None,
        "changed_at": at,
    }
    if known is None:
        last = conn.execute(
            sa.select(sa.func.max(batch_items.c.position)).where(batch_items.c.batch_id == batch_id)
        ).scalar()
        conn.execute(
            sa.insert(batch_items).values(batch_id=batch_id, sku=sku, position=(last or 0) + 1, run=1, **fresh)
        )
        return 1
    if known.inputs_key == key and known.state != "parked":
        return None
    conn.execute(sa.update(batch_items).where(where).values(run=known.run + 1, **fresh))
    return int(known.run) + 1


def get_item(conn: Connection, batch_id: int, sku: str) -> Row[Any]:
    """One SKU of a batch."""
    where = (batch_items.c.batch_id == batch_id) & (batch_items.c.sku == sku)
    return conn.execute(sa.select(batch_items).where(where)).one()


def change_item(conn: Connection, batch_id: int, sku: str, run: int, **values: Any) -> None:
    """Write how an item stands; a run that was replaced by a newer one writes nothing."""
    where = (batch_items.c.batch_id == batch_id) & (batch_items.c.sku == sku) & (batch_items.c.run == run)
    conn.execute(sa.update(batch_items).where(where).values(**values))


def items(conn: Connection, batch_id: int) -> list[Row[Any]]:
    """The SKUs of a batch, by position."""
    query = sa.select(batch_items).where(batch_items.c.batch_id == batch_id).order_by(batch_items.c.position)
    return list(conn.execute(query))


def counts(conn: Connection, batch_id: int) -> dict[str, int]:
    """How many items stand in each state."""
    query = sa.select(batch_items.c.state, sa.func.count()).where(batch_items.c.batch_id == batch_id)
    return {state: number for state, number in conn.execute(query.group_by(batch_items.c.state))}


def post(conn: Connection, job: str, kind: str, payload: Mapping[str, Any], *, at: str) -> None:
    """Put a job into the outbox, in the transaction that asks for it; the same job twice is one job."""
    if conn.execute(sa.select(outbox.c.id).where(outbox.c.job == job)).first() is None:
        conn.execute(sa.insert(outbox).values(job=job, kind=kind, payload=dict(payload), added_at=at))


def unended(conn: Connection, *, after: int = 0, limit: int = 500) -> list[Row[Any]]:
    """Jobs posted after the row `after` that have not ended, oldest first."""
    where = outbox.c.ended_at.is_(None) & (outbox.c.id > after)
    return list(conn.execute(sa.select(outbox).where(where).order_by(outbox.c.id).limit(limit)))


def end(conn: Connection, job: str, *, at: str) -> None:
    """Note that a job has ended, well or not: no worker will take it again."""
    conn.execute(sa.update(outbox).where(outbox.c.job == job).values(ended_at=at))


def result(conn: Connection, key: str) -> Any | None:
    """The stored result of a step; None when there is none."""
    return conn.execute(sa.select(results.c.value).where(results.c.key == key)).scalar()


def keep_result(conn: Connection, key: str, *, step: str, value: Any, at: str) -> Any:
    """Store a step's result if there is none, and return the one that is stored."""
    known = result(conn, key)
    if known is not None:
        return known
    conn.execute(sa.insert(results).values(key=key, step=step, value=value, made_at=at))
    return value


def drop_result(conn: Connection, key: str) -> None:
    """Forget a step's result, because what it names is lost."""
    conn.execute(sa.delete(results).where(results.c.key == key))


def beat(conn: Connection, executor: str, *, pid: int, at: str) -> None:
    """A worker says that it lives."""
    done = conn.execute(sa.update(workers).where(workers.c.executor == executor).values(pid=pid, beat_at=at))
    if not done.rowcount:
        conn.execute(sa.insert(workers).values(executor=executor, pid=pid, started_at=at, beat_at=at))


def all_workers(conn: Connection) -> list[Row[Any]]:
    """Every worker that has ever lived, by its slot."""
    return list(conn.execute(sa.select(workers).order_by(workers.c.executor)))


def forget_worker(conn: Connection, executor: str) -> None:
    """A worker that will not come back."""
    conn.execute(sa.delete(workers).where(workers.c.executor == executor))
