"""The source check measured: against labelled photos, rendered scenes with known light, and scripted faults.

    python benchmarks/source_check.py --real PHOTOS [--rendered SCENES] [--faults N] [--timing PHOTO]

PHOTOS is a folder with `manifest.csv` (columns `file`, `category`, `problems`: "blur", "warm cast", "glare" and
"clipped" separated by ";", or "none"). For each photo the verdict and the first advice are printed, then what was
found and falsely found per problem; photos of category "on-model" count for the recognition of worn pieces.

SCENES is a folder of `s*/source.jpg` with `truth.json` (`lighting_good`, `background`, `image.bbox`). A fault of the
light must be found in every badly lit scene and in no well lit one; a scene whose bbox touches the frame must be found
cut.

`--faults N` takes N well lit scenes (and photos r13 to r18 when they are in PHOTOS) and gives each every fault by
script: blur, motion, little depth of field, casts, clipping, glare, cuts, noise, compression, enlargement, print. Clean
controls (unchanged, a little brighter, fresh fine noise) must say nothing new. The evidence of the piece is that of the
clean photo except where the frame changes.

`--timing PHOTO` measures wall and CPU time and the peak memory of one photo enlarged to 12 megapixels, decoding
included, of the live check of a 1280 px preview, and of the whole program started anew for that photo.

(The script is not called inspect.py, for that name would hide Python's own module from everything it imports.)
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from vitrina import steps
from vitrina.codec.encode import encode_jpeg
from vitrina.imaging.colour import decode_srgb, encode_srgb8
from vitrina.model import Alpha, Finding, Rgb, Severity, Source
from vitrina.stages.cutout import find_piece
from vitrina.stages.intake import check_source

PROBLEMS = {
    "blur": {"blur", "motion-blur", "shallow-focus", "upscaled"},
    "warm cast": {"warm-cast"},
    "glare": {"glare-spot", "hard-light", "clipped"},
    "clipped": {"clipped", "glare-spot", "too-bright"},
}
"""Words of the manifest, and the codes that say the same."""


class Tally:
    """Right and wrong answers under one name."""

    def __init__(self) -> None:
        self.hits = self.misses = self.false = self.clear = 0
        self.wrong: list[str] = []

    def add(self, name: str, *, wanted: bool, found: bool) -> None:
        self.hits += wanted and found
        self.misses += wanted and not found
        self.false += found and not wanted
        self.clear += not wanted and not found
        if wanted != found:
            self.wrong.append(f"{'missed' if wanted else 'false'} {name}")

    def row(self, name: str) -> str:
        """A row of the table in docs/inspect.md, with what was wrong behind it."""
        wanted = self.hits + self.misses
        found = f"{self.hits} of {wanted}" if wanted else ""
        return f"| {name} | {found} | {self.false} of {self.false + self.clear} |  {'; '.join(self.wrong[:12])}"


def read(path: Path) -> Source:
    return steps.take_in(path.read_bytes(), name=path.name)


def said(findings: list[Finding]) -> set[str]:
    return {finding.code for finding in findings if finding.severity is not Severity.NOTE}


def judge_real(folder: Path) -> None:
    """Verdict and first advice of every photo, then the tallies."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    reader, finder = steps.reader(), steps.segmenter()
    for row in csv.DictReader((folder / "manifest.csv").open(encoding="utf-8")):
        source = read(folder / row["file"])
        findings, _ = check_source(source, piece=find_piece(source, finder), reader=reader)
        codes, worn = said(findings), row["category"] == "on-model"
        first = next((f.message for f in findings if f.severity is not Severity.NOTE), "passes")
        print(f"{row['file'][:34]:34} [{row['problems']}] {', '.join(sorted(codes)) or '-'}: {first}")
        tallies["worn"].add(row["file"][:3], wanted=worn, found="worn" in codes)
        for problem, answers in PROBLEMS.items():
            if not worn:
                tallies[problem].add(row["file"][:3], wanted=problem in row["problems"], found=bool(codes & answers))
    show("real photos (problems: pieces that are not worn)", tallies)


def judge_rendered(folder: Path) -> None:
    """Light and framing of rendered scenes."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    finder = steps.segmenter()
    for path in sorted(folder.glob("s*/source.jpg")):
        truth = json.loads((path.parent / "truth.json").read_text("utf-8"))
        source = read(path)
        codes = said(check_source(source, piece=find_piece(source, finder))[0])
        name, (x0, y0, x1, y1) = truth["id"], truth["image"]["bbox"]
        cut = x0 <= 0 or y0 <= 0 or x1 >= truth["image"]["width"] - 1 or y1 >= truth["image"]["height"] - 1
        light = codes & {"hard-light", "warm-cast", "cold-cast", "clipped", "glare-spot", "too-dark", "too-bright"}
        tallies["bad light"].add(name, wanted=not truth["lighting_good"], found=bool(light))
        tallies["cut by the frame"].add(name, wanted=cut, found="cut-by-frame" in codes)
        busy = codes & {"cluttered-backdrop"}
        tallies["cluttered backdrop"].add(name, wanted=truth["background"] == "paper", found=bool(busy))
        rest = codes - light - busy
        tallies["any other fault"].add(f"{name} {sorted(rest)}", wanted=cut, found=bool(rest))
    show("rendered scenes", tallies)


Fault = Callable[[Rgb, Alpha, np.random.Generator, float], Rgb]


def _motion(rgb: Rgb, length: float, angle: float) -> Rgb:
    side = int(length) + 3 | 1
    canvas = np.zeros((4 * side, 4 * side), np.float32)
    reach = np.array([np.cos(angle), np.sin(angle)]) * length * 2
    ends = [tuple(int(v) for v in np.rint(2 * side + sign * reach)) for sign in (-1, 1)]
    cv2.line(canvas, ends[0], ends[1], 1.0, 3)
    kernel = cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA)
    return cv2.filter2D(rgb, -1, kernel / kernel.sum())


def _grain(rgb: Rgb, rng: np.random.Generator, sigma: float) -> Rgb:
    return rgb + rng.normal(0, sigma, rgb.shape).astype(np.float32) * 2 * np.sqrt(np.maximum(rgb, 0.02))


def _defocus(rgb: Rgb, rng: np.random.Generator, sigma: float) -> Rgb:
    return _grain(cv2.GaussianBlur(rgb, (0, 0), sigma), rng, 0.004)


def _shallow(rgb: Rgb, piece: Alpha, rng: np.random.Generator, unit: float) -> Rgb:
    columns = np.flatnonzero((piece > 0.5).any(axis=0)) * rgb.shape[1] / piece.shape[1]
    place = (np.arange(rgb.shape[1]) - columns[0]) / (columns[-1] - columns[0])
    far = np.clip((place - 0.55) * 12, 0, 1).astype(np.float32)[None, :, None]
    return (1 - far) * rgb + far * _defocus(rgb, rng, 6 * unit)


def _glare(rgb: Rgb, piece: Alpha, rng: np.random.Generator, unit: float) -> Rgb:
    solid = np.argwhere(cv2.resize(piece, rgb.shape[1::-1]) > 0.8)
    row, column = solid[rng.integers(len(solid))]
    y, x = np.mgrid[: rgb.shape[0], : rgb.shape[1]]
    spot = np.exp(-0.7 * (np.hypot(y - row, x - column) / (90 * unit)) ** 4)
    return rgb + 3 * spot[..., None].astype(np.float32)


def _enlarged(rgb: Rgb, unit: float) -> Rgb:
    factor = 260 / (1400 * unit)
    small = cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, rgb.shape[1::-1], interpolation=cv2.INTER_CUBIC)


def _printed(rgb: Rgb, text: str, *, opacity: float, turn: float, row: float) -> Rgb:
    height, width = rgb.shape[:2]
    ink = np.zeros((height, width), np.uint8)
    at, size = (int(0.08 * width), int(row * height)), width / 600
    cv2.putText(ink, text, at, cv2.FONT_HERSHEY_DUPLEX, size, 255, max(1, int(width / 350)), cv2.LINE_AA)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, 1)
    cover = opacity * cv2.warpAffine(ink, matrix, (width, height))[..., None] / 255
    codes = encode_srgb8(rgb.astype(np.float32))
    colour = 245 if codes.mean() < 130 else 30
    return decode_srgb(np.rint(codes * (1 - cover) + colour * cover).astype(np.uint8))


def _mirrored(rgb: Rgb, piece: Alpha, _rng: np.random.Generator, unit: float) -> Rgb:
    """The piece upside down below itself, dimmer and softer, as polished stone shows it."""
    alpha = cv2.resize(piece, rgb.shape[1::-1])
    last = int(np.flatnonzero((alpha > 0.5).any(axis=1))[-1])
    rows = 2 * last + round(4 * unit) - np.arange(len(rgb))
    there = (rows >= 0) & (rows < len(rgb))
    source = np.clip(rows, 0, len(rgb) - 1)
    cover = cv2.GaussianBlur(np.where(there[:, None], alpha[source], 0).astype(np.float32) * (1 - alpha), (0, 0), 1.5)
    turned = cv2.GaussianBlur(rgb[source], (0, 0), 1.5 * unit)
    return rgb * (1 - 0.5 * cover[..., None]) + 0.5 * cover[..., None] * turned


def _tinted(rgb: Rgb, piece: Alpha, _rng: np.random.Generator, _unit: float) -> Rgb:
    """The piece on a bright pink cloth, which its metal reflects."""
    alpha = cv2.resize(piece, rgb.shape[1::-1])[..., None]
    pink = np.array([1.0, 0.35, 0.6], np.float32)
    return rgb * (alpha * (0.4 + 0.6 * pink) + (1 - alpha) * pink)


def _two_lights(rgb: Rgb, *, swap: bool) -> Rgb:
    """A window on one side and a lamp on the other."""
    across = np.linspace(0, 1, rgb.shape[1], dtype=np.float32)[None, :, None]
    across = 1 - across if swap else across
    window, lamp = np.array([0.85, 1.0, 1.2], np.float32), np.array([1.15, 0.98, 0.7], np.float32)
    return rgb * ((1 - across) * window + across * lamp)


def _screened(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    """The photo on a screen, photographed: stripes of red, green and blue with dark gaps, a little turned and soft."""
    side, cell = 700, 6
    factor = side / max(rgb.shape[:2])
    shown = cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    stripes = np.zeros((cell, cell, 3), np.float32)
    for channel in range(3):
        stripes[:-1, 2 * channel : 2 * channel + 2, channel] = 2.4
    large = np.repeat(np.repeat(shown, cell, axis=0), cell, axis=1) * np.tile(stripes, (*shown.shape[:2], 1))
    pitch = rng.uniform(2.0, 3.4)
    height, width = round(shown.shape[0] * pitch), round(shown.shape[1] * pitch)
    matrix = cv2.getRotationMatrix2D((large.shape[1] / 2, large.shape[0] / 2), rng.uniform(-4, 4), pitch / cell)
    matrix[:, 2] += (width - large.shape[1]) / 2, (height - large.shape[0]) / 2
    large = cv2.GaussianBlur(large, (0, 0), 0.7 * cell / pitch)
    return np.asarray(cv2.GaussianBlur(cv2.warpAffine(large, matrix, (width, height)), (0, 0), 0.6), np.float32)


CONTROLS: dict[str, Fault] = {
    "unchanged": lambda rgb, _p, _r, _u: rgb,
    "brighter by an eighth": lambda rgb, _p, _r, _u: rgb * 1.12,
    "fine grain": lambda rgb, _p, rng, _u: _grain(rgb, rng, 0.006),
}
FAULTS: dict[str, tuple[Fault, set[str]]] = {
    "blur, σ 3 px": (lambda rgb, _p, rng, u: _defocus(rgb, rng, 3 * u), {"blur"}),
    "blur, σ 5 px": (lambda rgb, _p, rng, u: _defocus(rgb, rng, 5 * u), {"blur"}),
    "motion, 14 px": (lambda rgb, _p, rng, u: _motion(rgb, 14 * u, rng.uniform(0, 3.1)), {"motion-blur", "blur"}),
    "one side soft": (_shallow, {"shallow-focus", "blur", "motion-blur"}),
    "warm lamp": (lambda rgb, _p, _r, _u: rgb * np.array([1.25, 0.95, 0.38], np.float32), {"warm-cast"}),
    "shade": (lambda rgb, _p, _r, _u: rgb * np.array([0.62, 0.95, 1.25], np.float32), {"cold-cast"}),
    "burnt out": (lambda rgb, _p, rng, _u: rgb * float(rng.uniform(3, 4)), {"clipped", "too-bright", "glare-spot"}),
    "dark": (lambda rgb, _p, _r, _u: rgb * 0.04, {"too-dark"}),
    "glare spot": (_glare, {"glare-spot", "clipped"}),
    "noise": (lambda rgb, _p, rng, u: _grain(rgb, rng, 0.04 * max(1.0, u)), {"noise"}),
    "compressed": (lambda rgb, _p, _r, _u: rgb, {"over-compressed"}),
    "enlarged": (lambda rgb, _p, _r, u: _enlarged(rgb, u), {"upscaled", "blur", "few-pixels-on-piece"}),
    "caption": (
        lambda rgb, _p, _r, _u: _printed(rgb, "Silver 925 -30%", opacity=1.0, turn=0, row=0.94), {"text"},
    ),
    "watermark": (
        lambda rgb, _p, _r, _u: _printed(rgb, "gemstudio.example", opacity=0.4, turn=25, row=0.5), {"text"},
    ),
    "cut": (lambda rgb, _p, _r, _u: rgb, {"cut-by-frame"}),
    "mirror table": (_mirrored, {"mirror-table"}),
    "pink cloth": (_tinted, {"tinted"}),
    "two lights": (lambda rgb, _p, rng, _u: _two_lights(rgb, swap=bool(rng.integers(2))), {"mixed-light"}),
    "screen": (lambda rgb, _p, rng, _u: _screened(rgb, rng), {"rephotographed"}),
}  # fmt: skip


def judge_faults(rendered: Path | None, real: Path | None, count: int) -> None:
    """Every fault on every clean photo, and the controls."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    finder, reader = steps.segmenter(), steps.reader()
    for name, source in _clean(rendered, real, count):
        piece = find_piece(source, finder)
        extent = max(np.ptp(axis) for axis in np.nonzero(piece > 0.5)) * source.size.width / piece.shape[1]
        unit = max(1.0, extent / 1400)
        before = said(check_source(source, piece=piece, reader=reader)[0])
        for control, change in CONTROLS.items():
            codes = _check(change(source.rgb, piece, _dice(name, control), unit), piece, 92, reader)
            tallies[control].add(f"{name} {sorted(codes)}", wanted=False, found=bool(codes - before))
        for fault, (change, wanted) in FAULTS.items():
            rng = _dice(name, fault)
            rgb, evidence = change(source.rgb, piece, rng, unit), piece
            if fault == "cut":
                rgb, evidence = _cut(rgb, piece, rng)
            codes = _check(rgb, evidence, 22 if fault == "compressed" else 92, reader)
            tallies[fault].add(f"{name} {sorted(codes)}", wanted=True, found=bool(codes & wanted))
    show("scripted faults and controls", tallies)


def _clean(rendered: Path | None, real: Path | None, count: int) -> Iterator[tuple[str, Source]]:
    scenes = sorted(rendered.glob("s*/truth.json")) if rendered else []
    good = [path for path in scenes if json.loads(path.read_text("utf-8"))["lighting_good"]]
    for path in good[:count]:
        yield path.parent.name, read(path.with_name("source.jpg"))
    for number in range(13, 19):
        for path in real.glob(f"r{number}_*") if real else ():
            yield path.name[:3], read(path)


def _dice(*names: str) -> np.random.Generator:
    return np.random.default_rng([ord(letter) for letter in "".join(names)])


def _cut(rgb: Rgb, piece: Alpha, rng: np.random.Generator) -> tuple[Rgb, Alpha]:
    """A side of the frame moved in through the piece."""
    turn = int(rng.integers(4))
    rgb, piece = np.rot90(rgb, turn), np.rot90(piece, turn)
    columns = np.flatnonzero((piece > 0.5).any(axis=0))
    at = int(columns[0] + rng.uniform(0.12, 0.3) * (columns[-1] - columns[0]))
    whole = round(at * rgb.shape[1] / piece.shape[1])
    return np.ascontiguousarray(rgb[:, whole:]), np.ascontiguousarray(piece[:, at:])


def _check(rgb: Rgb, piece: Alpha, quality: int, reader: object) -> set[str]:
    data = encode_jpeg(np.clip(rgb, 0, 1).astype(np.float32), quality=quality)
    source = steps.take_in(data, name="fault")
    return said(check_source(source, piece=piece, reader=reader)[0])  # type: ignore[arg-type]


def show(title: str, tallies: dict[str, Tally]) -> None:
    print(f"\n| {title} | found | false alarms |\n| --- | --- | --- |")
    for name, tally in tallies.items():
        print(tally.row(name))


_PROGRAM = """
import resource, subprocess, sys, time
started = time.perf_counter()
subprocess.run([sys.executable, "-m", "vitrina", "inspect", sys.argv[1], "--json"], stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"vitrina inspect as a program: {time.perf_counter() - started:.2f} s "
      f"({used.ru_utime + used.ru_stime:.2f} s of CPU), peak {used.ru_maxrss / 1024:.0f} MB", flush=True)
"""
"""Runs the program on a file and says what it took."""


def measure_time(photo: Path) -> None:
    """One photo of 12 megapixels, and a live preview."""
    source = read(photo)
    factor = (12e6 / (source.size.width * source.size.height)) ** 0.5
    large = cv2.resize(source.rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
    preview = cv2.resize(source.rgb, None, fx=1280 / source.size.width, fy=1280 / source.size.width)
    files = {"12 megapixels": encode_jpeg(large, quality=92), "1280 px, live": encode_jpeg(preview, quality=85)}
    del source, large, preview
    for name, data in files.items():
        for _ in range(4):
            wall, cpu = time.perf_counter(), time.process_time()
            taken = steps.take_in(data, name=name)
            decoded = time.perf_counter() - wall
            judged = steps.inspect(taken, is_live="live" in name)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            parts = {step: round(value, 2) for step, value in judged.seconds.items()}
            print(f"{name}: {wall:.2f} s ({cpu:.2f} s of CPU), decode {decoded:.2f}, {parts}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.jpg"
        path.write_bytes(files["12 megapixels"])
        # By way of a small process: one that is started from here would inherit this one's peak.
        subprocess.run([sys.executable, "-c", _PROGRAM, str(path)], check=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of this script, which makes the files too: {peak:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", type=Path, help="folder of photos with manifest.csv")
    parser.add_argument("--rendered", type=Path, help="folder of rendered scenes")
    parser.add_argument("--faults", type=int, default=0, help="number of scenes to give every fault")
    parser.add_argument("--timing", type=Path, help="a photo to time")
    chosen = parser.parse_args()
    if chosen.timing:
        measure_time(chosen.timing)
    if chosen.rendered:
        judge_rendered(chosen.rendered)
    if chosen.faults:
        judge_faults(chosen.rendered, chosen.real, chosen.faults)
    elif chosen.real:
        judge_real(chosen.real)


if __name__ == "__main__":
    main()
