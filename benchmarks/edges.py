"""The edge check against mattes whose faults are known: what it finds, where, and how often it cries wolf.

    python benchmarks/edges.py SCENES [--only s01,s05] [--drawn 40] [--seeds 1] [--verbose]

SCENES holds one folder per scene with `source.jpg`, `alpha.png` (exact 8-bit coverage) and `fg.png` (the true
colours). Every exact matte must pass; then each fault is made on its own. `--drawn N` adds N drawn pieces on
backdrops of the training generator, which have an exact matte too. Per kind: how many were flagged, how many with a
region on the very place, each with its 95 % Wilson interval; and the false alarms on the exact mattes, named.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.codec.decode import decode
from vitrina.imaging.colour import decode_srgb
from vitrina.imaging.matte import estimate_foreground
from vitrina.model import Alpha, Cutout, FileFacts, Mask, Rgb, Size, Source
from vitrina.stages.edges import check_edges

CODES = {
    "halo": {"halo"},
    "halo here": {"halo"},
    "glow": {"halo", "residue"},
    "eroded": {"eroded", "lost-part"},
    "eroded here": {"eroded", "lost-part"},
    "hole filled": {"filled-hole"},
    "loop filled": {"filled-hole"},
    "cut through": {"lost-part"},
    "part lost": {"lost-part", "eroded"},
    "island": {"stray-island"},
    "see-through": {"see-through"},
    "residue": {"residue", "see-through", "halo"},
    "jagged": {"jagged"},
    "fringe": {"fringe"},
    "clipped": {"clipped"},
}


@dataclass(frozen=True)
class Case:
    """A photo, its exact matte and the piece's true colours."""

    name: str
    source: Source
    alpha: Alpha
    foreground: Rgb


@dataclass(frozen=True)
class Fault:
    """A matte with one fault and the place of it (None: all along the contour)."""

    case: Case
    place: Mask | None


def scenes(folder: Path, only: str) -> Iterator[Case]:
    """The rendered scenes."""
    for path in sorted(folder.glob("*/fg.png")):
        if only and path.parent.name not in only.split(","):
            continue
        source = decode((path.parent / "source.jpg").read_bytes(), name=path.parent.name)
        alpha = cv2.imread(str(path.parent / "alpha.png"), cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255
        colours = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        yield Case(path.parent.name, source, alpha, decode_srgb(np.ascontiguousarray(colours[..., 2::-1])))


def drawn(count: int) -> Iterator[Case]:
    """Drawn pieces on the training generator's backdrops (never those a network was trained on: the seeds differ)."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "training"))
    import compose
    from draw import draw

    side, made, seed = 900, 0, 0
    while made < count:
        seed += 1
        rng = np.random.default_rng(900_000 + seed)
        colour, alpha = draw(rng, side)
        ground = compose.scenery(rng, side)
        if ground.shape != colour.shape or not 0.005 < float((alpha > 0.5).mean()) < 0.5:
            continue
        made += 1
        ground = compose.shaded(rng, ground, alpha)
        photo = compose.phone(rng, compose._over((colour, alpha), ground))
        facts = FileFacts("drawn", Size(side, side), "RGB", 8, photo.nbytes, 1, False, None, None, 1)
        rgb, alpha = decode_srgb(photo), alpha.astype(np.float32)
        yield Case(f"d{seed}", Source(rgb, f"d{seed}", facts), alpha, estimate_foreground(rgb, alpha, radius_px=2.0))


def faults(case: Case, rng: np.random.Generator) -> Iterator[tuple[str, Fault]]:
    """Every kind of fault that this piece can have, one at a time."""
    alpha, size = case.alpha, case.alpha.shape
    own = case.source.rgb
    wide, narrow = _disc(2.5), _disc(2.0)
    grown, shrunk = cv2.dilate(alpha, wide), cv2.erode(alpha, narrow)
    spot = _spot(size, *_at(rng, _contour(alpha)), 0.06 * max(size))
    yield "halo", Fault(_with(case, grown, own), None)
    yield "halo here", Fault(_with(case, np.where(spot, grown, alpha), own), spot)
    yield "glow", Fault(_with(case, np.maximum(alpha, 0.9 * cv2.GaussianBlur(alpha, (0, 0), 4.0)), own), None)
    yield "eroded", Fault(_with(case, shrunk), None)
    yield "eroded here", Fault(_with(case, np.where(spot, shrunk, alpha)), spot)
    holes = _holes(alpha, 60)
    largest = max((area for _, area in holes), default=0)
    if largest > 0.15 * (alpha > 0.5).sum():
        hole = next(mask for mask, area in holes if area == largest)
        yield "loop filled", Fault(_with(case, np.where(hole, 1, alpha).astype(np.float32), own), hole)
    small = [mask for mask, area in holes if area < 0.03 * (alpha > 0.5).sum()]
    if small:
        hole = small[rng.integers(len(small))]
        yield "hole filled", Fault(_with(case, np.where(hole, 1, alpha).astype(np.float32), own), hole)
    core = cv2.distanceTransform((alpha > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    thin = (core > 2) & (core < 8) & (core >= cv2.dilate(core, np.ones((3, 3))) - 0.01)
    if thin.sum() > 40:
        gap = _spot(size, *_at(rng, thin), 14)
        yield "cut through", Fault(_with(case, np.where(gap, 0, alpha).astype(np.float32)), gap & (alpha > 0.5))
    gone = _spot(size, *_at(rng, core > 0.3 * core.max()), 0.05 * max(size)) & (alpha > 0)
    yield "part lost", Fault(_with(case, np.where(gone, 0, alpha).astype(np.float32)), gone)
    beside = cv2.distanceTransform((alpha < 0.02).astype(np.uint8), cv2.DIST_L2, 5)
    free = (beside > 22) & (beside < 80)
    if free.any():
        island = _spot(size, *_at(rng, free), float(rng.uniform(3, 9)))
        yield "island", Fault(_with(case, np.maximum(alpha, _soft(island)), own), island)
    deep = core > 6
    if deep.any():
        pane = _spot(size, *_at(rng, deep), 12) & (core > 1.5)
        level = float(rng.uniform(0.3, 0.8))
        yield "see-through", Fault(_with(case, np.where(pane, level, alpha).astype(np.float32)), pane)
    if (beside > 4).any():
        film = _spot(size, *_at(rng, (beside > 4) & (beside < 30)), 16) & (alpha < 0.02)
        level = float(rng.uniform(0.15, 0.6))
        yield "residue", Fault(_with(case, np.maximum(alpha, level * _soft(film)), own), film)
    steps = cv2.resize(alpha[::3, ::3], size[::-1], interpolation=cv2.INTER_NEAREST)
    yield "jagged", Fault(_with(case, (steps > 0.5).astype(np.float32), own), None)
    yield "fringe", Fault(_with(case, alpha, own), None)
    columns = np.flatnonzero((alpha > 0.5).any(axis=0))
    left = int(columns.min() + 0.25 * (columns.max() - columns.min()))
    cropped = replace(case.source, rgb=np.ascontiguousarray(own[:, left:]))
    yield "clipped", Fault(Case(case.name, cropped, alpha[:, left:].copy(), case.foreground[:, left:].copy()), None)


def judge(case: Case) -> tuple[list[tuple[str, tuple[int, int, int, int] | None]], float]:
    """Codes and boxes of the findings, and seconds."""
    started = time.perf_counter()
    cutout = Cutout(case.foreground, case.alpha, (), (1.0, 1.0, 1.0), "made")
    found, _ = check_edges(case.source, cutout)
    seconds = time.perf_counter() - started
    boxes = [(f.code, (f.region.x, f.region.y, f.region.width, f.region.height) if f.region else None) for f in found]
    return boxes, seconds


def wilson(hits: int, total: int) -> str:
    """hits/total with the 95 % Wilson interval."""
    if total == 0:
        return "0/0"
    p, z = hits / total, 1.96
    middle = (p + z * z / (2 * total)) / (1 + z * z / total)
    half = z * ((p * (1 - p) / total + z * z / (4 * total * total)) ** 0.5) / (1 + z * z / total)
    return f"{hits}/{total} ({100 * max(0, middle - half):.0f}–{100 * min(1, middle + half):.0f} %)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenes", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--drawn", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--kinds", default="")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    clean, alarms = 0, {}
    flagged: dict[str, list[tuple[bool, bool]]] = {}
    seconds = []
    for case in [*scenes(options.scenes, options.only), *drawn(options.drawn)]:
        boxes, took = judge(case)
        seconds.append(took)
        clean += 1
        if boxes:
            alarms[case.name] = sorted({code for code, _ in boxes})
        if options.kinds == "none":
            continue
        for seed in range(options.seeds):
            for kind, fault in faults(case, np.random.default_rng([seed, *case.name.encode()])):
                if options.kinds and kind not in options.kinds.split(","):
                    continue
                boxes, took = judge(fault.case)
                seconds.append(took)
                hits = [box for code, box in boxes if code in CODES[kind]]
                located = any(_covers(box, fault.place) for box in hits)
                flagged.setdefault(kind, []).append((bool(hits), located))
                if options.verbose and not located:
                    print(f"missed: {case.name} {kind}, found {sorted({code for code, _ in boxes})}")
    print(f"{'fault':14} {'flagged':24} {'located':24}")
    for kind, answers in flagged.items():
        total = len(answers)
        hits, found = (sum(answer[i] for answer in answers) for i in (0, 1))
        print(f"{kind:14} {wilson(hits, total):24} {wilson(found, total):24}")
    print(f"false alarms on exact mattes: {wilson(len(alarms), clean)}")
    codes = sorted({code for found in alarms.values() for code in found})
    for code in codes:
        names = [name for name, found in alarms.items() if code in found]
        print(f"  {code:14} {wilson(len(names), clean):24} {' '.join(names)}")
    print(f"seconds per check: median {np.median(seconds):.2f}, greatest {max(seconds):.2f}")


def _with(case: Case, alpha: NDArray[np.floating], colour: Rgb | None = None) -> Case:
    """The case with another matte; where alpha was raised the foreground is `colour`, as naive tools leave it."""
    new = np.asarray(alpha, np.float32)
    foreground = case.foreground
    if colour is not None:
        raised = (new > case.alpha + 0.01)[..., None]
        same = bool(np.array_equal(new, case.alpha))
        foreground = colour if same else np.where(raised, colour, foreground)
    return replace(case, alpha=new, foreground=np.asarray(foreground, np.float32))


def _disc(radius: float) -> NDArray[np.uint8]:
    reach = int(np.ceil(radius))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return (x * x + y * y <= radius * radius).astype(np.uint8)


def _spot(size: tuple[int, ...], row: int, column: int, radius: float) -> Mask:
    y, x = np.ogrid[: size[0], : size[1]]
    return np.asarray((y - row) ** 2 + (x - column) ** 2 <= radius * radius)


def _soft(mask: Mask) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.7), np.float32)


def _at(rng: np.random.Generator, mask: Mask) -> tuple[int, int]:
    rows, columns = np.nonzero(mask)
    chosen = int(rng.integers(len(rows)))
    return int(rows[chosen]), int(columns[chosen])


def _contour(alpha: Alpha) -> Mask:
    solid = (alpha > 0.5).astype(np.uint8)
    return np.asarray(cv2.morphologyEx(solid, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0)


def _holes(alpha: Alpha, least: int) -> list[tuple[Mask, int]]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats((alpha < 0.5).astype(np.uint8), connectivity=4)
    height, width = alpha.shape
    holes = []
    for index in range(1, count):
        x, y, w, h, area = (int(v) for v in stats[index])
        if area >= least and x > 0 and y > 0 and x + w < width and y + h < height:
            holes.append((cv2.dilate((labels == index).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0, area))
    return holes


def _covers(box: tuple[int, int, int, int] | None, place: Mask | None) -> bool:
    if place is None:
        return True
    if box is None:
        return False
    x, y, width, height = box
    return bool(place[y : y + height, x : x + width].any())


if __name__ == "__main__":
    main()
