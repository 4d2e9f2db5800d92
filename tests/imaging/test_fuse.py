"""Blending: nothing but what the frames show, and where each is better it is taken."""

from __future__ import annotations

import cv2
import numpy as np

from vitrina.imaging.fuse import Blend, Picture, exposure_weight, focus_weight

SHAPE = (150, 190)


def textured(seed: int) -> Picture:
    noise = np.random.default_rng(seed).random((*SHAPE, 3)).astype(np.float32)
    return np.clip(0.5 + 2 * (cv2.GaussianBlur(noise, (0, 0), 1.5) - 0.5), 0, 1).astype(np.float32)


def test_every_pixel_lies_between_those_of_the_frames() -> None:
    frames = [textured(1), textured(2), textured(3)]
    blend = Blend(*SHAPE)
    for frame in frames:
        blend.add(frame, focus_weight(frame), np.ones(SHAPE, bool))
    result = blend.result()
    assert (result >= np.min(frames, axis=0)).all()
    assert (result <= np.max(frames, axis=0)).all()


def test_one_frame_comes_out_as_it_went_in() -> None:
    frame = textured(4)
    blend = Blend(*SHAPE)
    blend.add(frame, exposure_weight(frame), np.ones(SHAPE, bool))
    assert np.abs(blend.result() - frame).max() < 1e-3


def test_where_a_frame_shows_nothing_it_does_not_count() -> None:
    frame, other = textured(5), np.zeros((*SHAPE, 3), np.float32)
    shown = np.zeros(SHAPE, bool)
    shown[:, 150:] = True
    blend = Blend(*SHAPE)
    blend.add(frame, np.ones(SHAPE, np.float32), np.ones(SHAPE, bool))
    blend.add(other, np.full(SHAPE, 9, np.float32), shown)
    result = blend.result()
    assert np.abs(result[:, :60] - frame[:, :60]).max() < 0.02
    assert result[:, 170:].mean() < 0.3 * frame[:, 170:].mean()


def test_the_sharper_frame_weighs_more() -> None:
    sharp = textured(6)
    soft = cv2.GaussianBlur(sharp, (0, 0), 3)
    assert (focus_weight(sharp) > focus_weight(soft)).mean() > 0.99


def test_middle_grey_weighs_more_than_burnt_out() -> None:
    frame = 0.3 + 0.4 * textured(7)
    burnt = np.clip(frame * 3, 0, 1).astype(np.float32)
    assert (exposure_weight(frame) > exposure_weight(burnt)).mean() > 0.95
