"""Roles and permissions."""

from __future__ import annotations

import pytest

from vitrina import access
from vitrina.errors import NotAllowed


def test_every_permission_is_held_by_some_role_and_said_in_words() -> None:
    held = frozenset().union(*access.ROLES.values())
    assert held == set(access.PERMISSIONS)
    assert set(access.PERMISSIONS) >= access.OPEN_HOUSE


def test_who_decides_and_who_exports_are_different_roles() -> None:
    assert access.holders("review.decide") == ["reviewer"]
    assert access.holders("export") == ["publisher"]
    assert not access.may(["admin"], "review.decide")


def test_an_open_house_makes_drafts_only() -> None:
    assert not access.OPEN_HOUSE & {"review.decide", "export", "publish", "people.edit", "archive.erase"}


def test_a_refusal_names_the_person_their_roles_and_the_role_that_is_lacking() -> None:
    with pytest.raises(
        NotAllowed, match=r"Rita \(reviewer\) may not export final files: the role publisher is lacking"
    ):
        access.require("Rita", ["reviewer"], "export")
    access.require("Pat", ["publisher"], "export")


def test_a_policy_names_other_roles_for_a_permission() -> None:
    policy = {"export": ["reviewer"]}
    access.require("Rita", ["reviewer"], "export", policy=policy)
    with pytest.raises(NotAllowed, match="the role reviewer is lacking"):
        access.require("Pat", ["publisher"], "export", policy=policy)


def test_a_permission_that_does_not_exist_is_a_bug() -> None:
    with pytest.raises(ValueError, match="unknown permission"):
        access.may(["admin"], "fly")
