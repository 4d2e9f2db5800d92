"""``vitrina verify`` as acceptance runs call it: exit codes, one document or one per line, and the heatmap."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests import scenes
from tests.scenes import Scene
from vitrina.cli import run
from vitrina.codec.encode import encode_jpeg, encode_png8
from vitrina.model import Size

SMALL = Size(360, 300)


class Said:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def lines(self) -> list[dict[str, object]]:
        """The documents on stdout, one a line; raises when anything else is there."""
        return [json.loads(line) for line in self.out.splitlines()]


Call = Callable[..., Said]


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run ``vitrina verify`` in this process."""

    def call(*arguments: object) -> Said:
        capsys.readouterr()
        code = run(["verify", *map(str, arguments)])
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        return Said(code, told.out, told.err)

    return call


@pytest.fixture(scope="module")
def small() -> Scene:
    return scenes.ring(SMALL)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory, small: Scene) -> Path:
    """A folder with a photo, its matte, a good edit, one with other stones, an empty one, and a broken file."""
    folder = tmp_path_factory.mktemp("shelf")
    (folder / "photo.jpg").write_bytes(small.jpeg())
    Image.fromarray(np.rint(small.alpha * 255).astype(np.uint8)).save(folder / "matte.png")
    (folder / "good.png").write_bytes(encode_png8(small.on((1, 1, 1))))
    recoloured = scenes.ring(SMALL, colour="red").on((1, 1, 1))
    (folder / "red.jpg").write_bytes(encode_jpeg(recoloured, quality=92))
    (folder / "white.png").write_bytes(encode_png8(np.ones((90, 120, 3), np.float32)))
    (folder / "broken.jpg").write_bytes(small.jpeg()[:900])
    (folder / "facts.toml").write_text('metal = "yellow gold"\npieces = 1\n', encoding="utf-8")
    (folder / "wrong.toml").write_text("pieces = lots\n", encoding="utf-8")
    return folder


def pairs_file(folder: Path, *rows: str, header: str = "source,edit,matte") -> Path:
    path = folder / "pairs.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def test_a_good_edit_is_zero(shelf: Path, verify: Call) -> None:
    said = verify(
        shelf / "photo.jpg",
        shelf / "good.png",
        "--matte",
        shelf / "matte.png",
        "--facts",
        shelf / "facts.toml",
        "--json",
    )
    document = json.loads(said.out)
    assert said.code == 0, said.out
    assert document["schema"] == "vitrina.verify/1"
    assert document["verdict"] == "pass"
    assert document["source"] == str(shelf / "photo.jpg")
    assert document["edit"] == str(shelf / "good.png")
    assert {"registration_px", "metal", "stones", "chain", "edges"} <= set(document["measures"])
    assert document["seconds"]["total"] > 0
    assert said.err == ""


def test_a_changed_piece_is_one_and_the_heatmap_shows_it(shelf: Path, tmp_path: Path, verify: Call) -> None:
    target = tmp_path / "heat.png"
    said = verify(shelf / "photo.jpg", shelf / "red.jpg", "--matte", shelf / "matte.png", "--heatmap", target, "--json")
    document = json.loads(said.out)
    assert said.code == 1
    assert document["verdict"] == "reject"
    assert document["heatmap"] == str(target)
    assert "stones" in {finding["check"] for finding in document["findings"]}
    for finding in document["findings"]:
        assert set(finding) == {"check", "code", "severity", "measured", "limit", "unit", "region", "message"}
    picture = cv2.imread(str(target))
    assert picture is not None
    assert picture.shape == (SMALL.height, SMALL.width, 3)
    assert (picture.max(axis=-1).astype(int) - picture.min(axis=-1)).max() > 60


def test_prose_says_verdict_and_findings(shelf: Path, verify: Call) -> None:
    said = verify(shelf / "photo.jpg", shelf / "white.png", "--matte", shelf / "matte.png")
    assert said.code == 1
    first, *rest = said.out.splitlines()
    assert first == f"{shelf / 'white.png'}: reject"
    assert any("geometry" in line for line in rest)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("{}/photo.jpg",), "EDIT"),
        (("{}/photo.jpg", "{}/good.png", "--pairs", "{}/pairs.csv"), "--pairs"),
        (("--pairs", "{}/pairs.csv", "--matte", "{}/matte.png"), "--pairs"),
        (("{}/photo.jpg", "{}/good.png", "--matte", "{}/white.png"), "matte is 120×90"),
    ],
)
def test_a_wrong_command_line_is_two(arguments: tuple[str, ...], word: str, shelf: Path, verify: Call) -> None:
    said = verify(*(argument.format(shelf) for argument in arguments))
    assert said.code == 2
    assert word in said.err
    assert said.out == ""


def test_without_a_match_there_is_a_verdict_and_no_heatmap(shelf: Path, tmp_path: Path, verify: Call) -> None:
    target = tmp_path / "heat.png"
    said = verify(
        shelf / "photo.jpg", shelf / "white.png", "--matte", shelf / "matte.png", "--heatmap", target, "--json"
    )
    document = json.loads(said.out)
    assert said.code == 1
    assert document["verdict"] == "reject"
    assert document["heatmap"] is None
    assert "no heatmap" in said.err
    assert not target.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("{}/photo.jpg", "{}/none.png"),
        ("{}/photo.jpg", "{}/broken.jpg"),
        ("{}/photo.jpg", "{}/good.png", "--matte", "{}/none.png"),
        ("{}/photo.jpg", "{}/good.png", "--facts", "{}/none.toml"),
        ("{}/photo.jpg", "{}/good.png", "--facts", "{}/wrong.toml"),
        ("--pairs", "{}/none.csv"),
        ("--pairs", "{}/photo.jpg"),
    ],
    ids=lambda arguments: " ".join(arguments),
)
def test_what_cannot_be_read_is_three_and_named(arguments: tuple[str, ...], shelf: Path, verify: Call) -> None:
    said = verify(*(argument.format(shelf) for argument in arguments))
    assert said.code == 3
    assert arguments[-1].format(shelf) in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "no pairs"),
        ("source,edit\n", "no pairs"),
        ("photo,picture\na.jpg,b.jpg\n", "line 2"),
        ("source,edit\na.jpg,b.jpg\na.jpg,\n", "line 3"),
        ('source,edit\n"a.jpg,b.jpg\n', "CSV"),
    ],
)
def test_a_pairs_file_that_is_none_is_three(text: str, word: str, tmp_path: Path, verify: Call) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text(text, encoding="utf-8")
    said = verify("--pairs", path)
    assert said.code == 3
    assert str(path) in said.err
    assert word in said.err


def test_pairs_come_out_in_the_files_order_and_one_bad_one_stops_nobody(shelf: Path, verify: Call) -> None:
    """Names are looked up beside the CSV; the worst exit code is the run's."""
    path = pairs_file(
        shelf,
        "photo.jpg,red.jpg,matte.png",
        "photo.jpg,broken.jpg,matte.png",
        "photo.jpg,good.png,matte.png",
    )
    said = verify("--pairs", path, "--workers", 1, "--json")
    assert said.code == 3
    assert [(line["source"], line["edit"]) for line in said.lines] == [
        ("photo.jpg", "red.jpg"), ("photo.jpg", "broken.jpg"), ("photo.jpg", "good.png"),
    ]  # fmt: skip
    red, broken, good = said.lines
    assert (red["verdict"], good["verdict"]) == ("reject", "pass")
    assert broken["schema"] == "vitrina.error/1"
    assert "broken.jpg" in said.err


def test_pairs_say_what_single_runs_say(shelf: Path, verify: Call) -> None:
    path = pairs_file(shelf, "photo.jpg,red.jpg,matte.png,", header="source,edit,matte,facts")
    (many,) = verify("--pairs", path).lines
    one = json.loads(verify(shelf / "photo.jpg", shelf / "red.jpg", "--matte", shelf / "matte.png", "--json").out)
    for document in (many, one):
        for key in ("seconds", "source", "edit"):
            del document[key]
    assert many == one


def test_several_workers_keep_the_order(shelf: Path, verify: Call) -> None:
    (shelf / "again.jpg").write_bytes((shelf / "photo.jpg").read_bytes())
    rows = ("photo.jpg,white.png,matte.png", "again.jpg,broken.jpg,matte.png", "photo.jpg,white.png,matte.png")
    said = verify("--pairs", pairs_file(shelf, *rows), "--workers", 2)
    assert [line["source"] for line in said.lines] == ["photo.jpg", "again.jpg", "photo.jpg"]
    assert [line.get("verdict") for line in said.lines] == ["reject", None, "reject"]
    assert said.code == 3
