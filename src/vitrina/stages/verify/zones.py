"""What the parts of the source are: chain, clasp, thin wire, stone-like colour.

Everything is read off the aligned matte and pixels; nothing is learned. A chain shows many daylight holes of similar
size side by side; the clasp is the hole that has no equal among them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitrina.model import Alpha, Mask, Region, Size
from vitrina.stages.verify.align import Aligned

_LINKS = 6
"""Holes of one size, side by side, that make a chain."""
_SHORT = 0.2
"""Share of the piece's diagonal below which they do not."""
_EYE = 0.35
"""Least area of a clasp's eye, in that of a usual link's daylight: what is smaller is a gap between two links."""
_THREAD = 45
"""Length over breadth that no ring's band has: at 2 mm it is 30."""
_PAIR = 0.7
"""Least area of the smaller of a pair of earrings, in that of the other."""
_BRIDGE = 0.8
"""How far the zones of links reach towards each other, in the usual distance of their holes."""
_BREADTHS = 0.6, 1.5
"""Between these, in that of the narrow and of the wide links whose daylight shows, is the breadth of links whose
daylight does not."""
_ALIKE = 2.0
"""Greatest daylight of a link, in the 80th percentile of all; a clasp's eye is larger."""
_OPEN_LINK = 0.1
"""Gap, in the length of a link, over which a matte that lost some of one is closed."""
_GAP = 0.4
"""How far a clasp may lie from the links at its sides, in the breadth of the chain."""
_CLASP = 0.25, 0.15
"""Least area of a clasp, in the squared breadth of its chain, and greatest share of the piece."""
_CONTACT = 0.05
"""Least area, in the squared breadth, of a chain's end that a clasp reaches to."""
_BEADS = 8
"""Beads of one size that make a string of them."""
_UNLIKE = 1.6
"""How much longer the clasp is than any other stretch between two beads."""


@dataclass(frozen=True, slots=True)
class Hole:
    """One patch of daylight inside the piece."""

    region: Region
    area_px: int
    centre: tuple[float, float]
    elongation: float


@dataclass(frozen=True, slots=True)
class Zones:
    """Masks in the work frame. `links` counts the chain's holes, not its links: a link lying edge-on shows none."""

    piece: Mask
    chain: Mask
    clasp: Mask
    wire: Mask
    stone_like: Mask
    metal_like: Mask
    components: tuple[Mask, ...]
    holes: tuple[Hole, ...]
    link_px: float
    """Usual length of a link; 0 without a chain."""


def find_zones(pair: Aligned) -> Zones:
    """Divide the source's piece into zones."""
    piece = pair.alpha > 0.5
    holes = find_holes(pair.alpha)
    chain_holes, reach, chain = _chain(holes, piece)
    link_px = _link_length(chain_holes, piece)
    if chain_holes:
        chain = _grown_along(chain, piece, link_px, chain_holes)
    else:
        chain, link_px = _thread(piece)
    stone_like, metal_like = _by_colour(pair, piece)
    odd = _odd_one(chain_holes, holes, piece, reach)
    clasp = _around(odd, piece.shape) if odd else _between_beads(piece, metal_like)
    if not clasp.any():
        clasp = _between_ends(chain, piece)
    return Zones(
        piece=piece,
        chain=chain & ~clasp,
        clasp=clasp,
        wire=_wire(piece) & ~chain,
        stone_like=stone_like,
        metal_like=metal_like,
        components=components(piece),
        holes=holes,
        link_px=link_px,
    )


def find_holes(alpha: Alpha, *, least_px: int = 6) -> tuple[Hole, ...]:
    """The patches of daylight enclosed by the piece, largest first."""
    count, labels, stats, centres = cv2.connectedComponentsWithStats((alpha < 0.5).astype(np.uint8), connectivity=4)
    height, width = alpha.shape
    found = []
    for index in range(1, count):
        x, y, w, h, area = (int(v) for v in stats[index])
        if area < least_px or x == 0 or y == 0 or x + w == width or y + h == height:
            continue
        ys, xs = np.nonzero(labels[y : y + h, x : x + w] == index)
        spread = np.cov(np.stack([xs, ys]).astype(float)) + 0.08 * np.eye(2)
        low, high = np.linalg.eigvalsh(spread)
        centre = (float(centres[index][0]), float(centres[index][1]))
        found.append(Hole(Region(x, y, w, h), area, centre, float(np.sqrt(high / low))))
    return tuple(sorted(found, key=lambda hole: -hole.area_px))


def link_holes(alpha: Alpha) -> tuple[Hole, ...]:
    """The patches of daylight that are a chain's links; none when the piece shows no chain."""
    return _chain_holes(find_holes(alpha), alpha > 0.5)


def components(piece: Mask, *, share: float = 0.01) -> tuple[Mask, ...]:
    """The separate objects of the piece that are at least `share` of it."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(piece.astype(np.uint8), connectivity=8)
    least = share * float(piece.sum())
    return tuple(labels == index for index in range(1, count) if stats[index, cv2.CC_STAT_AREA] >= least)


def _chain(holes: tuple[Hole, ...], piece: Mask) -> tuple[tuple[Hole, ...], float, Mask]:
    """The links' holes, their usual distance and the zone around them. Gaps in a setting are no chain."""
    links = _chain_holes(holes, piece)
    reach = _spacing(links)
    around = _near(links, piece.shape, reach) & (cv2.dilate(piece.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    box = Region.around(piece)
    least = _SHORT * float(np.hypot(box.width, box.height)) if box else 0.0
    _, labels, stats, _ = cv2.connectedComponentsWithStats(around.astype(np.uint8), connectivity=8)
    is_long = np.hypot(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) >= least
    is_long[0] = False
    kept = is_long[labels]
    near = cv2.dilate(kept.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    links = tuple(hole for hole in links if near[hole.region.slices].any())
    return (links, reach, kept) if len(links) >= _LINKS else ((), 0.0, np.zeros_like(piece))


def _thread(piece: Mask) -> tuple[Mask, float]:
    """What is so long and thin that only a chain can be, though no daylight shows in its links, and their likely
    length: twice their breadth. What is much thicker hangs on it. Two of a size are earrings, with wires."""
    zone, breadths = np.zeros_like(piece), []
    parts = components(piece)
    areas = sorted(float(own.sum()) for own in parts)
    if len(parts) == 2 and areas[0] > _PAIR * areas[1]:
        return zone, 0.0
    for own in parts:
        depth = cv2.distanceTransform(own.astype(np.uint8), cv2.DIST_L2, 3)
        ridge = (depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8))) & (depth >= 1)
        breadth = 2 * float(np.median(depth[ridge])) if ridge.any() else 0.0
        size = 2 * round(0.9 * breadth) + 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
        thin = own & (cv2.morphologyEx(own.astype(np.uint8), cv2.MORPH_OPEN, disc) == 0)
        if breadth and float(thin.sum()) > _THREAD * breadth**2:
            zone |= thin
            breadths.append(breadth)
    return zone, 2 * max(breadths, default=0.0)


def _grown_along(chain: Mask, piece: Mask, link_px: float, holes: tuple[Hole, ...]) -> Mask:
    """`chain` with the rest of its strand: what goes on from it at the same breadth, though no daylight shows there."""
    closed = cv2.morphologyEx(piece.astype(np.uint8), cv2.MORPH_CLOSE, _disc(_OPEN_LINK * link_px)) > 0
    _, labels, stats, _ = cv2.connectedComponentsWithStats((~closed).astype(np.uint8), connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] < _ALIKE * float(np.percentile([hole.area_px for hole in holes], 80))
    filled = closed | small[labels]
    depth = cv2.distanceTransform(np.pad(filled, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    ridge = (depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8))) & (depth >= 1.5)
    if not (ridge & chain).any() or not (chain & closed).any():
        return chain
    low, high = np.percentile(depth[ridge & chain], (20, 90))
    fits, too_wide = (_reached(depth > radius, radius) for radius in (_BREADTHS[0] * low, _BREADTHS[1] * high))
    strand = filled & fits & ~_reached(too_wide, 0.5 * high)
    _, parts = cv2.connectedComponents((strand | chain).astype(np.uint8), connectivity=8)
    _, objects = cv2.connectedComponents(closed.astype(np.uint8), connectivity=8)
    main = objects == np.bincount(objects[chain & closed]).argmax()
    grown = strand & np.isin(parts, np.unique(parts[chain & main])) & (cv2.dilate(main.astype(np.uint8), _disc(1)) > 0)
    return np.asarray(chain | grown, bool)


def _between_ends(chain: Mask, piece: Mask) -> Mask:
    """The clasp of a chain that lies closed: the part that is no chain and touches it in two places, with a gap between
    them. A pendant touches it in one. Empty where none shows."""
    none: Mask = np.zeros_like(piece)
    strand = chain & piece
    if not strand.any():
        return none
    depth = cv2.distanceTransform(cv2.morphologyEx(chain.astype(np.uint8), cv2.MORPH_CLOSE, _disc(3)), cv2.DIST_L2, 3)
    breadth = 2 * float(np.percentile(depth[strand], 90))
    rest = cv2.morphologyEx((piece & ~chain).astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    count, labels = cv2.connectedComponents(_reached(rest > 0, _GAP * breadth).astype(np.uint8), connectivity=8)
    areas = np.bincount(labels[piece & ~chain], minlength=count)
    areas[0] = 0
    fits = (areas > _CLASP[0] * breadth**2) & (areas < _CLASP[1] * float(piece.sum()))
    for index in sorted(np.flatnonzero(fits), key=lambda index: -areas[index]):
        near = labels == index
        touches, _, contact, _ = cv2.connectedComponentsWithStats((near & strand).astype(np.uint8), connectivity=8)
        if touches > 2 and np.sort(contact[1:, cv2.CC_STAT_AREA])[-2] > _CONTACT * breadth**2:
            return _reached(near & piece & ~chain, 0.2 * breadth)
    return none


def _reached(mask: Mask, radius: float) -> Mask:
    """`mask` grown by `radius`; of the places that are that deep in something, its opening by a disc."""
    if not mask.any():
        return mask
    return np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5) <= max(1.0, radius), bool)


def _disc(radius: float) -> np.ndarray:
    size = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def _chain_holes(holes: tuple[Hole, ...], piece: Mask) -> tuple[Hole, ...]:
    """The holes that are links': small beside the piece, and with at least two others of like size close by."""
    extent = float(np.sqrt(piece.sum())) if piece.any() else 1.0
    small = [hole for hole in holes if hole.area_px < (0.35 * extent) ** 2 and hole.area_px >= 8]
    if len(small) < _LINKS:
        return ()
    centres = np.array([hole.centre for hole in small])
    sizes = np.sqrt(np.array([hole.area_px for hole in small], float))
    gap = np.hypot(*(centres[:, None] - centres[None]).transpose(2, 0, 1))
    alike = np.abs(np.log(sizes[:, None] / sizes[None])) < 1.1
    near = gap < 5.0 * np.maximum(sizes[:, None], sizes[None]) + 10
    mates = (near & alike).sum(axis=1) - 1
    kept = tuple(hole for hole, mate in zip(small, mates, strict=True) if mate >= 2)
    return kept if len(kept) >= _LINKS else ()


def _spacing(holes: tuple[Hole, ...]) -> float:
    if len(holes) < 2:
        return 0.0
    centres = np.array([hole.centre for hole in holes])
    gap = np.hypot(*(centres[:, None] - centres[None]).transpose(2, 0, 1))
    np.fill_diagonal(gap, np.inf)
    return float(np.median(np.sort(gap, axis=1)[:, :2]))


def _link_length(holes: tuple[Hole, ...], piece: Mask) -> float:
    """The median length of the links' holes and twice the wire around them."""
    if not holes:
        return 0.0
    depth = cv2.distanceTransform(piece.astype(np.uint8), cv2.DIST_L2, 3)
    beside = []
    for hole in holes:
        box = hole.region.grown(6, within=Size(piece.shape[1], piece.shape[0]))
        beside.append(float(depth[box.slices].max()))
    length = float(np.median([max(hole.region.width, hole.region.height) for hole in holes]))
    return length + 4 * float(np.median(beside))


def _near(holes: tuple[Hole, ...], shape: tuple[int, ...], reach_px: float) -> Mask:
    canvas = np.zeros(shape, np.uint8)
    for hole in holes:
        radius = 0.5 * max(hole.region.width, hole.region.height) + 0.7 * reach_px
        cv2.circle(canvas, (round(hole.centre[0]), round(hole.centre[1])), max(2, round(radius)), 1, -1)
    # A link whose daylight does not show lies between two whose does.
    bridge = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(_BRIDGE * reach_px) + 1,) * 2)
    return np.asarray(cv2.morphologyEx(canvas, cv2.MORPH_CLOSE, bridge) > 0, bool)


def _odd_one(chain: tuple[Hole, ...], holes: tuple[Hole, ...], piece: Mask, reach: float) -> Hole | None:
    """The hole on the chain's course that has no equal: the clasp's eye, if one shows."""
    if len(chain) < _LINKS:
        return None
    extent = float(np.sqrt(piece.sum()))
    centres = np.array([hole.centre for hole in chain])
    usual = float(np.median([other.area_px for other in chain]))
    candidates = []
    for hole in holes:
        if hole.area_px < max(20, _EYE * usual) or hole.area_px > (0.6 * extent) ** 2:
            continue
        gap = np.sort(np.hypot(*(centres - np.array(hole.centre)).T))
        if gap[min(2, len(gap) - 1)] > 3.5 * reach + max(hole.region.width, hole.region.height):
            continue
        others = [other for other in holes if other is not hole and other.area_px >= 8]
        likeness = sorted(
            abs(np.log(hole.area_px / other.area_px)) + 0.7 * abs(np.log(hole.elongation / other.elongation))
            for other in others
        )
        candidates.append((likeness[0] + 0.35 * max(0.0, np.log(hole.area_px / usual)), hole))
    if not candidates:
        return None
    score, hole = max(candidates, key=lambda item: item[0])
    return hole if score > 0.45 else None


def _around(hole: Hole, shape: tuple[int, ...]) -> Mask:
    canvas = np.zeros(shape, np.uint8)
    radius = 0.5 * max(hole.region.width, hole.region.height) * 1.45 + 4
    cv2.circle(canvas, (round(hole.centre[0]), round(hole.centre[1])), round(radius), 1, -1)
    return np.asarray(canvas > 0, bool)


def _between_beads(piece: Mask, metal: Mask) -> Mask:
    """The clasp of a string of beads: the one long stretch of metal between them; empty for anything else."""
    none: Mask = np.zeros_like(piece)
    depth = cv2.distanceTransform(piece.astype(np.uint8), cv2.DIST_L2, 3)
    cores = depth > 0.65 * depth.max()
    count, labels = cv2.connectedComponents(cores.astype(np.uint8), connectivity=8)
    if count <= _BEADS:
        return none
    radius = np.array([float(depth[labels == index].max()) for index in range(1, count)])
    usual = float(np.median(radius))
    if np.percentile(radius, 10) < 0.75 * usual:
        return none
    size = 2 * int(np.ceil(0.7 * depth.max())) + 1
    beads = cv2.dilate(cores.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))) > 0
    rest = cv2.morphologyEx((piece & ~beads).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    number, parts, stats, _ = cv2.connectedComponentsWithStats(rest, connectivity=8)
    if number < 2:
        return none
    span = np.hypot(stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT])
    own = parts == int(span.argmax()) + 1
    beside = _reached(own, 1.5 * usual)
    others = np.setdiff1d(np.arange(1, number), np.unique(parts[beside]))
    second = float(span[others - 1].max()) if len(others) else 0.0
    if float(span.max()) < max(1.5 * usual, _UNLIKE * second) or float(own.sum()) < 0.1 * np.pi * usual**2:
        return none
    if float(metal[own].mean()) < 0.5:
        return none
    around = 2 * round(0.6 * usual) + 1
    return np.asarray(cv2.dilate(own.astype(np.uint8), np.ones((around, around), np.uint8)) > 0, bool)


def _wire(piece: Mask) -> Mask:
    """Thin parts of objects that are thick elsewhere and have no large opening: ear wires, hooks, posts."""
    out = np.zeros_like(piece)
    for own in components(piece):
        region = Region.around(own)
        assert region is not None
        local = cv2.copyMakeBorder(own[region.slices].astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        depth = cv2.distanceTransform(local, cv2.DIST_L2, 3)
        count, _, stats, _ = cv2.connectedComponentsWithStats(1 - local, connectivity=4)
        loop = max((int(stats[i, cv2.CC_STAT_AREA]) for i in range(2, count)), default=0)
        if loop > 0.6 * float(own.sum()) or len(components(piece)) > 6:
            continue
        radius = 0.3 * float(depth.max())
        if radius < 1.5:
            continue
        size = 2 * int(np.ceil(radius)) + 1
        thick = cv2.morphologyEx(local, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
        thin = (local > 0) & (cv2.dilate(thick, np.ones((5, 5), np.uint8)) == 0)
        out[region.slices] |= thin[1:-1, 1:-1]
    return out


def _by_colour(pair: Aligned, piece: Mask) -> tuple[Mask, Mask]:
    """Pixels whose colour no precious metal has, and pixels whose colour one may have.

    Gold alloys lie at CIELAB hue 30°…105° with C* up to about 50, rose ones to 38 (ISO 8654 colours); white metals have
    C* below 9.
    """
    smooth = cv2.GaussianBlur(pair.source_lab, (0, 0), 1.5)
    chroma = np.hypot(smooth[..., 1], smooth[..., 2])
    hue = np.degrees(np.arctan2(smooth[..., 2], smooth[..., 1]))
    golden = (hue > 25) & (hue < 108) & (chroma < np.where(hue < 55, 38, 55))
    pale = chroma < 10
    dark = (smooth[..., 0] < 30) & (chroma < 12)
    metal = piece & (golden | pale) & ~dark
    return piece & ~(golden | pale), metal
