"""Print in a picture: what stands there, where, and nothing where nothing stands."""

from __future__ import annotations

import cv2
import numpy as np

from vitrina.backends.readers import load_reader
from vitrina.imaging.colour import decode_srgb
from vitrina.model import Rgb


def paper(*lines: tuple[str, tuple[int, int]]) -> Rgb:
    """Grey paper with lines of print, each with its left and base."""
    sheet = np.full((420, 640, 3), 200, np.uint8)
    for text, at in lines:
        cv2.putText(sheet, text, at, cv2.FONT_HERSHEY_DUPLEX, 1.1, (30, 30, 30), 2, cv2.LINE_AA)
    return decode_srgb(sheet)


def test_lines_are_read_where_they_stand() -> None:
    lines = load_reader().read(paper(("jewel.shop", (60, 100)), ("Silver 925", (200, 330))))
    assert {line.text.replace(" ", "") for line in lines} == {"jewel.shop", "Silver925"}
    shop = next(line for line in lines if "shop" in line.text)
    assert shop.score > 0.9
    box = shop.region
    assert 40 <= box.x <= 66 and box.y < 76 and box.y + box.height > 100 and box.x + box.width > 230


def test_an_upright_line_is_read_too() -> None:
    upright = np.ascontiguousarray(np.rot90(paper(("jewel.shop", (60, 100))), -1))
    assert any("jewel" in line.text for line in load_reader().read(upright))


def test_nothing_is_read_on_plain_paper() -> None:
    assert load_reader().read(paper()) == ()
