"""Where photos come from: whose they are, what is refused, and the same photo found again under another SKU."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from vitrina.actions.house import House, actor, log
from vitrina.errors import NotAllowed, VitrinaError
from vitrina.model import Digest, Finding
from vitrina.stages.copies import SAME_PHOTO_BITS, check_copies, find_all_copies, find_copies, print_of
from vitrina.stages.rights import UNSTATED, Rights, check_rights, from_dict, stated
from vitrina.store import Connection, Row, pictures, skus

__all__ = ["admit", "judge_origin", "list_copies", "origins_of", "recorded", "rights_of", "stated"]

Say = Callable[[str, float], None]


def admit(house: House, permission: str, subject: str, rights: Rights, files: Sequence[str]) -> None:
    """Let photos in, or refuse them: then the refusal goes into the ledger and NotAllowed is raised."""
    if not rights.refusal:
        return
    with house.store.writing() as conn:
        person = actor(conn, house, permission)
        log(conn, house, person, "photo.refuse", subject, details={"files": list(files), **rights.as_dict()})
    raise NotAllowed(f"{', '.join(files[:3])}{' …' if len(files) > 3 else ''}: {rights.refusal}")


def judge_origin(
    conn: Connection, sku_id: int | None, *, digest: str, taken_print: str, rights: Rights
) -> list[Finding]:
    """What is to be said of a photo's origin: nobody said whose it is; it stands under other SKUs than `sku_id`, byte
    for byte, or changed a little or mirrored."""
    own = -1 if sku_id is None else sku_id
    found = dict.fromkeys(pictures.elsewhere(conn, digest, own))
    near = find_copies(taken_print, pictures.prints_besides(conn, own)) if taken_print else ()
    if near:
        found |= dict.fromkeys(pictures.codes_with(conn, near, besides=own))
    return [*check_rights(rights), *check_copies(list(found), len(pictures.without_print(conn)))]


def rights_of(conn: Connection, code: str, said: Rights) -> Callable[[str], Rights]:
    """The rights of a photo of `code` by its digest: what is `said` now, else what was recorded before."""
    if said.right is not None:
        return lambda _digest: said
    row = skus.get(conn, code)
    known = {} if row is None else {p.digest: recorded(p) for p in pictures.photos_of(conn, row.id)}
    return lambda digest: known.get(digest, UNSTATED)


def recorded(photo: Row[Any]) -> Rights:
    """The rights that stand in a photo's record."""
    return from_dict({"right": photo.usage_right, "taken_by": photo.taken_by, "licence": photo.licence})


def origins_of(house: House, code: str, photos: Iterable[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """What `judge_origin` says of every photo of a made card, by its digest."""
    with house.store.reading() as conn:
        sku = skus.get(conn, code)
        return {
            photo["sha256"]: [
                found.as_dict()
                for found in judge_origin(
                    conn,
                    sku.id if sku is not None else None,
                    digest=photo["sha256"],
                    taken_print=photo.get("print", ""),
                    rights=from_dict(photo.get("rights")),
                )
                if found.code != "rights-unstated"  # the card says that itself
            ]
            for photo in photos
        }


def list_copies(house: House, *, say: Say = lambda _what, _share: None) -> dict[str, Any]:
    """Every photo that stands under several SKUs; prints that are still lacking are taken first."""
    with house.store.reading() as conn:
        actor(conn, house, "photo.add")
        lacking = pictures.without_print(conn)
    lost = []
    for number, photo in enumerate(lacking):
        say("taking prints", number / len(lacking))
        try:
            taken = _print_of(house, photo.digest)
        except VitrinaError as error:
            lost.append(str(error))
            continue
        with house.store.writing() as conn:
            pictures.set_print(conn, photo.id, taken)
    with house.store.reading() as conn:
        rows = pictures.prints(conn)
        codes = pictures.codes(conn, {row.sku_id for row in rows})
    say("comparing", 0.99)
    pairs: dict[tuple[str, str], int] = {}
    for one, other, bits in find_all_copies([row.print for row in rows], [row.sku_id for row in rows]):
        first, second = sorted((codes[rows[one].sku_id], codes[rows[other].sku_id]))
        pairs[first, second] = min(bits, pairs.get((first, second), bits))
    copies = [{"skus": list(key), "bits": bits} for key, bits in sorted(pairs.items(), key=lambda item: item[1])]
    return {
        "schema": "vitrina.copies/1",
        "photos": len(rows),
        "prints_taken": len(lacking) - len(lost),
        "limit_bits": SAME_PHOTO_BITS,
        "copies": copies,
        "lost": lost,
        "verdict": "review" if copies or lost else "pass",
    }


def _print_of(house: House, digest: str) -> str:
    from vitrina import steps

    data = house.originals.get(Digest(digest))
    return print_of(steps.take_in(data, name=digest, max_megapixels=float("inf")))
