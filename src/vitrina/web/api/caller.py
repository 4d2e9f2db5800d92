"""Who calls: a token (its scopes and its person's roles both hold), or a session with the form token for writes."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from vitrina.actions import doors
from vitrina.actions.doors import Visitor
from vitrina.actions.house import House
from vitrina.actions.once import once
from vitrina.errors import NotAllowed, NotSignedIn
from vitrina.web.page import house_of, visitor_of

bearer = HTTPBearer(auto_error=False, description="A token from your own page in the studio.")


class Problem(BaseModel):
    """An error (RFC 9457): what, the value, the limit, the remedy."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": text, "content": {"application/problem+json": {}}}
    for status, text in (
        (400, "A parameter is wrong."), (401, "No token, no session."), (403, "The role, the scope or an approval is "
        "lacking."), (404, "There is no such thing, or not for you."), (409, "It is there already, or its state does "
        "not allow this."), (413, "Too large."), (415, "A kind that is not taken."), (422, "It cannot be read."),
        (503, "Something refuses; try again."),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Caller:
    """The house with the caller at its desk."""

    request: Request
    house: House
    visitor: Visitor
    key: str

    def need(self, permission: str) -> House:
        """The house, when the token's scopes hold `permission`; the role is asked by the verb itself."""
        scopes = self.visitor.scopes
        if scopes is not None and permission not in scopes:
            raise NotAllowed(f"this token may not {permission}: its scopes are {', '.join(scopes)}.")
        return self.house

    async def write(
        self, permission: str, act: Callable[[House], Any], *, body: bytes = b"", status: int = 200
    ) -> Response:
        """Do `act` in a thread, once per Idempotency-Key."""
        house = self.need(permission)

        def done() -> tuple[int, Any]:
            return status, act(house)

        def kept() -> tuple[int, Any]:
            what = f"{self.request.method} {self.request.url.path}?{self.request.url.query} ".encode() + body
            return once(house, self.key, what, done)

        code, document = await run_in_threadpool(kept if self.key else done)
        return JSONResponse(document, code)


def caller(
    request: Request,
    _shown: Annotated[Any, Depends(bearer)] = None,
    idempotency_key: Annotated[
        str, Header(description="The same key with the same request is answered again, not done again.")
    ] = "",
) -> Caller:
    """Whoever calls; raises NotSignedIn."""
    house = house_of(request)
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    if secret:
        if kind.lower() != "bearer":
            raise NotSignedIn("Authorization: Bearer TOKEN is wanted.")
        visitor = doors.visitor_of_token(house, secret.strip())
    else:
        found = visitor_of(request)
        if found is None:
            raise NotSignedIn("send Authorization: Bearer TOKEN; make a token on your own page in the studio.")
        given = request.headers.get("x-form-token", "")
        if request.method != "GET" and not hmac.compare_digest(given.encode(), found.csrf.encode()):
            raise NotAllowed("a session's writes need the header X-Form-Token.")
        visitor = found
    return Caller(request, house.acting_as(visitor.person), visitor, idempotency_key)


By = Annotated[Caller, Depends(caller)]
Act = Callable[[House], Awaitable[Any]]


def as_bytes(model: BaseModel) -> bytes:
    """A body in one form only, to tell whether two requests are the same."""
    return json.dumps(model.model_dump(mode="json"), sort_keys=True).encode()
