"""One studio and one Chromium for all tests in a browser: each test has its own SKU and its own windows."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import uvicorn

from tests.doubles.house import Opinions
from tests.web.studio import a_studio, drawn, picture_card
from vitrina.actions import doors
from vitrina.actions.house import House
from vitrina.actions.pictures import import_photo
from vitrina.actions.skus import put_sku
from vitrina.actions.work import work
from vitrina.web import make_app

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The studio on a port of its own."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
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


def work_aside(house: House) -> None:
    """Make what is asked for, in a thread of its own: the browser's driver keeps an event loop in this one."""
    thread = threading.Thread(target=work, args=(house,), kwargs={"until_idle": True})
    thread.start()
    thread.join()


@dataclass
class Tour:
    """The studio as people in browsers see it."""

    base: str
    house: House
    browser: Any
    faults: list[str] = field(default_factory=list)

    def window(self, who: str | None, *, width: int = 1280, height: int = 800, **how: Any) -> Any:
        """A page in a browser in which `who` is signed in; what its console complains of is kept."""
        context = self.browser.new_context(viewport={"width": width, "height": height}, locale="en", **how)
        if who is not None:
            with self.house.store.writing() as conn:
                secret = doors.begin_session(conn, self.house, who)
            context.add_cookies([{"name": "vitrina_session", "value": secret, "url": self.base}])
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda m: self.faults.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        return page

    def sku(self, code: str, *, shade: int = 200) -> None:
        """An SKU with a photo."""
        put_sku(self.house.acting_as("Phil"), {"sku": code, "piece_type": "ring"}, is_new=True)
        path = self.house.config.home / f"{code}.png"
        path.write_bytes(drawn(shade))
        import_photo(self.house.acting_as("Phil"), code, path)


@contextmanager
def a_tour(home: Path) -> Iterator[Tour]:
    """The studio, served, with a browser beside it."""
    from playwright.sync_api import sync_playwright

    with a_studio(home, Opinions()) as (_, drawn_house):
        house = replace(drawn_house, program=replace(drawn_house.program, make_card=picture_card))
        with served(make_app(house)) as base, sync_playwright() as play:
            browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            try:
                yield Tour(base, house, browser)
            finally:
                browser.close()


def violations(page: Any, *, only: str = "") -> list[str]:
    """What axe finds against WCAG 2.2 AA on the page: rule, where, and why."""
    from axe_playwright_python.base import AXE_FILE_PATH

    page.evaluate(Path(AXE_FILE_PATH).read_text("utf-8"))
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    how = {"type": "rule", "values": [only]} if only else {"type": "tag", "values": tags}
    found = page.evaluate(f"axe.run(document, {{runOnly: {json.dumps(how)}, resultTypes: ['violations']}})")
    return [
        f"{page.url} {fault['id']}: {node['target']} {node['failureSummary']}"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]
