"""Pixels to bytes: sRGB with an embedded profile, rounded, no location or device data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vitrina.codec.icc import srgb_profile
from vitrina.imaging.colour import encode_srgb, encode_srgb8
from vitrina.model import Alpha, Rgb

_STRIP_ROWS = 256
_FULL16 = np.float32(65535)


def encode_png16(rgb: Rgb, alpha: Alpha | None = None) -> bytes:
    """16-bit PNG, straight alpha, sRGB with profile. Rounded, never truncated.

    Where alpha rounds to 0 the colour is 0 too: nobody sees it, and the old backdrop does not travel along.
    """
    pixels = np.empty((*rgb.shape[:2], 3 if alpha is None else 4), np.uint16)
    for start in range(0, len(rgb), _STRIP_ROWS):
        rows = slice(start, start + _STRIP_ROWS)
        pixels[rows, :, :3] = np.rint(encode_srgb(rgb[rows]) * _FULL16)
        if alpha is not None:
            pixels[rows, :, 3] = np.rint(np.clip(alpha[rows], 0, 1) * _FULL16)
            pixels[rows][pixels[rows, :, 3] == 0] = 0
    return _save(pixels, ".png", compression=3, bitdepth=16)


def encode_png8(rgb: Rgb) -> bytes:
    """8-bit PNG, sRGB with profile."""
    return _save(encode_srgb8(rgb), ".png", compression=6)


def encode_jpeg(rgb: Rgb, *, quality: int, progressive: bool = True) -> bytes:
    """JPEG, 4:4:4 (chains and stones lose their colour at 4:2:0), sRGB with profile, Huffman tables optimised."""
    return encode_jpeg8(encode_srgb8(rgb), quality=quality, progressive=progressive)


def encode_jpeg8(pixels: NDArray[np.uint8], *, quality: int, progressive: bool = True) -> bytes:
    """`encode_jpeg` of pixels that are sRGB-encoded already, (rows, columns, 3)."""
    return _save(pixels, ".jpg", Q=quality, subsample_mode="off", interlace=progressive, optimize_coding=True)


def encode_webp(rgb: Rgb, *, quality: int) -> bytes:
    """WebP, sRGB with profile."""
    return _save(encode_srgb8(rgb), ".webp", Q=quality)


def _save(pixels: NDArray[np.uint8] | NDArray[np.uint16], suffix: str, **options: object) -> bytes:
    import pyvips

    image = pyvips.Image.new_from_array(np.ascontiguousarray(pixels))
    image = image.copy(interpretation="rgb16" if pixels.dtype == np.uint16 else "srgb")
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", srgb_profile())
    data: bytes = image.write_to_buffer(suffix, keep="icc", **options)
    return data
