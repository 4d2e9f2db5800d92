"""Checking a cutout: is the edge clean, is nothing lost, filled, see-through or left over?

The check asks the photo, never the network that made the matte, so the two cannot share a mistake. All lengths are in
pixels of the work frame: the surroundings of the piece, shrunk so that their long side is at most `work_px`. Findings
carry their region in pixels of the photo.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.colour import delta_e00, lab
from vitrina.imaging.edges import (
    STATIONS,
    Plate,
    Profiles,
    contour_density,
    core_of,
    depth_of,
    find_plate,
    hard_steps,
    likelier,
    onto,
    outermost,
    profiles,
    pull,
    ridges,
    steepness,
    step_near,
    value_at,
    wobble,
)
from vitrina.model import Alpha, Cutout, Finding, Mask, Plane, Region, Rgb, Severity, Size, Source

__all__ = ["EDGE_LIMITS", "EdgeLimits", "check_edges"]


@dataclass(frozen=True, slots=True)
class EdgeLimits:
    """Every threshold of the edge check, with its reason. `benchmarks/edges.py` prints what they find and what they
    miss.

    Lengths are in pixels of the work frame, areas in its square pixels, distances in deviations of the backdrop.
    """

    work_px: int = 1400
    """Long side of the work frame: a marketplace shows at most about 2000 px, where a work pixel is 1.4."""
    alike: float = 4.0
    """Distance from the backdrop above which a pixel cannot be the backdrop."""
    window_px: float = 12.0
    """Contour is judged over this much length to both sides: noise evens out, and a shorter flaw is not seen in a
    listing."""
    share: float = 0.6
    """Share of that contour which must be flawed. On exact mattes of textured scenes single spots reach 0.5."""
    stretch_px: float = 30.0
    """Least length of a flawed stretch, so that one rough prong is not a finding."""
    halo_px: float = 1.0
    """Width of backdrop kept along the contour. Exact mattes lie within half a pixel of the photo's edge."""
    eroded_px: float = 1.9
    """Width of piece cut away along the contour; lens blur alone carries the piece's colour out by 1.5 px."""
    fringe_de00: float = 5.0
    """Colour of the rim drawn towards the old backdrop: about twice what is just seen side by side."""
    fringe_share: float = 0.25
    """... by at least this share of the way: a rim left as photographed is drawn by about 0.4."""
    lost_length_px: float = 10.0
    """Least length of a line that was left out: half a link of a fine chain."""
    lost_area_px: float = 40.0
    """Least area of anything else that was left out."""
    reach_px: float = 14.0
    """A lost part lies this near to what was kept; further away it is another thing in the photo."""
    hole_px: float = 50.0
    """Least area of daylight that was filled: a hole of 7 by 7 is the smallest that can be told from a facet."""
    large_hole: float = 0.06
    """Share of the largest part from which a filled patch is the opening of a loop, judged by its edge alone; it
    blocks."""
    see_through_px: float = 24.0
    """Least area of half-transparent interior."""
    leap_share: float = 0.45
    """Share of the contour that leaps from nothing to full between neighbours. Exact coverage: below 0.1."""
    island_share: float = 0.02
    """A loose patch smaller than this share of the largest part is an island, not an object of its own."""
    island_gap_px: float = 3.0
    """... when it lies at least this far from any larger part."""
    clipped_px: float = 3.0
    """Length of the frame's border that the piece may touch."""
    block_factor: float = 3.0
    """A finding this many times over its limit blocks instead of asking a person."""


EDGE_LIMITS = EdgeLimits()


@dataclass(frozen=True, slots=True)
class _Frame:
    """The work frame: `scale` work pixels per photo pixel, `x` and `y` its corner in the photo."""

    rgb: Rgb
    alpha: Alpha
    foreground: Rgb
    x: int
    y: int
    scale: float
    photo: Size

    def region(self, mask: Mask) -> Region | None:
        """The box around `mask` in pixels of the photo."""
        box = Region.around(mask, margin_px=2)
        if box is None:
            return None
        large = box.scaled(1 / self.scale)
        return Region(large.x + self.x, large.y + self.y, large.width, large.height).grown(0, within=self.photo)


@dataclass(frozen=True, slots=True)
class _Scene:
    """What every check reads: the frame, the plate, the contour's profiles, and the masks taken from the matte."""

    frame: _Frame
    plate: Plate
    at: Profiles
    steep: Plane
    density: Plane
    known: Mask
    core: Mask
    limits: EdgeLimits


def check_edges(
    source: Source, cutout: Cutout, *, limits: EdgeLimits = EDGE_LIMITS
) -> tuple[list[Finding], dict[str, Any]]:
    """The findings about a cutout's edges, and everything that was measured.

    An empty matte gives no findings: `cut_out` has said so already.
    """
    if not (cutout.alpha > 0.5).any():
        return [], {}
    scene = _look(source, cutout, limits)
    findings: list[Finding] = []
    measures: dict[str, Any] = {"judged_share": _of(scene.at.is_open, np.ones_like(scene.at.is_open))}
    checks: tuple[Callable[[_Scene], tuple[list[Finding], dict[str, Any]]], ...] = (
        _halo, _eroded, _fringe, _lost, _filled, _see_through, _jagged, _islands, _clipped,
    )  # fmt: skip
    for check in checks:
        found, measured = check(scene)
        findings += found
        measures |= measured
    return findings, measures


def _look(source: Source, cutout: Cutout, limits: EdgeLimits) -> _Scene:
    frame = _frame(source, cutout, limits.work_px)
    beyond = depth_of(frame.alpha < 0.02)
    known = beyond > 3
    if known.mean() < 0.02:
        known = beyond > 0
    return _Scene(
        frame,
        find_plate(frame.rgb, known),
        profiles(frame.rgb, frame.alpha),
        steepness(frame.rgb),
        contour_density(frame.alpha),
        known,
        core_of(frame.alpha, 3.0),
        limits,
    )


def _frame(source: Source, cutout: Cutout, work_px: int) -> _Frame:
    photo = source.size
    box = Region.around(cutout.alpha > 0.05) or Region(0, 0, photo.width, photo.height)
    box = box.grown(32 + max(box.width, box.height) // 4, within=photo)
    rows, columns = box.slices
    rgb, alpha, foreground = source.rgb[rows, columns], cutout.alpha[rows, columns], cutout.foreground[rows, columns]
    scale = min(1.0, work_px / max(box.width, box.height))
    if scale < 1:
        size = (max(1, round(box.width * scale)), max(1, round(box.height * scale)))
        weighted = cv2.resize(foreground * alpha[..., None], size, interpolation=cv2.INTER_AREA)
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
        foreground = np.where((alpha > 0)[..., None], weighted / np.maximum(alpha, 1e-4)[..., None], rgb)
    return _Frame(rgb, alpha, np.asarray(foreground, np.float32), box.x, box.y, scale, photo)


def _halo(scene: _Scene) -> tuple[list[Finding], dict[str, Any]]:
    """Backdrop that the matte took along.

    Seen from outside, the photo departs from its backdrop further in than the matte's contour, at a clear edge of its
    own, and shows plain backdrop before that; or the matte fades out over plain backdrop (a glow).
    """
    at, limits = scene.at, scene.limits
    departs = outermost(at, np.maximum(6.0, 3 * at.noise))
    edge = step_near(at, departs, 1.5, 0.5)
    here = at.step[:, np.abs(STATIONS) <= 0.5].max(axis=1)
    between = (STATIONS[None] >= np.nan_to_num(departs, nan=99)[:, None] + 1) & (STATIONS <= 1.5)
    plain = (at.departure * between).sum(axis=1) < (1.3 * at.noise + 2) * between.sum(axis=1)
    wide = at.is_open & (departs <= -1) & (departs > -6.5) & (here < 0.6 * edge) & plain
    glow = _glow(scene)
    glowing = glow > limits.halo_px
    width = np.where(wide, -np.nan_to_num(departs), np.where(glowing, glow, 0)).astype(np.float32)
    findings = []
    strength = _strength(scene)
    stretches = _stretches(scene, wide | glowing, width)
    for region, length, worst in stretches[:3]:
        findings.append(
            _finding(
                scene, "edges", "halo", worst, limits.halo_px, "px", region,
                f"A rim of backdrop {worst:.1f} px wide was kept along {length:.0f} px of the edge, "
                f"{limits.halo_px:.1f} px allowed "
                f"(ΔE00 {strength:.0f} from the piece). Cut out again, or drop the rim with a --drop stroke.",
            )
        )  # fmt: skip
    worst = max((w for _, _, w in stretches), default=0.0)
    return findings, {"halo_px": worst, "halo_share": _of(wide | glowing, at.is_open), "halo_de00": strength}


def _glow(scene: _Scene) -> NDArray[np.float32]:
    """Alpha left over plain backdrop beyond the contour, in pixels of full alpha, per contour pixel."""
    alpha, sigma = scene.frame.alpha, scene.limits.window_px
    fading = alpha * (alpha < 0.5) * (depth_of(alpha < 0.5) > 1.5) * scene.plate.likeness
    length = cv2.GaussianBlur(onto(alpha.shape, scene.at, np.ones(len(scene.at.rows))), (0, 0), sigma)
    glow = cv2.GaussianBlur(fading.astype(np.float32), (0, 0), sigma) / np.maximum(length, 1e-3)
    return np.asarray(glow[scene.at.rows, scene.at.columns], np.float32)


def _strength(scene: _Scene) -> float:
    """ΔE00 between what the rim shows on the new ground and the piece's own colour beside it."""
    alpha = scene.frame.alpha
    rim = (alpha > 0.3) & ~scene.core & (scene.plate.likeness > 0.5)
    if rim.sum() < 8 or not scene.core.any():
        return 0.0
    weight = scene.core.astype(np.float32)
    own = lab(scene.frame.foreground)
    near = _averaged(own, weight, 6.0)
    return float(np.median(delta_e00(own[rim], near[rim])))


def _eroded(scene: _Scene) -> tuple[list[Finding], dict[str, Any]]:
    """Piece that the matte cut away: seen from outside, the photo leaves its backdrop before the contour and stays
    away."""
    at, limits = scene.at, scene.limits
    departs = outermost(at, np.maximum(6.0, 3 * at.noise))
    outer = value_at(at.departure, 1.0)
    inner = np.maximum(value_at(at.departure, -1.0), value_at(at.departure, -0.5))
    eroded = at.is_open & (departs >= 1.5) & (departs <= 4.5) & (outer > 0.6 * inner)
    stretches = [s for s in _stretches(scene, eroded, np.nan_to_num(departs)) if s[2] >= limits.eroded_px]
    findings = [
        _finding(
            scene, "edges", "eroded", worst, limits.eroded_px, "px", region,
            f"{worst:.1f} px of the piece were cut away along {length:.0f} px of its edge, "
            f"{limits.eroded_px:.1f} px allowed. "
            "Bring them back with a --keep stroke, or cut out again.",
        )
        for region, length, worst in stretches[:3]
    ]  # fmt: skip
    worst = max((w for _, _, w in stretches), default=0.0)
    return findings, {"eroded_px": worst, "eroded_share": _of(eroded, at.is_open)}


def _fringe(scene: _Scene) -> tuple[list[Finding], dict[str, Any]]:
    """Old backdrop left in the rim's colour, from the compositing equation: what the rim should be against what it
    is."""
    frame, limits, at = scene.frame, scene.limits, scene.at
    share, local = pull(frame.rgb, frame.foreground, frame.alpha, at)
    fringed = at.is_open & (local > limits.fringe_de00) & (share > limits.fringe_share)
    stretches = _stretches(scene, fringed, local)
    findings = [
        _finding(
            scene, "edges", "fringe", worst, limits.fringe_de00, "ΔE00", region,
            f"The old backdrop still colours {length:.0f} px of the rim by ΔE00 {worst:.1f}, "
            f"{limits.fringe_de00:.1f} allowed. "
            "Cut out again, so that the rim's own colour is estimated.",
            severity=Severity.WARN,
        )
        for region, length, worst in stretches[:3]
    ]  # fmt: skip
    return findings, {"fringe_de00": max((w for _, _, w in stretches), default=0.0)}


def _lost(scene: _Scene) -> tuple[list[Finding], dict[str, Any]]:
    """Parts left out: sharp lines and patches beside the matte that no backdrop explains and that have the piece's
    colours."""
    frame, limits, plate = scene.frame, scene.limits, scene.plate
    alpha = frame.alpha
    away = depth_of(alpha < 0.3)
    far = scene.known & (away > 20)
    if far.sum() < 300:
        far = scene.known
    lines = ridges(plate, far)
    usual = float(np.percentile(plate.distance[far][::3], 99.5)) if far.any() else 0.0
    sharp = 2.0 * max(2.0, float(np.percentile(scene.steep[far][::3], 98)) if far.any() else 0.0)
    unlike = plate.distance > max(limits.alike + 1, 1.2 * usual)
    like_piece = likelier(plate, scene.core, far) > 0.1
    candidate = (away > 2) & like_piece & unlike & ((lines > 1.3) | (plate.distance > 2 * max(limits.alike, usual)))
    total = 0.0
    places: list[tuple[float, Region | None]] = []
    for patch, area in _patches(candidate, 8):
        around, mask = _surroundings(patch, 3, alpha.shape)
        steep = scene.steep[around][(cv2.dilate(mask, np.ones((5, 5), np.uint8)) > 0) & (away[around] > 2)]
        edge = float(np.percentile(steep, 80)) if steep.size else 0.0
        is_thin = _thinness(patch.mask) > 3 and float(np.hypot(patch.shape[0], patch.shape[1])) >= limits.lost_length_px
        touches = bool((away[patch.slices][patch.mask] < limits.reach_px).any())
        if touches and edge > sharp and (area >= limits.lost_area_px or (is_thin and area >= limits.lost_area_px / 2)):
            total += area
            places.append((area, frame.region(patch.whole(alpha.shape))))
    places.sort(key=lambda place: -place[0])
    findings = [
        _finding(
            scene, "edges", "lost-part", area, limits.lost_area_px, "px²", region,
            f"{area:.0f} px² beside the cutout look like the piece and were left out, {limits.lost_area_px:.0f} "
            "allowed. "
            "Look there; bring them back with a --keep stroke.",
        )
        for area, region in places[:3]
    ]  # fmt: skip
    return findings, {"lost_px2": total}


def _filled(scene: _Scene) -> tuple[list[Finding], dict[str, Any]]:
    """Daylight that was filled: even patches inside the matte in the backdrop's colour, set off by an edge all around.

    A highlight or a reflection of the backdrop has the colour too, but fades into the metal on some side.
    """
    limits, alpha = scene.limits, scene.frame.alpha
    even = float(np.percentile(scene.steep[scene.known][::3], 95)) if scene.known.sum() > 300 else 2.0
    even = max(2.0, 1.2 * even)
    zones = (scene.steep < even) & (alpha > 0.9)
    largest = max(area for _, area in _patches(alpha > 0.5, 1))
    total = 0.0
    places: list[tuple[float, Region | None]] = []
    for patch, area in _patches(zones, limits.hole_px, connectivity=4):
        if _is_daylight(scene, patch, even, is_large=area > limits.large_hole * largest):
            total += area
            places.append((area, scene.frame.region(patch.whole(alpha.shape))))
    places.sort(key=lambda place: -place[0])
    findings = [
        _finding(
            scene, "edges", "filled-hole", area, limits.hole_px, "px²", region,
            f"{area:.0f} px² inside the piece look like the backdrop, {limits.hole_px:.0f} allowed: a hole was filled. "
            "Open it with a --drop stroke.",
            severity=Severity.BLOCK if area > limits.large_hole * largest else Severity.WARN,
        )
        for area, region in places[:3]
    ]  # fmt: skip
    return findings, {"filled_px2": total}


def _is_daylight(scene: _Scene, patch: _Patch, even: float, *, is_large: bool) -> bool:
    """Does the backdrop explain the patch, and is it set off from the piece?"""
    around, patch_in = _surroundings(patch, 7, scene.frame.alpha.shape)
    plate, own = scene.plate, patch.mask
    plain = float(np.median(plate.plain_distance[patch.slices][own]))
    shaded = float(np.median(plate.distance[patch.slices][own]))
    colour = plate.difference[patch.slices][own].mean(axis=0)
    if shaded > 2.6 or float(np.hypot(colour[1], colour[2])) > 5:
        return False
    near = cv2.dilate(patch_in, np.ones((5, 5), np.uint8)) > 0
    border = near & (patch_in == 0)
    steep = cv2.dilate(scene.steep[around], np.ones((3, 3), np.uint8))[border]
    set_off = float((steep > 1.6 * even).mean()) if steep.size else 0.0
    if is_large:  # an opening is round or oval; a reflection of the backdrop in a band runs along the band
        widest = float(cv2.distanceTransform(patch_in, cv2.DIST_L2, 5).max())
        return set_off > 0.5 and plain < 4 and float(own.sum()) < 25 * widest * widest
    ring = (cv2.dilate(patch_in, np.ones((9, 9), np.uint8)) > 0) & ~near & (scene.frame.alpha[around] > 0.5)
    unlike = plate.plain_distance[around][ring] > scene.limits.alike
    (_, sides, _) = cv2.minAreaRect(np.argwhere(own).astype(np.int32))
    is_compact = float(own.sum()) > 0.6 * (sides[0] + 1) * (sides[1] + 1)  # crescents are reflections, not openings
    return is_compact and plain < 3.5 and set_off > 0.7 and ring.sum() > 20 and float(unlike.mean()) > 0.93


def _see_through(scene: _Scene) -> tuple[list[Finding], dict[str, Any]]:
    """Half-transparent patches wider than an edge: metal and opaque stones are solid."""
    alpha, limits = scene.frame.alpha, scene.limits
    between = ((alpha > 0.06) & (alpha < 0.9)).astype(np.uint8)
    wide = cv2.morphologyEx(between, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))).astype(bool)
    total = 0.0
    places: list[tuple[float, float, bool, Region | None]] = []
    for patch, area in _patches(wide, limits.see_through_px):
        total += area
        level = float(alpha[patch.slices][patch.mask].mean())
        is_piece = float(np.median(scene.plate.likeness[patch.slices][patch.mask])) < 0.5
        places.append((area, level, is_piece, scene.frame.region(patch.whole(alpha.shape))))
    places.sort(key=lambda place: -place[0])
    findings = []
    for area, level, is_piece, region in places[:3]:
        what = "of the piece are only" if is_piece else "of backdrop are still"
        remedy = "Make them solid with a --keep stroke" if is_piece else "Clear them with a --drop stroke"
        findings.append(
            _finding(
                scene, "edges", "see-through" if is_piece else "residue", area, limits.see_through_px, "px²", region,
                f"{area:.0f} px² {what} {100 * level:.0f} % opaque, {limits.see_through_px:.0f} px² allowed. "
                f"{remedy}, or cut out again.",
            )
        )  # fmt: skip
    return findings, {"see_through_px2": total}


def _jagged(scene: _Scene) -> tuple[list[Finding], dict[str, Any]]:
    """Staircases and a contour that strays to and fro."""
    alpha, limits = scene.frame.alpha, scene.limits
    crossings, leaps = hard_steps(alpha)
    share = float(leaps.sum() / max(1.0, float(crossings.sum())))
    rough = float(wobble(alpha).sum() / max(1.0, float(scene.density.sum())))
    findings = []
    if share > limits.leap_share:
        findings.append(
            _finding(
                scene, "edges", "jagged", share, limits.leap_share, "of the contour", scene.frame.region(leaps > 0),
                f"{100 * share:.0f} % of the contour steps from nothing to full without a half tone, "
                f"{100 * limits.leap_share:.0f} % allowed. The matte is a bare mask: cut out again.",
                severity=Severity.WARN,
            )
        )  # fmt: skip
    return findings, {"leap_share": share, "wobble_px": rough}


def _islands(scene: _Scene) -> tuple[list[Finding], dict[str, Any]]:
    """Loose patches beside the piece."""
    alpha, limits = scene.frame.alpha, scene.limits
    joined = (alpha > 0.1).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    area = stats[:, cv2.CC_STAT_AREA].astype(float)
    if count < 3:
        return [], {"islands": 0}
    largest = area[1:].max()
    small = np.zeros(count, bool)
    small[1:] = area[1:] < limits.island_share * largest
    gap = cv2.distanceTransform((~np.isin(labels, np.flatnonzero(~small)[1:])).astype(np.uint8), cv2.DIST_L2, 5)
    loose = []
    for index in np.flatnonzero(small):
        x, y, width, height, _ = (int(v) for v in stats[index])
        own = labels[y : y + height, x : x + width] == index
        if (
            float(gap[y : y + height, x : x + width][own].min()) > limits.island_gap_px
            and float(alpha[y : y + height, x : x + width][own].max()) > 0.3
        ):
            loose.append(int(index))
    if not loose:
        return [], {"islands": 0}
    worst = max(loose, key=lambda index: area[index])
    finding = _finding(
        scene, "pieces", "stray-island", float(len(loose)), 0.0, "islands", scene.frame.region(np.isin(labels, loose)),
        f"{len(loose)} loose patches beside the piece, the largest {area[worst]:.0f} px²; none allowed. "
        "Drop them with a --drop stroke, or keep them on purpose.",
        severity=Severity.WARN,
    )  # fmt: skip
    return [finding], {"islands": len(loose)}


def _clipped(scene: _Scene) -> tuple[list[Finding], dict[str, Any]]:
    """A piece that leaves the frame of the photo."""
    frame, limits = scene.frame, scene.limits
    solid = frame.alpha > 0.5
    height, width = solid.shape
    at_right = frame.x + round(width / frame.scale) >= frame.photo.width
    at_bottom = frame.y + round(height / frame.scale) >= frame.photo.height
    sides = {
        "left": (frame.x == 0, solid[:, 0], (slice(None), slice(0, 1))),
        "top": (frame.y == 0, solid[0], (slice(0, 1), slice(None))),
        "right": (at_right, solid[:, -1], (slice(None), slice(width - 1, width))),
        "bottom": (at_bottom, solid[-1], (slice(height - 1, height), slice(None))),
    }
    findings, total = [], 0.0
    for side, (is_border, line, at) in sides.items():
        length = float(line.sum()) if is_border else 0.0
        total += length
        if length > limits.clipped_px:
            touched = np.zeros_like(solid)
            touched[at] = solid[at]
            findings.append(
                _finding(
                    scene, "framing", "clipped", length, limits.clipped_px, "px", frame.region(touched),
                    f"The {side} edge of the photo cuts the piece over {length:.0f} px, {limits.clipped_px:.0f} "
                    "px allowed. "
                    "Photograph the whole piece with room around it.",
                    severity=Severity.WARN,
                )
            )  # fmt: skip
    return findings, {"clipped_px": total}


@dataclass(frozen=True, slots=True)
class _Patch:
    """One connected patch: its mask within its box."""

    mask: Mask
    y: int
    x: int

    @property
    def shape(self) -> tuple[int, ...]:
        return self.mask.shape

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.y, self.y + self.mask.shape[0]), slice(self.x, self.x + self.mask.shape[1])

    def whole(self, shape: tuple[int, ...]) -> Mask:
        canvas = np.zeros(shape, bool)
        canvas[self.slices] = self.mask
        return canvas


def _patches(mask: Mask, least_px: float, *, connectivity: int = 8) -> Iterator[tuple[_Patch, float]]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=connectivity)
    for index in range(1, count):
        x, y, width, height, area = (int(v) for v in stats[index])
        if area >= least_px:
            yield _Patch(labels[y : y + height, x : x + width] == index, y, x), float(area)


def _surroundings(
    patch: _Patch, margin_px: int, shape: tuple[int, ...]
) -> tuple[tuple[slice, slice], NDArray[np.uint8]]:
    """The patch's box with a margin, and its mask (0 or 1) within that box."""
    y0, x0 = max(0, patch.y - margin_px), max(0, patch.x - margin_px)
    y1 = min(shape[0], patch.y + patch.shape[0] + margin_px)
    x1 = min(shape[1], patch.x + patch.shape[1] + margin_px)
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    mask[patch.y - y0 : patch.y - y0 + patch.shape[0], patch.x - x0 : patch.x - x0 + patch.shape[1]] = patch.mask
    return (slice(y0, y1), slice(x0, x1)), mask


def _thinness(mask: Mask) -> float:
    """Length over width of a patch, from its area and its greatest depth."""
    framed = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    half = float(cv2.distanceTransform(framed, cv2.DIST_L2, 5).max())
    return float(mask.sum()) / max(1.0, 4 * half * half)


def _averaged(plane: NDArray[np.float32], weight: Plane, sigma: float) -> NDArray[np.float32]:
    spread = cv2.GaussianBlur(weight, (0, 0), sigma)
    if plane.ndim == 3:
        weight, spread = weight[..., None], spread[..., None]
    return np.asarray(cv2.GaussianBlur(plane * weight, (0, 0), sigma) / np.maximum(spread, 1e-4), np.float32)


def _of(flags: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    return float(flags[among].mean()) if among.any() else 0.0


def _stretches(
    scene: _Scene, flags: NDArray[np.bool_], amount: NDArray[np.floating]
) -> list[tuple[Region | None, float, float]]:
    """The stretches of contour on which most pixels are flagged, longest first: region, length, mean amount."""
    at, limits, shape = scene.at, scene.limits, scene.frame.alpha.shape
    flagged = cv2.GaussianBlur(onto(shape, at, flags.astype(np.float32)), (0, 0), limits.window_px)
    compared = cv2.GaussianBlur(onto(shape, at, at.is_open.astype(np.float32)), (0, 0), limits.window_px)
    share = np.where(compared > 0.2 / limits.window_px, flagged / np.maximum(compared, 1e-6), 0)[at.rows, at.columns]
    chosen = np.zeros(shape, bool)
    mine = flags & (share > limits.share)
    chosen[at.rows[mine], at.columns[mine]] = True
    joined = cv2.dilate(chosen.astype(np.uint8), np.ones((7, 7), np.uint8)).astype(bool)
    values = onto(shape, at, np.where(mine, amount, 0))
    found = []
    for patch, _ in _patches(joined, 1):
        own = patch.whole(shape) & chosen
        length = float(own.sum())
        if length >= limits.stretch_px:
            found.append((scene.frame.region(own), length, float(values[own].mean())))
    return sorted(found, key=lambda stretch: -stretch[1])


def _finding(
    scene: _Scene,
    check: str,
    code: str,
    measured: float,
    limit: float,
    unit: str,
    region: Region | None,
    message: str,
    *,
    severity: Severity | None = None,
) -> Finding:
    if severity is None:
        severity = Severity.BLOCK if measured > scene.limits.block_factor * limit else Severity.WARN
    return Finding(check, code, severity, measured, limit, unit, message, region)
