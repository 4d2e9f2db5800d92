"""A studio for tests: the double house with its crew, and a client per person."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image, ImageChops, ImageDraw

from tests.doubles.house import CREW, Opinions, a_house, hire
from vitrina.actions import doors
from vitrina.actions.house import CardRequest, House
from vitrina.backends.blobs import digest_of
from vitrina.card_folder import CardFolder
from vitrina.stages.cutout import parts_of
from vitrina.web import make_app

BASE = "http://127.0.0.1:8765"
PASSWORD = "four plain words together"


def drawn(shade: int = 200, *, side: int = 700) -> bytes:
    """A ring on paper, as PNG; different for each shade."""
    picture = Image.new("RGB", (side, side), (shade, shade, shade))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((side * 0.2, side * 0.3, side * 0.8, side * 0.9), outline=(190, 150, 60), width=side // 20)
    pen.ellipse((side * 0.44, side * 0.24, side * 0.56, side * 0.36), fill=(40, 60, 160))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def picture_card(request: CardRequest) -> dict[str, Any]:
    """A card with real little pictures, drawn at once: a master per photo, a draft per look and marketplace."""
    document: dict[str, Any] = {"schema": "vitrina.card/1", "sku": request.sku, "verdict": "pass", "errors": [],
                                "looks": list(request.recipe["looks"]), "markets": list(request.recipe["markets"]),
                                "forced": False, "photos": [], "drafts": [], "refused": [],
                                "stopped": None}  # fmt: skip
    empty: dict[str, Any] = {"verdict": "pass", "findings": []}
    files: dict[str, bytes] = {"report.html": b"card", "certificate.json": b"{}"}
    for photo in request.photos:
        data = photo.read_bytes()
        digest = digest_of(data)
        strokes = request.recipe.get("strokes", {}).get(digest, [])
        source = Image.open(io.BytesIO(data)).convert("RGB")
        ground = source.getpixel((0, 0))
        mask = Image.eval(ImageChops.difference(source, Image.new("RGB", source.size, ground)).convert("L"),
                          lambda v: 255 if v > 12 else 0)  # fmt: skip
        for stroke in strokes:
            x, y = stroke["points"][0]
            r = stroke["radius"]
            fill = 255 if stroke["kind"] == "keep" else 0
            ImageDraw.Draw(mask).ellipse((x - r, y - r, x + r, y + r), fill=fill)
        cut = source.copy()
        cut.putalpha(mask)
        name = f"masters/{photo.stem}-cutout.png"
        files |= {name: _png(cut), f"original/{photo.name}": data}
        place = {"scale": 1.0, "dx": 0.0, "dy": 0.0, "width": source.width, "height": source.height}
        cutout = {
            "method": "drawn",
            "parts": _parts(mask),
            "master": name,
            "master_sha256": digest_of(files[name]),
            **empty,
        }
        cutout |= {"strokes": strokes} if strokes else {}
        looks = [{"look": look, "verify": empty, "placement": place} for look in request.recipe["looks"]]
        document["photos"].append(
            {
                "photo": photo.name,
                "sha256": digest,
                "size": {"width": source.width, "height": source.height},
                "inspect": empty,
                "cutout": cutout,
                "variants": looks,
            }
        )
        for look in request.recipe["looks"]:
            shade = 255 if look.startswith("white") else 241
            dressed = Image.new("RGB", source.size, (shade, shade, shade - (2 if look.endswith("shadow") else 0)))
            dressed.paste(source, mask=mask)
            for market in request.recipe["markets"]:
                file = f"drafts/{market}/{request.sku}-{photo.stem}-{look}.png"
                files[file] = _png(dressed)
                document["drafts"].append(
                    {"file": file, "sha256": digest_of(files[file]), "market": market, "slot": "main", "look": look,
                     "photo": photo.name, "verdict": "pass", "verify": empty, "rules": empty, "placement": place}
                )  # fmt: skip
    with CardFolder(request.folder, request.sku) as folder:
        for name, data in files.items():
            folder.put(name, data)
        folder.finish(document)
    return document


def _parts(mask: Image.Image) -> list[dict[str, Any]]:
    return [asdict(part) for part in parts_of(np.asarray(mask, np.float32) / 255)]


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def a_client(app: FastAPI, *, html: bool = True) -> TestClient:
    """A browser that nobody has signed in with."""
    headers = {"accept": "text/html"} if html else {}
    return TestClient(app, base_url=BASE, headers=headers, follow_redirects=True)


def token_in(text: str) -> str:
    """The form token of a page."""
    found = re.search(r'name="form_token" value="([^"]+)"', text)
    assert found, text[:300]
    return found[1]


def sign_in(app: FastAPI, house: House, name: str) -> TestClient:
    """A browser in which `name` is signed in; its form token travels as the header that our scripts send."""
    client = a_client(app)
    with house.store.writing() as conn:
        secret = doors.begin_session(conn, house, name)
    client.cookies.set("vitrina_session", secret)
    visitor = doors.visitor_of(house, secret)
    assert visitor is not None
    client.headers["X-Form-Token"] = visitor.csrf
    return client


@contextmanager
def a_studio(home: Path, opinions: Opinions | None = None) -> Iterator[tuple[FastAPI, House]]:
    """The studio of a house with its crew."""
    with a_house(home, opinions=opinions) as drawn_house:
        house = replace(drawn_house, clock=lambda: datetime.now(UTC))  # the rule packs were read on real days
        hire(house)
        yield make_app(house), house


@contextmanager
def a_crew(home: Path, opinions: Opinions | None = None) -> Iterator[tuple[FastAPI, House, dict[str, TestClient]]]:
    """The studio with everybody signed in."""
    with a_studio(home, opinions) as (app, house):
        yield app, house, {name: sign_in(app, house, name) for name in CREW}
