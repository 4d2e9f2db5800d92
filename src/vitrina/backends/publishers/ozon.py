"""Ozon: the whole gallery by public addresses; the truth comes later, from pictures/info.

POST /v1/product/pictures/import replaces all pictures, the first is the main one, and always answers `imported`.
https://docs.ozon.ru/api/seller/#operation/ProductAPI_ProductImportPictures
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from vitrina.backends.publishers.wire import OverWire, Request, Wire, base_url, key_of, require, secret
from vitrina.errors import Retryable
from vitrina.plugins import Journal, Parcel

__all__ = ["Ozon"]

_LOOKS = 8


def _wire() -> Wire:
    credentials = {"Client-Id": (secret("VITRINA_OZON_CLIENT_ID"),), "Api-Key": (secret("VITRINA_OZON_API_KEY"),)}
    return Wire("ozon", credentials, pause_s=0.05)


@dataclass(slots=True)
class Ozon(OverWire):
    """The publisher of Ozon. `product_id` is the product's number in the seller's cabinet."""

    wire: Wire = field(default_factory=_wire)
    base: str = field(default_factory=lambda: base_url("VITRINA_OZON_URL", "https://api-seller.ozon.ru"))
    name = "ozon"
    needs: ClassVar[Mapping[str, str]] = {"product_id": "the product's number"}
    takes_urls = True

    def plan(self, parcel: Parcel) -> list[dict[str, Any]]:
        """The gallery, then its state."""
        return [self.wire.plan(self._import(parcel)), self.wire.plan(self._info(parcel))]

    def send(self, parcel: Parcel, journal: Journal) -> None:
        """Send the gallery and wait until each picture is fetched or refused."""
        key = key_of(self.name, parcel.listing["product_id"], *(picture.digest for picture in parcel.pictures))
        self.wire.once(journal, key, self._import(parcel), lambda reply: {"status": reply.status, "body": reply.body})
        for look in range(_LOOKS):
            item = self._item(parcel)
            errors = "; ".join(f"{error.get('url')}: {error.get('message')}" for error in item.get("errors") or [])
            require(self.name, not errors, f"pictures were refused after they had been taken: {errors}.")
            if len(_addresses(item)) == len(parcel.pictures):
                return
            self.wire.wait(1.0 + look)
        raise Retryable(
            f"ozon: {len(_addresses(item))} pictures of {len(parcel.pictures)} show so far. Run the same command again "
            "in a minute: it asks only, nothing is sent twice.", after_s=60,
        )  # fmt: skip

    def shown(self, parcel: Parcel) -> list[str]:
        """The product's pictures, the main one first."""
        return _addresses(self._item(parcel))

    def _import(self, parcel: Parcel) -> Request:
        body = {
            "product_id": int(parcel.listing["product_id"]),
            "images": [picture.url for picture in parcel.pictures],
        }
        return Request("POST", f"{self.base}/v1/product/pictures/import", json=body)

    def _info(self, parcel: Parcel) -> Request:
        body = {"product_id": [parcel.listing["product_id"]]}
        return Request("POST", f"{self.base}/v2/product/pictures/info", json=body)

    def _item(self, parcel: Parcel) -> Mapping[str, Any]:
        items = (self.wire.ask(self._info(parcel)).body or {}).get("items", [])
        found = [item for item in items if str(item.get("product_id")) == parcel.listing["product_id"]]
        require(self.name, bool(found), f"there is no product {parcel.listing['product_id']} in this cabinet.")
        return dict(found[0])


def _addresses(item: Mapping[str, Any]) -> list[str]:
    return [str(url) for url in [*(item.get("primary_photo") or []), *(item.get("photo") or [])]]
