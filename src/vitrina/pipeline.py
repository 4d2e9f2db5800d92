"""The way of a photo, top to bottom.

Bytes come in and are archived; each photo is inspected; the piece is cut out and its edges are checked; each look is
composed and verified; each marketplace's draft is rendered, read back, verified again and held against its rules; the
report says all of it. Every maker is followed by its checker.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from vitrina import __version__, steps
from vitrina.card_folder import CardFolder
from vitrina.certificate import certify, share_of_source
from vitrina.errors import InputError, UsageError
from vitrina.files import read_bytes
from vitrina.model import (
    Adjustment,
    Alpha,
    Cutout,
    Digest,
    Finding,
    Judgement,
    Placement,
    Region,
    Rendition,
    Severity,
    Source,
    Variant,
    Verdict,
    verdict_of,
)  # fmt: skip
from vitrina.pages.pictures import PhotoPictures, on_grey
from vitrina.pages.report import CHECKLIST, NOTICE, report_page
from vitrina.plugins import BlobStore, Segmenter
from vitrina.rules.evaluate import check_count
from vitrina.rules.load import find_slot, load_pack
from vitrina.rules.pack import Pack
from vitrina.stages.export import check_size, file_name
from vitrina.stages.scene import named_look, neutral_adjustment

Say = Callable[[str, float], None]
"""Called with what is being done and the share that is done, 0…1."""

DRAFTS, MASTERS, ORIGINALS = "drafts", "masters", "original"
"""The folders of a card."""
WORN = "worn"
"""The code of the finding that a person wears the piece."""
_RETRIES = (90, 96)
"""Least qualities at which a draft is encoded again when its re-check fails and its variant's did not."""


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
    def rank(self) -> tuple[bool, int, int]:
        """Not worn first, then fewer blocks, then fewer warnings."""
        severities = [finding.severity for finding in self.findings]
        return self.is_worn, severities.count(Severity.BLOCK), severities.count(Severity.WARN)


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
    for market in order.markets:
        load_pack(market)


def _too_weak(photo: Photo) -> str:
    said = " ".join(finding.message for finding in photo.findings if finding.severity is Severity.BLOCK)
    if photo.is_worn:
        return f"{photo.name}: worn on a person: a scale frame, not a main image. {said}"
    return f"{photo.name}: too weak to work from. {said} Photograph it again; --force goes on all the same."


class _Card:
    """The card being made: owns its folder, its drafts and what was found on the way."""

    def __init__(self, order: CardOrder, folder: CardFolder, finder: Segmenter, say: Say) -> None:
        self.order = order
        self.folder = folder
        self.finder = finder
        self.packs = {market: load_pack(market) for market in order.markets}
        self.drafts: list[dict[str, Any]] = []
        self.refused: list[dict[str, Any]] = []
        self.errors: list[InputError] = []
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
            return steps.take_in(
                blobs.get(photo.digest), name=str(photo.path), max_megapixels=self.order.max_megapixels
            )
        except InputError as error:
            self.errors.append(error)
            return None

    def inspect(self, photo: Photo, source: Source | None) -> bool:
        """Check the photo; False when it could not be opened."""
        self._step(f"inspecting {photo.name}")
        if source is None:
            return False
        seen = steps.inspect(source, finder=self.finder)
        photo.findings = list(seen.findings)
        photo.document = {
            "photo": photo.name, "sha256": photo.digest, "size": asdict(source.size), "inspect": seen.as_dict(),
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
        cut = steps.cutout(source, finder=self.finder)
        self._step(f"checking the edges of {photo.name}")
        edges = steps.check_edges(source, cut)
        self._note(f"{photo.name}, cutout", edges.findings)
        photo.document["cutout"] = {
            "method": cut.method,
            "parts": [asdict(part) for part in cut.parts],
            **edges.as_dict(),
        }
        if not cut.parts:
            photo.stopped = f"{photo.name}: no piece of jewelry was found. " + _messages(edges.findings)
            return
        photo.pictures.show_cutout(source.rgb, cut)
        for finding in edges.findings:
            photo.pictures.show_finding(
                finding, "cutout", before=source.rgb, after=lambda: on_grey(cut.foreground, cut.alpha)
            )
        stem = Path(photo.name).stem
        master = f"{MASTERS}/{stem}-cutout.png"
        photo.document["cutout"]["master"] = master
        data = steps.master(cut)
        photo.document["cutout"]["master_sha256"] = self.folder.put(master, data)
        photo.document["cutout"]["product_pixels"] = share_of_source(source, data, name=master)
        if edges.verdict is Verdict.REJECT and not self.order.force:
            photo.stopped = f"{photo.name}: the cutout did not pass its edge check. " + _messages(edges.findings)
            return
        adjustment = neutral_adjustment(source, cut)
        photo.document["adjustment"] = asdict(adjustment)
        near, matte = _near(source, cut)
        photo.document["variants"] = []
        for name in self.order.looks:
            self._dress_in(photo, source, cut, name, adjustment, near, matte)

    def _dress_in(
        self, photo: Photo, source: Source, cut: Cutout, look: str, adjustment: Adjustment, near: Source, matte: Alpha
    ) -> None:
        self._step(f"dressing {photo.name} in {look}")
        variant = steps.compose(cut, look, adjustment=adjustment)
        seen = steps.verify(near, steps.from_array(variant.rgb, name=look), matte=matte, finder=self.finder)
        self._note(f"{photo.name} on {look}", seen.findings)
        document = {"look": look, "placement": _placement(variant.placement), "verify": seen.as_dict()}
        photo.document["variants"].append(document)
        photo.pictures.show_variant(variant)
        for finding in seen.findings:
            photo.pictures.show_finding(
                finding, look, before=source.rgb, after=lambda: variant.rgb, placement=variant.placement
            )
        if seen.verdict is Verdict.REJECT and not self.order.force:
            document["stopped"] = f"{photo.name} on {look}: verification rejected it. " + _messages(seen.findings)
            return
        with ThreadPoolExecutor(2) as pool:
            work = [
                pool.submit(self._render, variant, pack, self._slot_of(photo, look, pack), near, matte, seen)
                for pack in self.packs.values()
            ]
            for job, pack in zip(work, self.packs.values(), strict=True):
                rendition, verified, ruled = job.result()
                self._step(f"rendered {photo.name} on {look} for {pack.name}")
                self._file(photo, look, source, rendition, verified, ruled)

    def _render(
        self, variant: Variant, pack: Pack, slot: str, near: Source, matte: Alpha, master: Judgement
    ) -> tuple[Rendition, Judgement, Judgement]:
        """One draft, verified as it ships and held against its rules; encoded again, finer, when the re-check fails."""
        rendition = steps.render(variant, market=pack.market, slot=slot)
        verified = self._recheck(rendition, near, matte)
        for quality in _RETRIES:
            if _badness(verified) <= _badness(master) or quality <= rendition.quality:
                continue
            finer = steps.render(variant, market=pack.market, slot=slot, least_quality=quality)
            again = self._recheck(finer, near, matte)
            if _badness(again) < _badness(verified):
                rendition, verified = finer, again
        name = f"{pack.market} {slot}"
        ruled = steps.check_rules(rendition.data, market=pack.market, slot=slot, name=name)
        return rendition, verified, replace(ruled, findings=(*ruled.findings, *check_size(rendition, variant, pack)))

    def _recheck(self, rendition: Rendition, near: Source, matte: Alpha) -> Judgement:
        shipped = steps.take_in(rendition.data, name=f"{rendition.market} {rendition.slot}")
        return steps.verify(near, shipped, matte=matte, finder=self.finder)

    def _slot_of(self, photo: Photo, look: str, pack: Pack) -> str:
        """Main for the first photo's looks that the marketplace may take there, extra for everything else."""
        grounds = find_slot(pack, "main").ground
        wants_white = any(rule.kind == "white" and rule.level == "required" for rule in grounds)
        is_white = named_look(look).ground_srgb == (255, 255, 255)
        mains = {draft["photo"] for draft in self.drafts if draft["market"] == pack.market and draft["slot"] == "main"}
        is_first = mains <= {photo.name}
        return "main" if is_first and not photo.is_worn and (is_white or not wants_white) else "extra"

    def _file(
        self, photo: Photo, look: str, source: Source, rendition: Rendition, verified: Judgement, ruled: Judgement
    ) -> None:
        """Keep a draft with what was said of it, or say why it is not kept."""
        pack = self.packs[rendition.market]
        findings = (*verified.findings, *ruled.findings)
        where = f"{pack.name} {rendition.slot}, {look}"
        self._note(where, findings)
        shipped = steps.take_in(rendition.data, name=where)
        for finding in verified.findings:
            photo.pictures.show_finding(
                finding, where, before=source.rgb, after=lambda: shipped.rgb, placement=rendition.placement
            )
        verdict = verdict_of(findings)
        entry: dict[str, Any] = {
            "market": pack.market,
            "slot": rendition.slot,
            "look": look,
            "photo": photo.name,
            "verdict": verdict.value,
            "verify": verified.as_dict(),
            "rules": ruled.as_dict(),
        }
        if verdict is Verdict.REJECT and not self.order.force:
            self.refused.append({**entry, "why": f"{where}: " + _messages(findings)})
            return
        key = (pack.market, rendition.slot, look)
        self._slots[key] = self._slots.get(key, 0) + 1
        name = file_name(self.order.sku, rendition.slot, look=look, number=self._slots[key])
        path = f"{DRAFTS}/{pack.market}/{name}"
        photo.pictures.show_draft(path, shipped.rgb)
        self.drafts.append(
            {
                "file": path,
                "sha256": self.folder.put(path, rendition.data),
                "width": rendition.size.width,
                "height": rendition.size.height,
                "bytes": len(rendition.data),
                "format": rendition.format,
                "quality": rendition.quality,
                "placement": _placement(rendition.placement),
                **entry,
            }
        )

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
            self._note("the order", [_left_out(error) for error in self.errors])
        verdict = Verdict.REJECT if not self.drafts else verdict_of(finding for _, finding in self.findings)
        document: dict[str, Any] = {
            "schema": "vitrina.card/1",
            "version": __version__,
            "sku": self.order.sku,
            "status": "draft",
            "made_at": made_at.isoformat(timespec="seconds"),
            "mode": self.order.mode,
            "looks": list(self.order.looks),
            "markets": list(self.order.markets),
            "forced": self.order.force,
            "verdict": verdict.value,
            "stopped": None if self.drafts else _why_nothing(photos, self.refused),
            "summary": _summary(self.findings),
            "photos": [photo.document for photo in photos],
            "drafts": self.drafts,
            "refused": self.refused,
            "errors": [
                {"kind": type(error).__name__, "message": str(error), "exit_code": error.exit_code}
                for error in self.errors
            ],
            "packs": {
                market: {"version": pack.version, "checked_on": pack.checked_on.isoformat()}
                for market, pack in self.packs.items()
            },
            "checklist": list(CHECKLIST),
            "notice": NOTICE,
            "seconds": {"total": round(seconds, 3)},
        }
        self.folder.put_json("certificate.json", certify(document, finder=self.finder.name))
        self.folder.put("report.html", report_page(document, [photo.pictures for photo in photos]).encode())
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


def _near(source: Source, cut: Cutout) -> tuple[Source, Alpha]:
    """The source and its matte around the piece: what verification looks at, and no more."""
    box = Region.around(cut.alpha > 0)
    assert box is not None  # parts were found
    box = box.grown(max(32, round(0.25 * max(box.width, box.height))), within=source.size)
    part = np.ascontiguousarray(source.rgb[box.slices])
    return replace(source, rgb=part, alpha=None), np.ascontiguousarray(cut.alpha[box.slices])


def _placement(placement: Placement) -> dict[str, Any]:
    size = asdict(placement.size)
    return {"scale": round(placement.scale, 6), "dx": round(placement.dx, 3), "dy": round(placement.dy, 3), **size}


def _badness(judgement: Judgement) -> tuple[int, int]:
    severities = [finding.severity for finding in judgement.findings]
    return severities.count(Severity.BLOCK), severities.count(Severity.WARN)


def _messages(findings: Iterable[Finding]) -> str:
    """What blocks, each thing said once."""
    blocks = [finding.message for finding in findings if finding.severity is Severity.BLOCK]
    return " ".join(dict.fromkeys(blocks))


def _left_out(error: InputError) -> Finding:
    return Finding("file", "unreadable", Severity.WARN, None, None, "", f"A photo was left out. {error}")


def _why_nothing(photos: list[Photo], refused: list[dict[str, Any]]) -> str:
    """Why there is no draft, photo by photo."""
    reasons = [photo.stopped for photo in photos if photo.stopped]
    reasons += [v["stopped"] for photo in photos for v in photo.document.get("variants", ()) if v.get("stopped")]
    reasons += [draft["why"] for draft in refused]
    return " ".join(dict.fromkeys(reasons)) or "no photo could be worked on."


def _summary(found: list[tuple[str, Finding]]) -> list[dict[str, Any]]:
    """Each kind of finding once, the gravest first, with the places where it was found."""
    order = (Severity.BLOCK, Severity.WARN, Severity.NOTE)
    kinds: dict[tuple[str, str, Severity], tuple[Finding, list[str]]] = {}
    for where, finding in found:
        _, places = kinds.setdefault((finding.check, finding.code, finding.severity), (finding, []))
        if where not in places:
            places.append(where)
    ranked = sorted(kinds.values(), key=lambda kind: order.index(kind[0].severity))
    return [{**finding.as_dict(), "where": places} for finding, places in ranked]
