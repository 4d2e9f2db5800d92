"""Known marks: an edit that keeps them passes, one that lost them does not, wherever the edit put the piece."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.scenes import Scene
from vitrina.errors import InputError
from vitrina.model import Region, Rgb, Verdict
from vitrina.stages.verify import Facts, load_facts, verify
from vitrina.stages.verify.facts import Mark
from vitrina.steps import from_array


def scratched(scene: Scene) -> tuple[Rgb, Region]:
    """The scene with a scratch in its metal, and where."""
    solid = cv2.erode((scene.alpha > 0.99).astype(np.uint8), np.ones((9, 9), np.uint8))
    row, column = np.argwhere(solid > 0)[len(np.argwhere(solid > 0)) // 3]
    layer = np.zeros(scene.alpha.shape, np.float32)
    cv2.line(layer, (int(column) - 7, int(row) - 5), (int(column) + 7, int(row) + 5), 1.0, 2, cv2.LINE_AA)
    layer = (0.8 * layer * scene.alpha)[..., None]
    return scene.rgb * (1 - layer), Region(int(column) - 10, int(row) - 8, 21, 17)


def missing(source: Rgb, edit: Rgb, scene: Scene, region: Region) -> list[str]:
    facts = Facts(marks=(Mark("scratch on the shank", region),))
    judgement = verify(from_array(source), from_array(edit), matte=scene.alpha, facts=facts)
    return [finding.code for finding in judgement.findings if finding.code.startswith("known-mark")]


def test_a_mark_that_was_retouched_is_insisted_on(drawn_ring: Scene) -> None:
    source, region = scratched(drawn_ring)
    kept = drawn_ring.alpha[..., None] * source + (1 - drawn_ring.alpha[..., None])
    assert missing(source, kept, drawn_ring, region) == []
    assert missing(source, drawn_ring.on((1, 1, 1)), drawn_ring, region) == ["known-mark-missing"]
    smaller = cv2.resize(kept, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)
    assert missing(source, smaller, drawn_ring, region) == []


def test_the_finding_says_which_mark_and_rejects(drawn_ring: Scene) -> None:
    source, region = scratched(drawn_ring)
    facts = Facts(marks=(Mark("scratch on the shank", region),))
    judgement = verify(from_array(source), from_array(drawn_ring.on((1, 1, 1))), matte=drawn_ring.alpha, facts=facts)
    assert judgement.verdict is Verdict.REJECT
    (found,) = (finding for finding in judgement.findings if finding.code == "known-mark-missing")
    assert "scratch on the shank" in found.message and found.region is not None
    assert abs(found.region.x - region.x) < 6 and abs(found.region.y - region.y) < 6


def test_a_mark_where_there_is_none_is_said(drawn_ring: Scene) -> None:
    edit = drawn_ring.on((1, 1, 1))
    assert missing(drawn_ring.rgb, edit, drawn_ring, Region(0, 0, 12, 12)) == ["known-mark-unseen"]


def test_marks_are_read_from_facts() -> None:
    facts = load_facts(b'[[marks]]\nwhat = "dent"\nregion = [4, 5, 6, 7]\n[[marks]]\nwhat = "somewhere"\n')
    assert facts.marks == (Mark("dent", Region(4, 5, 6, 7)),)
    with pytest.raises(InputError, match="region"):
        load_facts(b"[[marks]]\nregion = [1, 2, -3, 4]\n")
    assert load_facts(b'marks = ["scratch on the shank"]\n').marks == ()
