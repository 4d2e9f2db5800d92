"""Renditions: bytes and fidelity beside Pillow's, and where the time goes beside bare libvips.

    VIPS_CONCURRENCY=1 python benchmarks/rendition.py PHOTO... [--kept DIR] [--markets kaspi,etsy] [--detail]

Each photo is cut out once (`--kept` keeps the masters for the next run) and dressed in white; then, per marketplace:

- bytes: ours; the smallest file of Pillow's `save` (its default 4:2:0, and 4:4:4) that stays as close to the pixels by
  the measure that ours is held to (stages/quality.py), "none" where no quality of it does; and Pillow's file unasked
  (quality 75, 4:2:0), with how far that one is off.
- processor time, for it does not depend on what else the machine does (the least of a few runs): ours in parts, and
  libvips alone doing the same resize of the same linear picture with its Lanczos kernel, the same curve and the same
  encode at the quality that was found. First like beside like, one resize and one encode; then the whole of `render`,
  with the search for the quality that libvips does not make.
- with `--detail`, what our resampling keeps of each band of detail, beside the ideal low-pass (the spectrum of the
  photo's most detailed square, cut off): the measure by which a rendition would be sharpened for its size.

What is checked of the files themselves is benchmarks/exports.py's.
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pyvips
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.masters import dressed
from vitrina import steps
from vitrina.codec.encode import asked_quality, encode_jpeg8
from vitrina.codec.icc import srgb_profile
from vitrina.imaging.colour import encode_srgb8
from vitrina.imaging.resample import resample, resample_plane
from vitrina.model import Placement, Rendition, Size, Variant
from vitrina.stages.quality import CLOSE, Sample, error_codes, is_close, piece_box, tone_de00

ROOT = Path(__file__).parents[1]
RUNS = 3


def placement_of(variant: Variant, made: Rendition) -> Placement:
    """Where the variant's own pixels went."""
    scale = made.placement.scale / variant.placement.scale
    dx = made.placement.dx - scale * variant.placement.dx
    dy = made.placement.dy - scale * variant.placement.dy
    return Placement(scale, dx, dy, made.size)


def piece_of(pixels: np.ndarray, variant: Variant, placement: Placement) -> tuple[tuple[slice, slice], Sample]:
    """What files are measured on."""
    inside = cv2.dilate(resample_plane(variant.alpha, placement), np.ones((5, 5), np.uint8)) > 0.02
    place = piece_box(inside)
    return place, Sample(pixels[place], inside[place])


def pillow(pixels: np.ndarray, **options: object) -> tuple[int, np.ndarray]:
    """Pillow's file: its bytes, and its pixels read back."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", icc_profile=srgb_profile(), **options)
    return len(out.getvalue()), np.asarray(Image.open(io.BytesIO(out.getvalue())))


def pillow_as_close(pixels: np.ndarray, place: tuple[slice, slice], sample: Sample, subsampling: int) -> int | None:
    """The bytes of the lowest quality of Pillow's encoder that is as close."""
    low, high, best = 40, 100, None
    while low <= high:
        middle = (low + high) // 2
        size, after = pillow(pixels, quality=middle, subsampling=subsampling)
        if is_close(sample, after[place], CLOSE):
            best, high = size, middle - 1
        else:
            low = middle + 1
    return best


def bare_resize(variant: Variant, placement: Placement) -> pyvips.Image:
    """The same resize and curve by libvips alone; nothing is computed before it is asked for."""
    rows, columns = variant.rgb.shape[:2]
    image = pyvips.Image.new_from_memory(variant.rgb.data, columns, rows, 3, "float").copy(interpretation="scrgb")
    small = image.resize(placement.scale, kernel="lanczos3")
    x, y = round(placement.dx), round(placement.dy)
    size = placement.size
    placed = small.embed(x, y, size.width, size.height, extend="background", background=[1, 1, 1])
    return placed.colourspace("srgb")


def bare_vips(variant: Variant, placement: Placement, quality: int) -> int:
    """The same resize and encode by libvips alone."""
    return len(
        bare_resize(variant, placement).write_to_buffer(
            ".jpg", Q=quality, subsample_mode="off", interlace=True, optimize_coding=True, quant_table=3
        )
    )


def seconds(act: Callable[[], object]) -> float:
    """The least processor time of a few runs."""
    taken = []
    for _ in range(RUNS):
        started = time.process_time()
        act()
        taken.append(time.process_time() - started)
    return min(taken)


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


def measured(name: str, market: str, variant: Variant) -> tuple[float | None, float, float]:
    """Print one rendition; its share of Pillow's bytes, and its time like beside like and as a whole."""
    made = steps.render(variant, market=market)
    placement, quality = placement_of(variant, made), asked_quality(made.quality, 3)
    light = resample(variant.rgb, placement, fill=(1.0, 1.0, 1.0))
    pixels = encode_srgb8(light)
    place, sample = piece_of(pixels, variant, placement)
    theirs = [pillow_as_close(pixels, place, sample, kind) for kind in (2, 0)]
    plain, after = pillow(pixels)
    off = (
        f"tone off by {tone_de00(sample, after[place]):.2f}, lightness by {error_codes(sample, after[place]):.1f} codes"
    )
    parts = {
        "resize": seconds(lambda: resample(variant.rgb, placement, fill=(1.0, 1.0, 1.0))),
        "to 8 bits": seconds(lambda: encode_srgb8(light)),
        "encode": seconds(lambda: encode_jpeg8(pixels, quality=quality, table=3)),
    }
    once, whole = sum(parts.values()), seconds(lambda: steps.render(variant, market=market))
    bare = seconds(lambda: bare_vips(variant, placement, quality))
    resized = seconds(lambda: bare_resize(variant, placement).write_to_memory())
    print(
        f"{name} {market} {made.size}, scaled by {placement.scale:.2f}\n"
        f"  bytes: ours {_kb(len(made.data))} (reads as {made.quality}); as close, Pillow 4:2:0 {_kb(theirs[0])}, "
        f"4:4:4 {_kb(theirs[1])}; Pillow unasked {_kb(plain)}, {off}\n"
        f"  seconds: {', '.join(f'{part} {taken:.3f}' for part, taken in parts.items())}, placing and searching "
        f"{whole - once:.3f}; libvips: resize {resized:.3f}, encode {bare - resized:.3f}\n"
        f"  once {once:.3f} beside {bare:.3f}: {once / bare:.2f} times; with the search {whole / bare:.2f} times",
        flush=True,
    )
    best = min(filter(None, theirs), default=None)
    return len(made.data) / best if best else None, once / bare, whole / bare


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path, default=[ROOT / "examples" / "ring.jpg"])
    parser.add_argument("--markets", default="kaspi,wildberries,etsy")
    parser.add_argument("--kept", type=Path, help="folder of masters, read and filled")
    parser.add_argument("--detail", action="store_true", help="only what resampling keeps of the photo's detail")
    asked = parser.parse_args()
    if asked.detail:
        for photo in asked.photos:
            rgb = steps.take_in(photo.read_bytes(), name=photo.name).rgb
            for scale in (0.25, 0.5, 0.75):
                print(photo.name, scale, " ".join(f"{share:.3f}" for share in kept_detail(rgb, scale)))
        return
    cv2.setNumThreads(1)
    rows = []
    for photo in asked.photos:
        variant = dressed(photo, "white", kept=asked.kept)
        if variant is None:
            print(f"{photo.name}: no piece was found")
            continue
        rows += [measured(photo.name, market, variant) for market in asked.markets.split(",")]
    if rows:
        shares, once, whole = ([value for value in column if value is not None] for column in zip(*rows, strict=True))
        print(
            f"median of {len(rows)}: {statistics.median(shares):.2f} of Pillow's bytes as close; " if shares else "",
            end="",
        )
        print(
            f"{statistics.median(once):.2f} times libvips' time (at most {max(once):.2f}), with the search "
            f"{statistics.median(whole):.2f} times (at most {max(whole):.2f})"
        )


def _kb(size: int | None) -> str:
    return "none" if size is None else f"{size / 1e3:.0f} kB"


if __name__ == "__main__":
    main()
