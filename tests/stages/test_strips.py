"""Strips: stones, links and tones of drawn pieces whose parts are known."""

from __future__ import annotations

import numpy as np

from tests import scenes
from vitrina.model import Size
from vitrina.stages.strips import strips_of

HERE = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def test_a_recoloured_ring_shows_it_in_its_patches() -> None:
    scene = scenes.ring(Size(700, 700))
    same = strips_of(scene.rgb, scene.rgb, scene.alpha, HERE)
    assert same.metal and max(tone.de00 for tone in same.metal) < 0.1
    assert all(tone.before == tone.after for tone in same.metal)
    pink = strips_of(scene.rgb, np.clip(scene.rgb * np.float32([1, 0.75, 0.9]), 0, 1), scene.alpha, HERE)
    assert max(tone.de00 for tone in pink.metal) > 4
    assert pink.metal[0].before == same.metal[0].before != pink.metal[0].after


def test_links_are_numbered_along_the_chain() -> None:
    scene = scenes.chain(Size(900, 700))
    links = strips_of(scene.rgb, scene.rgb, scene.alpha, HERE).links
    assert len(links) >= 6
    centres = np.array([[box.x + box.width / 2, box.y + box.height / 2] for box in links])
    steps = np.hypot(*np.diff(centres, axis=0).T)
    assert float(np.median(steps)) < 3 * max(box.width for box in links)


def test_an_edit_elsewhere_and_smaller_is_laid_back() -> None:
    scene = scenes.ring(Size(700, 700))
    half = scene.rgb[::2, ::2]
    moved = np.pad(half, ((40, 0), (25, 0), (0, 0)), constant_values=1.0)
    told = strips_of(scene.rgb, np.ascontiguousarray(moved), scene.alpha, (0.5, 0, 0, 0.5, 25, 40))
    assert told.metal and max(tone.de00 for tone in told.metal) < 1.5
