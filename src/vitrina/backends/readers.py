"""Reading print: PP-OCRv6 (Apache-2.0) as the rapidocr package ships it. Loaded lazily, once per process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np

from vitrina.errors import ModelMissing
from vitrina.imaging.colour import encode_srgb8
from vitrina.model import Line, Region, Rgb, Size
from vitrina.plugins import Reader

_THREADS = 2


@dataclass(frozen=True, slots=True)
class RapidReader:
    """PP-OCRv6: its detector sees any script; its recogniser knows Latin letters, digits and Chinese, and writes
    Cyrillic words down as look-alikes, so believe that there is print more than what it says."""

    side_px: int = 736
    name: str = "PP-OCRv6"

    def read(self, rgb: Rgb) -> tuple[Line, ...]:
        """Lines of print, best first."""
        engine = _engine(self.side_px)
        picture = cv2.cvtColor(encode_srgb8(rgb), cv2.COLOR_RGB2BGR)
        # The switches of a call persist into later calls of the same engine, so all of them are given every time.
        answer = engine(picture, use_det=True, use_cls=False, use_rec=True)
        if answer.boxes is None or answer.txts is None or answer.scores is None:
            return ()
        within = Size(rgb.shape[1], rgb.shape[0])
        lines = [
            Line(str(text), float(score), _box(quad, within))
            for quad, text, score in zip(answer.boxes, answer.txts, answer.scores, strict=True)
        ]
        return tuple(sorted(lines, key=lambda line: (-line.score, line.region.y, line.region.x)))


def load_reader() -> Reader:
    """The reader that is shipped. Raises ModelMissing when its package is not installed."""
    reader = RapidReader()
    _engine(reader.side_px)
    return reader


def _box(quad: Any, within: Size) -> Region:
    corners = np.asarray(quad, np.float64)
    low, high = np.floor(corners.min(axis=0)).astype(int), np.ceil(corners.max(axis=0)).astype(int)
    return Region(int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])).grown(0, within=within)


@cache
def _engine(side_px: int) -> Any:
    try:
        from rapidocr import RapidOCR
    except ImportError as error:
        raise ModelMissing(f"rapidocr cannot be loaded ({error}). Install vitrina with its dependencies.") from error
    runtime = "EngineConfig.onnxruntime"
    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Det.limit_side_len": side_px,
            "Det.limit_type": "max",
            f"{runtime}.intra_op_num_threads": _THREADS,
            f"{runtime}.inter_op_num_threads": 1,
        }
    )
