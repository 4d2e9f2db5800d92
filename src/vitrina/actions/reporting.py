"""The reports, for those who may read them."""

from __future__ import annotations

from typing import Any

from vitrina import reports
from vitrina.actions.house import House, actor
from vitrina.errors import Missing
from vitrina.store import skus


def report_rejections(house: House, month: str | None) -> dict[str, Any]:
    """The rejections of a month."""
    period = reports.month(month)
    with house.store.reading() as conn:
        actor(conn, house, "read")
        return reports.rejections(conn, period)


def report_returns(house: House, quarter: str | None) -> dict[str, Any]:
    """The returns of a quarter."""
    period = reports.quarter(quarter)
    with house.store.reading() as conn:
        actor(conn, house, "read")
        return reports.returns(conn, period)


def report_audit(house: House, quarter: str | None) -> dict[str, Any]:
    """The audit of a quarter."""
    period = reports.quarter(quarter)
    with house.store.reading() as conn:
        actor(conn, house, "audit.read")
        return reports.audit(conn, period)


def report_line(house: House, name: str) -> dict[str, Any]:
    """How each line stands, or the one called `name`."""
    with house.store.reading() as conn:
        actor(conn, house, "read")
        if name and skus.get_line(conn, name) is None:
            raise Missing(f"there is no line {name!r}. See vitrina line list.")
        return reports.line(conn, name)
