"""Camera RAW: developed neutrally, upright, in the right colours; what only looks like RAW stays what it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.codec.files import dng, quadrants, saved
from vitrina.codec.decode import decode
from vitrina.codec.metadata import probe
from vitrina.codec.raw import may_be_raw
from vitrina.errors import TooLarge, Unreadable
from vitrina.imaging.colour import decode_srgb, delta_e00, lab
from vitrina.model import Size

PICTURE = decode_srgb(quadrants(96, 64))


def test_a_dng_is_developed_in_its_colours() -> None:
    source = decode(dng(PICTURE), name="x.dng")
    assert (source.facts.format, source.size) == ("RAW", Size(96, 64))
    assert source.facts.metadata["Make"] == "Phone"
    for row, column in ((16, 24), (16, 72), (48, 24), (48, 72)):
        seen = np.median(source.rgb[row - 6 : row + 6, column - 6 : column + 6], axis=(0, 1))
        true = PICTURE[row, column]
        # A mosaic holds less of what lies outside the camera's colours; hue and lightness are what counts.
        assert float(delta_e00(lab(seen[None, None]), lab(true[None, None])).max()) < 4


def test_nothing_is_brightened() -> None:
    grey = np.full((64, 96, 3), 0.18, np.float32)
    assert float(np.median(decode(dng(grey), name="x").rgb)) == pytest.approx(0.18, rel=0.06)


def test_the_cameras_orientation_is_applied() -> None:
    turned = np.ascontiguousarray(np.rot90(PICTURE))
    source = decode(dng(turned, orientation=6), name="x")
    assert source.size == Size(96, 64) == source.facts.size
    red, _, blue = cv2.mean(source.rgb[4:28, 4:44])[:3]
    assert red > 3 * blue


def test_a_raw_file_is_measured_before_it_is_developed() -> None:
    with pytest.raises(TooLarge, match="x: "):
        decode(dng(PICTURE), name="x", max_megapixels=0.001)


def test_a_cut_off_raw_file_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="x: "):
        decode(dng(PICTURE)[:400], name="x")


def test_a_tiff_is_no_raw_file() -> None:
    tiff = saved(quadrants(), "TIFF")
    assert not may_be_raw(tiff)
    assert probe(tiff, name="x").format == "TIFF"
