"""One draft: a variant rendered for a slot, read back as it ships, verified and held against the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vitrina import steps
from vitrina.model import (
    Adjustment,
    Cutout,
    Finding,
    Judgement,
    Look,
    Placement,
    Region,
    Rendition,
    Severity,
    Source,
    Variant,
)
from vitrina.rules.load import find_slot
from vitrina.rules.pack import Pack, taken_kinds
from vitrina.stages.export import check_kind, check_size, check_thumbnail
from vitrina.stages.scene import weakened
from vitrina.stages.verify import Prepared
from vitrina.stages.verify.facts import Facts

__all__ = ["PLAIN", "Draft", "Imprint", "Reference", "dress", "make_draft", "reference_of", "slot_for"]

_FINER = (90, 96)
"""Least qualities at which a draft is encoded again when its re-check finds what its variant did not have."""


@dataclass(frozen=True, slots=True)
class Imprint:
    """What a seller puts into every file: the copyright line, and a signature (file, generator → signed file).

    `kind` is what the files shall be (JPEG, WEBP, PNG; empty: as the packs have it) where the marketplace takes it.
    """

    rights: str = ""
    sign: Callable[[bytes, str], bytes] | None = None
    kind: str = ""


PLAIN = Imprint()
"""None of them."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The photo and its matte around the piece, at working size: what everything made from them is verified against.

    `corner` (x, y) is where in the photo it begins.
    """

    prepared: Prepared
    corner: tuple[int, int] = (0, 0)
    facts: Facts | None = None

    def verify(self, edit: Source, *, placement: Placement | None = None) -> Judgement:
        """Does `edit` still show the piece? `placement` says where the photo's pixels went, if that is known."""
        if placement is not None:
            x, y = (placement.scale * value for value in self.corner)
            placement = replace(placement, dx=placement.dx + x, dy=placement.dy + y)
        return steps.verify_prepared(self.prepared, edit, facts=self.facts, placement=placement)


@dataclass(frozen=True, slots=True)
class Draft:
    """A rendition with what was said of the file that ships; `shipped` is that file read back."""

    rendition: Rendition
    shipped: Source
    verified: Judgement
    ruled: Judgement

    @property
    def findings(self) -> tuple[Finding, ...]:
        return (*self.verified.findings, *self.ruled.findings)

    def as_dict(self) -> dict[str, Any]:
        made, placement = self.rendition, self.rendition.placement
        return {
            "width": made.size.width,
            "height": made.size.height,
            "bytes": len(made.data),
            "format": made.format,
            "quality": made.quality,
            "placement": placement.as_dict(),
            "verify": self.verified.as_dict(),
            "rules": self.ruled.as_dict(),
        }


def reference_of(source: Source, cut: Cutout, *, facts: Facts | None = None) -> Reference:
    """The photo cut down to the piece and a quarter of its extent around it: no more is looked at."""
    box = Region.around(cut.alpha > 0)
    if box is None:
        return Reference(steps.prepare(source, matte=cut.alpha), facts=facts)
    box = box.grown(max(32, round(0.25 * max(box.width, box.height))), within=source.size)
    part = np.ascontiguousarray(source.rgb[box.slices])
    matte = np.ascontiguousarray(cut.alpha[box.slices])
    prepared = steps.prepare(replace(source, rgb=part, alpha=None), matte=matte)
    return Reference(prepared, (box.x, box.y), facts)


def dress(
    cut: Cutout, look: str, adjustment: Adjustment, *, reference: Reference, may_weaken: bool
) -> tuple[Variant, Judgement]:
    """`cut` in a look, verified.

    With `may_weaken` only as much of `adjustment` is made as leaves the metal's tone alone by verification's own word:
    all, half or none of it.
    """
    shares = (1.0, 0.5, 0.0) if may_weaken and adjustment.gains != (1.0, 1.0, 1.0) else (1.0,)
    for share in shares:
        kept = adjustment if share == 1 else weakened(adjustment, share=share)
        variant = steps.compose(cut, look, adjustment=kept)
        seen = reference.verify(steps.from_array(variant.rgb, name=look), placement=variant.placement)
        if not any(finding.check == "metal" for finding in seen.findings):
            break
    return variant, seen


def make_draft(
    variant: Variant, pack: Pack, slot: str, *, reference: Reference, master: Judgement, imprint: Imprint = PLAIN
) -> Draft:
    """`variant` for `slot`, encoded finer when the re-check finds more than `master`, the variant's own judgement."""
    draft = _made(variant, pack, slot, reference, None, imprint)
    for quality in _FINER:
        if _badness(draft.verified) > _badness(master) and quality > draft.rendition.quality:
            finer = _made(variant, pack, slot, reference, quality, imprint)
            draft = finer if _badness(finer.verified) < _badness(draft.verified) else draft
    return draft


def slot_for(pack: Pack, look: Look, *, may_be_main: bool, shows: str = "extra") -> str:
    """``main`` for the card's first photo in a look that the marketplace takes there, else what it `shows`."""
    grounds = find_slot(pack, "main").ground
    wants_white = any(rule.kind == "white" and rule.level == "required" for rule in grounds)
    return "main" if may_be_main and (look.ground_srgb == (255, 255, 255) or not wants_white) else shows


def _made(
    variant: Variant, pack: Pack, slot: str, reference: Reference, least_quality: int | None, imprint: Imprint
) -> Draft:
    kind = imprint.kind if imprint.kind in taken_kinds(find_slot(pack, slot)) else None
    rendition = steps.render(
        variant, market=pack, slot=slot, kind=kind, least_quality=least_quality, rights=imprint.rights
    )  # fmt: skip
    if imprint.sign is not None:
        rendition = replace(rendition, data=imprint.sign(rendition.data, variant.generator))
    name = f"{pack.market} {slot}"
    shipped = steps.take_in(rendition.data, name=name)
    ruled = steps.check_rules(rendition.data, market=pack, slot=slot, name=name)
    shown = (
        *check_size(rendition, variant, pack),
        *check_thumbnail(rendition, variant, shipped.rgb, pack),
        *check_kind(rendition, pack, imprint.kind),
    )
    ruled = replace(ruled, findings=(*ruled.findings, *shown))
    return Draft(rendition, shipped, reference.verify(shipped, placement=rendition.placement), ruled)


def _badness(judgement: Judgement) -> tuple[int, int]:
    return _count(judgement.findings, Severity.BLOCK), _count(judgement.findings, Severity.WARN)


def _count(findings: Iterable[Finding], severity: Severity) -> int:
    return sum(finding.severity is severity for finding in findings)
