"""Registration finds the transform that a drawn piece was moved by."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests import scenes
from tests.scenes import Scene
from vitrina.imaging.colour import encode_srgb, luminance
from vitrina.imaging.register import (
    Matrix,
    Motion,
    as3,
    correlation,
    feature_fits,
    is_plausible,
    local_affine,
    refine,
    sample_agreement,
    scale_of,
    silhouette_fit,
    warp,
)  # fmt: skip
from vitrina.model import Plane, Size

CANVAS = Size(520, 440)


def light_of(scene: Scene) -> Plane:
    return encode_srgb(luminance(scene.on((1, 1, 1))))


def moved_light(scene: Scene, matrix: Matrix, *, seed: int = 4) -> Plane:
    """The piece moved by `matrix` onto a white canvas, a little brighter, with grain."""
    shown = cv2.warpPerspective(
        light_of(scene), as3(matrix), (CANVAS.width, CANVAS.height),
        flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT, borderValue=1.0,
    )  # fmt: skip
    grain = np.random.default_rng(seed).normal(0, 0.006, shown.shape)
    return np.clip(0.97 * shown + 0.03 + grain, 0, 1).astype(np.float32)


def turned(degrees: float, scale: float, shift: tuple[float, float]) -> Matrix:
    angle = np.radians(degrees)
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[c, -s, shift[0]], [s, c, shift[1]], [0, 0, 1.0]])


def worst_px(found: Matrix, true: Matrix, scene: Scene) -> float:
    """The greatest displacement between two transforms over the piece."""
    rows, columns = np.nonzero(scene.alpha > 0.5)
    place = np.stack([columns, rows], axis=-1).astype(np.float64)[None]
    one, two = (cv2.perspectiveTransform(place, as3(matrix))[0] for matrix in (found, true))
    return float(np.hypot(*(one - two).T).max())


def found_in(scene: Scene, second: Plane, *, motion: Motion, shown: Plane | None = None) -> Matrix:
    """Features, then the dense refinement, as verify goes about it."""
    first, matte = light_of(scene), scene.alpha
    near = cv2.dilate((matte > 0.5).astype(np.uint8), np.ones((5, 5), np.uint8))
    starts = feature_fits(first, second, near > 0, np.ones(second.shape, bool))
    assert starts, "no features were matched"
    weight = near.astype(np.float32)
    fits = [refine(first, second, weight, start, shown=shown, motion=motion) for start in starts]
    inner = (matte > 0.5).astype(np.float32)
    return max(fits, key=lambda fit: sample_agreement(first, second, inner, fit, shown=shown)[0])


@pytest.mark.parametrize(
    "true",
    [
        turned(0, 1.0, (0, 0)),
        turned(3, 0.9, (14.3, -6.2)),
        turned(-11, 0.72, (20.7, 90.4)),
        turned(2, 1.06, (-9.5, 3.25)) @ np.diag([1.0, 1.03, 1.0]),
    ],
    ids=["still", "turned", "smaller", "stretched"],
)
def test_an_affine_is_recovered_to_a_fifth_of_a_pixel(true: Matrix, drawn_ring: Scene) -> None:
    found = found_in(drawn_ring, moved_light(drawn_ring, true), motion=Motion.AFFINE)
    assert worst_px(found, true, drawn_ring) < 0.2


def test_a_mild_perspective_is_recovered_to_a_fifth_of_a_pixel(drawn_ring: Scene) -> None:
    true = turned(2, 0.95, (18, 4))
    true[2, :2] = (4e-5, -3e-5)
    found = found_in(drawn_ring, moved_light(drawn_ring, true), motion=Motion.HOMOGRAPHY)
    assert worst_px(found, true, drawn_ring) < 0.2


def test_a_missing_half_does_not_pull_the_rest(drawn_ring: Scene) -> None:
    true = turned(2, 0.9, (10, 8))
    second = moved_light(drawn_ring, true)
    middle = cv2.perspectiveTransform(np.array([[[drawn_ring.size.width / 2, drawn_ring.size.height / 2]]]), true)
    second[:, round(float(middle[0, 0, 0])) :] = 1.0
    shown = cv2.dilate((second < 0.93).astype(np.float32), np.ones((5, 5), np.uint8))
    found = found_in(drawn_ring, second, motion=Motion.SIMILARITY, shown=shown)
    assert worst_px(found, true, drawn_ring) < 0.5


def test_a_chain_is_not_matched_one_link_further() -> None:
    """Every link looks like the next but one: only the whole course says which is which."""
    chain = scenes.chain(Size(480, 400), links=26)
    true = turned(-2, 0.93, (22, 12))
    found = found_in(chain, moved_light(chain, true), motion=Motion.AFFINE)
    assert worst_px(found, true, chain) < 0.3


def test_a_refinement_never_ends_worse_than_it_began(drawn_ring: Scene) -> None:
    first = light_of(drawn_ring)
    noise = np.random.default_rng(1).random((CANVAS.height, CANVAS.width), np.float32)
    weight = (drawn_ring.alpha > 0.5).astype(np.float32)
    start = turned(0, 1.0, (10, 10))
    end = refine(first, noise, weight, start)
    before, after = (sample_agreement(first, noise, weight, matrix)[0] for matrix in (start, end))
    assert after >= before - 0.02


def test_silhouettes_give_scale_and_shift(drawn_ring: Scene) -> None:
    true = turned(0, 0.8, (31, 17))
    moved = np.clip(warp(drawn_ring.alpha, true, CANVAS), 0, 1)
    found = silhouette_fit(drawn_ring.alpha, moved)
    assert found is not None
    assert scale_of(found) == pytest.approx(0.8, abs=0.002)
    assert worst_px(found, true, drawn_ring) < 0.5
    assert silhouette_fit(drawn_ring.alpha, np.zeros((9, 9), np.float32)) is None


@pytest.mark.parametrize("scale", [1.0, 0.41])
def test_warping_puts_a_blot_where_the_transform_says(scale: float) -> None:
    rows, columns = np.mgrid[:200, :240].astype(np.float32)
    blot = np.exp(-((columns - 150) ** 2 + (rows - 60) ** 2) / (2 * 9.0**2)).astype(np.float32)
    matrix = turned(0, scale, (12.5, 7.25))
    moved = warp(blot, matrix, Size(260, 220))
    total = float(moved.sum())
    rows, columns = np.mgrid[:220, :260]
    centre = (float((columns * moved).sum()) / total, float((rows * moved).sum()) / total)
    assert centre == pytest.approx((150 * scale + 12.5, 60 * scale + 7.25), abs=0.05)
    assert total == pytest.approx(float(blot.sum()) * scale**2, rel=0.02)


def test_implausible_transforms_are_told() -> None:
    assert is_plausible(turned(30, 2.0, (0, 0)))
    assert not is_plausible(np.diag([-1.0, 1.0, 1.0]))
    assert not is_plausible(np.diag([2.0, 1.0, 1.0]))
    assert not is_plausible(np.diag([0.001, 0.001, 1.0]))


def test_the_local_affine_of_a_homography_is_its_derivative() -> None:
    matrix = turned(4, 1.1, (3, 5))
    matrix[2, :2] = (2e-4, 1e-4)
    at, step = np.array([120.0, 80.0]), 1e-3
    numeric = np.empty((2, 2))
    for axis in range(2):
        ahead, behind = at.copy(), at.copy()
        ahead[axis] += step
        behind[axis] -= step
        ends = cv2.perspectiveTransform(np.stack([ahead, behind])[None], matrix)[0]
        numeric[:, axis] = (ends[0] - ends[1]) / (2 * step)
    assert np.allclose(local_affine(matrix, (120.0, 80.0)), numeric, atol=1e-6)


def test_correlation_ignores_gain_and_offset() -> None:
    plane = np.random.default_rng(2).random((20, 20), np.float32)
    weight = np.ones_like(plane)
    assert correlation(plane, 0.4 * plane + 0.2, weight) == pytest.approx(1.0, abs=1e-5)
    assert correlation(plane, 1 - plane, weight) == pytest.approx(-1.0, abs=1e-5)
    assert correlation(plane, np.ones_like(plane), weight) == -1.0
    assert correlation(plane, plane, 0 * weight) == -1.0
