"""Counting queries for the reports: read-only, each over an index."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from vitrina.store.schema import decisions, events, exports, findings, lines, photos, returns, skus, variants

Counts = list[dict[str, Any]]


def decided(conn: Connection, since: str, until: str) -> dict[str, int]:
    """How many decisions of each kind were made in a time."""
    where = (decisions.c.at >= since) & (decisions.c.at < until)
    query = sa.select(decisions.c.verdict, sa.func.count()).where(where).group_by(decisions.c.verdict)
    return {verdict: number for verdict, number in conn.execute(query)}


def rejections_by(conn: Connection, since: str, until: str) -> dict[str, Counts]:
    """The rejections of a time, counted by reason, factory, line, look, tool and reviewer."""
    by = {
        "reason": decisions.c.reason,
        "factory": skus.c.factory,
        "line": lines.c.name,
        "look": variants.c.look,
        "tool": variants.c.tool,
        "reviewer": decisions.c.person,
    }
    joined = (
        decisions.join(variants, variants.c.id == decisions.c.variant_id)
        .join(skus, skus.c.id == decisions.c.sku_id)
        .outerjoin(lines, lines.c.id == skus.c.line_id)
    )
    where = (
        (decisions.c.verdict == "reject")
        & (decisions.c.at >= since)
        & (decisions.c.at < until)
        & variants.c.planted.is_(None)
    )
    return {name: _counted(conn, name, column, joined, where) for name, column in by.items()}


def findings_of_rejections(conn: Connection, since: str, until: str, *, limit: int = 20) -> Counts:
    """What the program had found in the pictures that people rejected in a time, the most frequent first."""
    rejected = sa.select(decisions.c.variant_id).where(
        (decisions.c.verdict == "reject") & (decisions.c.at >= since) & (decisions.c.at < until)
    )
    query = (
        sa.select(findings.c.check, findings.c.code, sa.func.count(sa.distinct(findings.c.variant_id)).label("number"))
        .where(findings.c.variant_id.in_(rejected) & (findings.c.severity != "note"))
        .group_by(findings.c.check, findings.c.code)
        .order_by(sa.desc("number"), findings.c.check, findings.c.code)
        .limit(limit)
    )
    return [{"finding": f"{check}/{code}", "number": number} for check, code, number in conn.execute(query)]


def latest_rejections(conn: Connection, since: str, until: str, *, limit: int = 100) -> Counts:
    """The newest rejections of a time in full: reason, words, and what the camera wrote of the source."""
    query = (
        sa.select(
            skus.c.code.label("sku"),
            variants.c.number.label("variant"),
            decisions.c.person,
            decisions.c.reason,
            decisions.c.words,
            decisions.c.at,
            photos.c.capture,
        )
        .select_from(decisions)
        .join(variants, variants.c.id == decisions.c.variant_id)
        .join(skus, skus.c.id == decisions.c.sku_id)
        .join(photos, photos.c.id == variants.c.photo_id)
        .where(
            (decisions.c.verdict == "reject")
            & (decisions.c.at >= since)
            & (decisions.c.at < until)
            & variants.c.planted.is_(None)
        )
        .order_by(decisions.c.at.desc())
        .limit(limit)
    )
    return [dict(row._mapping) for row in conn.execute(query)]


def returns_by(conn: Connection, since: str, until: str) -> dict[str, Counts]:
    """The returns of a time (dates), counted by reason, line and factory."""
    joined = returns.join(skus).outerjoin(lines, lines.c.id == skus.c.line_id)
    where = (returns.c.returned_on >= since) & (returns.c.returned_on < until)
    by = {"reason": returns.c.reason, "line": lines.c.name, "factory": skus.c.factory}
    return {name: _counted(conn, name, column, joined, where) for name, column in by.items()}


def returned(conn: Connection, since: str, until: str, *, limit: int = 200) -> Counts:
    """The returns of a time, each with who had approved the SKU's pictures and what the program's verdicts were."""
    query = (
        sa.select(skus.c.id, skus.c.code, returns)
        .join(skus, skus.c.id == returns.c.sku_id)
        .where((returns.c.returned_on >= since) & (returns.c.returned_on < until))
        .order_by(returns.c.returned_on.desc(), returns.c.id)
        .limit(limit)
    )
    rows = conn.execute(query).all()
    ids = {row.sku_id for row in rows}
    approvals: dict[int, set[str]] = {}
    approving = sa.select(decisions.c.sku_id, decisions.c.person).where(
        decisions.c.sku_id.in_(ids) & (decisions.c.verdict == "approve")
    )
    for sku_id, person in conn.execute(approving.distinct()):
        approvals.setdefault(sku_id, set()).add(person)
    return [
        {
            "sku": row.code,
            "ordered_on": row.ordered_on,
            "returned_on": row.returned_on,
            "reason": row.reason,
            "words": row.words,
            "approved_by": sorted(approvals.get(row.sku_id, ())),
        }
        for row in rows
    ]


def exported(conn: Connection, since: str, until: str) -> Counts:
    """How many SKUs went out to each marketplace in a time."""
    query = (
        sa.select(exports.c.market, sa.func.count(), sa.func.count(sa.distinct(exports.c.sku_id)))
        .where((exports.c.at >= since) & (exports.c.at < until))
        .group_by(exports.c.market)
        .order_by(exports.c.market)
    )
    return [{"market": market, "exports": number, "skus": many} for market, number, many in conn.execute(query)]


def reviewers(conn: Connection, since: str, until: str) -> Counts:
    """What each reviewer decided in a time, and how many planted faults they noticed."""
    noticed = (decisions.c.verdict == "reject") & variants.c.planted.is_not(None)
    query = (
        sa.select(
            decisions.c.person,
            sa.func.sum(sa.case((decisions.c.verdict == "approve", 1), else_=0)).label("approved"),
            sa.func.sum(sa.case((decisions.c.verdict == "reject", 1), else_=0)).label("rejected"),
            sa.func.sum(sa.case((variants.c.planted.is_not(None), 1), else_=0)).label("planted"),
            sa.func.sum(sa.case((noticed, 1), else_=0)).label("noticed"),
            sa.func.sum(sa.case((decisions.c.void_at.is_not(None), 1), else_=0)).label("void"),
        )
        .join(variants, variants.c.id == decisions.c.variant_id)
        .where((decisions.c.at >= since) & (decisions.c.at < until))
        .group_by(decisions.c.person)
        .order_by(decisions.c.person)
    )
    return [
        {**row._mapping, "catch_rate": round(row.noticed / row.planted, 3) if row.planted else None}
        for row in conn.execute(query)
    ]


def verbs(conn: Connection, since: str, until: str) -> Counts:
    """How often each thing happened in a time."""
    where = (events.c.at >= since) & (events.c.at < until)
    query = sa.select(events.c.verb, sa.func.count()).where(where).group_by(events.c.verb).order_by(events.c.verb)
    return [{"verb": verb, "number": number} for verb, number in conn.execute(query)]


def by_line(conn: Connection, name: str = "") -> Counts:
    """Each line, or one: its SKUs, stock, photos, and variants by state."""
    named = {row.id: row.name for row in conn.execute(sa.select(lines.c.id, lines.c.name))}
    chosen = skus.c.line_id.in_([i for i, called in named.items() if called == name]) if name else sa.true()
    told: dict[int | None, dict[str, Any]] = {}
    query = sa.select(skus.c.line_id, sa.func.count(), sa.func.sum(skus.c.stock)).where(chosen)
    for line, number, stock in conn.execute(query.group_by(skus.c.line_id)):
        of = {"line": named.get(line, ""), "skus": number, "stock": int(stock or 0), "photos": 0, "variants": {}}
        told[line] = of
    # Counted per SKU over an index first: joining 60,000 rows to their line one by one takes four times as long.
    shown = sa.select(photos.c.sku_id, sa.func.count().label("n")).where(photos.c.replaced_at.is_(None))
    mine = sa.select(skus.c.id).where(chosen)
    if name:
        shown = shown.where(photos.c.sku_id.in_(mine))
    per_sku = shown.group_by(photos.c.sku_id).subquery()
    count = sa.select(skus.c.line_id, sa.func.sum(per_sku.c.n)).join(per_sku, per_sku.c.sku_id == skus.c.id)
    for line, number in conn.execute(count.where(chosen).group_by(skus.c.line_id)):
        told[line]["photos"] = int(number)
    made = sa.select(variants.c.sku_id, variants.c.state, sa.func.count().label("n"))
    if name:
        made = made.where(variants.c.sku_id.in_(mine))
    states = made.group_by(variants.c.sku_id, variants.c.state).subquery()
    of_line = sa.select(skus.c.line_id, states.c.state, sa.func.sum(states.c.n))
    joined = of_line.join(states, states.c.sku_id == skus.c.id).where(chosen)
    for line, state, number in conn.execute(joined.group_by(skus.c.line_id, states.c.state)):
        told[line]["variants"][state] = int(number)
    return sorted(told.values(), key=lambda row: str(row["line"]))


def _counted(conn: Connection, name: str, column: Any, joined: Any, where: Any) -> Counts:
    query = sa.select(column, sa.func.count().label("number")).select_from(joined).where(where).group_by(column)
    found = conn.execute(query.order_by(sa.desc("number"), column)).all()
    return [{name: value or "", "number": number} for value, number in found]


def states(conn: Connection) -> dict[str, int]:
    """How many variants stand in each state."""
    query = sa.select(variants.c.state, sa.func.count()).group_by(variants.c.state)
    return {state: int(number) for state, number in conn.execute(query)}


def blocked(conn: Connection, *, limit: int) -> list[sa.Row[Any]]:
    """Drafts that say why they go no further, newest first."""
    query = (
        sa.select(skus.c.code, skus.c.title, variants.c.number, variants.c.reason, variants.c.id, variants.c.sku_id)
        .join(skus)
        .where((variants.c.state == "draft") & (variants.c.reason != ""))
        .order_by(variants.c.changed_at.desc())
        .limit(limit)
    )
    return list(conn.execute(query))


def samples_waiting(conn: Connection) -> sa.Row[Any]:
    """How many samples of batches wait for reviewers (`number`), and since when (`since`)."""
    query = sa.select(sa.func.count().label("number"), sa.func.min(variants.c.changed_at).label("since")).where(
        (variants.c.state == "in review")
        & variants.c.planted.is_(None)
        & sa.cast(variants.c.second_look, sa.Text).like("%spot check%")
    )
    return conn.execute(query).one()


def voided_drafts(conn: Connection) -> sa.Row[Any]:
    """How many drafts had an approval that was taken back (`number`), and since when the first (`since`)."""
    was_decided = sa.exists().where((decisions.c.variant_id == variants.c.id) & decisions.c.void_at.is_not(None))
    query = sa.select(sa.func.count().label("number"), sa.func.min(variants.c.changed_at).label("since")).where(
        (variants.c.state == "draft") & was_decided
    )
    return conn.execute(query).one()
