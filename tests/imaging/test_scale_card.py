"""The scale card in rendered photos whose truth is known: tilted, turned, tinted, noisy, partly covered."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vitrina.imaging import scale_card as card
from vitrina.model import Rgb

SIZE = (1200, 900)
_FOCAL = 1300.0


def photographed(
    tilt: float, *, turn: float = 20, distance_mm: float = 230, light: tuple[float, float, float] = (1, 1, 1)
) -> tuple[Rgb, NDArray[np.float64]]:
    """The card seen by a phone held `tilt` degrees off, and the true homography from mm to pixels."""
    rotation, _ = cv2.Rodrigues(np.radians([tilt, tilt / 3, turn]))
    camera = np.array([[_FOCAL, 0, SIZE[0] / 2], [0, _FOCAL, SIZE[1] / 2], [0, 0, 1]])
    plane = np.column_stack([rotation[:, 0], rotation[:, 1], [0, 0, distance_mm]])
    centred = np.array([[1, 0, -card.WIDTH_MM / 2], [0, 1, -card.HEIGHT_MM / 2], [0, 0, 1]])
    to_pixels = camera @ plane @ centred
    sharp = 10
    from_sheet = np.array([[1 / sharp, 0, 0.5 / sharp], [0, 1 / sharp, 0.5 / sharp], [0, 0, 1]])
    sheet = card.draw(sharp)
    seen = cv2.warpPerspective(sheet, to_pixels @ from_sheet, SIZE, flags=cv2.INTER_AREA, borderValue=(0.4, 0.35, 0.3))
    seen = cv2.GaussianBlur(seen, (0, 0), 0.8) * np.array(light, np.float32)
    noise = np.random.default_rng(7).normal(0, 0.004, seen.shape)
    return np.asarray(np.clip(seen + noise, 0, 1), np.float32), to_pixels


def millimetres(to_pixels: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    lifted = np.column_stack([points, np.ones(len(points))]) @ np.linalg.inv(to_pixels).T
    return np.asarray(lifted[:, :2] / lifted[:, 2:])


@pytest.mark.parametrize("tilt", [0, 20, 45])
def test_millimetres_come_out_right_whatever_the_tilt(tilt: float) -> None:
    rgb, to_pixels = photographed(tilt)
    found = card.find_card(rgb)
    assert found is not None and found.markers == 5
    points = np.array([[300, 250], [900, 700], [600, 450.0]])
    assert np.abs(found.place(points) - millimetres(to_pixels, points)).max() < 0.1
    assert np.abs(found.pixels(found.place(points)) - points).max() < 1e-6
    assert found.error_mm < 0.2
    assert found.tilt_degrees == pytest.approx(
        np.degrees(np.arccos(np.cos(np.radians(tilt)) * np.cos(np.radians(tilt / 3)))), abs=4
    )


def test_a_piece_may_cover_some_markers_but_not_nearly_all() -> None:
    rgb, to_pixels = photographed(15)
    covered = rgb.copy()
    for number in (0, 4):
        x, y = card.MARKERS[number]
        middle = to_pixels @ [x + card.MARKER_MM / 2, y + card.MARKER_MM / 2, 1]
        cv2.circle(covered, tuple(int(v) for v in middle[:2] / middle[2]), 30, (0.6, 0.5, 0.2), -1)
    found = card.find_card(covered)
    assert found is not None and found.markers == 3
    points = np.array([[450, 350], [700, 550.0]])
    assert np.abs(found.place(points) - millimetres(to_pixels, points)).max() < 0.2
    assert card.find_card(np.full((400, 400, 3), 0.5, np.float32)) is None


def test_the_white_balance_is_that_of_the_light() -> None:
    rgb, _ = photographed(10, light=(1.0, 0.8, 0.45))
    found = card.find_card(rgb)
    assert found is not None
    neutral = card.white_balance(rgb, found)
    assert neutral is not None and neutral.patches >= 3
    assert neutral.gains == pytest.approx((0.8, 1.0, 0.8 / 0.45), rel=0.03)
    assert neutral.cast > 10
    white = card.white_balance(photographed(10)[0], found)
    assert white is not None and white.cast < 1


def test_clipped_patches_are_not_believed() -> None:
    rgb, _ = photographed(0)
    found = card.find_card(rgb)
    assert found is not None
    assert card.white_balance(np.ones_like(rgb), found) is None


def test_nothing_on_the_card_overlaps() -> None:
    boxes = [(x, y, card.MARKER_MM) for x, y in card.MARKERS.values()]
    boxes += [(x, y, card.PATCH_MM) for x, y in card.PATCHES.values()]
    for i, (x, y, side) in enumerate(boxes):
        assert min(x, y) >= 0 and x + side <= card.WIDTH_MM and y + side <= card.HEIGHT_MM
        for u, v, other in boxes[i + 1 :]:
            assert x + side <= u or u + other <= x or y + side <= v or v + other <= y
