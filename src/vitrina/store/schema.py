"""The tables. Every column works on SQLite and on PostgreSQL; times are UTC ISO 8601 text, JSON is JSON text."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from vitrina.store import schema_doors  # its tables are part of the same metadata
from vitrina.store.columns import Json, canonical, id_column, metadata, sku_column

__all__ = ["canonical", "metadata", "schema_doors"]

people = Table(
    "people",
    metadata,
    id_column(),
    Column("name", String(120), nullable=False, unique=True),
    Column("added_at", String(40), nullable=False),
    Column("left_at", String(40)),
)

roles = Table(
    "roles",
    metadata,
    Column("person_id", Integer, ForeignKey("people.id"), nullable=False),
    Column("role", String(40), nullable=False),
    PrimaryKeyConstraint("person_id", "role"),
)

policies = Table(
    "policies", metadata, Column("name", String(60), primary_key=True), Column("value", Json, nullable=False)
)

lines = Table(
    "lines",
    metadata,
    id_column(),
    Column("name", String(120), nullable=False, unique=True),
    Column("recipe", Json, nullable=False),
    Column("checklist", Json, nullable=False),
    Column("added_at", String(40), nullable=False),
)

skus = Table(
    "skus",
    metadata,
    id_column(),
    Column("code", String(120), nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("piece_type", String(40), nullable=False),
    Column("line_id", Integer, ForeignKey("lines.id")),
    Column("stock", Integer, nullable=False),
    Column("is_top", Boolean, nullable=False),
    Column("factory", String(120), nullable=False),
    Column("stone_batch", String(120), nullable=False),
    Column("facts", Json, nullable=False),
    Column("added_at", String(40), nullable=False),
    Column("changed_at", String(40), nullable=False),
    CheckConstraint("stock >= 0", name="stock"),
    Index(None, "line_id", "stock"),
)

blobs = Table(
    "blobs",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("room", String(20), nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("kept_at", String(40), nullable=False),
    Column("erased_at", String(40)),
    Column("erased_why", Text),
)

photos = Table(
    "photos",
    metadata,
    id_column(),
    sku_column(),
    Column("digest", String(64), ForeignKey("blobs.digest"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("capture", Json, nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("added_at", String(40), nullable=False),
    Column("replaced_at", String(40)),
    Column("usage_right", String(20), nullable=False, server_default=""),
    Column("taken_by", Text, nullable=False, server_default=""),
    Column("licence", Text, nullable=False, server_default=""),
    Column("print", String(64)),
    UniqueConstraint("sku_id", "digest"),
    Index(None, "sku_id", "replaced_at"),
)

batches = Table(
    "batches",
    metadata,
    id_column(),
    Column("folder", Text, nullable=False, unique=True),
    Column("state", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("recipe", Json, nullable=False),
    Column("asked_by", String(120), nullable=False),
    Column("added_at", String(40), nullable=False),
)

batch_items = Table(
    "batch_items",
    metadata,
    id_column(),
    Column("batch_id", Integer, ForeignKey("batches.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("sku", String(120), nullable=False),
    Column("inputs", Json, nullable=False),
    Column("inputs_key", String(64), nullable=False),
    Column("run", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("step", String(40), nullable=False),
    Column("reason", Text, nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("seconds", Text),
    Column("changed_at", String(40), nullable=False),
    UniqueConstraint("batch_id", "sku"),
    Index(None, "batch_id", "state"),
)

cutouts = Table(
    "cutouts",
    metadata,
    id_column(),
    Column("photo_id", Integer, ForeignKey("photos.id"), nullable=False, index=True),
    Column("digest", String(64), ForeignKey("blobs.digest")),
    Column("method", Text, nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("made_at", String(40), nullable=False),
)

variants = Table(
    "variants",
    metadata,
    id_column(),
    sku_column(),
    Column("number", Integer, nullable=False),
    Column("photo_id", Integer, ForeignKey("photos.id"), nullable=False),
    Column("batch_id", Integer, ForeignKey("batches.id"), index=True),
    Column("batch_position", Integer),
    Column("look", String(60), nullable=False),
    Column("tool", String(120), nullable=False),
    Column("digest", String(64), ForeignKey("blobs.digest"), nullable=False, index=True),
    Column("card", String(64), nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("basis", Json, nullable=False),
    Column("second_look", Json, nullable=False),
    Column("planted", Text),
    Column("made_by", String(120), nullable=False),
    Column("made_at", String(40), nullable=False),
    Column("changed_at", String(40), nullable=False),
    UniqueConstraint("sku_id", "number"),
    Index(None, "state", "changed_at"),
    Index(None, "sku_id", "state"),
)

renditions = Table(
    "renditions",
    metadata,
    id_column(),
    Column("variant_id", Integer, ForeignKey("variants.id"), nullable=False),
    Column("market", String(40), nullable=False),
    Column("slot", String(40), nullable=False),
    Column("name", Text, nullable=False),
    Column("digest", String(64), ForeignKey("blobs.digest"), nullable=False),
    Column("verdict", String(20), nullable=False),
    UniqueConstraint("variant_id", "market", "slot", "name"),
    Index(None, "market"),
)

findings = Table(
    "findings",
    metadata,
    id_column(),
    sku_column(),
    Column("photo_id", Integer, ForeignKey("photos.id"), index=True),
    Column("variant_id", Integer, ForeignKey("variants.id"), index=True),
    Column("market", String(40)),
    Column("check", String(40), nullable=False),
    Column("code", String(80), nullable=False),
    Column("severity", String(20), nullable=False),
    Column("measured", Json),
    Column("limit", Json),
    Column("unit", String(40), nullable=False),
    Column("region", Json),
    Column("message", Text, nullable=False),
    Column("found_at", String(40), nullable=False),
    Index(None, "sku_id", "severity"),
)

answers = Table(
    "answers",
    metadata,
    Column("variant_id", Integer, ForeignKey("variants.id"), nullable=False),
    Column("person", String(120), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("line", String(60), nullable=False),
    Column("yes", Boolean, nullable=False),
    Column("at", String(40), nullable=False),
    PrimaryKeyConstraint("variant_id", "person", "digest", "line"),
)

decisions = Table(
    "decisions",
    metadata,
    id_column(),
    Column("variant_id", Integer, ForeignKey("variants.id"), nullable=False, index=True),
    sku_column(),
    Column("person", String(120), nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("names", Json, nullable=False),
    Column("basis", Json, nullable=False),
    Column("reason", String(60), nullable=False),
    Column("words", Text, nullable=False),
    Column("at", String(40), nullable=False),
    Column("void_at", String(40)),
    Column("void_why", Text, nullable=False),
    Index(None, "verdict", "at"),
    Index(None, "sku_id", "at"),
)

exports = Table(
    "exports",
    metadata,
    id_column(),
    Column("variant_id", Integer, ForeignKey("variants.id"), nullable=False, index=True),
    sku_column(),
    Column("market", String(40), nullable=False),
    Column("files", Json, nullable=False),
    Column("folder", Text, nullable=False),
    Column("person", String(120), nullable=False),
    Column("at", String(40), nullable=False, index=True),
)

returns = Table(
    "returns",
    metadata,
    id_column(),
    sku_column(),
    Column("ordered_on", String(10), nullable=False),
    Column("returned_on", String(10), nullable=False, index=True),
    Column("reason", String(60), nullable=False),
    Column("words", Text, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False),
    Column("person", String(120), nullable=False),
    Column("verb", String(60), nullable=False),
    Column("subject", String(160), nullable=False, index=True),
    Column("digests", Json, nullable=False),
    Column("details", Json, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index(None, "at", "verb"),
)

ledger = Table(
    "ledger",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    id_column(),
    Column("job", String(120), nullable=False, unique=True),
    Column("kind", String(40), nullable=False),
    Column("payload", Json, nullable=False),
    Column("added_at", String(40), nullable=False),
    Column("ended_at", String(40), index=True),
)

results = Table(
    "results",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("step", String(60), nullable=False),
    Column("value", Json, nullable=False),
    Column("made_at", String(40), nullable=False),
)

workers = Table(
    "workers",
    metadata,
    Column("executor", String(120), primary_key=True),
    Column("pid", Integer, nullable=False),
    Column("started_at", String(40), nullable=False),
    Column("beat_at", String(40), nullable=False),
)
