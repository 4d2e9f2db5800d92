"""The contour: has the cut-out been eaten into, or does a rim of something else lie around it?

An eroded contour is what the source predicts with its matte eroded by k pixels, and a halo of the old backdrop is
what it predicts with the matte grown by k. Both are tried as whole pictures and compared tile by tile, so that a
single missing part is not taken for erosion, nor a soft shadow for a halo.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitrina.imaging.colour import lab
from vitrina.imaging.compare import smooth, strength
from vitrina.imaging.compose import over
from vitrina.model import Finding, Mask, Plane, Region, Rgb, Severity
from vitrina.stages.verify.align import Aligned
from vitrina.stages.verify.changes import Residual
from vitrina.stages.verify.limits import VerifyLimits

_STEPS = (1, 2, 3, 4, 6, 8, 11)
"""Erosion and growth that are tried, in pixels of the work frame."""
_TILE = 24


@dataclass(frozen=True, slots=True)
class Contour:
    """Findings, measures, and the mask of changes that they explain."""

    findings: tuple[Finding, ...]
    measures: dict[str, float]
    explained: Mask


def judge_contour(pair: Aligned, rest: Residual, limits: VerifyLimits) -> Contour:
    """Erosion and halo along the whole contour of the piece."""
    whole = Region.around(pair.alpha > 0.5)
    nothing = np.zeros(pair.alpha.shape, bool)
    if whole is None:
        return Contour((), {}, nothing)
    frame = whole.grown(max(_STEPS) + 6, within=pair.size)
    rim_share, rim, foreign = _foreign_rim(pair, rest)
    crop = _Crop(pair, frame, foreign[frame.slices])
    eroded_px, eroded_share, eaten = crop.best(-1)
    grown_px, grown_share, left = crop.best(1)
    findings = []
    explained = nothing.copy()
    if eroded_px > 0 and eroded_share > limits.eroded_share:
        explained[frame.slices] |= eaten
        findings.append(
            Finding(
                "edges",
                "eroded",
                Severity.BLOCK,
                eroded_share,
                limits.eroded_share,
                "share of the contour",
                f"The outer {eroded_px} px are gone along {100 * eroded_share:.0f} % of the contour, "
                f"{100 * limits.eroded_share:.0f} % allowed. Cut out again with a softer edge.",
                whole,
            )
        )
    share = max(rim_share, grown_share)
    if share > limits.halo_share:
        explained |= rim
        explained[frame.slices] |= left
        what = "the old backdrop" if grown_share >= rim_share else "something foreign"
        findings.append(
            Finding(
                "edges",
                "halo",
                Severity.BLOCK,
                share,
                limits.halo_share,
                "share of the contour",
                f"A rim of {what} lies along {100 * share:.0f} % of the contour, {100 * limits.halo_share:.0f} "
                "% allowed. "
                "Cut out again from the source.",
                whole,
            )
        )
    measures = {
        "halo_share": share, "eroded_share": eroded_share if eroded_px else 0.0, "eroded_px": float(eroded_px),
        "halo_px": float(grown_px),
    }  # fmt: skip
    return Contour(tuple(findings), measures, explained)


class _Crop:
    """The neighbourhood of the piece, against which mattes of other sizes are tried."""

    def __init__(self, pair: Aligned, frame: Region, foreign: Mask) -> None:
        self.foreign = foreign
        self.source = pair.source[frame.slices]
        self.alpha = pair.alpha[frame.slices]
        self.edit = pair.edit_lab[frame.slices]
        self.covered = pair.covered[frame.slices]
        surface = np.ascontiguousarray(pair.ground.surface[frame.slices])
        self.ground: Rgb = np.asarray(cv2.cvtColor(surface, cv2.COLOR_Lab2LRGB), np.float32)
        self.plain = self._predicted(self.alpha)
        self.error = self._error(self.plain)
        self.visible = (self.alpha > 0.9) & (strength(self.plain - surface) > 7)

    def best(self, direction: int) -> tuple[int, float, Mask]:
        """The step in px (0: none), the share of the contour that it explains better, and where it does."""
        answer = (0, 0.0, np.zeros(self.alpha.shape, bool))
        tiles = _tiles((self.alpha > 0.2) & (cv2.erode(self.alpha, np.ones((3, 3), np.uint8)) < 0.8) & self.covered)
        if not tiles.any():
            return answer
        worse = 0
        for step in _STEPS:
            size = 2 * step + 1
            kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
            other = (cv2.erode if direction < 0 else cv2.dilate)(self.alpha, kernel)
            predicted = self._predicted(other)
            telling = (strength(predicted - self.plain) > 7) & self.covered
            error = self._error(predicted)
            better = telling & (error < 0.6 * self.error - 1.5)
            if direction > 0:
                better &= self.foreign
            # What lies inside the smaller contour has to be there still: a missing part is not an eroded one.
            core = self.visible & (other > 0.9)
            kept = _tiles(core, whole=True)
            there = (kept > 0.005) & (_tiles(core & (error < 12), whole=True) > 0.6 * kept)
            count, good = _tiles(telling, whole=True), _tiles(better, whole=True)
            # Along a wavering contour the step fits here and there only; most of a tile has to follow it.
            follows = tiles & there & (count > 0.01) & (good > 0.6 * count)
            share = float(follows.sum()) / max(4.0, float((tiles & (kept > 0.005)).sum()))
            if share > answer[1]:
                near = cv2.dilate(better.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
                answer, worse = (step, share, near), 0
            else:
                worse += 1
            if worse == 2 or (step >= 2 and answer[1] < 0.03):
                break
        return answer

    def _predicted(self, alpha: Plane) -> Rgb:
        return smooth(lab(over(self.source, alpha, self.ground)), 0.7)

    def _error(self, predicted: Rgb) -> Plane:
        return strength(self.edit - predicted)


def _tiles(mask: Mask, *, whole: bool = False) -> np.ndarray:
    """Per tile, whether any pixel of `mask` is in it, or with `whole` the share of its pixels that are."""
    height, width = (-(-side // _TILE) * _TILE for side in mask.shape)
    padded = np.zeros((height, width), np.float32)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    share = cv2.resize(padded, (width // _TILE, height // _TILE), interpolation=cv2.INTER_AREA)
    return np.asarray(share if whole else share > 0)


def _foreign_rim(pair: Aligned, rest: Residual) -> tuple[float, Mask, Mask]:
    """The share of the contour with a rim beside it that is neither ground nor a soft shadow, where it may be, and
    where what lies there is foreign: of another hue, lighter than the ground, or ending with an edge."""
    reach = round(2.0 * max(1.0, pair.extent_px / 700)) + 2
    outside = cv2.distanceTransform((pair.alpha <= 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    ring = (outside > 1.5) & (outside <= reach) & (pair.alpha < 0.03) & pair.covered
    difference = pair.edit_lab - pair.ground.surface
    tinted = np.hypot(difference[..., 1], difference[..., 2]) > 8
    # A contact shadow is darkest at the rim too, but it fades; a rim of a dark backdrop ends with an edge.
    steep = np.hypot(
        cv2.Sobel(pair.edit_lab[..., 0], cv2.CV_32F, 1, 0, scale=1 / 8),
        cv2.Sobel(pair.edit_lab[..., 0], cv2.CV_32F, 0, 1, scale=1 / 8),
    )
    beyond = (outside > reach) & (outside <= 2.2 * reach + 2) & (pair.alpha < 0.01)
    cliff = cv2.dilate((steep * beyond > 4).astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
    lighter = difference[..., 0] > 4
    foreign = (rest.ground > 10) & (tinted | lighter | cliff)
    share = float((ring & foreign).sum()) / max(1, int(ring.sum()))
    return share, (outside <= 2.5 * reach) & (pair.alpha < 0.5) & (rest.ground > 7), foreign
