"""Whose a photo is, under which right it is used, and the print by which it is found again under another SKU."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns; photos that are there already have no print until one is taken, and nothing said of them."""
    op.add_column("photos", sa.Column("usage_right", sa.String(length=20), nullable=False, server_default=""))
    op.add_column("photos", sa.Column("taken_by", sa.Text(), nullable=False, server_default=""))
    op.add_column("photos", sa.Column("licence", sa.Text(), nullable=False, server_default=""))
    op.add_column("photos", sa.Column("print", sa.String(length=64), nullable=True))
