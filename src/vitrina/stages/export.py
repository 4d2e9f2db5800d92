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
from vitrina.codec.encode import encode_jpeg8
from vitrina.codec.metadata import probe
from vitrina.errors import NotBuilt, UsageError
from vitrina.imaging.colour import decode_srgb, delta_e00, encode_srgb, encode_srgb8, lab, luminance
from vitrina.imaging.geometry import fitting_scale, frame_fill, moved, placed, shrunk
from vitrina.imaging.resample import resample, resample_plane
from vitrina.model import (
    Alpha,
    Finding,
    Judgement,
    Mask,
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
from vitrina.rules.pack import Day, Pack, Slot

__all__ = ["ExportParams", "check_rules", "check_size", "file_name", "refuse_video", "render"]


@dataclass(frozen=True, slots=True)
class ExportParams:
    """How close an encoded file must stay to its pixels, measured on the piece and its rim after decoding it again."""

    tone_de00: float = 0.8
    """Shift of the colour means over 4 px that 99 % of the piece keep under; the smallest that is seen is about 1."""
    error_codes: float = 3.0
    """Root mean square error of the 8-bit lightness code: prongs and links stay as sharp as they were (38.6 dB)."""
    least_quality: int = 80
    """Where the search begins when the pack asks for no quality itself."""
    most_quality: int = 97
    margin_quality: int = 2
    """How far above a pack's least quality we stay, for marketplaces estimate it from the tables."""


def render(
    variant: Variant, pack: Pack, slot: str, *, least_quality: int | None = None, params: ExportParams = ExportParams()
) -> Rendition:
    """`variant` as a JPEG for `slot`: the piece's box in the middle at the pack's fill, never enlarged.

    The canvas is the pack's; when the photo is too small for it the canvas shrinks as far as the pack's own limits
    allow, and only then the fill sinks. Quality is the lowest whose decoded pixels stay within `params` (and at least
    `least_quality`); if the bytes still exceed the pack's limit, the canvas shrinks. The file carries an sRGB profile
    and nothing else: no alpha, no place, no device.

    Raises UsageError for an unknown slot or an empty variant.
    """
    place = find_slot(pack, slot)
    box = Region.around(variant.alpha > 0.1)
    if box is None:
        raise UsageError("Nothing to render: the variant shows no piece. Cut it out first.")
    canvas = _canvas(box, place)
    floor = max(least_quality or params.least_quality, *(_asked(rule.min, params) for rule in place.jpeg_quality), 1)
    while True:
        placement = _place(box, canvas, place)
        pixels = _pixels(variant, placement)
        data, quality = _encode(pixels, resample_plane(variant.alpha, placement), min(floor, 100), params)
        if len(data) <= place.target.max_bytes or min(canvas.width, canvas.height) < 200:
            break
        canvas = shrunk(canvas, 0.9)
    return Rendition(
        pack.market, slot, data, canvas, place.target.format, quality, variant.placement.then(placement)
    )  # fmt: skip


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


def file_name(sku: str, slot: str, *, look: str, number: int = 1, suffix: str = ".jpg") -> str:
    """A file name of SKU, slot and look in letters every marketplace takes, for example ``RING-001_main_white.jpg``.

    A SKU with other letters gets a few of its digest, so that two SKUs never share a name.
    """
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", sku).strip("-")[:60]
    if plain != sku:
        plain = f"{plain or 'sku'}-{hashlib.sha256(sku.encode()).hexdigest()[:6]}"
    place = slot if number == 1 else f"{slot}-{number}"
    return f"{plain}_{place}_{look}{suffix}"


def refuse_video(name: str) -> None:
    """Raise NotBuilt: moving pictures are not made, and nothing half-made is exported."""
    raise NotBuilt(
        f"{name}: Vitrina makes still pictures only; video and Reels are not built. Film the piece yourself and upload "
        "the video in the marketplace's cabinet."
    )


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


def _place(box: Region, canvas: Size, place: Slot) -> Placement:
    safe = place.target
    scale = min(1.0, fitting_scale(box, canvas, fill=safe.fill, is_square_safe=safe.is_square_safe))
    return placed(box, canvas, scale=scale)


def _safe_square(canvas: Size, place: Slot) -> Size:
    side = min(canvas.width, canvas.height)
    return Size(side, side) if place.target.is_square_safe else canvas


def _pixels(variant: Variant, placement: Placement) -> NDArray[np.uint8]:
    """The placed picture as 8-bit sRGB; what is within half a code of the ground is the ground exactly."""
    ground = decode_srgb(np.array(variant.look.ground_srgb, np.uint8))
    red, green, blue = (float(v) for v in ground)
    return encode_srgb8(resample(variant.rgb, placement, fill=(red, green, blue)))


def _encode(pixels: NDArray[np.uint8], alpha: Alpha, floor: int, params: ExportParams) -> tuple[bytes, int]:
    """The JPEG of the lowest quality from `floor` up that stays within `params`, found by halving."""
    piece = Region.around(alpha > 0.02, margin_px=8)
    part = piece.slices if piece is not None else (slice(None), slice(None))
    before, inside = _planes(pixels[part]), cv2.dilate(alpha[part], np.ones((5, 5), np.uint8)) > 0.02
    made: dict[int, bytes] = {}
    low, high = floor, max(floor, params.most_quality)
    while low < high:
        middle = (low + high) // 2
        made[middle] = encode_jpeg8(pixels, quality=middle)
        if _is_close(before, made[middle], part, inside, params):
            high = middle
        else:
            low = middle + 1
    return made.get(low) or encode_jpeg8(pixels, quality=low), low


def _is_close(
    before: tuple[NDArray[np.float32], NDArray[np.float32]],
    data: bytes,
    part: tuple[slice, slice],
    inside: Mask,
    params: ExportParams,
) -> bool:
    after = _planes(encode_srgb8(decode(data, name="rendition").rgb[part]))
    error = float(np.sqrt(np.mean((before[0] - after[0])[inside] ** 2)))
    if error > params.error_codes:
        return False
    small = cv2.resize(inside.astype(np.float32), before[1].shape[1::-1], interpolation=cv2.INTER_AREA) > 0.5
    if not small.any():
        return True
    shift = delta_e00(before[1][small], after[1][small])
    return float(np.percentile(shift, 99)) <= params.tone_de00


def _planes(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The lightness code 0…255 at full size, and Lab of the means over 4 × 4 pixels."""
    linear: Rgb = decode_srgb(pixels)
    size = (max(1, pixels.shape[1] // 4), max(1, pixels.shape[0] // 4))
    means = np.asarray(cv2.resize(linear, size, interpolation=cv2.INTER_AREA), np.float32)
    return encode_srgb(luminance(linear)) * np.float32(255), lab(means)
