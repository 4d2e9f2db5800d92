"""The pictures of a report: thumbnails, and close-ups of the riskiest places and of what was found, side by side."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from vitrina.codec.encode import encode_jpeg
from vitrina.imaging.compose import over
from vitrina.model import Cutout, Finding, Placement, Region, Rgb, Severity, Variant
from vitrina.pages.places import risky_places

THUMBNAIL_PX = 900
CLOSE_UP_PX = 400
MOST_FINDINGS = 24
_GREY = np.float32(0.2159)  # sRGB 128
_RANK = {Severity.BLOCK: 0, Severity.WARN: 1, Severity.NOTE: 2}
_SHORTEST_PX = 120
_PLACE_PX = 200


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture of a report and the words under it."""

    caption: str
    jpeg: bytes

    @property
    def uri(self) -> str:
        """The picture as it is embedded in a page."""
        return "data:image/jpeg;base64," + base64.b64encode(self.jpeg).decode("ascii")


@dataclass(slots=True)
class Row:
    """A place, seen in several pictures, and what is to be said of it."""

    title: str
    shots: list[Shot]
    finding: Finding | None = None
    region: Region | None = None


@dataclass(slots=True)
class PhotoPictures:
    """Collects the pictures of one photo while the photo itself is in memory."""

    before: Shot | None = None
    cutout: Shot | None = None
    variants: list[Shot] = field(default_factory=list)
    places: list[Row] = field(default_factory=list)
    drafts: dict[str, Shot] = field(default_factory=dict)
    _found: dict[tuple[str, str, str], Row] = field(default_factory=dict)

    @property
    def findings(self) -> list[Row]:
        """What was found and can be shown, the gravest first."""
        rows = [row for row in self._found.values() if row.finding is not None]
        return sorted(rows, key=lambda row: _RANK[row.finding.severity] if row.finding else 9)

    def show_source(self, rgb: Rgb) -> None:
        self.before = Shot("as photographed", thumbnail(rgb))

    def show_cutout(self, source: Rgb, cut: Cutout) -> None:
        """The cutout on mid-grey, and the riskiest places of the piece in both."""
        box = Region.around(cut.alpha > 0.02)
        assert box is not None  # only cutouts with a piece are shown
        box = box.grown(round(0.08 * max(box.width, box.height)), within=cut.size)
        self.cutout = Shot("cut out, on mid-grey", thumbnail(on_grey(cut, box)))
        for place in risky_places(source, cut, side_px=_PLACE_PX):
            laid = on_grey(cut, place.region)
            inside = Region(0, 0, place.region.width, place.region.height)
            shots = [Shot("photo", close_up(source, place.region)), Shot("cutout", close_up(laid, inside))]
            self.places.append(Row(place.what, shots, region=place.region))

    def show_variant(self, variant: Variant) -> None:
        """The variant, and the riskiest places in it."""
        self.variants.append(Shot(variant.look.name, thumbnail(variant.rgb)))
        for row in self.places:
            if row.region is not None:
                there = _moved(row.region, variant.placement)
                row.shots.append(Shot(variant.look.name, close_up(variant.rgb, there)))

    def show_draft(self, file: str, rgb: Rgb) -> None:
        self.drafts[file] = Shot(file, thumbnail(rgb, long_side_px=320))

    def show_finding(
        self,
        finding: Finding,
        where: str,
        *,
        before: Rgb,
        after: Callable[[], Rgb] | None = None,
        placement: Placement | None = None,
    ) -> None:
        """The place of a finding in the photo and, when there is one, in the picture made from it.

        `placement` takes the photo's pixels to those of `after`, in which the finding's region is given; without it
        the region is the photo's. What was found in one picture is not shown again for every file made from it.
        """
        key = (finding.check, finding.code, finding.severity.value)
        if key in self._found or len(self._found) >= MOST_FINDINGS:
            return
        shots = []
        if finding.region is not None:
            here = _roomy(finding.region)
            back = here if placement is None else _moved(here, _inverse(placement))
            shots.append(Shot("photo", close_up(before, back)))
            if after is not None:
                shots.append(Shot(where, close_up(after(), here)))
        self._found[key] = Row(where, shots, finding)


def thumbnail(rgb: Rgb, *, long_side_px: int = THUMBNAIL_PX) -> bytes:
    """`rgb` shrunk to `long_side_px` at most (area means in linear light), as JPEG."""
    scale = min(1.0, long_side_px / max(rgb.shape[:2]))
    if scale < 1:
        size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.float32)
    return encode_jpeg(rgb, quality=84)


def close_up(rgb: Rgb, region: Region) -> bytes:
    """`region` of `rgb` with its long side at `CLOSE_UP_PX`, as JPEG; what lies outside the picture is mid-grey."""
    piece = np.full((max(1, region.height), max(1, region.width), 3), _GREY, np.float32)
    x0, y0 = max(0, region.x), max(0, region.y)
    x1, y1 = min(rgb.shape[1], region.x + region.width), min(rgb.shape[0], region.y + region.height)
    if x1 > x0 and y1 > y0:
        piece[y0 - region.y : y1 - region.y, x0 - region.x : x1 - region.x] = rgb[y0:y1, x0:x1]
    zoom = CLOSE_UP_PX / max(piece.shape[:2])
    size = (max(1, round(piece.shape[1] * zoom)), max(1, round(piece.shape[0] * zoom)))
    how = cv2.INTER_CUBIC if zoom > 1 else cv2.INTER_AREA
    shown = np.asarray(np.clip(cv2.resize(piece, size, interpolation=how), 0, 1), np.float32)
    return encode_jpeg(shown, quality=86)


def on_grey(cut: Cutout, region: Region | None = None) -> Rgb:
    """A cutout, or `region` of it, laid on mid-grey, where both light and dark rims show."""
    part = region.slices if region is not None else (slice(None), slice(None))
    return over(cut.foreground[part], cut.alpha[part], np.full(3, _GREY, np.float32))


def _roomy(region: Region) -> Region:
    """`region` with some of its surroundings, at least `_SHORTEST_PX` on a side and no flatter than 3 : 4."""
    side = max(_SHORTEST_PX, round(1.2 * max(region.width, region.height)))
    width = max(round(0.75 * side), round(1.2 * region.width), _SHORTEST_PX)
    height = max(round(0.75 * side), round(1.2 * region.height), _SHORTEST_PX)
    x = region.x + region.width // 2 - width // 2
    y = region.y + region.height // 2 - height // 2
    return Region(x, y, width, height)


def _moved(region: Region, placement: Placement) -> Region:
    """Where `region` lies after `placement`; it may leave the picture."""
    x = round(placement.scale * region.x + placement.dx)
    y = round(placement.scale * region.y + placement.dy)
    return Region(x, y, max(1, round(placement.scale * region.width)), max(1, round(placement.scale * region.height)))


def _inverse(placement: Placement) -> Placement:
    scale = 1 / placement.scale
    return Placement(scale, -placement.dx * scale, -placement.dy * scale, placement.size)
