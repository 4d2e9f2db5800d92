"""How coarsely a rendition may be encoded: the smallest JPEG that still shows the piece, found by measuring it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.codec.decode import read_srgb8
from vitrina.codec.encode import asked_quality, encode_jpeg8
from vitrina.imaging.colour import decode_srgb, delta_e00, lab
from vitrina.model import Alpha, Mask, Region

__all__ = ["CLOSE", "Closeness", "Encoded", "encode_smallest"]

Pixels = NDArray[np.uint8]
_ANNEX_K, _ROBIDOUX = 0, 3
_TILE_PX, _TILES = 64, 32
_CODE = np.array([0.2126, 0.7152, 0.0722], np.float32)


@dataclass(frozen=True, slots=True)
class Closeness:
    """How close an encoded file must stay to its pixels, measured on the piece and its rim after decoding it again."""

    tone_de00: float = 0.8
    """Shift of the colour means over 4 px that 99 % of the piece keep under; the smallest that is seen is about 1."""
    error_codes: float = 3.0
    """Root mean square error of the 8-bit lightness code: prongs and links stay as sharp as they were (38.6 dB)."""


CLOSE = Closeness()
"""What is asked of every file."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A JPEG, and its quality as it reads on libjpeg's scale."""

    data: bytes
    quality: int


@dataclass(frozen=True, slots=True)
class _Sample:
    """Pixels to measure on, and which of them are the piece or its rim."""

    pixels: Pixels
    inside: Mask


def encode_smallest(
    pixels: Pixels, alpha: Alpha, *, least: int, most: int, close: Closeness, xmp: bytes = b""
) -> Encoded:
    """The smallest JPEG of `pixels` that stays within `close`, of a quality that reads as `least` or more.

    Quality is found by halving on up to 32 tiles of the piece and then confirmed on the whole of it, one step finer at
    a time, up to `most`. Robidoux's table is used; where a floor of quality and not the error decides, the file by
    Annex K's table is made as well and the smaller one is taken, for the floor is read off the tables.
    """
    inside = cv2.dilate(alpha, np.ones((5, 5), np.uint8)) > 0.02
    whole, sample = _piece(pixels, inside), _tiles(pixels, inside)
    made = []
    for table in (_ROBIDOUX, _ANNEX_K):
        low = asked_quality(least, table)
        high = max(low, asked_quality(most, table))
        quality = _search(sample, low, high, table, close)
        data = encode_jpeg8(pixels, quality=quality, table=table, xmp=xmp)
        while quality < high and not _is_close(whole[1], read_srgb8(data)[whole[0]], close):
            quality += 1
            data = encode_jpeg8(pixels, quality=quality, table=table, xmp=xmp)
        made.append(Encoded(data, max(q for q in range(1, 101) if asked_quality(q, table) <= quality)))
        if quality > low:
            break
    return min(made, key=lambda file: len(file.data))


def _search(sample: _Sample, low: int, high: int, table: int, close: Closeness) -> int:
    while low < high:
        middle = (low + high) // 2
        data = encode_jpeg8(sample.pixels, quality=middle, table=table, progressive=False)
        if _is_close(sample, read_srgb8(data), close):
            high = middle
        else:
            low = middle + 1
    return low


def _piece(pixels: Pixels, inside: Mask) -> tuple[tuple[slice, slice], _Sample]:
    box = Region.around(inside, margin_px=8)
    part = box.slices if box is not None else (slice(None), slice(None))
    return part, _Sample(pixels[part], inside[part])


def _tiles(pixels: Pixels, inside: Mask) -> _Sample:
    """Tiles that show the piece, evenly spread and on the grid of the blocks; the whole of a small picture."""
    rows, columns = inside.shape[0] // _TILE_PX, inside.shape[1] // _TILE_PX
    if rows * columns <= _TILES:
        return _Sample(pixels, inside)
    size = (rows * _TILE_PX, columns * _TILE_PX)
    grid = inside[: size[0], : size[1]].reshape(rows, _TILE_PX, columns, _TILE_PX).mean(axis=(1, 3))
    shown = np.argwhere(grid > 0.02)
    if len(shown) == 0:
        return _Sample(pixels, inside)
    chosen = shown[np.unique(np.linspace(0, len(shown) - 1, _TILES).round().astype(int))] * _TILE_PX
    places = [(slice(y, y + _TILE_PX), slice(x, x + _TILE_PX)) for y, x in chosen.tolist()]
    return _Sample(np.vstack([pixels[place] for place in places]), np.vstack([inside[place] for place in places]))


def _is_close(sample: _Sample, after: Pixels, close: Closeness) -> bool:
    apart = (sample.pixels.astype(np.float32) - after.astype(np.float32)) @ _CODE
    if float(np.sqrt(np.mean(apart[sample.inside] ** 2))) > close.error_codes:
        return False
    size = (max(1, after.shape[1] // 4), max(1, after.shape[0] // 4))
    small = cv2.resize(sample.inside.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5
    if not small.any():
        return True
    shift = delta_e00(_means(sample.pixels, size)[small], _means(after, size)[small])
    return float(np.percentile(shift, 99)) <= close.tone_de00


def _means(pixels: Pixels, size: tuple[int, int]) -> NDArray[np.float32]:
    """Lab of the means over 4 × 4 pixels, in linear light."""
    means = cv2.resize(decode_srgb(pixels), size, interpolation=cv2.INTER_AREA)
    return lab(np.asarray(means, np.float32))
