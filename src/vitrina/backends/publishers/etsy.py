"""Etsy: one file after the other, each at its rank. The listing's state is never touched: activating is billed.

Without `rank` a new picture takes the first place and pushes the others; `rank` travels as a form value, and
`overwrite` puts a picture in the place of the one that has its rank.
https://developers.etsy.com/documentation/tutorials/listings
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from vitrina.backends.publishers.wire import OverWire, Reply, Request, Wire, base_url, key_of, require, secret
from vitrina.plugins import Journal, Parcel

__all__ = ["Etsy"]


def _wire() -> Wire:
    credentials = {
        "x-api-key": (secret("VITRINA_ETSY_KEYSTRING"), secret("VITRINA_ETSY_SHARED_SECRET")),
        "Authorization": (secret("VITRINA_ETSY_TOKEN"),),
    }
    return Wire("etsy", credentials, pause_s=0.25, prefix={"Authorization": "Bearer "})


@dataclass(slots=True)
class Etsy(OverWire):
    """The publisher of Etsy: pictures of a listing, draft or active as it is."""

    wire: Wire = field(default_factory=_wire)
    base: str = field(default_factory=lambda: base_url("VITRINA_ETSY_URL", "https://openapi.etsy.com/v3/application"))
    name = "etsy"
    needs: ClassVar[Mapping[str, str]] = {"shop_id": "the shop's number", "listing_id": "the listing's number"}
    takes_urls = False

    def plan(self, parcel: Parcel) -> list[dict[str, Any]]:
        """An upload per picture, then the listing's pictures; their order is mended only if it is not as sent."""
        return [self.wire.plan(request) for request in (*dict(self._uploads(parcel)).values(), self._images(parcel))]

    def send(self, parcel: Parcel, journal: Journal) -> None:
        """Upload what is not answered yet, then put the pictures in order if Etsy did not."""
        sent = [
            int(self.wire.once(journal, key, request, _kept)["listing_image_id"])
            for key, request in self._uploads(parcel)
        ]
        order = [int(image["listing_image_id"]) for image in self._results(parcel)]
        lost = [number for number in sent if number not in order]
        require(self.name, not lost, f"{len(lost)} pictures were taken but are not in the listing. Send with --again.")
        if order[: len(sent)] != sent:
            wanted = [*sent, *(number for number in order if number not in sent)]
            url = f"{self.base}/shops/{parcel.listing['shop_id']}/listings/{parcel.listing['listing_id']}"
            self.wire.ask(Request("PATCH", url, json={"image_ids": wanted}))

    def shown(self, parcel: Parcel) -> list[str]:
        """The listing's pictures by rank."""
        return [str(image["url_fullxfull"]) for image in self._results(parcel)]

    def _uploads(self, parcel: Parcel) -> Iterator[tuple[str, Request]]:
        shop, listing = parcel.listing["shop_id"], parcel.listing["listing_id"]
        url = f"{self.base}/shops/{shop}/listings/{listing}/images"
        for rank, picture in enumerate(parcel.pictures, start=1):
            form = {"rank": str(rank), "overwrite": "true", "is_watermarked": "false"}
            yield (
                key_of(self.name, shop, listing, rank, picture.digest),
                Request("POST", url, form=form, file=("image", picture)),
            )

    def _images(self, parcel: Parcel) -> Request:
        return Request("GET", f"{self.base}/listings/{parcel.listing['listing_id']}/images")

    def _results(self, parcel: Parcel) -> list[Mapping[str, Any]]:
        body = self.wire.ask(self._images(parcel)).body or {}
        return sorted(body.get("results", []), key=lambda image: int(image["rank"]))


def _kept(reply: Reply) -> dict[str, Any]:
    body = reply.body if isinstance(reply.body, Mapping) else {}
    require("etsy", "listing_image_id" in body, f"the answer {reply.status} names no listing_image_id.")
    return {"status": reply.status, "listing_image_id": body["listing_image_id"], "rank": body.get("rank")}
