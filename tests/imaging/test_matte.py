"""Alpha solved in the band, and the rim's true colour."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.scenes import chain, ring
from vitrina.imaging.colour import delta_e00, lab
from vitrina.imaging.matte import estimate_foreground, solve_band, trimap_of
from vitrina.model import Alpha, Size


def coarse(alpha: Alpha, factor: int = 3) -> Alpha:
    """The matte as a network sees it: a third of the size, stretched again."""
    size = (alpha.shape[1] // factor, alpha.shape[0] // factor)
    small = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, alpha.shape[::-1], interpolation=cv2.INTER_LINEAR)


def test_the_pixels_sharpen_coarse_evidence():
    scene = ring(Size(480, 400), ground="grey")
    soft = coarse(scene.alpha)
    solved = solve_band(scene.rgb, trimap_of(soft, 3.6), soft, radius_px=7.0)
    assert ((solved - scene.alpha) ** 2).mean() < 0.5 * ((soft - scene.alpha) ** 2).mean()


def test_sure_pixels_stay_exactly():
    scene = ring()
    soft = coarse(scene.alpha)
    trimap = trimap_of(soft, 3.6)
    solved = solve_band(scene.rgb, trimap, soft, radius_px=7.0)
    assert (solved[trimap == 1] == 1).all()
    assert (solved[trimap == 0] == 0).all()
    assert solved.min() >= 0
    assert solved.max() <= 1


def test_where_piece_and_backdrop_are_alike_the_evidence_decides():
    soft = cv2.GaussianBlur((np.indices((80, 80))[1] > 40).astype(np.float32), (0, 0), 1.5)
    plain = np.full((80, 80, 3), 0.4, np.float32)
    solved = solve_band(plain, trimap_of(soft, 4.0), soft, radius_px=8.0)
    assert np.abs(solved - soft).max() < 0.2  # the band is smoothed, not moved


def test_a_thin_wire_keeps_its_core():
    soft = np.zeros((60, 60), np.float32)
    soft[28:31] = 1
    assert (trimap_of(soft, 6.0)[29] == 1).all()


def test_the_same_band_gives_the_same_bytes():
    scene = chain()
    soft = coarse(scene.alpha)
    first, second = (solve_band(scene.rgb, trimap_of(soft, 3.6), soft, radius_px=7.0) for _ in range(2))
    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize("ground", [(0.5, 0.02, 0.02), (0.85, 0.85, 0.85), (0.01, 0.01, 0.01)])
def test_the_rim_is_freed_from_the_old_backdrop(ground):
    scene = ring(Size(480, 400))
    shot = scene.on(ground).astype(np.float32)
    rim = (scene.alpha > 0.1) & (scene.alpha < 0.95)
    found = estimate_foreground(shot, scene.alpha, radius_px=2.0)

    def error(colour):
        return float(np.average(delta_e00(lab(colour)[rim], lab(scene.foreground)[rim]), weights=scene.alpha[rim]))

    assert error(found) < 0.6 * error(shot)


def test_a_solid_pixel_is_the_photos_own():
    scene = ring()
    found = estimate_foreground(scene.rgb, scene.alpha, radius_px=2.0)
    assert (found[scene.alpha == 1] == scene.rgb[scene.alpha == 1]).all()
