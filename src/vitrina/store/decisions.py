"""What people decided: checklist answers, approvals and rejections, exports, and the queue that waits for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from vitrina.store.schema import answers, decisions, exports, skus, variants


def answer(conn: Connection, variant_id: int, *, person: str, digest: str, line: str, yes: bool, at: str) -> None:
    """Record a person's answer to a checklist line for exact bytes; a later answer replaces the earlier."""
    where = (
        (answers.c.variant_id == variant_id)
        & (answers.c.person == person)
        & (answers.c.digest == digest)
        & (answers.c.line == line)
    )
    conn.execute(sa.delete(answers).where(where))
    conn.execute(
        sa.insert(answers).values(variant_id=variant_id, person=person, digest=digest, line=line, yes=yes, at=at)
    )


def answered(conn: Connection, variant_id: int, *, person: str, digest: str) -> dict[str, bool]:
    """A person's answers for exact bytes."""
    where = (answers.c.variant_id == variant_id) & (answers.c.person == person) & (answers.c.digest == digest)
    return {row.line: bool(row.yes) for row in conn.execute(sa.select(answers).where(where))}


def add(conn: Connection, **values: Any) -> int:
    """Record a decision."""
    made = sa.insert(decisions).values(void_at=None, void_why="", **values).returning(decisions.c.id)
    return int(conn.execute(made).scalar_one())


def of_variant(conn: Connection, variant_id: int, *, live: bool = True) -> list[Row[Any]]:
    """The decisions on a variant, oldest first; `live` leaves out those that no longer count."""
    query = sa.select(decisions).where(decisions.c.variant_id == variant_id).order_by(decisions.c.id)
    return list(conn.execute(query.where(decisions.c.void_at.is_(None)) if live else query))


def of_sku(conn: Connection, sku_id: int) -> list[Row[Any]]:
    """Every decision on a SKU's variants, oldest first."""
    return list(conn.execute(sa.select(decisions).where(decisions.c.sku_id == sku_id).order_by(decisions.c.id)))


def void(conn: Connection, variant_id: int, *, why: str, at: str) -> int:
    """End the life of every decision on a variant; returns how many that were."""
    where = (decisions.c.variant_id == variant_id) & decisions.c.void_at.is_(None)
    return conn.execute(sa.update(decisions).where(where).values(void_at=at, void_why=why)).rowcount


def queue(conn: Connection, *, person: str, limit: int = 50, after: int = 0) -> list[Row[Any]]:
    """The variants in review that wait for `person`: not yet decided by them, oldest first.

    Nothing in a row tells whether somebody else has decided, nor how.
    """
    mine = sa.select(decisions.c.variant_id).where((decisions.c.person == person) & decisions.c.void_at.is_(None))
    query = (
        sa.select(
            variants.c.id,
            variants.c.number,
            variants.c.look,
            variants.c.tool,
            variants.c.verdict,
            variants.c.digest,
            variants.c.second_look,
            variants.c.changed_at,
            skus.c.code,
            skus.c.title,
        )
        .join(skus)
        .where((variants.c.state == "in review") & (variants.c.id > after) & variants.c.id.not_in(mine))
        .order_by(variants.c.id)
        .limit(limit)
    )
    return list(conn.execute(query))


def add_export(
    conn: Connection,
    *,
    variant_id: int,
    sku_id: int,
    market: str,
    files: Mapping[str, str],
    folder: str,
    person: str,
    at: str,
) -> None:
    """Record what was handed out as final."""
    conn.execute(
        sa.insert(exports).values(
            variant_id=variant_id, sku_id=sku_id, market=market, files=dict(files), folder=folder, person=person, at=at
        )
    )


def exports_of(conn: Connection, sku_ids: Sequence[int], *, until: str | None = None) -> list[Row[Any]]:
    """What was exported of some SKUs, oldest first, up to a time."""
    query = sa.select(exports).where(exports.c.sku_id.in_(sku_ids)).order_by(exports.c.id)
    return list(conn.execute(query.where(exports.c.at <= until) if until else query))
