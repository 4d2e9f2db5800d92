"""Pieces of jewelry whose every part has a kind and a name, and the defects that verify has to see, made to the parts.

A scene is a list of parts; an edit is another list. What changed between the two is rendered again, nothing is painted:
a stone that is missing is a stone that is not there. Lengths are as in `pieces`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from pieces import Mesh, along, gem, hook, link, setting, sphere, tube, turn

STYLES = {"curb": "curb", "cable": "cable", "rolo": "round", "paperclip": "paperclip", "figaro": "figaro"}
CLASPS = ("lobster", "spring_ring", "toggle")
STONES = {
    "diamond": (0.95, 0.95, 0.96),
    "ruby": (0.6, 0.03, 0.08),
    "sapphire": (0.05, 0.1, 0.5),
    "emerald": (0.04, 0.4, 0.15),
    "amethyst": (0.35, 0.08, 0.5),
    "citrine": (0.9, 0.55, 0.08),
    "garnet": (0.35, 0.02, 0.05),
    "topaz": (0.3, 0.6, 0.85),
}
PEARLS = {"pearl": (0.88, 0.85, 0.8), "black_pearl": (0.06, 0.06, 0.07), "turquoise": (0.1, 0.5, 0.5)}


@dataclass(frozen=True)
class Part:
    """One solid: its mesh, what it is (`link`, `stone`, `clasp`, …), its name, its piece of the set, its material."""

    mesh: Mesh
    kind: str
    name: str
    piece: str
    material: str

    @property
    def centre(self) -> np.ndarray:
        return (self.mesh[0].min(0) + self.mesh[0].max(0)) / 2

    @property
    def reach(self) -> float:
        return float(np.linalg.norm(np.ptp(self.mesh[0], axis=0))) / 2

    def moved(self, matrix: np.ndarray, shift: np.ndarray | float = 0.0) -> Part:
        return replace(self, mesh=(self.mesh[0] @ matrix.T + shift, self.mesh[1]))

    def about(self, centre: np.ndarray, matrix: np.ndarray) -> Part:
        return replace(self, mesh=((self.mesh[0] - centre) @ matrix.T + centre, self.mesh[1]))


Scene = list[Part]


@dataclass(frozen=True)
class Damage:
    kind: str
    detail: str
    scene: Scene
    changed: tuple[Part, ...]
    """Old and new parts, between which the change lies."""


def random_scene(rng: np.random.Generator) -> tuple[Scene, str]:
    kind = str(
        rng.choice(
            ["ring", "necklace", "strand", "tennis", "bracelet", "earrings", "set"],
            p=[0.2, 0.26, 0.1, 0.1, 0.1, 0.16, 0.08],
        )
    )
    make = {
        "ring": _ring,
        "necklace": _necklace,
        "strand": _strand,
        "tennis": _tennis,
        "bracelet": _bracelet,
        "earrings": _earrings,
        "set": _set,
    }[kind]
    return make(rng), kind


def _loop(rng: np.random.Generator, size: float) -> np.ndarray:
    """A closed course, dense points (n, 2), top (π/2) where it begins."""
    t = np.linspace(0, 2 * np.pi, 1600) + np.pi / 2
    wide, power = rng.uniform(0.75, 1.15), rng.uniform(0.85, 1.0)
    wobble = 1 + sum(rng.normal(0, 0.025 / k) * np.sin(k * t + rng.uniform(0, 6)) for k in (2, 3, 4))
    x, y = (np.sign(v) * np.abs(v) ** power for v in (np.cos(t), np.sin(t)))
    return np.stack([wide * x, y * np.where(y < 0, rng.uniform(1.0, 1.3), 1.0)], -1) * size * wobble[:, None]


def clasp_parts(kind: str, size: float, at: np.ndarray, heading: float, piece: str) -> Scene:
    """One clasp of `kind`, about 2 × `size` long, lying along `heading`."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    meshes: list[Mesh] = []
    if kind == "lobster":
        body = np.stack([np.cos(angle), 0.55 * np.sin(angle) * (1 + 0.35 * np.cos(angle)), 0 * angle], -1)
        meshes.append(tube(body * size, size * 0.17, closed=True, flat=1.5))
        lever = np.array([[0.15, 0.62, 0.05], [-0.2, 0.75, 0.1], [-0.5, 0.78, 0.1]])
        meshes.append(tube(lever * size, size * 0.09, closed=False))
        eye = np.stack([np.cos(angle) * 0.24 - 1.2, 0.24 * np.sin(angle), 0 * angle], -1)
        meshes.append(tube(eye * size, size * 0.08, closed=True))
    elif kind == "spring_ring":
        ring = np.stack([np.cos(angle), np.sin(angle), 0 * angle], -1) * 0.8
        meshes.append(tube(ring * size, size * 0.14, closed=True))
        knob = np.array([[0.0, 0.8, 0.1], [0.1, 1.15, 0.2]])
        meshes.append(tube(knob * size, size * 0.1, closed=False))
        eye = np.stack([np.cos(angle) * 0.22 - 1.1, 0.22 * np.sin(angle), 0 * angle], -1)
        meshes.append(tube(eye * size, size * 0.07, closed=True))
    else:
        ring = np.stack([np.cos(angle), np.sin(angle), 0 * angle], -1) * 0.85
        meshes.append(tube(ring * size, size * 0.13, closed=True))
        bar = np.array([[0.25, -1.25, 0.25], [0.3, 0.0, 0.35], [0.25, 1.25, 0.25]])
        meshes.append(tube(bar * size, size * 0.12, closed=False))
    vertices = np.vstack([m[0] for m in meshes])
    starts = np.cumsum([0, *[len(m[0]) for m in meshes[:-1]]])
    faces = np.vstack([m[1] + start for m, start in zip(meshes, starts, strict=True)])
    part = Part((vertices, faces), "clasp", kind, piece, "metal")
    return [part.moved(turn("z", heading), np.array([*at, size * 0.3]))]


def _set_stone(size: float, rng: np.random.Generator, name: str, piece: str, *, style: str | None = None) -> Scene:
    parts = []
    for index, (v, f, role) in enumerate(setting(size, rng, style=style).parts):
        is_stone = role in ("gem", "gem2")
        label = name if index == 0 else f"{name}.{index}"
        parts.append(Part((v, f), "stone" if is_stone else "setting", label, piece, role))
    return parts


def _moved(parts: Scene, matrix: np.ndarray | None = None, shift: np.ndarray | float = 0.0) -> Scene:
    return [part.moved(np.eye(3) if matrix is None else matrix, shift) for part in parts]


def _jump(at: np.ndarray, size: float, heading: float, name: str, piece: str) -> Part:
    angle = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle), 0.4 * np.cos(angle)], -1) * size
    part = Part(tube(ring, size * 0.2, closed=True, sides=8), "jump_ring", name, piece, "metal")
    return part.moved(turn("z", heading), np.array([*at, size * 0.6]))


def _links(rng: np.random.Generator, points: np.ndarray, style: str, size: float, piece: str) -> Scene:
    wire = rng.uniform(0.15, 0.26)
    shape, pitch = link(STYLES[style], wire)
    plain, plain_pitch = link("curb" if style == "figaro" else STYLES[style], wire)
    xy, heading = along(points, (plain_pitch if style == "figaro" else pitch) * size)
    roll, parts = rng.uniform(0.25, 0.9), []
    for k, (place, angle) in enumerate(zip(xy, heading, strict=True)):
        tilt = 0.0 if style in ("curb", "figaro") else (roll if k % 2 else -roll)
        tilt += rng.normal(0, 0.05)
        mesh = shape if style != "figaro" or k % 4 == 0 else plain
        matrix = turn("z", angle + rng.normal(0, 0.05)) @ turn("x", tilt) * size
        part = Part(mesh, "link", f"l{k}", piece, "metal")
        parts.append(part.moved(matrix, np.array([*place, size * (wire + 0.75 * np.sin(abs(tilt)) + 0.1)])))
    return parts


def _closed(rng: np.random.Generator, points: np.ndarray, size: float, piece: str) -> tuple[np.ndarray, Scene]:
    """The course without a gap at its beginning, and the clasp of `size` with its jump rings that fills it."""
    gap = 2.3 * size
    steps = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    rest = points[(steps > gap / 2) & (steps < steps[-1] - gap / 2)]
    heading = float(np.arctan2(*(rest[0] - rest[-1])[::-1]))
    middle = (rest[0] + rest[-1]) / 2
    parts = clasp_parts(str(rng.choice(CLASPS)), size, middle, heading + (np.pi if rng.random() < 0.5 else 0), piece)
    parts += [_jump(end, 0.3 * size, heading, f"jump_{n}", piece) for n, end in (("a", rest[0]), ("b", rest[-1]))]
    return rest, parts


def _pendant(rng: np.random.Generator, low: np.ndarray, piece: str) -> Scene:
    size = rng.uniform(0.1, 0.24)
    angle = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    bail = np.stack([np.cos(angle) * 0.4, np.sin(angle), 0.5 + 0 * angle], -1) * size * 0.4
    parts = [Part(tube(bail, size * 0.07, closed=True, sides=8), "bail", "bail", piece, "metal")]
    parts[0] = parts[0].moved(np.eye(3), np.array([low[0], low[1] - size * 0.3, 0]))
    if rng.random() < 0.3:
        plate = sphere(size * 1.2, 24)
        parts.append(
            Part(
                (plate[0] * [1, 1, 0.12] + [low[0], low[1] - size * 2, size * 0.3], plate[1]),
                "plate",
                "plate",
                piece,
                "metal",
            )
        )
        parts += _moved(
            _set_stone(size * 0.3, rng, "pend", piece, style="bezel"),
            None,
            np.array([low[0], low[1] - size * 2, size * 0.55]),
        )
    else:
        parts += _moved(_set_stone(size, rng, "pend", piece), None, np.array([low[0], low[1] - size * 1.8, size * 0.6]))
    return parts


def _necklace(rng: np.random.Generator, piece: str = "p0") -> Scene:
    points = _loop(rng, 1.0)
    size = rng.uniform(0.03, 0.085)
    rest, parts = _closed(rng, points, size * rng.uniform(1.5, 2.3), piece)
    parts += _links(rng, rest, str(rng.choice(list(STYLES))), size, piece)
    if rng.random() < 0.75:
        parts += _pendant(rng, rest[np.argmin(rest[:, 1])], piece)
    return parts


def _bracelet(rng: np.random.Generator, piece: str = "p0") -> Scene:
    points = _loop(rng, 0.8)
    size = rng.uniform(0.08, 0.13)
    rest, parts = _closed(rng, points, size * rng.uniform(1.3, 2), piece)
    return parts + _links(rng, rest, str(rng.choice(["curb", "figaro", "cable", "rolo"])), size, piece)


def _strand(rng: np.random.Generator, piece: str = "p0") -> Scene:
    points = _loop(rng, 1.0)
    size = rng.uniform(0.06, 0.14)
    rest, parts = _closed(rng, points, size * rng.uniform(1.1, 1.7), piece)
    xy, _ = along(rest, size * rng.uniform(2.05, 2.4))
    for k, place in enumerate(xy):
        mesh = sphere(size * (1 + 0.03 * rng.normal()), 20)
        parts.append(Part((mesh[0] + [*place, size], mesh[1]), "stone", f"pearl{k}", piece, "bead"))
    thread = np.column_stack([rest[::6], np.full(len(rest[::6]), size)])
    return [*parts, Part(tube(thread, size * 0.1, closed=False, sides=6), "wire", "wire", piece, "metal")]


def _tennis(rng: np.random.Generator, piece: str = "p0") -> Scene:
    points = _loop(rng, 0.8)
    size = rng.uniform(0.06, 0.12)
    rest, parts = _closed(rng, points, size * rng.uniform(1.3, 1.9), piece)
    xy, heading = along(rest, size * rng.uniform(2.2, 2.5))
    for k, (place, angle) in enumerate(zip(xy, heading, strict=True)):
        stone = Part(gem(size * 0.95, "round", rng), "stone", f"t{k}", piece, "gem")
        box = np.array([[1, 1, 0], [1, -1, 0], [-1, -1, 0], [-1, 1, 0]]) * size * 0.92
        steps = np.linspace(0, 1, 4, endpoint=False)[:, None]
        outline = np.concatenate([box[i] + (box[(i + 1) % 4] - box[i]) * steps for i in range(4)])
        frame = Part(tube(outline, size * 0.13, closed=True, sides=6), "setting", f"t{k}.1", piece, "metal")
        parts.append(stone.moved(turn("z", angle), np.array([*place, size])))
        parts.append(frame.moved(turn("z", angle), np.array([*place, size * 0.8])))
    return parts


def _ring(rng: np.random.Generator, piece: str = "p0") -> Scene:
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    wide, thick = rng.uniform(0.07, 0.4), rng.uniform(0.06, 0.12)
    circle = np.stack([np.cos(angle), 0 * angle, np.sin(angle)], -1)
    parts = [Part(tube(circle, thick, closed=True, sides=24, flat=wide / thick), "band", "band", piece, "metal")]
    size = rng.uniform(0.2, 0.5)
    parts += _moved(_set_stone(size, rng, "centre", piece), None, np.array([0, 0, 1.0 + thick + size * 0.75]))
    if rng.random() < 0.5:
        small = rng.uniform(0.05, 0.11)
        for side in (-1, 1):
            for k in range(int(rng.integers(2, 7))):
                t = np.pi / 2 + side * (size * 0.9 + small + 2.15 * small * k)
                where = (1.0 + thick) * np.array([np.cos(t), 0, np.sin(t)])
                name = f"pave{'LR'[side > 0]}{k}"
                parts.append(
                    Part(gem(small, "round", rng), "stone", name, piece, "gem2").moved(turn("y", np.pi / 2 - t), where)
                )
    lean = turn("x", rng.uniform(-0.4, 0.4)) if rng.random() < 0.6 else turn("x", np.pi / 2 + rng.uniform(-0.3, 0.1))
    return _moved(parts, turn("z", rng.uniform(0, 6.28)) @ lean)


def _earrings(rng: np.random.Generator) -> Scene:
    wire, size = rng.uniform(0.018, 0.035), rng.uniform(0.14, 0.28)
    one = [Part(hook(wire, rng.uniform(0.2, 0.5)), "earwire", "wire", "e", "metal")]
    shape, pitch = link("round", 0.2)
    y, s = 0.2, rng.uniform(0.045, 0.065)
    for k in range(int(rng.integers(1, 6))):
        matrix = turn("z", np.pi / 2) @ turn("x", 0.5 if k % 2 else -0.5) * s
        one.append(
            Part(shape, "link" if k else "jump_ring", f"l{k}", "e", "metal").moved(matrix, np.array([0, y - s, s]))
        )
        y -= pitch * s
    one += _moved(_set_stone(size, rng, "d", "e"), None, np.array([0, y - size * 0.95, size * 0.6]))
    parts = []
    for name, side in (("eL", -1), ("eR", 1)):
        matrix = np.diag([side, 1, 1]) @ turn("z", rng.normal(0, 0.2))
        place = np.array([side * rng.uniform(0.4, 0.55), rng.normal(0, 0.05), 0])
        parts += [replace(p, piece=name, name=f"{name}.{p.name}") for p in _moved(one, matrix, place)]
    return parts


def _set(rng: np.random.Generator) -> Scene:
    matrix = np.eye(3) * rng.uniform(0.55, 0.75)
    pair = _moved(_earrings(rng), matrix, np.array([0, rng.uniform(-0.2, 0.1), 0]))
    return _necklace(rng, "n") + pair


def _stones(scene: Scene, rng: np.random.Generator, least: float = 0.0) -> Scene:
    found = [part for part in scene if part.kind == "stone" and part.reach > least]
    return [found[k] for k in rng.permutation(len(found))]


def _mount(scene: Scene, stone: Part) -> Scene:
    """The settings that carry `stone`."""
    return [p for p in scene if p.kind == "setting" and p.name.rsplit(".", 1)[0] == stone.name]


def damages(scene: Scene, rng: np.random.Generator) -> list[Damage]:
    """Every defect that the scene's parts allow, one each; two of missing stones and links."""
    found: list[Damage] = []

    def note(kind: str, detail: str, old: Scene, new: Scene) -> None:
        gone = {id(part) for part in old}
        found.append(Damage(kind, detail, [p for p in scene if id(p) not in gone] + new, (*old, *new)))

    biggest = max((p.reach for p in scene if p.kind == "stone"), default=0.0)
    for number, stone in enumerate(_stones(scene, rng)[:2]):
        note("stone_missing" + ("_2" if number else ""), f"{stone.name} removed, setting left", [stone], [])
    for stone in _stones(scene, rng)[:1]:
        mesh = sphere(1.0, 20)
        spread = np.ptp(stone.mesh[0], axis=0) / 2 * 0.95
        note(
            "stone_missing_filled",
            "stone replaced by metal dome",
            [stone],
            [replace(stone, mesh=(mesh[0] * spread + stone.centre, mesh[1]), material="metal", kind="dome")],
        )
        factor = float(rng.choice([1.15, 1.25, 1.35]))
        group = [stone, *_mount(scene, stone)]
        note(
            "stone_enlarged",
            f"{stone.name} x{factor}",
            group,
            [p.about(stone.centre, np.eye(3) * factor) for p in group],
        )
        recolour = replace(stone, material="other")
        note("stone_color", "other stone", [stone], [recolour])
    for stone in _stones(scene, rng, 0.6 * biggest)[:1]:
        note(
            "stone_color_subtle",
            "lighter, slightly redder tint",
            [stone],
            [replace(stone, material=stone.material + "+")],
        )
        if stone.material != "bead":
            squash = turn("z", 0.7) @ np.diag([1.0, 0.62, 1.0])
            note("stone_cut", "recut to a narrow oval", [stone], [stone.about(stone.centre, squash)])
    solid = [p for p in scene if p.material == "metal" and p.kind in ("link", "band", "plate", "clasp", "setting")]
    if biggest and solid:
        host = solid[int(rng.integers(len(solid)))]
        top = host.mesh[0][int(np.argmax(host.mesh[0][:, 2] + 0.02 * rng.normal(size=len(host.mesh[0]))))]
        extra = [
            replace(p, name=f"x.{p.name}")
            for p in _set_stone(0.5 * min(biggest, 0.16), rng, "x", host.piece, style="bezel")
        ]
        note("stone_extra", "one additional set stone", [], _moved(extra, None, top))
    links = [p for p in scene if p.kind == "link"]
    if len(links) > 6:
        for number in range(2):
            count = int(rng.integers(1, 3))
            at = int(rng.integers(2, len(links) - count - 2))
            note("link_removed" + ("_2" if number else ""), f"{count} link(s) removed", links[at : at + count], [])
        at = int(rng.integers(2, len(links) - 3))
        a, b = links[at], links[at + 1]
        note(
            "link_doubled",
            "one duplicated link",
            [],
            [a.moved(np.eye(3), 0.5 * (b.centre - a.centre) + [0, 0, 0.3 * a.reach])],
        )
        count = int(rng.choice([3, 5, 7]))
        at = int(rng.integers(1, len(links) - min(count, len(links) - 2) - 1))
        run = links[at : at + count]
        centres = np.array([p.centre for p in run])
        thick = 0.33 * float(min(np.sort(np.ptp(p.mesh[0], axis=0))[1] for p in run))
        path = np.stack(
            [np.interp(np.linspace(0, 1, 40), np.linspace(0, 1, len(run)), centres[:, k]) for k in range(3)], -1
        )
        note(
            "link_melted",
            f"{len(run)} links merged",
            run,
            [Part(tube(path, thick, closed=False), "tube", "tube", run[0].piece, "metal")],
        )
    for clasp in [p for p in scene if p.kind == "clasp"][:1]:
        note("clasp_missing", "clasp removed", [clasp], [])
        other = str(rng.choice([k for k in CLASPS if k != clasp.name]))
        flat = clasp.mesh[0][:, :2] - clasp.mesh[0][:, :2].mean(0)
        heading = float(np.arctan2(*np.linalg.svd(flat, full_matrices=False)[2][0][::-1]))
        note(
            "clasp_type",
            f"{clasp.name}->{other}",
            [clasp],
            clasp_parts(other, clasp.reach / 1.35, clasp.centre[:2], heading, clasp.piece),
        )
        hosts = links or [p for p in scene if p.kind == "stone"]
        far = [p for p in hosts if np.linalg.norm(p.centre - clasp.centre) > 0.5]
        if far:
            host = far[int(rng.integers(len(far)))]
            moved = clasp.moved(np.eye(3), host.centre - clasp.centre + [0, 0, host.reach * 0.3])
            note("clasp_moved", "clasp moved along the chain", [clasp], [moved])
    wires = [p for p in scene if p.kind == "earwire"]
    if wires:
        wire = wires[int(rng.integers(len(wires)))]
        note("earwire_missing", "one ear wire removed", [wire], [])
        low, high = wire.mesh[0].min(0), wire.mesh[0].max(0)
        middle = (low + high) / 2
        pin = np.array([[middle[0], high[1], middle[2]], [middle[0], low[1], middle[2]]])
        note(
            "earwire_changed",
            "hook replaced by a straight pin",
            [wire],
            [replace(wire, mesh=tube(pin, 0.025, closed=False))],
        )
    names = sorted({p.piece for p in scene})
    if len(names) > 1:
        gone = str(rng.choice([n for n in names if n.startswith("e")]))
        note("piece_missing", f"{gone} missing", [p for p in scene if p.piece == gone], [])
    return found
