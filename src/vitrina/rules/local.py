"""A seller's own changes to a pack: a TOML file laid over ours, and what it changed, in words.

It may change rules, what is exported, the order of pictures and the sources; never the dates, the version or the name,
for those say what was read and when.
"""

from __future__ import annotations

import copy
import hashlib
from dataclasses import dataclass
from typing import Any

from vitrina.errors import ResourceError
from vitrina.rules.pack import FAMILIES, Local

KEYS = ("market", "why", "sources", "count", "thumbnail", "by_hand", "order", "slot")
"""What such a file may say."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The file with a seller's changes, as text; `name` is used in messages."""

    name: str
    text: str


def lay_over(table: dict[str, Any], own: dict[str, Any], changes: Changes) -> tuple[dict[str, Any], Local]:
    """The pack `table` with the seller's `own` keys laid over it, and what that changed.

    A slot's family of rules is replaced as a whole, what we export key by key, a by-hand rule by its topic; slots of
    other names are added. Raises ResourceError for a key that may not be changed.
    """
    name = changes.name
    unknown = sorted(set(own) - set(KEYS))
    if unknown:
        raise ResourceError(f"{name}: {unknown[0]!r} may not be changed; known are {', '.join(KEYS)}.")
    if own.get("market") != table["market"]:
        raise ResourceError(f"{name}: market = {table['market']!r} is wanted. File name and market must agree.")
    if not str(own.get("why", "")).strip():
        raise ResourceError(f"{name}: why is missing. Say why the pack is changed, for every export repeats it.")
    _require_shape(own, name)
    out, told = copy.deepcopy(table), []
    taken = sorted(set(own.get("sources", {})) & set(out["sources"]))
    if taken:
        raise ResourceError(f"{name}: the source {taken[0]!r} is the pack's own. Give yours another name.")
    out["sources"].update(own.get("sources", {}))
    for key in ("count", "thumbnail", "order"):
        if key in own:
            told.append(f"every listing: {key}")
            out[key] = own[key]
    for rule in own.get("by_hand", ()):
        told.append(f"every listing: by_hand {rule.get('topic')}")
        out["by_hand"] = [old for old in out.get("by_hand", ()) if old["topic"] != rule.get("topic")] + [rule]
    for slot in own.get("slot", ()):
        told += _change_slot(out["slot"], slot, name)
    if not told:
        raise ResourceError(f"{name}: it changes nothing. Change something or remove the file.")
    digest = hashlib.sha256(changes.text.encode()).hexdigest()
    return out, Local(file=name, why=" ".join(own["why"].split()), changes=tuple(told), digest=digest)


def _change_slot(slots: list[dict[str, Any]], own: dict[str, Any], name: str) -> list[str]:
    called = own.get("name")
    known = next((slot for slot in slots if slot["name"] == called), None)
    if known is None:
        slots.append(own)
        return [f"{called}: a slot of its own"]
    told = []
    for key, value in own.items():
        if key == "name":
            continue
        if key == "safe":
            told += [f"{called}: safe.{part}" for part in value]
            known["safe"] = {**_safe_of(known, slots), **value}
        elif key in FAMILIES:
            told.append(f"{called}: {key}")
            known[key] = value
        else:
            raise ResourceError(f"{name}: {key!r} of slot {called!r} may not be changed, its rules and `safe` may.")
    return told


def _safe_of(slot: dict[str, Any], slots: list[dict[str, Any]]) -> dict[str, Any]:
    """What is exported into `slot`, its own or inherited."""
    while "safe" not in slot and "inherits" in slot:
        slot = next((other for other in slots if other["name"] == slot["inherits"]), {})
    return dict(slot.get("safe", {}))


def _require_shape(own: dict[str, Any], name: str) -> None:
    for key in ("slot", "count", "thumbnail", "by_hand"):
        if not isinstance(own.get(key, []), list) or not all(isinstance(item, dict) for item in own.get(key, [])):
            raise ResourceError(f"{name}: {key} is written as [[{key}]], a table for each.")
    if not isinstance(own.get("sources", {}), dict):
        raise ResourceError(f"{name}: sources is written as [sources].")
    for slot in own.get("slot", []):
        if not isinstance(slot.get("safe", {}), dict):
            raise ResourceError(f"{name}: safe is written as safe = {{ … }}.")
