"""Compare, the heart: a variant beside its source, and the desk where it is decided on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from vitrina.actions import closeups, gate, studio, viewing
from vitrina.actions.rule_packs import list_rules
from vitrina.actions.skus import show_sku
from vitrina.errors import UsageError
from vitrina.web.page import At, Form, go
from vitrina.web.pages.catalogue import picture_answer

router = APIRouter()


@router.get("/review")
def review(at: At, after: int = 0) -> Response:
    """What waits for the person at the desk."""
    return at.page("review.html", queue=gate.queue(at.house, limit=50, after=after))


@router.get("/skus/{code}/variants/{number}")
def compare(at: At, code: str, number: int, market: str = "") -> Response:
    """A variant and its source, side by side; with the desk when it is in review."""
    pair = viewing.show_pair(at.house, code, number, market=market)
    desk = None
    if viewing.is_in_review(pair) and at.visitor.may("review.decide"):
        desk = viewing.show_desk(at.house, code, number)
    photos = show_sku(at.house, code)["photos"]
    markets = [pack["market"] for pack in list_rules(at.house.config)["packs"]]
    return at.page("compare.html", pair=pair, desk=desk, reasons=studio.reject_reasons(), stage=stage_of(pair),
                   photos=photos, all_markets=markets)  # fmt: skip


@router.get("/skus/{code}/variants/{number}/strips")
def strips(at: At, code: str, number: int, market: str = "") -> Response:
    """Every stone, link and tone, for the strips under the stage."""
    return JSONResponse(closeups.show_strips(at.house, code, number, market=market))


@router.post("/skus/{code}/variants/{number}/look")
async def look(at: At, form: Form, code: str, number: int) -> Response:
    """Record which places were looked at, how long and how closely."""
    from starlette.concurrency import run_in_threadpool

    try:
        seen = [
            {key: int(item[key]) for key in ("place", "ms", "zoom")} for item in json.loads(str(form.get("seen", "")))
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"seen: a JSON list of place, ms and zoom is wanted ({error}).") from error
    return JSONResponse(await run_in_threadpool(viewing.look, at.house, code, number, seen=seen[:100]))


@router.post("/skus/{code}/variants/{number}/answer")
def answer(at: At, form: Form, code: str, number: int) -> Response:
    """Answer a line of the checklist."""
    line, yes = str(form.get("line", "")), str(form.get("answer", "")) == "yes"
    desk = viewing.answer_after_looking(at.house, code, number, line, yes=yes)
    return JSONResponse(desk) if _is_script(at) else go(f"/skus/{code}/variants/{number}")


@router.post("/skus/{code}/variants/{number}/approve")
def approve(at: At, form: Form, code: str, number: int) -> Response:
    """Approve the exact bytes."""
    gate.approve(at.house, code, number=number, words=str(form.get("words", ""))[:1000])
    return go("/review", done="approved", sku=code)


@router.post("/skus/{code}/variants/{number}/reject")
def reject(at: At, form: Form, code: str, number: int) -> Response:
    """Reject, with the reason."""
    words = str(form.get("words", ""))[:1000]
    reason = str(form.get("reason", ""))
    gate.reject(at.house, code, reason=reason, number=number, words=words)
    return go("/review", done="rejected", sku=code, variant=number, reason=reason)


@router.post("/skus/{code}/variants/{number}/heat")
def draw_heat(at: At, form: Form, code: str, number: int) -> Response:
    """Measure the pair for its heatmap."""
    market = str(form.get("market", ""))
    viewing.draw_heat(at.house, code, number, market=market)
    return go(f"/skus/{code}/variants/{number}", market=market, heat="1")


@router.get("/skus/{code}/variants/{number}/heat/{entry:path}")
def heat(at: At, code: str, number: int, entry: str, market: str = "") -> Response:
    """A part of a heatmap."""
    return picture_answer(viewing.show_heat(at.house, code, number, market, entry), entry)


def stage_of(pair: dict[str, Any]) -> dict[str, Any]:
    """What the script of the stage is given: where the tiles are, how the pictures lie, what to point at."""
    layers = layers_of(pair["sku"], pair["pictures"])
    here, query = (
        f"/skus/{quote(pair['sku'], safe='')}/variants/{pair['variant']}",
        urlencode({"market": pair["market"]}),
    )
    if "heat" in layers:
        layers["heat"] |= {"base": f"{here}/heat/", "query": f"?{query}"}
    marks = [{"region": f["region"], "severity": f["severity"]} for f in pair["findings"]]
    return {
        "layers": layers,
        "marks": marks,
        "places": pair["places"],
        "strips": f"{here}/strips?{query}",
        "told": None,
    }


def layers_of(code: str, shown: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Pictures of an SKU with the addresses of their tiles."""
    start = f"/skus/{quote(code, safe='')}/pictures"
    return {name: {**each, "base": f"{start}/{each['digest']}/", "query": ""} for name, each in shown.items()}


def _is_script(at: At) -> bool:
    return "application/json" in at.request.headers.get("accept", "")
