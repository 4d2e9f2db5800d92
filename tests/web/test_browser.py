"""The main way in a real browser: sign in, look, answer, approve, with the keyboard; skipped where there is none."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from tests.web.studio import PASSWORD, a_studio, drawn
from vitrina.actions import doors
from vitrina.actions.pictures import import_photo, import_variant, submit
from vitrina.actions.skus import put_sku, show_sku

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The studio on a port of its own."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def until(holds: Callable[[], bool], *, within_s: float = 60.0) -> None:
    """Wait until `holds`; the page's own policy forbids waiting inside of it."""
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: install chromium to drive the studio in a browser")
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_reviewer_approves_by_looking(tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with a_studio(tmp_path) as (app, house):
        doors.set_password(house.acting_as("Ann"), "Rita", PASSWORD)
        put_sku(house.acting_as("Phil"), {"sku": "R-1", "piece_type": "ring"}, is_new=True)
        for name, shade in (("s.png", 200), ("e.png", 252)):
            (tmp_path / name).write_bytes(drawn(shade))
        import_photo(house.acting_as("Phil"), "R-1", tmp_path / "s.png")
        import_variant(house.acting_as("Ray"), "R-1", tmp_path / "e.png", tool="a retoucher")
        submit(house.acting_as("Phil"), "R-1")
        with served(app) as base, playwright.sync_playwright() as play:
            browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en")
            page.set_default_timeout(60_000)
            faults: list[str] = []
            page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.goto(f"{base}/review")
            page.fill("input[name=name]", "Rita")
            page.fill("input[name=password]", PASSWORD)
            page.click("main button.main")
            page.wait_for_url(f"{base}/review")
            page.click("main .list a")
            page.wait_for_selector("[data-stage][data-ready]")  # before that, no key is heard
            assert page.is_disabled("[data-approve]")
            assert page.locator(".checklist button:enabled").count() == 0
            for seen in range(1, 5):
                page.keyboard.press(".")
                until(lambda n=seen: int(page.inner_text("[data-seen-count]")) >= n)
            unanswered = page.locator(".checklist button[aria-pressed=false]")
            while left := unanswered.count():
                page.keyboard.press("y")
                until(lambda n=left: unanswered.count() < n)
            for key in "2345l?":
                page.keyboard.press(key)
            page.keyboard.press("Escape")
            page.click("[data-approve]")
            page.wait_for_url(f"{base}/review?**")
            browser.close()
        assert faults == []
        assert show_sku(house.acting_as("Aud"), "R-1")["variants"][0]["state"] == "approved"
