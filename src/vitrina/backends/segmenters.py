"""Networks that find the piece. Loaded lazily, one session per process, digest verified before the first load."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.errors import ModelChanged, ModelMissing
from vitrina.imaging.colour import encode_srgb
from vitrina.imaging.plate import plate_of
from vitrina.model import Alpha, Rgb, Size
from vitrina.plugins import Segmenter

MODELS = Path(__file__).parent / "models"
_THREADS = 2
_MULTIPLE = 32
"""The networks halve their input up to five times."""
_TILE, _MARGIN = 384, 48
"""The refiner works tile by tile; what lies beyond the margin changes its answer by 0.035 at most (three photos)."""
_PLATE = 1280
"""Long side at which the plate behind the piece is made."""
_SILENT = 0.02
"""Where the coarse evidence stays below, there is nothing to redraw."""
_SOLID_PX, _SOLID, _INSET = 320, 0.05, 3
"""Of a frame of so many pixels, what is wider than this share is solid to the smallest size, so far within its rim."""
_SURE, _AGREED = 0.93, 0.75
"""How sure of it the smallest size must be, and how much of it the large ones must see: a dark hole, a neck of velvet
and a mesh of wire are wide and even too when they are shown small."""
_CLOSER = 640
"""Long side of a picture that has more to show from near by."""
_SEEN = 0.3
"""Coarse evidence that counts as having seen something."""


@dataclass(frozen=True, slots=True)
class Normalisation:
    """How encoded sRGB 0…1 becomes a network's input: (value / peak − mean) / std, peak only when asked."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    by_peak: bool


_IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), by_peak=True)
_PLAIN = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), by_peak=False)
_LITE = Normalisation((0.498, 0.498, 0.498), (0.502, 0.502, 0.502), by_peak=False)
_CENTRED = Normalisation((0.5, 0.5, 0.5), (1.0, 1.0, 1.0), by_peak=False)


@dataclass(frozen=True, slots=True)
class Network:
    """A saliency network from one ONNX file.

    With a fixed input it squeezes every picture to `side` × `side`; else it keeps the picture's shape and its size, up
    to `side`: how large one shows the picture decides what it sees.
    """

    name: str
    path: Path
    side: int
    fixed: bool
    normalisation: Normalisation

    def find(self, rgb: Rgb) -> Alpha:
        """Soft evidence 0…1 at the size of `rgb`."""
        height, width = rgb.shape[:2]
        scale = min(1.0, self.side / max(height, width))
        size = (self.side, self.side) if self.fixed else (_rounded(width * scale), _rounded(height * scale))
        x = cv2.resize(encode_srgb(rgb), size, interpolation=cv2.INTER_AREA)
        if self.normalisation.by_peak:
            x = x / max(float(x.max()), 1e-6)
        x = (x - np.array(self.normalisation.mean, np.float32)) / np.array(self.normalisation.std, np.float32)
        answer = _run(self.path, None, np.ascontiguousarray(x.transpose(2, 0, 1), np.float32))
        if float(answer.min()) < -0.01 or float(answer.max()) > 1.01:  # logits (BiRefNet)
            answer = np.asarray(1 / (1 + np.exp(-np.clip(answer, -30, 30))), np.float32)
        low, high = float(answer.min()), float(answer.max())
        if high - low > 0.3:  # stretching an answer that found nothing would invent a piece
            answer = (answer - low) / (high - low)
        shown = cv2.resize(answer, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(np.clip(shown, 0, 1), np.float32)


@dataclass(frozen=True, slots=True)
class Finder:
    """Our finder, asked small first and then large in the belief of the small answer: shown small it sees that smooth
    metal is one solid, shown large where the daylight in a chain is.

    Well inside of what is wide, the smallest size is right even against the large ones: there is no daylight to miss.
    """

    path: Path = MODELS / "finder.onnx"
    name: str = "finder"
    side: int = 1024
    small: tuple[int, ...] = (224, 320)
    large: tuple[int, ...] = (640, 1024)

    def find(self, rgb: Rgb) -> Alpha:
        """Soft evidence 0…1 at the size of `rgb`."""
        colour = _lite(rgb)
        small = self._ask(colour, self.small)
        large = _mean(self._ask(colour, self.large, _mean(small)))
        return np.maximum(large, _inside(small[0], large))

    def _ask(self, colour: NDArray[np.float32], sides: tuple[int, ...], before: Alpha | None = None) -> list[Alpha]:
        """The answers at several sizes, none larger than the picture, the smallest first."""
        sizes = sorted({min(side, max(colour.shape[:2])) for side in sides})
        return [self._look(colour, side, before) for side in sizes]

    def _look(self, colour: NDArray[np.float32], side: int, before: Alpha | None) -> Alpha:
        """The answer at one size; `before` is what was answered to a smaller one."""
        height, width = colour.shape[:2]
        scale = side / max(height, width)
        size = (_rounded(width * scale), _rounded(height * scale))
        shown = cv2.resize(colour, size, interpolation=cv2.INTER_AREA)
        belief = np.zeros(size[::-1], np.float32)
        if before is not None:
            belief = 2 * cv2.resize(before, size, interpolation=cv2.INTER_AREA) - 1
        planes = np.concatenate([shown, belief[..., None]], axis=-1).transpose(2, 0, 1)
        answer = _run(self.path, catalogue()[self.path.name], np.ascontiguousarray(planes))
        return np.asarray(cv2.resize(answer, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


@dataclass(frozen=True, slots=True)
class Refined:
    """A network that finds the piece in the shrunken photo, and our refiner, which redraws its answer from the pixels.

    Small in its frame, a piece is looked at a second time from near by. Both networks are ours unless `coarse` is
    another (training/README.md).
    """

    coarse: Network | Finder
    path: Path = MODELS / "refiner.onnx"

    @property
    def name(self) -> str:
        return f"{self.coarse.name} + refiner"

    def find(self, rgb: Rgb) -> Alpha:
        """Alpha 0…1 at the size of `rgb`."""
        evidence = self._ask(rgb)
        near = self._around(evidence)
        if near is not None:
            closer = np.zeros_like(evidence)
            closer[near] = self._ask(np.ascontiguousarray(rgb[near]))
            evidence = closer
        return self.refine(rgb, evidence)

    def refine(self, rgb: Rgb, alpha: Alpha) -> Alpha:
        """`alpha` (at the size of `rgb`, up to four times blurrier) redrawn from the pixels where it has an edge."""
        height, width = alpha.shape
        scale = min(1.0, _PLATE / max(height, width))
        shrunk = (max(1, round(width * scale)), max(1, round(height * scale)))
        small, coarse = (cv2.resize(x, shrunk, interpolation=cv2.INTER_AREA) for x in (rgb, alpha))
        plate = plate_of(_lite(np.asarray(small, np.float32)), np.asarray(coarse, np.float32))
        out = alpha.astype(np.float32)
        for y in range(0, height, _TILE):
            for x in range(0, width, _TILE):
                top, left = max(0, y - _MARGIN), max(0, x - _MARGIN)
                box = np.s_[top : min(height, y + _TILE + _MARGIN), left : min(width, x + _TILE + _MARGIN)]
                if float(alpha[box].max()) < _SILENT or float(alpha[box].min()) > 1 - _SILENT:
                    continue
                rows, columns = alpha[box].shape
                colour = _lite(rgb[box])
                behind, stray = plate.at(Size(width, height), *box)
                seen = (colour, alpha[box][..., None], colour - behind, stray[..., None])
                planes = np.concatenate(seen, axis=-1).transpose(2, 0, 1)
                planes = np.pad(planes, ((0, 0), (0, -rows % _MULTIPLE), (0, -columns % _MULTIPLE)), mode="edge")
                answer = _run(self.path, catalogue()[self.path.name], planes.astype(np.float32))
                inner = answer[y - top : min(y - top + _TILE, rows), x - left : min(x - left + _TILE, columns)]
                out[y : y + _TILE, x : x + _TILE] = inner
        return out

    def _ask(self, rgb: Rgb) -> Alpha:
        """The coarse network's answer, asked at its own size."""
        height, width = rgb.shape[:2]
        scale = self.coarse.side / max(height, width)
        if scale >= 1:
            return self.coarse.find(rgb)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        answer = self.coarse.find(np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.float32))
        return np.asarray(cv2.resize(answer, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)

    def _around(self, evidence: Alpha) -> tuple[slice, slice] | None:
        """Where to look again: what was found and half as much around it, unless that is most of the frame."""
        rows, columns = (np.flatnonzero(evidence.max(axis=axis) > _SEEN) for axis in (1, 0))
        if not rows.size or max(evidence.shape) < _CLOSER:
            return None
        margin = max(32, int(max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1) // 4)
        top, left = max(0, int(rows[0]) - margin), max(0, int(columns[0]) - margin)
        bottom, right = (
            min(evidence.shape[0], int(rows[-1]) + margin),
            min(evidence.shape[1], int(columns[-1]) + margin),
        )
        if max(bottom - top, right - left) > 0.7 * max(evidence.shape):
            return None
        return slice(top, bottom), slice(left, right)


def load_network(path: Path) -> Network:
    """A local ONNX file of the U²-Net, IS-Net or BiRefNet family, recognised by its input and its outputs."""
    if not path.is_file():
        raise ModelMissing(f"{path}: no model file there. Name a local .onnx file or leave the option out.")
    session = _session(path, None)
    shape, answers = session.get_inputs()[0].shape, len(session.get_outputs())
    if len(shape) != 4 or shape[1] != 3:
        raise ModelMissing(
            f"{path.name}: takes input {shape}, not one picture (1, 3, rows, columns). Name another file."
        )
    fixed = isinstance(shape[2], int)
    if not fixed or shape[2] <= 512:
        return Network(f"{path.stem} (U²-Net)", path, shape[2] if fixed else 640, fixed, _IMAGENET)
    if answers > 1 or "isnet" in path.name.lower().replace("-", ""):
        return Network(f"{path.stem} (IS-Net)", path, shape[2], fixed, _CENTRED)
    return Network(f"{path.stem} (BiRefNet)", path, shape[2], fixed, _PLAIN)


def load_segmenter(path: Path | None = None) -> Segmenter:
    """What `cut_out` wants: our finder, or a network from a local ONNX file, under our refiner."""
    if path is not None:
        return Refined(load_network(path))
    return Refined(Finder())


@cache
def catalogue() -> Mapping[str, str]:
    """Shipped weight files and their SHA-256."""
    table = tomllib.loads((MODELS / "models.toml").read_text("utf-8"))
    return MappingProxyType({name: str(entry["sha256"]) for name, entry in table.items()})


def check_models() -> dict[str, str]:
    """State of every shipped weight file: ``ok``, ``missing`` or ``changed``."""
    states = {}
    for name, wanted in catalogue().items():
        path = MODELS / name
        found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        states[name] = "missing" if found is None else "ok" if found == wanted else "changed"
    return states


def _lite(rgb: Rgb) -> NDArray[np.float32]:
    """Linear light as our networks take it."""
    return ((encode_srgb(rgb) - np.float32(_LITE.mean[0])) / np.float32(_LITE.std[0])).astype(np.float32)


def _mean(answers: list[Alpha]) -> Alpha:
    return np.asarray(sum(answers) / len(answers), np.float32)


def _inside(small: Alpha, large: Alpha) -> Alpha:
    """`small` where it is wide, without its rim, and 0 elsewhere; only of what `large` sees too, if not as a whole."""
    height, width = small.shape
    scale = min(1.0, _SOLID_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    wide, inset = (
        cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (px, px)) for px in (max(3, round(_SOLID * max(size)) | 1), _INSET)
    )
    shown = cv2.resize(small, size, interpolation=cv2.INTER_AREA)
    seen = cv2.resize(large, size, interpolation=cv2.INTER_AREA) > 0.5
    solid = cv2.erode(cv2.morphologyEx(shown, cv2.MORPH_OPEN, wide), inset)
    count, labels = cv2.connectedComponents((solid > 0.5).astype(np.uint8))
    area = np.maximum(np.bincount(labels.ravel(), minlength=count), 1)
    sure = np.bincount(labels.ravel(), shown.ravel(), count) / area > _SURE
    agreed = np.bincount(labels.ravel(), seen.ravel().astype(np.float64), count) / area > _AGREED
    believed = sure & agreed & (np.arange(count) > 0)
    inside = np.where(believed[labels], solid, 0).astype(np.float32)
    return np.asarray(cv2.resize(inside, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _rounded(side: float) -> int:
    return max(_MULTIPLE, round(side / _MULTIPLE) * _MULTIPLE)


def _run(path: Path, sha256: str | None, planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The first output, one plane, for one input of shape (channels, rows, columns)."""
    session = _session(path, sha256)
    answer = session.run([session.get_outputs()[0].name], {session.get_inputs()[0].name: planes[None]})[0]
    return np.asarray(answer[0, 0], np.float32)


@cache
def _session(path: Path, sha256: str | None) -> Any:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelMissing(f"{path.name}: cannot be read ({error.strerror}). Reinstall vitrina.") from error
    found = hashlib.sha256(data).hexdigest()
    if sha256 is not None and found != sha256:
        raise ModelChanged(f"{path.name}: digest {found[:12]}…, expected {sha256[:12]}…. Reinstall vitrina.")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _THREADS
    options.log_severity_level = 3
    # The arena keeps the largest picture's activations for good: 1.3 GB more at the peak of a card, and no faster.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own, unrelated classes
        raise ModelMissing(f"{path.name}: not a model that can be run ({str(error)[:120]}).") from error
