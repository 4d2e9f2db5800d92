"""Judging any pair without an SKU."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from vitrina.actions import studio
from vitrina.errors import VitrinaError
from vitrina.web.page import At, Form, go
from vitrina.web.pages.catalogue import picture_answer, upload

router = APIRouter()

NO_STRIPS = {"stones": [], "links": [], "metal": [], "needs_cutout": True}
"""Of a pair in which the piece was not found."""


@router.get("/judge")
def show(at: At) -> Response:
    """Two places to drop pictures into."""
    return at.page("judge.html", problem="")


@router.post("/judge")
async def judge(at: At, form: Form) -> Response:
    """Judge the pair."""
    from starlette.concurrency import run_in_threadpool

    try:
        source, edit = await upload(form, "source"), await upload(form, "edit")
        facts = str(form.get("facts", "")).encode()
        kept = await run_in_threadpool(studio.judge_pair, at.house, source, edit, facts=facts)
    except VitrinaError as error:
        return at.page("judge.html", error.http_status, problem=str(error))
    return go(f"/judge/{kept['id']}")


@router.get("/judge/{number}")
def judged(at: At, number: str) -> Response:
    """A judged pair on the stage."""
    kept = studio.show_judged(at.house, number)
    layers = {
        name: {**picture, "base": f"/judge/{number}/{name}/", "query": ""} for name, picture in kept["pictures"].items()
    }
    marks = [{"region": f["region"], "severity": f["severity"]} for f in kept["findings"]]
    stage = {"layers": layers, "marks": marks, "places": [], "strips": "", "told": kept.get("strips") or NO_STRIPS}
    return at.page("judged.html", kept=kept, stage=stage)


@router.get("/judge/{number}/{called}/{entry:path}")
def picture(at: At, number: str, called: str, entry: str) -> Response:
    """A part of a judged picture."""
    return picture_answer(studio.show_judged_picture(at.house, number, called, entry), entry)
