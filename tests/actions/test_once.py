"""A request under one key is done once, also when it comes twice at a time or fails the first time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.house import a_house, hire
from vitrina.actions.house import House
from vitrina.actions.once import ABANDONED, once
from vitrina.errors import Conflict, NotAllowed, UsageError


@pytest.fixture
def house(tmp_path: Path, database: str) -> Iterator[House]:
    with a_house(tmp_path / "home", database) as house:
        hire(house)
        yield house.acting_as("Ann")


def test_the_same_request_is_answered_again_and_another_refused(house: House) -> None:
    done: list[int] = []

    def act() -> tuple[int, Any]:
        done.append(1)
        return 201, {"number": len(done)}

    assert once(house, "k", b"a", act) == once(house, "k", b"a", act) == (201, {"number": 1})
    with pytest.raises(Conflict, match="another request"):
        once(house, "k", b"b", act)
    assert once(house.acting_as("Phil"), "k", b"b", act) == (201, {"number": 2}), "keys are each person's own"
    for key in ("", "a" * 121, "a\nb"):
        with pytest.raises(UsageError, match="printable"):
            once(house, key, b"a", act)


def test_twice_at_a_time_is_told_and_a_failure_frees_the_key(house: House) -> None:
    def meanwhile() -> tuple[int, Any]:
        with pytest.raises(Conflict, match="under way"):
            once(house, "k", b"a", lambda: (200, None))
        raise NotAllowed("no")

    with pytest.raises(NotAllowed):
        once(house, "k", b"a", meanwhile)
    assert once(house, "k", b"a", lambda: (200, "now")) == (200, "now")


def test_a_request_that_was_killed_may_be_tried_again(house: House) -> None:
    late = replace(house, clock=lambda: house.clock() + 2 * ABANDONED + timedelta(seconds=1))

    def killed() -> tuple[int, Any]:
        assert once(late, "k", b"a", lambda: (200, "the second one")) == (200, "the second one")
        return 200, "the first one"

    once(house, "k", b"a", killed)
