"""A folder or a zip, its files numbered in the order of the gallery, ready for any seller's cabinet."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from vitrina.backends.publishers.wire import key_of
from vitrina.errors import Missing
from vitrina.files import read_bytes, write_bytes
from vitrina.plugins import Journal, Parcel

__all__ = ["Folder"]


@dataclass(slots=True)
class Folder:
    """The publisher that always works. `path` is a folder, or a file that ends in .zip."""

    name = "folder"
    needs: ClassVar[Mapping[str, str]] = {"path": "a folder, or a file ending in .zip"}
    takes_urls = False

    def plan(self, parcel: Parcel) -> list[dict[str, Any]]:
        """The files."""
        return [
            {"write": str(path), "bytes": len(picture.data), "sha256": picture.digest}
            for path, picture in zip(_paths(parcel), parcel.pictures, strict=True)
        ]

    def send(self, parcel: Parcel, journal: Journal) -> None:
        """Write all of them, anew each time: a file at hand is worth more than the memory of one."""
        target = Path(parcel.listing["path"])
        if target.suffix.lower() == ".zip":
            write_bytes(target, _zipped(parcel))
        else:
            for path, picture in zip(_paths(parcel), parcel.pictures, strict=True):
                write_bytes(path, picture.data)
        key = key_of(self.name, target, *(picture.digest for picture in parcel.pictures))
        journal.keep(key, {"path": str(target), "files": len(parcel.pictures)})

    def shown(self, parcel: Parcel) -> list[str]:
        """The files that are there."""
        return [str(path) for path in _paths(parcel) if _is_there(path)]

    def fetch(self, address: str) -> bytes:
        """A file as it was written."""
        archive, mark, name = address.partition(".zip/")
        if not mark:
            return read_bytes(Path(address))
        try:
            with zipfile.ZipFile(io.BytesIO(read_bytes(Path(f"{archive}.zip")))) as packed:
                return packed.read(name)
        except (KeyError, zipfile.BadZipFile) as error:
            raise Missing(f"{address}: is not in the zip ({error}).") from error


def _paths(parcel: Parcel) -> list[Path]:
    target = Path(parcel.listing["path"])
    return [target / f"{place:02}_{picture.name}" for place, picture in enumerate(parcel.pictures, start=1)]


def _is_there(path: Path) -> bool:
    return path.is_file() or (path.parent.suffix.lower() == ".zip" and path.parent.is_file())


def _zipped(parcel: Parcel) -> bytes:
    """The same pictures give the same zip: its files bear no time of day."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as packed:
        for path, picture in zip(_paths(parcel), parcel.pictures, strict=True):
            packed.writestr(zipfile.ZipInfo(path.name, (1980, 1, 1, 0, 0, 0)), picture.data)
    return out.getvalue()
