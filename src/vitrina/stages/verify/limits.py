"""Every threshold of verification, in one place, with its reason.

The figures were set on the rendered pairs (benchmarks/verify.py prints what they give, per kind): the highest value
seen on clean edits of the tuning scenes, with a margin, and well below the smallest true defect.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class VerifyLimits:
    """Lengths are in pixels of the work frame, colours in CIELAB (D65) unless said."""

    work_px: int = 1400
    """Long side of the work frame. Below it, nothing is lost; above it, a pair would take longer than about a
    second."""

    match_correlation: float = 0.45
    """Least correlation inside the piece to say "this is the piece at all". Clean pairs lie above 0.85, wrong ones
    below 0.3."""

    match_seen: float = 0.25
    """Least share of the piece that has to show when the rest is missing..."""

    match_correlation_shown: float = 0.75
    """... and how well that share has to agree."""

    match_agreement: float = 0.1
    """Least agreement of edges (median correlation in windows) that says so, too: it survives a large stone
    that is gone or has another colour. Right pairs lie above 0.15, wrong ones below 0.03."""

    match_poor: float = 0.6
    """Correlation of what shows below which a person has to compare by eye, unless the edges agree twice as well as
    needed."""

    match_overlap: float = 0.05
    """Least intersection over union of the outlines: a piece that is found in a corner of another one is not found."""

    least_extent_px: int = 64
    """Smallest piece, in pixels of the edit, of which anything can be said."""

    stretch: float = 0.03
    """Greatest difference between the two singular values of the transform: honest re-framing keeps proportions."""

    warp_px: float = 2.0
    """Local displacement that is still one rigid re-framing: registration leaves under 0.5 px on clean edits."""

    change_de: float = 14.0
    """Excess ΔE76 beyond the half-pixel interval that makes a pixel a changed one. JPEG q85 and fresh noise reach
    10."""

    drift_de: float = 4.5
    """Change of the 3 px mean that makes a smooth colour change visible. Noise and JPEG stay under 3.5."""

    blob_px: float = 36.0
    """Smallest area of a change, at a product extent of 1000 px (scaled with the piece's extent squared)."""

    metal_de00: float = 2.0
    """Shift of the metal's colour (chroma and hue, lightness taken out) that asks for a person."""

    metal_block_de00: float = 2.5
    """... and that blocks: above the smallest shift a buyer sees side by side (about 2.3)."""

    metal_lightness: float = 6.0
    """Change of the metal's L* beside the rest of the piece. White gold and steel lie 10 to 25 apart; clean edits
    stay under 3."""

    metal_apart_ev: float = 0.3
    """Least disagreement between the exposure of metal and of stones for them to be judged apart."""

    metal_exposure_ev: float = 0.3
    """Darkening of a piece of white metal that may no longer be mere exposure."""

    exposure_ev: float = 0.5
    """Greatest global lift or cut of exposure."""

    ground_chroma: float = 3.0
    """C*ab of the ground that is still neutral."""

    ground_min_l: float = 86.0
    """Darkest ground of a main picture: light grey 241 is L* 95, a grey sweep about 90."""

    ground_range_l: float = 9.0
    """L* range of the fitted ground surface over the canvas that is still even."""

    faint_print_l: float = 1.6
    """Contrast of fine strokes on the open ground, L*, from which they are print. JPEG q85 and noise stay under 1
    there."""

    halo_share: float = 0.18
    """Share of the contour with a foreign rim beside it."""

    eroded_share: float = 0.18
    """Share of the contour whose outer rim is gone."""

    outline_px: float = 1.4
    """Where no matte was given: how far the source's edge may lie beside the edit's outline. Clean edits leave it
    within half a pixel, in chains within one..."""
    outline_ratio: float = 1.15
    """... and how much more of an edge it has to be than at the outline itself; erosion and halos give 1.2 to 2.3."""

    outline_outside: float = 0.7
    """How much of an edge the source may have 2 px outside the edit's outline, over that at the outline. Clean edits
    leave 0.30 to 0.53; outlines eaten by 2 to 4 px 0.86 to 1.5, in fine chains 0.5 to 1..."""
    outline_lopsided: float = 1.1
    """... and over that 2 px inside: clean edits 0.4 to 0.87, eaten outlines 1.18 and more."""

    texture_gain: float = 0.925
    """Least ratio of fine contrast (1 to 2.5 px) in the edit to the source's, where both show the same detail. Clean
    edits leave 0.935 and more, at 800 px and JPEG q85 too; smoothing that one sees at a glance 0.4 to 0.9."""

    texture_rims: float = 0.225
    """What is taken off where little lies deeper than its rims: clean edits leave 0.72 there, smoothing under 0.67."""

    texture_sharp: float = 1.25
    """... and the greatest. Clean edits stay under 1.05; an unsharp mask that shows at a glance gives 1.4 and more."""

    removed_rms: float = 0.015
    removed_over: float = 2.0
    """Detail that only the source has: its root mean square (encoded luminance), and how many times all the edit has
    there."""
    removed_px: float = 1000.0
    """Least area of it, at a product extent of 1000 px. Clean edits leave 50 at most, our own drafts of real photos
    620, painted-out scratches 2200."""

    invented_rms: float = 0.02
    invented_over: float = 2.0
    """The same for detail that only the edit has..."""
    invented_px: float = 3000.0
    """... and its least area. JPEG and new noise on facets reach 340, a pattern on plain metal 14 000."""
    invented_least: float = 0.15
    """Encoded luminance below which nothing is called invented: the curve of sRGB makes much of the noise of black
    velvet."""

    frame_lost: float = 0.002
    """Share of the piece that may lie outside the frame (rounding at the rim)."""

    def for_settled_matte(self) -> VerifyLimits:
        """These limits where no matte was given: one that is settled from the pair wavers by a pixel or two.

        It does so along a third of the contour, while true erosion and halos run along two thirds and more, and it
        leaves specks of up to 80 px at an extent of 1000 px.
        """
        return replace(
            self,
            blob_px=2.5 * self.blob_px,
            warp_px=2 * self.warp_px,
            eroded_share=0.5,
            halo_share=0.5,
        )


LIMITS = VerifyLimits()
