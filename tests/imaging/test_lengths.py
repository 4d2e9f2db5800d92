"""Lengths of drawn shapes whose lengths are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vitrina.imaging.lengths import length_of, midline, ring_diameters, thinned
from vitrina.model import Mask


def drawn(points: NDArray[np.float64], *, thick: int = 9, is_closed: bool = False) -> Mask:
    mask = np.zeros((420, 640), np.uint8)
    cv2.polylines(mask, [np.rint(points).astype(np.int32)], is_closed, 1, thick)
    return np.asarray(mask > 0)


def wave() -> NDArray[np.float64]:
    x = np.linspace(40, 600, 400)
    return np.column_stack([x, 210 + 70 * np.sin(x / 70)])


def oval() -> NDArray[np.float64]:
    turn = np.linspace(0, 2 * np.pi, 500, endpoint=False)
    return np.column_stack([320 + 220 * np.cos(turn), 210 + 130 * np.sin(turn)])


def test_an_open_chain() -> None:
    path, is_closed = midline(drawn(wave()))
    assert not is_closed
    assert length_of(path, is_closed=False) == pytest.approx(length_of(wave(), is_closed=False), rel=0.015)


def test_a_closed_chain() -> None:
    path, is_closed = midline(drawn(oval(), is_closed=True))
    assert is_closed
    assert length_of(path, is_closed=True) == pytest.approx(length_of(oval(), is_closed=True), rel=0.01)


def test_links_are_one_band() -> None:
    """A chain of rings: their holes are not loops of the chain."""
    mask = np.zeros((420, 640), np.uint8)
    points = wave()
    for x, y in points[::14]:
        cv2.circle(mask, (round(x), round(y)), 10, 1, 3)
    path, is_closed = midline(mask > 0, close_px=9)
    assert not is_closed
    assert length_of(path, is_closed=False) == pytest.approx(length_of(points, is_closed=False), rel=0.03)


def test_nothing_has_no_length() -> None:
    path, is_closed = midline(np.zeros((50, 50), bool))
    assert length_of(path, is_closed=is_closed) == 0


def test_thinning_leaves_lines() -> None:
    thin = thinned(drawn(wave()))
    assert thin.sum() < 1.2 * 640
    assert cv2.connectedComponents(thin.astype(np.uint8), connectivity=8)[0] == 2


def test_a_rings_diameters() -> None:
    mask = np.zeros((420, 640), np.uint8)
    cv2.circle(mask, (320, 210), 180, 1, -1)
    cv2.circle(mask, (320, 210), 150, 0, -1)
    inner, outer = ring_diameters(mask > 0) or (0, 0)
    assert inner == pytest.approx(300, abs=2) and outer == pytest.approx(361, abs=2)
    assert ring_diameters(drawn(wave())) is None
