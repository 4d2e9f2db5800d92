"""Resampling laws: exact copies, kept means, no new extremes, and alpha-weighted colour."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scenes import Scene
from vitrina.imaging.resample import resample, resample_plane, resample_straight
from vitrina.model import Placement, Size

FILL = (0.25, 0.5, 0.75)


def shrink(scene_size: Size, scale: float) -> Placement:
    """The whole picture, `scale` times as large: pixel areas keep their place."""
    size = Size(round(scene_size.width * scale), round(scene_size.height * scale))
    return Placement(scale, (scale - 1) / 2, (scale - 1) / 2, size)


def test_scale_one_and_whole_offsets_copy_exactly(drawn_ring: Scene) -> None:
    size = Size(drawn_ring.size.width + 30, drawn_ring.size.height + 20)
    out = resample(drawn_ring.rgb, Placement(1, 12.0, 7.0, size), fill=FILL)
    inner = out[7 : 7 + drawn_ring.size.height, 12 : 12 + drawn_ring.size.width]
    assert np.array_equal(inner, drawn_ring.rgb)
    assert (out[:7] == np.float32(FILL)).all()
    assert (out[:, :12] == np.float32(FILL)).all()


def test_a_negative_offset_crops_exactly(drawn_ring: Scene) -> None:
    out = resample(drawn_ring.rgb, Placement(1, -40.0, -30.0, Size(100, 90)), fill=FILL)
    assert np.array_equal(out, drawn_ring.rgb[30:120, 40:140])


@pytest.mark.parametrize("scale", [0.11, 0.37, 0.5, 0.93, 1.7])
def test_a_flat_picture_stays_flat(scale: float) -> None:
    flat = np.full((90, 120, 3), FILL, np.float32)
    out = resample(flat, shrink(Size(120, 90), scale), fill=FILL)
    assert out == pytest.approx(np.broadcast_to(np.float32(FILL), out.shape), abs=1e-5)


def test_shrinking_keeps_the_light(drawn_ring: Scene) -> None:
    """Means are kept in linear light: shrinking must not darken fine bright parts."""
    out = resample(drawn_ring.rgb, shrink(drawn_ring.size, 0.25), fill=(0.6, 0.6, 0.6))
    assert out.mean() == pytest.approx(float(drawn_ring.rgb.mean()), rel=0.01)


def test_a_fine_grid_averages_in_linear_light() -> None:
    grid = np.zeros((64, 64, 3), np.float32)
    grid[::2, ::2] = grid[1::2, 1::2] = 1
    out = resample(grid, shrink(Size(64, 64), 0.25), fill=(0.5, 0.5, 0.5))
    assert out[4:-4, 4:-4] == pytest.approx(np.full((8, 8, 3), 0.5), abs=0.01)


@settings(max_examples=25, deadline=None)
@given(
    scale=st.floats(0.2, 2.5),
    dx=st.floats(-20, 20),
    dy=st.floats(-20, 20),
    seed=st.integers(0, 1000),
)
def test_no_value_leaves_the_range_of_the_picture(scale: float, dx: float, dy: float, seed: int) -> None:
    """Ringing would put a bright rim around the piece that the photo does not have."""
    picture = np.random.default_rng(seed).integers(0, 2, (24, 31, 3)).astype(np.float32)
    out = resample(picture, Placement(scale, dx, dy, Size(40, 33)), fill=FILL)
    assert out.shape == (33, 40, 3)
    assert np.isfinite(out).all()
    assert out.min() >= 0
    assert out.max() <= 1


def test_far_outside_everything_is_fill() -> None:
    picture = np.ones((10, 10, 3), np.float32)
    out = resample(picture, Placement(0.5, 500.0, 0.0, Size(20, 20)), fill=FILL)
    assert (out == np.float32(FILL)).all()


def test_a_point_lands_where_the_placement_says() -> None:
    picture = np.zeros((81, 81, 3), np.float32)
    picture[39:42, 49:52] = 1  # centred on column 50, row 40
    out = resample(picture, Placement(0.5, 3.0, 5.0, Size(60, 60)), fill=(0, 0, 0))[..., 0]
    ys, xs = np.mgrid[0:60, 0:60]
    assert (xs * out).sum() / out.sum() == pytest.approx(0.5 * 50 + 3, abs=0.02)
    assert (ys * out).sum() / out.sum() == pytest.approx(0.5 * 40 + 5, abs=0.02)


def test_hidden_colour_does_not_bleed_into_the_edge(drawn_ring: Scene) -> None:
    """Pixels with alpha 0 may hold anything; shrinking must not mix it into the rim."""
    poisoned = drawn_ring.foreground.copy()
    poisoned[drawn_ring.alpha == 0] = (0, 1, 0)
    place = shrink(drawn_ring.size, 0.4)
    rgb, alpha = resample_straight(poisoned, drawn_ring.alpha, place)
    clean, same = resample_straight(drawn_ring.foreground, drawn_ring.alpha, place)
    assert np.array_equal(alpha, same)
    assert rgb[alpha > 0.05] == pytest.approx(clean[alpha > 0.05], abs=1e-5)


def test_coverage_keeps_its_area(drawn_chain: Scene) -> None:
    small = resample_plane(drawn_chain.alpha, shrink(drawn_chain.size, 0.3))
    assert small.sum() == pytest.approx(0.09 * drawn_chain.alpha.sum(), rel=0.01)
    assert small.min() >= 0
    assert small.max() <= 1
