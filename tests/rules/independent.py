"""A second opinion on files that ship: a JPEG's own markers read by hand, pixels read by Pillow, nothing of ours.

Only the limits come from the pack. What `vitrina.rules.evaluate` thinks is not asked.
"""

from __future__ import annotations

import io
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


def problems(data: bytes, slot: Slot, *, whole_fill: bool = True) -> list[str]:
    """What the file gets wrong of the slot's required and recommended rules; `whole_fill` False for small photos."""
    segments = markers(data)
    frame = next(body for marker, body in segments if marker in (0xC0, 0xC2))
    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    kinds = [body[:14] for marker, body in segments if 0xE0 <= marker <= 0xEF]
    wrong = [
        said
        for said, is_wrong in (
            ("not three components of 8 bits", frame[0] != 8 or frame[5] != 3),
            ("no ICC profile", not any(kind.startswith(b"ICC_PROFILE") for kind in kinds)),
            ("no XMP", not any(kind.startswith(b"http://ns.adob") for kind in kinds)),
            ("EXIF, where place and device stand", any(kind.startswith(b"Exif") for kind in kinds)),
            ("comments", any(marker == 0xFE for marker, _ in segments)),
        )
        if is_wrong
    ]
    wrong += _sizes(width, height, slot)
    for rule in slot.max_bytes:
        if rule.max is not None and rule.level != "unknown" and len(data) > rule.max:
            wrong.append(f"{len(data)} bytes, {rule.max} allowed")
    for rule in slot.jpeg_quality:
        if rule.min is not None and rule.level != "unknown" and quality_of(segments) < rule.min - 0.5:
            wrong.append(f"quality {quality_of(segments):.1f}, {rule.min} wanted")
    for rule in slot.aspect:
        if rule.ratio is not None and rule.level != "unknown":
            across, down = (int(part) for part in rule.ratio.split(":"))
            if abs(width / height / (across / down) - 1) > rule.tolerance:
                wrong.append(f"{width}×{height} is not {rule.ratio}")
    for rule in slot.formats:
        if rule.any_of and "JPEG" not in rule.any_of:
            wrong.append("JPEG is not taken")
    with Image.open(io.BytesIO(data)) as image:
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
