"""Where to look first: the places of a piece that a cutout or an edit harms most easily."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitrina.imaging.colour import lab
from vitrina.model import Cutout, Plane, Region, Rgb, Size

_WORK_PX = 1200


@dataclass(frozen=True, slots=True)
class Place:
    """A square of the source worth a close look, and why."""

    what: str
    region: Region


def risky_places(source: Rgb, cut: Cutout, *, side_px: int = 200) -> tuple[Place, ...]:
    """The finest wires, the most colourful or contrasting spots (stones) and the softest edges; at most five squares.

    `side_px` is the side of a square in pixels of the source.
    """
    box = Region.around(cut.alpha > 0.05, margin_px=4)
    if box is None:
        return ()
    scale = min(1.0, _WORK_PX / max(box.width, box.height))
    size = (max(1, round(box.width * scale)), max(1, round(box.height * scale)))
    alpha = np.asarray(cv2.resize(cut.alpha[box.slices], size, interpolation=cv2.INTER_AREA), np.float32)
    rgb = np.asarray(cv2.resize(source[box.slices], size, interpolation=cv2.INTER_AREA), np.float32)
    window = max(3, round(side_px * scale))
    taken = np.zeros(alpha.shape, np.uint8)
    places = []
    scores = (
        ("thin parts", _thinness(alpha), 2),
        ("stones and sparkle", _liveliness(rgb, alpha), 2),
        ("edges", 4 * alpha * (1 - alpha), 1),
    )
    for what, score, wanted in scores:
        density = cv2.blur(score, (window, window), borderType=cv2.BORDER_CONSTANT)
        for _ in range(wanted):
            open_ = np.where(taken, -1, density)
            row, column = (int(v) for v in np.unravel_index(int(np.argmax(open_)), open_.shape))
            if open_[row, column] <= 1e-4:
                break
            cv2.circle(taken, (column, row), window, 1, -1)
            centre = (box.x + column / scale, box.y + row / scale)
            places.append(Place(what, square(centre, side_px, within=cut.size)))
    return tuple(places)


def square(centre: tuple[float, float], side_px: int, *, within: Size) -> Region:
    """A square around `centre` (x, y), moved, and where it must be cut, to lie inside the picture."""
    width, height = min(side_px, within.width), min(side_px, within.height)
    x = min(max(0, round(centre[0] - width / 2)), within.width - width)
    y = min(max(0, round(centre[1] - height / 2)), within.height - height)
    return Region(x, y, width, height)


def _thinness(alpha: Plane) -> Plane:
    """High on the middle lines of thin parts: one over the half width squared."""
    solid = (alpha > 0.5).astype(np.uint8)
    depth = cv2.distanceTransform(solid, cv2.DIST_L2, 3)
    ridge = (depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8)) - 0.01) & (solid > 0)
    return np.where(ridge, 1 / (1 + depth) ** 2, 0).astype(np.float32)


def _liveliness(rgb: Rgb, alpha: Plane) -> Plane:
    """How far a pixel's hue is from the piece's usual one, and how much its lightness varies nearby."""
    inside = (alpha > 0.95).astype(np.float32)
    if inside.sum() < 16:
        return np.zeros_like(alpha)
    planes = lab(rgb)
    usual = np.median(planes[inside > 0], axis=0)
    away = np.hypot(planes[..., 1] - usual[1], planes[..., 2] - usual[2])
    contrast = np.abs(cv2.Laplacian(cv2.GaussianBlur(planes[..., 0], (0, 0), 1.2), cv2.CV_32F))
    return np.asarray((away / 20 + contrast / 12) * inside, np.float32)
