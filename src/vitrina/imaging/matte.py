"""Alpha mattes: from soft evidence to coverage, and the true colour of the rim.

In a narrow band along the edge alpha is solved from the pixels by closed-form matting (Levin, Lischinski and Weiss
2008): in every 3 × 3 window alpha is an affine function of colour, and the sum over all windows is a quadratic form.
The soft evidence joins it as a prior, strong where piece and backdrop look alike and weak where they differ, so that
the pixels decide where they can. The rim's colour then follows from the compositing equation (Porter and Duff 1984)
with the local backdrop known, held to the piece's own colour next to it where alpha leaves too little to solve for.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.colour import encode_srgb
from vitrina.model import Alpha, Mask, Plane, Rgb

_OFFSETS = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1))
_EPSILON = 1e-5
"""Least colour variance of a window (encoded sRGB squared): sensor noise on a plain surface."""
_HOLD = 0.05
"""How firmly the rim is held to the colour of the piece beside it: at alpha 0.2 about half and half."""
_WEAKEST, _STRONGEST = 0.02, 1.0
"""Bounds of the prior's weight. Between 0.01 and 0.1 the error on scenes of good contrast hardly changes."""


_UNDECIDED = (0.1, 0.9)
"""Soft labels between these are unknown wherever they lie: there the pixels decide."""


def trimap_of(soft: Plane, radius_px: float) -> Plane:
    """0, ½, 1 from soft labels 0…1, with an unknown band `radius_px` to each side of the edge and wherever the labels
    are undecided; thin parts keep a core."""
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
    trimap[(soft > _UNDECIDED[0]) & (soft < _UNDECIDED[1])] = 0.5
    return trimap


def solve_band(rgb: Rgb, trimap: Plane, soft: Plane, *, radius_px: float) -> Alpha:
    """Alpha from a trimap (0, ½, 1): 0 and 1 stay exactly, the unknown band is solved from the pixels and from `soft`.

    `radius_px` is the reach within which piece and backdrop are compared to say how much the pixels can be trusted.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.linalg import cg

    unknown = (trimap > 0.1) & (trimap < 0.9)
    alpha = np.asarray(trimap > 0.5, np.float32)
    if not unknown.any() or min(trimap.shape) < 3:
        return np.where(unknown, soft, alpha).astype(np.float32)
    values, neighbours, pixels = _laplacian(encode_srgb(rgb), unknown)
    count = len(pixels)
    known = ~unknown.ravel()[neighbours]
    fixed = alpha.ravel()[neighbours]
    weight = _prior_weight(rgb, trimap, radius_px).ravel()[pixels]
    right = weight * soft.ravel()[pixels] - (values * fixed * known).sum(axis=1)
    number = np.full(trimap.size, -1, np.int32)
    number[pixels] = np.arange(count, dtype=np.int32)
    values[known] = 0
    columns = np.where(known, np.arange(count, dtype=np.int32)[:, None], number[neighbours])
    values[:, 12] += weight
    system = csr_matrix((values.ravel(), columns.ravel(), np.arange(0, 25 * count + 1, 25)), shape=(count, count))
    scale = 1 / np.maximum(values[:, 12], 1e-6)
    jacobi = csr_matrix((scale, np.arange(count), np.arange(count + 1)), shape=(count, count))
    solved, _ = cg(system, right, x0=soft.ravel()[pixels], rtol=1e-3, maxiter=60, M=jacobi)
    alpha.ravel()[pixels] = np.clip(solved, 0, 1)
    return alpha


def estimate_foreground(rgb: Rgb, alpha: Alpha, *, radius_px: float) -> Rgb:
    """The rim's own colour, freed from the backdrop. Where alpha is 1 the pixel is the source's, bit for bit.

    Least squares of I = αF + (1−α)B with B the mean of the backdrop nearby and F held to the mean of the sure piece
    nearby.
    """
    rim = (alpha > 0) & (alpha < 1)
    behind = _nearest_mean(rgb, alpha < 0.004, (3 * radius_px, 12 * radius_px))
    inner = _nearest_mean(rgb, alpha >= 0.98, (1.5 * radius_px, 6 * radius_px))
    a = alpha[..., None]
    rest = rgb - a * inner - (1 - a) * behind
    solved = inner + a * rest / np.maximum(a * a + _HOLD * (1 - a), 1e-4)
    return np.asarray(np.where(rim[..., None], np.clip(solved, 0, 1.2), rgb), np.float32)


def _nearest_mean(picture: NDArray[np.float32], where: Mask, radii_px: tuple[float, float]) -> NDArray[np.float32]:
    """The mean over the `where` pixels in the narrow window, else in the wide one, else the picture itself."""
    near, has_near = _local_mean(picture, where, radii_px[0])
    wide, has_wide = _local_mean(picture, where, radii_px[1])
    wide = np.where((has_wide > 0.002)[..., None], wide, picture)
    return np.asarray(np.where((has_near > 0.02)[..., None], near, wide), np.float32)


def _prior_weight(rgb: Rgb, trimap: Plane, radius_px: float) -> Plane:
    """How much the soft evidence counts: little where the piece differs from the backdrop by many of its deviations."""
    picture = encode_srgb(rgb)
    behind, has_behind = _local_mean(picture, trimap <= 0.1, radius_px)
    front, has_front = _local_mean(picture, trimap >= 0.9, radius_px)
    texture, _ = _local_mean((picture - behind) ** 2, trimap <= 0.1, radius_px)
    contrast = np.sqrt(((front - behind) ** 2).sum(axis=-1)) / (0.07 + 2 * np.sqrt(texture.sum(axis=-1)))
    seen = (has_behind > 0.02) & (has_front > 0.02)
    weight = np.clip(1 / np.maximum(contrast, 1e-3) ** 2, _WEAKEST, _STRONGEST)
    return np.asarray(np.where(seen, weight, _STRONGEST), np.float32)


def _local_mean(picture: NDArray[np.float32], where: Mask, radius_px: float) -> tuple[NDArray[np.float32], Plane]:
    """The mean of `picture` over the `where` pixels nearby (Gaussian), and how much of the window they fill."""
    weight = where.astype(np.float32)
    weighted = picture * weight[..., None]
    height, width = where.shape
    step = max(1, int(radius_px / 3))  # a blur this wide does not need every pixel
    if step > 1 and min(height, width) > 4 * step:
        size = (-(-width // step), -(-height // step))
        weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
        weighted = cv2.resize(weighted, size, interpolation=cv2.INTER_AREA)
    share = cv2.GaussianBlur(weight, (0, 0), radius_px / step)
    mean = cv2.GaussianBlur(weighted, (0, 0), radius_px / step) / np.maximum(share, 1e-4)[..., None]
    if mean.shape != picture.shape:
        mean = cv2.resize(mean, (width, height), interpolation=cv2.INTER_LINEAR)
        share = cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(mean, np.float32), np.asarray(share, np.float32)


def _laplacian(
    picture: NDArray[np.float32], unknown: Mask
) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.intp]]:
    """The matting Laplacian's rows for the unknown pixels: 25 values and 25 pixel numbers each, and the pixels'
    numbers.

    Only windows that touch the band are visited, so time and memory follow the band's area.
    """
    height, width = unknown.shape
    centres = cv2.dilate(unknown.astype(np.uint8), np.ones((3, 3), np.uint8))
    centres[[0, -1]] = 0
    centres[:, [0, -1]] = 0
    middle = np.flatnonzero(centres)
    steps = np.array([dy * width + dx for dy, dx in _OFFSETS])
    pixels = np.flatnonzero(unknown)
    number = np.full(unknown.size, -1, np.int32)
    number[pixels] = np.arange(len(pixels), dtype=np.int32)
    values = np.zeros((len(pixels), 25), np.float32)
    flat = picture.reshape(-1, 3)
    for start in range(0, len(middle), 1 << 15):
        _add_windows(values, flat, middle[start : start + (1 << 15), None] + steps, number)
    rows, columns = np.divmod(pixels, width)
    dy, dx = np.mgrid[-2:3, -2:3].reshape(2, -1)
    near = np.clip(rows[:, None] + dy, 0, height - 1) * width + np.clip(columns[:, None] + dx, 0, width - 1)
    return values, near.astype(np.int32), pixels


def _add_windows(
    values: NDArray[np.float32],
    flat: NDArray[np.float32],
    members: NDArray[np.intp],
    number: NDArray[np.int32],
) -> None:
    """Add windows (rows of nine pixel numbers) to the Laplacian's rows, in place."""
    colour = flat[members]
    off = colour - colour.mean(axis=1, keepdims=True)
    spread = np.matmul(off.transpose(0, 2, 1), off) / 9 + np.float32(_EPSILON / 9) * np.eye(3, dtype=np.float32)
    likeness = np.matmul(np.matmul(off, np.linalg.inv(spread)), off.transpose(0, 2, 1))
    pairs = np.eye(9, dtype=np.float32) - (1 + likeness) / 9
    for first, (y, x) in enumerate(_OFFSETS):
        row = number[members[:, first]]
        inside = row >= 0
        row = row[inside]
        for second, (v, u) in enumerate(_OFFSETS):
            values[row, (v - y + 2) * 5 + (u - x + 2)] += pairs[inside, first, second]
