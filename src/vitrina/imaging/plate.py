"""The ground as it would look without the piece: what a photo shows around it, continued behind it.

Colours are pulled into ever coarser pictures, each pixel counting by its weight, and pushed back where the finer one
knew nothing (pull and push; Gortler, Grzeszczuk, Szeliski and Cohen 1996, The Lumigraph). `training/network.py` holds
the same for training: the refiner learnt on this plate and must be shown no other.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.resample import enlarged_part
from vitrina.model import Alpha, Plane, Size

_COARSER = 4
"""The plate is made this many times smaller than the photo."""
_SURE = 4.0
"""The plate believes a pixel by one minus this many times the coarse alpha near it."""


@dataclass(frozen=True, slots=True)
class Plate:
    """`colour` (rows, columns, 3), encoded, and how far the ground `stray`s from it (rows, columns), both shrunk."""

    colour: NDArray[np.float32]
    stray: Plane

    def at(self, size: Size, rows: slice, columns: slice) -> tuple[NDArray[np.float32], Plane]:
        """Both for a part of a picture of `size`."""
        return (
            enlarged_part(self.colour, size, rows, columns),
            enlarged_part(self.stray, size, rows, columns),
        )


def plate_of(encoded: NDArray[np.float32], coarse: Alpha) -> Plate:
    """The plate behind an encoded photo (rows, columns, 3); `coarse` (rows, columns) says where the piece is."""
    height, width = coarse.shape
    size = (-(-width // _COARSER), -(-height // _COARSER))
    near = cv2.dilate(cv2.resize(coarse, size, interpolation=cv2.INTER_AREA), np.ones((5, 5), np.uint8))
    weight = np.clip(1 - _SURE * near, 0, 1).astype(np.float32)
    if weight.max() < 0.1:  # nothing but piece: there is no ground to go by
        weight = np.ones_like(weight)
    colour = _filled(cv2.resize(encoded, size, interpolation=cv2.INTER_AREA), weight)
    off = np.abs(encoded - cv2.resize(colour, (width, height), interpolation=cv2.INTER_LINEAR)).mean(axis=-1)
    stray = _filled(cv2.resize(off, size, interpolation=cv2.INTER_AREA)[..., None], weight)
    return Plate(colour, np.ascontiguousarray(stray[..., 0]))


def _filled(picture: NDArray[np.float32], weight: Plane) -> NDArray[np.float32]:
    """`picture` where `weight` is 1, and a smooth continuation of it where it is 0."""
    height, width = weight.shape
    if min(height, width) <= 2:
        total = float(weight.sum())
        mean = (picture * weight[..., None]).sum(axis=(0, 1)) / total if total > 1e-3 else picture.mean(axis=(0, 1))
        return np.broadcast_to(mean.astype(np.float32), picture.shape)
    size = ((width + 1) // 2, (height + 1) // 2)
    mass = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    half = _planes(cv2.resize(picture * weight[..., None], size, interpolation=cv2.INTER_AREA), picture)
    below = _filled(half / np.maximum(mass, 1e-4)[..., None], np.minimum(2 * mass, 1))
    below = _planes(cv2.resize(below, (width, height), interpolation=cv2.INTER_LINEAR), picture)
    return np.asarray(picture * weight[..., None] + below * (1 - weight[..., None]), np.float32)


def _planes(resized: NDArray[np.float32], like: NDArray[np.float32]) -> NDArray[np.float32]:
    """OpenCV drops a last axis of one; put it back."""
    return resized.reshape(*resized.shape[:2], like.shape[2])
