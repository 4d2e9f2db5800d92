"""The nouns of the house: frozen values that every room may import.

Pixels follow one convention (docs/glossary.md): ``rgb`` is linear light, float32, shape ``(rows, columns, 3)``, sRGB
primaries, straight, nominally 0…1; ``alpha`` is float32 ``(rows, columns)`` in 0…1; ``mask`` is bool
``(rows, columns)``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NewType

import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.float32]
"""Linear light, float32, (rows, columns, 3)."""
Alpha = NDArray[np.float32]
"""Soft coverage 0…1, float32, (rows, columns)."""
Mask = NDArray[np.bool_]
"""Boolean, (rows, columns)."""
Plane = NDArray[np.float32]
"""Any other single-channel float32 picture, (rows, columns)."""

Digest = NewType("Digest", str)
"""A SHA-256 in hexadecimal: the name of some bytes."""

CHECKS = (
    "geometry", "stones", "metal", "chain", "clasp", "edges", "background", "text", "glare", "texture", "framing",
    "pieces", "light", "focus", "colour", "rights", "file", "rules",
)  # fmt: skip
"""The names a finding's ``check`` may have (the contract's list)."""


class Severity(StrEnum):
    """What a finding does to the verdict."""

    BLOCK = "block"
    WARN = "warn"
    NOTE = "note"


class Verdict(StrEnum):
    """The program's judgement; a person's judgement is a decision and lives elsewhere."""

    PASS = "pass"
    REVIEW = "review"
    REJECT = "reject"


class Mode(StrEnum):
    """How much may change besides the background."""

    EXACT = "exact"
    JEWELRY = "jewelry"
    LIFESTYLE = "lifestyle"


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels, as people say them."""

    width: int
    height: int

    @property
    def megapixels(self) -> float:
        return self.width * self.height / 1e6

    def __str__(self) -> str:
        return f"{self.width}×{self.height}"


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle in pixels, origin top left."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def around(cls, mask: Mask, *, margin_px: int = 0) -> Region | None:
        """The smallest rectangle around the true pixels of `mask`, or None when there are none."""
        rows = np.flatnonzero(mask.any(axis=1))
        columns = np.flatnonzero(mask.any(axis=0))
        if rows.size == 0:
            return None
        box = cls(int(columns[0]), int(rows[0]), int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1))
        return box.grown(margin_px, within=Size(mask.shape[1], mask.shape[0])) if margin_px else box

    def grown(self, margin_px: int, *, within: Size) -> Region:
        """This rectangle with `margin_px` more on each side, kept inside the picture."""
        x0, y0 = max(0, self.x - margin_px), max(0, self.y - margin_px)
        x1 = min(within.width, self.x + self.width + margin_px)
        y1 = min(within.height, self.y + self.height + margin_px)
        return Region(x0, y0, max(0, x1 - x0), max(0, y1 - y0))

    def scaled(self, factor: float) -> Region:
        """The same place in a picture that is `factor` times as large (rounded outwards)."""
        x0, y0 = math.floor(self.x * factor), math.floor(self.y * factor)
        x1, y1 = math.ceil((self.x + self.width) * factor), math.ceil((self.y + self.height) * factor)
        return Region(x0, y0, x1 - x0, y1 - y0)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Row and column slices of this rectangle."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)

    def meets(self, other: Region) -> bool:
        """Whether the two have a pixel in common."""
        across = self.x < other.x + other.width and other.x < self.x + self.width
        return across and self.y < other.y + other.height and other.y < self.y + self.height

    def as_dict(self) -> dict[str, int]:
        return {"x": self.x, "y": self.y, "width": self.width, "height": self.height}


@dataclass(frozen=True, slots=True)
class Finding:
    """One measured judgement: what was measured, against which limit, where, and what to do."""

    check: str
    code: str
    severity: Severity
    measured: float | str | None
    limit: float | str | None
    unit: str
    message: str
    region: Region | None = None

    def __post_init__(self) -> None:
        if self.check not in CHECKS:
            raise ValueError(f"unknown check {self.check!r}; one of {', '.join(CHECKS)}")

    def as_dict(self) -> dict[str, Any]:
        return {
            "check": self.check,
            "code": self.code,
            "severity": self.severity.value,
            "measured": _plain(self.measured),
            "limit": _plain(self.limit),
            "unit": self.unit,
            "region": self.region.as_dict() if self.region else None,
            "message": self.message,
        }


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """A block rejects, a warning asks for a person, a note changes nothing."""
    severities = {finding.severity for finding in findings}
    if Severity.BLOCK in severities:
        return Verdict.REJECT
    return Verdict.REVIEW if Severity.WARN in severities else Verdict.PASS


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a checker says of one picture: the contract's document."""

    schema: str
    findings: tuple[Finding, ...]
    measures: Mapping[str, Any] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        return verdict_of(self.findings)

    def as_dict(self) -> dict[str, Any]:
        return {
            "schema": self.schema,
            "verdict": self.verdict.value,
            "findings": [finding.as_dict() for finding in self.findings],
            "measures": _plain(self.measures),
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
        }


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What an encoded file says of itself, read without trusting its name.

    `mode` is Pillow's (RGB, CMYK, P…); `bits` are per channel; `jpeg_quality` is estimated from the quantisation
    tables.
    """

    format: str
    size: Size
    mode: str
    bits: int
    bytes: int
    frames: int
    has_alpha: bool
    icc_description: str | None
    jpeg_quality: int | None
    orientation: int
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """A decoded photo: upright, colour-managed to linear sRGB.

    `alpha` is the file's own transparency when it had one (then `rgb` is already composited over white).
    """

    rgb: Rgb
    name: str
    facts: FileFacts
    alpha: Alpha | None = None
    notes: tuple[Finding, ...] = ()

    @property
    def size(self) -> Size:
        return Size(self.rgb.shape[1], self.rgb.shape[0])


@dataclass(frozen=True, slots=True)
class Line:
    """A line of print found in a picture: what was read, how surely (0…1), and where."""

    text: str
    score: float
    region: Region


@dataclass(frozen=True, slots=True)
class Part:
    """One separate object of the piece (an earring of a pair) and the daylight holes inside it."""

    region: Region
    area_px: int
    holes: int


@dataclass(frozen=True, slots=True)
class Cutout:
    """Foreground colour freed from the backdrop (straight, linear) and its alpha matte, at the size of the source.

    `backdrop` is the backdrop's typical linear colour; `method` says in words what made the alpha, and `notes` carries
    every fallback that was taken on the way.
    """

    foreground: Rgb
    alpha: Alpha
    parts: tuple[Part, ...]
    backdrop: tuple[float, float, float]
    method: str
    notes: tuple[Finding, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def size(self) -> Size:
        return Size(self.alpha.shape[1], self.alpha.shape[0])


@dataclass(frozen=True, slots=True)
class Adjustment:
    """The one global colour adjustment of `exact` mode: a gain per linear channel. (1, 1, 1) changes nothing."""

    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)
    reason: str = "none"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture's pixels went: x' = scale·x + dx, y' = scale·y + dy (pixel centres at whole numbers)."""

    scale: float
    dx: float
    dy: float
    size: Size

    def matrix(self) -> NDArray[np.float64]:
        """The 2×3 affine that takes source pixels to this canvas."""
        return np.array([[self.scale, 0.0, self.dx], [0.0, self.scale, self.dy]])

    def as_dict(self) -> dict[str, float]:
        scale, dx, dy = round(self.scale, 7), round(self.dx, 4), round(self.dy, 4)
        return {"scale": scale, "dx": dx, "dy": dy, "width": self.size.width, "height": self.size.height}

    def then(self, other: Placement) -> Placement:
        """This placement followed by `other`."""
        return Placement(
            self.scale * other.scale,
            self.dx * other.scale + other.dx,
            self.dy * other.scale + other.dy,
            other.size,
        )


@dataclass(frozen=True, slots=True)
class Look:
    """How a variant is dressed: a plain ground (sRGB 0…255 per channel) and whether a contact shadow lies under it."""

    name: str
    ground_srgb: tuple[int, int, int]
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class Variant:
    """One dressed picture of a cutout at full resolution; beyond its canvas the ground goes on, plain."""

    rgb: Rgb
    alpha: Alpha
    look: Look
    adjustment: Adjustment
    placement: Placement
    generator: str = ""
    """What painted behind the piece; empty when no pixel was generated. It decides the label in the file."""

    @property
    def size(self) -> Size:
        return Size(self.rgb.shape[1], self.rgb.shape[0])


@dataclass(frozen=True, slots=True)
class Rendition:
    """A variant encoded for one slot of one marketplace. `placement` takes source pixels to this file's pixels."""

    market: str
    slot: str
    data: bytes
    size: Size
    format: str
    quality: int
    placement: Placement


@dataclass(frozen=True, slots=True)
class Sku:
    """What is sold. `facts` holds what the description promises: only the keys that it speaks of."""

    code: str
    title: str = ""
    piece_type: str = "other"
    line: str = ""
    stock: int = 0
    is_top: bool = False
    factory: str = ""
    stone_batch: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def _plain(value: Any) -> Any:
    """`value` as JSON can carry it: numpy scalars to Python's, floats rounded to 4 places, tuples to lists."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, Region):
        return value.as_dict()
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return value
