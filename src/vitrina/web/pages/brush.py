"""The repair brush: strokes on the cutout, tried at once and kept as a new card."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from starlette.background import BackgroundTask

from vitrina.actions import brush
from vitrina.errors import UsageError
from vitrina.web.page import At, Form, go
from vitrina.web.pages.compare import layers_of

router = APIRouter()


@router.get("/skus/{code}/variants/{number}/brush")
def show(at: At, code: str, number: int) -> Response:
    """The cutout on the bench."""
    told = brush.show_brush(at.house, code, number)
    response = at.page("brush.html", brush=told, stage={"layers": layers_of(code, told["pictures"])})
    response.background = BackgroundTask(brush.lay_out, at.house, code, number)
    return response


@router.post("/skus/{code}/variants/{number}/brush/try")
def try_(at: At, form: Form, code: str, number: int) -> Response:
    """The cutout around the newest stroke."""
    return JSONResponse(brush.try_strokes(at.house, code, number, _strokes(form)))


@router.post("/skus/{code}/variants/{number}/brush")
def keep(at: At, form: Form, code: str, number: int) -> Response:
    """Ask for the card with the mended cutout."""
    brush.keep_strokes(at.house, code, number, _strokes(form))
    return go(f"/skus/{code}", done="mended")


def _strokes(form: Any) -> Any:
    try:
        return json.loads(str(form.get("strokes", "")))
    except ValueError as error:
        raise UsageError(f"strokes: a JSON list is wanted ({error}).") from error
