"""A contact sheet: the pictures of one marketplace side by side, in the order of its gallery."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vitrina.codec.encode import encode_jpeg
from vitrina.imaging.colour import decode_srgb, encode_srgb8
from vitrina.model import Rgb

__all__ = ["Frame", "contact_sheet", "framed"]

CELL_PX, GAP_PX, LINE_PX = 300, 16, 44
_GROUND, _INK = 236, (40, 40, 40)
_EDGE = 200
"""A line around each picture: a light grey ground would run into the sheet's."""
_MARKS = {"pass": (70, 130, 60), "review": (190, 130, 20), "reject": (190, 40, 40)}


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture at the size of a cell (8-bit sRGB), two lines under it, and its verdict."""

    pixels: np.ndarray
    title: str
    words: str
    verdict: str


def framed(rgb: Rgb, *, title: str, words: str, verdict: str) -> Frame:
    """`rgb` made small enough for a cell, so that a sheet never holds whole pictures."""
    scale = CELL_PX / max(rgb.shape[:2])
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return Frame(encode_srgb8(np.asarray(cv2.resize(rgb, size, interpolation=how), np.float32)), title, words, verdict)


def contact_sheet(frames: Sequence[Frame], *, columns: int = 4) -> bytes:
    """The sheet as JPEG, row by row; a mark under each picture has the colour of its verdict."""
    across = min(columns, len(frames)) or 1
    rows = math.ceil(len(frames) / across) or 1
    width, height = GAP_PX + across * (CELL_PX + GAP_PX), GAP_PX + rows * (CELL_PX + LINE_PX + GAP_PX)
    sheet = np.full((height, width, 3), _GROUND, np.uint8)
    for index, frame in enumerate(frames):
        x = GAP_PX + index % across * (CELL_PX + GAP_PX)
        y = GAP_PX + index // across * (CELL_PX + LINE_PX + GAP_PX)
        tall, wide = frame.pixels.shape[:2]
        left, top = x + (CELL_PX - wide) // 2, y + (CELL_PX - tall) // 2
        sheet[top : top + tall, left : left + wide] = frame.pixels
        cv2.rectangle(sheet, (left - 1, top - 1), (left + wide, top + tall), (_EDGE,) * 3, 1)
        sheet[y + CELL_PX + 3 : y + CELL_PX + 7, x : x + CELL_PX] = _MARKS[frame.verdict]
        for line, (text, size) in enumerate(((frame.title, 0.45), (frame.words, 0.38))):
            at = (x, y + CELL_PX + 22 + 17 * line)
            cv2.putText(sheet, _plain(text), at, cv2.FONT_HERSHEY_SIMPLEX, size, _INK, 1, cv2.LINE_AA)
    return encode_jpeg(decode_srgb(sheet), quality=86)


def _plain(text: str) -> str:
    """The letters that the drawn font has."""
    return text.encode("ascii", "replace").decode()[:46]
