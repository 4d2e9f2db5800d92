"""One file against one slot of a pack: what is broken, by how much, by whose word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from vitrina.imaging.geometry import frame_fill
from vitrina.model import FileFacts, Finding, Rgb, Severity, Size
from vitrina.rules.load import find_slot
from vitrina.rules.pack import (
    AspectRule,
    BytesRule,
    FillRule,
    FlagRule,
    FormatRule,
    GroundRule,
    Pack,
    QualityRule,
    Rule,
    SizeRule,
    Slot,
)  # fmt: skip
from vitrina.rules.pixels import border_depth, piece_box, rim_of


def evaluate(facts: FileFacts, image: Rgb | None, pack: Pack, slot: str, *, today: date) -> list[Finding]:
    """Every rule of `slot` that the file breaks, and whether the pack itself is still fresh on `today`.

    Ground, frame fill and border are measured on `image` (linear, upright); without it they are not judged. A rule of
    low confidence never blocks.
    """
    place = find_slot(pack, slot)
    findings = check_age(pack, today=today)
    for family, judge in _FILE_RULES.items():
        findings += _worst([found for rule in getattr(place, family) for found in judge(facts, rule, pack, place)])
    if image is not None:
        for family, look in _PIXEL_RULES.items():
            rules = [rule for rule in getattr(place, family) if rule.level != "unknown"]
            if rules:
                findings += _worst(list(look(image, rules, pack, place)))
    return findings


def check_age(pack: Pack, *, today: date) -> list[Finding]:
    """A warning once a pack should be read again, a block once it is too old to trust."""
    remedy = f"Read the marketplace's help page, then: vitrina rules confirm {pack.market} --who NAME"
    if today > pack.stop_after:
        return [
            Finding(
                "rules", "pack-expired", Severity.BLOCK, today.isoformat(), pack.stop_after.isoformat(), "date",
                f"The rules for {pack.name} were read on {pack.read_on} and may not be used after {pack.stop_after}. "
                f"{remedy}",
            )
        ]  # fmt: skip
    if today > pack.reread_by:
        return [
            Finding(
                "rules", "pack-stale", Severity.WARN, today.isoformat(), pack.reread_by.isoformat(), "date",
                f"The rules for {pack.name} were read on {pack.read_on}; they were to be read again by "
                f"{pack.reread_by}. {remedy}",
            )
        ]  # fmt: skip
    return []


def check_count(pictures: int, pack: Pack) -> list[Finding]:
    """Whether a listing may have this many pictures."""
    found = []
    for rule in pack.count:
        if rule.max is not None and pictures > rule.max:
            said = f"{pictures} pictures, at most {rule.max}"
            found.append(_finding("too-many", pictures, rule.max, "pictures", said, "Leave some out", rule, pack, None))
        if rule.min is not None and pictures < rule.min:
            said = f"{pictures} pictures, at least {rule.min}"
            found.append(_finding("too-few", pictures, rule.min, "pictures", said, "Add one", rule, pack, None))
    return _worst(found)


def size_limits(rule: SizeRule, size: Size) -> Iterator[tuple[float, float, str]]:
    """Measured value, limit and unit of each limit a rule names."""
    pairs: tuple[tuple[float, float | None, str], ...] = (
        (size.width, rule.width, "px width"),
        (size.height, rule.height, "px height"),
        (max(size.width, size.height), rule.long_side, "px long side"),
        (min(size.width, size.height), rule.short_side, "px short side"),
        (size.width + size.height, rule.width_plus_height, "px width + height"),
        (round(size.megapixels, 2), rule.megapixels, "megapixels"),
    )
    for measured, limit, unit in pairs:
        if limit is not None:
            yield measured, limit, unit


def _min_size(facts: FileFacts, rule: SizeRule, pack: Pack, slot: Slot) -> Iterator[Finding]:
    for measured, limit, unit in size_limits(rule, facts.size):
        if measured < limit:
            yield _finding(
                "too-small", measured, limit, unit, f"{facts.size} px: {_n(measured)} {unit}, at least {_n(limit)}",
                "Photograph closer or export larger; do not upscale", rule, pack, slot,
            )  # fmt: skip


def _max_size(facts: FileFacts, rule: SizeRule, pack: Pack, slot: Slot) -> Iterator[Finding]:
    for measured, limit, unit in size_limits(rule, facts.size):
        if measured > limit:
            yield _finding(
                "too-large", measured, limit, unit, f"{facts.size} px: {_n(measured)} {unit}, at most {_n(limit)}",
                f"Export at {slot.target.size} px", rule, pack, slot,
            )  # fmt: skip


def _max_bytes(facts: FileFacts, rule: BytesRule, pack: Pack, slot: Slot) -> Iterator[Finding]:
    if rule.max is not None and facts.bytes > rule.max:
        yield _finding(
            "bytes", facts.bytes, rule.max, "bytes", f"{facts.bytes / 1e6:.1f} MB, at most {rule.max / 1e6:.1f} MB",
            "Export at a lower quality or size", rule, pack, slot,
        )  # fmt: skip


def _format(facts: FileFacts, rule: FormatRule, pack: Pack, slot: Slot) -> Iterator[Finding]:
    if rule.any_of and facts.format not in rule.any_of:
        allowed = ", ".join(rule.any_of)
        yield _finding(
            "format", facts.format, allowed, "format", f"the file is {facts.format}, taken are {allowed}",
            "Export as JPEG", rule, pack, slot,
        )  # fmt: skip


def _quality(facts: FileFacts, rule: QualityRule, pack: Pack, slot: Slot) -> Iterator[Finding]:
    if rule.min is not None and facts.jpeg_quality is not None and facts.jpeg_quality < rule.min:
        yield _finding(
            "jpeg-quality", facts.jpeg_quality, rule.min, "quality",
            f"JPEG quality about {facts.jpeg_quality}, at least {rule.min}",
            f"Export again from the master at {max(slot.target.quality, rule.min)}", rule, pack, slot,
        )  # fmt: skip


def _aspect(facts: FileFacts, rule: AspectRule, pack: Pack, slot: Slot) -> Iterator[Finding]:
    wanted = rule.width_over_height
    measured = facts.size.width / facts.size.height
    if wanted is not None and abs(measured / wanted - 1) > rule.tolerance:
        yield _finding(
            "aspect", round(measured, 3), round(wanted, 3), "width : height",
            f"{facts.size} px is {measured:.2f} : 1, wanted is {rule.ratio}", f"Crop to {rule.ratio}", rule, pack, slot,
        )  # fmt: skip


def _srgb(facts: FileFacts, rule: FlagRule, pack: Pack, slot: Slot) -> Iterator[Finding]:
    profile = facts.icc_description
    if profile is not None and facts.mode != "CMYK" and "srgb" not in profile.lower():
        yield _finding(
            "not-srgb", profile, "sRGB", "profile", f"the colour profile is {profile}, wanted is sRGB",
            "Convert to sRGB", rule, pack, slot,
        )  # fmt: skip


def _cmyk(facts: FileFacts, rule: FlagRule, pack: Pack, slot: Slot) -> Iterator[Finding]:
    if facts.mode == "CMYK":
        yield _finding(
            "cmyk", "CMYK", "RGB", "mode", "the file is CMYK, wanted is RGB", "Convert to sRGB", rule, pack, slot
        )


def _transparency(facts: FileFacts, rule: FlagRule, pack: Pack, slot: Slot) -> Iterator[Finding]:
    if facts.has_alpha:
        yield _finding(
            "alpha", "transparent", "opaque", "channel", "the file has a transparency channel, wanted is none",
            "Lay it on its ground and export as JPEG", rule, pack, slot,
        )  # fmt: skip


def _animation(facts: FileFacts, rule: FlagRule, pack: Pack, slot: Slot) -> Iterator[Finding]:
    if facts.frames > 1:
        yield _finding(
            "animated", facts.frames, 1, "frames", f"{facts.frames} frames, 1 allowed",
            "Export a still picture", rule, pack, slot,
        )  # fmt: skip


def _ground(image: Rgb, rules: list[GroundRule], pack: Pack, slot: Slot) -> Iterator[Finding]:
    rim = rim_of(image)
    for rule in rules:
        if rule.kind == "white" and rim.lowest < rule.white - rule.tolerance:
            limit = rule.white - rule.tolerance
            yield _finding(
                "background-not-white", rim.lowest, limit, "8-bit code",
                f"the rim of the picture goes down to {rim.lowest}, white is {limit} or more",
                "Dress the piece on pure white and keep it off the edge", rule, pack, slot,
                check="background",
            )  # fmt: skip
        if rule.kind == "neutral" and rim.chroma > rule.chroma:
            yield _finding(
                "background-not-neutral", round(rim.chroma, 1), rule.chroma, "C*ab",
                f"the background is coloured: C* {rim.chroma:.0f}, neutral is up to {rule.chroma:g}",
                "Dress the piece on white or light grey", rule, pack, slot, check="background",
            )  # fmt: skip
        elif rule.kind == "neutral" and rim.spread > rule.spread:
            yield _finding(
                "background-uneven", round(rim.spread, 1), rule.spread, "ΔE76",
                f"the background varies by ΔE {rim.spread:.0f} along the edge, even is up to {rule.spread:g}",
                "Dress the piece on white or light grey", rule, pack, slot, check="background",
            )  # fmt: skip


def _fill(image: Rgb, rules: list[FillRule], pack: Pack, slot: Slot) -> Iterator[Finding]:
    box = piece_box(image)
    for rule in rules:
        if rule.min is None:
            continue
        if box is None:
            yield _finding(
                "fill-unknown", None, rule.min, "share", "the piece cannot be told from the background",
                "Measure its share of the frame by hand", rule, pack, slot, check="framing", at_most=Severity.WARN,
            )  # fmt: skip
            continue
        fill = frame_fill(box, Size(image.shape[1], image.shape[0]))
        if fill < rule.min - 0.005:
            found = _finding(
                "fill-low", round(fill, 3), rule.min, "share",
                f"the piece fills {fill:.0%} of the frame, at least {rule.min:.0%}",
                "Crop closer", rule, pack, slot, check="framing",
            )  # fmt: skip
            yield replace(found, region=box)


def _border(image: Rgb, rules: list[FlagRule], pack: Pack, slot: Slot) -> Iterator[Finding]:
    depth = border_depth(image) if any(not rule.allowed for rule in rules) else None
    for rule in rules:
        if depth is not None and not rule.allowed:
            yield _finding(
                "border", depth, 0, "px", f"a border is drawn around the picture, {depth} px deep; none is allowed",
                "Crop it off", rule, pack, slot, check="framing",
            )  # fmt: skip


def _flag(judge: Callable[..., Iterator[Finding]]) -> Callable[..., Iterator[Finding]]:
    """`judge`, silent where the pack allows the thing."""

    def judged(facts: FileFacts, rule: FlagRule, pack: Pack, slot: Slot) -> Iterator[Finding]:
        return iter(()) if rule.allowed or rule.level == "unknown" else judge(facts, rule, pack, slot)

    return judged


_FILE_RULES: dict[str, Callable[[FileFacts, Any, Pack, Slot], Iterator[Finding]]] = {
    "min_size": _min_size, "max_size": _max_size, "max_bytes": _max_bytes, "formats": _format,
    "jpeg_quality": _quality, "aspect": _aspect, "srgb": _flag(_srgb), "cmyk": _flag(_cmyk),
    "transparency": _flag(_transparency), "animation": _flag(_animation),
}  # fmt: skip
_PIXEL_RULES: dict[str, Callable[[Rgb, Any, Pack, Slot], Iterator[Finding]]] = {
    "ground": _ground, "frame_fill": _fill, "border": _border,
}  # fmt: skip
_RANK = {Severity.BLOCK: 2, Severity.WARN: 1, Severity.NOTE: 0}


def _worst(found: list[Finding]) -> list[Finding]:
    """Per code the gravest finding only: under 700 px nobody needs to hear of 900 as well."""
    kept: dict[str, Finding] = {}
    for finding in found:
        known = kept.get(finding.code)
        if known is None or _RANK[finding.severity] > _RANK[known.severity]:
            kept[finding.code] = finding
    return list(kept.values())


def _finding(
    code: str,
    measured: float | str | None,
    limit: float | str | None,
    unit: str,
    said: str,
    remedy: str,
    rule: Rule,
    pack: Pack,
    slot: Slot | None,
    *,
    check: str = "rules",
    at_most: Severity = Severity.BLOCK,
) -> Finding:
    """A broken rule: what was measured, how far the rule can be trusted and where it was read, and what to do."""
    severity = min(rule.weight, at_most, key=_RANK.__getitem__)
    place = f"{pack.name}, {slot.name} image" if slot is not None else pack.name
    trust = f"{rule.level}; {rule.confidence} confidence, read on {rule.checked_on or pack.checked_on}"
    where = rule.sources[0] if rule.sources else rule.source[0]
    text = f"{place}: {said} ({trust}: {where}). {remedy}."
    return Finding(check, code, severity, measured, limit, unit, text)


def _n(value: float) -> str:
    """A number as people write it: no decimals that say nothing."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
