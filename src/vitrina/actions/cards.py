"""Cards on record: what the pipeline made becomes photos, cutouts, variants, renditions and findings of an SKU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vitrina.actions.house import House, actor, basis_of, log
from vitrina.actions.origins import origins_of
from vitrina.actions.pictures import OURS, capture_of, refresh, second_look_for
from vitrina.errors import UsageError
from vitrina.files import read_bytes
from vitrina.model import Digest, Sku
from vitrina.stages import review
from vitrina.stages.review import Move, State
from vitrina.stages.rights import UNSTATED, Rights
from vitrina.store import Connection, Row, pictures, skus

_OPEN = (State.DRAFT, State.CHECKED, State.IN_REVIEW)


def record_card(
    conn: Connection,
    house: House,
    person: str,
    code: str,
    document: Mapping[str, Any],
    *,
    card: str,
    sizes: Mapping[str, int],
    captures: Mapping[str, Mapping[str, str]],
    origins: Mapping[str, Sequence[Mapping[str, Any]]],
    batch: tuple[int, int] | None = None,
) -> list[int]:
    """Put a made card on record and return the numbers of its new variants; a second time changes nothing.

    `card` is the digest of its report, `sizes` the bytes of every file by digest, `captures` what the camera wrote, by
    photo digest, `origins` what was found of the photos' origin, by digest: whoever reviews hears of it.

    An SKU that is not in the catalogue is added. Variants that are exactly as before keep their state.
    """
    if skus.get(conn, code) is None:
        skus.put(conn, Sku(code), at=house.now())
        log(conn, house, person, "sku.add", f"sku/{code}", details={"changed": {}})
    sku = skus.get(conn, code)
    assert sku is not None
    if pictures.card_is_recorded(conn, sku.id, card):
        return []
    for digest, size in sizes.items():
        room = "originals" if digest in captures else "works"
        pictures.keep_blob(conn, digest, room=room, size=size, at=house.now())
    made: list[int] = []
    for photo in document["photos"]:
        origin = origins.get(photo["sha256"], ())
        made += _record_photo(conn, house, person, sku, document, photo, captures, origin, card, batch)
    if batch is not None:
        _replace_reshot(conn, sku, batch[0], document["photos"], at=house.now())
    pictures_ = [row for row in pictures.variants_of(conn, sku.id) if row.number in made]
    log(
        conn,
        house,
        person,
        "card.make",
        f"sku/{code}",
        digests=(card, *(photo["sha256"] for photo in document["photos"]), *(row.digest for row in pictures_)),
        details={"variants": made, "verdict": document["verdict"], "packs": document.get("packs", {})},
    )
    refresh(conn, house, person, sku)
    return made


def _replace_reshot(
    conn: Connection, sku: Row[Any], batch_id: int, photos: Sequence[Mapping[str, Any]], *, at: str
) -> None:
    """A photo that lay in the batch's folder under the name of another one before takes that one's place."""
    digests = {photo["sha256"] for photo in photos}
    of_batch = {variant.photo_id for variant in pictures.variants_of(conn, sku.id) if variant.batch_id == batch_id}
    for old in pictures.photos_of(conn, sku.id):
        is_reshot = old.name in {photo["photo"] for photo in photos} and old.digest not in digests
        if is_reshot and old.id in of_batch and old.replaced_at is None:
            pictures.replace_photo(conn, old.id, at=at)


def _record_photo(
    conn: Connection,
    house: House,
    person: str,
    sku: Row[Any],
    document: Mapping[str, Any],
    photo: Mapping[str, Any],
    captures: Mapping[str, Mapping[str, str]],
    origin: Sequence[Mapping[str, Any]],
    card: str,
    batch: tuple[int, int] | None,
) -> list[int]:
    photo_id = pictures.put_photo(
        conn,
        sku.id,
        digest=photo["sha256"],
        name=photo["photo"],
        capture=captures.get(photo["sha256"], {}),
        verdict=_worst([photo["inspect"]["verdict"], _verdict(origin)]),
        at=house.now(),
        rights=photo.get("rights"),
        taken_print=photo.get("print"),
    )
    pictures.clear_photo_findings(conn, photo_id)
    found = [*photo["inspect"]["findings"], *origin]
    pictures.add_findings(conn, sku.id, found, photo_id=photo_id, at=house.now())
    cutout = photo.get("cutout")
    if not cutout or not cutout.get("master_sha256"):
        return []
    pictures.add_cutout(
        conn,
        photo_id,
        digest=cutout["master_sha256"],
        method=cutout["method"],
        verdict=cutout["verdict"],
        at=house.now(),
    )
    row = pictures.get_photo(conn, photo_id)
    numbers = []
    for variant in photo.get("variants", ()):
        drafts = [d for d in document["drafts"] if (d["photo"], d["look"]) == (photo["photo"], variant["look"])]
        number = _record_variant(conn, house, person, sku, row, cutout, variant, drafts, origin, card, batch)
        numbers += [number] if number else []
    return numbers


def _record_variant(
    conn: Connection,
    house: House,
    person: str,
    sku: Row[Any],
    photo: Row[Any],
    cutout: Mapping[str, Any],
    variant: Mapping[str, Any],
    drafts: Sequence[Mapping[str, Any]],
    origin: Sequence[Mapping[str, Any]],
    card: str,
    batch: tuple[int, int] | None,
) -> int | None:
    """One look of one photo; None when exactly these files stand on record already, or there is nothing to ship."""
    if not drafts:
        return None
    files = {(d["market"], d["slot"], d["file"].rsplit("/", 1)[-1]): d["sha256"] for d in drafts}
    for old in pictures.variants_of(conn, sku.id):
        same = (old.photo_id, old.look, old.tool) == (photo.id, variant["look"], OURS)
        if not same or old.planted or old.state in (State.REJECTED, State.SUPERSEDED):
            continue
        held = {(r.market, r.slot, r.name): r.digest for r in pictures.renditions_of(conn, old.id)}
        if old.digest == cutout["master_sha256"] and held == files and old.state != State.DRAFT:
            return None
        if old.state in _OPEN:
            state = review.move(State(old.state), Move.SUPERSEDE, what=f"{sku.code} variant {old.number}")
            pictures.set_state(conn, old.id, state, reason="a newer card was made", at=house.now())
    found: list[tuple[str | None, Mapping[str, Any]]] = [
        (None, finding) for finding in (*origin, *cutout["findings"], *variant["verify"]["findings"])
    ]
    for draft in drafts:
        found += [(draft["market"], f) for f in (*draft["verify"]["findings"], *draft["rules"]["findings"])]
    said = [_verdict(origin), cutout["verdict"], variant["verify"]["verdict"]]
    verdict = _worst([*said, *(draft[of]["verdict"] for draft in drafts for of in ("verify", "rules"))])
    blocks = [finding["message"] for _, finding in found if finding["severity"] == "block"]
    variant_id = pictures.add_variant(
        conn,
        sku.id,
        photo_id=photo.id,
        batch_id=batch[0] if batch else None,
        batch_position=batch[1] if batch else None,
        look=variant["look"],
        tool=OURS,
        digest=cutout["master_sha256"],
        card=card,
        verdict=verdict,
        state=State.DRAFT if verdict == "reject" else review.move(State.DRAFT, Move.CHECK, what=variant["look"]),
        reason=f"the program rejects it: {(blocks or ['see its report'])[0]}" if verdict == "reject" else "",
        basis=basis_of(house, sku, photo, {draft["market"] for draft in drafts}),
        second_look=second_look_for(conn, sku, [finding for _, finding in found], batch[1] if batch else None),
        planted=None,
        made_by=person,
        made_at=house.now(),
        changed_at=house.now(),
    )
    for market, finding in found:
        pictures.add_findings(conn, sku.id, [finding], variant_id=variant_id, market=market, at=house.now())
    for draft in drafts:
        pictures.add_rendition(
            conn,
            variant_id,
            market=draft["market"],
            slot=draft["slot"],
            name=draft["file"].rsplit("/", 1)[-1],
            digest=draft["sha256"],
            verdict=draft["verdict"],
        )
    return int(pictures.get_variant(conn, variant_id).number)


def keep_files(house: House, folder: Path, document: Mapping[str, Any]) -> dict[str, Any]:
    """Put a made card's files into the archive; returns where everything is."""
    files = {}
    sizes = {}
    for name in [*document["files"], "report.json"]:
        if name.startswith("original/"):
            continue
        data = read_bytes(folder / name)
        files[name] = str(house.works.put(data))
        sizes[files[name]] = len(data)
    originals = {name: digest for name, digest in document["files"].items() if name.startswith("original/")}
    return {
        "report": files["report.json"],
        "files": files,
        "originals": originals,
        "sizes": sizes,
        "verdict": document["verdict"],
        "stopped": document.get("stopped"),
    }


def file_card(house: House, code: str, folder: Path, document: Mapping[str, Any]) -> dict[str, Any]:
    """Archive the files of the card that was made in `folder` and put it on record; the numbers of its new variants,
    and what was found of its photos' origin."""
    from vitrina.codec.metadata import probe

    kept = keep_files(house, folder, document)
    sizes, captures = dict(kept["sizes"]), {}
    for photo in document["photos"]:
        data = house.originals.get(Digest(photo["sha256"]))
        sizes[photo["sha256"]] = len(data)
        captures[photo["sha256"]] = capture_of(probe(data, name=photo["photo"]))
    origins = origins_of(house, code, document["photos"])
    with house.store.writing() as conn:
        person = actor(conn, house, "card.make")
        numbers = record_card(
            conn, house, person, code, document, card=kept["report"], sizes=sizes, captures=captures, origins=origins
        )
    names = {photo["sha256"]: photo["photo"] for photo in document["photos"]}
    return {"variants": numbers, "findings": {names[digest]: found for digest, found in origins.items() if found}}


def _verdict(findings: Sequence[Mapping[str, Any]]) -> str:
    return "review" if any(finding["severity"] == "warn" for finding in findings) else "pass"


def _worst(verdicts: Sequence[str]) -> str:
    return max(verdicts, key=("pass", "review", "reject").index, default="pass")


def recipe_of(*, looks: str, markets: str, force: bool, rights: Rights = UNSTATED) -> dict[str, Any]:
    """The recipe that a command line asks for; raises UsageError for looks and marketplaces that there are not."""
    from vitrina.rules.load import load_pack
    from vitrina.stages.scene import named_look

    named = {key: _names(text) for key, text in (("looks", looks), ("markets", markets))}
    for look in named["looks"]:
        named_look(look)
    for market in named["markets"]:
        load_pack(market)
    if len(named["looks"]) < 2 or not named["markets"]:
        raise UsageError("--looks: two at least, so that a person can choose; --markets: one at least.")
    whose = {"rights": rights.as_dict()} if rights.right else {}
    return {"mode": "exact", **named, "force": force, **whose}


def _names(text: str) -> list[str]:
    return list(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))
