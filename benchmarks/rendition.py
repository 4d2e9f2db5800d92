"""Renditions: bytes beside Pillow's at equal fidelity, time beside bare libvips, and an independent check.

    python benchmarks/rendition.py [PHOTO...] [--markets kaspi,etsy] [--check | --detail]

Each photo is cut out once and dressed in white; then, per marketplace:

- bytes: ours, and the smallest file of Pillow's `save` (its default 4:2:0, and 4:4:4) that stays as close to the pixels
  by the measure that ours is held to (stages/quality.py). "none" where no quality of it does.
- seconds: `render` (place, resample, find the quality, encode), and libvips alone doing the same resize of the same
  linear picture with its Lanczos kernel, the same curve and the same encode at the quality that was found.
- with `--detail`, what our resampling keeps of each band of detail, beside the ideal low-pass (the spectrum of the
  photo's most detailed square, cut off): the measure by which a rendition would be sharpened for its size.
- with `--check`, what tests/rules/independent.py finds wrong of each file for each of the nine marketplaces.
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pyvips
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.rules.independent import problems
from vitrina import steps
from vitrina.codec.encode import asked_quality
from vitrina.codec.icc import srgb_profile
from vitrina.imaging.resample import resample_plane
from vitrina.model import Placement, Rendition, Size, Variant
from vitrina.rules.load import find_slot, list_markets, load_pack
from vitrina.stages.export import _pixels, check_size
from vitrina.stages.quality import CLOSE, _is_close, _piece

ROOT = Path(__file__).parents[1]
RUNS = 3


def placement_of(variant: Variant, made: Rendition) -> Placement:
    """Where the variant's own pixels went."""
    scale = made.placement.scale / variant.placement.scale
    dx = made.placement.dx - scale * variant.placement.dx
    dy = made.placement.dy - scale * variant.placement.dy
    return Placement(scale, dx, dy, made.size)


def pillow_bytes(pixels: np.ndarray, variant: Variant, placement: Placement, subsampling: int) -> int | None:
    """The bytes of the lowest quality of Pillow's encoder that is as close."""
    alpha = resample_plane(variant.alpha, placement)
    part, sample = _piece(pixels, cv2.dilate(alpha, np.ones((5, 5), np.uint8)) > 0.02)
    image, low, high, best = Image.fromarray(pixels), 40, 100, None
    while low <= high:
        middle = (low + high) // 2
        out = io.BytesIO()
        image.save(out, "JPEG", quality=middle, subsampling=subsampling, icc_profile=srgb_profile())
        after = np.asarray(Image.open(io.BytesIO(out.getvalue())))
        if _is_close(sample, after[part], CLOSE):
            best, high = len(out.getvalue()), middle - 1
        else:
            low = middle + 1
    return best


def bare_vips(variant: Variant, placement: Placement, quality: int) -> int:
    """The same resize and encode by libvips alone."""
    rows, columns = variant.rgb.shape[:2]
    image = pyvips.Image.new_from_memory(variant.rgb.tobytes(), columns, rows, 3, "float").copy(interpretation="scrgb")
    small = image.resize(placement.scale, kernel="lanczos3")
    x, y = round(placement.dx), round(placement.dy)
    placed = small.embed(x, y, placement.size.width, placement.size.height, extend="background", background=[1, 1, 1])
    srgb = placed.colourspace("srgb")
    return len(srgb.write_to_buffer(".jpg", Q=quality, subsample_mode="off", interlace=True, optimize_coding=True,
                                    quant_table=3))  # fmt: skip


def seconds(act) -> float:
    """The median of a few runs."""
    taken = []
    for _ in range(RUNS):
        started = time.perf_counter()
        act()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


BANDS = ((0.05, 0.15), (0.15, 0.25), (0.25, 0.35), (0.35, 0.45), (0.45, 0.5))
"""Cycles per pixel of the rendition."""


def kept_detail(rgb: np.ndarray, scale: float) -> list[float]:
    """The share of the ideal amplitude in each of BANDS after resampling by `scale`, in linear light."""
    light = rgb.mean(axis=2)
    side = min(1024, *(length // 8 * 8 for length in light.shape))
    places = [
        (y, x)
        for y in range(0, light.shape[0] - side + 1, max(1, side // 2))
        for x in range(0, light.shape[1] - side + 1, max(1, side // 2))
    ]
    squares = [light[y : y + side, x : x + side] for y, x in places]
    tile = max(squares, key=lambda square: float(cv2.Laplacian(square, cv2.CV_32F).var()))
    tile = ((tile - tile.mean()) * np.hanning(side)[:, None] * np.hanning(side)[None]).astype(np.float32)
    small = int(side * scale)
    made = resample_plane(tile, Placement(scale, (scale - 1) / 2, (scale - 1) / 2, Size(small, small)))
    middle, half = side // 2, small // 2
    reach = slice(middle - half, middle + half)
    ideal = np.abs(np.fft.fftshift(np.fft.fft2(tile)))[reach, reach]
    ours = np.abs(np.fft.fftshift(np.fft.fft2(made)))[: 2 * half, : 2 * half] / scale**2
    rows, columns = np.mgrid[-half:half, -half:half] / small
    pitch = np.hypot(rows, columns)
    bands = [(pitch >= low) & (pitch < high) for low, high in BANDS]
    return [float(np.sqrt((ours[band] ** 2).sum() / (ideal[band] ** 2).sum())) for band in bands]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", nargs="*", type=Path, default=[ROOT / "examples" / "ring.jpg"])
    parser.add_argument("--markets", default="kaspi,wildberries,etsy")
    parser.add_argument("--check", action="store_true", help="only check each file for all marketplaces")
    parser.add_argument("--detail", action="store_true", help="only what resampling keeps of the photo's detail")
    asked = parser.parse_args()
    if asked.detail:
        for photo in asked.photos:
            rgb = steps.take_in(photo.read_bytes(), name=photo.name).rgb
            for scale in (0.25, 0.5, 0.75):
                print(photo.name, scale, " ".join(f"{share:.3f}" for share in kept_detail(rgb, scale)))
        return
    cv2.setNumThreads(1)
    finder, wrong, files, ratios, times = steps.segmenter(), 0, 0, [], []
    for photo in asked.photos:
        cut = steps.cutout(steps.take_in(photo.read_bytes(), name=photo.name), finder=finder)
        if not cut.parts:
            print(f"{photo.name}: no piece was found")
            continue
        variant = steps.compose(cut, "white")
        for market in list_markets() if asked.check else asked.markets.split(","):
            pack = load_pack(market)
            made = steps.render(variant, market=market)
            if asked.check:
                is_small = bool(check_size(made, variant, pack))
                found = problems(made.data, find_slot(pack, "main"), whole_fill=not is_small)
                files, wrong = files + 1, wrong + bool(found)
                told = "; ".join(found) or "keeps the rules"
                print(f"{photo.name} {market}: {made.size}, {told}{' (the photo is small)' if is_small else ''}")
                continue
            placement = placement_of(variant, made)
            pixels = _pixels(variant, placement)
            theirs = [pillow_bytes(pixels, variant, placement, kind) for kind in (2, 0)]
            ours_s = seconds(lambda v=variant, m=market: steps.render(v, market=m))
            quality = asked_quality(made.quality, 3)
            bare_s = seconds(lambda v=variant, p=placement, q=quality: bare_vips(v, p, q))
            best = min(filter(None, theirs), default=None)
            ratios += [len(made.data) / best] if best else []
            times.append(ours_s / bare_s)
            print(
                f"{photo.name} {market} {made.size}: ours {_kb(len(made.data))} (reads as {made.quality}), Pillow "
                f"4:2:0 {_kb(theirs[0])}, 4:4:4 {_kb(theirs[1])}; ours {ours_s:.2f} s, libvips alone {bare_s:.2f} s"
            )
    if asked.check:
        print(f"{files} files, {wrong} with something wrong")
    elif times:
        bytes_share, times_vips = statistics.median(ratios), statistics.median(times)
        print(f"median: {bytes_share:.2f} of Pillow's bytes, {times_vips:.2f} times libvips' time")


def _kb(size: int | None) -> str:
    return "none" if size is None else f"{size / 1e3:.0f} kB"


if __name__ == "__main__":
    main()
