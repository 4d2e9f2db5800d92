"""The small pictures of a report: thumbnails and close-ups as JPEG bytes, by name."""

from __future__ import annotations

import base64

import cv2
import numpy as np

from vitrina.codec.encode import encode_jpeg
from vitrina.model import Region, Rgb

THUMBNAIL_PX = 900
CLOSE_UP_PX = 420
_GREY = np.float32(0.2159)  # sRGB 128


def thumbnail(rgb: Rgb, *, long_side_px: int = THUMBNAIL_PX) -> bytes:
    """`rgb` shrunk to `long_side_px` at most (area means in linear light)."""
    scale = min(1.0, long_side_px / max(rgb.shape[:2]))
    if scale < 1:
        size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.float32)
    return encode_jpeg(rgb, quality=86)


def close_up(rgb: Rgb, region: Region) -> tuple[bytes, int]:
    """`region` of `rgb` at 200 %, or less where that would be larger than a close-up; and the percentage.

    What lies outside the picture is shown mid-grey.
    """
    side = max(region.width, region.height, 1)
    zoom = min(2.0, CLOSE_UP_PX / side)
    piece = np.full((max(1, region.height), max(1, region.width), 3), _GREY, np.float32)
    x0, y0 = max(0, region.x), max(0, region.y)
    x1, y1 = min(rgb.shape[1], region.x + region.width), min(rgb.shape[0], region.y + region.height)
    if x1 > x0 and y1 > y0:
        piece[y0 - region.y : y1 - region.y, x0 - region.x : x1 - region.x] = rgb[y0:y1, x0:x1]
    size = (max(1, round(piece.shape[1] * zoom)), max(1, round(piece.shape[0] * zoom)))
    how = cv2.INTER_CUBIC if zoom > 1 else cv2.INTER_AREA
    shown = np.asarray(np.clip(cv2.resize(piece, size, interpolation=how), 0, 1), np.float32)
    return encode_jpeg(shown, quality=88), round(100 * zoom)


def on_grey(rgb: Rgb, alpha: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Rgb:
    """A cutout laid on mid-grey, where both light and dark rims show."""
    a = alpha[..., None]
    return np.asarray(a * rgb + (1 - a) * _GREY, np.float32)


def data_uri(jpeg: bytes) -> str:
    """`jpeg` as it is embedded in a page."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
