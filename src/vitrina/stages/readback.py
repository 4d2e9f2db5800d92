"""What a marketplace shows, beside what was sent: swapped, cut differently, or only encoded again?"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitrina.imaging.colour import delta_e00, lab
from vitrina.model import Finding, Rgb, Severity, Source

__all__ = ["ReadbackLimits", "compare_shown"]

_SIDE_PX = 256


@dataclass(frozen=True, slots=True)
class ReadbackLimits:
    """How far a shown picture may lie from the one that was sent, both at 256 px."""

    ratio: float = 0.01
    """Relative change of width to height."""
    other_de00: float = 8.0
    """ΔE00 of the 98th percentile beyond which it is another picture, or another crop of it."""
    tone_de00: float = 1.5
    """ΔE00 of the median of what is not ground, beyond which the tone moved."""


def compare_shown(
    sent: Source, shown: Source, *, place: int, limits: ReadbackLimits = ReadbackLimits()
) -> list[Finding]:
    """What became of the picture at `place` (from 1) of the gallery.

    Another shape or another crop warns, another picture blocks, a moved tone warns, another size or encoding is a note.
    """
    before, after = (picture.size.width / picture.size.height for picture in (sent, shown))
    if abs(after / before - 1) > limits.ratio:
        return [
            Finding(
                "framing", "shown-recropped", Severity.WARN, round(after, 3), round(before, 3), "width:height",
                f"Picture {place} is shown {shown.size}, sent was {sent.size}: the marketplace cuts or pads it. See "
                "that nothing of the piece is lost.",
            )
        ]  # fmt: skip
    one, two = lab(_small(sent.rgb)), lab(_small(shown.rgb))
    apart = delta_e00(one, two)
    worst = float(np.percentile(apart, 98))
    if worst > limits.other_de00:
        return [
            Finding(
                "pieces", "shown-swapped", Severity.BLOCK, round(worst, 1), limits.other_de00, "ΔE00",
                f"Picture {place} is shown as another picture or crop than was sent (ΔE00 {worst:.0f}). Look into "
                "the listing: were pictures swapped or their order changed?",
            )
        ]  # fmt: skip
    piece = np.linalg.norm(one - np.median(one.reshape(-1, 3), axis=0), axis=2) > 6
    tone = float(np.median(apart[piece])) if piece.any() else 0.0
    if tone > limits.tone_de00:
        return [
            Finding(
                "colour", "shown-toned", Severity.WARN, round(tone, 2), limits.tone_de00, "ΔE00",
                f"Picture {place} is shown in another tone than was sent. Compare the metal by eye.",
            )
        ]  # fmt: skip
    return [
        Finding(
            "file", "shown-reencoded", Severity.NOTE, round(tone, 2), limits.tone_de00, "ΔE00",
            f"Picture {place} is the one that was sent, encoded again by the marketplace ({shown.size}).",
        )
    ]  # fmt: skip


def _small(rgb: Rgb) -> Rgb:
    return np.asarray(cv2.resize(rgb, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA), np.float32)
