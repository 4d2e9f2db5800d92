"""Looking through the whole house for approvals that rest on rules which have changed since."""

from __future__ import annotations

from typing import Any

from vitrina.actions.house import House, actor, sku_called
from vitrina.actions.pictures import refresh
from vitrina.store import pictures

PROGRAM = "(vitrina)"
"""Who takes approvals back when nobody asked: the program itself."""


def recheck(house: House, *, by_itself: bool = False) -> dict[str, Any]:
    """Send back to draft, with the reason, whatever rests on a rule pack that has changed; says what.

    Facts, factories and photos are looked at when they are changed; rule packs change with the program or on the disk,
    and nobody need touch the SKU. `by_itself`: a worker looks when it starts.
    """
    with house.store.reading() as conn:
        person = PROGRAM if by_itself else actor(conn, house, "review.submit")
        rows = pictures.resting(conn)
    markets = sorted({market for row in rows for market in row.basis["packs"]})
    now = {market: house.program.pack_version(market) for market in markets}
    stale = {row.code for row in rows if any(now[market] != was for market, was in row.basis["packs"].items())}
    told: list[str] = []
    for code in sorted(stale):
        with house.store.writing() as conn:
            told += refresh(conn, house, person, sku_called(conn, code))
    return {"schema": "vitrina.recheck/1", "back_to_draft": told, "verdict": "review" if told else "pass"}
