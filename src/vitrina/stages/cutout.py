"""Cutting out: the network finds the piece, the backdrop model and the full-resolution pixels draw its edge."""

from __future__ import annotations

import time
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.backdrop import Backdrop, fit_backdrop
from vitrina.imaging.colour import encode_srgb8
from vitrina.imaging.matte import estimate_foreground, solve_band
from vitrina.model import Alpha, Cutout, Finding, Mask, Part, Plane, Region, Rgb, Severity, Source
from vitrina.plugins import Segmenter


@dataclass(frozen=True, slots=True)
class CutoutParams:
    """Lengths are in pixels of the label frame (the photo shrunk to `label_px`), distances in Mahalanobis units."""

    label_px: int = 1400
    """Long side at which pixels are labelled; alpha is solved at the photo's own size."""
    key: float = 5.0
    """Distance from the backdrop at which a pixel is something else."""
    shade: float = 4.0
    """Distance after the best darkening below which a smooth pixel may be a cast shadow."""
    smooth: float = 2.5
    """Slope over the backdrop's own (95th percentile) up to which a pixel is smooth."""
    found: float = 0.35
    """Evidence of the network that a region needs, on average, to belong to the piece."""
    busy: float = 16.0
    """Backdrop spread (Lab) above which it cannot be keyed and the network decides alone."""
    band: float = 1.6
    """Half width of the unknown band."""


def find_piece(source: Source, segmenter: Segmenter, *, side_px: int = 700) -> Alpha:
    """Coarse evidence 0…1 of the piece, at the size of the source shrunk to `side_px`."""
    return segmenter.find(_shrunk(source.rgb, side_px))


def cut_out(
    source: Source,
    segmenter: Segmenter,
    *,
    params: CutoutParams = CutoutParams(),
    keep: Mask | None = None,
    drop: Mask | None = None,
) -> Cutout:
    """Cut the piece out of its photo.

    `keep` and `drop` are strokes at the size of the source; they overrule everything. Where alpha is 1 the foreground is
    the source's pixel. When no piece is found the alpha is empty and a note says so.
    """
    started = time.perf_counter()
    seconds: dict[str, float] = {}
    if source.alpha is not None:
        return _from_transparency(source)
    small = _shrunk(source.rgb, params.label_px)
    evidence = segmenter.find(small)
    seconds["find"] = time.perf_counter() - started
    notes: list[Finding] = []
    mark = time.perf_counter()
    backdrop = _model(small, evidence)
    if backdrop.spread > params.busy:
        notes.append(_busy(backdrop.spread, params.busy))
        piece = evidence > 0.5
    else:
        piece = _label(small, evidence, backdrop, params)
    scale = source.size.width / small.shape[1]
    if keep is not None:
        piece = piece | (_resized(keep.astype(np.float32), piece.shape) > 0.3)
    if drop is not None:
        piece = piece & ~(_resized(drop.astype(np.float32), piece.shape) > 0.3)
    seconds["label"] = time.perf_counter() - mark
    if piece.sum() < max(30, 2e-5 * piece.size):
        notes.append(_no_piece(float(evidence.max())))
        empty = np.zeros(source.rgb.shape[:2], np.float32)
        return Cutout(source.rgb, empty, (), _typical(backdrop), "none", tuple(notes), seconds)
    mark = time.perf_counter()
    alpha = _matte(source.rgb, piece, backdrop.colour, scale, params)
    if keep is not None:
        alpha = np.where(keep, np.float32(1), alpha)
    if drop is not None:
        alpha = np.where(drop, np.float32(0), alpha)
    seconds["matte"] = time.perf_counter() - mark
    mark = time.perf_counter()
    foreground = _foreground(source.rgb, alpha, backdrop.colour, scale)
    seconds["foreground"] = time.perf_counter() - mark
    seconds["total"] = time.perf_counter() - started
    method = f"{segmenter.name} + backdrop model + band matting"
    return Cutout(foreground, alpha, parts_of(alpha), _typical(backdrop), method, tuple(notes), seconds)


def parts_of(alpha: Alpha) -> tuple[Part, ...]:
    """The separate objects of a matte, largest first, each with its box and its number of daylight holes."""
    solid = (alpha > 0.5).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    least = max(24.0, 0.004 * float(solid.sum()))
    boxes = []
    for index in range(1, count):
        x, y, width, height, area = (int(v) for v in stats[index])
        if area < least:
            continue
        own = (labels[y : y + height, x : x + width] == index).astype(np.uint8)
        framed = cv2.copyMakeBorder(own, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        holes, _, hole_stats, _ = cv2.connectedComponentsWithStats(1 - framed, connectivity=4)
        daylight = sum(1 for hole in range(2, holes) if hole_stats[hole, cv2.CC_STAT_AREA] >= 6)
        boxes.append(Part(Region(x, y, width, height), area, daylight))
    return tuple(sorted(boxes, key=lambda part: -part.area_px))


def _from_transparency(source: Source) -> Cutout:
    """A photo that comes with its own transparency is cut out already; that is said."""
    alpha = source.alpha
    assert alpha is not None
    note = Finding(
        "edges", "own-transparency", Severity.NOTE, None, None, "",
        "The file brought its own transparency; it was used as the matte instead of our own.",
    )  # fmt: skip
    a = alpha[..., None]
    colour = np.where(a > 0.01, (source.rgb - (1 - a)) / np.maximum(a, 0.01), source.rgb)
    foreground = np.asarray(np.clip(colour, 0, 1), np.float32)
    return Cutout(foreground, alpha, parts_of(alpha), (1.0, 1.0, 1.0), "the file's own transparency", (note,))


def _model(small: Rgb, evidence: Alpha) -> Backdrop:
    far = cv2.dilate(evidence, np.ones((9, 9), np.uint8)) < 0.2
    if far.mean() < 0.15:
        far = evidence <= np.percentile(evidence, 25)
    return fit_backdrop(small, far)


def _label(small: Rgb, evidence: Alpha, backdrop: Backdrop, params: CutoutParams) -> Mask:
    """Which pixels are the piece: what the backdrop, plain or in shadow, does not explain, near what the network found.

    Sure ground are the connected areas that the backdrop explains and that somewhere show it plainly (a shadow fades
    out into it; grey metal is fenced in by edges). Sure piece is what no darkening of the backdrop explains. The strip
    between the two is divided along its strongest edge (Meyer's watershed, 1991).
    """
    plain = (backdrop.distance < params.key * 0.6) & (backdrop.brighter < 5)
    shadow = (backdrop.shaded_distance < params.shade * 0.6) & (backdrop.slope < params.smooth) & (backdrop.shading > 0.45)
    ground = _open_ground(plain | shadow, plain, evidence)
    alien = backdrop.shaded_distance > params.key
    dark = (backdrop.distance > 2 * params.key) & (backdrop.slope > params.smooth) & (evidence > 0.5)
    piece = (alien | dark | (backdrop.brighter > 8)) & ~ground & (evidence > 0.1)
    piece |= (evidence > 0.9) & (backdrop.distance > params.key) & ~ground
    markers = np.zeros(evidence.shape, np.int32)
    markers[ground | (cv2.dilate(evidence, np.ones((25, 25), np.uint8)) < 0.2)] = 1
    markers[piece] = 2
    if not piece.any():
        return piece
    cv2.watershed(encode_srgb8(small), markers)
    labelled = markers == 2
    # The watershed leaves a one-pixel line of its own (−1): give it to the side whose marker colour it is nearer to.
    line = markers == -1
    labelled |= line & (backdrop.distance > params.key)
    return _believed(labelled, evidence, backdrop, params)


def _open_ground(explained: Mask, plain: Mask, evidence: Alpha) -> Mask:
    """The areas of `explained` that are truly open to the backdrop."""
    count, labels = cv2.connectedComponents(explained.astype(np.uint8), connectivity=4)
    flat = labels.ravel()
    area = np.maximum(np.bincount(flat, minlength=count), 1).astype(np.float64)
    share = np.bincount(flat, weights=plain.ravel(), minlength=count) / area
    belief = np.bincount(flat, weights=evidence.ravel(), minlength=count) / area
    large = area > 0.002 * explained.size
    open_ = np.where(large, share > 0.12, (share > 0.4) & (area >= 5))
    # A reflection of the backdrop in metal is small, and the network is sure of metal there.
    open_ &= ~((belief > 0.97) & (share < 0.6) & ~large)
    open_[0] = False
    return np.asarray(open_[labels], bool)


def _believed(piece: Mask, evidence: Alpha, backdrop: Backdrop, params: CutoutParams) -> Mask:
    """Keep the regions that the network believes in and that stand out clearly somewhere; fill pinholes in them."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(piece.astype(np.uint8), connectivity=8)
    area = stats[:, cv2.CC_STAT_AREA].astype(np.float64)
    belief = np.bincount(labels.ravel(), weights=evidence.ravel(), minlength=count) / np.maximum(area, 1)
    clear = np.bincount(labels.ravel(), weights=(backdrop.distance > 2 * params.key).ravel(), minlength=count)
    keep = (belief > params.found) & (area > 0.0008 * area[1:].max(initial=1.0)) & (clear > 0.1 * area)
    if count > 1:
        # Something much larger than the rest carries the piece; crumbs far below it are dust.
        keep &= area > 12
    keep[0] = False
    kept = keep[labels]
    holes, hole_labels, hole_stats, _ = cv2.connectedComponentsWithStats((~kept).astype(np.uint8), connectivity=4)
    pinhole = hole_stats[:, cv2.CC_STAT_AREA] < 6
    pinhole[0] = False
    return np.asarray(kept | pinhole[hole_labels], bool)


def _matte(rgb: Rgb, piece: Mask, backdrop: Rgb, scale: float, params: CutoutParams) -> Alpha:
    """Alpha at the photo's own size, solved in the box around the piece."""
    height, width = rgb.shape[:2]
    box = Region.around(piece)
    assert box is not None
    alpha = np.zeros((height, width), np.float32)
    margin = 12
    grown = Region(
        max(0, box.x - margin), max(0, box.y - margin),
        min(piece.shape[1], box.x + box.width + margin) - max(0, box.x - margin),
        min(piece.shape[0], box.y + box.height + margin) - max(0, box.y - margin),
    )  # fmt: skip
    full = Region(
        round(grown.x * width / piece.shape[1]), round(grown.y * height / piece.shape[0]),
        round(grown.width * width / piece.shape[1]), round(grown.height * height / piece.shape[0]),
    )  # fmt: skip
    size = (full.width, full.height)
    soft = cv2.resize(piece[grown.slices].astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    inside = soft > 0.5
    behind = cv2.resize(backdrop[grown.slices], size, interpolation=cv2.INTER_LINEAR)
    radius = max(1.0, params.band * scale)
    trimap = _trimap(inside, radius)
    alpha[full.slices] = solve_band(rgb[full.slices], trimap, behind, radius_px=max(1.5, 1.5 * scale))
    return alpha


def _trimap(inside: Mask, radius_px: float) -> Plane:
    """0, ½, 1 with an unknown band about `radius_px` to each side of the edge; thin parts keep a sure core."""
    solid = inside.astype(np.uint8)
    depth = cv2.distanceTransform(solid, cv2.DIST_L2, 5)
    beyond = cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)
    size = 2 * int(np.ceil(2 * radius_px)) + 1
    local = cv2.dilate(depth, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    # A wire thinner than the band still has its ridge: the sure core begins at 70 % of the local half width.
    core = inside & (depth > np.minimum(radius_px, 0.7 * local))
    trimap = np.full(inside.shape, 0.5, np.float32)
    trimap[core] = 1
    trimap[beyond > radius_px] = 0
    return trimap


def _foreground(rgb: Rgb, alpha: Alpha, backdrop: Rgb, scale: float) -> Rgb:
    box = Region.around(alpha > 0, margin_px=round(16 * scale))
    if box is None:
        return rgb
    small = backdrop.shape[:2]
    rows = slice(int(box.y / scale), min(small[0], int((box.y + box.height) / scale) + 2))
    columns = slice(int(box.x / scale), min(small[1], int((box.x + box.width) / scale) + 2))
    behind = cv2.resize(backdrop[rows, columns], (box.width, box.height), interpolation=cv2.INTER_LINEAR)
    out = rgb.copy()
    out[box.slices] = estimate_foreground(rgb[box.slices], alpha[box.slices], behind, radius_px=max(2.0, 2 * scale))
    return out


def _shrunk(rgb: Rgb, long_side_px: int) -> Rgb:
    scale = min(1.0, long_side_px / max(rgb.shape[:2]))
    if scale == 1:
        return rgb
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.float32)


def _resized(plane: NDArray[np.float32], shape: tuple[int, ...]) -> Plane:
    return np.asarray(cv2.resize(plane, (shape[1], shape[0]), interpolation=cv2.INTER_AREA), np.float32)


def _typical(backdrop: Backdrop) -> tuple[float, float, float]:
    red, green, blue = (float(v) for v in np.median(backdrop.colour[::8, ::8].reshape(-1, 3), axis=0))
    return red, green, blue


def _busy(spread: float, limit: float) -> Finding:
    return Finding(
        "background", "backdrop-busy", Severity.WARN, spread, limit, "Lab",
        f"The backdrop varies by {spread:.0f} Lab units, {limit:.0f} can be modelled: the cutout rests on the network alone. "
        "Photograph the piece on plain paper or cloth.",
    )  # fmt: skip


def _no_piece(evidence: float) -> Finding:
    return Finding(
        "pieces", "no-piece", Severity.BLOCK, evidence, 0.5, "evidence",
        "No piece of jewelry was found. Lay it on plain paper and fill half of the frame with it.",
    )  # fmt: skip
