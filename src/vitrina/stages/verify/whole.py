"""Checks of the picture as a whole: metal tone, texture, contour, ground, framing."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitrina.imaging.colour import delta_e00, encode_srgb, luminance
from vitrina.imaging.compare import smooth
from vitrina.model import Finding, Mask, Region, Severity
from vitrina.stages.verify.align import Aligned
from vitrina.stages.verify.changes import Residual
from vitrina.stages.verify.limits import VerifyLimits
from vitrina.stages.verify.zones import Zones


@dataclass(frozen=True, slots=True)
class Tone:
    """Colour of one family of metal before and after, lightness taken out."""

    family: str
    before: tuple[float, float, float]
    after: tuple[float, float, float]
    de00: float
    hue_turn: float
    area_px: int
    region: Region | None
    mask: Mask
    shift: np.ndarray


def metal_tones(pair: Aligned, zones: Zones, rest: Residual) -> tuple[Tone, ...]:
    """The tone of golden and of pale metal, each where the structure itself did not change."""
    chroma = np.hypot(pair.source_lab[..., 1], pair.source_lab[..., 2])
    lightness = pair.source_lab[..., 0]
    same = (pair.alpha > 0.95) & zones.metal_like & (lightness > 22) & (lightness < 93) & (pair.edit_lab[..., 0] < 97)
    same &= np.abs(rest.shift[..., 0]) < 14
    tones = []
    for family, own in (("golden", same & (chroma >= 9)), ("pale", same & (chroma < 9))):
        if own.sum() < max(60, 0.012 * zones.piece.sum()):
            continue
        shift = np.median(pair.edit_lab[own] - pair.source_lab[own], axis=0)
        before = np.median(pair.source_lab[own], axis=0)
        level = np.array([0.0, shift[1], shift[2]])
        de00 = float(delta_e00(before[None].astype(np.float32), (before + level)[None].astype(np.float32))[0])
        after = before + shift
        turn = np.degrees(np.arctan2(after[2], after[1]) - np.arctan2(before[2], before[1]))
        tones.append(
            Tone(
                family,
                _triple(before),
                _triple(after),
                de00,
                float((turn + 180) % 360 - 180),
                int(own.sum()),
                Region.around(own),
                own,
                shift.astype(np.float32),
            )
        )
    return tuple(tones)


def judge_metal(tones: tuple[Tone, ...], limits: VerifyLimits) -> list[Finding]:
    findings = []
    for tone in tones:
        if tone.de00 <= limits.metal_de00:
            continue
        severity = Severity.BLOCK if tone.de00 > limits.metal_block_de00 else Severity.WARN
        findings.append(
            Finding(
                "metal",
                "metal-shift",
                severity,
                tone.de00,
                limits.metal_de00,
                "ΔE00",
                f"{_alloy(tone.before)} {_moved(tone)}: ΔE00 {tone.de00:.1f}, {limits.metal_de00:g} allowed. "
                "Restore the source's colour or regenerate.",
                tone.region,
            )  # fmt: skip
        )
    return findings


def judge_texture(pair: Aligned, zones: Zones, changed: Mask, limits: VerifyLimits) -> tuple[list[Finding], float]:
    """Fine contrast inside the piece, where nothing else changed: smoothed facets and hammering.

    Least-squares gain of the edit's 1–2.5 px band on the source's, over the source's strong detail (above its noise).
    """
    source = encode_srgb(luminance(pair.source))
    edit = encode_srgb(luminance(pair.edit))
    bands = [smooth(plane, 1.0) - smooth(plane, 2.5) for plane in (source, edit)]
    inner = cv2.erode((pair.alpha > 0.98).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    use = inner & (cv2.dilate(changed.astype(np.uint8), np.ones((9, 9), np.uint8)) == 0)
    if use.sum() < 200:
        use = inner
    if use.sum() < 200:
        use = pair.alpha > 0.9
    if use.sum() < 64:
        return [], 1.0
    level = max(0.012, float(np.percentile(np.abs(bands[0][use]), 75)))
    strong = use & (np.abs(bands[0]) > level)
    if strong.sum() < 40:
        return [], 1.0
    gain = float((bands[0][strong] * bands[1][strong]).sum() / (bands[0][strong] ** 2).sum())
    if gain >= limits.texture_gain:
        return [], gain
    finding = Finding(
        "texture", "smoothed", Severity.BLOCK if gain < limits.texture_gain - 0.08 else Severity.WARN, gain, limits.texture_gain,
        "contrast ratio",
        f"Fine detail keeps {100 * gain:.0f} % of its contrast, {100 * limits.texture_gain:.0f} % needed: facets or metal texture "
        "were smoothed. Regenerate without enhancement.",
        Region.around(strong),
    )  # fmt: skip
    return [finding], gain


def judge_contour(
    pair: Aligned, rest: Residual, zones: Zones, limits: VerifyLimits
) -> tuple[list[Finding], dict[str, float], Mask]:
    """Halo outside and erosion inside the contour; the returned mask is what they explain."""
    scale = max(1.0, pair.extent_px / 700)
    reach = round(2.0 * scale) + 2
    solid = (pair.alpha > 0.5).astype(np.uint8)
    outside = cv2.distanceTransform(1 - solid, cv2.DIST_L2, 3)
    inside = cv2.distanceTransform(solid, cv2.DIST_L2, 3)
    valid = pair.covered
    ring = (outside > 1.5) & (outside <= reach) & (pair.alpha < 0.03) & valid
    foreign = ring & (rest.ground > 10)
    tinted = np.hypot(*np.moveaxis(pair.edit_lab[..., 1:] - pair.ground.surface[..., 1:], -1, 0))
    # A contact shadow is darkest at the rim too, but it goes on beyond the reach; a halo ends.
    beyond = (outside > 2.2 * reach) & (outside <= 3.4 * reach) & (pair.alpha < 0.01) & valid
    spill = _near_value(rest.ground, beyond, 3.0 * reach)
    sharp = foreign & ((rest.ground > 2.2 * spill + 6) | (tinted > 8))
    halo = float(sharp.sum()) / max(1, int(ring.sum()))
    rim = (inside > 0.5) & (inside <= 1.0 + 1.0 * scale) & (pair.alpha > 0.8) & valid
    gone = rim & (rest.product > limits.change_de * 0.7) & (rest.ground < 8)
    eroded = float(gone.sum()) / max(1, int(rim.sum()))
    findings = []
    explained = np.zeros_like(rim)
    if halo > limits.halo_share:
        explained |= (outside <= 2.5 * reach) & (pair.alpha < 0.5) & (rest.ground > 7)
        findings.append(Finding(
            "edges", "halo", Severity.BLOCK, halo, limits.halo_share, "share of the contour",
            f"A foreign rim lies along {100 * halo:.0f} % of the contour, {100 * limits.halo_share:.0f} % allowed. "
            "Cut out again from the source.", Region.around(zones.piece),
        ))  # fmt: skip
    if eroded > limits.eroded_share:
        explained |= (rest.ground < 8) & (inside <= 2.5 + 2.5 * scale) & (pair.alpha > 0.3)
        findings.append(Finding(
            "edges", "eroded", Severity.BLOCK, eroded, limits.eroded_share, "share of the contour",
            f"The outer rim is gone along {100 * eroded:.0f} % of the contour, {100 * limits.eroded_share:.0f} % allowed. "
            "Cut out again with a softer edge.", Region.around(zones.piece),
        ))  # fmt: skip
    return findings, {"halo_share": halo, "eroded_share": eroded}, explained


def _near_value(plane: np.ndarray, where: Mask, radius: float) -> np.ndarray:
    weight = cv2.GaussianBlur(where.astype(np.float32), (0, 0), radius)
    return cv2.GaussianBlur(plane * where, (0, 0), radius) / np.maximum(weight, 1e-3)


def judge_ground(pair: Aligned, limits: VerifyLimits) -> tuple[list[Finding], dict[str, object]]:
    """Neutral, light and even, as a main picture's ground must be."""
    lightness, a, b = pair.ground.lab
    chroma = float(np.hypot(a, b))
    findings = []
    whole = Region(0, 0, pair.size.width, pair.size.height)
    if chroma > limits.ground_chroma:
        findings.append(Finding(
            "background", "tinted", Severity.BLOCK, chroma, limits.ground_chroma, "C*ab",
            f"The background is tinted (chroma {chroma:.1f}, {limits.ground_chroma:g} allowed). Use white or neutral light grey.", whole,
        ))  # fmt: skip
    if lightness < limits.ground_min_l:
        findings.append(Finding(
            "background", "dark", Severity.BLOCK if lightness < limits.ground_min_l - 12 else Severity.WARN, lightness,
            limits.ground_min_l, "L*",
            f"The background is dark (L* {lightness:.0f}, at least {limits.ground_min_l:g}). Use white or light grey.", whole,
        ))  # fmt: skip
    if pair.ground.range_l > limits.ground_range_l:
        findings.append(Finding(
            "background", "uneven", Severity.BLOCK, pair.ground.range_l, limits.ground_range_l, "L* range",
            f"The background runs over {pair.ground.range_l:.0f} L* steps, {limits.ground_range_l:g} allowed. Use an even ground.", whole,
        ))  # fmt: skip
    if pair.ground.support < 0.6 or pair.ground.roughness > 6:
        findings.append(Finding(
            "background", "busy", Severity.BLOCK, pair.ground.roughness, 6.0, "Lab",
            "The background is not plain. Put the piece on white or neutral light grey.", whole,
        ))  # fmt: skip
    measures = {
        "lab": pair.ground.lab,
        "chroma": chroma,
        "range_l": pair.ground.range_l,
        "roughness": pair.ground.roughness,
    }
    return findings, measures


def judge_framing(pair: Aligned, limits: VerifyLimits) -> list[Finding]:
    if pair.lost <= limits.frame_lost:
        return []
    height, width = pair.alpha.shape
    edge = np.zeros_like(pair.alpha, bool)
    edge[:3], edge[-3:], edge[:, :3], edge[:, -3:] = True, True, True, True
    region = Region.around(edge & (pair.alpha > 0.3)) or Region(0, 0, width, height)
    return [Finding(
        "framing", "clipped", Severity.BLOCK, pair.lost, limits.frame_lost, "share of the piece",
        f"{100 * pair.lost:.1f} % of the piece lies outside the frame. Frame it whole.", region,
    )]  # fmt: skip


def judge_exposure(pair: Aligned, limits: VerifyLimits) -> list[Finding]:
    stops = float(np.log2(pair.gain))
    if abs(stops) <= limits.exposure_ev:
        return []
    return [Finding(
        "light", "exposure", Severity.WARN, stops, limits.exposure_ev, "EV",
        f"The whole picture is {abs(stops):.1f} EV {'lighter' if stops > 0 else 'darker'} than the source, "
        f"{limits.exposure_ev:g} allowed. Adjust less.", None,
    )]  # fmt: skip


def _triple(values: np.ndarray) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])


def _alloy(colour: tuple[float, float, float]) -> str:
    chroma = float(np.hypot(colour[1], colour[2]))
    if chroma < 9:
        return "White metal" if colour[0] > 45 else "Dark metal"
    hue = float(np.degrees(np.arctan2(colour[2], colour[1])))
    return "Rose gold" if hue < 66 else "Yellow gold"


def _moved(tone: Tone) -> str:
    chroma = [float(np.hypot(c[1], c[2])) for c in (tone.before, tone.after)]
    if chroma[0] < 9 and chroma[1] >= chroma[0]:
        hue = float(np.degrees(np.arctan2(tone.after[2], tone.after[1])))
        names = {(-45, 20): "pink", (20, 60): "rose", (60, 110): "yellow", (110, 200): "green", (200, 315): "blue"}
        for (low, high), name in names.items():
            if low <= hue < high or low <= hue + 360 < high:
                return f"took on a {name} tint"
    if abs(tone.hue_turn) < 3:
        return "lost colour" if chroma[1] < chroma[0] else "gained colour"
    return f"moved towards {'yellow' if tone.hue_turn > 0 else 'red'} by {abs(tone.hue_turn):.0f}°"
