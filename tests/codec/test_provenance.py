"""What files say of generators, in every container that can say it."""

from __future__ import annotations

import struct

import pytest

from tests.codec.files import chunk, quadrants, saved
from vitrina.codec.metadata import probe
from vitrina.codec.provenance import marks

TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def store(kind: str, *, padding: int = 0) -> bytes:
    """The outline of a C2PA manifest store (ISO/IEC 19566-5 boxes): a description, padding, an action's source type."""
    description = b"c2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71\x03c2pa\0"
    jumd = struct.pack(">I", 8 + len(description)) + b"jumd" + description
    text = (TYPE + kind).encode()
    claim = b"\0" * padding + b"\xa1qdigitalSourceTypex" + bytes([len(text)]) + text
    body = jumd + struct.pack(">I", 8 + len(claim)) + b"cbor" + claim
    return struct.pack(">I", 8 + len(body)) + b"jumb" + body


def in_jpeg(box: bytes, *, part: int = 60_000) -> bytes:
    plain = saved(quadrants(), "JPEG")
    head, body = box[:8], box[8:]
    segments = b""
    for number, start in enumerate(range(0, len(body), part), 1):
        payload = b"JP" + struct.pack(">HI", 1, number) + head + body[start : start + part]
        segments += b"\xff\xeb" + struct.pack(">H", len(payload) + 2) + payload
    return plain[:2] + segments + plain[2:]


def in_png(box: bytes) -> bytes:
    plain = saved(quadrants(), "PNG")
    return plain[:33] + chunk(b"caBX", box) + plain[33:]


def in_webp(box: bytes) -> bytes:
    plain = saved(quadrants(), "WEBP")
    added = plain[12:] + b"C2PA" + struct.pack("<I", len(box)) + box + b"\0" * (len(box) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(added)) + b"WEBP" + added


def in_avif(box: bytes) -> bytes:
    plain = saved(quadrants(), "AVIF")
    body = bytes.fromhex("d8fec3d61b0e483c92975828877ec481") + b"\0\0\0\0manifest\0" + b"\0" * 8 + box
    return plain + struct.pack(">I", 8 + len(body)) + b"uuid" + body


@pytest.mark.parametrize("place", [in_jpeg, in_png, in_webp, in_avif])
def test_content_credentials_are_found(place) -> None:
    said = probe(place(store("trainedAlgorithmicMedia")), name="x").metadata
    assert (said["ContentCredentials"], said["DigitalSourceType"]) == ("C2PA", "trainedAlgorithmicMedia")
    said = probe(place(store("digitalCapture")), name="x").metadata
    assert said["DigitalSourceType"] == "digitalCapture"


def test_a_store_of_many_segments_is_joined_again() -> None:
    """The source type lies across the border of two segments."""
    for padding in range(880, 960, 7):
        assert marks(in_jpeg(store("trainedAlgorithmicMedia", padding=padding), part=1000))["DigitalSourceType"]


def test_one_generated_part_outweighs_a_photographed_one() -> None:
    xmp = f'<a b="{TYPE}digitalCapture"/><a b="{TYPE}compositeWithTrainedAlgorithmicMedia"/>'.encode()
    assert marks(b"", xmp=xmp)["DigitalSourceType"] == "compositeWithTrainedAlgorithmicMedia"


def test_source_types_without_their_address_are_read() -> None:
    xmp = b"<Iptc4xmpExt:DigitalSourceType>trainedAlgorithmicMedia</Iptc4xmpExt:DigitalSourceType>"
    assert marks(b"", xmp=xmp) == {"DigitalSourceType": "trainedAlgorithmicMedia"}


def test_generators_leave_their_names_and_settings() -> None:
    plain = saved(quadrants(), "PNG")
    told = chunk(b"tEXt", b"parameters\0a gold ring\nSteps: 20, Sampler: Euler, CFG scale: 7")
    assert probe(plain[:33] + told + plain[33:], name="x").metadata["Generator"] == "Stable Diffusion"
    assert marks(b"", software="Midjourney v7")["Generator"] == "Midjourney"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_a_plain_photo_says_nothing(kind: str) -> None:
    assert marks(saved(quadrants(), kind)) == {}


def test_damaged_containers_are_no_trouble() -> None:
    whole = in_jpeg(store("trainedAlgorithmicMedia"))
    for length in range(0, len(whole), 37):
        marks(whole[:length])
    marks(b"\x89PNG\r\n\x1a\n" + b"\xff" * 64)
    marks(b"\0\0\0\0ftypavif" + b"\0" * 64)
