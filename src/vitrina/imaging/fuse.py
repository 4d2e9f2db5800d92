"""Several aligned exposures of one view made one: by how well each is exposed, or by how sharp it is, place by place.

Everything is in encoded values (sRGB, 0…1): exposure and sharpness are what the eye sees of them.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.model import Mask, Plane

Picture = NDArray[np.float32]
"""Encoded sRGB, (rows, columns, 3)."""

_WELL_EXPOSED = 0.2
"""σ of the Gaussian around middle grey by which a channel counts as well exposed (Mertens, Kautz, Van Reeth 2007)."""
_FOCUS_PX = 3.0
"""σ of the neighbourhood over which sharpness is gathered."""
_LEAST = 1e-6
_SMALLEST_PX = 16
"""The pyramid ends where a side would become shorter."""


def exposure_weight(picture: Picture) -> Plane:
    """Mertens, Kautz and Van Reeth (2007): contrast times saturation times well-exposedness, each to the power 1."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    contrast = np.abs(cv2.Laplacian(grey, cv2.CV_32F))
    saturation = picture.std(axis=2)
    exposed = np.exp(-((picture - 0.5) ** 2).sum(axis=2) / (2 * _WELL_EXPOSED**2))
    return np.asarray((contrast + 0.01) * (saturation + 0.01) * exposed + _LEAST, np.float32)


def focus_weight(picture: Picture) -> Plane:
    """The energy of the Laplacian in a neighbourhood, squared, so that the sharpest frame outweighs the rest (the sum-
    modified-Laplacian idea of Nayar and Nakagawa 1994)."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    rough = cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), 0.8), cv2.CV_32F)
    energy = cv2.GaussianBlur(rough * rough, (0, 0), _FOCUS_PX)
    return np.asarray((1e4 * energy) ** 2 + _LEAST, np.float32)


class Blend:
    """Frames added one at a time, each with its weight, blended band by band (Burt and Adelson 1983).

    Only sums are kept, so memory does not grow with the number of frames. Nothing is invented: in the end every pixel
    is held between the least and the greatest value that the frames have there.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self._levels = max(1, int(np.log2(max(2, min(rows, columns) / _SMALLEST_PX))))
        self._sums: list[Picture] = []
        self._weights: list[Plane] = []
        self._least = np.full((rows, columns, 3), np.inf, np.float32)
        self._greatest = np.full((rows, columns, 3), -np.inf, np.float32)

    def add(self, picture: Picture, weight: Plane, shown: Mask) -> None:
        """A frame with its weight; where it does not `shown` anything it does not count."""
        self._least = np.where(shown[..., None], np.minimum(self._least, picture), self._least)
        self._greatest = np.where(shown[..., None], np.maximum(self._greatest, picture), self._greatest)
        bands, weights = [], [np.where(shown, weight, np.float32(0))]
        for _ in range(self._levels):
            small = cv2.pyrDown(picture)
            bands.append(picture - cv2.pyrUp(small, dstsize=picture.shape[1::-1]))
            weights.append(np.asarray(cv2.pyrDown(weights[-1]), np.float32))
            picture = np.asarray(small, np.float32)
        bands.append(picture)
        weighed = [band * weight[..., None] for band, weight in zip(bands, weights, strict=True)]
        self._sums = [a + b for a, b in zip(self._sums, weighed, strict=True)] if self._sums else weighed
        self._weights = [a + b for a, b in zip(self._weights, weights, strict=True)] if self._weights else weights

    def result(self) -> Picture:
        """The blended picture; at least one frame was added that shows everything."""
        bands = [
            total / np.maximum(weight, 1e-12)[..., None]
            for total, weight in zip(self._sums, self._weights, strict=True)
        ]
        picture = bands[-1]
        for band in reversed(bands[:-1]):
            picture = band + cv2.pyrUp(picture, dstsize=band.shape[1::-1])
        return np.asarray(np.clip(picture, self._least, self._greatest), np.float32)
