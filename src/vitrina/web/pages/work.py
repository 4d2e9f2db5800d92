"""Batches, and the export of what is approved."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from vitrina.actions import gate, studio
from vitrina.actions.release import export
from vitrina.actions.rule_packs import list_rules
from vitrina.errors import VitrinaError
from vitrina.web.page import At, Form, go
from vitrina.web.pages.catalogue import recipe_from

router = APIRouter()


@router.get("/batches")
def batches(at: At) -> Response:
    """Every batch, and the form of a new one."""
    markets = [pack["market"] for pack in list_rules(at.house.config)["packs"]]
    return at.page("batches.html", batches=studio.list_batches(at.house)["batches"], markets=markets, problem="")


@router.post("/batches")
async def ask(at: At, form: Form) -> Response:
    """A card for every SKU that the photos' names name."""
    from starlette.concurrency import run_in_threadpool

    files = [(str(f.filename), await f.read()) for f in form.getlist("photos") if not isinstance(f, str) and f.filename]
    try:
        asked = await run_in_threadpool(studio.ask_batch, at.house, files, recipe=recipe_from(form))
    except VitrinaError as error:
        markets = [pack["market"] for pack in list_rules(at.house.config)["packs"]]
        known = studio.list_batches(at.house)["batches"]
        return at.page("batches.html", error.http_status, batches=known, markets=markets, problem=str(error))
    return go(f"/batches/{asked['batch']}", refused=len(asked["refused"]))


@router.get("/batches/{number}")
def batch(at: At, number: int) -> Response:
    """How far a batch is, and its failures by cause."""
    return at.page("batch.html", batch=studio.show_batch(at.house, number))


@router.post("/batches/{number}/release")
def release(at: At, form: Form, number: int) -> Response:
    """Let a held batch go on."""
    gate.release(at.house, number, words=str(form.get("words", "")))
    return go(f"/batches/{number}")


@router.post("/skus/{code}/export")
def export_sku(at: At, form: Form, code: str) -> Response:
    """The approved files for one marketplace, as a folder of the home; the page says which."""
    made = export(at.house, code, market=str(form.get("market", "")))
    return at.page("exported.html", made=made)
