"""Without a matte, the pair itself tells where the source's piece is, parts that are gone included."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from tests.scenes import Scene, beads, earrings
from tests.stages.verify.damage import card
from tests.stages.verify.test_outline import Follower, telling
from vitrina.model import Alpha, Judgement, Region, Rgb, Size
from vitrina.stages.verify import verify
from vitrina.stages.verify.settle import structure_odds

WHITE = (1.0, 1.0, 1.0)


class Sure(Follower):
    """A network that knows the piece."""

    def find(self, rgb: Rgb) -> Alpha:
        return np.asarray(cv2.resize(self.alpha, rgb.shape[1::-1], interpolation=cv2.INTER_AREA), np.float32)


def judged(scene: Scene, edit: Rgb) -> Judgement:
    return verify(scene.source(), card(edit), segmenter=Sure(scene))


def without(scene: Scene, box: Region) -> Rgb:
    edit = scene.on(WHITE).copy()
    edit[box.slices] = 1
    return edit


def test_an_ear_wire_that_is_gone_is_found_though_its_contour_has_gaps() -> None:
    pair = earrings(Size(1120, 840), ground="grey")
    photo, wire = pair.rgb.copy(), pair.of_kind("clasp")[0].region
    for row in range(wire.y + 10, wire.y + wire.height, 50):
        gap = np.s_[row : row + 10, wire.x : wire.x + wire.width]
        photo[gap] = cv2.GaussianBlur(photo, (0, 0), 2)[gap]
    soft = replace(pair, rgb=photo)
    assert telling(judged(soft, soft.on(WHITE))) == []
    assert telling(judged(soft, without(soft, Region(wire.x - 2, wire.y - 4, wire.width + 4, wire.height - 100))))


def test_another_clasp_between_beads_is_named() -> None:
    before, after = beads(clasp="ring"), beads(clasp="bar")
    assert telling(judged(before, before.on(WHITE))) == []
    assert {name.split("/")[0] for name in telling(judged(before, after.on(WHITE)))} == {"clasp"}


def test_a_bead_that_is_gone_is_no_clasp() -> None:
    whole = beads()
    bead = whole.of_kind("stone")[10].region
    found = telling(judged(whole, without(whole, bead)))
    assert found and "clasp" not in {name.split("/")[0] for name in found}


def test_edges_tell_silver_from_a_calm_backdrop_and_not_from_print() -> None:
    slope = np.full((200, 300), 0.4, np.float32)
    kept, bare = np.zeros(slope.shape, bool), np.ones(slope.shape, bool)
    kept[20:100, 20:100] = True
    bare &= ~kept
    gone = np.s_[40:80, 160:200]
    slope[20:100, 20:100] = slope[gone] = 6.0
    open_backdrop = bare.copy()
    open_backdrop[gone] = False
    calm = structure_odds(slope, kept, bare, open_backdrop)
    assert calm[50:70, 170:190].min() > 1.5 and calm[150:, 20:].max() == 0
    printed = np.where(kept | ~bare, slope, 6.0).astype(np.float32)
    assert structure_odds(printed, kept, bare, bare).max() < 0.5


def test_nothing_is_said_of_edges_beside_what_was_kept() -> None:
    slope = np.full((200, 300), 0.4, np.float32)
    kept = np.zeros(slope.shape, bool)
    kept[20:100, 20:100] = True
    slope[17:103, 17:103] = 6.0
    assert structure_odds(slope, kept, ~kept, ~kept)[17:103, 100:103].max() == 0
