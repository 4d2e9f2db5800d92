"""The application: one house, the doors around it, and the headers of every answer."""

from __future__ import annotations

import ipaddress
import logging
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from importlib.resources import files
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from vitrina import __version__
from vitrina.actions.house import House
from vitrina.actions.studio import as_nobody
from vitrina.errors import NotSignedIn, VitrinaError
from vitrina.web import api, pages
from vitrina.web.page import error_page

MOST_BYTES = 400 * 2**20
"""The largest request that is read at all; photos have their own limit in megapixels."""

POLICY = "; ".join(
    (
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' blob: data:", "font-src 'self'",
        "connect-src 'self'", "manifest-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
    )
)  # fmt: skip
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=()",
}

_log = logging.getLogger("vitrina.web")


@dataclass(frozen=True, slots=True)
class Door:
    """How the studio is reached: the names it answers to ("*": any), and the code that the first set-up asks for."""

    hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    setup_code: str = ""


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine can reach `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def make_app(house: House, door: Door | None = None, *, is_demo: bool = False) -> FastAPI:
    """The studio of `house`; of a demo every page says that it is one."""
    app = FastAPI(
        title="Vitrina", version=__version__, docs_url=None, redoc_url=None, openapi_url="/openapi.json",
        description="Jewelry marketplace photos that still show the very piece. Everything is a draft until a person "
        "with the right role approved it.",
    )  # fmt: skip
    app.state.house = as_nobody(house)
    app.state.door = door or Door()
    app.state.is_demo = is_demo
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.middleware("http")(_guard)
    app.mount("/static", StaticFiles(directory=str(files("vitrina.web").joinpath("static"))), name="static")
    api.register(app)
    pages.register(app)
    app.add_exception_handler(VitrinaError, _answer_error)
    app.add_exception_handler(RequestValidationError, _answer_error)
    app.add_exception_handler(HTTPException, _answer_error)
    return app


async def _guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Known names only (against DNS rebinding), no foreign page's writes, no endless bodies; headers always."""
    refusal = _refusal(request)
    if refusal is not None:
        response = _problem(*refusal)
    else:
        try:
            response = await call_next(request)
        except Exception as error:  # a bug: loud in the log, and one sentence to the visitor
            traceback.print_exception(error)
            response = answer(request, 500, f"an unexpected {type(error).__name__}. Please report it.")
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if "cache-control" not in response.headers:
        response.headers["Cache-Control"] = "no-cache" if request.url.path.startswith("/static/") else "no-store"
    if request.url.scheme == "https":
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


def _refusal(request: Request) -> tuple[int, str] | None:
    hosts = request.app.state.door.hosts
    host = request.headers.get("host", "")
    name = host if host.endswith("]") else host.rsplit(":", 1)[0]
    if "*" not in hosts and name not in hosts:
        return 421, f"{name[:100]!r} is not a name of this studio. Start it with --name {name[:100]}."
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MOST_BYTES:
        return 413, f"the request has {length[:20]} bytes; {MOST_BYTES} are read at most."
    if request.method in ("POST", "PUT", "PATCH", "DELETE"):
        if "transfer-encoding" in request.headers and "content-length" not in request.headers:
            return 411, "say how long the request is (Content-Length)."
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return 403, "this request comes from another site."
        origin = request.headers.get("origin")
        if origin not in (None, "null") and origin.split("://")[-1] != host:
            return 403, "this request comes from another site."
    return None


async def _answer_error(request: Request, error: Exception) -> Response:
    if isinstance(error, NotSignedIn) and not _is_api(request) and request.method == "GET":
        return RedirectResponse(f"/sign-in?next={request.url.path}", 303)
    if isinstance(error, VitrinaError):
        return answer(request, error.http_status, str(error))
    if isinstance(error, RequestValidationError):
        told = "; ".join(f"{'.'.join(map(str, e['loc'][1:]))}: {e['msg']}" for e in error.errors()[:5])
        return answer(request, 422, told)
    assert isinstance(error, HTTPException)
    return answer(request, error.status_code, str(error.detail))


def answer(request: Request, status: int, text: str) -> Response:
    """An error: problem+json to programs, a page to people."""
    if _is_api(request) or "text/html" not in request.headers.get("accept", ""):
        return _problem(status, text)
    return error_page(request, status, text)


def _problem(status: int, text: str) -> Response:
    told: dict[str, Any] = {"type": "about:blank", "title": _title(status), "status": status, "detail": text}
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse(told, status, media_type="application/problem+json", headers=headers)


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _is_api(request: Request) -> bool:
    return request.url.path.startswith(("/api/", "/openapi.json"))
