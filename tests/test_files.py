"""Files are written whole or not at all, and every refusal of the system becomes a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vitrina.errors import Missing, NotWritable, TooLarge, Unreadable
from vitrina.files import read_bytes, require_writable, sweep, write_bytes

FULL = Path("/dev/full")
is_root = pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions do not bind this user")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "кольцо.bin"
    write_bytes(path, b"gold")
    assert read_bytes(path) == b"gold"
    assert [p.name for p in path.parent.iterdir()] == ["кольцо.bin"]


def test_a_second_write_replaces_the_first(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    write_bytes(path, b"first, and longer")
    write_bytes(path, b"second")
    assert read_bytes(path) == b"second"


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.bin", tmp_path / "link.bin"
    real.write_bytes(b"old")
    link.symlink_to(real)
    write_bytes(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_very_long_names_do_not_hinder_the_aside_file(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 250)
    write_bytes(path, b"1")
    assert path.read_bytes() == b"1"


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("none.jpg", Missing, ("there is no such file", "relative to")),
        (".", Unreadable, ("folder",)),
        ("bad\0name", Unreadable, ("cannot be read",)),
        ("x" * 300, Unreadable, ("cannot be read",)),
    ],
)
def test_reading_says_why_not(tmp_path: Path, name: str, kind: type[Exception], words: tuple[str, ...]) -> None:
    with pytest.raises(kind) as caught:
        read_bytes(tmp_path / name)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no endless device here")
def test_a_file_without_an_end_is_refused() -> None:
    with pytest.raises(TooLarge, match="MiB"):
        read_bytes(Path("/dev/zero"))


@pytest.mark.skipif(not FULL.exists(), reason="no full device here")
def test_a_full_disk_is_named() -> None:
    with pytest.raises(NotWritable, match="disk is full"):
        write_bytes(FULL, b"x" * 100)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_a_disk_that_fills_up_half_way_leaves_nothing_behind(tmp_path: Path) -> None:
    """A real refusal by the kernel, in the middle of the write; the old file stays."""
    (tmp_path / "out.bin").write_bytes(b"old")
    program = (
        "import resource, signal\n"
        "from pathlib import Path\n"
        "from vitrina.errors import NotWritable\n"
        "from vitrina.files import write_bytes\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n"
        f"    write_bytes(Path({str(tmp_path / 'out.bin')!r}), b'x' * 100_000)\n"
        "except NotWritable as error:\n"
        "    print(error)\n"
    )
    answer = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert "disk is full" in answer.stdout
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir() if p.is_file()} == {"out.bin": b"old"}


def test_an_output_below_a_file_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for act in (require_writable, lambda path: write_bytes(path, b"x")):
        with pytest.raises(NotWritable, match="Choose another output"):
            act(tmp_path / "file" / "out.png")


def test_an_output_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotWritable, match="Name a file"):
        require_writable(tmp_path)


@is_root
def test_a_folder_without_permission_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(NotWritable, match="permission"):
            require_writable(tmp_path / "out.png")
    finally:
        tmp_path.chmod(0o700)


def test_a_folder_yet_to_be_made_is_fine(tmp_path: Path) -> None:
    require_writable(tmp_path / "a" / "b" / "out.png")
    assert not (tmp_path / "a").exists()


def test_sweeping_removes_only_our_own_leftovers(tmp_path: Path) -> None:
    (tmp_path / ".out.png.123.vitrina-part").write_bytes(b"half")
    (tmp_path / "photo.jpg").write_bytes(b"kept")
    (tmp_path / ".hidden").write_bytes(b"kept")
    sweep(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == [".hidden", "photo.jpg"]
