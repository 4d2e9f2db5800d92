"""Where a piece goes: fill, placement, and regions that follow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrina.imaging.geometry import fitting_scale, frame_fill, moved, placed, shrunk
from vitrina.imaging.resample import resample_plane
from vitrina.model import Placement, Region, Size

SIZES = st.builds(Size, width=st.integers(8, 4000), height=st.integers(8, 4000))


@st.composite
def boxes(draw: st.DrawFn) -> Region:
    return Region(
        draw(st.integers(0, 500)), draw(st.integers(0, 500)), draw(st.integers(1, 900)), draw(st.integers(1, 900))
    )


def test_frame_fill_is_the_greater_share() -> None:
    assert frame_fill(Region(0, 0, 50, 20), Size(100, 100)) == 0.5
    assert frame_fill(Region(0, 0, 20, 90), Size(100, 100)) == 0.9


@given(box=boxes(), canvas=SIZES, fill=st.floats(0.1, 1))
def test_a_fitted_box_has_the_fill_that_was_asked_for(box: Region, canvas: Size, fill: float) -> None:
    scale = fitting_scale(box, canvas, fill=fill)
    fitted = max(scale * box.width / canvas.width, scale * box.height / canvas.height)
    assert fitted == pytest.approx(fill)


@given(box=boxes(), canvas=SIZES)
def test_square_safe_fits_the_centre_square(box: Region, canvas: Size) -> None:
    scale = fitting_scale(box, canvas, fill=0.9, is_square_safe=True)
    assert scale * max(box.width, box.height) <= 0.9 * min(canvas.width, canvas.height) + 1e-6


@given(box=boxes(), canvas=SIZES, scale=st.floats(0.05, 3))
def test_the_middle_of_the_box_comes_to_the_middle_of_the_canvas(box: Region, canvas: Size, scale: float) -> None:
    place = placed(box, canvas, scale=scale)
    x = place.scale * (box.x + (box.width - 1) / 2) + place.dx
    y = place.scale * (box.y + (box.height - 1) / 2) + place.dy
    slack = 0.5 if scale == 1 else 1e-6
    assert x == pytest.approx((canvas.width - 1) / 2, abs=slack)
    assert y == pytest.approx((canvas.height - 1) / 2, abs=slack)


def test_at_scale_one_offsets_are_whole() -> None:
    place = placed(Region(3, 4, 10, 11), Size(101, 100), scale=1)
    assert float(place.dx).is_integer()
    assert float(place.dy).is_integer()


@pytest.mark.parametrize(
    ("canvas", "factor", "expected"),
    [
        (Size(900, 1200), 0.5, Size(450, 600)),
        (Size(900, 1200), 0.999, Size(897, 1196)),
        (Size(2000, 2000), 0.7, Size(1400, 1400)),
        (Size(1001, 997), 0.5, Size(500, 498)),
    ],
)
def test_shrinking_keeps_simple_ratios_exactly(canvas: Size, factor: float, expected: Size) -> None:
    assert shrunk(canvas, factor) == expected


def test_a_region_follows_its_pixels() -> None:
    plane = np.zeros((60, 80), np.float32)
    region = Region(20, 10, 24, 16)
    plane[region.slices] = 1
    place = Placement(0.5, 7.0, 3.0, Size(60, 50))
    shown = resample_plane(plane, place) > 0.5
    found = Region.around(shown)
    predicted = moved(region, place)
    assert found is not None
    for side in ("x", "y", "width", "height"):
        assert getattr(found, side) == pytest.approx(getattr(predicted, side), abs=1)


def test_a_region_moved_off_the_canvas_is_empty_there() -> None:
    gone = moved(Region(0, 0, 10, 10), Placement(1.0, 500.0, 0.0, Size(100, 100)))
    assert gone.width == 0
