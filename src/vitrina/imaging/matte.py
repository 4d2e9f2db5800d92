"""Alpha mattes: from soft labels to coverage, and the true colour of the rim.

In a narrow band along the edge the compositing equation I = αF + (1−α)B (Porter and Duff 1984) is solved for α along
the line from the local backdrop B to the local foreground F (the projection of Chuang et al. 2001 once F and B are
known); both are local means over the sure pixels nearby. The rim's colour then follows from the same equation.
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


def trimap_of(soft: Plane, radius_px: float) -> Plane:
    """0, ½, 1 from soft labels 0…1: unknown is a band `radius_px` to each side of the edge; thin parts keep a core."""
    inside = soft > 0.5
    solid = inside.astype(np.uint8)
    depth = cv2.distanceTransform(solid, cv2.DIST_L2, 5)
    beyond = cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)
    size = 2 * int(np.ceil(2 * radius_px)) + 1
    local = cv2.dilate(depth, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    # A wire thinner than the band still has its ridge: the sure core begins at 70 % of the local half width.
    core = inside & (depth > np.minimum(radius_px, 0.7 * local))
    trimap = np.full(soft.shape, 0.5, np.float32)
    trimap[core] = 1
    trimap[beyond > radius_px] = 0
    return trimap


def solve_band(rgb: Rgb, trimap: Plane, soft: Plane, *, radius_px: float) -> Alpha:
    """Alpha from a trimap (0, ½, 1): 0 and 1 stay exactly, the unknown band is solved from the pixels.

    Where piece and backdrop have nearly the same colour the pixels say nothing, and `soft` decides.
    """
    unknown = (trimap > 0.1) & (trimap < 0.9)
    if not unknown.any():
        return np.asarray(trimap > 0.5, np.float32)
    behind, has_behind = local_mean(rgb, trimap <= 0.1, 1.5 * radius_px)
    front, has_front = local_mean(rgb, trimap >= 0.9, radius_px)
    line = front - behind
    length = np.sqrt((line * line).sum(axis=-1))
    along = np.clip(((rgb - behind) * line).sum(axis=-1) / np.maximum(length * length, 1e-7), 0, 1)
    noise = 0.03 + 0.08 * np.sqrt(np.clip(behind.mean(axis=-1), 0, 1))
    trust = np.clip(length / noise - 0.5, 0, 1) * (has_behind > 0.02) * (has_front > 0.02)
    alpha = trust * along + (1 - trust) * soft
    return np.asarray(np.where(unknown, np.clip(alpha, 0, 1), trimap), np.float32)


def estimate_foreground(rgb: Rgb, alpha: Alpha, *, radius_px: float) -> Rgb:
    """The rim's own colour, freed from the backdrop. Where alpha is 1 the pixel is the source's, bit for bit."""
    rim = (alpha > 0) & (alpha < 1)
    behind, has_behind = local_mean(rgb, alpha < 0.004, 2 * radius_px)
    behind = np.where((has_behind > 0.005)[..., None], behind, rgb)
    near, has_near = local_mean(rgb, alpha >= 0.98, radius_px)
    wide, has_wide = local_mean(rgb, alpha >= 0.9, 4 * radius_px)
    inner = np.where((has_near > 0.02)[..., None], near, np.where((has_wide > 0.002)[..., None], wide, rgb))
    a = alpha[..., None]
    solved = np.clip((rgb - (1 - a) * behind) / np.maximum(a, 0.05), 0, 1.2)
    trust = np.clip((a - 0.25) / 0.5, 0, 1)
    return np.asarray(np.where(rim[..., None], trust * solved + (1 - trust) * inner, rgb), np.float32)
