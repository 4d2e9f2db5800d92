"""What an encoded file says of itself, read from its header only (no pixels are decoded)."""

from __future__ import annotations

import io
import warnings
from typing import Any

from PIL import ExifTags, Image, ImageCms

from vitrina.errors import TooLarge, Unreadable, Unsupported
from vitrina.model import FileFacts, Size

TAKEN = ("JPEG", "PNG", "WEBP", "HEIF", "TIFF", "AVIF")
"""Formats taken in as photos. GIF's palette of 256 colours cannot carry a piece of jewelry."""

_BITS = {"1": 1, "I;16": 16, "I;16B": 16, "I": 32, "F": 32}
_KEPT_TAGS = ("Make", "Model", "Software", "DateTime", "ImageDescription", "Artist", "Copyright")
# Annex K luminance table of ITU-T T.81, from which the usual "quality" scale is derived.
_ANNEX_K_MEAN = 57.625


def probe(data: bytes, *, name: str) -> FileFacts:
    """Read the header of `data`. `name` is used in messages only.

    Raises Unreadable when no picture is found.
    """
    if not data:
        raise Unreadable(f"{name}: the file is empty (0 bytes). Copy it again from the camera.")
    _register_heif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own bomb warning; the limit is ours, in decode
            with Image.open(io.BytesIO(data)) as image:
                return _facts(image, data)
    except Image.DecompressionBombError as error:
        raise TooLarge(f"{name}: {error}. Resize the photo.") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise Unreadable(
            f"{name}: not a picture or damaged ({len(data)} bytes, starts with {data[:8]!r}). "
            "Send the JPEG, PNG, WebP, HEIC or TIFF as the camera wrote it."
        ) from error


def require_taken(facts: FileFacts, *, name: str, max_megapixels: float, any_format: bool = False) -> None:
    """Raise Unsupported or TooLarge unless `facts` is a still photo within the limit (`any_format`: the limit only)."""
    if facts.format not in TAKEN and not any_format:
        raise Unsupported(f"{name}: {facts.format} is not taken. Send JPEG, PNG, WebP, HEIC, AVIF or TIFF.")
    if facts.frames > 1 and facts.format in ("WEBP", "PNG", "AVIF") and not any_format:
        raise Unsupported(f"{name}: an animation of {facts.frames} frames, 1 allowed. Send a still photo.")
    if facts.size.megapixels > max_megapixels:
        raise TooLarge(
            f"{name}: {facts.size.megapixels:.0f} megapixels, limit {max_megapixels:g}. "
            "Resize the photo or raise VITRINA_MAX_MEGAPIXELS."
        )


def _facts(image: Image.Image, data: bytes) -> FileFacts:
    exif = image.getexif()
    icc = image.info.get("icc_profile")
    return FileFacts(
        format=image.format or "unknown",
        size=Size(*image.size),
        mode=image.mode,
        bits=_bits(image, data),
        bytes=len(data),
        frames=int(getattr(image, "n_frames", 1)),
        has_alpha="A" in image.getbands() or "transparency" in image.info,
        icc_description=_describe(icc) if icc else None,
        jpeg_quality=_jpeg_quality(getattr(image, "quantization", None)) if image.format == "JPEG" else None,
        orientation=int(exif.get(ExifTags.Base.Orientation, 1) or 1),
        metadata=_texts(exif, image),
    )


def _bits(image: Image.Image, data: bytes) -> int:
    if image.format == "PNG" and len(data) > 24:
        return data[24]
    if image.format == "TIFF":
        value = getattr(image, "tag_v2", {}).get(258, 8)
        return int(value[0] if isinstance(value, tuple) else value)
    return int(image.info.get("bit_depth", _BITS.get(image.mode, 8)))


def _texts(exif: Image.Exif, image: Image.Image) -> dict[str, str]:
    names = {tag.value: tag.name for tag in ExifTags.Base}
    texts = {names.get(tag, ""): value for tag, value in exif.items()}
    kept = {name: str(texts[name]).strip("\x00 ") for name in _KEPT_TAGS if texts.get(name)}
    xmp = image.info.get("xmp")
    if isinstance(xmp, bytes) and b"DigitalSourceType" in xmp:
        kept["DigitalSourceType"] = _between(xmp, b"digitalsourcetype/")
    if exif.get_ifd(ExifTags.IFD.GPSInfo):
        kept["GPS"] = "present"
    return kept


def _between(xmp: bytes, marker: bytes) -> str:
    _, _, rest = xmp.partition(marker)
    word = rest.split(b'"', 1)[0].split(b"<", 1)[0]
    return word.decode("ascii", "replace") or "present"


def _describe(icc: bytes) -> str:
    try:
        profile: Any = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        return str(ImageCms.getProfileDescription(profile)).strip() or "unnamed"
    except (ImageCms.PyCMSError, OSError):
        return "damaged"


def _jpeg_quality(tables: dict[int, list[int]] | None) -> int | None:
    """The libjpeg quality whose scaled Annex K luminance table has the mean of this file's (ITU-T T.81)."""
    if not tables or 0 not in tables:
        return None
    scale = 100 * (sum(tables[0]) / len(tables[0])) / _ANNEX_K_MEAN
    quality = (200 - scale) / 2 if scale <= 100 else 5000 / scale
    return max(1, min(100, round(quality)))


def _register_heif() -> None:
    import pi_heif

    pi_heif.register_heif_opener()
