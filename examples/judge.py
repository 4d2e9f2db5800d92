"""Judge what another tool made of a photo: the verdict, what changed and where, and a heatmap to look at.

python examples/judge.py PHOTO EDIT...     judges your own files
python examples/judge.py                   judges a picture that was "enhanced" here, and writes enhanced-heat.png
"""

import sys
from pathlib import Path

import cv2
import numpy as np

import vitrina
from vitrina import steps
from vitrina.codec.encode import encode_jpeg, encode_png8


def enhanced(source: vitrina.Source) -> bytes:
    """The card that an over-eager beautifier would deliver: white ground, smooth metal, warmer gold."""
    card = vitrina.compose(vitrina.cutout(source), "white").rgb
    smooth = cv2.bilateralFilter(np.ascontiguousarray(card), 15, 0.15, 5)
    warmer = smooth * np.array((1.0, 0.9, 0.72), np.float32)
    on_piece = card.min(axis=-1, keepdims=True) < 0.8
    return encode_jpeg(np.clip(np.where(on_piece, warmer, card), 0, 1), quality=90)


photo = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("ring.jpg")
source = vitrina.take_in(photo.read_bytes(), name=photo.name)
edits = {Path(name).stem: Path(name).read_bytes() for name in sys.argv[2:]} or {"enhanced": enhanced(source)}
finder = steps.segmenter()
for name, data in edits.items():
    seen = steps.examine(source, vitrina.take_in(data, name=name), finder=finder)
    print(f"{name}: {seen.judgement.verdict}")
    for finding in seen.judgement.findings:
        print(f"  {finding.severity:5} {finding.check}: {finding.message}")
    if seen.pair is not None:
        Path(f"{name}-heat.png").write_bytes(encode_png8(seen.heatmap()))
