"""Being told where the maker put the piece saves the search; it must never make verify believe anything."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.scenes import Scene
from tests.stages.verify import damage
from tests.stages.verify.damage import card
from tests.stages.verify.test_verify import DEFECTS, told
from vitrina.imaging.register import as3
from vitrina.model import Judgement, Placement, Severity, Source, Verdict
from vitrina.stages.verify import examine_prepared, prepare


def judged(scene: Scene, edit: Source, placement: Placement | None) -> Judgement:
    return examine_prepared(prepare(scene.source(), matte=scene.alpha), edit, placement=placement).judgement


def corners(judgement: Judgement, scene: Scene) -> np.ndarray:
    """Where the registration puts the corners of the piece's box, in pixels of the work frame."""
    box = scene.box
    places = np.array([[(box.x, box.y), (box.x + box.width, box.y), (box.x, box.y + box.height)]], np.float64)
    return cv2.perspectiveTransform(places, as3(judgement.measures["registration"]["matrix"]))[0]


@pytest.mark.parametrize("kind", DEFECTS)
def test_a_defect_is_found_in_a_file_whose_place_is_known(kind: str) -> None:
    scene = DEFECTS[kind].scene()
    edit = card(DEFECTS[kind].edit(scene))
    judgement = judged(scene, edit, Placement(1, 0, 0, edit.size))
    assert judgement.verdict is Verdict.REJECT, told(judgement)
    named = [f for f in judgement.findings if f.severity is not Severity.NOTE and f.check in DEFECTS[kind].families]
    assert named, told(judgement)


@pytest.mark.parametrize(("scale", "dx", "dy"), [(1, 6, 0), (1, 45, -30), (1.06, 0, 0), (0.4, 10, 10), (-1, 0, 0)])
def test_a_wrong_placement_changes_nothing(scale: float, dx: float, dy: float, drawn_ring: Scene) -> None:
    edit = card(damage.reframed(drawn_ring.on((1, 1, 1)), scale=1.0, turn=0, shift=(0, 0)))
    wrong, none = judged(drawn_ring, edit, Placement(scale, dx, dy, edit.size)), judged(drawn_ring, edit, None)
    assert wrong.verdict is Verdict.PASS, told(wrong)
    assert np.abs(corners(wrong, drawn_ring) - corners(none, drawn_ring)).max() < 0.1


def test_a_right_placement_leads_to_the_same_registration(drawn_ring: Scene) -> None:
    edit = card(damage.reframed(drawn_ring.on((1, 1, 1)), scale=0.8, turn=0, shift=(12, 7)))
    width, height = drawn_ring.size.width, drawn_ring.size.height
    place = Placement(0.8, 0.2 * width / 2 + 12, 0.2 * height / 2 + 7, edit.size)
    right, none = judged(drawn_ring, edit, place), judged(drawn_ring, edit, None)
    assert right.verdict is Verdict.PASS, told(right)
    assert np.abs(corners(right, drawn_ring) - corners(none, drawn_ring)).max() < 0.15


def test_a_piece_that_was_moved_afterwards_is_found_where_it_is(drawn_ring: Scene) -> None:
    edit = card(damage.reframed(drawn_ring.on((1, 1, 1)), scale=0.9, turn=4, shift=(-20, 15)))
    seen, none = judged(drawn_ring, edit, Placement(1, 0, 0, edit.size)), judged(drawn_ring, edit, None)
    assert np.abs(corners(seen, drawn_ring) - corners(none, drawn_ring)).max() < 0.1
    untouched = judged(drawn_ring, card(drawn_ring.on((1, 1, 1))), None)
    assert np.abs(corners(seen, drawn_ring) - corners(untouched, drawn_ring)).max() > 10
