"""The edit's outline held against the source's own edges: erosion and halo where nobody gave the matte.

A matte that is settled from the pair follows the edit, and with it an eaten contour or a kept rim. The source needs no
matte to object: wherever the edit's outline runs, the source has to have an edge too. An eaten outline finds that edge
outside of itself, an outline with a rim of the old backdrop finds it inside, by the same distance all along. Texture
and print have edges as well, but at any distance, and the mean over thousands of places takes them out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from vitrina.imaging.compare import LabPlanes, strength
from vitrina.model import Finding, Mask, Plane, Region, Severity
from vitrina.stages.verify.align import Aligned
from vitrina.stages.verify.contour import Contour
from vitrina.stages.verify.limits import VerifyLimits

_APART_DE = 10.0
"""ΔE76 from the ground from which a pixel of the edit is the piece, or what was kept with it."""
_STEEP = 8.0
"""Slope of the edit, Lab units a pixel, that is an outline; the border of a soft shadow is none."""
_NEAR_PX = 15
_REACH_PX, _STEP_PX, _SLACK_PX = 9.0, 0.5, 1.5
"""How far from the outline edges are looked for, how finely, and how far the outline itself may lie from its place."""
_LEAST_POINTS = 400
_BESIDE_PX = 2.0
"""Where the source has to have calmed down beside an honest outline."""
_ONE_EDGE, _BESIDE_EDGE_PX = 1.25, 3.0
"""Prominence of an edge that runs along the outline: that of a piece within a rim of old backdrop has 1.27 and more."""
_BORNE_OUT_PX = 0.5
"""Offset from which the source's edges bear out an erosion that the settled matte shows."""


@dataclass(frozen=True, slots=True)
class Outline:
    """`offset_px`: where the source's edge lies, seen from the edit's outline, outwards positive (work frame).

    `ratio` is how much more of an edge the source has there than at the outline itself; `mask` is what lies between.
    `outside` and `inside` are how much of an edge it has 2 px beside the outline, over that at the outline;
    `prominence` how much more of one there is at `offset_px` than 3 px to either side.
    """

    offset_px: float
    ratio: float
    mask: Mask
    outside: float
    inside: float
    prominence: float

    def is_off(self, limits: VerifyLimits) -> bool:
        """The edge lies elsewhere. Inside it has to be one edge: links have many, at any distance from it."""
        if self.offset_px < 0 and self.prominence < _ONE_EDGE:
            return False
        return abs(self.offset_px) >= limits.outline_px and self.ratio >= limits.outline_ratio

    def is_eaten(self, limits: VerifyLimits) -> bool:
        """Beside an honest outline the source is calm backdrop; print is no more restless than the piece inside."""
        return self.outside >= max(limits.outline_outside, limits.outline_lopsided * self.inside)


def judge_outline(pair: Aligned, contour: Contour, limits: VerifyLimits) -> Contour:
    """`contour` with what the outline shows: a finding of its own, and none of erosion that the source denies.

    Changes that `contour` explains stay explained: a settled matte that lies too wide looks eaten everywhere.
    """
    outline = find_outline(pair)
    if outline is None:
        return contour
    is_eaten = outline.is_eaten(limits)
    if outline.offset_px < _BORNE_OUT_PX and not is_eaten:
        contour = replace(contour, findings=tuple(f for f in contour.findings if f.code != "eroded"))
    is_off = outline.is_off(limits)
    if contour.findings or not (is_off or is_eaten):
        return contour
    if not is_off:
        return _eaten(pair, contour, outline, limits)
    distance = abs(outline.offset_px) / pair.scale
    if outline.offset_px > 0:
        code, side, what = "eroded", "outside", "the piece was eaten into"
    else:
        code, side, what = "halo", "inside", "a rim of the old backdrop lies"
    finding = Finding(
        "edges", code, Severity.BLOCK, distance, limits.outline_px / pair.scale, "px",
        f"The source's edge lies {distance:.1f} px {side} of the edit's: {what} along most of the outline. "
        "Cut out again from the source.", Region.around(pair.alpha > 0.5),
    )  # fmt: skip
    measures = {**contour.measures, "outline_px": outline.offset_px / pair.scale}
    return replace(contour, findings=(finding,), measures=measures, explained=contour.explained | outline.mask)


def _eaten(pair: Aligned, contour: Contour, outline: Outline, limits: VerifyLimits) -> Contour:
    finding = Finding(
        "edges", "eroded", Severity.BLOCK, outline.outside, limits.outline_outside, "of the edge at the outline",
        f"Just outside the edit's outline the source still has {100 * outline.outside:.0f} % of the edge that it has "
        f"there, {100 * limits.outline_outside:.0f} % allowed: the piece was eaten into. Cut out again from the "
        "source.",
        Region.around(pair.alpha > 0.5),
    )  # fmt: skip
    measures = {**contour.measures, "outline_outside": outline.outside}
    return replace(contour, findings=(finding,), measures=measures, explained=contour.explained | outline.mask)


def find_outline(pair: Aligned) -> Outline | None:
    """Where the source's edges lie along the edit's outline; None when too little of one shows."""
    near = cv2.dilate((pair.alpha > 0.5).astype(np.uint8), np.ones((2 * _NEAR_PX + 1,) * 2, np.uint8)) > 0
    shown = ((strength(pair.edit_lab - pair.ground.surface) > _APART_DE) & near).astype(np.uint8)
    shown = cv2.morphologyEx(shown, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    inwards = cv2.distanceTransform(shown, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - shown, cv2.DIST_L2, 5)
    soft = cv2.GaussianBlur(inwards, (0, 0), 1.5)
    across, down = (cv2.Sobel(soft, cv2.CV_32F, dx, 1 - dx, scale=1 / 8) for dx in (1, 0))
    length = np.hypot(across, down)
    before, after = _slope(pair.source_lab), _slope(pair.edit_lab)
    rim = (shown > 0) & (cv2.erode(shown, np.ones((3, 3), np.uint8)) == 0) & (length > 0.5) & pair.covered
    rim &= cv2.dilate(after, np.ones((3, 3), np.uint8)) > _STEEP
    rows, columns = np.nonzero(rim)
    if len(rows) < _LEAST_POINTS:
        return None
    offsets = np.arange(-_REACH_PX - _SLACK_PX, _REACH_PX + _SLACK_PX + 0.01, _STEP_PX, dtype=np.float32)
    out_x, out_y = (-(part / np.maximum(length, 1e-6))[rim][:, None] * offsets for part in (across, down))
    map_x = (columns[:, None] + out_x).astype(np.float32)
    map_y = (rows[:, None] + out_y).astype(np.float32)
    theirs, ours = (
        cv2.remap(plane, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for plane in (before, after)
    )
    profile, places = _mean_profile(theirs, ours, offsets)
    at_outline = float(profile[np.abs(places) <= 0.5].max())
    best = int(profile.argmax())
    offset = float(places[best])
    outside, inside = (float(profile[np.abs(places - place).argmin()]) for place in (_BESIDE_PX, -_BESIDE_PX))
    shoulders = [
        float(profile[np.abs(places - (offset + side)).argmin()]) for side in (-_BESIDE_EDGE_PX, _BESIDE_EDGE_PX)
    ]
    height = max(at_outline, 1e-6)
    reach = max(offset, _BESIDE_PX) if outside > inside else offset
    top = float(profile[best])
    return Outline(
        offset, top / height, _between(inwards, reach), outside / height, inside / height,
        top / max(*shoulders, 1e-6),
    )  # fmt: skip


def _mean_profile(theirs: Plane, ours: Plane, offsets: Plane) -> tuple[Plane, Plane]:
    """The source's slopes across the outline, (points, offsets), each moved to where the edit's own edge is, in the
    mean, and their offsets."""
    slack = round(_SLACK_PX / _STEP_PX)
    middle = len(offsets) // 2
    peak = ours[:, middle - slack : middle + slack + 1].argmax(axis=1)
    count = len(offsets) - 2 * slack
    moved = np.take_along_axis(theirs, peak[:, None] + np.arange(count)[None], axis=1)
    weight = np.maximum(moved.max(axis=1, keepdims=True), 4)
    return np.asarray((moved / weight).mean(axis=0)), offsets[slack : slack + count]


def _between(inwards: Plane, offset: float) -> Mask:
    """The strip that was eaten away or kept, with the pixels that are half of it."""
    low, high = min(0.0, -offset) - 2.5, max(0.0, -offset) + 2.5
    return np.asarray((inwards > low) & (inwards < high), bool)


def _slope(picture: LabPlanes) -> Plane:
    """The steepest of the three Lab planes, units a pixel."""
    slope = np.zeros(picture.shape[:2], np.float32)
    for plane in cv2.split(picture):
        across, down = (cv2.Sobel(plane, cv2.CV_32F, dx, 1 - dx, scale=1 / 8) for dx in (1, 0))
        slope = np.maximum(slope, np.hypot(across, down))
    return slope
