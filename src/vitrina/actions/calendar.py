"""The QA calendar: which checks of the house fall due when."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from vitrina.actions.house import House, actor
from vitrina.actions.rule_packs import list_rules
from vitrina.store import batches, events, people, tallies

AHEAD = timedelta(days=120)
"""How far the calendar looks."""


def calendar(house: House) -> dict[str, Any]:
    """What falls due in the next 120 days, by day; what is due already comes first.

    Kinds: ``spot-check`` (samples of batches that wait for reviewers), ``held`` (batches that a failed one stopped),
    ``recheck`` (drafts whose approval was taken back), ``rules`` and ``stop`` (when a rule pack must be read again, and
    when exports by it stop), ``rejections`` (monthly), ``returns`` and ``audit`` (quarterly), ``backup``.
    """
    today = house.clock().date()
    with house.store.reading() as conn:
        actor(conn, house, "read")
        samples, voided = tallies.samples_waiting(conn), tallies.voided_drafts(conn)
        found = [_due("spot-check", today, since=samples.since, count=samples.number)] if samples.number else []
        found += [_due("held", today, what=str(row.id), count=1) for row in batches.held(conn)]
        found += [_due("recheck", today, since=voided.since, count=voided.number)] if voided.number else []
        kept = events.latest(conn, verb="archive.backup", subject="archive")
        every = int(people.policy(conn, "backup_every_days"))
        if every:
            last = date.fromisoformat(kept.at[:10]) if kept is not None else None
            found.append(_due("backup", last + timedelta(days=every) if last else today))
    packs = list_rules(house.config)["packs"]
    for kind, key in (("rules", "reread_by"), ("stop", "stop_after")):
        for day in sorted({pack[key] for pack in packs}):
            names = [pack["name"] for pack in packs if pack[key] == day]
            found.append(_due(kind, date.fromisoformat(day), name=", ".join(names), count=len(names)))
    month = (today.replace(day=1) + timedelta(days=31)).replace(day=1)
    quarter = month
    while quarter.month % 3 != 1:
        quarter = (quarter + timedelta(days=31)).replace(day=1)
    found += [_due("rejections", month), _due("returns", quarter), _due("audit", quarter)]
    told = [{**item, "is_due": item["on"] <= today.isoformat()} for item in found]
    told = [item for item in told if item["on"] <= (today + AHEAD).isoformat()]
    told.sort(key=lambda item: (not item["is_due"], item["on"], item["kind"], item["what"]))
    return {"schema": "vitrina.calendar/1", "today": today.isoformat(), "due": told}


def _due(
    kind: str, on: date, *, what: str = "", name: str = "", since: str | None = None, count: int = 0
) -> dict[str, Any]:
    return {"on": on.isoformat(), "kind": kind, "what": what, "name": name, "since": since, "count": count}
