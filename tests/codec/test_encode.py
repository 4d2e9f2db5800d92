"""Pixels out: rounded, sRGB with a profile, no place or device in the file, and the same colours when read back."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from tests.scenes import Scene
from vitrina.codec.decode import decode
from vitrina.codec.encode import encode_exact_png, encode_jpeg, encode_png8, encode_png16, encode_webp8
from vitrina.codec.metadata import probe
from vitrina.imaging.colour import decode_srgb, delta_e00, encode_srgb8, lab
from vitrina.model import Rgb

LOSSY: dict[str, Callable[[Rgb], bytes]] = {
    "JPEG": lambda rgb: encode_jpeg(rgb, quality=92),
    "WEBP": lambda rgb: encode_webp8(encode_srgb8(rgb), level=60),
}


def test_png16_is_exact_to_half_a_code(drawn_ring: Scene) -> None:
    back = decode(encode_png16(drawn_ring.rgb), name="x")
    # Half a code of 16 bits, times the slope of the curve at white (2.27).
    assert np.abs(back.rgb - drawn_ring.rgb).max() < 1.2 / 65535


def test_png16_alpha_is_straight(drawn_ring: Scene) -> None:
    data = encode_png16(drawn_ring.foreground, drawn_ring.alpha)
    facts = probe(data, name="x")
    assert (facts.bits, facts.has_alpha, facts.format) == (16, True, "PNG")
    import pyvips

    pixels = pyvips.Image.new_from_buffer(data, "").numpy()
    rim = (drawn_ring.alpha > 0.2) & (drawn_ring.alpha < 0.8)
    straight = decode_srgb(pixels[..., :3].astype(np.uint16))[rim]
    assert straight == pytest.approx(drawn_ring.foreground[rim], abs=1e-4)


def test_png8_codes_are_exact() -> None:
    codes = np.arange(256, dtype=np.uint8).reshape(16, 16)
    picture = decode_srgb(np.dstack([codes, codes, codes]))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode_png8(picture))))[..., 0], codes)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_what_is_written_without_loss_comes_back(kind: str, drawn_ring: Scene) -> None:
    pixels, xmp = encode_srgb8(drawn_ring.rgb), b"<x:xmpmeta/>"
    data = encode_exact_png(pixels, xmp=xmp) if kind == "PNG" else encode_webp8(pixels, level=100, xmp=xmp)
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == kind and np.array_equal(np.asarray(image.convert("RGB")), pixels)
        assert b"xmpmeta" in str(image.info).encode() and "icc_profile" in image.info


def test_values_outside_are_clipped_not_wrapped() -> None:
    picture = np.array([[[-0.5, 0.5, 1.5]] * 8] * 8, np.float32)
    back = np.asarray(Image.open(io.BytesIO(encode_png8(picture))))
    assert tuple(back[0, 0]) == (0, 188, 255)


@pytest.mark.parametrize("kind", LOSSY)
def test_a_lossy_file_keeps_the_colours(kind: str, drawn_ring: Scene) -> None:
    data = LOSSY[kind](drawn_ring.rgb)
    assert probe(data, name="x").format == kind
    error = delta_e00(lab(decode(data, name="x").rgb), lab(drawn_ring.rgb))
    assert float(np.mean(error)) < 1
    assert float(np.percentile(error, 99)) < 6


@pytest.mark.parametrize("encode", [*LOSSY.values(), encode_png8, encode_png16], ids=[*LOSSY, "PNG8", "PNG16"])
def test_every_file_carries_srgb_and_nothing_of_the_seller(encode: Callable[[Rgb], bytes], drawn_ring: Scene) -> None:
    data = encode(drawn_ring.rgb)
    facts = probe(data, name="x")
    assert facts.icc_description is not None
    assert "srgb" in facts.icc_description.lower()
    assert facts.metadata == {}
    assert b"Exif" not in data[:4096]


def test_jpeg_keeps_colour_at_full_resolution(drawn_ring: Scene) -> None:
    """4:2:0 halves the resolution of colour: a thin gold chain on white turns grey."""
    image = Image.open(io.BytesIO(encode_jpeg(drawn_ring.rgb, quality=90)))
    assert {(h, v) for _, h, v, _ in image.layer} == {(1, 1)}


@pytest.mark.parametrize("kind", ["jpeg", "png16"])
def test_every_run_gives_the_same_bytes(kind: str) -> None:
    """In another process too, and a second later: an approval names a digest, and profiles like to carry the time."""
    program = (
        "import hashlib, numpy as np\n"
        "from vitrina.codec.encode import encode_jpeg, encode_png16\n"
        "ramp = np.linspace(0, 1, 3 * 40 * 50, dtype=np.float32).reshape(40, 50, 3)\n"
        f"data = {'encode_jpeg(ramp, quality=90)' if kind == 'jpeg' else 'encode_png16(ramp)'}\n"
        "print(hashlib.sha256(data).hexdigest())"
    )
    first, second = (_later(program) for _ in range(2))
    assert first == second


def _later(program: str) -> str:
    time.sleep(1.05)
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
