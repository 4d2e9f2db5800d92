"""A model of the backdrop, and what it explains.

Jewelry is photographed on something smooth or evenly textured. A cubic surface per Lab channel is fitted to the far
pixels by iteratively re-weighted least squares (Tukey's biweight; Holland and Welsch 1977), its residuals give the
texture and noise as one covariance, and every pixel gets its Mahalanobis distance from that backdrop. A cast shadow
scales the backdrop's linear colour and changes slowly; both are used to tell it from grey metal.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.colour import lab
from vitrina.model import Mask, Plane, Rgb

_ORDER = 3
_KNOTS = 65
_FLOOR = np.diag([4.0, 2.5, 2.5])
"""Least Lab variance of any backdrop: bounce light and chroma bleed near the piece vary that much on clean paper."""


@dataclass(frozen=True, slots=True)
class Backdrop:
    """`colour` is the backdrop's linear colour at each place; `covariance` its Lab texture and noise.

    `distance` is each pixel's Mahalanobis distance from it, `shaded_distance` the same after the best darkening to
    30 %, `shading` that darkening (1: none), `residual` the Lab difference from it, and `slope` the gradient of L* per
    pixel over what the backdrop itself shows (95th percentile of its own), so that 1 is as rough as the backdrop gets.
    `spread` is the root of the covariance's trace: above about 16 the backdrop is too busy to be keyed.
    """

    colour: Rgb
    covariance: NDArray[np.float64]
    distance: Plane
    shaded_distance: Plane
    shading: Plane
    residual: NDArray[np.float32]
    slope: Plane
    spread: float


def fit_backdrop(rgb: Rgb, far: Mask) -> Backdrop:
    """Model the backdrop of `rgb` from the `far` pixels (those that are surely not the piece)."""
    picture = cv2.GaussianBlur(lab(rgb), (0, 0), 0.8)
    surface, covariance = _surface(picture, far)
    colour = _linear(surface)
    inverse = np.asarray(np.linalg.inv(covariance), np.float64)
    distance = _mahalanobis(picture - surface, inverse)
    weight = (rgb * colour).sum(axis=-1) / np.maximum((colour * colour).sum(axis=-1), 1e-6)
    shading = np.clip(cv2.GaussianBlur(weight.astype(np.float32), (0, 0), 0.8), 0.3, 1.0)
    shaded = np.minimum(_mahalanobis(picture - lab(colour * shading[..., None]), inverse), distance)
    lightness = cv2.GaussianBlur(picture[..., 0], (0, 0), 0.8)
    slope = np.hypot(
        cv2.Sobel(lightness, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(lightness, cv2.CV_32F, 0, 1, scale=1 / 8)
    )
    own = far & (distance < 3)
    usual = float(np.percentile(slope[own], 95)) if own.sum() > 100 else 1.0
    return Backdrop(
        colour=colour,
        covariance=covariance,
        distance=distance,
        shaded_distance=shaded,
        shading=shading,
        residual=np.asarray(picture - surface, np.float32),
        slope=np.asarray(slope / max(usual, 0.35), np.float32),
        spread=float(np.sqrt(np.trace(covariance))),
    )


def _surface(picture: NDArray[np.float32], far: Mask) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    height, width = far.shape
    step = max(1, int(np.sqrt(height * width / 20000)))
    rows, columns = np.mgrid[0:height:step, 0:width:step]
    chosen = far[::step, ::step]
    basis = _basis(rows[chosen] / height * 2 - 1, columns[chosen] / width * 2 - 1)
    values = picture[::step, ::step][chosen].astype(np.float64)
    weight = np.ones(len(values))
    coefficients: NDArray[np.float64] = np.zeros((basis.shape[1], 3))
    error = values
    for _ in range(7):
        normal = (basis * weight[:, None]).T @ basis + 1e-4 * np.eye(basis.shape[1])
        coefficients = np.asarray(np.linalg.solve(normal, (basis * weight[:, None]).T @ values), np.float64)
        error = values - basis @ coefficients
        length = np.sqrt((error**2).sum(axis=1))
        sigma = max(0.7, 1.4826 * float(np.median(length)))
        weight = np.clip(1 - (length / (4.7 * sigma)) ** 2, 0, None) ** 2
    kept = error[weight > 0]
    covariance = (np.cov(kept.T) if len(kept) > 16 else np.zeros((3, 3))) + _FLOOR
    y, x = np.mgrid[-1 : 1 : _KNOTS * 1j, -1 : 1 : _KNOTS * 1j]
    knots = (_basis(y.ravel(), x.ravel()) @ coefficients).reshape(_KNOTS, _KNOTS, 3).astype(np.float32)
    return np.asarray(cv2.resize(knots, (width, height), interpolation=cv2.INTER_CUBIC), np.float32), covariance


def _basis(y: NDArray[np.floating], x: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.stack([x**i * y**j for i in range(_ORDER + 1) for j in range(_ORDER + 1 - i)], axis=-1).astype(np.float64)


def _linear(surface: NDArray[np.float32]) -> Rgb:
    bounded = surface.copy()
    bounded[..., 0] = np.clip(bounded[..., 0], 0, 100)
    return np.clip(np.asarray(cv2.cvtColor(bounded, cv2.COLOR_Lab2LRGB), np.float32), 1e-3, 1)


def _mahalanobis(error: NDArray[np.float32], inverse: NDArray[np.float64]) -> Plane:
    rotated = cv2.transform(error, np.linalg.cholesky(inverse).T.astype(np.float32))
    return np.asarray(np.sqrt((rotated * rotated).sum(axis=-1)), np.float32)
