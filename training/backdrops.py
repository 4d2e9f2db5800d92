"""What jewelry is photographed on, drawn: paper, card, velvet, cloth, wood, marble, printed pages."""

from __future__ import annotations

import cv2
import numpy as np

WORDS = [
    "ring", "studio", "gold", "craft", "paper", "925", "silver", "magazine", "summer", "collection", "number",
    "atelier", "price", "love", "letters", "news", "page", "story", "garden", "market", "music",
]  # fmt: skip


KINDS = {"paper": 0.22, "card": 0.14, "velvet": 0.07, "cloth": 0.14, "wood": 0.13, "marble": 0.07, "page": 0.12,
         "mirror": 0.07, "skin": 0.04}  # fmt: skip
"""What there is, and how often."""


def backdrop(rng: np.random.Generator, side: int, among: tuple[str, ...] = tuple(KINDS)) -> tuple[np.ndarray, str]:
    """An sRGB picture (side, side, 3) uint8 and its kind, one of those `among`."""
    share = np.array([KINDS[kind] for kind in among])
    kind = str(rng.choice(among, p=share / share.sum()))
    if kind in ("paper", "mirror"):
        grey = rng.choice([rng.uniform(200, 250), rng.uniform(60, 200)], p=[0.7, 0.3])
        picture = np.full((side, side, 3), grey) + rng.normal(0, 4, 3)
        if kind == "paper":
            picture = picture + noise(rng, side, 2) * rng.uniform(0, 2)
    elif kind == "card":
        picture = colour(rng, 0.15, 0.7) + noise(rng, side, 2) * rng.uniform(0, 5)
        picture = picture + noise(rng, side, 60) * rng.uniform(0, 6)
    elif kind == "velvet":
        picture = np.full((side, side, 3), rng.uniform(5, 30)) + noise(rng, side, 1.2) * rng.uniform(1, 6)
    elif kind == "cloth":
        picture = cloth(rng, side)
    elif kind == "wood":
        picture = wood(rng, side)
    elif kind == "marble":
        vein = np.abs(noise(rng, side, rng.uniform(25, 60))[..., 0])
        dark = np.exp(-((vein / rng.uniform(0.02, 0.08)) ** 2)) * rng.uniform(10, 70)
        picture = (rng.uniform(200, 240) - dark[..., None] + noise(rng, side, 40) * 5) * rng.uniform(0.95, 1.0, 3)
    elif kind == "skin":
        picture = skin(rng, side)
    else:
        picture = page(rng, side)
    return np.clip(picture, 2, 252).astype(np.uint8), kind


def colour(rng: np.random.Generator, low: float, high: float) -> np.ndarray:
    """A card colour."""
    hsv = np.uint8([[[rng.integers(0, 180), int(255 * rng.uniform(low, high)), rng.integers(90, 240)]]])
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0].astype(float)


def noise(rng: np.random.Generator, side: int, grain: float) -> np.ndarray:
    """Zero-mean, unit-deviation smooth noise (side, side, 1)."""
    small = rng.normal(0, 1, (max(4, int(side / grain)) + 3,) * 2).astype(np.float32)
    field = cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC)
    return (field / (field.std() + 1e-6))[..., None]


def cloth(rng: np.random.Generator, side: int) -> np.ndarray:
    """A plain weave: warp and weft threads of uneven width."""
    period = rng.uniform(4, 14)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    y, x = y + 2 * noise(rng, side, 30)[..., 0], x + 2 * noise(rng, side, 30)[..., 0]
    over = np.sin(np.pi * x / period) * np.sin(np.pi * y / period) > 0
    thread = np.where(over, np.abs(np.sin(np.pi * x / period)), np.abs(np.sin(np.pi * y / period)))
    base = colour(rng, 0.02, 0.5)
    lines = noise(rng, side, 8)[..., 0] * 0.3
    return base * (0.75 + rng.uniform(0.1, 0.3) * thread + 0.06 * lines)[..., None]


def wood(rng: np.random.Generator, side: int) -> np.ndarray:
    """Planks with stretched grain."""
    grain = cv2.resize(
        rng.normal(0, 1, (side, max(4, side // 80))).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC
    )
    broad = cv2.resize(
        rng.normal(0, 1, (side // 12, 4)).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC
    )
    base = np.array([rng.uniform(120, 225), 0, 0])
    base[1], base[2] = base[0] * rng.uniform(0.68, 0.85), base[0] * rng.uniform(0.42, 0.68)
    picture = base * (1 + 0.06 * rng.uniform(0.5, 2) * grain + 0.07 * broad)[..., None]
    for _ in range(int(rng.integers(0, 5))):
        row = int(rng.integers(0, side))
        picture[row : row + int(rng.integers(1, 5))] *= 0.45
    return picture


def page(rng: np.random.Generator, side: int) -> np.ndarray:
    """A printed page: lines of words, blocks and circles of colour."""
    picture = (np.full((side, side, 3), rng.uniform(215, 250)) * np.array([1, 0.98, 0.95])).astype(np.uint8)
    for _ in range(int(rng.integers(0, 9))):
        a = tuple(int(v) for v in rng.integers(0, side, 2))
        tone = tuple(float(v) for v in colour(rng, 0.3, 1.0) * rng.uniform(0.2, 1))
        size, thick = int(rng.integers(20, 240)), int(rng.choice([-1, 2, 6, 18]))
        if rng.random() < 0.5:
            cv2.circle(picture, a, size, tone, thick, cv2.LINE_AA)
        else:
            cv2.rectangle(picture, a, (a[0] + size, a[1] + int(size * rng.uniform(0.3, 2))), tone, thick)
    y = 10
    while y < side:
        scale = rng.uniform(0.3, 1.1)
        text = " ".join(rng.choice(WORDS, 14))
        shade = float(rng.uniform(0, 90))
        cv2.putText(picture, text, (int(rng.integers(-60, 10)), y), int(rng.integers(0, 8)), scale, (shade,) * 3,
                    int(1 + (scale > 0.8)), cv2.LINE_AA)  # fmt: skip
        y += int(22 * scale + rng.uniform(6, 26))
    return picture


def skin(rng: np.random.Generator, side: int) -> np.ndarray:
    """Skin-like ground: warm, soft folds, pores."""
    base = np.array([rng.uniform(90, 235), 0, 0])
    base[1], base[2] = base[0] * rng.uniform(0.66, 0.8), base[0] * rng.uniform(0.5, 0.7)
    folds = noise(rng, side, side / rng.uniform(2, 6)) * 0.1 + noise(rng, side, 3) * 0.012
    for _ in range(int(rng.integers(0, 4))):
        crease = np.abs(noise(rng, side, side / 3))
        folds = folds - 0.25 * np.exp(-((crease / 0.05) ** 2))
    return (base * (1 + folds)).astype(np.float32)
