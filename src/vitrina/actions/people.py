"""People and policies: who is in the house, which roles they hold, what the house has decided."""

from __future__ import annotations

from typing import Any

from vitrina import access
from vitrina.actions.house import House, actor, log
from vitrina.errors import Missing, UsageError
from vitrina.store import people


def add_person(house: House, name: str, roles: list[str]) -> dict[str, Any]:
    """Add a person, or give one more roles. The first person of a house makes themselves its admin."""
    name = " ".join(name.split())
    if not name or len(name) > 120 or not name.isprintable() or name.startswith("("):
        raise UsageError(f"{name[:40]!r} cannot be a person's name: 1 to 120 characters, not beginning with a bracket.")
    _known(roles)
    with house.store.writing() as conn:
        if not people.everyone(conn):
            if "admin" not in roles:
                raise UsageError(f"{name} is the first person here and must be an admin: add --role admin.")
            person = house.person or name
        else:
            person = actor(conn, house, "people.edit")
        person_id = people.add(conn, name, at=house.now())
        given = [role for role in dict.fromkeys(roles) if people.give(conn, person_id, role)]
        log(conn, house, person, "people.add", f"person/{name}", details={"roles": given})
        return _everyone(people.everyone(conn))


def take_role(house: House, name: str, role: str) -> dict[str, Any]:
    """Take a role from a person; the last admin keeps theirs."""
    _known([role])
    with house.store.writing() as conn:
        person = actor(conn, house, "people.edit")
        found = people.get(conn, name)
        if found is None:
            raise Missing(f"nobody is called {name!r}. See vitrina people list.")
        admins = [who for who, held in people.everyone(conn).items() if "admin" in held]
        if role == "admin" and admins == [name]:
            raise UsageError(f"{name} is the only admin: make somebody else one first.")
        if people.take(conn, found[0], role):
            log(conn, house, person, "people.take", f"person/{name}", details={"roles": [role]})
        return _everyone(people.everyone(conn))


def list_people(house: House) -> dict[str, Any]:
    """Everybody and their roles."""
    with house.store.reading() as conn:
        return _everyone(people.everyone(conn))


def show_policies(house: House) -> dict[str, Any]:
    """Every policy and its value."""
    with house.store.reading() as conn:
        return _policies({name: people.policy(conn, name) for name in people.POLICIES})


def set_policy(house: House, name: str, value: str) -> dict[str, Any]:
    """Change a policy: roles by commas, or a whole number."""
    if name not in people.POLICIES:
        raise UsageError(f"{name!r} is no policy; there are {', '.join(people.POLICIES)}.")
    parsed: Any
    if isinstance(people.POLICIES[name], list):
        parsed = [role.strip() for role in value.split(",") if role.strip()]
        _known(parsed)
    else:
        if not value.isdigit() or not 0 <= int(value) <= 1000:
            raise UsageError(f"{name}: {value!r} is not a whole number from 0 to 1000.")
        parsed = int(value)
    with house.store.writing() as conn:
        person = actor(conn, house, "policy.edit")
        before = people.policy(conn, name)
        people.set_policy(conn, name, parsed)
        log(conn, house, person, "policy.set", f"policy/{name}", details={"before": before, "now": parsed})
        return _policies({each: people.policy(conn, each) for each in people.POLICIES})


def _known(roles: list[str]) -> None:
    for role in roles:
        if role not in access.ROLES:
            raise UsageError(f"{role!r} is no role; there are {', '.join(access.ROLES)}.")
    if not roles:
        raise UsageError(f"name at least one role with --role: {', '.join(access.ROLES)}.")


def _everyone(found: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    people_ = [{"name": name, "roles": list(roles)} for name, roles in found.items()]
    return {"schema": "vitrina.people/1", "people": people_}


def _policies(found: dict[str, Any]) -> dict[str, Any]:
    return {"schema": "vitrina.policies/1", "policies": found}
