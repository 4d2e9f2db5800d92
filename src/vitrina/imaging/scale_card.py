"""The scale card: what is printed on it, and what a photo with it in tells: millimetres, tilt and white balance.

Lengths are millimetres on the card, origin at its top left corner, x to the right, y down. The markers are ArUco's
4×4_50 (Garrido-Jurado et al. 2014).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.colour import encode_srgb8, lab
from vitrina.model import Mask, Rgb

WIDTH_MM, HEIGHT_MM = 148.0, 105.0
"""A6, lying."""
MARKER_MM = 14.0
MARKERS = {
    0: (5.0, 5.0), 1: (67.0, 5.0), 2: (129.0, 5.0), 3: (5.0, 71.0), 4: (129.0, 71.0),
}  # fmt: skip
"""The markers' top left corners by their number."""
_CELLS = 6
"""A marker's black frame and its 4 × 4 cells."""
PATCHES = {0.72: (84.0, 5.0), 0.42: (98.0, 5.0), 0.20: (112.0, 5.0), 0.09: (23.0, 5.0), 0.03: (37.0, 5.0)}
"""The neutral patches' top left corners by their linear grey."""
PATCH_MM = 13.0
_RULER_MM = 100
_RULER_AT = (24.0, 98.0)


@dataclass(frozen=True, slots=True)
class Block:
    """A filled rectangle of the card, mm; `grey` is linear, 0 is ink."""

    x: float
    y: float
    width: float
    height: float
    grey: float = 0.0


def blocks() -> list[Block]:
    """Everything on the card but its text: markers, patches, ruler."""
    made = [Block(x, y, PATCH_MM, PATCH_MM, grey) for grey, (x, y) in PATCHES.items()]
    cell = MARKER_MM / _CELLS
    for number, (x, y) in MARKERS.items():
        bits = cv2.aruco.generateImageMarker(_dictionary(), number, _CELLS)
        for row, column in np.argwhere(bits == 0):
            made.append(Block(x + cell * column, y + cell * row, cell, cell))
    left, base = _RULER_AT
    made.append(Block(left, base, _RULER_MM, 0.2))
    for tick in range(_RULER_MM + 1):
        tall = 4.0 if tick % 10 == 0 else 3.0 if tick % 5 == 0 else 2.0
        made.append(Block(left + tick - 0.05, base - tall, 0.1, tall))
    return made


def labels() -> list[tuple[str, float, float, float]]:
    """The card's text: words, x, baseline y and size, mm."""
    left, base = _RULER_AT
    numbers = [(str(tick), left + tick - 1, base + 3.4, 2.6) for tick in range(0, _RULER_MM + 1, 10)]
    return [
        *numbers,
        ("mm", left + _RULER_MM + 3, base + 3.4, 2.6),
        ("Vitrina scale card. Print at 100 %: the ruler must measure 100 mm.", 24.0, 91.5, 2.6),
    ]


def draw(px_per_mm: float, *, oversample: int = 4) -> Rgb:
    """The card without its text as a picture, linear, antialiased."""
    scale = px_per_mm * oversample
    sheet = np.full((round(HEIGHT_MM * scale), round(WIDTH_MM * scale)), 0.9, np.float32)
    for block in blocks():
        rows = slice(round(block.y * scale), max(round(block.y * scale) + 1, round((block.y + block.height) * scale)))
        columns = slice(round(block.x * scale), max(round(block.x * scale) + 1, round((block.x + block.width) * scale)))
        sheet[rows, columns] = max(block.grey, 0.02)
    size = (round(WIDTH_MM * px_per_mm), round(HEIGHT_MM * px_per_mm))
    shrunk = cv2.resize(sheet, size, interpolation=cv2.INTER_AREA)
    return np.asarray(np.repeat(shrunk[..., None], 3, axis=2), np.float32)


@dataclass(frozen=True, slots=True)
class FoundCard:
    """The card in a photo: `to_mm` takes pixels to millimetres on its plane (3 × 3); `error_mm` is the RMS distance of
    its markers' corners from where they belong; `tilt_degrees` the angle between its plane and the sensor's, roughly.
    """

    to_mm: NDArray[np.float64]
    markers: int
    error_mm: float
    tilt_degrees: float

    def mm_per_px(self, x: float, y: float) -> float:
        """The geometric mean scale around a pixel."""
        here = self.place(np.array([[x, y], [x + 1, y], [x, y + 1]]))
        across, down = here[1] - here[0], here[2] - here[0]
        return float(np.sqrt(abs(across[0] * down[1] - across[1] * down[0])))

    def place(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Pixels (x, y), shape (n, 2), as millimetres on the card's plane."""
        lifted = np.column_stack([np.asarray(points, np.float64), np.ones(len(points))]) @ self.to_mm.T
        return np.asarray(lifted[:, :2] / lifted[:, 2:], np.float64)

    def pixels(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Millimetres on the card's plane as pixels."""
        back = np.linalg.inv(self.to_mm)
        lifted = np.column_stack([np.asarray(points, np.float64), np.ones(len(points))]) @ back.T
        return np.asarray(lifted[:, :2] / lifted[:, 2:], np.float64)

    def print_mask(self, shape: tuple[int, int]) -> Mask:
        """Where the card's own print lies in a photo of (rows, columns): markers, patches, the ruler and its text."""
        mask = np.zeros(shape, np.uint8)
        boxes = [(x - 1, y - 1, MARKER_MM + 2, MARKER_MM + 2) for x, y in MARKERS.values()]
        boxes += [(x - 0.5, y - 0.5, PATCH_MM + 1, PATCH_MM + 1) for x, y in PATCHES.values()]
        boxes.append((20.0, 88.5, 108.0, 15.0))
        for x, y, width, height in boxes:
            corners = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])
            cv2.fillConvexPoly(mask, np.rint(self.pixels(corners)).astype(np.int32), 1)
        return np.asarray(mask > 0, bool)


_LEAST_MARKERS = 3
"""Two alone leave the perspective beyond them open."""
_DETECT_PX = 2048


def find_card(rgb: Rgb) -> FoundCard | None:
    """The card in a photo (linear), or None when fewer than three of its markers show."""
    grey = cv2.cvtColor(encode_srgb8(rgb), cv2.COLOR_RGB2GRAY)
    scale = min(1.0, _DETECT_PX / max(grey.shape))
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
    options = cv2.aruco.DetectorParameters()
    options.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    found, numbers, _ = cv2.aruco.ArucoDetector(_dictionary(), options).detectMarkers(small)
    if numbers is None:
        return None
    seen, true = [], []
    for corners, number in zip(found, np.ravel(numbers), strict=True):
        if int(number) in MARKERS:
            x, y = MARKERS[int(number)]
            seen.append((corners.reshape(4, 2) + 0.5) / scale - 0.5)
            true.append([[x, y], [x + MARKER_MM, y], [x + MARKER_MM, y + MARKER_MM], [x, y + MARKER_MM]])
    if len(seen) < _LEAST_MARKERS:
        return None
    points, places = np.concatenate(seen).astype(np.float64), np.concatenate(true).astype(np.float64)
    matrix, _ = cv2.findHomography(points, places, cv2.RANSAC, 1.0)
    if matrix is None:
        return None
    card = FoundCard(np.asarray(matrix, np.float64), len(seen), 0.0, 0.0)
    error = float(np.sqrt(((card.place(points) - places) ** 2).sum(axis=1).mean()))
    return FoundCard(card.to_mm, len(seen), error, _tilt(card))


def _tilt(card: FoundCard) -> float:
    """The angle whose cosine is the ratio of the card's apparent scales, along and across its steepest direction."""
    middle = np.array([[WIDTH_MM / 2, HEIGHT_MM / 2]])
    steps = middle + np.array([[0, 0], [1, 0], [0, 1]])
    at = card.pixels(steps)
    stretch = np.linalg.svd(np.stack([at[1] - at[0], at[2] - at[0]], axis=1), compute_uv=False)
    return float(np.degrees(np.arccos(np.clip(stretch[1] / stretch[0], 0, 1))))


@dataclass(frozen=True, slots=True)
class Neutral:
    """What the neutral patches say: gains per channel that make them grey (green is 1), and their cast (C*ab)."""

    gains: tuple[float, float, float]
    cast: float
    patches: int


def white_balance(rgb: Rgb, card: FoundCard) -> Neutral | None:
    """The true white balance by the card's patches; None when fewer than two are well exposed and in the frame."""
    seen = []
    for x, y in PATCHES.values():
        inner = np.array(
            [[x + 3, y + 3], [x + PATCH_MM - 3, y + 3], [x + PATCH_MM - 3, y + PATCH_MM - 3], [x + 3, y + PATCH_MM - 3]]
        )
        corners = np.rint(card.pixels(inner)).astype(np.int32)
        if corners.min() < 0 or (corners >= [rgb.shape[1], rgb.shape[0]]).any():
            continue
        mask = np.zeros(rgb.shape[:2], np.uint8)
        cv2.fillConvexPoly(mask, corners, 1)
        pixels = rgb[mask > 0]
        if len(pixels) < 12:
            continue
        colour = np.median(pixels, axis=0)
        if colour.min() > 0.01 and colour.max() < 0.95:
            seen.append(colour)
    if len(seen) < 2:
        return None
    patches = np.array(seen)
    # Least squares through black: the lighter patches weigh more, for they are read more surely.
    red, green, blue = ((patches[:, i] * patches[:, 1]).sum() / (patches[:, i] ** 2).sum() for i in range(3))
    middle = patches[np.argsort(patches[:, 1])[len(patches) // 2]].astype(np.float32)
    _, a, b = lab(middle.reshape(1, 1, 3))[0, 0]
    return Neutral((float(red), float(green), float(blue)), float(np.hypot(a, b)), len(seen))


@cache
def _dictionary() -> cv2.aruco.Dictionary:
    return cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
