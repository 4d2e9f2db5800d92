"""Registration: where the piece of one picture lies in another.

Feature hypotheses (SIFT, Lowe 2004; similarity by MAGSAC++, Barath et al. 2020) are refined densely by a robust
forward-additive Lucas-Kanade scheme with an affine warp, a gain and an offset (Baker and Matthews 2004), Tukey weights.
All transforms are 2×3 or 3×3 float64 that take (x, y) of the first picture to the second.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.model import Alpha, Mask, Plane, Size

Affine = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a transform explains the second picture: normalised correlation inside the piece, feature support."""

    matrix: Affine
    correlation: float
    inliers: int


def warp(picture: NDArray[np.float32], matrix: Affine, size: Size, *, outside: float = 0.0) -> NDArray[np.float32]:
    """`picture` moved by `matrix` onto a canvas of `size`, antialiased when it shrinks; beyond it lies `outside`."""
    scale = scale_of(matrix)
    if scale < 0.75:
        # Shrink by area first, so that the cubic warp that follows stays near scale 1.
        small = Size(max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
        sx, sy = small.width / picture.shape[1], small.height / picture.shape[0]
        picture = cv2.resize(picture, (small.width, small.height), interpolation=cv2.INTER_AREA)
        # Pixel centres are whole numbers: x_small = (x + 0.5)·s − 0.5.
        undo = np.array([[1 / sx, 0, 0.5 / sx - 0.5], [0, 1 / sy, 0.5 / sy - 0.5], [0, 0, 1]])
        matrix = (as3(matrix) @ undo)[:2]
    return np.asarray(
        cv2.warpAffine(
            picture,
            matrix[:2],
            (size.width, size.height),
            flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(outside, outside, outside, outside),
        ),
        np.float32,
    )


def as3(matrix: Affine) -> Affine:
    """A 2×3 affine as 3×3."""
    return matrix if matrix.shape[0] == 3 else np.vstack([matrix, [0.0, 0.0, 1.0]])


def scale_of(matrix: Affine) -> float:
    """The mean magnification of an affine: the root of the area's."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))


def feature_fits(first: Plane, second: Plane, first_mask: Mask, second_mask: Mask, *, keep: int = 3) -> list[Affine]:
    """Similarity hypotheses from SIFT matches, the best supported first; empty when there are too few features.

    `first` and `second` are encoded luminance 0…1; the masks say where features may lie. After each hypothesis its
    inliers are taken out and the rest is matched again, since a chain repeats itself.
    """
    sift = cv2.SIFT_create(nfeatures=4000, contrastThreshold=0.02)
    keys1, words1 = sift.detectAndCompute(_to8(first), first_mask.astype(np.uint8))
    keys2, words2 = sift.detectAndCompute(_to8(second), second_mask.astype(np.uint8))
    if words1 is None or words2 is None or len(keys1) < 4 or len(keys2) < 4:
        return []
    words1, words2 = _root(words1), _root(words2)
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(words1, words2, k=2)
    good = [m[0] for m in pairs if len(m) == 2 and m[0].distance < 0.85 * m[1].distance]
    points1 = np.array([keys1[m.queryIdx].pt for m in good], np.float64).reshape(-1, 2)
    points2 = np.array([keys2[m.trainIdx].pt for m in good], np.float64).reshape(-1, 2)
    fits: list[Affine] = []
    while len(points1) >= 4 and len(fits) < keep:
        matrix, inside = cv2.estimateAffinePartial2D(
            points1, points2, method=cv2.RANSAC, ransacReprojThreshold=3.0, maxIters=5000, confidence=0.999
        )
        if matrix is None:
            break
        used = inside.ravel().astype(bool)
        if used.sum() < 4:
            break
        if used.sum() >= 12:
            fuller, again = cv2.estimateAffine2D(points1[used], points2[used], method=cv2.LMEDS)
            if fuller is not None and again.sum() >= 8 and is_plausible(fuller):
                matrix = fuller
        if is_plausible(matrix):
            fits.append(np.asarray(matrix, np.float64))
        points1, points2 = points1[~used], points2[~used]
    return fits


def is_plausible(matrix: Affine) -> bool:
    """False for a transform no re-framing makes: mirrored, collapsed, or sheared beyond recognition."""
    values = np.linalg.svd(matrix[:2, :2], compute_uv=False)
    return bool(
        np.linalg.det(matrix[:2, :2]) > 0 and values[1] > 0.02 and values[0] < 50 and values[0] / values[1] < 1.6
    )


def silhouette_fit(first: Alpha, second: Alpha) -> Affine | None:
    """The scale and shift that take the bulk of one silhouette to the other's (first and second moments)."""
    one, two = _moments(first), _moments(second)
    if one is None or two is None:
        return None
    scale = two[2] / one[2]
    return np.array([[scale, 0, two[0] - scale * one[0]], [0, scale, two[1] - scale * one[1]]])


def _moments(alpha: Alpha) -> tuple[float, float, float] | None:
    total = float(alpha.sum())
    if total < 16:
        return None
    ys, xs = alpha.sum(axis=1), alpha.sum(axis=0)
    rows, columns = np.arange(len(ys)), np.arange(len(xs))
    cx, cy = float((columns * xs).sum() / total), float((rows * ys).sum() / total)
    spread = float((((columns - cx) ** 2) * xs).sum() + (((rows - cy) ** 2) * ys).sum()) / total
    return cx, cy, float(np.sqrt(max(spread, 1e-6)))


def correlation(first: Plane, second: Plane, weight: Plane) -> float:
    """Weighted normalised correlation −1…1 of two planes."""
    total = float(weight.sum())
    if total <= 0:
        return -1.0
    a = first - float((first * weight).sum()) / total
    b = second - float((second * weight).sum()) / total
    power = float((weight * a * a).sum()) * float((weight * b * b).sum())
    return float((weight * a * b).sum() / np.sqrt(power)) if power > 0 else -1.0


def refine(
    first: Plane,
    second: Plane,
    weight: Plane,
    start: Affine,
    *,
    levels: tuple[int, ...] = (4, 2, 1),
    rounds: int = 12,
    rigid: bool = False,
) -> Affine:
    """`start` refined so that `first`, moved by it, meets `second` (planes 0…1; `weight` belongs to `first`).

    Robust Lucas-Kanade, coarse to fine; `rigid` keeps to scale, rotation and shift. A diverging refinement is dropped:
    the result never correlates worse than `start`.
    """
    size = Size(second.shape[1], second.shape[0])
    best = start
    for level in levels:
        shrink = np.diag([1 / level, 1 / level, 1.0])
        small = Size(max(8, size.width // level), max(8, size.height // level))
        target = cv2.resize(second, (small.width, small.height), interpolation=cv2.INTER_AREA) if level > 1 else second
        target = cv2.GaussianBlur(target, (0, 0), 0.8)
        matrix = shrink @ as3(best)
        # Map pixel centres, not corners, between the levels.
        matrix[:2, 2] += 0.5 / level - 0.5
        matrix = _lucas_kanade(first, target, weight, matrix[:2], small, rounds, rigid)
        back = as3(matrix)
        back[:2, 2] -= 0.5 / level - 0.5
        best = (np.diag([level, level, 1.0]) @ back)[:2]
    return best


def _lucas_kanade(
    first: Plane, target: Plane, weight: Plane, matrix: Affine, size: Size, rounds: int, rigid: bool
) -> Affine:
    ys, xs = np.mgrid[0 : size.height, 0 : size.width].astype(np.float32)
    best, best_score = matrix, -2.0
    for _ in range(rounds):
        moved = cv2.GaussianBlur(warp(first, matrix, size), (0, 0), 0.8)
        covered = warp(weight, matrix, size)
        inside = covered > 0.5
        if inside.sum() < 64:
            break
        score = correlation(moved[inside], target[inside], np.ones(int(inside.sum()), np.float32))
        if score > best_score + 1e-7:
            best, best_score = matrix, score
        elif score < best_score - 0.02:
            break
        gx = (cv2.Sobel(moved, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8))[inside]
        gy = (cv2.Sobel(moved, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8))[inside]
        x, y, value, wanted = xs[inside], ys[inside], moved[inside], target[inside]
        gain, offset = _line(value, wanted)
        error = wanted - (gain * value + offset)
        sigma = 1.4826 * float(np.median(np.abs(error))) + 1e-3
        robust = np.clip(1 - (error / (4.0 * sigma)) ** 2, 0, None) ** 2
        cx, cy = float(x.mean()), float(y.mean())
        u, v = (x - cx) / 100, (y - cy) / 100
        if rigid:
            steps = np.stack([gx * u + gy * v, gy * u - gx * v, gx, gy], axis=1) * gain
        else:
            steps = np.stack([gx * u, gx * v, gx, gy * u, gy * v, gy], axis=1) * gain
        normal = (steps * robust[:, None]).T @ steps
        normal = normal.astype(np.float64) + np.eye(len(normal)) * 1e-6 * np.trace(normal)
        # The picture must move *with* the coordinate step, hence the minus: moved(x − d) ≈ moved(x) − ∇·d.
        step = np.linalg.solve(normal, -((steps * robust[:, None]).T @ error).astype(np.float64))
        if rigid:
            step = np.array([step[0], -step[1], step[2], step[1], step[0], step[3]])
        a = np.array([[step[0] / 100, step[1] / 100, 0], [step[3] / 100, step[4] / 100, 0], [0, 0, 0]])
        a[0, 2] = step[2] - a[0, 0] * cx - a[0, 1] * cy
        a[1, 2] = step[5] - a[1, 0] * cx - a[1, 1] * cy
        updated = ((np.eye(3) + a) @ as3(matrix))[:2]
        if not is_plausible(updated):
            break
        matrix = updated
        if float(np.abs(step).max()) < 0.003:
            break
    moved = cv2.GaussianBlur(warp(first, matrix, size), (0, 0), 0.8)
    inside = warp(weight, matrix, size) > 0.5
    if inside.sum() >= 64:
        score = correlation(moved[inside], target[inside], np.ones(int(inside.sum()), np.float32))
        if score > best_score:
            best = matrix
    return best


def _line(value: NDArray[np.float32], wanted: NDArray[np.float32]) -> tuple[float, float]:
    """Gain and offset of a straight line through (value, wanted), least squares after one trim."""
    keep = np.ones(len(value), bool)
    gain, offset = 1.0, 0.0
    for _ in range(2):
        a, b = value[keep], wanted[keep]
        spread = float(((a - a.mean()) ** 2).mean())
        gain = float(((a - a.mean()) * (b - b.mean())).mean()) / (spread + 1e-9)
        gain = float(np.clip(gain, 0.3, 3.0))
        offset = float(b.mean() - gain * a.mean())
        error = np.abs(wanted - gain * value - offset)
        keep = error <= 3 * float(np.median(error)) + 1e-3
    return gain, offset


def _to8(plane: Plane) -> NDArray[np.uint8]:
    return np.asarray(np.clip(plane * 255 + 0.5, 0, 255), np.uint8)


def _root(words: NDArray[np.float32]) -> NDArray[np.float32]:
    """RootSIFT (Arandjelović and Zisserman 2012): Hellinger distance by Euclidean means."""
    return np.asarray(np.sqrt(words / (np.abs(words).sum(axis=1, keepdims=True) + 1e-7)), np.float32)
