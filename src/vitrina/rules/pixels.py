"""What a finished picture shows of itself: its rim, its ground, the place of the piece, a drawn border."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.colour import encode_srgb8, lab
from vitrina.model import Mask, Plane, Region, Rgb

_WORK_PX = 1000
_RIM_SHARE = 0.02
_APART_DE = 6.0
"""ΔE76 from the ground at which something stands on it. Soft shadows mostly stay below, metal and stones do not."""
_LINE_DE = 9.0
"""ΔE76 between neighbouring lines that makes an edge."""


@dataclass(frozen=True, slots=True)
class Rim:
    """The outer 2 % of a picture. `lowest` is the 8-bit code that 99.9 % of its channel values reach or exceed."""

    lowest: int
    lightness: float
    chroma: float
    spread: float
    """ΔE76 from the middle colour within which 95 % of the rim lie."""


def rim_of(rgb: Rgb) -> Rim:
    """Measure the rim of a picture at its own size."""
    strips = _rim_strips(rgb)
    codes = encode_srgb8(strips)
    shades = lab(strips[None])[0]
    middle = np.median(shades, axis=0)
    apart = np.linalg.norm(shades - middle, axis=1)
    return Rim(
        lowest=int(np.percentile(codes, 0.1, method="lower")),
        lightness=float(middle[0]),
        chroma=float(np.hypot(middle[1], middle[2])),
        spread=float(np.percentile(apart, 95)),
    )


def piece_box(rgb: Rgb) -> Region | None:
    """The box, in pixels of `rgb`, around what stands out from the ground; None when nothing does or nothing is ground.

    The ground's colour is the rim's middle colour. Single pixels (dust, noise) are not counted.
    """
    small = _shrunk(rgb)
    shades = lab(small)
    rim = np.median(lab(_rim_strips(small)[None])[0], axis=0)
    apart: Plane = np.asarray(np.linalg.norm(shades - rim, axis=2), np.float32)
    if float(np.percentile(apart, 20)) > _APART_DE:
        return None
    box = Region.around(_without_dust(apart > _APART_DE))
    return None if box is None else box.scaled(rgb.shape[1] / small.shape[1])


def border_depth(rgb: Rgb) -> int | None:
    """How deep, in pixels, a drawn border lies along all four sides; None when there is none.

    A border is an even outermost line on every side, with a hard step of colour along (nearly) the whole side at the
    same depth, within 8 % of the shorter side. A plain ground has no step, and a soft gradient no hard one.
    """
    small = _shrunk(rgb)
    shades = lab(small)
    if min(shades.shape[:2]) < 8:
        return None  # no room for a border and something inside it
    reach = max(3, round(0.08 * min(shades.shape[:2])))
    depths = []
    for turn in range(4):
        side = np.rot90(shades, turn)[: reach + 2]
        cut = reach if side.shape[1] > 4 * reach else 0
        side = side[:, cut : side.shape[1] - cut] if cut else side
        if float(np.percentile(np.linalg.norm(side[0] - np.median(side[0], axis=0), axis=1), 90)) > _LINE_DE:
            return None
        step = np.linalg.norm(side[2:] - side[:-2], axis=2)
        share = (step > _LINE_DE).mean(axis=1)
        if share.max() < 0.9:
            return None
        depths.append(int(np.argmax(share)) + 1)
    if max(depths) - min(depths) > max(2, reach // 4):
        return None
    depth: int = round(float(np.median(depths)) * rgb.shape[1] / small.shape[1])
    return max(1, depth)


def _rim_strips(rgb: Rgb) -> NDArray[np.float32]:
    width = max(2, round(_RIM_SHARE * min(rgb.shape[:2])))
    width = min(width, max(1, min(rgb.shape[:2]) // 2))
    sides = (rgb[:width], rgb[-width:], rgb[:, :width], rgb[:, -width:])
    return np.concatenate([side.reshape(-1, 3) for side in sides])


def _shrunk(rgb: Rgb) -> Rgb:
    scale = _WORK_PX / max(rgb.shape[:2])
    if scale >= 1:
        return rgb
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.float32)


def _without_dust(mask: Mask) -> Mask:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    area = stats[:, cv2.CC_STAT_AREA]
    keep = area >= max(4, 0.002 * float(area[1:].max(initial=0)))
    keep[0] = False
    return np.asarray(keep[labels], bool) if count > 1 else mask
