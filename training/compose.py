"""Training photos: a rendered or drawn piece on a backdrop, with its shadows and mirror image, as a phone takes it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from backdrops import backdrop, colour, noise, skin
from draw import Layer, draw

_HELD_OUT = 10
"""Every tenth render is for validation only."""
_LATER = 0.35
"""Below 1, the renders of later seeds come more often: what they show was found missing."""


@dataclass(frozen=True)
class Example:
    """An encoded photo (side, side, 3) uint8 RGB and its exact coverage (side, side) float32."""

    photo: np.ndarray
    alpha: np.ndarray


def renders(folder: Path, *, held_out: bool) -> list[Path]:
    """Mattes of the rendered pieces, of the training or of the held-out share; photos lie beside them."""
    return [
        p
        for p in sorted(folder.glob("*.png"))
        if (int(p.stem[-5:]) % _HELD_OUT == 5) == held_out and p.with_suffix(".jpg").exists()
    ]


def example(rng: np.random.Generator, side: int, mattes: list[Path], *, near: bool) -> Example:
    """One example: a render as it is, renders and drawings laid on another backdrop, or (rarely) an empty frame.

    From near by, for the refiner, renders rather stay as they are, pixel for pixel: their rims mirror their ground.
    """
    plan = rng.random()
    if near:
        plan = plan * 0.56 / 0.72 if plan < 0.72 else 0.56 + (plan - 0.72) * 0.44 / 0.28
    if plan < 0.56:
        photo, alpha = _placed(rng, *_load(rng, mattes), side, near=near)
        return Example(phone(rng, photo), alpha)
    ground = scenery(rng, side)
    if plan > 0.985:
        return Example(phone(rng, ground), np.zeros((side, side), np.float32))
    if plan < 0.74:
        picture, alpha = _load(rng, mattes)
        layer = _cut(picture, alpha, rng, side)
        if rng.random() < 0.25:
            layer = _stack(layer, draw(rng, side))
    else:
        layer = draw(rng, side)
    ground = shaded(rng, ground, layer[1])
    if rng.random() < 0.08:
        ground = mirrored(rng, ground, layer)
    return Example(phone(rng, _over(layer, ground)), layer[1])


def scenery(rng: np.random.Generator, side: int) -> np.ndarray:
    """A backdrop under uneven light; at times skin, a gradient, or blurred clutter. Float32 sRGB 0…255."""
    plan = rng.random()
    if plan < 0.1:
        ground = skin(rng, side)
    elif plan < 0.25:
        ends = np.stack([colour(rng, 0.0, 0.7) for _ in range(4)]).reshape(2, 2, 3).astype(np.float32)
        ground = cv2.resize(ends, (side, side), interpolation=cv2.INTER_LINEAR)
    else:
        ground = backdrop(rng, side)[0].astype(np.float32)
        if rng.random() < 0.4:
            zoom = rng.uniform(1.0, 2.0)
            matrix = cv2.getRotationMatrix2D((side / 2, side / 2), float(rng.uniform(0, 360)), float(1.42 * zoom))
            ground = cv2.warpAffine(ground, matrix, (side, side), borderMode=cv2.BORDER_REFLECT)
    if rng.random() < 0.45:
        ground = stand(rng, ground)
    if rng.random() < 0.05:
        ground = fingers(rng, ground)
    if rng.random() < 0.08:
        ground = strands(rng, ground)
    if rng.random() < 0.2:
        ground = clutter(rng, ground)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    light = 1 + rng.normal(0, 0.12) * x + rng.normal(0, 0.12) * y - rng.uniform(0, 0.2) * (x * x + y * y)
    if rng.random() < 0.15:  # a hard edge of light: window bars, leaves
        edge = noise(rng, side, side / 4)[..., 0] > rng.uniform(-0.5, 1)
        light = light * (
            1 - rng.uniform(0.15, 0.5) * cv2.GaussianBlur(edge.astype(np.float32), (0, 0), rng.uniform(1, 10))
        )
    return np.clip(ground * light[..., None], 0, 255)


def clutter(rng: np.random.Generator, ground: np.ndarray) -> np.ndarray:
    """Things that are not for sale, mostly out of focus: leaves, petals, boxes, lamps."""
    side = len(ground)
    sheet, cover = ground.copy(), np.zeros((side, side), np.float32)
    for _ in range(int(rng.integers(1, 7))):
        at, size = rng.uniform(0, side, 2), side * rng.uniform(0.04, 0.35)
        angle = np.linspace(0, 2 * np.pi, 30)
        reach = 1 + 0.3 * np.sin(angle * int(rng.integers(1, 5)) + rng.uniform(0, 6))
        shape = np.rint(
            at + size * reach[:, None] * np.stack([np.cos(angle), rng.uniform(0.3, 1) * np.sin(angle)], -1)
        ).astype(np.int32)
        cv2.fillPoly(sheet, [shape], tuple(float(v) for v in colour(rng, 0.0, 0.9) * rng.uniform(0.3, 1.05)))
        cv2.fillPoly(cover, [shape], 1.0)
    blur = side * rng.choice([rng.uniform(0.0008, 0.003), rng.uniform(0.004, 0.03)])
    soft = cv2.GaussianBlur(cover, (0, 0), blur)[..., None]
    return ground * (1 - soft) + cv2.GaussianBlur(sheet, (0, 0), blur) * soft


def stand(rng: np.random.Generator, ground: np.ndarray) -> np.ndarray:
    """A bust, a box, an arch or a dish of another stuff, lit, with its shadow on the ground; not for sale either."""
    side = len(ground)
    for _ in range(int(rng.choice([1, 2], p=[0.65, 0.35]))):
        cover = np.zeros((side, side), np.float32)
        centre, size = rng.uniform(0.25, 0.75, 2) * side, side * rng.uniform(0.25, 0.75)
        angle = np.linspace(0, 2 * np.pi, 80)
        power = rng.choice([1.0, rng.uniform(0.15, 0.6)])
        shape = np.stack([np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** power * rng.uniform(0.5, 1.1),
                          np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** power], -1)  # fmt: skip
        if rng.random() < 0.3:  # shoulders under a neck
            shape[:, 0] *= np.where(shape[:, 1] < 0, rng.uniform(0.4, 0.8), 1)
        turn = rng.normal(0, 0.3)
        matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        cv2.fillPoly(cover, [np.rint(16 * (centre + size * shape @ matrix)).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
        cover = cv2.GaussianBlur(cover, (0, 0), rng.uniform(0.5, 3))[..., None]
        plain = np.float32(colour(rng, 0, 0.6) * rng.choice([rng.uniform(0.03, 0.2), 1.0])) + noise(
            rng, side, 2
        ) * rng.uniform(0, 3)
        stuff = backdrop(rng, side)[0].astype(np.float32) if rng.random() < 0.35 else np.float32(plain)
        body = cv2.GaussianBlur(cover, (0, 0), side * rng.uniform(0.02, 0.1))[..., None]
        shadow = np.roll(body, rng.integers(-30, 31, 2).tolist(), (0, 1)) * rng.uniform(0, 0.5)
        ground = ground * (1 - shadow) * (1 - cover) + stuff * (0.5 + 0.5 * body) * cover
    return np.asarray(ground, np.float32)


def fingers(rng: np.random.Generator, ground: np.ndarray) -> np.ndarray:
    """One to four fingers reaching in."""
    side = len(ground)
    tone, width = skin(rng, side), side * rng.uniform(0.08, 0.2)
    at, way = rng.uniform(0.1, 0.9, 2) * side, rng.uniform(0, 2 * np.pi)
    for index in range(int(rng.integers(1, 5))):
        tip = at + index * width * 1.05 * np.array([-np.sin(way), np.cos(way)]) + rng.normal(0, 0.1, 2) * width
        back = tip - side * 1.2 * np.array([np.cos(way), np.sin(way)])
        cover = np.zeros((side, side), np.float32)
        cv2.line(cover, *(tuple(int(v) for v in p) for p in (tip, back)), 1.0, int(width), cv2.LINE_AA)
        body = np.sqrt(
            np.clip(cv2.distanceTransform((cover > 0.5).astype(np.uint8), cv2.DIST_L2, 5) / (width / 2), 0, 1)
        )
        cover = cv2.GaussianBlur(cover, (0, 0), rng.uniform(0.6, 2))[..., None]
        ground = ground * (1 - cover) + tone * (0.55 + 0.45 * body[..., None]) * cover
    return ground


def strands(rng: np.random.Generator, ground: np.ndarray) -> np.ndarray:
    """Hair, threads, twigs: thin curves side by side, which are no chains."""
    side = len(ground)
    sheet, cover = ground.copy(), np.zeros((side, side), np.float32)
    t = np.linspace(-0.3, 1.3, 40)
    start, way, bend = rng.uniform(0, side, 2), rng.uniform(0, 2 * np.pi), rng.normal(0, 0.4)
    ahead, across = np.array([np.cos(way), np.sin(way)]), np.array([-np.sin(way), np.cos(way)])
    tone = np.array([rng.uniform(20, 220), 0, 0])
    tone[1], tone[2] = tone[0] * rng.uniform(0.65, 0.95), tone[0] * rng.uniform(0.4, 0.9)
    for _ in range(int(rng.integers(3, 90))):
        curve = (bend + rng.normal(0, 0.04)) * side * (t * t)[:, None] * across
        points = (
            start + side * (t - 0.5)[:, None] * ahead + curve + rng.normal(0, side * rng.uniform(0.01, 0.12)) * across
        )
        fixed, thick = [np.rint(points * 16).astype(np.int32)], int(rng.integers(1, 3))
        cv2.polylines(sheet, fixed, False, tuple(float(v) for v in tone * rng.uniform(0.5, 1.3)), thick, cv2.LINE_AA, 4)
        cv2.polylines(cover, fixed, False, 1.0, thick, cv2.LINE_AA, 4)
    blur = rng.uniform(0.4, 2)
    soft = cv2.GaussianBlur(cover, (0, 0), blur)[..., None]
    return ground * (1 - soft) + cv2.GaussianBlur(sheet, (0, 0), blur) * soft


def shaded(rng: np.random.Generator, ground: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The piece's own shadows on the ground, hard or soft, near or far, and a little coloured bounce."""
    if rng.random() < 0.15:
        return ground
    side = len(ground)
    for _ in range(int(rng.choice([1, 2], p=[0.7, 0.3]))):
        far = side * rng.choice([rng.uniform(0, 0.015), rng.uniform(0.015, 0.08)], p=[0.65, 0.35])
        angle = rng.uniform(0, 2 * np.pi)
        shift = np.array([[1, 0, far * np.cos(angle)], [0, 1, far * np.sin(angle)]], np.float32)
        shadow = cv2.GaussianBlur(cv2.warpAffine(alpha, shift, (side, side)), (0, 0), rng.uniform(0.6, 2 + far * 0.6))
        tint = 1 - rng.uniform(0.15, 0.75) * (1 - rng.uniform(0, 0.15, 3) * (rng.random() < 0.3))
        ground = ground * (1 - shadow[..., None] * (1 - tint))
    return ground


def mirrored(rng: np.random.Generator, ground: np.ndarray, layer: Layer) -> np.ndarray:
    """The piece's faded mirror image in a shiny ground: not the product."""
    picture, alpha = layer
    rows = np.flatnonzero(alpha.max(axis=1) > 0.5)
    if not len(rows):
        return ground
    shift = np.array([[1, 0, 0], [0, -1, 2 * rows[-1] + rng.uniform(0, 0.03) * len(alpha)]], np.float32)
    size = alpha.shape[::-1]
    image, cover = cv2.warpAffine(picture, shift, size), cv2.warpAffine(alpha, shift, size)
    cover = cv2.GaussianBlur(cover, (0, 0), rng.uniform(0.5, 3)) * rng.uniform(0.1, 0.5)
    return ground * (1 - cover[..., None]) + image * cover[..., None]


def phone(rng: np.random.Generator, photo: np.ndarray) -> np.ndarray:
    """Cast, exposure, defocus, sharpening, noise, JPEG."""
    x = photo.astype(np.float32) / 255
    gain = np.exp(rng.normal(0, 0.06, 3) + rng.normal(0, 0.15)).astype(np.float32)
    x = np.clip(x, 0, 1) ** np.float32(np.exp(rng.normal(0, 0.12))) * gain
    if rng.random() < 0.1:
        grey = x.mean(-1, keepdims=True)
        x = grey + (x - grey) * np.float32(rng.uniform(0, 1.6))
    if rng.random() < 0.35:
        x = cv2.GaussianBlur(x, (0, 0), float(rng.uniform(0.4, 1.3)))
    if rng.random() < 0.5:
        x = x + np.float32(rng.uniform(0.2, 1.3)) * (x - cv2.GaussianBlur(x, (0, 0), float(rng.uniform(0.7, 2))))
    if rng.random() < 0.7:
        grain = rng.standard_normal(x.shape, np.float32) * np.float32(rng.uniform(0.002, 0.03))
        x = x + (cv2.GaussianBlur(grain, (0, 0), 0.7) * 1.8 if rng.random() < 0.5 else grain)
    encoded = np.rint(np.clip(x, 0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.75:
        data = cv2.imencode(".jpg", encoded[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(55, 97))])[1]
        encoded = np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])
    return encoded


def _load(rng: np.random.Generator, mattes: list[Path]) -> Layer:
    photo = alpha = None
    while photo is None or alpha is None:  # a render may be half written, or gone again
        path = mattes[int(len(mattes) * rng.random() ** _LATER)]
        photo, alpha = cv2.imread(str(path.with_suffix(".jpg"))), cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    photo, alpha = photo[..., ::-1].astype(np.float32), alpha.astype(np.float32) / 255
    quarter = int(rng.integers(4))
    photo, alpha = np.rot90(photo, quarter), np.rot90(alpha, quarter)
    if rng.random() < 0.5:
        photo, alpha = photo[:, ::-1], alpha[:, ::-1]
    return np.ascontiguousarray(photo), np.ascontiguousarray(alpha)


def _placed(rng: np.random.Generator, photo: np.ndarray, alpha: np.ndarray, side: int, *, near: bool) -> Layer:
    """A render filling the frame, whole or cropped to a part of it."""
    whole = len(alpha)
    if near and whole > 1.5 * side:
        part = int(rng.uniform(side, min(whole, 1.6 * side)))
    else:
        part = whole if rng.random() < 0.55 else int(whole * rng.uniform(0.55, 1))
    y, x = (int(v) for v in rng.integers(0, whole - part + 1, 2))
    box = np.s_[y : y + part, x : x + part]
    return _scaled(np.ascontiguousarray(photo[box]), side), np.clip(
        _scaled(np.ascontiguousarray(alpha[box]), side), 0, 1
    )


def _scaled(image: np.ndarray, side: int) -> np.ndarray:
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA if len(image) > side else cv2.INTER_CUBIC)


def _cut(photo: np.ndarray, alpha: np.ndarray, rng: np.random.Generator, side: int) -> Layer:
    """A rendered piece freed from its ground, turned, scaled and moved."""
    sure = (alpha > 0.97).astype(np.float32)
    spread = (
        cv2.GaussianBlur(photo * sure[..., None], (0, 0), 1.2)
        / np.maximum(cv2.GaussianBlur(sure, (0, 0), 1.2), 1e-3)[..., None]
    )
    picture = np.where(sure[..., None] > 0, photo, spread)
    centre = len(alpha) / 2
    matrix = cv2.getRotationMatrix2D(
        (centre, centre),
        float(rng.uniform(0, 360)),
        float(side / len(alpha) * rng.choice([rng.uniform(0.12, 0.5), rng.uniform(0.5, 1.5)], p=[0.25, 0.75])),
    )
    matrix[:, 2] += side / 2 - centre + rng.normal(0, 0.08, 2) * side
    scale = float(np.hypot(*matrix[0, :2]))
    if scale < 0.7:  # as a lens would: no aliasing
        picture, alpha = (cv2.GaussianBlur(x, (0, 0), 0.4 / scale) for x in (picture, alpha))
    moved = cv2.warpAffine(picture, matrix, (side, side), flags=cv2.INTER_LINEAR)
    return moved, np.clip(cv2.warpAffine(alpha, matrix, (side, side), flags=cv2.INTER_LINEAR), 0, 1)


def _stack(low: Layer, high: Layer) -> Layer:
    a, b = low[1][..., None], high[1][..., None]
    total = b + a * (1 - b)
    return (high[0] * b + low[0] * a * (1 - b)) / np.maximum(total, 1e-3), total[..., 0]


def _over(layer: Layer, ground: np.ndarray) -> np.ndarray:
    """Composite in linear light (gamma 2.2 is close enough for training)."""
    a = layer[1][..., None]
    light = a * (np.clip(layer[0], 0, 255) / 255) ** 2.2 + (1 - a) * (np.clip(ground, 0, 255) / 255) ** 2.2
    return 255 * light ** (1 / 2.2)
