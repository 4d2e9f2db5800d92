"""What every edge check reads: the work frame around the piece, patches in it, and stretches of its contour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.edges import (
    Plate,
    Profiles,
    contour_density,
    core_of,
    depth_of,
    find_plate,
    onto,
    profiles,
    steepness,
)
from vitrina.model import Alpha, Cutout, Finding, Mask, Plane, Region, Rgb, Severity, Size, Source
from vitrina.stages.edges.limits import EdgeLimits


@dataclass(frozen=True, slots=True)
class Frame:
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
class EdgeScene:
    """What every check reads: the frame, the plate, the contour's profiles, and the masks taken from the matte."""

    frame: Frame
    plate: Plate
    at: Profiles
    steep: Plane
    density: Plane
    known: Mask
    core: Mask
    limits: EdgeLimits


def look(source: Source, cutout: Cutout, limits: EdgeLimits) -> EdgeScene:
    """Everything the checks read, measured once."""
    frame = _frame(source, cutout, limits.work_px)
    beyond = depth_of(frame.alpha < 0.02)
    known = beyond > 3
    if known.mean() < 0.02:
        known = beyond > 0
    return EdgeScene(
        frame,
        find_plate(frame.rgb, known),
        profiles(frame.rgb, frame.alpha),
        steepness(frame.rgb),
        contour_density(frame.alpha),
        known,
        core_of(frame.alpha, 3.0),
        limits,
    )


def _frame(source: Source, cutout: Cutout, work_px: int) -> Frame:
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
    return Frame(rgb, alpha, np.asarray(foreground, np.float32), box.x, box.y, scale, photo)


@dataclass(frozen=True, slots=True)
class Patch:
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


def patches(mask: Mask, least_px: float, *, connectivity: int = 8) -> Iterator[tuple[Patch, float]]:
    """The connected patches of `mask` of at least `least_px` pixels, with their areas."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=connectivity)
    for index in range(1, count):
        x, y, width, height, area = (int(v) for v in stats[index])
        if area >= least_px:
            yield Patch(labels[y : y + height, x : x + width] == index, y, x), float(area)


def surroundings(patch: Patch, margin_px: int, shape: tuple[int, ...]) -> tuple[tuple[slice, slice], NDArray[np.uint8]]:
    """The patch's box with a margin, and its mask (0 or 1) within that box."""
    y0, x0 = max(0, patch.y - margin_px), max(0, patch.x - margin_px)
    y1 = min(shape[0], patch.y + patch.shape[0] + margin_px)
    x1 = min(shape[1], patch.x + patch.shape[1] + margin_px)
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    mask[patch.y - y0 : patch.y - y0 + patch.shape[0], patch.x - x0 : patch.x - x0 + patch.shape[1]] = patch.mask
    return (slice(y0, y1), slice(x0, x1)), mask


def thinness(mask: Mask) -> float:
    """Length over width of a patch, from its area and its greatest depth."""
    framed = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    half = float(cv2.distanceTransform(framed, cv2.DIST_L2, 5).max())
    return float(mask.sum()) / max(1.0, 4 * half * half)


def averaged(plane: NDArray[np.float32], weight: Plane, sigma: float) -> NDArray[np.float32]:
    """`plane` averaged over a Gaussian window, weighted."""
    spread = cv2.GaussianBlur(weight, (0, 0), sigma)
    if plane.ndim == 3:
        weight, spread = weight[..., None], spread[..., None]
    return np.asarray(cv2.GaussianBlur(plane * weight, (0, 0), sigma) / np.maximum(spread, 1e-4), np.float32)


def share_of(flags: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    """The share of `among` on which `flags` holds; 0 when there is nothing."""
    return float(flags[among].mean()) if among.any() else 0.0


def stretches_of(
    scene: EdgeScene, flags: NDArray[np.bool_], amount: NDArray[np.floating]
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
    for patch, _ in patches(joined, 1):
        own = patch.whole(shape) & chosen
        length = float(own.sum())
        if length >= limits.stretch_px:
            found.append((scene.frame.region(own), length, float(values[own].mean())))
    return sorted(found, key=lambda stretch: -stretch[1])


def edge_finding(
    scene: EdgeScene,
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
    """A finding that blocks beyond `block_factor` times its limit and warns before, unless `severity` says."""
    if severity is None:
        severity = Severity.BLOCK if measured > scene.limits.block_factor * limit else Severity.WARN
    return Finding(check, code, severity, measured, limit, unit, message, region)
