"""Pixels to bytes: sRGB with an embedded profile, rounded, no location or device data."""

from __future__ import annotations

import struct
import zlib
from functools import cache

import numpy as np
from numpy.typing import NDArray

from vitrina.codec.icc import srgb_profile
from vitrina.codec.metadata import probe
from vitrina.imaging.colour import encode_srgb, encode_srgb8
from vitrina.model import Alpha, Rgb

_STRIP_ROWS = 256
_KEEP_XMP, _KEEP_ICC = 2, 8
"""libvips' VipsForeignKeep: what goes into the file besides pixels."""
_PNG_HEAD = 33
"""Bytes of a PNG's signature and header chunk."""
_FULL16 = np.float32(65535)


def encode_png16(rgb: Rgb, alpha: Alpha | None = None, *, xmp: bytes = b"") -> bytes:
    """16-bit PNG, straight alpha, sRGB with profile. Rounded, never truncated. `xmp` is put in as it is.

    Where alpha rounds to 0 the colour is 0 too: nobody sees it, and the old backdrop does not travel along.
    """
    pixels = np.empty((*rgb.shape[:2], 3 if alpha is None else 4), np.uint16)
    for start in range(0, len(rgb), _STRIP_ROWS):
        rows = slice(start, start + _STRIP_ROWS)
        pixels[rows, :, :3] = np.rint(encode_srgb(rgb[rows]) * _FULL16)
        if alpha is not None:
            pixels[rows, :, 3] = np.rint(np.clip(alpha[rows], 0, 1) * _FULL16)
            pixels[rows][pixels[rows, :, 3] == 0] = 0
    plain = _save(pixels, ".png", compression=3, bitdepth=16)
    return _with_xmp(plain, xmp) if xmp else plain


def encode_png8(rgb: Rgb, alpha: Alpha | None = None) -> bytes:
    """8-bit PNG, straight alpha, sRGB with profile."""
    pixels = encode_srgb8(rgb)
    if alpha is not None:
        opaque = np.rint(np.clip(alpha, 0, 1) * np.float32(255)).astype(np.uint8)
        pixels = np.dstack([pixels, opaque])
    return _save(pixels, ".png", compression=3 if alpha is not None else 6)


def encode_jpeg(rgb: Rgb, *, quality: int, progressive: bool = True) -> bytes:
    """JPEG, 4:4:4 (chains and stones lose their colour at 4:2:0), sRGB with profile, Huffman tables optimised."""
    return encode_jpeg8(encode_srgb8(rgb), quality=quality, progressive=progressive)


def encode_jpeg8(
    pixels: NDArray[np.uint8], *, quality: int, progressive: bool = True, table: int = 0, xmp: bytes = b""
) -> bytes:
    """`encode_jpeg` of pixels that are sRGB-encoded already, (rows, columns, 3).

    `table` is mozjpeg's number of the quantisation table: 0 is Annex K of ITU-T T.81, 3 is N. Robidoux's, whose files
    are about a sixth smaller at the same error on a piece (benchmarks/rendition.py). `xmp` is put in as it is. Not
    progressive, it decodes to the same pixels and is larger, but made and read in half the time.
    """
    return _save(
        pixels, ".jpg", xmp=xmp, Q=quality, subsample_mode="off", interlace=progressive, optimize_coding=progressive,
        quant_table=table,
    )  # fmt: skip


@cache
def asked_quality(estimate: int, table: int) -> int:
    """The least encoder quality whose tables read as `estimate` on libjpeg's scale, as marketplaces estimate it."""
    grey = np.full((16, 16, 3), 128, np.uint8)
    for quality in range(max(1, estimate), 101):
        if (probe(encode_jpeg8(grey, quality=quality, table=table), name="tables").jpeg_quality or 0) >= estimate:
            return quality
    return 100


def encode_webp8(pixels: NDArray[np.uint8], *, level: int, xmp: bytes = b"") -> bytes:
    """WebP of sRGB-encoded `pixels`, sRGB with profile, near-lossless at `level` 0…99, the very pixels at 100.

    Never lossy WebP: it halves the resolution of colour, so that even at its best stones and rims change tone (by a
    ΔE00 of 1.2 to 1.5 on photographed pieces, measured as in stages/quality.py).
    """
    return _save(pixels, ".webp", xmp=xmp, lossless=True, near_lossless=level < 100, Q=level)


def encode_exact_png(pixels: NDArray[np.uint8], *, xmp: bytes = b"") -> bytes:
    """8-bit PNG of the very `pixels` (sRGB-encoded), with profile."""
    plain = _save(pixels, ".png", compression=6)
    return _with_xmp(plain, xmp) if xmp else plain


def _with_xmp(png: bytes, xmp: bytes) -> bytes:
    """`png` with the packet behind its header, not compressed (ISO 16684-3, 4.8): libvips would, and readers scan."""
    body = b"iTXtXML:com.adobe.xmp\0\0\0\0\0" + xmp
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[:_PNG_HEAD] + chunk + png[_PNG_HEAD:]


def _save(pixels: NDArray[np.uint8] | NDArray[np.uint16], suffix: str, *, xmp: bytes = b"", **options: object) -> bytes:
    import pyvips

    image = pyvips.Image.new_from_array(np.ascontiguousarray(pixels))
    image = image.copy(interpretation="rgb16" if pixels.dtype == np.uint16 else "srgb")
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", srgb_profile())
    if xmp:
        image.set_type(pyvips.GValue.blob_type, "xmp-data", xmp)
    data: bytes = image.write_to_buffer(suffix, keep=_KEEP_XMP | _KEEP_ICC if xmp else _KEEP_ICC, **options)
    return data
