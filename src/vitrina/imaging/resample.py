"""Resampling: one uniform scale and shift, antialiased, in linear light.

The kernel is Lanczos with three lobes (Duchon 1979; Turkowski 1990), widened by the shrink factor so that it also
filters. Its ringing is cut off: no result leaves the range of the pixels it covers, so that no rim appears that the
photo does not have.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from vitrina.model import Placement, Plane, Rgb, Size

Places = NDArray[np.int64]
_LOBES = 3.0


def resample(rgb: Rgb, placement: Placement, *, fill: tuple[float, float, float]) -> Rgb:
    """`rgb` at its place on a canvas of `placement.size`; beyond the picture lies the linear colour `fill`.

    A placement of scale 1 and whole offsets copies pixels exactly. Opaque pictures only; see `resample_straight`.
    """
    return _resample(rgb, placement, np.asarray(fill, np.float32))


def resample_plane(plane: Plane, placement: Placement) -> Plane:
    """A single channel at its place; 0 beyond the picture."""
    return _resample(plane[..., None], placement, np.zeros(1, np.float32))[..., 0]


def resample_straight(rgb: Rgb, alpha: Plane, placement: Placement) -> tuple[Rgb, Plane]:
    """A straight picture and its alpha at their place, weighted by alpha on the way (Porter and Duff 1984).

    Unweighted, the invisible colours beyond the edge would bleed into it.
    """
    coverage = resample_plane(alpha, placement)
    weighted = _resample(rgb * alpha[..., None], placement, np.zeros(3, np.float32))
    straight = weighted / np.maximum(coverage, np.float32(1e-4))[..., None]
    return np.where(coverage[..., None] > 1e-4, straight, 0).astype(np.float32), coverage


def enlarged_part(plane: NDArray[np.float32], size: Size, rows: slice, columns: slice) -> NDArray[np.float32]:
    """A part, in pixels of `size`, of `plane` (rows, columns, any channels) stretched to `size`, pixel centres kept."""
    fy, fx = plane.shape[0] / size.height, plane.shape[1] / size.width
    if fx == 1 and fy == 1:
        return np.ascontiguousarray(plane[rows, columns])
    matrix = np.array([[fx, 0, (columns.start + 0.5) * fx - 0.5], [0, fy, (rows.start + 0.5) * fy - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    part = (columns.stop - columns.start, rows.stop - rows.start)
    return np.asarray(cv2.warpAffine(plane, matrix, part, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _resample(picture: NDArray[np.float32], placement: Placement, fill: NDArray[np.float32]) -> NDArray[np.float32]:
    size, scale = placement.size, placement.scale
    if scale == 1 and float(placement.dx).is_integer() and float(placement.dy).is_integer():
        return _copy(picture, placement, fill)
    rows, inner_rows = _reach(picture.shape[0], size.height, scale, placement.dy)
    columns, inner_columns = _reach(picture.shape[1], size.width, scale, placement.dx)
    if not (rows.stop > rows.start and columns.stop > columns.start):
        return _canvas(size, fill)
    dx, dy = placement.dx + scale * columns.start, placement.dy + scale * rows.start
    part = picture[rows, columns]
    down, across = _weights(part.shape[0], inner_rows, scale, dy), _weights(part.shape[1], inner_columns, scale, dx)
    at = _nearest(inner_rows, scale, dy, part.shape[0]), _nearest(inner_columns, scale, dx, part.shape[1])
    made = [
        _limited(_apply(down, across, plane, beyond), plane, beyond, scale, at)
        for plane, beyond in zip(cv2.split(part), fill.tolist(), strict=True)
    ]
    margins = (
        inner_rows.start, size.height - inner_rows.stop, inner_columns.start, size.width - inner_columns.stop
    )  # fmt: skip
    whole = cv2.copyMakeBorder(cv2.merge(made), *margins, cv2.BORDER_CONSTANT, value=fill.tolist())
    return np.asarray(whole, np.float32).reshape(size.height, size.width, -1)


def _copy(picture: NDArray[np.float32], placement: Placement, fill: NDArray[np.float32]) -> NDArray[np.float32]:
    size, dx, dy = placement.size, int(placement.dx), int(placement.dy)
    out = _canvas(size, fill)
    height, width = picture.shape[:2]
    y0, y1 = max(0, dy), max(0, min(size.height, height + dy))
    x0, x1 = max(0, dx), max(0, min(size.width, width + dx))
    if y1 > y0 and x1 > x0:
        out[y0:y1, x0:x1] = picture[y0 - dy : y1 - dy, x0 - dx : x1 - dx]
    return out


def _canvas(size: Size, fill: NDArray[np.float32]) -> NDArray[np.float32]:
    whole = np.empty((size.height, size.width, len(fill)), np.float32)
    whole[:] = fill
    return whole


def _reach(length: int, wanted: int, scale: float, offset: float) -> tuple[slice, slice]:
    """The source pixels that matter along one axis, and the target pixels that they touch."""
    support = _LOBES * max(1.0, scale)
    first = max(0, int(np.floor(offset - 0.5 * scale - support)))
    last = min(wanted, int(np.ceil(offset + scale * (length - 0.5) + support)) + 1)
    reach = _LOBES / min(scale, 1.0) + 2
    start = max(0, int(np.floor((first - offset) / scale - reach)))
    stop = min(length, int(np.ceil((last - offset) / scale + reach)) + 1)
    return slice(start, stop), slice(first, max(first, last))


def _weights(length: int, target: slice, scale: float, offset: float) -> sparse.csr_matrix:
    """Row i holds the kernel of target pixel i over `length` source pixels; weights beyond them are left out."""
    centres = (np.arange(target.start, target.stop) - offset) / scale
    widen = max(1.0, 1 / scale)
    taps = int(np.ceil(_LOBES * widen)) * 2 + 1
    index = np.rint(centres).astype(np.int64)[:, None] + np.arange(taps)[None, :] - taps // 2
    weight = _lanczos((index - centres[:, None]) / widen)
    weight /= weight.sum(axis=1, keepdims=True)
    keep = (index >= 0) & (index < length) & (weight != 0)
    row = np.broadcast_to(np.arange(len(centres))[:, None], index.shape)
    return sparse.csr_matrix(
        (weight[keep].astype(np.float32), (row[keep], index[keep])), shape=(len(centres), length), dtype=np.float32
    )


def _lanczos(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.abs(x) < _LOBES, np.sinc(x) * np.sinc(x / _LOBES), 0.0)


def _apply(down: sparse.csr_matrix, across: sparse.csr_matrix, plane: Plane, beyond: float) -> Plane:
    """`plane` under both kernels. What differs from `beyond` is weighed: so the kernels' missing ends stand for it."""
    tall = down @ (cv2.subtract(plane, (beyond,)) if beyond else plane)
    made = cv2.transpose(across @ cv2.transpose(tall))
    return np.asarray(cv2.add(made, (beyond,)) if beyond else made, np.float32)


def _limited(made: Plane, plane: Plane, beyond: float, scale: float, at: tuple[Places, Places]) -> Plane:
    """`made` kept between the lowest and the highest value within one target pixel of `at`, where each came from."""
    side = np.ones((2 * int(np.ceil(1 / scale)) + 1,) * 2, np.uint8)
    for grow, limit in ((cv2.erode, cv2.max), (cv2.dilate, cv2.min)):
        near = grow(plane, side, borderType=cv2.BORDER_CONSTANT, borderValue=(beyond,))
        made = limit(made, near.take(at[0], axis=0).take(at[1], axis=1))
    return np.asarray(made, np.float32)


def _nearest(target: slice, scale: float, offset: float, length: int) -> Places:
    centres = (np.arange(target.start, target.stop) - offset) / scale
    return np.clip(np.rint(centres), 0, length - 1).astype(np.int64)
