"""The way of a photo, top to bottom.

Bytes come in and are archived; each photo is inspected; the piece is cut out and its edges are checked; each look is
composed and verified; each marketplace's draft is rendered, read back, verified again and held against its rules; the
report says all of it. Every maker is followed by its checker.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from vitrina import steps
from vitrina.card_folder import CardFolder
from vitrina.card_report import left_out, report_document, what_blocks
from vitrina.certificate import CERTIFICATE, DRAFTS, MASTERS, ORIGINALS, REJECTED, certify, share_of_source
from vitrina.drafts import PLAIN, Draft, Imprint, Reference, dress, make_draft, reference_of, slot_for
from vitrina.errors import InputError, UsageError
from vitrina.files import read_bytes
from vitrina.model import (
    Cutout,
    Digest,
    Finding,
    Judgement,
    Severity,
    Source,
    Variant,
    Verdict,
    verdict_of,
)  # fmt: skip
from vitrina.pages.contact import Frame, contact_sheet, framed
from vitrina.pages.pictures import PhotoPictures, on_grey
from vitrina.pages.report import report_page
from vitrina.plugins import BlobStore, Segmenter
from vitrina.rules.evaluate import check_count
from vitrina.rules.load import find_slot, load_pack
from vitrina.rules.pack import Pack, taken_kinds
from vitrina.stages.copies import print_of
from vitrina.stages.export import file_name
from vitrina.stages.rights import UNSTATED, Rights, check_rights
from vitrina.stages.scene import named_look, neutral_adjustment
from vitrina.stages.strokes import Stroke
from vitrina.stages.verify.facts import Facts

Say = Callable[[str, float], None]
"""Called with what is being done and the share that is done, 0…1."""

_NAMED_SLOT = re.compile(r".[-_ ](macro|profile|clasp|set|scale|lifestyle)$")

_TWO_AT_ONCE_PX = 16_000_000
"""Pixels of a variant up to which two of its drafts are made at once; beyond, their memory would add up."""
_LARGE_CANVAS = 5.0
"""... and megapixels of a draft, from which it is made alone."""

WORN = "worn"
"""The code of the finding that a person wears the piece."""
CONTACT = "contact"
"""The folder of the contact sheets, one per marketplace."""


@dataclass(frozen=True, slots=True)
class CardOrder:
    """What the seller asks for."""

    photos: tuple[Path, ...]
    sku: str
    out: Path
    mode: str = "exact"
    looks: tuple[str, ...] = ("white", "grey")
    markets: tuple[str, ...] = ("kaspi", "wildberries", "ozon", "etsy", "ebay")
    force: bool = False
    max_megapixels: float = 120.0
    facts: Facts | None = None
    strokes: Mapping[str, tuple[Stroke, ...]] = field(default_factory=dict)
    """What a person drew over the cutouts, by the photo's SHA-256."""
    imprint: Imprint = PLAIN
    """What the seller puts into every file."""
    rights_of: Callable[[str], Rights] = lambda _digest: UNSTATED
    """Whose a photo is, by its digest."""
    pack_of: Callable[[str], Pack] = load_pack
    """The rules in effect: ours, or with a seller's changes and a person's confirmation."""


@dataclass(slots=True)
class Photo:
    """One photo on its way: its name in the card, its archived digest and what was found in it so far."""

    name: str
    path: Path
    digest: Digest
    findings: list[Finding] = field(default_factory=list)
    document: dict[str, Any] = field(default_factory=dict)
    pictures: PhotoPictures = field(default_factory=PhotoPictures)
    stopped: str | None = None

    @property
    def is_weak(self) -> bool:
        return any(finding.severity is Severity.BLOCK for finding in self.findings)

    @property
    def is_worn(self) -> bool:
        return any(finding.code == WORN for finding in self.findings)

    @property
    def shows(self) -> str:
        """The slot it was taken for: the last word of its name (``ring-macro.jpg``), scale when worn, else extra."""
        named = _NAMED_SLOT.search(self.path.stem.lower())
        return named[1] if named else "scale" if self.is_worn else "extra"

    @property
    def rank(self) -> tuple[bool, bool, int, int]:
        """Not worn first, then those taken for no slot of their own, then fewer blocks, then fewer warnings."""
        severities = [finding.severity for finding in self.findings]
        return self.is_worn, self.shows != "extra", severities.count(Severity.BLOCK), severities.count(Severity.WARN)


def make_card(
    order: CardOrder,
    *,
    blobs: BlobStore,
    finder: Segmenter,
    clock: Callable[[], datetime],
    say: Say = lambda _w, _s: None,
) -> dict[str, Any]:
    """Walk the whole way and return the report document, which is also written to ``report.json``.

    Photos are worked on one at a time, so memory does not grow with their number. Files appear in ``order.out`` only
    when all of them are there. Raises the first InputError when no photo can be read at all.
    """
    _check(order)
    started = time.perf_counter()
    with CardFolder(order.out, order.sku) as folder:
        card = _Card(order, folder, finder, say)
        photos = [photo for photo in card.archive(blobs) if card.inspect(photo, card.open(photo, blobs))]
        if not photos:
            raise card.errors[0]
        best_first = sorted(photos, key=lambda photo: photo.rank)
        for photo in best_first:
            if order.force or not photo.is_weak:
                card.dress(photo, card.open(photo, blobs))
            else:
                photo.stopped = _too_weak(photo)
        return card.finish(best_first, made_at=clock(), seconds=time.perf_counter() - started)


def _check(order: CardOrder) -> None:
    """Raise UsageError for an order that cannot be carried out, before any work is done for it."""
    if not order.photos:
        raise UsageError("no photos: name at least one photo of the piece.")
    if not order.sku.strip() or not order.sku.isprintable() or len(order.sku) > 100:
        raise UsageError(f"--sku {order.sku!r}: 1 to 100 printable characters are wanted, for example RING-001.")
    for look in order.looks:
        named_look(look)
    if len(order.looks) < 2:
        raise UsageError(
            f"--looks {','.join(order.looks)}: two variants at least are made, so that a person can choose. "
            "Name two, for example white,grey."
        )
    if not order.markets:
        raise UsageError("--markets: name at least one marketplace, for example kaspi.")
    mains = [find_slot(order.pack_of(market), "main") for market in order.markets]
    kind = order.imprint.kind
    if kind and not any(kind in taken_kinds(slot) for slot in mains):
        raise UsageError(f"--format {kind.lower()}: not known to be taken by {', '.join(order.markets)}. Leave it out.")


def _too_weak(photo: Photo) -> str:
    said = what_blocks(photo.findings)
    if photo.is_worn:
        return f"{photo.name}: worn on a person: a scale frame, not a main image. {said}"
    return f"{photo.name}: too weak to work from. {said} Photograph it again; --force goes on all the same."


class _Card:
    """The card being made: owns its folder, its drafts and what was found on the way."""

    def __init__(self, order: CardOrder, folder: CardFolder, finder: Segmenter, say: Say) -> None:
        self.order = order
        self.folder = folder
        self.finder = finder
        self.packs = {market: order.pack_of(market) for market in order.markets}
        self.drafts: list[dict[str, Any]] = []
        self.errors: list[InputError] = []
        self.frames: dict[str, list[tuple[str, Frame]]] = {market: [] for market in order.markets}
        self.findings: list[tuple[str, Finding]] = []
        self._say = say
        self._steps = len(order.photos) * (4 + len(order.looks) * (1 + len(order.markets)))
        self._done = 0
        self._slots: dict[tuple[str, str, str], int] = {}

    def archive(self, blobs: BlobStore) -> list[Photo]:
        """Keep every original's bytes before anything else happens to them."""
        photos: list[Photo] = []
        for path in self.order.photos:
            self._step(f"archiving {path.name}")
            try:
                data = read_bytes(path)
                digest = blobs.put(data)
                if any(photo.digest == digest for photo in photos):
                    continue
                steps.require_photo(data, name=str(path), max_megapixels=self.order.max_megapixels)
            except InputError as error:
                self.errors.append(error)
                continue
            taken = {photo.name for photo in photos}
            name = path.name if path.name not in taken else f"{digest[:8]}-{path.name}"
            photos.append(Photo(name, path, digest))
            self.folder.put(f"{ORIGINALS}/{name}", data)
        return photos

    def open(self, photo: Photo, blobs: BlobStore) -> Source | None:
        """Decode the archived bytes; None when they turn out to be damaged, which is recorded."""
        try:
            limit = self.order.max_megapixels
            return steps.take_in(blobs.get(photo.digest), name=str(photo.path), max_megapixels=limit)
        except InputError as error:
            self.errors.append(error)
            return None

    def inspect(self, photo: Photo, source: Source | None) -> bool:
        """Check the photo; False when it could not be opened."""
        self._step(f"inspecting {photo.name}")
        if source is None:
            return False
        seen = steps.inspect(source, finder=self.finder)
        rights = self.order.rights_of(photo.digest)
        photo.findings = [*seen.findings, *check_rights(rights)]
        photo.document = {
            "photo": photo.name, "sha256": photo.digest, "size": asdict(source.size), "rights": rights.as_dict(),
            "print": print_of(source), "inspect": replace(seen, findings=tuple(photo.findings)).as_dict(),
        }  # fmt: skip
        photo.pictures.show_source(source.rgb)
        for finding in seen.findings:
            photo.pictures.show_finding(finding, photo.name, before=source.rgb)
        return True

    def dress(self, photo: Photo, source: Source | None) -> None:
        """Cut out, check the edges, compose each look, verify it, and render its drafts."""
        if source is None:
            return
        self._step(f"cutting out {photo.name}")
        strokes = self.order.strokes.get(photo.digest, ())
        cut = steps.cutout(source, finder=self.finder, strokes=strokes)
        self._step(f"checking the edges of {photo.name}")
        edges = steps.check_edges(source, cut)
        self._note(f"{photo.name}, cutout", edges.findings)
        parts = [asdict(part) for part in cut.parts]
        drawn = {"strokes": [stroke.as_dict() for stroke in strokes]} if strokes else {}
        photo.document["cutout"] = {"method": cut.method, "parts": parts, **drawn, **edges.as_dict()}
        if not cut.parts:
            photo.stopped = f"{photo.name}: no piece of jewelry was found. " + what_blocks(edges.findings)
            return
        photo.pictures.show_cutout(source.rgb, cut)
        for finding in edges.findings:
            photo.pictures.show_finding(finding, "cutout", before=source.rgb, after=lambda: on_grey(cut))
        photo.document["cutout"] |= self._keep_master(photo, source, cut)
        adjustment = neutral_adjustment(source, cut)
        photo.document["variants"] = []
        reference = reference_of(source, cut, facts=self.order.facts)
        for look in self.order.looks:
            self._step(f"dressing {photo.name} in {look}")
            first = look == self.order.looks[0]
            variant, seen = dress(cut, look, adjustment, reference=reference, may_weaken=first)
            adjustment = variant.adjustment
            photo.document["adjustment"] = asdict(adjustment)
            self._show(photo, source, variant, seen)
            self._render(photo, source, variant, reference, edges, seen)
            del variant  # as large as the photo: gone before the next one is made

    def _keep_master(self, photo: Photo, source: Source, cut: Cutout) -> dict[str, Any]:
        name = f"{MASTERS}/{Path(photo.name).stem}-cutout.png"
        data = steps.master(cut)
        return {
            "master": name,
            "master_sha256": self.folder.put(name, data),
            "product_pixels": share_of_source(source, data, name=name),
        }

    def _show(self, photo: Photo, source: Source, variant: Variant, seen: Judgement) -> None:
        """Put a verified variant on record."""
        look = variant.look.name
        self._note(f"{photo.name} on {look}", seen.findings)
        entry = {"look": look, "placement": variant.placement.as_dict(), "verify": seen.as_dict()}
        photo.document["variants"].append(entry)
        photo.pictures.show_variant(variant)
        stones = seen.measures.get("stones")
        if stones is not None and photo.pictures.stones is None:
            photo.pictures.show_stones(source.rgb, variant, stones["before"], stones["after"])
        for finding in seen.findings:
            photo.pictures.show_finding(
                finding, look, before=source.rgb, after=lambda: variant.rgb, placement=variant.placement
            )

    def _render(
        self, photo: Photo, source: Source, variant: Variant, reference: Reference, edges: Judgement, seen: Judgement
    ) -> None:
        """The drafts of one variant, two at a time where memory allows.

        Each bears what was found in its cutout and its variant as well.
        """
        first = {draft["photo"] for draft in self.drafts if draft["slot"] == "main"} <= {photo.name}
        may_be_main = first and not photo.is_worn
        plan = [
            (pack, slot_for(pack, variant.look, may_be_main=may_be_main, shows=photo.shows))
            for pack in self.packs.values()
        ]

        def made(pack: Pack, slot: str) -> Draft:
            return make_draft(variant, pack, slot, reference=reference, master=seen, imprint=self.order.imprint)

        def taken(pack: Pack, draft: Draft) -> None:
            self._step(f"rendered {photo.name} on {variant.look.name} for {pack.name}")
            self._file(photo, source, variant, draft, verdict_of((*edges.findings, *seen.findings, *draft.findings)))

        is_huge = variant.rgb.shape[0] * variant.rgb.shape[1] > _TWO_AT_ONCE_PX
        small = [
            (pack, slot)
            for pack, slot in plan
            if not is_huge and find_slot(pack, slot).target.size.megapixels <= _LARGE_CANVAS
        ]
        with ThreadPoolExecutor(2) as pool:
            jobs = [pool.submit(made, pack, slot) for pack, slot in small]
            for pack, _ in small:
                taken(pack, jobs.pop(0).result())  # a future that is kept keeps the pixels of its draft
        for pack, slot in plan:
            if (pack, slot) not in small:
                taken(pack, made(pack, slot))

    def _file(self, photo: Photo, source: Source, variant: Variant, draft: Draft, verdict: Verdict) -> None:
        """Keep a draft with what was said of it; a rejected one in a folder of its own, lest somebody uploads it."""
        made, look = draft.rendition, variant.look.name
        where = f"{self.packs[made.market].name} {made.slot}, {look}"
        self._note(where, draft.findings)
        for finding in draft.verified.findings:
            photo.pictures.show_finding(
                finding, where, before=source.rgb, after=lambda: draft.shipped.rgb, placement=made.placement
            )
        entry = {"market": made.market, "slot": made.slot, "look": look, "photo": photo.name, "verdict": verdict.value}
        key = (made.market, made.slot, look)
        self._slots[key] = self._slots.get(key, 0) + 1
        name = file_name(self.order.sku, made.slot, look=look, number=self._slots[key], kind=made.format)
        path = f"{REJECTED if verdict is Verdict.REJECT else DRAFTS}/{made.market}/{name}"
        photo.pictures.show_draft(path, draft.shipped.rgb)
        words = f"{made.size.width}x{made.size.height}, {len(made.data) / 1e3:.0f} kB, {verdict.value}"
        frame = framed(draft.shipped.rgb, title=f"{made.slot}, {look}", words=words, verdict=verdict.value)
        self.frames[made.market].append((made.slot, frame))
        self.drafts.append({"file": path, "sha256": self.folder.put(path, made.data), **entry, **draft.as_dict()})

    def finish(self, photos: list[Photo], *, made_at: datetime, seconds: float) -> dict[str, Any]:
        """Write the report, the certificate and everything else; returns the report document."""
        self._say("writing the report", 0.99)
        for photo in photos:
            self._note(photo.name, photo.findings, softened=bool(self.drafts) and photo.stopped is not None)
            photo.document["stopped"] = photo.stopped
            photo.document["worn"] = photo.is_worn
        for pack in self.packs.values():
            pictures = len({draft["photo"] for draft in self.drafts if draft["market"] == pack.market})
            self._note(pack.name, check_count(pictures, pack) if pictures else ())
        if self.errors:
            self._note("the order", [left_out(error) for error in self.errors])
        document = report_document(
            asdict(self.order) | {"made_at": made_at, "seconds": seconds},
            photos=[photo.document for photo in photos],
            drafts=self.drafts,
            errors=self.errors,
            found=self.findings,
            packs=list(self.packs.values()),
        )
        for market, frames in self.frames.items():
            if frames:
                order = self.packs[market].slots_in_order
                gallery = [frame for _, frame in sorted(frames, key=lambda item: order.index(item[0]))]
                self.folder.put(f"{CONTACT}/{market}.jpg", contact_sheet(gallery))
        self.folder.put_json(CERTIFICATE, certify(document, finder=self.finder.name))
        self.folder.put("report.html", report_page(document, [photo.pictures for photo in photos], self.packs).encode())
        self.folder.finish(document)
        return document

    def _note(self, where: str, findings: Iterable[Finding], *, softened: bool = False) -> None:
        """Keep findings for the summary; of a photo that was left out they warn, for the card goes on without it."""
        for finding in findings:
            lighter = softened and finding.severity is Severity.BLOCK
            self.findings.append((where, replace(finding, severity=Severity.WARN) if lighter else finding))

    def _step(self, what: str) -> None:
        self._say(what, min(0.98, self._done / self._steps))
        self._done += 1
