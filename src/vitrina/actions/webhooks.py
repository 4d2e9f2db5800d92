"""Webhooks: who is told of what happens here, by the Standard Webhooks convention, signed and tried again."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta
from typing import Any
from urllib.parse import urlsplit

from vitrina.actions.announce import JOB, PING, TYPES, announce
from vitrina.actions.house import House, actor, log
from vitrina.backends.hooks import post, signed
from vitrina.errors import Conflict, Missing, NeedsPerson, UsageError
from vitrina.jobs import Kind, Outcome, Step
from vitrina.store import Row, batches, webhooks

__all__ = ["TYPES", "add_webhook", "end_webhook", "kind_of_deliveries", "list_deliveries", "list_webhooks", "ping",
           "send_again"]  # fmt: skip

TRIES = 14
"""With the worker's first wait of 2 s, doubled each time, the last attempt is made four and a half hours later."""
AT_ONCE = 4
KEPT = timedelta(days=30)
"""How long it is remembered what was sent."""
GONE = 410
"""The answer by which a receiver says that it will never listen again."""
_LOCAL = ("localhost", "127.0.0.1", "::1")


def add_webhook(house: House, url: str, types: Sequence[str]) -> dict[str, Any]:
    """Tell `url` of `types` from now on; the secret that signs is in this answer alone.

    Raises UsageError for an address that is not https (http only to this machine), or a type that there is not.
    """
    wanted = sorted(set(types))
    unknown = [name for name in wanted if name not in TYPES]
    if unknown or not wanted:
        raise UsageError(f"types: {unknown[0] if unknown else 'none'!r}; choose among {', '.join(TYPES)}.")
    _require_address(url)
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
    with house.store.writing() as conn:
        person = actor(conn, house, "webhook.edit")
        number = webhooks.add(conn, url=url, types=wanted, secret=secret, person=person, at=house.now())
        log(conn, house, person, "webhook.add", f"webhook/{number}", details={"url": url, "types": wanted})
        row = webhooks.get(conn, number)
        assert row is not None
        return {"schema": "vitrina.webhook/1", **_told(row), "secret": secret}


def list_webhooks(house: House, *, after: int = 0, limit: int = 50) -> dict[str, Any]:
    """A page of the webhooks, without their secrets."""
    with house.store.reading() as conn:
        actor(conn, house, "webhook.edit")
        rows = webhooks.page(conn, after=after, limit=limit)
    more = rows[-1].id if len(rows) == limit else None
    return {"schema": "vitrina.webhooks/1", "types": list(TYPES), "webhooks": [_told(row) for row in rows],
            "next_after": more}  # fmt: skip


def end_webhook(house: House, number: int) -> dict[str, Any]:
    """Tell this webhook nothing more; what was sent stays on record."""
    with house.store.writing() as conn:
        person = actor(conn, house, "webhook.edit")
        _living(webhooks.get(conn, number), number)
        webhooks.end(conn, number, why=f"ended by {person}", at=house.now())
        log(conn, house, person, "webhook.end", f"webhook/{number}")
        row = webhooks.get(conn, number)
        assert row is not None
        return {"schema": "vitrina.webhook/1", **_told(row)}


def ping(house: House, number: int) -> dict[str, Any]:
    """Send a message that says nothing, to try the receiver."""
    with house.store.writing() as conn:
        person = actor(conn, house, "webhook.edit")
        _living(webhooks.get(conn, number), number)
        announce(conn, PING, f"webhook/{number}", {"asked_by": person}, at=house.now(), to=number)
        return {"schema": "vitrina.webhook-ping/1", "webhook": number}


def list_deliveries(house: House, number: int, *, before: int = 0, limit: int = 50) -> dict[str, Any]:
    """The newest messages of a webhook and how they went, newest first."""
    with house.store.reading() as conn:
        actor(conn, house, "webhook.edit")
        if webhooks.get(conn, number) is None:
            raise Missing(f"there is no webhook {number}.")
        rows = webhooks.deliveries_of(conn, number, before=before or 2**31 - 1, limit=limit)
    told = [
        {"delivery": r.id, "message": r.message, "type": r.type, "state": r.state, "tries": r.tries,
         "status": r.status, "said": r.said, "added_at": r.added_at, "tried_at": r.tried_at}
        for r in rows
    ]  # fmt: skip
    more = rows[-1].id if len(rows) == limit else None
    return {"schema": "vitrina.deliveries/1", "webhook": number, "deliveries": told, "next_before": more}


def send_again(house: House, number: int, delivery: int) -> dict[str, Any]:
    """Send a message that was given up once more, the same bytes under the same id."""
    with house.store.writing() as conn:
        person = actor(conn, house, "webhook.edit")
        row = webhooks.get_delivery(conn, delivery)
        if row is None or row.webhook_id != number:
            raise Missing(f"webhook {number} has no message {delivery}.")
        _living(webhooks.get(conn, number), number)
        if row.state == "waiting":
            raise Conflict(f"message {delivery} is being sent already.")
        webhooks.set_state(conn, delivery, "waiting")
        batches.post(conn, f"{JOB}-{delivery}-{row.tries}", JOB, {"delivery": delivery}, at=house.now())
        log(conn, house, person, "webhook.again", f"webhook/{number}", details={"message": row.message})
    return {"schema": "vitrina.webhook-again/1", "webhook": number, "delivery": delivery}


def kind_of_deliveries(house: House) -> Kind:
    """Sending as a durable job, beside the cards and not among them."""
    return Kind(
        JOB,
        (Step("send", lambda payload, _: _send(house, payload)),),
        lambda payload, _step, reason: _give_up(house, payload, reason),
        tries=TRIES,
        at_once=AT_ONCE,
    )


def _send(house: House, payload: Mapping[str, Any]) -> Outcome:
    """One attempt. Raises Busy when it may go better later, NeedsPerson when it will not."""
    with house.store.reading() as conn:
        row = webhooks.get_delivery(conn, payload["delivery"])
    if row is None or row.state != "waiting":
        return {}
    if row.ended_at is not None:
        raise NeedsPerson("the webhook was ended")
    body = row.body.encode()
    answer = post(row.url, body, signed(row.secret, row.message, body, at=house.clock()))
    with house.store.writing() as conn:
        state = "sent" if answer.is_good else "waiting"
        webhooks.tried(conn, row.id, state=state, status=answer.status, said=answer.said, at=house.now())
        if answer.is_good:
            webhooks.forget(conn, before=_ago(house, KEPT))
        if answer.status == GONE:
            webhooks.end(conn, row.webhook_id, why="the receiver answered 410 Gone", at=house.now())
    if answer.status == GONE:
        raise NeedsPerson("the receiver answered 410 Gone")
    answer.require_good()
    return {"status": answer.status}


def _give_up(house: House, payload: Mapping[str, Any], reason: str) -> None:
    with house.store.writing() as conn:
        row = webhooks.get_delivery(conn, payload["delivery"])
        if row is not None and row.state == "waiting":
            webhooks.set_state(conn, row.id, "failed")
            details = {"message": row.message, "type": row.type, "reason": reason}
            log(conn, house, "(worker)", "webhook.fail", f"webhook/{row.webhook_id}", details=details)


def _require_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"url: {url[:100]!r} is no address ({error}).") from error
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and host in _LOCAL)
    if not host or not is_safe or len(url) > 2000 or not url.isascii() or not url.isprintable() or parts.username:
        raise UsageError(
            f"url: {url[:100]!r} cannot be told: https://HOST/… is wanted (http only for a program on this machine), "
            "without a name and password in it."
        )


def _living(row: Row[Any] | None, number: int) -> Row[Any]:
    if row is None:
        raise Missing(f"there is no webhook {number}.")
    if row.ended_at is not None:
        raise Conflict(f"webhook {number} was ended ({row.ended_why}). Make a new one.")
    return row


def _told(row: Row[Any]) -> dict[str, Any]:
    return {"webhook": row.id, "url": row.url, "types": row.types, "made_by": row.made_by, "made_at": row.made_at,
            "ended_at": row.ended_at, "ended_why": row.ended_why}  # fmt: skip


def _ago(house: House, span: timedelta) -> str:
    return (house.clock() - span).astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
