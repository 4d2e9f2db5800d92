"""A folder of bytes, each under its own SHA-256: put once, never changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vitrina.errors import Broken, Missing
from vitrina.files import read_bytes, write_bytes
from vitrina.model import Digest


def digest_of(data: bytes) -> Digest:
    """The SHA-256 of `data`, in hexadecimal."""
    return Digest(hashlib.sha256(data).hexdigest())


@dataclass(frozen=True, slots=True)
class FolderBlobs:
    """Bytes under ``ROOM/sha256/ab/cd/abcd…`` in `root`: the originals, or the works that were made of them."""

    root: Path
    room: str = "originals"

    def put(self, data: bytes) -> Digest:
        """Keep `data` and return its name; what is there already is checked, not written again."""
        digest = digest_of(data)
        path = self._path(digest)
        if not path.exists():
            write_bytes(path, data, mode=0o444)
        self.get(digest)
        return digest

    def get(self, digest: Digest) -> bytes:
        """The bytes called `digest`, verified. Raises Missing, or Broken when they have changed."""
        path = self._path(digest)
        if not path.is_file():
            raise Missing(f"{self.room} {digest[:12]}… is not in the archive at {self.root}. Restore it from a backup.")
        data = read_bytes(path)
        if digest_of(data) != digest:
            raise Broken(f"{path}: the archived bytes have changed. Restore them from a backup.")
        return data

    def digests(self) -> Iterator[Digest]:
        """The names of everything kept, in order."""
        for path in sorted((self.root / self.room / "sha256").glob("*/*/*")):
            if len(path.name) == 64:
                yield Digest(path.name)

    def _path(self, digest: Digest) -> Path:
        return self.root / self.room / "sha256" / digest[:2] / digest[2:4] / digest

    def has(self, digest: Digest) -> bool:
        """Whether there is a file of that name; `get` says whether it is whole."""
        return self._path(digest).is_file()

    def remove(self, digest: Digest) -> None:
        """Remove the bytes; only a recorded act of erasure calls this."""
        self._path(digest).unlink(missing_ok=True)

    def mend(self, data: bytes) -> Digest:
        """Put `data` in the place of damaged bytes of the same name."""
        digest = digest_of(data)
        self._path(digest).unlink(missing_ok=True)
        return self.put(data)
