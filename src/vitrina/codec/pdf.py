"""A page of rectangles and words as a PDF (ISO 32000-1), in true size."""

from __future__ import annotations

from collections.abc import Iterable

_POINTS_PER_MM = 72 / 25.4


def page(
    width_mm: float,
    height_mm: float,
    rectangles: Iterable[tuple[float, float, float, float, float]],
    words: Iterable[tuple[str, float, float, float]],
) -> bytes:
    """One page. Rectangles are x, y, width, height (mm, origin top left) and grey (sRGB-encoded 0…1, 0 is ink); words
    are a Latin text, x, baseline y and size (mm), in Helvetica.
    """
    drawn = [
        f"{grey:.4f} g {x:.3f} {height_mm - y - height:.3f} {width:.3f} {height:.3f} re f"
        for x, y, width, height, grey in rectangles
    ]
    for text, x, y, size in words:
        safe = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        drawn.append(f"BT 0 g /F1 {size:.2f} Tf {x:.3f} {height_mm - y:.3f} Td ({safe}) Tj ET")
    content = (f"{_POINTS_PER_MM:.6f} 0 0 {_POINTS_PER_MM:.6f} 0 0 cm\n" + "\n".join(drawn)).encode("latin-1")
    box = f"[0 0 {width_mm * _POINTS_PER_MM:.3f} {height_mm * _POINTS_PER_MM:.3f}]"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /ViewerPreferences << /PrintScaling /None >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox {box} /Contents 4 0 R /Resources "
        "<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>".encode(),
        f"<< /Length {len(content)} >>\nstream\n".encode() + content + b"\nendstream",
    ]
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    trailer = f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}"
    return out + end.encode()
