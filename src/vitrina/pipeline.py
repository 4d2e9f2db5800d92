"""The way of a photo, top to bottom.

Bytes come in and are archived; each photo is inspected; the piece is cut out and its edges are checked; each look is
composed and verified; each marketplace's draft is rendered, read back, verified again and held against its rules; the
report says all of it. Every maker is followed by its checker.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from vitrina import steps
from vitrina.card_folder import CardFolder
from vitrina.errors import InputError
from vitrina.files import read_bytes
from vitrina.model import Digest, Finding, Judgement, Severity, Source
from vitrina.pages.pictures import Pictures
from vitrina.plugins import BlobStore, Segmenter

Say = Callable[[str, float], None]
"""Called with what is being done and the share that is done, 0…1."""


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

    @property
    def is_weak(self) -> bool:
        return any(finding.severity is Severity.BLOCK for finding in self.findings)

    @property
    def rank(self) -> tuple[int, int]:
        """Fewer blocks first, then fewer warnings."""
        severities = [finding.severity for finding in self.findings]
        return severities.count(Severity.BLOCK), severities.count(Severity.WARN)


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
        photos = card.archive(blobs)
        for photo in photos:
            card.inspect(photo, card.open(photo, blobs))
        best_first = sorted(photos, key=lambda photo: photo.rank)
        usable = [photo for photo in best_first if order.force or not photo.is_weak]
        for photo in usable:
            card.dress(photo, card.open(photo, blobs))
        return card.finish(best_first, made_at=clock(), seconds=time.perf_counter() - started)


class _Card:
    """The card being made: owns its document, its pictures and the count of pictures per slot."""

    def __init__(self, order: CardOrder, folder: CardFolder, finder: Segmenter, say: Say) -> None:
        self.order = order
        self.folder = folder
        self.finder = finder
        self.pictures = Pictures()
        self.drafts: list[dict[str, Any]] = []
        self.errors: list[dict[str, str]] = []
        self.findings: list[Finding] = []
        self._say = say
        self._steps = len(order.photos) * (3 + len(order.looks) * (1 + len(order.markets)))
        self._done = 0
        self._seen: dict[Digest, Judgement] = {}
        self._slots: dict[tuple[str, str], int] = {}

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
                self._refuse(path, error)
                continue
            taken = {photo.name for photo in photos}
            photos.append(Photo(path.name if path.name not in taken else f"{digest[:8]}-{path.name}", path, digest))
        return photos

    def open(self, photo: Photo, blobs: BlobStore) -> Source | None:
        """Decode the archived bytes; None when they turn out to be damaged, which is recorded."""
        try:
            return steps.take_in(
                blobs.get(photo.digest), name=str(photo.path), max_megapixels=self.order.max_megapixels
            )
        except InputError as error:
            self._refuse(photo.path, error)
            return None
