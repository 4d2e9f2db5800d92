"""A cutout with its parts marked, an edit of it, and the strokes that edits are made of.

Pictures are linear and in the frame of the source; `Made.matrix` moves them afterwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.colour import decode_srgb, delta_e00, encode_srgb8, lab
from vitrina.imaging.compose import over
from vitrina.model import Alpha, Mask, Region, Rgb

Random = np.random.Generator
WHITE = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Piece:
    """A photo, its cutout and the places of its parts, all of one size."""

    name: str
    rgb: Rgb
    foreground: Rgb
    alpha: Alpha
    metal: Mask
    stones: tuple[Mask, ...]
    links: tuple[Mask, ...]
    clasps: tuple[Mask, ...]
    parts: tuple[Mask, ...]

    @property
    def extent(self) -> int:
        box = region_of(self.alpha > 0.5)
        return max(box.width, box.height)

    def on(self, ground: tuple[float, float, float] = WHITE) -> Rgb:
        return over(self.foreground, self.alpha, np.array(ground, np.float32))


@dataclass(frozen=True, slots=True)
class Made:
    """An edit. `box` is in the source's pixels (None: the whole picture); `source` only when another photo belongs to
    it, `still` when the picture must not be re-framed on top."""

    picture: Rgb
    detail: str
    box: Region | None = None
    severity: str = "medium"
    matrix: NDArray[np.float64] = field(default_factory=lambda: np.eye(3))
    beyond: tuple[float, float, float] = WHITE
    side: int | None = None
    quality: int = 92
    noise: float = 0.6
    de00: float | None = None
    source: Rgb | None = None
    still: bool = False


def region_of(mask: Mask) -> Region:
    box = Region.around(mask)
    if box is None:
        raise ValueError("an empty mask has no region")
    return box


def grown(mask: Mask, radius: float) -> Mask:
    size = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc(size)) > 0)


def disc(size: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def any_of(masks: tuple[Mask, ...], rng: Random) -> Mask | None:
    return masks[int(rng.integers(len(masks)))] if masks else None


def reach_of(mask: Mask) -> float:
    return math.sqrt(float(mask.sum()) / math.pi)


def centre_of(mask: Mask) -> tuple[float, float]:
    rows, columns = np.nonzero(mask)
    return float(columns.mean()), float(rows.mean())


def softened(mask: Mask, sigma: float = 0.7) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma)[..., None], np.float32)


def mixed(piece: Piece, mask: Mask, colour: Rgb) -> Rgb:
    """The white card with `colour` for the foreground under `mask`."""
    weight = softened(mask)
    foreground = np.asarray(piece.foreground * (1 - weight) + np.clip(colour, 0, 1) * weight, np.float32)
    return over(foreground, piece.alpha, np.array(WHITE, np.float32))


def bare(piece: Piece, mask: Mask) -> Rgb:
    """The white card without what lies under `mask`."""
    alpha = np.asarray(piece.alpha * (1 - softened(mask)[..., 0]), np.float32)
    return over(piece.foreground, alpha, np.array(WHITE, np.float32))


def cloned(picture: Rgb, mask: Mask) -> Rgb:
    """What lies under `mask` painted over from around it (Telea 2004)."""
    painted = cv2.inpaint(encode_srgb8(picture), mask.astype(np.uint8), max(3, reach_of(mask) / 2), cv2.INPAINT_TELEA)
    weight = softened(mask)
    return np.asarray(picture * (1 - weight) + decode_srgb(painted) * weight, np.float32)


def laid(picture: Rgb, piece: Piece, mask: Mask, matrix: NDArray[np.float64]) -> tuple[Rgb, Region]:
    """`picture` with what lies under `mask` laid on it once more, moved by `matrix`."""
    height, width = piece.alpha.shape
    cover = piece.alpha * softened(mask)[..., 0]
    stack = np.dstack([piece.foreground * cover[..., None], cover])
    moved = cv2.warpAffine(stack, matrix[:2], (width, height), flags=cv2.INTER_LINEAR)
    picture = np.asarray(moved[..., :3] + picture * (1 - moved[..., 3:]), np.float32)
    shown = moved[..., 3] > 0.3
    return picture, region_of(shown) if shown.any() else Region(0, 0, 1, 1)


def about(at: tuple[float, float], sx: float, sy: float, to: tuple[float, float] | None = None) -> NDArray[np.float64]:
    tx, ty = to or at
    return np.array([[sx, 0, tx - sx * at[0]], [0, sy, ty - sy * at[1]], [0, 0, 1.0]])


def shifted(rgb: Rgb, mask: Mask, direction: NDArray[np.float64], target: float) -> Rgb:
    """`rgb` with a* and b* moved along `direction` until the median ΔE00 under `mask` is `target`; L* stays."""
    before = lab(rgb)
    sample = before[mask]
    sample = sample[:: max(1, len(sample) // 3000)]
    low, high = 0.0, 120.0
    for _ in range(18):
        middle = (low + high) / 2
        moved = (sample + np.array([0, *(middle * direction)])).astype(np.float32)
        low, high = (middle, high) if float(np.median(delta_e00(sample, moved))) < target else (low, middle)
    moved = (before + np.array([0, *(high * direction)])).astype(np.float32)
    return np.asarray(np.clip(cv2.cvtColor(moved, cv2.COLOR_Lab2LRGB), 0, 1), np.float32)
