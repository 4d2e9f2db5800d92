"""The reports, for those who may read them."""

from __future__ import annotations

from typing import Any

from vitrina import reports
from vitrina.actions.house import House, actor
from vitrina.errors import Missing, UsageError
from vitrina.model import Digest, verdict_of
from vitrina.rules.load import load_pack
from vitrina.stages import review
from vitrina.stages.line_meter import Measured, measure_picture, meter
from vitrina.stages.review import State
from vitrina.store import Connection, pictures, skus


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


def report_line(house: House, name: str, *, market: str = "") -> dict[str, Any]:
    """How each line stands; with a `market`, of the one called `name` also how alike its main pictures for it are."""
    if market:
        load_pack(market)
        if not name:
            raise UsageError(f"--market {market}: name the line whose main pictures are to be compared.")
    with house.store.reading() as conn:
        actor(conn, house, "read")
        if name and skus.get_line(conn, name) is None:
            raise Missing(f"there is no line {name!r}. See vitrina line list.")
        document = reports.line(conn, name)
        mains = _main_pictures(conn, name, market) if market else []
    if not market:
        return document
    measured = [_measured(house, *main) for main in mains]
    spread, apart = meter(measured)
    outliers = [{"sku": sku, **finding.as_dict()} for sku, finding in apart]
    told = {"market": market, "spread": spread, "outliers": outliers, "pictures": [m.as_dict() for m in measured]}
    return {**document, "meter": told, "verdict": verdict_of(finding for _, finding in apart).value}


def _main_pictures(conn: Connection, line: str, market: str) -> list[tuple[str, str, Digest]]:
    """SKU, metal and the main file of each SKU of a line: of its newest variant that was not rejected."""
    found = []
    for sku in skus.of_line(conn, line):
        variants = pictures.variants_of(conn, sku.id)
        for variant in sorted(variants, key=lambda v: (v.state in review.LIVE, v.number), reverse=True):
            if variant.planted or variant.state in (State.REJECTED, State.SUPERSEDED):
                continue
            made = [r for r in pictures.renditions_of(conn, variant.id, market=market) if r.slot == "main"]
            if made:
                metal = " ".join(str(sku.facts.get(key, "")) for key in ("metal", "alloy")).strip().lower()
                found.append((sku.code, metal, Digest(made[0].digest)))
                break
    return found


def _measured(house: House, code: str, metal: str, digest: Digest) -> Measured:
    from vitrina import steps

    return measure_picture(
        steps.take_in(house.works.get(digest), name=f"{code}'s main picture").rgb, sku=code, group=metal
    )
