"""Networks that find the piece. Loaded lazily, one session per process, digest verified before the first load."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.errors import ModelChanged, ModelMissing
from vitrina.imaging.colour import encode_srgb
from vitrina.model import Alpha, Rgb

MODELS = Path(__file__).parent / "models"
_THREADS = 2


@dataclass(frozen=True, slots=True)
class Normalisation:
    """How encoded sRGB 0…1 becomes the network's input: (value / peak − mean) / std, peak only when asked."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    by_peak: bool


_IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), by_peak=True)
_CENTRED = Normalisation((0.5, 0.5, 0.5), (1.0, 1.0, 1.0), by_peak=False)


@dataclass(frozen=True, slots=True)
class OnnxSegmenter:
    """A saliency network from one ONNX file, run at each of `sides` (long side in pixels) and averaged.

    The means of scales keep what both see; a single scale of U²-Net fills loops or drops chains.
    """

    name: str
    path: Path
    sides: tuple[int, ...]
    normalisation: Normalisation
    square: bool
    sha256: str | None

    def find(self, rgb: Rgb) -> Alpha:
        """Soft evidence 0…1 at the size of `rgb`."""
        height, width = rgb.shape[:2]
        shrink = min(1.0, 2 * max(self.sides) / max(height, width))
        if shrink < 1:
            size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
            rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.float32)
        picture_srgb = encode_srgb(rgb)
        answers = [self._run(picture_srgb, side) for side in self.sides]
        mean = np.mean([cv2.resize(a, (width, height), interpolation=cv2.INTER_LINEAR) for a in answers], axis=0)
        return np.clip(mean, 0, 1).astype(np.float32)

    def _run(self, picture_srgb: NDArray[np.float32], side: int) -> NDArray[np.float32]:
        height, width = picture_srgb.shape[:2]
        if self.square:
            size = (side, side)
        else:
            scale = side / max(height, width)
            size = (max(32, round(width * scale / 32) * 32), max(32, round(height * scale / 32) * 32))
        x = cv2.resize(picture_srgb, size, interpolation=cv2.INTER_AREA)
        if self.normalisation.by_peak:
            x = x / max(float(x.max()), 1e-6)
        x = (x - np.float32(self.normalisation.mean)) / np.float32(self.normalisation.std)
        session = _session(self.path, self.sha256)
        feed = {session.get_inputs()[0].name: np.ascontiguousarray(x.transpose(2, 0, 1)[None], dtype=np.float32)}
        answer = session.run([session.get_outputs()[0].name], feed)[0][0, 0].astype(np.float32)
        if float(answer.min()) < -0.01 or float(answer.max()) > 1.01:  # logits (BiRefNet)
            answer = 1 / (1 + np.exp(-answer))
        low, high = float(answer.min()), float(answer.max())
        # Stretching an answer that found nothing would invent a piece.
        return (answer - low) / (high - low) if high - low > 0.3 else answer


def u2netp() -> OnnxSegmenter:
    """The shipped network: U²-Net-p (Qin et al. 2020), Apache-2.0, at 320 and 640 pixels."""
    return OnnxSegmenter("u2netp", MODELS / "u2netp.onnx", (320, 640), _IMAGENET, False, catalogue()["u2netp.onnx"])


def load_segmenter(path: Path | None = None) -> OnnxSegmenter:
    """The shipped network, or a local ONNX file of the U²-Net, IS-Net or BiRefNet family, recognised by its input size."""
    if path is None:
        return u2netp()
    if not path.is_file():
        raise ModelMissing(f"{path}: no model file there. Name a local .onnx file or leave --model out.")
    shape = _session(path, None).get_inputs()[0].shape
    side = shape[2] if isinstance(shape[2], int) else 320
    normalisation = _CENTRED if side == 1024 and "isnet" in path.name.lower().replace("-", "") else _IMAGENET
    return OnnxSegmenter(path.stem, path, (side,), normalisation, isinstance(shape[2], int), None)


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
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own, unrelated classes
        raise ModelMissing(f"{path.name}: not a model that can be run ({str(error)[:120]}).") from error
