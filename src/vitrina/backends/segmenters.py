"""Networks that find the piece. Loaded lazily, one session per process, digest verified before the first load."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.errors import ModelChanged, ModelMissing
from vitrina.imaging.colour import encode_srgb
from vitrina.imaging.cues import find_cues
from vitrina.model import Alpha, Rgb
from vitrina.plugins import Segmenter

MODELS = Path(__file__).parent / "models"
_THREADS = 2
_MULTIPLE = 32
"""Both networks halve their input up to five times."""


@dataclass(frozen=True, slots=True)
class Normalisation:
    """How encoded sRGB 0…1 becomes a network's input: (value / peak − mean) / std, peak only when asked."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    by_peak: bool


_IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), by_peak=True)
_PLAIN = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), by_peak=False)
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
    sha256: str | None = None

    def find(self, rgb: Rgb) -> Alpha:
        """Soft evidence 0…1 at the size of `rgb`."""
        height, width = rgb.shape[:2]
        scale = min(1.0, self.side / max(height, width))
        size = (self.side, self.side) if self.fixed else (_rounded(width * scale), _rounded(height * scale))
        x = cv2.resize(encode_srgb(rgb), size, interpolation=cv2.INTER_AREA)
        if self.normalisation.by_peak:
            x = x / max(float(x.max()), 1e-6)
        x = (x - np.array(self.normalisation.mean, np.float32)) / np.array(self.normalisation.std, np.float32)
        answer = _run(self.path, self.sha256, np.ascontiguousarray(x.transpose(2, 0, 1), np.float32))
        if float(answer.min()) < -0.01 or float(answer.max()) > 1.01:  # logits (BiRefNet)
            answer = np.asarray(1 / (1 + np.exp(-np.clip(answer, -30, 30))), np.float32)
        low, high = float(answer.min()), float(answer.max())
        if high - low > 0.3:  # stretching an answer that found nothing would invent a piece
            answer = (answer - low) / (high - low)
        shown = cv2.resize(answer, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(np.clip(shown, 0, 1), np.float32)


@dataclass(frozen=True, slots=True)
class Refined:
    """A coarse network asked at two sizes, and our refiner, which reads its answers beside the cues of the backdrop.

    The small size sees solids (and fills loops), the middle one thin parts (and loses smooth ones); which of the two to
    believe where is what the refiner has learned (training/refiner.py).
    """

    coarse: Network
    sides: tuple[int, int] = (320, 512)
    path: Path = MODELS / "refiner.onnx"
    name: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", f"{self.coarse.name} + refiner")

    def find(self, rgb: Rgb) -> Alpha:
        """Sharp evidence 0…1 at the size of `rgb`."""
        height, width = rgb.shape[:2]
        wide = self._ask(rgb, self.sides[0])
        is_small = max(rgb.shape[:2]) <= self.sides[0]  # both sizes would be the picture's own
        close = wide if self.coarse.fixed or is_small else self._ask(rgb, self.sides[1])
        planes = find_cues(rgb, wide, close).planes
        below, right = -height % _MULTIPLE, -width % _MULTIPLE
        padded = np.pad(planes, ((0, 0), (0, below), (0, right)), mode="edge")
        return _run(self.path, catalogue()[self.path.name], padded)[:height, :width]

    def _ask(self, rgb: Rgb, side: int) -> Alpha:
        height, width = rgb.shape[:2]
        scale = (self.coarse.side if self.coarse.fixed else side) / max(height, width)
        if scale >= 1:
            return self.coarse.find(rgb)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        answer = self.coarse.find(np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.float32))
        return np.asarray(cv2.resize(answer, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def load_network(path: Path | None = None) -> Network:
    """The shipped coarse network, U²-Net-p (Qin et al. 2020), or a local ONNX file of the U²-Net, IS-Net or BiRefNet
    family, recognised by its input and its outputs."""
    if path is None:
        return Network("u2netp", MODELS / "u2netp.onnx", 640, False, _IMAGENET, catalogue()["u2netp.onnx"])
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
    """What `cut_out` wants: the coarse network (the shipped one, or a local ONNX file) under our refiner."""
    return Refined(load_network(path))


def catalogue() -> dict[str, str]:
    """Shipped weight files and their SHA-256."""
    table = tomllib.loads((MODELS / "models.toml").read_text("utf-8"))
    return {name: str(entry["sha256"]) for name, entry in table.items()}


def check_models() -> dict[str, str]:
    """State of every shipped weight file: ``ok``, ``missing`` or ``changed``."""
    states = {}
    for name, wanted in catalogue().items():
        path = MODELS / name
        found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        states[name] = "missing" if found is None else "ok" if found == wanted else "changed"
    return states


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
