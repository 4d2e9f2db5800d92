"""Procedural jewelry as triangle meshes: rings, chains, strands, pendants, earrings, sets.

Lengths are arbitrary; the piece lies on or stands above z = 0. Roles name materials: metal, gem, gem2, bead, enamel.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

Mesh = tuple[np.ndarray, np.ndarray]


@dataclass
class Piece:
    """Parts as (vertices (n, 3), faces (m, 3), role)."""

    parts: list[tuple[np.ndarray, np.ndarray, str]] = field(default_factory=list)

    def add(self, mesh: Mesh, role: str, matrix: np.ndarray | None = None, shift: np.ndarray | None = None) -> None:
        vertices, faces = mesh
        if matrix is not None:
            vertices = vertices @ matrix.T
        if shift is not None:
            vertices = vertices + shift
        self.parts.append((vertices, faces, role))

    def join(self, other: Piece, matrix: np.ndarray | None = None, shift: np.ndarray | None = None) -> None:
        for vertices, faces, role in other.parts:
            self.add((vertices, faces), role, matrix, shift)


def unit(v: np.ndarray) -> np.ndarray:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)


def turn(axis: str, angle: float) -> np.ndarray:
    """Rotation matrix about x, y or z."""
    c, s = np.cos(angle), np.sin(angle)
    return {"x": np.array([[1, 0, 0], [0, c, -s], [0, s, c]]), "y": np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]),
            "z": np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])}[axis]  # fmt: skip


def tube(path: np.ndarray, radius: float | np.ndarray, *, closed: bool, sides: int = 12, flat: float = 1.0) -> Mesh:
    """A wire along `path` (n, 3); `flat` squeezes its section across the path's plane."""
    n = len(path)
    ahead = np.roll(path, -1, 0) - np.roll(path, 1, 0)
    if not closed:
        ahead[0], ahead[-1] = path[1] - path[0], path[-1] - path[-2]
    along = unit(ahead)
    normal = np.zeros_like(path)
    start = np.cross(along[0], [0.0, 0.0, 1.0])
    if np.linalg.norm(start) < 1e-3:
        start = np.cross(along[0], [0.0, 1.0, 0.0])
    normal[0] = unit(start)
    for i in range(1, n):
        normal[i] = unit(normal[i - 1] - along[i] * (normal[i - 1] @ along[i]))
    other = np.cross(along, normal)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    r = np.broadcast_to(np.asarray(radius, float), (n,))[:, None, None]
    ring = np.cos(angle)[None, :, None] * normal[:, None] + flat * np.sin(angle)[None, :, None] * other[:, None]
    vertices = (path[:, None] + r * ring).reshape(-1, 3)
    i, j = np.meshgrid(np.arange(n if closed else n - 1), np.arange(sides), indexing="ij")
    a, b = i * sides + j, i * sides + (j + 1) % sides
    c, d = ((i + 1) % n) * sides + j, ((i + 1) % n) * sides + (j + 1) % sides
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([b, d, c], -1).reshape(-1, 3)])
    if not closed:
        ends = []
        for k, centre in ((0, path[0]), (n - 1, path[-1])):
            vertices = np.vstack([vertices, centre])
            tip = len(vertices) - 1
            ends.append(
                np.stack(
                    [np.full(sides, tip), k * sides + np.arange(sides), k * sides + (np.arange(sides) + 1) % sides], -1
                )
            )
        faces = np.concatenate([faces, *ends])
    return vertices, faces


def sphere(radius: float, detail: int = 20) -> Mesh:
    t, p = np.linspace(0, np.pi, detail), np.linspace(0, 2 * np.pi, 2 * detail, endpoint=False)
    grid = np.stack(
        [np.outer(np.sin(t), np.cos(p)), np.outer(np.sin(t), np.sin(p)), np.outer(np.cos(t), np.ones_like(p))], -1
    )
    m = len(p)
    i, j = np.meshgrid(np.arange(detail - 1), np.arange(m), indexing="ij")
    a, b = i * m + j, i * m + (j + 1) % m
    faces = np.concatenate([np.stack([a, b, a + m], -1).reshape(-1, 3), np.stack([b, b + m, a + m], -1).reshape(-1, 3)])
    return radius * grid.reshape(-1, 3), faces


def gem(radius: float, kind: str, rng: np.random.Generator) -> Mesh:
    """A faceted stone, table up, girdle at z = 0: round, oval, emerald, princess, pear; or a cabochon."""
    if kind == "cabochon":
        vertices, faces = sphere(1.0, 18)
        return vertices * [radius, radius * rng.uniform(0.7, 1), radius * 0.6], faces
    n = {"round": 16, "oval": 16, "pear": 16, "emerald": 8, "princess": 4}[kind]
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False) + np.pi / n
    outline = np.stack([np.cos(angle), np.sin(angle)], -1)
    if kind == "oval":
        outline *= [1, 0.72]
    if kind == "pear":
        outline = np.stack([np.cos(angle) * (1 - 0.35 * np.sin(angle)), np.sin(angle) * 1.1], -1)
    if kind == "emerald":
        outline = (
            np.sign(outline) * np.array([[1, 0.45], [0.75, 0.7]])[np.arange(n) % 2 if n == 8 else np.zeros(n, int)]
        )
        outline = outline[np.argsort(np.arctan2(outline[:, 1], outline[:, 0]))]
    levels = [(0.55, 0.34), (0.82, 0.22), (1.0, 0.04), (1.0, -0.02), (0.5, -0.5)]
    turnings = [0, 1, 0, 0, 1]
    rings = []
    for (scale, z), shifted in zip(levels, turnings, strict=True):
        o = (outline + np.roll(outline, -1, 0)) / 2 * 1.02 if shifted else outline
        rings.append(np.column_stack([o * scale, np.full(n, z)]))
    vertices = np.vstack([*rings, [[0, 0, 0.34]], [[0, 0, -0.85]]]) * radius
    faces = []
    for k in range(len(levels) - 1):
        for j in range(n):
            a, b, c, d = k * n + j, k * n + (j + 1) % n, (k + 1) * n + j, (k + 1) * n + (j + 1) % n
            faces += [[a, c, b], [b, c, d]]
    top, tip, last = len(vertices) - 2, len(vertices) - 1, (len(levels) - 1) * n
    faces += [[top, j, (j + 1) % n] for j in range(n)] + [[tip, last + (j + 1) % n, last + j] for j in range(n)]
    faces_a = np.array(faces)
    # Own vertices per facet: facets reflect as planes.
    return vertices[faces_a].reshape(-1, 3), np.arange(len(faces_a) * 3).reshape(-1, 3)


def setting(radius: float, rng: np.random.Generator, *, style: str | None = None, role: str = "gem") -> Piece:
    """A stone in prongs or a bezel, table up, its base near z = −radius."""
    piece = Piece()
    kind = str(
        rng.choice(["round", "oval", "emerald", "princess", "pear", "cabochon"], p=[0.42, 0.14, 0.12, 0.1, 0.07, 0.15])
    )
    style = style or str(rng.choice(["prong", "bezel", "halo"], p=[0.5, 0.3, 0.2]))
    if style == "halo":
        kind = "round"
    piece.add(gem(radius, kind, rng), role)
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    squeeze = np.array([1, 0.72, 1]) if kind == "oval" else np.array([1, 0.85, 1]) if kind == "cabochon" else np.ones(3)
    if style == "bezel":
        rim = np.stack([np.cos(angle), np.sin(angle), 0 * angle], -1) * radius * 1.06 * squeeze
        piece.add(tube(rim, radius * 0.12, closed=True, flat=2.5), "metal")
        piece.add(tube(rim * 0.8 - [0, 0, 0.4 * radius], radius * 0.2, closed=True, flat=1.5), "metal")
    else:
        count = int(rng.choice([4, 4, 6])) if kind != "princess" else 4
        for k in range(count):
            t = 2 * np.pi * k / count + np.pi / 4
            foot, top = np.array([0.35 * np.cos(t), 0.35 * np.sin(t), -1.0]), np.array([np.cos(t), np.sin(t), 0.22])
            path = (
                np.array([foot, (foot + top) / 2 + 0.08 * top * [1, 1, 0], top, top * [0.9, 0.9, 1.25]])
                * radius
                * squeeze
            )
            piece.add(tube(path, radius * 0.09, closed=False, sides=8), "metal")
        basket = np.stack([np.cos(angle), np.sin(angle), 0 * angle - 0.85], -1) * radius * [0.6, 0.6, 0.6] * squeeze
        piece.add(tube(basket, radius * 0.07, closed=True, sides=8), "metal")
    if style == "halo":
        small = radius * rng.uniform(0.14, 0.24)
        around = int(2 * np.pi * (radius * 1.05 + small) / (2.05 * small))
        for k in range(around):
            t = 2 * np.pi * k / around
            where = np.array([np.cos(t), np.sin(t), 0]) * (radius * 1.08 + small)
            piece.add(gem(small, "round", rng), "gem2", shift=where)
            piece.add(
                sphere(small * 0.28, 6),
                "metal",
                shift=where * 1.02 + [small * np.cos(t + 1.5), small * np.sin(t + 1.5), 0.05],
            )
        rim = np.stack([np.cos(angle), np.sin(angle), 0 * angle - 0.08], -1) * (radius * 1.08 + small) * [1, 1, 1]
        piece.add(tube(rim, small * 0.9, closed=True, flat=0.7), "metal")
    return piece


def ring(rng: np.random.Generator, *, is_wide: bool = False) -> Piece:
    """A finger ring, standing, leaning or lying."""
    piece = Piece()
    angle = np.linspace(0, 2 * np.pi, 160, endpoint=False)
    wide = (
        rng.uniform(0.25, 0.9)
        if is_wide
        else rng.choice([rng.uniform(0.05, 0.12), rng.uniform(0.15, 0.5), rng.uniform(0.5, 0.95)], p=[0.35, 0.4, 0.25])
    )
    thick = rng.uniform(0.04, 0.14)
    t = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    power = rng.uniform(0.4, 1.0)
    section = np.stack(
        [
            np.sign(np.cos(t)) * np.abs(np.cos(t)) ** power * wide,
            np.sign(np.sin(t)) * np.abs(np.sin(t)) ** power * thick,
        ],
        -1,
    )
    width = 1 + rng.uniform(-0.4, 0.6) * (0.5 + 0.5 * np.sin(angle)) ** 2
    r = 1.0 + section[None, :, 1]
    vertices = np.stack(
        [r * np.cos(angle)[:, None], section[None, :, 0] * width[:, None], r * np.sin(angle)[:, None]], -1
    )
    n, m = len(angle), len(t)
    i, j = np.meshgrid(np.arange(n), np.arange(m), indexing="ij")
    a, b = i * m + j, i * m + (j + 1) % m
    c, d = ((i + 1) % n) * m + j, ((i + 1) % n) * m + (j + 1) % m
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([b, d, c], -1).reshape(-1, 3)])
    piece.add((vertices.reshape(-1, 3), faces), "metal")
    if rng.random() < (0.5 if is_wide else 0.8):
        size = rng.uniform(0.18, 0.5)
        piece.join(setting(size, rng), shift=np.array([0, 0, 1.0 + thick + size * 0.75]))
        if rng.random() < 0.5:  # stones along the shoulders
            small = rng.uniform(0.04, 0.11)
            for side in (-1, 1):
                for k in range(int(rng.integers(1, 8))):
                    t0 = np.pi / 2 + side * (size * 0.9 + small + 2.1 * small * k)
                    turned = turn("y", -(t0 - np.pi / 2))
                    piece.add(
                        gem(small, "round", rng), "gem2", turned, (1.0 + thick) * np.array([np.cos(t0), 0, np.sin(t0)])
                    )
                    for s in (-1, 1):
                        piece.add(
                            sphere(small * 0.3, 6),
                            "metal",
                            shift=(1.02 + thick) * np.array([np.cos(t0), 0, np.sin(t0)]) + [0, s * small, 0],
                        )
    pose = rng.random()
    lean = turn("x", rng.uniform(-0.5, 0.5)) if pose < 0.6 else turn("x", np.pi / 2 + rng.uniform(-0.35, 0.1))
    out = Piece()
    out.join(piece, turn("z", rng.uniform(0, 6.28)) @ lean)
    return out


def link(kind: str, wire: float) -> tuple[Mesh, float]:
    """One link in the xy plane along x, and the pitch at which the next begins."""
    t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    long, wide = {
        "cable": (1.0, 0.72),
        "round": (0.85, 0.85),
        "paperclip": (1.8, 0.55),
        "curb": (1.0, 0.75),
        "figaro": (1.9, 0.8),
    }[kind]
    power = 0.55 if kind == "paperclip" else 1.0
    x, y = (
        np.sign(np.cos(t)) * np.abs(np.cos(t)) ** power * long,
        np.sign(np.sin(t)) * np.abs(np.sin(t)) ** power * wide,
    )
    z = 0.28 * np.sin(2 * t) if kind in ("curb", "figaro") else 0 * t
    path = np.stack([x, y, z], -1)
    return tube(path, wire, closed=True, sides=9), 2 * (long - wire) * (0.62 if kind == "curb" else 0.9)


def course(rng: np.random.Generator) -> tuple[np.ndarray, bool]:
    """Where a chain lies: a loop, a drop, an S, a straight line; dense points (n, 2) and whether it closes."""
    kind = str(rng.choice(["loop", "drop", "s", "line", "swag"], p=[0.38, 0.22, 0.15, 0.1, 0.15]))
    t = np.linspace(0, 2 * np.pi, 1500)
    wobble = sum(rng.normal(0, 0.03 / k) * np.sin(k * t + rng.uniform(0, 6)) for k in (2, 3, 4, 5))
    if kind == "loop":
        return np.stack([(1 + wobble) * np.cos(t) * rng.uniform(0.7, 1.1), (1 + wobble) * np.sin(t)], -1), True
    if kind == "drop":
        return np.stack([(0.75 + wobble) * np.sin(t), (1 + wobble) * np.cos(t) - 0.25 * np.cos(t) ** 2], -1), True
    s = np.linspace(-1, 1, 1500)
    if kind == "s":
        return np.stack([s, 0.45 * np.sin(3.5 * s + rng.uniform(0, 6)) + 0.1 * np.sin(8 * s)], -1), False
    if kind == "line":
        return np.stack([s, 0.1 * s * s * rng.normal()], -1), False
    return np.stack([s * 0.75, np.abs(s) ** 2.2 * rng.uniform(0.8, 1.6)], -1), False


def along(points: np.ndarray, pitch: float) -> tuple[np.ndarray, np.ndarray]:
    """Places and directions every `pitch` along a polyline."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    where = np.concatenate([[0], np.cumsum(steps)])
    count = max(2, round(where[-1] / pitch))
    at = (np.arange(count) + 0.5) * where[-1] / count
    xy = np.stack([np.interp(at, where, points[:, k]) for k in (0, 1)], -1)
    ahead = np.stack(
        [
            np.interp(at + pitch / 4, where, points[:, k]) - np.interp(at - pitch / 4, where, points[:, k])
            for k in (0, 1)
        ],
        -1,
    )
    return xy, np.arctan2(ahead[:, 1], ahead[:, 0])


def chain(rng: np.random.Generator) -> Piece:
    """A chain, strand or tennis bracelet with clasp and perhaps a pendant."""
    piece = Piece()
    points, closed = course(rng)
    kind = str(
        rng.choice(
            ["cable", "round", "paperclip", "curb", "figaro", "strand", "tennis"],
            p=[0.2, 0.14, 0.14, 0.2, 0.08, 0.14, 0.1],
        )
    )
    if kind in ("strand", "tennis"):
        size = rng.uniform(0.03, 0.11)
        xy, heading = along(points, size * rng.uniform(2.02, 2.5))
        for k, (place, angle) in enumerate(zip(xy, heading, strict=True)):
            if kind == "strand":
                piece.add(sphere(size * (1 + 0.05 * rng.normal()), 14), "bead", shift=np.array([*place, size]))
            else:
                stone = gem(size * 0.95, "princess" if rng.random() < 0.5 else "round", rng)
                piece.add(stone, "gem" if k % 2 else "gem2", turn("z", angle), np.array([*place, size]))
                box = np.array([[1, 1, 0], [1, -1, 0], [-1, -1, 0], [-1, 1, 0]]) * size * 0.92
                steps = np.linspace(0, 1, 4, endpoint=False)[:, None]
                outline = np.concatenate([box[i] + (box[(i + 1) % 4] - box[i]) * steps for i in range(4)])
                setting = tube(outline, size * 0.12, closed=True, sides=6)
                piece.add(setting, "metal", turn("z", angle), np.array([*place, size * 0.8]))
        link_size = size
        if kind == "strand":
            thread = np.column_stack([points[::6], np.full(len(points[::6]), size)])
            piece.add(tube(thread, size * 0.12, closed=False, sides=6), "metal")
    else:
        link_size = rng.uniform(0.018, 0.075)
        wire = rng.uniform(0.13, 0.26)
        shape, pitch = link(kind, wire)
        plain, plain_pitch = link("curb" if kind == "figaro" else kind, wire)
        xy, heading = along(points, (plain_pitch if kind == "figaro" else pitch) * link_size)
        roll = rng.uniform(0.2, 1.0)
        for k, (place, angle) in enumerate(zip(xy, heading, strict=True)):
            tilt = (
                0.0 if kind in ("curb", "figaro") else (roll if k % 2 else -roll) * rng.uniform(0.8, 1.2)
            ) + rng.normal(0, 0.07)
            mesh = shape if kind != "figaro" or k % 4 == 0 else plain
            matrix = turn("z", angle + rng.normal(0, 0.06)) @ turn("x", tilt) * link_size
            piece.add(mesh, "metal", matrix, np.array([*place, link_size * (wire + 0.75 * np.sin(abs(tilt)) + 0.1)]))
    ends = [points[0]] if closed else [points[0], points[-1]]
    for end in ends:
        clasp(piece, end, link_size * rng.uniform(1.2, 2.4), rng)
    if rng.random() < 0.65:
        low = points[np.argmin(points[:, 1])] if rng.random() < 0.8 else points[int(rng.integers(len(points)))]
        size = rng.uniform(0.06, 0.24)
        angle = np.linspace(0, 2 * np.pi, 28, endpoint=False)
        bail = np.stack([np.cos(angle) * 0.4, np.sin(angle), 0.5 + 0 * angle], -1) * size * 0.4
        piece.add(
            tube(bail, size * 0.07, closed=True, sides=8), "metal", shift=np.array([low[0], low[1] - size * 0.3, 0])
        )
        piece.join(drop(size, rng), shift=np.array([low[0], low[1] - size * 1.8, size * 0.5]))
    return piece


def clasp(piece: Piece, end: np.ndarray, size: float, rng: np.random.Generator) -> None:
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    stretch = rng.uniform(0.5, 1.0)
    path = np.stack([np.cos(angle), stretch * np.sin(angle), 0.3 + 0 * angle], -1) * size
    path = path @ turn("z", rng.uniform(0, 6.28)).T
    piece.add(tube(path, size * rng.uniform(0.12, 0.2), closed=True), "metal", shift=np.array([*end, 0.0]))
    if rng.random() < 0.5:
        bar = np.array([[-1.2, 0.2, 0.4], [0.0, 0.3, 0.45], [1.2, 0.2, 0.4]]) * size
        piece.add(tube(bar, size * 0.12, closed=False), "metal", shift=np.array([*end, 0.0]))


def drop(size: float, rng: np.random.Generator) -> Piece:
    """Something that hangs: a set stone, a disc, a bead, a stack of stones, an open ring."""
    piece = Piece()
    kind = rng.choice(["stone", "disc", "bead", "stack", "hoop"], p=[0.45, 0.18, 0.12, 0.15, 0.1])
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle), 0 * angle], -1)
    if kind == "stone":
        piece.join(setting(size, rng))
    elif kind == "disc":
        piece.add(
            (lambda m: (m[0] * [1, 1, 0.12], m[1]))(sphere(size, 24)), "metal" if rng.random() < 0.7 else "enamel"
        )
        piece.add(gem(size * 0.2, "round", rng), "gem", shift=np.array([0, 0, size * 0.12]))
    elif kind == "bead":
        piece.add(sphere(size, 24), "bead")
    elif kind == "hoop":
        piece.add(tube(circle * size, size * rng.uniform(0.06, 0.2), closed=True), "metal")
    else:
        for k in range(int(rng.integers(2, 5))):
            piece.join(setting(size * 0.5, rng, style="bezel"), shift=np.array([0, -k * size * 1.1, 0]))
    return piece


def hook(wire: float, tail: float) -> Mesh:
    """An ear wire of radius `wire`: up from (0, 0.2), over, and down behind the ear by `tail`."""
    a = np.linspace(-0.1 * np.pi, 1.15 * np.pi, 50)
    bow = np.stack([0.19 * np.cos(a), 0.55 + 0.19 * np.sin(a)], -1)
    front = np.stack([np.linspace(0.0, bow[0, 0], 12), np.linspace(0.2, bow[0, 1], 12)], -1)
    back = bow[-1] + np.stack([np.linspace(0, 0.03, 25), np.linspace(0, -tail, 25)], -1)
    flatly = np.concatenate([front[:-1], bow, back[1:]])
    return tube(np.column_stack([flatly, np.full(len(flatly), wire)]), wire, closed=False)


def earrings(rng: np.random.Generator) -> Piece:
    """A pair: hooks with drops, studs or hoops."""
    one = Piece()
    kind = rng.choice(["hook", "stud", "hoop"], p=[0.5, 0.25, 0.25])
    size = rng.uniform(0.15, 0.35)
    if kind == "hook":
        wire = rng.uniform(0.02, 0.045)
        one.add(hook(wire, rng.uniform(0.2, 0.5)), "metal")
        y = 0.2
        shape, pitch = link("round", 0.2)
        for k in range(int(rng.integers(0, 7))):
            s = 0.055
            one.add(
                shape, "metal", turn("z", np.pi / 2) @ turn("x", 0.5 if k % 2 else -0.5) * s, np.array([0, y - s, s])
            )
            y -= pitch * s
        one.join(drop(size, rng), shift=np.array([0, y - size * 0.95, size * 0.4]))
    elif kind == "stud":
        one.join(setting(size, rng), turn("x", rng.uniform(-0.9, 0.3)))
        one.add(tube(np.array([[0, 0, 0], [0, 0.05, -0.9]]) * size, size * 0.06, closed=False), "metal")
    else:
        a = np.linspace(0.1, 2 * np.pi - 0.1, 80)
        path = np.stack([np.cos(a), np.sin(a), 0 * a], -1) * size * 1.5
        one.add(
            tube(path, size * rng.uniform(0.06, 0.3), closed=False, flat=rng.uniform(0.6, 1.4)),
            "metal",
            turn("x", rng.uniform(-0.8, 0.8)),
        )
    piece = Piece()
    for side in (-1, 1):
        place = np.array([side * rng.uniform(0.4, 0.6), rng.normal(0, 0.06), 0])
        piece.join(one, np.diag([side, 1, 1]) @ turn("z", rng.normal(0, 0.25)), place)
    return piece


def pendant(rng: np.random.Generator) -> Piece:
    """One large pendant, locket or brooch with its bail, lying flat or tilted."""
    piece = Piece()
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    bail = np.stack([0.1 * np.cos(angle), 1.15 + 0.2 * np.sin(angle), 0 * angle], -1)
    piece.add(tube(bail, rng.uniform(0.02, 0.06), closed=True), "metal")
    if rng.random() < 0.6:
        v, f = sphere(1.0, 40)
        power = rng.uniform(0.5, 1.0)
        v = np.sign(v) * np.abs(v) ** [power, power, 1]
        piece.add(
            (v * [rng.uniform(0.6, 1), 1, rng.uniform(0.05, 0.3)], f), "metal" if rng.random() < 0.75 else "enamel"
        )
        if rng.random() < 0.5:
            piece.join(setting(rng.uniform(0.1, 0.4), rng, style="bezel"), shift=np.array([0, 0, 0.25]))
    else:
        piece.join(drop(1.0, rng))
    out = Piece()
    out.join(piece, turn("z", rng.uniform(0, 6.28)) @ turn("x", rng.normal(0, 0.25)))
    return out


def broad_piece(rng: np.random.Generator) -> Piece:
    """Much plain metal: a wide band or a large pendant."""
    return ring(rng, is_wide=True) if rng.random() < 0.75 else pendant(rng)


def random_piece(rng: np.random.Generator) -> Piece:
    """Any of the kinds; now and then a set of several."""
    kind = rng.choice(["ring", "chain", "earrings", "set", "pendant"], p=[0.44, 0.26, 0.16, 0.06, 0.08])
    if kind == "ring":
        return ring(rng)
    if kind == "pendant":
        return pendant(rng)
    if kind == "chain":
        return chain(rng)
    if kind == "earrings":
        return earrings(rng)
    return several(rng)


def fine_piece(rng: np.random.Generator) -> Piece:
    """Wire: links, hooks, hoops, and several of them."""
    return [chain, earrings, several][int(rng.choice(3, p=[0.55, 0.25, 0.2]))](rng)


def several(rng: np.random.Generator) -> Piece:
    """Two or three pieces in one photo."""
    piece = Piece()
    for index in range(int(rng.integers(2, 4))):
        part = [ring, chain, earrings][int(rng.integers(3))](rng)
        place = np.array([np.cos(2.1 * index), np.sin(2.1 * index), 0]) * 1.3
        piece.join(part, np.eye(3) * rng.uniform(0.4, 0.9), place)
    return piece
