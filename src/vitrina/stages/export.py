"""Renditions: a variant placed, resampled and encoded for a slot of a marketplace, and files held against its rules."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.codec.decode import MAX_MEGAPIXELS, decode
from vitrina.codec.metadata import probe
from vitrina.codec.xmp import xmp_packet
from vitrina.errors import UsageError
from vitrina.imaging.colour import decode_srgb, encode_srgb8, lab
from vitrina.imaging.geometry import balanced, centre_of_mass, fitting_scale, frame_fill, moved, placed, shrunk
from vitrina.imaging.resample import resample, resample_plane
from vitrina.model import (
    Alpha,
    Finding,
    Judgement,
    Placement,
    Region,
    Rendition,
    Rgb,
    Severity,
    Size,
    Variant,
)  # fmt: skip
from vitrina.rules.evaluate import evaluate, size_limits
from vitrina.rules.load import find_slot
from vitrina.rules.pack import Day, Pack, Slot, taken_kinds
from vitrina.stages.quality import CLOSE, Closeness, encode_smallest

__all__ = [
    "KINDS", "ExportParams", "check_kind", "check_rules", "check_size", "check_thumbnail", "file_name", "render",
]  # fmt: skip

KINDS = {"JPEG": "jpg", "WEBP": "webp", "PNG": "png"}
"""What a rendition may be, and how its name ends."""
_MASS_PX = 800
"""Long side at which the centre of mass is found; finer changes nothing that is seen."""
_TILE, _FINER = Size(250, 250), 4
_FEW_CELLS = 25
"""Fewer thin pixels than these in a thumbnail are not judged."""
_SEEN_DE, _FAINT_SHARE = 4.0, 0.35


@dataclass(frozen=True, slots=True)
class ExportParams:
    """How a rendition is encoded. Qualities are on libjpeg's scale, as the file's tables read."""

    close: Closeness = CLOSE
    least_quality: int = 75
    """Where the search begins when the pack asks for no quality itself."""
    most_quality: int = 97
    margin_quality: int = 2
    """How far above a pack's least quality we stay, for marketplaces estimate it from the tables."""


def render(
    variant: Variant,
    pack: Pack,
    slot: str,
    *,
    kind: str | None = None,
    least_quality: int | None = None,
    rights: str = "",
    params: ExportParams = ExportParams(),
) -> Rendition:
    """`variant` as a file for `slot`: the piece balanced about the middle at the pack's fill, never enlarged.

    The canvas is the pack's; when the photo is too small for it the canvas shrinks as far as the pack's own limits
    allow, and only then the fill sinks. The file is the smallest whose decoded pixels stay within `params` (and whose
    quality reads as `least_quality` at least); if its bytes still exceed the pack's limit, the canvas shrinks. It has
    an sRGB profile and an XMP packet (`rights`, and what it is made from): no alpha, no place, no device. `kind` is
    JPEG, WEBP or PNG; the pack's own (JPEG) when it is not given.

    Raises UsageError for an unknown slot, a `kind` that it does not take, or an empty variant.
    """
    place = find_slot(pack, slot)
    kind = kind or place.target.format
    if kind not in taken_kinds(place):
        raise UsageError(
            f"{pack.name} {slot}: {kind} is not taken there. Choose from: {', '.join(taken_kinds(place))}."
        )
    box = Region.around(variant.alpha > 0.1)
    if box is None:
        raise UsageError("Nothing to render: the variant shows no piece. Cut it out first.")
    canvas = _canvas(box, place)
    floor = max(least_quality or params.least_quality, *(_asked(rule.min, params) for rule in place.jpeg_quality), 1)
    if kind != "JPEG":
        floor = least_quality or 1  # the floors of packs are read off a JPEG's tables
    xmp = xmp_packet(rights=rights, generator=variant.generator)
    while True:
        placement = _place(box, canvas, place, variant.alpha)
        pixels = _pixels(variant, placement)
        alpha = _shown(variant.alpha, placement)
        most = max(floor, params.most_quality)
        made = encode_smallest(pixels, alpha, kind=kind, least=min(floor, 100), most=most, close=params.close, xmp=xmp)
        if len(made.data) <= place.target.max_bytes or min(canvas.width, canvas.height) < 200:
            break
        canvas = shrunk(canvas, 0.9)
    return Rendition(pack.market, slot, made.data, canvas, kind, made.quality, variant.placement.then(placement))


def check_kind(rendition: Rendition, pack: Pack, wanted: str) -> list[Finding]:
    """Whether the file is of the kind that was `wanted` (empty: the pack's own), which not every marketplace takes."""
    if not wanted or rendition.format == wanted:
        return []
    taken = ", ".join(taken_kinds(find_slot(pack, rendition.slot)))
    return [
        Finding(
            "file", "another-format", Severity.NOTE, rendition.format, wanted, "format",
            f"{pack.name} is not known to take {wanted} (only {taken} of those we write): the file is a "
            f"{rendition.format}.",
        )
    ]  # fmt: skip


def check_rules(data: bytes, pack: Pack, slot: str, *, name: str, today: Day) -> Judgement:
    """An encoded file against one slot: header, pixels, and whether the pack itself is still fresh.

    Raises UsageError for an unknown slot, InputError when the file is no picture.
    """
    find_slot(pack, slot)
    started = time.perf_counter()
    facts = probe(data, name=name)
    image = decode(data, name=name, max_megapixels=MAX_MEGAPIXELS, any_format=True).rgb
    opened = time.perf_counter()
    findings = evaluate(facts, image, pack, slot, today=today)
    ended = time.perf_counter()
    measures = {
        "width": facts.size.width,
        "height": facts.size.height,
        "bytes": facts.bytes,
        "format": facts.format,
        "mode": facts.mode,
        "jpeg_quality": facts.jpeg_quality,
        "profile": facts.icc_description,
        "pack": {"version": pack.version, "checked_on": pack.checked_on.isoformat()},
    }
    seconds = {"decode": opened - started, "check": ended - opened, "total": ended - started}
    return Judgement("vitrina.rules/1", tuple(findings), measures, seconds)


def check_size(rendition: Rendition, variant: Variant, pack: Pack) -> list[Finding]:
    """Whether the photo held enough pixels of the piece for this slot."""
    place = find_slot(pack, rendition.slot)
    box = Region.around(variant.alpha > 0.1)
    if box is None:
        return []
    canvas = rendition.placement.size
    scale = rendition.placement.scale / variant.placement.scale
    shown = moved(box, placed(box, canvas, scale=scale))
    fill = frame_fill(shown, _safe_square(canvas, place))
    if fill >= min(place.target.least_fill, place.target.fill) - 0.01:
        return []
    return [
        Finding(
            "framing", "piece-small", Severity.WARN, round(fill, 3), place.target.least_fill, "share",
            f"{pack.name}: the piece is only {max(box.width, box.height)} px large in the photo and fills {fill:.0%} "
            f"of {canvas} px, wanted is {place.target.least_fill:.0%}. Photograph closer; it is not enlarged.", shown,
        )
    ]  # fmt: skip


def check_thumbnail(rendition: Rendition, variant: Variant, shipped: Rgb, pack: Pack) -> list[Finding]:
    """Whether thin parts still show in the tile of search results.

    Its size is the pack's; where the marketplace does not tell it, 250 px is our own reading. So this only warns.
    """
    rule = next((rule for rule in pack.thumbnail if rule.level != "unknown"), None)
    tile, read = (_TILE, "our own reading") if rule is None else (Size(rule.width, rule.height), rule.sources[0])
    share = min(tile.width / rendition.size.width, tile.height / rendition.size.height)
    if share >= 1:
        return []
    size = Size(*(max(1, round(share * length)) for length in (rendition.size.width, rendition.size.height)))
    fine = Size(size.width * _FINER, size.height * _FINER)
    own, scale = rendition.placement.scale / variant.placement.scale, fine.width / rendition.size.width
    dx, dy = (
        after - own * before
        for after, before in (
            (rendition.placement.dx, variant.placement.dx), (rendition.placement.dy, variant.placement.dy),
        )
    )  # fmt: skip
    shift = 0.5 * (scale - 1)
    alpha = resample_plane(variant.alpha, Placement(own * scale, dx * scale + shift, dy * scale + shift, fine))
    thin = alpha - cv2.morphologyEx(alpha, cv2.MORPH_OPEN, np.ones((_FINER + 1, _FINER + 1), np.uint8))
    cells = cv2.resize(thin, (size.width, size.height), interpolation=cv2.INTER_AREA) > 0.08
    if int(cells.sum()) < _FEW_CELLS:
        return []
    small = cv2.resize(shipped, (size.width, size.height), interpolation=cv2.INTER_AREA)
    shades = lab(np.asarray(small, np.float32))
    ground = lab(decode_srgb(np.array([[variant.look.ground_srgb]], np.uint8)))[0, 0]
    faint = cells & (np.linalg.norm(shades - ground, axis=2) < _SEEN_DE)
    lost = float(faint.sum() / cells.sum())
    if lost <= _FAINT_SHARE:
        return []
    region = Region.around(faint)
    return [
        Finding(
            "framing", "thumbnail-faint", Severity.WARN, round(lost, 2), _FAINT_SHARE, "share of thin parts",
            f"At {size} px, as in {pack.name}'s search results ({read}), {lost:.0%} of the thin parts (chain, wires) "
            "disappear into the ground. Choose a darker ground or one with a shadow, or lay the piece closer together.",
            region.scaled(1 / share) if region else None,
        )
    ]  # fmt: skip


def file_name(sku: str, slot: str, *, look: str, number: int = 1, kind: str = "JPEG") -> str:
    """A file name of SKU, slot and look in letters every marketplace takes, for example ``RING-001_main_white.jpg``.

    A SKU with other letters gets a few of its digest, so that two SKUs never share a name.
    """
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", sku).strip("-")[:60]
    if plain != sku:
        plain = f"{plain or 'sku'}-{hashlib.sha256(sku.encode()).hexdigest()[:6]}"
    place = slot if number == 1 else f"{slot}-{number}"
    return f"{plain}_{place}_{look}.{KINDS[kind]}"


def _asked(quality: int | None, params: ExportParams) -> int:
    return 1 if quality is None else min(quality + params.margin_quality, 100)


def _canvas(box: Region, place: Slot) -> Size:
    """The pack's canvas, smaller when the photo cannot fill it: down to what the pack recommends, then requires."""
    safe = place.target
    wanted = fitting_scale(box, safe.size, fill=safe.fill, is_square_safe=safe.is_square_safe)
    if wanted <= 1:
        return safe.size
    factor = 1.0
    for levels in (("required", "recommended"), ("required",)):
        factor = min(1.0, max(1 / wanted, _least_factor(safe.size, place, levels)))
        if safe.fill / (wanted * factor) >= safe.least_fill:
            break
    canvas = shrunk(safe.size, factor)
    return canvas if _meets(canvas, place, ("required",)) else shrunk(safe.size, min(1.0, factor * 1.01))


def _least_factor(canvas: Size, place: Slot, levels: Iterable[str]) -> float:
    """The smallest share of `canvas` that keeps every lower limit of pixels of these levels."""
    factors = [0.05]
    for rule in place.min_size:
        if rule.level in levels:
            for measured, limit, unit in size_limits(rule, canvas):
                factors.append((limit / measured) ** (0.5 if unit == "megapixels" else 1.0))
    return max(factors) * 1.0005


def _meets(canvas: Size, place: Slot, levels: Iterable[str]) -> bool:
    return all(
        measured >= limit
        for rule in place.min_size if rule.level in levels
        for measured, limit, _ in size_limits(rule, canvas)
    )  # fmt: skip


def _place(box: Region, canvas: Size, place: Slot, alpha: Alpha) -> Placement:
    """The piece on its canvas: its box inside, its centre of mass as near to the middle as the margins allow."""
    safe = place.target
    scale = min(1.0, fitting_scale(box, canvas, fill=safe.fill, is_square_safe=safe.is_square_safe))
    step = max(1, max(box.width, box.height) // _MASS_PX)
    x, y = centre_of_mass(alpha[box.slices][::step, ::step])
    mass = box.x + step * x, box.y + step * y
    return balanced(placed(box, canvas, scale=scale), box, mass, frame=_safe_square(canvas, place))


def _safe_square(canvas: Size, place: Slot) -> Size:
    side = min(canvas.width, canvas.height)
    return Size(side, side) if place.target.is_square_safe else canvas


def _shown(alpha: Alpha, placement: Placement) -> Alpha:
    """Roughly where the piece is on the canvas: to measure on, not to look at."""
    side = max(1, round(1 / placement.scale))
    size = (placement.size.width, placement.size.height)
    moved = cv2.warpAffine(cv2.blur(alpha, (side, side)), placement.matrix(), size, flags=cv2.INTER_LINEAR)
    return np.asarray(moved, np.float32)


def _pixels(variant: Variant, placement: Placement) -> NDArray[np.uint8]:
    """The placed picture as 8-bit sRGB; what is within half a code of the ground is the ground exactly."""
    ground = decode_srgb(np.array(variant.look.ground_srgb, np.uint8))
    red, green, blue = (float(v) for v in ground)
    return encode_srgb8(resample(variant.rgb, placement, fill=(red, green, blue)))
