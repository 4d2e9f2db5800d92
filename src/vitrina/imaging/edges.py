"""What the pixels say about a matte: where it reaches too far, where it stops short, what it left behind.

Everything here rests on one question, asked of the photo and not of the matte's maker: does the backdrop explain this
pixel? The backdrop is known where the matte is empty, well away from its edge; it is carried inward by normalised
convolution (Knutsson and Westin 1993) with its texture as variance, and a pixel's distance from it is taken in
CIELAB, allowing the darkening of a cast shadow. Thin parts are found with a multi-scale ridge filter (largest
eigenvalue of the Hessian, scale-normalised; Lindeberg 1998, Frangi et al. 1998) on that distance's channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.colour import delta_e00, lab
from vitrina.model import Alpha, Mask, Plane, Rgb

_FLOOR = np.array([2.2, 1.6, 1.6], np.float32)
"""Least Lab deviation of any backdrop after smoothing: sensor noise and JPEG on clean paper."""
_DARKEST = 0.35
"""A cast shadow leaves at least this share of the backdrop's light."""
_RIDGE_SIGMAS = (1.0, 1.7, 2.8)


@dataclass(frozen=True, slots=True)
class Plate:
    """The backdrop as it would be seen without the piece, in CIELAB after a light smoothing.

    `colour` is its colour, `spread` its deviation per channel (texture and noise), `distance` each pixel's distance
    from it in those deviations with the best darkening allowed, `plain_distance` the same without any darkening, and
    `likeness` is 1 where the backdrop explains the pixel and falls to 0 where it does not.
    """

    colour: NDArray[np.float32]
    spread: NDArray[np.float32]
    difference: NDArray[np.float32]
    distance: Plane
    plain_distance: Plane
    likeness: Plane


def find_plate(rgb: Rgb, known: Mask) -> Plate:
    """The plate of `rgb` from the `known` backdrop pixels; outliers among these (lost parts, dust) are left out."""
    picture = cv2.GaussianBlur(lab(rgb), (0, 0), 0.7)
    error = picture - _carried(picture, known, (72.0,))
    error[..., 0] = np.maximum(error[..., 0], 0)  # darker is a shadow, and a shadow is backdrop
    # A lost part would swell a local variance and hide in it: the median over all of the backdrop it cannot move.
    typical = np.maximum(1.4826 * np.median(np.abs(error[known][::7]), axis=0), _FLOOR) if known.any() else _FLOOR
    usual = known & (_length(np.asarray(error / typical, np.float32)) < 5.0)
    if usual.sum() > 0.3 * known.sum():
        known = usual
    colour = _carried(picture, known, (6.0, 20.0, 72.0))
    spread = _spread(picture - colour, known)
    difference = picture - colour
    plain = _length(difference / spread)
    linear = np.clip(_linear(colour), 1e-3, None)
    shade = (rgb * linear).sum(axis=-1) / (linear * linear).sum(axis=-1)
    shade = np.clip(cv2.GaussianBlur(shade.astype(np.float32), (0, 0), 0.7), _DARKEST, 1.0)
    shaded = _length((picture - lab(linear * shade[..., None])) / spread)
    distance = np.minimum(plain, shaded)
    likeness = np.exp(-0.5 * np.maximum(distance - 1.2, 0) ** 2)
    return Plate(
        colour, spread, np.asarray(difference, np.float32), np.asarray(distance, np.float32),
        np.asarray(plain, np.float32), np.asarray(likeness, np.float32),
    )  # fmt: skip


def ridges(plate: Plate, known: Mask) -> Plane:
    """Strength of thin bright or dark lines in units of the backdrop's own lines (1: as strong as its strongest 1
    %)."""
    strength = np.zeros(known.shape, np.float32)
    channels = plate.difference / plate.spread
    for sigma in _RIDGE_SIGMAS:
        for channel in range(3):
            smooth = cv2.GaussianBlur(channels[..., channel], (0, 0), sigma)
            xx = cv2.Sobel(smooth, cv2.CV_32F, 2, 0, ksize=3, scale=0.25)
            yy = cv2.Sobel(smooth, cv2.CV_32F, 0, 2, ksize=3, scale=0.25)
            xy = cv2.Sobel(smooth, cv2.CV_32F, 1, 1, ksize=3, scale=0.25)
            mean, swing = (xx + yy) / 2, np.sqrt(((xx - yy) / 2) ** 2 + xy * xy)
            # |larger eigenvalue| less the smaller: lines answer, blobs and plain edges hardly do.
            strength = np.maximum(strength, sigma * sigma * (np.abs(mean) + swing - np.abs(np.abs(mean) - swing)) / 2)
    usual = float(np.percentile(strength[known][::3], 99)) if known.sum() > 300 else 1.0
    return np.asarray(strength / max(usual, 0.8), np.float32)


def likelier(plate: Plate, inside: Mask, known: Mask) -> Plane:
    """Log likelihood ratio −1…1 of a pixel's colour relative to the plate: piece over backdrop."""
    step = np.array([5.0, 3.0, 3.0], np.float32)
    place = np.clip(np.rint(plate.difference / step).astype(np.int32) + 20, 0, 39)
    index = (place[..., 0] * 40 + place[..., 1]) * 40 + place[..., 2]

    def histogram(where: Mask) -> NDArray[np.float32]:
        counts = np.bincount(index[where], minlength=64000).astype(np.float32).reshape(40, 40, 40)
        for axis in range(3):
            counts = 0.5 * counts + 0.25 * (np.roll(counts, 1, axis) + np.roll(counts, -1, axis))
        return np.asarray(counts / max(float(counts.sum()), 1.0), np.float32)

    ratio = np.log((histogram(inside) + 1e-5) / (histogram(known) + 1e-5)).ravel()
    return np.asarray(np.clip(ratio / 4, -1, 1)[index], np.float32)


def contour_density(alpha: Alpha) -> Plane:
    """Length of the matte's contour per pixel: its integral over any stretch is that stretch's length in pixels."""
    smooth = cv2.GaussianBlur(alpha, (0, 0), 0.8)
    return np.asarray(
        np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8)),
        np.float32,
    )


def depth_of(mask: Mask) -> Plane:
    """Distance of each true pixel to the nearest false one."""
    return np.asarray(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5), np.float32)


def core_of(alpha: Alpha, depth_px: float) -> Mask:
    """Pixels well inside the piece; a part thinner than that keeps the ridge of its own depth."""
    inside = alpha > 0.5
    depth = depth_of(inside)
    size = 2 * int(np.ceil(depth_px)) + 1
    local = cv2.dilate(depth, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    return np.asarray(inside & (depth >= np.minimum(depth_px, 0.75 * local)), bool)


@dataclass(frozen=True, slots=True)
class Profiles:
    """The photo across the matte's contour: one row per contour pixel, one column per `STATIONS` entry.

    `rows` and `columns` are the contour pixels, `x` and `y` the places of the stations; `alpha` is the matte along
    each row. `departure` is the Lab distance from the backdrop just outside, `step` the Lab difference across one
    pixel either side; both are smoothed along the contour. `behind` and `noise` are the linear colour and the Lab
    deviation of the backdrop just outside, and `is_open` says that enough backdrop lies there to compare with.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    alpha: NDArray[np.float32]
    departure: NDArray[np.float32]
    step: NDArray[np.float32]
    noise: NDArray[np.float32]
    behind: NDArray[np.float32]
    is_open: NDArray[np.bool_]


STATIONS = np.arange(-7.0, 9.01, 0.5, dtype=np.float32)
"""Distances from the contour in pixels, outward positive."""


def profiles(rgb: Rgb, alpha: Alpha) -> Profiles:
    """Sample photo and matte across the ½ contour of `alpha`."""
    contours, _ = cv2.findContours((alpha > 0.5).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    points = np.concatenate([c[:, 0] for c in contours]) if contours else np.zeros((0, 2), np.int32)
    columns, rows = points[:, 0].astype(np.intp), points[:, 1].astype(np.intp)
    smooth = cv2.GaussianBlur(alpha, (0, 0), 1.5)
    down = -cv2.Sobel(smooth, cv2.CV_32F, 0, 1)[rows, columns]
    right = -cv2.Sobel(smooth, cv2.CV_32F, 1, 0)[rows, columns]
    length = np.maximum(np.hypot(down, right), 1e-6)
    down, right = down / length, right / length
    along = STATIONS + 0.5  # contour pixels lie half a pixel inside
    x = columns[:, None].astype(np.float32) + right[:, None] * along
    y = rows[:, None].astype(np.float32) + down[:, None] * along
    found = _sampled(alpha, x, y)
    colour = _along_contour(_sampled(lab(rgb), x, y))
    inside_photo = (x > -0.5) & (y > -0.5) & (x < alpha.shape[1] - 0.5) & (y < alpha.shape[0] - 0.5)
    outside = (STATIONS >= 3) & inside_photo & (np.maximum.accumulate(np.where(STATIONS >= 2, found, 0), axis=1) < 0.03)
    count = outside.sum(axis=1)
    weight = outside[..., None].astype(np.float32)
    behind = (colour * weight).sum(axis=1) / np.maximum(count, 1)[:, None]
    error = _length(colour - behind[:, None])
    noise = np.sqrt((error * error * outside).sum(axis=1) / np.maximum(count, 1))
    step = np.zeros_like(error)
    step[:, 2:-2] = _length(colour[:, 4:] - colour[:, :-4])
    light = (_sampled(rgb, x, y) * weight).sum(axis=1) / np.maximum(count, 1)[:, None]
    return Profiles(
        rows, columns, x, y, found, error, step, noise.astype(np.float32), light.astype(np.float32), count >= 5
    )  # fmt: skip


def outermost(at: Profiles, limits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Where, coming from outside, each row first departs from the backdrop by more than its limit; NaN where it never
    does."""
    departs = at.departure > limits[:, None]
    departs[:, STATIONS > 5] = False
    last = departs.shape[1] - 1 - np.argmax(departs[:, ::-1], axis=1)
    return np.asarray(np.where(departs.any(axis=1), STATIONS[last], np.nan), np.float32)


def value_at(values: NDArray[np.float32], station: float) -> NDArray[np.float32]:
    """One column of a profile."""
    return np.asarray(values[:, round((station - float(STATIONS[0])) / 0.5)], np.float32)


def step_near(at: Profiles, stations: NDArray[np.float32], before: float, after: float) -> NDArray[np.float32]:
    """The greatest step of each row between `before` inside and `after` outside its own station (NaN: 0)."""
    offset = STATIONS[None] - np.nan_to_num(stations, nan=1e3)[:, None]
    return np.asarray(np.where((offset >= -before) & (offset <= after), at.step, 0).max(axis=1), np.float32)


def pull(rgb: Rgb, foreground: Rgb, alpha: Alpha, at: Profiles) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How far the rim's colour still leans to the old backdrop, per contour pixel: the share 0…1, and ΔE00.

    From I = αF + (1−α)B the rim should be F* = (I − (1−α)B) / α, with B the backdrop just outside; the share is the
    least-squares part of F* − F along F* − B over the rim's pixels. Lightness counts half in the ΔE00 (textile
    practice, 2:1), because a soft shadow at the edge darkens B and would pass for a fringe.
    """
    near = np.abs(STATIONS) <= 2.5
    x, y = at.x[:, near], at.y[:, near]
    a = _sampled(alpha, x, y)
    weight = np.where((a > 0.3) & (a < 0.97), a, 0)[..., None]
    behind = at.behind[:, None]
    wanted = np.clip((_sampled(rgb, x, y) - (1 - a[..., None]) * behind) / np.maximum(a, 0.05)[..., None], 0, 1)
    away = wanted - behind
    lean = (weight * (wanted - _sampled(foreground, x, y)) * away).sum(axis=(1, 2))
    lean, length = _onward(lean), _onward((weight * away * away).sum(axis=(1, 2)))
    share = np.clip(lean / np.maximum(length, 1e-4), 0, 1)
    total = np.maximum(weight.sum(axis=1), 1e-4)
    mean = ((weight * wanted).sum(axis=1) / total).astype(np.float32)
    pulled = (mean - share[:, None] * (mean - at.behind)).astype(np.float32)
    first, second = lab(mean[None])[0], lab(pulled[None])[0]
    second[:, 0] = (first[:, 0] + second[:, 0]) / 2
    shown = np.where(weight.sum(axis=(1, 2)) > 0.3, delta_e00(first, second), 0)
    return share.astype(np.float32), shown.astype(np.float32)


def _onward(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Mean of fifteen neighbours along the contour."""
    column = np.ascontiguousarray(values, np.float32)[:, None]
    return np.asarray(cv2.blur(column, (1, 15), borderType=cv2.BORDER_REPLICATE), np.float32)[:, 0]


def _sampled(picture: NDArray[np.float32], x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bilinear samples; in slices, because OpenCV's remap takes at most 32 767 rows."""
    parts = [
        cv2.remap(picture, x[i : i + 30000], y[i : i + 30000], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for i in range(0, len(x), 30000)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, *x.shape[1:], *picture.shape[2:]), np.float32)


def _along_contour(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of five neighbours along the contour: evens out noise and texture, leaves the edge across it."""
    if len(values) < 5:
        return values
    flat = values.reshape(len(values), -1)
    return np.asarray(cv2.blur(flat, (1, 5), borderType=cv2.BORDER_REPLICATE), np.float32).reshape(values.shape)


def onto(shape: tuple[int, ...], at: Profiles, values: NDArray[np.floating]) -> Plane:
    """Values of contour pixels summed into a plane."""
    plane = np.zeros(shape, np.float32)
    np.add.at(plane, (at.rows, at.columns), values.astype(np.float32))
    return plane


def hard_steps(alpha: Alpha) -> tuple[Plane, Plane]:
    """Crossings of ½ between neighbours (right and below), and those among them that leap from nothing to full at
    once."""
    crossings = np.zeros(alpha.shape, np.float32)
    leaps = np.zeros(alpha.shape, np.float32)
    for first, second, at in (
        (alpha[:, :-1], alpha[:, 1:], (slice(None), slice(None, -1))),
        (alpha[:-1], alpha[1:], (slice(None, -1), slice(None))),
    ):
        crossing = (first > 0.5) != (second > 0.5)
        crossings[at] += crossing
        leaps[at] += crossing & (np.abs(first - second) > 0.93)
    return crossings, leaps


def wobble(alpha: Alpha, sigma_px: float = 2.5) -> Plane:
    """Where the ½ contour strays from itself smoothed: the area between the two, per pixel (0 or 1)."""
    sharp = alpha > 0.5
    smooth = cv2.GaussianBlur(sharp.astype(np.float32), (0, 0), sigma_px) > 0.5
    return np.asarray(sharp != smooth, np.float32)


def steepness(rgb: Rgb) -> Plane:
    """Length of the Lab gradient per pixel, after a light smoothing."""
    picture = cv2.GaussianBlur(lab(rgb), (0, 0), 0.7)
    across, down = cv2.Sobel(picture, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(picture, cv2.CV_32F, 0, 1, scale=1 / 8)
    return np.asarray(np.sqrt((across * across + down * down).sum(axis=-1)), np.float32)


def _carried(picture: NDArray[np.float32], known: Mask, sigmas: tuple[float, ...]) -> NDArray[np.float32]:
    """`picture` over the `known` pixels, each place from the finest window that holds enough of them."""
    weight = known.astype(np.float32)
    mean = picture[known].mean(axis=0) if known.any() else picture.reshape(-1, 3).mean(axis=0)
    result = np.broadcast_to(mean.astype(np.float32), picture.shape)
    for sigma in sorted(sigmas, reverse=True):
        step = max(1, int(sigma / 4))
        share, total = _wide_blur(weight, sigma, step), _wide_blur(picture * weight[..., None], sigma, step)
        trust = np.clip(share / 0.06, 0, 1)[..., None]
        local = total / np.maximum(share, 1e-4)[..., None]
        result = trust * local + (1 - trust) * result
    return np.asarray(result, np.float32)


def _spread(error: NDArray[np.float32], known: Mask) -> NDArray[np.float32]:
    weight = known.astype(np.float32)
    overall = (error[known] ** 2).mean(axis=0) if known.any() else np.zeros(3, np.float32)
    share = _wide_blur(weight, 24.0, 6)[..., None]
    total = _wide_blur(error * error * weight[..., None], 24.0, 6)
    trust = np.clip(share / 0.06, 0, 1)
    variance = trust * total / np.maximum(share, 1e-4) + (1 - trust) * overall
    return np.asarray(np.sqrt(np.maximum(variance, _FLOOR * _FLOOR)), np.float32)


def _wide_blur(picture: NDArray[np.float32], sigma: float, step: int) -> NDArray[np.float32]:
    """A Gaussian of `sigma`, computed on every `step`-th pixel."""
    if step == 1:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)
    height, width = picture.shape[:2]
    size = (max(1, round(width / step)), max(1, round(height / step)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / step)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _linear(colour: NDArray[np.float32]) -> Rgb:
    bounded = np.ascontiguousarray(colour, np.float32).copy()
    bounded[..., 0] = np.clip(bounded[..., 0], 0, 100)
    return np.asarray(np.clip(cv2.cvtColor(bounded, cv2.COLOR_Lab2LRGB), 0, 1), np.float32)


def _length(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.sqrt((vectors * vectors).sum(axis=-1)), np.float32)
