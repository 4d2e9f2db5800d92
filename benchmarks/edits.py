"""Labelled edits of photos, each with one known defect or none, for benchmarks/verify.py.

    python benchmarks/edits.py OUT --rendered SCENES [--scenes s03,s08]
    python benchmarks/edits.py OUT --photos FOLDER [--marks benchmarks/marks.toml] [--names r13,r23]

SCENES holds one folder per scene with `source.jpg`, the exact `alpha.png`, `fg.png`, `instances.png` and `truth.json`.
Photos have no true matte: our own cutout stands in for it (look at the sheet that `--sheet SHEET.png` draws on magenta,
and leave out what is cut badly), and the marks say where stones, links and clasps are, and which stray patches of the
cutout are none of the piece. The edits
themselves are in `benchmarks/damage.py` and `benchmarks/dressing.py`.

OUT gets `manifest.csv`, `NAME/source.jpg`, `NAME/alpha.png` and `edits/NAME_KIND.jpg`. A row says kind and class, the
region of the change in the edit (x0…y1) and in the source (sx0…sy1), the affine from source to edit (m00…m12), the
ΔE00 that was aimed at, and how many pixels of the source's frame differ by ΔE76 > 7 from the clean card. A defect that
changes fewer than 12 pixels by ΔE76 > 2 is not written. The same seed writes the same files.
"""

from __future__ import annotations

import argparse
import csv
import json
import tomllib
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from damage import DAMAGE
from dressing import DRESSING
from numpy.typing import NDArray
from piece import Made, Piece, region_of

from vitrina.codec.decode import decode
from vitrina.imaging.colour import decode_srgb, encode_srgb8, lab
from vitrina.model import Alpha, Mask, Region, Rgb, Source

COLUMNS = (
    "file", "scene", "class", "kind", "severity", "detail", "x0", "y0", "x1", "y1", "sx0", "sy0", "sx1", "sy1",
    "m00", "m01", "m02", "m10", "m11", "m12", "width", "height", "measured_de00", "effect_px",
)  # fmt: skip
UNCOUNTED = ("cropped", "mirrored", "stretched", "scratch_removed")
"""Defects of the placement or of the source: the card itself stays as it is."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--rendered", type=Path)
    parser.add_argument("--scenes", default="s03,s08,s11,s13,s14")
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--marks", type=Path, default=Path(__file__).with_name("marks.toml"))
    parser.add_argument("--names", default="")
    parser.add_argument("--kinds", default="", help="only these, by their beginnings: stone,clean")
    parser.add_argument("--side", type=int, default=1000, help="long side of the edits, px")
    parser.add_argument("--source-side", type=int, default=1600, help="photos are shrunk to this long side, px")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sheet", type=Path, help="draw every cutout on magenta and stop")
    args = parser.parse_args()
    pieces = [*_rendered(args), *_photos(args)]
    if args.sheet:
        _draw_sheet(pieces, args.sheet)
        return
    (args.out / "edits").mkdir(parents=True, exist_ok=True)
    wanted = tuple(filter(None, args.kinds.split(",")))
    rows = []
    for piece in pieces:
        _write_source(args.out, piece.name, piece.rgb, piece.alpha)
        for kind, make in {**DAMAGE, **DRESSING}.items():
            if wanted and not kind.startswith(wanted):
                continue
            rng = np.random.default_rng((args.seed, zlib.crc32(f"{piece.name} {kind}".encode())))
            made = make(piece, rng)
            if made is not None:
                rows += _write(args.out, piece, kind, made, args.side, rng)
    with (args.out / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    print(f"{len(rows)} edits of {len(pieces)} pieces in {args.out}")


def _write(out: Path, piece: Piece, kind: str, made: Made, side: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """The edit's file and its row; none when a local edit changed nothing to speak of."""
    scene = piece.name
    if made.source is not None:
        scene = f"{piece.name}-{kind.removeprefix('clean_')}"
        _write_source(out, scene, made.source, piece.alpha)
    height, width = piece.alpha.shape
    box = made.box or Region(0, 0, width, height)
    apart = np.sqrt(((lab(made.picture) - lab(piece.on())) ** 2).sum(axis=-1))[box.slices]
    is_clean = kind.startswith("clean")
    if not is_clean and kind not in UNCOUNTED and (apart > 2).sum() < 12:
        print(f"{scene} {kind}: changes next to nothing, left out")
        return []
    effect = int((apart > 7).sum())
    matrix, canvas = _placed(made, piece, made.side or side, rng)
    picture = cv2.warpAffine(
        cv2.GaussianBlur(made.picture, (0, 0), max(0.3, 0.4 / np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))),
        matrix[:2], canvas, flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE if made.still else cv2.BORDER_CONSTANT, borderValue=made.beyond,
    )  # fmt: skip
    grain = rng.normal(0, made.noise, picture.shape)
    encoded = np.clip(np.rint(encode_srgb8(np.clip(picture, 0, 1)) + grain), 0, 255).astype(np.uint8)
    name = f"edits/{piece.name}_{kind}.jpg"
    cv2.imwrite(str(out / name), encoded[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, made.quality])
    corners = np.array([[[box.x, box.y], [box.x + box.width, box.y], [box.x, box.y + box.height],
                         [box.x + box.width, box.y + box.height]]], np.float64)  # fmt: skip
    there = cv2.transform(corners, matrix[:2])[0]
    low = np.clip(there.min(axis=0), 0, canvas)
    high = np.clip(there.max(axis=0), 0, canvas)
    return [{
        "file": name, "scene": scene, "class": "clean" if is_clean else "defect", "kind": kind,
        "severity": "" if is_clean else made.severity, "detail": made.detail,
        "x0": round(float(low[0]), 1), "y0": round(float(low[1]), 1),
        "x1": round(float(high[0]), 1), "y1": round(float(high[1]), 1),
        "sx0": box.x, "sy0": box.y, "sx1": box.x + box.width, "sy1": box.y + box.height,
        **{f"m{i}{j}": round(float(matrix[i, j]), 6) for i in range(2) for j in range(3)},
        "width": canvas[0], "height": canvas[1], "measured_de00": made.de00 or "", "effect_px": effect,
    }]  # fmt: skip


def _placed(
    made: Made, piece: Piece, side: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """Source to edit, and the edit's width and height. Half of the edits are slightly re-framed on top."""
    height, width = piece.alpha.shape
    scale = side / max(height, width)
    canvas = (round(width * scale), round(height * scale))
    matrix = np.diag([scale, scale, 1.0])
    if not made.still and rng.integers(2):
        turn, zoom = np.radians(rng.uniform(-1.2, 1.2)), rng.uniform(0.94, 1.02)
        c, s = zoom * np.cos(turn), zoom * np.sin(turn)
        x, y = width / 2, height / 2
        dx, dy = rng.uniform(-0.015, 0.015, 2) * width
        matrix = matrix @ np.array([[c, -s, x + dx - c * x + s * y], [s, c, y + dy - s * x - c * y], [0, 0, 1.0]])
    return matrix @ made.matrix, canvas


def _write_source(out: Path, name: str, rgb: Rgb, alpha: Alpha) -> None:
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / "source.jpg"), encode_srgb8(np.clip(rgb, 0, 1))[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
    cv2.imwrite(str(folder / "alpha.png"), np.rint(alpha * 255).astype(np.uint8))


def _rendered(args: argparse.Namespace) -> Iterator[Piece]:
    if args.rendered is None:
        return
    for name in args.scenes.split(","):
        folder = args.rendered / name
        truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
        ids = cv2.imread(str(folder / "instances.png"), cv2.IMREAD_UNCHANGED)
        rgb = decode((folder / "source.jpg").read_bytes(), name=name).rgb
        alpha = np.asarray(cv2.imread(str(folder / "alpha.png"), cv2.IMREAD_GRAYSCALE), np.float32) / 255
        true = cv2.imread(str(folder / "fg.png"), cv2.IMREAD_UNCHANGED)[..., 2::-1]
        told = truth["instances"]
        stones = [item["id"] for item in truth["stones"]["items"] if item["visible"]]
        metal = np.isin(ids, [item["id"] for item in told if item["material"] == truth["metal"]]) & (alpha > 0.95)
        hooks = [item["id"] for item in told if item["kind"] in ("clasp", "earwire", "ear_wire", "hook", "post")]
        names = sorted({item["piece"] for item in told})
        parts = [np.isin(ids, [item["id"] for item in told if item["piece"] == part]) for part in names]
        yield Piece(
            name=name, rgb=rgb, foreground=decode_srgb(np.ascontiguousarray(true)), alpha=alpha, metal=metal,
            stones=_each(ids, stones), links=_each(ids, [item["id"] for item in told if item["kind"] == "link"]),
            clasps=_each(ids, hooks), parts=tuple(parts) if len(parts) > 1 else (),
        )  # fmt: skip


def _each(ids: NDArray[np.uint16], wanted: list[int]) -> tuple[Mask, ...]:
    return tuple(ids == number for number in wanted if int((ids == number).sum()) > 30)


def _photos(args: argparse.Namespace) -> Iterator[Piece]:
    if args.photos is None:
        return
    from vitrina.backends.segmenters import load_segmenter
    from vitrina.stages.cutout import cut_out

    segmenter = load_segmenter()
    marks = tomllib.loads(args.marks.read_text(encoding="utf-8"))
    chosen = args.names.split(",") if args.names else [name for name, own in marks.items() if "left_out" not in own]
    for name in chosen:
        path = next(iter(sorted(args.photos.glob(f"{name}_*"))))
        whole = decode(path.read_bytes(), name=name)
        source, scale = _shrunk(whole, args.source_side)
        cut = cut_out(source, segmenter)
        own = marks.get(name, {})
        alpha = _filled(cut.alpha, own.get("fill", 0) * scale**2)
        for x, y, width, height in own.get("strays", ()):
            alpha[round(y * scale) : round((y + height) * scale), round(x * scale) : round((x + width) * scale)] = 0
        alpha = _swept(alpha)
        foreground = np.where((alpha > cut.alpha)[..., None], source.rgb, cut.foreground)
        stones, links, clasps = (
            tuple(_ellipse(box, scale, alpha, fill=key != "links") for box in own.get(key, ()))
            for key in ("stones", "links", "clasps")
        )
        stony = np.logical_or.reduce(stones) if stones else np.zeros(alpha.shape, bool)
        metal = (alpha > 0.95) & ~cv2.dilate(stony.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
        yield Piece(
            name=name, rgb=source.rgb, foreground=foreground, alpha=alpha,
            metal=metal if own.get("metal", True) else np.zeros_like(metal),
            stones=stones, links=links, clasps=clasps, parts=_parts(alpha) if own.get("pieces", 1) > 1 else (),
        )  # fmt: skip


def _shrunk(source: Source, side: int) -> tuple[Source, float]:
    scale = min(1.0, side / max(source.rgb.shape[:2]))
    if scale == 1:
        return source, 1.0
    size = (round(source.rgb.shape[1] * scale), round(source.rgb.shape[0] * scale))
    rgb = np.asarray(cv2.resize(source.rgb, size, interpolation=cv2.INTER_AREA), np.float32)
    return replace(source, rgb=rgb, alpha=None), scale


def _ellipse(box: list[float], scale: float, alpha: Alpha, *, fill: bool) -> Mask:
    """The ellipse in a marked box (x, y, width, height of the whole photo), on the piece only."""
    x, y, width, height = (value * scale for value in box)
    canvas = np.zeros(alpha.shape, np.uint8)
    centre = (round(x + width / 2), round(y + height / 2))
    cv2.ellipse(canvas, centre, (max(1, round(width / 2)), max(1, round(height / 2))), 0, 0, 360, 1, -1)
    inside = canvas > 0
    return np.asarray(inside & (alpha > (0.02 if fill else 0.3)), bool)


def _swept(alpha: Alpha) -> Alpha:
    """`alpha` without the specks that no careful tool would leave on its card."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((alpha > 0.02).astype(np.uint8), connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= 0.002 * float((alpha > 0.5).sum())
    return np.where(keep[labels], alpha, np.float32(0)) if count > 1 else alpha


def _filled(alpha: Alpha, least_px: float) -> Alpha:
    """`alpha` without enclosed holes below `least_px`: stones and highlights as pale as the paper they lie on."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((alpha < 0.98).astype(np.uint8), connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] < least_px
    small[0] = False
    return np.where(small[labels], np.float32(1), alpha) if count > 1 else alpha


def _parts(alpha: Alpha) -> tuple[Mask, ...]:
    """The separate objects of the matte that are at least a tenth of it."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((alpha > 0.3).astype(np.uint8), connectivity=8)
    least = 0.1 * float((alpha > 0.3).sum())
    return tuple(labels == index for index in range(1, count) if stats[index, cv2.CC_STAT_AREA] >= least)


def _draw_sheet(pieces: list[Piece], path: Path) -> None:
    """Every cutout on magenta with its marks outlined, 420 px each."""
    tiles = []
    for piece in pieces:
        shown = encode_srgb8(np.clip(piece.on((1.0, 0.0, 1.0)), 0, 1)).copy()
        for masks, colour in ((piece.stones, (0, 255, 0)), (piece.links, (0, 0, 255)), (piece.clasps, (255, 255, 0))):
            for mask in masks:
                if mask.any():
                    box = region_of(mask)
                    cv2.rectangle(shown, (box.x, box.y), (box.x + box.width, box.y + box.height), colour, 3)
        scale = 420 / max(shown.shape[:2])
        small = cv2.resize(shown, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        tile = np.zeros((440, 420, 3), np.uint8)
        tile[: small.shape[0], : small.shape[1]] = small
        cv2.putText(tile, piece.name, (6, 436), cv2.FONT_HERSHEY_PLAIN, 1.2, (255, 255, 255))
        tiles.append(tile)
    while len(tiles) % 4:
        tiles.append(np.zeros((440, 420, 3), np.uint8))
    rows = [np.hstack(tiles[start : start + 4]) for start in range(0, len(tiles), 4)]
    cv2.imwrite(str(path), np.vstack(rows)[..., ::-1])


if __name__ == "__main__":
    main()
