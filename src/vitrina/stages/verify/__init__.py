"""Verify: does the edit, made by any tool, still show the very piece in the source?

`align` brings both onto one canvas, `changes` finds what the source does not explain, `zones` and `naming` say what
that was, `whole` judges metal, texture, contour, ground and framing. Every threshold is in `limits`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np

from vitrina.errors import UsageError
from vitrina.imaging.colour import decode_srgb
from vitrina.imaging.compare import strength
from vitrina.imaging.register import local_affine
from vitrina.model import Alpha, Finding, Judgement, Mask, Placement, Region, Rgb, Severity, Source
from vitrina.plugins import Segmenter
from vitrina.stages.verify.align import Aligned, align, touches_frame
from vitrina.stages.verify.census import check_stones, coloured_stones
from vitrina.stages.verify.changes import Change, Residual, find_changes, residuals, subsampled
from vitrina.stages.verify.contour import judge_contour
from vitrina.stages.verify.detail import is_only_smooth, is_retouched, judge_detail, removed_detail, unexplained
from vitrina.stages.verify.distortion import judge_distortion
from vitrina.stages.verify.doubt import without_matte_errors
from vitrina.stages.verify.facts import Facts, load_facts
from vitrina.stages.verify.limits import LIMITS, VerifyLimits
from vitrina.stages.verify.marks import judge_marks
from vitrina.stages.verify.messages import describe
from vitrina.stages.verify.metal import (
    Tone,
    alloy_of,
    check_alloy,
    judge_exposure,
    judge_metal,
    metal_tones,
    neutral_backdrop,
    neutralised_cast,
    settle_exposure,
)  # fmt: skip
from vitrina.stages.verify.naming import name_change
from vitrina.stages.verify.outline import judge_outline
from vitrina.stages.verify.overlay import judge_faint_print
from vitrina.stages.verify.prepared import Prepared, prepare
from vitrina.stages.verify.settle import settle_matte
from vitrina.stages.verify.whole import judge_framing, judge_ground
from vitrina.stages.verify.zones import Zones, find_zones

__all__ = [
    "LIMITS", "Examination", "Facts", "Prepared", "VerifyLimits", "examine", "examine_prepared", "load_facts",
    "prepare", "verify",
]  # fmt: skip

SCHEMA = "vitrina.verify/1"


@dataclass(frozen=True, slots=True)
class Examination:
    """A judgement and what it rests on; `pair` and `rest` are None when the piece was not found in the edit."""

    judgement: Judgement
    pair: Aligned | None = None
    rest: Residual | None = None
    zones: Zones | None = None

    def heatmap(self) -> Rgb:
        """The edit in grey with the unexplained differences laid over it, yellow to red, in the work frame (linear)."""
        if self.pair is None or self.rest is None:
            raise UsageError("no heatmap: the piece could not be found in the edit.")
        grey = np.repeat(self.pair.edit.mean(axis=-1, keepdims=True), 3, axis=-1) * 0.6 + 0.2
        value = np.where(self.rest.inside, self.rest.product, self.rest.ground)
        heat = np.clip(cv2.GaussianBlur(value.astype(np.float32), (0, 0), 1.2) / 40, 0, 1)
        table = cv2.applyColorMap(np.rint(heat * 255).astype(np.uint8), cv2.COLORMAP_HOT)[..., ::-1]
        weight = np.clip(heat * 2.5, 0, 1)[..., None]
        out = np.asarray(grey * (1 - weight) + decode_srgb(np.ascontiguousarray(table)) * weight, np.float32)
        return np.ascontiguousarray(out[:, ::-1]) if self.pair.mirrored else out


def verify(
    source: Source,
    edit: Source,
    *,
    segmenter: Segmenter | None = None,
    matte: Alpha | None = None,
    facts: Facts | None = None,
    limits: VerifyLimits = LIMITS,
) -> Judgement:
    """Judge `edit` against `source`.

    `matte` is the source's alpha at its size; without it the piece is cut out by `segmenter`.

    Raises UsageError when neither is given or the matte has another shape.
    """
    return examine(source, edit, segmenter=segmenter, matte=matte, facts=facts, limits=limits).judgement


def examine(
    source: Source,
    edit: Source,
    *,
    segmenter: Segmenter | None = None,
    matte: Alpha | None = None,
    facts: Facts | None = None,
    limits: VerifyLimits = LIMITS,
) -> Examination:
    """`verify`, keeping the registered pair for pictures of what was found."""
    prepared = prepare(source, segmenter=segmenter, matte=matte, limits=limits)
    return examine_prepared(prepared, edit, facts=facts, limits=limits)


def examine_prepared(
    prepared: Prepared,
    edit: Source,
    *,
    facts: Facts | None = None,
    limits: VerifyLimits = LIMITS,
    placement: Placement | None = None,
) -> Examination:
    """`examine` with the source's side made beforehand.

    `placement` says where the edit's maker put the source's pixels: a start that is checked, never believed.
    """
    clock = _Clock({"matte": prepared.seconds, "total": prepared.seconds})
    small, alpha, is_given = prepared.small, prepared.alpha, prepared.is_given
    notes: list[Finding] = []
    if alpha.max() < 0.5:
        return Examination(
            Judgement(SCHEMA, (*notes, _unmatched("no piece was found in the source")), {}, clock.seconds)
        )
    pair = align(small, alpha, edit.rgb, limits, hint=placement.matrix() if placement is not None else None)
    clock.lap("register")
    if pair is None:
        return Examination(Judgement(SCHEMA, (*notes, _unmatched("the edit shows no such piece")), {}, clock.seconds))
    if pair.extent_px / pair.scale < limits.least_extent_px:
        return Examination(Judgement(SCHEMA, (*notes, _too_small(pair, limits)), {}, clock.seconds), pair)
    if not is_given:
        pair = settle_matte(pair, small, alpha)
        limits = limits.for_settled_matte()
        notes.append(
            Finding(
                "edges",
                "matte-settled",
                Severity.NOTE,
                None,
                None,
                "",
                "No matte of the source was given: it was settled from the network and the pair itself, and the "
                "limits for edges and specks are wider. --matte makes the check stricter.",
            )
        )
        if not touches_frame(strength(pair.edit_lab - pair.ground.surface) > 10):
            pair = replace(pair, lost=0.0)
        clock.lap("settle")
    zones = find_zones(pair)
    pair = settle_exposure(pair, zones, limits)
    soft = subsampled(pair)
    tones = metal_tones(pair, zones, soft)
    moved = [tone for tone in tones if tone.has_moved(limits)]
    cast = neutralised_cast(pair, zones, neutral_backdrop(small.rgb, alpha), tones) if moved else 0.0
    metal = [*judge_metal(tones, cast, limits), *judge_exposure(pair, zones, tones, limits)]
    gains = max(moved, key=lambda tone: tone.de00 + abs(tone.lightness) / 4).gains if moved else None
    rest = residuals(pair, soft, gains, zones.piece if cast else zones.metal_like)
    clock.lap("compare")
    contour = judge_contour(pair, rest, limits)
    if not is_given:
        contour = judge_outline(pair, contour, limits)
    changes = find_changes(pair, rest, limits, without=contour.explained if contour.findings else None)
    if not is_given:
        changes = without_matte_errors(changes, pair, small, alpha)
    changed: Mask = np.zeros(pair.alpha.shape, bool)
    for change in changes:
        changed |= change.mask
    detail = judge_detail(pair, changed, zones.chain | zones.clasp, limits, is_given=is_given)
    gain = detail.gain
    bent, displaced = judge_distortion(pair, limits)
    named = [(change, name_change(change, pair, zones)) for change in changes]
    if moved:
        named = [(change, names) for change, names in named if not _is_metal_drift(change, zones)]
    if any(finding.code in ("smoothed", "over-sharpened") for finding in detail.findings):
        named = [(change, names) for change, names in named if not is_only_smooth(change)]
    named = [(change, names) for change, names in named if not is_retouched(change, detail.removed, pair, rest, limits)]
    texture = [*detail.findings, *removed_detail(unexplained(detail.removed, named), pair, limits)]
    ground, ground_measures = judge_ground(pair, limits)
    findings = [*notes, *_geometry(pair, limits), *bent, *metal, *contour.findings, *texture, *ground]
    findings += judge_framing(pair, limits)
    findings += describe(named, limits)
    if not any(finding.check in ("text", "background") for finding in findings):
        findings += judge_faint_print(pair, changed | contour.explained, limits)
    findings += judge_marks(facts.marks if facts else (), pair, small.scale)
    findings += _unchecked(
        geometry=displaced is None, metal=not tones and bool(zones.metal_like.any()), texture=gain is None
    )
    clock.lap("judge")
    findings = [replace(finding, region=pair.to_edit(finding.region)) for finding in findings]
    before, after = coloured_stones(pair.source_lab, pair.alpha), coloured_stones(pair.edit_lab, pair.alpha)
    measures: dict[str, Any] = {
        "registration_px": displaced.typical / pair.scale if displaced else None,
        "registration": {
            "correlation": pair.fit.correlation, "matrix": pair.matrix, "scale": pair.scale, "mirrored": pair.mirrored,
            "outside_frame": pair.lost,
        },
        "exposure_ev": float(np.log2(pair.gain)),
        "metal": _metal_measures(tones),
        "stones": {
            "changed": sum(1 for _, names in named if names[0].check == "stones"),
            "coloured_before": len(before), "coloured_after": len(after),
            "before": [pair.to_edit(region) for region in before],
            "after": [pair.to_edit(region) for region in after],
        },
        "chain": {"holes": len(zones.holes), "clasp_seen": bool(zones.clasp.any())},
        "edges": contour.measures,
        "texture": {"gain": gain},
        "geometry": {"warp_px": displaced.local / pair.scale if displaced else None},
        "background": ground_measures,
    }  # fmt: skip
    findings += [
        replace(finding, region=pair.to_edit(finding.region)) for finding in _facts(facts, pair, zones, tones, after)
    ]
    judgement = Judgement(SCHEMA, tuple(findings), measures, clock.seconds)
    return Examination(judgement, pair, rest, zones)


def _is_metal_drift(change: Change, zones: Zones) -> bool:
    """A smooth colour change on metal whose tone has been found to move as a whole says nothing new."""
    return change.drifted and float((change.mask & zones.metal_like).sum()) > 0.4 * change.area_px


def _geometry(pair: Aligned, limits: VerifyLimits) -> list[Finding]:
    findings = []
    whole = Region.around(pair.alpha > 0.5)
    if pair.mirrored:
        findings.append(
            Finding(
                "geometry",
                "mirrored",
                Severity.BLOCK,
                1,
                0,
                "",
                "The piece is mirrored. Use the picture the right way round.",
                whole,
            )
        )
    values = np.linalg.svd(local_affine(pair.matrix, pair.source_centre), compute_uv=False)
    stretch = float(values[0] / values[1] - 1)
    if stretch > limits.stretch:
        findings.append(
            Finding(
                "geometry",
                "stretched",
                Severity.BLOCK,
                stretch,
                limits.stretch,
                "ratio",
                f"Proportions changed by {100 * stretch:.1f} %, {100 * limits.stretch:.0f} % allowed. Scale "
                "both sides alike.",
                whole,
            )
        )
    if pair.fit.correlation_shown < limits.match_poor and pair.fit.agreement < 2 * limits.match_agreement:
        findings.append(
            Finding(
                "geometry",
                "poor-match",
                Severity.WARN,
                pair.fit.correlation_shown,
                limits.match_poor,
                "correlation",
                "Large parts of the piece do not match the source: compare by eye.",
                whole,
            )
        )
    return findings


def _facts(
    facts: Facts | None, pair: Aligned, zones: Zones, tones: tuple[Tone, ...], stones: tuple[Region, ...]
) -> list[Finding]:
    if facts is None:
        return []
    findings = check_alloy(facts, tones)
    if facts.pieces is not None and facts.pieces != len(zones.components):
        findings.append(
            Finding(
                "pieces",
                "facts-pieces",
                Severity.WARN,
                len(zones.components),
                facts.pieces,
                "pieces",
                f"The description says {facts.pieces} piece(s); {len(zones.components)} separate object(s) "
                "show. Check the set.",
            )
        )
    findings += check_stones(facts, pair, stones)
    if facts.links is not None:
        findings.append(
            Finding(
                "chain",
                "facts-links-uncounted",
                Severity.WARN,
                None,
                facts.links,
                "links",
                f"The description says {facts.links} links; they are compared with the source but not counted, since "
                "a link lying edge-on shows no hole. Count by eye.",
            )
        )
    return findings


def _metal_measures(tones: tuple[Tone, ...]) -> dict[str, Any]:
    return {
        tone.family: {
            "before_lab": tone.before, "after_lab": tone.after, "de00": tone.de00, "lightness": tone.lightness,
            "hue_turn": tone.hue_turn, "before": alloy_of(tone.before), "after": alloy_of(tone.after),
        }
        for tone in tones
    }  # fmt: skip


def _too_small(pair: Aligned, limits: VerifyLimits) -> Finding:
    extent = pair.extent_px / pair.scale
    return Finding(
        "geometry",
        "too-small",
        Severity.BLOCK,
        extent,
        limits.least_extent_px,
        "px",
        f"The piece is {extent:.0f} px large in the edit, {limits.least_extent_px} px needed: nothing can be compared. "
        "Give the full-size picture.",
        Region(0, 0, max(1, round(pair.size.width / pair.scale)), max(1, round(pair.size.height / pair.scale))),
    )


def _unchecked(*, geometry: bool, metal: bool, texture: bool) -> list[Finding]:
    """What could not be measured on this pair is said, so that silence is never mistaken for a pass."""
    reasons = {
        "geometry": (geometry, "too few distinct corners could be followed: local warps were not measured."),
        "metal": (metal, "too little evenly lit metal shows: its tone was not measured."),
        "texture": (texture, "the source has too little fine detail: smoothing was not measured."),
    }
    return [
        Finding(check, "unchecked", Severity.NOTE, None, None, "", f"{why[0].upper()}{why[1:]} Compare by eye.")
        for check, (is_so, why) in reasons.items()
        if is_so
    ]


def _unmatched(why: str) -> Finding:
    return Finding(
        "geometry",
        "no-match",
        Severity.BLOCK,
        None,
        None,
        "",
        f"The edit cannot be matched to the source: {why}. Reject it, or check that both show the same piece "
        "from the same side.",
    )


@dataclass(slots=True)
class _Clock:
    seconds: dict[str, float] = field(default_factory=dict)
    now: Callable[[], float] = time.perf_counter
    last: float = field(default_factory=time.perf_counter)

    def lap(self, name: str) -> None:
        moment = self.now()
        self.seconds[name] = moment - self.last
        self.seconds["total"] = self.seconds.get("total", 0.0) + moment - self.last
        self.last = moment
