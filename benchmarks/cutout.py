"""Cutouts measured against exact mattes, ours beside the usual tools, in one run.

    python benchmarks/cutout.py SCENES [--u2net U2NET.onnx] [--isnet ISNET.onnx] [--sheet SHEET.png] [--only s01,s05]

SCENES holds one folder per scene with `source.jpg` and `alpha.png` (8-bit coverage). Peers are
raw U²-Net and IS-Net when their files are named, and rembg (with and without its alpha matting) on the same files
when the package is installed. Per scene and on average: matte MSE, SAD and gradient error (Rhemann et al. 2009), the
share of true daylight holes left open, solid metal lost (true alpha above 0.95, ours below 0.5) and see-through
(between 0.5 and 0.9), and seconds. `--photos DIR --sheet OUT` cuts real photos out instead and writes, per photo, the
whole on magenta and the thinnest parts at 200 %, for looking at. `--scaling` measures time and peak memory of our
cutout on one scene enlarged to 3, 12, 24 and 48 megapixels.
"""

from __future__ import annotations

import argparse
import atexit
import hashlib
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.backends.segmenters import load_network, load_segmenter
from vitrina.codec.decode import decode
from vitrina.imaging.colour import encode_srgb8
from vitrina.model import Alpha, Cutout, Source
from vitrina.stages.cutout import cut_out

HOLE_PX = 12
"""Smallest daylight hole that is counted."""

Maker = Callable[[Source], Alpha]


@dataclass(frozen=True, slots=True)
class Score:
    """MSE ×10³, SAD and gradient error in thousands (as the matting literature prints them), shares 0…1."""

    mse: float
    sad: float
    gradient: float
    holes_open: int
    holes: int
    lost: float
    see_through: float
    false: float
    seconds: float


def score(found: Alpha, true: Alpha, seconds: float) -> Score:
    """One matte against the truth."""
    error = found - true
    solid = true > 0.95
    total = max(1, int(solid.sum()))
    holes = daylight(true)
    open_ = sum(1 for hole in holes if float(found[hole].mean()) < 0.5)
    return Score(
        mse=float((error**2).mean()) * 1e3,
        sad=float(np.abs(error).sum()) / 1e3,
        gradient=float(((_gradient(found) - _gradient(true)) ** 2).sum()) / 1e3,
        holes_open=open_,
        holes=len(holes),
        lost=float((found[solid] < 0.5).sum()) / total,
        see_through=float(((found[solid] >= 0.5) & (found[solid] < 0.9)).sum()) / total,
        false=float((found[true < 0.05] > 0.5).sum()) / total,
        seconds=seconds,
    )


def daylight(true: Alpha) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """The connected background areas inside the piece, as index pairs."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((true < 0.5).astype(np.uint8), connectivity=4)
    height, width = true.shape
    holes = []
    for index in range(1, count):
        x, y, w, h, area = (int(v) for v in stats[index])
        if area >= HOLE_PX and x > 0 and y > 0 and x + w < width and y + h < height:
            rows, columns = np.nonzero(labels[y : y + h, x : x + w] == index)
            holes.append((rows + y, columns + x))
    return holes


def _gradient(alpha: Alpha) -> NDArray[np.float32]:
    smooth = cv2.GaussianBlur(alpha, (0, 0), 1.4)
    return np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8))


def peers(u2net: Path | None, isnet: Path | None) -> dict[str, Maker]:
    """What we are measured beside; only what can be run here."""
    makers: dict[str, Maker] = {}
    networks = {}
    if u2net:
        networks["u2net raw"] = load_network(u2net)
    if isnet:
        networks["isnet raw"] = load_network(isnet)
    for name, network in networks.items():
        makers[name] = lambda source, network=network: network.find(_at(source, network.side))  # type: ignore[misc]
    # rembg takes models from its own folder only; its name is read when the package is loaded.
    home = Path(tempfile.mkdtemp(prefix="rembg-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ["U2NET_HOME"] = str(home)
    try:
        from PIL import Image
        from rembg import new_session, remove
    except ImportError:
        print("rembg is not installed: left out", file=sys.stderr)
        return {name: _full_size(maker) for name, maker in makers.items()}
    for name, kind, path in (("u2net", "u2net_custom", u2net), ("isnet", "dis_custom", isnet)):
        if path is None:
            continue
        path = Path(shutil.copy(path, home))
        session = new_session(kind, providers=["CPUExecutionProvider"], model_path=str(path))
        for matting in (False, True):

            def make(source: Source, session: object = session, matting: bool = matting) -> Alpha:
                picture = Image.fromarray(encode_srgb8(source.rgb))
                answer = remove(picture, session=session, alpha_matting=matting)
                return np.asarray(answer)[..., 3].astype(np.float32) / 255

            makers[f"rembg {name}{' + matting' if matting else ''}"] = make
    return {name: _full_size(maker) for name, maker in makers.items()}


def _at(source: Source, side: int) -> NDArray[np.float32]:
    height, width = source.rgb.shape[:2]
    scale = min(1.0, side / max(height, width))
    return np.asarray(cv2.resize(source.rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.float32)


def _full_size(maker: Maker) -> Maker:
    def make(source: Source) -> Alpha:
        alpha = maker(source)
        size = (source.size.width, source.size.height)
        return alpha if alpha.shape[::-1] == size else np.asarray(cv2.resize(alpha, size), np.float32)

    return make


def load(folder: Path) -> tuple[Source, Alpha]:
    source = decode((folder / "source.jpg").read_bytes(), name=folder.name)
    alpha = cv2.imread(str(folder / "alpha.png"), cv2.IMREAD_GRAYSCALE)
    return source, alpha.astype(np.float32) / 255


def table(scores: dict[str, dict[str, Score]]) -> None:
    """One line per scene and tool, then the means."""
    print(
        f"{'':28} {'MSE e3':>8} {'SAD k':>8} {'grad k':>8} {'holes':>9} "
        f"{'lost %':>7} {'thru %':>7} {'false %':>8} {'s':>6}"
    )
    for scene in next(iter(scores.values())):
        for tool, by_scene in scores.items():
            print(_line(f"{scene} {tool}", [by_scene[scene]]))
    print()
    for tool, by_scene in scores.items():
        print(_line(f"MEAN {tool}", list(by_scene.values())))


def _line(label: str, rows: list[Score]) -> str:
    def mean(name: str) -> float:
        return float(np.mean([getattr(row, name) for row in rows]))

    holes = f"{sum(row.holes_open for row in rows)}/{sum(row.holes for row in rows)}"
    return (
        f"{label:28} {mean('mse'):8.2f} {mean('sad'):8.2f} {mean('gradient'):8.3f} {holes:>9} "
        f"{100 * mean('lost'):7.2f} {100 * mean('see_through'):7.2f} {100 * mean('false'):8.2f} {mean('seconds'):6.2f}"
    )


def sheet(cutouts: dict[str, Cutout], path: Path, side: int = 420) -> None:
    """All our cutouts on magenta."""
    tiles = []
    for cutout in cutouts.values():
        a = cutout.alpha[..., None]
        on_magenta = encode_srgb8(cutout.foreground * a + (1 - a) * np.float32([1, 0, 1]))
        scale = side / max(on_magenta.shape[:2])
        small = cv2.resize(on_magenta, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        tile = np.zeros((side, side, 3), np.uint8)
        tile[: small.shape[0], : small.shape[1]] = small
        tiles.append(tile)
    tiles += [np.zeros((side, side, 3), np.uint8)] * (-len(tiles) % 4)
    rows = [np.hstack(tiles[start : start + 4]) for start in range(0, len(tiles), 4)]
    cv2.imwrite(str(path), np.vstack(rows)[..., ::-1])


def photos(folder: Path, out: Path, only: str) -> None:
    """Real photos have no truth: everything on magenta, beside the four thinnest places at 200 %."""
    out.mkdir(parents=True, exist_ok=True)
    segmenter = load_segmenter()
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in (".jpg", ".jpeg", ".png") or (
            only and path.name.split("_")[0] not in only.split(",")
        ):
            continue
        cutout = cut_out(decode(path.read_bytes(), name=path.name), segmenter)
        a = cutout.alpha[..., None]
        shown = encode_srgb8(cutout.foreground * a + (1 - a) * np.float32([1, 0, 1]))
        scale = 800 / max(shown.shape[:2])
        whole = cv2.resize(shown, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        page = np.zeros((800, 1600, 3), np.uint8)
        page[: whole.shape[0], : whole.shape[1]] = whole
        for number, (y, x) in enumerate(_thinnest(cutout.alpha, 200)):
            crop = cv2.resize(shown[y : y + 200, x : x + 200], (400, 400), interpolation=cv2.INTER_NEAREST)
            row, column = divmod(number, 2)
            page[400 * row : 400 * row + 400, 800 + 400 * column : 1200 + 400 * column] = crop
        cv2.imwrite(str(out / f"{path.stem}.png"), page[..., ::-1])
        print(f"{path.name}: {len(cutout.parts)} parts, {sum(part.holes for part in cutout.parts)} holes", flush=True)


def _thinnest(alpha: Alpha, side: int) -> list[tuple[int, int]]:
    """Corners of up to four squares with the most contour in them, none over another."""
    edge = cv2.boxFilter(_gradient(alpha), -1, (side, side))
    places = []
    height, width = alpha.shape
    for _ in range(4):
        row, column = np.unravel_index(int(np.argmax(edge)), edge.shape)
        if edge[row, column] <= 0:
            break
        y, x = (int(np.clip(at - side // 2, 0, max(0, most - side))) for at, most in ((row, height), (column, width)))
        places.append((y, x))
        cv2.rectangle(edge, (int(column) - side, int(row) - side), (int(column) + side, int(row) + side), 0.0, -1)
    return places


def scaling(folder: Path) -> None:
    """Seconds per step and peak memory at 3, 12, 24 and 48 megapixels."""
    source, _ = load(folder)
    segmenter = load_segmenter()
    cut_out(source, segmenter)
    for megapixels in (3, 12, 24, 48):
        factor = (megapixels * 1e6 / (source.size.width * source.size.height)) ** 0.5
        rgb = cv2.resize(source.rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        large = Source(np.clip(rgb, 0, 1), source.name, source.facts)
        started = time.perf_counter()
        cutout = cut_out(large, segmenter)
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        steps = ", ".join(f"{step} {value:.2f}" for step, value in cutout.seconds.items())
        print(f"{megapixels:3} MP  {seconds:6.2f} s  peak so far {peak:5.0f} MB  ({steps})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenes", type=Path, nargs="?", default=Path())
    parser.add_argument("--u2net", type=Path)
    parser.add_argument("--isnet", type=Path)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--scaling", action="store_true")
    parser.add_argument("--photos", type=Path)
    options = parser.parse_args()
    if options.photos:
        photos(options.photos, options.sheet or Path("sheets"), options.only)
        return
    folders = sorted(path.parent for path in options.scenes.glob("*/alpha.png"))
    if options.only:
        folders = [folder for folder in folders if folder.name in options.only.split(",")]
    if options.scaling:
        scaling(folders[0])
        return
    segmenter = load_segmenter()
    others = {} if options.no_peers else peers(options.u2net, options.isnet)
    scores: dict[str, dict[str, Score]] = {"vitrina": {}, **{name: {} for name in others}}
    cutouts: dict[str, Cutout] = {}
    for folder in folders:
        source, true = load(folder)
        started = time.perf_counter()
        cutouts[folder.name] = cut_out(source, segmenter)
        found = cutouts[folder.name].alpha
        scores["vitrina"][folder.name] = score(found, true, time.perf_counter() - started)
        for name, maker in others.items():
            started = time.perf_counter()
            alpha = maker(source)
            scores[name][folder.name] = score(alpha, true, time.perf_counter() - started)
        print(f"{folder.name} done", file=sys.stderr)
    table(scores)
    first = folders[0]
    again = cut_out(load(first)[0], segmenter).alpha
    same = hashlib.sha256(again.tobytes()).digest() == hashlib.sha256(cutouts[first.name].alpha.tobytes()).digest()
    print(f"\nsame photo, same bytes: {'yes' if same else 'NO'}")
    steps = {step for cutout in cutouts.values() for step in cutout.seconds}
    print(
        "mean seconds per step:",
        {s: round(float(np.mean([c.seconds.get(s, 0) for c in cutouts.values()])), 3) for s in steps},
    )
    if options.sheet:
        sheet(cutouts, options.sheet)


if __name__ == "__main__":
    main()
