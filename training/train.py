"""Train `Finder` or `Refiner` on composed photos; resumable; one CPU core each, side by side if there are two.

    python training/train.py finder RENDERS RUN --steps 1200
    python training/train.py refiner RENDERS RUN --steps 800

RENDERS is what generate.py writes; new renders are noticed while training. RUN/finder.pt and RUN/refiner.pt hold all
that is needed to go on and are written every 25 steps; the .csv beside each gets a line per validation on the
held-out renders. The refiner learns on the coarse answers of RUN/finder.pt as it stands, and on worse ones made up
from the truth. With `--go-on MODELS` an empty RUN begins with the networks that ship, batch norms folded in, and no
earlier checkpoint is needed. Needs torch (CPU) and the packages named in README.md.
"""

from __future__ import annotations

import argparse
import copy
import csv
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from compose import example, renders
from network import MEAN, STD, Finder, Refiner, plate_of, take
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, IterableDataset

WHOLE, SIDE, CROP = 1024, 640, 160
"""Pixels of a side: of the finder's photos, of the refiner's, and of the windows cut from those."""
SIDES, SHARES = (224, 320, 480, 640, 832, 1024), (0.08, 0.14, 0.14, 0.26, 0.18, 0.2)
"""How large the finder is shown its photos, and how often."""
PIXELS, BATCH = 4 * 416**2, 4
"""What the finder is shown a step, about, and of how many photos at most."""
PHOTOS, CROPS = 2, 12
"""Of the refiner: photos a step, and windows cut from them."""
HELD_OUT = 32
"""Renders that a validation looks at, about, from all seeds."""
KEEP = 0.98
"""Of the running mean of the weights, per step; the mean is what ships."""


class Stream(IterableDataset):
    """Endless examples: (photo uint8 (side, side, 3), alpha float32 (side, side)), fixed by seed and renders."""

    def __init__(self, folder: Path, seed: int, start: int, side: int, *, near: bool) -> None:
        self.folder, self.seed, self.start, self.side, self.near = folder, seed, start, side, near

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        cv2.setNumThreads(1)
        index = self.start
        while True:
            if (index - self.start) % 200 == 0:
                mattes = renders(self.folder, held_out=False)
            made = example(np.random.default_rng((self.seed, index)), self.side, mattes, near=self.near)
            yield np.ascontiguousarray(made.photo), np.ascontiguousarray(made.alpha, np.float32)
            index += 1


def planes(photo: Tensor) -> Tensor:
    """uint8 (n, h, w, 3) → network input (n, 3, h, w)."""
    x = photo.permute(0, 3, 1, 2).float() / 255
    return (x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]


def loss_of(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross entropy, absolute and gradient error, weighted towards edges: links, holes and prongs are there."""
    wide = F.max_pool2d(truth, 5, 1, 2)
    narrow = -F.max_pool2d(-truth, 5, 1, 2)
    weight = 1 + 3 * ((wide - narrow) > 0.1).float()
    found = torch.sigmoid(logits)
    even = F.binary_cross_entropy_with_logits(logits, truth, reduction="none") + (found - truth).abs()
    slope = sum((found.diff(dim=d) - truth.diff(dim=d)).abs().mean() for d in (2, 3))
    return (even * weight).mean() + 3 * slope


def missed(logits: Tensor, truth: Tensor) -> Tensor:
    """One minus the soft overlap per picture: small pieces count as much as large ones."""
    found = torch.sigmoid(logits)
    both = (found * truth).sum((1, 2, 3))
    return (1 - (2 * both + 20) / (found.sum((1, 2, 3)) + truth.sum((1, 2, 3)) + 20)).mean()


def shrink(x: Tensor, side: int) -> Tensor:
    return F.interpolate(x, size=(side, side), mode="area")


def resized(x: Tensor, side: int) -> Tensor:
    return enlarge(x, side) if side >= x.shape[-1] else shrink(x, side)


def enlarge(x: Tensor, side: int) -> Tensor:
    return F.interpolate(x, size=(side, side), mode="bilinear", align_corners=False)


def look(finder: Finder, x: Tensor, side: int, before: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
    """What the finder says of `x` shown at `side`, given what it said before (alpha of any size)."""
    belief = torch.zeros(len(x), 1, side, side) if before is None else 2 * resized(before, side) - 1
    return finder(torch.cat([shrink(x, side), belief], 1).contiguous(memory_format=torch.channels_last))


def twice(finder: Finder, x: Tensor, small: tuple[int, ...], side: int) -> Tensor:
    """Alpha (n, 1, side/2, side/2): looked at small, and again at `side` in that belief."""
    before = sum(enlarge(torch.sigmoid(look(finder, x, s)), max(small)) for s in small) / len(small)
    return torch.sigmoid(look(finder, x, side, before))


@torch.no_grad()
def believed(finder: Finder, rng: np.random.Generator, x: Tensor, truth: Tensor, side: int) -> Tensor | None:
    """A belief to train with: none, the finder's own from smaller pictures, or one made up from the truth."""
    plan = rng.random()
    if side <= 288 or plan < 0.12:
        return None
    if plan < 0.3:
        return torch.cat([spoilt(rng, t[None]) for t in truth])
    if plan < 0.5:  # so that it learns to use a belief that is right
        return shrink(truth, int(rng.integers(80, 200)))
    finder.eval()
    own = torch.sigmoid(look(finder, x, int(rng.choice([s for s in (160, 192, 224, 288, 320) if s <= side * 0.7]))))
    finder.train()
    return own


def finder_loss(finder: Finder, rng: np.random.Generator, x: Tensor, truth: Tensor, side: int) -> Tensor:
    logits, hint = look(finder, x, side, believed(finder, rng, x, truth, side))
    half = shrink(truth, side // 2)
    deep = F.binary_cross_entropy_with_logits(hint, shrink(truth, side // 8))
    return loss_of(logits, half) + 0.5 * missed(logits, half) + 0.3 * deep


def refiner_loss(refiner: Refiner, finder: Finder, rng: np.random.Generator, x: Tensor, truth: Tensor) -> Tensor:
    inputs, wanted = windows(rng, x, truth, finder, refiner)
    with torch.autocast("cpu", torch.bfloat16):
        logits = refiner(inputs.contiguous(memory_format=torch.channels_last))
    return loss_of(logits.float(), wanted)


def spoilt(rng: np.random.Generator, truth: Tensor) -> Tensor:
    """A coarse answer made up from the truth: blurred, holes closed, parts faded, its edge shifted."""
    side = truth.shape[-1]
    low = shrink(truth, int(side / rng.uniform(1.5, 5)))
    if rng.random() < 0.7:
        reach = int(rng.choice([3, 5, 7]))
        closed = -F.max_pool2d(-F.max_pool2d(low, reach, 1, reach // 2), reach, 1, reach // 2)
        low = low + (closed - low) * float(rng.uniform(0.3, 1))
    size = low.shape[-1]
    field = torch.from_numpy(rng.normal(0, 1, (1, 1, *[int(rng.integers(3, 40))] * 2)).astype(np.float32))
    field = F.interpolate(field, size=(size, size), mode="bicubic")
    low = torch.sigmoid(
        (F.avg_pool2d(low, 3, 1, 1) - 0.45) * float(rng.uniform(5, 14)) + field * float(rng.uniform(0, 2))
    )
    return enlarge(low, side).clamp(0, 1)


@torch.no_grad()
def windows(
    rng: np.random.Generator, x: Tensor, truth: Tensor, finder: Finder, refiner: Refiner
) -> tuple[Tensor, Tensor]:
    """Windows at the resolution of the pixels, mostly where the truth has edges or the coarse answer errs."""
    inputs, wanted = [], []
    coarse, ground = [], []
    for n in range(len(x)):
        if rng.random() < 0.6:
            large = int(rng.choice([448, 640, 640]))
            soft = enlarge(twice(finder, x[n : n + 1], (int(rng.choice([224, 320])),), large), SIDE)
            if rng.random() < 0.3:  # the refiner is asked at ratios up to four
                soft = enlarge(shrink(soft, int(SIDE / rng.uniform(3, 5))), SIDE)
        else:
            soft = spoilt(rng, truth[n : n + 1])
        if rng.random() < 0.2:  # and to go over its own answer
            refiner.eval()
            soft = torch.sigmoid(refiner(torch.cat([x[n : n + 1], soft, plate_of(x[n : n + 1], soft)], 1)))
            refiner.train()
        coarse.append(soft)
        ground.append(plate_of(x[n : n + 1], soft))
    for k in range(CROPS):
        n = k % len(x)
        soft = coarse[n]
        edge = (truth[n : n + 1] > 0.05) & (truth[n : n + 1] < 0.95)
        doubt = 0.5 * (truth[n : n + 1] - soft).abs() + edge.float()
        flat = F.avg_pool2d(doubt, 16)[0, 0].flatten().numpy().astype(np.float64) + 1e-3
        if rng.random() < 0.15:
            flat[:] = 1
        cell = int(rng.choice(len(flat), p=flat / flat.sum()))
        cy, cx = (int(v) * 16 + int(rng.integers(-50, 66)) for v in divmod(cell, SIDE // 16))
        top, left = (int(np.clip(v - CROP // 2, 0, SIDE - CROP)) for v in (cy, cx))
        box = np.s_[:, :, top : top + CROP, left : left + CROP]
        inputs.append(torch.cat([x[n : n + 1][box], soft[box], ground[n][box]], 1))
        wanted.append(truth[n : n + 1][box])
    return torch.cat(inputs), torch.cat(wanted)


@torch.no_grad()
def validate(finder: Finder, refiner: Refiner | None, held_out: list[Path]) -> dict[str, float]:
    """Means over held-out renders: matte MSE ×10³, % of solid lost, of near ground filled."""
    rows = []
    for path in held_out:
        photo = cv2.imread(str(path.with_suffix(".jpg")))[..., ::-1].copy()
        truth = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255
        x = planes(torch.from_numpy(photo)[None])
        alpha = enlarge(twice(finder, x, (224, 320), min(WHOLE, len(photo))), len(photo))
        if refiner is not None:
            alpha = torch.sigmoid(refiner(torch.cat([x, alpha, plate_of(x, alpha)], 1)))
        found = alpha[0, 0].numpy()
        solid, near = truth > 0.95, (truth < 0.05) & (cv2.dilate(truth, np.ones((15, 15))) > 0.5)
        rows.append(
            [1e3 * ((found - truth) ** 2).mean(), 100 * (found[solid] < 0.5).mean(), 100 * (found[near] > 0.5).mean()]
        )
    return dict(zip(("mse", "lost", "filled"), np.mean(rows, 0).round(3).tolist(), strict=True))


def load(path: Path, *parts: torch.nn.Module) -> int:
    """Put what `path` keeps into the parts (weights, their running mean, optimiser) and give the step, or 0."""
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    for part, name in zip(parts, ("net", "mean", "optimiser"), strict=False):
        part.load_state_dict(state[name])
    return int(state["step"])


def note(table: Path, step: int, finder: Finder, refiner: Refiner | None, held_out: list[Path]) -> None:
    """Add a line to the table of validations."""
    line = {"step": step, **validate(finder, refiner, held_out)}
    print(line, flush=True)
    fresh = not table.exists()
    with table.open("a", newline="") as file:
        writer = csv.DictWriter(file, line)
        if fresh:
            writer.writeheader()
        writer.writerow(line)


def begun(net: torch.nn.Module, models: Path | None) -> torch.nn.Module:
    """`net` as it is, or with the weights that ship in `models`."""
    return net if models is None else take(net, models / f"{type(net).__name__.lower()}.onnx")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["finder", "refiner"])
    parser.add_argument("renders", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--pace", type=float, default=1.0, help="factor on the learning rates; below 1 to go on from a run"
    )
    parser.add_argument("--go-on", type=Path, metavar="MODELS", help="begin with the networks that ship there")
    args = parser.parse_args()
    args.run.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    net = begun(Finder() if args.part == "finder" else Refiner(), args.go_on).to(memory_format=torch.channels_last)
    named = [(name, p) for name, p in net.named_parameters() if p.requires_grad]
    groups = [{"params": [p for name, p in named if name.startswith("encoder")], "peak": 3e-4},
              {"params": [p for name, p in named if not name.startswith("encoder")], "peak": 2e-3}]  # fmt: skip
    optimiser = torch.optim.AdamW([group for group in groups if group["params"]], lr=1e-3, weight_decay=1e-4)
    mean = copy.deepcopy(net).eval()
    path = args.run / f"{args.part}.pt"
    step = load(path, net, mean, optimiser)
    coarse = begun(Finder(), args.go_on).eval()
    is_whole = args.part == "finder"
    photos = Stream(args.renders, args.seed + 100 * (not is_whole), step * BATCH, WHOLE if is_whole else SIDE,
                    near=not is_whole)  # fmt: skip
    stream = iter(DataLoader(photos, batch_size=None, num_workers=1, prefetch_factor=8))
    held_out = renders(args.renders, held_out=True)
    held_out = held_out[:: max(1, len(held_out) // HELD_OUT)]
    table = args.run / f"{args.part}.csv"
    if step == 0:
        note(table, 0, *((mean, None) if args.part == "finder" else (coarse, mean)), held_out)
    started, total = time.time(), []
    while step < args.steps:
        if args.part == "refiner" and (step % 100 == 0 or not total):
            load(args.run / "finder.pt", copy.deepcopy(coarse), coarse)
        rng = np.random.default_rng((args.seed, step, 7))
        pace = min(1.0, (step + 1) / 40) * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * step / args.steps)))
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * float(pace) * args.pace
        side = int(rng.choice(SIDES, p=SHARES))
        count = max(1, min(BATCH, round(PIXELS / side**2))) if is_whole else PHOTOS
        photo, alpha = (torch.stack(member) for member in zip(*(next(stream) for _ in range(count)), strict=True))
        x, truth = planes(photo), alpha[:, None]
        net.train()
        loss = finder_loss(net, rng, x, truth, side) if is_whole else refiner_loss(net, coarse, rng, x, truth)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        step += 1
        keep = min(KEEP, step / (step + 20))
        with torch.no_grad():
            for own, run in zip(net.state_dict().values(), mean.state_dict().values(), strict=True):
                run.lerp_(own, 1 - keep) if run.is_floating_point() else run.copy_(own)
        total.append(loss.item())
        if step % 25 == 0 or step == args.steps:
            print(f"{args.part} {step} {np.mean(total[-25:]):.4f} {time.time() - started:.0f} s", flush=True)
            kept = {"net": net, "mean": mean, "optimiser": optimiser}
            state = {name: part.state_dict() for name, part in kept.items()} | {"step": step}
            torch.save(state, path.with_suffix(".part"))
            path.with_suffix(".part").replace(path)
        if step % 150 == 0 or step == args.steps:
            note(table, step, *((mean, None) if args.part == "finder" else (coarse, mean)), held_out)


if __name__ == "__main__":
    main()
