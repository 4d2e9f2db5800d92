"""A folder of originals, each under its own SHA-256: put once, never changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vitrina.errors import Missing, ResourceError
from vitrina.files import read_bytes, write_bytes
from vitrina.model import Digest


def digest_of(data: bytes) -> Digest:
    """The SHA-256 of `data`, in hexadecimal."""
    return Digest(hashlib.sha256(data).hexdigest())


@dataclass(frozen=True, slots=True)
class FolderBlobs:
    """Bytes under ``originals/sha256/ab/cd/abcd…`` in `root`."""

    root: Path

    def put(self, data: bytes) -> Digest:
        """Keep `data` and return its name; what is there already is checked, not written again."""
        digest = digest_of(data)
        path = self._path(digest)
        if not path.exists():
            write_bytes(path, data, mode=0o444)
        self.get(digest)
        return digest

    def get(self, digest: Digest) -> bytes:
        """The bytes called `digest`, verified. Raises Missing, or ResourceError when they have changed."""
        path = self._path(digest)
        if not path.is_file():
            raise Missing(f"original {digest[:12]}… is not in the archive at {self.root}.")
        data = read_bytes(path)
        if digest_of(data) != digest:
            raise ResourceError(f"{path}: the archived original has changed. Restore it from a backup.")
        return data

    def digests(self) -> Iterator[Digest]:
        """The names of everything kept, in order."""
        for path in sorted((self.root / "originals" / "sha256").glob("*/*/*")):
            if len(path.name) == 64:
                yield Digest(path.name)

    def _path(self, digest: Digest) -> Path:
        return self.root / "originals" / "sha256" / digest[:2] / digest[2:4] / digest
