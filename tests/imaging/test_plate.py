"""The plate behind a piece: smooth grounds are continued exactly, and texture shows up as straying."""

import cv2
import numpy as np

from vitrina.imaging.plate import plate_of
from vitrina.model import Size


def _slope(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.stack([0.2 + x / width / 3, 0.5 - y / height / 4, np.full_like(x, 0.3)], axis=-1)


def _disc(height: int, width: int, radius: int) -> np.ndarray:
    alpha = np.zeros((height, width), np.float32)
    cv2.circle(alpha, (width // 2, height // 2), radius, 1.0, -1)
    return alpha


def test_a_sloping_ground_goes_on_behind_the_piece() -> None:
    ground, alpha = _slope(330, 401), _disc(330, 401, 70)
    photo = np.where(alpha[..., None] > 0.5, np.float32(0.95), ground)
    colour, stray = plate_of(photo, alpha).at(Size(401, 330), slice(0, 330), slice(0, 401))
    assert np.abs(colour - ground)[20:-20, 20:-20].max() < 0.05
    assert stray.max() < 0.02


def test_rough_ground_strays_behind_the_piece_too() -> None:
    ground, alpha = _slope(320, 320), _disc(320, 320, 60)
    rough = ground + np.random.default_rng(1).normal(0, 0.05, ground.shape).astype(np.float32)
    _, stray = plate_of(rough, alpha).at(Size(320, 320), slice(150, 170), slice(150, 170))
    assert 0.02 < stray.mean() < 0.06


def test_a_part_is_cut_from_the_whole() -> None:
    photo, alpha = _slope(200, 300), _disc(200, 300, 40)
    plate = plate_of(photo, alpha)
    whole, _ = plate.at(Size(600, 400), slice(0, 400), slice(0, 600))
    part, _ = plate.at(Size(600, 400), slice(90, 210), slice(33, 500))
    assert np.abs(whole[90:210, 33:500] - part).max() < 1e-5


def test_a_picture_that_is_all_piece_or_tiny_still_has_a_plate() -> None:
    for shape in ((1, 1), (3, 90), (64, 64)):
        photo = np.full((*shape, 3), 0.4, np.float32)
        colour, stray = plate_of(photo, np.ones(shape, np.float32)).at(
            Size(shape[1], shape[0]), slice(0, shape[0]), slice(0, shape[1])
        )
        assert np.allclose(colour, 0.4, atol=1e-5) and np.allclose(stray, 0, atol=1e-5)
