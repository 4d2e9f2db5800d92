"""Inputs that no photo studio should ever be handed, made as files."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from tests.scenes import Scene


def jpeg(scene: Scene) -> bytes:
    return scene.jpeg()


def empty(_scene: Scene) -> bytes:
    return b""


def text(_scene: Scene) -> bytes:
    return b"Dear studio, please find my ring attached. It is not.\n" * 20


def truncated(scene: Scene) -> bytes:
    data = scene.jpeg()
    return data[: len(data) // 2]


def one_pixel(_scene: Scene) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1), (120, 110, 90)).save(buffer, "PNG")
    return buffer.getvalue()


def bomb(_scene: Scene) -> bytes:
    """A PNG of 200 megapixels in a few kilobytes."""
    width, height = 20_000, 10_000

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    packer = zlib.compressobj(9)
    row = bytes(1 + width // 8)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def cmyk(scene: Scene) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(scene.jpeg())).convert("CMYK").save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def png16_with_alpha(scene: Scene) -> bytes:
    return scene.cutout_png()


def animated_gif(scene: Scene) -> bytes:
    frame = Image.open(io.BytesIO(scene.jpeg())).resize((120, 100))
    frames = [frame, frame.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=80)
    return buffer.getvalue()


def film(_scene: Scene) -> bytes:
    """The head of an MP4."""
    return b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(400)


def noise(_scene: Scene) -> bytes:
    """A picture without any piece in it."""
    pixels = np.random.default_rng(5).integers(110, 140, (300, 400, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


REFUSED = {
    "empty.jpg": (empty, "empty"),
    "text.jpg": (text, "not a picture"),
    "truncated.jpg": (truncated, "damaged"),
    "bomb.png": (bomb, "200 megapixels"),
    "moving.gif": (animated_gif, "GIF is not taken"),
    "ring.mp4": (film, "still pictures only"),
}
"""Files that cannot be read: exit code 3, with what the message says."""

TAKEN = {"cmyk.jpg": cmyk, "own-alpha.png": png16_with_alpha}
"""Unusual, but readable: they end in a card or in findings, never in an error."""


def files_in(folder: Path) -> set[str]:
    """Everything below `folder`, hidden files too."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
