"""Pictures that keep or break one family of marketplace rules, made as files and as pixels."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from vitrina.imaging.colour import decode_srgb
from vitrina.model import Rgb, Size

WHITE, RED = (255, 255, 255), (200, 90, 80)


def canvas(size: Size, *, fill: float = 0.9, ground: tuple[int, int, int] = WHITE) -> NDArray[np.uint8]:
    """A dark cross in the middle of a plain ground, its arms `fill` of the frame in both directions."""
    picture = np.empty((size.height, size.width, 3), np.uint8)
    picture[:] = ground
    width, height = round(fill * size.width), round(fill * size.height)
    x, y = (size.width - width) // 2, (size.height - height) // 2
    thick = max(2, min(size.width, size.height) // 12)
    middle_x, middle_y = size.width // 2, size.height // 2
    picture[y : y + height, middle_x - thick : middle_x + thick] = (70, 60, 50)
    picture[middle_y - thick : middle_y + thick, x : x + width] = (70, 60, 50)
    return picture


def linear(picture: NDArray[np.uint8]) -> Rgb:
    return decode_srgb(picture)


def bordered(picture: NDArray[np.uint8], depth: int = 6) -> NDArray[np.uint8]:
    out = picture.copy()
    for turn in range(4):
        np.rot90(out, turn)[:depth] = 10
    return out


def encoded(
    picture: NDArray[np.uint8] | Size,
    *,
    format: str = "JPEG",
    quality: int = 95,
    bytes_wanted: int = 0,
    **options: object,
) -> bytes:
    """A file of `picture` (or of a grey picture of that size), padded behind its end to `bytes_wanted`."""
    if isinstance(picture, Size):
        image = Image.new("L", (picture.width, picture.height), 255)
    else:
        image = Image.fromarray(picture)
    if format in ("JPEG", "WEBP", "AVIF", "HEIF"):
        options = {"quality": quality, **options}
    buffer = io.BytesIO()
    image.convert("RGB" if format not in ("PNG", "GIF") else image.mode).save(buffer, format, **options)
    data = buffer.getvalue()
    return data + bytes(max(0, bytes_wanted - len(data)))


def cmyk(size: Size) -> bytes:
    buffer = io.BytesIO()
    Image.new("CMYK", (size.width, size.height)).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def see_through(size: Size) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGBA", (size.width, size.height), (255, 255, 255, 120)).save(buffer, "PNG")
    return buffer.getvalue()


def animated(size: Size) -> bytes:
    frames = [Image.new("L", (size.width, size.height), shade) for shade in (0, 200)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=100)
    return buffer.getvalue()


def other_profile(size: Size) -> bytes:
    """A JPEG whose profile is not sRGB's."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    return encoded(size, icc_profile=profile)
