"""A full card from a 12-megapixel photo beside rembg's cutout alone: wall time, processor time and peak memory.

    python benchmarks/card.py [PHOTO] [--rembg-python PYTHON --u2net FOLDER]

The card is the whole job: source check, cutout, edge check, two variants, ten drafts for five marketplaces, every
file read back and verified, report and certificate. Without PHOTO a drawn chain on paper of 4000×3000 px is used.
rembg (in a Python environment of its own; FOLDER holds its ``u2net.onnx``) does one thing: u2net with alpha matting,
as in its README. Each runs in a fresh process, one after the other, on the same machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

_REMBG = """
import sys
from rembg import new_session, remove
data = open(sys.argv[1], "rb").read()
session = new_session("u2net")
out = remove(data, session=session, alpha_matting=True)
open(sys.argv[2], "wb").write(out)
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took; memory in MiB."""

    wall_s: float
    cpu_s: float
    peak_mib: int
    code: int


def measured(command: list[str], environment: dict[str, str]) -> Cost:
    """Run `command` and read its own account from the kernel."""
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024, os.waitstatus_to_exitcode(status))


def drawn(path: Path) -> None:
    """A photo of 12 megapixels: a drawn chain on paper with the grain of a small sensor."""
    import cv2
    import numpy as np

    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests import scenes
    from vitrina.codec.encode import encode_jpeg
    from vitrina.model import Size

    small = scenes.chain(Size(2000, 1500), links=30, wire=1.4).rgb
    large = np.asarray(cv2.resize(small, (4000, 3000), interpolation=cv2.INTER_CUBIC), np.float32)
    grain = np.random.default_rng(3).normal(0, 0.006, large.shape[:2]).astype(np.float32)
    path.write_bytes(encode_jpeg(np.clip(large * (1 + grain[..., None]), 0, 1), quality=93))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("photo", nargs="?", type=Path)
    parser.add_argument("--rembg-python", type=Path, help="python of an environment with rembg[cpu]")
    parser.add_argument("--u2net", type=Path, help="folder with rembg's u2net.onnx")
    given = parser.parse_args()
    rows: dict[str, Cost] = {}
    with tempfile.TemporaryDirectory() as folder:
        photo = given.photo or Path(folder) / "chain.jpg"
        if given.photo is None:
            drawn(photo)
        home, out = Path(folder) / "home", Path(folder) / "card"
        card = [sys.executable, "-m", "vitrina", "card", str(photo), "--sku", "BENCH", "-o", str(out), "--force"]
        rows["vitrina card, 2 looks × 5 marketplaces"] = measured(card, {**os.environ, "VITRINA_HOME": str(home)})
        report = json.loads((out / "report.json").read_text("utf-8"))
        print(f"{photo.name}: {len(report['drafts'])} drafts, verdict {report['verdict']}")
        if given.rembg_python:
            weights = {"U2NET_HOME": str(given.u2net), "MODEL_CHECKSUM_DISABLED": "1"} if given.u2net else {}
            clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
            cutout = [str(given.rembg_python), "-c", _REMBG, str(photo), str(Path(folder) / "rembg.png")]
            rows["rembg u2net + alpha matting, cutout only"] = measured(cutout, {**clean, **weights})
    print(f"{'':42} {'wall s':>8} {'cpu s':>8} {'peak MiB':>9} {'exit':>5}")
    for name, cost in rows.items():
        print(f"{name:42} {cost.wall_s:8.1f} {cost.cpu_s:8.1f} {cost.peak_mib:9} {cost.code:5}")


if __name__ == "__main__":
    main()
