"""Reports, read-only: the monthly rejections, the quarterly returns, the audit, and how each line stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from vitrina.errors import UsageError
from vitrina.store import Connection, events, tallies


@dataclass(frozen=True, slots=True)
class Period:
    """A span of days: from `since`, up to but without `until`."""

    name: str
    since: date
    until: date

    @property
    def times(self) -> tuple[str, str]:
        """Its bounds as the records write times (UTC)."""
        return f"{self.since.isoformat()}T00:00:00", f"{self.until.isoformat()}T00:00:00"

    @property
    def dates(self) -> tuple[str, str]:
        return self.since.isoformat(), self.until.isoformat()


def month(text: str | None) -> Period:
    """The month ``2026-11``, or the present one."""
    first = _day(f"{text}-01", text) if text else datetime.now(UTC).date().replace(day=1)
    return Period(f"{first:%Y-%m}", first, (first + timedelta(days=31)).replace(day=1))


def quarter(text: str | None) -> Period:
    """The quarter ``2026-Q4``, or the present one."""
    if text:
        year, mark, number = text.partition("-Q")
        if not mark or number not in ("1", "2", "3", "4"):
            raise UsageError(f"{text!r} is not a quarter such as 2026-Q4.")
        first = _day(f"{year}-{3 * int(number) - 2:02}-01", text)
    else:
        today = datetime.now(UTC).date()
        first = today.replace(month=3 * ((today.month - 1) // 3) + 1, day=1)
    until = (first + timedelta(days=95)).replace(day=1)
    return Period(f"{first.year}-Q{(first.month + 2) // 3}", first, until)


def rejections(conn: Connection, period: Period) -> dict[str, Any]:
    """What people rejected, why, and what the rejected have in common."""
    decided = tallies.decided(conn, *period.times)
    total = sum(decided.values())
    return {
        "schema": "vitrina.report-rejections/1",
        "period": period.name,
        "decisions": decided,
        "share_rejected": round(decided.get("reject", 0) / total, 4) if total else None,
        "by": tallies.rejections_by(conn, *period.times),
        "findings": tallies.findings_of_rejections(conn, *period.times),
        "latest": tallies.latest_rejections(conn, *period.times),
    }


def returns(conn: Connection, period: Period) -> dict[str, Any]:
    """What buyers sent back, why, and who had approved its pictures."""
    found = tallies.returned(conn, *period.dates)
    by = tallies.returns_by(conn, *period.dates)
    return {
        "schema": "vitrina.report-returns/1",
        "period": period.name,
        "number": sum(item["number"] for item in by["reason"]),
        "by": by,
        "returns": found,
    }


def audit(conn: Connection, period: Period) -> dict[str, Any]:
    """Who decided what, how many planted faults they noticed, what went out, and the newest events of the ledger."""
    seq, head = events.head(conn)
    newest = events.between(conn, since=period.times[0], until=period.times[1], limit=200)
    return {
        "schema": "vitrina.report-audit/1",
        "period": period.name,
        "reviewers": tallies.reviewers(conn, *period.times),
        "exports": tallies.exported(conn, *period.times),
        "verbs": tallies.verbs(conn, *period.times),
        "ledger": {"events": seq, "head": head},
        "events": [
            {"seq": e.seq, "at": e.at, "person": e.person, "verb": e.verb, "subject": e.subject, "details": e.details}
            for e in newest
        ],
    }


def line(conn: Connection, name: str = "") -> dict[str, Any]:
    """How each line stands, or one of them; SKUs without a line stand under an empty name."""
    return {"schema": "vitrina.report-line/1", "lines": tallies.by_line(conn, name)}


def _day(text: str, told: str | None) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{told!r} is not a period such as 2026-11 or 2026-Q4.") from error
