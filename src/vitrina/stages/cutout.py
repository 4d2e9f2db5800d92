"""Cutting out: the networks say where the piece is, the full-resolution pixels draw its edge."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.matte import estimate_foreground, solve_band, trimap_of
from vitrina.imaging.resample import enlarged_part
from vitrina.model import Alpha, Cutout, Finding, Mask, Part, Plane, Region, Rgb, Severity, Size, Source
from vitrina.plugins import Segmenter
from vitrina.stages.edges import check_edges
from vitrina.stages.strokes import Stroke, box_of, masks_of

__all__ = ["CutoutParams", "check_edges", "cut_out", "find_piece", "mend", "mended_part", "mending_box", "parts_of"]


_WORKERS = 2
"""Tiles that are worked on at a time."""
_REACH_PX = 8
"""How far from the edge, in the label frame, a photo's own pixels may redraw what was seen shrunk."""


_LEAST = 0.2
"""Coverage that the solution leaves to either side is taken for none. On the scenes 0.02 has 4 % less squared error,
for its doubt is half see-through; but solid metal has to be solid."""


@dataclass(frozen=True, slots=True)
class CutoutParams:
    """Lengths are in pixels of the frame that they are used in."""

    label_px: int = 1280
    """Long side at which the networks look for the piece."""
    draw_px: int = 2048
    """Long side at which its edge is redrawn; alpha is solved at the photo's own size."""
    sure: float = 0.9
    """Evidence that an island must reach somewhere to belong to the piece."""
    island: float = 0.001
    """Least share of the largest part that an island must have; smaller ones are dust."""
    band_px: float = 1.2
    """Half width of the band around the edge in which alpha is solved from the pixels."""
    unsure: float = 0.04
    """Share of the piece that may be undecided before a person is asked."""


def find_piece(source: Source, segmenter: Segmenter, *, side_px: int = 384) -> Alpha:
    """Coarse evidence 0…1 of the piece, at the size of the source shrunk to `side_px`, in a fraction of the time."""
    return segmenter.find(_shrunk(source.rgb, side_px))


def cut_out(
    source: Source,
    segmenter: Segmenter,
    *,
    params: CutoutParams = CutoutParams(),
    keep: Mask | None = None,
    drop: Mask | None = None,
) -> Cutout:
    """Cut the piece out of its photo.

    `keep` and `drop` are strokes at the size of the source; they overrule everything and change alpha only near them.
    Where alpha is 1 the foreground is the source's pixel, bit for bit. When no piece is found the alpha is empty and a
    blocking note says so.
    """
    if source.alpha is not None:
        return _from_transparency(source)
    clock = _Clock()
    small = _shrunk(source.rgb, params.label_px)
    evidence = segmenter.find(small)
    clock.lap("find")
    found = _clean(evidence, params)
    piece = _stroked(found, keep, drop)
    clock.lap("label")
    backdrop = _plain(small, piece)
    notes = _doubts(evidence, piece, source.size.width / small.shape[1], params)
    if not piece.any():
        return Cutout(
            source.rgb, np.zeros(source.rgb.shape[:2], np.float32), (), backdrop, "none", notes, clock.seconds()
        )
    band = _band_of(source.size, params)
    drawn = _shrunk(source.rgb, params.draw_px)
    soft = _drawn(drawn, evidence, found, segmenter)
    clock.lap("draw")
    alpha = _matte(source.rgb, soft, band)
    if keep is not None or drop is not None:
        alpha = _mended(source.rgb, alpha, _drawn(drawn, evidence, piece, segmenter), band, keep=keep, drop=drop)
    clock.lap("matte")
    foreground = _foreground(source.rgb, alpha, band)
    clock.lap("foreground")
    parts = parts_of(alpha)
    clock.lap("parts")
    return Cutout(foreground, alpha, parts, backdrop, f"{segmenter.name}, closed-form matting", notes, clock.seconds())


def mend(
    source: Source,
    cut: Cutout,
    strokes: Sequence[Stroke],
    segmenter: Segmenter | None = None,
    *,
    params: CutoutParams = CutoutParams(),
) -> Cutout:
    """`cut` with a person's strokes: solved anew near them, and everywhere else as it was, bit for bit.

    Only the part around the strokes is worked on, so that it takes about a second however large the photo is.
    """
    box = mending_box(strokes, source.size, params=params)
    foreground, alpha = cut.foreground.copy(), cut.alpha.copy()
    near, solved, colour = mended_part(source.rgb, cut.alpha, strokes, box, segmenter, params=params)
    alpha[box.slices] = solved
    foreground[box.slices][near] = colour[near]
    return replace(
        cut, foreground=foreground, alpha=alpha, parts=parts_of(alpha), method=f"{cut.method}, mended by hand"
    )


def mending_box(strokes: Sequence[Stroke], size: Size, *, params: CutoutParams = CutoutParams()) -> Region:
    """The part of a photo of `size` that must be known to mend it with `strokes`."""
    context = 48 * max(1.0, max(size.width, size.height) / params.draw_px)
    return box_of(strokes, size, margin_px=3 * _stroke_reach(_band_of(size, params)) + context)


def mended_part(
    rgb: Rgb,
    alpha: Alpha,
    strokes: Sequence[Stroke],
    box: Region,
    segmenter: Segmenter | None = None,
    *,
    params: CutoutParams = CutoutParams(),
) -> tuple[Mask, Alpha, Rgb]:
    """The part `box` of a cutout after `strokes`: where anything may have changed, its alpha, its foreground.

    `rgb` and `alpha` are the whole photo's. With a `segmenter` the edge near the strokes is redrawn from the pixels.
    """
    size = Size(alpha.shape[1], alpha.shape[0])
    band = _band_of(size, params)
    keep, drop = masks_of(strokes, box)
    around = 2 * _stroke_reach(band) + 1
    near: Mask = cv2.dilate((keep | drop).astype(np.uint8), np.ones((around, around), np.uint8)) > 0
    part, was = np.ascontiguousarray(rgb[box.slices]), alpha[box.slices]
    piece = ((was > 0.5) | keep) & ~drop
    soft = np.where(piece, np.maximum(was, 0.51), np.minimum(was, 0.49)).astype(np.float32)
    if segmenter is not None:
        scale = min(1.0, params.draw_px / max(alpha.shape))
        shape = (max(8, round(box.height * scale)), max(8, round(box.width * scale)))
        refined = segmenter.refine(_resized(part, shape), _resized(soft, shape))
        refined = np.asarray(cv2.resize(refined, (box.width, box.height), interpolation=cv2.INTER_LINEAR), np.float32)
        refined = np.where(keep, np.maximum(refined, 0.51), np.where(drop, np.minimum(refined, 0.49), refined))
        soft = np.where(near, refined, soft)
    solved = _mended(part, was, soft.astype(np.float32), band, keep=keep, drop=drop)
    return near, solved, _foreground(part, solved, band)


def parts_of(alpha: Alpha) -> tuple[Part, ...]:
    """The separate objects of a matte, largest first, each with its box and its number of daylight holes."""
    solid = (alpha > 0.5).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    least = max(24.0, 0.004 * float(solid.sum()))
    parts = []
    for index in range(1, count):
        x, y, width, height, area = (int(v) for v in stats[index])
        if area < least:
            continue
        own = (labels[y : y + height, x : x + width] == index).astype(np.uint8)
        framed = cv2.copyMakeBorder(own, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        _, _, hole_stats, _ = cv2.connectedComponentsWithStats(1 - framed, connectivity=4)
        daylight = int((hole_stats[2:, cv2.CC_STAT_AREA] >= 6).sum())  # 0 is the part itself, 1 the outside
        parts.append(Part(Region(x, y, width, height), area, daylight))
    return tuple(sorted(parts, key=lambda part: (-part.area_px, part.region.x, part.region.y)))


def _from_transparency(source: Source) -> Cutout:
    """A photo that comes with its own transparency is cut out already; that is said."""
    alpha = source.alpha
    assert alpha is not None
    note = Finding(
        "edges", "own-transparency", Severity.NOTE, None, None, "",
        "The file brought its own transparency; it was used as the matte instead of our own.",
    )  # fmt: skip
    a = alpha[..., None]
    colour = np.where(a > 0.01, (source.rgb - (1 - a)) / np.maximum(a, 0.01), source.rgb)
    foreground = np.asarray(np.clip(colour, 0, 1), np.float32)
    return Cutout(foreground, alpha, parts_of(alpha), (1.0, 1.0, 1.0), "the file's own transparency", (note,))


def _clean(evidence: Alpha, params: CutoutParams) -> Mask:
    """The piece: what the evidence favours, without dust, and without pinholes that no daylight could pass."""
    favoured = (evidence > 0.5).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(favoured, connectivity=8)
    if count == 1:
        return np.zeros(evidence.shape, bool)
    area = stats[:, cv2.CC_STAT_AREA].astype(np.float64)
    best = np.zeros(count, np.float32)
    np.maximum.at(best, labels.ravel(), evidence.ravel())
    keep = (best > params.sure) & (area >= max(12.0, params.island * area[1:].max()))
    keep[0] = False
    kept = keep[labels]
    _, hole_labels, hole_stats, _ = cv2.connectedComponentsWithStats((~kept).astype(np.uint8), connectivity=4)
    pinhole = hole_stats[:, cv2.CC_STAT_AREA] < 4
    pinhole[0] = False
    return np.asarray(kept | pinhole[hole_labels], bool)


def _stroked(piece: Mask, keep: Mask | None, drop: Mask | None) -> Mask:
    if keep is not None:
        piece = piece | (_resized(keep.astype(np.float32), piece.shape) > 0.3)
    if drop is not None:
        piece = piece & ~(_resized(drop.astype(np.float32), piece.shape) > 0.3)
    return piece


def _band_of(size: Size, params: CutoutParams) -> float:
    """Half width in pixels of the photo in which alpha is solved."""
    return max(1.0, params.band_px * max(1.0, max(size.width, size.height) / params.draw_px))


def _stroke_reach(band: float) -> int:
    """How far from a stroke alpha may change."""
    return round(4 * band) + 4


def _doubts(evidence: Alpha, piece: Mask, scale: float, params: CutoutParams) -> tuple[Finding, ...]:
    """What must be said of the evidence: nothing found, or too much left undecided."""
    if piece.sum() < max(30, 2e-5 * piece.size):
        return (
            Finding(
                "pieces", "no-piece", Severity.BLOCK, float(evidence.max()), params.sure, "evidence",
                "No piece of jewelry was found. Lay it on plain paper and fill half of the frame with it.",
            ),
        )  # fmt: skip
    between = ((evidence > 0.2) & (evidence < 0.8)).astype(np.uint8)
    patches = cv2.morphologyEx(between, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)).astype(bool)
    share = float(patches.sum() / piece.sum())
    if share <= params.unsure:
        return ()
    box = Region.around(patches)
    return (
        Finding(
            "edges", "undecided", Severity.WARN, share, params.unsure, "of the piece",
            f"{100 * share:.0f} % of the piece's area could not be told from its backdrop, "
            f"{100 * params.unsure:.0f} % allowed. "
            "Look at the cutout there, mend it with --keep and --drop strokes, or photograph the piece on plain paper.",
            box.scaled(scale) if box else None,
        ),
    )  # fmt: skip


def _drawn(rgb: Rgb, evidence: Alpha, piece: Mask, segmenter: Segmenter) -> Alpha:
    """The evidence at the size of `rgb`, redrawn from its pixels near the edge where the networks saw it smaller."""
    height, width = rgb.shape[:2]
    # Where the label was overruled (dust, strokes) the evidence must not speak on.
    agreed = np.where(piece, np.maximum(evidence, 0.51), np.minimum(evidence, 0.49)).astype(np.float32)
    if agreed.shape == (height, width):
        return agreed
    enlarged = enlarged_part(agreed, Size(width, height), slice(0, height), slice(0, width))
    refined = segmenter.refine(rgb, enlarged)
    solid = piece.astype(np.uint8)
    around = np.ones((2 * _REACH_PX + 1,) * 2, np.uint8)
    near = (cv2.dilate(solid, around) - cv2.erode(solid, around)).astype(np.float32)
    near = enlarged_part(near, Size(width, height), slice(0, height), slice(0, width))
    return np.asarray(enlarged + near * (refined - enlarged), np.float32)


def _matte(rgb: Rgb, soft: Alpha, band: float, within: Mask | None = None) -> Alpha:
    """Alpha at the photo's own size, tile by tile where there is an edge to solve; with `within`, only tiles that it
    touches.

    `band` is the half width in pixels of the photo in which alpha is solved.
    """
    height, width = rgb.shape[:2]
    alpha = np.zeros((height, width), np.float32)

    def solve(tile: tuple[tuple[slice, slice], ...]) -> None:
        inner, outer = tile
        if within is not None and not within[inner].any():
            return
        near = enlarged_part(soft, Size(width, height), *outer)
        if not (near > 0.5).any():
            return
        if not (near < 0.5).any():
            alpha[inner] = 1
            return
        solved = solve_band(rgb[outer], trimap_of(near, band), near, radius_px=2 * band)
        alpha[inner] = np.clip((solved[_within(inner, outer)] - _LEAST) / (1 - 2 * _LEAST), 0, 1)

    _each(solve, _tiles(height, width, margin_px=round(8 * band) + 8))
    return alpha


def _mended(rgb: Rgb, alpha: Alpha, soft: Alpha, band: float, *, keep: Mask | None, drop: Mask | None) -> Alpha:
    """`alpha` solved anew near the strokes; everywhere else it stays as it was, bit for bit."""
    strokes = np.zeros(alpha.shape, bool)
    for mask in (keep, drop):
        if mask is not None:
            strokes |= mask
    reach = _stroke_reach(band)
    near = cv2.dilate(strokes.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
    mended = np.where(near, _matte(rgb, soft, band, within=near), alpha)
    if keep is not None:
        mended = np.where(keep, np.float32(1), mended)
    if drop is not None:
        mended = np.where(drop, np.float32(0), mended)
    return np.asarray(mended, np.float32)


def _foreground(rgb: Rgb, alpha: Alpha, band: float) -> Rgb:
    """The source's pixels, with the rim's colour freed from the backdrop."""
    out = rgb.copy()

    def free(tile: tuple[tuple[slice, slice], ...]) -> None:
        inner, outer = tile
        rim = (alpha[inner] > 0) & (alpha[inner] < 1)
        if rim.any():
            colour = estimate_foreground(rgb[outer], alpha[outer], radius_px=max(2.0, 1.5 * band))
            out[inner] = colour[_within(inner, outer)]

    _each(free, _tiles(*alpha.shape, margin_px=round(16 * band) + 8))
    return out


def _each(
    act: Callable[[tuple[tuple[slice, slice], ...]], None], tiles: Iterable[tuple[tuple[slice, slice], ...]]
) -> None:
    """Do every tile, two at a time; each writes to its own part, so that the order does not matter."""
    with ThreadPoolExecutor(_WORKERS) as pool:
        for _ in pool.map(act, tiles):
            pass


def _tiles(height: int, width: int, *, margin_px: int, side: int = 768) -> Iterator[tuple[tuple[slice, slice], ...]]:
    """The picture's tiles, each alone and with a margin around it."""
    for y in range(0, height, side):
        for x in range(0, width, side):
            inner = (slice(y, min(height, y + side)), slice(x, min(width, x + side)))
            outer = (
                slice(max(0, y - margin_px), min(height, y + side + margin_px)),
                slice(max(0, x - margin_px), min(width, x + side + margin_px)),
            )
            yield inner, outer


def _within(inner: tuple[slice, slice], outer: tuple[slice, slice]) -> tuple[slice, slice]:
    rows, columns = (slice(i.start - o.start, i.stop - o.start) for i, o in zip(inner, outer, strict=True))
    return rows, columns


def _shrunk(rgb: Rgb, long_side_px: int) -> Rgb:
    scale = min(1.0, long_side_px / max(rgb.shape[:2]))
    if scale == 1:
        return rgb
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.float32)


def _resized(plane: NDArray[np.float32], shape: tuple[int, ...]) -> Plane:
    return np.asarray(cv2.resize(plane, (shape[1], shape[0]), interpolation=cv2.INTER_AREA), np.float32)


def _plain(small: Rgb, piece: Mask) -> tuple[float, float, float]:
    """The backdrop's typical linear colour."""
    beyond = cv2.dilate(piece.astype(np.uint8), np.ones((15, 15), np.uint8)) == 0
    pixels = small[beyond][::7] if beyond.sum() > 1000 else small.reshape(-1, 3)[::7]
    red, green, blue = (float(v) for v in np.median(pixels, axis=0))
    return red, green, blue


class _Clock:
    """Seconds per step."""

    def __init__(self) -> None:
        self._start = self._mark = time.perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, step: str) -> None:
        now = time.perf_counter()
        self._laps[step] = now - self._mark
        self._mark = now

    def seconds(self) -> dict[str, float]:
        return {**self._laps, "total": time.perf_counter() - self._start}
