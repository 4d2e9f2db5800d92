"""The page of the webhooks: who is told what, how it went, and trying it."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from vitrina.actions import webhooks as verbs
from vitrina.errors import VitrinaError
from vitrina.web.page import At, Desk, Form, go

router = APIRouter()


@router.get("/webhooks")
def webhooks(at: At) -> Response:
    """Every webhook that is told something, with its newest messages, and the form of a new one."""
    return _page(at)


@router.post("/webhooks")
def add(at: At, form: Form) -> Response:
    """A new webhook; its secret is on this answer alone."""
    try:
        made = verbs.add_webhook(at.house, str(form.get("url", "")), [str(name) for name in form.getlist("type")])
    except VitrinaError as error:
        return _page(at, error.http_status, problem=str(error))
    return _page(at, made=made)


@router.post("/webhooks/{number}/ping")
def ping(at: At, form: Form, number: int) -> Response:  # noqa: ARG001
    """Send a message that says nothing."""
    verbs.ping(at.house, number)
    return go("/webhooks")


@router.post("/webhooks/{number}/end")
def end(at: At, form: Form, number: int) -> Response:  # noqa: ARG001
    """Tell it nothing more."""
    verbs.end_webhook(at.house, number)
    return go("/webhooks")


@router.post("/webhooks/{number}/deliveries/{delivery}/again")
def again(at: At, form: Form, number: int, delivery: int) -> Response:  # noqa: ARG001
    """Send a message once more."""
    verbs.send_again(at.house, number, delivery)
    return go("/webhooks")


def _page(at: Desk, status: int = 200, *, made: object = None, problem: str = "") -> Response:
    known = verbs.list_webhooks(at.house, limit=500)
    told = [hook for hook in known["webhooks"] if hook["ended_at"] is None]
    sent = {h["webhook"]: verbs.list_deliveries(at.house, h["webhook"], limit=10)["deliveries"] for h in told}
    return at.page("webhooks.html", status, webhooks=told, sent=sent, types=known["types"], made=made, problem=problem)
