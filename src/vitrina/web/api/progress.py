"""Live progress as server-sent events, and the QA calendar."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from vitrina.actions import studio
from vitrina.actions.calendar import calendar
from vitrina.errors import Busy, VitrinaError
from vitrina.web.api.caller import PROBLEMS, By

router = APIRouter(responses=PROBLEMS, tags=["work"])

EVERY_S = 1.0
STILL_HERE_S = 15.0
"""Proxies cut lines on which nothing is said."""
LONGEST_S = 300
MOST = 64
"""So many may listen at once; others ask again later."""

_STREAM: dict[int | str, Any] = {200: {"description": "Events `progress` and `done`.",
                                       "content": {"text/event-stream": {"schema": {"type": "string"}}}}}  # fmt: skip
Seconds = Annotated[int, Query(ge=0, le=LONGEST_S, description="How long to listen; 0: how it stands now.")]
LastId = Annotated[str, Header(alias="Last-Event-ID", max_length=200)]

_listening: set[int] = set()


@router.get("/calendar")
def due(by: By) -> dict[str, Any]:
    """What checks fall due when, in the next 120 days."""
    return calendar(by.need("read"))


@router.get("/progress", responses=_STREAM, response_class=StreamingResponse)
async def all_batches(by: By, seconds: Seconds = LONGEST_S, last_event_id: LastId = "") -> StreamingResponse:
    """How far every batch is that has something left to do, told whenever it changes; ends when nothing is left."""
    return await _stream(partial(studio.progress, by.need("read")), seconds, last_event_id)


@router.get("/batches/{number}/progress", responses=_STREAM, response_class=StreamingResponse)
async def one_batch(
    by: By,
    number: Annotated[int, Path(ge=1, le=2**31 - 1)],
    seconds: Seconds = LONGEST_S,
    last_event_id: LastId = "",
) -> StreamingResponse:
    """How far a batch is, told whenever it changes; ends with it."""
    return await _stream(partial(studio.progress, by.need("read"), number), seconds, last_event_id)


async def _stream(ask: Callable[[], dict[str, Any]], seconds: int, last_id: str) -> StreamingResponse:
    if len(_listening) >= MOST:
        raise Busy(f"{MOST} listen already. Ask GET /batches now and then instead.")
    await run_in_threadpool(ask)  # what is not allowed or not there is answered as a problem, before anything is sent

    async def body() -> AsyncIterator[str]:
        mine = id(object())
        _listening.add(mine)
        try:
            async for text in told(lambda: run_in_threadpool(ask), last_id=last_id, seconds=seconds):
                yield text
        finally:
            _listening.discard(mine)

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(body(), media_type="text/event-stream", headers=headers)


async def told(
    ask: Callable[[], Awaitable[dict[str, Any]]], *, last_id: str, seconds: float, every_s: float = EVERY_S
) -> AsyncIterator[str]:
    """The events of what `ask` says, whenever it says something else than `last_id` stands for.

    Ends after `seconds`, when nothing is left to be done (``done``), or when asking is no longer allowed.
    """
    begun = said_at = asyncio.get_running_loop().time()
    yield "retry: 3000\n\n"
    while True:
        try:
            document = await ask()
        except VitrinaError:
            return
        text = json.dumps(document, sort_keys=True)
        number = hashlib.sha256(text.encode()).hexdigest()[:16]
        now = asyncio.get_running_loop().time()
        if number != last_id or document["is_done"]:
            kind = "done" if document["is_done"] else "progress"
            yield f"id: {number}\nevent: {kind}\ndata: {text}\n\n"
            last_id, said_at = number, now
        elif now - said_at >= STILL_HERE_S:
            yield ": still here\n\n"
            said_at = now
        if document["is_done"] or now - begun >= seconds:
            return
        await asyncio.sleep(every_s)
