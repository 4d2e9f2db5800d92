"""Without a matte, the source's own edges tell an eaten outline and a kept rim from an honest one."""

from __future__ import annotations

import cv2
import numpy as np

from tests.scenes import Scene, chain, ring
from tests.stages.verify import damage
from tests.stages.verify.damage import card, layer, reframed
from vitrina.model import Alpha, Judgement, Rgb, Severity
from vitrina.stages.verify import LIMITS, verify
from vitrina.stages.verify.outline import Outline

SCENE = ring()


class Follower:
    """A network whose answer is too coarse for the contour to be read off it."""

    name = "follower"

    def __init__(self, scene: Scene = SCENE) -> None:
        self.alpha = scene.alpha

    def find(self, rgb: Rgb) -> Alpha:
        size = (rgb.shape[1], rgb.shape[0])
        soft = cv2.GaussianBlur(self.alpha, (0, 0), 3)
        return np.asarray(cv2.resize(soft, size, interpolation=cv2.INTER_AREA), np.float32)

    def refine(self, rgb: Rgb, alpha: Alpha) -> Alpha:
        assert rgb.shape[:2] == alpha.shape
        return alpha


def judged(edit: Rgb) -> Judgement:
    return verify(SCENE.source(), card(edit), segmenter=Follower())


def telling(judgement: Judgement) -> list[str]:
    return [f"{f.check}/{f.code}" for f in judgement.findings if f.severity is not Severity.NOTE]


def test_an_honest_outline_raises_nothing() -> None:
    assert telling(judged(SCENE.on((1, 1, 1)))) == []
    assert telling(judged(reframed(SCENE.on((1, 1, 1))))) == []


def test_an_eaten_outline_is_named_and_not_taken_for_stones() -> None:
    assert telling(judged(damage.eroded(layer(SCENE), 3).on())) == ["edges/eroded"]


def test_a_pixel_eaten_all_along_is_named_though_no_edge_lies_clearly_outside() -> None:
    assert telling(judged(damage.eroded(layer(SCENE), 1).on())) == ["edges/eroded"]


def test_as_much_edge_inside_as_outside_is_print_and_not_erosion() -> None:
    nothing = np.zeros((4, 4), bool)
    assert Outline(0.0, 1.0, nothing, outside=0.9, inside=0.5, prominence=2.0).is_eaten(LIMITS)
    assert not Outline(0.0, 1.0, nothing, outside=0.9, inside=0.9, prominence=2.0).is_eaten(LIMITS)
    assert not Outline(0.0, 1.0, nothing, outside=0.5, inside=0.1, prominence=2.0).is_eaten(LIMITS)


def test_the_many_edges_within_links_are_no_rim_of_backdrop() -> None:
    nothing = np.zeros((4, 4), bool)
    assert Outline(-5.0, 1.5, nothing, outside=0.3, inside=0.9, prominence=1.5).is_off(LIMITS)
    assert not Outline(-5.0, 1.5, nothing, outside=0.3, inside=0.9, prominence=1.05).is_off(LIMITS)


def test_a_rim_of_the_old_backdrop_is_named() -> None:
    found = telling(judged(damage.with_rim(SCENE, 5).on()))
    assert found and {name.split("/")[0] for name in found} == {"edges"}


def test_a_thin_link_that_is_gone_is_no_contour() -> None:
    whole = chain(wire=0.6, ground="velvet")
    gone = chain(wire=0.6, ground="velvet", missing=(12,))
    before, after = (
        verify(whole.source(), card(edit.on((1, 1, 1))), segmenter=Follower(whole)) for edit in (whole, gone)
    )
    assert telling(before) == []
    assert {name.split("/")[0] for name in telling(after)} == {"chain"}
