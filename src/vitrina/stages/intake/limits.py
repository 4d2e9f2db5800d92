"""Every threshold of the source check, in one place, with its reason (benchmarks/inspect.py prints what they give)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """Two frames are looked at: the *whole* photo with its long side shrunk to `whole_px`, and the piece *close*: its
    box with a margin, its long side shrunk to `close_px`. Neither is ever enlarged. Lengths are in pixels of the frame
    named.
    """

    whole_px: int = 1024
    close_px: int = 1400
    """A main image shows the piece about 1000 px long; with a reserve, noise and blur are judged as they ship."""

    piece_evidence: float = 0.5
    """Evidence above which a place counts as piece."""

    piece_share: float = 2e-4
    """Least share of the photo that is a piece at all."""

    short_side_block_px: int = 600
    """Shortest side below which no marketplace takes the picture."""

    extent_warn_px: int = 600
    """Piece's long side in the photo's own pixels: below it a 1000 px card would be enlarged by more than a half."""
    extent_block_px: int = 300

    fill_warn: float = 0.25
    """Least share of the frame's width or height that the piece spans."""

    touch_px: int = 2
    """Pixels of the evidence frame beside the border that the piece may not enter."""
    touch_length: float = 0.01
    """Length of contact with the frame, as a share of the frame's perimeter, that is more than a stray pixel."""

    blur_warn_px: float = 1.9
    """σ of the sharpest fifth of the piece's edges, close frame. Sharp photos lie at 0.8 to 1.6; a true σ of 2 gives 1.9."""
    blur_block_px: float = 2.8
    """A true σ of about 4: chain links run together."""
    motion_ratio: float = 1.5
    """Width of the edges across the motion over that of those along it."""
    soft_factor: float = 1.9
    """A part is soft when its outline is this many times wider than that of the sharpest parts, and at least `soft_px`."""
    soft_px: float = 1.8
    soft_warn: float = 0.12
    """Share of the piece's parts that may be soft; photos with enough depth of field stay below 0.08."""

    noise_warn: float = 2.2
    """σ of L*, close frame."""
    noise_block: float = 5.0

    clip_piece_warn: float = 0.04
    """Share of the piece without any colour left in it."""
    clip_piece_block: float = 0.15
    glare_spot_warn: float = 0.012
    """Largest clipped place on the piece, as a share of the piece."""

    dark_warn: float = 0.75
    """Share of the piece darker than L* 12."""
    key_low: float = 18.0
    """Piece's 95th percentile of L* below which it is underexposed."""
    key_high: float = 93.0
    """Piece's median L* above which it is overexposed."""

    cast_warn: float = 12.0
    """C*ab of a light backdrop, when the piece's highlights agree on the hue."""
    cast_block: float = 32.0

    skin_block: float = 0.08
    """Share of the photo that is skin."""
    skin_warn: float = 0.035


LIMITS = IntakeLimits()
