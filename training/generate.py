"""Render labelled jewelry: procedural pieces, path-traced with Mitsuba 3, each with its exact coverage matte.

    python training/generate.py OUT --count 400 --seed 1 --side 448

Writes OUT/SEED_NNNNN.jpg (the photo) and OUT/SEED_NNNNN.png (8-bit coverage). Needs the packages mitsuba, pyoidn, numpy
and opencv-python-headless, and an LLVM library. No photograph and no other model's output goes in.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import drjit as dr
import mitsuba as mi
import numpy as np
import pyoidn

mi.set_variant("llvm_ad_rgb")
from backdrops import KINDS, backdrop  # noqa: E402  (Mitsuba's variant must be set before anything else touches it)
from pieces import Piece, broad_piece, fine_piece, random_piece  # noqa: E402
from props import prop_scene  # noqa: E402

METALS = {
    "yellow": (0.92, 0.74, 0.38), "rose": (0.90, 0.64, 0.52), "white": (0.80, 0.79, 0.77), "silver": (0.93, 0.92, 0.90),
    "steel": (0.35, 0.34, 0.33), "platinum": (0.7, 0.69, 0.68),
}  # fmt: skip


BLACK = {"type": "diffuse", "reflectance": {"type": "rgb", "value": 0.0}}


def outward(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Faces turned so that a closed mesh encloses a positive volume (one-sided materials need it)."""
    a, b, c = (vertices[faces[:, k]] - vertices.mean(0) for k in range(3))
    return faces if float((a * np.cross(b, c)).sum()) >= 0 else faces[:, ::-1]


def mesh(name: str, vertices: np.ndarray, faces: np.ndarray, bsdf: dict, *, shining: bool = False) -> object:
    """A flat-shaded Mitsuba mesh from arrays."""
    props = mi.Properties()
    props["bsdf"] = mi.load_dict(bsdf)
    if shining:
        props["emitter"] = mi.load_dict({"type": "area", "radiance": {"type": "rgb", "value": 1.0}})
    shape = mi.Mesh(name, len(vertices), len(faces), props=props, has_vertex_normals=False)
    params = mi.traverse(shape)
    params["vertex_positions"] = vertices.astype(np.float32).ravel()
    params["faces"] = faces.astype(np.uint32).ravel()
    params.update()
    return shape


def materials(rng: np.random.Generator, metal: str, *, satin: bool) -> dict[str, dict]:
    """One Mitsuba material per role of a piece."""
    stone = np.clip(rng.uniform(0.02, 0.95, 3) ** rng.uniform(0.7, 2.0), 0.02, 0.95)
    second = np.clip(rng.uniform(0.02, 0.95, 3) ** rng.uniform(0.7, 2.0), 0.02, 0.95)
    if rng.random() < 0.4:
        second = np.array([0.95, 0.95, 0.96])

    def principled(colour, metallic, roughness, specular=0.5):
        return {"type": "principled", "base_color": {"type": "rgb", "value": [float(c) for c in colour]},
                "metallic": float(metallic), "roughness": float(roughness), "specular": float(specular)}  # fmt: skip

    def gem(colour):
        if rng.random() < 0.5:
            tint = {"type": "rgb", "value": [float(c) for c in np.sqrt(colour)]}
            return {"type": "dielectric", "int_ior": float(rng.uniform(1.5, 2.4)), "specular_transmittance": tint}
        return principled(colour, rng.uniform(0.3, 0.9), 0.05, 0.9)

    tone = np.array(METALS[metal]) * rng.uniform(0.9, 1.05)
    return {
        "metal": principled(np.clip(tone, 0, 0.97), 1.0, rng.uniform(0.2, 0.55) if satin else rng.uniform(0.06, 0.35)),
        "gem": gem(stone),
        "gem2": gem(second),
        "bead": principled(stone if rng.random() < 0.6 else (0.9, 0.88, 0.84), 0.0, rng.uniform(0.05, 0.4), 0.6),
        "enamel": principled(stone, 0.0, 0.1, 0.6),
    }


def lights(rng: np.random.Generator, *, is_plain: bool) -> dict:
    """A softbox, a tent, a window, a flash or a lamp, over dim surroundings."""
    kind = rng.choice(["softbox", "tent", "window", "flash", "lamp"], p=[0.3, 0.25, 0.25, 0.1, 0.1])
    tint = np.array([1.0, 1.0, 1.0]) + rng.normal(0, 0.03, 3)
    if kind == "lamp":
        tint = np.array([1.0, 0.8, 0.55])
    fill = float(rng.uniform(0.15, 0.5)) if kind != "tent" else float(rng.uniform(0.7, 1.1))
    scene: dict = {"fill": {"type": "constant", "radiance": {"type": "rgb", "value": [float(fill * t) for t in tint]}}}
    if not is_plain and rng.random() < 0.65:
        scene["fill"] = {"type": "envmap", "bitmap": mi.Bitmap(room(rng, fill * tint)), "scale": 1.0,
                         "to_world": mi.ScalarTransform4f().rotate([1, 0, 0], 90.0)}  # fmt: skip
    for index in range(1 if kind in ("flash", "lamp") else int(rng.integers(1, 4))):
        angle, up = rng.uniform(0, 2 * np.pi), rng.uniform(0.4, 1.3)
        where = 14 * np.array([np.cos(angle) * np.cos(up), np.sin(angle) * np.cos(up), np.sin(up)])
        size = {"softbox": 4.4, "tent": 5.0, "window": 3.6, "flash": 0.7, "lamp": 1.2}[kind] * rng.uniform(0.7, 1.4)
        power = rng.uniform(1.5, 4.5) * (4.4 / size) ** 2 * 0.8
        scene[f"light{index}"] = {
            "type": "rectangle",
            "to_world": mi.ScalarTransform4f().look_at(
                origin=[float(v) for v in where], target=[0, 0, 0], up=[0.1, 0.2, 1]
            )
            @ mi.ScalarTransform4f().scale([float(size), float(size * rng.uniform(0.6, 1.6)), 1]),
            "emitter": {
                "type": "area",
                "radiance": {"type": "rgb", "value": [float(power * max(t, 0.1)) for t in tint]},
            },
        }
    return scene


def room(rng: np.random.Generator, light: np.ndarray) -> np.ndarray:
    """What polished metal mirrors: dim walls with dark and bright patches; linear RGB (32, 64, 3), mean `light`."""
    field = cv2.resize(
        rng.normal(0, 1, (int(rng.integers(3, 9)), int(rng.integers(4, 14)))).astype(np.float32), (64, 32)
    )
    walls = np.exp(field * rng.uniform(0.4, 1.6))[..., None] * np.exp(rng.normal(0, 0.08, 3))
    for _ in range(int(rng.integers(0, 5))):
        y, x = int(rng.integers(0, 26)), int(rng.integers(0, 56))
        walls[y : y + int(rng.integers(2, 10)), x : x + int(rng.integers(2, 16))] = rng.choice([0.02, 4.0, 8.0])
    return (walls / walls.mean() * light).astype(np.float32)


def camera(rng: np.random.Generator, piece: Piece, side: int, spp: int) -> dict:
    """A phone's view from 36° to straight above; the piece fills 35 to 100 % of the frame and may leave it."""
    points = np.concatenate([v for v, _, _ in piece.parts])
    low, high = points.min(0), points.max(0)
    centre, extent = (low + high) / 2, float(np.linalg.norm(high - low)) / 2
    up = np.radians(rng.choice([rng.uniform(34, 75), rng.uniform(75, 89.5)], p=[0.65, 0.35]))
    angle, fov = rng.uniform(0, 2 * np.pi), rng.uniform(16, 32)
    fill = rng.uniform(0.7, 1.35) if rng.random() < 0.85 else rng.uniform(1.35, 2.2)
    far = extent / np.tan(np.radians(fov / 2)) / fill
    where = centre + far * np.array([np.cos(angle) * np.cos(up), np.sin(angle) * np.cos(up), np.sin(up)])
    aim = centre + rng.normal(0, 0.06, 3) * extent
    return {
        "type": "perspective", "fov": float(fov),
        "to_world": mi.ScalarTransform4f().look_at(
            origin=[float(v) for v in where], target=[float(v) for v in aim], up=[0, 0, 1]),
        "film": {"type": "hdrfilm", "width": side, "height": side, "rfilter": {"type": "box"}, "pixel_format": "rgb"},
        "sampler": {"type": "independent", "sample_count": spp, "seed": int(rng.integers(1 << 30))},
    }  # fmt: skip


def scene(
    rng: np.random.Generator, side: int, spp: int, props: float, broad: float, fine: float, grounds: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """One photo (sRGB uint8) and its coverage (uint8); with probability `props` other things lie beside the piece,
    with probability `broad` it is much plain metal under soft light, and else with `fine` it is fine: links, hooks. It
    lies on one of the `grounds`."""
    is_broad = rng.random() < broad
    piece = broad_piece(rng) if is_broad else random_piece(rng)
    if fine and not is_broad and rng.random() < fine:
        piece = fine_piece(rng)
    metal = str(rng.choice(list(METALS)))
    surfaces = materials(rng, metal, satin=is_broad and rng.random() < 0.7)
    view = camera(rng, piece, side, spp)
    groups: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for vertices, faces, role in piece.parts:
        groups.setdefault(role, []).append((vertices, faces))
    full: dict = {"type": "scene", "integrator": {"type": "path", "max_depth": 9, "rr_depth": 6}, "sensor": view}
    matte: dict = {"type": "scene", "integrator": {"type": "path", "max_depth": 2}, "sensor": view | {
        "sampler": {"type": "independent", "sample_count": 24}},
        # A black piece before white surroundings: what is not white is covered.
        "white": {"type": "constant", "radiance": {"type": "rgb", "value": 1.0}}}  # fmt: skip
    for role, members in groups.items():
        offset, vertices, faces = 0, [], []
        for v, f in members:
            vertices.append(v)
            faces.append(outward(v, f) + offset)
            offset += len(v)
        v, f = np.concatenate(vertices), np.concatenate(faces)
        full[role] = mesh(role, v, f, surfaces[role])
        matte[role] = mesh(role, v, f, BLACK)
    picture, kind = backdrop(rng, max(768, side), grounds)
    surface: dict = {"type": "diffuse", "reflectance": {"type": "bitmap", "bitmap": mi.Bitmap(picture), "raw": False}}
    if kind == "mirror":
        base = {"type": "rgb", "value": [float(v) for v in picture[0, 0] / 255.0]}
        surface = {"type": "principled", "base_color": base, "metallic": float(rng.choice([0.0, rng.uniform(0.5, 1)])),
                   "roughness": float(rng.uniform(0.03, 0.2)), "specular": 0.9}  # fmt: skip
        if rng.random() < 0.4:  # looking-glass
            surface = {"type": "conductor", "material": "none", "specular_reflectance": base}
    ground = float(np.concatenate([v for v, _, _ in piece.parts])[:, 2].min()) - (
        0.002 if rng.random() < 0.85 else rng.uniform(0.2, 2)
    )
    if rng.random() < props:
        points = np.concatenate([v for v, _, _ in piece.parts])
        half = float(np.linalg.norm(np.ptp(points, axis=0))) / 2
        placed, ground = prop_scene(rng, half, ground)
        for index, ((v, f), stuff) in enumerate(placed):
            v = v + np.array([*points[:, :2].mean(0), 0])
            full[f"prop{index}"] = mesh(f"prop{index}", v, outward(v, f), stuff)
            # In the matte's scene a prop shines like the surroundings: what it hides is not covered.
            matte[f"prop{index}"] = mesh(f"white{index}", v, outward(v, f), BLACK, shining=True)
    full["floor"] = {
        "type": "rectangle", "bsdf": surface,
        "to_world": mi.ScalarTransform4f().translate([0, 0, ground])
        @ mi.ScalarTransform4f().rotate([0, 0, 1], float(rng.uniform(0, 360)))
        @ mi.ScalarTransform4f().scale([11.0, 11.0, 1.0]),
    }  # fmt: skip
    full |= lights(rng, is_plain=is_broad and rng.random() < 0.7)
    linear = np.array(pyoidn.denoise(np.ascontiguousarray(mi.render(mi.load_dict(full)), np.float32), hdr=True))
    alpha = 1 - np.clip(np.array(mi.render(mi.load_dict(matte)))[..., 0], 0, 1)
    return develop(rng, linear, alpha), np.rint(alpha * 255).astype(np.uint8)


def develop(rng: np.random.Generator, linear: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """What a phone makes of the light: exposure on the ground, a cast, a shoulder, sensor noise."""
    ground = np.median(linear[alpha < 0.01].mean(axis=-1)) if (alpha < 0.01).any() else 0.5
    target = rng.uniform(0.25, 0.85) if ground > 0.15 else rng.uniform(0.02, 0.2)
    exposed = linear * (target / max(float(ground), 0.02)) * (1 + rng.normal(0, 0.04, 3))
    exposed = np.where(exposed > 0.8, 0.8 + 0.2 * (1 - np.exp(-(exposed - 0.8) / 0.2)), exposed)
    exposed = exposed + rng.normal(0, 1, exposed.shape) * np.sqrt(np.maximum(exposed, 0)) * rng.uniform(0.002, 0.02)
    exposed = np.clip(exposed, 0, 1)
    encoded = np.where(exposed <= 0.0031308, exposed * 12.92, 1.055 * exposed ** (1 / 2.4) - 0.055)
    return np.rint(encoded * 255).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--side", type=int, default=640)
    parser.add_argument("--spp", type=int, default=24)
    parser.add_argument("--props", type=float, default=0.4)
    parser.add_argument("--broad", type=float, default=0.25)
    parser.add_argument("--fine", type=float, default=0.0)
    parser.add_argument("--grounds", default=",".join(KINDS), help="kinds of backdrop to choose from, with commas")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    dr.set_thread_count(args.threads)
    grounds = tuple(args.grounds.split(","))
    args.out.mkdir(parents=True, exist_ok=True)
    for index in range(args.count):
        stem = args.out / f"{args.seed:03d}_{index:05d}"
        if stem.with_suffix(".png").exists():
            continue
        rng = np.random.default_rng((args.seed, index))
        photo, alpha = scene(rng, args.side, args.spp, args.props, args.broad, args.fine, grounds)
        cv2.imwrite(str(stem.with_suffix(".jpg")), photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
        cv2.imwrite(str(stem.with_suffix(".png")), alpha)


if __name__ == "__main__":
    main()
