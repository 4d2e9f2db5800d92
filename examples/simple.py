"""A photo in, one checked picture out: the calls of the way, on values.

python examples/simple.py            writes ring-etsy.jpg into the current folder
"""

from pathlib import Path

import vitrina

photo = Path(__file__).with_name("ring.jpg")
source = vitrina.take_in(photo.read_bytes(), name=photo.name)
cut = vitrina.cutout(source)
white = vitrina.compose(cut, "white")
draft = vitrina.render(white, market="etsy")
Path("ring-etsy.jpg").write_bytes(draft.data)

# Judge the file that ships, not the picture that was meant to ship.
shipped = vitrina.take_in(draft.data, name="ring-etsy.jpg")
judgement = vitrina.verify(source, shipped, matte=cut.alpha)
print(f"ring-etsy.jpg, {draft.size}: {judgement.verdict}")
for finding in judgement.findings:
    print(f"  {finding.severity}: {finding.message}")
