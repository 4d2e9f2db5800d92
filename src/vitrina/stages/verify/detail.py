"""Fine detail inside the piece: smoothed or sharpened all over, painted out here, invented there.

Everything is judged in one band of scales (a difference of Gaussians of 1 and 2.5 px), where facets, hammering,
scratches and engraving live. Globally the contrast of the two is compared in windows where they show the same detail.
Locally they are split, as noise and signal are in a coherence analysis, into what they share and what only one has.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from vitrina.imaging.colour import encode_srgb, luminance
from vitrina.imaging.compare import smooth, strength
from vitrina.imaging.compose import over
from vitrina.model import Finding, Mask, Plane, Region, Severity
from vitrina.stages.verify.align import Aligned
from vitrina.stages.verify.changes import Change, Residual
from vitrina.stages.verify.limits import VerifyLimits
from vitrina.stages.verify.naming import Name

_FINE_PX, _COARSE_PX = 1.0, 2.5
_WINDOW_PX = 5.0
_SHOWN_DE = 10.0
"""ΔE76 from the edit's ground from which the edit shows the piece."""
_LOCAL_PX = 3.0
"""Width of the windows in which the contrast of the two is compared."""
_COHERENT, _RELATED = 0.95, 0.5
"""Correlation in a window from which the two show the very same detail, and from which one may be the other smoothed:
noise of two photos is not related, nor is a rim of the old ground to one of the new."""
_RELATED_SLACK = 0.97
"""A window that is merely related may hold a rim of the ground: what its contrast is divided by."""
_DEEP_PX, _DEEP_ENOUGH = 6, 2000
"""How far from the contour a window shows nothing of it, and how many pixels must be that deep to rest on them alone:
of fine wire none is, and white pearls on white stand out along their rims alone."""
_CLEAR_PX = 17, 9
"""Within how many pixels of a change no window counts, if that leaves any; sharpening changes something everywhere."""
_LEAST_DETAIL, _STRONG = 0.008, 60
"""Root mean square (encoded luminance) and percentile of the piece from which a window has detail to speak of."""
_LEAST_WINDOWS, _LEAST_INSIDE = 100, 300
"""Pixels, at least: of windows to take the median of, and well inside the piece to look for detail at all."""


@dataclass(frozen=True, slots=True)
class Detail:
    """`gain` is the edit's fine contrast over the source's, None where the source shows too little; `removed` and
    `invented` are the places where one of the two has detail of its own."""

    gain: float | None
    removed: Mask
    invented: Mask
    findings: tuple[Finding, ...]


def judge_detail(
    pair: Aligned, changed: Mask, openwork: Mask, limits: VerifyLimits, *, is_given: bool = True
) -> Detail:
    """Compare fine detail; `changed` is what another check has found already, and in `openwork` (chains, clasps) the
    shape itself is fine detail, so that nothing is called a mark there. A settled matte (not `is_given`) may hold
    daylight, which says nothing of texture, and says nothing at all of wire that it covers with its rims alone.
    """
    # Dressed in the edit's ground, the source's rim reaches as far into thin parts as the edit's own.
    ground = cv2.cvtColor(np.ascontiguousarray(pair.ground.surface), cv2.COLOR_Lab2LRGB)
    dressed = over(pair.source, pair.alpha, np.asarray(ground, np.float32))
    shown = [encode_srgb(luminance(rgb)) for rgb in (dressed, pair.edit)]
    source, edit = (_band(plane) for plane in shown)
    solid = pair.alpha > 0.98
    if not is_given:
        solid &= strength(pair.edit_lab - pair.ground.surface) > _SHOWN_DE
    inner = cv2.erode(solid.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if inner.sum() < _LEAST_INSIDE:
        nowhere = np.zeros(inner.shape, bool)
        gain, strong = _gain(source, edit, pair.alpha > 0.9, changed) if is_given else (None, nowhere)
        return Detail(gain, nowhere, nowhere, tuple(_judge_gain(gain, strong, _for_rims(limits))))
    size = (pair.extent_px / 1000) ** 2
    near = cv2.dilate(changed.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    beyond = cv2.dilate(openwork.astype(np.uint8), np.ones((9, 9), np.uint8)) == 0
    only_source, only_edit = _unshared(source, edit, inner, limits)
    removed = _patches(only_source & beyond, limits.removed_px * size)
    lit = smooth(shown[0], _WINDOW_PX) > limits.invented_least
    invented = _patches(only_edit & lit & ~near, limits.invented_px * size)
    # Marks that are gone from one place are no smoothing; smoothing all over leaves its trace elsewhere too.
    local = removed | invented
    deep = cv2.erode(solid.astype(np.uint8), np.ones((2 * _DEEP_PX + 1,) * 2, np.uint8)) > 0
    told = inner & ~local
    is_shallow = float((told & deep).sum()) <= _DEEP_ENOUGH
    gain, strong = _gain(source, edit, told if is_shallow else told & deep, changed)
    findings = _judge_gain(gain, strong, _for_rims(limits) if is_shallow else limits)
    if findings:
        return Detail(gain, np.zeros_like(local), np.zeros_like(local), tuple(findings))
    if invented.any():
        findings.append(
            Finding(
                "texture", "invented-detail", Severity.BLOCK, float(invented.sum() / size), limits.invented_px, "px",
                "The edit shows a pattern on metal or stone that the source does not have. "
                "Regenerate without enhancement.",
                Region.around(invented),
            )
        )  # fmt: skip
    return Detail(gain, removed, invented, tuple(findings))


def removed_detail(removed: Mask, pair: Aligned, limits: VerifyLimits) -> list[Finding]:
    """The finding for `removed`, where nothing else explains it."""
    if not removed.any():
        return []
    size = (pair.extent_px / 1000) ** 2
    return [
        Finding(
            "texture", "detail-removed", Severity.BLOCK, float(removed.sum() / size), limits.removed_px, "px",
            "Scratches, engraving or other fine marks of the source are gone. Real marks stay: regenerate without "
            "retouching.",
            Region.around(removed),
        )
    ]  # fmt: skip


def is_only_smooth(change: Change) -> bool:
    """Scattered alterations are what smoothing looks like from near; a missing or added part, or another colour,
    is more than that."""
    return change.missing < 0.4 and change.extra < 0.4 and not change.drifted


def is_retouched(change: Change, removed: Mask, pair: Aligned, rest: Residual, limits: VerifyLimits) -> bool:
    """The change is thin, lies where fine marks are gone, and the colour around them stayed: only marks are missing."""
    depth = cv2.distanceTransform(np.pad(change.mask, 1).astype(np.uint8), cv2.DIST_L2, 3)
    if float(depth.max()) > max(2.5, 3.5 * pair.extent_px / 1000):
        return False
    near = cv2.dilate(removed.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    if change.extra > 0.2 or float((change.mask & near).sum()) < 0.6 * change.area_px:
        return False
    return float(np.median(rest.drift[change.mask])) < 2 * limits.drift_de


def unexplained(removed: Mask, named: list[tuple[Change, tuple[Name, ...]]]) -> Mask:
    """The patches of `removed` that no named change touches."""
    if not removed.any():
        return removed
    touched: Mask = np.zeros_like(removed)
    for change, _ in named:
        touched |= change.mask
    _, labels = cv2.connectedComponents(removed.astype(np.uint8), connectivity=8)
    taken = np.unique(labels[cv2.dilate(touched.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0])
    return np.asarray(removed & ~np.isin(labels, taken), bool)


def _band(plane: Plane) -> Plane:
    return np.asarray(smooth(plane, _FINE_PX) - smooth(plane, _COARSE_PX), np.float32)


def _gain(source: Plane, edit: Plane, inside: Mask, changed: Mask) -> tuple[float | None, Mask]:
    """The edit's fine contrast over the source's, in windows where the source has detail, and where those are.

    The ratio of the two root mean squares, in the median over windows in which the two bands are coherent. Where the
    matte is a little wrong, a rim of one of the grounds lies in a window and takes its coherence; smoothing takes it,
    too, where it takes all detail, and so windows that are merely related count as well, with some slack. None where
    there are too few of either.
    """
    use = inside
    for width in _CLEAR_PX:
        clear = inside & (cv2.dilate(changed.astype(np.uint8), np.ones((width, width), np.uint8)) == 0)
        if clear.sum() >= _LEAST_INSIDE:
            use = clear
            break
    own, other, both = _powers(source, edit, inside, _LOCAL_PX)
    amplitude = np.sqrt(own)
    if not use.any():
        return None, use
    strong = use & (amplitude > max(_LEAST_DETAIL, float(np.percentile(amplitude[use], _STRONG))))
    likeness = both / np.sqrt(np.maximum(own * other, 1e-12))
    ratio = np.sqrt(other / np.maximum(own, 1e-12))
    gains = [
        float(np.median(ratio[windows])) / slack
        for windows, slack in ((strong & (likeness > _COHERENT), 1.0), (strong & (likeness > _RELATED), _RELATED_SLACK))
        if windows.sum() >= _LEAST_WINDOWS
    ]
    return (min(gains) if gains else None), strong


def _powers(source: Plane, edit: Plane, inside: Mask, window_px: float) -> tuple[Plane, Plane, Plane]:
    """Mean squares of the two bands and their mean product over windows, of what lies inside."""
    weight = inside.astype(np.float32)
    total = np.maximum(smooth(weight, window_px), 0.05)
    own, other, both = (
        np.asarray(smooth(plane * weight, window_px) / total, np.float32)
        for plane in (source * source, edit * edit, source * edit)
    )
    return own, other, both


def _for_rims(limits: VerifyLimits) -> VerifyLimits:
    """The limits where little is deep: each window holds a rim, and the matte is never right to a tenth of a pixel."""
    return replace(limits, texture_gain=limits.texture_gain - limits.texture_rims)


def _judge_gain(gain: float | None, strong: Mask, limits: VerifyLimits) -> list[Finding]:
    if gain is None or limits.texture_gain <= gain <= limits.texture_sharp:
        return []
    if gain > limits.texture_sharp:
        return [
            Finding(
                "texture", "over-sharpened",
                Severity.BLOCK if gain > limits.texture_sharp + 0.1 else Severity.WARN,
                gain, limits.texture_sharp, "contrast ratio",
                f"Fine detail has {100 * gain:.0f} % of its contrast, {100 * limits.texture_sharp:.0f} % allowed: the "
                "edit was sharpened until facets and marks look harder than they are. Regenerate without enhancement.",
                Region.around(strong),
            )
        ]  # fmt: skip
    return [
        Finding(
            "texture", "smoothed", Severity.BLOCK if gain < limits.texture_gain - 0.08 else Severity.WARN,
            gain, limits.texture_gain, "contrast ratio",
            f"Fine detail keeps {100 * gain:.0f} % of its contrast, {100 * limits.texture_gain:.0f} % needed: "
            "facets or metal texture were smoothed. Regenerate without enhancement.",
            Region.around(strong),
        )
    ]  # fmt: skip


def _unshared(source: Plane, edit: Plane, inner: Mask, limits: VerifyLimits) -> tuple[Mask, Mask]:
    """Where only the source, and where only the edit, has detail: root mean square over a window of what does not
    regress on the other, beyond the noise that is everywhere, and larger than all that the other has there."""
    own, other, both = _powers(source, edit, inner, _WINDOW_PX)
    places = []
    for a, b, least, times in (
        (own, other, limits.removed_rms, limits.removed_over),
        (other, own, limits.invented_rms, limits.invented_over),
    ):
        rest = np.sqrt(np.maximum(a - both * both / np.maximum(b, 1e-7), 0))
        usual = float(np.median(rest[inner]))
        places.append(np.asarray(inner & (rest - usual > least) & (rest > times * np.sqrt(b)), bool))
    return places[0], places[1]


def _patches(mask: Mask, least_px: float) -> Mask:
    """The connected patches of at least `least_px`."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= max(24.0, least_px)
    keep[0] = False
    return np.asarray(keep[labels], bool) if count > 1 else np.zeros_like(mask)
