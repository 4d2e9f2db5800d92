"""Wildberries: one file after the other at its place in the card's gallery, then the card is read again.

POST /content/v3/media/file takes a file at a 1-based place and leaves the rest of the gallery alone; media/save, which
replaces it whole and may keep nothing with a 200, is not used. A change on a live card shows at once.
https://dev.wildberries.ru/openapi/item-management#tag/mediaFiles
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from vitrina.backends.publishers.wire import OverWire, Reply, Request, Wire, base_url, key_of, require, secret
from vitrina.plugins import Journal, Parcel

__all__ = ["Wildberries"]

_LOOKS = 6
"""How often the card is read until its new pictures show."""


def _wire() -> Wire:
    return Wire("wildberries", {"Authorization": (secret("VITRINA_WILDBERRIES_TOKEN"),)}, pause_s=0.6)


@dataclass(slots=True)
class Wildberries(OverWire):
    """The publisher of Wildberries. `nm_id` is the card's number."""

    wire: Wire = field(default_factory=_wire)
    base: str = field(default_factory=lambda: base_url("VITRINA_WILDBERRIES_URL", "https://content-api.wildberries.ru"))
    name = "wildberries"
    needs: ClassVar[Mapping[str, str]] = {"nm_id": "the card's number (nmID)"}
    takes_urls = False

    def plan(self, parcel: Parcel) -> list[dict[str, Any]]:
        """An upload per picture, then the card."""
        return [self.wire.plan(request) for request in (*dict(self._uploads(parcel)).values(), self._card(parcel))]

    def send(self, parcel: Parcel, journal: Journal) -> None:
        """Upload what is not answered yet, then see that the card holds all of it."""
        for key, request in self._uploads(parcel):
            self.wire.once(journal, key, request, _kept)
        for look in range(_LOOKS):
            shown = self.shown(parcel)
            if len(shown) >= len(parcel.pictures):
                return
            self.wire.wait(2.0 * (look + 1))
        require(
            self.name, False, f"every upload was answered with 200, but the card shows {len(shown)} pictures of "
            f"{len(parcel.pictures)}. Look into the card; send again with --again.",
        )  # fmt: skip

    def shown(self, parcel: Parcel) -> list[str]:
        """The card's pictures."""
        body = self.wire.ask(self._card(parcel)).body or {}
        cards = [card for card in body.get("cards", []) if str(card.get("nmID")) == parcel.listing["nm_id"]]
        require(self.name, bool(cards), f"there is no card {parcel.listing['nm_id']} in this cabinet.")
        return [str(photo["big"]) for photo in cards[0].get("photos") or []]

    def _uploads(self, parcel: Parcel) -> Iterator[tuple[str, Request]]:
        for place, picture in enumerate(parcel.pictures, start=1):
            headers = {"X-Nm-Id": parcel.listing["nm_id"], "X-Photo-Number": str(place)}
            url = f"{self.base}/content/v3/media/file"
            yield (
                key_of(self.name, parcel.listing["nm_id"], place, picture.digest),
                Request("POST", url, headers, file=("uploadfile", picture)),
            )

    def _card(self, parcel: Parcel) -> Request:
        only = {"textSearch": parcel.listing["nm_id"], "withPhoto": -1}
        body = {"settings": {"cursor": {"limit": 100}, "filter": only}}
        return Request("POST", f"{self.base}/content/v2/get/cards/list", json=body)


def _kept(reply: Reply) -> dict[str, Any]:
    body = reply.body if isinstance(reply.body, Mapping) else {}
    said = body.get("errorText") or body.get("additionalErrors") or "an error without words"
    require("wildberries", not body.get("error"), f"the upload was refused: {said}.")
    return {"status": reply.status, "body": dict(body)}
