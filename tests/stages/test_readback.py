"""What a marketplace shows is told from what was sent: swapped, cut, toned, or only encoded again."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from tests.rules.pictures import canvas
from vitrina import steps
from vitrina.model import Severity, Size
from vitrina.stages.readback import compare_shown

SENT = canvas(Size(600, 800), fill=0.7)


def smaller(picture: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.resize(picture, (300, 400), interpolation=cv2.INTER_AREA), np.uint8)


def toned(picture: np.ndarray) -> np.ndarray:
    out = picture.astype(np.int16)
    out[picture.sum(axis=2) < 600] += (12, 4, -8)
    return np.clip(out, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("change", "code", "severity"),
    [
        (smaller, "shown-reencoded", Severity.NOTE),
        (lambda p: cv2.GaussianBlur(p, (0, 0), 0.6), "shown-reencoded", Severity.NOTE),
        (toned, "shown-toned", Severity.WARN),
        (lambda p: p[100:700], "shown-recropped", Severity.WARN),
        (lambda p: np.ascontiguousarray(p[50:-50, 37:-38]), "shown-swapped", Severity.BLOCK),
        (lambda _: canvas(Size(600, 800), fill=0.4), "shown-swapped", Severity.BLOCK),
    ],
    ids=["smaller", "softer", "toned", "cut to a square", "another crop", "another picture"],
)
def test_what_became_of_a_picture(change: Callable[[np.ndarray], np.ndarray], code: str, severity: Severity) -> None:
    sent, shown = steps.from_array(SENT), steps.from_array(np.ascontiguousarray(change(SENT)))
    found = compare_shown(sent, shown, place=3)
    assert [(finding.code, finding.severity) for finding in found] == [(code, severity)]
    assert "Picture 3" in found[0].message and found[0].measured is not None
