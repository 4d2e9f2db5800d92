"""The single steps of a photo's way, values in and values out: what notebooks call and `pipeline` strings together."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from numpy.typing import NDArray

from vitrina.codec.decode import MAX_MEGAPIXELS, decode, decode_alpha
from vitrina.codec.metadata import probe, require_taken
from vitrina.errors import ModelMissing, UsageError
from vitrina.model import (
    Adjustment,
    Alpha,
    Cutout,
    FileFacts,
    Finding,
    Judgement,
    Line,
    Look,
    Mask,
    Placement,
    Rendition,
    Rgb,
    Size,
    Source,
    Variant,
)  # fmt: skip
from vitrina.plugins import Reader, Segmenter, plugin

if TYPE_CHECKING:
    from vitrina.rules.pack import Pack
    from vitrina.stages.fuse import Fused
    from vitrina.stages.intake.shots import Seen
    from vitrina.stages.strokes import Stroke
    from vitrina.stages.verify import Examination, Facts, Prepared


_MEASURE_PX = 1280
"""Long side at which a piece is looked for that is to be measured."""
_FIND_PX, _LIVE_PX = 384, 224
"""Long sides at which a piece is looked for, in a photo and in a live preview."""


def segmenter(model: Path | None = None) -> Segmenter:
    """The network that finds the piece: the shipped one, or a local ONNX file."""
    load = cast(Callable[[Path | None], Segmenter], plugin("segmenters", "onnx"))
    return load(model)


def take_in(data: bytes, *, name: str, max_megapixels: float = MAX_MEGAPIXELS) -> Source:
    """A photo's bytes as a source: upright, in linear light."""
    return decode(data, name=name, max_megapixels=max_megapixels)


def require_photo(data: bytes, *, name: str, max_megapixels: float = MAX_MEGAPIXELS) -> None:
    """Raise the InputError that `take_in` would raise for the header of `data`; no pixels are decoded."""
    require_taken(probe(data, name=name), name=name, max_megapixels=max_megapixels)


def reader() -> Reader | None:
    """What reads print in photos; None when its package is not installed."""
    try:
        return cast(Callable[[], Reader], plugin("readers", "rapidocr"))()
    except (ModelMissing, UsageError):
        return None


def inspect(source: Source, *, finder: Segmenter | None = None, is_live: bool = False) -> Judgement:
    """Is this photo good enough to work from? Light, focus, colour, framing, marks.

    `is_live` is for a preview while the seller still frames the piece: the piece is looked for more coarsely, and the
    file and print are left to the photo itself, which a note says.
    """
    return _inspect(source, finder, is_live)[0]


def inspect_shot(
    source: Source, *, piece_type: str, told: str | None = None, finder: Segmenter | None = None
) -> tuple[Judgement, Seen]:
    """`inspect`, and which view of a piece of its type the photo shows; `told` says it where a person knows."""
    from vitrina.stages.intake.shots import Shot, see

    judgement, piece = _inspect(source, finder, is_live=False)
    shot = None if told is None else Shot(told)
    return judgement, see(source, piece, judgement.findings, judgement.measures, piece_type=piece_type, told=shot)


def judge_shots(photos: Sequence[Seen], *, piece_type: str) -> Judgement:
    """A SKU's photos together: which views are missing, which must be asked for, the best of several."""
    from vitrina.stages.intake.shots import judge_shots

    findings, measures = judge_shots(photos, piece_type=piece_type)
    return Judgement("vitrina.shots/1", tuple(findings), measures)


def _inspect(source: Source, finder: Segmenter | None, is_live: bool) -> tuple[Judgement, Alpha]:
    from vitrina.stages.cutout import find_piece
    from vitrina.stages.intake import LIMITS, LIVE_LIMITS, check_source, whole_frame

    started = time.perf_counter()
    limits = LIVE_LIMITS if is_live else LIMITS
    whole = whole_frame(source, limits)
    with _Ahead(None if is_live else reader(), whole) as ahead:
        piece = find_piece(source, finder or segmenter(), side_px=_LIVE_PX if is_live else _FIND_PX)
        found = time.perf_counter()
        findings, measures = check_source(
            source, piece=piece, whole=whole, reader=ahead.reader, is_live=is_live, limits=limits
        )
    ended = time.perf_counter()
    seconds = {"find": found - started, "check": ended - found, "total": ended - started}
    return Judgement("vitrina.inspect/1", (*source.notes, *findings), measures, seconds), piece


class _Ahead:
    """Reads a picture beside what is done meanwhile; `reader` answers with it (None when there is nobody to read)."""

    def __init__(self, reader: Reader | None, rgb: Rgb) -> None:
        self._pool = ThreadPoolExecutor(1)
        self.reader: Reader | None = None
        if reader is not None:
            self.name = reader.name
            self._lines = self._pool.submit(reader.read, rgb)
            self.reader = self

    def read(self, rgb: Rgb) -> tuple[Line, ...]:
        """The lines of the picture that was given first; `rgb` is the same one."""
        return self._lines.result() if rgb.size else ()

    def __enter__(self) -> _Ahead:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()


def measure(
    source: Source,
    *,
    chain_length_mm: float | None = None,
    inner_diameter_mm: float | None = None,
    finder: Segmenter | None = None,
) -> Judgement:
    """The piece beside the scale card: millimetres, white balance, lengths, against what the description promises."""
    from vitrina.stages.cutout import find_piece
    from vitrina.stages.scale import Promised, measure

    started = time.perf_counter()
    piece = find_piece(source, finder or segmenter(), side_px=_MEASURE_PX)
    findings, measures = measure(source, piece, promised=Promised(chain_length_mm, inner_diameter_mm))
    seconds = {"total": time.perf_counter() - started}
    return Judgement("vitrina.measure/1", (*source.notes, *findings), measures, seconds)


def scale_card() -> bytes:
    """The scale card as a PDF in true size (A6)."""
    import numpy as np

    from vitrina.codec.pdf import page
    from vitrina.imaging import scale_card as card
    from vitrina.imaging.colour import encode_srgb

    shapes = [
        (b.x, b.y, b.width, b.height, float(encode_srgb(np.full(1, b.grey, np.float32))[0])) for b in card.blocks()
    ]
    return page(card.WIDTH_MM, card.HEIGHT_MM, shapes, card.labels())


def advise(judgement: Judgement, language: str) -> Judgement:
    """`judgement` with the source check's advice in `language` (en, ru, kk); raises UsageError for another one."""
    from vitrina.stages.intake.advice import translate

    findings = tuple(replace(found, message=translate(found, language)) for found in judgement.findings)
    return replace(judgement, findings=findings)


def cutout(
    source: Source,
    *,
    finder: Segmenter | None = None,
    keep: Mask | None = None,
    drop: Mask | None = None,
    strokes: Sequence[Stroke] = (),
) -> Cutout:
    """The piece cut out of its photo. `keep` and `drop`, masks at the size of the source, overrule the program.

    `strokes` of a person's brush are solved afterwards, near themselves alone.
    """
    from vitrina.stages.cutout import cut_out, mend

    for what, mask in (("keep", keep), ("drop", drop)):
        if mask is not None and mask.shape != source.rgb.shape[:2]:
            raise UsageError(
                f"{what}: the mask is {mask.shape[1]}×{mask.shape[0]}, the upright photo {source.size}. "
                "Make them the same size."
            )
    finder = finder or segmenter()
    cut = cut_out(source, finder, keep=keep, drop=drop)
    return mend(source, cut, strokes, finder) if strokes else cut


def check_edges(source: Source, cut: Cutout, *, piece_type: str | None = None) -> Judgement:
    """Are the edges of the cutout clean, is nothing lost or filled, and has it the parts of its `piece_type`?"""
    from vitrina.stages.cutout import check_edges

    started = time.perf_counter()
    findings: tuple[Finding, ...] = cut.notes
    measures: Mapping[str, float] = {}
    if cut.parts:
        found, measures = check_edges(source, cut, piece_type=piece_type)
        findings = (*findings, *found)
    seconds = {**cut.seconds, "check": time.perf_counter() - started}
    seconds["total"] = cut.seconds.get("total", 0.0) + seconds["check"]
    return Judgement("vitrina.cutout/1", findings, measures, seconds)


def check_reflections(source: Source, cut: Cutout) -> tuple[Finding, ...]:
    """Does the piece stand mirrored in its backdrop, or show the backdrop's colour? `inspect` says so too."""
    from vitrina.stages.intake import check_reflections

    return tuple(check_reflections(source, cut.alpha)) if cut.parts else ()


def places_to_look_at(source: Source, matte: Alpha) -> list[dict[str, Any]]:
    """The riskiest squares of a piece, in pixels of its source, for a reviewer to look at one by one."""
    from vitrina.imaging.places import risky_places

    cut = Cutout(source.rgb, matte, (), (1.0, 1.0, 1.0), "as kept")
    found = risky_places(source.rgb, cut, side_px=max(120, min(source.size.width, source.size.height) // 10))
    return [{"what": place.what, "region": place.region.as_dict()} for place in found]


def master(cut: Cutout) -> bytes:
    """The cutout as its master file: 16-bit RGBA PNG, straight alpha, sRGB, at the size of the source."""
    from vitrina.codec.encode import encode_png16

    return encode_png16(cut.foreground, cut.alpha)


def compose(cut: Cutout, look: str | Look = "white", *, adjustment: Adjustment | None = None) -> Variant:
    """The cutout dressed in a look; without an `adjustment` the colours stay as photographed."""
    from vitrina.stages import scene

    return scene.compose(cut, look, adjustment=adjustment or scene.AS_SHOT)


def examine(
    source: Source,
    edit: Source,
    *,
    matte: Alpha | None = None,
    facts: Facts | None = None,
    finder: Segmenter | None = None,
) -> Examination:
    """`verify`, keeping what its heatmap is drawn from."""
    from vitrina.stages.verify import examine

    return examine(source, edit, segmenter=finder or segmenter(), matte=matte, facts=facts)


def verify(
    source: Source,
    edit: Source,
    *,
    matte: Alpha | None = None,
    facts: Facts | None = None,
    finder: Segmenter | None = None,
) -> Judgement:
    """Does `edit`, made by any tool, still show the piece in `source`? `matte` is the source's alpha, if known."""
    return examine(source, edit, matte=matte, facts=facts, finder=finder).judgement


def prepare(source: Source, *, matte: Alpha | None = None, finder: Segmenter | None = None) -> Prepared:
    """The source's side of `verify`, made once for many edits of it."""
    from vitrina.stages.verify import prepare

    return prepare(source, segmenter=finder, matte=matte)


def verify_prepared(
    prepared: Prepared, edit: Source, *, facts: Facts | None = None, placement: Placement | None = None
) -> Judgement:
    """`verify` of one edit more. `placement` (source → edit) saves the search when the edit bears it out."""
    from vitrina.stages.verify import examine_prepared

    return examine_prepared(prepared, edit, facts=facts, placement=placement).judgement


def fuse(
    count: int,
    frame: Callable[[int], Source],
    *,
    method: str | None = None,
    finder: Segmenter | None = None,
) -> tuple[Fused, Judgement]:
    """Frames 0 … `count` − 1 of one view made one picture, and what verification says of it.

    Frame 0 is the reference; `method` is exposure or focus, or told from the frames. The picture is verified against
    every frame in it as far as the piece goes; a finding stands when no frame speaks against it: what one of them shows
    was not invented.
    """
    from vitrina.stages.cutout import find_piece
    from vitrina.stages.fuse import Method, fuse, on_white, undisputed
    from vitrina.stages.verify import examine_prepared, prepare

    started = time.perf_counter()
    finder = finder or segmenter()
    if method is not None and method not in list(Method):
        raise UsageError(f"fuse by {method!r}: there are {', '.join(Method)}.")
    piece = find_piece(frame(0), finder)
    fused = fuse(count, frame, piece, method=None if method is None else Method(method))
    findings = fused.findings
    ended = time.perf_counter()
    if fused.rgb is not None:
        shown, alpha = on_white(fused.rgb, piece)  # the reference did not move: its piece lies where the fused one does
        edit = replace(frame(0), rgb=shown, name="fused", alpha=None, notes=())
        said = []
        for number in fused.frames:
            matte, same = (alpha, Placement(1.0, 0.0, 0.0, edit.size)) if number == 0 else (None, None)
            prepared = prepare(frame(number), segmenter=finder, matte=matte)
            judged = examine_prepared(prepared, edit, placement=same).judgement
            said.append(judged.findings)
        findings = (*findings, *undisputed(said))
    seconds = {"fuse": ended - started, "verify": time.perf_counter() - ended, "total": time.perf_counter() - started}
    return fused, Judgement("vitrina.fuse/1", findings, fused.measures, seconds)


def render(
    variant: Variant,
    *,
    market: str | Pack,
    slot: str = "main",
    kind: str | None = None,
    least_quality: int | None = None,
    rights: str = "",
) -> Rendition:
    """`variant` encoded for a slot of a marketplace, by its rule pack (ours by name, or one you give).

    `kind` is JPEG, WEBP or PNG, where the slot takes it; `rights` is the copyright line that goes into the file.
    """
    from vitrina.stages.export import render

    return render(variant, _pack(market), slot, kind=kind, least_quality=least_quality, rights=rights)


def check_rules(data: bytes, *, market: str | Pack, slot: str = "main", name: str = "picture") -> Judgement:
    """An encoded file against a slot of a marketplace (its rule pack by name, or one you give)."""
    from vitrina.stages.export import check_rules

    return check_rules(data, _pack(market), slot, name=name, today=date.today())


def _pack(market: str | Pack) -> Pack:
    from vitrina.rules.load import load_pack

    return load_pack(market) if isinstance(market, str) else market


def from_array(rgb: NDArray[Any], *, name: str = "array") -> Source:
    """A picture from a notebook as a source: uint8 or uint16 as sRGB, float32 as linear light; (rows, columns, 3)."""
    import numpy as np

    from vitrina.imaging.colour import decode_srgb

    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype not in (np.uint8, np.uint16, np.float32):
        raise UsageError(
            f"{name}: {rgb.dtype} of shape {rgb.shape}; uint8, uint16 or float32 of (rows, columns, 3) wanted."
        )
    linear = np.asarray(rgb, np.float32) if rgb.dtype == np.float32 else decode_srgb(rgb)
    bits = 8 * rgb.dtype.itemsize
    size = Size(rgb.shape[1], rgb.shape[0])
    facts = FileFacts("array", size, "RGB", bits, rgb.nbytes, 1, False, None, None, 1)
    return Source(linear, name, facts)


def read_matte(data: bytes, *, name: str) -> Alpha:
    """A matte from a picture's bytes: its alpha channel when it has one, else its grey values as they are written."""
    from vitrina.imaging.colour import encode_srgb

    alpha = decode_alpha(data, name=name)
    return alpha if alpha is not None else encode_srgb(take_in(data, name=name).rgb[..., 1])
