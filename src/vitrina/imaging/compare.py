"""Comparing two registered pictures: what of the second the first explains, and what is left over.

All planes are registered on one canvas. Differences are in CIELAB units after smoothing at about one pixel, and an
*interval* of the first picture's values around each place takes the sting out of sub-pixel misregistration (the idea of
the mid-range tolerance in Hirschmüller's sampling-insensitive matching cost, after Birchfield and Tomasi 1998).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.model import Mask, Plane

LabPlanes = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Interval:
    """Lowest and highest Lab values that a picture takes within half a pixel of each place."""

    low: LabPlanes
    high: LabPlanes

    def widened(self, other: LabPlanes, where: Mask) -> Interval:
        """This interval, stretched to hold `other` too at `where` (mixed pixels of an edge)."""
        spot = cv2.merge([where.astype(np.uint8)] * 3).astype(bool)
        low, high = self.low.copy(), self.high.copy()
        np.minimum(low, other, out=low, where=spot)
        np.maximum(high, other, out=high, where=spot)
        return Interval(low, high)

    def distance(self, picture: LabPlanes) -> NDArray[np.float32]:
        """Signed excess of `picture` beyond the interval per channel; 0 inside."""
        return np.asarray(np.maximum(picture - self.high, 0) - np.maximum(self.low - picture, 0), np.float32)


def interval(picture_lab: LabPlanes, *, reach_px: float = 0.5) -> Interval:
    """The values that `picture_lab` takes within `reach_px` (bilinear samples at the eight neighbours)."""
    low, high = picture_lab.copy(), picture_lab.copy()
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            if dx or dy:
                matrix = np.array([[1, 0, dx * reach_px], [0, 1, dy * reach_px]], np.float32)
                moved = cv2.warpAffine(
                    picture_lab, matrix, (picture_lab.shape[1], picture_lab.shape[0]), borderMode=cv2.BORDER_REPLICATE
                )
                np.minimum(low, moved, out=low)
                np.maximum(high, moved, out=high)
    return Interval(low, high)


def strength(excess: NDArray[np.float32]) -> Plane:
    """Length of an excess vector in Lab, (rows, columns, 3): a ΔE76 beyond tolerance."""
    # numpy sums an axis of three some twenty times slower than this does.
    total = cv2.transform(np.ascontiguousarray(excess * excess, np.float32), np.ones((1, 3), np.float32))
    return np.asarray(cv2.sqrt(total), np.float32)


def smooth(picture: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    """Gaussian smoothing."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma_px), np.float32)


def blobs(mask: Mask, *, min_area_px: int) -> list[Mask]:
    """The connected regions (8-neighbours) of at least `min_area_px`, largest first, each as a mask."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    order = sorted(range(1, count), key=lambda index: -int(stats[index, cv2.CC_STAT_AREA]))
    return [labels == index for index in order if stats[index, cv2.CC_STAT_AREA] >= min_area_px]


@dataclass(frozen=True, slots=True)
class Ground:
    """The plain ground of an edit: a quadratic surface in Lab, and how the real ground differs from it."""

    surface: LabPlanes
    lab: tuple[float, float, float]
    range_l: float
    roughness: float
    support: float


def fit_ground(picture_lab: LabPlanes, outside: Mask, *, rounds: int = 6) -> Ground:
    """Fit the ground of `picture_lab` on the `outside` pixels by iteratively re-weighted least squares.

    `range_l` is the surface's L* range over the canvas, `roughness` the robust scale of what is left (Lab units), and
    `support` the share of `outside` that the surface explains.
    """
    height, width = outside.shape
    step = max(1, int(np.sqrt(height * width / 60000)))
    rows, columns = np.mgrid[0:height:step, 0:width:step]
    chosen = outside[::step, ::step]
    if chosen.sum() < 64:
        chosen = np.ones_like(chosen)
    basis = _quadratic(rows[chosen] / height, columns[chosen] / width)
    values = picture_lab[::step, ::step][chosen].astype(np.float64)
    weight = np.ones(len(values))
    # Start from the commonest lightness, so that a dark piece that was not masked cannot pull the surface.
    coefficients: NDArray[np.floating] = np.zeros((6, 3))
    coefficients[0] = np.median(values, axis=0)
    for index in range(rounds):
        error = _lengths(values - basis @ coefficients)
        sigma = max(0.6, 1.4826 * float(np.median(error)))
        weight = np.clip(1 - (error / (4 * sigma if index else 6 * sigma)) ** 2, 0, None) ** 2
        if weight.sum() < 32:
            break
        normal = (basis * weight[:, None]).T @ basis + 1e-6 * np.eye(6)
        coefficients = np.linalg.solve(normal, (basis * weight[:, None]).T @ values)
    error = _lengths(values - basis @ coefficients)
    grid = np.mgrid[0:1:9j, 0:1:9j].reshape(2, -1)
    coarse = _quadratic(grid[0], grid[1]) @ coefficients
    # The surface is smooth: evaluate it on a coarse grid and enlarge.
    ys, xs = np.mgrid[0:33, 0:33] / 32
    small = (_quadratic(ys.ravel(), xs.ravel()) @ coefficients).reshape(33, 33, 3).astype(np.float32)
    return Ground(
        surface=_enlarge(small, height, width),
        lab=tuple(float(v) for v in np.median(coarse, axis=0)),  # type: ignore[arg-type]
        range_l=float(coarse[:, 0].max() - coarse[:, 0].min()),
        roughness=1.4826 * float(np.median(error)),
        support=float((error < max(3.0, 4 * 1.4826 * float(np.median(error)))).mean()),
    )


def _lengths(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", vectors, vectors)), np.float64)


def _enlarge(small: LabPlanes, height: int, width: int) -> LabPlanes:
    n = small.shape[0] - 1
    xs = np.linspace(0, n, width, dtype=np.float32)
    ys = np.linspace(0, n, height, dtype=np.float32)
    map_x, map_y = np.meshgrid(xs, ys)
    return np.asarray(cv2.remap(small, map_x, map_y, cv2.INTER_LINEAR), np.float32)


def _quadratic(y: NDArray[np.floating], x: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).astype(np.float64)


_WINDOW_PX = 4.0


def structural_agreement(first: Plane, second: Plane, where: Mask) -> float:
    """How well two planes of encoded luminance agree in where their edges are: −1…1, near 0 for strangers.

    The median, over the half of `where` in which `first` has most structure, of the correlation of edge strength in
    windows of 4 px. A part that is missing or has another colour costs only its own windows, and it does not matter
    which side of an edge is the lighter one: silver is lighter than grey card and darker than white.
    0 when `where` is empty.
    """
    if not where.any():
        return 0.0
    one, two = _edges(first), _edges(second)
    weight = (cv2.dilate(where.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0).astype(np.float32)
    total = np.maximum(smooth(weight, _WINDOW_PX), 1e-3)

    def mean(plane: Plane) -> Plane:
        return np.asarray(smooth(plane * weight, _WINDOW_PX) / total, np.float32)

    of_one, of_two = mean(one), mean(two)
    spread = mean(one * one) - of_one**2
    product = spread * (mean(two * two) - of_two**2)
    likeness = (mean(one * two) - of_one * of_two) / np.sqrt(np.maximum(product, 1e-8))
    return float(np.median(likeness[where & (spread >= np.median(spread[where]))]))


def _edges(plane: Plane) -> Plane:
    """The root of the slope: weak edges count nearly as much as strong ones."""
    soft = smooth(plane, 1.0)
    across, down = (cv2.Sobel(soft, cv2.CV_32F, dx, 1 - dx, scale=1 / 8) for dx in (1, 0))
    return np.asarray(np.sqrt(np.hypot(across, down)), np.float32)
