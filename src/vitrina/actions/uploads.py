"""Photos that come in pieces: an upload that breaks off goes on where it stopped, for a week."""

from __future__ import annotations

import json
import re
import secrets
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from vitrina.actions import studio
from vitrina.actions.house import House, actor, sku_called
from vitrina.actions.origins import stated
from vitrina.errors import Conflict, Missing, TooLarge, UsageError
from vitrina.files import write_bytes

MOST_BYTES = 400 * 2**20
PIECE_BYTES = 8 * 2**20
"""The largest piece that is taken at a time."""
KEPT = timedelta(days=7)
MOST_OPEN = 40
"""Unfinished uploads per person."""

_LOCK = threading.Lock()


def begin_upload(
    house: House, code: str, name: str, size: int, *, right: str = "", taken_by: str = "", licence: str = ""
) -> dict[str, Any]:
    """Begin to send a photo of `size` bytes, saying whose it is; returns its id and from where to send (0)."""
    stated(right, taken_by, licence)
    with house.store.reading() as conn:
        person = actor(conn, house, "photo.add")
        sku_called(conn, code)
    if not 1 <= size <= MOST_BYTES:
        raise TooLarge(f"{name[:80]}: {size} bytes; 1 to {MOST_BYTES} are taken.")
    _sweep(house)
    if sum(1 for told in _open(house) if told["person"] == person) >= MOST_OPEN:
        raise Conflict(f"{MOST_OPEN} photos of yours are half sent. Finish or wait a week.")
    number = secrets.token_hex(16)
    told = {"id": number, "person": person, "sku": code, "name": name[-120:], "size": size,
            "right": right, "taken_by": taken_by[:300], "licence": licence[:300],
            "begun_at": house.clock().isoformat()}  # fmt: skip
    write_bytes(_folder(house) / f"{number}.part", b"")
    write_bytes(_folder(house) / f"{number}.json", json.dumps(told).encode())
    return _told(house, told)


def show_upload(house: House, code: str, number: str) -> dict[str, Any]:
    """How much of an upload has arrived; raises Missing for somebody else's."""
    return _told(house, _mine(house, code, number))


def send_piece(
    house: House, code: str, number: str, offset: int, piece: bytes, *, language: str = "en"
) -> dict[str, Any]:
    """Add a piece that begins at `offset`. With the last one the photo is archived, and its check is under ``photo``.

    Raises Conflict, saying what has arrived, when `offset` is not where the upload stopped.
    """
    told = _mine(house, code, number)
    path = _folder(house) / f"{number}.part"
    if len(piece) > PIECE_BYTES:
        raise TooLarge(f"the piece has {len(piece)} bytes; {PIECE_BYTES} are taken at a time.")
    with _LOCK:
        there = path.stat().st_size
        if offset != there:
            raise Conflict(f"{there} bytes of {told['size']} have arrived; send from there, not from {offset}.")
        if there + len(piece) > told["size"]:
            raise UsageError(f"the photo was said to have {told['size']} bytes; this would be {there + len(piece)}.")
        with path.open("ab") as file:
            file.write(piece)
    if there + len(piece) < told["size"]:
        return _told(house, told)
    rights = stated(told["right"], told["taken_by"], told["licence"])
    try:
        document = studio.add_photo(house, code, told["name"], path.read_bytes(), language=language, rights=rights)
    finally:  # what cannot be read now will not be readable later: the browser still has it
        _forget(house, number)
    return {"schema": "vitrina.upload/1", "id": number, "offset": told["size"], "size": told["size"], "photo": document}


def _mine(house: House, code: str, number: str) -> dict[str, Any]:
    with house.store.reading() as conn:
        person = actor(conn, house, "photo.add")
    path = _folder(house) / f"{number}.json"
    told: dict[str, Any] = (
        json.loads(path.read_bytes()) if re.fullmatch(r"[0-9a-f]{32}", number) and path.is_file() else {}
    )
    if told.get("person") != person or told.get("sku") != code:
        raise Missing("there is no such upload, or it is over. Begin it anew.")
    return told


def _told(house: House, told: dict[str, Any]) -> dict[str, Any]:
    offset = (_folder(house) / f"{told['id']}.part").stat().st_size
    return {"schema": "vitrina.upload/1", "id": told["id"], "offset": offset, "size": told["size"]}


def _open(house: House) -> list[dict[str, Any]]:
    return [json.loads(path.read_bytes()) for path in _folder(house).glob("*.json")]


def _sweep(house: House) -> None:
    for told in _open(house):
        if house.clock() - datetime.fromisoformat(told["begun_at"]) > KEPT:
            _forget(house, told["id"])


def _forget(house: House, number: str) -> None:
    for suffix in ("json", "part"):
        (_folder(house) / f"{number}.{suffix}").unlink(missing_ok=True)


def _folder(house: House) -> Path:
    return house.config.home / "incoming" / ".uploads"
