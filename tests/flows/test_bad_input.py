"""Bad input, bad places to write to, full disks: the contract's code, one helpful line, nothing half-written."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.flows import bad
from tests.scenes import Scene
from vitrina.cli import run


def command(name: str, photo: Path, out: Path) -> list[str]:
    return {
        "card": ["card", str(photo), "--sku", "RING-001", "-o", str(out)],
        "inspect": ["inspect", str(photo)],
        "cutout": ["cutout", str(photo), "-o", str(out / "cut.png")],
        "verify": ["verify", str(photo), str(photo)],
        "rules": ["rules", "check", str(photo), "--market", "kaspi"],
    }[name]


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("verb", ["card", "inspect", "cutout", "verify"])
@pytest.mark.parametrize("name", bad.REFUSED)
def test_what_cannot_be_read_is_refused_by_name(
    verb: str, name: str, tmp_path: Path, drawn_ring: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    make, said = bad.REFUSED[name]
    photo, out = tmp_path / name, tmp_path / "out"
    photo.write_bytes(make(drawn_ring))
    before = photo.read_bytes()
    assert run(command(verb, photo, out)) == 3
    streams = capsys.readouterr()
    assert len(lines(streams.err)) == 1
    assert name in streams.err and said in streams.err and "Traceback" not in streams.err
    assert not out.exists()
    assert photo.read_bytes() == before


@pytest.mark.parametrize("verb", ["card", "inspect", "cutout", "verify", "rules"])
def test_a_missing_file_is_named(verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command(verb, tmp_path / "gone.jpg", tmp_path / "out")) == 3
    err = capsys.readouterr().err
    assert "gone.jpg" in err and "no such file" in err and len(lines(err)) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["empty.jpg", "text.jpg", "truncated.jpg", "bomb.png"])
def test_rules_refuse_what_is_no_picture(
    name: str, tmp_path: Path, drawn_ring: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = tmp_path / name
    photo.write_bytes(bad.REFUSED[name][0](drawn_ring))
    assert run(command("rules", photo, tmp_path)) == 3
    assert name in capsys.readouterr().err


def test_rules_judge_even_what_is_not_taken_in_as_a_photo(
    tmp_path: Path, drawn_ring: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = tmp_path / "moving.gif"
    photo.write_bytes(bad.animated_gif(drawn_ring))
    assert run([*command("rules", photo, tmp_path), "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert {"format", "animated", "too-small"} <= {finding["code"] for finding in document["findings"]}


def test_one_pixel_ends_in_findings(tmp_path: Path, drawn_ring: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    photo = tmp_path / "one.png"
    photo.write_bytes(bad.one_pixel(drawn_ring))
    assert run([*command("card", photo, tmp_path / "out"), "--json"]) == 1
    streams = capsys.readouterr()
    document = json.loads(streams.out)
    assert document["verdict"] == "reject" and document["drafts"] == []
    assert "one.png" in document["stopped"]
    assert "Traceback" not in streams.err


@pytest.mark.parametrize("verb", ["inspect", "cutout", "verify", "rules"])
def test_one_pixel_is_judged_by_every_command(
    verb: str, tmp_path: Path, drawn_ring: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = tmp_path / "one.png"
    photo.write_bytes(bad.one_pixel(drawn_ring))
    assert run([*command(verb, photo, tmp_path / "out"), "--json"]) == 1
    streams = capsys.readouterr()
    document = json.loads(streams.out)
    assert document["verdict"] != "pass" and document["findings"]
    assert "unexpected" not in streams.err


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 40), (3, 3), (9, 2), (12, 12)])
def test_rules_judge_the_smallest_pictures(size: tuple[int, int], tmp_path: Path) -> None:
    photo = tmp_path / "small.png"
    Image.new("RGB", size, (120, 110, 90)).save(photo)
    assert run(["rules", "check", str(photo), "--market", "ozon"]) == 1


@pytest.mark.parametrize("name", bad.TAKEN)
def test_unusual_pictures_are_worked_on(
    name: str, tmp_path: Path, drawn_ring: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, out = tmp_path / name, tmp_path / "cut.png"
    photo.write_bytes(bad.TAKEN[name](drawn_ring))
    assert run(["cutout", str(photo), "-o", str(out), "--json"]) in (0, 1)
    document = json.loads(capsys.readouterr().out)
    assert document["parts"], "a piece was found"
    assert out.is_file()


def test_nothing_but_json_is_on_stdout(tmp_path: Path, drawn_ring: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    photo = tmp_path / "text.jpg"
    photo.write_bytes(bad.text(drawn_ring))
    assert run([*command("card", photo, tmp_path / "out"), "--json"]) == 3
    streams = capsys.readouterr()
    document = json.loads(streams.out)
    assert document["schema"] == "vitrina.error/1" and document["error"]["exit_code"] == 3
    assert "text.jpg" in streams.err


def test_one_unreadable_photo_does_not_stop_the_others(
    tmp_path: Path, drawn_ring: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    """The card is made from the rest, which says so; the exit code still tells of the file that was left out."""
    good, broken = tmp_path / "one.png", tmp_path / "text.jpg"
    good.write_bytes(bad.noise(drawn_ring))
    broken.write_bytes(bad.text(drawn_ring))
    code = run(["card", str(good), str(broken), "--sku", "RING-001", "-o", str(tmp_path / "out"), "--json"])
    streams = capsys.readouterr()
    assert code == 3
    assert [error["kind"] for error in json.loads(streams.out)["errors"]] == ["Unreadable"]
    assert (tmp_path / "out" / "report.html").is_file()
    assert "text.jpg" in streams.err


@pytest.mark.parametrize("verb", ["card", "cutout"])
def test_an_output_that_is_in_the_way_is_named(
    verb: str, tmp_path: Path, drawn_ring: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, wall = tmp_path / "ring.jpg", tmp_path / "wall"
    photo.write_bytes(drawn_ring.jpeg())
    wall.write_text("a file, where a folder is wanted")
    assert run(command(verb, photo, wall / "out")) == 4
    err = capsys.readouterr().err
    assert len(lines(err)) == 1 and "cannot be written" in err
    assert bad.files_in(tmp_path) <= {"ring.jpg", "wall"} | {n for n in bad.files_in(tmp_path) if n.startswith("home")}


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no folder here that even root may not write to")
@pytest.mark.parametrize("verb", ["card", "cutout"])
def test_an_output_that_nobody_can_write_is_named(
    verb: str, tmp_path: Path, drawn_ring: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = tmp_path / "ring.jpg"
    photo.write_bytes(drawn_ring.jpeg())
    assert run(command(verb, photo, Path("/proc/vitrina"))) == 4
    err = capsys.readouterr().err
    assert len(lines(err)) == 1 and "/proc/vitrina" in err and "cannot be written" in err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_output_is_named(tmp_path: Path, drawn_ring: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    photo, locked = tmp_path / "ring.jpg", tmp_path / "locked"
    photo.write_bytes(drawn_ring.jpeg())
    locked.mkdir(mode=0o555)
    assert run(command("card", photo, locked / "out")) == 4
    assert "no permission" in capsys.readouterr().err


@pytest.mark.parametrize("when", ["at once", "at the master"])
def test_a_full_disk_leaves_nothing_half_written(when: str, tmp_path: Path, drawn_ring: Scene, home: Path) -> None:
    """The kernel refuses every write beyond a few kilobytes, as a full disk does."""
    photo, out = tmp_path / "ring.jpg", tmp_path / "out"
    photo.write_bytes(drawn_ring.jpeg())
    room = 4096 if when == "at once" else photo.stat().st_size + 4096
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {resource.RLIM_INFINITY}))"
    code = (
        f"{limit}; import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); from vitrina.cli import main; main()"
    )
    order = [*command("card", photo, out), "--force"]
    done = subprocess.run([sys.executable, "-c", code, *order], capture_output=True, text=True, check=False)
    assert done.returncode == 4, done.stderr
    assert len(lines(done.stderr)) == 1 and "disk is full" in done.stderr
    assert not out.exists()
    kept = bad.files_in(home) if home.exists() else set()
    assert len(kept) == (0 if when == "at once" else 1), "the original, whole, or nothing"


def test_a_device_that_is_full_is_named(tmp_path: Path, drawn_ring: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    photo = tmp_path / "ring.jpg"
    photo.write_bytes(drawn_ring.cutout_png())
    assert run(["cutout", str(photo), "-o", "/dev/full"]) == 4
    assert "full" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--mode", "jewelry"], 4, "not built yet"),
        (["--mode", "lifestyle"], 4, "not built yet"),
        (["--mode", "video"], 4, "Vitrina makes still pictures only"),
        (["--mode", "reels"], 4, "Vitrina makes still pictures only"),
        (["--video"], 4, "Vitrina makes still pictures only"),
        (["--reels", "ring.mp4"], 4, "Vitrina makes still pictures only"),
        (["--looks", "white,video"], 4, "Vitrina makes still pictures only"),
        (["--markets", "reels"], 4, "Vitrina makes still pictures only"),
        (["--videos-of-cats"], 2, "No such option"),
        (["--mode", "fancy"], 2, "exact, jewelry and lifestyle"),
        (["--looks", "white"], 2, "two variants at least"),
        (["--looks", "white,plaid"], 2, "plaid"),
        (["--markets", "bazaar"], 2, "bazaar"),
        (["--format", "gif"], 2, "jpeg, webp, png"),
        (["--format", "webp", "--markets", "kaspi,amazon"], 2, "not known to be taken by kaspi, amazon"),
        (["--markets", ""], 2, "at least one marketplace"),
    ],
)
def test_what_cannot_be_done_is_refused_before_any_work(
    options: list[str], code: int, said: str, tmp_path: Path, drawn_ring: Scene, home: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    photo = tmp_path / "ring.jpg"
    photo.write_bytes(drawn_ring.jpeg())
    assert run([*command("card", photo, tmp_path / "out"), *options]) == code
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists() and not home.exists()
