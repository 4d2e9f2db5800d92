"""The source's side of a comparison, made once for any number of edits of it."""

from __future__ import annotations

import time
from dataclasses import dataclass

import cv2
import numpy as np

from vitrina.errors import UsageError
from vitrina.model import Alpha, Rgb, Source
from vitrina.plugins import Segmenter
from vitrina.stages.verify.align import Shrunk, shrink
from vitrina.stages.verify.limits import LIMITS, VerifyLimits

_EVIDENCE_PX = 800
"""Long side at which the network is asked when no matte is given: the edit settles the rest."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The source and its matte at working size.

    `is_given` says that the matte is the maker's own and no network's guess.
    """

    small: Shrunk
    alpha: Alpha
    is_given: bool
    seconds: float


def prepare(
    source: Source, *, segmenter: Segmenter | None = None, matte: Alpha | None = None, limits: VerifyLimits = LIMITS
) -> Prepared:
    """What `examine` needs of the source. Raises UsageError as `verify` does."""
    started = time.perf_counter()
    small = shrink(source.rgb, limits.work_px * 1.15)
    if matte is not None and matte.shape != source.rgb.shape[:2]:
        raise UsageError(
            f"the matte is {matte.shape[1]}×{matte.shape[0]}, the source {source.size}. Give the matte of the "
            "upright source."
        )
    alpha = _fit(source.alpha if matte is None else matte, small.rgb)
    if alpha is not None:
        return Prepared(small, alpha, True, time.perf_counter() - started)
    if segmenter is None:
        raise UsageError("verify needs the source's matte or a segmenter to make one.")
    return Prepared(small, _evidence(small.rgb, segmenter), False, time.perf_counter() - started)


def _evidence(rgb: Rgb, segmenter: Segmenter) -> Alpha:
    """Where the network sees the piece, asked at `_EVIDENCE_PX` and enlarged to the size of `rgb`."""
    asked = shrink(rgb, _EVIDENCE_PX).rgb
    size = (rgb.shape[1], rgb.shape[0])
    return np.asarray(cv2.resize(segmenter.find(asked), size, interpolation=cv2.INTER_LINEAR), np.float32)


def _fit(alpha: Alpha | None, rgb: Rgb) -> Alpha | None:
    if alpha is None or alpha.shape == rgb.shape[:2]:
        return alpha
    size = (rgb.shape[1], rgb.shape[0])
    return np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32)
