"""The only place that reads and writes files: written aside, then moved, so that nobody ever sees half a file."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

from vitrina.errors import Missing, NotWritable, TooLarge, Unreadable

MAX_BYTES = 512 * 2**20
"""No photo is larger; a device that never ends is refused here."""

PHOTO_ENDINGS = (
    ".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif", ".tif", ".tiff",
    ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef",
)  # fmt: skip
"""Endings of files that a folder's listing takes for photos."""

_ASIDE = ".vitrina-part"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def photos_in(folder: Path) -> list[Path]:
    """The photos that lie in `folder`, by name; hidden ones are left alone."""
    return [p for p in sorted(folder.iterdir()) if p.suffix.lower() in PHOTO_ENDINGS and not p.name.startswith(".")]


def read_bytes(path: Path) -> bytes:
    """The bytes of `path`; raises Missing, Unreadable or TooLarge naming it as it was given."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise Missing(f"{path}: there is no such file. Check the name; paths are relative to {Path.cwd()}.") from error
    except IsADirectoryError as error:
        raise Unreadable(f"{path}: a folder, not a picture. Name the photos in it.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Unreadable(f"{path}: cannot be read ({reason}). Check the path and its permissions.") from error
    if len(data) > MAX_BYTES:
        raise TooLarge(f"{path}: more than {MAX_BYTES // 2**20} MiB. Send the photo as the camera wrote it.")
    return data


def write_bytes(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """Write `data` to `path`: aside in the same folder, flushed to the disk, then moved over `path` in one step.

    Links are followed. Devices and pipes are written straight. Raises NotWritable; nothing is left behind then.
    """
    try:
        target = path.resolve()
        if target.exists() and not stat.S_ISREG(target.stat().st_mode):
            _write_straight(target, data)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f".{target.name[:80]}.{os.getpid()}{_ASIDE}")
        try:
            with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:  # noqa: PTH123
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)
            raise
    except (OSError, ValueError) as error:
        raise _not_writable(path, len(data), error) from error


def require_writable(path: Path) -> None:
    """Raise NotWritable when a file could not be written at `path`, before any long work is done for it."""
    folder = path.resolve().parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise NotWritable(f"{path}: cannot be written ({folder} is a file, not a folder). Choose another output.")
    if path.is_dir():
        raise NotWritable(f"{path}: cannot be written (it is a folder). Name a file.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise NotWritable(f"{path}: cannot be written (no permission in {folder}). Choose another output.")


def sweep(folder: Path) -> None:
    """Remove what a killed run left aside in `folder` (only files that this module named)."""
    for left in folder.glob(f".*{_ASIDE}"):
        with contextlib.suppress(OSError):
            left.unlink()


def _write_straight(target: Path, data: bytes) -> None:
    with target.open("wb", buffering=0) as file:
        view = memoryview(data)
        while view:
            view = view[file.write(view) or 0 :]


def _not_writable(path: Path, size: int, error: OSError | ValueError) -> NotWritable:
    number = getattr(error, "errno", None)
    if number in _FULL:
        return NotWritable(
            f"{path}: cannot be written (the disk is full or the file too large for it; {size} bytes). Free some space."
        )
    reason = getattr(error, "strerror", None) or error
    return NotWritable(f"{path}: cannot be written ({reason}). Choose another output.")
