"""Originals in a bucket keep the same promises as in a folder, against a server that speaks S3."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.doubles.house import hire, picture
from vitrina.actions import archive, pictures, skus
from vitrina.actions.house import open_house
from vitrina.backends.s3 import S3Blobs, put_pictures
from vitrina.config import Config, load_config
from vitrina.errors import Broken, Missing, ResourceError, UsageError
from vitrina.model import Digest

obstore = pytest.importorskip("obstore", reason="obstore is not installed: blobs in S3 are not tested here")

DATA = b"the photo as the camera wrote it"


def spoil(blobs: S3Blobs, digest: Digest) -> None:
    """Change kept bytes behind the archive's back."""
    obstore.put(blobs._store, blobs._path(digest), DATA[:-1] + b"!")


def test_bytes_come_back_under_their_sha256_and_are_kept_once(bucket: str) -> None:
    blobs = S3Blobs(bucket)
    digest = blobs.put(DATA)
    assert digest == hashlib.sha256(DATA).hexdigest() == blobs.put(DATA)
    assert blobs.get(digest) == DATA and blobs.has(digest)
    assert list(blobs.digests()) == [digest]
    assert list(S3Blobs(bucket, "works").digests()) == [], "the rooms are apart"


def test_what_is_not_there_is_missed(bucket: str) -> None:
    blobs = S3Blobs(bucket)
    assert not blobs.has(Digest("0" * 64))
    with pytest.raises(Missing, match="not in the archive at s3://atelier"):
        blobs.get(Digest("0" * 64))
    blobs.remove(Digest("0" * 64))


def test_changed_bytes_are_never_given_out_and_can_be_mended(bucket: str) -> None:
    blobs = S3Blobs(bucket)
    digest = blobs.put(DATA)
    spoil(blobs, digest)
    for act in (lambda: blobs.get(digest), lambda: blobs.put(DATA)):
        with pytest.raises(Broken, match="have changed"):
            act()
    assert blobs.mend(DATA) == digest and blobs.get(digest) == DATA
    blobs.remove(digest)
    assert not blobs.has(digest)


def test_the_list_is_in_order(bucket: str) -> None:
    blobs = S3Blobs(bucket)
    assert sorted(blobs.put(bytes([n]) * 10) for n in range(12)) == list(blobs.digests())


@pytest.mark.usefixtures("bucket")
def test_a_bucket_that_refuses_is_named() -> None:
    with pytest.raises(ResourceError, match="s3://nobodys-bucket"):
        S3Blobs("s3://nobodys-bucket").put(DATA)
    with pytest.raises(UsageError, match="names no bucket"):
        S3Blobs("folder/originals")


def test_the_setting_is_checked(tmp_path: Path) -> None:
    assert load_config({"VITRINA_HOME": str(tmp_path), "VITRINA_BLOBS": "s3://a/b"}).blobs == "s3://a/b"
    (tmp_path / "vitrina.toml").write_text('[store]\nblobs = "s3://c"\n')
    assert load_config({"VITRINA_HOME": str(tmp_path)}).blobs == "s3://c"
    with pytest.raises(UsageError, match="names no bucket"):
        load_config({"VITRINA_HOME": str(tmp_path), "VITRINA_BLOBS": "/somewhere"})


def test_a_house_keeps_its_archive_in_the_bucket(bucket: str, tmp_path: Path) -> None:
    """A photo goes in, fixity finds it whole and then lost, and a backup brings it back."""
    (tmp_path / "ring.png").write_bytes(picture(3))
    config = Config(tmp_path / "home", blobs=bucket)
    with open_house(config, person="Ann") as house:
        hire(house)
        skus.put_sku(house, {"sku": "RING-1"}, is_new=True)
        digest = Digest(pictures.import_photo(house, "RING-1", tmp_path / "ring.png")["digest"])
        assert not (tmp_path / "home" / "originals").exists()
        assert archive.examine_archive(house)["problems"] == []
        archive.backup(house, tmp_path / "kept.zip")
        house.originals.remove(digest)
        assert archive.examine_archive(house)["lost"] == [digest]
    restored = archive.restore(Config(tmp_path / "new", blobs=f"{bucket}-again"), tmp_path / "kept.zip")
    assert restored["verdict"] == "pass" and S3Blobs(f"{bucket}-again").has(digest)


def test_pictures_are_put_where_marketplaces_fetch_them(bucket: str) -> None:
    for data in (b"one", b"another"):
        put_pictures(bucket, {"ring_main_white.jpg": data})
        found = obstore.get(S3Blobs(bucket)._store, "ring_main_white.jpg")
        assert bytes(found.bytes()) == data
        assert found.attributes["Content-Type"] == "image/jpeg"
    with pytest.raises(UsageError, match="names no bucket"):
        put_pictures("ftp://x", {})
