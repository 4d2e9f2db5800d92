"""Photos cut out once and kept: what several benchmarks render from."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from vitrina import steps
from vitrina.model import Cutout, Variant
from vitrina.stages.cutout import parts_of


def dressed(photo: Path, look: str, *, kept: Path | None) -> Variant | None:
    """The piece in `photo` dressed in `look`, or None when there is none; its master is read from, or put into, `kept`.

    A master is a 16-bit PNG named after the photo and the digest of its bytes: another photo is another master.
    """
    data = photo.read_bytes()
    file = None if kept is None else kept / f"{photo.stem}-{hashlib.sha256(data).hexdigest()[:12]}.png"
    if file is not None and file.is_file():
        master = steps.take_in(file.read_bytes(), name=file.name)
        assert master.alpha is not None
        cut = Cutout(master.rgb, master.alpha, parts_of(master.alpha), (0.5, 0.5, 0.5), "kept")
    else:
        cut = steps.cutout(steps.take_in(data, name=photo.name), finder=steps.segmenter())
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(steps.master(cut))
    return steps.compose(cut, look) if cut.parts else None
