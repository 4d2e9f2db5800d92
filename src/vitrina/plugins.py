"""The seams: small Protocols, chosen by name, and one look-up through entry points (group ``vitrina.<kind>``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any, Protocol

from vitrina.errors import UsageError
from vitrina.model import Alpha, Digest, Line, Rgb


class Segmenter(Protocol):
    """Finds the piece: a pretrained network behind one call."""

    @property
    def name(self) -> str:
        """What the report calls it."""
        ...

    def find(self, rgb: Rgb) -> Alpha:
        """Soft evidence 0…1 that a pixel belongs to the piece, at the size of `rgb` (linear light)."""
        ...

    def refine(self, rgb: Rgb, alpha: Alpha) -> Alpha:
        """`alpha` (at the size of `rgb`, up to four times blurrier) redrawn from the pixels; `alpha` itself from a
        network that has no such part."""
        ...


class Reader(Protocol):
    """Reads print in pictures."""

    @property
    def name(self) -> str:
        """What the report calls it."""
        ...

    def read(self, rgb: Rgb) -> tuple[Line, ...]:
        """The lines of print in `rgb` (linear light), best first; letters it does not know may be wrong."""
        ...


class BlobStore(Protocol):
    """Keeps bytes under their SHA-256, in one room of an archive: the originals, or the works made of them."""

    @property
    def room(self) -> str:
        """``originals`` or ``works``."""
        ...

    def put(self, data: bytes) -> Digest:
        """Keep `data` and return its name."""
        ...

    def get(self, digest: Digest) -> bytes:
        """The bytes called `digest`, verified."""
        ...

    def digests(self) -> Iterator[Digest]:
        """The names of everything kept."""
        ...

    def has(self, digest: Digest) -> bool:
        """Whether something is kept under that name; `get` says whether it is whole."""
        ...

    def remove(self, digest: Digest) -> None:
        """Remove the bytes; only a recorded act of erasure calls this."""
        ...

    def mend(self, data: bytes) -> Digest:
        """Put `data` in the place of damaged bytes of the same name."""
        ...


@dataclass(frozen=True, slots=True)
class Picture:
    """An approved file on its way out. `url` is where a marketplace can fetch it, if it takes addresses only."""

    name: str
    slot: str
    digest: Digest
    data: bytes = field(repr=False)
    url: str = ""


@dataclass(frozen=True, slots=True)
class Parcel:
    """The pictures of one SKU in the order of the gallery, and whose listing they go to (the marketplace's own ids)."""

    market: str
    sku: str
    listing: Mapping[str, str]
    pictures: tuple[Picture, ...]


class Journal(Protocol):
    """What was answered so far, so that an interrupted sending goes on where it stopped."""

    def answer(self, key: str) -> Mapping[str, Any] | None:
        """The kept answer to the request `key`, or None."""
        ...

    def keep(self, key: str, answer: Mapping[str, Any]) -> None:
        """Keep an answer for good, before the next request is sent."""
        ...


class Publisher(Protocol):
    """Hands approved pictures on to one marketplace. Sending twice leaves the same gallery as sending once."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    @property
    def needs(self) -> Mapping[str, str]:
        """The ids of the listing that it must be told, each with what it is."""
        ...

    @property
    def takes_urls(self) -> bool:
        """Whether it takes public addresses instead of files."""
        ...

    def plan(self, parcel: Parcel) -> list[dict[str, Any]]:
        """Every request that `send` would make, as it would be made, without credentials. Nothing is sent."""
        ...

    def send(self, parcel: Parcel, journal: Journal) -> None:
        """Send what `journal` has no answer to. Raises Refused with the marketplace's words, Retryable to wait."""
        ...

    def shown(self, parcel: Parcel) -> list[str] | None:
        """The addresses of the pictures in the gallery now, in order; None when the marketplace does not tell."""
        ...

    def fetch(self, address: str) -> bytes:
        """The bytes at an address, asked for without credentials."""
        ...


def plugins_of(kind: str) -> tuple[str, ...]:
    """The names of the plugins of `kind`, in order."""
    return tuple(sorted(entry.name for entry in entry_points(group=f"vitrina.{kind}")))


def plugin(kind: str, name: str) -> object:
    """The plugin called `name` of `kind` ("segmenters"); raises UsageError naming those there are."""
    found = {entry.name: entry for entry in entry_points(group=f"vitrina.{kind}")}
    if name not in found:
        raise UsageError(f"no {kind} plugin is called {name!r}; there are: {', '.join(sorted(found)) or 'none'}.")
    return found[name].load()
