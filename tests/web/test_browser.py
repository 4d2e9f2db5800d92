"""The studio in a real browser: the way from the first run to the dispute pack, and what only a browser shows."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.doubles.house import a_house
from tests.web.browsing import CHROMIUM, Tour, a_tour, served, until, violations, work_aside
from tests.web.studio import PASSWORD, drawn, picture_card
from vitrina.actions.people import add_person
from vitrina.actions.pictures import import_variant, submit
from vitrina.actions.skus import put_sku, show_sku
from vitrina.actions.studio import ask_card
from vitrina.web import make_app

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: install chromium to drive the studio in a browser"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

RECIPE = {"mode": "exact", "looks": ["white", "grey"], "markets": ["kaspi"], "force": False}


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with a_tour(tmp_path_factory.mktemp("home")) as tour:
        yield tour


def carded(tour: Tour, code: str, *, shade: int) -> None:
    tour.sku(code, shade=shade)
    ask_card(tour.house.acting_as("Phil"), code, recipe=RECIPE)
    work_aside(tour.house)


def approve_by_looking(page: Any) -> None:
    """Look at every place, say yes to every line, approve; with the keyboard."""
    page.wait_for_selector("[data-stage][data-ready]")  # before that, no key is heard
    assert page.is_disabled("[data-approve]")
    assert page.locator(".checklist button:enabled").count() == 0
    places = int(page.inner_text(".desk .hint >> nth=-1").split("/")[1].split()[0])
    for seen in range(1, places + 1):
        page.keyboard.press(".")
        until(lambda n=seen: int(page.inner_text("[data-seen-count]")) >= n)
    unanswered = page.locator(".checklist button[aria-pressed=false]")
    while left := unanswered.count():
        page.keyboard.press("y")
        until(lambda n=left: unanswered.count() < n)
    page.click("[data-approve]")
    page.wait_for_url("**/review?**")


def test_a_reviewer_approves_by_looking(tour: Tour) -> None:
    house = tour.house
    tour.sku("LOOK-1", shade=201)
    path = house.config.home / "edit.png"
    path.write_bytes(drawn(252))
    import_variant(house.acting_as("Ray"), "LOOK-1", path, tool="a retoucher")
    submit(house.acting_as("Phil"), "LOOK-1")
    page = tour.window("Rita")
    page.goto(f"{tour.base}/review")
    page.click("main .list a >> text=LOOK-1")
    page.wait_for_selector("[data-stage][data-ready]")
    for key in "2345l?":
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.keys", state="hidden")
    page.keyboard.press("[")
    assert page.get_attribute("[data-mode=curtain]", "aria-pressed") == "true"
    approve_by_looking(page)
    assert show_sku(house.acting_as("Aud"), "LOOK-1")["variants"][0]["state"] == "approved"
    assert tour.faults == []


def test_keys_are_heard_on_any_layout(tour: Tour) -> None:
    """On a Russian layout the key of “f” writes “а”, and on a Kazakh one the key of “2” writes “ә”."""
    carded(tour, "KEYS-1", shade=202)
    page = tour.window("Rita")
    page.goto(f"{tour.base}/skus/KEYS-1/variants/1")
    page.wait_for_selector("[data-stage][data-ready]")
    for key, code in (("а", "KeyF"), ("ә", "Digit2")):
        how = f"{{key: '{key}', code: '{code}', bubbles: true}}"
        page.evaluate(f"document.body.dispatchEvent(new KeyboardEvent('keydown', {how}))")
    assert page.get_attribute("[data-toggle=marks]", "aria-pressed") == "false"
    assert page.get_attribute("[data-mode=curtain]", "aria-pressed") == "true"


def test_stones_links_and_tones_lie_side_by_side(tour: Tour) -> None:
    carded(tour, "STRIP-1", shade=203)
    page = tour.window("Rita")
    page.goto(f"{tour.base}/skus/STRIP-1/variants/1")
    page.wait_for_selector("[data-stage][data-ready]")
    page.keyboard.press("s")
    page.wait_for_selector(".strip li canvas")
    assert page.locator(".strip li").count() == 1 and "№ 1" in page.inner_text(".strip li")
    before = page.inner_text("[data-zoom-shown]")
    page.click(".strip li button")
    until(lambda: page.inner_text("[data-zoom-shown]") != before)
    page.keyboard.press("s")
    until(lambda: "daylight" in page.inner_text(".strip [data-note]"))
    page.keyboard.press("s")
    page.wait_for_selector(".strip .patch canvas")
    assert "ΔE00 0.0" in page.inner_text(".strip li >> nth=0")
    page.keyboard.press("s")
    assert page.locator(".strip").is_hidden()
    assert tour.faults == []


def test_the_brush_mends_a_cutout_and_undoes(tour: Tour) -> None:
    carded(tour, "BRUSH-1", shade=204)
    page = tour.window("Ray")
    page.goto(f"{tour.base}/skus/BRUSH-1/variants/1/brush")
    page.wait_for_selector("[data-brush][data-ready]")
    box = page.locator("canvas").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    solved = "document.querySelector('[data-brush]').dataset.solvedCount"
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 30, middle[1] + 10, steps=4)
    page.mouse.up()
    until(lambda: page.evaluate(solved) == "1")
    page.focus("canvas")
    for key in ("d", "]", "ArrowUp", "Space", "ArrowLeft", "ArrowLeft", "Space"):
        page.keyboard.press(key)
    until(lambda: page.evaluate(solved) == "2")
    page.keyboard.press("Control+z")
    assert page.evaluate(solved) == "1"
    page.click("[data-keep] button")
    page.wait_for_url("**/skus/BRUSH-1?done=mended")
    work_aside(tour.house)
    told = show_sku(tour.house.acting_as("Aud"), "BRUSH-1")
    states = {v["number"]: v["state"] for v in told["variants"]}
    assert states == {1: "superseded", 2: "superseded", 3: "checked", 4: "checked"}
    assert [e["details"]["strokes"] for e in told["history"] if e["verb"] == "cutout.mend"] == [1]
    assert told["variants"][2]["digest"] != told["variants"][0]["digest"]
    page.goto(f"{tour.base}/skus/BRUSH-1/variants/3/brush")
    assert "1 strokes were drawn here before" in page.inner_text(".panel")
    assert tour.faults == []


def test_a_finger_draws_with_the_brush_and_two_fingers_zoom(tour: Tour) -> None:
    carded(tour, "TOUCH-1", shade=206)
    page = tour.window("Ray", width=390, height=844, has_touch=True, is_mobile=True)
    page.goto(f"{tour.base}/skus/TOUCH-1/variants/1/brush")
    page.wait_for_selector("[data-brush][data-ready]")
    hand = page.context.new_cdp_session(page)

    def touch(kind: str, *fingers: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(fingers)]
        hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    box = page.locator("canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch("touchStart", (x, y))
    for step in range(1, 6):
        touch("touchMove", (x + 6 * step, y + 2 * step))
    touch("touchEnd")
    until(lambda: page.evaluate("document.querySelector('[data-brush]').dataset.solvedCount") == "1")
    before = page.inner_text("[data-zoom-shown]")
    touch("touchStart", (x - 20, y), (x + 20, y))
    for step in range(1, 6):
        touch("touchMove", (x - 20 - 12 * step, y), (x + 20 + 12 * step, y))
    touch("touchEnd")
    until(lambda: page.inner_text("[data-zoom-shown]") != before)
    assert page.evaluate("document.querySelector('[data-brush]').dataset.solvedCount") == "1"  # a pinch is no stroke
    assert page.evaluate("window.scrollY") == 0 and tour.faults == []


def test_a_photo_survives_a_broken_line_and_a_closed_page(tour: Tour) -> None:
    put_sku(tour.house.acting_as("Phil"), {"sku": "LINE-1", "piece_type": "ring"}, is_new=True)
    grain = np.random.default_rng(3).integers(0, 255, (800, 800, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(grain).save(out, "PNG")
    photo = out.getvalue()
    assert len(photo) > 1.5 * 2**20
    page = tour.window("Phil", width=390, height=844)
    pieces: list[str] = []

    def line(route: Any) -> None:
        pieces.append(route.request.url.rsplit("?", 1)[1])
        if len(pieces) == 2:
            route.abort()
        else:
            route.continue_()

    page.route("**/uploads/*?offset=*", line)
    page.route("**/capture/check", lambda route: route.fulfill(json={"verdict": "pass", "findings": []}))
    page.goto(f"{tour.base}/capture?sku=LINE-1")
    page.wait_for_selector(".shoot[data-ready]")
    page.set_input_files(".shoot input[type=file]", {"name": "a.png", "mimeType": "image/png", "buffer": photo})
    page.click(".shoot button.main")
    page.wait_for_selector(".advice.review")  # the line broke
    assert pieces == ["offset=0", "offset=1048576"]
    context = page.context
    page.close()
    again = context.new_page()
    again.set_default_timeout(60_000)
    again.goto(f"{tour.base}/capture?sku=LINE-1")
    again.wait_for_selector(".grid.small img")
    photos = show_sku(tour.house.acting_as("Phil"), "LINE-1")["photos"]
    assert [tour.house.originals.get(p["digest"]) for p in photos] == [photo]
    assert not list((tour.house.config.home / "incoming" / ".uploads").glob("*"))
    tour.faults[:] = [fault for fault in tour.faults if "ERR_FAILED" not in fault]
    assert tour.faults == []


def test_every_page_is_free_of_barriers(tour: Tour) -> None:
    """axe against WCAG 2.2 AA, on a wide screen; contrast in the dark too; no page wider than a phone."""
    carded(tour, "AXE-1", shade=205)
    house = tour.house
    path = house.config.home / "axe.png"
    path.write_bytes(drawn(251))
    import_variant(house.acting_as("Ray"), "AXE-1", path, tool="a retoucher")
    submit(house.acting_as("Phil"), "AXE-1")
    add_person(house.acting_as("Ann"), "Ann", ["photographer", "retoucher", "reviewer", "publisher", "auditor"])
    pages = [
        "/", "/skus", "/skus/new", "/skus/AXE-1", "/skus/AXE-1/change", "/capture", "/capture?sku=AXE-1", "/review",
        "/skus/AXE-1/variants/1", "/skus/AXE-1/variants/3", "/skus/AXE-1/variants/1/brush", "/batches", "/batches/1",
        "/judge", "/marketplaces", "/marketplaces/kaspi", "/reports", "/ledger", "/people", "/settings",
        "/webhooks", "/me",
        "/skus/NONE",
    ]  # fmt: skip
    found: list[str] = []
    page, stranger = tour.window("Ann", reduced_motion="reduce"), tour.window(None)  # colours do not glide
    stranger.goto(f"{tour.base}/sign-in")
    found += violations(stranger)
    for where in pages:
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(tour.base + where)
        if page.locator("details").count():
            page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        found += violations(page)
        page.emulate_media(color_scheme="dark")
        found += violations(page, only="color-contrast")
        page.set_viewport_size({"width": 390, "height": 844})
        wide = page.evaluate("document.documentElement.scrollWidth")
        found += [f"{where}: {wide} px wide on a phone"] if wide > 390 else []
    assert found == []


def test_the_main_way_from_the_first_run_to_the_dispute_pack(tour: Tour, tmp_path: Path) -> None:
    with a_house(tmp_path) as drawn_house:
        program = replace(drawn_house.program, make_card=picture_card)
        house = replace(drawn_house, clock=lambda: datetime.now(UTC), program=program)
        with served(make_app(house)) as base:
            _main_way(Tour(base, house, tour.browser), tmp_path)


def _main_way(tour: Tour, folder: Path) -> None:
    base, house = tour.base, tour.house
    ann = tour.window(None)
    ann.goto(base)  # first run
    ann.fill("input[name=name]", "Ann")
    ann.fill("input[name=password]", PASSWORD)
    ann.check("input[name=alone]")
    ann.click("main button.main")
    ann.wait_for_selector(".welcome")
    ann.goto(f"{base}/people")  # a second pair of eyes
    ann.fill("input[name=name]:not([type=hidden])", "Rob")
    ann.check("input[value=reviewer]")
    ann.click("main form.stack button.main")
    rob = tour.window(None)
    rob.goto(ann.inner_text("code.secret"))
    rob.fill("input[name=password]", PASSWORD)
    rob.click("main button.main")
    ann.goto(f"{base}/skus/new")  # an SKU
    ann.fill("input[name=sku]", "R-1")
    ann.select_option("select[name=piece_type]", "ring")
    ann.click("main button.main")
    ann.wait_for_url(f"{base}/skus/R-1")
    ann.click("text=Add a photo >> nth=0")  # capture
    ann.wait_for_selector(".shoot[data-ready]")
    ann.set_input_files(".shoot input[type=file]", {"name": "r.png", "mimeType": "image/png", "buffer": drawn(200)})
    ann.wait_for_selector(".advice.pass, .advice.review, .advice.reject")
    ann.click(".shoot button.main")
    ann.wait_for_selector(".grid.small img")
    ann.goto(f"{base}/skus/R-1")  # a card
    ann.click("form[action$='/card'] button.main")
    ann.wait_for_url("**/skus/R-1?done=card")
    work_aside(house)
    ann.goto(f"{base}/skus/R-1")
    ann.click("text=Start the review")
    ann.wait_for_selector(".state.in-review")
    rob.goto(f"{base}/skus/R-1/variants/1")  # compare, and reject with two keys
    rob.wait_for_selector("[data-stage][data-ready]")
    rob.keyboard.press("r")
    rob.keyboard.press("6")
    rob.wait_for_url("**/review?done=rejected**")
    assert show_sku(house.acting_as("Ann"), "R-1")["variants"][0]["reason"] == "edges"
    ann.goto(f"{base}/settings")  # from now on two reviewers decide on every SKU of a batch
    ann.fill("form:has([value=spot_check_every]) input[name=value]", "1")
    ann.click("form:has([value=spot_check_every]) button")
    ann.wait_for_url(f"{base}/settings")
    ann.goto(f"{base}/skus/R-1/variants/1#next")  # regenerate, in other looks
    ann.click("#next summary >> nth=0")
    ann.click("#next form[action$='/card'] button.main")
    ann.wait_for_url("**/skus/R-1?done=card")
    work_aside(house)
    ann.goto(f"{base}/skus/R-1")
    ann.click("text=Start the review")
    rob.goto(f"{base}/skus/R-1/variants/3")
    approve_by_looking(rob)
    assert show_sku(house.acting_as("Ann"), "R-1")["variants"][2]["state"] == "in review"
    add_person(house.acting_as("Ann"), "Rita", ["reviewer"])
    rita = tour.window("Rita")
    rita.goto(f"{base}/skus/R-1/variants/3")
    assert "Rob" not in rita.content()
    approve_by_looking(rita)
    assert show_sku(house.acting_as("Ann"), "R-1")["variants"][2]["state"] == "approved"
    ann.goto(f"{base}/skus/R-1")  # export
    ann.click("form[action$='/export'] button[value=kaspi]")
    ann.wait_for_selector("text=Exported for kaspi")
    with ann.expect_download() as download:
        ann.click("text=Download as ZIP")
    with zipfile.ZipFile(download.value.path()) as packed:
        assert packed.namelist() == ["R-1-r-white-shadow.png"]
        told = show_sku(house.acting_as("Ann"), "R-1")["variants"][2]
        made = next(r for r in told["renditions"] if r["market"] == "kaspi")
        assert packed.read("R-1-r-white-shadow.png") == house.works.get(made["digest"])
    ann.goto(f"{base}/skus/R-1")  # the dispute pack
    ann.click("summary >> text=Dispute pack")
    with ann.expect_download() as download:
        ann.click("text=Download >> nth=-1")
    target = folder / "dispute.zip"
    download.value.save_as(target)
    with zipfile.ZipFile(target) as packed:
        assert {"manifest.json", "events.jsonl", "SHA256SUMS"} <= set(packed.namelist())
    assert tour.faults == []
    until(lambda: not list((house.config.home / "incoming").glob(".*/dispute.zip")))
