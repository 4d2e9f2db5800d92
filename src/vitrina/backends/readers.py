"""Reading print: PP-OCRv6 (Apache-2.0), by the weights in the rapidocr package. Loaded lazily, once per process.

The package itself is not imported: its settings alone take longer to load than a photo takes to read. Its two networks
are run here as it runs them (DB: Liao et al. 2020, "Real-time scene text detection with differentiable binarization";
CTC: Graves et al. 2006), and the recogniser only where the detector saw a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.errors import ModelMissing
from vitrina.imaging.colour import encode_srgb8
from vitrina.model import Line, Region, Rgb, Size
from vitrina.plugins import Reader

_THREADS = 2
_MULTIPLE = 32
"""The detector halves its input up to five times."""
_INK, _LINE = 0.3, 0.5
"""Probability of a pixel to be print, and of a line on average."""
_GROWN = 1.6
"""The detector draws lines shrunk; a line is grown by this many times its area over its perimeter."""
_LEAST_PX = 3
_MOST_LINES = 60
"""Chains can look like print all over; beyond this many lines nothing new is learnt."""
_HEIGHT, _WIDTH = 48, 320
"""Height of a line as the recogniser wants it, and its least width."""
_CERTAIN = 0.5
"""Lines that are read less surely are not print."""


@dataclass(frozen=True, slots=True)
class RapidReader:
    """PP-OCRv6: its detector sees any script; its recogniser knows Latin letters, digits and Chinese, and writes
    Cyrillic words down as look-alikes, so believe that there is print more than what it says."""

    side_px: int = 736
    name: str = "PP-OCRv6"

    def read(self, rgb: Rgb) -> tuple[Line, ...]:
        """Lines of print, best first."""
        picture = cv2.cvtColor(encode_srgb8(rgb), cv2.COLOR_RGB2BGR)
        within = Size(rgb.shape[1], rgb.shape[0])
        lines = []
        for corners in _find_lines(picture, self.side_px):
            text, score = _recognise(picture, corners)
            if text.strip() and score >= _CERTAIN:
                lines.append(Line(text, score, _box(corners, within)))
        return tuple(sorted(lines, key=lambda line: (-line.score, line.region.y, line.region.x)))


def load_reader() -> Reader:
    """The reader that is shipped. Raises ModelMissing when its weights are not installed."""
    _weights("det"), _weights("rec")
    return RapidReader()


def _find_lines(picture: NDArray[np.uint8], side_px: int) -> list[NDArray[np.float32]]:
    """The corners of each line in `picture` (BGR), (4, 2), x and y, clockwise from the top left, strongest first."""
    height, width = picture.shape[:2]
    scale = min(1.0, side_px / max(height, width))
    size = tuple(max(_MULTIPLE, round(n * scale / _MULTIPLE) * _MULTIPLE) for n in (width, height))
    chance = _run("det", _planes(cv2.resize(picture, size)))[0, 0]
    ink = cv2.dilate((chance > _INK).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(ink, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour in contours:
        middle, (long, short), turn = cv2.minAreaRect(contour)
        if min(long, short) < _LEAST_PX:
            continue
        score = _mean_inside(chance, cv2.boxPoints((middle, (long, short), turn)))
        if score < _LINE:
            continue
        growth = 2 * _GROWN * long * short / (2 * (long + short))
        corners = _ordered(cv2.boxPoints((middle, (long + growth, short + growth), turn)))
        corners *= np.array([width / size[0], height / size[1]], np.float32)
        found.append((score, np.clip(np.rint(corners), 0, [width - 1, height - 1]).astype(np.float32)))
    found.sort(key=lambda line: -line[0])
    return [corners for _, corners in found[:_MOST_LINES]]


def _mean_inside(chance: NDArray[np.float32], corners: NDArray[np.float32]) -> float:
    """The mean of `chance` inside the quadrilateral."""
    low = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, chance.shape[::-1])
    inside = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    cv2.fillPoly(inside, [(corners - low).astype(np.int32)], 1)
    return float(cv2.mean(chance[low[1] : high[1], low[0] : high[0]], inside)[0])


def _ordered(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """Top left, top right, bottom right, bottom left."""
    by_column = corners[np.argsort(corners[:, 0], kind="stable")]
    left, right = (side[np.argsort(side[:, 1], kind="stable")] for side in (by_column[:2], by_column[2:]))
    return np.stack([left[0], right[0], right[1], left[1]])


def _recognise(picture: NDArray[np.uint8], corners: NDArray[np.float32]) -> tuple[str, float]:
    """What the line inside `corners` says and the mean certainty of its letters."""
    width = int(max(np.linalg.norm(corners[0] - corners[1]), np.linalg.norm(corners[2] - corners[3])))
    height = int(max(np.linalg.norm(corners[0] - corners[3]), np.linalg.norm(corners[1] - corners[2])))
    if min(width, height) <= _LEAST_PX:
        return "", 0.0
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    line = cv2.warpPerspective(
        picture, cv2.getPerspectiveTransform(corners, flat), (width, height),
        flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    if height >= 1.5 * width:
        line = np.ascontiguousarray(np.rot90(line))
    columns = int(np.ceil(_HEIGHT * line.shape[1] / line.shape[0]))
    planes = _planes(cv2.resize(line, (columns, _HEIGHT)))
    padded = np.pad(planes, ((0, 0), (0, 0), (0, 0), (0, max(0, _WIDTH - columns))))
    answer = _run("rec", padded)[0]
    best = answer.argmax(axis=1)
    # CTC: a letter is said once however long it lasts, and 0 is the blank between letters.
    said = (best != 0) & np.concatenate([[True], best[1:] != best[:-1]])
    if not said.any():
        return "", 0.0
    letters = _letters()
    return "".join(letters[index] for index in best[said]), float(answer.max(axis=1)[said].mean())


def _planes(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A BGR picture as both networks want it: (1, 3, rows, columns), -1…1."""
    return np.ascontiguousarray((picture.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None])


def _box(corners: NDArray[np.float32], within: Size) -> Region:
    low, high = np.floor(corners.min(axis=0)).astype(int), np.ceil(corners.max(axis=0)).astype(int)
    return Region(int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])).grown(0, within=within)


def _run(network: str, planes: NDArray[np.float32]) -> NDArray[np.float32]:
    session = _session(network)
    return np.asarray(session.run(None, {session.get_inputs()[0].name: planes})[0], np.float32)


@cache
def _letters() -> list[str]:
    """What the recogniser's answers mean: the blank, its letters, the space."""
    return ["", *_session("rec").get_modelmeta().custom_metadata_map["character"].splitlines(), " "]


@cache
def _session(network: str) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _THREADS
    options.log_severity_level = 4
    options.enable_cpu_mem_arena = False
    path = _weights(network)
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own, unrelated classes
        raise ModelMissing(f"{path.name}: cannot be run ({str(error)[:120]}). Reinstall rapidocr.") from error


@cache
def _weights(network: str) -> Path:
    """The file of a network ("det" or "rec") inside the rapidocr package."""
    package = find_spec("rapidocr")
    if package is None or package.origin is None:
        raise ModelMissing("rapidocr is not installed. Install vitrina with its dependencies.")
    found = sorted((Path(package.origin).parent / "models").glob(f"PP-OCRv6_{network}_*.onnx"))
    if not found:
        raise ModelMissing(f"rapidocr carries no PP-OCRv6 {network} network. Install rapidocr 3.10 or newer.")
    return found[0]
