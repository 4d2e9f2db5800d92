"""The report page: everything is said, nothing is loaded, nothing a name contains becomes markup."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from tests.scenes import Scene
from vitrina.card_report import CHECKLIST, report_document
from vitrina.codec.decode import decode
from vitrina.errors import Unreadable
from vitrina.imaging.places import risky_places
from vitrina.model import Cutout, Finding, Placement, Region, Severity, Size
from vitrina.pages.pictures import CLOSE_UP_PX, DIFFERENCE, PhotoPictures, close_up, difference, thumbnail
from vitrina.pages.report import report_page
from vitrina.rules.load import load_pack
from vitrina.stages.cutout import parts_of
from vitrina.stages.scene import compose

BROKEN = Finding(
    "stones", "stone-missing", Severity.BLOCK, 6, 7, "stones", "Stone 4 of 7 is not in the edit. Regenerate or reject.",
    Region(200, 60, 40, 40),
)  # fmt: skip
ODD = Finding("light", "dim", Severity.WARN, 40.0, 50.0, "L*", "The photo is <dim> & grey. Move to a window.")


STOPPED = {"photo": "a.jpg", "size": {"width": 1, "height": 1}, "stopped": "Too weak."}


def document(**change: Any) -> dict[str, Any]:
    asked = {
        "sku": "RING <b>1</b>", "mode": "exact", "looks": ("white", "grey"), "markets": ("kaspi",), "force": False,
        "made_at": datetime(2026, 11, 25, 3, 0, tzinfo=UTC), "seconds": 1.0,
    }  # fmt: skip
    photo = {"photo": "a.jpg", "size": {"width": 480, "height": 400}, "stopped": None}
    draft = {
        "file": "drafts/kaspi/x.jpg", "market": "kaspi", "slot": "main", "look": "white", "width": 1500, "height": 1500,
        "bytes": 90_000, "format": "JPEG", "quality": 90, "verdict": "review", "photo": "a.jpg",
    }  # fmt: skip
    parts: dict[str, Any] = {
        "photos": [photo], "drafts": [draft], "errors": [], "found": [("a.jpg", ODD)],
        "packs": [load_pack("kaspi")],
    }  # fmt: skip
    return report_document(asked, **(parts | change))


def shown(scene: Scene) -> PhotoPictures:
    cut = Cutout(scene.foreground, scene.alpha, parts_of(scene.alpha), (0.6, 0.6, 0.6), "drawn")
    pictures = PhotoPictures()
    pictures.show_source(scene.rgb)
    pictures.show_cutout(scene.rgb, cut)
    variant = compose(cut, "white")
    pictures.show_variant(variant)
    pictures.show_finding(BROKEN, "white", before=scene.rgb, after=lambda: variant.rgb, placement=variant.placement)
    pictures.show_draft("drafts/kaspi/x.jpg", variant.rgb)
    return pictures


@pytest.fixture(scope="module")
def pictures(drawn_ring: Scene) -> PhotoPictures:
    return shown(drawn_ring)


PACKS = {"kaspi": load_pack("kaspi")}
VOID = {"meta", "img", "br", "input", "link", "hr"}


class Page(HTMLParser):
    """The tags of a page, and whether they close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.images.append(dict(attrs))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()


def test_the_page_is_whole_and_loads_nothing(pictures: PhotoPictures) -> None:
    text = report_page(document(), [pictures], PACKS)
    page = Page(text)
    assert page.open == []
    assert page.images and all(image["src"].startswith("data:image/jpeg;base64,") for image in page.images)  # type: ignore[union-attr]
    assert all(image["alt"] for image in page.images)
    assert "<script" not in text and "<link" not in text and "@import" not in text and "url(" not in text
    assert "default-src 'none'" in text


def test_names_and_messages_are_text_not_markup(pictures: PhotoPictures) -> None:
    text = report_page(document(), [pictures], PACKS)
    assert "<b>1</b>" not in text and "RING &lt;b&gt;1&lt;/b&gt;" in text
    assert "<dim>" not in text and "&lt;dim&gt; &amp; grey" in text


def test_a_finding_is_shown_in_both_pictures_side_by_side(pictures: PhotoPictures) -> None:
    row = pictures.findings[0]
    assert row.finding == BROKEN and [shot.caption for shot in row.shots] == ["photo", "white", DIFFERENCE]
    before, after = (decode(shot.jpeg, name="crop") for shot in row.shots[:2])
    assert before.size == after.size and max(before.size.width, before.size.height) == CLOSE_UP_PX
    inside = slice(150, 250)
    assert np.abs(before.rgb[inside, inside] - after.rgb[inside, inside]).mean() < 0.15, "the same place"
    text = report_page(document(), [pictures], PACKS)
    assert "Stone 4 of 7" in text and "measured 6, limit 7 stones" in text


def test_a_difference_glows_inside_the_piece_only() -> None:
    before = np.full((60, 60, 3), 0.3, np.float32)
    alpha = np.zeros((60, 60, 1), np.float32)
    alpha[:, :40] = 1
    after = before.copy()
    after[10:25, 10:25, 0] = 0.9  # a change of the piece
    after[30:50, 45:] = 1.0  # another ground beside it
    seen = decode(difference(before, after, alpha), name="difference").rgb
    red = (seen[..., 0] - seen[..., 2]) > 0.2
    assert red[100:140, 100:140].mean() > 0.9 and red[180:350].mean() < 0.01


def test_stones_are_listed_the_most_changed_first(drawn_ring: Scene) -> None:
    cut = Cutout(drawn_ring.foreground, drawn_ring.alpha, parts_of(drawn_ring.alpha), (0.6, 0.6, 0.6), "drawn")
    stones = [stone.region for stone in drawn_ring.of_kind("stone")]
    variant = compose(cut, "white")
    pale = variant.rgb.copy()
    pale[stones[1].slices] *= 0.4
    pictures = PhotoPictures()
    pictures.show_stones(drawn_ring.rgb, replace(variant, rgb=pale), stones, stones[:1])
    assert pictures.stones is not None and len(pictures.stones) == len(stones)
    changes = [stone.change_de for stone in pictures.stones]
    assert changes == sorted(changes, reverse=True) and changes[0] > 10 > changes[-1]
    text = report_page(document(), [pictures], PACKS)
    assert Page(text).open == [] and f"ΔE {changes[0]:.1f}" in text


def test_the_same_finding_is_shown_once(drawn_ring: Scene) -> None:
    pictures = shown(drawn_ring)
    pictures.show_finding(BROKEN, "kaspi main", before=drawn_ring.rgb)
    assert len(pictures.findings) == 1


def test_checklist_notice_and_hand_rules_are_there(pictures: PhotoPictures) -> None:
    text = re.sub(r"&#39;", "'", report_page(document(), [pictures], PACKS))
    assert len(CHECKLIST) == 5
    for line in CHECKLIST:
        assert line in text
    assert "promises no marketplace's approval" in text and "not affiliated" in text
    assert "No text on the main picture." in text and "read on 2026-11-23" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"drafts": [], "photos": [STOPPED]}, "Too weak."),
        ({"errors": [Unreadable("b.jpg: not a picture.")], "found": []}, "Nothing that stops or worries"),
    ],
)  # fmt: skip
def test_every_way_a_card_ends_has_a_page(change: dict[str, Any], said: str) -> None:
    text = report_page(document(**change), [PhotoPictures()], PACKS)
    assert Page(text).open == [] and said in text
    assert ("How to photograph it again" in text) == (change.get("drafts") == [])


def test_a_card_without_drafts_is_rejected_and_says_why() -> None:
    photos = [{"photo": name, "stopped": why} for name, why in (("a", "a: too weak."), ("b", "b: worn."))]
    made = document(drafts=[], photos=photos)
    assert made["verdict"] == "reject" and made["stopped"] == "a: too weak. b: worn."


def test_the_summary_says_each_thing_once_gravest_first() -> None:
    made = document(found=[("a", ODD), ("b", ODD), ("b", BROKEN)])
    assert [(row["code"], row["where"]) for row in made["summary"]] == [("stone-missing", ["b"]), ("dim", ["a", "b"])]
    assert made["verdict"] == "reject"


def test_risky_places_lie_on_the_piece(drawn_chain: Scene) -> None:
    cut = Cutout(drawn_chain.foreground, drawn_chain.alpha, parts_of(drawn_chain.alpha), (0.6, 0.6, 0.6), "drawn")
    places = risky_places(drawn_chain.rgb, cut, side_px=80)
    assert 1 <= len(places) <= 5 and places[0].what == "thin parts"
    for place in places:
        assert drawn_chain.alpha[place.region.slices].max() > 0.5


def test_close_ups_may_leave_the_picture(drawn_ring: Scene) -> None:
    crop = decode(close_up(drawn_ring.rgb, Region(-50, -50, 100, 100)), name="crop")
    assert crop.size == Size(CLOSE_UP_PX, CLOSE_UP_PX)
    assert crop.rgb[20, 20].std() < 0.01, "grey beyond the picture"
    assert decode(thumbnail(drawn_ring.rgb, long_side_px=100), name="t").size.width == 100
    far = PhotoPictures()
    far.show_finding(BROKEN, "x", before=drawn_ring.rgb, placement=Placement(0.1, 5e3, 5e3, Size(9, 9)))
    assert far.findings
