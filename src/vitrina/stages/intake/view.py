"""What every family of the source check looks at: the whole photo, and the piece close, both at a bounded size."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.colour import lab
from vitrina.imaging.measure import Edges, find_edges
from vitrina.model import Alpha, Mask, Plane, Region, Rgb, Size, Source
from vitrina.stages.intake.limits import IntakeLimits

_LEAST_GROUND = 80
_EDGE_CONTRAST = 12.0
_RIM_IN, _RIM_OUT = 21, 13
"""Full widths of the band inside and outside the coarse outline, close frame."""


@dataclass(frozen=True)
class View:
    """`whole`: the photo shrunk; `evidence`: where the piece is, at its size; `close`: the piece's box of the photo,
    shrunk to `limits.close_px`, with `close_evidence`. `box` is the piece's box in the photo's own pixels, None
    without a piece.
    """

    source: Source
    limits: IntakeLimits
    whole: Rgb
    evidence: Alpha
    box: Region | None
    close_box: Region
    close: Rgb
    close_evidence: Alpha

    @property
    def size(self) -> Size:
        return self.source.size

    @property
    def whole_scale(self) -> float:
        """Photo pixels per pixel of the whole frame."""
        return float(self.size.width / self.whole.shape[1])

    @property
    def close_scale(self) -> float:
        """Photo pixels per pixel of the close frame."""
        return float(self.close_box.width / self.close.shape[1])

    @cached_property
    def piece(self) -> Mask:
        """The piece in the whole frame."""
        return np.asarray(self.evidence > self.limits.piece_evidence, bool)

    @cached_property
    def close_piece(self) -> Mask:
        """The piece in the close frame, with its rim."""
        return np.asarray(self.close_evidence > self.limits.piece_evidence, bool)

    @cached_property
    def whole_lab(self) -> NDArray[np.float32]:
        return lab(self.whole)

    @cached_property
    def close_lab(self) -> NDArray[np.float32]:
        return lab(self.close)

    @cached_property
    def beyond(self) -> Mask:
        """The backdrop in the whole frame, well away from the piece."""
        reach = max(3, round(0.02 * max(self.evidence.shape))) | 1
        return np.asarray(cv2.dilate(self.evidence, np.ones((reach, reach), np.uint8)) < 0.2, bool)

    @cached_property
    def ground_lab(self) -> NDArray[np.float32]:
        """L*a*b* of the backdrop, (n, 3): one pixel of six tells its medians, where there are enough of them."""
        thinned = self.whole_lab[::2, ::3][self.beyond[::2, ::3]]
        return np.asarray(thinned if len(thinned) >= _LEAST_GROUND else self.whole_lab[self.beyond])

    @cached_property
    def rim(self) -> Mask:
        """The band around the piece's outline in the close frame: what must be sharp, whatever the metal reflects."""
        piece = self.close_piece.astype(np.uint8)
        inner, outer = np.ones((_RIM_IN, _RIM_IN), np.uint8), np.ones((_RIM_OUT, _RIM_OUT), np.uint8)
        return np.asarray((cv2.dilate(piece, outer) > 0) & (cv2.erode(piece, inner) == 0), bool)

    @cached_property
    def edges(self) -> Edges:
        """The strong edges of the close frame on the piece and its rim."""
        light: Plane = np.ascontiguousarray(self.close_lab[..., 0])
        return find_edges(light, contrast=_EDGE_CONTRAST, within=self.close_piece | self.rim)

    def from_whole(self, region: Region | None) -> Region | None:
        """A region of the whole frame in the photo's own pixels."""
        return None if region is None else region.scaled(self.whole_scale).grown(0, within=self.size)

    def from_close(self, region: Region | None) -> Region | None:
        """A region of the close frame in the photo's own pixels."""
        if region is None:
            return None
        at = region.scaled(self.close_scale)
        moved = Region(at.x + self.close_box.x, at.y + self.close_box.y, at.width, at.height)
        return moved.grown(0, within=self.size)


def view_of(source: Source, whole: Rgb, piece: Alpha, limits: IntakeLimits) -> View:
    """Prepare the frames. `whole` is the photo shrunk to `limits.whole_px`, `piece` coarse evidence 0…1 at any size."""
    evidence = _fitted(piece, whole.shape)
    mask = _without_dust(evidence > limits.piece_evidence)
    found = Region.around(mask) if mask.mean() >= limits.piece_share else None
    scale = source.size.width / whole.shape[1]
    everything = Region(0, 0, source.size.width, source.size.height)
    box = None if found is None else found.scaled(scale).grown(0, within=source.size)
    margin = 0 if box is None else round(0.06 * max(box.width, box.height)) + 4
    close_box = everything if box is None else box.grown(margin, within=source.size)
    close = shrunk(source.rgb[close_box.slices], limits.close_px)
    rows, columns = close_box.scaled(1 / scale).grown(0, within=Size(whole.shape[1], whole.shape[0])).slices
    close_evidence = _fitted(evidence[rows, columns], close.shape)
    return View(source, limits, whole, evidence, box, close_box, close, close_evidence)


def shrunk(rgb: Rgb, long_side_px: int) -> Rgb:
    """`rgb` with its long side at most `long_side_px`, averaged over areas in linear light."""
    scale = min(1.0, long_side_px / max(rgb.shape[:2]))
    if scale == 1:
        return np.ascontiguousarray(rgb)
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.float32)


def _fitted(plane: Plane, shape: tuple[int, ...]) -> Alpha:
    return np.asarray(cv2.resize(plane, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def _without_dust(mask: Mask) -> Mask:
    """Without islands smaller than a fiftieth of the largest."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count <= 2:
        return mask
    area = stats[:, cv2.CC_STAT_AREA]
    keep = area >= area[1:].max() / 50
    keep[0] = False
    return np.asarray(keep[labels], bool)
