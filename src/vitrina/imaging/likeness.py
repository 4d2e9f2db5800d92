"""Whether two pictures show the same view: a hash that light, size and compression hardly change."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.colour import encode_srgb, luminance
from vitrina.model import Rgb

_SIDE, _KEPT = 32, 8
_PRINT_SIDE, _PRINT_KEPT = 64, 16
_FLAT = 0.004
"""Standard deviation of the shrunken, encoded luminance below which there is nothing that a print could be taken of."""
_ODD = np.frombuffer(np.packbits(np.tile(np.arange(_PRINT_KEPT) % 2 == 1, _PRINT_KEPT)).tobytes(), np.uint64)


def view_hash(rgb: Rgb) -> NDArray[np.bool_]:
    """64 bits of a linear picture: the signs of its slowest cosine terms about their median (Zauner 2010, pHash).

    Two exposures of one view differ in few of them.
    """
    terms = cv2.dct(_shrunk(rgb, _SIDE))[:_KEPT, :_KEPT].ravel()
    return np.asarray(terms > np.median(terms[1:]), bool)


def photo_print(rgb: Rgb) -> str:
    """256 bits, the signs of such terms, as 64 hexadecimal digits by which a photo is found again; empty for a picture
    without any shape.

    The same photo encoded, resized or lightened anew differs in up to 30 bits, a photo of another piece on the same
    stand in 78 and more (benchmarks/copies.py).
    """
    small = _shrunk(rgb, _PRINT_SIDE)
    if float(small.std()) < _FLAT:
        return ""
    terms = cv2.dct(small)[:_PRINT_KEPT, :_PRINT_KEPT]
    terms[0, 0] = 0  # the mean is always positive
    return np.packbits(terms > 0).tobytes().hex()


def as_words(prints: str) -> NDArray[np.uint64]:
    """Prints, written one after the other, as rows of four machine words, for `bits_apart`."""
    return np.frombuffer(bytes.fromhex(prints), np.uint64).reshape(-1, 4)


def bits_apart(one: NDArray[np.uint64], many: NDArray[np.uint64]) -> NDArray[np.int64]:
    """In how many bits the print `one` (4 words) differs from each of `many`, or from its mirror image if that is less.

    In a mirror the odd terms of every row change their sign.
    """
    differing = many ^ one
    straight, mirrored = (
        np.bitwise_count(words).sum(axis=1, dtype=np.int64) for words in (differing, differing ^ _ODD)
    )
    return np.asarray(np.minimum(straight, mirrored))


def distance(one: NDArray[np.bool_], two: NDArray[np.bool_]) -> int:
    """In how many of the bits two hashes differ."""
    return int((one != two).sum())


def _shrunk(rgb: Rgb, side: int) -> NDArray[np.float32]:
    small = cv2.resize(luminance(rgb), (side, side), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(encode_srgb(np.ascontiguousarray(small)))
