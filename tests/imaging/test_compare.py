"""Intervals, excess and the fitted ground."""

from __future__ import annotations

import numpy as np
import pytest

from tests.scenes import Scene
from vitrina.imaging.colour import encode_srgb, lab, luminance
from vitrina.imaging.compare import Interval, blobs, fit_ground, interval, smooth, strength, structural_agreement


def test_a_picture_lies_in_its_own_interval(drawn_ring: Scene) -> None:
    picture = lab(drawn_ring.rgb)
    assert not interval(picture).distance(picture).any()


def test_half_a_pixel_of_shift_is_no_difference(drawn_ring: Scene) -> None:
    picture = lab(drawn_ring.rgb)
    shifted = (picture[:, 1:] + picture[:, :-1]) / 2
    excess = strength(interval(picture[:, :-1]).distance(shifted))
    assert float(np.percentile(excess, 99.5)) < 1.0


def test_a_changed_colour_sticks_out_with_its_sign() -> None:
    flat = np.full((20, 20, 3), (50, 0, 0), np.float32)
    darker = flat - np.float32([7, 0, 0])
    excess = interval(flat).distance(darker)
    assert excess[..., 0] == pytest.approx(-7)
    assert strength(excess) == pytest.approx(7)


def test_widening_holds_the_other_only_where_asked() -> None:
    band = Interval(np.zeros((4, 4, 3), np.float32), np.ones((4, 4, 3), np.float32))
    where = np.zeros((4, 4), bool)
    where[0] = True
    wide = band.widened(np.full((4, 4, 3), 5, np.float32), where)
    assert (wide.high[0] == 5).all()
    assert (wide.high[1:] == 1).all()
    assert (wide.low == 0).all()


def test_blobs_come_largest_first_and_dust_not_at_all() -> None:
    mask = np.zeros((30, 30), bool)
    mask[2:5, 2:5] = True
    mask[10:20, 10:20] = True
    mask[25, 25] = True
    found = blobs(mask, min_area_px=4)
    assert [int(blob.sum()) for blob in found] == [100, 9]


def test_a_lit_ground_is_explained_and_the_piece_is_not(drawn_ring: Scene) -> None:
    ground = fit_ground(lab(drawn_ring.ground), drawn_ring.alpha < 0.5)
    assert ground.lab == pytest.approx(np.median(lab(drawn_ring.ground).reshape(-1, 3), axis=0), abs=2)
    assert ground.support > 0.8
    assert ground.roughness < 2
    assert ground.surface.shape == drawn_ring.rgb.shape


def test_a_piece_in_the_way_does_not_pull_the_ground(drawn_ring: Scene) -> None:
    """The fit is robust: even with the piece counted as ground, the paper is found."""
    everywhere = np.ones(drawn_ring.alpha.shape, bool)
    ground = fit_ground(lab(drawn_ring.rgb), everywhere)
    off = np.abs(ground.surface - lab(drawn_ring.ground))[drawn_ring.alpha == 0]
    assert float(np.median(off)) < 1.0


def test_smoothing_keeps_the_mean() -> None:
    noise = np.random.default_rng(3).random((80, 80)).astype(np.float32)
    assert smooth(noise, 2.0).mean() == pytest.approx(float(noise.mean()), abs=0.01)
    assert smooth(noise, 2.0).std() < 0.3 * noise.std()


def test_edges_agree_whichever_side_is_lighter_and_whatever_part_is_gone(drawn_ring: Scene) -> None:
    first, piece = encode_srgb(luminance(drawn_ring.rgb)), drawn_ring.alpha > 0.5
    box = drawn_ring.of_kind("stone")[0].region
    assert structural_agreement(first, 0.9 - 0.5 * first, piece) > 0.9
    holed = first.copy()
    holed[box.slices] = 1
    assert structural_agreement(first, holed, piece) > 0.8
    assert structural_agreement(first, np.ascontiguousarray(first[::-1, ::-1]), piece) < 0.1
    assert structural_agreement(first, np.roll(first, 12, axis=1), piece) < 0.1
    assert structural_agreement(first, first, np.zeros_like(piece)) == 0
