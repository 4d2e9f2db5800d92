"""Registration: where the piece of one picture lies in another.

Feature hypotheses (SIFT, Lowe 2004, by RANSAC) are refined by a robust inverse-compositional Lucas-Kanade scheme with a
gain and an offset (Baker and Matthews 2004), Tukey weights. Transforms are float64, 2×3 or 3×3, and take (x, y) of the
first picture (pixel centres at whole numbers) to the second.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.model import Alpha, Mask, Plane, Region, Size

Matrix = NDArray[np.float64]
"""2×3 or 3×3."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a transform explains the second picture.

    `correlation` is over the whole piece, `correlation_shown` where the second picture shows something, and `seen` the
    share of the piece that lies there. `overlap` is how well the outlines meet (intersection over union, up to 1).
    `agreement` is that of the edges (`structural_agreement`), where somebody needed it.
    """

    matrix: Matrix
    correlation: float
    correlation_shown: float
    seen: float
    overlap: float = 1.0
    agreement: float = 0.0


def warp(picture: NDArray[np.float32], matrix: Matrix, size: Size, *, outside: float = 0.0) -> NDArray[np.float32]:
    """`picture` moved by `matrix` onto a canvas of `size`, antialiased when it shrinks; beyond it lies `outside`."""
    matrix = as3(matrix)
    scale = scale_of(matrix)
    if scale < 0.75:
        # Shrink by area first, so that the cubic warp that follows stays near scale 1.
        small = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
        reduced = np.asarray(cv2.resize(picture, small, interpolation=cv2.INTER_AREA), np.float32)
        matrix = matrix @ np.linalg.inv(_between(picture, reduced))
        picture = reduced
    matrix = matrix / matrix[2, 2]
    border = (outside, outside, outside, outside)
    canvas = (size.width, size.height)
    if np.abs(matrix[2, :2]).max() < 1e-9:
        moved = cv2.warpAffine(picture, matrix[:2], canvas, flags=cv2.INTER_CUBIC, borderValue=border)
    else:
        moved = cv2.warpPerspective(picture, matrix, canvas, flags=cv2.INTER_CUBIC, borderValue=border)
    return np.asarray(moved, np.float32)


def as3(matrix: Matrix) -> Matrix:
    """A 2×3 affine as 3×3."""
    return matrix if matrix.shape[0] == 3 else np.vstack([matrix, [0.0, 0.0, 1.0]])


def scale_of(matrix: Matrix) -> float:
    """The mean magnification of an affine: the root of the area's."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))


def local_affine(matrix: Matrix, place: tuple[float, float]) -> NDArray[np.float64]:
    """The 2×2 Jacobian of a transform at `place` (x, y) of the first picture: a homography's local scale and shear."""
    m = as3(matrix)
    x, y = place
    depth = m[2, 0] * x + m[2, 1] * y + m[2, 2]
    image = (m[:2, :2] @ (x, y) + m[:2, 2]) / depth
    return np.asarray((m[:2, :2] - np.outer(image, m[2, :2])) / depth, np.float64)


def feature_fits(first: Plane, second: Plane, first_mask: Mask, second_mask: Mask, *, keep: int = 3) -> list[Matrix]:
    """Similarity hypotheses from SIFT matches, the best supported first; empty when there are too few features.

    `first` and `second` are encoded luminance 0…1; the masks say where features may lie. After each hypothesis its
    inliers are taken out and the rest is matched again, since a chain repeats itself.
    """
    points1, words1 = _features(first, first_mask)
    points2, words2 = _features(second, second_mask)
    if len(points1) < 4 or len(points2) < 4:
        return []
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(words1, words2, k=2)
    good = [m[0] for m in pairs if len(m) == 2 and m[0].distance < 0.85 * m[1].distance]
    points1 = points1[[m.queryIdx for m in good]]
    points2 = points2[[m.trainIdx for m in good]]
    fits: list[Matrix] = []
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


def _features(picture: Plane, mask: Mask) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Places (n, 2) and RootSIFT words (n, 128) of the features under `mask`; only its box is searched."""
    box = Region.around(mask, margin_px=8)
    nothing = np.zeros((0, 2)), np.zeros((0, 128), np.float32)
    if box is None:
        return nothing
    sift = cv2.SIFT_create(nfeatures=3000, contrastThreshold=0.02)
    keys, words = sift.detectAndCompute(_to8(picture[box.slices]), mask[box.slices].astype(np.uint8))
    if words is None:
        return nothing
    return np.array([(key.pt[0] + box.x, key.pt[1] + box.y) for key in keys], np.float64), _root(words)


def is_plausible(matrix: Matrix) -> bool:
    """False for a transform no re-framing makes: mirrored, collapsed, or sheared beyond recognition."""
    values = np.linalg.svd(matrix[:2, :2], compute_uv=False)
    return bool(
        np.linalg.det(matrix[:2, :2]) > 0 and values[1] > 0.02 and values[0] < 50 and values[0] / values[1] < 1.6
    )


def silhouette_fit(first: Alpha, second: Alpha) -> Matrix | None:
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


def correlation(first: NDArray[np.float32], second: NDArray[np.float32], weight: NDArray[np.float32]) -> float:
    """Weighted normalised correlation −1…1 of two arrays of one shape."""
    total = float(weight.sum())
    if total <= 0:
        return -1.0
    a = first - float((first * weight).sum()) / total
    b = second - float((second * weight).sum()) / total
    power = float((weight * a * a).sum()) * float((weight * b * b).sum())
    return float((weight * a * b).sum() / np.sqrt(power)) if power > 0 else -1.0


class Motion(StrEnum):
    """What a refinement may change: scale, rotation and shift; shear and stretch too; or perspective as well."""

    SIMILARITY = "similarity"
    AFFINE = "affine"
    HOMOGRAPHY = "homography"


def refine(
    first: Plane,
    second: Plane,
    weight: Plane,
    start: Matrix,
    *,
    shown: Plane | None = None,
    levels: tuple[int, ...] = (4, 2, 1),
    rounds: int = 20,
    motion: Motion = Motion.AFFINE,
    points: int = 16000,
) -> Matrix:
    """`start` refined so that `first`, moved by it, meets `second` (planes 0…1; `weight` 0…1 belongs to `first`).

    Where `shown` (of `second`, 0…1) is 0 the second picture has nothing to compare with: a missing part must not pull
    the rest. Inverse-compositional Lucas-Kanade on the `points` pixels of steepest slope, coarse to fine, with Tukey
    weights, a gain and an offset. A refinement that diverges is dropped: the result never correlates worse than
    `start`.
    """
    best = as3(start)
    for level in levels:
        target = _smaller(second, level)
        target = cv2.GaussianBlur(target, (0, 0), 0.8)
        there = None if shown is None else cv2.dilate(_smaller(shown, level), np.ones((5, 5), np.uint8))
        to_level = _between(second, target)
        small, moved_weight, from_first = _template(first, weight, scale_of(best) * to_level[0, 0])
        matrix = to_level @ best @ np.linalg.inv(from_first)
        samples = _steepest(small, moved_weight, points)
        if samples is None:
            continue
        matrix = _align_points(samples, target, there, matrix, rounds, motion)
        best = np.linalg.inv(to_level) @ matrix @ from_first
        best = best / best[2, 2]
    return best


def sample_agreement(
    first: Plane, second: Plane, weight: Plane, matrix: Matrix, *, shown: Plane | None = None, points: int = 40000
) -> tuple[float, float]:
    """Correlation −1…1 of `first` under `matrix` with `second` where `weight` > 0.5, and the share of those points that
    lie inside the second picture and, when `shown` is given, on something there."""
    small, moved_weight, from_first = _template(first, weight, scale_of(matrix))
    rows, columns = np.nonzero(moved_weight > 0.5)
    step = max(1, len(rows) // points)
    rows, columns = rows[::step], columns[::step]
    if len(rows) < 16:
        return -1.0, 0.0
    place = _moved(np.stack([columns, rows], axis=-1).astype(np.float64), as3(matrix) @ np.linalg.inv(from_first))
    inside = _within_frame(place, second)
    if shown is not None:
        inside &= _sampled(shown, place) > 0.5
    share = float(inside.mean())
    if inside.sum() < 16:
        return -1.0, share
    value = cv2.GaussianBlur(small, (0, 0), 1.0)[rows[inside], columns[inside]]
    wanted = _sampled(cv2.GaussianBlur(second, (0, 0), 1.0), place[inside])
    return correlation(value, wanted, np.ones(len(value), np.float32)), share


@dataclass(frozen=True, slots=True)
class _Samples:
    """Pixels of the template: places (n, 2), values, slopes and weights."""

    place: NDArray[np.float64]
    value: NDArray[np.float32]
    slope_x: NDArray[np.float32]
    slope_y: NDArray[np.float32]
    weight: NDArray[np.float32]


def _smaller(plane: Plane, level: int) -> Plane:
    if level == 1:
        return plane
    size = (max(8, plane.shape[1] // level), max(8, plane.shape[0] // level))
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def _between(large: Plane, small: Plane) -> Matrix:
    """Takes pixel centres of `large` to those of its reduction `small`."""
    sx, sy = small.shape[1] / large.shape[1], small.shape[0] / large.shape[0]
    return np.array([[sx, 0, 0.5 * sx - 0.5], [0, sy, 0.5 * sy - 0.5], [0, 0, 1.0]])


def _template(first: Plane, weight: Plane, scale: float) -> tuple[Plane, Plane, Matrix]:
    """`first` and its weight reduced by area to `scale` (never enlarged), and the matrix that does so."""
    if scale >= 0.95:
        return first, weight, np.eye(3)
    size = (max(8, round(first.shape[1] * scale)), max(8, round(first.shape[0] * scale)))
    small = np.asarray(cv2.resize(first, size, interpolation=cv2.INTER_AREA), np.float32)
    moved = np.asarray(cv2.resize(weight, size, interpolation=cv2.INTER_AREA), np.float32)
    return small, moved, _between(first, small)


def _steepest(picture: Plane, weight: Plane, points: int) -> _Samples | None:
    smooth = cv2.GaussianBlur(picture, (0, 0), 0.8)
    slope_x = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    slope_y = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    use = weight > 0.5
    if use.sum() < 64:
        return None
    slope = np.hypot(slope_x, slope_y)
    least = float(np.quantile(slope[use], 0.4))
    rows, columns = np.nonzero(use & (slope >= least))
    step = max(1, len(rows) // points)
    rows, columns = rows[::step], columns[::step]
    at = (rows, columns)
    place = np.stack([columns, rows], axis=-1).astype(np.float64)
    return _Samples(place, smooth[at], slope_x[at], slope_y[at], weight[at])


def _align_points(
    samples: _Samples, target: Plane, shown: Plane | None, start: Matrix, rounds: int, motion: Motion
) -> Matrix:
    centre = samples.place.mean(axis=0)
    reach = max(8.0, float(np.abs(samples.place - centre).max()))
    norm = np.array([[1 / reach, 0, -centre[0] / reach], [0, 1 / reach, -centre[1] / reach], [0, 0, 1.0]])
    x, y = ((samples.place - centre) / reach).T.astype(np.float32)
    jacobian = _jacobian(x, y, samples.slope_x * reach, samples.slope_y * reach, motion)
    matrix, best, best_score = start, start, -2.0
    for _ in range(rounds + 1):
        place = _moved(samples.place, matrix)
        inside = _within_frame(place, target)
        if shown is not None:
            inside &= _sampled(shown, place) > 0.3
        if inside.sum() < 48:
            break
        wanted, value = _sampled(target, place[inside]), samples.value[inside]
        score = correlation(value, wanted, samples.weight[inside]) * float(np.sqrt(inside.mean()))
        if score > best_score:
            best, best_score = matrix, score
        elif score < best_score - 0.05:
            break
        gain, offset = _line(value, wanted)
        error = (wanted - offset) / gain - value
        sigma = 1.4826 * float(np.median(np.abs(error))) + 1e-3
        robust = np.clip(1 - (error / (4.685 * sigma)) ** 2, 0, None) ** 2 * samples.weight[inside]
        used = jacobian[inside]
        normal = ((used * robust[:, None]).T @ used).astype(np.float64)
        normal += 1e-6 * np.trace(normal) * np.eye(len(normal))
        step = np.linalg.solve(normal, ((used * robust[:, None]).T @ error).astype(np.float64))
        updated = matrix @ np.linalg.inv(norm) @ np.linalg.inv(_motion_matrix(step, motion)) @ norm
        updated = updated / updated[2, 2]
        if not is_plausible(updated):
            break
        matrix = updated
        if float(np.abs(step).max()) * reach < 0.01:
            break
    return best


def _jacobian(
    x: NDArray[np.float32], y: NDArray[np.float32], gx: NDArray[np.float32], gy: NDArray[np.float32], motion: Motion
) -> NDArray[np.float32]:
    """Steepest-descent pictures of the warp at the identity, one row per sample (Baker and Matthews 2004, table 1)."""
    if motion is Motion.SIMILARITY:
        return np.stack([gx * x + gy * y, gy * x - gx * y, gx, gy], axis=1)
    columns = [gx * x, gx * y, gx, gy * x, gy * y, gy]
    if motion is Motion.HOMOGRAPHY:
        along = gx * x + gy * y
        columns += [-along * x, -along * y]
    return np.stack(columns, axis=1)


def _motion_matrix(step: NDArray[np.float64], motion: Motion) -> Matrix:
    if motion is Motion.SIMILARITY:
        a, b, tx, ty = step
        return np.array([[1 + a, -b, tx], [b, 1 + a, ty], [0, 0, 1.0]])
    g, h = (step[6], step[7]) if motion is Motion.HOMOGRAPHY else (0.0, 0.0)
    return np.array([[1 + step[0], step[1], step[2]], [step[3], 1 + step[4], step[5]], [g, h, 1.0]])


def _moved(place: NDArray[np.float64], matrix: Matrix) -> NDArray[np.float64]:
    """Points (n, 2) under a 3×3 transform."""
    return np.asarray(cv2.perspectiveTransform(place[None], as3(matrix))[0], np.float64)


def _sampled(plane: Plane, place: NDArray[np.float64]) -> NDArray[np.float32]:
    """Bilinear values of `plane` at points (n, 2) given as (x, y); 0 beyond it."""
    maps = np.asarray(place, np.float32)
    length = len(maps)
    rows = -(-length // 4096)  # remap wants neither side above 32767
    padded = np.full((rows * 4096, 2), -10, np.float32)
    padded[:length] = maps
    grid = padded.reshape(rows, 4096, 2)
    return np.asarray(cv2.remap(plane, grid, None, cv2.INTER_LINEAR), np.float32).ravel()[:length]


def _within_frame(place: NDArray[np.float64], plane: Plane) -> NDArray[np.bool_]:
    x, y = place.T
    return np.asarray((x >= 1) & (y >= 1) & (x <= plane.shape[1] - 2) & (y <= plane.shape[0] - 2), np.bool_)


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
