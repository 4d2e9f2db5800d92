"""A piece beside the scale card: its lengths against what the description promises."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.imaging.test_scale_card import SIZE, photographed
from vitrina.model import Alpha, Rgb, Source
from vitrina.stages.scale import Promised, measure
from vitrina.steps import from_array


def with_ring(tilt: float, inner_mm: float) -> tuple[Source, Alpha]:
    """A gold ring of that inner diameter lying in the middle of the card."""
    rgb, to_pixels = photographed(tilt)
    turn = np.linspace(0, 2 * np.pi, 400)
    alpha = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    for radius, value in ((inner_mm / 2 + 2, 255), (inner_mm / 2, 0)):
        circle = np.column_stack([74 + radius * np.cos(turn), 50 + radius * np.sin(turn), np.ones(400)]) @ to_pixels.T
        cv2.fillPoly(alpha, [np.rint(16 * circle[:, :2] / circle[:, 2:]).astype(np.int32)], value, cv2.LINE_AA, 4)
    cover = (alpha / 255).astype(np.float32)
    gold: Rgb = np.array([0.6, 0.42, 0.12], np.float32)
    return from_array(rgb * (1 - cover[..., None]) + cover[..., None] * gold, name="drawn"), cover


@pytest.mark.parametrize("tilt", [0, 30])
def test_a_rings_inner_diameter(tilt: float) -> None:
    source, alpha = with_ring(tilt, 17.3)
    findings, measures = measure(source, alpha, promised=Promised(inner_diameter_mm=17.3))
    assert measures["inner_diameter_mm"] == pytest.approx(17.3, abs=0.25)
    assert not findings
    findings, _ = measure(source, alpha, promised=Promised(inner_diameter_mm=18.6))
    assert [finding.code for finding in findings] == ["diameter-differs"]
    assert "18.6 mm" in findings[0].message


def test_a_chain_shorter_than_promised_is_named() -> None:
    rgb, to_pixels = photographed(20)
    x = np.linspace(30, 118, 200)
    path = np.column_stack([x, 45 + 12 * np.sin(x / 9)])
    true = float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum())
    at = np.column_stack([path, np.ones(200)]) @ to_pixels.T
    alpha = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    cv2.polylines(alpha, [np.rint(at[:, :2] / at[:, 2:]).astype(np.int32)], False, 1, 9)
    source, piece = from_array(rgb, name="drawn"), alpha.astype(np.float32)
    findings, measures = measure(source, piece, promised=Promised(chain_length_mm=true))
    assert measures["midline_mm"] == pytest.approx(true, rel=0.025) and not findings
    findings, _ = measure(source, piece, promised=Promised(chain_length_mm=1.1 * true))
    assert [finding.code for finding in findings] == ["length-differs"]


def test_a_photo_without_the_card_says_so() -> None:
    findings, measures = measure(from_array(np.full((300, 400, 3), 0.4, np.float32)), np.zeros((300, 400), np.float32))
    assert [finding.code for finding in findings] == ["no-card"] and measures == {}


def test_a_steep_photo_asks_for_another() -> None:
    rgb, _ = photographed(52)
    findings, _ = measure(from_array(rgb), np.zeros(rgb.shape[:2], np.float32))
    assert "card-tilted" in {finding.code for finding in findings}
