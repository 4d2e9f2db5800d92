"""What a reviewer compares one by one: every coloured stone, every link that shows daylight, the tone of the metal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.colour import delta_e00, encode_srgb8, lab
from vitrina.imaging.register import warp
from vitrina.model import Alpha, Mask, Region, Rgb, Size
from vitrina.stages.verify.census import coloured_stones
from vitrina.stages.verify.metal import families_of
from vitrina.stages.verify.zones import link_holes

__all__ = ["Patch", "Strips", "strips_of"]

_WORK_PX = 1600
_MOST = 60
"""So many stones and links are shown; a longer chain is shown from its beginning."""

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Patch:
    """One place before and after: its box in pixels of the source, and its usual colour in both (sRGB, 8 bit).

    `de00` is CIEDE2000 between the two medians with lightness taken out, as in the check of the metal; `lightness` is
    the change of L*.
    """

    what: str
    region: Region
    before: tuple[int, int, int]
    after: tuple[int, int, int]
    de00: float
    lightness: float


@dataclass(frozen=True, slots=True)
class Strips:
    """Stones and links in the order in which they are numbered, and the families of metal."""

    stones: tuple[Patch, ...]
    links: tuple[Region, ...]
    metal: tuple[Patch, ...]


def strips_of(source: Rgb, edit: Rgb, alpha: Alpha, matrix: Sequence[float]) -> Strips:
    """The strips of a pair.

    `alpha` is the source's matte at its size; `matrix` [a, b, c, d, e, f] takes source pixels to the edit's.
    """
    scale = min(1.0, _WORK_PX / max(alpha.shape))
    size = Size(max(1, round(alpha.shape[1] * scale)), max(1, round(alpha.shape[0] * scale)))
    before, matte = _shrunk(source, size), np.asarray(_shrunk(alpha, size), np.float32)
    a, b, c, d, e, f = matrix
    to_edit = np.array([[a, c, e], [b, d, f]]) @ np.diag([1 / scale, 1 / scale, 1.0])
    after = warp(edit, np.linalg.inv(np.vstack([to_edit, [0, 0, 1]]))[:2], size)
    first, second = lab(before), lab(np.ascontiguousarray(after))
    boxes = sorted(coloured_stones(first, matte), key=lambda box: (round(box.y / max(1, size.height) * 8), box.x))
    gems: Mask = np.zeros(matte.shape, bool)
    stones = []
    for box in boxes[:_MOST]:
        inside = np.zeros(matte.shape, bool)
        inside[box.slices] = matte[box.slices] > 0.9
        gems |= inside
        stones.append(_patch("stone", box, _core(inside, box), first, second, before, after, scale))
    metal = _metal(matte, gems, first, second, before, after, scale)
    links = tuple(_grown(box, scale) for box in _in_course([hole.region for hole in link_holes(matte)])[:_MOST])
    return Strips(tuple(stones), links, metal)


def _metal(
    matte: Alpha, gems: Mask, first: Rgb, second: Rgb, before: Rgb, after: Rgb, scale: float
) -> tuple[Patch, ...]:
    families = families_of(first, second, (matte > 0.95) & ~gems, piece_px=float((matte > 0.5).sum()))
    patches = []
    for family, own in families.items():
        box = Region.around(own)
        if box is not None:
            patches.append(_patch(family, box, own, first, second, before, after, scale))
    return tuple(patches)


def _patch(
    what: str, box: Region, where: Mask, first: Rgb, second: Rgb, before: Rgb, after: Rgb, scale: float
) -> Patch:
    middle = np.median(first[where], axis=0)
    shift = np.median(second[where] - first[where], axis=0)
    level = np.array([0.0, shift[1], shift[2]])
    de00 = float(delta_e00(middle[None].astype(np.float32), (middle + level)[None].astype(np.float32))[0])
    shown = [
        encode_srgb8(np.median(picture[where], axis=0)[None, None].astype(np.float32)) for picture in (before, after)
    ]
    colours = [(int(code[0, 0, 0]), int(code[0, 0, 1]), int(code[0, 0, 2])) for code in shown]
    return Patch(what, box.scaled(1 / scale), colours[0], colours[1], de00, float(shift[0]))


def _core(inside: Mask, box: Region) -> Mask:
    """The middle of a stone, without its setting; all of it when it is too small for that."""
    middle = np.zeros(inside.shape, np.uint8)
    centre = (box.x + box.width // 2, box.y + box.height // 2)
    cv2.ellipse(middle, centre, (max(1, box.width * 2 // 5), max(1, box.height * 2 // 5)), 0, 0, 360, 1, -1)
    core = inside & (middle > 0)
    return core if core.sum() >= 9 else inside if inside.any() else middle > 0


def _in_course(boxes: list[Region]) -> list[Region]:
    """Boxes in the order in which a chain runs: from its far end to the nearest one not yet visited."""
    if len(boxes) < 3:
        return boxes
    centres = np.array([[box.x + box.width / 2, box.y + box.height / 2] for box in boxes])
    at = int(np.argmax(np.hypot(*(centres - centres.mean(axis=0)).T)))
    order, left = [at], set(range(len(boxes))) - {at}
    while left:
        rest = np.array(sorted(left))
        at = int(rest[np.argmin(np.hypot(*(centres[rest] - centres[order[-1]]).T))])
        order.append(at)
        left.remove(at)
    return [boxes[number] for number in order]


def _grown(box: Region, scale: float) -> Region:
    """A link around its hole, in pixels of the source."""
    room = max(3, round(0.45 * max(box.width, box.height)))
    x, y = max(0, box.x - room), max(0, box.y - room)
    return Region(x, y, box.x + box.width + room - x, box.y + box.height + room - y).scaled(1 / scale)


def _shrunk(picture: NDArray[np.float32], size: Size) -> NDArray[np.float32]:
    if picture.shape[:2] == (size.height, size.width):
        return picture
    return np.asarray(cv2.resize(picture, (size.width, size.height), interpolation=cv2.INTER_AREA), np.float32)
