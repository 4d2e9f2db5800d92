"""Reading rule packs: one TOML file per marketplace, checked strictly."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

from pydantic import ValidationError

from vitrina.errors import NotBuilt, ResourceError, UsageError
from vitrina.rules.local import Changes, lay_over
from vitrina.rules.pack import FAMILIES, HandRule, Pack, PackFile, Rule, Slot, taken_kinds

_MOVING = ("video", "videos", "reel", "reels")


def list_markets() -> tuple[str, ...]:
    """The marketplaces there are packs for, in alphabetical order."""
    folder = resources.files("vitrina.rules") / "packs"
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


def list_packs() -> tuple[Pack, ...]:
    """Every pack, in the alphabetical order of its marketplace."""
    return tuple(load_pack(market) for market in list_markets())


@cache
def load_pack(market: str, changes: Changes | None = None) -> Pack:
    """The pack of `market`, its slots complete, with the seller's own `changes` laid over it.

    Raises UsageError that lists the markets there are, ResourceError for changes that may not be made.
    """
    if market not in list_markets():
        refuse_video(market)
        raise UsageError(f"Unknown marketplace {market!r}. Choose from: {', '.join(list_markets())}.")
    text = (resources.files("vitrina.rules") / "packs" / f"{market}.toml").read_text("utf-8")
    pack = parse_pack(text, name=f"{market}.toml", changes=changes)
    if pack.market != market:
        raise ResourceError(f"{market}.toml: says market = {pack.market!r}. File name and market must agree.")
    return pack


def parse_pack(text: str, *, name: str, changes: Changes | None = None) -> Pack:
    """A pack from TOML text: unknown keys and values out of range are refused, `inherits` is resolved.

    Raises ResourceError that names the file, the key and what is wrong with it.
    """
    table, local = _read(text, name), None
    if changes is not None:
        table, local = lay_over(table, _read(changes.text, changes.name), changes)
        name = changes.name
    try:
        file = PackFile.model_validate(table)
    except ValidationError as error:
        raise ResourceError(f"{name}: {_first(error)} Mend the file.") from error
    pack = Pack.model_construct(**dict(file), local=local)
    slots: list[Slot] = []
    for slot in pack.slot:
        slots.append(_complete(slot, slots, pack, name))
    return pack.model_copy(
        update={
            "slot": tuple(slots),
            "count": tuple(_sourced(rule, pack, name) for rule in pack.count),
            "thumbnail": tuple(_sourced(rule, pack, name) for rule in pack.thumbnail),
            "by_hand": tuple(_sourced(rule, pack, name) for rule in pack.by_hand),
        }
    )


def _read(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ResourceError(f"{name}: not TOML ({error}). Mend the file.") from error


def find_slot(pack: Pack, slot: str) -> Slot:
    """The slot called `slot`; one that the pack only names in its `order` keeps the rules of ``extra``.

    Raises UsageError that lists the slots there are, NotBuilt for moving pictures.
    """
    refuse_video(slot)
    named = {candidate.name: candidate for candidate in pack.slot}
    if slot in named:
        return named[slot]
    if slot in pack.order and "extra" in named:
        return named["extra"].model_copy(update={"name": slot})
    raise UsageError(f"{pack.name} has no slot {slot!r}. Choose from: {', '.join(pack.slots)}.")


def refuse_video(name: str) -> None:
    """Raise NotBuilt if `name`, of whatever was asked for, means moving pictures: nothing half-made is exported."""
    if name.strip("-").lower() in _MOVING:
        raise NotBuilt(
            f"{name}: Vitrina makes still pictures only; video and Reels are not built. Film the piece yourself and "
            "upload the video in the marketplace's cabinet."
        )


def pack_schema() -> dict[str, Any]:
    """The JSON schema (2020-12) of a pack file."""
    schema = PackFile.model_json_schema()
    for definition in schema["$defs"].values():
        if "confidence" in definition.get("properties", {}):
            del definition["properties"]["sources"]  # filled in while loading, never written
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Vitrina rule pack",
        "description": "One marketplace's picture rules: a TOML file. docs/rule-packs.md explains every key.",
    }


def _complete(slot: Slot, before: list[Slot], pack: Pack, name: str) -> Slot:
    """`slot` with what it inherits and with the addresses of its sources. Own families replace inherited ones."""
    update: dict[str, Any] = {}
    parent = None
    if slot.inherits is not None:
        parent = next((candidate for candidate in before if candidate.name == slot.inherits), None)
        if parent is None:
            raise ResourceError(f"{name}: slot {slot.name!r} inherits {slot.inherits!r}, which must stand before it.")
    unknown = sorted(set(slot.drops) - set(FAMILIES))
    if unknown:
        raise ResourceError(f"{name}: slot {slot.name!r} drops {unknown[0]!r}; known are {', '.join(FAMILIES)}.")
    for family in FAMILIES:
        own = tuple(_sourced(rule, pack, name) for rule in getattr(slot, family))
        inherited = getattr(parent, family) if parent is not None and family not in slot.drops else ()
        if family == "by_hand":
            told = {rule.topic for rule in own if isinstance(rule, HandRule)}
            own += tuple(rule for rule in inherited if rule.topic not in told)
        update[family] = own or inherited
    safe = slot.safe or (parent.safe if parent is not None else None)
    if safe is None:
        raise ResourceError(f"{name}: slot {slot.name!r} says nowhere what to export. Add a line: safe = {{ … }}")
    made = slot.model_copy(update={**update, "safe": safe})
    if safe.format not in taken_kinds(made):
        raise ResourceError(
            f"{name}: slot {slot.name!r} exports {safe.format}, but takes only "
            f"{', '.join(taken_kinds(made))} of those we write."
        )
    return made


def _sourced(rule: Rule, pack: Pack, name: str) -> Rule:
    missing = [key for key in rule.source if key not in pack.sources]
    if missing:
        raise ResourceError(f"{name}: source {missing[0]!r} is not in [sources]. Add it or use one of those.")
    origins = [pack.sources[key] for key in rule.source]
    dates = [origin.checked_on for origin in origins if origin.checked_on]
    checked = rule.checked_on or (max(dates) if dates else pack.checked_on)
    return rule.model_copy(update={"sources": tuple(origin.url for origin in origins), "checked_on": checked})


def _first(error: ValidationError) -> str:
    """The first complaint of pydantic, in one sentence."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "the pack"
    said = {"extra_forbidden": "unknown key", "missing": "this key is missing"}.get(first["type"], first["msg"])
    return f"{where}: {said}."
