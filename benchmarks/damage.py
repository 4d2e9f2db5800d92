"""The edits themselves: what careless tools do to a jewelry photo, and what they may do, one at a time.

Each function takes a `Piece` and a random generator and gives a `Made`, or None when the piece has nothing of the kind
(no stones, no clasp). Pictures are linear and in the frame of the source; `Made.matrix` moves them afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.colour import decode_srgb, delta_e00, encode_srgb8, lab
from vitrina.imaging.compose import over
from vitrina.model import Alpha, Mask, Region, Rgb

Random = np.random.Generator
WHITE = (1.0, 1.0, 1.0)
METALS = {"yellow gold": (0.98, 0.71, 0.30), "rose gold": (0.94, 0.60, 0.47), "silver": (0.93, 0.91, 0.87)}
"""Linear reflectances towards which a metal is swapped."""
LATIN, CYRILLIC = ("SALE -50%", "925 SILVER", "NEW COLLECTION"), ("СКИДКА 30%", "ЗОЛОТО 585", "Бесплатная доставка")
FACES = ("sans", "serif", "italic")
"""Typefaces that OpenCV brings along; all three have Cyrillic."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A photo, its cutout and the places of its parts, all of one size."""

    name: str
    rgb: Rgb
    foreground: Rgb
    alpha: Alpha
    metal: Mask
    stones: tuple[Mask, ...]
    links: tuple[Mask, ...]
    clasps: tuple[Mask, ...]
    parts: tuple[Mask, ...]

    @property
    def extent(self) -> int:
        box = region_of(self.alpha > 0.5)
        return max(box.width, box.height)

    def on(self, ground: tuple[float, float, float] = WHITE) -> Rgb:
        return over(self.foreground, self.alpha, np.array(ground, np.float32))


@dataclass(frozen=True, slots=True)
class Made:
    """An edit. `box` is in the source's pixels (None: the whole picture); `source` only when another photo belongs to
    it, `still` when the picture must not be re-framed on top."""

    picture: Rgb
    detail: str
    box: Region | None = None
    severity: str = "medium"
    matrix: NDArray[np.float64] = field(default_factory=lambda: np.eye(3))
    beyond: tuple[float, float, float] = WHITE
    side: int | None = None
    quality: int = 92
    noise: float = 0.6
    de00: float | None = None
    source: Rgb | None = None
    still: bool = False


def region_of(mask: Mask) -> Region:
    box = Region.around(mask)
    if box is None:
        raise ValueError("an empty mask has no region")
    return box


def _grown(mask: Mask, radius: float) -> Mask:
    size = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.dilate(mask.astype(np.uint8), _disc(size)) > 0)


def _disc(size: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def _one(masks: tuple[Mask, ...], rng: Random) -> Mask | None:
    return masks[int(rng.integers(len(masks)))] if masks else None


def _reach(mask: Mask) -> float:
    return math.sqrt(float(mask.sum()) / math.pi)


def _centre(mask: Mask) -> tuple[float, float]:
    rows, columns = np.nonzero(mask)
    return float(columns.mean()), float(rows.mean())


def _soft(mask: Mask, sigma: float = 0.7) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma)[..., None], np.float32)


def _mixed(piece: Piece, mask: Mask, colour: Rgb) -> Rgb:
    """The white card with `colour` for the foreground under `mask`."""
    weight = _soft(mask)
    foreground = np.asarray(piece.foreground * (1 - weight) + np.clip(colour, 0, 1) * weight, np.float32)
    return over(foreground, piece.alpha, np.array(WHITE, np.float32))


def _bare(piece: Piece, mask: Mask) -> Rgb:
    """The white card without what lies under `mask`."""
    alpha = np.asarray(piece.alpha * (1 - _soft(mask)[..., 0]), np.float32)
    return over(piece.foreground, alpha, np.array(WHITE, np.float32))


def _cloned(picture: Rgb, mask: Mask) -> Rgb:
    """What lies under `mask` painted over from around it (Telea 2004)."""
    painted = cv2.inpaint(encode_srgb8(picture), mask.astype(np.uint8), max(3, _reach(mask) / 2), cv2.INPAINT_TELEA)
    weight = _soft(mask)
    return np.asarray(picture * (1 - weight) + decode_srgb(painted) * weight, np.float32)


def _laid(picture: Rgb, piece: Piece, mask: Mask, matrix: NDArray[np.float64]) -> tuple[Rgb, Region]:
    """`picture` with what lies under `mask` laid on it once more, moved by `matrix`."""
    height, width = piece.alpha.shape
    cover = piece.alpha * _soft(mask)[..., 0]
    stack = np.dstack([piece.foreground * cover[..., None], cover])
    moved = cv2.warpAffine(stack, matrix[:2], (width, height), flags=cv2.INTER_LINEAR)
    picture = np.asarray(moved[..., :3] + picture * (1 - moved[..., 3:]), np.float32)
    shown = moved[..., 3] > 0.3
    return picture, region_of(shown) if shown.any() else Region(0, 0, 1, 1)


def _about(at: tuple[float, float], sx: float, sy: float, to: tuple[float, float] | None = None) -> NDArray[np.float64]:
    tx, ty = to or at
    return np.array([[sx, 0, tx - sx * at[0]], [0, sy, ty - sy * at[1]], [0, 0, 1.0]])


def _shifted(rgb: Rgb, mask: Mask, direction: NDArray[np.float64], target: float) -> Rgb:
    """`rgb` with a* and b* moved along `direction` until the median ΔE00 under `mask` is `target`; L* stays."""
    before = lab(rgb)
    sample = before[mask]
    sample = sample[:: max(1, len(sample) // 3000)]
    low, high = 0.0, 120.0
    for _ in range(18):
        middle = (low + high) / 2
        moved = (sample + np.array([0, *(middle * direction)])).astype(np.float32)
        low, high = (middle, high) if float(np.median(delta_e00(sample, moved))) < target else (low, middle)
    moved = (before + np.array([0, *(high * direction)])).astype(np.float32)
    return np.asarray(np.clip(cv2.cvtColor(moved, cv2.COLOR_Lab2LRGB), 0, 1), np.float32)


# Stones


def stone_missing(piece: Piece, rng: Random) -> Made | None:
    stone = _one(piece.stones, rng)
    if stone is None:
        return None
    gone = _grown(stone, 0.18 * _reach(stone))
    around = _grown(gone, 0.5 * _reach(stone)) & ~gone
    hangs = float(piece.alpha[around].mean()) < 0.55
    picture = _bare(piece, gone) if hangs else _cloned(piece.on(), gone)
    return Made(picture, "stone gone, ground shows" if hangs else "stone cloned out", region_of(gone))


def stone_missing_filled(piece: Piece, rng: Random) -> Made | None:
    stone = _one(piece.stones, rng)
    if stone is None or not piece.metal.any():
        return None
    tone = np.median(piece.foreground[piece.metal], axis=0)
    depth = cv2.distanceTransform(stone.astype(np.uint8), cv2.DIST_L2, 5)
    dome = (0.6 + 0.7 * (depth / max(1.0, float(depth.max()))) ** 0.7)[..., None]
    colour = np.asarray(tone * dome, np.float32)
    return Made(_mixed(piece, stone, colour), "stone replaced by a dome of metal", region_of(stone))


def stone_extra(piece: Piece, rng: Random) -> Made | None:
    stone = _one(piece.stones, rng)
    if stone is None:
        return None
    taken = _grown(np.logical_or.reduce(piece.stones), 1.6 * _reach(stone))
    rows, columns = np.nonzero(piece.metal & ~taken)
    if len(rows) < 50:
        return None
    pick = int(rng.integers(len(rows)))
    matrix = _about(_centre(stone), 0.7, 0.7, (float(columns[pick]), float(rows[pick])))
    picture, box = _laid(piece.on(), piece, stone, matrix)
    return Made(picture, "one more stone", box)


def stone_enlarged(piece: Piece, rng: Random) -> Made | None:
    stone = _one(piece.stones, rng)
    if stone is None:
        return None
    picture, box = _laid(piece.on(), piece, _grown(stone, 0.1 * _reach(stone)), _about(_centre(stone), 1.3, 1.3))
    return Made(picture, "stone x1.3", box)


def stone_cut(piece: Piece, rng: Random) -> Made | None:
    stone = _one(piece.stones, rng)
    if stone is None:
        return None
    gone = _grown(stone, 0.1 * _reach(stone))
    picture, box = _laid(_cloned(piece.on(), gone), piece, stone, _about(_centre(stone), 1.28, 0.76))
    both = _grown(gone, 1)
    both[box.slices] = True
    return Made(picture, "stone recut to an oval", region_of(both))


def _stone_colour(target: float, detail: str) -> Callable[[Piece, Random], Made | None]:
    def make(piece: Piece, rng: Random) -> Made | None:
        stone = _one(piece.stones, rng)
        if stone is None:
            return None
        turn = rng.uniform(0, 2 * math.pi)
        direction = np.array([math.cos(turn), math.sin(turn)])
        colour = _shifted(piece.foreground, stone, direction, target)
        severity = "strong" if target > 12 else "small"
        return Made(_mixed(piece, stone, colour), detail, region_of(stone), severity, de00=target)

    return make


# Metal


def _metal_drift(target: float) -> Callable[[Piece, Random], Made | None]:
    def make(piece: Piece, rng: Random) -> Made | None:
        if piece.metal.sum() < 300:
            return None
        a, b = np.median(lab(piece.foreground)[piece.metal][:, 1:], axis=0)
        turn = math.atan2(b, a) + rng.choice([0.5, -0.5]) * math.pi if math.hypot(a, b) > 9 else math.radians(80)
        direction = np.array([math.cos(turn), math.sin(turn)])
        colour = _shifted(piece.foreground, piece.metal, direction, target)
        return Made(_mixed(piece, piece.metal, colour), f"metal hue drift, ΔE00 {target:g}", region_of(piece.metal),
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
    return Made(_mixed(piece, piece.metal, colour), f"metal swapped for {name}", region_of(piece.metal), "strong")


# Chain, clasp, pieces


def link_removed(piece: Piece, rng: Random) -> Made | None:
    link = _one(piece.links, rng)
    if link is None:
        return None
    return Made(_bare(piece, _grown(link, 1)), "one link cut out", region_of(link))


def link_doubled(piece: Piece, rng: Random) -> Made | None:
    link = _one(piece.links, rng)
    if link is None:
        return None
    centre = _centre(link)
    near = sorted(piece.links, key=lambda other: math.dist(_centre(other), centre))
    ahead = _centre(near[1]) if len(near) > 1 else (centre[0] + _reach(link), centre[1])
    to = (centre[0] + 0.5 * (ahead[0] - centre[0]), centre[1] + 0.5 * (ahead[1] - centre[1]))
    picture, box = _laid(piece.on(), piece, link, _about(centre, 1, 1, to))
    return Made(picture, "one link doubled over its neighbour", box, "small")


def link_melted(piece: Piece, rng: Random) -> Made | None:
    link = _one(piece.links, rng)
    if link is None:
        return None
    box = region_of(link)
    reach = 0.8 * max(box.width, box.height)
    rows, columns = np.mgrid[: piece.alpha.shape[0], : piece.alpha.shape[1]]
    x, y = _centre(link)
    spot = np.hypot(columns - x, rows - y) < reach
    sigma = 0.28 * max(2.0, reach)
    soft = cv2.GaussianBlur(piece.alpha, (0, 0), sigma)
    tone = cv2.GaussianBlur(piece.foreground * piece.alpha[..., None], (0, 0), sigma)
    tone = tone / np.maximum(soft, 1e-3)[..., None]
    weight = _soft(spot, 1.5)
    alpha = np.asarray(piece.alpha * (1 - weight[..., 0]) + np.clip(3 * soft - 0.5, 0, 1) * weight[..., 0], np.float32)
    colour = np.asarray(piece.foreground * (1 - weight) + tone * weight, np.float32)
    picture = over(colour, alpha, np.array(WHITE, np.float32))
    changed = (np.abs(picture - piece.on()).max(axis=-1) > 0.05) & spot
    return Made(picture, "links melted into a tube", region_of(changed)) if changed.any() else None


def clasp_missing(piece: Piece, rng: Random) -> Made | None:
    clasp = _one(piece.clasps, rng)
    if clasp is None:
        return None
    return Made(_bare(piece, _grown(clasp, 1)), "clasp or hook removed", region_of(clasp), "strong")


def clasp_moved(piece: Piece, rng: Random) -> Made | None:
    clasp = _one(piece.clasps, rng)
    if clasp is None:
        return None
    places = [_centre(link) for link in piece.links]
    places = [place for place in places if math.dist(place, _centre(clasp)) > 4 * _reach(clasp)]
    if not places:
        return None
    to = places[int(rng.integers(len(places)))]
    picture, box = _laid(_bare(piece, _grown(clasp, 1)), piece, clasp, _about(_centre(clasp), 1, 1, to))
    both = clasp.copy()
    both[box.slices] = True
    return Made(picture, "clasp pasted elsewhere", region_of(both), "strong")


def piece_missing(piece: Piece, rng: Random) -> Made | None:
    if len(piece.parts) < 2:
        return None
    part = _one(piece.parts, rng)
    assert part is not None
    return Made(_bare(piece, _grown(part, 2)), "one piece of the set gone", region_of(part), "strong")


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
    picture, box = _laid(piece.on(), piece, spot, _about(at, scale, scale, (to[0], to[1])))
    return Made(picture, "an invented part beside the piece", box, "strong")


# Surface


def oversmoothed(piece: Piece, _: Random) -> Made | None:
    picture = encode_srgb8(piece.foreground)
    for _pass in range(3):
        picture = cv2.bilateralFilter(picture, 9, 45, 4)
    colour = decode_srgb(picture)
    return Made(_mixed(piece, piece.alpha > 0.5, colour), "bilateral smoothing inside", region_of(piece.alpha > 0.5))


def oversharpened(piece: Piece, rng: Random) -> Made | None:
    amount = float(rng.uniform(1.6, 2.4))
    soft = cv2.GaussianBlur(piece.on(), (0, 0), 1.4)
    colour = np.asarray(piece.foreground + amount * (piece.on() - soft), np.float32)
    inner = cv2.erode(piece.alpha, np.ones((3, 3), np.uint8)) > 0.9
    return Made(_mixed(piece, inner, colour), f"unsharp mask {amount:.1f} inside", region_of(piece.alpha > 0.5))


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
    return Made(_mixed(piece, spot, colour), "milled pattern that the piece does not have", region_of(spot), "small")


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


# Edges, frame, geometry


def edge_halo(piece: Piece, _: Random) -> Made | None:
    radius = max(2, round(0.004 * max(piece.alpha.shape)))
    wide = np.asarray(cv2.dilate(piece.alpha, _disc(2 * radius + 1)), np.float32)
    picture = over(piece.rgb, wide, np.array(WHITE, np.float32))
    if float(lab(picture)[_grown(piece.alpha > 0.5, radius) & (piece.alpha < 0.1)][:, 0].mean()) > 90:
        grey = np.where((piece.alpha > 0.5)[..., None], piece.rgb, np.float32(0.45))
        picture = over(grey.astype(np.float32), wide, np.array(WHITE, np.float32))
    return Made(picture, f"a rim of {radius} px of the old ground", region_of(wide > 0.5), "small")


def edge_eroded(piece: Piece, _: Random) -> Made | None:
    radius = max(2, round(0.0026 * max(piece.alpha.shape)))
    alpha = np.asarray(cv2.erode(piece.alpha, _disc(2 * radius + 1)), np.float32)
    if float(alpha.sum()) < 0.35 * float(piece.alpha.sum()):
        return None
    picture = over(piece.foreground, alpha, np.array(WHITE, np.float32))
    return Made(picture, f"cut-out eroded by {radius} px", region_of(piece.alpha > 0.5))


def cropped(piece: Piece, rng: Random) -> Made | None:
    height, width = piece.alpha.shape
    box = region_of(piece.alpha > 0.5)
    share = float(rng.uniform(0.05, 0.12))
    side = int(rng.integers(4))
    cut = round(share * (box.width if side < 2 else box.height))
    dx = (width - box.x - box.width + cut, -(box.x + cut), 0, 0)[side]
    dy = (0, 0, height - box.y - box.height + cut, -(box.y + cut))[side]
    lost = (
        Region(box.x + box.width - cut, box.y, cut, box.height), Region(box.x, box.y, cut, box.height),
        Region(box.x, box.y + box.height - cut, box.width, cut), Region(box.x, box.y, box.width, cut),
    )[side]  # fmt: skip
    matrix = np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1.0]])
    return Made(piece.on(), f"cut by the frame, {share:.2f} of its extent", lost, matrix=matrix, still=True)


def mirrored(piece: Piece, _: Random) -> Made | None:
    matrix = np.array([[-1, 0, piece.alpha.shape[1] - 1], [0, 1, 0], [0, 0, 1.0]])
    return Made(piece.on(), "mirrored", region_of(piece.alpha > 0.5), "strong", matrix=matrix)


def stretched(piece: Piece, rng: Random) -> Made | None:
    x, y = _centre(piece.alpha > 0.5)
    wide = bool(rng.integers(2))
    matrix = _about((x, y), 1.04 if wide else 1.0, 1.0 if wide else 1.04)
    return Made(piece.on(), f"{'width' if wide else 'height'} x1.04", region_of(piece.alpha > 0.5), matrix=matrix)


def warped(piece: Piece, rng: Random) -> Made | None:
    """Liquify: a bulge that moves the piece by up to 4 px at 1000 px."""
    rows, columns = np.nonzero(piece.alpha > 0.9)
    pick = int(rng.integers(len(rows)))
    shift, reach = 0.004 * max(piece.alpha.shape), 0.07 * piece.extent
    y, x = np.mgrid[: piece.alpha.shape[0], : piece.alpha.shape[1]].astype(np.float32)
    bump = np.exp(-((x - columns[pick]) ** 2 + (y - rows[pick]) ** 2) / (2 * reach**2))
    turn = rng.uniform(0, 2 * math.pi)
    maps = [(p + shift * v * bump).astype(np.float32) for p, v in ((x, math.cos(turn)), (y, math.sin(turn)))]
    picture = np.asarray(cv2.remap(piece.on(), *maps, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.float32)
    box = region_of((bump > 0.5) & (piece.alpha > 0.5))
    return Made(np.clip(picture, 0, 1), "pushed by up to 4 px", box, "small")


# Ground and print


def bg_tint(piece: Piece, rng: Random) -> Made | None:
    tint = (1 - rng.uniform(0.05, 0.16, 3) * (rng.permutation(3) != 0)).tolist()
    ground = (tint[0], tint[1], tint[2])
    return Made(piece.on(ground), "tinted ground", beyond=ground)


def bg_gradient(piece: Piece, rng: Random) -> Made | None:
    light = np.linspace(1.0, float(rng.uniform(0.15, 0.45)), piece.alpha.shape[0], dtype=np.float32)
    ground = np.broadcast_to(light[:, None, None], piece.rgb.shape).astype(np.float32)
    return Made(over(piece.foreground, piece.alpha, ground), "ground from white to grey", severity="strong", still=True)


def _printed(picture: Rgb, ink: NDArray[np.float32], colour: tuple[float, float, float], strength: float) -> Rgb:
    return over(np.broadcast_to(np.array(colour, np.float32), picture.shape), ink * np.float32(strength), picture)


def _words(shape: tuple[int, int], text: str, at: tuple[int, int], size: int, rng: Random) -> NDArray[np.float32]:
    ink = np.zeros(shape, np.uint8)
    cv2.putText(ink, text, at, 255, cv2.FontFace(str(rng.choice(FACES))), size, int(rng.choice([400, 700])))
    return ink.astype(np.float32) / 255


def _banner(texts: tuple[str, ...]) -> Callable[[Piece, Random], Made | None]:
    def make(piece: Piece, rng: Random) -> Made | None:
        height, width = piece.alpha.shape
        size = round(0.05 * width * float(rng.uniform(0.8, 1.2)))
        top = bool(rng.integers(2))
        at = (round(0.04 * width), round(0.035 * height) + size if top else round(0.95 * height))
        ink = _words((height, width), str(rng.choice(texts)), at, size, rng)
        colour = ((0.6, 0.01, 0.01), (0.02, 0.02, 0.02), (0.02, 0.03, 0.3))[int(rng.integers(3))]
        picture = _printed(piece.on(), ink, colour, 1.0)
        return Made(picture, "a line of text", region_of(ink > 0.3), "strong", still=True)

    return make


def text_diagonal(piece: Piece, rng: Random) -> Made | None:
    """A pale watermark across the middle."""
    height, width = piece.alpha.shape
    size = round(0.07 * width)
    text = str(rng.choice((*LATIN, *CYRILLIC)))
    flat = _words((height, width), text, (round(0.22 * width), height // 2), size, rng)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), float(rng.uniform(20, 40)), 1.0)
    ink = np.asarray(cv2.warpAffine(flat, turn, (width, height)), np.float32)
    picture = _printed(piece.on(), ink, (0.25, 0.25, 0.25), float(rng.uniform(0.3, 0.5)))
    return Made(picture, "a pale diagonal watermark", region_of(ink > 0.3))


def text_logo(piece: Piece, rng: Random) -> Made | None:
    """A round badge in a corner."""
    height, width = piece.alpha.shape
    radius = round(0.055 * width)
    corner = int(rng.integers(4))
    at = (radius + 20 if corner % 2 else width - radius - 20, radius + 20 if corner < 2 else height - radius - 20)
    ink = np.zeros((height, width), np.uint8)
    cv2.circle(ink, at, radius, 255, max(3, radius // 8), cv2.LINE_AA)
    cv2.fillPoly(ink, [np.array([(at[0], at[1] - radius // 2), (at[0] + radius // 2, at[1] + radius // 3),
                                 (at[0] - radius // 2, at[1] + radius // 3)], np.int32)], 255, cv2.LINE_AA)  # fmt: skip
    colour = ((0.4, 0.25, 0.02), (0.02, 0.02, 0.02))[int(rng.integers(2))]
    picture = _printed(piece.on(), ink.astype(np.float32) / 255, colour, 1.0)
    return Made(picture, "a logo in the corner", region_of(ink > 80), still=True)


# What may be done


def clean_lightgrey(piece: Piece, _: Random) -> Made | None:
    grey = float(decode_srgb(np.array([241], np.uint8))[0])
    return Made(piece.on((grey, grey, grey)), "light grey 241", beyond=(grey, grey, grey))


def clean_softshadow(piece: Piece, rng: Random) -> Made | None:
    height, width = piece.alpha.shape
    reach = 0.02 * piece.extent
    fall = np.array([[1, 0, 0.4 * reach], [0, 1, 0.8 * reach]], np.float32)
    shadow = cv2.GaussianBlur(cv2.warpAffine(piece.alpha, fall, (width, height)), (0, 0), reach)[..., None]
    ground = np.asarray(np.repeat(1 - float(rng.uniform(0.2, 0.4)) * shadow, 3, axis=-1), np.float32)
    return Made(over(piece.foreground, piece.alpha, ground), "soft contact shadow", still=True)


def clean_exposure(piece: Piece, _: Random) -> Made | None:
    lifted = np.clip(piece.foreground * np.float32(2**0.1), 0, 1)
    return Made(over(lifted, piece.alpha, np.array(WHITE, np.float32)), "exposure +0.1 EV")


def clean_reframe(piece: Piece, rng: Random) -> Made | None:
    """The piece scaled, turned by up to 3° and laid off the middle, still whole in the frame."""
    height, width = piece.alpha.shape
    box = region_of(piece.alpha > 0.5)
    turn = math.radians(float(rng.uniform(-3, 3)))
    room = min(width / (box.width + 0.06 * box.height), height / (box.height + 0.06 * box.width))
    scale = float(rng.uniform(0.75, 0.92)) * min(room, 1.25)
    c, s = scale * math.cos(turn), scale * math.sin(turn)
    x, y = box.x + box.width / 2, box.y + box.height / 2
    spare = 0.5 * np.array([width, height]) - 0.5 * scale * np.array(
        [box.width + 0.06 * box.height, box.height + 0.06 * box.width]
    )
    to = np.array([width / 2, height / 2]) + rng.uniform(-0.8, 0.8, 2) * np.maximum(spare, 0)
    matrix = np.array([[c, -s, to[0] - c * x + s * y], [s, c, to[1] - s * x - c * y], [0, 0, 1.0]])
    return Made(piece.on(), f"scale {scale:.2f}, turned {math.degrees(turn):.1f}°", matrix=matrix, still=True)


def clean_neutralised(piece: Piece, rng: Random) -> Made | None:
    """The photo is given a cast by its light; the edit is the card without it. Only where the old ground is neutral."""
    backdrop = np.median(piece.rgb[piece.alpha < 0.01], axis=0) if (piece.alpha < 0.01).any() else np.ones(3)
    if float(np.hypot(*lab(backdrop.reshape(1, 1, 3).astype(np.float32))[0, 0, 1:])) > 5:
        return None
    gains = np.array([(1.0, 0.90, 0.74), (0.86, 0.95, 1.0)][int(rng.integers(2))], np.float32)
    return Made(piece.on(), "the photo's colour cast taken out", source=np.asarray(piece.rgb * gains, np.float32))


KINDS: dict[str, Callable[[Piece, Random], Made | None]] = {
    "stone_missing": stone_missing, "stone_missing_filled": stone_missing_filled, "stone_extra": stone_extra,
    "stone_enlarged": stone_enlarged, "stone_cut": stone_cut,
    "stone_color": _stone_colour(18, "stone recoloured"), "stone_color_subtle": _stone_colour(6, "stone a little off"),
    "metal_drift_3": _metal_drift(3), "metal_drift_5": _metal_drift(5), "metal_drift_8": _metal_drift(8),
    "metal_swap": metal_swap, "link_removed": link_removed, "link_doubled": link_doubled, "link_melted": link_melted,
    "clasp_missing": clasp_missing, "clasp_moved": clasp_moved, "piece_missing": piece_missing,
    "extra_piece": extra_piece, "oversmoothed": oversmoothed, "oversharpened": oversharpened,
    "invented_detail": invented_detail, "scratch_removed": scratch_removed, "glare_added": glare_added,
    "edge_halo": edge_halo, "edge_eroded": edge_eroded, "cropped": cropped, "mirrored": mirrored,
    "stretched": stretched, "warped": warped, "bg_tint": bg_tint, "bg_gradient": bg_gradient,
    "text_banner": _banner(LATIN), "text_cyrillic": _banner(CYRILLIC), "text_diagonal": text_diagonal,
    "text_logo": text_logo,
    "clean_cutout": lambda piece, _: Made(piece.on(), "exact cut-out on white"),
    "clean_lightgrey": clean_lightgrey, "clean_softshadow": clean_softshadow, "clean_exposure": clean_exposure,
    "clean_resize_q85": lambda piece, _: Made(piece.on(), "800 px, JPEG q85", side=800, quality=85),
    "clean_reframe": clean_reframe, "clean_noise": lambda piece, _: Made(piece.on(), "fresh grain", noise=2.0),
    "clean_neutralised": clean_neutralised,
}  # fmt: skip
"""Every kind of edit; those that begin with ``clean`` are allowed ones."""
