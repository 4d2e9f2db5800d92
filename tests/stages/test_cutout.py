"""Cutting out with a stand-in network that sees the true matte at a third of its size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest

from tests.scenes import Scene, chain, earrings, ring
from vitrina.model import Alpha, Rgb, Severity, Size
from vitrina.stages.cutout import CutoutParams, cut_out, parts_of


@dataclass(frozen=True)
class Seer:
    """Knows the matte, but only coarsely."""

    alpha: Alpha
    name: str = "seer"

    def find(self, rgb: Rgb) -> Alpha:
        size = (rgb.shape[1], rgb.shape[0])
        small = cv2.resize(self.alpha, (size[0] // 2, size[1] // 2), interpolation=cv2.INTER_AREA)
        return cv2.resize(small, size, interpolation=cv2.INTER_LINEAR)

    def refine(self, rgb: Rgb, alpha: Alpha) -> Alpha:
        assert rgb.shape[:2] == alpha.shape
        return alpha


def cut(scene: Scene, **options):
    return cut_out(scene.source(), Seer(scene.alpha), **options)


@pytest.fixture(scope="module")
def band():
    return ring(Size(720, 600), ground="grey")


def test_the_matte_is_close_to_the_truth_and_its_opening_is_open(band):
    found = cut(band)
    assert ((found.alpha - band.alpha) ** 2).mean() < 1.5e-3
    assert found.alpha[band.daylight].mean() < 0.05
    assert found.alpha.shape == band.alpha.shape


def test_solid_pixels_are_the_photos_own(band):
    found = cut(band)
    solid = found.alpha == 1
    assert solid.sum() > 0.8 * (band.alpha == 1).sum()
    assert (found.foreground[solid] == band.rgb[solid]).all()


def test_a_pair_comes_out_as_two_parts():
    scene = earrings()
    assert len(cut(scene).parts) == 2


def test_parts_count_their_holes():
    scene = ring()
    (part,) = parts_of(scene.alpha)
    assert part.holes >= 1
    assert part.region == scene.box or abs(part.region.width - scene.box.width) <= 2


def test_strokes_are_obeyed_and_the_rest_is_untouched(band):
    before = cut(band)
    keep, drop = np.zeros(band.alpha.shape, bool), np.zeros(band.alpha.shape, bool)
    rows, columns = np.nonzero(band.alpha > 0.9)
    first = int(np.argmin(rows))
    keep[20:30, 20:40] = True
    drop[rows[first] : rows[first] + 6, columns[first] - 3 : columns[first] + 3] = True
    after = cut(band, keep=keep, drop=drop)
    assert (after.alpha[keep] == 1).all()
    assert (after.alpha[drop] == 0).all()
    far = cv2.distanceTransform((~(keep | drop)).astype(np.uint8), cv2.DIST_L2, 5) > 40
    assert (after.alpha[far] == before.alpha[far]).all()
    assert far.mean() > 0.8
    farther = cv2.distanceTransform((~(keep | drop)).astype(np.uint8), cv2.DIST_L2, 5) > 200
    assert (after.foreground[farther] == before.foreground[farther]).all()


def test_nothing_found_is_said(band):
    found = cut_out(band.source(), Seer(np.zeros_like(band.alpha)))
    assert not found.alpha.any()
    assert [note.severity for note in found.notes if note.code == "no-piece"] == [Severity.BLOCK]


def test_a_files_own_transparency_is_used_and_said(band):
    source = replace(band.source(), rgb=band.on((1.0, 1.0, 1.0)).astype(np.float32), alpha=band.alpha)
    found = cut_out(source, Seer(np.zeros_like(band.alpha)))
    assert (found.alpha == band.alpha).all()
    assert [note.code for note in found.notes] == ["own-transparency"]


def test_a_large_photo_is_solved_at_its_own_size():
    scene = chain(Size(1500, 1000), metal="gold", ground="grey")
    found = cut(scene, params=CutoutParams(label_px=750))
    assert found.alpha.shape == scene.alpha.shape
    assert ((found.alpha - scene.alpha) ** 2).mean() < 8e-3


def test_the_same_photo_gives_the_same_bytes(band):
    first, second = cut(band), cut(band)
    assert first.alpha.tobytes() == second.alpha.tobytes()
    assert first.foreground.tobytes() == second.foreground.tobytes()
