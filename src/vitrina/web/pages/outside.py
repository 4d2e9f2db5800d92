"""The way to an OpenID provider and back."""

from __future__ import annotations

import base64
import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from vitrina.actions import outside
from vitrina.actions.outside import Errand
from vitrina.errors import VitrinaError
from vitrina.web.page import SESSION, At, Form, go, house_of, render, set_cookie, visitor_of
from vitrina.web.pages.door import inside

router = APIRouter()

COOKIE = "vitrina_errand"


@router.get("/oidc/start")
def start(request: Request, next: str = "/", connect: str = "") -> Response:
    """To the provider: to come in, or to connect one's account there."""
    where, errand = outside.set_out(
        house_of(request), redirect_uri=_back(request), connects=bool(connect), after=inside(next)
    )
    response = RedirectResponse(where, 303)
    set_cookie(request, response, COOKIE, base64.urlsafe_b64encode(json.dumps(errand.as_dict()).encode()).decode())
    return response


@router.get("/oidc/back")
def back(request: Request) -> Response:
    """From the provider: in, or the sign-in page with the reason why not."""
    errand = _errand(request.cookies.get(COOKIE, ""))
    visitor = visitor_of(request)
    house = house_of(request)
    if errand is not None and errand.connects and visitor is not None:
        house = house.acting_as(visitor.person)
    try:
        secret = outside.come_back(
            house, errand, dict(request.query_params), redirect_uri=_back(request),
            address=request.client.host if request.client else "unknown",
        )  # fmt: skip
    except VitrinaError as error:
        if visitor is not None:
            response: Response = go("/me", problem=str(error))
        else:
            response = render(request, "sign_in.html", None, error.http_status, next="/", problem=str(error), name="",
                              provider=outside.list_provider(house))  # fmt: skip
        response.delete_cookie(COOKIE, path="/")
        return response
    response = go("/me", done="account") if secret is None else go(errand.after if errand else "/")
    if secret is not None:
        set_cookie(request, response, SESSION, secret)
    response.delete_cookie(COOKIE, path="/")
    return response


@router.post("/me/accounts/{number}/end")
def disconnect(at: At, form: Form, number: int) -> Response:  # noqa: ARG001
    """Disconnect an account."""
    outside.disconnect(at.house, number)
    return go("/me", done="account")


def _back(request: Request) -> str:
    return f"{str(request.base_url).rstrip('/')}/oidc/back"


def _errand(text: str) -> Errand | None:
    try:
        told: Any = json.loads(base64.urlsafe_b64decode(text))
        errand = Errand(**told)
    except (ValueError, TypeError):
        return None
    return (
        errand if all(isinstance(v, str) for v in (errand.state, errand.nonce, errand.verifier, errand.after)) else None
    )
