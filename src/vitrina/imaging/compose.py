"""Compositing and the contact shadow, in linear light."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.model import Alpha, Plane, Rgb

_STRIP_ROWS = 512
_WORK_PX = 1200


def over(foreground: Rgb, alpha: Alpha, background: Rgb) -> Rgb:
    """Composite a straight foreground over an opaque background (Porter and Duff 1984).

    `background` may also be one colour, shape (3,). Where alpha is 1 the result is the foreground, bit for bit.
    """
    out = np.empty(foreground.shape, np.float32)
    behind: NDArray[np.float32] = np.asarray(background, np.float32)
    if behind.size == 3:
        # One row of the colour: numpy runs along it, where along an axis of three it would crawl.
        behind = np.broadcast_to(np.tile(behind, (1, foreground.shape[1], 1)), foreground.shape)
    for start in range(0, len(out), _STRIP_ROWS):
        rows = slice(start, start + _STRIP_ROWS)
        a = cv2.merge([np.asarray(alpha[rows], np.float32)] * 3)
        np.multiply(a, foreground[rows], out=out[rows])
        np.subtract(1, a, out=a)
        a *= behind[rows]
        out[rows] += a
    return out


@dataclass(frozen=True, slots=True)
class ShadowParams:
    """Reach and drop are shares of the piece's extent (its longer side); strength is the share of light taken away."""

    contact_reach: float = 0.022
    contact_strength: float = 0.60
    contact_drop: float = 0.004
    ambient_reach: float = 0.085
    ambient_strength: float = 0.34
    ambient_drop: float = 0.014

    @property
    def reach(self) -> float:
        """How far beyond the piece anything can be darkened."""
        return max(self.contact_reach + self.contact_drop, self.ambient_reach + self.ambient_drop)


def contact_shadow(alpha: Alpha, *, extent_px: float, params: ShadowParams = ShadowParams()) -> Plane:
    """What the light of the ground is multiplied by, 0…1: a narrow dark seam at the piece and a wide faint one.

    Made for a piece that lies or stands on its ground under soft light from above: both seams sink a little below the
    piece. Their kernels end (three box filters in a row), so beyond the reach the ground keeps exactly its own light;
    the rim of the canvas does in any case. Wires cast less than bodies, because their coverage is spread out. Lay it
    under the piece with `over`: pixels that the piece covers are never darkened.
    """
    scale = min(1.0, _WORK_PX / max(alpha.shape))
    size = (max(1, round(alpha.shape[1] * scale)), max(1, round(alpha.shape[0] * scale)))
    small = alpha if scale == 1 else cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    extent = extent_px * scale
    light = np.ones(small.shape[:2], np.float32)
    for reach, strength, drop in (
        (params.contact_reach, params.contact_strength, params.contact_drop),
        (params.ambient_reach, params.ambient_strength, params.ambient_drop),
    ):
        spread = _spread(small, reach * extent)
        light *= 1 - np.float32(strength) * _sunk(spread, drop * extent)
    density = np.maximum(1 - light - np.float32(1 / 1024), 0) * _inside(light.shape, params.ambient_reach * extent)
    if scale != 1:
        density = cv2.resize(density, (alpha.shape[1], alpha.shape[0]), interpolation=cv2.INTER_LINEAR)
        density = density * _frame(density.shape)
    return np.asarray(1 - density, np.float32)


def _spread(coverage: Plane, reach: float) -> Plane:
    """`coverage` blurred by three box filters that together reach `reach` pixels."""
    radius = max(1, round(reach / 3))
    box = (2 * radius + 1, 2 * radius + 1)
    out = coverage
    for _ in range(3):
        out = cv2.blur(out, box, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(out, np.float32)


def _sunk(plane: Plane, drop: float) -> Plane:
    """`plane` moved down by `drop` pixels; what comes in at the top is 0."""
    move = np.array([[1, 0, 0], [0, 1, drop]], np.float32)
    moved = cv2.warpAffine(plane, move, (plane.shape[1], plane.shape[0]), flags=cv2.INTER_LINEAR)
    return np.asarray(moved, np.float32)


def _inside(shape: tuple[int, ...], taper: float) -> Plane:
    """0 on the rim of the canvas, rising to 1 within half of `taper` pixels."""
    return np.outer(*(_rise(length, max(1.0, taper / 2)) for length in shape[:2])).astype(np.float32)


def _frame(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    inside = np.zeros(shape[:2], bool)
    inside[1:-1, 1:-1] = True
    return inside


def _rise(length: int, taper: float) -> NDArray[np.float64]:
    edge = np.minimum(np.arange(length), np.arange(length)[::-1])
    t = np.clip(edge / taper, 0, 1)
    return t * t * (3 - 2 * t)
