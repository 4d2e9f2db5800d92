"""The shot list: what is recognised, what is asked, what is missing, and the best of several."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from tests import scenes
from tests.imaging.test_scale_card import photographed
from vitrina.errors import UsageError
from vitrina.imaging.likeness import distance, view_hash
from vitrina.model import Alpha, Finding, Rgb, Severity, Size
from vitrina.stages.intake import advice
from vitrina.stages.intake.shots import WANTED, Seen, Shot, groups, judge_shots, recognise
from vitrina.steps import from_array

SIZE = Size(480, 400)


@cache
def pair() -> scenes.Scene:
    return scenes.earrings(SIZE)


@cache
def necklace() -> scenes.Scene:
    return scenes.chain(SIZE)


def shown(rgb: Rgb, piece: Alpha, piece_type: str, *codes: str, fill: float = 0.5) -> Shot | None:
    said = [Finding("framing", code, Severity.WARN, 1.0, 0.0, "", "x.") for code in codes]
    return recognise(from_array(rgb), piece, said, {"framing": {"fill": fill}}, piece_type)


def test_what_can_be_told_is_told() -> None:
    two, one = pair(), necklace()
    assert shown(two.rgb, two.alpha, "earrings") is Shot.PAIR
    assert shown(one.rgb, one.alpha, "necklace") is Shot.FRONT
    assert shown(one.rgb, one.alpha, "necklace", "worn") is Shot.ON_HAND
    assert shown(one.rgb, one.alpha, "ring", "cut-by-frame", fill=1.0) is Shot.MACRO
    assert shown(photographed(10)[0], np.zeros((900, 1200), np.float32), "ring") is Shot.SCALE


def test_what_cannot_be_told_is_asked() -> None:
    one = necklace()
    assert shown(one.rgb, one.alpha, "necklace", "cut-by-frame", fill=1.0) is None
    assert shown(one.rgb, one.alpha, "ring") is None
    half = pair().alpha.copy()
    half[:, SIZE.width // 2 :] = 0
    assert shown(pair().rgb, half, "earrings") is None


def seen(
    name: str,
    shot: Shot | None,
    *,
    severity: Severity | None = None,
    clipped: float = 0.0,
    blur: float = 1.0,
    view: int = 0,
) -> Seen:
    found = () if severity is None else (Finding("focus", "blur", severity, 3.0, 1.0, "px", "x."),)
    bits = np.random.default_rng(view).random(64) > 0.5
    return Seen(name, found, {"light": {"clipped_share": clipped}, "focus": {"blur_px": blur}}, bits, shot)


def test_what_is_missing_is_said() -> None:
    photos = [
        seen("a", Shot.FRONT),
        seen("b", Shot.MACRO, view=1),
        seen("c", Shot.ON_HAND, view=2),
        seen("d", None, view=3),
    ]
    findings, measures = judge_shots(photos, piece_type="necklace")
    assert [finding.code for finding in findings] == ["shot-clasp", "shot-unknown"]
    assert measures["missing"] == ["clasp"]
    assert measures["ask"][0]["photo"] == "d" and "clasp" in measures["ask"][0]["which"]
    findings, _ = judge_shots([*photos, seen("e", Shot.CLASP, view=4)], piece_type="necklace")
    assert findings == []


def test_a_photo_that_is_blocked_does_not_count() -> None:
    findings, _ = judge_shots([seen("a", Shot.FRONT, severity=Severity.BLOCK)], piece_type="other")
    assert "shot-front" in {finding.code for finding in findings}


def test_every_view_of_every_list_has_its_sentence() -> None:
    for shots in WANTED.values():
        for shot in shots:
            assert all(advice.say(f"shot-{shot}", language, 0, 1) for language in advice.LANGUAGES)
    with pytest.raises(UsageError, match="ring"):
        judge_shots([], piece_type="crown")


def test_the_best_of_several_and_why() -> None:
    burnt, good, soft, other = (
        seen("burnt", Shot.FRONT, clipped=0.2), seen("good", Shot.FRONT, clipped=0.02),
        seen("soft", Shot.FRONT, clipped=0.02, blur=1.8), seen("other", Shot.MACRO, view=9),
    )  # fmt: skip
    _, measures = judge_shots([burnt, soft, good, other], piece_type="other")
    (group,) = measures["repeated"]
    assert (group["best"], group["others"]) == ("good", ["soft", "burnt"])
    assert "1.0 px" in group["why"] and "1.8 px" in group["why"]
    _, measures = judge_shots([burnt, good], piece_type="other")
    assert "2 %" in measures["repeated"][0]["why"]


def test_exposures_of_one_view_lie_together_and_other_views_do_not() -> None:
    scene = necklace()
    brighter, darker = np.clip(1.3 * scene.rgb, 0, 1).astype(np.float32), (0.4 * scene.rgb).astype(np.float32)
    moved = np.roll(scene.rgb, 4, axis=1)
    smaller = cv2.resize(scene.rgb, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    first = view_hash(scene.rgb)
    for same in (brighter, darker, moved, smaller):
        assert distance(first, view_hash(same)) <= 10
    assert distance(first, view_hash(pair().rgb)) > 16
    photos = [Seen(str(i), (), {}, view_hash(rgb), None) for i, rgb in enumerate((scene.rgb, brighter, pair().rgb))]
    assert [[photo.name for photo in group] for group in groups(photos)] == [["0", "1"], ["2"]]
