"""Lengths of shapes: the midline of a chain, the inner and outer diameter of a ring. Masks in, pixels out."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from vitrina.model import Mask

_STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))


def midline(mask: Mask, *, close_px: int = 0) -> tuple[NDArray[np.float64], bool]:
    """The longest path along the middle of `mask` (x, y; pixels, smoothed) and whether it closes into a loop.

    `close_px` fills the holes of links first, so that a chain is one band. Empty when there is nothing.
    """
    solid = mask.astype(np.uint8)
    if close_px > 0:
        width = 2 * close_px + 1
        framed = cv2.copyMakeBorder(solid, width, width, width, width, cv2.BORDER_CONSTANT)
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
        solid = cv2.morphologyEx(framed, cv2.MORPH_CLOSE, disc)[width:-width, width:-width]
    rows, columns = np.nonzero(thinned(solid > 0))
    if len(rows) < 2:
        return np.zeros((0, 2)), False
    graph = _graph(rows, columns, mask.shape)
    _, part = connected_components(graph, directed=False)
    kept = np.flatnonzero(part == np.bincount(part).argmax())
    graph = graph[kept][:, kept]
    open_path = _longest(graph)
    loop = _loop(graph, open_path)
    path = loop if loop is not None else open_path
    points = np.column_stack([columns[kept][path], rows[kept][path]]).astype(np.float64)
    return _smooth(points, is_closed=loop is not None), loop is not None


def length_of(points: NDArray[np.floating], *, is_closed: bool) -> float:
    """The length of a path (x, y)."""
    if len(points) < 2:
        return 0.0
    ends = np.concatenate([points, points[:1]]) if is_closed else points
    return float(np.linalg.norm(np.diff(ends, axis=0), axis=1).sum())


def thinned(mask: Mask) -> Mask:
    """The one-pixel middle of `mask` (Zhang and Suen 1984)."""
    image = np.pad(mask, 1).astype(np.uint8)
    while True:
        before = image
        for first in (True, False):
            image = image & ~_removable(image, first)
        if np.array_equal(before, image):
            return np.asarray(image[1:-1, 1:-1] > 0, bool)


def _removable(image: NDArray[np.uint8], first: bool) -> NDArray[np.uint8]:
    north, south = np.roll(image, 1, 0), np.roll(image, -1, 0)
    west, east = np.roll(image, 1, 1), np.roll(image, -1, 1)
    around = [
        north, np.roll(north, -1, 1), east, np.roll(south, -1, 1),
        south, np.roll(south, 1, 1), west, np.roll(north, 1, 1),
    ]  # fmt: skip
    count = np.sum(around, axis=0)
    turns = sum((around[i] == 0) & (around[(i + 1) % 8] == 1) for i in range(8))
    if first:
        sides = (north * east * south == 0) & (east * south * west == 0)
    else:
        sides = (north * east * west == 0) & (north * south * west == 0)
    return np.asarray((image == 1) & (count >= 2) & (count <= 6) & (turns == 1) & sides, np.uint8)


def _graph(rows: NDArray[np.intp], columns: NDArray[np.intp], shape: tuple[int, ...]) -> csr_array:
    """Neighbours of a thinned mask and their distances."""
    index = np.full((shape[0] + 2, shape[1] + 2), -1)
    index[rows + 1, columns + 1] = np.arange(len(rows))
    starts, ends, weights = [], [], []
    for down, right in _STEPS:
        other = index[rows + 1 + down, columns + 1 + right]
        here = np.flatnonzero(other >= 0)
        starts.append(here)
        ends.append(other[here])
        weights.append(np.full(len(here), np.hypot(down, right)))
    ones = (np.concatenate(weights), (np.concatenate(starts), np.concatenate(ends)))
    half = coo_array(ones, shape=(len(rows), len(rows)))
    return (half + half.T).tocsr()


def _longest(graph: csr_array) -> NDArray[np.intp]:
    """The path between the two points that lie farthest apart along the graph."""
    far = int(np.argmax(np.where(np.isfinite(away := dijkstra(graph, indices=0)), away, -1)))
    distance, before = dijkstra(graph, indices=far, return_predecessors=True)
    return _trace(before, int(np.argmax(np.where(np.isfinite(distance), distance, -1))))


def _trace(before: NDArray[np.int32], at: int) -> NDArray[np.intp]:
    path = [at]
    while before[path[-1]] >= 0:
        path.append(int(before[path[-1]]))
    return np.array(path)


def _loop(graph: csr_array, path: NDArray[np.intp]) -> NDArray[np.intp] | None:
    """The loop that `path` is a half of, when its ends are also joined by another way of about its length."""
    third = len(path) // 3
    if third < 8:
        return None
    start, end = int(path[third]), int(path[2 * third])
    # Without the stretch between, a loop still joins the two; an open chain does not.
    open_nodes = np.ones(graph.shape[0])
    open_nodes[path[third + 3 : 2 * third - 2]] = 0
    cut = graph.multiply(open_nodes[None, :]).multiply(open_nodes[:, None]).tocsr()
    cut.eliminate_zeros()
    distance, before = dijkstra(cut, indices=start, return_predecessors=True)
    if not np.isfinite(distance[end]):
        return None
    other = _trace(before, end)  # from the end back to the start
    return np.concatenate([path[third : 2 * third], other[:-1]])


def _smooth(points: NDArray[np.float64], *, is_closed: bool, sigma: float = 3.0) -> NDArray[np.float64]:
    """The path without the staircase of its pixels; the ends of an open one stay."""
    reach = int(3 * sigma)
    if len(points) < 2 * reach + 1:
        return points
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights /= weights.sum()
    if is_closed:
        padded = np.concatenate([points[-reach:], points, points[:reach]])
    else:
        head = 2 * points[0] - points[reach:0:-1]
        tail = 2 * points[-1] - points[-2 : -reach - 2 : -1]
        padded = np.concatenate([head, points, tail])
    return np.column_stack([np.convolve(padded[:, i], weights, mode="valid") for i in range(2)])


def ring_diameters(mask: Mask) -> tuple[float, float] | None:
    """Inner and outer diameter (px) of the largest ring in `mask`: of discs as large as its hole, and as hole and band.

    None when the largest part has no hole of at least a quarter of its area.
    """
    contours, tree = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    outer = [index for index in range(len(contours)) if tree[0][index][3] < 0]
    if not outer:
        return None
    largest = max(outer, key=lambda index: cv2.contourArea(contours[index]))
    holes = [cv2.contourArea(contours[i]) for i in range(len(contours)) if tree[0][i][3] == largest]
    whole = cv2.contourArea(contours[largest])
    if not holes or max(holes) < 0.25 * whole:
        return None
    # Contours run through pixel centres: half a pixel is missing outside, half a pixel too much inside.
    return 2 * float(np.sqrt(max(holes) / np.pi)) - 1, 2 * float(np.sqrt(whole / np.pi)) + 1
