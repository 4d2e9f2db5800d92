"""The pictures of a report: thumbnails, and close-ups of the riskiest places and of what was found, side by side."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.codec.encode import encode_jpeg
from vitrina.imaging.colour import decode_srgb, lab, luminance
from vitrina.imaging.compare import strength
from vitrina.imaging.compose import over
from vitrina.imaging.places import risky_places
from vitrina.model import Cutout, Finding, Placement, Plane, Region, Rgb, Severity, Variant

THUMBNAIL_PX = 900
CLOSE_UP_PX = 400
MOST_FINDINGS = 24
_GREY = np.float32(0.2159)  # sRGB 128
DIFFERENCE = "difference inside the piece"
_RANK = {Severity.BLOCK: 0, Severity.WARN: 1, Severity.NOTE: 2}
_SHORTEST_PX = 120
_PLACE_PX = 120
"""Side of a risky place, in pixels of the photo; the page shows it 240 px wide, which is 200 %."""
_STONE_PX = 112
MOST_STONES = 60
_FULL_DE = 30.0
"""ΔE76 that is shown as the brightest difference."""


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


@dataclass(frozen=True, slots=True)
class Stone:
    """One stone in the photo and in the picture made from it. `change_de` is how much it changed beyond the recorded
    adjustment: the 95th percentile of ΔE76."""

    before: Shot
    after: Shot
    change_de: float


@dataclass(slots=True)
class PhotoPictures:
    """Collects the pictures of one photo while the photo itself is in memory."""

    before: Shot | None = None
    cutout: Shot | None = None
    variants: list[Shot] = field(default_factory=list)
    places: list[Row] = field(default_factory=list)
    stones: list[Stone] | None = None
    drafts: dict[str, Shot] = field(default_factory=dict)
    _found: dict[tuple[str, str, str], Row] = field(default_factory=dict)
    _alpha: NDArray[np.uint8] | None = None

    @property
    def findings(self) -> list[Row]:
        """What was found and can be shown, the gravest first."""
        rows = [row for row in self._found.values() if row.finding is not None]
        return sorted(rows, key=lambda row: _RANK[row.finding.severity] if row.finding else 9)

    def show_source(self, rgb: Rgb) -> None:
        self.before = Shot("as photographed", thumbnail(rgb))

    def show_cutout(self, source: Rgb, cut: Cutout) -> None:
        """The cutout on mid-grey, and the riskiest places of the piece in both."""
        self._alpha = np.asarray(np.rint(cut.alpha * 255), np.uint8)
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

    def show_stones(self, source: Rgb, variant: Variant, before: Sequence[Region], after: Sequence[Region]) -> None:
        """Every stone that colour tells from metal, in the photo and in `variant`, the most changed first.

        `before` and `after` are where verification saw the photo's stones and the variant's, in pixels of the variant.
        """
        new = [region for region in after if not any(_meets(region, old) for old in before)]
        back = _inverse(variant.placement)
        gains = np.asarray(variant.adjustment.gains, np.float32)
        found = []
        for region in (*before, *new):
            here = _around(region)
            crops = cropped(source, _moved(here, back)), cropped(variant.rgb, here)
            first, second = (_at_side(crop, _STONE_PX) for crop in crops)
            shots = [Shot(word, _jpeg(crop)) for word, crop in (("photo", first), (variant.look.name, second))]
            piece = cv2.resize(cropped(variant.alpha[..., None], here, outside=0), (_STONE_PX, _STONE_PX)) > 0.95
            inside = np.zeros_like(piece)
            inside[_STONE_PX // 6 : -_STONE_PX // 6, _STONE_PX // 6 : -_STONE_PX // 6] = True
            inside &= cv2.erode(piece.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
            change = float(np.percentile(_change(first * gains, second)[inside], 95)) if inside.any() else _FULL_DE
            found.append(Stone(shots[0], shots[1], change))
        self.stones = sorted(found, key=lambda stone: -stone.change_de)[:MOST_STONES]

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
            made = after() if after is not None else None
            here = _roomy(finding.region, within=(before if made is None else made).shape)
            back = here if placement is None else _moved(here, _inverse(placement))
            shots.append(Shot("photo", close_up(before, back)))
            if made is not None:
                shots.append(Shot(where, close_up(made, here)))
                if self._alpha is not None:
                    piece = cropped(self._alpha[..., None], back, outside=0) / np.float32(255)
                    shots.append(Shot(DIFFERENCE, difference(cropped(before, back), cropped(made, here), piece)))
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
    return _jpeg(_at_side(cropped(rgb, region), CLOSE_UP_PX))


def cropped(picture: NDArray[Any], region: Region, *, outside: float = float(_GREY)) -> NDArray[np.float32]:
    """`region` of a picture (rows, columns, channels), with `outside` where it leaves the picture."""
    piece = np.full((max(1, region.height), max(1, region.width), picture.shape[2]), outside, np.float32)
    x0, y0 = max(0, region.x), max(0, region.y)
    x1, y1 = min(picture.shape[1], region.x + region.width), min(picture.shape[0], region.y + region.height)
    if x1 > x0 and y1 > y0:
        piece[y0 - region.y : y1 - region.y, x0 - region.x : x1 - region.x] = picture[y0:y1, x0:x1]
    return piece


def difference(before: Rgb, after: Rgb, alpha: NDArray[np.float32]) -> bytes:
    """Two crops of one place compared inside the piece, as JPEG: grey where they agree, red to yellow where not.

    `alpha` (rows, columns, 1) is the piece's, cut like `before`. Outside the piece the ground was meant to change.
    """
    first, second = _at_side(before, CLOSE_UP_PX), _at_side(after, CLOSE_UP_PX)
    size = (first.shape[1], first.shape[0])
    second = np.asarray(cv2.resize(second, size, interpolation=cv2.INTER_LINEAR), np.float32)
    inside = np.asarray(cv2.resize(alpha[..., 0], size, interpolation=cv2.INTER_LINEAR), np.float32)
    heat = np.clip(_change(first, second) / _FULL_DE, 0, 1) * np.clip(2 * inside - 1, 0, 1)
    table = decode_srgb(cv2.applyColorMap(np.rint(190 * heat).astype(np.uint8), cv2.COLORMAP_HOT)[..., ::-1])
    weight = np.clip(3 * heat, 0, 1)[..., None]
    grey = (0.3 * luminance(second) + 0.15 * inside * luminance(second) + 0.02)[..., None]
    return _jpeg(np.asarray(grey * (1 - weight) + table * weight, np.float32))


def _change(first: Rgb, second: Rgb) -> Plane:
    """ΔE76 between two crops of one size, each smoothed a little."""
    one, two = (cv2.GaussianBlur(lab(crop), (0, 0), 1.5) for crop in (first, second))
    return strength(np.asarray(two - one, np.float32))


def _at_side(crop: NDArray[np.float32], side_px: int) -> NDArray[np.float32]:
    """`crop` with its long side at `side_px`, clipped to 0…1."""
    zoom = side_px / max(crop.shape[:2])
    size = (max(1, round(crop.shape[1] * zoom)), max(1, round(crop.shape[0] * zoom)))
    how = cv2.INTER_CUBIC if zoom > 1 else cv2.INTER_AREA
    return np.asarray(np.clip(cv2.resize(crop, size, interpolation=how), 0, 1), np.float32)


def _jpeg(rgb: Rgb) -> bytes:
    return encode_jpeg(rgb, quality=86)


def _around(region: Region) -> Region:
    """A square half as large again as the longer side of `region`, around its middle."""
    side = max(16, round(1.5 * max(region.width, region.height)))
    return Region(region.x + region.width // 2 - side // 2, region.y + region.height // 2 - side // 2, side, side)


def _meets(first: Region, second: Region) -> bool:
    return (
        first.x < second.x + second.width and second.x < first.x + first.width
        and first.y < second.y + second.height and second.y < first.y + first.height
    )  # fmt: skip


def on_grey(cut: Cutout, region: Region | None = None) -> Rgb:
    """A cutout, or `region` of it, laid on mid-grey, where both light and dark rims show."""
    part = region.slices if region is not None else (slice(None), slice(None))
    return over(cut.foreground[part], cut.alpha[part], np.full(3, _GREY, np.float32))


def _roomy(region: Region, *, within: tuple[int, ...]) -> Region:
    """`region` with some of its surroundings, at least `_SHORTEST_PX` on a side and no flatter than 3 : 4, moved to lie
    inside a picture of the shape `within` as far as it fits."""
    side = max(_SHORTEST_PX, round(1.2 * max(region.width, region.height)))
    width = max(round(0.75 * side), round(1.2 * region.width), _SHORTEST_PX)
    height = max(round(0.75 * side), round(1.2 * region.height), _SHORTEST_PX)
    x = max(0, min(region.x + region.width // 2 - width // 2, within[1] - width))
    y = max(0, min(region.y + region.height // 2 - height // 2, within[0] - height))
    return Region(x, y, width, height)


def _moved(region: Region, placement: Placement) -> Region:
    """Where `region` lies after `placement`; it may leave the picture."""
    x = round(placement.scale * region.x + placement.dx)
    y = round(placement.scale * region.y + placement.dy)
    return Region(x, y, max(1, round(placement.scale * region.width)), max(1, round(placement.scale * region.height)))


def _inverse(placement: Placement) -> Placement:
    scale = 1 / placement.scale
    return Placement(scale, -placement.dx * scale, -placement.dy * scale, placement.size)
