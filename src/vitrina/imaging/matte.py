"""Alpha mattes: from a labelled picture to soft coverage, and the true colour of the rim.

In the unknown band the compositing equation I = αF + (1−α)B (Porter and Duff 1984) is solved for α along the line from the
local backdrop B to the local foreground F (the projection used by Chuang et al. 2001 once F and B are known); both are
local means over the sure pixels nearby. The rim's colour then follows from the same equation.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.model import Alpha, Mask, Plane, Rgb


def local_mean(picture: NDArray[np.float32], where: Mask, radius_px: float) -> tuple[NDArray[np.float32], Plane]:
    """The mean of `picture` over the `where` pixels nearby (Gaussian), and how much of the window they fill."""
    weight = where.astype(np.float32)
    share = cv2.GaussianBlur(weight, (0, 0), radius_px)
    total = cv2.GaussianBlur(picture * weight[..., None], (0, 0), radius_px)
    return np.asarray(total / np.maximum(share, 1e-4)[..., None], np.float32), np.asarray(share, np.float32)


def solve_band(rgb: Rgb, trimap: Plane, backdrop: Rgb, *, radius_px: float = 2.5) -> Alpha:
    """Alpha from a trimap (0, ½, 1): 0 and 1 stay exactly, the unknown band is solved.

    `backdrop` is used where no sure background lies within about three radii. All of shape (rows, columns[, 3]).
    """
    unknown = (trimap > 0.1) & (trimap < 0.9)
    if not unknown.any():
        return np.asarray(trimap > 0.5, np.float32)
    behind, has_behind = local_mean(rgb, trimap <= 0.1, 2 * radius_px)
    front, has_front = local_mean(rgb, trimap >= 0.9, radius_px)
    wider, has_wider = local_mean(rgb, trimap >= 0.9, 3 * radius_px)
    behind = np.where((has_behind > 0.01)[..., None], behind, backdrop)
    front = np.where((has_front > 0.02)[..., None], front, wider)
    # Perception of edges is nearer to a square root of light than to light; solving there keeps dark rims from dominating.
    i, f, b = (np.sqrt(np.clip(v, 0, None)) for v in (rgb, front, behind))
    line = f - b
    length = (line * line).sum(axis=-1)
    along = ((i - b) * line).sum(axis=-1) / np.maximum(length, 1e-5)
    mixed = _to_light(along, f, b)
    # Where front and backdrop have nearly the same colour the line says nothing: keep to the blurred labels.
    blurred = cv2.GaussianBlur(trimap.astype(np.float32), (0, 0), 0.8)
    trust = np.clip((np.sqrt(length) - 0.02) / 0.06, 0, 1) * ((has_front > 0.02) | (has_wider > 0.005))
    alpha = trust * np.clip(mixed, 0, 1) + (1 - trust) * blurred
    return np.asarray(np.where(unknown, np.clip(alpha, 0, 1), trimap), np.float32)


def _to_light(along: Plane, f: NDArray[np.float32], b: NDArray[np.float32]) -> Plane:
    """Coverage in linear light from the place on the line between two square-rooted colours."""
    t = np.clip(along, 0, 1)[..., None]
    point = (b + t * (f - b)) ** 2
    front, behind = f * f, b * b
    line = front - behind
    return np.asarray(((point - behind) * line).sum(axis=-1) / np.maximum((line * line).sum(axis=-1), 1e-7), np.float32)


def estimate_foreground(rgb: Rgb, alpha: Alpha, backdrop: Rgb, *, radius_px: float = 3.0) -> Rgb:
    """The rim's own colour, freed from the backdrop. Where alpha is 1 the pixel is the source's, bit for bit."""
    solid = alpha >= 0.98
    rim = (alpha > 0.004) & (alpha < 1.0)
    if not rim.any():
        return rgb
    behind, has_behind = local_mean(rgb, alpha < 0.004, 2 * radius_px)
    behind = np.where((has_behind > 0.01)[..., None], behind, backdrop)
    near, has_near = local_mean(rgb, solid, radius_px)
    wide, has_wide = local_mean(rgb, solid, 4 * radius_px)
    inner = np.where((has_near > 0.02)[..., None], near, np.where((has_wide > 0.002)[..., None], wide, rgb))
    a = alpha[..., None]
    solved = np.clip((rgb - (1 - a) * behind) / np.maximum(a, 0.05), 0, 1.2)
    trust = np.clip((a - 0.25) / 0.5, 0, 1)
    colour = trust * solved + (1 - trust) * inner
    out = np.where(rim[..., None], colour, rgb)
    return np.asarray(np.where((alpha >= 1.0)[..., None], rgb, out), np.float32)
