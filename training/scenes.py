"""Render labelled scenes and re-rendered edits of them, for benchmarks/verify.py: pieces that no limit was set on.

    python training/scenes.py OUT --count 12 --seed 1 --side 1024

Each scene gets OUT/NAME/ with `source.jpg` (a phone's photo), the exact `alpha.png`, `fg.png` (straight colours),
`instances.png` (16-bit part numbers) and `truth.json`; each edit is OUT/variants/NAME_KIND.jpg on white, with a row in
OUT/manifest.csv, as in benchmarks/edits.py, which makes the edits that are not of parts (`--rendered OUT`). Needs what
generate.py needs. A run goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import csv
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import drjit as dr
import mitsuba as mi
import numpy as np
import pyoidn

mi.set_variant("llvm_ad_rgb")
from backdrops import KINDS, backdrop  # noqa: E402  (Mitsuba's variant must be set before anything else touches it)
from generate import BLACK, METALS, lights, mesh, outward  # noqa: E402
from labelled import PEARLS, STONES, Part, Scene, damages, random_scene  # noqa: E402

COLUMNS = (
    "file",
    "scene",
    "class",
    "kind",
    "severity",
    "detail",
    "x0",
    "y0",
    "x1",
    "y1",
    "sx0",
    "sy0",
    "sx1",
    "sy1",
    "m00",
    "m01",
    "m02",
    "m10",
    "m11",
    "m12",
    "width",
    "height",
    "measured_de00",
    "effect_px",
)
_MARGIN_PX = 28
"""What is rendered around a change, so that the denoiser sees its surroundings."""


@dataclass
class Stage:
    """Everything of a scene but its parts: view, lights, ground, materials, and how the phone develops it."""

    origin: np.ndarray
    target: np.ndarray
    fov: float
    side: int
    spp: int
    around: dict
    materials: dict[str, dict]
    exposure: np.ndarray
    noise: float

    def sensor(self, seed: int, window: tuple[int, int, int, int] | None, spp: int) -> dict:
        film = {
            "type": "hdrfilm",
            "width": self.side,
            "height": self.side,
            "rfilter": {"type": "box"},
            "pixel_format": "rgb",
        }
        if window:
            x, y, width, height = window
            film |= {"crop_offset_x": x, "crop_offset_y": y, "crop_width": width, "crop_height": height}
        look = mi.ScalarTransform4f().look_at(
            origin=[float(v) for v in self.origin], target=[float(v) for v in self.target], up=[0, 0, 1]
        )
        return {
            "type": "perspective",
            "fov": self.fov,
            "to_world": look,
            "film": film,
            "sampler": {"type": "independent", "sample_count": spp, "seed": seed},
        }

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixels (n, 2) of points (n, 3)."""
        ahead = self.target - self.origin
        ahead = ahead / np.linalg.norm(ahead)
        left = np.cross([0.0, 0.0, 1.0], ahead)
        left = left / np.linalg.norm(left)
        up = np.cross(ahead, left)
        seen = (points - self.origin) @ np.stack([left, up, ahead], -1)
        return self.side * (0.5 - 0.5 * seen[:, :2] / (seen[:, 2:] * np.tan(np.radians(self.fov / 2))))


def stage(
    rng: np.random.Generator, scene: Scene, side: int, spp: int, grounds: tuple[str, ...]
) -> tuple[Stage, str, str]:
    """A view in which the whole piece shows, its light, its ground and its materials; the metal and the ground."""
    points = np.concatenate([part.mesh[0] for part in scene])
    low, high = points.min(0), points.max(0)
    centre, extent = (low + high) / 2, float(np.linalg.norm((high - low)[:2])) / 2
    up, angle, fov = np.radians(rng.uniform(38, 80)), rng.uniform(0, 2 * np.pi), rng.uniform(18, 28)
    if rng.random() < 0.7:
        angle = -np.pi / 2 + rng.normal(0, 0.25)
    away = np.array([np.cos(angle) * np.cos(up), np.sin(angle) * np.cos(up), np.sin(up)])
    far = extent / np.tan(np.radians(fov / 2))
    metal = str(rng.choice(list(METALS)))
    names = [str(n) for n in rng.choice(list(STONES), 3, replace=False)]
    if rng.random() < 0.5:
        names[1] = "diamond"
    pearl, other = (str(n) for n in rng.choice(list(PEARLS), 2, replace=False))

    def principled(colour: object, metallic: float, roughness: float, specular: float = 0.5) -> dict:
        value = [float(c) for c in np.clip(np.asarray(colour, float), 0.01, 0.97)]
        return {
            "type": "principled",
            "base_color": {"type": "rgb", "value": value},
            "metallic": metallic,
            "roughness": roughness,
            "specular": specular,
        }

    clear, rough = rng.random() < 0.5, float(rng.uniform(0.06, 0.35))

    def gem(name: str, tint: float = 0.0) -> dict:
        colour = np.array(STONES[name])
        colour = colour + tint * (np.array([1.0, 0.75, 0.75]) - colour)
        if clear:
            return {
                "type": "dielectric",
                "int_ior": 1.75,
                "specular_transmittance": {"type": "rgb", "value": [float(v) for v in np.sqrt(colour)]},
            }
        return principled(colour, 0.6, 0.05, 0.9)

    materials = {
        "metal": principled(np.array(METALS[metal]) * rng.uniform(0.9, 1.05), 1.0, rough),
        "gem": gem(names[0]),
        "gem2": gem(names[1]),
        "bead": principled(PEARLS[pearl], 0.0, 0.12, 0.6),
        "gem+": gem(names[0], 0.25),
        "gem2+": gem(names[1], 0.25),
        "bead+": principled(np.array(PEARLS[pearl]) * 0.75 + [0.2, 0.12, 0.12], 0.0, 0.12, 0.6),
        "other": gem(names[2])
        if any(p.material == "gem" for p in scene)
        else principled(PEARLS[other], 0.0, 0.12, 0.6),
    }
    picture, kind = backdrop(rng, max(1024, side), grounds)
    surface: dict = {"type": "diffuse", "reflectance": {"type": "bitmap", "bitmap": mi.Bitmap(picture), "raw": False}}
    if kind == "mirror":
        base = {"type": "rgb", "value": [float(v) for v in picture[0, 0] / 255.0]}
        surface = {
            "type": "principled",
            "base_color": base,
            "metallic": float(rng.choice([0.0, 0.7])),
            "roughness": float(rng.uniform(0.03, 0.15)),
            "specular": 0.9,
        }
    floor = mi.ScalarTransform4f().translate([float(centre[0]), float(centre[1]), float(low[2]) - 0.002])
    floor = floor @ mi.ScalarTransform4f().rotate([0, 0, 1], float(rng.uniform(0, 360)))
    around = {
        "floor": {
            "type": "rectangle",
            "bsdf": surface,
            "to_world": floor @ mi.ScalarTransform4f().scale([5.0, 5.0, 1.0]),
        }
    }
    around |= lights(rng, is_plain=rng.random() < 0.5)
    made = Stage(
        centre + far * away,
        centre,
        float(fov),
        side,
        spp,
        around,
        materials,
        np.ones(3),
        float(rng.uniform(0.004, 0.016)),
    )
    reach = rng.uniform(0.38, 0.46)
    for _ in range(3):
        wide = np.abs(made.project(points) / side - 0.5).max()
        made.origin = made.target + (made.origin - made.target) * wide / reach
    return made, metal, kind


def render(
    stage: Stage, scene: Scene, seed: int, window: tuple[int, int, int, int] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Linear picture (h, w, 3) and coverage (h, w) of the whole frame or of a window of it."""
    groups: dict[str, Scene] = {}
    for part in scene:
        groups.setdefault(part.material, []).append(part)
    full: dict = {
        "type": "scene",
        "integrator": {"type": "path", "max_depth": 9, "rr_depth": 6},
        "sensor": stage.sensor(seed, window, stage.spp),
        **stage.around,
    }
    matte: dict = {
        "type": "scene",
        "integrator": {"type": "path", "max_depth": 2},
        "sensor": stage.sensor(seed + 1, window, 48),
        "white": {"type": "constant", "radiance": {"type": "rgb", "value": 1.0}},
    }
    for material, parts in groups.items():
        vertices, faces = _joined(parts)
        key = "m_" + material.replace("+", "_plus")
        full[key] = mesh(key, vertices, faces, stage.materials[material])
        matte[key] = mesh(key, vertices, faces, BLACK)
    picture = np.ascontiguousarray(mi.render(mi.load_dict(full)), np.float32)
    alpha = 1 - np.clip(np.array(mi.render(mi.load_dict(matte)))[..., 0], 0, 1)
    return np.array(pyoidn.denoise(picture, hdr=True)), alpha


def instances(stage: Stage, scene: Scene) -> np.ndarray:
    """The number of the part (1 …) that each pixel shows, 0 for none; (h, w) uint16."""
    shining: dict = {
        "type": "scene",
        "integrator": {"type": "path", "max_depth": 1, "hide_emitters": False},
        "sensor": stage.sensor(7, None, 1),
    }
    for number, part in enumerate(scene, 1):
        shape = mesh(f"i{number}", part.mesh[0], outward(*part.mesh), BLACK, shining=True)
        params = mi.traverse(shape)
        params["emitter.radiance.value"] = mi.Color3f(number / 512.0)
        params.update()
        shining[f"i{number}"] = shape
    return np.rint(np.array(mi.render(mi.load_dict(shining)))[..., 0] * 512).astype(np.uint16)


def _joined(parts: Scene) -> tuple[np.ndarray, np.ndarray]:
    vertices, faces, start = [], [], 0
    for part in parts:
        vertices.append(part.mesh[0])
        faces.append(outward(*part.mesh) + start)
        start += len(part.mesh[0])
    return np.concatenate(vertices), np.concatenate(faces)


def exposed(stage: Stage, linear: np.ndarray) -> np.ndarray:
    """What the phone makes of the light before its noise: exposure, cast, a shoulder; linear 0–1."""
    light = linear * stage.exposure
    return np.clip(np.where(light > 0.8, 0.8 + 0.2 * (1 - np.exp(-(light - 0.8) / 0.2)), light), 0, 1)


def encode(linear: np.ndarray) -> np.ndarray:
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def straight(light: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The piece's own colours at its rims, carried out from where it covers the pixel."""
    weight = (alpha > 0.98).astype(np.float32)[..., None]
    if not weight.any():
        return light
    near, far = (cv2.GaussianBlur(weight, (0, 0), s)[..., None] for s in (1.2, 4.0))
    inner = (cv2.GaussianBlur((light * weight).astype(np.float32), (0, 0), s) for s in (1.2, 4.0))
    close, wide = next(inner) / np.maximum(near, 1e-4), next(inner) / np.maximum(far, 1e-4)
    carried = np.where(near > 0.02, close, np.where(far > 1e-3, wide, light))
    return np.where(weight > 0, light, carried)


def dressed(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """On white, mixed in sRGB."""
    return encode(colour) * alpha[..., None] + 1 - alpha[..., None]


def window_of(stage: Stage, parts: tuple[Part, ...]) -> tuple[int, int, int, int]:
    pixels = stage.project(np.concatenate([part.mesh[0] for part in parts]))
    low = np.clip(np.floor(pixels.min(0)) - _MARGIN_PX, 0, stage.side - 8).astype(int)
    high = np.clip(np.ceil(pixels.max(0)) + _MARGIN_PX, low + 8, stage.side).astype(int)
    return int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])


def make(out: Path, name: str, rng: np.random.Generator, side: int, spp: int, grounds: tuple[str, ...]) -> list[dict]:
    """One scene's folder and its edits; the rows of the manifest."""
    scene, kind = random_scene(rng)
    look, metal, ground = stage(rng, scene, side, spp, grounds)
    linear, alpha = render(look, scene, int(rng.integers(1 << 30)))
    if not 0.01 < alpha.mean() < 0.6:
        return []
    bare = alpha < 0.01
    level = float(np.median(linear[bare].mean(axis=-1)))
    bright = float(np.percentile(linear[alpha > 0.9].mean(axis=-1), 90))
    target = rng.uniform(0.35, 0.8) * min(1.0, level / 0.3) + 0.02
    look.exposure = min(target / max(level, 0.02), 1.1 / bright) * (1 + rng.normal(0, 0.03, 3))
    light = exposed(look, linear)
    noisy = light + rng.normal(0, 1, light.shape) * np.sqrt(light) * look.noise
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "source.jpg", encode(noisy), 90)
    cv2.imwrite(str(folder / "alpha.png"), np.rint(alpha * 255).astype(np.uint8))
    colour = straight(light, alpha)
    cv2.imwrite(
        str(folder / "fg.png"), np.dstack([np.rint(255 * encode(colour))[..., ::-1], 255 * alpha]).astype(np.uint8)
    )
    numbers = instances(look, scene)
    cv2.imwrite(str(folder / "instances.png"), numbers)
    seen = np.bincount(numbers.ravel(), minlength=len(scene) + 1)
    told = [
        {
            "id": k,
            "kind": p.kind,
            "name": p.name,
            "piece": p.piece,
            "material": metal if p.material == "metal" else p.material,
            "visible_px": int(seen[k]),
        }
        for k, p in enumerate(scene, 1)
    ]
    stones = [{"id": t["id"], "visible": t["visible_px"] > 60} for t in told if t["kind"] == "stone"]
    truth = {
        "id": name,
        "piece_type": kind,
        "metal": metal,
        "background": ground,
        "stones": {"items": stones},
        "instances": told,
    }
    (folder / "truth.json").write_text(json.dumps(truth, indent=1), encoding="utf-8")
    before = dressed(colour, alpha)
    rows = []
    for damage in damages(scene, rng):
        x, y, width, height = box = window_of(look, damage.changed)
        part, cover = render(look, damage.scene, int(rng.integers(1 << 30)), box)
        after = before.copy()
        inner = np.s_[min(8, y) : height - 8, min(8, x) : width - 8]
        there = dressed(straight(exposed(look, part), cover), cover)[inner]
        after[y + min(8, y) : y + height - 8, x + min(8, x) : x + width - 8] = there
        rows += _edit(out, name, damage.kind, damage.detail, before, after, rng)
    return rows


def _edit(
    out: Path, name: str, kind: str, detail: str, before: np.ndarray, after: np.ndarray, rng: np.random.Generator
) -> list[dict]:
    apart = [
        cv2.cvtColor(cv2.GaussianBlur(p.astype(np.float32), (0, 0), 1.0), cv2.COLOR_RGB2LAB) for p in (before, after)
    ]
    far = np.linalg.norm(apart[0] - apart[1], axis=-1) > 7
    ys, xs = np.nonzero(cv2.morphologyEx(far.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)))
    if len(xs) < 25:
        return []
    box = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], float)
    side = after.shape[0]
    matrix = np.eye(3)
    if rng.random() < 0.5:
        angle, zoom = np.radians(rng.uniform(-1.2, 1.2)), rng.uniform(0.94, 1.0)
        c, s = zoom * np.cos(angle), zoom * np.sin(angle)
        dx, dy = rng.uniform(-0.01, 0.01, 2) * side
        h = side / 2
        matrix[:2] = [[c, -s, h + dx - c * h + s * h], [s, c, h + dy - s * h - c * h]]
        after = cv2.warpAffine(
            after,
            matrix[:2],
            (side, side),
            flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(1, 1, 1),
        )
    picture = after + rng.normal(0, 0.004, after.shape)
    file = f"variants/{name}_{kind}.jpg"
    _write(out / file, picture, 92)
    corners = np.array([[[box[a], box[b]] for a in (0, 2) for b in (1, 3)]])
    there = cv2.transform(corners, matrix[:2])[0]
    low, high = there.min(0), there.max(0)
    return [
        {
            "file": file,
            "scene": name,
            "class": "defect",
            "kind": kind.removesuffix("_2"),
            "severity": "",
            "detail": detail,
            "x0": low[0].round(1),
            "y0": low[1].round(1),
            "x1": high[0].round(1),
            "y1": high[1].round(1),
            "sx0": box[0],
            "sy0": box[1],
            "sx1": box[2],
            "sy1": box[3],
            **{f"m{i}{j}": round(float(matrix[i, j]), 6) for i in range(2) for j in range(3)},
            "width": side,
            "height": side,
            "measured_de00": "",
            "effect_px": int(far.sum()),
        }
    ]


def _write(path: Path, encoded: np.ndarray, quality: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.clip(np.rint(encoded * 255), 0, 255).astype(np.uint8)
    cv2.imwrite(str(path), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--spp", type=int, default=24)
    parser.add_argument("--grounds", default=",".join(k for k in KINDS if k != "skin"))
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    dr.set_thread_count(args.threads)
    grounds = tuple(args.grounds.split(","))
    for index in range(args.first, args.first + args.count):
        name = f"g{args.seed:02d}{index:02d}"
        listed = args.out / name / "rows.csv"
        if not listed.exists():
            rows = make(args.out, name, np.random.default_rng((args.seed, index)), args.side, args.spp, grounds)
            if not rows:
                continue
            with listed.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, COLUMNS)
                writer.writeheader()
                writer.writerows(rows)
            print(name, len(rows), flush=True)
    with (args.out / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for listed in sorted(args.out.glob("*/rows.csv")):
            with listed.open(encoding="utf-8") as own:
                writer.writerows(csv.DictReader(own))


if __name__ == "__main__":
    main()
