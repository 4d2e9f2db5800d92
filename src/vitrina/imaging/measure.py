"""Measures of a photo's quality: sharpness, noise, clipping, cast. Arrays in, plain numbers and arrays out.

Lengths are pixels of the array that is given; `light` is L* (0…100) of CIELAB unless said.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.model import Mask, Plane, Rgb

_SMOOTH_PX = 0.8
"""Smoothing against noise before gradients are taken; its own width is deducted again."""
_OWN_VARIANCE = _SMOOTH_PX**2 + 0.5**2
"""Variance that smoothing and the pixel grid give an ideal step."""
_AGAIN_PX = 2.0
"""The second smoothing of `blur_map`."""
_WIDEST_PX = 12.0
"""σ beyond which nothing is called an edge."""
_REACH = np.ones((13, 13), np.uint8)
"""Where the height of a step is looked for."""


@dataclass(frozen=True, slots=True)
class Edges:
    """The strong edges of a picture: where they are, how wide (σ of the blur, px) and which way they face (radians)."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    width_px: NDArray[np.float32]
    facing: NDArray[np.float32]

    def within(self, mask: Mask) -> Edges:
        """Only the edges inside `mask`."""
        kept = mask[self.rows, self.columns]
        return Edges(self.rows[kept], self.columns[kept], self.width_px[kept], self.facing[kept])

    def __len__(self) -> int:
        return len(self.rows)


def find_edges(light: Plane, *, contrast: float, within: Mask) -> Edges:
    """The crests of the gradient, each with the σ of the blur that would make it: σ = height / (√2π · gradient).

    The height of a step is the range of `light` (L*) around it; steps lower than `contrast`, and lower than a third
    of the highest ones in `within`, do not count. Where two steps lie close together σ comes out too large, never
    too small, so judge by a low percentile.
    """
    smooth = cv2.GaussianBlur(light, (0, 0), _SMOOTH_PX)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    steep = cv2.magnitude(across, down)
    crest = within & (steep >= cv2.dilate(steep, np.ones((3, 3), np.uint8)) - 1e-6)
    rows, columns = np.nonzero(crest)
    height = (cv2.dilate(smooth, _REACH) - cv2.erode(smooth, _REACH))[rows, columns]
    if len(height) == 0:
        return Edges(rows, columns, height, height)
    # Even ground beside a step has a step near it but no gradient of its own.
    widest = np.sqrt(2 * np.pi) * _WIDEST_PX * steep[rows, columns]
    kept = (height > max(contrast, 0.3 * float(np.percentile(height, 98)))) & (height < widest)
    rows, columns, height = rows[kept], columns[kept], height[kept]
    apparent = height / (np.sqrt(2 * np.pi) * np.maximum(steep[rows, columns], 1e-3))
    width = np.sqrt(np.maximum(apparent * apparent - _OWN_VARIANCE, 0.01))
    facing = np.arctan2(down[rows, columns], across[rows, columns])
    return Edges(rows, columns, width.astype(np.float32), facing.astype(np.float32))


def blur_map(light: Plane, *, within: Mask, window_px: float, noise: float) -> tuple[Plane, Plane]:
    """The σ (px) of the blur around every place, and the energy (L*² per px²) that it was read from.

    A picture that is blurred once more loses the less of its gradients the softer it was (Zhuo and Sim, "Defocus map
    estimation from a single image", 2011). Their ratio is taken here of energies in a Gaussian window of σ `window_px`
    and of the pixels of `within` alone, less what white noise of σ `noise` (L*) gives: for a step, energy falls with
    the blur's own σ, so σ² = s² / (ratio² - 1) less the share of the first smoothing, s being the second one's.
    """
    smooth = cv2.GaussianBlur(light, (0, 0), _SMOOTH_PX)
    again = cv2.GaussianBlur(smooth, (0, 0), _AGAIN_PX)
    weight = within.astype(np.float32)
    share = np.maximum(cv2.GaussianBlur(weight, (0, 0), window_px), 1e-3)

    def energy(plane: Plane, variance: float) -> Plane:
        across = cv2.Sobel(plane, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
        down = cv2.Sobel(plane, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
        around = cv2.GaussianBlur((across * across + down * down) * weight, (0, 0), window_px) / share
        return np.asarray(np.maximum(around - noise**2 / (4 * np.pi * variance**2), 1e-7), np.float32)

    first = energy(smooth, _OWN_VARIANCE)
    ratio = first / energy(again, _OWN_VARIANCE + _AGAIN_PX**2)
    variance = _AGAIN_PX**2 / np.maximum(ratio * ratio - 1, 1e-3) - _OWN_VARIANCE
    return np.asarray(np.sqrt(np.maximum(variance, 0)), np.float32), first


def steepness(light: Plane, *, smooth_px: float) -> Plane:
    """The gradient's length (L* per pixel) after smoothing by a Gaussian of σ `smooth_px`."""
    smooth = cv2.GaussianBlur(light, (0, 0), smooth_px)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    return np.asarray(cv2.magnitude(across, down), np.float32)


_LAPLACIAN = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6
"""The noise operator of Immerkær (1996), scaled to pass white noise with its own σ."""
_PATCH = 16


def noise_level(light: Plane, *, percentile: float = 25) -> float:
    """Noise (σ, L*) in the smoother patches: the median of the noise operator per patch, a percentile of those.

    Texture that fills every patch counts as noise; a smooth quarter of the picture is enough to tell.
    """
    rough = np.abs(cv2.filter2D(light, cv2.CV_32F, _LAPLACIAN))
    height, width = (n // _PATCH * _PATCH for n in light.shape)
    if height == 0 or width == 0:
        return 0.0
    tiles = rough[:height, :width].reshape(height // _PATCH, _PATCH, width // _PATCH, _PATCH)
    middle = np.median(tiles.transpose(0, 2, 1, 3).reshape(-1, _PATCH * _PATCH), axis=1)
    return float(np.percentile(middle, percentile) / 0.6745)


def blockiness(light: Plane) -> float:
    """How much higher (L*) the steps are on the grid of 8 × 8 blocks than beside it: the mark of strong JPEG.

    `light` must start at a corner of a block, at the file's own scale. The lesser of both directions is taken.
    """
    values = []
    for plane in (light, light.T):
        step = np.minimum(np.abs(np.diff(plane, axis=1)), 8).mean(axis=0)
        columns = step[: len(step) // 8 * 8].reshape(-1, 8)
        if not len(columns):
            return 0.0
        typical = columns.mean(axis=0)
        values.append(float(typical[7] - np.median(typical[:7])))
    return min(values)


@dataclass(frozen=True, slots=True)
class Spot:
    """A connected place: the count of its pixels, its box (x, y, width, height) and its roundness 0…1 (1: a disc)."""

    area_px: int
    box: tuple[int, int, int, int]
    roundness: float


def find_spots(mask: Mask, *, least_px: int = 4) -> list[Spot]:
    """The connected places of `mask`, largest first."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    spots = []
    for x, y, width, height, area in stats[1:count]:
        if area >= least_px:
            shape = min(width, height) / max(width, height) * min(1.0, area / (np.pi / 4 * width * height))
            spots.append(Spot(int(area), (int(x), int(y), int(width), int(height)), float(shape)))
    return sorted(spots, key=lambda spot: (-spot.area_px, spot.box))


def least_channel(rgb: Rgb) -> Plane:
    """The least of the three channels (numpy's own reduction along three values is ten times slower)."""
    return np.asarray(cv2.min(cv2.min(rgb[..., 0], rgb[..., 1]), rgb[..., 2]), np.float32)


def clipped_high(rgb: Rgb, *, code: float = 253 / 255) -> Mask:
    """Pixels with every channel at or above the encoded value `code`: no colour is left in them."""
    limit = ((code + 0.055) / 1.055) ** 2.4
    return np.asarray(least_channel(rgb) >= limit, bool)
