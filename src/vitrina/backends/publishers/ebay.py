"""eBay: files to its picture service, then their addresses into the inventory item. Nothing is offered or published.

The picture's id is in the Location header; unused pictures expire. A PUT replaces the whole item, so it is read first
and only its `imageUrls` change: all of them, for pictures hosted by eBay and elsewhere cannot be mixed.
https://developer.ebay.com/api-docs/sell/static/inventory/managing-image-media.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import quote

from vitrina.backends.publishers.wire import OverWire, Reply, Request, Wire, base_url, key_of, require, secret
from vitrina.plugins import Journal, Parcel

__all__ = ["Ebay"]


def _wire() -> Wire:
    credentials = {"Authorization": (secret("VITRINA_EBAY_TOKEN"),)}
    return Wire("ebay", credentials, pause_s=0.1, prefix={"Authorization": "Bearer "})


@dataclass(slots=True)
class Ebay(OverWire):
    """The publisher of eBay. `item` is the inventory item's SKU there."""

    wire: Wire = field(default_factory=_wire)
    base: str = field(default_factory=lambda: base_url("VITRINA_EBAY_URL", "https://api.ebay.com/sell/inventory/v1"))
    media: str = field(
        default_factory=lambda: base_url("VITRINA_EBAY_MEDIA_URL", "https://apim.ebay.com/commerce/media/v1_beta")
    )
    name = "ebay"
    needs: ClassVar[Mapping[str, str]] = {
        "item": "the inventory item's SKU",
        "language": "its content language, such as en-US",
    }
    takes_urls = False

    def plan(self, parcel: Parcel) -> list[dict[str, Any]]:
        """The item read, an upload per picture, the item written."""
        addresses = [f"(imageUrl of {picture.name})" for picture in parcel.pictures]
        item = {"(the item as it was read)": "…", "product": {"imageUrls": addresses}}
        requests = [self._item(parcel), *dict(self._uploads(parcel)).values(), self._put(parcel, item)]
        return [self.wire.plan(request) for request in requests]

    def send(self, parcel: Parcel, journal: Journal) -> None:
        """Upload what is not answered yet, or has expired since, then write the item's list of pictures."""
        uploads = list(self._uploads(parcel))
        item = dict(self.wire.ask(self._item(parcel)).body or {})
        known = [(journal.answer(key) or {}).get("imageUrl") for key, _ in uploads]
        if known == (item.get("product") or {}).get("imageUrls"):
            return  # pictures that an item shows do not expire
        addresses = [
            str(self.wire.once(journal, key, request, _kept, is_good=_is_fresh)["imageUrl"]) for key, request in uploads
        ]
        item["product"] = {**(item.get("product") or {}), "imageUrls": addresses}
        for generated in ("sku", "groupIds", "inventoryItemGroupKeys", "locale"):
            item.pop(generated, None)
        self.wire.ask(self._put(parcel, item))
        shown = self.shown(parcel)
        require(self.name, shown == addresses, f"the item shows {len(shown)} pictures, {len(addresses)} were written.")

    def shown(self, parcel: Parcel) -> list[str]:
        """The item's pictures."""
        body = self.wire.ask(self._item(parcel)).body or {}
        return [str(url) for url in (body.get("product") or {}).get("imageUrls") or []]

    def _uploads(self, parcel: Parcel) -> Iterator[tuple[str, Request]]:
        for picture in parcel.pictures:
            url = f"{self.media}/image/create_image_from_file"
            yield key_of(self.name, picture.digest), Request("POST", url, file=("image", picture))

    def _item(self, parcel: Parcel) -> Request:
        return Request("GET", f"{self.base}/inventory_item/{quote(parcel.listing['item'], safe='')}")

    def _put(self, parcel: Parcel, item: Mapping[str, Any]) -> Request:
        url = f"{self.base}/inventory_item/{quote(parcel.listing['item'], safe='')}"
        return Request("PUT", url, {"Content-Language": parcel.listing["language"]}, json=dict(item))


def _is_fresh(answer: Mapping[str, Any]) -> bool:
    """Whether an uploaded picture that no item shows yet is still there."""
    try:
        return datetime.fromisoformat(str(answer.get("expires"))) > datetime.now(UTC)
    except (ValueError, TypeError):
        return True


def _kept(reply: Reply) -> dict[str, Any]:
    body = reply.body if isinstance(reply.body, Mapping) else {}
    number = reply.headers.get("location", "").rstrip("/").rsplit("/", 1)[-1]
    require("ebay", bool(number) and "imageUrl" in body, f"the answer {reply.status} names no picture.")
    return {
        "status": reply.status, "image_id": number, "imageUrl": body["imageUrl"],
        "expires": body.get("expirationDate"),
    }  # fmt: skip
