"""Pictures for looking at: a pyramid of tiles, so that any size zooms at once, with two small ones beside it."""

from __future__ import annotations

import io
import json
import zipfile

from vitrina.codec.decode import decode
from vitrina.codec.metadata import probe
from vitrina.imaging.colour import encode_srgb8
from vitrina.model import Rgb

TILE_PX = 512
THUMB_PX, PREVIEW_PX = 480, 1600


def pyramid(data: bytes, *, name: str, max_megapixels: float = 120.0) -> bytes:
    """A ZIP (stored) of ``tiles/LEVEL/X_Y.jpg``, ``thumb.jpg``, ``preview.jpg`` and ``info.json``.

    Level 0 is one tile; every level is twice as large; the last is the picture itself, upright, in sRGB. A PNG with
    alpha keeps it (its tiles are WebP), so that it can be laid on any ground.
    """
    import pyvips

    facts = probe(data, name=name)
    if facts.format == "PNG" and facts.has_alpha:
        image = pyvips.Image.new_from_buffer(data, "").copy_memory()
        image = image.colourspace("srgb") if image.format == "ushort" else image
        return _packed(image, ".webp", has_alpha=True)
    return pyramid_of(decode(data, name=name, max_megapixels=max_megapixels, any_format=True).rgb)


def pyramid_of(rgb: Rgb) -> bytes:
    """`pyramid` of linear pixels."""
    import pyvips

    return _packed(pyvips.Image.new_from_array(encode_srgb8(rgb)).copy(interpretation="srgb"), ".jpg", has_alpha=False)


def _packed(image: object, suffix: str, *, has_alpha: bool) -> bytes:
    import pyvips

    assert isinstance(image, pyvips.Image)
    packed = image.dzsave_buffer(
        imagename="tiles", tile_size=TILE_PX, overlap=0, depth="onetile", suffix=f"{suffix}[Q=90]", keep=0
    )
    out = io.BytesIO()
    info = {"width": image.width, "height": image.height, "tile": TILE_PX, "alpha": has_alpha, "levels": 0}
    with zipfile.ZipFile(io.BytesIO(packed)) as made, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as kept:
        for entry in made.namelist():
            parts = entry.split("_files/")
            if len(parts) == 2 and entry.endswith(suffix):
                kept.writestr(f"tiles/{parts[1]}", made.read(entry))
                info["levels"] = max(int(info["levels"]), int(parts[1].split("/")[0]) + 1)
        flat = image.flatten(background=[128, 128, 128]) if has_alpha else image
        for side, called in ((THUMB_PX, "thumb.jpg"), (PREVIEW_PX, "preview.jpg")):
            scale = min(1.0, side / max(flat.width, flat.height))
            kept.writestr(called, flat.resize(scale).write_to_buffer(".jpg", Q=86, keep=0))
        kept.writestr("info.json", json.dumps(info))
    return out.getvalue()
