"""Where the edit is not what the source predicts, as regions with the facts needed to name them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitrina.imaging.colour import lab
from vitrina.imaging.compare import LabPlanes, blobs, interval, smooth, strength
from vitrina.imaging.compose import over
from vitrina.model import Mask, Plane, Region
from vitrina.stages.verify.align import Aligned
from vitrina.stages.verify.limits import VerifyLimits

_LAB_WEIGHT = np.array([0.5, 1, 1], np.float32)
"""A drift of lightness counts half: light moves over a piece, colour does not."""


_CHROMA_PX = 1.5
"""Smoothing of colour that two by two subsampling and the edit's own enlarging leave."""
_OWN_DE = 8.0
"""Excess ΔE76 beyond the half-pixel interval below which the edit shows the source's own pixel."""


@dataclass(frozen=True, slots=True)
class Residual:
    """Per pixel of the work frame: `product` is what the source's own pixel leaves unexplained, `ground` what the
    edit's ground leaves unexplained, `drift` the change of the local mean inside the piece, `shift` its Lab vector."""

    product: Plane
    ground: Plane
    drift: Plane
    shift: np.ndarray
    inside: Mask
    near: Mask


@dataclass(frozen=True, slots=True)
class Change:
    """One connected region that changed.

    `missing`, `extra` and `altered` are shares: the source's product gone, something where the ground was, product
    turned into something else; `own` of them show the very pixels of the source, backdrop included. `drifted`: only the
    smooth colour moved.
    """

    mask: Mask
    region: Region
    area_px: int
    missing: float
    extra: float
    altered: float
    own: float
    drifted: bool
    peak_de: float


def residuals(
    pair: Aligned, soft: LabPlanes, gains: tuple[float, float, float] | None = None, metal: Mask | None = None
) -> Residual:
    """Compare; `soft` is the source as `subsampled` makes it, and with `gains` (per linear channel) one more prediction
    is allowed where the metal moved as a whole."""
    matte = pair.alpha
    inside = matte > 0.5
    near = cv2.dilate(matte, np.ones((5, 5), np.uint8)) > 0.02
    band = cv2.dilate(((matte > 0.005) & (matte < 0.985)).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    surface = pair.ground.surface
    spread = interval(pair.source_lab).widened(surface, band)
    product = strength(spread.distance(pair.edit_lab))
    core = (matte > 0.95).astype(np.float32)
    shift = _local_mean(pair.edit_lab - pair.source_lab, core, 3.0)
    drift = strength(shift * _LAB_WEIGHT) * (core > 0)
    thinned = _local_mean(pair.edit_lab - soft, core, 3.0)
    drift = np.minimum(drift, strength(thinned * _LAB_WEIGHT) * (core > 0))
    if gains is not None and metal is not None:
        moved = smooth(lab(pair.source * np.asarray(gains, np.float32)), 0.7)
        other = interval(moved).widened(surface, band)
        area = cv2.dilate(metal.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        product = np.where(area, np.minimum(product, strength(other.distance(pair.edit_lab))), product)
        again = _local_mean(pair.edit_lab - moved, core, 3.0)
        drift = np.where(area, np.minimum(drift, strength(again * _LAB_WEIGHT) * (core > 0)), drift)
    ground = strength(pair.edit_lab - surface)
    return Residual(product, ground, drift.astype(np.float32), shift, inside, near)


def subsampled(pair: Aligned) -> LabPlanes:
    """The source on the edit's ground with colour at half resolution, as JPEG keeps it: a small stone loses some."""
    surface = np.ascontiguousarray(pair.ground.surface)
    ground = np.asarray(cv2.cvtColor(surface, cv2.COLOR_Lab2LRGB), np.float32)
    dressed = smooth(lab(over(pair.source, pair.alpha, ground)), 0.7)
    soft = smooth(dressed, _CHROMA_PX)
    return np.asarray(np.dstack([pair.source_lab[..., :1], soft[..., 1:]]), np.float32)


def changed_masks(pair: Aligned, rest: Residual, limits: VerifyLimits) -> tuple[Mask, Mask, Mask, Mask]:
    """Masks missing, altered, extra (touching or apart), drifted."""
    limit = limits.change_de
    valid = _inner(pair)
    off = rest.product > limit
    is_ground = rest.ground < 7
    core = pair.alpha > 0.7
    missing = core & off & is_ground & valid
    altered = (pair.alpha > 0.5) & off & ~is_ground & valid
    outside = pair.alpha < 0.03
    extra = outside & (rest.ground > limit) & ~_shadow(pair) & valid
    drifted = (rest.drift > limits.drift_de) & ~off & valid
    return missing, altered, extra, drifted


def find_changes(
    pair: Aligned, rest: Residual, limits: VerifyLimits, *, without: Mask | None = None
) -> tuple[Change, ...]:
    """The connected changed regions, largest first. `without` takes out what another check has explained already."""
    missing, altered, extra, drifted = changed_masks(pair, rest, limits)
    if without is not None:
        missing, altered, extra = (m & ~without for m in (missing, altered, extra))
        # The local mean carries it as far as the mean is wide.
        drifted &= cv2.dilate(without.astype(np.uint8), np.ones((15, 15), np.uint8)) == 0
    least = max(6.0, limits.blob_px * (pair.extent_px / 1000) ** 2)
    size = 2 * max(1, round(pair.extent_px / 260)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    strong = _solid(missing | altered | extra)
    grouped = cv2.morphologyEx(strong.astype(np.uint8), cv2.MORPH_CLOSE, kernel) > 0
    found = []
    for blob in blobs(grouped, min_area_px=1):
        own = blob & strong
        if own.sum() >= least and (own.sum() >= 4 * least or not _is_glint(own, rest)):
            found.append(_change(own, missing, extra, altered, rest, drifted=False))
    slow = cv2.morphologyEx(drifted.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    slow &= cv2.dilate(strong.astype(np.uint8), np.ones((7, 7), np.uint8)) == 0
    for blob in blobs(cv2.morphologyEx(slow.astype(np.uint8), cv2.MORPH_CLOSE, kernel) > 0, min_area_px=1):
        own = blob & slow
        if own.any() and own.sum() >= (
            5 * least if float(rest.drift[own].mean()) < 2 * limits.drift_de else 1.5 * least
        ):
            found.append(_change(own, missing, extra, altered, rest, drifted=True))
    return tuple(sorted(found, key=lambda change: -change.area_px))


def _is_glint(own: Mask, rest: Residual) -> bool:
    """A speck whose surroundings are as they were: facets sparkle anew with every bit of noise; a part that is gone or
    new leaves more than a speck behind."""
    box = Region.around(own, margin_px=12)
    assert box is not None
    spot = own[box.slices].astype(np.uint8)
    near = cv2.dilate(spot, np.ones((3, 3), np.uint8), iterations=2) > 0
    around = (cv2.dilate(spot, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (21, 21))) > 0) & ~near
    around &= rest.inside[box.slices]
    if around.sum() < 12:
        return False
    return float(np.percentile(rest.product[box.slices][around], 75)) < 2.5


def _change(own: Mask, missing: Mask, extra: Mask, altered: Mask, rest: Residual, *, drifted: bool) -> Change:
    area = int(own.sum())
    region = Region.around(own)
    assert region is not None
    value = rest.drift if drifted else np.maximum(rest.product * rest.inside, rest.ground * ~rest.inside)
    return Change(
        mask=own,
        region=region,
        area_px=area,
        missing=float((own & missing).sum()) / area,
        extra=float((own & extra).sum()) / area,
        altered=float((own & altered).sum()) / area,
        own=float((rest.product[core_of(own)] < _OWN_DE).mean()),
        drifted=drifted,
        peak_de=float(np.percentile(value[own], 90)),
    )


def core_of(spot: Mask) -> Mask:
    """`spot` without its rim, whose pixels are half of one thing and half of another."""
    inner: Mask = cv2.erode(spot.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return inner if inner.sum() >= 6 else spot


def _solid(mask: Mask) -> Mask:
    """Without the specks that noise leaves: a pixel needs two of its eight neighbours."""
    neighbours = cv2.filter2D(mask.astype(np.uint8), -1, np.ones((3, 3), np.uint8))
    return np.asarray(mask & (neighbours >= 4), bool)


def _inner(pair: Aligned) -> Mask:
    """Where the source photo covers the edit's canvas (outside it, only the ground can be judged)."""
    return pair.covered | (pair.alpha < 0.03)


def _shadow(pair: Aligned) -> Mask:
    """Soft shadow on the edit's ground: darker, of the ground's own hue, without edges of its own."""
    difference = pair.edit_lab - pair.ground.surface
    darker = difference[..., 0] < 1.0
    tinted = np.hypot(difference[..., 1], difference[..., 2]) > 5 + 0.18 * np.abs(difference[..., 0])
    fine = np.abs(pair.edit_lab[..., 0] - smooth(pair.edit_lab[..., 0], 2.0))
    edges = cv2.dilate(((fine > 3.0) & (pair.alpha < 0.01)).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    rim = cv2.dilate((pair.alpha > 0.01).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    return np.asarray(darker & ~tinted & (~edges | rim), bool)


def _local_mean(picture: np.ndarray, weight: Plane, sigma: float) -> np.ndarray:
    total = cv2.GaussianBlur(picture * cv2.merge([weight] * 3), (0, 0), sigma)
    near = np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), np.float32(1e-4))
    return np.asarray(total / cv2.merge([near] * 3), np.float32)
