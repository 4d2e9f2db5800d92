"""What every page shares: the visitor, their language, the form token, and the templates."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from vitrina.actions import doors
from vitrina.actions.doors import Visitor
from vitrina.actions.house import House
from vitrina.actions.wording import in_words
from vitrina.errors import NotAllowed, NotSignedIn
from vitrina.web.words import LANGUAGES, best_language, catalogue, refusal, say, when

SESSION, FORM, LANGUAGE = "vitrina_session", "vitrina_form", "vitrina_language"


@dataclass(frozen=True, slots=True)
class Desk:
    """A signed-in visitor's desk: the house with them in it."""

    request: Request
    house: House
    visitor: Visitor
    language: str

    def page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page for this visitor."""
        return render(self.request, template, self.visitor, status, **values)


def language_of(request: Request) -> str:
    """The language of the page."""
    return best_language(request.headers.get("accept-language", ""), request.cookies.get(LANGUAGE))


def house_of(request: Request) -> House:
    """The house, with nobody at its desk."""
    house: House = request.app.state.house
    return house


def visitor_of(request: Request) -> Visitor | None:
    """Who is signed in; None for a stranger."""
    secret = request.cookies.get(SESSION, "")
    return doors.visitor_of(house_of(request), secret) if secret else None


def signed_in(request: Request) -> Desk:
    """The desk of whoever is signed in; raises NotSignedIn."""
    visitor = visitor_of(request)
    if visitor is None:
        raise NotSignedIn("sign in first.")
    return Desk(request, house_of(request).acting_as(visitor.person), visitor, language_of(request))


async def checked_form(request: Request) -> AsyncIterator[Any]:
    """The form of a request, once its token is found to be the one our own page carried; raises NotAllowed.

    Scripts of our pages send the token as the header X-Form-Token instead.
    """
    async with request.form(max_files=2000, max_fields=1000) as form:
        visitor = visitor_of(request)
        wanted = visitor.csrf if visitor is not None else _stranger_token(request.cookies.get(FORM, ""))
        given = str(form.get("form_token") or request.headers.get("x-form-token", ""))
        if not wanted or not hmac.compare_digest(given.encode(), wanted.encode()):
            raise NotAllowed("the form is from another time or another place. Open the page again and send it anew.")
        yield form


def checked_header(request: Request) -> None:
    """For bodies that are no form: our scripts send the token as the header X-Form-Token. Raises NotAllowed."""
    visitor = visitor_of(request)
    given = request.headers.get("x-form-token", "")
    if visitor is None or not hmac.compare_digest(given.encode(), visitor.csrf.encode()):
        raise NotAllowed("the request is from another time or another place. Open the page again.")


At = Annotated[Desk, Depends(signed_in)]
Form = Annotated[Any, Depends(checked_form)]
Checked = Annotated[None, Depends(checked_header)]


def render(
    request: Request, template: str, visitor: Visitor | None = None, status: int = 200, **values: Any
) -> HTMLResponse:
    """A page of `template`."""
    language = language_of(request)
    fresh = ""
    token = visitor.csrf if visitor is not None else ""
    if visitor is None:
        fresh = request.cookies.get(FORM, "") or secrets.token_urlsafe(24)
        token = _stranger_token(fresh)

    def t(key: str, **named: Any) -> str:
        return say(language, key, **named)

    def line_text(line: str, english: str) -> str:
        return say(language, f"line-{line}") if catalogue("en").has_message(f"line-{line}") else english

    def say_refusal(text: str) -> Markup:
        """The program's sentence in the visitor's language, or as it is, marked as English."""
        told = refusal(language, text) if language != "en" else text
        return Markup("{}").format(told) if told else Markup('<span lang="en">{}</span>').format(text)

    text = _templates().get_template(template).render(
        t=t, language=language, languages=LANGUAGES, visitor=visitor, form_token=token, when=when,
        path=request.url.path, query=dict(request.query_params), may=visitor.may if visitor else lambda _p: False,
        asset=asset, is_demo=request.app.state.is_demo, line_text=line_text, say_refusal=say_refusal,
        has=catalogue("en").has_message, in_words=lambda finding: in_words(finding, language), **values,
    )  # fmt: skip
    response = HTMLResponse(text, status)
    if fresh and request.cookies.get(FORM) != fresh:
        set_cookie(request, response, FORM, fresh)
    return response


def set_cookie(request: Request, response: Any, name: str, value: str, *, days: int | None = None) -> None:
    """A cookie that no script reads and no other site sends; over HTTPS it never leaves it."""
    response.set_cookie(
        name, value, httponly=True, samesite="strict" if name == FORM else "lax", path="/",
        secure=request.url.scheme == "https", max_age=days * 86_400 if days else None,
    )  # fmt: skip


def go(path: str, **query: Any) -> RedirectResponse:
    """After a form: to a page, by GET."""
    return RedirectResponse(f"{path}?{urlencode(query)}" if query else path, 303)


def error_page(request: Request, status: int, text: str) -> HTMLResponse:
    """An error as a page: what, and the way back."""
    return render(request, "error.html", visitor_of(request), status, number=status, text=text)


def _stranger_token(secret: str) -> str:
    return hmac.new(secret.encode(), b"stranger", sha256).hexdigest() if secret else ""


@cache
def asset(name: str) -> str:
    """The address of a static file, with what changes when it changes."""
    data = files("vitrina.web").joinpath(f"static/{name}").read_bytes()
    return f"/static/{name}?{sha256(data).hexdigest()[:10]}"


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("vitrina.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["plain"] = _plain
    environment.filters["attribute"] = _attribute
    environment.filters["link"] = _link
    environment.filters["in_words"] = _in_words
    return environment


def _plain(value: object) -> str:
    """A measured value as people write it."""
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return "—" if value is None else str(value)


def _in_words(value: Any) -> str:
    """A rule's value as people write it: ``width 500, height 500`` for a table, commas for a list."""
    if isinstance(value, Mapping):
        return ", ".join(f"{str(key).replace('_', ' ')} {_in_words(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_in_words(item) for item in value)
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else _plain(value)


def _attribute(value: Any) -> Markup:
    """A value as JSON inside a double-quoted attribute."""
    return Markup(escape(json.dumps(value, ensure_ascii=False)))


def _link(value: str) -> str:
    from urllib.parse import quote

    return quote(value, safe="")
