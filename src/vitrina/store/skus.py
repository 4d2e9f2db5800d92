"""SKUs and the lines they belong to."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from vitrina.model import Sku
from vitrina.store.schema import lines, photos, returns, skus, variants


def get(conn: Connection, code: str) -> Row[Any] | None:
    """The SKU called `code` with its line's name; None when there is none."""
    return conn.execute(_rows().where(skus.c.code == code)).one_or_none()


def by_id(conn: Connection, sku_id: int) -> Row[Any]:
    """The SKU with this id, with its line's name."""
    return conn.execute(_rows().where(skus.c.id == sku_id)).one()


def put(conn: Connection, sku: Sku, *, at: str) -> int:
    """Add `sku` or change the one that has its code; returns its id."""
    values = {
        "title": sku.title,
        "piece_type": sku.piece_type,
        "line_id": line(conn, sku.line, at=at) if sku.line else None,
        "stock": sku.stock,
        "is_top": sku.is_top,
        "factory": sku.factory,
        "stone_batch": sku.stone_batch,
        "facts": dict(sku.facts),
        "changed_at": at,
    }
    known = conn.execute(sa.select(skus.c.id).where(skus.c.code == sku.code)).scalar()
    if known is not None:
        conn.execute(sa.update(skus).where(skus.c.id == known).values(**values))
        return int(known)
    added = conn.execute(sa.insert(skus).values(code=sku.code, added_at=at, **values).returning(skus.c.id))
    return int(added.scalar_one())


def value_of(row: Row[Any]) -> Sku:
    """A record as a value."""
    line_name = row.line or ""
    return Sku(
        row.code,
        row.title,
        row.piece_type,
        line_name,
        row.stock,
        bool(row.is_top),
        row.factory,
        row.stone_batch,
        row.facts,
    )


def page(
    conn: Connection,
    *,
    after: str = "",
    limit: int = 50,
    search: str = "",
    line_name: str = "",
    state: str = "",
) -> list[dict[str, Any]]:
    """A page of SKUs by code after `after`, each with its number of photos and of variants per state."""
    query = _rows().where(skus.c.code > after).order_by(skus.c.code).limit(limit)
    if search:
        pattern = "%" + search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        query = query.where(skus.c.code.ilike(pattern, escape="\\") | skus.c.title.ilike(pattern, escape="\\"))
    if line_name:
        query = query.where(lines.c.name == line_name)
    if state:
        query = query.where(skus.c.id.in_(sa.select(variants.c.sku_id).where(variants.c.state == state)))
    rows = conn.execute(query).all()
    ids = [row.id for row in rows]
    n_photos = _counted(
        conn,
        sa.select(photos.c.sku_id, sa.literal(""), sa.func.count())
        .where(photos.c.sku_id.in_(ids) & photos.c.replaced_at.is_(None))
        .group_by(photos.c.sku_id),
    )
    n_variants = _counted(
        conn,
        sa.select(variants.c.sku_id, variants.c.state, sa.func.count())
        .where(variants.c.sku_id.in_(ids))
        .group_by(variants.c.sku_id, variants.c.state),
    )
    return [
        {
            "sku": row.code,
            "title": row.title,
            "piece_type": row.piece_type,
            "line": row.line or "",
            "stock": row.stock,
            "top": bool(row.is_top),
            "photos": n_photos.get(row.id, {}).get("", 0),
            "variants": n_variants.get(row.id, {}),
        }
        for row in rows
    ]


def every(conn: Connection) -> list[Row[Any]]:
    """Every SKU, by code."""
    return list(conn.execute(_rows().order_by(skus.c.code)))


def of_line(conn: Connection, name: str) -> list[Row[Any]]:
    """The SKUs of a line, by code."""
    return list(conn.execute(_rows().where(lines.c.name == name).order_by(skus.c.code)))


def count(conn: Connection) -> int:
    """How many SKUs there are."""
    return int(conn.execute(sa.select(sa.func.count()).select_from(skus)).scalar_one())


def line(conn: Connection, name: str, *, at: str) -> int:
    """The id of the line called `name`, added with an empty recipe when there is none."""
    known = conn.execute(sa.select(lines.c.id).where(lines.c.name == name)).scalar()
    if known is not None:
        return int(known)
    values = {"name": name, "recipe": {}, "checklist": {}, "added_at": at}
    return int(conn.execute(sa.insert(lines).values(**values).returning(lines.c.id)).scalar_one())


def get_line(conn: Connection, name: str) -> Row[Any] | None:
    """The line called `name`; None when there is none."""
    return conn.execute(sa.select(lines).where(lines.c.name == name)).one_or_none()


def change_line(conn: Connection, line_id: int, *, recipe: dict[str, Any], checklist: dict[str, str]) -> None:
    """Write a line's recipe and its own checklist lines."""
    conn.execute(sa.update(lines).where(lines.c.id == line_id).values(recipe=recipe, checklist=checklist))


def all_lines(conn: Connection) -> list[Row[Any]]:
    """Every line, by name."""
    return list(conn.execute(sa.select(lines).order_by(lines.c.name)))


def add_return(conn: Connection, sku_id: int, *, ordered_on: str, returned_on: str, reason: str, words: str) -> None:
    """Record that a buyer sent a piece back."""
    conn.execute(
        sa.insert(returns).values(
            sku_id=sku_id, ordered_on=ordered_on, returned_on=returned_on, reason=reason, words=words
        )
    )


def _rows() -> sa.Select[Any]:
    return sa.select(skus, lines.c.name.label("line"), lines.c.checklist.label("line_checklist")).outerjoin(lines)


def _counted(conn: Connection, query: sa.Select[Any]) -> dict[int, dict[str, int]]:
    counts: dict[int, dict[str, int]] = {}
    for sku_id, key, number in conn.execute(query):
        counts.setdefault(sku_id, {})[key] = number
    return counts
