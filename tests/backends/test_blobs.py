"""Originals: kept under their digest, once, never changed, and checked on the way out."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from vitrina.backends.blobs import FolderBlobs, digest_of
from vitrina.errors import Missing, NotWritable, ResourceError
from vitrina.model import Digest

DATA = b"the photo as the camera wrote it"


def test_bytes_come_back_under_their_sha256(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    digest = blobs.put(DATA)
    assert digest == hashlib.sha256(DATA).hexdigest() == digest_of(DATA)
    assert blobs.get(digest) == DATA


def test_putting_twice_keeps_one_and_does_not_write_again(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    digest = blobs.put(DATA)
    (path,) = (p for p in tmp_path.rglob("*") if p.is_file())
    before = path.stat().st_mtime_ns
    assert blobs.put(DATA) == digest
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [path]
    assert path.stat().st_mtime_ns == before


def test_an_original_is_read_only(tmp_path: Path) -> None:
    FolderBlobs(tmp_path).put(DATA)
    (path,) = (p for p in tmp_path.rglob("*") if p.is_file())
    assert path.stat().st_mode & 0o222 == 0


def test_a_changed_original_is_never_given_out(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    digest = blobs.put(DATA)
    (path,) = (p for p in tmp_path.rglob("*") if p.is_file())
    path.chmod(0o600)
    path.write_bytes(DATA[:-1] + b"!")
    for act in (lambda: blobs.get(digest), lambda: blobs.put(DATA)):
        with pytest.raises(ResourceError, match="have changed"):
            act()


def test_an_original_that_is_gone_is_missed(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="not in the archive"):
        FolderBlobs(tmp_path).get(Digest("0" * 64))


def test_the_list_is_in_order_and_without_strangers(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    assert list(blobs.digests()) == []
    put = sorted(blobs.put(bytes([n]) * 10) for n in range(12))
    stray = tmp_path / "originals" / "sha256" / put[0][:2] / put[0][2:4] / ".x.vitrina-part"
    stray.write_bytes(b"half")
    assert list(blobs.digests()) == put


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotWritable, match="cannot be written"):
        FolderBlobs(tmp_path / "file").put(DATA)
