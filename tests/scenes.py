"""Drawn jewelry with a known matte: what the tests cut out, dress, damage and compare.

Every piece is drawn four times as large as asked for and shrunk by area means in linear light, so coverage and edge
colour are exact to 1/16 and the picture obeys ``rgb = alpha · foreground + (1 − alpha) · ground``. Wires are shaded as
round metal under a soft box, stones as facets. The same arguments always draw the same picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.codec.encode import encode_jpeg, encode_png16
from vitrina.imaging.compose import over
from vitrina.model import Alpha, Mask, Plane, Region, Rgb, Size, Source

SHARPER = 4
"""How many times larger than asked for pieces are drawn."""

METALS = {
    "gold": (0.98, 0.71, 0.30),
    "rose": (0.94, 0.60, 0.47),
    "silver": (0.93, 0.91, 0.87),
    "steel": (0.60, 0.60, 0.60),
}
"""Linear reflectance at normal incidence."""

STONES = {
    "clear": (0.82, 0.86, 0.90),
    "blue": (0.03, 0.08, 0.42),
    "red": (0.42, 0.02, 0.04),
    "green": (0.02, 0.26, 0.09),
}
"""Linear body colours."""

GROUNDS = {
    "white": (0.83, 0.83, 0.83),
    "paper": (0.66, 0.65, 0.63),
    "grey": (0.30, 0.30, 0.31),
    "velvet": (0.012, 0.012, 0.014),
}
"""Linear colours of what the piece lies on."""


@dataclass(frozen=True, slots=True)
class Element:
    """One countable thing of a piece (a stone, a link, a clasp) and where it is seen."""

    kind: str
    region: Region
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """A photo of a drawn piece, and everything that is true about it."""

    rgb: Rgb
    foreground: Rgb
    alpha: Alpha
    ground: Rgb
    elements: tuple[Element, ...]
    metal: str

    @property
    def size(self) -> Size:
        return Size(self.rgb.shape[1], self.rgb.shape[0])

    @property
    def box(self) -> Region:
        """The piece's own rectangle."""
        box = Region.around(self.alpha > 0)
        assert box is not None
        return box

    @property
    def daylight(self) -> Mask:
        """Ground that the piece encloses: the inside of a ring, the middle of each link."""
        clear = (self.alpha == 0).astype(np.uint8)
        _, labels = cv2.connectedComponents(clear, connectivity=4)
        return np.asarray((clear > 0) & (labels != labels[0, 0]), bool)

    def of_kind(self, kind: str) -> tuple[Element, ...]:
        return tuple(element for element in self.elements if element.kind == kind)

    def on(self, colour: tuple[float, float, float]) -> Rgb:
        """The perfect edit: the same piece on one linear colour."""
        return over(self.foreground, self.alpha, np.array(colour, np.float32))

    def jpeg(self, *, quality: int = 92) -> bytes:
        return encode_jpeg(np.clip(self.rgb, 0, 1), quality=quality)

    def cutout_png(self) -> bytes:
        """What a perfect ``vitrina cutout`` would write."""
        return encode_png16(self.foreground, self.alpha)

    def source(self) -> Source:
        """The photo as the program sees it, without a trip through a file."""
        from vitrina import from_array

        return from_array(self.rgb, name="drawn")


def ring(
    size: Size = Size(480, 400),
    *,
    metal: str = "gold",
    stones: int = 5,
    colour: str = "blue",
    missing: tuple[int, ...] = (),
    ground: str = "paper",
    seed: int = 1,
) -> Scene:
    """A ring seen from above at a slant, `stones` in a row on its head; its inside is daylight.

    Stones whose number is in `missing` are left out (their claws too); all else stays where it is.
    """
    sheet = _Sheet(size, metal, seed)
    cx, cy, reach = size.width / 2, size.height * 0.54, min(size.width, size.height) * 0.36
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    band = np.column_stack([cx + reach * np.cos(angle), cy + 0.86 * reach * np.sin(angle)])
    sheet.wire(band, reach * 0.085, closed=True)
    share = np.linspace(-0.34, 0.34, stones) if stones > 1 else np.zeros(stones)
    radius = reach * (0.17 if stones > 1 else 0.30)
    for number, step in enumerate(share):
        if number in missing:
            continue
        at = (cx + reach * np.sin(step * 2), cy - 0.86 * reach * np.cos(step * 2))
        for claw in range(4):
            turn = step * 2 + np.pi / 4 + claw * np.pi / 2
            sheet.ball((at[0] + radius * 1.02 * np.cos(turn), at[1] + radius * 1.02 * np.sin(turn)), radius * 0.26)
        sheet.stone(at, radius, colour)
    return sheet.scene(ground)


def chain(
    size: Size = Size(640, 420),
    *,
    metal: str = "silver",
    links: int = 24,
    clasp: bool = True,
    missing: tuple[int, ...] = (),
    wire: float = 1.0,
    ground: str = "paper",
    seed: int = 2,
) -> Scene:
    """A cable chain laid in an open loop, closed by a spring-ring clasp when `clasp`; every link lets daylight through.

    `wire` scales the wire's width. Links whose number is in `missing` are left out, which breaks the chain there.
    """
    sheet = _Sheet(size, metal, seed)
    cx, cy = size.width / 2, size.height / 2
    rx, ry = size.width * 0.40, size.height * 0.34
    angle = np.linspace(0, 2 * np.pi, 4000) + np.pi / 2
    path = np.column_stack([cx + rx * np.cos(angle), cy + ry * np.sin(angle) * (1 + 0.10 * np.cos(2 * angle))])
    walked = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    pitch = walked[-1] / (links + 2 * clasp)
    long, thick = pitch * 1.28, pitch * 0.105 * wire
    first = 1.5 if clasp else 0.5
    for number in range(links):
        if number in missing:
            continue
        place = (number + first) * pitch
        x, y = (np.interp(place, walked, path[:, axis]) for axis in (0, 1))
        ahead = [np.interp(min(place + 1, walked[-1]), walked, path[:, axis]) for axis in (0, 1)]
        heading = np.arctan2(ahead[1] - y, ahead[0] - x)
        wide = long * (0.62 if number % 2 == 0 else 0.30)
        sheet.wire(_link((x, y), heading, long, wide), thick, closed=True, kind="link")
    if clasp:
        at = (path[0, 0], path[0, 1])
        around = np.linspace(0, 2 * np.pi, 120, endpoint=False)
        hoop = np.column_stack([at[0] + pitch * 0.72 * np.cos(around), at[1] + pitch * 0.72 * np.sin(around)])
        sheet.wire(hoop, thick * 1.5, closed=True, kind="clasp")
        lever = np.array([[at[0], at[1] + pitch * 0.72], [at[0] + pitch * 0.30, at[1] + pitch * 1.15]])
        sheet.wire(lever, thick * 1.2)
    return sheet.scene(ground)


def beads(
    size: Size = Size(600, 440),
    *,
    metal: str = "gold",
    colour: str = "green",
    count: int = 22,
    clasp: str = "ring",
    ground: str = "paper",
    seed: int = 4,
) -> Scene:
    """A bracelet of round beads, closed by a clasp of metal: a "ring" or a "bar"."""
    sheet = _Sheet(size, metal, seed)
    centre, reach = np.array([size.width, size.height]) / 2, 0.38 * min(size.width, size.height)
    angle = 2 * np.pi * (np.arange(count + 2) + 0.5) / (count + 2) - np.pi / 2
    radius = reach * np.pi / (count + 2) * 0.98
    at = centre + reach * np.column_stack([np.cos(angle), np.sin(angle)])
    for place in at[1:-1]:
        sheet.stone((float(place[0]), float(place[1])), radius, colour)
    top = centre - [0, reach]
    if clasp == "ring":
        around = np.linspace(0, 2 * np.pi, 100, endpoint=False)
        sheet.wire(top + 0.9 * radius * np.column_stack([np.cos(around), np.sin(around)]), 0.2 * radius, closed=True)
    else:
        sheet.wire(top + radius * np.array([[0.0, -1.3], [0.0, 1.3]]), 0.3 * radius)
    for side in (-1, 1):
        sheet.wire(top + radius * np.array([[0.9 * side, 0.0], [1.4 * side, 0.0]]), 0.25 * radius)
        if clasp == "bar":
            sheet.wire(top + radius * np.array([[0.0, 0.0], [0.9 * side, 0.0]]), 0.15 * radius)
    return sheet.scene(ground)


def earrings(
    size: Size = Size(560, 420),
    *,
    metal: str = "rose",
    colour: str = "red",
    pieces: int = 2,
    ground: str = "paper",
    seed: int = 3,
) -> Scene:
    """`pieces` drop earrings side by side: an ear wire, a hoop and a stone each."""
    sheet = _Sheet(size, metal, seed)
    tall = size.height * 0.78
    for number in range(pieces):
        x, top = size.width * (number + 0.5) / pieces, size.height * 0.10
        hook_r = tall * 0.11
        bend = np.linspace(np.pi * 0.85, -np.pi * 0.30, 60)
        hook = np.column_stack([x + hook_r * np.cos(bend), top + hook_r - hook_r * np.sin(bend)])
        stem = np.array([[x - hook_r * 0.9, top + hook_r * 2.6]])
        sheet.wire(np.concatenate([stem, hook, [[x, top + tall * 0.30]]]), tall * 0.0085, kind="clasp")
        around = np.linspace(0, 2 * np.pi, 200, endpoint=False)
        r, y = tall * 0.20, top + tall * 0.50
        sheet.wire(np.column_stack([x + r * np.cos(around), y + r * np.sin(around)]), tall * 0.018, closed=True)
        below = y + r + tall * 0.10
        around_small = np.column_stack([x + tall * 0.10 * np.cos(around), below + tall * 0.10 * np.sin(around)])
        sheet.wire(around_small, tall * 0.012, closed=True)
        sheet.stone((x, below), tall * 0.088, colour)
    return sheet.scene(ground)


def _link(at: tuple[float, float], heading: float, long: float, wide: float) -> NDArray[np.float64]:
    """A racetrack outline, its long axis along `heading`."""
    half, r = (long - wide) / 2, wide / 2
    right = np.linspace(-np.pi / 2, np.pi / 2, 24)
    outline = np.concatenate([
        np.column_stack([half + r * np.cos(right), r * np.sin(right)]),
        np.column_stack([-half - r * np.cos(right), -r * np.sin(right)]),
    ])  # fmt: skip
    c, s = np.cos(heading), np.sin(heading)
    return np.asarray(outline @ np.array([[c, s], [-s, c]]) + at)


@dataclass(slots=True)
class _Sheet:
    """What the elements are painted on, one over the other; coordinates are in pixels of the wanted size."""

    size: Size
    metal: str
    seed: int
    elements: list[Element] = field(default_factory=list)
    rgb: Rgb = field(init=False)
    alpha: Plane = field(init=False)

    def __post_init__(self) -> None:
        shape = (self.size.height * SHARPER, self.size.width * SHARPER)
        self.rgb = np.zeros((*shape, 3), np.float32)
        self.alpha = np.zeros(shape, np.float32)

    def wire(self, path: NDArray[np.float64], radius: float, *, closed: bool = False, kind: str = "metal") -> None:
        """Round wire of `radius` along `path` (x, y)."""
        window, x0, y0 = self._window(path, radius)
        line = np.full(window.shape, 255, np.uint8)
        points = np.rint(path * SHARPER - (x0, y0)).astype(np.int32)
        cv2.polylines(line, [points], closed, 0)
        _, labels = cv2.distanceTransformWithLabels(line, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
        rows, columns = np.nonzero(line == 0)
        nearest = np.zeros((int(labels.max()) + 1, 2), np.float32)
        nearest[labels[rows, columns]] = np.column_stack([columns, rows])
        grid = np.stack(np.meshgrid(*(np.arange(n, dtype=np.float32) for n in window.shape[::-1])), axis=-1)
        self._metal(grid - nearest[labels], radius, x0, y0, kind)

    def ball(self, at: tuple[float, float], radius: float) -> None:
        """A ball of metal (a claw)."""
        window, x0, y0 = self._window(np.array([at]), radius)
        grid = np.stack(np.meshgrid(*(np.arange(n, dtype=np.float32) for n in window.shape[::-1])), axis=-1)
        centre = np.array(at, np.float32) * SHARPER - np.array([x0, y0], np.float32)
        self._metal(grid - centre, radius, x0, y0, "metal")

    def stone(self, at: tuple[float, float], radius: float, colour: str) -> None:
        """A round brilliant: a table and two rings of facets, lit unevenly."""
        window, x0, y0 = self._window(np.array([at]), radius)
        centre = np.array(at, np.float32) * SHARPER - np.array([x0, y0], np.float32)
        ys, xs = np.mgrid[0 : window.shape[0], 0 : window.shape[1]].astype(np.float32)
        dx, dy = xs - centre[0], ys - centre[1]
        distance, turn = np.hypot(dx, dy) / (radius * SHARPER), np.arctan2(dy, dx)
        rng = np.random.default_rng((self.seed, round(at[0] * 8), round(at[1] * 8)))
        inner = np.floor((turn / (2 * np.pi) + 0.5) * 8).astype(int) % 8
        outer = np.floor((turn / (2 * np.pi) + 0.5) * 16).astype(int) % 16
        light = np.where(distance < 0.5, 0.9, np.where(distance < 0.76, _pick(rng, 8)[inner], _pick(rng, 16)[outer]))
        body = np.array(STONES[colour], np.float32)
        shade = body * light[..., None] + np.float32(0.45) * np.maximum(light - 1.25, 0)[..., None]
        coverage = np.clip(radius * SHARPER - np.hypot(dx, dy) + 0.5, 0, 1).astype(np.float32)
        self._paint(shade.astype(np.float32), coverage, x0, y0, Element("stone", self._region(at, radius), colour))

    def scene(self, ground: str) -> Scene:
        """Shrink the drawing and lay it on its ground, with a soft shadow under it."""
        size = (self.size.width, self.size.height)
        alpha = np.asarray(cv2.resize(self.alpha, size, interpolation=cv2.INTER_AREA), np.float32)
        alpha = np.where(alpha < 1 / 512, 0, np.where(alpha > 511 / 512, 1, alpha)).astype(np.float32)
        weighted = cv2.resize(self.rgb * self.alpha[..., None], size, interpolation=cv2.INTER_AREA)
        foreground = np.asarray(weighted / np.maximum(alpha, 1e-4)[..., None], np.float32)
        foreground = np.where(alpha[..., None] > 0, foreground, 0).astype(np.float32)
        behind = self._ground(ground, alpha)
        return Scene(over(foreground, alpha, behind), foreground, alpha, behind, tuple(self.elements), self.metal)

    def _ground(self, name: str, alpha: Alpha) -> Rgb:
        height, width = alpha.shape
        ys, xs = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        light = 1 - 0.05 * (xs * 0.6 + ys) - 0.03 * (xs**2 + ys**2)
        reach = max(2.0, 0.02 * max(height, width))
        fall = np.array([[1, 0, 0.3 * reach], [0, 1, 0.5 * reach]], np.float32)
        shadow = cv2.GaussianBlur(cv2.warpAffine(alpha, fall, (width, height)), (0, 0), reach)
        grain = np.random.default_rng(self.seed).normal(0, 0.008, (height, width, 1))
        colour = np.array(GROUNDS[name]) * (light * (1 - 0.35 * shadow))[..., None]
        return np.asarray(np.clip(colour * (1 + grain), 0, 1), np.float32)

    def _metal(self, offset: NDArray[np.float32], radius: float, x0: int, y0: int, kind: str) -> None:
        """Paint round metal whose axis lies `offset` pixels (of the drawing) away, lit by a soft box from above."""
        wide = radius * SHARPER
        distance = np.hypot(offset[..., 0], offset[..., 1])
        nx, ny = (np.clip(offset[..., axis] / wide, -1, 1) for axis in (0, 1))
        nz = np.sqrt(np.maximum(1 - nx**2 - ny**2, 0))
        rx, ry = 2 * nz * nx, 2 * nz * ny
        box = _smooth((0.62 - np.hypot(rx * 0.7 + 0.15, ry + 0.45)) / 0.25)
        strip = _smooth((0.12 - np.abs(rx - 0.75)) / 0.1)
        floor = _smooth((ry - 0.55) / 0.3)
        light = 0.17 + 0.72 * box + 0.50 * strip - 0.09 * floor + 0.14 * nz
        shade = np.array(METALS[self.metal], np.float32) * light[..., None].astype(np.float32)
        coverage = np.clip(wide - distance + 0.5, 0, 1).astype(np.float32)
        rows, columns = np.nonzero(coverage)
        region = Region(
            (x0 + int(columns.min())) // SHARPER, (y0 + int(rows.min())) // SHARPER,
            int(np.ptp(columns)) // SHARPER + 1, int(np.ptp(rows)) // SHARPER + 1,
        )  # fmt: skip
        element = Element(kind, region, self.metal) if kind != "metal" else None
        self._paint(np.minimum(shade, 1), coverage, x0, y0, element)

    def _paint(self, rgb: Rgb, coverage: Plane, x0: int, y0: int, element: Element | None) -> None:
        where = (slice(y0, y0 + coverage.shape[0]), slice(x0, x0 + coverage.shape[1]))
        below, a = self.alpha[where], coverage
        both = a + below * (1 - a)
        mixed = (rgb * a[..., None] + self.rgb[where] * (below * (1 - a))[..., None]) / np.maximum(both, 1e-6)[
            ..., None
        ]
        self.rgb[where], self.alpha[where] = mixed, both
        if element is not None:
            self.elements.append(element)

    def _window(self, path: NDArray[np.float64], radius: float) -> tuple[Plane, int, int]:
        """The part of the drawing that `path` can touch, and its corner."""
        margin = radius + 2
        low = np.floor((path.min(axis=0) - margin) * SHARPER).astype(int)
        high = np.ceil((path.max(axis=0) + margin) * SHARPER).astype(int)
        x0, y0 = max(0, int(low[0])), max(0, int(low[1]))
        x1, y1 = min(self.alpha.shape[1], int(high[0])), min(self.alpha.shape[0], int(high[1]))
        return self.alpha[y0:y1, x0:x1], x0, y0

    def _region(self, at: tuple[float, float], radius: float) -> Region:
        x0, y0 = int(np.floor(at[0] - radius)), int(np.floor(at[1] - radius))
        return Region(x0, y0, int(np.ceil(at[0] + radius)) - x0, int(np.ceil(at[1] + radius)) - y0)


def _pick(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    return rng.choice([0.35, 0.7, 1.1, 1.7], count)


def _smooth(x: NDArray[np.floating]) -> NDArray[np.float32]:
    t = np.clip(x, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
