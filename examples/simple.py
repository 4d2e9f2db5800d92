"""A photo in, one checked picture out: the five calls of the way, on values.

python examples/simple.py            writes ring-etsy.jpg into the current folder
"""

from pathlib import Path

import vitrina

photo = Path(__file__).with_name("ring.jpg")
source = vitrina.take_in(photo.read_bytes(), name=photo.name)
white = vitrina.compose(vitrina.cutout(source), "white")
draft = vitrina.render(white, market="etsy")
Path("ring-etsy.jpg").write_bytes(draft.data)

# Judge the file that ships, not the picture that was meant to ship.
shipped = vitrina.take_in(draft.data, name="ring-etsy.jpg")
judgement = vitrina.verify(source, shipped)
print(f"ring-etsy.jpg, {draft.size}: {judgement.verdict}")
for finding in judgement.findings:
    print(f"  {finding.severity}: {finding.message}")
