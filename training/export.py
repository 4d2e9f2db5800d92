"""Write the trained networks as ONNX files and print their SHA-256 for models.toml.

    python training/export.py RUN src/vitrina/backends/models
    python training/export.py RUN src/vitrina/backends/models --began MODELS --share 0.8

With `--began`, what ships is the mean of the networks in MODELS, from which the run went on, and of its own, `--share`
of it: further training unlearns a little of what was known, and a mean keeps most of both (Wortsman et al. 2022,
"Robust fine-tuning of zero-shot models").

The running mean of the weights ships, batch norms folded in; inputs of any size that is a multiple of 32, answers are
coverage 0…1. The same checkpoints give the same bytes. Needs torch (CPU) and onnx.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import onnx
import torch
from network import PLANES, Finder, Refiner, fold, take
from torch import Tensor, nn


class Answering(nn.Module):
    """A network whose logits are turned into coverage."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.net(x))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--began", type=Path, metavar="MODELS", help="average with the networks that ship there")
    parser.add_argument("--share", type=float, default=0.8, help="of the run's own weights in that mean, 0 to 1")
    args = parser.parse_args()
    run, folder = args.run, args.folder
    for name, net, channels in (("finder", Finder(), 4), ("refiner", Refiner(), PLANES)):
        if not (run / f"{name}.pt").exists():  # this sitting trained the other one alone
            print(f"{name}: no checkpoint in {run}, left as it is")
            continue
        state = torch.load(run / f"{name}.pt", weights_only=True)
        if not any(key.endswith("running_mean") for key in state["mean"]):  # went on from a network that shipped
            fold(net)
        net.load_state_dict(state["mean"])
        fold(net)
        if args.began is not None:
            before = take(type(net)(), args.began / f"{name}.onnx").state_dict()
            net.load_state_dict({k: before[k].lerp(own, args.share) for k, own in net.state_dict().items()})
        net = Answering(net).eval()
        path = folder / f"{name}.onnx"
        torch.onnx.export(
            net, (torch.zeros(1, channels, 256, 256),), str(path), input_names=["planes"], output_names=["alpha"],
            dynamic_axes={"planes": {2: "h", 3: "w"}, "alpha": {2: "ah", 3: "aw"}}, opset_version=17, dynamo=False,
        )  # fmt: skip
        model = onnx.load(path)
        del model.graph.value_info[:]
        model.doc_string = f"vitrina {name}, step {state['step']}"
        for node in model.graph.node:
            node.doc_string = ""
        onnx.save(model, path)
        print(f"{name}.onnx {path.stat().st_size} bytes, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
