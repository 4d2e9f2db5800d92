"""The XMP packet of a file that the program writes: whose it is, what it is made from, whether a generator took part.

ISO 16684-1 (XMP), IPTC Photo Metadata Standard 2023.2 (DigitalSourceType and its NewsCodes).
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

_CODES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
RETOUCHED = "algorithmicallyEnhanced"
"""A photo corrected by program, with no generated pixel in it: cut out, laid on a plain ground, scaled."""
COMPOSITE = "compositeWithTrainedAlgorithmicMedia"
"""A photographed piece in a scene that a generator painted: the machine-readable AI label."""

CAPTURED = "computationalCapture"
"""Several photos of one view made one by program: an exposure fusion or a focus stack."""
MAKER = "Vitrina"
"""The creator tool of every file that the program writes: none of them is a photo as a camera wrote it."""

_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmp:CreatorTool="{maker}" Iptc4xmpExt:DigitalSourceType={source}{marked}>{rights}{credit}
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


def source_type(generator: str) -> str:
    """The IPTC digital source type of a file: what `generator` painted behind the piece, or no generator at all."""
    return _CODES + (COMPOSITE if generator else RETOUCHED)


def xmp_packet(*, rights: str = "", generator: str = "") -> bytes:
    """The packet of a file. `rights` is the copyright line; `generator` names what painted behind the piece, if any."""
    text = _PACKET.format(
        maker=MAKER,
        source=quoteattr(source_type(generator)),
        marked=' xmpRights:Marked="True"' if rights else "",
        rights=_alternatives("dc:rights", rights) if rights else "",
        credit=_alternatives("dc:description", f"Background made with AI: {generator}.") if generator else "",
    )
    return text.encode()


def fused_packet(method: str, digests: Sequence[str]) -> bytes:
    """The packet of a picture that several photos, named by their SHA-256, were made by `method`."""
    said = f"A draft, no original: fused from {len(digests)} photos by {method}. SHA-256: {', '.join(digests)}."
    credit = _alternatives("dc:description", said)
    return _PACKET.format(
        maker=MAKER, source=quoteattr(_CODES + CAPTURED), marked="", rights="", credit=credit
    ).encode()


def _alternatives(name: str, text: str) -> str:
    return f'<{name}><rdf:Alt><rdf:li xml:lang="x-default">{escape(text)}</rdf:li></rdf:Alt></{name}>'
