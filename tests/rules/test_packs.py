"""Every rule of every pack, with a picture that keeps it and one that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from tests.rules import pictures
from vitrina.codec.metadata import probe
from vitrina.model import FileFacts, Finding, Rgb, Severity, Size
from vitrina.rules.evaluate import check_age, check_count, evaluate
from vitrina.rules.load import list_packs
from vitrina.rules.pack import CountRule, FillRule, GroundRule, Pack, Rule, SizeRule, Slot

TODAY = date(2026, 11, 25)
PACKS = {pack.market: pack for pack in list_packs()}
FORMATS = ("PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM")


def every_rule() -> Iterator[Any]:
    for pack in PACKS.values():
        for slot in pack.slot:
            for number, (family, rule) in enumerate(slot.rules()):
                if family != "by_hand":
                    yield pytest.param(pack, slot, family, rule, id=f"{pack.market}-{slot.name}-{family}-{number}")


def only(slot: Slot, family: str, rule: Rule) -> Slot:
    """`slot` with this one rule."""
    empty = {name: () for name, _ in Slot.rules(slot)}
    return slot.model_copy(update={**empty, family: (rule,)})


def judged(pack: Pack, slot: Slot, data: bytes | FileFacts, image: Rgb | None) -> list[Finding]:
    facts = probe(data, name="picture") if isinstance(data, bytes) else data
    alone = pack.model_copy(update={"slot": (slot,)})
    return evaluate(facts, image, alone, slot.name, today=TODAY)


def small(slot: Slot) -> Size:
    """A little picture of the slot's own ratio."""
    side = max(slot.target.width, slot.target.height) / 240
    return Size(round(slot.target.width / side), round(slot.target.height / side))


def picture_within(rule: SizeRule, *, step: int) -> Size:
    """A size `step` away from the rule's limit in each direction that it names; elsewhere as little as possible."""
    width, height = (rule.width or 10) + step, (rule.height or 10) + step
    if rule.long_side is not None:
        width = rule.long_side + step
    if rule.short_side is not None:
        width = height = rule.short_side + step
    if rule.width_plus_height is not None:
        width = rule.width_plus_height - 10 + step
    return Size(width, height)


def broken_size(rule: SizeRule, step: int) -> Size:
    """Beyond one limit only, so that the picture stays small."""
    if step > 0 and rule.width is not None:
        return Size(rule.width + 1, 10)
    if step > 0 and rule.height is not None:
        return Size(10, rule.height + 1)
    return picture_within(rule, step=step)


def keeping(family: str, rule: Any, slot: Slot) -> tuple[bytes, Rgb | None]:
    size = small(slot)
    if family in ("min_size", "max_size"):
        within = picture_within(rule, step=0) if family == "min_size" else Size(10, 10)
        return pictures.encoded(within), None
    if family == "formats":
        return pictures.encoded(size, format=rule.any_of[0] if rule.any_of else "JPEG"), None
    if family == "aspect":
        return pictures.encoded(slot.target.size), None
    if family in ("ground", "frame_fill", "border"):
        picture = pictures.canvas(size)
        return pictures.encoded(picture), pictures.linear(picture)
    return pictures.encoded(size), None


def breaking(family: str, rule: Any, slot: Slot) -> tuple[bytes, Rgb | None]:
    size = small(slot)
    plain: dict[str, Callable[[], bytes]] = {
        "min_size": lambda: pictures.encoded(broken_size(rule, -1)),
        "max_size": lambda: pictures.encoded(broken_size(rule, 1)),
        "max_bytes": lambda: pictures.encoded(size, bytes_wanted=(rule.max or 10_000_000) + 1),
        "formats": lambda: pictures.encoded(
            size, format=next((name for name in FORMATS if name not in rule.any_of), "JPEG")
        ),
        "jpeg_quality": lambda: pictures.encoded(size, quality=(rule.min or 50) - 5),
        "aspect": lambda: pictures.encoded(Size(size.width, round(size.height * 0.8))),
        "srgb": lambda: pictures.other_profile(size),
        "cmyk": lambda: pictures.cmyk(size),
        "transparency": lambda: pictures.see_through(size),
        "animation": lambda: pictures.animated(size),
    }
    if family in plain:
        return plain[family](), None
    picture = {
        "ground": lambda: pictures.canvas(size, ground=pictures.RED),
        "frame_fill": lambda: pictures.canvas(size, fill=(rule.min or 0.5) - 0.05 if family == "frame_fill" else 0.5),
        "border": lambda: pictures.bordered(pictures.canvas(size, fill=0.7)),
    }[family]()
    return pictures.encoded(picture), pictures.linear(picture)


def is_silent(rule: Any) -> bool:
    """Rules that say nothing by design: unknown ones, things allowed, a free ground."""
    if isinstance(rule, GroundRule) and rule.kind == "free":
        return True
    if isinstance(rule, FillRule) and rule.min is None:
        return True
    return rule.level == "unknown" or getattr(rule, "allowed", False)


@pytest.mark.parametrize(("pack", "slot", "family", "rule"), list(every_rule()))
def test_a_rule_passes_what_keeps_it_and_finds_what_breaks_it(pack: Pack, slot: Slot, family: str, rule: Any) -> None:
    alone = only(slot, family, rule)
    good, image = keeping(family, rule, slot)
    assert judged(pack, alone, good, image) == []
    bad, image = breaking(family, rule, slot)
    found = judged(pack, alone, bad, image)
    if is_silent(rule):
        assert found == []
        return
    assert len(found) >= 1
    for finding in found:
        assert finding.severity is rule.weight
        assert finding.measured is not None
        assert rule.sources[0] in finding.message, "where it was read"
        assert str(rule.checked_on) in finding.message, "when it was read"


def test_pixels_of_white_ground_are_judged_to_the_code() -> None:
    pack = PACKS["amazon"]
    slot = next(slot for slot in pack.slot if slot.name == "main")
    picture = pictures.canvas(Size(400, 400), ground=(254, 254, 254))
    alone = only(slot, "ground", slot.ground[0])
    found = judged(pack, alone, pictures.encoded(picture), pictures.linear(picture))
    assert [(finding.code, finding.measured, finding.severity) for finding in found] == [
        ("background-not-white", 254, Severity.BLOCK)
    ]


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
def test_every_fact_says_where_when_and_how_surely(pack: Pack) -> None:
    rules = [*pack.count, *pack.thumbnail, *pack.by_hand, *(rule for slot in pack.slot for _, rule in slot.rules())]
    for rule in rules:
        assert rule.sources and all(address.startswith("http") for address in rule.sources)
        assert rule.checked_on is not None
        assert rule.confidence in ("high", "medium", "low")
        assert not (rule.confidence == "low" and rule.weight is Severity.BLOCK), "low confidence never blocks"
    topics = {rule.topic for rule in pack.by_hand}
    assert {"set", "ai-label", "jewelry", "video"} <= topics


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
def test_what_we_export_keeps_every_rule_of_its_slot(pack: Pack) -> None:
    """The safe values satisfy all sources at once, on a piece that the photo shows large enough."""
    for slot in pack.slot:
        picture = pictures.canvas(slot.target.size, fill=slot.target.fill)
        data = pictures.encoded(picture, quality=slot.target.quality)
        facts = replace(probe(data, name="picture"), jpeg_quality=slot.target.quality)
        found = evaluate(facts, pictures.linear(picture), pack, slot.name, today=TODAY)
        assert [finding.message for finding in found if finding.severity is not Severity.NOTE] == []
        assert len(data) <= slot.target.max_bytes


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
def test_a_pack_grows_stale_and_then_expires(pack: Pack) -> None:
    day = timedelta(days=1)
    assert check_age(pack, today=pack.reread_by) == []
    stale, expired = check_age(pack, today=pack.reread_by + day), check_age(pack, today=pack.stop_after + day)
    assert [(finding.code, finding.severity) for finding in stale] == [("pack-stale", Severity.WARN)]
    assert [(finding.code, finding.severity) for finding in expired] == [("pack-expired", Severity.BLOCK)]


def count_rules() -> list[Any]:
    return [
        pytest.param(pack, rule, id=f"{pack.market}-{number}")
        for pack in PACKS.values()
        for number, rule in enumerate(pack.count)
    ]


@pytest.mark.parametrize(("pack", "rule"), count_rules())
def test_the_number_of_pictures_is_limited(pack: Pack, rule: CountRule) -> None:
    alone = pack.model_copy(update={"count": (rule,)})
    assert check_count(rule.max or rule.min or 1, alone) == []
    if rule.max is not None:
        assert [finding.code for finding in check_count(rule.max + 1, alone)] == ["too-many"]
    if rule.min is not None:
        assert [finding.code for finding in check_count(rule.min - 1, alone)] == ["too-few"]


def test_of_two_limits_only_the_graver_is_told() -> None:
    pack = PACKS["wildberries"]
    found = evaluate(probe(pictures.encoded(Size(600, 800)), name="p"), None, pack, "main", today=TODAY)
    assert [(finding.code, finding.severity) for finding in found] == [("too-small", Severity.BLOCK)]
