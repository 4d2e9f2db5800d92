"""Who may do what: roles → permissions in one dict, and `require`, which says why not."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from vitrina.errors import NotAllowed

ROLES: Mapping[str, frozenset[str]] = {
    "photographer": frozenset({"read", "sku.edit", "photo.add", "card.make", "batch.run", "review.submit"}),
    "retoucher": frozenset({"read", "photo.add", "card.make", "batch.run", "variant.import", "review.submit"}),
    "reviewer": frozenset({"read", "review.submit", "review.decide", "batch.release"}),
    "publisher": frozenset({"read", "sku.edit", "export", "publish", "rules.confirm", "dispute.make"}),
    "auditor": frozenset({"read", "audit.read", "dispute.make"}),
    "admin": frozenset(
        {
            "read", "audit.read", "sku.edit", "line.edit", "photo.add", "card.make", "batch.run", "batch.release",
            "variant.import", "people.edit", "policy.edit", "webhook.edit", "review.plant", "rules.confirm",
            "dispute.make",
            "archive.keep", "archive.erase",
        }
    ),
}  # fmt: skip
"""An admin keeps the house but neither approves nor exports: whoever should is given that role too, on the record."""

OPEN_HOUSE = frozenset({"read", "sku.edit", "line.edit", "photo.add", "card.make", "batch.run", "variant.import"})
"""What may be done while nobody is registered: drafts. Decisions and exports always need a named person."""

PERMISSIONS: Mapping[str, str] = {
    "read": "look at the catalogue",
    "audit.read": "read the audit report and the ledger",
    "sku.edit": "add and change SKUs",
    "line.edit": "add and copy lines",
    "photo.add": "add photos",
    "card.make": "make cards",
    "batch.run": "run batches",
    "batch.release": "release a held batch",
    "variant.import": "import pictures made by other tools",
    "review.submit": "submit pictures for review",
    "review.decide": "approve and reject",
    "review.plant": "plant faults",
    "export": "export final files",
    "publish": "publish",
    "rules.confirm": "confirm rule packs",
    "people.edit": "add people and roles",
    "policy.edit": "change policies",
    "webhook.edit": "see and change webhooks",
    "dispute.make": "make dispute packs",
    "archive.keep": "back up and restore",
    "archive.erase": "erase by policy",
}
"""Every permission, as it is said in a refusal."""


def may(roles: Collection[str], permission: str, *, policy: Mapping[str, Collection[str]] | None = None) -> bool:
    """Whether one of `roles` holds `permission`. `policy` names other roles for a permission than the table does."""
    return bool(set(roles) & set(holders(permission, policy=policy)))


def holders(permission: str, *, policy: Mapping[str, Collection[str]] | None = None) -> list[str]:
    """The roles that hold `permission`, in the table's order."""
    if permission not in PERMISSIONS:
        raise ValueError(f"unknown permission {permission!r}")
    if policy is not None and permission in policy:
        return [role for role in ROLES if role in policy[permission]]
    return [role for role, held in ROLES.items() if permission in held]


def require(
    who: str, roles: Collection[str], permission: str, *, policy: Mapping[str, Collection[str]] | None = None
) -> None:
    """Raise NotAllowed naming the person, what they hold and which role is lacking."""
    if may(roles, permission, policy=policy):
        return
    held = ", ".join(sorted(roles)) or "no role"
    wanted = " or ".join(holders(permission, policy=policy)) or "nobody, by policy"
    raise NotAllowed(
        f"{who} ({held}) may not {PERMISSIONS[permission]}: the role {wanted} is lacking. "
        f"An admin gives it: vitrina people add {who!r} --role {wanted.split(' or ')[0]}"
    )
