"""Close-ups of a pair: the strips of its stones and links, the tones of its metal; and previews made ahead of time."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitrina.actions.house import House, actor, sku_called
from vitrina.actions.viewing import describe_picture, report_of, show_pair, turned_back
from vitrina.errors import VitrinaError
from vitrina.files import write_bytes
from vitrina.model import Digest
from vitrina.stages.catalogue import parts_of
from vitrina.store import pictures, skus

if TYPE_CHECKING:
    from vitrina.stages.strips import Patch, Strips

_log = logging.getLogger("vitrina.previews")


def show_strips(house: House, code: str, number: int, *, market: str = "") -> dict[str, Any]:
    """Every stone, link and tone of a variant beside its source, numbered, in pixels of the source.

    It needs the source's matte: our own master, or the newest cutout of the photo. Without one nothing is listed and
    ``needs_cutout`` says so.
    """
    pair = show_pair(house, code, number, market=market)
    source, edit = pair["pictures"]["source"], pair["pictures"]["edit"]
    with house.store.reading() as conn:
        actor(conn, house, "read")
        kept = pictures.cutout_of(conn, sku_called(conn, code).id, source["digest"])
    matte = pair["pictures"]["master"]["digest"] if "master" in pair["pictures"] else (kept or "")
    if not matte:
        return {"schema": "vitrina.strips/1", "stones": [], "links": [], "metal": [], "needs_cutout": True}
    path = _path(house, source["digest"], edit["digest"], matte, edit["matrix"])
    if not path.is_file():
        from vitrina import steps
        from vitrina.stages.strips import strips_of

        before = steps.take_in(house.originals.get(Digest(source["digest"])), name="the photo", max_megapixels=1000)
        after = steps.take_in(house.works.get(Digest(edit["digest"])), name="the picture", max_megapixels=1000)
        alpha = steps.read_matte(house.works.get(Digest(matte)), name="the cutout")
        write_bytes(path, json.dumps(told(strips_of(before.rgb, after.rgb, alpha, edit["matrix"]))).encode())
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


def show_parts(house: House, code: str) -> dict[str, Any]:
    """The separate parts of a pair or a set, in its newest photo and in the cutout of that, in pixels of the photo.

    ``named`` are the parts that the facts name. ``parts`` is empty for a piece of one part that should have no more.
    """
    with house.store.reading() as conn:
        actor(conn, house, "read")
        sku = sku_called(conn, code)
        named = parts_of(skus.value_of(sku))
        seen = [(v, pictures.get_photo(conn, v.photo_id)) for v in reversed(pictures.variants_of(conn, sku.id))]
    told: dict[str, Any] = {"schema": "vitrina.parts/1", "sku": code, "named": list(named), "parts": []}
    for variant, photo in seen:
        if photo.replaced_at is not None:
            continue
        for taken in report_of(house, variant).get("photos", ()):
            parts = (taken.get("cutout") or {}).get("parts", ())
            if taken["sha256"] == photo.digest and (len(parts) > 1 or (parts and len(named) > 1)):
                size = taken["size"]
                return told | {
                    "photo": photo.name, "source": photo.digest, "master": variant.digest, **size,
                    "parts": [{"number": n, **part["region"]} for n, part in enumerate(parts, 1)],
                }  # fmt: skip
    return told


def strips_of_examined(pair: Any, matrix: Sequence[float]) -> dict[str, Any]:
    """The strips of a pair that `examine` has laid on each other; `matrix` takes source pixels to its frame."""
    from vitrina.stages.strips import strips_of

    document = told(strips_of(pair.source / pair.gain, pair.edit, pair.alpha, (1, 0, 0, 1, 0, 0)))
    for item in (*document["stones"], *document["links"], *document["metal"]):
        item["region"] = turned_back(item["region"], matrix)
    return document


def told(strips: Strips) -> dict[str, Any]:
    """Strips as a document."""
    from vitrina.stages.verify import LIMITS

    return {
        "schema": "vitrina.strips/1",
        "stones": [{"number": n, **_patch(stone)} for n, stone in enumerate(strips.stones, 1)],
        "links": [{"number": n, "region": link.as_dict()} for n, link in enumerate(strips.links, 1)],
        "metal": [{**_patch(tone), "limit": LIMITS.metal_de00} for tone in strips.metal],
        "needs_cutout": False,
    }


def make_previews(house: House, code: str, numbers: Sequence[int]) -> None:
    """Make ahead of time what looking at these variants will ask for. What fails is made, or told, when it is asked."""
    for number in numbers:
        try:
            pair = show_pair(house, code, number)
            for market in pair["markets"]:
                show_pair(house, code, number, market=market)
            show_strips(house, code, number)
        except (VitrinaError, OSError) as error:
            _log.warning("previews of %s variant %d were not made ahead: %s", code, number, error)


def make_photo_previews(house: House, code: str, digest: str) -> None:
    """Make a photo's tiles ahead of time."""
    try:
        describe_picture(house, code, digest)
    except (VitrinaError, OSError) as error:
        _log.warning("the tiles of a photo of %s were not made ahead: %s", code, error)


def _patch(patch: Patch) -> dict[str, Any]:
    return {
        "what": patch.what, "region": patch.region.as_dict(), "before": _hex(patch.before), "after": _hex(patch.after),
        "de00": round(patch.de00, 2), "lightness": round(patch.lightness, 1),
    }  # fmt: skip


def _hex(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _path(house: House, *parts: str | Sequence[float] | Mapping[str, Any]) -> Path:
    name = hashlib.sha256(json.dumps(["strips", 1, *parts]).encode()).hexdigest()
    return house.config.home / "previews" / name[:2] / f"{name}.strips.json"
