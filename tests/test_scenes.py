"""The drawings themselves: what is said of them is what they show."""

from __future__ import annotations

import cv2
import numpy as np

from tests import scenes
from tests.scenes import Scene
from vitrina.imaging.compose import over


def test_a_drawing_obeys_the_compositing_equation(drawn_ring: Scene) -> None:
    again = over(drawn_ring.foreground, drawn_ring.alpha, drawn_ring.ground)
    assert np.array_equal(again, drawn_ring.rgb)
    assert drawn_ring.rgb.dtype == drawn_ring.alpha.dtype == np.float32
    assert float(drawn_ring.rgb.min()) >= 0
    assert float(drawn_ring.rgb.max()) <= 1


def test_the_same_arguments_draw_the_same_picture(drawn_ring: Scene) -> None:
    assert np.array_equal(scenes.ring().rgb, drawn_ring.rgb)


def test_a_missing_stone_changes_the_picture_only_around_it(drawn_ring: Scene) -> None:
    without = scenes.ring(missing=(2,))
    assert len(without.of_kind("stone")) == len(drawn_ring.of_kind("stone")) - 1
    changed = np.abs(without.rgb - drawn_ring.rgb).max(axis=-1) > 0.02
    around = drawn_ring.of_kind("stone")[2].region.grown(24, within=drawn_ring.size)
    outside = changed.copy()
    outside[around.slices] = False
    assert changed.any()
    assert not outside.any()


def test_every_link_lets_daylight_through(drawn_chain: Scene) -> None:
    assert len(drawn_chain.of_kind("link")) == 24
    assert len(drawn_chain.of_kind("clasp")) == 1
    holes, _ = cv2.connectedComponents(drawn_chain.daylight.astype(np.uint8))
    assert holes - 1 > 24


def test_a_missing_link_opens_the_chain(drawn_chain: Scene) -> None:
    broken = scenes.chain(missing=(7,))
    middle = (drawn_chain.size.height // 2, drawn_chain.size.width // 2)
    assert drawn_chain.daylight[middle]
    assert not broken.daylight[middle]


def test_earrings_are_two_separate_pieces(drawn_earrings: Scene) -> None:
    count, _ = cv2.connectedComponents((drawn_earrings.alpha > 0.5).astype(np.uint8))
    assert count - 1 == 2
    assert {stone.colour for stone in drawn_earrings.of_kind("stone")} == {"red"}


def test_nothing_touches_the_frame(drawn_ring: Scene, drawn_chain: Scene, drawn_earrings: Scene) -> None:
    for scene in (drawn_ring, drawn_chain, drawn_earrings):
        rim = np.concatenate([scene.alpha[0], scene.alpha[-1], scene.alpha[:, 0], scene.alpha[:, -1]])
        assert not rim.any()
