"""The edge check: exact mattes pass, every fault made on purpose is found at its place."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tests.scenes import chain, earrings, ring
from vitrina.model import Alpha, Cutout, Mask, Rgb, Size
from vitrina.stages.edges import check_edges


def codes(scene, alpha: Alpha, foreground: Rgb | None = None) -> dict[str, list]:
    """Findings by code for a matte of `scene`."""
    cutout = Cutout(
        scene.foreground if foreground is None else foreground, alpha.astype(np.float32), (), (1, 1, 1), "made"
    )
    findings, _ = check_edges(scene.source(), cutout)
    found: dict[str, list] = {}
    for finding in findings:
        found.setdefault(finding.code, []).append(finding)
    return found


def spot(alpha: Alpha, row: int, column: int, radius: float) -> Mask:
    y, x = np.ogrid[: alpha.shape[0], : alpha.shape[1]]
    return (y - row) ** 2 + (x - column) ** 2 <= radius**2


def overlaps(findings: list, mask: Mask) -> bool:
    return any(finding.region is not None and mask[finding.region.slices].any() for finding in findings)


@pytest.fixture(scope="module")
def band():
    return ring(Size(720, 600), ground="grey")


@pytest.mark.parametrize(
    "scene", [ring(Size(720, 600), ground="grey"), ring(ground="velvet"), earrings(), chain(metal="gold")]
)
def test_an_exact_matte_passes(scene):
    assert codes(scene, scene.alpha) == {}


def test_a_halo_is_found_with_its_width(band):
    found = codes(band, cv2.dilate(band.alpha, np.ones((5, 5), np.uint8)), band.rgb)
    assert "halo" in found
    assert 1.5 < found["halo"][0].measured < 4


def test_a_glow_is_a_residue(band):
    glow = np.maximum(band.alpha, 0.9 * cv2.GaussianBlur(band.alpha, (0, 0), 4))
    assert "residue" in codes(band, glow, band.rgb)


def test_an_eroded_rim_is_found(band):
    assert "eroded" in codes(band, cv2.erode(band.alpha, np.ones((7, 7), np.uint8)))


def test_a_filled_opening_blocks(band):
    found = codes(band, np.where(band.daylight, 1, band.alpha), band.rgb)
    assert [finding.severity.value for finding in found["filled-hole"]] == ["block"]
    assert overlaps(found["filled-hole"], band.daylight)


def test_a_cut_wire_is_found_at_the_cut(band):
    rows, columns = np.nonzero(band.alpha > 0.9)
    lowest = int(np.argmax(rows))
    gap = spot(band.alpha, int(rows[lowest]) - 8, int(columns[lowest]), 16)
    found = codes(band, np.where(gap, 0, band.alpha))
    assert overlaps(found["lost-part"], gap)


def test_a_see_through_patch_is_found(band):
    rows, columns = np.nonzero(cv2.distanceTransform((band.alpha > 0.5).astype(np.uint8), cv2.DIST_L2, 5) > 8)
    pane = spot(band.alpha, int(rows[0]), int(columns[0]), 6)
    found = codes(band, np.where(pane, 0.6, band.alpha))
    assert overlaps(found["see-through"], pane)


def test_a_stray_island_is_found(band):
    island = spot(band.alpha, 40, 40, 6)
    found = codes(band, np.where(island, 1, band.alpha), band.rgb)
    assert overlaps(found["stray-island"], island)


def test_a_bare_mask_is_jagged(band):
    assert "jagged" in codes(band, (band.alpha > 0.5).astype(np.float32))


def test_a_red_card_leaves_a_fringe(band):
    red = np.broadcast_to(np.float32([0.6, 0.02, 0.02]), band.rgb.shape)
    a = band.alpha[..., None]
    shot = replace(band, rgb=(a * band.foreground + (1 - a) * red).astype(np.float32))
    assert "fringe" in codes(shot, band.alpha, shot.rgb)
    assert "fringe" not in codes(shot, band.alpha)


def test_a_piece_that_leaves_the_frame_is_clipped(band):
    left = band.box.x + band.box.width // 3
    cropped = replace(
        band,
        rgb=band.rgb[:, left:].copy(),
        foreground=band.foreground[:, left:].copy(),
        alpha=band.alpha[:, left:].copy(),
    )
    assert [finding.check for finding in codes(cropped, cropped.alpha)["clipped"]] == ["framing"]


def test_an_empty_matte_has_no_edges(band):
    assert codes(band, np.zeros_like(band.alpha)) == {}


def test_the_same_cutout_gives_the_same_findings(band):
    halo = cv2.dilate(band.alpha, np.ones((5, 5), np.uint8))
    assert codes(band, halo) == codes(band, halo)
