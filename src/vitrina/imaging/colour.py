"""Colour: transfer curves, CIELAB (D65) and CIEDE2000.

Sources: IEC 61966-2-1 (sRGB); CIE 15:2018 (CIELAB); Sharma, Wu and Dalal 2005, "The CIEDE2000 color-difference
formula".
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.model import Plane, Rgb

_HALF_TURN = np.pi + 1e-6
"""Opposite hues lie exactly half a turn apart, where CIEDE2000 jumps; float32's last digit must not decide there."""


def decode_srgb(encoded: NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]) -> NDArray[np.float32]:
    """Linear light from sRGB-encoded values: uint8, uint16 (full scale) or float 0…1. Any shape."""
    if encoded.dtype == np.uint8:
        flat = np.ascontiguousarray(encoded).reshape(1, -1)  # indexing a table with it would first copy it to 64 bits
        return np.asarray(cv2.LUT(flat, _decode_table(8)), np.float32).reshape(encoded.shape)
    if encoded.dtype == np.uint16:
        return _decode_table(16)[encoded]
    return _curve(np.asarray(encoded, np.float32))


@cache
def _decode_table(bits: int) -> NDArray[np.float32]:
    return _curve(np.linspace(0, 1, 2**bits)).astype(np.float32)


def _curve(value: NDArray[np.floating]) -> NDArray[np.float32]:
    bent = ((np.maximum(value, 0.04045) + 0.055) / 1.055) ** 2.4
    return np.where(value <= 0.04045, value / 12.92, bent).astype(np.float32)


def encode_srgb(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """sRGB-encoded float 0…1 from linear light, clipped to 0…1. Any shape; exact to float32."""
    value = np.clip(np.asarray(linear, np.float32), 0, 1)
    shape = value.shape
    bent = cv2.pow(np.maximum(value, 0.0031308).reshape(1, -1), 1 / 2.4).reshape(shape) * np.float32(1.055)
    return np.where(value <= 0.0031308, value * np.float32(12.92), bent - np.float32(0.055)).astype(np.float32)


def encode_srgb8(linear: NDArray[np.float32]) -> NDArray[np.uint8]:
    """sRGB-encoded uint8, rounded to nearest, through a 16-bit table (at most 0.06 of a code off, in the darkest)."""
    flat = np.ascontiguousarray(linear, np.float32).reshape(1, -1)
    index = cv2.multiply(flat, (65535.0,), dtype=cv2.CV_16U)  # rounded, and clipped to the type's own range
    return np.asarray(cv2.LUT(index, _encode_table()), np.uint8).reshape(linear.shape)


@cache
def _encode_table() -> NDArray[np.uint8]:
    return np.rint(encode_srgb(np.linspace(0, 1, 65536, dtype=np.float32)) * 255).astype(np.uint8)


def lab(rgb: Rgb) -> NDArray[np.float32]:
    """CIELAB (D65): L* 0…100, a*, b*, from linear sRGB clipped to 0…1. Shape kept."""
    return np.asarray(cv2.cvtColor(np.clip(rgb, 0, 1).astype(np.float32), cv2.COLOR_LRGB2Lab), np.float32)


def lab_of(colour: tuple[float, float, float] | NDArray[np.floating]) -> NDArray[np.float32]:
    """CIELAB of one linear colour."""
    return np.asarray(lab(np.asarray(colour, np.float32).reshape(1, 1, 3))[0, 0], np.float32)


def luminance(rgb: Rgb) -> Plane:
    """Relative luminance Y of linear sRGB (Rec. 709 weights)."""
    weights = np.array([0.2126, 0.7152, 0.0722], np.float32)
    return np.asarray(cv2.transform(np.ascontiguousarray(rgb, np.float32), weights.reshape(1, 3)), np.float32)


def delta_e00(first: NDArray[np.floating], second: NDArray[np.floating]) -> NDArray[np.float32]:
    """CIEDE2000 between two Lab arrays of shape (..., 3), float32, computed in chunks to bound memory."""
    shape = np.broadcast_shapes(first.shape, second.shape)
    one = np.broadcast_to(first, shape).reshape(-1, 3)
    two = np.broadcast_to(second, shape).reshape(-1, 3)
    result = np.empty(len(one), np.float32)
    step = 1 << 18
    for start in range(0, len(one), step):
        chunk = slice(start, start + step)
        result[chunk] = _delta_e00(one[chunk].astype(np.float32), two[chunk].astype(np.float32))
    return result.reshape(shape[:-1])


def _delta_e00(one: NDArray[np.float32], two: NDArray[np.float32]) -> NDArray[np.float32]:
    l1, a1, b1 = one[:, 0], one[:, 1], one[:, 2]
    l2, a2, b2 = two[:, 0], two[:, 1], two[:, 2]
    mean_c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    stretch = np.asarray(1 + 0.5 * (1 - np.sqrt(mean_c7 / (mean_c7 + 25.0**7))), np.float32)
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.arctan2(b1, a1) % (2 * np.pi), np.arctan2(b2, a2) % (2 * np.pi)
    grey = (c1 * c2) == 0
    dh = h2 - h1
    dh = np.where(dh > _HALF_TURN, dh - 2 * np.pi, np.where(dh < -_HALF_TURN, dh + 2 * np.pi, dh))
    dh = np.where(grey, 0, dh)
    dl, dc = l2 - l1, c2 - c1
    dhh = 2 * np.sqrt(c1 * c2) * np.sin(dh / 2)
    total = h1 + h2
    far = np.abs(h1 - h2) > _HALF_TURN
    mean_h = np.where(far, np.where(total < 2 * np.pi, total + 2 * np.pi, total - 2 * np.pi), total) / 2
    mean_h = np.where(grey, total, mean_h)
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    t = (
        1
        - 0.17 * np.cos(mean_h - np.radians(30))
        + 0.24 * np.cos(2 * mean_h)
        + 0.32 * np.cos(3 * mean_h + np.radians(6))
        - 0.20 * np.cos(4 * mean_h - np.radians(63))
    )
    turn = np.radians(30) * np.exp(-(((np.degrees(mean_h) - 275) / 25) ** 2))
    c7 = mean_c**7
    rc = 2 * np.sqrt(c7 / (c7 + 25.0**7))
    offset = (mean_l - 50) ** 2
    sl = 1 + 0.015 * offset / np.sqrt(20 + offset)
    sc, sh = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * t
    rt = -np.sin(2 * turn) * rc
    squared = (dl / sl) ** 2 + (dc / sc) ** 2 + (dhh / sh) ** 2 + rt * (dc / sc) * (dhh / sh)
    return np.asarray(np.sqrt(np.maximum(squared, 0)), np.float32)
