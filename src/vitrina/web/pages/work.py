"""Batches, and the export of what is approved."""

from __future__ import annotations

import shutil
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response
from starlette.background import BackgroundTask

from vitrina.actions import gate, handing, studio
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

    files, tables = [
        [(str(f.filename), await f.read()) for f in form.getlist(name) if not isinstance(f, str) and f.filename]
        for name in ("photos", "table")
    ]
    files += [
        (str(f.filename), await f.read()) for f in form.getlist("folder") if not isinstance(f, str) and f.filename
    ]
    columns = (str(form.get("column_sku") or "sku"), str(form.get("column_photo") or "photo"))

    def act() -> Any:
        table = tables[0] if tables else None
        return studio.ask_batch(at.house, files, recipe=recipe_from(form), table=table, columns=columns)

    try:
        asked = await run_in_threadpool(act)
    except VitrinaError as error:
        markets = [pack["market"] for pack in list_rules(at.house.config)["packs"]]
        known = studio.list_batches(at.house)["batches"]
        return at.page("batches.html", error.http_status, batches=known, markets=markets, problem=str(error))
    batch = studio.show_batch(at.house, asked["batch"])
    return (
        at.page("batch.html", batch=batch, refused=asked["refused"])
        if asked["refused"]
        else go(f"/batches/{asked['batch']}")
    )


@router.get("/batches/{number}")
def batch(at: At, number: int) -> Response:
    """How far a batch is, and its failures by cause."""
    return at.page("batch.html", batch=studio.show_batch(at.house, number), refused=[])


@router.post("/batches/{number}/release")
def release(at: At, form: Form, number: int) -> Response:
    """Let a held batch go on."""
    gate.release(at.house, number, words=str(form.get("words", "")))
    return go(f"/batches/{number}")


@router.post("/skus/{code}/export")
def export_sku(at: At, form: Form, code: str) -> Response:
    """The approved files for one marketplace, as a folder of the home; the page says which and gives them as a ZIP."""
    made = export(at.house, code, market=str(form.get("market", "")))
    return at.page("exported.html", made=made)


@router.get("/skus/{code}/exports/{market}.zip")
def exported(at: At, code: str, market: str) -> Response:
    """What was exported, as a ZIP."""
    return _file(handing.export_zip(at.house, code, market), f"{code}-{market}.zip")


@router.post("/skus/{code}/publish")
def publish(at: At, form: Form, code: str) -> Response:
    """What would be sent to the marketplace; with the button on that page, send it."""
    market, is_meant = str(form.get("market", "")), bool(form.get("send"))
    listing = {key[3:]: str(form.get(key, "")) for key in form if key.startswith("to-")}
    how = {"pictures_at": str(form.get("pictures_at", "")), "replace": bool(form.get("replace"))}
    told = handing.send(at.house, code, market, listing, dry_run=not is_meant, **how)
    return at.page("published.html", told=told, listing=listing, how=how)


@router.post("/skus/{code}/dispute")
def dispute(at: At, form: Form, code: str) -> Response:
    """Everything that shows what the SKU's pictures were made from and who approved them, as a ZIP."""
    path = handing.dispute_file(at.house, code, str(form.get("until", "")))
    return FileResponse(
        path, media_type="application/zip", filename=f"{code}-dispute.zip",
        background=BackgroundTask(shutil.rmtree, path.parent, ignore_errors=True),
    )  # fmt: skip


def _file(data: bytes, name: str) -> Response:
    told = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Response(data, media_type="application/zip", headers={"Content-Disposition": told})
