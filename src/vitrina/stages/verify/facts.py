"""What the SKU's description promises, as far as a picture can contradict it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field

from vitrina.errors import InputError
from vitrina.model import Region


@dataclass(frozen=True, slots=True)
class Mark:
    """A scratch or dent of the shipped piece: what it is, and where in pixels of the source."""

    what: str
    region: Region


@dataclass(frozen=True, slots=True)
class Facts:
    """None means the description says nothing."""

    stones: int | None = None
    pieces: int | None = None
    links: int | None = None
    metal: str | None = None
    marks: tuple[Mark, ...] = ()
    extra: dict[str, object] = field(default_factory=dict)


def load_facts(data: bytes, *, name: str = "facts") -> Facts:
    """Read facts from TOML: ``stones = 7`` or ``[stones] count = 7``; likewise ``pieces`` and ``links``; ``metal``;
    ``[[marks]]`` with ``what`` and ``region = [x, y, width, height]`` in pixels of the source.

    Raises InputError naming the file and what is wrong.
    """
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{name}: not a TOML file of facts ({error}). Write lines such as: stones = 7") from error
    counts = {key: _count(table.get(key), f"{name}: {key}") for key in ("stones", "pieces", "links")}
    metal = table.get("metal")
    if isinstance(metal, dict):
        metal = metal.get("alloy") or metal.get("name")
    marks = _marks(table.get("marks", []), f"{name}: marks")
    known = {"stones", "pieces", "links", "metal", "marks"}
    extra = {key: value for key, value in table.items() if key not in known}
    return Facts(metal=str(metal) if metal else None, marks=marks, extra=extra, **counts)


def _marks(value: object, what: str) -> tuple[Mark, ...]:
    """Marks with a region; those that are only told in words are for people."""
    if not isinstance(value, list):
        raise InputError(f'{what}: {value!r} is no list. Write [[marks]] with what = "scratch" and a region.')
    marks = []
    for entry in value:
        if not isinstance(entry, dict) or "region" not in entry:
            continue
        region = entry["region"]
        is_box = isinstance(region, list) and len(region) == 4
        if not is_box or not all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in region):
            raise InputError(f"{what}: region = {region!r}. Write [x, y, width, height] in pixels of the source.")
        marks.append(Mark(str(entry.get("what", "mark")), Region(*region)))
    return tuple(marks)


def _count(value: object, what: str) -> int | None:
    if isinstance(value, dict):
        value = value.get("count")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InputError(f"{what}: {value!r} is not a count. Write a whole number from 0.")
    return value
