"""A second opinion on files that ship: their containers read by hand, pixels read by Pillow, nothing of ours.

Only the limits come from the pack. What `vitrina.rules.evaluate` thinks is not asked.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from vitrina.rules.pack import Slot


def markers(data: bytes) -> list[tuple[int, bytes]]:
    """The segments of a JPEG up to its scan (ITU-T T.81, B.1)."""
    assert data[:2] == b"\xff\xd8" and data[-2:] == b"\xff\xd9", "not a whole JPEG"
    at, found = 2, []
    while data[at + 1] != 0xDA:
        assert data[at] == 0xFF, f"no marker at {at}"
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        found.append((data[at + 1], data[at + 4 : at + 2 + length]))
        at += 2 + length
    return found


def quality_of(segments: list[tuple[int, bytes]]) -> float:
    """libjpeg's quality whose luminance table (Annex K, mean 57.625) has the same mean."""
    table = next(body[1:65] for marker, body in segments if marker == 0xDB and body[0] == 0)
    scale = 100 * (sum(table) / 64) / 57.625
    return (200 - scale) / 2 if scale <= 100 else 5000 / scale


@dataclass(frozen=True)
class Header:
    """What a file says before its pixels."""

    kind: str
    width: int
    height: int
    is_plain: bool
    """Three channels of 8 bits, one picture."""
    quality: float | None
    has: frozenset[str]
    """Those of ICC, XMP, EXIF and comment that are in it."""


def header_of(data: bytes) -> Header:
    """The header of a JPEG, a PNG (3rd edition, 5 and 11) or a WebP (RFC 9649, 2)."""
    read = {b"\xff\xd8": _jpeg, b"\x89P": _png, b"RI": _webp}[data[:2]]
    return read(data)


def _jpeg(data: bytes) -> Header:
    segments = markers(data)
    frame = next(body for marker, body in segments if marker in (0xC0, 0xC2))
    names = {b"ICC_PROFILE": "ICC", b"http://ns.adob": "XMP", b"Exif": "EXIF"}
    has = {
        name for marker, body in segments if 0xE0 <= marker <= 0xEF for start, name in names.items()
        if body.startswith(start)
    }  # fmt: skip
    has |= {"comment" for marker, _ in segments if marker == 0xFE}
    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    return Header("JPEG", width, height, frame[0] == 8 and frame[5] == 3, quality_of(segments), frozenset(has))


def _png(data: bytes) -> Header:
    at, chunks = 8, []
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    assert at == len(data) and chunks[0][0] == b"IHDR" and chunks[-1][0] == b"IEND", "not a whole PNG"
    has = {{b"iCCP": "ICC", b"eXIf": "EXIF"}.get(name, "") for name, _ in chunks}
    texts = [body for name, body in chunks if name in (b"iTXt", b"tEXt", b"zTXt")]
    has |= {"XMP" if text.startswith(b"XML:com.adobe.xmp\0") else "comment" for text in texts}
    head = chunks[0][1]
    width, height = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:8], "big")
    return Header("PNG", width, height, head[8:10] == b"\x08\x02", None, frozenset(has - {""}))


def _webp(data: bytes) -> Header:
    assert data[8:12] == b"WEBP" and int.from_bytes(data[4:8], "little") + 8 == len(data), "not a whole WebP"
    at, chunks = 12, {}
    while at < len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        chunks[data[at : at + 4]] = data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
    wide = chunks[b"VP8X"]
    names = {b"ICCP": "ICC", b"XMP ": "XMP", b"EXIF": "EXIF"}
    width, height = (int.from_bytes(wide[start : start + 3], "little") + 1 for start in (4, 7))
    is_plain = not wide[0] & 0b10010 and (b"VP8 " in chunks or b"VP8L" in chunks)  # neither alpha nor animation
    return Header("WEBP", width, height, is_plain, None, frozenset(names[name] for name in names if name in chunks))


def problems(data: bytes, slot: Slot, *, whole_fill: bool = True) -> list[str]:
    """What the file gets wrong of the slot's required and recommended rules; `whole_fill` False for small photos."""
    header = header_of(data)
    width, height = header.width, header.height
    wrong = [
        said
        for said, is_wrong in (
            ("not three components of 8 bits", not header.is_plain),
            ("no ICC profile", "ICC" not in header.has),
            ("no XMP", "XMP" not in header.has),
            ("EXIF, where place and device stand", "EXIF" in header.has),
            ("comments", "comment" in header.has),
        )
        if is_wrong
    ]
    wrong += _sizes(width, height, slot)
    for rule in slot.max_bytes:
        if rule.max is not None and rule.level != "unknown" and len(data) > rule.max:
            wrong.append(f"{len(data)} bytes, {rule.max} allowed")
    for rule in slot.jpeg_quality:
        asked = rule.min if rule.level != "unknown" else None
        if asked is not None and header.quality is not None and header.quality < asked - 0.5:
            wrong.append(f"quality {header.quality:.1f}, {asked} wanted")
    for rule in slot.aspect:
        if rule.ratio is not None and rule.level != "unknown":
            across, down = (int(part) for part in rule.ratio.split(":"))
            if abs(width / height / (across / down) - 1) > rule.tolerance:
                wrong.append(f"{width}×{height} is not {rule.ratio}")
    for rule in slot.formats:
        if rule.any_of and header.kind not in rule.any_of:
            wrong.append(f"{header.kind} is not taken")
    with Image.open(io.BytesIO(data)) as image:
        if image.size != (width, height) or image.format != header.kind:
            wrong.append(f"Pillow reads {image.format} of {image.size}")
        pixels = np.asarray(image.convert("RGB"), np.int16)
    return wrong + _pixels(pixels, slot, whole_fill)


def _sizes(width: int, height: int, slot: Slot) -> list[str]:
    have: dict[str, float] = {
        "width": width, "height": height, "long_side": max(width, height), "short_side": min(width, height),
        "width_plus_height": width + height, "megapixels": width * height / 1e6,
    }  # fmt: skip
    wrong = []
    for family, sign in (("min_size", -1), ("max_size", 1)):
        for rule in getattr(slot, family):
            for name, value in have.items():
                limit = getattr(rule, name)
                if limit is not None and rule.level == "required" and sign * (value - limit) > 0:
                    wrong.append(f"{name} {value}, {family} {limit}")
    return wrong


def _pixels(pixels: np.ndarray[Any, Any], slot: Slot, whole_fill: bool) -> list[str]:
    edge = max(2, min(pixels.shape[:2]) // 50)
    rim = np.concatenate(
        [part.reshape(-1, 3) for part in (pixels[:edge], pixels[-edge:], pixels[:, :edge], pixels[:, -edge:])]
    )
    ground = np.median(rim, axis=0)
    wrong = []
    for rule in slot.ground:
        if rule.level != "unknown" and rule.kind == "white" and np.percentile(rim, 0.1) < rule.white - rule.tolerance:
            wrong.append(f"the rim is {np.percentile(rim, 0.1):.0f}, {rule.white - rule.tolerance} wanted")
        if rule.level != "unknown" and rule.kind == "neutral" and float(np.ptp(ground)) > 8:
            wrong.append(f"the ground is coloured: {ground}")
    apart = np.abs(pixels - ground).max(axis=2) > 24
    rows, columns = (np.flatnonzero(apart.sum(axis=axis) >= 2) for axis in (1, 0))
    if len(rows) == 0:
        return [*wrong, "no piece is seen"]
    if rows[0] < 1 or columns[0] < 1 or rows[-1] > pixels.shape[0] - 2 or columns[-1] > pixels.shape[1] - 2:
        wrong.append("the piece touches the edge")
    fill = max((rows[-1] - rows[0] + 1) / pixels.shape[0], (columns[-1] - columns[0] + 1) / pixels.shape[1])
    for rule in slot.frame_fill:
        if whole_fill and rule.min is not None and rule.level != "unknown" and fill < rule.min - 0.015:
            wrong.append(f"fills {fill:.2f}, {rule.min} wanted")
    return wrong
