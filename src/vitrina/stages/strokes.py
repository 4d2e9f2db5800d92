"""Strokes of the repair brush: what a person drew over a cutout, to keep or to drop."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from vitrina.errors import UsageError
from vitrina.model import Mask, Region, Size

__all__ = ["Stroke", "box_of", "masks_of", "read_strokes"]

MOST_STROKES, MOST_POINTS = 400, 4000
MOST_RADIUS_PX = 2000.0


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line drawn with a round brush, in pixels of the source."""

    keeps: bool
    radius_px: float
    points: tuple[tuple[float, float], ...]

    def as_dict(self) -> dict[str, Any]:
        """As it travels and is recorded."""
        kind = "keep" if self.keeps else "drop"
        return {"kind": kind, "radius": self.radius_px, "points": [list(point) for point in self.points]}


def read_strokes(told: Any, *, size: Size | None = None) -> tuple[Stroke, ...]:
    """Strokes as they travel: ``[{"kind": "keep"|"drop", "radius": 12, "points": [[x, y], …]}, …]``.

    Raises UsageError for anything else, for more than 400 strokes, and for a stroke that lies outside of `size`.
    """
    if not isinstance(told, Sequence) or isinstance(told, str) or not 1 <= len(told) <= MOST_STROKES:
        raise UsageError(f"strokes: a list of 1 to {MOST_STROKES} strokes is wanted.")
    return tuple(_stroke(item, number, size) for number, item in enumerate(told, 1))


def _stroke(told: Any, number: int, size: Size | None) -> Stroke:
    try:
        kind, radius = told["kind"], float(told["radius"])
        points = tuple((float(x), float(y)) for x, y in told["points"])
    except (TypeError, KeyError, ValueError) as error:
        raise UsageError(f"stroke {number}: kind, radius and points [[x, y], …] are wanted.") from error
    if kind not in ("keep", "drop") or not isinstance(told, Mapping):
        raise UsageError(f"stroke {number}: its kind is {str(kind)[:20]!r}; keep or drop is wanted.")
    if not 0.5 <= radius <= MOST_RADIUS_PX or not 1 <= len(points) <= MOST_POINTS:
        raise UsageError(
            f"stroke {number}: radius {radius:g} and {len(points)} points; 0.5 to {MOST_RADIUS_PX:g} px and 1 to "
            f"{MOST_POINTS} points are taken."
        )
    if not all(math.isfinite(value) and abs(value) < 1e6 for point in points for value in point):
        raise UsageError(f"stroke {number}: a point is no place in a picture.")
    if size is not None and not any(0 <= x < size.width and 0 <= y < size.height for x, y in points):
        raise UsageError(f"stroke {number} lies outside of the photo ({size}).")
    return Stroke(kind == "keep", radius, points)


def box_of(strokes: Sequence[Stroke], size: Size, *, margin_px: float = 0.0) -> Region:
    """The part of a picture of `size` that the strokes touch, with a margin."""
    xs = [x + sign * (s.radius_px + margin_px) for s in strokes for x, _ in s.points for sign in (-1, 1)]
    ys = [y + sign * (s.radius_px + margin_px) for s in strokes for _, y in s.points for sign in (-1, 1)]
    left, top = max(0, math.floor(min(xs))), max(0, math.floor(min(ys)))
    right, bottom = min(size.width, math.ceil(max(xs)) + 1), min(size.height, math.ceil(max(ys)) + 1)
    return Region(left, top, max(1, right - left), max(1, bottom - top))


def masks_of(strokes: Sequence[Stroke], within: Region) -> tuple[Mask, Mask]:
    """What is to be kept and what dropped in the part `within` of the picture; the later stroke overrules."""
    keep = np.zeros((within.height, within.width), np.uint8)
    drop = keep.copy()
    for stroke in strokes:
        own, other = (keep, drop) if stroke.keeps else (drop, keep)
        line = keep * 0
        # An eighth of a pixel is kept of a hand's course (OpenCV's fixed point).
        course = np.rint((np.array(stroke.points) - (within.x, within.y)) * 8).astype(np.int32)
        thick = max(1, round(2 * stroke.radius_px))
        if len(course) == 1:
            cv2.circle(line, tuple(int(v) for v in course[0]), round(8 * stroke.radius_px), 1, -1, cv2.LINE_8, 3)
        else:
            cv2.polylines(line, [course.reshape(-1, 1, 2)], False, 1, thick, cv2.LINE_8, 3)
        own |= line
        other[line > 0] = 0
    return keep > 0, drop > 0
