"""What an encoded file says of itself, read from its header only (no pixels are decoded)."""

from __future__ import annotations

import io
import warnings
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from PIL import ExifTags, Image, ImageCms

from vitrina.codec import raw
from vitrina.codec.provenance import marks
from vitrina.errors import TooLarge, Unreadable, Unsupported
from vitrina.model import FileFacts, Size

TAKEN = ("JPEG", "PNG", "WEBP", "HEIF", "TIFF", "AVIF", raw.FORMAT)
"""Formats taken in as photos. GIF's palette of 256 colours cannot carry a piece of jewelry."""

_BITS = {"1": 1, "I;16": 16, "I;16B": 16, "I": 32, "F": 32}
_KEPT_TAGS = ("Make", "Model", "Software", "DateTime", "ImageDescription", "Artist", "Copyright")
_XMP_KEY = b"XML:com.adobe.xmp\0"
_LONGEST = 1 << 22
"""Bytes of a packed text that are unpacked."""
# Annex K luminance table of ITU-T T.81, from which the usual "quality" scale is derived.
_ANNEX_K_MEAN = 57.625


def probe(data: bytes, *, name: str) -> FileFacts:
    """Read the header of `data`. `name` is used in messages only.

    Raises Unreadable when no picture is found.
    """
    if not data:
        raise Unreadable(f"{name}: the file is empty (0 bytes). Copy it again from the camera.")
    if raw.may_be_raw(data) and (facts := raw.probe(data)) is not None:
        return replace(facts, metadata=_raw_texts(data))
    _register_heif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own bomb warning
            with _open(data) as image:
                return _facts(image, data)
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        if _is_video(data):
            raise Unsupported(
                f"{name}: a video. Vitrina makes still pictures only; send a photo, or upload the video in the "
                "marketplace's cabinet yourself."
            ) from error
        raise Unreadable(
            f"{name}: not a picture or damaged ({len(data)} bytes, starts with {data[:8]!r}). "
            "Send the JPEG, PNG, WebP, HEIC, TIFF or RAW as the camera wrote it."
        ) from error


def media_type(data: bytes) -> str:
    """The media type (RFC 6838) of a file that we wrote: JPEG, PNG or WebP, by its first bytes."""
    return {b"\x89P": "image/png", b"RI": "image/webp"}.get(data[:2], "image/jpeg")


def _is_video(data: bytes) -> bool:
    """Whether `data` begins like a film: MP4, QuickTime, 3GP (ISO 14496-12), WebM, Matroska or AVI."""
    brand = data[8:12]
    if data[4:8] == b"ftyp":
        return brand.startswith((b"iso", b"mp4", b"avc", b"qt", b"M4V", b"3g", b"dash", b"MSNV"))
    return data[4:8] in (b"moov", b"wide") or data[:4] == b"\x1a\x45\xdf\xa3" or data[8:11] == b"AVI"


def require_taken(facts: FileFacts, *, name: str, max_megapixels: float, any_format: bool = False) -> None:
    """Raise Unsupported or TooLarge unless `facts` is a still photo within the limit (`any_format`: the limit only)."""
    if facts.format not in TAKEN and not any_format:
        raise Unsupported(f"{name}: {facts.format} is not taken. Send JPEG, PNG, WebP, HEIC, AVIF, TIFF or RAW.")
    if facts.frames > 1 and facts.format in ("WEBP", "PNG", "AVIF") and not any_format:
        raise Unsupported(f"{name}: an animation of {facts.frames} frames, 1 allowed. Send a still photo.")
    if facts.size.megapixels > max_megapixels:
        raise TooLarge(
            f"{name}: {facts.size.megapixels:.0f} megapixels, limit {max_megapixels:g}. "
            "Resize the photo or raise VITRINA_MAX_MEGAPIXELS."
        )


def _open(data: bytes) -> Image.Image:
    """`data` opened by Pillow, however many pixels its header claims: the limit is ours, in `require_taken`."""
    try:
        return Image.open(io.BytesIO(data))
    except Image.DecompressionBombError:
        for factory, accept in Image.OPEN.values():
            if accept is not None and accept(data[:16]) is True:
                return factory(io.BytesIO(data), "")
        raise OSError("no reader for it") from None


def _facts(image: Image.Image, data: bytes) -> FileFacts:
    # A PNG may carry its texts behind its pixels, and Pillow's own getexif would decode them all to get there.
    late = dict(_png_texts(data)) if image.format == "PNG" else {}
    exif = Image.Image.getexif(image)
    if b"eXIf" in late and not exif:
        exif.load(late[b"eXIf"])
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
        metadata=_texts(exif, late.get(b"XMP") or image.info.get("xmp"), data),
    )


def _raw_texts(data: bytes) -> dict[str, str]:
    """The texts of a camera RAW whose container is a TIFF; nothing of others, nor of damaged ones."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exif = Image.Exif()
            exif.load(b"Exif\0\0" + data)
            return _texts(exif, None, data)
    except (OSError, SyntaxError, ValueError, EOFError):
        return marks(data)


def _bits(image: Image.Image, data: bytes) -> int:
    if image.format == "PNG" and len(data) > 24:
        return data[24]
    if image.format == "TIFF":
        value = getattr(image, "tag_v2", {}).get(258, 8)
        return int(value[0] if isinstance(value, tuple) else value)
    return int(image.info.get("bit_depth", _BITS.get(image.mode, 8)))


def _png_texts(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The EXIF and XMP chunks of a PNG, wherever they stand (PNG 3rd edition, 5.3, 11.3.3.4 and 11.3.4.5)."""
    at = 8
    while at + 12 <= len(data):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + length]
        if name == b"eXIf":
            yield name, body
        elif name == b"iTXt" and body.startswith(_XMP_KEY):
            packed, text = body[len(_XMP_KEY) :][:1] == b"\1", body[len(_XMP_KEY) + 2 :].split(b"\0", 2)[-1]
            with suppress(zlib.error):
                yield b"XMP", zlib.decompressobj().decompress(text, _LONGEST) if packed else text
        at += 12 + length


def _texts(exif: Image.Exif, xmp: bytes | str | None, data: bytes) -> dict[str, str]:
    names = {tag.value: tag.name for tag in ExifTags.Base}
    texts = {names.get(tag, ""): value for tag, value in exif.items()}
    kept = {name: str(texts[name]).strip("\x00 ") for name in _KEPT_TAGS if texts.get(name)}
    kept |= marks(data, xmp=xmp if isinstance(xmp, bytes) else b"", software=kept.get("Software", ""))
    if exif.get_ifd(ExifTags.IFD.GPSInfo):
        kept["GPS"] = "present"
    return kept


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
