"""What surrounds the piece: clutter, a mirror under it, colours that its metal reflects, light of two colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.measure import steepness
from vitrina.model import Finding, Mask, Plane, Region, Severity
from vitrina.stages.intake.advice import finding
from vitrina.stages.intake.view import View

LEAST_BACKDROP_PX = 500
"""Of the whole frame; with less of it nothing can be said of what surrounds the piece."""
_CLUTTER_PX = 512
_STEEP = 3.0
"""L* per pixel of the shrunken frame that is a contour, not a shade."""
_MIRROR_PX = 192
"""A reflection is looked for coarsely: it is a little blurred and foreshortened."""
_CELLS = 8
_METAL_HUES = (40.0, 110.0)
"""Hues of gold, wood and skin (degrees, CIELAB): what gold shows of its own cannot be told from their reflection."""


def check(view: View) -> tuple[list[Finding], dict[str, Any]]:
    """Clutter, mirror, tint, mixed light."""
    if view.box is None or view.beyond.sum() < LEAST_BACKDROP_PX:
        return [], {}
    measures: dict[str, Any] = {}
    found = _clutter(view, measures)
    return [*found, *reflections(view, measures), *_mixed(view, measures)], measures


def reflections(view: View, measures: dict[str, Any]) -> list[Finding]:
    """The piece mirrored in its backdrop, and the backdrop's colour mirrored in the piece."""
    return [*_mirror(view, measures), *_tint(view, measures)]


def _clutter(view: View, measures: dict[str, Any]) -> list[Finding]:
    """How much of the backdrop lies near contours of its own."""
    limits = view.limits
    light = _at(view.whole_lab[..., 0], _CLUTTER_PX)
    beyond = _mask_at(view.beyond, light)
    contours = (steepness(light, smooth_px=1.2) > _STEEP).astype(np.uint8)
    covered = (cv2.dilate(contours, np.ones((9, 9), np.uint8)) > 0) & beyond
    share = float(covered.sum() / max(1, beyond.sum()))
    measures |= {"clutter_share": share}
    if share <= limits.clutter_note:
        return []
    is_much = share > limits.clutter_warn
    return [
        finding(
            "background", "cluttered-backdrop", Severity.WARN if is_much else Severity.NOTE, measured=share,
            limit=limits.clutter_warn if is_much else limits.clutter_note, unit="of the backdrop",
            region=_in_photo(view, covered),
        )
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Likeness:
    """How alike the backdrop is to the piece turned over a level line (correlation −1…1), and where it was compared."""

    value: float
    place: Mask


def _mirror(view: View, measures: dict[str, Any]) -> list[Finding]:
    """The piece upside down in the backdrop below it: a mirror or a polished table."""
    limits = view.limits
    light = _at(view.whole_lab[..., 0], _MIRROR_PX)
    evidence = _at(view.evidence, _MIRROR_PX)
    detail = light - cv2.GaussianBlur(light, (0, 0), 3)
    piece = evidence > limits.piece_evidence
    free = cv2.dilate(evidence, np.ones((3, 3), np.uint8)) < 0.15
    best = _Likeness(0.0, np.zeros_like(piece))
    rows = np.flatnonzero(piece.any(axis=1))
    if len(rows):
        tall, last = int(rows[-1] - rows[0] + 1), int(rows[-1])
        for twice in range(2 * last - round(0.8 * tall), 2 * last + round(0.5 * tall) + 1):
            best = max(best, _turned(detail, piece, free, twice), key=lambda seen: seen.value)
    measures |= {"mirror_likeness": best.value}
    if best.value <= limits.mirror_warn:
        return []
    return [
        finding(
            "background", "mirror-table", Severity.WARN, measured=best.value, limit=limits.mirror_warn,
            unit="correlation", region=_in_photo(view, best.place),
        )
    ]  # fmt: skip


def _turned(detail: Plane, piece: Mask, free: Mask, twice: int) -> _Likeness:
    """The likeness when row r is compared with row `twice` − r."""
    start, stop = max(0, twice - len(detail) + 1), min(len(detail), twice + 1)
    place = np.zeros_like(piece)
    place[start:stop] = piece[twice - stop + 1 : twice - start + 1][::-1] & free[start:stop]
    if place.sum() < max(40, 0.15 * piece.sum()):
        return _Likeness(0.0, place)
    turned = detail[twice - stop + 1 : twice - start + 1][::-1][place[start:stop]]
    there = detail[start:stop][place[start:stop]]
    there, turned = there - there.mean(), turned - turned.mean()
    strength = float(np.sqrt((there * there).mean()))
    if strength < 0.8:  # L*: noise and paper grain
        return _Likeness(0.0, place)
    return _Likeness(float((there * turned).mean() / (strength * np.sqrt((turned * turned).mean()) + 1e-6)), place)


def _tint(view: View, measures: dict[str, Any]) -> list[Finding]:
    """The backdrop's own strong colour on the piece, well inside its outline."""
    limits = view.limits
    chroma, hue = _backdrop_colour(view)
    if chroma < limits.tint_ground or _METAL_HUES[0] < hue < _METAL_HUES[1]:
        return []
    inside = cv2.erode(view.close_piece.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    if inside.sum() < 300:
        return []
    a, b = view.close_lab[..., 1], view.close_lab[..., 2]
    apart = np.abs((np.degrees(np.arctan2(b, a)) - hue + 180) % 360 - 180)
    tinted = inside & (np.hypot(a, b) > 6) & (apart < 25)
    share = float(tinted.sum() / inside.sum())
    measures |= {"tint_share": share}
    if share <= limits.tint_warn:
        return []
    return [
        finding(
            "colour", "tinted", Severity.WARN, measured=share, limit=limits.tint_warn, unit="of the piece",
            region=view.from_close(Region.around(tinted)),
        )
    ]  # fmt: skip


def _backdrop_colour(view: View) -> tuple[float, float]:
    """C*ab and hue (degrees) of the backdrop."""
    _, a, b = np.median(view.ground_lab, axis=0)
    return float(np.hypot(a, b)), float(np.degrees(np.arctan2(b, a)) % 360)


def _mixed(view: View, measures: dict[str, Any]) -> list[Finding]:
    """A plain backdrop that turns from warm to cold across the frame, or highlights of both kinds on the piece."""
    limits = view.limits
    slope = _warm_to_cold(view)
    bright = view.close_lab[view.close_piece]
    both = 0.0
    if len(bright) >= 300 and _backdrop_colour(view)[0] < limits.tint_ground:
        bright = bright[bright[:, 0] >= np.percentile(bright[:, 0], 85)]
        warm = float((bright[:, 2] > 10).mean())
        # The blue of a window lies near b*'s axis; that of turquoise and sapphires leans to a side.
        cold = float(((bright[:, 2] < -8) & (np.abs(bright[:, 1]) < 8)).mean())
        both = min(warm, cold)
    measures |= {"warm_to_cold_b": slope, "both_highlights": both}
    if slope > limits.mixed_ground:
        measured, limit, unit = slope, limits.mixed_ground, "b* across the backdrop"
    elif both > limits.mixed_highlights:
        measured, limit, unit = 100 * both, 100 * limits.mixed_highlights, "% of the highlights"
    else:
        return []
    return [finding("colour", "mixed-light", Severity.WARN, measured=measured, limit=limit, unit=unit)]


def _warm_to_cold(view: View) -> float:
    """Range of b* that a plane through the backdrop's cells explains; 0 where a plane does not explain it well.

    Print and folds change colour here and there; two lights change it steadily from one side to the other.
    """
    height, width = view.beyond.shape
    cells: list[tuple[float, float, float]] = []
    for y in range(_CELLS):
        for x in range(_CELLS):
            part = np.s_[
                y * height // _CELLS : (y + 1) * height // _CELLS, x * width // _CELLS : (x + 1) * width // _CELLS
            ]
            inside = view.beyond[part]
            if inside.mean() < 0.3:
                continue
            light, _, b = np.median(view.whole_lab[part][inside][::3], axis=0)
            if light > 25:
                cells.append((x, y, float(b)))
    if len(cells) < 12:
        return 0.0
    at = np.array(cells)
    plane = np.column_stack([at[:, :2], np.ones(len(at))])
    fitted: NDArray[np.float64] = plane @ np.linalg.lstsq(plane, at[:, 2], rcond=None)[0]
    explained = 1 - np.var(at[:, 2] - fitted) / max(float(np.var(at[:, 2])), 1e-6)
    return float(np.ptp(fitted)) if explained > 0.75 and fitted.max() > 2 > -2 > fitted.min() else 0.0


def _at(plane: Plane, long_side_px: int) -> Plane:
    scale = min(1.0, long_side_px / max(plane.shape))
    size = (max(1, round(plane.shape[1] * scale)), max(1, round(plane.shape[0] * scale)))
    return np.asarray(cv2.resize(np.ascontiguousarray(plane), size, interpolation=cv2.INTER_AREA), np.float32)


def _mask_at(mask: Mask, like: Plane) -> Mask:
    return np.asarray(cv2.resize(mask.astype(np.uint8), like.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0, bool)


def _in_photo(view: View, mask: Mask) -> Region | None:
    region = Region.around(mask)
    return None if region is None else region.scaled(view.size.width / mask.shape[1]).grown(0, within=view.size)
