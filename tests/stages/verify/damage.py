"""Edits of a drawn piece, each with one known defect, as a shop's tool might have made them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from tests.scenes import Scene
from vitrina import from_array
from vitrina.codec.encode import encode_jpeg
from vitrina.imaging.colour import encode_srgb8
from vitrina.imaging.compose import over
from vitrina.model import Alpha, Mask, Region, Rgb, Source


@dataclass(frozen=True, slots=True)
class Layer:
    """A cutout that is being edited: straight foreground (linear) and alpha."""

    foreground: Rgb
    alpha: Alpha

    def on(self, colour: tuple[float, float, float] = (1, 1, 1)) -> Rgb:
        return over(self.foreground, self.alpha, np.array(colour, np.float32))


def layer(scene: Scene) -> Layer:
    return Layer(scene.foreground, scene.alpha)


def card(picture: Rgb, *, noise: float = 0.004, seed: int = 9, name: str = "edit") -> Source:
    """`picture` as an 8-bit file would bring it back: encoded, with fresh grain, rounded."""
    grain = np.random.default_rng(seed).normal(0, noise * 255, picture.shape)
    encoded = encode_srgb8(np.clip(picture, 0, 1)).astype(np.float32) + grain
    return from_array(np.clip(np.rint(encoded), 0, 255).astype(np.uint8), name=name)


def reframed(picture: Rgb, *, scale: float = 0.9, turn: float = 2.0, shift: tuple[float, float] = (9, -6)) -> Rgb:
    """`picture` scaled and turned about its middle and shifted, on white."""
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, scale)
    matrix[:, 2] += shift
    moved = cv2.warpAffine(
        picture, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT, borderValue=(1, 1, 1)
    )
    return np.asarray(np.clip(moved, 0, 1), np.float32)


def jpeg(picture: Rgb, *, quality: int) -> bytes:
    return encode_jpeg(np.clip(picture, 0, 1), quality=quality)


def without(cut: Layer, region: Region) -> Layer:
    """Everything inside `region` is gone."""
    alpha = cut.alpha.copy()
    alpha[region.slices] = 0
    return replace(cut, alpha=alpha)


def pasted(cut: Layer, region: Region, at: tuple[int, int]) -> Layer:
    """The content of `region` once more, its corner at `at` (x, y)."""
    rows, columns = region.slices
    foreground, alpha = cut.foreground.copy(), cut.alpha.copy()
    x, y = at
    where = (slice(y, y + region.height), slice(x, x + region.width))
    take = cut.alpha[rows, columns] > alpha[where]
    foreground[where] = np.where(take[..., None], cut.foreground[rows, columns], foreground[where])
    alpha[where] = np.maximum(alpha[where], cut.alpha[rows, columns])
    return Layer(foreground, alpha)


def plugged(cut: Layer, region: Region) -> Layer:
    """A dome of bare metal in the place of the stone in `region`."""
    golden = (cut.alpha > 0.95) & (cut.foreground[..., 0] > 2 * cut.foreground[..., 2])
    tone = np.median(cut.foreground[golden], axis=0)
    rows, columns = np.mgrid[: cut.alpha.shape[0], : cut.alpha.shape[1]]
    reach = region.width / 2
    far = np.hypot(columns - region.x - reach, rows - region.y - region.height / 2) / reach
    light = (1.5 - 0.9 * np.clip(far, 0, 1))[..., None]
    return replace(cut, foreground=np.where((far < 1)[..., None], tone * light, cut.foreground).astype(np.float32))


def lit(cut: Layer, at: tuple[float, float], radius: float) -> Layer:
    """A burnt-out spot with a soft rim at `at` (x, y)."""
    rows, columns = np.mgrid[: cut.alpha.shape[0], : cut.alpha.shape[1]]
    far = np.hypot(columns - at[0], rows - at[1]) / radius
    glow = np.clip(1.9 * np.exp(-(far**2)), 0, 1)[..., None]
    return replace(cut, foreground=np.asarray(cut.foreground * (1 - glow) + glow, np.float32))


def smoothed(cut: Layer, sigma: float) -> Layer:
    """Everything inside the contour is blurred; the contour stays."""
    weight = cv2.GaussianBlur(cut.alpha, (0, 0), sigma)[..., None]
    blurred = cv2.GaussianBlur(cut.foreground * cut.alpha[..., None], (0, 0), sigma) / np.maximum(weight, 1e-3)
    return replace(cut, foreground=np.asarray(blurred, np.float32))


def sharpened(cut: Layer, amount: float) -> Layer:
    """An unsharp mask inside the contour; the contour stays."""
    soft = smoothed(cut, 1.4).foreground
    return replace(cut, foreground=np.clip(cut.foreground + amount * (cut.foreground - soft), 0, 1).astype(np.float32))


def smeared(cut: Layer, region: Region, sigma: float) -> Layer:
    """Colour and contour inside `region` run into each other: melted links."""
    premultiplied = cut.foreground * cut.alpha[..., None]
    soft = cv2.GaussianBlur(cut.alpha, (0, 0), sigma)
    colour = cv2.GaussianBlur(premultiplied, (0, 0), sigma) / np.maximum(soft, 1e-3)[..., None]
    alpha, foreground = cut.alpha.copy(), cut.foreground.copy()
    alpha[region.slices] = np.clip(2.4 * soft[region.slices] - 0.2, 0, 1)
    foreground[region.slices] = colour[region.slices]
    return Layer(foreground, alpha)


def eroded(cut: Layer, radius: int) -> Layer:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return replace(cut, alpha=np.asarray(cv2.erode(cut.alpha, kernel), np.float32))


def with_rim(scene: Scene, radius: int) -> Layer:
    """A rim of the old backdrop is kept around the piece."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return Layer(scene.rgb, np.asarray(cv2.dilate(scene.alpha, kernel), np.float32))


def written(picture: Rgb, text: str, *, at: tuple[int, int], size: float = 0.9) -> Rgb:
    """`text` in a dark colour, its baseline beginning at `at` (x, y)."""
    ink = np.zeros(picture.shape[:2], np.uint8)
    cv2.putText(ink, text, at, cv2.FONT_HERSHEY_DUPLEX, size, 255, 2, cv2.LINE_AA)
    return over(np.full_like(picture, 0.05), ink.astype(np.float32) / 255, picture)


def gradient(scene: Scene) -> Rgb:
    """The piece on a ground that runs from white to mid grey."""
    light = np.linspace(1.0, 0.35, scene.size.height, dtype=np.float32)[:, None, None]
    return over(scene.foreground, scene.alpha, np.broadcast_to(light, scene.rgb.shape).astype(np.float32))


def recoloured(cut: Layer, mask: Mask, gains: tuple[float, float, float]) -> Layer:
    """The linear channels multiplied by `gains` where `mask` is true."""
    foreground = np.where(mask[..., None], cut.foreground * np.array(gains, np.float32), cut.foreground)
    return replace(cut, foreground=np.asarray(np.clip(foreground, 0, 1), np.float32))
