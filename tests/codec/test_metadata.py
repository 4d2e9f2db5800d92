"""What a file says of itself, read without trusting its name."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from PIL import Image

from tests.codec.files import chunk, exif, png_claiming, quadrants, saved
from vitrina.codec.metadata import probe
from vitrina.errors import Unreadable, Unsupported
from vitrina.model import Size


def test_the_header_of_a_phone_photo() -> None:
    facts = probe(saved(quadrants(), "JPEG", quality=85, exif=exif(6, gps=True)), name="x")
    assert (facts.format, facts.size, facts.mode, facts.bits) == ("JPEG", Size(64, 48), "RGB", 8)
    assert facts.orientation == 6
    assert facts.metadata["Make"] == "Phone"
    assert facts.metadata["GPS"] == "present"
    assert not facts.has_alpha


@pytest.mark.parametrize("quality", [30, 50, 75, 85, 92, 100])
def test_jpeg_quality_is_read_off_the_tables(quality: int) -> None:
    assert probe(saved(quadrants(), "JPEG", quality=quality), name="x").jpeg_quality == pytest.approx(quality, abs=2)


@pytest.mark.parametrize(
    ("image", "bits", "has_alpha"),
    [
        (Image.new("L", (4, 4)), 8, False),
        (Image.new("LA", (4, 4)), 8, True),
        (Image.new("RGBA", (4, 4)), 8, True),
        (Image.new("1", (4, 4)), 1, False),
        (Image.fromarray(np.zeros((4, 4), np.uint16)), 16, False),
    ],
    ids=["L", "LA", "RGBA", "1", "I;16"],
)
def test_depth_and_alpha(image: Image.Image, bits: int, has_alpha: bool) -> None:
    facts = probe(saved(image, "PNG"), name="x")
    assert (facts.bits, facts.has_alpha) == (bits, has_alpha)


def test_frames_are_counted() -> None:
    frames = [Image.fromarray(quadrants()), Image.fromarray(quadrants()[::-1].copy())]
    assert probe(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]), name="x").frames == 2


def test_a_bomb_is_measured_without_being_opened() -> None:
    assert probe(png_claiming(30_000, 30_000), name="x").size.megapixels == 900


def test_a_generator_that_owns_up_is_noticed() -> None:
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r Iptc4xmpExt:DigitalSourceType='
        b'"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"/></x:xmpmeta>'
    )
    facts = probe(saved(quadrants(), "JPEG", xmp=xmp), name="x")
    assert facts.metadata["DigitalSourceType"] == "trainedAlgorithmicMedia"


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("is_behind", [True, False], ids=["behind", "before"])
def test_png_texts_are_found_on_either_side_of_the_pixels(is_behind: bool, is_packed: bool) -> None:
    words = b'<x Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic"/>'
    key = b"XML:com.adobe.xmp\0" + (b"\1" if is_packed else b"\0") + b"\0\0\0"
    told = chunk(b"iTXt", key + (zlib.compress(words) if is_packed else words)) + chunk(b"eXIf", exif(8, gps=True)[6:])
    plain = saved(quadrants(), "PNG")
    at = len(plain) - 12 if is_behind else 33
    facts = probe(plain[:at] + told + plain[at:], name="x")
    assert facts.orientation == 8
    assert facts.metadata["GPS"] == "present"
    assert facts.metadata["DigitalSourceType"] == "compositeSynthetic"


@pytest.mark.parametrize(
    "data", [b"", b"\x00" * 100, b"GIF89a", b"\xff\xd8\xff\xe0" + b"\0" * 20, b"II*\0" + b"\xff" * 40]
)
def test_rubbish_is_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable, match=r"^x: "):
        probe(data, name="x")


@pytest.mark.parametrize(
    "start",
    [b"\0\0\0\x20ftypisom", b"\0\0\0\x14ftypqt  ", b"\0\0\0\x18ftyp3gp4", b"\x1a\x45\xdf\xa3\1\0\0\0\0\0\0\0",
     b"RIFF\0\0\0\0AVI LIST"],
)  # fmt: skip
def test_a_video_is_called_a_video(start: bytes) -> None:
    with pytest.raises(Unsupported, match="still pictures only"):
        probe(start + bytes(200), name="ring.mp4")
