"""Webhooks: who is told of what happens here."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from vitrina.actions import webhooks as verbs
from vitrina.web.api.caller import PROBLEMS, By, as_bytes

router = APIRouter(responses=PROBLEMS, tags=["webhooks"])

PERMISSION = "webhook.edit"
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Limit = Annotated[int, Query(ge=1, le=500)]
Place = Annotated[int, Query(ge=0, le=2**31 - 1)]


class NewWebhook(BaseModel):
    """Where to send what: types as `GET /webhooks` lists them."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(min_length=1, max_length=2000)]
    types: Annotated[list[Annotated[str, Field(max_length=60)]], Field(min_length=1, max_length=100)]


@router.get("/webhooks")
def webhooks(by: By, after: Place = 0, limit: Limit = 50) -> dict[str, Any]:
    """A page of the webhooks and every type there is; `next_after` of one page is `after` of the next."""
    return verbs.list_webhooks(by.need(PERMISSION), after=after, limit=limit)


@router.post("/webhooks", status_code=201)
async def add(by: By, body: NewWebhook) -> Response:
    """Add a webhook. The secret that signs its messages is in this answer alone."""
    return await by.write(
        PERMISSION, lambda house: verbs.add_webhook(house, body.url, body.types), body=as_bytes(body), status=201
    )


@router.delete("/webhooks/{number}")
async def end(by: By, number: Number) -> Response:
    """Tell this webhook nothing more."""
    return await by.write(PERMISSION, lambda house: verbs.end_webhook(house, number))


@router.post("/webhooks/{number}/ping", status_code=202)
async def ping(by: By, number: Number) -> Response:
    """Send a message of the type `ping`."""
    return await by.write(PERMISSION, lambda house: verbs.ping(house, number), status=202)


@router.get("/webhooks/{number}/deliveries")
def deliveries(by: By, number: Number, before: Place = 0, limit: Limit = 50) -> dict[str, Any]:
    """The newest messages and how they went; `next_before` of one page is `before` of the next."""
    return verbs.list_deliveries(by.need(PERMISSION), number, before=before, limit=limit)


@router.post("/webhooks/{number}/deliveries/{delivery}/again", status_code=202)
async def again(by: By, number: Number, delivery: Number) -> Response:
    """Send a message once more, the same bytes under the same id."""
    return await by.write(PERMISSION, lambda house: verbs.send_again(house, number, delivery), status=202)
