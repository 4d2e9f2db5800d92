"""What is told to webhooks: a message per listener, posted in the very transaction that makes it true."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from vitrina.store import Connection, batches, webhooks
from vitrina.store.schema import canonical

JOB = "webhook"
PING = "ping"

OF_VERBS: Mapping[str, str] = {
    "sku.add": "sku.added",
    "sku.change": "sku.changed",
    "photo.add": "photo.added",
    "card.make": "card.made",
    "variant.import": "variant.imported",
    "review.start": "review.started",
    "approval.void": "approval.voided",
    "export": "variant.exported",
    "publish": "variant.published",
    "batch.hold": "batch.held",
    "batch.release": "batch.released",
    "batch.park": "batch.parked",
    "rules.confirm": "rules.confirmed",
}
"""The ledger's verbs that are told as they happen, and what they are called outside."""

DECIDED: Mapping[str, str] = {"approved": "variant.approved", "rejected": "variant.rejected"}
"""Decisions are told by the state that they come to: the first of two reviewers' verdicts is nobody's business yet."""

TYPES = tuple(sorted({*OF_VERBS.values(), *DECIDED.values()}))
"""Everything a webhook can ask to be told."""


def announce(
    conn: Connection, type_: str, subject: str, details: Mapping[str, Any], *, at: str, to: int | None = None
) -> None:
    """Post `type_` to every webhook that listens to it (or to the one numbered `to`), for a worker to send."""
    listeners = [row.id for row in webhooks.listening(conn, type_)] if to is None else [to]
    for number in listeners:
        message = f"msg_{secrets.token_urlsafe(18)}"
        kind, _, name = subject.partition("/")
        body = canonical({"type": type_, "timestamp": at, "data": {kind: name, **details}})
        delivery = webhooks.add_delivery(conn, number, message=message, type_=type_, body=body, at=at)
        batches.post(conn, f"{JOB}-{delivery}", JOB, {"delivery": delivery}, at=at)
