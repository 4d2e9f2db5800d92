"""Things beside the jewelry that are not for sale: pedestals, boxes, pebbles, petals, ribbons, twigs, dishes."""

from __future__ import annotations

import cv2
import numpy as np
from pieces import Mesh, sphere, tube, turn, unit


def prop_scene(rng: np.random.Generator, extent: float, ground: float) -> tuple[list[tuple[Mesh, dict]], float]:
    """Meshes with their Mitsuba materials around a piece of half size `extent` standing at z = `ground`, and the height
    of the floor under them."""
    placed, floor = [], ground
    if rng.random() < 0.45:
        floor = ground - extent * rng.uniform(0.15, 1.2)
        placed.append((_block(rng, extent * rng.uniform(0.5, 1.5), ground, floor), _stuff(rng)))
    kinds = rng.choice(
        ["pebbles", "petals", "ribbon", "twigs", "boxes", "dish"], int(rng.integers(0, 3)), replace=False
    )
    for kind in kinds:
        stuff = _stuff(rng)
        for _ in range(int(rng.integers(1, 2 if kind in ("ribbon", "dish") else 6))):
            away, angle = extent * rng.uniform(0.55, 1.7), rng.uniform(0, 2 * np.pi)
            place = np.array([away * np.cos(angle), away * np.sin(angle), floor])
            placed.append((_thing(rng, str(kind), extent, place), stuff))
    return placed, floor


def _thing(rng: np.random.Generator, kind: str, extent: float, place: np.ndarray) -> Mesh:
    size = extent * rng.uniform(0.12, 0.45)
    if kind == "boxes":
        block = _block(rng, size, 0.0, -size * rng.uniform(0.3, 2))
        return block[0] @ turn("z", rng.uniform(0, 6.3)).T + place - [0, 0, block[0][:, 2].min()], block[1]
    if kind == "pebbles":
        v, f = sphere(size, 24)
        bumps = 1 + 0.15 * np.sin(v @ rng.normal(0, 2 / size, 3) + rng.uniform(0, 6))[:, None]
        v = v * bumps * [1, rng.uniform(0.5, 1), rng.uniform(0.4, 1)]
        return v @ turn("z", rng.uniform(0, 6.3)).T + place - [0, 0, v[:, 2].min()], f
    if kind == "petals":
        v, f = sphere(size, 24)
        v = v * [1, rng.uniform(0.4, 0.9), 0.03]
        v[:, 2] += (v[:, 0] ** 2 * rng.uniform(0.2, 0.9) + v[:, 1] ** 2 * rng.uniform(0, 0.8)) / size
        v = v @ (turn("z", rng.uniform(0, 6.3)) @ turn("x", rng.normal(0, 0.3))).T
        return v + place - [0, 0, v[:, 2].min()], f
    if kind == "dish":
        angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
        rim = np.stack([np.cos(angle), np.sin(angle), 0 * angle + 0.05], -1) * extent * rng.uniform(1.1, 1.8)
        return tube(rim + np.array([0, 0, place[2]]), extent * rng.uniform(0.02, 0.12), closed=True)
    t = np.linspace(-1, 1, 70)
    bend = rng.normal(0, 0.5) * t**2 + (kind == "ribbon") * 0.35 * np.sin(rng.uniform(2, 7) * t)
    path = np.stack([t * 1.4, bend, 0 * t], -1) * extent @ turn("z", rng.uniform(0, 6.3)).T
    thick = extent * (rng.uniform(0.05, 0.2) if kind == "ribbon" else rng.uniform(0.008, 0.03))
    v, f = tube(path, thick, closed=False, flat=0.06 if kind == "ribbon" else 1.0)
    return v + place - [0, 0, v[:, 2].min()], f


def _block(rng: np.random.Generator, size: float, top: float, bottom: float) -> Mesh:
    """A prism over a circle, a rounded box or anything between."""
    angle = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    power = float(rng.choice([1.0, rng.uniform(0.06, 0.5)]))
    outline = np.stack([np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** power * rng.uniform(0.6, 1.4),
                        np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** power], -1)  # fmt: skip
    outline = outline * size + rng.normal(0, 0.25, 2) * size * (top == 0)
    n = len(outline)
    low, high = (np.column_stack([outline, np.full(n, z)]) for z in (bottom, top))
    centre = np.array([*outline.mean(0), top])
    i = np.arange(n)
    j = (i + 1) % n
    sides = np.concatenate([np.stack([i, j, i + n], -1), np.stack([j, j + n, i + n], -1)])
    return np.vstack([low, high, centre]), np.concatenate([sides, np.stack([i + n, j + n, np.full(n, 2 * n)], -1)])


def _stuff(rng: np.random.Generator) -> dict:
    """Paper, cardboard, velvet, plastic, stone; two-sided."""
    hue = np.uint8([[[rng.integers(0, 180), int(255 * rng.uniform(0, 0.8)), rng.integers(60, 250)]]])
    tone = (cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0] / 255.0) ** 2.2
    plan = rng.random()
    if plan < 0.2:
        tone = np.full(3, rng.uniform(0.004, 0.03))
    elif plan < 0.45:
        tone = np.full(3, rng.uniform(0.6, 0.9)) * (1 - unit(rng.uniform(0, 1, 3)) * 0.06)
    colour = {"type": "rgb", "value": [float(v) for v in tone]}
    if rng.random() < 0.35:
        inner = {
            "type": "principled",
            "base_color": colour,
            "roughness": float(rng.uniform(0.15, 0.6)),
            "specular": 0.5,
        }
    else:
        inner = {"type": "diffuse", "reflectance": colour}
    return {"type": "twosided", "bsdf": inner}
