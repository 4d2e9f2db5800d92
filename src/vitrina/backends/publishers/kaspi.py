"""Kaspi: the product with its pictures by public addresses. A new card is checked there for up to three working days.

The import takes a JSON array as text/plain and works it off later; its result is asked for by code. The interface does
not give the catalogue back, so what was sent is on our own record only.
https://guide.kaspi.kz/partner/ru/shop/api/goods/q3219 and q3223
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from vitrina.backends.publishers.wire import OverWire, Reply, Request, Wire, base_url, key_of, require, secret
from vitrina.errors import Retryable, UsageError
from vitrina.plugins import Journal, Parcel

__all__ = ["Kaspi"]

_LONGEST = {"sku": 64, "title": 1024, "brand": 256}
_WAITING = ("UPLOADED", "RECEIVED", "PROCESSING", "IN_PROGRESS")
_LOOKS = 6


def _wire() -> Wire:
    return Wire("kaspi", {"X-Auth-Token": (secret("VITRINA_KASPI_TOKEN"),)}, pause_s=1.0)


@dataclass(slots=True)
class Kaspi(OverWire):
    """The publisher of Kaspi. `product` is the product of the import as JSON, all but its images."""

    wire: Wire = field(default_factory=_wire)
    base: str = field(default_factory=lambda: base_url("VITRINA_KASPI_URL", "https://kaspi.kz/shop/api"))
    name = "kaspi"
    needs: ClassVar[Mapping[str, str]] = {
        "product": "the product as JSON (sku, title, brand, category, description, attributes)"
    }
    takes_urls = True

    def plan(self, parcel: Parcel) -> list[dict[str, Any]]:
        """The import, its state, its result."""
        asked = [self._ask(path, "(the import's code)") for path in ("", "/result")]
        return [self.wire.plan(request) for request in (self._import(parcel), *asked)]

    def send(self, parcel: Parcel, journal: Journal) -> None:
        """Send the product, wait until it is worked off, and raise what its result complains of."""
        request = self._import(parcel)
        key = key_of(self.name, json.dumps(request.json, sort_keys=True), *(p.digest for p in parcel.pictures))
        code = str(self.wire.once(journal, key, request, _kept)["code"])
        for look in range(_LOOKS):
            state = str((self.wire.ask(self._ask("", code)).body or {}).get("status", ""))
            if state not in _WAITING:
                break
            self.wire.wait(2.0 + look)
        else:
            raise Retryable(
                f"kaspi: import {code} is still {state}. Run the same command again in some minutes: it asks only, "
                "nothing is sent twice.", after_s=300,
            )  # fmt: skip
        result = self.wire.ask(self._ask("/result", code)).body or {}
        said = json.dumps(result.get("result") or result, ensure_ascii=False)[:600]
        require(self.name, not result.get("errors") and not result.get("skipped"), f"import {code}: {said}.")

    def shown(self, parcel: Parcel) -> None:  # noqa: ARG002
        """Nothing: this interface does not give the catalogue back."""
        return

    def _import(self, parcel: Parcel) -> Request:
        try:
            product = dict(json.loads(parcel.listing["product"]))
        except (ValueError, TypeError) as error:
            raise UsageError(f"kaspi: the product is not a JSON object ({error}).") from error
        lacking = [key for key in ("sku", "title", "brand", "category") if not str(product.get(key) or "").strip()]
        if lacking:
            raise UsageError(f"kaspi: the product lacks {', '.join(lacking)}. Its import asks for them.")
        for key, longest in _LONGEST.items():
            if len(str(product[key])) > longest:
                raise UsageError(f"kaspi: {key} has {len(str(product[key]))} characters, {longest} allowed.")
        addresses = [picture.url for picture in parcel.pictures]
        if len(set(addresses)) != len(addresses) or any(len(url) > 1024 for url in addresses):
            raise UsageError("kaspi: the pictures' addresses must differ and be 1024 characters long at most.")
        body = [{**product, "images": [{"url": url} for url in addresses]}]
        return Request("POST", f"{self.base}/products/import", json=body, is_text=True)

    def _ask(self, path: str, code: str) -> Request:
        return Request("GET", f"{self.base}/products/import{path}?i={code}")


def _kept(reply: Reply) -> dict[str, Any]:
    body = reply.body if isinstance(reply.body, Mapping) else {}
    require("kaspi", bool(body.get("code")), f"the answer {reply.status} names no code for the import.")
    return {"status": reply.status, "code": body["code"], "state": body.get("status")}
