"""The metal's tone before and after: its colour, and its lightness beside what is not metal.

A global exposure change is no change of metal, and neither is a colour cast that was only taken out: both act on the
whole picture alike. What is left after them is the metal's own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.colour import delta_e00, lab, luminance
from vitrina.imaging.compare import LabPlanes, smooth
from vitrina.model import Finding, Mask, Region, Rgb, Severity
from vitrina.stages.verify.align import Aligned
from vitrina.stages.verify.facts import Facts
from vitrina.stages.verify.limits import VerifyLimits
from vitrina.stages.verify.zones import Zones

_GROUP_PX, _APART, _BIAS = 500, 0.35, 1.5
"""Pixels that make a group, how far the groups' shares of a cast may lie apart, and the a*b* that may be left of it:
pavé sparkles at random by 3, but not to one side."""
_DARKEST_L = 25.0
"""L* below which a backdrop (black velvet) says nothing of the light's colour."""
_PALE = 9.0
"""C*ab below which a metal counts as white."""
_LEAST_SHARE = 0.012
"""Share of the piece that a family of metal must cover to have a tone."""


@dataclass(frozen=True, slots=True)
class Tone:
    """Colour of one family of metal before and after (median CIELAB, D65).

    `de00` is the shift of chroma and hue with lightness taken out, `lightness` the change of L* beyond the global
    exposure, `hue_turn` in degrees (positive: towards yellow), `gains` the metal's own gain per linear channel.
    """

    family: str
    before: tuple[float, float, float]
    after: tuple[float, float, float]
    de00: float
    lightness: float
    hue_turn: float
    area_px: int
    region: Region | None
    gains: tuple[float, float, float]

    def has_moved(self, limits: VerifyLimits) -> bool:
        """Whether the shift exceeds what is allowed."""
        return self.de00 > limits.metal_de00 or abs(self.lightness) > limits.metal_lightness


def metal_tones(pair: Aligned, zones: Zones, soft: LabPlanes) -> tuple[Tone, ...]:
    """The tone of golden and of pale metal, each over the pixels that are neither in shadow nor burnt out.

    `soft` is the source with its colour at half resolution. Thin reflections lose some of theirs to JPEG: of what the
    two say, the smaller shift counts.
    """
    sharp, dulled = ({tone.family: tone for tone in _tones(pair, zones, planes)} for planes in (pair.source_lab, soft))
    return tuple(min((tone, dulled.get(family, tone)), key=_extent) for family, tone in sharp.items())


def _extent(tone: Tone) -> float:
    return tone.de00


def _tones(pair: Aligned, zones: Zones, source_lab: LabPlanes) -> list[Tone]:
    metal = (pair.alpha > 0.95) & zones.metal_like
    families = families_of(source_lab, pair.edit_lab, metal, piece_px=float(zones.piece.sum()))
    return [_tone(pair, family, own, source_lab) for family, own in families.items()]


def families_of(before: LabPlanes, after: LabPlanes, metal: Mask, *, piece_px: float) -> dict[str, Mask]:
    """The pixels of `metal` whose tone can be compared, golden and pale apart, where there is enough of them.

    Highlights and deep shadow of either picture (CIELAB planes) have no tone. `piece_px` is the area of the piece.
    """
    chroma = np.hypot(before[..., 1], before[..., 2])
    lit = metal & (before[..., 0] > 22) & (before[..., 0] < 93) & (after[..., 0] > 8) & (after[..., 0] < 97)
    families = {"golden": lit & (chroma >= _PALE), "pale": lit & (chroma < _PALE)}
    return {name: own for name, own in families.items() if own.sum() >= max(60, _LEAST_SHARE * piece_px)}


def _tone(pair: Aligned, family: str, own: Mask, source_lab: LabPlanes) -> Tone:
    shift = np.median(pair.edit_lab[own] - source_lab[own], axis=0)
    before = np.median(source_lab[own], axis=0)
    level = np.array([0.0, shift[1], shift[2]])
    de00 = float(delta_e00(before[None].astype(np.float32), (before + level)[None].astype(np.float32))[0])
    after = before + shift
    turn = np.degrees(np.arctan2(after[2], after[1]) - np.arctan2(before[2], before[1]))
    ratio = np.median(np.maximum(pair.edit[own], 1e-3) / np.maximum(pair.source[own], 1e-3), axis=0)
    return Tone(
        family=family,
        before=_triple(before),
        after=_triple(after),
        de00=de00,
        lightness=float(shift[0]),
        hue_turn=float((turn + 180) % 360 - 180),
        area_px=int(own.sum()),
        region=Region.around(own),
        gains=_triple(ratio),
    )


def settle_exposure(pair: Aligned, zones: Zones, limits: VerifyLimits) -> Aligned:
    """`pair` with the exposure of what is not metal where the two disagree.

    The commonest gain is usually the metal's. When stones did not follow it, it was the metal that changed.
    """
    others = (pair.alpha > 0.95) & zones.stone_like & ~zones.metal_like
    first, second = luminance(pair.source), luminance(pair.edit)
    use = others & (first > 0.01) & (first < 0.85) & (second < 0.95)
    if use.sum() < max(150, 0.03 * zones.piece.sum()):
        return pair
    apart = float(np.median(np.log2(np.maximum(second[use], 1e-4) / first[use])))
    stops = math.log2(pair.gain)
    if abs(apart) < limits.metal_apart_ev or abs(stops + apart) > abs(stops):
        return pair
    source: Rgb = np.asarray(pair.source * np.float32(2**apart), np.float32)
    return replace(pair, source=source, source_lab=smooth(lab(source), 0.7), gain=pair.gain * 2**apart)


def neutralised_cast(
    pair: Aligned, zones: Zones, backdrop: tuple[float, float, float] | None, tones: tuple[Tone, ...]
) -> float:
    """The share of the source's colour cast that the edit took out, 0…1, if that alone explains the metal's shift.

    `backdrop` is the source's linear backdrop colour when it is plain and may be neutral; None otherwise. Von Kries'
    diagonal gains.
    """
    if backdrop is None or not tones:
        return 0.0
    chroma = float(np.hypot(*lab(np.asarray(backdrop, np.float32).reshape(1, 1, 3))[0, 0, 1:]))
    if chroma < 2.5:
        return 0.0
    full = float(np.asarray(backdrop) @ (0.2126, 0.7152, 0.0722)) / np.maximum(np.asarray(backdrop), 1e-4)
    # Metal alone may have been recoloured along the very cast: what is not metal has to have lost it too.
    inner = pair.alpha > 0.95
    groups = [group for group in (inner & zones.metal_like, inner & ~zones.metal_like) if group.sum() > _GROUP_PX]
    found = [_taken_out(pair, group, full) for group in groups or [inner]]
    return min(found) if max(found) - min(found) < _APART else 0.0


def _taken_out(pair: Aligned, group: Mask, full: NDArray[np.float64]) -> float:
    """The power of the gains `full` that brings the source's pixels under `group` to the edit's; 0 when none does."""
    step = max(1, int(group.sum()) // 10000)
    source, edit = pair.source[group][::step], pair.edit_lab[group][::step]
    worth: list[tuple[float, float, float]] = []
    for strength in np.linspace(0, 1.1, 12):
        apart = (lab((source * (full**strength).astype(np.float32))[None])[0] - edit)[:, 1:]
        bias = float(np.hypot(*np.median(apart, axis=0)))
        worth.append((float(np.median(np.hypot(*apart.T))), float(strength), bias))
    error, strength, bias = min(worth)
    return strength if strength > 0.1 and bias < _BIAS and error < 0.5 * worth[0][0] else 0.0


def judge_metal(tones: tuple[Tone, ...], cast: float, limits: VerifyLimits) -> list[Finding]:
    """Shifts beyond the limits; with a `cast` that was taken out (its share) a note instead."""
    moved = [tone for tone in tones if tone.has_moved(limits)]
    if moved and cast:
        worst = max(moved, key=lambda tone: tone.de00)
        return [
            Finding(
                "metal",
                "cast-neutralised",
                Severity.NOTE,
                worst.de00,
                limits.metal_de00,
                "ΔE00",
                f"The metal's colour moved by ΔE00 {worst.de00:.1f} because {100 * min(1.0, cast):.0f} % of the "
                "photo's colour cast was "
                "taken out of the whole picture; the metal itself was not recoloured.",
                worst.region,
            )
        ]
    findings = []
    for tone in moved:
        if tone.de00 > limits.metal_de00:
            severity = Severity.BLOCK if tone.de00 > limits.metal_block_de00 else Severity.WARN
            findings.append(Finding(
                "metal", "metal-shift", severity, tone.de00, limits.metal_de00, "ΔE00",
                f"{alloy_of(tone.before)} {_moved(tone)}: ΔE00 {tone.de00:.1f}, {limits.metal_de00:g} allowed. "
                "Restore the source's colour or regenerate.", tone.region,
            ))  # fmt: skip
        else:
            word = "lighter" if tone.lightness > 0 else "darker"
            findings.append(Finding(
                "metal", "metal-lightness", Severity.BLOCK, tone.lightness, limits.metal_lightness, "L*",
                f"{alloy_of(tone.before)} became {word} by {abs(tone.lightness):.0f} L* beside the rest of the piece "
                f"({limits.metal_lightness:g} allowed), as silver does beside steel. Restore the source's "
                "tone.", tone.region,
            ))  # fmt: skip
    return findings


def judge_exposure(pair: Aligned, zones: Zones, tones: tuple[Tone, ...], limits: VerifyLimits) -> list[Finding]:
    """A global lift or cut; a strong one on white metal may as well be another metal, and that is said."""
    stops = math.log2(pair.gain)
    findings = []
    if abs(stops) > limits.exposure_ev:
        findings.append(
            Finding(
                "light",
                "exposure",
                Severity.WARN,
                stops,
                limits.exposure_ev,
                "EV",
                f"The whole picture is {abs(stops):.1f} EV {'lighter' if stops > 0 else 'darker'} than the source, "
                f"{limits.exposure_ev:g} allowed. Adjust less.",
                None,
            )
        )
    pale = next((tone for tone in tones if tone.family == "pale"), None)
    if pale is not None and stops < -limits.metal_exposure_ev and pale.area_px > 0.2 * zones.piece.sum():
        findings.append(
            Finding(
                "metal",
                "metal-darker",
                Severity.WARN,
                stops,
                limits.metal_exposure_ev,
                "EV",
                f"{alloy_of(pale.before)} is {abs(stops):.1f} EV darker than in the source "
                f"({limits.metal_exposure_ev:g} allowed): "
                "silver and white gold look like steel. Restore the source's tone.",
                pale.region,
            )
        )
    return findings


def check_alloy(facts: Facts, tones: tuple[Tone, ...]) -> list[Finding]:
    """The metal that shows in the edit against the metal that the description promises."""
    wanted = alloy_named(facts.metal) if facts.metal else None
    if facts.metal is None or not tones:
        return []
    if wanted is None:
        return [
            Finding(
                "metal",
                "facts-metal-unknown",
                Severity.NOTE,
                None,
                facts.metal,
                "",
                f"The description's metal {facts.metal!r} has no tone that could be compared; known are yellow "
                "gold, rose gold, "
                "white gold, silver, platinum and steel.",
            )
        ]
    shown = {alloy_of(tone.after) for tone in tones if tone.area_px > 0.25 * sum(t.area_px for t in tones)}
    if wanted in shown or (wanted == "White metal" and "Dark metal" in shown):
        return []
    return [
        Finding(
            "metal",
            "facts-metal",
            Severity.WARN,
            " and ".join(sorted(shown)).lower(),
            facts.metal,
            "",
            f"The description says {facts.metal}; the picture shows {' and '.join(sorted(shown)).lower()}. "
            "Correct the description or the colours.",
        )
    ]


def alloy_of(colour: tuple[float, float, float]) -> str:
    """The class of alloy that a colour in CIELAB shows: gold alloys by hue (ISO 8654 names), white metals by chroma."""
    chroma = float(np.hypot(colour[1], colour[2]))
    if chroma < _PALE:
        return "White metal" if colour[0] > 45 else "Dark metal"
    hue = float(np.degrees(np.arctan2(colour[2], colour[1])))
    return "Rose gold" if hue < 66 else "Yellow gold"


def alloy_named(text: str) -> str | None:
    """The class of alloy that a description's words mean, in English, Russian or Kazakh; None when they name none."""
    words = text.lower().replace("_", " ").replace("-", " ")
    classes = (
        ("Rose gold", ("rose", "pink", "red gold", "розов", "красн", "қызғылт", "қызыл")),
        (
            "White metal",
            (
                "white",
                "silver",
                "platin",
                "palladium",
                "steel",
                "rhodi",
                "бел",
                "серебр",
                "платин",
                "сталь",
                "күміс",
                "ақ алтын",
                "болат",
            ),
        ),
        ("Yellow gold", ("yellow", "gold", "brass", "bronze", "жёлт", "желт", "золот", "сары", "алтын")),
    )
    return next((name for name, signs in classes if any(sign in words for sign in signs)), None)


def neutral_backdrop(
    rgb: Rgb, alpha: np.ndarray, *, chroma: float = 28.0, spread: float = 4.0
) -> tuple[float, float, float] | None:
    """The photo's backdrop colour (linear) when it is one plain light thing that may be neutral paper under tinted
    light."""
    away = cv2.dilate(alpha, np.ones((25, 25), np.uint8)) < 0.01
    if away.mean() < 0.1:
        return None
    pixels = rgb[away]
    pixels = pixels[:: max(1, len(pixels) // 20000)]
    shades = lab(pixels[None])[0]
    middle = np.median(shades, axis=0)
    varies = float(np.median(np.abs(shades[:, 1:] - middle[1:]), axis=0).max())
    if varies > spread or middle[0] < _DARKEST_L or float(np.hypot(middle[1], middle[2])) > chroma:
        return None
    return _triple(np.median(pixels, axis=0))


def _triple(values: np.ndarray) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])


def _moved(tone: Tone) -> str:
    chroma = [float(np.hypot(c[1], c[2])) for c in (tone.before, tone.after)]
    if chroma[0] < _PALE and chroma[1] >= chroma[0]:
        hue = float(np.degrees(np.arctan2(tone.after[2], tone.after[1])))
        names = {(-45, 20): "pink", (20, 60): "rose", (60, 110): "yellow", (110, 200): "green", (200, 315): "blue"}
        for (low, high), name in names.items():
            if low <= hue < high or low <= hue + 360 < high:
                return f"took on a {name} tint"
    if abs(tone.hue_turn) < 3:
        return "lost colour" if chroma[1] < chroma[0] else "gained colour"
    return f"moved towards {'yellow' if tone.hue_turn > 0 else 'red'} by {abs(tone.hue_turn):.0f}°"
