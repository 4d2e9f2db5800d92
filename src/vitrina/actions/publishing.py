"""Handing approved files on: behind the gate, as a dry run first, once only, and read back afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from vitrina.actions.house import House, actor, log, sku_called
from vitrina.actions.pictures import refresh, what_is
from vitrina.actions.release import approved_files
from vitrina.actions.rule_packs import pack_in_effect, require_fresh
from vitrina.backends.blobs import digest_of
from vitrina.backends.s3 import put_pictures
from vitrina.errors import Conflict, Missing, NotAllowed, Refused, UsageError, VitrinaError
from vitrina.files import read_bytes
from vitrina.model import Digest, Finding, Severity, verdict_of
from vitrina.plugins import Parcel, Picture, Publisher, plugin, plugins_of
from vitrina.rules.evaluate import check_count
from vitrina.rules.pack import Pack
from vitrina.stages import review
from vitrina.stages.review import Move, State
from vitrina.store import Connection, Row, decisions, events, pictures, skus

_ANSWER, _PUBLISH = "publish.answer", "publish"


@dataclass(frozen=True, slots=True)
class Sending:
    """What is to be sent and how. `again` sends what was answered already; `replace` allows other pictures to go."""

    market: str
    by: str = ""
    listing: Mapping[str, str] = field(default_factory=dict)
    pictures_at: str = ""
    dry_run: bool = False
    again: bool = False
    replace: bool = False
    upload_to: str = ""
    """A bucket (``s3://BUCKET/PREFIX``) the files are put into first; `pictures_at` is its public address."""


def publish(house: House, code: str, sending: Sending) -> dict[str, Any]:
    """Send an SKU's approved files to a marketplace, or show what would be sent.

    Every answer is kept in the ledger before the next request is made, so an interrupted sending goes on where it
    stopped and a repeated one sends nothing. Afterwards the gallery is fetched and compared with what was sent.

    Raises NotAllowed naming the role, approval or confirmation that is lacking; Conflict when other pictures would go
    and `replace` does not say so; Refused with the marketplace's words; Retryable to go on later.
    """
    with house.store.writing() as conn:
        person = actor(conn, house, _PUBLISH)
        pack = pack_in_effect(conn, house.config, sending.market)
        warnings = require_fresh(pack, house.clock().date())
        refresh(conn, house, person, sku_called(conn, code))
    by = sending.by or (sending.market if sending.market in plugins_of("publishers") else "folder")
    publisher = cast(Callable[[], Publisher], plugin("publishers", by))()
    parcel, variants = _parcel(house, code, sending, pack, publisher)
    warnings += [
        finding.message for finding in check_count(len(parcel.pictures), pack) if finding.severity is Severity.WARN
    ]
    told = {
        "schema": "vitrina.publish/1",
        "sku": code,
        "market": sending.market,
        "by": publisher.name,
        "dry_run": sending.dry_run,
        "pictures": [
            {"name": p.name, "slot": p.slot, "sha256": p.digest, "bytes": len(p.data), "url": p.url or None}
            for p in parcel.pictures
        ],
        "upload_to": sending.upload_to or None,
        "requests": publisher.plan(parcel),
        "warnings": warnings,
        "notice": "The seller answers for publication; no marketplace has approved these files.",
    }
    if sending.dry_run:
        return {**told, "sent": 0, "findings": [], "verdict": "review" if warnings else "pass"}
    journal = _Journal(house, person, code, sending, parcel)
    if publisher.takes_urls:
        if sending.upload_to:
            put_pictures(sending.upload_to, {picture.name: picture.data for picture in parcel.pictures})
        _require_reachable(publisher, parcel)
    if not (sending.replace or journal.answers or publisher.name == "folder"):
        _require_empty(publisher, parcel, sending)
    publisher.send(parcel, journal)
    if journal.sent or any(variant.state != State.PUBLISHED for variant in variants):
        _record(house, code, sending, parcel, variants)
    findings = _read_back(publisher, parcel)
    verdict = verdict_of(findings).value
    verdict = "review" if warnings and verdict == "pass" else verdict
    return {**told, "sent": journal.sent, "findings": [f.as_dict() for f in findings], "verdict": verdict}


def handed_out(house: House, code: str, market: str, name: str) -> bytes:
    """An exported file, for a marketplace that fetches pictures at the studio's own address.

    Nobody's role is asked: only what was exported for this marketplace is given, and only while its approval holds.
    Raises Missing otherwise, whatever the reason.
    """
    with house.store.reading() as conn:
        sku = skus.get(conn, code)
        given = decisions.exports_of(conn, [sku.id]) if sku is not None else []
        for row in reversed(given):
            if row.market == market and name in row.files:
                if State(pictures.get_variant(conn, row.variant_id).state) not in review.LIVE:
                    break
                return house.works.get(Digest(row.files[name]))
    raise Missing("There is no such file here. Export it first: vitrina export SKU --market M.")


@dataclass(slots=True)
class _Journal:
    """The kept answers of this very parcel to this very listing, in the ledger; another parcel since then ends them."""

    house: House
    person: str
    code: str
    sending: Sending
    parcel: Parcel
    sent: int = 0
    answers: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    name: str = ""
    subject: str = ""

    def __post_init__(self) -> None:
        self.subject = f"publish/{self.sending.market}/{self.code}"[:160]
        words = [*sorted(f"{k}={v}" for k, v in self.parcel.listing.items()), *(p.digest for p in self.parcel.pictures)]
        self.name = digest_of("\n".join(words).encode())
        if self.sending.again:
            return
        with self.house.store.reading() as conn:
            for event in events.of_subjects(conn, [self.subject]):
                if event.verb == _ANSWER and event.details["parcel"] != self.name:
                    self.answers = {}
                elif event.verb == _ANSWER:
                    self.answers[event.details["key"]] = event.details["answer"]

    def answer(self, key: str) -> Mapping[str, Any] | None:
        return self.answers.get(key)

    def keep(self, key: str, answer: Mapping[str, Any]) -> None:
        self.answers[key] = answer
        self.sent += 1
        details = {"key": key, "parcel": self.name, "answer": dict(answer)}
        with self.house.store.writing() as conn:
            log(conn, self.house, self.person, _ANSWER, self.subject, details=details)


def _parcel(
    house: House, code: str, sending: Sending, pack: Pack, publisher: Publisher
) -> tuple[Parcel, list[Row[Any]]]:
    """The approved files in the order of the gallery."""
    listing = _listing(publisher, sending)
    if sending.upload_to and not publisher.takes_urls:
        raise UsageError(f"--upload-to {sending.upload_to}: {publisher.name} takes the files themselves. Leave it out.")
    if publisher.takes_urls and not sending.pictures_at.startswith(("https://", "http://")):
        raise UsageError(
            f"{publisher.name} takes addresses, not files: export the files, put them where anybody can fetch them, "
            "and say where: --pictures-at https://…/"
        )
    found: list[tuple[int, int, Picture]] = []
    with house.store.reading() as conn:
        planned = approved_files(conn, house, code, sending.market)
        for variant, made in planned:
            slots = {r.name: r.slot for r in pictures.renditions_of(conn, variant.id, market=sending.market)}
            for name, digest in made.items():
                url = f"{sending.pictures_at.rstrip('/')}/{name}" if publisher.takes_urls else ""
                data = house.works.get(Digest(digest))
                picture = Picture(name, slots[name], Digest(digest), data, url)
                found.append((pack.slots_in_order.index(slots[name]), variant.number, picture))
    if not found:
        raise NotAllowed(
            f"{code} has no approved rendition for {sending.market}: only files made for it are sent. Make its card "
            f"with --markets {sending.market} and have it approved."
        )
    ordered = tuple(picture for _, _, picture in sorted(found, key=lambda item: item[:2]))
    names = [picture.name for picture in ordered]
    if len(set(names)) != len(names):
        raise UsageError(f"two approved variants of {code} have files of one name. Supersede or reject one of them.")
    for finding in check_count(len(ordered), pack):
        if finding.severity is Severity.BLOCK:
            raise NotAllowed(f"{finding.message} Supersede or reject some of the variants.")
    return Parcel(sending.market, code, listing, ordered), [variant for variant, _ in planned]


def _listing(publisher: Publisher, sending: Sending) -> dict[str, str]:
    unknown = sorted(set(sending.listing) - set(publisher.needs))
    lacking = [f"--to {key}=… ({what})" for key, what in publisher.needs.items() if not sending.listing.get(key)]
    if unknown:
        raise UsageError(f"--to {unknown[0]}: {publisher.name} knows {', '.join(publisher.needs)}.")
    if lacking:
        raise UsageError(f"{publisher.name} must be told {', '.join(lacking)}.")
    return {key: _value(key, value.strip()) for key, value in sending.listing.items()}


def _value(key: str, value: str) -> str:
    """A value as it was written, or the text of the file that ``@FILE`` names."""
    if not value.startswith("@"):
        return value
    try:
        return read_bytes(Path(value[1:])).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"--to {key}={value}: the file is not UTF-8 text ({error}).") from error


def _require_reachable(publisher: Publisher, parcel: Parcel) -> None:
    """Raise Refused unless each address gives the approved bytes: what is fetched there is what is published."""
    for picture in parcel.pictures:
        found = digest_of(publisher.fetch(picture.url))
        if found != picture.digest:
            raise Refused(
                f"{picture.url}: gives other bytes ({found[:12]}…) than were approved ({picture.digest[:12]}…). Put "
                "the exported file there again."
            )


def _require_empty(publisher: Publisher, parcel: Parcel, sending: Sending) -> None:
    """Raise Conflict when the gallery holds pictures that this sending did not put there."""
    shown = publisher.shown(parcel)
    if shown is None:
        raise Conflict(
            f"{publisher.name} does not tell what the listing shows now; whatever it is will be replaced: --replace"
        )
    if shown:
        raise Conflict(
            f"the listing at {sending.market} shows {len(shown)} pictures now, and sending puts others in their place. "
            f"If that is meant: --replace. The first of them: {shown[0]}"
        )


def _record(house: House, code: str, sending: Sending, parcel: Parcel, variants: list[Row[Any]]) -> None:
    """Put on record who published what where, if the approvals still hold at this moment."""
    with house.store.writing() as conn:
        person = actor(conn, house, _PUBLISH)
        for variant in variants:
            _record_one(conn, house, person, code, sending, parcel, variant)


def _record_one(
    conn: Connection, house: House, person: str, code: str, sending: Sending, parcel: Parcel, variant: Row[Any]
) -> None:
    row = pictures.get_variant(conn, variant.id)
    made = {r.name: r.digest for r in pictures.renditions_of(conn, variant.id, market=sending.market)}
    files = {picture.name: picture.digest for picture in parcel.pictures if made.get(picture.name) == picture.digest}
    where = f"{sending.market} by {sending.by or sending.market}: " + ", ".join(
        f"{key} {value}" for key, value in parcel.listing.items() if key != "product"
    )
    decisions.add_export(
        conn, variant_id=variant.id, sku_id=variant.sku_id, market=sending.market, files=files, folder=where,
        person=person, at=house.now(),
    )  # fmt: skip
    state = State(row.state)
    if state in review.LIVE:  # an approval that was taken back meanwhile stays so; the ledger shows both
        state = review.move(state, Move.EXPORT, what=what_is(code, row))
        state = review.move(state, Move.PUBLISH, what=what_is(code, row))
        pictures.set_state(conn, variant.id, state, reason="", at=house.now())
    details = {"variant": variant.number, "market": sending.market, "where": where, "files": files}
    log(conn, house, person, _PUBLISH, f"sku/{code}", digests=tuple(files.values()), details=details)


def _read_back(publisher: Publisher, parcel: Parcel) -> list[Finding]:
    """What the gallery shows now, picture by picture, against what was sent."""
    from vitrina import steps
    from vitrina.stages.readback import compare_shown

    addresses = publisher.shown(parcel)
    if addresses is None:
        said = f"{publisher.name} does not give the gallery back: look at the listing once it is checked there."
        return [Finding("file", "not-read-back", Severity.WARN, None, None, "", said)]
    findings = []
    if len(addresses) != len(parcel.pictures):
        said = (
            f"The listing shows {len(addresses)} pictures, {len(parcel.pictures)} were sent. Look at the rest of them."
        )
        findings.append(
            Finding("file", "shown-count", Severity.WARN, len(addresses), len(parcel.pictures), "pictures", said)
        )
    for place, (picture, address) in enumerate(zip(parcel.pictures, addresses, strict=False), start=1):
        try:
            data = publisher.fetch(address)
            if digest_of(data) == picture.digest:
                continue
            shown = steps.take_in(data, name=f"picture {place} of the listing")
        except VitrinaError as error:
            findings.append(Finding("file", "shown-unreadable", Severity.WARN, None, None, "", str(error)))
            continue
        findings += compare_shown(steps.take_in(picture.data, name=picture.name), shown, place=place)
    return findings
