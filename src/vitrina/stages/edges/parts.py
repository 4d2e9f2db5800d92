"""Checks of whole parts: lost, filled, see-through, left over, cut off."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from vitrina.imaging.edges import (
    depth_of,
    likelier,
    ridges,
)
from vitrina.model import Finding, Region, Severity
from vitrina.stages.edges.scene import (
    EdgeScene,
    Patch,
    edge_finding,
    patches,
    surroundings,
    thinness,
)


def check_lost(scene: EdgeScene) -> tuple[list[Finding], dict[str, Any]]:
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
    places: list[tuple[float, float, Region | None]] = []
    for patch, area in patches(candidate, 8):
        around, mask = surroundings(patch, 3, alpha.shape)
        steep = scene.steep[around][(cv2.dilate(mask, np.ones((5, 5), np.uint8)) > 0) & (away[around] > 2)]
        edge = float(np.percentile(steep, 80)) if steep.size else 0.0
        is_thin = thinness(patch.mask) > 3 and float(np.hypot(patch.shape[0], patch.shape[1])) >= limits.lost_length_px
        touches = bool((away[patch.slices][patch.mask] < limits.reach_px).any())
        allowed = limits.lost_area_px / 2 if is_thin else limits.lost_area_px
        if touches and edge > sharp and area >= allowed:
            total += area
            places.append((area, allowed, frame.region(patch.whole(alpha.shape))))
    places.sort(key=lambda place: -place[0])
    findings = [
        edge_finding(
            scene, "edges", "lost-part", area, allowed, "px²", region,
            f"{area:.0f} px² beside the cutout look like the piece and were left out, {allowed:.0f} allowed. "
            "Look there; bring them back with a --keep stroke.",
        )
        for area, allowed, region in places[:3]
    ]  # fmt: skip
    return findings, {"lost_px2": total}


def check_filled(scene: EdgeScene) -> tuple[list[Finding], dict[str, Any]]:
    """Daylight that was filled: even patches inside the matte in the backdrop's colour, set off by an edge all around.

    A highlight or a reflection of the backdrop has the colour too, but fades into the metal on some side.
    """
    limits, alpha = scene.limits, scene.frame.alpha
    even = float(np.percentile(scene.steep[scene.known][::3], 95)) if scene.known.sum() > 300 else 2.0
    even = max(2.0, 1.2 * even)
    zones = (scene.steep < even) & (alpha > 0.9)
    largest = max(area for _, area in patches(alpha > 0.5, 1))
    total = 0.0
    places: list[tuple[float, Region | None]] = []
    for patch, area in patches(zones, limits.hole_px, connectivity=4):
        if _is_daylight(scene, patch, even, is_large=area > limits.large_hole * largest):
            total += area
            places.append((area, scene.frame.region(patch.whole(alpha.shape))))
    places.sort(key=lambda place: -place[0])
    findings = [
        edge_finding(
            scene, "edges", "filled-hole", area, limits.hole_px, "px²", region,
            f"{area:.0f} px² inside the piece look like the backdrop, {limits.hole_px:.0f} allowed: a hole was filled. "
            "Open it with a --drop stroke.",
            severity=Severity.BLOCK if area > limits.large_hole * largest else Severity.WARN,
        )
        for area, region in places[:3]
    ]  # fmt: skip
    return findings, {"filled_px2": total}


def _is_daylight(scene: EdgeScene, patch: Patch, even: float, *, is_large: bool) -> bool:
    """Does the backdrop explain the patch, and is it set off from the piece?"""
    around, patch_in = surroundings(patch, 7, scene.frame.alpha.shape)
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


def check_see_through(scene: EdgeScene) -> tuple[list[Finding], dict[str, Any]]:
    """Half-transparent patches wider than an edge: metal and opaque stones are solid."""
    alpha, limits = scene.frame.alpha, scene.limits
    between = ((alpha > 0.06) & (alpha < 0.9)).astype(np.uint8)
    wide = cv2.morphologyEx(between, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))).astype(bool)
    total = 0.0
    places: list[tuple[float, float, bool, Region | None]] = []
    for patch, area in patches(wide, limits.see_through_px):
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
            edge_finding(
                scene, "edges", "see-through" if is_piece else "residue", area, limits.see_through_px, "px²", region,
                f"{area:.0f} px² {what} {100 * level:.0f} % opaque, {limits.see_through_px:.0f} px² allowed. "
                f"{remedy}, or cut out again.",
                # Backdrop that shines through is at worst a filled hole, which blocks no sooner.
                severity=None if is_piece or area * level > limits.block_factor * limits.hole_px else Severity.WARN,
            )
        )  # fmt: skip
    return findings, {"see_through_px2": total}


def check_islands(scene: EdgeScene) -> tuple[list[Finding], dict[str, Any]]:
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
    finding = edge_finding(
        scene, "pieces", "stray-island", float(len(loose)), 0.0, "islands", scene.frame.region(np.isin(labels, loose)),
        f"{len(loose)} loose patches beside the piece, the largest {area[worst]:.0f} px²; none allowed. "
        "Drop them with a --drop stroke, or keep them on purpose.",
        severity=Severity.WARN,
    )  # fmt: skip
    return [finding], {"islands": len(loose)}


def check_clipped(scene: EdgeScene) -> tuple[list[Finding], dict[str, Any]]:
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
                edge_finding(
                    scene, "framing", "clipped", length, limits.clipped_px, "px", frame.region(touched),
                    f"The {side} edge of the photo cuts the piece over {length:.0f} px, {limits.clipped_px:.0f} "
                    "px allowed. "
                    "Photograph the whole piece with room around it.",
                    severity=Severity.WARN,
                )
            )  # fmt: skip
    return findings, {"clipped_px": total}
