"""Drawn jewelry: thin chains, wire, beads and set stones, in a few milliseconds, each with its coverage.

No physics, only many structures one to six pixels wide, with the bright and dark streaks of metal.
"""

from __future__ import annotations

import cv2
import numpy as np
from pieces import along, course

Layer = tuple[np.ndarray, np.ndarray]
"""Straight sRGB colour (side, side, 3) float32 0…255 and coverage (side, side) float32 0…1."""

_OVER = 2
_SHIFT = 4
METALS = (
    (232, 190, 96),
    (214, 170, 80),
    (226, 172, 148),
    (205, 205, 206),
    (228, 228, 226),
    (150, 150, 154),
    (96, 94, 92),
    (52, 50, 50),
)


class Sheet:
    """A supersampled sheet to draw on: colour and coverage together."""

    def __init__(self, rng: np.random.Generator, side: int) -> None:
        self.rng, self.side = rng, side
        self.colour = np.zeros((side * _OVER, side * _OVER, 3), np.uint8)
        self.cover = np.zeros((side * _OVER, side * _OVER), np.uint8)
        self.metal = np.array(METALS[int(rng.integers(len(METALS)))], float) * rng.uniform(0.85, 1.08)
        self.sheen = float(rng.uniform(0.3, 1.0))

    def wire(self, points: np.ndarray, width: float, *, closed: bool = False, tone: float = 1.0) -> None:
        """Metal wire: dark rim, body, and a highlight that comes and goes."""
        rng = self.rng
        self._line(points, width, self.metal * tone * (1 - 0.6 * self.sheen), closed=closed, cover=True)
        self._line(points, width * 0.62, self.metal * tone, closed=closed)
        n = len(points)
        for _ in range(2 if self.sheen > 0.5 else 1):
            start, length = int(rng.integers(n)), max(2, int(n * rng.uniform(0.1, 0.4)))
            arc = np.take(points, np.arange(start, start + length), axis=0, mode="wrap" if closed else "clip")
            bright = np.minimum(255, self.metal * tone * (1 + self.sheen) + 30)
            self._line(arc, max(0.5, width * 0.3), bright, closed=False)

    def blob(self, outline: np.ndarray, colour: np.ndarray, *, cover: bool = True) -> None:
        """A filled outline."""
        fixed = [np.rint(outline * _OVER * 2**_SHIFT).astype(np.int32)]
        cv2.fillPoly(self.colour, fixed, tuple(float(c) for c in np.clip(colour, 0, 255)), cv2.LINE_AA, _SHIFT)
        if cover:
            cv2.fillPoly(self.cover, fixed, 255, cv2.LINE_AA, _SHIFT)

    def bead(self, centre: np.ndarray, radius: float, colour: np.ndarray) -> None:
        """A ball with a dark rim and a highlight."""
        for scale, tone in ((1.0, 0.55), (0.85, 0.85), (0.55, 1.05)):
            self.blob(centre - (1 - scale) * radius * 0.4 + circle(radius * scale), colour * tone, cover=scale == 1)
        self.blob(centre - radius * 0.35 + circle(radius * 0.2), np.minimum(255, colour * 0.4 + 170), cover=False)

    def stone(self, centre: np.ndarray, radius: float, colour: np.ndarray, *, prongs: int = 0) -> None:
        """A faceted stone: wedges of random brightness and a table; prongs of metal around."""
        rng = self.rng
        rim = centre + circle(radius, int(rng.integers(6, 20))) * [1, rng.uniform(0.65, 1)] @ spin(rng.uniform(0, 6.3))
        self.blob(rim, colour * 0.7)
        inner = centre + (rim - centre) * 0.55
        for k in range(len(rim)):
            j = (k + 1) % len(rim)
            for facet in ([rim[k], rim[j], inner[k]], [inner[k], inner[j], centre], [rim[j], inner[j], inner[k]]):
                self.blob(np.array(facet), colour * rng.uniform(0.25, 1.3) + 90 * (rng.random() < 0.15), cover=False)
        for k in range(prongs):
            at = centre + circle(radius * 1.02, prongs)[k]
            self.bead(at, max(0.8, radius * 0.16), self.metal)
        if not prongs and rng.random() < 0.6:
            self.wire(rim, max(1.0, radius * 0.18), closed=True)

    def finish(self) -> Layer:
        """Box-filtered to the final size; the colour is freed from the blank behind it."""
        size = (self.side, self.side)
        cover = self.cover.astype(np.float32) / 255
        solid = cv2.resize(self.colour.astype(np.float32) * cover[..., None], size, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(cover, size, interpolation=cv2.INTER_AREA)
        return solid / np.maximum(alpha, 1 / 255)[..., None], alpha

    def _line(self, points: np.ndarray, width: float, colour: np.ndarray, *, closed: bool, cover: bool = False) -> None:
        fixed = [np.rint(points * _OVER * 2**_SHIFT).astype(np.int32)]
        thick = max(1, round(width * _OVER))
        cv2.polylines(
            self.colour, fixed, closed, tuple(float(c) for c in np.clip(colour, 0, 255)), thick, cv2.LINE_8, _SHIFT
        )
        if cover:
            cv2.polylines(self.cover, fixed, closed, 255, thick, cv2.LINE_AA, _SHIFT)


def circle(radius: float, count: int = 24) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return radius * np.stack([np.cos(angle), np.sin(angle)], -1)


def spin(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]])


def draw(rng: np.random.Generator, side: int) -> Layer:
    """One to three drawn things on a clear sheet."""
    sheet = Sheet(rng, side)
    for _ in range(int(rng.choice([1, 2, 3], p=[0.6, 0.25, 0.15]))):
        kind = rng.choice(
            ["chain", "strand", "line", "hook", "ring", "openwork", "stones", "band", "dome"],
            p=[0.27, 0.1, 0.09, 0.09, 0.08, 0.08, 0.06, 0.13, 0.1],
        )
        {
            "chain": _chain,
            "strand": _strand,
            "line": _line_chain,
            "hook": _hook,
            "ring": _ring,
            "openwork": _openwork,
            "stones": _stones,
            "band": _band,
            "dome": _dome,
        }[str(kind)](rng, sheet)
    return sheet.finish()


def _colour(rng: np.random.Generator) -> np.ndarray:
    return np.array([235, 232, 225.0]) if rng.random() < 0.3 else rng.uniform(10, 245, 3)


def _path(rng: np.random.Generator, side: int) -> np.ndarray:
    """Where a chain lies in the frame, in pixels; foreshortened, sometimes leaving the frame."""
    points, _ = course(rng)
    size = side * rng.choice([rng.uniform(0.1, 0.3), rng.uniform(0.3, 0.5), rng.uniform(0.5, 0.9)], p=[0.25, 0.55, 0.2])
    points = points @ spin(rng.uniform(0, 6.3)) * [1, rng.uniform(0.45, 1)]
    return points * size + side / 2 + rng.normal(0, 0.12, 2) * side


def _chain(rng: np.random.Generator, sheet: Sheet) -> None:
    path = _path(rng, sheet.side)
    long = float(np.exp(rng.uniform(np.log(2.5), np.log(20))))
    width = max(1.0, long * rng.uniform(0.2, 0.42))
    narrow = rng.uniform(0.35, 1.0)
    squeeze = rng.choice([0.1, rng.uniform(0.2, 1.0)])  # every other link edge-on, or turned
    power = rng.uniform(0.5, 1.0)
    at, heading = along(path, long * rng.uniform(1.25, 1.75))
    angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    shape = np.stack([np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** power, np.sin(angle) * narrow], -1) * long
    lean = rng.normal(0, 0.3) * (rng.random() < 0.4)
    for k, (place, turn) in enumerate(zip(at, heading, strict=True)):
        link = shape * [1, squeeze if k % 2 else 1] @ spin(turn + lean + rng.normal(0, 0.08)).T
        sheet.wire(place + link, width, closed=True, tone=rng.uniform(0.7, 1.1))
    _pendant(rng, sheet, path, long * 2)


def _strand(rng: np.random.Generator, sheet: Sheet) -> None:
    path = _path(rng, sheet.side)
    radius = float(np.exp(rng.uniform(np.log(1.5), np.log(14))))
    sheet.wire(path[::8], max(1.0, radius * 0.2))
    colour, other = _colour(rng), _colour(rng)
    faceted = rng.random() < 0.3 and radius > 4
    for k, place in enumerate(along(path, radius * rng.uniform(2.0, 4.5))[0]):
        tone = colour if k % 3 else other
        if faceted:
            sheet.stone(place, radius, tone, prongs=int(rng.choice([0, 4])))
        else:
            sheet.bead(place, radius * rng.uniform(0.9, 1.08), tone)
    _pendant(rng, sheet, path, radius * 3)


def _line_chain(rng: np.random.Generator, sheet: Sheet) -> None:
    """A snake, box or rope chain too fine to show links: a line with a rhythm."""
    path = _path(rng, sheet.side)[::4]
    width = rng.uniform(1.0, 6.0)
    sheet.wire(path, width)
    step = max(2, int(width * rng.uniform(0.5, 1.2)))
    marks = along(path, step * 1.0)[0]
    for k in range(0, len(marks) - 1, 2):
        sheet._line(marks[k : k + 2], width * 0.6, sheet.metal * rng.uniform(0.3, 1.4), closed=False)
    _pendant(rng, sheet, path, max(8, width * 4))


def _pendant(rng: np.random.Generator, sheet: Sheet, path: np.ndarray, size: float) -> None:
    if rng.random() < 0.45:
        return
    low = path[int(np.argmax(path[:, 1]))]
    size = max(size, sheet.side * rng.uniform(0.02, 0.1))
    sheet.wire(low + np.array([0, size * 0.3]) + circle(size * 0.3, 16), max(1.0, size * 0.08), closed=True)
    centre = low + np.array([0, size * 1.55])
    kind = int(rng.integers(4))
    if kind == 0:
        sheet.stone(centre, size, _colour(rng), prongs=int(rng.choice([0, 4, 6])))
    elif kind == 1:
        sheet.bead(centre, size, _colour(rng))
    elif kind == 2:
        sheet.wire(centre + circle(size, 40), max(1.0, size * rng.uniform(0.06, 0.25)), closed=True)
    else:
        petals = 1 + 0.4 * np.sin(np.linspace(0, 2 * np.pi, 40) * int(rng.integers(2, 6)))
        outline = centre + circle(size, 40) * petals[:, None] * 0.8
        sheet.blob(outline, sheet.metal * 0.9)
        sheet.wire(outline, max(1.0, size * 0.08), closed=True)


def _hook(rng: np.random.Generator, sheet: Sheet) -> None:
    """One or two ear wires with drops."""
    size = sheet.side * rng.uniform(0.05, 0.18)
    turn, width = spin(rng.uniform(0, 6.3)), max(1.0, size * rng.uniform(0.02, 0.09))
    angle = np.linspace(-0.1 * np.pi, 1.2 * np.pi, 30)
    bow = np.stack([0.4 * np.cos(angle), -0.9 - 0.4 * np.sin(angle)], -1)
    wire = np.concatenate([[[0.0, 0.0]], bow, bow[-1] + [[0.05, 0.4], [0.1, rng.uniform(0.6, 1.2)]]])
    colour = _colour(rng)
    for _ in range(int(rng.integers(1, 3))):
        at = rng.uniform(0.2, 0.8, 2) * sheet.side
        sheet.wire(at + wire * size @ turn, width)
        for k in range(int(rng.integers(1, 4))):
            sheet.stone(
                at + np.array([0, 0.35 + 0.6 * k]) * size @ turn, size * 0.32, colour, prongs=int(rng.choice([0, 4]))
            )


def _ring(rng: np.random.Generator, sheet: Sheet) -> None:
    """A hoop or band seen at a slant, maybe with stones on it."""
    size = sheet.side * rng.uniform(0.06, 0.32)
    rim = (
        circle(size, 80) * [1, rng.uniform(0.25, 1)] @ spin(rng.uniform(0, 6.3))
        + rng.uniform(0.25, 0.75, 2) * sheet.side
    )
    width = max(1.0, size * rng.uniform(0.02, 0.22))
    sheet.wire(rim, width, closed=True)
    if rng.random() < 0.5:
        start, colour = int(rng.integers(80)), _colour(rng)
        for k in range(int(rng.integers(1, 14))):
            sheet.stone(rim[(start + 2 * k) % 80], width * rng.uniform(0.5, 0.9), colour)
    if rng.random() < 0.5:
        sheet.stone(
            rim[int(rng.integers(80))], width * rng.uniform(1, 3), _colour(rng), prongs=int(rng.choice([0, 4, 6]))
        )


def _openwork(rng: np.random.Generator, sheet: Sheet) -> None:
    """Filigree: loops, spokes and scrolls with daylight between."""
    centre, size = rng.uniform(0.3, 0.7, 2) * sheet.side, sheet.side * rng.uniform(0.06, 0.3)
    width = max(1.0, size * rng.uniform(0.02, 0.1))
    sheet.wire(centre + circle(size, 80), width * 1.4, closed=True)
    count, turn = int(rng.integers(3, 11)), rng.uniform(0, 6.3)
    for k in range(count):
        matrix = spin(turn + 2 * np.pi * k / count)
        if k % 2 or count < 5:
            sheet.wire(centre + np.array([[0.1, 0], [0.5, 0.05], [1, 0]]) * size @ matrix, width)
        t = np.linspace(0, 1, 24)[:, None]
        curl = np.concatenate([0.3 + 0.7 * t, 0.35 * np.sin(3.1 * t) * np.cos(5 * t)], 1)
        sheet.wire(centre + curl * size @ matrix, width)
    if rng.random() < 0.6:
        sheet.stone(centre, size * rng.uniform(0.12, 0.35), _colour(rng), prongs=int(rng.choice([0, 4, 6])))


def _stones(rng: np.random.Generator, sheet: Sheet) -> None:
    """A cluster of set stones: pavé, halo, brooch."""
    centre, size = rng.uniform(0.25, 0.75, 2) * sheet.side, sheet.side * rng.uniform(0.01, 0.04)
    colour, other = _colour(rng), _colour(rng)
    for place in rng.normal(0, 2.2, (int(rng.integers(3, 24)), 2)) * size + centre:
        sheet.stone(
            place, size * rng.uniform(0.7, 1.4), colour if rng.random() < 0.7 else other, prongs=int(rng.choice([0, 4]))
        )


def _sheen(rng: np.random.Generator, tone: np.ndarray) -> np.ndarray:
    """What a polished surface of colour `tone` shows for each normal: (64, 64, 3) over its x and y −1…1, sRGB 0…255."""
    field = cv2.resize(rng.normal(0, 1, (int(rng.integers(2, 9)),) * 2), (64, 64), interpolation=cv2.INTER_CUBIC)
    light = np.exp(field * rng.uniform(0.1, 0.7))[..., None] * tone * rng.uniform(0.6, 1.1)
    for _ in range(int(rng.integers(0, 4))):  # lamps and dark corners
        y, x = rng.integers(0, 60, 2)
        light[y : y + rng.integers(3, 22), x : x + rng.integers(3, 30)] = rng.choice([250.0, 20.0]) * np.ones(3)
    return np.clip(cv2.GaussianBlur(light, (0, 0), rng.uniform(0.5, 4)), 0, 255)


def _shades(sheen: np.ndarray, normals: np.ndarray) -> np.ndarray:
    x, y = (np.clip(((normals[..., k] + 1) * 31.5).astype(int), 0, 63) for k in (0, 1))
    return sheen[y, x]


def _band(rng: np.random.Generator, sheet: Sheet) -> None:
    """A wide polished band, flat or domed, seen from anywhere; maybe with a stone."""
    size = sheet.side * rng.uniform(0.12, 0.42)
    wide, thick, dome = rng.uniform(0.12, 0.55), rng.uniform(0.03, 0.16), rng.uniform(0, 0.12)
    angle, across = np.linspace(0, 2 * np.pi, 121), np.linspace(-1, 1, 13)
    bulge = dome * (1 - across**2)
    lean = rng.uniform(0.1, 1.5)
    tilt = np.array([[1, 0, 0], [0, np.cos(lean), -np.sin(lean)], [0, np.sin(lean), np.cos(lean)]])
    round_ = np.stack([np.cos(angle), 0 * angle, np.sin(angle)], -1)[:, None]
    axis = np.array([0.0, 1.0, 0.0])
    slope = (2 * dome * across / wide)[None, :, None]
    outer = round_ * (1 + thick + bulge)[None, :, None] + across[None, :, None] * wide * axis
    inner = round_ * np.ones(13)[None, :, None] + across[None, :, None] * wide * axis
    surfaces = [(outer, round_ + slope * axis), (inner, -round_ + 0 * slope)]
    for end in (0, 12):
        edge = np.stack([outer[:, end], inner[:, end]], 1)
        surfaces.append((edge, np.sign(across[end]) * axis + 0 * edge))
    sheen, quads = _sheen(rng, sheet.metal), []
    turn = spin(rng.uniform(0, 6.3))
    centre = rng.uniform(0.3, 0.7, 2) * sheet.side
    for points, normals in surfaces:
        seen, facing = points @ tilt.T, normals @ tilt.T
        facing = facing / np.linalg.norm(facing, axis=-1, keepdims=True)
        flat = seen[..., :2] @ turn * size + centre
        corners = np.stack([flat[:-1, :-1], flat[1:, :-1], flat[1:, 1:], flat[:-1, 1:]], 2).reshape(-1, 4, 2)
        depth = (seen[:-1, :-1, 2] + seen[1:, 1:, 2]).ravel()
        colour = _shades(sheen, facing[:-1, : corners.shape[0] // 120]).reshape(-1, 3)
        visible = facing[:-1, : corners.shape[0] // 120, 2].ravel() > -0.1
        quads += [q for q, v in zip(zip(depth, corners, colour, strict=True), visible, strict=True) if v]
    for _, corners, colour in sorted(quads, key=lambda quad: quad[0]):
        sheet.blob(corners, colour)
    if rng.random() < 0.4:
        at = centre + np.array([0, 0]) + (turn.T @ ((tilt @ round_[30, 0])[:2] * size * (1 + thick)))
        sheet.stone(at, size * rng.uniform(0.1, 0.3), _colour(rng), prongs=int(rng.choice([0, 4, 6])))


def _dome(rng: np.random.Generator, sheet: Sheet) -> None:
    """Cabochons, pearls, discs: smooth bodies, alone or in a row, each in a rim or bare."""
    count = int(rng.choice([1, 2, 3, 6]))
    size = sheet.side * rng.uniform(0.05, 0.26) / np.sqrt(count)
    tone, squeeze = _colour(rng), rng.uniform(0.6, 1)
    sheen = _sheen(rng, sheet.metal if rng.random() < 0.3 else tone)
    flat = rng.choice([1.0, rng.uniform(0.1, 0.9)])
    at = rng.uniform(0.25, 0.75, 2) * sheet.side
    way = spin(rng.uniform(0, 6.3))[0] * size * rng.uniform(2.0, 2.6)
    for k in range(count):
        centre = at + (k - (count - 1) / 2) * way
        outline = centre + circle(size, 60) * [1, squeeze]
        sheet.blob(outline, tone)
        low = np.maximum(np.floor((centre - size) * _OVER).astype(int), 0)
        high = np.minimum(np.ceil((centre + size) * _OVER).astype(int), sheet.side * _OVER)
        if (high - low).min() < 2:
            continue
        y, x = np.mgrid[low[1] : high[1], low[0] : high[0]] / _OVER
        u, v = (x - centre[0]) / size, (y - centre[1]) / (size * squeeze)
        inside = u * u + v * v < 1
        body = _shades(sheen, np.stack([u, v], -1) * flat)
        area = sheet.colour[low[1] : high[1], low[0] : high[0]]
        area[inside] = body[inside].astype(np.uint8)
        if rng.random() < 0.5:
            sheet.wire(outline, max(1.0, size * rng.uniform(0.03, 0.15)), closed=True)
