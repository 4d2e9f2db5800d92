"""Small files of every kind a seller sends, made on the spot: what is in them is known."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image

QUADRANTS = ((220, 30, 30), (30, 200, 30), (30, 30, 220), (240, 240, 240))
"""Top left red, top right green, bottom left blue, bottom right white."""

ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
"""XYZ (D50) of the primaries, Adobe RGB (1998) colour image encoding, as profiles carry them."""


def quadrants(width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    """A picture whose corners tell which way up it is."""
    picture = np.empty((height, width, 3), np.uint8)
    top, left = slice(None, height // 2), slice(None, width // 2)
    bottom, right = slice(height // 2, None), slice(width // 2, None)
    for colour, rows, columns in zip(QUADRANTS, (top, top, bottom, bottom), (left, right, left, right), strict=True):
        picture[rows, columns] = colour
    return picture


def saved(picture: NDArray[np.uint8] | Image.Image, kind: str, **options: object) -> bytes:
    """`picture` in Pillow's format `kind`."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif(orientation: int, *, gps: bool = False) -> bytes:
    """EXIF with an orientation, a maker and perhaps a place."""
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010F] = "Phone"
    if gps:
        tags[0x8825] = {1: "N", 2: (43.0, 14.0, 0.0)}
    return tags.tobytes()


def as_stored(upright: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """How a camera stores an upright picture under each EXIF orientation (the inverse of what viewers do)."""
    steps = {
        1: lambda p: p,
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.transpose(1, 0, 2),
        6: lambda p: np.rot90(p, 1),
        7: lambda p: np.rot90(p, 1)[:, ::-1],
        8: lambda p: np.rot90(p, -1),
    }
    return np.ascontiguousarray(steps[orientation](upright))


def chunk(name: bytes, body: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header promises `width` × `height` and whose data ends at once."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")
    )


def matrix_profile(primaries: tuple[tuple[float, float, float], ...], *, gamma: float, name: str) -> bytes:
    """A minimal ICC v2 display profile (ICC.1:2001-04): three primaries in XYZ (D50) and one gamma."""

    def xyz(values: tuple[float, float, float]) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(v * 65536)) for v in values)

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    text = name.encode() + b"\0"
    described = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + b"\0" * (4 + 4 + 2 + 1 + 67)
    tags = {
        b"desc": described,
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": xyz((0.9642, 1.0, 0.8249)),
        b"rXYZ": xyz(primaries[0]),
        b"gXYZ": xyz(primaries[1]),
        b"bXYZ": xyz(primaries[2]),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for tag, data in tags.items():
        padded = data + b"\0" * (-len(data) % 4)
        table += tag + struct.pack(">II", start + len(body), len(data))
        body += padded
    size = start + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"none", 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    header += b"\0" * 12 + b"acsp" + b"\0" * 28 + struct.pack(">iii", 63190, 65536, 54061) + b"\0" * 48
    return header + table + body


def dng(
    linear: NDArray[np.floating], *, orientation: int = 1, neutral: tuple[float, float, float] = (0.5, 1, 0.7)
) -> bytes:
    """A raw file of a made-up camera (DNG 1.4) that saw `linear` sRGB light through an RGGB mosaic.

    The camera's own colours are sRGB's, divided by what `neutral` (its answer to white) says.
    """
    height, width = linear.shape[:2]
    seen = np.clip(linear, 0, 1) * np.array(neutral)
    mosaic = seen[..., 1].copy()
    mosaic[::2, ::2], mosaic[1::2, 1::2] = seen[::2, ::2, 0], seen[1::2, 1::2, 2]
    pixels = np.rint(256 + mosaic * 15000).astype("<u2").tobytes()
    xyz_to_srgb = (3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.2040, 1.0570)
    rows = [neutral[index // 3] * value for index, value in enumerate(xyz_to_srgb)]

    def srational(values):
        return b"".join(struct.pack("<ii", round(v * 10000), 10000) for v in values)

    short, long, byte, text, rational = 3, 4, 1, 2, 5
    entries = [
        (254, long, struct.pack("<I", 0)), (256, long, struct.pack("<I", width)),
        (257, long, struct.pack("<I", height)),
        (258, short, struct.pack("<H", 16)), (259, short, struct.pack("<H", 1)), (262, short, struct.pack("<H", 32803)),
        (271, text, b"Phone\0"), (272, text, b"Made up\0"), (273, long, b"here"),
        (274, short, struct.pack("<H", orientation)), (277, short, struct.pack("<H", 1)),
        (278, long, struct.pack("<I", height)), (279, long, struct.pack("<I", len(pixels))),
        (33421, short, struct.pack("<HH", 2, 2)), (33422, byte, bytes((0, 1, 1, 2))),
        (50706, byte, bytes((1, 4, 0, 0))), (50708, text, b"Made up\0"), (50714, short, struct.pack("<H", 256)),
        (50717, short, struct.pack("<H", 15256)), (50721, 10, srational(rows)), (50728, rational, srational(neutral)),
        (50778, short, struct.pack("<H", 21)),
    ]  # fmt: skip
    sizes = {short: 2, long: 4, byte: 1, text: 1, rational: 8, 10: 8}
    heap_at = 8 + 2 + 12 * len(entries) + 4
    heap = b""
    directory = b""
    pixels_at = heap_at + sum(len(body) + len(body) % 2 for _, _, body in entries if len(body) > 4)
    for tag, kind, body in entries:
        body = struct.pack("<I", pixels_at) if body == b"here" else body
        where = body.ljust(4, b"\0") if len(body) <= 4 else struct.pack("<I", heap_at + len(heap))
        heap += body + b"\0" * (len(body) % 2) if len(body) > 4 else b""
        directory += struct.pack("<HHI", tag, kind, len(body) // sizes[kind]) + where
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + b"\0" * 4 + heap + pixels
