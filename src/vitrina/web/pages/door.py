"""Coming in: set-up, sign-in, invitations, one's own page, and the language."""

from __future__ import annotations

import hmac
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from vitrina.actions import doors, outside, publishing
from vitrina.errors import NotAllowed, UsageError, VitrinaError
from vitrina.web.page import LANGUAGE, SESSION, At, Desk, Form, go, house_of, render, set_cookie, visitor_of
from vitrina.web.words import LANGUAGES

router = APIRouter()

_KINDS = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
ALONE = ("admin", "photographer", "retoucher", "reviewer", "publisher", "auditor")


@router.get("/set-up")
def show_set_up(request: Request, code: str = "") -> Response:
    """The form that makes the first admin."""
    if not doors.needs_first_person(house_of(request)):
        return go("/")
    needs_code = bool(request.app.state.door.setup_code)
    return render(request, "set_up.html", code=code, needs_code=needs_code, problem="", name="")


@router.post("/set-up")
def set_up(request: Request, form: Form) -> Response:
    """Make the first admin and sign them in."""
    wanted = request.app.state.door.setup_code
    name, code = _text(form, "name"), _text(form, "code")
    if wanted and not hmac.compare_digest(code.encode(), wanted.encode()):
        raise NotAllowed("the set-up code is wrong. It stands in the terminal where the studio was started.")
    try:
        roles = ALONE if _text(form, "alone") else ("admin",)
        secret = doors.set_up(house_of(request), name, _text(form, "password"), roles=roles)
    except UsageError as error:
        return render(
            request, "set_up.html", None, 400, code=code, needs_code=bool(wanted), problem=str(error), name=name
        )
    return _come_in(request, secret, "/")


@router.api_route("/handed-out/{code}/{market}/{name}", methods=["GET", "HEAD"])
def hand_out(request: Request, code: str, market: str, name: str) -> Response:
    """An exported picture for the marketplace that fetches it; nobody signs in."""
    data = publishing.handed_out(house_of(request), code, market, name)
    kind = _KINDS.get(name.rsplit(".", 1)[-1], "application/octet-stream")
    return Response(data, media_type=kind, headers={"Cache-Control": "public, max-age=300"})


@router.get("/sign-in")
def show_sign_in(request: Request, next: str = "/") -> Response:
    """The sign-in form."""
    if doors.needs_first_person(house_of(request)):
        return go("/set-up")
    if visitor_of(request) is not None:
        return go("/")
    return _sign_in_page(request, 200, after=inside(next))


@router.post("/sign-in")
def sign_in(request: Request, form: Form) -> Response:
    """Open the door, or say that the name or the password is wrong."""
    name, after = _text(form, "name"), inside(_text(form, "next"))
    address = request.client.host if request.client else "unknown"
    try:
        secret = doors.sign_in(house_of(request), name, _text(form, "password"), address=address)
    except NotAllowed as error:
        return _sign_in_page(request, error.http_status, after=after, problem=str(error), name=name)
    return _come_in(request, secret, after)


@router.post("/sign-out")
def sign_out(request: Request, form: Form) -> Response:  # noqa: ARG001
    """Close the door."""
    doors.sign_out(house_of(request), request.cookies.get(SESSION, ""))
    response = go("/sign-in")
    response.delete_cookie(SESSION, path="/")
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@router.get("/join/{secret}")
def show_join(request: Request, secret: str) -> Response:
    """The form in which somebody invited chooses a password."""
    name = doors.invited(house_of(request), secret)
    return render(request, "join.html", name=name, problem="")


@router.post("/join/{secret}")
def join(request: Request, secret: str, form: Form) -> Response:
    """Take the invitation and come in."""
    try:
        session = doors.accept(house_of(request), secret, _text(form, "password"))
    except UsageError as error:
        name = doors.invited(house_of(request), secret)
        return render(request, "join.html", None, 400, name=name, problem=str(error))
    return _come_in(request, session, "/")


@router.get("/me")
def me(at: At, problem: str = "", done: str = "") -> Response:
    """One's own page: roles, password, tokens."""
    return _me(at, problem=problem, done=done)


@router.post("/me/password")
def change_password(at: At, form: Form) -> Response:
    """Change one's own password."""
    try:
        secret = doors.change_password(at.house, _text(form, "old"), _text(form, "new"))
    except VitrinaError as error:
        return _me(at, error.http_status, problem=str(error))
    response = go("/me", done="password")
    set_cookie(at.request, response, SESSION, secret)
    return response


@router.post("/me/tokens")
def make_token(at: At, form: Form) -> Response:
    """Make a token; its secret is on this answer alone."""
    try:
        made = doors.make_token(at.house, _text(form, "name"), [str(s) for s in form.getlist("scope")])
    except UsageError as error:
        return _me(at, 400, problem=str(error))
    return _me(at, made=made)


@router.post("/me/tokens/{token}/end")
def end_token(at: At, form: Form, token: int) -> Response:  # noqa: ARG001
    """Revoke a token."""
    doors.end_token(at.house, token)
    return go("/me", done="token")


@router.post("/language")
def choose_language(request: Request, form: Form) -> Response:
    """Choose the language of the pages."""
    chosen = _text(form, "language")
    response = go(inside(_text(form, "next")))
    if chosen in LANGUAGES:
        set_cookie(request, response, LANGUAGE, chosen, days=365)
    return response


def _sign_in_page(request: Request, status: int, *, after: str, problem: str = "", name: str = "") -> Response:
    provider = outside.list_provider(house_of(request))
    return render(request, "sign_in.html", None, status, next=after, problem=problem, name=name, provider=provider)


def _me(at: Desk, status: int = 200, *, made: Any = None, problem: str = "", done: str = "") -> Response:
    tokens, accounts = doors.list_tokens(at.house)["tokens"], outside.list_accounts(at.house)
    return at.page("me.html", status, tokens=tokens, accounts=accounts, made=made, problem=problem, done=done)


def _come_in(request: Request, secret: str, path: str) -> Response:
    response = go(path)
    set_cookie(request, response, SESSION, secret)
    return response


def inside(path: str) -> str:
    """`path` when it leads to a page of ours, else the first page."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"


def _text(form: Any, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""
