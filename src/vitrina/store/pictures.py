"""Blobs, photos, cutouts, variants, renditions and findings: what was photographed and what was made of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from vitrina.store.schema import blobs, cutouts, exports, findings, lines, photos, renditions, skus, variants

_HAS_PRINT = photos.c.replaced_at.is_(None) & (photos.c.print != "")

IDLE = ("rejected", "superseded")
"""States that a replaced or newer picture does not disturb."""


def keep_blob(conn: Connection, digest: str, *, room: str, size: int, at: str) -> None:
    """Record that the archive holds these bytes; a second time changes nothing but an earlier erasure."""
    known = conn.execute(sa.select(blobs.c.erased_at).where(blobs.c.digest == digest)).one_or_none()
    if known is None:
        conn.execute(sa.insert(blobs).values(digest=digest, room=room, bytes=size, kept_at=at))
    elif known.erased_at is not None:
        conn.execute(sa.update(blobs).where(blobs.c.digest == digest).values(erased_at=None, erased_why=None))


def every_blob(conn: Connection) -> Iterable[Row[Any]]:
    """Every blob that the archive must hold, by digest."""
    return conn.execute(sa.select(blobs).where(blobs.c.erased_at.is_(None)).order_by(blobs.c.digest)).all()


def erase_blob(conn: Connection, digest: str, *, at: str, why: str) -> None:
    """Record that the bytes were removed on purpose."""
    conn.execute(sa.update(blobs).where(blobs.c.digest == digest).values(erased_at=at, erased_why=why))


def put_photo(
    conn: Connection,
    sku_id: int,
    *,
    digest: str,
    name: str,
    capture: Mapping[str, Any],
    verdict: str,
    at: str,
    rights: Mapping[str, str | None] | None = None,
    taken_print: str | None = None,
) -> int:
    """The photo of these bytes under this SKU, added when it is new and current again when it was replaced.

    `rights` (``right``, ``taken_by``, ``licence``) change what was said before only when they say something; so does
    `taken_print`.
    """
    said: dict[str, Any] = {}
    if rights is not None and rights["right"]:
        said |= {"usage_right": rights["right"], "taken_by": rights["taken_by"], "licence": rights["licence"]}
    if taken_print is not None:
        said["print"] = taken_print
    where = (photos.c.sku_id == sku_id) & (photos.c.digest == digest)
    known = conn.execute(sa.select(photos.c.id).where(where)).scalar()
    if known is not None:
        said |= {"capture": dict(capture)} if capture else {}
        conn.execute(sa.update(photos).where(where).values(replaced_at=None, verdict=verdict, **said))
        return int(known)
    values = {"digest": digest, "name": name, "capture": dict(capture), "verdict": verdict, "added_at": at, **said}
    return int(conn.execute(sa.insert(photos).values(sku_id=sku_id, **values).returning(photos.c.id)).scalar_one())


def replace_photo(conn: Connection, photo_id: int, *, at: str) -> None:
    """Mark a photo as replaced: nothing may rest on it any more."""
    conn.execute(sa.update(photos).where(photos.c.id == photo_id).values(replaced_at=at))


def photos_of(conn: Connection, sku_id: int) -> list[Row[Any]]:
    """Every photo of a SKU, oldest first, replaced ones too."""
    return list(conn.execute(sa.select(photos).where(photos.c.sku_id == sku_id).order_by(photos.c.id)))


def get_photo(conn: Connection, photo_id: int) -> Row[Any]:
    """A photo by its id."""
    return conn.execute(sa.select(photos).where(photos.c.id == photo_id)).one()


def elsewhere(conn: Connection, digest: str, sku_id: int) -> list[str]:
    """The codes of other SKUs that show exactly this photo."""
    query = (
        sa.select(skus.c.code)
        .join(photos)
        .where((photos.c.digest == digest) & (photos.c.sku_id != sku_id) & photos.c.replaced_at.is_(None))
        .order_by(skus.c.code)
    )
    return list(conn.execute(query).scalars())


def prints(conn: Connection) -> list[Row[Any]]:
    """SKU and print of every current photo that has one."""
    return list(conn.execute(sa.select(photos.c.sku_id, photos.c.print).where(_HAS_PRINT)))


def prints_besides(conn: Connection, sku_id: int) -> str:
    """The prints of the current photos of other SKUs, one after the other: rows would take thrice the time."""
    query = sa.select(sa.func.aggregate_strings(photos.c.print, "")).where(_HAS_PRINT & (photos.c.sku_id != sku_id))
    return conn.execute(query).scalar() or ""


def codes_with(conn: Connection, taken: Iterable[str], *, besides: int) -> list[str]:
    """The codes of the other SKUs than `besides` that have a current photo with one of the prints `taken`."""
    query = (
        sa.select(skus.c.code)
        .join(photos)
        .where(photos.c.print.in_(list(taken)) & _HAS_PRINT & (photos.c.sku_id != besides))
        .order_by(skus.c.code)
    )
    return list(dict.fromkeys(conn.execute(query).scalars()))


def without_print(conn: Connection) -> list[Row[Any]]:
    """Id and digest of every current photo of which no print was taken yet."""
    query = sa.select(photos.c.id, photos.c.digest).where(photos.c.replaced_at.is_(None) & photos.c.print.is_(None))
    return list(conn.execute(query.order_by(photos.c.id)))


def set_print(conn: Connection, photo_id: int, taken: str) -> None:
    """Write the print of a photo that had none."""
    conn.execute(sa.update(photos).where(photos.c.id == photo_id).values(print=taken))


def codes(conn: Connection, sku_ids: Iterable[int]) -> dict[int, str]:
    """The codes of SKUs by their ids."""
    query = sa.select(skus.c.id, skus.c.code).where(skus.c.id.in_(list(sku_ids)))
    return {row.id: row.code for row in conn.execute(query)}


def add_cutout(conn: Connection, photo_id: int, *, digest: str | None, method: str, verdict: str, at: str) -> None:
    """Record a cutout of a photo."""
    conn.execute(
        sa.insert(cutouts).values(photo_id=photo_id, digest=digest, method=method, verdict=verdict, made_at=at)
    )


def cutout_of(conn: Connection, sku_id: int, photo: str) -> str | None:
    """The digest of the newest cutout of the photo with the digest `photo`; None when there is none."""
    query = (
        sa.select(cutouts.c.digest)
        .join(photos, photos.c.id == cutouts.c.photo_id)
        .where((photos.c.sku_id == sku_id) & (photos.c.digest == photo) & cutouts.c.digest.is_not(None))
        .order_by(cutouts.c.id.desc())
        .limit(1)
    )
    return conn.execute(query).scalar()


def add_variant(conn: Connection, sku_id: int, **values: Any) -> int:
    """Add a variant under the SKU's next number; returns its id."""
    last = conn.execute(sa.select(sa.func.max(variants.c.number)).where(variants.c.sku_id == sku_id)).scalar()
    made = sa.insert(variants).values(sku_id=sku_id, number=(last or 0) + 1, **values).returning(variants.c.id)
    return int(conn.execute(made).scalar_one())


def get_variant(conn: Connection, variant_id: int) -> Row[Any]:
    """A variant by its id."""
    return conn.execute(sa.select(variants).where(variants.c.id == variant_id)).one()


def variants_of(conn: Connection, sku_id: int, *, states: Sequence[str] = ()) -> list[Row[Any]]:
    """The variants of a SKU by number, of certain states or all."""
    query = sa.select(variants).where(variants.c.sku_id == sku_id).order_by(variants.c.number)
    return list(conn.execute(query.where(variants.c.state.in_(states)) if states else query))


def card_is_recorded(conn: Connection, sku_id: int, card: str) -> bool:
    """Whether this very card (by its report's digest) stands in the records already."""
    where = (variants.c.sku_id == sku_id) & (variants.c.card == card)
    return conn.execute(sa.select(variants.c.id).where(where).limit(1)).first() is not None


def set_state(conn: Connection, variant_id: int, state: str, *, reason: str, at: str) -> None:
    """Write a variant's state and why it is in it."""
    conn.execute(
        sa.update(variants).where(variants.c.id == variant_id).values(state=state, reason=reason, changed_at=at)
    )


def set_check(
    conn: Connection, variant_id: int, *, verdict: str, basis: Mapping[str, Any], second_look: Sequence[str]
) -> None:
    """Write what a check found and what it rests on."""
    conn.execute(
        sa.update(variants)
        .where(variants.c.id == variant_id)
        .values(verdict=verdict, basis=dict(basis), second_look=list(second_look))
    )


def add_rendition(conn: Connection, variant_id: int, **values: Any) -> None:
    """Record a variant encoded for a slot."""
    conn.execute(sa.insert(renditions).values(variant_id=variant_id, **values))


def renditions_of(conn: Connection, variant_id: int, *, market: str = "") -> list[Row[Any]]:
    """A variant's renditions, of one marketplace or all."""
    query = sa.select(renditions).where(renditions.c.variant_id == variant_id).order_by(renditions.c.id)
    return list(conn.execute(query.where(renditions.c.market == market) if market else query))


def add_findings(
    conn: Connection,
    sku_id: int,
    found: Sequence[Mapping[str, Any]],
    *,
    photo_id: int | None = None,
    variant_id: int | None = None,
    market: str | None = None,
    at: str,
) -> None:
    """Record findings as the contract's documents have them."""
    rows = [
        {
            "sku_id": sku_id,
            "photo_id": photo_id,
            "variant_id": variant_id,
            "market": market,
            "found_at": at,
            **{key: item.get(key) for key in ("check", "code", "severity", "measured", "limit", "region", "message")},
            "unit": item.get("unit") or "",
        }
        for item in found
    ]
    if rows:
        conn.execute(sa.insert(findings), rows)


def clear_findings(conn: Connection, variant_id: int) -> None:
    """Drop a variant's findings before it is checked anew; the ledger keeps what they came to."""
    conn.execute(sa.delete(findings).where(findings.c.variant_id == variant_id))


def findings_of(conn: Connection, sku_id: int, *, variant_id: int | None = None) -> list[Row[Any]]:
    """The findings about a SKU, or about one of its variants, the gravest first."""
    query = sa.select(findings).where(findings.c.sku_id == sku_id)
    if variant_id is not None:
        query = query.where(findings.c.variant_id == variant_id)
    gravity = sa.case((findings.c.severity == "block", 0), (findings.c.severity == "warn", 1), else_=2)
    return list(conn.execute(query.order_by(gravity, findings.c.id)))


def findings_of_photo(conn: Connection, photo_id: int) -> list[dict[str, Any]]:
    """The findings about a photo, as documents have them."""
    query = sa.select(findings).where(findings.c.photo_id == photo_id).order_by(findings.c.id)
    keys = ("check", "code", "severity", "measured", "limit", "unit", "region", "message")
    return [{key: getattr(row, key) for key in keys} for row in conn.execute(query)]


def plant(conn: Connection, variant_id: int, *, fault: str, state: str) -> None:
    """Mark a variant as a planted fault and put it among those in review."""
    conn.execute(
        sa.update(variants).where(variants.c.id == variant_id).values(planted=fault, state=state, second_look=[])
    )


def resting(conn: Connection) -> list[Row[Any]]:
    """What every picture that is checked or further rests on (`basis`), with its SKU's code."""
    states = ("checked", "in review", "approved", "exported", "published")
    query = sa.select(skus.c.code, variants.c.basis).join(skus, skus.c.id == variants.c.sku_id)
    return list(conn.execute(query.where(variants.c.state.in_(states) & variants.c.planted.is_(None))))


def rejected_of_batch(conn: Connection, batch_id: int) -> list[Row[Any]]:
    """The rejected variants of a batch with what is known of their SKU and photo."""
    query = (
        sa.select(
            variants,
            skus.c.factory,
            skus.c.stone_batch,
            skus.c.piece_type,
            lines.c.name.label("line"),
            photos.c.capture,
        )
        .join(skus, skus.c.id == variants.c.sku_id)
        .join(photos, photos.c.id == variants.c.photo_id)
        .outerjoin(lines, lines.c.id == skus.c.line_id)
        .where((variants.c.batch_id == batch_id) & (variants.c.state == "rejected"))
        .order_by(variants.c.id)
    )
    return list(conn.execute(query))


def clear_photo_findings(conn: Connection, photo_id: int) -> None:
    """Drop a photo's findings before it is inspected anew."""
    conn.execute(sa.delete(findings).where(findings.c.photo_id == photo_id))


def erasable(conn: Connection, *, before: str) -> list[str]:
    """Digests of works that only variants made before `before`, rejected or superseded and never exported, rest on."""
    went_out = sa.select(exports.c.variant_id)
    old = variants.c.state.in_(IDLE) & (variants.c.made_at < before) & variants.c.id.not_in(went_out)
    used = (
        sa.select(variants.c.digest)
        .where(~old)
        .union(
            sa.select(renditions.c.digest).join(variants).where(~old),
            sa.select(photos.c.digest),
        )
    )
    mine = sa.select(variants.c.digest).where(old).union(sa.select(renditions.c.digest).join(variants).where(old))
    query = (
        sa.select(blobs.c.digest)
        .where(
            (blobs.c.room == "works")
            & blobs.c.erased_at.is_(None)
            & blobs.c.digest.in_(mine)
            & blobs.c.digest.not_in(used)
        )
        .order_by(blobs.c.digest)
    )
    return list(conn.execute(query).scalars())
