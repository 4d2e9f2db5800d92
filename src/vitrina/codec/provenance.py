"""Whether a file says that a generator made it: IPTC digital source type, C2PA content credentials, generators' texts.

Marks are found by parsing the containers, not verified: a signature tells who wrote a mark, its absence tells nothing.
Sources: IPTC NewsCodes "Digital Source Type"; C2PA Technical Specification 2.1, appendix A (embedding manifests).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vitrina.codec.xmp import MAKER

SOURCE_TYPE = "DigitalSourceType"
CREDENTIALS = "ContentCredentials"
GENERATOR = "Generator"
OURS = "MadeBy"
"""Names under which `marks` tells what it found."""

_TYPE_URL = re.compile(rb"digitalsourcetype/([A-Za-z]+)", re.IGNORECASE)
_TYPE_BARE = re.compile(rb"DigitalSourceType[\s\"'=>]{1,8}([A-Za-z]{6,60})")
_MADE = re.compile(rb"algorithmicmedia|compositesynthetic", re.IGNORECASE)
_GENERATORS = re.compile(
    rb"\b(Midjourney|DALL.?E|Stable.?Diffusion|ComfyUI|AUTOMATIC1111|InvokeAI|NovelAI|Adobe Firefly|Leonardo\.Ai|"
    rb"Imagen|FLUX\.1|Ideogram)\b",
    re.IGNORECASE,
)
_OUR_TOOL = f'CreatorTool="{MAKER}"'.encode()
_C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_TEXTS = (b"tEXt", b"iTXt", b"zTXt")
_LONGEST = 1 << 22
"""Bytes of one mark that are looked at; the marks themselves are short, thumbnails inside them are not."""


def marks(data: bytes, *, xmp: bytes = b"", software: str = "") -> dict[str, str]:
    """What the file says of its making: `DigitalSourceType`, `ContentCredentials` ("C2PA"), `Generator`, and `MadeBy`
    when this program did; only those that are there. `xmp` and `software` are the file's own, where somebody else has
    read them already.
    """
    found: dict[str, str] = {}
    stores = list(_c2pa(data))
    if stores:
        found[CREDENTIALS] = "C2PA"
    types = [*_types(xmp), *(kind for store in stores for kind in _types(store))]
    if types:
        # A history may name several: that one part was generated outweighs that another was photographed.
        found[SOURCE_TYPE] = next((kind for kind in types if _MADE.search(kind)), types[0]).decode("ascii")
    if _OUR_TOOL in xmp[:_LONGEST]:
        found[OURS] = MAKER
    texts = [software.encode(), xmp[:_LONGEST], *_png_texts(data)]
    for text in texts:
        named = _GENERATORS.search(text)
        if named or (text.startswith(b"parameters\0") and b"Sampler:" in text):
            found[GENERATOR] = named.group(1).decode("ascii", "replace") if named else "Stable Diffusion"
            break
    return found


def _types(text: bytes) -> list[bytes]:
    text = text[:_LONGEST]
    return [match.group(1) for match in _TYPE_URL.finditer(text)] or [
        match.group(1) for match in _TYPE_BARE.finditer(text) if match.group(1).lower() != b"digitalsourcetype"
    ]


def _c2pa(data: bytes) -> Iterator[bytes]:
    """The manifest stores of a JPEG, PNG, WebP, HEIF, AVIF or TIFF."""
    if data.startswith(b"\xff\xd8"):
        joined = b"".join(_jumbf(data))
        if b"c2pa" in joined[:256]:
            yield joined
    elif data.startswith(b"\x89PNG"):
        yield from (body for name, body in _png_chunks(data) if name == b"caBX")
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        yield from (body for name, body in _riff_chunks(data) if name == b"C2PA")
    elif data[4:8] == b"ftyp":
        yield from (body for name, body in _boxes(data) if name == b"uuid" and body.startswith(_C2PA_UUID))
    elif data[:4] in (b"II*\0", b"MM\0*"):
        at = data.find(b"jumb")
        if at >= 4 and b"c2pa" in data[at : at + 256]:
            yield data[at : at + _LONGEST]


def _jumbf(data: bytes) -> Iterator[bytes]:
    """The parts of a JPEG's JUMBF boxes (ISO/IEC 19566-5, annex D): APP11 segments of which each repeats the header."""
    seen: set[bytes] = set()
    for marker, body in _segments(data):
        if marker == 0xEB and body.startswith(b"JP"):
            box = body[2:4]
            yield body[16:] if box in seen else body[8:]
            seen.add(box)


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Markers of a JPEG up to its first scan, with their bodies."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in (0xDA, 0xD9):
            return
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        yield marker, data[at + 4 : at + 2 + length]
        at += 2 + max(2, length)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


def _png_texts(data: bytes) -> list[bytes]:
    if not data.startswith(b"\x89PNG"):
        return []
    return [body[:_LONGEST] for name, body in _png_chunks(data) if name in _TEXTS]


def _riff_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The outer boxes of an ISO base media file."""
    at = 0
    while at + 8 <= len(data):
        size, name, head = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        elif size == 0:
            size = len(data) - at
        if size < head:
            return
        yield name, data[at + head : at + size]
        at += size
