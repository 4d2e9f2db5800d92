"""What the studio hands to a browser: an exported set, a dispute pack, a sending shown before it is sent."""

from __future__ import annotations

import contextlib
import io
import secrets
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from vitrina.actions.archive import dispute_pack
from vitrina.actions.house import House, actor, sku_called
from vitrina.actions.publishing import Sending, publish
from vitrina.actions.rule_packs import list_rules
from vitrina.errors import Missing, UsageError, VitrinaError
from vitrina.model import Digest
from vitrina.plugins import plugin, plugins_of
from vitrina.store import decisions, pictures

_STAMP = (1980, 1, 1, 0, 0, 0)
OUT = ("approved", "exported", "published")
"""States in which a picture may leave the house."""


def readiness(house: House, code: str) -> dict[str, Any]:
    """Every marketplace that the SKU has files for: each file's slot and state, and what the rules rest on."""
    with house.store.reading() as conn:
        actor(conn, house, "read")
        sku = sku_called(conn, code)
        live = [v for v in pictures.variants_of(conn, sku.id) if v.state not in ("rejected", "superseded")]
        made = [(variant, r) for variant in live for r in pictures.renditions_of(conn, variant.id)]
        gone = {(e.variant_id, e.market) for e in decisions.exports_of(conn, [sku.id])}
    packs = {pack["market"]: pack for pack in list_rules(house.config)["packs"]}
    told: dict[str, Any] = {}
    for variant, r in made:
        pack = packs.get(r.market, {})
        entry = told.setdefault(
            r.market,
            {"market": r.market, "name": pack.get("name", r.market), "read_on": pack.get("confirmed_on")
             or pack.get("checked_on", ""), "stale": bool(pack.get("stale")), "expired": bool(pack.get("expired")),
             "files": [], "may_go": False, "is_exported": False},
        )  # fmt: skip
        entry["files"].append({"slot": r.slot, "name": r.name, "variant": variant.number, "look": variant.look,
                               "state": variant.state, "verdict": r.verdict})  # fmt: skip
        entry["may_go"] |= variant.state in OUT
        entry["is_exported"] |= (variant.id, r.market) in gone
    return {"schema": "vitrina.readiness/1", "sku": code, "markets": list(told.values())}


def export_zip(house: House, code: str, market: str) -> bytes:
    """The files of the newest export of an SKU for a marketplace, byte for byte, as a ZIP."""
    with house.store.reading() as conn:
        actor(conn, house, "export")
        sku = sku_called(conn, code)
        latest = {e.variant_id: e for e in decisions.exports_of(conn, [sku.id]) if e.market == market}
        live = {v.id for v in pictures.variants_of(conn, sku.id) if v.state in OUT}
    files = {name: digest for key, row in latest.items() if key in live for name, digest in row.files.items()}
    if not files:
        raise Missing(f"{code} has not been exported for {market}, or what was exported is no longer approved.")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as packed:
        for name, digest in sorted(files.items()):
            packed.writestr(zipfile.ZipInfo(name, _STAMP), house.works.get(Digest(digest)))
    return out.getvalue()


def dispute_file(house: House, code: str, until: str = "") -> Path:
    """A dispute pack in a folder of its own, which whoever asked removes once it is sent."""
    folder = house.config.home / "incoming" / f".{secrets.token_hex(8)}"
    path = folder / "dispute.zip"
    try:
        dispute_pack(house, code, path, until=until or None)
    except BaseException:
        if folder.is_dir():
            folder.rmdir()
        raise
    return path


def publishers() -> dict[str, dict[str, str]]:
    """The marketplaces' interfaces that this house has the credentials of, and what each must be told of a listing."""
    told = {}
    for name in plugins_of("publishers"):
        if name == "folder":
            continue
        with contextlib.suppress(VitrinaError):  # no credentials: nothing can be sent there, so nothing is offered
            told[name] = dict(cast(Any, plugin("publishers", name))().needs)
    return told


def send(house: House, code: str, market: str, listing: Mapping[str, str], **how: Any) -> dict[str, Any]:
    """`publish` as a page may ask for it: to the marketplace's own interface, with nothing read from this machine."""
    with house.store.reading() as conn:
        actor(conn, house, "publish")
    if market not in publishers():
        raise UsageError(
            f"{market}: no interface, or no credentials for it here (docs/publishing.md). Export the files and put "
            "them there by hand."
        )
    for key, value in listing.items():
        if value.strip().startswith("@"):
            raise UsageError(f"{key}: the value itself is wanted; files are named on the command line only.")
    given = {key: value.strip() for key, value in listing.items() if value.strip()}
    return publish(house, code, Sending(market, market, given, **how))
