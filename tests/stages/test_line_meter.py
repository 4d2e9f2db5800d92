"""The line meter: what a line has in common, and which picture of it lies apart, in what."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from vitrina.imaging.colour import decode_srgb
from vitrina.model import Rgb, Severity
from vitrina.stages.line_meter import Measured, measure_picture, meter

GOLD = (196, 158, 92)


def picture(
    *,
    fill: float = 0.6,
    ground: int = 255,
    towards: float | None = 60,
    piece: tuple[int, int, int] = GOLD,
    seed: int = 0,
) -> Rgb:
    """A disc on a plain ground with a soft shadow towards an angle (degrees, clockwise from the right)."""
    side = 400
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    middle, radius = side / 2, fill * side / 2
    out = np.full((side, side, 3), ground, np.float32)
    if towards is not None:
        dx, dy = (0.35 * radius * f(np.radians(towards)) for f in (np.cos, np.sin))
        away = np.hypot(columns - middle - dx, rows - middle - dy)
        out -= (22 * np.clip(1.25 - away / radius, 0, 0.6) / 0.6)[..., None]
    disc = np.hypot(columns - middle, rows - middle) < radius
    grain = np.random.default_rng(seed).normal(0, 3, (side, side, 1))
    out[disc] = (np.array(piece, np.float32) + grain)[disc]
    return decode_srgb(np.clip(out, 0, 255).astype(np.uint8))


def line(odd: Rgb, *, count: int = 7) -> list[Measured]:
    same = [picture(fill=0.6 + 0.01 * (i % 3), towards=55 + 5 * (i % 3), seed=i) for i in range(count)]
    made = [measure_picture(rgb, sku=f"R {i}", group="gold") for i, rgb in enumerate(same)]
    return [*made, measure_picture(odd, sku="ODD 1", group="gold")]


def test_a_picture_is_measured() -> None:
    seen = measure_picture(picture(fill=0.5, towards=90), sku="R", group="gold")
    assert seen.fill == pytest.approx(0.5, abs=0.05)
    assert seen.shadow_deg == pytest.approx(90, abs=12)
    assert seen.ground[0] == pytest.approx(100, abs=0.5)
    assert seen.tone is not None and seen.tone[2] > 20, "golden"
    assert measure_picture(picture(towards=None), sku="R", group="").shadow_deg is None


SHAPES: dict[str, Callable[[np.ndarray], object]] = {
    "pendant": lambda a: [
        cv2.line(a, (150, 40), (250, 330), 1, 3), cv2.line(a, (350, 40), (250, 330), 1, 3),
        cv2.ellipse(a, (250, 390), (28, 60), 0, 0, 360, 1, -1),
    ],
    "ring": lambda a: [cv2.circle(a, (250, 250), 120, 1, 14), cv2.circle(a, (250, 125), 30, 1, -1)],
    "pair": lambda a: [cv2.circle(a, (140, 250), 50, 1, -1), cv2.circle(a, (360, 250), 50, 1, -1)],
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_where_a_shadow_falls_does_not_depend_on_the_shape_of_the_piece(shape: str) -> None:
    """A pendant's weight hangs low: the shadow's middle lies below the picture's whichever side the lamp was on."""
    piece = np.zeros((500, 500), np.float32)
    SHAPES[shape](piece)

    def cast(towards: float, far_px: float) -> float | None:
        shift = [far_px * f(np.radians(towards)) for f in (np.cos, np.sin)]
        moved = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
        depth = 60 * cv2.warpAffine(cv2.GaussianBlur(piece, (0, 0), 14), moved, (500, 500))
        out = np.where(piece[..., None] > 0.5, np.array(GOLD, np.float32), 255 - depth[..., None])
        return measure_picture(decode_srgb(out.astype(np.uint8)), sku="R", group="").shadow_deg

    for towards in (0, 60, 150, 210, 270, 330):
        measured = cast(towards, 16)
        assert measured is not None
        assert abs((measured - towards + 180) % 360 - 180) < 10
    assert cast(0, 0) is None, "as deep on every side"


def test_a_line_that_agrees_has_no_outliers() -> None:
    spread, apart = meter(line(picture(seed=9)))
    assert apart == []
    assert spread["pictures"] == spread["with_shadow"] == 8
    assert spread["ground_de76"] < 0.5 and spread["fill"] < 0.03 and spread["shadow_deg"] < 10
    assert spread["tone_de76"]["gold"] < 2


@pytest.mark.parametrize(
    ("odd", "code"),
    [
        (picture(ground=236), "line-ground"),
        (picture(fill=0.35), "line-scale"),
        (picture(towards=200), "line-shadow"),
        (picture(towards=None), "line-shadow-odd"),
        (picture(piece=(150, 150, 158)), "line-tone"),
    ],
    ids=["ground", "scale", "shadow", "none", "tone"],
)
def test_the_one_that_differs_is_named_with_what_to_redo(odd: Rgb, code: str) -> None:
    _, apart = meter(line(odd))
    assert {(sku, finding.code, finding.severity) for sku, finding in apart} >= {("ODD 1", code, Severity.WARN)}
    assert {sku for sku, _ in apart} == {"ODD 1"}


def test_metals_are_not_compared_with_each_other() -> None:
    gold = line(picture(seed=9), count=5)
    silver = [measure_picture(picture(piece=(168, 168, 172), seed=i), sku=f"S {i}", group="silver") for i in range(5)]
    spread, apart = meter([*gold, *silver])
    assert apart == [] and set(spread["tone_de76"]) == {"gold", "silver"}


def test_a_short_line_is_said_to_be_short() -> None:
    spread, apart = meter(line(picture())[:3])
    assert spread == {"pictures": 3}
    assert [(sku, finding.code, finding.severity) for sku, finding in apart] == [("", "line-too-short", Severity.NOTE)]
