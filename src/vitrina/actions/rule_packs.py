"""The rule packs in effect: ours, the seller's own changes laid over them, and a person's word that they still hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from vitrina.actions.house import House, actor, log
from vitrina.config import Config
from vitrina.errors import NotAllowed, ResourceError, UsageError
from vitrina.files import read_bytes
from vitrina.rules.load import list_markets, load_pack, pack_schema
from vitrina.rules.local import Changes
from vitrina.rules.pack import Pack, Rule
from vitrina.store import Connection, events
from vitrina.store.engine import open_store

CONFIRM = "rules.confirm"
"""The ledger's verb for: somebody read the marketplace's page and found it as the pack says."""


def local_pack(config: Config, market: str) -> Pack:
    """The pack with the changes of ``rules/MARKET.toml`` in the home, if there is such a file."""
    path = config.home / "rules" / f"{market}.toml"
    if market not in list_markets() or not path.is_file():
        return load_pack(market)
    try:
        return load_pack(market, Changes(str(path), read_bytes(path).decode("utf-8")))
    except UnicodeDecodeError as error:
        raise ResourceError(f"{path}: not UTF-8 ({error}). Mend or remove the file.") from error


def pack_in_effect(conn: Connection, config: Config, market: str) -> Pack:
    """The local pack with its dates begun anew by the latest confirmation of this very edition."""
    pack = local_pack(config, market)
    said = events.latest(conn, verb=CONFIRM, subject=f"rules/{market}")
    if said is None or said.details["edition"] != pack.edition:
        return pack
    return pack.confirmed(date.fromisoformat(said.details["read_on"]), by=said.person)


def packs_of(config: Config, *, today: Callable[[], date] = date.today) -> Callable[[str], Pack]:
    """What gives the pack in effect of a marketplace. The records are asked only for a pack that its dates make stale.

    Without records in the home, or when they cannot be opened, a pack counts as not confirmed: the stricter reading.
    """

    def find(market: str) -> Pack:
        pack = local_pack(config, market)
        return _confirmed(config, pack) if pack.is_stale(today()) else pack

    return find


def confirm_rules(house: House, market: str, *, read_on: date | None = None, words: str = "") -> dict[str, Any]:
    """Put on record that the person at the desk has read the marketplace's current pages and that the pack still holds.

    Raises UsageError for a day to come or before the pack was read, NotAllowed without the role.
    """
    today = house.clock().date()
    day = read_on or today
    pack = local_pack(house.config, market)
    if day > today:
        raise UsageError(f"--read-on {day}: that day is to come; today is {today}.")
    if day < pack.checked_on:
        raise UsageError(f"--read-on {day}: the pack itself was read later, on {pack.checked_on}.")
    with house.store.writing() as conn:
        person = actor(conn, house, CONFIRM)
        pages = sorted({origin.url for origin in pack.sources.values()})
        details = {"edition": pack.edition, "read_on": day.isoformat(), "words": words, "pages": pages}
        log(conn, house, person, CONFIRM, f"rules/{market}", details=details)
    now = pack.confirmed(day, by=person)
    return {
        "schema": "vitrina.rules-confirm/1",
        **in_short(now, today),
        "words": words,
        "pages": pages,
        "verdict": "pass",
    }


def require_fresh(pack: Pack, today: date) -> list[str]:
    """A warning once the pack is due to be read again; raises NotAllowed past its last day."""
    if today > pack.stop_after:
        raise NotAllowed(
            f"{pack.market}: nothing is exported, for the rules were read on {pack.read_on} and may not be used after "
            f"{pack.stop_after}. The confirmation of a publisher or an admin is lacking: read the marketplace's help "
            f"page, then say so with vitrina rules confirm {pack.market} --who NAME"
        )
    if pack.is_stale(today):
        return [
            f"{pack.market}: the rules were read on {pack.read_on} and were due again on {pack.reread_by}; after "
            f"{pack.stop_after} exports stop. Read the page, then: vitrina rules confirm {pack.market} --who NAME"
        ]
    return []


def list_rules(config: Config) -> dict[str, Any]:
    """Every rule pack in short."""
    find, today = packs_of(config), date.today()
    return {"schema": "vitrina.rules-list/1", "packs": [in_short(find(market), today) for market in list_markets()]}


def show_rules(config: Config, market: str) -> dict[str, Any]:
    """One rule pack in full: every rule with its value, level, confidence, the day it was read and its addresses."""
    pack = _confirmed(config, local_pack(config, market))
    slots = [
        {
            "slot": slot.name,
            "we_export": slot.target.model_dump(mode="json"),
            "rules": [{"rule": family, **_rule(rule, pack)} for family, rule in slot.rules()],
        }
        for slot in pack.slot
    ]
    return {
        "schema": "vitrina.rule-pack/1",
        **in_short(pack, date.today()),
        "note": " ".join(pack.note.split()),
        "order_of_pictures": list(pack.order),
        "count": [_rule(rule, pack) for rule in pack.count],
        "thumbnail": [_rule(rule, pack) for rule in pack.thumbnail],
        "by_hand": [_rule(rule, pack) for rule in pack.by_hand],
        "slots": slots,
        "sources": {name: origin.model_dump(mode="json", exclude_none=True) for name, origin in pack.sources.items()},
    }


def show_schema() -> dict[str, Any]:
    """The JSON schema that every pack file keeps to."""
    return pack_schema()


def check_rules(config: Config, path: Path, *, market: str, slot: str) -> dict[str, Any]:
    """One file against one slot of one marketplace."""
    from vitrina import steps

    pack = packs_of(config)(market)
    judgement = steps.check_rules(read_bytes(path), market=pack, slot=slot, name=str(path))
    return {"file": str(path), "market": market, "slot": slot, **judgement.as_dict()}


def in_short(pack: Pack, today: date) -> dict[str, Any]:
    """A pack without its rules: edition, dates, who confirmed it, what the seller changed."""
    return {
        "market": pack.market,
        "name": pack.name,
        "country": pack.country,
        "version": pack.version,
        "edition": pack.edition,
        "checked_on": pack.checked_on.isoformat(),
        "reread_by": pack.reread_by.isoformat(),
        "stop_after": pack.stop_after.isoformat(),
        "stale": pack.is_stale(today),
        "expired": today > pack.stop_after,
        "confirmed_on": pack.confirmed_on.isoformat() if pack.confirmed_on else None,
        "confirmed_by": pack.confirmed_by or None,
        "confidence": pack.confidence,
        "local": pack.local.model_dump(mode="json") if pack.local else None,
    }


def _confirmed(config: Config, pack: Pack) -> Pack:
    if not (config.database or (config.home / "app.sqlite").is_file()):
        return pack
    try:
        store = open_store(config)
    except ResourceError:
        return pack
    try:
        with store.reading() as conn:
            return pack_in_effect(conn, config, pack.market)
    except ResourceError:
        return pack
    finally:
        store.close()


def _rule(rule: Rule, pack: Pack) -> dict[str, Any]:
    """A rule as it is shown; its own numbers stand first."""
    read = rule.checked_on or pack.checked_on
    shown = {
        "value": rule.value,
        "level": rule.level,
        "breaking_it": rule.weight.value,
        "confidence": rule.confidence,
        "read_on": read.isoformat(),
        "sources": list(rule.sources),
    }
    return {**shown, "note": rule.note} if rule.note else shown
