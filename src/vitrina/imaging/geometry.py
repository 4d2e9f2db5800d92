"""Where a piece goes on a canvas. Lengths are pixels; pixel centres lie at whole numbers."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from vitrina.model import Alpha, Placement, Region, Size


def frame_fill(box: Region, canvas: Size) -> float:
    """The piece's share of the canvas: the greater of its shares of the width and of the height."""
    return max(box.width / canvas.width, box.height / canvas.height)


def fitting_scale(box: Region, canvas: Size, *, fill: float, is_square_safe: bool = False) -> float:
    """The scale at which `box` has the frame fill `fill`.

    With `is_square_safe` the box also stays within `fill` of the centre square, where a thumbnail is cut.
    """
    width, height = canvas.width, canvas.height
    if is_square_safe:
        width = height = min(width, height)
    return fill * min(width / box.width, height / box.height)


def placed(box: Region, canvas: Size, *, scale: float) -> Placement:
    """The placement that brings the middle of `box` to the middle of `canvas`; whole offsets at scale 1."""
    dx = (canvas.width - 1) / 2 - scale * (box.x + (box.width - 1) / 2)
    dy = (canvas.height - 1) / 2 - scale * (box.y + (box.height - 1) / 2)
    if scale == 1:
        dx, dy = math.floor(dx + 0.5), math.floor(dy + 0.5)
    return Placement(scale, dx, dy, canvas)


def centre_of_mass(alpha: Alpha) -> tuple[float, float]:
    """Where the weight of the matte lies: x, y in pixels; the middle of the picture when it is empty."""
    total = float(alpha.sum(dtype=np.float64))
    if total <= 0:
        return (alpha.shape[1] - 1) / 2, (alpha.shape[0] - 1) / 2
    x = float(alpha.sum(axis=0, dtype=np.float64) @ np.arange(alpha.shape[1])) / total
    y = float(alpha.sum(axis=1, dtype=np.float64) @ np.arange(alpha.shape[0])) / total
    return x, y


def balanced(placement: Placement, box: Region, mass: tuple[float, float], *, frame: Size) -> Placement:
    """`placement`, which centres `box`, moved so that the centre of `mass` comes nearer to the middle.

    It gives up half of the margin around the box at most, in the middle `frame` of the canvas, so nothing is clipped.
    """
    moves = []
    for centre, start, length, side in (
        (mass[0], box.x, box.width, frame.width), (mass[1], box.y, box.height, frame.height),
    ):  # fmt: skip
        room = max(0.0, (side - placement.scale * length) / 4)
        wanted = placement.scale * (start + (length - 1) / 2 - centre)
        moves.append(max(-room, min(room, wanted)))
    dx, dy = moves
    if placement.scale == 1:
        dx, dy = math.floor(dx + 0.5), math.floor(dy + 0.5)
    return replace(placement, dx=placement.dx + dx, dy=placement.dy + dy)


def shrunk(canvas: Size, factor: float) -> Size:
    """`canvas` times `factor`, its ratio kept as whole pixels allow (exactly for ratios such as 3:4)."""
    step = math.gcd(canvas.width, canvas.height)
    ratio = Size(canvas.width // step, canvas.height // step)
    if max(ratio.width, ratio.height) <= 20:
        steps = max(1, math.floor(step * factor))
        return Size(ratio.width * steps, ratio.height * steps)
    return Size(max(1, math.floor(canvas.width * factor)), max(1, math.floor(canvas.height * factor)))


def moved(region: Region, placement: Placement) -> Region:
    """Where `region` lies after `placement`, rounded outwards and kept inside its canvas."""
    x0 = placement.scale * (region.x - 0.5) + placement.dx + 0.5
    y0 = placement.scale * (region.y - 0.5) + placement.dy + 0.5
    left, top = max(0, math.floor(x0 + 1e-6)), max(0, math.floor(y0 + 1e-6))
    right = min(placement.size.width, math.ceil(x0 + placement.scale * region.width - 1e-6))
    bottom = min(placement.size.height, math.ceil(y0 + placement.scale * region.height - 1e-6))
    return Region(left, top, max(0, right - left), max(0, bottom - top))
