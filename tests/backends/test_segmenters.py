"""The shipped networks on drawn jewelry, and local model files."""

from pathlib import Path

import numpy as np
import pytest

from tests import scenes
from vitrina.backends.segmenters import MODELS, Finder, check_models, load_network, load_segmenter
from vitrina.errors import ModelChanged, ModelMissing

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize("ground", ["white", "paper", "grey", "velvet"])
def test_finds_a_ring_and_its_daylight(ground: str) -> None:
    scene = scenes.ring(ground=ground)
    found = load_segmenter().find(scene.rgb)
    assert found.shape == scene.alpha.shape and found.dtype == np.float32
    assert found[scene.alpha > 0.95].mean() > 0.9
    assert found[scene.daylight].mean() < 0.1


def test_the_same_photo_gives_the_same_bytes() -> None:
    scene = scenes.chain()
    assert load_segmenter().find(scene.rgb).tobytes() == load_segmenter().find(scene.rgb).tobytes()


def test_refining_sharpens_a_blurred_matte_and_leaves_empty_ground_alone() -> None:
    import cv2

    scene = scenes.chain()
    blurred = cv2.GaussianBlur(scene.alpha, (0, 0), 3)
    refined = load_segmenter().refine(scene.rgb, blurred)  # type: ignore[attr-defined]
    assert ((refined - scene.alpha) ** 2).mean() < 0.8 * ((blurred - scene.alpha) ** 2).mean()
    assert not load_segmenter().refine(scene.rgb, np.zeros_like(blurred)).any()  # type: ignore[attr-defined]


def test_any_size_is_answered_at_that_size() -> None:
    scene = scenes.ring()
    for shape in ((33, 47), (1, 1), (70, 900)):
        rgb = np.resize(scene.rgb, (*shape, 3)).astype(np.float32)
        found = load_segmenter().find(rgb)
        assert found.shape == shape and np.isfinite(found).all()


def test_every_shipped_file_is_what_it_was() -> None:
    states = check_models()
    assert states and set(states.values()) == {"ok"}
    assert sum(path.stat().st_size for path in MODELS.glob("*.onnx")) < 25e6


def test_a_local_file_is_run_under_the_refiner(tmp_path: Path) -> None:
    own = tmp_path / "own.onnx"
    own.write_bytes((DATA / "bright.onnx").read_bytes())
    segmenter = load_segmenter(own)
    assert segmenter.name == "own (U²-Net) + refiner"
    scene = scenes.ring()
    assert segmenter.find(scene.rgb).shape == scene.alpha.shape


def test_what_is_no_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="no model file"):
        load_network(tmp_path / "none.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    with pytest.raises(ModelMissing, match="not a model"):
        load_network(broken)
    with pytest.raises(ModelMissing, match="takes input"):
        load_network(MODELS / "refiner.onnx")


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    changed = tmp_path / "finder.onnx"
    changed.write_bytes((MODELS / "finder.onnx").read_bytes() + b"\0")
    with pytest.raises(ModelChanged, match="digest"):
        Finder(changed).find(np.zeros((64, 64, 3), np.float32))


def test_only_what_is_wide_and_seen_large_too_is_solid_to_the_smallest_size() -> None:
    from vitrina.backends.segmenters import _inside

    y, x = np.mgrid[-1:1:640j, -1:1:640j].astype(np.float32)
    wide, thin = np.hypot(x, y) < 0.3, np.abs(np.hypot(x, y) - 0.7) < 0.03
    small = (wide | thin).astype(np.float32)
    dented = np.where(np.hypot(x - 0.1, y) < 0.1, 0, small).astype(np.float32)
    inside = _inside(small, dented)
    assert inside[np.hypot(x, y) < 0.26].min() == 1
    assert inside[np.hypot(x, y) > 0.31].max() == 0
    assert not _inside(small, np.where(wide & (x > -0.1), 0, small).astype(np.float32)).any()
    assert not _inside(0.9 * small, dented).any()
