"""What a rule pack is made of: one marketplace's picture rules with where they come from and how far to trust them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from vitrina.model import Severity, Size

Day = date
"""A day in the calendar, for rooms that have no clock of their own."""
Level = Literal["required", "recommended", "unknown"]
"""`unknown`: nothing was found, nothing is checked, a person looks into the seller's cabinet."""
Confidence = Literal["high", "medium", "low"]
Answer = Literal["yes", "no", "discouraged", "conflict", "unknown"]
Topic = Literal[
    "text", "watermark", "logo", "border", "infographic", "worn", "props", "packaging", "whole", "real-photo",
    "background", "set", "order", "count", "style", "ai-label", "jewelry", "video",
]  # fmt: skip


def _reachable(address: str) -> str:
    if not address.startswith(("https://", "http://")):
        raise ValueError(f"{address!r} is not a web address")
    return address


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Origin(_Strict):
    """Where a fact was read."""

    url: Annotated[str, AfterValidator(_reachable)]
    checked_on: date | None = None
    dated: str = ""
    """What the page says of its own age."""


class Rule(_Strict):
    """One rule. `source` names entries of the pack's `[sources]`; `sources` holds their addresses once loaded."""

    level: Level
    confidence: Confidence
    source: tuple[str, ...] = Field(min_length=1)
    checked_on: date | None = None
    severity: Severity | None = None
    note: str = ""
    sources: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_fair(self) -> Rule:
        if self.confidence == "low" and self.severity is Severity.BLOCK:
            raise ValueError("a fact of low confidence never blocks: use severity 'warn' or 'note'")
        return self

    @property
    def weight(self) -> Severity:
        """What breaking this rule does: only a required, well-sourced rule blocks unless the pack says otherwise."""
        if self.severity is not None:
            return self.severity
        if self.level != "required":
            return Severity.NOTE
        return Severity.BLOCK if self.confidence == "high" else Severity.WARN

    @property
    def value(self) -> dict[str, Any]:
        """The rule's own numbers, without what all rules carry."""
        return self.model_dump(exclude=set(Rule.model_fields), exclude_none=True, mode="json")


class SizeRule(Rule):
    """Pixels. Several given limits hold together."""

    width: int | None = Field(None, gt=0)
    height: int | None = Field(None, gt=0)
    long_side: int | None = Field(None, gt=0)
    short_side: int | None = Field(None, gt=0)
    width_plus_height: int | None = Field(None, gt=0)
    megapixels: float | None = Field(None, gt=0)


class BytesRule(Rule):
    """The size of the file."""

    max: int | None = Field(None, gt=0)


class FormatRule(Rule):
    """Formats by Pillow's names."""

    any_of: tuple[Literal["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "HEIF", "AVIF"], ...] = ()


class QualityRule(Rule):
    """Estimated JPEG quality on libjpeg's scale."""

    min: int | None = Field(None, ge=1, le=100)


class AspectRule(Rule):
    """Width to height."""

    ratio: str | None = Field(None, pattern=r"^\d+:\d+$")
    tolerance: float = Field(0.01, ge=0, lt=1)

    @property
    def width_over_height(self) -> float | None:
        if self.ratio is None:
            return None
        width, height = self.ratio.split(":")
        return int(width) / int(height)


class FlagRule(Rule):
    """Something that must not be (transparency, CMYK, animation, a drawn border); `allowed` turns it off."""

    allowed: bool = False


class GroundRule(Rule):
    """The ground, measured on the rim of the picture: `white` (8-bit code, at most `tolerance` below) or `neutral`."""

    kind: Literal["white", "neutral", "free"]
    white: int = Field(255, ge=0, le=255)
    tolerance: int = Field(0, ge=0, le=40)
    chroma: float = Field(8.0, ge=0)
    """Greatest C*ab that is still neutral."""
    spread: float = Field(8.0, ge=0)
    """Greatest ΔE76 from the middle colour, for 95 % of the rim, that is still even."""


class FillRule(Rule):
    """The piece's share of the frame: the greater of its shares of width and height."""

    min: float | None = Field(None, gt=0, lt=1)


class CountRule(Rule):
    """Pictures in one listing."""

    min: int | None = Field(None, ge=0)
    max: int | None = Field(None, gt=0)
    safe: int | None = Field(None, gt=0)


class ThumbnailRule(Rule):
    """The tile of search results, in pixels, that a main picture is made to fit into."""

    width: int = Field(gt=0)
    height: int = Field(gt=0)


class HandRule(Rule):
    """What a program cannot judge from the file: a person checks it."""

    topic: Topic
    allowed: Answer = "unknown"
    says: str


class Safe(_Strict):
    """What we export: it meets every conflicting source at once."""

    width: int = Field(gt=0)
    height: int = Field(gt=0)
    fill: float = Field(0.75, gt=0, lt=1)
    least_fill: float = Field(0.5, gt=0, lt=1)
    """How far the fill may sink before a small photo counts as too small."""
    is_square_safe: bool = False
    """Keep the piece inside the centre square, where thumbnails are cut."""
    format: Literal["JPEG", "WEBP", "PNG"] = "JPEG"
    quality: int = Field(92, ge=1, le=100)
    max_bytes: int = Field(gt=0)

    @property
    def size(self) -> Size:
        return Size(self.width, self.height)


class Slot(_Strict):
    """One place in a listing and its rules."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    inherits: str | None = None
    drops: tuple[str, ...] = ()
    """Rules of the inherited slot that do not hold here."""
    safe: Safe | None = None
    min_size: tuple[SizeRule, ...] = ()
    max_size: tuple[SizeRule, ...] = ()
    max_bytes: tuple[BytesRule, ...] = ()
    formats: tuple[FormatRule, ...] = ()
    jpeg_quality: tuple[QualityRule, ...] = ()
    aspect: tuple[AspectRule, ...] = ()
    srgb: tuple[FlagRule, ...] = ()
    cmyk: tuple[FlagRule, ...] = ()
    transparency: tuple[FlagRule, ...] = ()
    animation: tuple[FlagRule, ...] = ()
    border: tuple[FlagRule, ...] = ()
    ground: tuple[GroundRule, ...] = ()
    frame_fill: tuple[FillRule, ...] = ()
    by_hand: tuple[HandRule, ...] = ()

    @property
    def target(self) -> Safe:
        """What we export into this slot; every loaded slot has it."""
        if self.safe is None:
            raise ValueError(f"slot {self.name!r} is not loaded")
        return self.safe

    def rules(self) -> Iterator[tuple[str, Rule]]:
        """Every rule with the name of its family, in a fixed order."""
        for family in FAMILIES:
            for rule in getattr(self, family):
                yield family, rule


def taken_kinds(slot: Slot) -> tuple[str, ...]:
    """Those of the formats we write that every rule of the slot takes; JPEG where nothing is said of them."""
    told = [set(rule.any_of) for rule in slot.formats if rule.any_of and rule.level != "unknown"]
    return tuple(kind for kind in ("JPEG", "WEBP", "PNG") if all(kind in taken for taken in told or [{"JPEG"}]))


FAMILIES = tuple(name for name in Slot.model_fields if name not in ("name", "inherits", "drops", "safe"))
"""The families of rules a slot may have."""


class PackFile(_Strict):
    """One marketplace's rules as its file has them, dated."""

    market: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name: str
    country: str | None = None
    version: int = Field(ge=1)
    checked_on: date
    reread_by: date
    """After this day every use of the pack warns."""
    stop_after: date
    """After this day exports stop until a person has read the help page again."""
    confidence: Confidence
    note: str = ""
    order: tuple[str, ...] = Field(min_length=1)
    """The order of pictures we propose."""
    sources: dict[str, Origin]
    count: tuple[CountRule, ...] = ()
    thumbnail: tuple[ThumbnailRule, ...] = ()
    """None where the marketplace says nothing of it: then our own reading is used."""
    by_hand: tuple[HandRule, ...] = ()
    slot: tuple[Slot, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_ordered(self) -> PackFile:
        if not self.checked_on <= self.reread_by <= self.stop_after:
            raise ValueError("dates must run checked_on ≤ reread_by ≤ stop_after")
        return self


class Local(_Strict):
    """What a seller changed in a pack on their own: why, what exactly, and the digest of the file that says so."""

    file: str
    why: str
    changes: tuple[str, ...]
    digest: str


class Pack(PackFile):
    """A marketplace's rules in effect: the file, the seller's own changes, and a person's word that they still hold."""

    local: Local | None = None
    confirmed_on: date | None = None
    confirmed_by: str = ""

    @property
    def slots(self) -> tuple[str, ...]:
        """Every slot there is: those with rules of their own, then those that the order of pictures names."""
        return tuple(dict.fromkeys((*(slot.name for slot in self.slot), *self.order)))

    @property
    def slots_in_order(self) -> tuple[str, ...]:
        """The slots as a gallery shows them: by `order`; those it does not name come after the main picture."""
        first, *rest = self.order
        return tuple(dict.fromkeys((first, *(slot.name for slot in self.slot if slot.name not in rest), *rest)))

    @property
    def edition(self) -> str:
        """The version, and which local changes were made to it: what an approval rests on."""
        return str(self.version) if self.local is None else f"{self.version}+{self.local.digest[:8]}"

    @property
    def read_on(self) -> date:
        """The last day somebody read the marketplace's page."""
        return max(self.checked_on, self.confirmed_on or self.checked_on)

    def confirmed(self, on: date, *, by: str) -> Pack:
        """This pack after `by` read the marketplace's page on `on` and found it unchanged: both dates begin anew."""
        if on <= self.checked_on:
            return self
        later = {
            "reread_by": on + (self.reread_by - self.checked_on),
            "stop_after": on + (self.stop_after - self.checked_on),
        }
        return self.model_copy(update={**later, "confirmed_on": on, "confirmed_by": by})

    def is_stale(self, today: date) -> bool:
        """Whether the pack was to be read again before `today`."""
        return today > self.reread_by
