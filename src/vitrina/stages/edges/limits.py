"""Every threshold of the edge check, with its reason."""

from __future__ import annotations

from dataclasses import dataclass


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
