"""Marks on plain metal: painted out, or put there."""

from __future__ import annotations

import cv2
import numpy as np

from tests.stages.verify.damage import card
from vitrina import from_array, verify
from vitrina.imaging.colour import encode_srgb8
from vitrina.model import Judgement, Severity

SIDE = 520


def plate(*, scratched: bool, milled: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """A polished plate (linear) with a row of holes to hold on to, and its coverage."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    sheen = 0.45 + 0.25 * np.sin(x / 90) * np.cos(y / 130)
    alpha = np.zeros((SIDE, SIDE), np.float32)
    cv2.ellipse(alpha, (260, 260), (205, 150), 20, 0, 360, 1.0, -1, cv2.LINE_AA)
    for k in range(7):
        cv2.circle(alpha, (120 + 47 * k, 190 + 23 * k - (k % 3) * 17), 5 + k % 4, 0.0, -1, cv2.LINE_AA)
    marks = np.zeros((SIDE, SIDE), np.float32)
    if scratched:
        for a, b in (((170, 300), (300, 330)), ((200, 345), (320, 362)), ((215, 280), (330, 312))):
            cv2.line(marks, a, b, 1.0, 2, cv2.LINE_AA)
    sheen = sheen * (1 - 0.5 * marks)
    if milled:
        where = (np.hypot(x - 240, y - 320) < 55).astype(np.float32)
        sheen = sheen * (1 + 0.35 * where * np.sin(x * 1.1))
    rgb = sheen[..., None] * np.array([1.0, 0.78, 0.42], np.float32)
    return np.clip(rgb, 0, 1).astype(np.float32), alpha


def judged(before: tuple[np.ndarray, np.ndarray], after: tuple[np.ndarray, np.ndarray]) -> Judgement:
    grey = np.full(3, 0.35, np.float32)
    photo = before[0] * before[1][..., None] + grey * (1 - before[1][..., None])
    shown = after[0] * after[1][..., None] + (1 - after[1][..., None])
    return verify(from_array(encode_srgb8(photo), name="photo"), card(shown.astype(np.float32)), matte=before[1])


def wrong(judgement: Judgement) -> set[str]:
    return {f"{f.check}/{f.code}" for f in judgement.findings if f.severity is not Severity.NOTE}


def test_the_plate_with_its_scratches_passes() -> None:
    assert not wrong(judged(plate(scratched=True), plate(scratched=True)))


def test_scratches_that_were_painted_out_are_texture() -> None:
    judgement = judged(plate(scratched=True), plate(scratched=False))
    assert wrong(judgement) == {"texture/detail-removed"}
    (finding,) = (f for f in judgement.findings if f.code == "detail-removed")
    assert finding.region is not None and abs(finding.region.x - 170) < 15 and finding.severity is Severity.BLOCK


def test_a_pattern_that_was_never_there_is_texture() -> None:
    judgement = judged(plate(scratched=False), plate(scratched=False, milled=True))
    assert "texture/invented-detail" in wrong(judgement)


def hammered(*, depth: float = 2.0, smoothing: float = 0.0, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """The plate with dents of a few pixels all over."""
    rgb, alpha = plate(scratched=False)
    dents = cv2.GaussianBlur(np.random.default_rng(5).normal(0, 1, (SIDE, SIDE)).astype(np.float32), (0, 0), 1.6)
    dents = cv2.GaussianBlur(dents, (0, 0), smoothing) if smoothing else dents
    grain = np.random.default_rng(6).normal(0, noise, rgb.shape) if noise else 0
    return np.clip(rgb * (1 + depth * dents[..., None]) + grain, 0, 1).astype(np.float32), alpha


def test_dents_that_were_softened_are_smoothed() -> None:
    assert not wrong(judged(hammered(), hammered()))
    assert wrong(judged(hammered(), hammered(smoothing=0.9))) == {"texture/smoothed"}


def test_a_photos_noise_that_is_gone_is_no_smoothing() -> None:
    assert not wrong(judged(hammered(noise=0.02), hammered()))
    assert not wrong(judged(hammered(depth=0, noise=0.02), hammered(depth=0)))
