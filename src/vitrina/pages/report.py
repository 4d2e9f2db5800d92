"""A card's report as one HTML file for the seller: nothing is loaded from outside, it prints, and it is honest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from vitrina.pages.pictures import PhotoPictures
from vitrina.rules.load import find_slot
from vitrina.rules.pack import Pack

__all__ = ["report_page"]

_WORDS = {
    "pass": ("Checked: nothing was found", "Look through the checklist, then let the person in charge approve."),
    "review": ("A person has to look", "Something needs your eye before this may be approved: see below."),
    "reject": ("Do not publish", "At least one thing makes these pictures unfit: see below what and how to mend it."),
}
_SEVERITIES = {"block": "stops publication", "warn": "needs your eye", "note": "for your information"}


def report_page(document: Mapping[str, Any], photos: Sequence[PhotoPictures], packs: Mapping[str, Pack]) -> str:
    """The report `document` and the pictures of its photos, in the same order, as one HTML page.

    `packs` holds the rules of each of its marketplaces.
    """
    title, advice = _WORDS[document["verdict"]]
    if document["stopped"]:
        title, advice = "No pictures were made", "The reason and what to do about it are below."
    markets = [
        {
            "pack": packs[market],
            "drafts": [_draft(draft, photos) for draft in document["drafts"] if draft["market"] == market],
            "by_hand": [*packs[market].by_hand, *find_slot(packs[market], "main").by_hand],
        }
        for market in document["markets"]
    ]
    return _template().render(
        card=document,
        title=title,
        advice=advice,
        photos=list(zip(document["photos"], photos, strict=True)),
        markets=markets,
        severities=_SEVERITIES,
    )


def _draft(draft: Mapping[str, Any], photos: Sequence[PhotoPictures]) -> dict[str, Any]:
    shot = next((photo.drafts[draft["file"]] for photo in photos if draft["file"] in photo.drafts), None)
    return {**draft, "shot": shot}


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("vitrina.pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["percent"] = lambda share: f"{100 * float(share):.4g} %"
    environment.filters["plain"] = _plain
    return environment.get_template("report.html")


def _plain(value: object) -> str:
    """A measured value as people write it."""
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return "—" if value is None else str(value)
