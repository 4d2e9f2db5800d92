"""Measures of quality against pictures whose blur, noise and clipping are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vitrina.imaging.measure import (
    blockiness,
    blur_map,
    clipped_high,
    find_edges,
    find_spots,
    noise_level,
)
from vitrina.model import Mask, Plane

EVERYWHERE: Mask = np.ones((240, 240), bool)


def disc(height: float = 60.0) -> Plane:
    """A disc of 20 + `height` L* on 20, its edge one pixel wide."""
    picture = np.full((960, 960), 20, np.float32)
    cv2.circle(picture, (480, 480), 320, 20 + height, -1)
    return np.asarray(cv2.resize(picture, (240, 240), interpolation=cv2.INTER_AREA), np.float32)


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0, 2.5])
def test_the_blur_of_a_step_is_found(sigma: float) -> None:
    edges = find_edges(cv2.GaussianBlur(disc(), (0, 0), sigma), contrast=12, within=EVERYWHERE)
    assert len(edges) > 100
    assert float(np.median(edges.width_px)) == pytest.approx(sigma, rel=0.15)


@pytest.mark.parametrize("sigma", [1.5, 3.0, 5.0])
def test_the_blur_around_a_place_is_read_from_what_more_blur_takes(sigma: float) -> None:
    light = cv2.GaussianBlur(disc(), (0, 0), sigma)
    light += np.random.default_rng(1).normal(0, 0.5, light.shape).astype(np.float32)
    blur, energy = blur_map(light, within=EVERYWHERE, window_px=8, noise=0.5)
    rim = energy > 0.5
    assert 0.05 < rim.mean() < 0.6
    assert float(np.median(blur[rim])) == pytest.approx(sigma, rel=0.15)


def test_blur_is_read_where_it_is() -> None:
    sharp = disc()
    soft = cv2.GaussianBlur(sharp, (0, 0), 4)
    light = np.where(np.arange(240)[None, :] < 120, sharp, soft).astype(np.float32)
    blur, energy = blur_map(light, within=EVERYWHERE, window_px=6, noise=0.0)
    rim = energy > 0.5
    left, right = rim.copy(), rim.copy()
    left[:, 100:], right[:, :140] = False, False
    assert float(np.median(blur[left])) < 1.0
    assert float(np.median(blur[right])) == pytest.approx(4.0, rel=0.15)


def test_an_edge_faces_across_itself() -> None:
    edges = find_edges(disc(), contrast=12, within=EVERYWHERE)
    outward = np.arctan2(edges.rows - 120, edges.columns - 120)
    off = np.abs((edges.facing - outward + np.pi / 2) % np.pi - np.pi / 2)
    assert float(np.percentile(off, 90)) < 0.1


def test_low_steps_and_noise_are_no_edges() -> None:
    rng = np.random.default_rng(1)
    grain = rng.normal(0, 1, (240, 240)).astype(np.float32)
    assert len(find_edges(disc(height=5), contrast=12, within=EVERYWHERE)) == 0
    assert len(find_edges(50 + grain, contrast=12, within=EVERYWHERE)) == 0
    assert len(find_edges(disc(), contrast=12, within=~EVERYWHERE)) == 0


def test_edges_can_be_asked_for_in_a_place() -> None:
    left = EVERYWHERE.copy()
    left[:, 120:] = False
    edges = find_edges(disc(), contrast=12, within=EVERYWHERE).within(left)
    assert len(edges) > 40 and int(edges.columns.max()) < 120


@pytest.mark.parametrize("sigma", [0.5, 2.0, 5.0])
def test_white_noise_is_measured_beside_a_piece(sigma: float) -> None:
    rng = np.random.default_rng(2)
    noisy = disc() + rng.normal(0, sigma, (240, 240)).astype(np.float32)
    assert noise_level(noisy) == pytest.approx(sigma, rel=0.15)


def test_a_picture_smaller_than_a_patch_has_no_noise_to_measure() -> None:
    assert noise_level(np.zeros((8, 8), np.float32)) == 0.0


def test_strong_compression_leaves_blocks() -> None:
    rng = np.random.default_rng(3)
    smooth = cv2.GaussianBlur(rng.uniform(0, 255, (256, 256)).astype(np.float32), (0, 0), 6)
    smooth = cv2.normalize(smooth, None, 20, 235, cv2.NORM_MINMAX).astype(np.uint8)

    def packed(quality: int) -> Plane:
        data = cv2.imencode(".jpg", smooth, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE).astype(np.float32) / 2.55

    assert blockiness(packed(95)) < 0.2
    assert blockiness(packed(8)) > 1.0


def test_only_what_has_no_colour_left_is_clipped() -> None:
    rgb = np.array([[[1, 1, 1], [1, 1, 0.5], [0.9, 0.9, 0.9]]], np.float32)
    assert clipped_high(rgb).tolist() == [[True, False, False]]


def test_spots_come_largest_first_with_their_shape() -> None:
    picture = np.zeros((80, 120), np.uint8)
    cv2.circle(picture, (30, 40), 12, 1, -1)
    cv2.line(picture, (60, 20), (115, 20), 1, 3)
    spots = find_spots(picture.astype(bool))
    assert [spot.area_px for spot in spots] == sorted((spot.area_px for spot in spots), reverse=True)
    assert spots[0].roundness > 0.85 > 0.2 > spots[1].roundness
    assert spots[0].box == (18, 28, 25, 25)
