"""Camera RAW (DNG, CR2, CR3, NEF, ARW, RAF, ORF, RW2, PEF …) by LibRaw: what a sensor recorded, developed neutrally.

Developed at the camera's white balance and without LibRaw's automatic brightening, which would clip highlights that the
sensor kept; straight to linear light, at 16 bits.
"""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitrina.model import FileFacts, Size

FORMAT = "RAW"

_STARTS = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb")
"""Fujifilm, Olympus (three), Panasonic, Sigma."""
_DNG, _SUB_IFDS, _PHOTOMETRIC, _MAKE = 50706, 330, 262, 271
_CFA, _LINEAR_RAW = 32803, 34892


def may_be_raw(data: bytes) -> bool:
    """Whether the container is one that camera RAW comes in; a TIFF counts when its first directory says so."""
    if data.startswith(_STARTS) or data[4:12] == b"ftypcrx ":
        return True
    if data[:4] not in (b"II*\0", b"MM\0*"):
        return False
    tags = _first_directory(data)
    # Nikon, Sony and Pentax keep a small picture in front and the sensor's in a directory below, and name the maker.
    return (
        data[8:10] == b"CR"
        or _DNG in tags
        or tags.get(_PHOTOMETRIC) in (_CFA, _LINEAR_RAW)
        or (_SUB_IFDS in tags and _MAKE in tags)
    )


def probe(data: bytes) -> FileFacts | None:
    """What LibRaw says of the file; None when it is none of its own (a TIFF with previews inside, say)."""
    import rawpy

    try:
        with _opened(data) as raw:
            sizes = raw.sizes
            is_turned = sizes.flip in (5, 6)
            size = Size(sizes.height, sizes.width) if is_turned else Size(sizes.width, sizes.height)
            bits = max(8, int(raw.white_level).bit_length())
    except rawpy.LibRawError:
        return None
    return FileFacts(FORMAT, size, "CFA", bits, len(data), 1, False, "camera", None, 1, {})


def develop(data: bytes) -> NDArray[np.float32]:
    """Linear sRGB, upright, (rows, columns, 3), 0…1. Raises ValueError with LibRaw's reason when it cannot."""
    import rawpy

    try:
        with _opened(data) as raw:
            pixels = raw.postprocess(
                gamma=(1, 1), output_bps=16, no_auto_bright=True, use_camera_wb=True, output_color=rawpy.ColorSpace.sRGB
            )
    except rawpy.LibRawError as error:
        reason = error.args[0] if error.args else type(error).__name__
        raise ValueError(reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)) from error
    return np.asarray(pixels, np.float32) / np.float32(65535)


def _opened(data: bytes) -> Any:
    import rawpy

    return rawpy.imread(io.BytesIO(data))


def _first_directory(data: bytes) -> dict[int, int]:
    """Tags of a TIFF's first directory with their first value or offset (TIFF 6.0, section 2)."""
    order = "<" if data[:2] == b"II" else ">"
    try:
        (at,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, at)
        tags = {}
        for index in range(count):
            tag, kind, _, short, rest = struct.unpack_from(order + "HHIHH", data, at + 2 + 12 * index)
            tags[tag] = short if kind == 3 else (short | rest << 16)
    except struct.error:
        return {}
    return tags
