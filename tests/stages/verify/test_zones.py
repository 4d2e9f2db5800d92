"""What counts as a chain, and what a change is called by the zone it lies in."""

from __future__ import annotations

import numpy as np

from tests.scenes import Scene, chain, ring
from vitrina.model import Alpha
from vitrina.stages.verify import LIMITS
from vitrina.stages.verify.align import align, shrink
from vitrina.stages.verify.zones import Zones, find_zones


def zones_of(scene: Scene, alpha: Alpha) -> Zones:
    pair = align(shrink(scene.rgb, LIMITS.work_px), alpha, scene.on((1, 1, 1)), LIMITS)
    assert pair is not None
    return find_zones(pair)


def test_gaps_in_a_setting_are_no_chain() -> None:
    scene = ring(stones=1)
    stone = scene.of_kind("stone")[0].region
    pierced = scene.alpha.copy()
    for number in range(8):
        y, x = stone.y + 8 + 9 * (number // 4), stone.x + 4 + 9 * (number % 4)
        pierced[y : y + 4, x : x + 4] = 0
    assert not zones_of(scene, pierced).chain.any()


def test_a_link_whose_daylight_is_filled_belongs_to_the_chain() -> None:
    scene = chain()
    link = scene.of_kind("link")[12].region
    filled = scene.alpha.copy()
    filled[link.slices] = np.maximum(filled[link.slices], scene.daylight[link.slices])
    zones = zones_of(scene, filled)
    own = scene.alpha[link.slices] > 0.5
    assert zones.chain[link.slices][own].mean() > 0.9
