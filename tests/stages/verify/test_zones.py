"""What counts as a chain, and what a change is called by the zone it lies in."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from tests.scenes import Scene, chain, earrings, ring
from vitrina.model import Alpha, Size
from vitrina.stages.verify import LIMITS
from vitrina.stages.verify.align import align, shrink
from vitrina.stages.verify.zones import Zones, find_holes, find_zones


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


def test_a_gap_that_is_smaller_than_the_links_daylight_is_no_clasp() -> None:
    scene = chain(Size(1280, 840))
    clasp = scene.of_kind("clasp")[0].region
    assert zones_of(scene, scene.alpha).clasp[clasp.slices].any()
    filled = scene.alpha.copy()
    filled[clasp.slices] = np.maximum(filled[clasp.slices], scene.daylight[clasp.slices])
    y, x = clasp.y + clasp.height // 2, clasp.x + clasp.width // 2
    filled[y : y + 7, x : x + 7] = 0
    assert not zones_of(scene, filled).clasp[y : y + 7, x : x + 7].any()


def test_what_is_longer_and_thinner_than_any_band_is_a_chain_though_no_daylight_shows() -> None:
    scene = chain(clasp=False)
    filled = scene.alpha.copy()
    for hole in find_holes(scene.alpha, least_px=1):
        if hole.area_px < 5000:  # the middle of the necklace stays open
            filled[hole.region.slices] = 1
    small = cv2.resize(filled, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    zones = zones_of(half(scene), small)
    assert len(zones.holes) < 6 and zones.chain[zones.piece].mean() > 0.9
    band = ring(stones=1)
    assert not zones_of(band, band.alpha).chain.any()
    pair = earrings()
    assert not zones_of(pair, pair.alpha).chain.any()


def test_a_strand_goes_on_as_a_chain_where_its_links_show_no_daylight() -> None:
    scene = chain(clasp=False)
    half_way = scene.alpha.shape[1] // 2
    filled = scene.alpha.copy()
    for hole in find_holes(scene.alpha, least_px=1):
        if hole.area_px < 5000 and hole.centre[0] > half_way:
            filled[hole.region.slices] = np.maximum(filled[hole.region.slices], 1)
    zones = zones_of(scene, filled)
    right = zones.piece[:, half_way:]
    assert zones.chain[:, half_way:][right].mean() > 0.9


def test_what_lies_between_the_ends_of_a_chain_is_its_clasp_though_it_has_no_eye() -> None:
    scene = chain()
    clasp = scene.of_kind("clasp")[0].region
    barred = scene.alpha.copy()
    grown = np.s_[clasp.y - 6 : clasp.y + clasp.height + 6, clasp.x - 6 : clasp.x + clasp.width + 6]
    barred[grown] = 0
    middle = clasp.y + clasp.height // 2
    cv2.line(barred, (clasp.x - 10, middle), (clasp.x + clasp.width + 10, middle), 1.0, 5)
    zones = zones_of(scene, barred)
    bar = np.s_[middle - 2 : middle + 3, clasp.x + 4 : clasp.x + clasp.width - 4]
    assert zones.clasp[bar].mean() > 0.9
    assert zones.clasp.sum() < 0.1 * zones.chain.sum()


def half(scene: Scene) -> Scene:
    planes = (scene.rgb, scene.foreground, scene.alpha, scene.ground)
    rgb, foreground, alpha, ground = (cv2.resize(p, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for p in planes)
    return replace(scene, rgb=rgb, foreground=foreground, alpha=alpha, ground=ground)
