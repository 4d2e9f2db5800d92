"""Every threshold of the source check, with its reason (benchmarks/source_check.py prints what they give)."""

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

    jpeg_quality: int = 60
    """Least JPEG quality; messengers write 70 to 80, cameras 85 and more."""
    blockiness: float = 1.0
    """L* steps on the grid of JPEG blocks, of pictures that were strongly compressed before they were saved again."""
    finest_px: float = 1.2
    """σ of the finest twentieth of the edges at the photo's own pixels: cameras reach 0.5 to 1.3."""
    grain: float = 0.1
    """σ of L* at the photo's own pixels, of the middling patch: enlarged pictures keep only the steps of 8 bits."""
    true_extent_px: float = 700.0
    """Detail across the piece below which enlargement matters."""
    bars: float = 0.04
    """Share of the height in bars of one colour."""

    extent_warn_px: int = 600
    """Piece's long side in the photo's own pixels: below it a 1000 px card would be enlarged by more than a half."""
    extent_block_px: int = 300

    fill_warn: float = 0.25
    """Least share of the frame's width or height that the piece spans."""

    touch_length: float = 0.004
    """Length of contact with the frame, as a share of its perimeter: at 1024 px, a chain's width."""
    touch_depth_px: int = 8
    touch_contrast: float = 9.0
    """Least range of L* in the strip of `touch_depth_px` along the contact; stands and shadows are flatter."""
    touch_part: float = 0.05
    """Least share of the piece that the touching part has."""
    touch_evidence: float = 0.56
    """Least evidence that the contact reaches somewhere."""

    blur_warn_px: float = 1.9
    """σ of the sharpest fifth of the edges, close frame. Sharp photos have 0.8 to 1.6, a true σ of 2 has 1.9."""
    blur_block_px: float = 2.8
    """A true σ of about 4: chain links run together."""
    motion_ratio: float = 1.5
    """Width of the edges across the motion over that of those along it."""
    soft_factor: float = 2.2
    """A stretch of the outline is soft when its σ is this many times that of the sharpest fifth, and over `soft_px`."""
    soft_px: float = 2.4
    soft_least: float = 0.25
    """Energy of the gradients (L*² per px²) from which on blur is read at all."""
    soft_warn: float = 0.12
    """Share of the outline that may be soft; well lit scenes stay below 0.03, most sharp photos 0.07."""

    noise_warn: float = 1.7
    """σ of L*, close frame; a fine photo has under 0.7, film grain 1.4."""
    noise_block: float = 4.0

    clip_piece_warn: float = 0.14
    """Share of the piece without any colour left in it. Polished metal under a softbox reaches 0.09."""
    clip_piece_block: float = 0.30
    glare_spot_warn: float = 0.08
    """Largest clipped place on the piece, as a share of the piece; a white disc under a softbox reaches 0.074."""

    hard_thin: float = -0.03
    """Share of the highlights in specks and lines thinner than a fiftieth of the piece, on black metal ..."""
    hard_thin_per_middle: float = 3.2
    """... and more as the metal's middling brightness rises towards its highlights. Flash and bare lamps leave 0.53 to
    0.94 thin at 0.01 to 0.25; windows and softboxes 0.37 at 0.13, 0.71 at 0.24."""
    hard_thin_least: float = 0.15

    key_low: float = 28.0
    """95th percentile of the piece's L* below which it is underexposed."""
    key_high: float = 93.0
    """Median of the piece's L* above which it is overexposed."""

    cast_warn: float = 12.0
    """C*ab of a light backdrop of a lamp's or of shade's hue, when the piece's highlights do not speak against it."""
    cast_block: float = 32.0
    cast_highlight: float = 9.0
    """C*ab of highlights as blue as the sky, beside a backdrop that cannot tell; all photos but one stay below 5."""
    cast_ground_l: float = 45.0
    """Darker backdrops say nothing of the light; a lit wall or table behind a dark stand does ..."""
    cast_lit_share: float = 0.04
    """... when it has this share of the backdrop."""

    clutter_note: float = 0.15
    """Share of the backdrop near contours of its own; linen and paper stay below 0.05, wood grain below 0.14."""
    clutter_warn: float = 0.35
    """Print, twigs, painted planks: from here on cutouts suffer."""
    mirror_warn: float = 0.6
    """Correlation of the backdrop with the piece turned upside down; a hanging pendant reaches 0.53 by chance."""
    tint_ground: float = 14.0
    """C*ab from which on a backdrop colours what lies on it."""
    tint_warn: float = 0.12
    """Share of the piece, away from its outline, that shows the backdrop's hue; beads of that hue reach 0.1."""
    mixed_ground: float = 14.0
    """Change of b* across a plain backdrop, from warm to cold."""
    mixed_highlights: float = 0.10
    """Least share of warm and of cold pixels among the piece's highlights."""

    polished_share: float = 0.5
    """Least share of the piece that is smooth metal, for specks to be told from links, stones and engraving."""
    speck_l: float = 5.0
    """L* by which a speck differs from the metal around it, and at least five times the grain."""
    specks_note: float = 3.0
    """Specks per 10,000 px of smooth metal; clean bands have up to 1.6, 150 motes on a ring make 3.5 and more."""

    screen_peak: float = 80.0
    """Height of the strongest regular pattern of colour over what is usual; photos reach 56, screens a thousand."""
    screen_amplitude: float = 0.15
    """Its amplitude, percent of full range."""

    skin_block: float = 0.08
    """Share of the photo that is skin."""
    skin_warn: float = 0.035

    text_score: float = 0.8
    """Least certainty of two or three letters; beads and links read as "0" or "CO" stay below or say nothing."""
    text_score_long: float = 0.5
    """Least certainty of four or more letters (Cyrillic comes out as look-alikes, less surely)."""
    text_tall: float = 0.3
    """Share of the photo's short side above which no line of print is tall: a whole earring can read as "CO"."""
    text_on_piece: float = 0.7
    """Share of a line's box on the piece above which it is a hallmark or an ornament of the piece."""
    print_lines: int = 6
    """Lines, all beside the piece, from which on they are print on the backdrop rather than a watermark."""


LIMITS = IntakeLimits()
LIVE_LIMITS = IntakeLimits(whole_px=768, close_px=1000)
"""For a preview, which holds no more detail."""
