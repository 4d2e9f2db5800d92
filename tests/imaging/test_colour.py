"""Colour against published tables and its own laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import DATA
from vitrina.imaging.colour import decode_srgb, delta_e00, encode_srgb, encode_srgb8, lab, lab_of, luminance


def pairs() -> np.ndarray:
    return np.loadtxt(DATA / "ciede2000.txt")


def test_ciede2000_reproduces_the_published_pairs() -> None:
    table = pairs()
    assert table.shape == (34, 7)
    found = delta_e00(table[:, :3], table[:, 3:6])
    assert np.abs(found - table[:, 6]).max() < 1e-4


def test_ciede2000_is_symmetric_and_zero_for_the_same_colour() -> None:
    table = pairs()
    assert delta_e00(table[:, 3:6], table[:, :3]) == pytest.approx(delta_e00(table[:, :3], table[:, 3:6]), abs=1e-4)
    assert not delta_e00(table[:, :3], table[:, :3]).any()


def test_ciede2000_broadcasts_and_keeps_the_shape() -> None:
    picture = np.random.default_rng(0).uniform(0, 100, (5, 7, 3)).astype(np.float32)
    answer = delta_e00(picture, np.array([50.0, 0.0, 0.0]))
    assert answer.shape == (5, 7)
    assert answer.dtype == np.float32


@pytest.mark.parametrize(
    ("code", "linear"),
    # IEC 61966-2-1: the linear toe below 0.04045, and values published with the standard's curve.
    [(0, 0.0), (1, 1 / 255 / 12.92), (10, 10 / 255 / 12.92), (128, 0.21586), (188, 0.50289), (255, 1.0)],
)
def test_srgb_decodes_as_the_standard_says(code: int, linear: float) -> None:
    assert decode_srgb(np.array([code], np.uint8))[0] == pytest.approx(linear, abs=1e-5)


def test_all_256_codes_survive_the_round_trip() -> None:
    codes = np.arange(256, dtype=np.uint8)
    assert np.array_equal(encode_srgb8(decode_srgb(codes)), codes)


def test_all_65536_codes_survive_the_round_trip() -> None:
    codes = np.arange(65536, dtype=np.uint16)
    back = np.rint(encode_srgb(decode_srgb(codes)) * np.float32(65535)).astype(np.uint16)
    assert np.array_equal(back, codes)


def test_encoding_rounds_instead_of_truncating() -> None:
    just_below_200 = decode_srgb(np.array([199.6 / 255], np.float32))
    assert encode_srgb8(just_below_200)[0] == 200


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-0.5, 1.5, width=32), min_size=2, max_size=30))
def test_encoding_is_monotone_and_clips(values: list[float]) -> None:
    linear = np.sort(np.array(values, np.float32))
    encoded = encode_srgb(linear)
    assert (np.diff(encoded) >= 0).all()
    assert encoded.min() >= 0
    assert encoded.max() <= 1
    assert np.abs(encode_srgb8(linear).astype(float) / 255 - encoded).max() <= 0.56 / 255


@pytest.mark.parametrize(
    ("rgb", "expected"),
    # CIELAB (D65) of the sRGB primaries and greys, as colour science tables give them.
    [
        ((1, 1, 1), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((1, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 1, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 1), (32.30, 79.19, -107.86)),
        ((0.21586, 0.21586, 0.21586), (53.59, 0, 0)),
    ],
)
def test_lab_of_known_colours(rgb: tuple[float, float, float], expected: tuple[float, float, float]) -> None:
    assert lab_of(rgb) == pytest.approx(expected, abs=0.05)


def test_lab_clips_and_does_not_write_into_its_input() -> None:
    picture = np.array([[[1.5, -0.2, 0.5]]], np.float32)
    kept = picture.copy()
    assert np.array_equal(lab(picture), lab(np.clip(picture, 0, 1)))
    assert np.array_equal(picture, kept)


def test_luminance_weighs_like_rec_709() -> None:
    assert luminance(np.ones((1, 1, 3), np.float32))[0, 0] == pytest.approx(1)
    assert luminance(np.array([[[0, 1, 0]]], np.float32))[0, 0] == pytest.approx(0.7152)
