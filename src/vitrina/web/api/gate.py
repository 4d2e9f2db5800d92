"""The gate: the queue, the checklist, decisions and exports."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from vitrina.actions import gate, viewing
from vitrina.actions.pictures import submit
from vitrina.actions.release import export
from vitrina.web.api.caller import PROBLEMS, By, as_bytes

router = APIRouter(responses=PROBLEMS, tags=["gate"])

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Words = Annotated[str, Field(max_length=1000)]


class Looked(BaseModel):
    """How long a place was on the screen, and at what zoom."""

    model_config = ConfigDict(extra="forbid")

    place: Annotated[int, Field(ge=0, le=1000)]
    ms: Annotated[int, Field(ge=0, le=86_400_000)]
    zoom: Annotated[int, Field(ge=0, le=10_000)]


class Answer(BaseModel):
    """An answer to a line of the checklist."""

    model_config = ConfigDict(extra="forbid")

    line: Annotated[str, Field(max_length=60)]
    yes: bool


class Approval(BaseModel):
    """An approval, with words if there are any."""

    model_config = ConfigDict(extra="forbid")

    words: Words = ""


class Rejection(BaseModel):
    """A rejection, with one of the reasons of the short list."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(max_length=60)]
    words: Words = ""


class ExportOrder(BaseModel):
    """Which marketplace's files."""

    model_config = ConfigDict(extra="forbid")

    market: Annotated[str, Field(max_length=40)]


@router.get("/review/queue")
def queue(
    by: By,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
) -> dict[str, Any]:
    """What waits for the caller. It does not tell whether anybody has decided already."""
    return gate.queue(by.need("review.decide"), limit=limit, after=after)


@router.post("/skus/{code}/review")
async def start(by: By, code: str) -> Response:
    """Start the review of the SKU's checked variants."""
    return await by.write("review.submit", lambda house: submit(house, code))


@router.get("/skus/{code}/variants/{number}")
def pair(by: By, code: str, number: Number, market: str = "") -> dict[str, Any]:
    """A variant beside its source: how the pictures lie on each other, findings and places in source pixels."""
    return viewing.show_pair(by.need("read"), code, number, market=market)


@router.get("/skus/{code}/variants/{number}/desk")
def desk(by: By, code: str, number: Number) -> dict[str, Any]:
    """The caller's checklist for a variant in review, and which lines are open."""
    return viewing.show_desk(by.need("review.decide"), code, number)


@router.post("/skus/{code}/variants/{number}/look")
async def look(by: By, code: str, number: Number, body: list[Looked]) -> Response:
    """Record which places were looked at."""
    seen = [item.model_dump() for item in body[:100]]
    return await by.write(
        "review.decide",
        lambda house: viewing.look(house, code, number, seen=seen),
        body=b"".join(as_bytes(item) for item in body),
    )


@router.post("/skus/{code}/variants/{number}/answer")
async def answer(by: By, code: str, number: Number, body: Answer) -> Response:
    """Answer a line of the checklist, after looking."""
    return await by.write(
        "review.decide",
        lambda house: viewing.answer_after_looking(house, code, number, body.line, yes=body.yes),
        body=as_bytes(body),
    )


@router.post("/skus/{code}/variants/{number}/approve")
async def approve(by: By, code: str, number: Number, body: Approval) -> Response:
    """Approve the exact bytes. Every line must have been answered yes."""
    return await by.write(
        "review.decide", lambda house: gate.approve(house, code, number=number, words=body.words), body=as_bytes(body)
    )


@router.post("/skus/{code}/variants/{number}/reject")
async def reject(by: By, code: str, number: Number, body: Rejection) -> Response:
    """Reject, or take back an approval."""
    return await by.write(
        "review.decide",
        lambda house: gate.reject(house, code, reason=body.reason, number=number, words=body.words),
        body=as_bytes(body),
    )


@router.post("/skus/{code}/export")
async def export_sku(by: By, code: str, body: ExportOrder) -> Response:
    """The approved files for one marketplace, in a folder of the house's home."""
    return await by.write("export", lambda house: export(house, code, market=body.market), body=as_bytes(body))
