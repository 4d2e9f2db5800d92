"""The library's front door: lazy, complete, and usable from a notebook on arrays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import vitrina
from tests.scenes import Scene
from vitrina.errors import UsageError


def test_every_public_name_is_there() -> None:
    assert sorted(vitrina.__all__) == vitrina.__dir__()
    for name in vitrina.__all__:
        assert getattr(vitrina, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="polish"):
        _ = vitrina.polish


def test_importing_the_package_loads_no_heavy_library() -> None:
    heavy = ("numpy", "cv2", "scipy", "PIL", "pyvips", "onnxruntime", "rapidocr", "sqlalchemy", "dbos", "typer")
    program = f"import sys, vitrina; print([name for name in {heavy!r} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert answer.stdout.strip() == "[]"


def test_arrays_become_sources() -> None:
    codes = np.full((4, 6, 3), 188, np.uint8)
    for picture in (codes, codes.astype(np.uint16) * 257):
        source = vitrina.from_array(picture)
        assert source.rgb.dtype == np.float32
        assert source.rgb[0, 0, 0] == pytest.approx(0.5029, abs=1e-3)
    linear = np.full((4, 6, 3), 0.25, np.float32)
    assert np.array_equal(vitrina.from_array(linear).rgb, linear)


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3), np.float64), np.zeros((4, 4, 3))],
    ids=["grey", "rgba", "float64", "default"],
)
def test_other_arrays_are_refused_with_what_is_wanted(wrong: np.ndarray) -> None:
    with pytest.raises(UsageError, match="rows, columns, 3"):
        vitrina.from_array(wrong)


def test_a_drawn_cutout_is_dressed_without_touching_the_piece(drawn_ring: Scene) -> None:
    cut = vitrina.Cutout(drawn_ring.foreground, drawn_ring.alpha, (), (0.7, 0.7, 0.7), "drawn")
    variant = vitrina.compose(cut, "white")
    place = variant.placement
    inside = drawn_ring.alpha == 1
    rows, columns = np.nonzero(inside)
    shown = variant.rgb[rows + int(place.dy), columns + int(place.dx)]
    assert np.array_equal(shown, drawn_ring.foreground[inside])
    assert (variant.rgb[0] == 1).all()


def test_a_photo_comes_in_by_its_bytes(drawn_ring: Scene) -> None:
    source = vitrina.take_in(drawn_ring.jpeg(), name="ring.jpg")
    assert source.size == drawn_ring.size
    assert source.name == "ring.jpg"


def test_the_photo_of_the_readme_is_cut_out_whole() -> None:
    """Its shoulders carry stones on smooth gold: what a network loses first."""
    photo = Path(__file__).parents[1] / "examples" / "ring.jpg"
    source = vitrina.take_in(photo.read_bytes(), name=photo.name)
    cut = vitrina.cutout(source)
    assert [part.holes for part in cut.parts] == [1], "the finger's hole and no other daylight"
    judgement = vitrina.check_edges(source, cut, piece_type="ring")
    assert judgement.verdict == "pass", [found.message for found in judgement.findings]
