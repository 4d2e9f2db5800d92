"""Write the trained networks as ONNX files and print their SHA-256 for models.toml.

    python training/export.py RUN src/vitrina/backends/models

The running mean of the weights ships, batch norms folded in; inputs of any size that is a multiple of 32, answers are
coverage 0…1. The same checkpoints give the same bytes. Needs torch (CPU) and onnx.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import onnx
import torch
from network import PLANES, Finder, Refiner, fold
from torch import Tensor, nn


class Answering(nn.Module):
    """A network whose logits are turned into coverage."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.net(x))


def main(run: Path, folder: Path) -> None:
    for name, net, channels in (("finder", Finder(), 4), ("refiner", Refiner(), PLANES)):
        if not (run / f"{name}.pt").exists():  # this sitting trained the other one alone
            print(f"{name}: no checkpoint in {run}, left as it is")
            continue
        state = torch.load(run / f"{name}.pt", weights_only=True)
        if not any(key.endswith("running_mean") for key in state["mean"]):  # went on from a network that shipped
            fold(net)
        net.load_state_dict(state["mean"])
        net = Answering(fold(net)).eval()
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
    main(Path(sys.argv[1]), Path(sys.argv[2]))
