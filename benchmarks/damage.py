"""What careless tools do to the piece itself: stones, metal, chain, clasp, surface, one defect at a time.

Each function takes a `Piece` and a random generator and gives a `Made`, or None when the piece has nothing of the kind
(no stones, no clasp).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
from piece import (
    WHITE,
    Made,
    Piece,
    Random,
    about,
    any_of,
    bare,
    centre_of,
    cloned,
    grown,
    laid,
    mixed,
    reach_of,
    region_of,
    shifted,
    softened,
)

from vitrina.imaging.colour import decode_srgb, encode_srgb8, lab
from vitrina.imaging.compose import over

METALS = {"yellow gold": (0.98, 0.71, 0.30), "rose gold": (0.94, 0.60, 0.47), "silver": (0.93, 0.91, 0.87)}
"""Linear reflectances towards which a metal is swapped."""


# Stones


def stone_missing(piece: Piece, rng: Random) -> Made | None:
    stone = any_of(piece.stones, rng)
    if stone is None:
        return None
    gone = grown(stone, 0.18 * reach_of(stone))
    around = grown(gone, 0.5 * reach_of(stone)) & ~gone
    hangs = float(piece.alpha[around].mean()) < 0.55
    picture = bare(piece, gone) if hangs else cloned(piece.on(), gone)
    return Made(picture, "stone gone, ground shows" if hangs else "stone cloned out", region_of(gone))


def stone_missing_filled(piece: Piece, rng: Random) -> Made | None:
    stone = any_of(piece.stones, rng)
    if stone is None or not piece.metal.any():
        return None
    tone = np.median(piece.foreground[piece.metal], axis=0)
    depth = cv2.distanceTransform(stone.astype(np.uint8), cv2.DIST_L2, 5)
    dome = (0.6 + 0.7 * (depth / max(1.0, float(depth.max()))) ** 0.7)[..., None]
    colour = np.asarray(tone * dome, np.float32)
    return Made(mixed(piece, stone, colour), "stone replaced by a dome of metal", region_of(stone))


def stone_extra(piece: Piece, rng: Random) -> Made | None:
    stone = any_of(piece.stones, rng)
    if stone is None:
        return None
    taken = grown(np.logical_or.reduce(piece.stones), 1.6 * reach_of(stone))
    rows, columns = np.nonzero(piece.metal & ~taken)
    if len(rows) < 50:
        return None
    pick = int(rng.integers(len(rows)))
    matrix = about(centre_of(stone), 0.7, 0.7, (float(columns[pick]), float(rows[pick])))
    picture, box = laid(piece.on(), piece, stone, matrix)
    return Made(picture, "one more stone", box)


def stone_enlarged(piece: Piece, rng: Random) -> Made | None:
    stone = any_of(piece.stones, rng)
    if stone is None:
        return None
    picture, box = laid(piece.on(), piece, grown(stone, 0.1 * reach_of(stone)), about(centre_of(stone), 1.3, 1.3))
    return Made(picture, "stone x1.3", box)


def stone_cut(piece: Piece, rng: Random) -> Made | None:
    stone = any_of(piece.stones, rng)
    if stone is None:
        return None
    gone = grown(stone, 0.1 * reach_of(stone))
    picture, box = laid(cloned(piece.on(), gone), piece, stone, about(centre_of(stone), 1.28, 0.76))
    both = grown(gone, 1)
    both[box.slices] = True
    return Made(picture, "stone recut to an oval", region_of(both))


def _stone_colour(target: float, detail: str) -> Callable[[Piece, Random], Made | None]:
    def make(piece: Piece, rng: Random) -> Made | None:
        stone = any_of(piece.stones, rng)
        if stone is None:
            return None
        turn = rng.uniform(0, 2 * math.pi)
        direction = np.array([math.cos(turn), math.sin(turn)])
        colour = shifted(piece.foreground, stone, direction, target)
        severity = "strong" if target > 12 else "small"
        return Made(mixed(piece, stone, colour), detail, region_of(stone), severity, de00=target)

    return make


# Metal


def _metal_drift(target: float) -> Callable[[Piece, Random], Made | None]:
    def make(piece: Piece, rng: Random) -> Made | None:
        if piece.metal.sum() < 300:
            return None
        a, b = np.median(lab(piece.foreground)[piece.metal][:, 1:], axis=0)
        turn = math.atan2(b, a) + rng.choice([0.5, -0.5]) * math.pi if math.hypot(a, b) > 9 else math.radians(80)
        direction = np.array([math.cos(turn), math.sin(turn)])
        colour = shifted(piece.foreground, piece.metal, direction, target)
        return Made(mixed(piece, piece.metal, colour), f"metal hue drift, ΔE00 {target:g}", region_of(piece.metal),
                    {3: "small", 5: "medium"}.get(int(target), "strong"), de00=target)  # fmt: skip

    return make


def metal_swap(piece: Piece, rng: Random) -> Made | None:
    if piece.metal.sum() < 300:
        return None
    tone = np.median(piece.foreground[piece.metal], axis=0)
    tone = tone / max(float(tone.sum()), 1e-4)
    far = [
        name for name, value in METALS.items()
        if float(np.abs(np.array(value) / sum(value) - tone).sum()) > 0.12
    ]  # fmt: skip
    name = str(rng.choice(far or list(METALS)))
    wanted = np.array(METALS[name])
    gains = (wanted / wanted.sum()) / np.maximum(tone, 1e-3)
    colour = np.asarray(piece.foreground * gains.astype(np.float32), np.float32)
    return Made(mixed(piece, piece.metal, colour), f"metal swapped for {name}", region_of(piece.metal), "strong")


# Chain, clasp, pieces


def link_removed(piece: Piece, rng: Random) -> Made | None:
    link = any_of(piece.links, rng)
    if link is None:
        return None
    return Made(bare(piece, grown(link, 1)), "one link cut out", region_of(link))


def link_doubled(piece: Piece, rng: Random) -> Made | None:
    link = any_of(piece.links, rng)
    if link is None:
        return None
    centre = centre_of(link)
    near = sorted(piece.links, key=lambda other: math.dist(centre_of(other), centre))
    ahead = centre_of(near[1]) if len(near) > 1 else (centre[0] + reach_of(link), centre[1])
    to = (centre[0] + 0.5 * (ahead[0] - centre[0]), centre[1] + 0.5 * (ahead[1] - centre[1]))
    picture, box = laid(piece.on(), piece, link, about(centre, 1, 1, to))
    return Made(picture, "one link doubled over its neighbour", box, "small")


def link_melted(piece: Piece, rng: Random) -> Made | None:
    link = any_of(piece.links, rng)
    if link is None:
        return None
    box = region_of(link)
    reach = 0.8 * max(box.width, box.height)
    rows, columns = np.mgrid[: piece.alpha.shape[0], : piece.alpha.shape[1]]
    x, y = centre_of(link)
    spot = np.hypot(columns - x, rows - y) < reach
    sigma = 0.28 * max(2.0, reach)
    soft = cv2.GaussianBlur(piece.alpha, (0, 0), sigma)
    tone = cv2.GaussianBlur(piece.foreground * piece.alpha[..., None], (0, 0), sigma)
    tone = tone / np.maximum(soft, 1e-3)[..., None]
    weight = softened(spot, 1.5)
    alpha = np.asarray(piece.alpha * (1 - weight[..., 0]) + np.clip(3 * soft - 0.5, 0, 1) * weight[..., 0], np.float32)
    colour = np.asarray(piece.foreground * (1 - weight) + tone * weight, np.float32)
    picture = over(colour, alpha, np.array(WHITE, np.float32))
    changed = (np.abs(picture - piece.on()).max(axis=-1) > 0.05) & spot
    return Made(picture, "links melted into a tube", region_of(changed)) if changed.any() else None


def clasp_missing(piece: Piece, rng: Random) -> Made | None:
    clasp = any_of(piece.clasps, rng)
    if clasp is None:
        return None
    return Made(bare(piece, grown(clasp, 1)), "clasp or hook removed", region_of(clasp), "strong")


def clasp_moved(piece: Piece, rng: Random) -> Made | None:
    clasp = any_of(piece.clasps, rng)
    if clasp is None:
        return None
    places = [centre_of(link) for link in piece.links]
    places = [place for place in places if math.dist(place, centre_of(clasp)) > 4 * reach_of(clasp)]
    if not places:
        return None
    to = places[int(rng.integers(len(places)))]
    picture, box = laid(bare(piece, grown(clasp, 1)), piece, clasp, about(centre_of(clasp), 1, 1, to))
    both = clasp.copy()
    both[box.slices] = True
    return Made(picture, "clasp pasted elsewhere", region_of(both), "strong")


def piece_missing(piece: Piece, rng: Random) -> Made | None:
    if len(piece.parts) < 2:
        return None
    part = any_of(piece.parts, rng)
    assert part is not None
    return Made(bare(piece, grown(part, 2)), "one piece of the set gone", region_of(part), "strong")


def extra_piece(piece: Piece, rng: Random) -> Made | None:
    """A cut of the piece laid in the emptiest corner of the card."""
    height, width = piece.alpha.shape
    clear = cv2.distanceTransform((piece.alpha < 0.02).astype(np.uint8), cv2.DIST_L2, 5)
    y, x = np.mgrid[:height, :width]
    room = np.minimum.reduce([clear, x, y, width - 1 - x, height - 1 - y])
    to = tuple(float(v) for v in np.unravel_index(int(room.argmax()), room.shape)[::-1])
    radius = 0.6 * float(room.max())
    if radius < 0.03 * piece.extent:
        return None
    whole = np.logical_or.reduce([*piece.stones, *piece.clasps]) if piece.stones or piece.clasps else None
    rows, columns = np.nonzero(whole if whole is not None and whole.any() else piece.alpha > 0.9)
    pick = int(rng.integers(len(rows)))
    at = (float(columns[pick]), float(rows[pick]))
    spot = np.hypot(x - at[0], y - at[1]) < 0.06 * piece.extent
    scale = min(1.2, radius / (0.06 * piece.extent))
    picture, box = laid(piece.on(), piece, spot, about(at, scale, scale, (to[0], to[1])))
    return Made(picture, "an invented part beside the piece", box, "strong")


# Surface


def oversmoothed(piece: Piece, _: Random) -> Made | None:
    picture = encode_srgb8(piece.foreground)
    for _pass in range(3):
        picture = cv2.bilateralFilter(picture, 9, 45, 4)
    colour = decode_srgb(picture)
    return Made(mixed(piece, piece.alpha > 0.5, colour), "bilateral smoothing inside", region_of(piece.alpha > 0.5))


def oversharpened(piece: Piece, rng: Random) -> Made | None:
    amount = float(rng.uniform(1.6, 2.4))
    soft = cv2.GaussianBlur(piece.on(), (0, 0), 1.4)
    colour = np.asarray(piece.foreground + amount * (piece.on() - soft), np.float32)
    inner = cv2.erode(piece.alpha, np.ones((3, 3), np.uint8)) > 0.9
    return Made(mixed(piece, inner, colour), f"unsharp mask {amount:.1f} inside", region_of(piece.alpha > 0.5))


def invented_detail(piece: Piece, rng: Random) -> Made | None:
    """A milled pattern on a patch of plain metal."""
    if piece.metal.sum() < 400:
        return None
    rows, columns = np.nonzero(cv2.erode(piece.metal.astype(np.uint8), np.ones((3, 3), np.uint8)))
    if len(rows) < 100:
        return None
    pick = int(rng.integers(len(rows)))
    height, width = piece.alpha.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    spot = (np.hypot(x - columns[pick], y - rows[pick]) < 0.11 * piece.extent) & piece.metal
    period = max(5.0, 0.012 * piece.extent)
    wave = np.sin(2 * math.pi * (x + 0.4 * y) / period) * np.sin(2 * math.pi * (y - 0.4 * x) / period)
    colour = np.asarray(piece.foreground * (1 + 0.55 * wave)[..., None], np.float32)
    return Made(mixed(piece, spot, colour), "milled pattern that the piece does not have", region_of(spot), "small")


def scratch_removed(piece: Piece, rng: Random) -> Made | None:
    """The photo is given scratches first; the edit is the card without them."""
    rows, columns = np.nonzero(cv2.erode(piece.metal.astype(np.uint8), np.ones((3, 3), np.uint8)))
    if len(rows) < 200:
        return None
    ink = np.zeros(piece.alpha.shape, np.uint8)
    for _ in range(4):
        pick = int(rng.integers(len(rows)))
        turn, long = rng.uniform(0, math.pi), 0.05 * piece.extent
        start = (int(columns[pick]), int(rows[pick]))
        end = (round(start[0] + long * math.cos(turn)), round(start[1] + long * math.sin(turn)))
        cv2.line(ink, start, end, 255, 2, cv2.LINE_AA)
    weight = (ink.astype(np.float32) / 255 * piece.metal)[..., None]
    dark = np.asarray(piece.rgb * (1 - 0.6 * weight), np.float32)
    return Made(piece.on(), "scratches of the source are gone", region_of(weight[..., 0] > 0.3), "small", source=dark)


def glare_added(piece: Piece, rng: Random) -> Made | None:
    rows, columns = np.nonzero((piece.alpha > 0.95) & (lab(piece.foreground)[..., 0] < 80))
    if len(rows) < 50:
        return None
    pick = int(rng.integers(len(rows)))
    radius = 0.035 * piece.extent * float(rng.uniform(0.8, 1.4))
    y, x = np.mgrid[: piece.alpha.shape[0], : piece.alpha.shape[1]]
    far = np.hypot(x - columns[pick], y - rows[pick]) / radius
    glow = np.clip(1.6 * np.exp(-(far**2)), 0, 1)[..., None]
    foreground = np.asarray(piece.foreground * (1 - glow) + glow, np.float32)
    picture = over(foreground, piece.alpha, np.array(WHITE, np.float32))
    return Made(picture, "a bright spot of glare", region_of((far < 1.3) & (piece.alpha > 0.5)))


DAMAGE: dict[str, Callable[[Piece, Random], Made | None]] = {
    "stone_missing": stone_missing,
    "stone_missing_filled": stone_missing_filled,
    "stone_extra": stone_extra,
    "stone_enlarged": stone_enlarged,
    "stone_cut": stone_cut,
    "stone_color": _stone_colour(18, "stone recoloured"),
    "stone_color_subtle": _stone_colour(6, "stone a little off"),
    "metal_drift_3": _metal_drift(3),
    "metal_drift_5": _metal_drift(5),
    "metal_drift_8": _metal_drift(8),
    "metal_swap": metal_swap,
    "link_removed": link_removed,
    "link_doubled": link_doubled,
    "link_melted": link_melted,
    "clasp_missing": clasp_missing,
    "clasp_moved": clasp_moved,
    "piece_missing": piece_missing,
    "extra_piece": extra_piece,
    "oversmoothed": oversmoothed,
    "oversharpened": oversharpened,
    "invented_detail": invented_detail,
    "scratch_removed": scratch_removed,
    "glare_added": glare_added,
}
