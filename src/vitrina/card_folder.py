"""The folder of one card: filled aside, moved into place when everything is there, replaced cleanly by the next run."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any

from vitrina.errors import NotWritable, UsageError
from vitrina.files import require_writable, write_bytes
from vitrina.model import Digest

REPORT = "report.json"
_ASIDE = ".vitrina-card-"
_KEPT = "original"


class CardFolder:
    """Collects the files of one card and moves them in at the end; an interrupted run leaves the folder as it was.

    Files of an earlier run of the same SKU that are not written again are removed, unless somebody changed them since;
    originals are never removed, and nothing else in the folder is touched.
    """

    def __init__(self, folder: Path, sku: str) -> None:
        self.folder = folder
        self.files: dict[str, Digest] = {}
        require_writable(folder / REPORT)
        self._earlier = self._read_earlier(sku)
        self._is_new = not folder.exists()
        self._aside = folder / f"{_ASIDE}{os.getpid()}"

    def __enter__(self) -> CardFolder:
        for left in self.folder.glob(f"{_ASIDE}*"):
            shutil.rmtree(left, ignore_errors=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._aside, ignore_errors=True)
        if kind is not None and self._is_new:
            with contextlib.suppress(OSError):
                self.folder.rmdir()

    def put(self, name: str, data: bytes) -> Digest:
        """Keep `data` under the relative `name` (with forward slashes)."""
        write_bytes(self._aside / name, data)
        self.files[name] = Digest(hashlib.sha256(data).hexdigest())
        return self.files[name]

    def put_json(self, name: str, document: dict[str, Any]) -> Digest:
        """Keep `document` as indented JSON."""
        return self.put(name, (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode())

    def finish(self, document: dict[str, Any]) -> None:
        """Write the report document and move everything into place, the report last."""
        document["files"] = dict(sorted(self.files.items()))
        self.put_json(REPORT, document)
        try:
            for name in [*(n for n in self.files if n != REPORT), REPORT]:
                target = self.folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                (self._aside / name).replace(target)
        except OSError as error:
            raise NotWritable(f"{error.filename2 or self.folder}: cannot be written ({error.strerror}).") from error
        self._remove_outdated()

    def _remove_outdated(self) -> None:
        for name, digest in self._earlier.items():
            pure = PurePosixPath(name)
            if name in self.files or pure.is_absolute() or ".." in pure.parts or pure.parts[0] == _KEPT:
                continue
            path = self.folder / name
            with contextlib.suppress(OSError):
                if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest:
                    path.unlink()
                    path.parent.rmdir()  # only an empty folder goes

    def _read_earlier(self, sku: str) -> dict[str, str]:
        """The files of the card that is here already; raises UsageError when it is another SKU's."""
        try:
            earlier = json.loads((self.folder / REPORT).read_text("utf-8"))
            files = {str(name): str(digest) for name, digest in dict(earlier["files"]).items() if str(name)}
            other = str(earlier["sku"])
        except (OSError, ValueError, KeyError, TypeError):
            return {}
        if other != sku:
            raise UsageError(
                f"{self.folder}: holds the card of {other} already. "
                f"Give each SKU a folder of its own, for example -o {self.folder / sku}"
            )
        return files
