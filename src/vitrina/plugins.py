"""The seams: small Protocols, chosen by name, and one look-up through entry points (group ``vitrina.<kind>``)."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Protocol

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
    """Keeps bytes under their SHA-256."""

    def put(self, data: bytes) -> Digest:
        """Keep `data` and return its name."""
        ...

    def get(self, digest: Digest) -> bytes:
        """The bytes called `digest`, verified."""
        ...

    def digests(self) -> Iterator[Digest]:
        """The names of everything kept."""
        ...


def plugin(kind: str, name: str) -> object:
    """The plugin called `name` of `kind` ("segmenters"); raises UsageError naming those there are."""
    found = {entry.name: entry for entry in entry_points(group=f"vitrina.{kind}")}
    if name not in found:
        raise UsageError(f"no {kind} plugin is called {name!r}; there are: {', '.join(sorted(found)) or 'none'}.")
    return found[name].load()
