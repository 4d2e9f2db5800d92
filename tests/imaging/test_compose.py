"""Compositing laws (Porter and Duff 1984) and the contact shadow."""

from __future__ import annotations

import numpy as np
import pytest

from tests.scenes import Scene
from vitrina.imaging.compose import ShadowParams, contact_shadow, over

RNG = np.random.default_rng(7)
FOREGROUND = RNG.random((700, 40, 3)).astype(np.float32)
BACKGROUND = RNG.random((700, 40, 3)).astype(np.float32)


def test_alpha_one_is_the_foreground_bit_for_bit() -> None:
    assert np.array_equal(over(FOREGROUND, np.ones((700, 40), np.float32), BACKGROUND), FOREGROUND)


def test_alpha_zero_is_the_background_bit_for_bit() -> None:
    assert np.array_equal(over(FOREGROUND, np.zeros((700, 40), np.float32), BACKGROUND), BACKGROUND)


def test_half_covers_half_of_the_light() -> None:
    alpha = np.full((700, 40), 0.5, np.float32)
    assert over(FOREGROUND, alpha, BACKGROUND) == pytest.approx((FOREGROUND + BACKGROUND) / 2, abs=1e-6)


def test_a_single_colour_is_a_background_too() -> None:
    alpha = RNG.random((700, 40)).astype(np.float32)
    colour = np.array([0.2, 0.4, 0.6], np.float32)
    assert np.array_equal(
        over(FOREGROUND, alpha, colour), over(FOREGROUND, alpha, np.broadcast_to(colour, FOREGROUND.shape))
    )


def test_over_is_associative() -> None:
    """(a over b) over c = a over (b over c), with the coverage of a over b."""
    third = RNG.random((700, 40, 3)).astype(np.float32)
    a, b = (RNG.uniform(0.1, 0.9, (700, 40)).astype(np.float32) for _ in range(2))
    both = a + b * (1 - a)
    joined = over(FOREGROUND, a / both, BACKGROUND)
    assert over(joined, both, third) == pytest.approx(over(FOREGROUND, a, over(BACKGROUND, b, third)), abs=1e-5)


def test_a_shadow_darkens_only_near_the_piece(drawn_ring: Scene) -> None:
    params = ShadowParams()
    extent = float(max(drawn_ring.box.width, drawn_ring.box.height))
    light = contact_shadow(drawn_ring.alpha, extent_px=extent, params=params)
    assert light.shape == drawn_ring.alpha.shape
    assert 0 < light.min() < 0.9
    assert light.max() <= 1
    reach = int(np.ceil(params.reach * extent)) + 2
    far = np.ones(light.shape, bool)
    far[drawn_ring.box.grown(reach, within=drawn_ring.size).slices] = False
    assert (light[far] == 1).all()
    rim = np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])
    assert (rim == 1).all()


def test_no_piece_casts_no_shadow() -> None:
    assert (contact_shadow(np.zeros((60, 80), np.float32), extent_px=50) == 1).all()


def test_a_shadow_is_deeper_below_than_above() -> None:
    alpha = np.zeros((200, 200), np.float32)
    alpha[80:120, 60:140] = 1
    light = contact_shadow(alpha, extent_px=80)
    assert light[122, 100] < light[77, 100]
