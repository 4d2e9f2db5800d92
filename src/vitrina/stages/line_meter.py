"""The line meter: do the main pictures of a line look like one shop's? Ground, scale, shadow and tone, and who differs.

Wildberries asks for one style and one colour rendering; a line that keeps it also sells better than one that does not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from vitrina.imaging.colour import lab
from vitrina.imaging.geometry import frame_fill
from vitrina.model import Finding, Mask, Plane, Rgb, Severity, Size
from vitrina.rules.pixels import piece_box, rim_of

__all__ = ["LineLimits", "Measured", "measure_picture", "meter"]

_WORK_PX = 500
_PIECE_DE = 12.0
"""ΔE76 from the ground beyond which it is the piece and not its shadow."""
_SHADOW = (1.2, 25.0)
"""L* below the ground between which an uncoloured pixel is shadow."""
_REACH_PX, _FADED, _ONE_SIDED = 10.0, 0.02, 0.1
"""How far around the piece its shadow is weighed (σ of the blurred mask), where that mask ends, and how much deeper
(as a share) a shadow is on its side than on the other."""
_MAD = 1.4826


@dataclass(frozen=True, slots=True)
class LineLimits:
    """What may differ within a line before a picture is called an outlier: the larger of this and three deviations."""

    ground_de76: float = 2.0
    fill: float = 0.06
    shadow_deg: float = 35.0
    tone_de76: float = 8.0
    least: int = 4
    """Fewer pictures than these have no middle to differ from."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One main picture. `group` is what its tone may be compared with (its metal); None where nothing was measured."""

    sku: str
    group: str
    ground: tuple[float, float, float]
    fill: float | None
    shadow_deg: float | None
    """Where the shadow falls, clockwise from the right; None when there is none to speak of."""
    tone: tuple[float, float, float] | None
    """Lab of the middle of the piece."""

    def as_dict(self) -> dict[str, Any]:
        return {
            "sku": self.sku, "group": self.group, "ground_lab": _rounded(self.ground), "fill": self.fill,
            "shadow_deg": self.shadow_deg, "tone_lab": _rounded(self.tone) if self.tone else None,
        }  # fmt: skip


def measure_picture(rgb: Rgb, *, sku: str, group: str) -> Measured:
    """Measure a main picture (linear)."""
    scale = min(1.0, _WORK_PX / max(rgb.shape[:2]))
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.float32)
    shades = lab(small)
    rim = max(2, size[1] // 50)
    edge = np.concatenate([part.reshape(-1, 3) for part in (shades[:rim], shades[-rim:])])
    ground = np.median(edge, axis=0)
    piece: Mask = np.linalg.norm(shades - ground, axis=2) > _PIECE_DE
    box = piece_box(small)
    fill = None if box is None else round(frame_fill(box, Size(*size)), 3)
    tone = tuple(float(v) for v in np.median(shades[piece], axis=0)) if piece.sum() > 50 else None
    return Measured(
        sku,
        group,
        (float(ground[0]), float(ground[1]), float(ground[2])),
        fill,
        _shadow(shades, ground.astype(np.float32), piece, rim_of(small).spread),
        tone if tone is None else (tone[0], tone[1], tone[2]),
    )


Apart = tuple[str, Finding]
"""A SKU (empty: the line as a whole) and in what its picture lies apart."""


def meter(pictures: Sequence[Measured], *, limits: LineLimits = LineLimits()) -> tuple[dict[str, Any], list[Apart]]:
    """The spread of a line and a finding per picture that lies apart from the rest, with what to redo."""
    if len(pictures) < limits.least:
        said = f"{len(pictures)} main pictures: at least {limits.least} are wanted to see what a line has in common."
        return {"pictures": len(pictures)}, [
            ("", Finding("background", "line-too-short", Severity.NOTE, len(pictures), limits.least, "pictures", said))
        ]
    findings: list[Apart] = []
    spread: dict[str, Any] = {"pictures": len(pictures)}
    grounds = np.array([picture.ground for picture in pictures])
    apart = np.linalg.norm(grounds - np.median(grounds, axis=0), axis=1)
    spread["ground_de76"] = _judge(
        pictures, apart, limits.ground_de76, "background", "line-ground", "ΔE76", "has another background",
        "Dress it in the line's look again", findings,
    )  # fmt: skip
    filled = [picture for picture in pictures if picture.fill is not None]
    fills = np.array([picture.fill for picture in filled], np.float64)
    if len(filled) >= limits.least:
        spread["fill"] = _judge(
            filled, np.abs(fills - np.median(fills)), limits.fill, "framing", "line-scale", "share",
            "is shown at another scale", "Export it again at the line's fill", findings,
        )  # fmt: skip
    cast = [picture for picture in pictures if picture.shadow_deg is not None]
    spread["with_shadow"] = len(cast)
    if len(cast) >= limits.least:
        spread["shadow_deg"] = _judge(
            cast, _turns(cast), limits.shadow_deg, "light", "line-shadow", "°", "has its shadow on another side",
            "Photograph it with the lamp where the others had it", findings,
        )  # fmt: skip
    if 0 < len(cast) < len(pictures):
        findings += _odd_shadows(pictures, cast)
    for group in sorted({picture.group for picture in pictures}):
        same = [picture for picture in pictures if picture.group == group and picture.tone is not None]
        if len(same) < limits.least:
            continue
        tones = np.array([picture.tone for picture in same])
        spread.setdefault("tone_de76", {})[group or "unnamed"] = _judge(
            same, np.linalg.norm(tones - np.median(tones, axis=0), axis=1), limits.tone_de76, "colour", "line-tone",
            "ΔE76", "has another tone", "Check its white balance and exposure against the piece", findings,
        )  # fmt: skip
    return spread, findings


def _judge(
    pictures: Sequence[Measured],
    apart: np.ndarray,
    floor: float,
    check: str,
    code: str,
    unit: str,
    said: str,
    remedy: str,
    findings: list[Apart],
) -> float:
    """The spread (robust standard deviation) of distances from the middle; outliers are added to `findings`."""
    deviation = float(_MAD * np.median(apart))
    limit = max(floor, 3 * deviation)
    for picture, distance in zip(pictures, apart.tolist(), strict=True):
        if distance > limit:
            text = f"{picture.sku} {said} than its line: {distance:.3g} {unit} from the middle, {limit:.3g} allowed. "
            found = Finding(check, code, Severity.WARN, round(distance, 3), round(limit, 3), unit, f"{text}{remedy}.")
            findings.append((picture.sku, found))
    return round(deviation, 3)


def _odd_shadows(pictures: Sequence[Measured], cast: Sequence[Measured]) -> list[Apart]:
    """Pictures with a shadow among those without, or the other way round: whichever are fewer, if they are few."""
    without = [picture for picture in pictures if picture.shadow_deg is None]
    few, has = (cast, "has a shadow") if len(cast) < len(without) else (without, "has no shadow")
    if len(few) > len(pictures) / 3:
        return []
    said = "unlike the others of its line. Dress it in the line's look again."
    return [
        (
            picture.sku,
            Finding("light", "line-shadow-odd", Severity.WARN, len(few), 0, "pictures", f"{picture.sku} {has}, {said}"),
        )
        for picture in few
    ]


def _turns(pictures: Sequence[Measured]) -> np.ndarray:
    """Degrees between each shadow and their common direction (the mean of directions on the circle)."""
    angles = np.radians([picture.shadow_deg or 0.0 for picture in pictures])
    common = math.atan2(float(np.sin(angles).mean()), float(np.cos(angles).mean()))
    return np.asarray(np.abs(np.degrees(np.angle(np.exp(1j * (angles - common))))))


def _shadow(shades: Plane, ground: Plane, piece: Mask, spread: float) -> float | None:
    """The side of the piece on which its shadow is deeper, in degrees; None without a shadow, or with one all around.

    Along the levels of the piece's blurred mask the depth is fitted as even plus a share of the way out of it, so that
    the shape and the weight of the piece do not matter: around any closed outline these ways add up to nothing (Gauss).
    """
    drop = ground[0] - shades[..., 0]
    colour = np.hypot(shades[..., 1] - ground[1], shades[..., 2] - ground[2])
    near = cv2.dilate(piece.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    low = max(_SHADOW[0], 1.5 * spread)
    mask = (drop > low) & (drop < _SHADOW[1]) & (colour < 4) & ~near
    if piece.sum() < 50 or mask.sum() < 0.05 * piece.sum():
        return None
    soft = cv2.GaussianBlur(piece.astype(np.float32), (0, 0), _REACH_PX)
    around = (soft > _FADED) & ~near
    out = -np.stack(np.gradient(soft), axis=-1)[around].astype(np.float64)
    steep = np.linalg.norm(out, axis=1)
    depth = np.where(mask, drop, 0)[around]
    even = float((depth * steep).sum() / max(float(steep.sum()), 1e-9))
    fit = (out / np.maximum(steep, 1e-9)[:, None]).T @ out
    y, x = np.linalg.lstsq(fit, out.T @ depth, rcond=1e-3)[0].tolist()
    if math.hypot(x, y) < _ONE_SIDED * even or even == 0:
        return None
    return round(math.degrees(math.atan2(y, x)) % 360, 1)


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 2) for value in values]
