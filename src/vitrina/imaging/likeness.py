"""Whether two pictures show the same view: a hash that light, size and compression hardly change."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.colour import encode_srgb, luminance
from vitrina.model import Rgb

_SIDE, _KEPT = 32, 8


def view_hash(rgb: Rgb) -> NDArray[np.bool_]:
    """64 bits of a linear picture: the signs of its slowest cosine terms about their median (Zauner 2010, pHash)."""
    small = cv2.resize(luminance(rgb), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    terms = cv2.dct(encode_srgb(np.ascontiguousarray(small)))[:_KEPT, :_KEPT].ravel()
    return np.asarray(terms > np.median(terms[1:]), bool)


def distance(one: NDArray[np.bool_], two: NDArray[np.bool_]) -> int:
    """In how many of the 64 bits two hashes differ."""
    return int((one != two).sum())
