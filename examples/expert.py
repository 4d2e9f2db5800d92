"""The same photo on numpy arrays: a segmenter of one's own, and an edit that lies, to see it caught.

python examples/expert.py            prints what was found, and where
"""

from pathlib import Path

import numpy as np

import vitrina
from vitrina import steps
from vitrina.imaging.colour import delta_e00, lab, lab_of
from vitrina.model import Alpha, Rgb


class Careful:
    """The shipped network, believed only where the colour differs from the paper too: a `Segmenter` like any plugin."""

    name = "shipped, and unlike the paper"

    def __init__(self) -> None:
        self._shipped = steps.segmenter()

    def find(self, rgb: Rgb) -> Alpha:
        """Soft evidence 0…1 at the size of `rgb`, which is linear light."""
        rim = np.concatenate([rgb[0], rgb[-1], rgb[:, 0], rgb[:, -1]])
        unlike_paper = np.clip(delta_e00(lab(rgb), lab_of(np.median(rim, axis=0))) / 4, 0, 1)
        return np.asarray(np.minimum(self._shipped.find(rgb), np.maximum(unlike_paper, 0.2)), np.float32)

    def refine(self, rgb: Rgb, alpha: Alpha) -> Alpha:
        """`alpha` redrawn from the pixels."""
        return self._shipped.refine(rgb, alpha)


photo = Path(__file__).with_name("ring.jpg")
source = vitrina.take_in(photo.read_bytes(), name=photo.name)
cut = vitrina.cutout(source, finder=Careful())
honest = vitrina.compose(cut, "white")

# Where alpha is 1, the variant's pixels are the source's, bit for bit: nothing was generated.
dx, dy = int(honest.placement.dx), int(honest.placement.dy)
rows, columns = np.nonzero(cut.alpha == 1)
assert np.array_equal(honest.rgb[rows + dy, columns + dx], source.rgb[rows, columns])
print(f"{len(rows)} product pixels are the photo's own")

# Recolour the most colourful spot, as a generator that "improves" a stone would.
colours = lab(honest.rgb)
chroma = np.hypot(colours[..., 1], colours[..., 2])
row, column = np.unravel_index(int(np.argmax(chroma * (honest.alpha > 0.99 if dx or dy else 1))), chroma.shape)
ys, xs = np.mgrid[: chroma.shape[0], : chroma.shape[1]]
spot = np.hypot(ys - row, xs - column)[..., None] < 0.06 * max(chroma.shape)
lie = np.where(spot, honest.rgb[..., ::-1], honest.rgb)

for name, rgb in (("the honest variant", honest.rgb), ("the one that lies", np.ascontiguousarray(lie))):
    judgement = vitrina.verify(source, vitrina.from_array(rgb, name=name), matte=cut.alpha)
    print(f"{name}: {judgement.verdict}")
    for finding in judgement.findings:
        print(f"  {finding.severity} {finding.check} {finding.region}: {finding.message}")
