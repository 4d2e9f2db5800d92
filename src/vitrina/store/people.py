"""People, their roles, and the policies of the house."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from vitrina.store.schema import people, policies, roles

POLICIES: Mapping[str, Any] = {
    "export_roles": ["publisher"],
    "publish_roles": ["publisher"],
    "spot_check_every": 5,
    "retention_years": 10,
    "backup_every_days": 7,
}
"""Every policy and its value until an admin changes it."""


def add(conn: Connection, name: str, *, at: str) -> int:
    """The person called `name`, added when there is none."""
    known = conn.execute(sa.select(people.c.id).where(people.c.name == name)).scalar()
    if known is not None:
        return int(known)
    return int(conn.execute(sa.insert(people).values(name=name, added_at=at).returning(people.c.id)).scalar_one())


def give(conn: Connection, person_id: int, role: str) -> bool:
    """Give a role; False when it was held already."""
    held = conn.execute(sa.select(roles).where((roles.c.person_id == person_id) & (roles.c.role == role))).first()
    if held is None:
        conn.execute(sa.insert(roles).values(person_id=person_id, role=role))
    return held is None


def take(conn: Connection, person_id: int, role: str) -> bool:
    """Take a role; False when it was not held."""
    done = conn.execute(sa.delete(roles).where((roles.c.person_id == person_id) & (roles.c.role == role)))
    return bool(done.rowcount)


def get(conn: Connection, name: str) -> tuple[int, tuple[str, ...]] | None:
    """A person's id and roles; None when nobody is called so."""
    found = conn.execute(
        sa.select(people.c.id, roles.c.role)
        .outerjoin(roles)
        .where((people.c.name == name) & people.c.left_at.is_(None))
    ).all()
    if not found:
        return None
    return int(found[0].id), tuple(sorted(row.role for row in found if row.role))


def everyone(conn: Connection) -> dict[str, tuple[str, ...]]:
    """Everybody's roles by name, in order."""
    told: dict[str, list[str]] = {}
    query = sa.select(people.c.name, roles.c.role).outerjoin(roles).where(people.c.left_at.is_(None))
    for row in conn.execute(query.order_by(people.c.name, roles.c.role)):
        told.setdefault(row.name, []).extend([row.role] if row.role else [])
    return {name: tuple(held) for name, held in told.items()}


def policy(conn: Connection, name: str) -> Any:
    """The value of a policy: an admin's, else the default."""
    value = conn.execute(sa.select(policies.c.value).where(policies.c.name == name)).scalar()
    return POLICIES[name] if value is None else value


def set_policy(conn: Connection, name: str, value: Any) -> None:
    """Change a policy."""
    conn.execute(sa.delete(policies).where(policies.c.name == name))
    conn.execute(sa.insert(policies).values(name=name, value=value))
