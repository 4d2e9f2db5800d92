"""Idempotency: a request that is sent twice under one key is done once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any

from vitrina.actions.house import House
from vitrina.errors import Conflict, UsageError
from vitrina.store import keys

ABANDONED = timedelta(minutes=10)
"""A request under way for so long was killed with its program: the same key may try again."""

_UNDER_WAY = 0


def once(house: House, key: str, request: bytes, act: Callable[[], tuple[int, Any]]) -> tuple[int, Any]:
    """Do `act`, which gives a status and a body, once per idempotency key; the same request again gets that answer.

    What fails leaves the key free. Raises Conflict when the key was used for another request, or while the same one is
    under way.
    """
    if not 1 <= len(key) <= 120 or not key.isprintable():
        raise UsageError("Idempotency-Key: 1 to 120 printable characters.")
    person, digest = house.person or "", hashlib.sha256(request).hexdigest()
    with house.store.writing() as conn:
        kept = keys.reply(conn, person, key)
        if kept is not None and kept.request != digest:
            raise Conflict("Idempotency-Key: it was used for another request. Use a new key.")
        if kept is not None and kept.status != _UNDER_WAY:
            return int(kept.status), kept.body
        if kept is not None and kept.at > _before(house, ABANDONED):
            raise Conflict("Idempotency-Key: the same request is under way. Ask again in a moment.")
        keys.keep_reply(conn, person, key, request=digest, status=_UNDER_WAY, body=None, at=house.now())
    try:
        status, body = act()
    except BaseException:
        with house.store.writing() as conn:
            keys.drop_reply(conn, person, key)
        raise
    with house.store.writing() as conn:
        keys.keep_reply(conn, person, key, request=digest, status=status, body=body, at=house.now())
    return status, body


def _before(house: House, span: timedelta) -> str:
    return (house.clock() - span).astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
