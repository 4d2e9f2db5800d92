"""One tree, drawn in its docstring; codes on the class."""

from __future__ import annotations

import re

import pytest

from vitrina import errors
from vitrina.errors import VitrinaError


def all_errors() -> list[type[VitrinaError]]:
    found, waiting = [], [VitrinaError]
    while waiting:
        kind = waiting.pop()
        found.append(kind)
        waiting += kind.__subclasses__()
    return [kind for kind in found if kind.__module__ == errors.__name__]


def test_the_drawing_is_the_tree() -> None:
    """Each line of the drawing: indentation says the parent, then the name, the exit code and the HTTP status."""
    drawing = [line for line in (errors.__doc__ or "").splitlines() if re.search(r"[├└]──", line)]
    parents: list[tuple[int, str]] = []
    drawn = {"VitrinaError"}
    for line in drawing:
        match = re.match(r"([ │├└─]*)(\w+) +(\d) +(\d{3}) ", line)
        assert match, line
        depth, name = len(match[1]), match[2]
        kind = getattr(errors, name)
        assert (kind.exit_code, kind.http_status) == (int(match[3]), int(match[4])), name
        while parents and parents[-1][0] >= depth:
            parents.pop()
        above = parents[-1][1] if parents else "VitrinaError"
        assert kind.__bases__[0].__name__ == above, name
        parents.append((depth, name))
        drawn.add(name)
    assert drawn == {kind.__name__ for kind in all_errors()}


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_codes_are_the_contracts(kind: type[VitrinaError]) -> None:
    assert kind.exit_code in (2, 3, 4, 5)
    assert 400 <= kind.http_status < 600
