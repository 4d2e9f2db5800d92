"""The command line as programs see it: exit codes, one helpful line, pure JSON, and nothing half-written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.codec.files import png_claiming, quadrants, saved
from tests.scenes import Scene
from vitrina import __version__
from vitrina.cli import app, run
from vitrina.codec.encode import encode_jpeg

COMMANDS = sorted(
    {command.name for command in app.registered_commands if command.name}
    | {group.name for group in app.registered_groups if group.name}
)
GROUPS = {group.name for group in app.registered_groups}

BAD_FILES: dict[str, bytes | None] = {
    "missing.jpg": None,
    "empty.jpg": b"",
    "text.jpg": b"Dear customer, the ring is lovely.\n" * 40,
    "truncated.jpg": saved(quadrants(640, 480), "JPEG")[:2000],
    "bomb.png": png_claiming(20_000, 10_000),
    "moving.gif": saved(
        Image.fromarray(quadrants()), "GIF", save_all=True, append_images=[Image.fromarray(quadrants()[::-1].copy())]
    ),
}


class Said:
    """What one run said and how it ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def document(self) -> Any:
        """The one JSON document on stdout; raises when anything else is there."""
        return json.loads(self.out)

    @property
    def line(self) -> str:
        """The one line on stderr."""
        lines = [line for line in self.err.splitlines() if line.strip()]
        assert len(lines) == 1, self.err
        return lines[0]


@pytest.fixture
def vitrina(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command line in this process."""

    def call(*arguments: object) -> Said:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        return Said(code, told.out, told.err)

    return call


def in_a_process(*arguments: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "vitrina", *map(os.fsencode, map(str, arguments))],
        capture_output=True,
        env={**os.environ, **environment},
        timeout=120,
        check=False,
    )


@pytest.fixture(params=BAD_FILES)
def bad_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / str(request.param)
    data = BAD_FILES[request.param]
    if data is not None:
        path.write_bytes(data)
    return path


def test_version(vitrina: Any) -> None:
    said = vitrina("--version")
    assert (said.code, said.out, said.err) == (0, f"vitrina {__version__}\n", "")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, vitrina: Any) -> None:
    said = vitrina(command, "--help")
    assert said.code == 0
    assert f"vitrina {command}" in said.out
    assert said.err == ""


def test_every_command_of_the_contract_exists() -> None:
    wanted = {
        "card", "inspect", "cutout", "verify", "rules", "batch", "sku", "review", "approve", "reject", "export",
        "report", "serve", "worker", "doctor",
    }  # fmt: skip
    assert wanted <= set(COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("polish",), "polish"),
        (("card",), "photos"),
        (("card", "a.jpg", "-o", "out"), "--sku"),
        (("cutout", "a.jpg"), "--output"),
        (("verify", "a.jpg"), "EDIT"),
        (("verify", "a.jpg", "b.jpg", "--pairs", "p.csv"), "--pairs"),
        (("inspect", "--frobnicate", "a.jpg"), "--frobnicate"),
        (("rules", "check", "a.jpg"), "--market"),
        (("card", "a.jpg", "--sku", "A", "-o", "out", "--mode", "wild"), "wild"),
        (("card", "a.jpg", "--sku", "A", "-o", "out", "--looks", "plaid"), "plaid"),
        (("rules", "show", "atlantis"), "atlantis"),
    ],
)
def test_a_wrong_command_line_is_two(arguments: tuple[str, ...], word: str, vitrina: Any) -> None:
    said = vitrina(*arguments)
    assert said.code == 2
    assert word in said.line
    assert said.out == ""


def test_a_group_alone_shows_its_help(vitrina: Any) -> None:
    for group in GROUPS:
        said = vitrina(group)
        assert said.code == 2
        assert "Usage: " in said.err


@pytest.mark.parametrize("command", ["inspect", "cutout", "verify", "card", "rules"])
def test_an_unreadable_input_is_three(
    command: str, bad_file: Path, tmp_path: Path, drawn_ring: Scene, vitrina: Any
) -> None:
    good, out = tmp_path / "good.jpg", tmp_path / "made"
    good.write_bytes(drawn_ring.jpeg())
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    arguments: dict[str, tuple[object, ...]] = {
        "inspect": (bad_file,),
        "cutout": (bad_file, "-o", out / "cut.png"),
        "verify": (bad_file, good),
        "card": (bad_file, "--sku", "RING-001", "-o", out),
        "rules": ("check", bad_file, "--market", "kaspi", "--slot", "main"),
    }
    if command == "rules" and bad_file.suffix == ".gif":
        pytest.skip("a GIF is a picture that breaks a rule, not a broken file")
    said = vitrina(command, *arguments[command], "--json")
    assert said.code == 3
    assert str(bad_file) in said.line
    assert said.line.endswith((".", ")"))
    assert said.document["schema"] == "vitrina.error/1"
    assert said.document["error"]["exit_code"] == 3
    made = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and "home" not in path.parts}
    assert made == before, "something half-written was left behind"


def test_one_bad_photo_does_not_keep_the_others_from_being_judged(
    tmp_path: Path, drawn_ring: Scene, vitrina: Any
) -> None:
    good, bad = tmp_path / "good.jpg", tmp_path / "bad.jpg"
    good.write_bytes(drawn_ring.jpeg())
    bad.write_bytes(b"no picture")
    said = vitrina("inspect", bad, good, "--json")
    assert said.code == 3
    first, second = (json.loads(line) for line in said.out.splitlines())
    assert first["schema"] == "vitrina.error/1"
    assert second["schema"] == "vitrina.inspect/1"
    assert second["verdict"] in ("pass", "review", "reject")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("cutout", "{photo}", "-o", "{photo}/cut.png"), "cut.png"),
        (("cutout", "{photo}", "-o", "{tmp}/cut.png", "--model", "{tmp}/none.onnx"), "none.onnx"),
        (("cutout", "{photo}", "-o", "{tmp}/cut.png", "--model", "{photo}"), "photo.jpg"),
        (("card", "{photo}", "--sku", "A", "-o", "{photo}/out"), "out"),
        (("card", "{photo}", "--sku", "A", "-o", "{tmp}/out", "--home", "{photo}"), "photo.jpg"),
        (("card", "{photo}", "--sku", "A", "-o", "{tmp}/out", "--mode", "lifestyle"), "lifestyle"),
    ],
)
def test_something_missing_or_refusing_is_four(
    arguments: tuple[str, ...], word: str, tmp_path: Path, drawn_ring: Scene, vitrina: Any
) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(drawn_ring.jpeg())
    said = vitrina(*(argument.format(photo=photo, tmp=tmp_path) for argument in arguments))
    assert said.code == 4
    assert word in said.line
    assert said.out == ""
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["photo.jpg"]


@pytest.mark.parametrize(
    "arguments",
    [("rules", "list"), ("rules", "show", "kaspi"), ("doctor",)],
    ids=lambda arguments: " ".join(arguments),
)
def test_documents_are_pure_json(arguments: tuple[str, ...], vitrina: Any) -> None:
    said = vitrina(*arguments, "--json")
    assert isinstance(said.document, dict)
    prose = vitrina(*arguments)
    assert prose.code == said.code
    assert prose.out.strip()


def test_a_file_that_keeps_the_rules_is_zero_and_one_that_does_not_is_one(
    tmp_path: Path, drawn_ring: Scene, vitrina: Any
) -> None:
    small = tmp_path / "small.jpg"
    small.write_bytes(encode_jpeg(drawn_ring.on((1, 1, 1)), quality=92))
    said = vitrina("rules", "check", small, "--market", "kaspi", "--slot", "main", "--json")
    assert said.code == 1
    assert said.document["schema"] == "vitrina.rules/1"
    assert said.document["verdict"] in ("review", "reject")
    assert {finding["check"] for finding in said.document["findings"]} & {"rules", "framing"}


def test_what_needs_no_home_writes_none(home: Path, tmp_path: Path, drawn_ring: Scene, vitrina: Any) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(drawn_ring.jpeg())
    vitrina("rules", "list")
    vitrina("rules", "check", photo, "--market", "etsy")
    vitrina("inspect", photo)
    assert not home.exists()


def test_a_reader_that_goes_away_is_no_error_to_talk_about() -> None:
    program = f"{sys.executable} -m vitrina rules show kaspi | head -n 1"
    answer = subprocess.run(["sh", "-c", program], capture_output=True, check=False, timeout=60)
    assert answer.stderr == b""
    assert answer.stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux only")
def test_a_name_that_is_no_text_is_shown_and_json_stays_json(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/ring\xff.jpg"
    answer = in_a_process("inspect", os.fsdecode(path), "--json", PYTHONIOENCODING="ascii")
    assert answer.returncode == 3
    assert b"Traceback" not in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert json.loads(answer.stdout)["file"] == os.fsdecode(path)


def test_an_interrupt_is_said_in_a_line(tmp_path: Path) -> None:
    fifo = tmp_path / "endless.jpg"
    os.mkfifo(fifo)
    process = subprocess.Popen(
        [sys.executable, "-m", "vitrina", "inspect", str(fifo)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    writer = os.open(fifo, os.O_WRONLY)  # returns once the program has begun to read
    process.terminate()
    out, err = process.communicate(timeout=60)
    os.close(writer)
    assert process.returncode == 130
    assert out == b""
    assert b"Traceback" not in err
    assert len(err.splitlines()) == 1
