"""Without a matte: what a wrong matte alone would explain is no change, and what is really gone still is one."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from tests.scenes import Scene, chain, ring
from tests.stages.verify.damage import card, layer, without
from vitrina.model import Alpha, Judgement, Region, Rgb, Severity
from vitrina.stages.verify import verify


@dataclass(frozen=True)
class Mistaken:
    """A network that knows the matte except in one place, where it says the opposite."""

    alpha: Alpha
    where: Region
    name: str = "mistaken"

    def find(self, rgb: Rgb) -> Alpha:
        wrong = self.alpha.copy()
        wrong[self.where.slices] = 1 - wrong[self.where.slices]
        return cv2.resize(wrong, (rgb.shape[1], rgb.shape[0]), interpolation=cv2.INTER_AREA)

    def refine(self, rgb: Rgb, alpha: Alpha) -> Alpha:
        assert rgb.shape[:2] == alpha.shape
        return alpha


def judged(scene: Scene, edit: Rgb, where: Region) -> Judgement:
    return verify(scene.source(), card(edit), segmenter=Mistaken(scene.alpha, where))


def families(judgement: Judgement) -> set[str]:
    return {f.check for f in judgement.findings if f.severity is not Severity.NOTE}


def daylight(scene: Scene) -> Region:
    """A link's own daylight."""
    count, _, stats, _ = cv2.connectedComponentsWithStats((scene.alpha < 0.5).astype(np.uint8), connectivity=4)
    sizes = [(stats[k, cv2.CC_STAT_AREA], k) for k in range(1, count) if 20 < stats[k, cv2.CC_STAT_AREA] < 400]
    x, y, w, h, _ = (int(v) for v in stats[max(sizes)[1]])
    return Region(x, y, w, h)


def test_daylight_that_the_network_took_for_metal_is_not_missing() -> None:
    scene = chain()
    assert families(judged(scene, scene.on((1, 1, 1)), daylight(scene))) == set()


def test_metal_that_the_network_took_for_backdrop_was_not_added() -> None:
    scene = ring()
    band = Region(scene.box.x + 2, scene.box.y + scene.box.height // 2, 8, 12)
    assert families(judged(scene, scene.on((1, 1, 1)), band)) == set()


def test_a_link_that_is_gone_is_still_missed() -> None:
    scene = chain()
    link = scene.of_kind("link")[7].region
    judgement = judged(scene, without(layer(scene), link.grown(2, within=scene.size)).on(), daylight(scene))
    assert "chain" in families(judgement)
