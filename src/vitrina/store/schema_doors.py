"""The tables of the studio's doors: passwords, keys, what was looked at, webhooks, accounts at a provider."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, String, Table, Text, UniqueConstraint

from vitrina.store.columns import Json, id_column, metadata

passwords = Table(
    "passwords",
    metadata,
    Column("person_id", Integer, ForeignKey("people.id"), primary_key=True, autoincrement=False),
    Column("hash", Text, nullable=False),
    Column("set_at", String(40), nullable=False),
)

keys = Table(
    "keys",
    metadata,
    id_column(),
    Column("digest", String(64), nullable=False, unique=True),
    Column("kind", String(20), nullable=False),
    Column("person_id", Integer, ForeignKey("people.id"), nullable=False, index=True),
    Column("name", String(120), nullable=False),
    Column("scopes", Json, nullable=False),
    Column("made_at", String(40), nullable=False),
    Column("used_at", String(40), nullable=False),
    Column("ends_at", String(40), nullable=False),
)

attempts = Table(
    "attempts",
    metadata,
    id_column(),
    Column("subject", String(160), nullable=False),
    Column("at", String(40), nullable=False),
    Index(None, "subject", "at"),
)

replies = Table(
    "replies",
    metadata,
    Column("person", String(120), nullable=False),
    Column("key", String(120), nullable=False),
    Column("request", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Json),
    Column("at", String(40), nullable=False),
    PrimaryKeyConstraint("person", "key"),
)

views = Table(
    "views",
    metadata,
    Column("variant_id", Integer, ForeignKey("variants.id"), nullable=False),
    Column("person", String(120), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("place", Integer, nullable=False),
    Column("milliseconds", Integer, nullable=False),
    Column("zoom_percent", Integer, nullable=False),
    Column("at", String(40), nullable=False),
    PrimaryKeyConstraint("variant_id", "person", "digest", "place"),
)

webhooks = Table(
    "webhooks",
    metadata,
    id_column(),
    Column("url", Text, nullable=False),
    Column("types", Json, nullable=False),
    Column("secret", Text, nullable=False),
    Column("made_by", String(120), nullable=False),
    Column("made_at", String(40), nullable=False),
    Column("ended_at", String(40)),
    Column("ended_why", Text, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    id_column(),
    Column("webhook_id", Integer, ForeignKey("webhooks.id"), nullable=False),
    Column("message", String(60), nullable=False, unique=True),
    Column("type", String(60), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("status", Integer),
    Column("said", Text, nullable=False),
    Column("added_at", String(40), nullable=False),
    Column("tried_at", String(40)),
    Index(None, "webhook_id", "added_at"),
)

identities = Table(
    "identities",
    metadata,
    id_column(),
    Column("issuer", String(300), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("person_id", Integer, ForeignKey("people.id"), nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("made_at", String(40), nullable=False),
    Column("used_at", String(40)),
    UniqueConstraint("issuer", "subject"),
)
