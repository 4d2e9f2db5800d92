"""Dressing a cutout: a plain ground, perhaps a contact shadow, and at most one recorded colour adjustment."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.errors import UsageError
from vitrina.imaging.colour import decode_srgb, delta_e00, lab, luminance
from vitrina.imaging.compose import ShadowParams, contact_shadow, over
from vitrina.model import Adjustment, Cutout, Look, Placement, Region, Rgb, Size, Source, Variant
from vitrina.rules.load import refuse_video

LOOKS: dict[str, Look] = {
    look.name: look
    for look in (
        Look("white", (255, 255, 255)),
        Look("white-shadow", (255, 255, 255), shadow=True),
        Look("grey", (241, 241, 241)),
        Look("grey-shadow", (241, 241, 241), shadow=True),
    )
}
"""The looks one can ask for by name."""

AS_SHOT = Adjustment()
"""No adjustment at all."""


@dataclass(frozen=True, slots=True)
class AdjustmentParams:
    """When the one global adjustment is made, and how far it may go."""

    chroma: float = 9.0
    """C*ab of the backdrop up to which it may be white or grey paper under tinted light; beyond it is coloured."""
    spread: float = 4.0
    """Spread (median absolute deviation, Lab a* and b*) up to which the backdrop is one plain thing."""
    seen: float = 0.15
    """Share of the frame that has to be backdrop."""
    least_l: float = 55.0
    """L* below which a backdrop says nothing safe about the light."""
    piece_de00: float = 1.2
    """Greatest shift of the piece's own colours by the white balance (median, ΔE00 at equal lightness)."""
    lift: float = 1.10
    """Greatest gain of exposure (0.14 EV)."""
    paper_l: float = 92.0
    """L* that plain light paper is lifted towards."""


def neutral_adjustment(source: Source, cutout: Cutout, *, params: AdjustmentParams = AdjustmentParams()) -> Adjustment:
    """The adjustment that a plain, plausibly neutral backdrop justifies; otherwise none, with the reason.

    Only the backdrop is asked what white is (never the piece: gold is yellow and stays so), and the piece's own
    colours may move by `piece_de00` at most. Exposure is lifted a little when light paper came out dark and no
    highlight of the piece would be lost.
    """
    step = max(1, round(max(cutout.alpha.shape) / 500))
    away = cv2.dilate(cutout.alpha[::step, ::step], np.ones((9, 9), np.uint8)) < 0.004
    if away.mean() < params.seen:
        return Adjustment(reason=f"none: only {away.mean():.0%} of the frame is backdrop, {params.seen:.0%} needed")
    small = source.rgb[::step, ::step][away]
    shades = lab(small.reshape(1, -1, 3))[0]
    middle = np.median(shades, axis=0)
    spread = float(np.median(np.abs(shades[:, 1:] - middle[1:]), axis=0).max())
    chroma = float(math.hypot(middle[1], middle[2]))
    if spread > params.spread:
        return Adjustment(reason=f"none: the backdrop's colour varies by {spread:.1f} Lab, {params.spread:g} allowed")
    if middle[0] < params.least_l:
        return Adjustment(reason=f"none: the backdrop is dark (L* {middle[0]:.0f}, {params.least_l:g} needed)")
    if chroma > params.chroma:
        return Adjustment(reason=f"none: the backdrop is coloured (C* {chroma:.0f}, {params.chroma:g} may be neutral)")
    paper = np.median(small, axis=0).astype(np.float64)
    piece = cutout.foreground[::step, ::step][cutout.alpha[::step, ::step] > 0.99]
    balance, strength = _balance(paper, piece, params)
    lift = _lift(float(middle[0]), piece, params)
    gains = balance * lift
    if np.abs(gains - 1).max() < 0.005:
        return Adjustment(reason=f"none needed: the backdrop is neutral (C* {chroma:.1f})")
    reason = (
        f"white balance from the backdrop (C* {chroma:.1f}, {strength:.0%} taken out), "
        f"exposure {math.log2(lift):+.2f} EV"
    )
    red, green, blue = (round(float(gain), 4) for gain in gains)
    return Adjustment((red, green, blue), reason)


def weakened(adjustment: Adjustment, *, share: float) -> Adjustment:
    """`adjustment` with only `share` (0…1) of its strength; 0 leaves the colours as photographed."""
    red, green, blue = (round(gain**share, 4) for gain in adjustment.gains)
    return Adjustment(
        (red, green, blue), f"{adjustment.reason}; {share:.0%} of it made, more would move the metal's tone"
    )


def compose(cutout: Cutout, look: Look | str, *, adjustment: Adjustment = AS_SHOT) -> Variant:
    """Dress `cutout` at full resolution.

    The canvas is the piece's box with room for the shadow on every side; its rim is plain ground, which goes on beyond
    it, so any ratio can be cut. Where alpha is 1 the pixels are exactly the source's times the gains.

    Raises UsageError for an unknown look or a cutout without a piece.
    """
    dress = named_look(look) if isinstance(look, str) else look
    box = Region.around(cutout.alpha > 0)
    if box is None:
        raise UsageError("Nothing to dress: the cutout is empty. Photograph the piece on plain paper and try again.")
    extent = max(box.width, box.height)
    params = ShadowParams()
    margin = max(16, math.ceil(1.1 * params.reach * extent) + 2)
    size = Size(box.width + 2 * margin, box.height + 2 * margin)
    inner = (slice(margin, margin + box.height), slice(margin, margin + box.width))
    alpha = np.zeros((size.height, size.width), np.float32)
    alpha[inner] = cutout.alpha[box.slices]
    ground = decode_srgb(np.array(dress.ground_srgb, np.uint8))
    rgb: Rgb = np.empty((size.height, size.width, 3), np.float32)
    rgb[:] = ground
    if dress.shadow:
        rgb *= contact_shadow(alpha, extent_px=extent, params=params)[..., None]
    piece = cutout.foreground[box.slices]
    if adjustment.gains != (1.0, 1.0, 1.0):
        piece = piece * np.array(adjustment.gains, np.float32)
    rgb[inner] = over(piece, cutout.alpha[box.slices], rgb[inner])
    placement = Placement(1.0, float(margin - box.x), float(margin - box.y), size)
    return Variant(rgb=rgb, alpha=alpha, look=dress, adjustment=adjustment, placement=placement)


def named_look(name: str) -> Look:
    """The look called `name`. Raises UsageError that lists the looks there are."""
    if name not in LOOKS:
        refuse_video(name)
        raise UsageError(f"Unknown look {name!r}. Choose from: {', '.join(LOOKS)}.")
    return LOOKS[name]


def _balance(
    paper: NDArray[np.float64], piece: NDArray[np.float32], params: AdjustmentParams
) -> tuple[NDArray[np.float64], float]:
    """Gains that make `paper` neutral at its own luminance, weakened until the piece's colours hardly move."""
    full = float(paper @ (0.2126, 0.7152, 0.0722)) / np.maximum(paper, 1e-4)
    lit = piece[(piece.max(axis=-1) < 0.98) & (piece.max(axis=-1) > 0.02)]
    for strength in np.linspace(1, 0, 21):
        gains = full ** float(strength)
        gains /= float((paper * gains) @ (0.2126, 0.7152, 0.0722)) / float(paper @ (0.2126, 0.7152, 0.0722))
        if len(lit) == 0 or _shift(lit, gains) <= params.piece_de00:
            return gains, float(strength)
    return np.ones(3), 0.0


def _shift(colours: NDArray[np.float32], gains: NDArray[np.float64]) -> float:
    """Median ΔE00 of `colours` under `gains`, lightness taken out."""
    sample = colours[:: max(1, len(colours) // 4000)].reshape(1, -1, 3)
    before, after = lab(sample), lab(sample * gains.astype(np.float32))
    after[..., 0] = before[..., 0]
    return float(np.median(delta_e00(before, after)))


def _lift(paper_l: float, piece: NDArray[np.float32], params: AdjustmentParams) -> float:
    """Gain towards light paper, bounded by `params.lift` and by the piece's highlights."""
    if paper_l >= params.paper_l or paper_l < 75:
        return 1.0
    wanted = float(((params.paper_l + 16) / (paper_l + 16)) ** 3)
    peak = float(np.percentile(luminance(piece.reshape(1, -1, 3)), 98)) if len(piece) else 1.0
    return max(1.0, min(params.lift, wanted, 0.95 / max(peak, 1e-3)))
