"""How coarsely a rendition may be encoded: the smallest file that still shows the piece, found by measuring it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.codec.decode import read_srgb8
from vitrina.codec.encode import asked_quality, encode_exact_png, encode_jpeg8, encode_webp8
from vitrina.imaging.colour import decode_srgb, delta_e00, lab
from vitrina.model import Alpha, Mask, Region, Rgb

__all__ = [
    "CLOSE", "Closeness", "Encoded", "Sample", "encode_smallest", "error_codes", "is_close", "piece_box", "tone_de00",
]  # fmt: skip

Pixels = NDArray[np.uint8]
_ANNEX_K, _ROBIDOUX = 0, 3
_WEBP_LEVELS = (40, 60, 80)
"""libwebp knows steps of 20; below 40 its files grow no smaller."""
_TILE_PX, _TILES, _MEANS = 64, 32, 16_000
_CODE = np.array([[0.2126, 0.7152, 0.0722]], np.float32)


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
    """A file and its quality: a JPEG's as it reads on libjpeg's scale, a WebP's near-lossless level, 100 for exact."""

    data: bytes
    quality: int


@dataclass(frozen=True, slots=True)
class Sample:
    """Pixels to measure on, and which of them are the piece or its rim."""

    pixels: Pixels
    inside: Mask


def encode_smallest(
    pixels: Pixels, alpha: Alpha, *, kind: str, least: int, most: int, close: Closeness, xmp: bytes = b""
) -> Encoded:
    """The smallest file of `kind` (JPEG, WEBP, PNG) of `pixels` that stays within `close`.

    Quality is found on up to 32 tiles of the piece and then confirmed on the whole of it. It is `least` or more; a
    JPEG's reads as `most` at the most, a WebP is near-lossless or, where that does not come close, without loss, a PNG
    is without loss always.
    """
    if kind == "PNG":
        return Encoded(encode_exact_png(pixels, xmp=xmp), 100)
    inside = cv2.dilate(alpha, np.ones((5, 5), np.uint8)) > 0.02
    tiles = _tiles(pixels, inside)
    if kind == "WEBP":
        return _smallest_webp(pixels, inside, tiles, least, close, xmp)
    return _smallest_jpeg(pixels, inside, tiles, least, most, close, xmp)


def _smallest_jpeg(
    pixels: Pixels, inside: Mask, tiles: Sample, least: int, most: int, close: Closeness, xmp: bytes
) -> Encoded:
    """Robidoux's table is used; where a floor of quality and not the error decides, Annex K's is tried as well, for the
    floor is read off the tables, and the one whose tiles are smaller is taken.

    The piece is confirmed alone, cut out on the grid of the blocks: they do not know of each other, so its pixels are
    those of the file (ITU-T T.81, A.3).
    """
    tried = []
    for table in (_ROBIDOUX, _ANNEX_K):
        low = asked_quality(least, table)
        high = max(low, asked_quality(most, table))
        quality = _search(tiles, low, high, _draft_by(table), close)
        tried.append((len(_draft_by(table)(tiles.pixels, quality)), table, quality, high))
        if quality > low:
            break
    _, table, quality, high = min(tried)
    place, draft = piece_box(inside), _draft_by(table)
    piece = Sample(pixels[place], inside[place])
    while quality < high and not is_close(piece, read_srgb8(draft(piece.pixels, quality)), close):
        quality += 1
    reads_as = max(q for q in range(1, 101) if asked_quality(q, table) <= quality)
    return Encoded(encode_jpeg8(pixels, quality=quality, table=table, xmp=xmp), reads_as)


def _draft_by(table: int) -> Callable[[Pixels, int], bytes]:
    return lambda part, quality: encode_jpeg8(part, quality=quality, table=table, progressive=False)


def _smallest_webp(pixels: Pixels, inside: Mask, tiles: Sample, least: int, close: Closeness, xmp: bytes) -> Encoded:
    """Near-lossless at the first level that is close on the tiles and then, in the file itself, on the whole piece."""
    place = piece_box(inside)
    piece = Sample(pixels[place], inside[place])
    for level in [level for level in _WEBP_LEVELS if level >= least]:
        if is_close(tiles, read_srgb8(encode_webp8(tiles.pixels, level=level)), close):
            data = encode_webp8(pixels, level=level, xmp=xmp)
            if is_close(piece, read_srgb8(data)[place], close):
                return Encoded(data, level)
    return Encoded(encode_webp8(pixels, level=100, xmp=xmp), 100)


def _search(sample: Sample, low: int, high: int, encode: Callable[[Pixels, int], bytes], close: Closeness) -> int:
    """The least quality that is close on `sample`, else `high`. `low` is tried first: a pack's floor often decides."""
    middle = low
    while low < high:
        if is_close(sample, read_srgb8(encode(sample.pixels, middle)), close):
            high = middle
        else:
            low = middle + 1
        middle = (low + high) // 2
    return low


def piece_box(inside: Mask) -> tuple[slice, slice]:
    """The box of the piece, its corner on the grid of blocks of 8."""
    box = Region.around(inside, margin_px=8)
    if box is None:
        return slice(None), slice(None)
    rows, columns = box.slices
    return slice(rows.start // 8 * 8, rows.stop), slice(columns.start // 8 * 8, columns.stop)


def _tiles(pixels: Pixels, inside: Mask) -> Sample:
    """Tiles that show the piece, evenly spread and on the grid of the blocks; the whole of a small picture."""
    rows, columns = inside.shape[0] // _TILE_PX, inside.shape[1] // _TILE_PX
    if rows * columns <= _TILES:
        return Sample(pixels, inside)
    size = (rows * _TILE_PX, columns * _TILE_PX)
    grid = inside[: size[0], : size[1]].reshape(rows, _TILE_PX, columns, _TILE_PX).mean(axis=(1, 3))
    shown = np.argwhere(grid > 0.02)
    if len(shown) == 0:
        return Sample(pixels, inside)
    chosen = shown[np.unique(np.linspace(0, len(shown) - 1, _TILES).round().astype(int))] * _TILE_PX
    places = [(slice(y, y + _TILE_PX), slice(x, x + _TILE_PX)) for y, x in chosen.tolist()]
    return Sample(np.vstack([pixels[place] for place in places]), np.vstack([inside[place] for place in places]))


def is_close(sample: Sample, after: Pixels, close: Closeness) -> bool:
    """Whether `after` shows the sample's piece as it is, within `close`."""
    return error_codes(sample, after) <= close.error_codes and tone_de00(sample, after) <= close.tone_de00


def error_codes(sample: Sample, after: Pixels) -> float:
    """Root mean square error of the 8-bit lightness code within the sample."""
    apart = cv2.transform(cv2.subtract(sample.pixels, after, dtype=cv2.CV_32F), _CODE)
    total = cv2.norm(apart, cv2.NORM_L2, mask=sample.inside.view(np.uint8))
    return float(total / max(1, int(np.count_nonzero(sample.inside))) ** 0.5)


def tone_de00(sample: Sample, after: Pixels) -> float:
    """Shift (CIEDE2000) of the means over 4 px that 99 % of the sample keep under; of more than 16,000, every n-th."""
    size = (max(1, after.shape[1] // 4), max(1, after.shape[0] // 4))
    shown = np.argwhere(cv2.resize(sample.inside.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5)
    if len(shown) == 0:
        return 0.0
    rows, columns = shown[:: max(1, len(shown) // _MEANS)].T
    before, now = (_means(pixels, size)[rows, columns] for pixels in (sample.pixels, after))
    return float(np.percentile(delta_e00(lab(before[None]), lab(now[None])), 99))


def _means(pixels: Pixels, size: tuple[int, int]) -> Rgb:
    """The means over 4 × 4 pixels, in linear light."""
    return np.asarray(cv2.resize(decode_srgb(pixels), size, interpolation=cv2.INTER_AREA), np.float32)
