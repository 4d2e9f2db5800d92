"""Strokes of the repair brush: read with care, drawn where they lie, and solved nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from tests import scenes
from vitrina.errors import UsageError
from vitrina.model import Cutout, Region, Size
from vitrina.stages.cutout import mend, parts_of
from vitrina.stages.strokes import Stroke, box_of, masks_of, read_strokes

GOOD = {"kind": "keep", "radius": 4, "points": [[10, 10], [30, 10]]}


def test_strokes_travel_and_come_back() -> None:
    strokes = read_strokes([GOOD, {**GOOD, "kind": "drop", "points": [[5.25, 6]]}], size=Size(100, 50))
    assert [stroke.keeps for stroke in strokes] == [True, False]
    assert read_strokes([stroke.as_dict() for stroke in strokes]) == strokes


@pytest.mark.parametrize(
    "odd",
    [
        None, [], "keep", [1], [{}], [{**GOOD, "kind": "paint"}], [{**GOOD, "radius": 0}], [{**GOOD, "points": []}],
        [{**GOOD, "points": [[float("nan"), 1]]}], [{**GOOD, "points": [[1, 2, 3]]}], [GOOD] * 401,
        [{**GOOD, "points": [[200, 10]]}], [{**GOOD, "radius": "wide"}],
    ],
)  # fmt: skip
def test_odd_strokes_are_refused(odd: object) -> None:
    with pytest.raises(UsageError, match="stroke"):
        read_strokes(odd, size=Size(100, 50))


def test_the_later_stroke_overrules() -> None:
    keep, drop = masks_of(
        (Stroke(True, 5, ((10, 10), (40, 10))), Stroke(False, 3, ((25, 0), (25, 20)))), Region(0, 0, 60, 30)
    )
    assert keep[10, 12] and not keep[10, 25] and drop[10, 25] and not (keep & drop).any()
    assert keep[10, 6] and not keep[10, 3]  # the brush is round and 5 px wide to each side
    shifted, _ = masks_of((Stroke(True, 5, ((10, 10), (40, 10))),), Region(8, 6, 20, 10))
    assert (shifted == masks_of((Stroke(True, 5, ((10, 10), (40, 10))),), Region(0, 0, 60, 30))[0][6:16, 8:28]).all()


def test_a_box_stays_inside_the_picture() -> None:
    assert box_of((Stroke(True, 9, ((2, 3), (50, 40))),), Size(52, 41), margin_px=4) == Region(0, 0, 52, 41)


def test_mending_changes_nothing_far_away() -> None:
    scene = scenes.ring(Size(640, 640))
    source = scene.source()
    alpha = scene.alpha.copy()
    ys, xs = np.nonzero(alpha > 0.99)
    row, column = int(ys[len(ys) // 2]), int(xs[len(ys) // 2])
    alpha[row - 14 : row + 15, column - 14 : column + 15] = 0  # a bite out of the piece
    cut = Cutout(source.rgb, alpha, parts_of(alpha), (1.0, 1.0, 1.0), "drawn")
    mended = mend(source, cut, (Stroke(True, 16, ((column, row),)),))
    far = np.ones(alpha.shape, bool)
    far[max(0, row - 60) : row + 61, max(0, column - 60) : column + 61] = False
    assert (mended.alpha[far] == alpha[far]).all() and (mended.foreground[far] == cut.foreground[far]).all()
    assert mended.alpha[row, column] == 1 and mended.method.endswith("mended by hand")
    was, now = (float(np.abs(a - scene.alpha)[~far].mean()) for a in (alpha, mended.alpha))
    assert now < was
    dropped = mend(source, mended, (Stroke(False, 5, ((column, row),)),))
    assert dropped.alpha[row, column] == 0 and (dropped.alpha[far] == alpha[far]).all()
