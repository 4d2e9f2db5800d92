"""The repair brush: strokes on a cutout, tried at once where they lie, and kept as a new card of the photo."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from vitrina.actions.house import House, actor, log, sku_called
from vitrina.actions.pictures import OURS
from vitrina.actions.studio import ask_card
from vitrina.actions.viewing import describe_picture
from vitrina.errors import Conflict, Missing
from vitrina.model import Alpha, Digest, Rgb, Size
from vitrina.store import Row, pictures


@dataclass(frozen=True, slots=True)
class _Open:
    """The cutout that is on the bench: decoding it again for every stroke would take longer than solving it."""

    key: tuple[str, str]
    rgb: Rgb
    alpha: Alpha


_BENCH: list[_Open] = []
_LOCK = threading.Lock()


def show_brush(house: House, code: str, number: int) -> dict[str, Any]:
    """What the brush needs of a variant of ours: photo and cutout as pictures, and the strokes drawn before."""
    variant, photo, report = _asked(house, code, number)
    layers = {
        name: {"digest": digest, **describe_picture(house, code, digest), "matrix": [1, 0, 0, 1, 0, 0]}
        for name, digest in (("source", photo.digest), ("master", variant.digest))
    }
    return {
        "schema": "vitrina.brush/1", "sku": code, "variant": variant.number, "photo": photo.name, "pictures": layers,
        "strokes_before": len(_drawn_before(report, photo.digest)),
    }  # fmt: skip


def lay_out(house: House, code: str, number: int) -> None:
    """Put a cutout on the bench before the first stroke: a large photo takes seconds to decode."""
    from vitrina import steps

    variant, photo, _ = _asked(house, code, number)
    with _LOCK:
        bench = _opened(house, photo.digest, variant.digest)
        steps.segmenter().refine(bench.rgb[:64, :64].copy(), bench.alpha[:64, :64] * 0 + 0.5)


def try_strokes(house: House, code: str, number: int, told: Any) -> dict[str, Any]:
    """The cutout around the last of the strokes, after all of them: a picture with its place, in under two seconds."""
    from vitrina import steps
    from vitrina.codec.encode import encode_png8
    from vitrina.stages.cutout import mended_part, mending_box
    from vitrina.stages.strokes import read_strokes

    began = time.perf_counter()
    variant, photo, _ = _asked(house, code, number)
    with _LOCK:  # one bench: two photos of 24 megapixels would be most of a small machine's memory
        bench = _opened(house, photo.digest, variant.digest)
        size = Size(bench.alpha.shape[1], bench.alpha.shape[0])
        strokes = read_strokes(told, size=size)
        box = mending_box(strokes[-1:], size)
        _, alpha, foreground = mended_part(bench.rgb, bench.alpha, strokes, box, steps.segmenter())
    picture = base64.b64encode(encode_png8(foreground, alpha)).decode()
    return {
        "schema": "vitrina.brush-patch/1", "region": box.as_dict(), "picture": f"data:image/png;base64,{picture}",
        "seconds": round(time.perf_counter() - began, 3),
    }  # fmt: skip


def keep_strokes(house: House, code: str, number: int, told: Any) -> dict[str, Any]:
    """Ask for a new card whose cutout is mended with these strokes, and with those that were drawn before.

    The variants that come of it are new drafts; the old ones stay on record, superseded.
    """
    from vitrina.stages.strokes import read_strokes

    variant, photo, report = _asked(house, code, number)
    described = describe_picture(house, code, variant.digest)
    strokes = read_strokes(told, size=Size(described["width"], described["height"]))
    every = {taken["sha256"]: taken.get("cutout", {}).get("strokes", []) for taken in report.get("photos", ())}
    every[photo.digest] = [*every.get(photo.digest, []), *(stroke.as_dict() for stroke in strokes)]
    recipe = {
        "mode": "exact", "looks": report["looks"], "markets": report["markets"], "force": report["forced"],
        "strokes": {digest: drawn for digest, drawn in every.items() if drawn},
    }  # fmt: skip
    kept = house.works.put(json.dumps(recipe["strokes"], sort_keys=True).encode())
    with house.store.writing() as conn:
        person = actor(conn, house, "card.make")
        pictures.keep_blob(conn, kept, room="works", size=len(json.dumps(recipe["strokes"])), at=house.now())
        details = {"variant": variant.number, "strokes": len(strokes)}
        log(conn, house, person, "cutout.mend", f"sku/{code}", digests=(variant.digest, kept), details=details)
    return {"schema": "vitrina.batch-ask/1", "batch": ask_card(house, code, recipe=recipe), "refused": []}


def _asked(house: House, code: str, number: int) -> tuple[Row[Any], Row[Any], Mapping[str, Any]]:
    """The variant, its photo and its card; raises NotAllowed, Missing, or Conflict for what is not ours to mend."""
    with house.store.reading() as conn:
        actor(conn, house, "card.make")
        sku = sku_called(conn, code)
        variant = next((v for v in pictures.variants_of(conn, sku.id) if v.number == number), None)
        if variant is None:
            raise Missing(f"{code} has no variant {number}.")
        photo = pictures.get_photo(conn, variant.photo_id)
    if variant.tool != OURS or variant.planted:
        raise Conflict(f"{code} variant {number} was made by another tool: there is no cutout of ours to mend.")
    if photo.replaced_at is not None:
        raise Conflict(f"{photo.name} was replaced by a newer photo. Make a card of that one.")
    return variant, photo, json.loads(house.works.get(Digest(variant.card)))


def _opened(house: House, source: str, master: str) -> _Open:
    from vitrina import steps

    if not _BENCH or _BENCH[0].key != (source, master):
        _BENCH.clear()
        with ThreadPoolExecutor(2) as pool:
            photo = pool.submit(steps.take_in, house.originals.get(Digest(source)), name="the photo",
                                max_megapixels=1000)  # fmt: skip
            alpha = steps.read_matte(house.works.get(Digest(master)), name="the cutout")
            _BENCH.append(_Open((source, master), photo.result().rgb, alpha))
    return _BENCH[0]


def _drawn_before(report: Mapping[str, Any], digest: str) -> list[Any]:
    for taken in report.get("photos", ()):
        if taken["sha256"] == digest:
            return list(taken.get("cutout", {}).get("strokes", ()))
    return []
