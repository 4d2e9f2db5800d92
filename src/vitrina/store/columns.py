"""What every table is made of: JSON as canonical text, ids, and the names of constraints."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Column, ForeignKey, Integer, MetaData, Text
from sqlalchemy.types import TypeDecorator


class Json(TypeDecorator[Any]):
    """A JSON value as canonical text, so that the same value is the same bytes on both databases."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: object) -> str | None:  # noqa: ARG002
        return None if value is None else canonical(value)

    def process_result_value(self, value: Any, dialect: object) -> Any:  # noqa: ARG002
        return None if value is None else json.loads(value)


def canonical(value: Any) -> str:
    """`value` as JSON in one form only: sorted keys, no spaces, UTF-8 left as it is."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def id_column() -> Column[int]:
    """A table's own number."""
    return Column("id", Integer, primary_key=True, autoincrement=True)


def sku_column() -> Column[int]:
    """The SKU that a row belongs to."""
    return Column("sku_id", Integer, ForeignKey("skus.id"), nullable=False)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
