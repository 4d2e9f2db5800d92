"""A SKU's photos together: folders, and what a person says of a photo."""

from __future__ import annotations

from pathlib import Path

import pytest

from vitrina.actions.shots import photos_of, piece_type_of, told_shots
from vitrina.errors import Unreadable, UsageError


def test_a_folder_means_its_photos(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.dng", "notes.txt", ".hidden.jpg"):
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in photos_of([tmp_path, Path("c.png")])] == ["a.dng", "b.JPG", "c.png"]
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(Unreadable, match="no photos"):
        photos_of([empty])


@pytest.mark.parametrize(("pair", "word"), [("a.jpg", "FILE=KIND"), ("a.jpg=back", "clasp"), ("x.jpg=clasp", "x.jpg")])
def test_what_is_told_must_make_sense(pair: str, word: str) -> None:
    assert told_shots(["some/a.jpg=clasp"], [Path("here/a.jpg")]) == {"a.jpg": "clasp"}
    with pytest.raises(UsageError, match=word):
        told_shots([pair], [Path("a.jpg")])


def test_without_a_catalogue_nobody_knows_the_type_and_none_is_made(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert piece_type_of("RING-1", home) is None
    assert not home.exists()
