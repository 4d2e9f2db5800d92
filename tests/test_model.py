"""The nouns: regions, placements, verdicts, and how they are written into documents."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrina import model
from vitrina.model import (
    CHECKS,
    Finding,
    Judgement,
    Placement,
    Region,
    Severity,
    Size,
    Verdict,
    verdict_of,
)


def finding(severity: Severity, **more: object) -> Finding:
    return dataclasses.replace(Finding("stones", "x", severity, 6, 7, "stones", "Stone 4 is missing. Reject."), **more)


@pytest.mark.parametrize(
    ("severities", "verdict"),
    [
        ((), Verdict.PASS),
        ((Severity.NOTE, Severity.NOTE), Verdict.PASS),
        ((Severity.NOTE, Severity.WARN), Verdict.REVIEW),
        ((Severity.WARN, Severity.BLOCK, Severity.NOTE), Verdict.REJECT),
    ],
)
def test_the_gravest_finding_decides(severities: tuple[Severity, ...], verdict: Verdict) -> None:
    assert verdict_of(finding(severity) for severity in severities) is verdict


def test_a_finding_belongs_to_a_check_of_the_contract() -> None:
    with pytest.raises(ValueError, match="gems"):
        Finding("gems", "x", Severity.NOTE, None, None, "", "")
    assert len(CHECKS) == len(set(CHECKS)) == 18


def test_a_judgement_is_plain_json() -> None:
    judgement = Judgement(
        "vitrina.verify/1",
        (finding(Severity.WARN, measured=np.float32(1.23456), region=Region(1, 2, 3, 4)),),
        {"metal": {"de00": np.float64(0.5)}, "links": (np.int64(3), np.array([1.5, np.nan])), "at": Region(0, 0, 1, 1)},
        {"total": 0.12345},
    )
    document = json.loads(json.dumps(judgement.as_dict(), allow_nan=False))
    assert document["verdict"] == "review"
    assert document["findings"][0]["measured"] == 1.2346
    assert document["findings"][0]["region"] == {"x": 1, "y": 2, "width": 3, "height": 4}
    assert document["measures"]["links"] == [3, [1.5, None]]
    assert document["measures"]["at"]["width"] == 1
    assert document["seconds"]["total"] == 0.123


def test_a_region_around_nothing_is_none() -> None:
    assert Region.around(np.zeros((5, 5), bool)) is None


@given(x=st.integers(0, 30), y=st.integers(0, 20), width=st.integers(1, 9), height=st.integers(1, 9))
def test_a_region_cuts_out_what_it_is_around(x: int, y: int, width: int, height: int) -> None:
    mask = np.zeros((40, 50), bool)
    region = Region(x, y, width, height)
    mask[region.slices] = True
    assert Region.around(mask) == region
    assert mask[region.slices].all()
    assert mask.sum() == width * height


@given(margin=st.integers(0, 60), factor=st.floats(0.1, 4))
def test_growing_stays_inside_and_scaling_covers(margin: int, factor: float) -> None:
    region, canvas = Region(10, 5, 8, 6), Size(50, 40)
    grown = region.grown(margin, within=canvas)
    assert grown.x >= 0
    assert grown.x + grown.width <= 50
    assert grown.y + grown.height <= 40
    scaled = region.scaled(factor)
    assert scaled.x <= region.x * factor
    assert scaled.x + scaled.width >= (region.x + region.width) * factor - 1e-9


@given(
    scales=st.tuples(st.floats(0.1, 3), st.floats(0.1, 3)),
    shifts=st.tuples(*[st.floats(-100, 100)] * 4),
    point=st.tuples(st.floats(0, 1000), st.floats(0, 1000)),
)
def test_two_placements_after_another_are_one(
    scales: tuple[float, float], shifts: tuple[float, ...], point: tuple[float, float]
) -> None:
    first = Placement(scales[0], shifts[0], shifts[1], Size(10, 10))
    second = Placement(scales[1], shifts[2], shifts[3], Size(20, 30))
    joined = first.then(second)
    homogeneous = np.array([*point, 1.0])
    once = second.matrix() @ np.append(first.matrix() @ homogeneous, 1.0)
    assert joined.matrix() @ homogeneous == pytest.approx(once, rel=1e-9, abs=1e-6)
    assert joined.size == Size(20, 30)


def test_a_size_reads_as_people_say_it() -> None:
    assert str(Size(4000, 3000)) == "4000×3000"
    assert Size(4000, 3000).megapixels == 12


def test_all_nouns_are_frozen() -> None:
    kinds = [
        kind for kind in vars(model).values() if dataclasses.is_dataclass(kind) and kind.__module__ == model.__name__
    ]
    assert len(kinds) > 10
    for kind in kinds:
        assert kind.__dataclass_params__.frozen, kind  # type: ignore[union-attr]
        assert "__slots__" in vars(kind), kind
