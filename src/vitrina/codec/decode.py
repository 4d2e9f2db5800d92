"""Bytes to a `Source`: upright, in linear sRGB."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vitrina.codec import raw
from vitrina.codec.icc import to_srgb
from vitrina.codec.metadata import TAKEN, probe, require_taken
from vitrina.errors import Unreadable
from vitrina.imaging.colour import decode_srgb
from vitrina.model import Alpha, Finding, Rgb, Severity, Source

if TYPE_CHECKING:
    import pyvips

MAX_MEGAPIXELS = 120.0


def decode(data: bytes, *, name: str, max_megapixels: float = MAX_MEGAPIXELS, any_format: bool = False) -> Source:
    """Decode a photo: EXIF orientation and ICC profile applied, linear float32.

    Transparent pictures are laid on white and keep their alpha beside it. With `any_format` also kinds that are not
    taken in as photos are opened (GIF, BMP), an animation by its first frame: to judge a file that somebody uploads.

    Raises
    ------
    Unreadable, Unsupported, TooLarge
        Naming the file, the value, the limit and the remedy.
    """
    facts = probe(data, name=name)
    require_taken(facts, name=name, max_megapixels=max_megapixels, any_format=any_format)
    if facts.format == raw.FORMAT:
        return Source(rgb=_developed(data, name), name=name, facts=facts)
    import pyvips

    notes: list[Finding] = []
    try:
        if facts.format == "HEIF":
            image = _open_heif(data)
        else:
            opened = _open(data) if facts.format in TAKEN else _open_by_pillow(data)
            image = _upright(opened, facts.orientation)
        image = image.flatten() if image.bands not in (1, 2, 3, 4) else image
        alpha_band = None
        if image.hasalpha():
            alpha_band = image[image.bands - 1]
            image = image[0 : image.bands - 1]
        if image.bands == 1:
            image = image.colourspace("rgb16" if image.format == "ushort" else "srgb")
        image, said = to_srgb(image)
        if said is None and facts.icc_description == "damaged":
            said = "the embedded ICC profile is damaged: sRGB was assumed"
        if said:
            notes.append(_note("colour-assumed", said))
        pixels = _array(image[0:3] if image.bands > 3 else image)
        alpha = None if alpha_band is None else _coverage(_array(alpha_band)[..., 0])
    except (pyvips.Error, OSError, ValueError, RuntimeError) as error:
        raise _damaged(error, data, name) from error
    rgb = decode_srgb(pixels)
    if alpha is not None and float(alpha.min()) >= 0.999:
        alpha = None
    if alpha is not None:
        rgb = alpha[..., None] * rgb + (1 - alpha[..., None])
        notes.append(_note("transparent", "the file has transparency; it was laid on white"))
    return Source(rgb=rgb, name=name, facts=facts, alpha=alpha, notes=tuple(notes))


def decode_alpha(data: bytes, *, name: str, max_megapixels: float = MAX_MEGAPIXELS) -> Alpha | None:
    """The transparency of a PNG, as `decode` gives it, without developing its colours; None where it has none.

    Raises what `decode` raises.
    """
    facts = probe(data, name=name)
    require_taken(facts, name=name, max_megapixels=max_megapixels)
    if facts.format == "PNG" and not facts.has_alpha:
        return None
    if facts.format != "PNG" or facts.orientation not in (0, 1):
        return decode(data, name=name, max_megapixels=max_megapixels).alpha
    import pyvips

    try:
        image = pyvips.Image.new_from_buffer(data, "", access="sequential", fail_on="truncated")
        alpha = _coverage(_array(image[image.bands - 1])[..., 0])
    except pyvips.Error as error:
        raise _damaged(error, data, name) from error
    return None if float(alpha.min()) >= 0.999 else alpha


def _developed(data: bytes, name: str) -> Rgb:
    try:
        return raw.develop(data)
    except (OSError, ValueError, RuntimeError, MemoryError) as error:
        raise _damaged(error, data, name) from error


def _damaged(error: Exception, data: bytes, name: str) -> Unreadable:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return Unreadable(
        f"{name}: the picture is damaged ({reason[:120]}; {len(data)} bytes). Copy it again from the camera."
    )


def _open(data: bytes) -> pyvips.Image:
    import pyvips

    return pyvips.Image.new_from_buffer(data, "", access="sequential", fail_on="truncated").copy_memory()


def _open_by_pillow(data: bytes) -> pyvips.Image:
    """The first frame of a kind that libvips' wheel does not read."""
    import pyvips
    from PIL import Image

    with Image.open(io.BytesIO(data)) as picture:
        see_through = "A" in picture.getbands() or "transparency" in picture.info
        pixels = np.asarray(picture.convert("RGBA" if see_through else "RGB"))
    return pyvips.Image.new_from_array(pixels).copy(interpretation="srgb")


def _upright(image: pyvips.Image, orientation: int) -> pyvips.Image:
    """`image` turned as its EXIF says, also where libvips does not look (a PNG's EXIF behind its pixels)."""
    import pyvips

    if image.get_typeof("orientation") == 0 and orientation in range(2, 9):
        image = image.copy()
        image.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    return image.autorot()


def _open_heif(data: bytes) -> pyvips.Image:
    """HEIC through pi-heif (libvips' wheel has no HEVC); the container's rotation is applied by the library."""
    import pi_heif
    import pyvips

    heif = pi_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
    image = pyvips.Image.new_from_array(np.ascontiguousarray(np.asarray(heif)))
    image = image.copy(interpretation="srgb" if image.bands >= 3 else "b-w")
    if profile := heif.info.get("icc_profile"):
        image = image.copy()
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return image


def _array(image: pyvips.Image) -> NDArray[np.uint8] | NDArray[np.uint16]:
    if image.format not in ("uchar", "ushort"):
        image = image.cast("ushort" if image.interpretation == "rgb16" else "uchar")
    pixels: NDArray[np.uint8] | NDArray[np.uint16] = image.numpy()
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _coverage(values: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.float32]:
    full = 65535.0 if values.dtype == np.uint16 else 255.0
    return (values / np.float32(full)).astype(np.float32)


def _note(code: str, message: str) -> Finding:
    return Finding("file", code, Severity.NOTE, None, None, "", message[0].upper() + message[1:] + ".")


def read_srgb8(data: bytes) -> NDArray[np.uint8]:
    """The 8-bit sRGB pixels of a file that we wrote ourselves, (rows, columns, 3), as every viewer sees them."""
    import pyvips

    return np.asarray(pyvips.Image.new_from_buffer(data, "").numpy(), np.uint8)
