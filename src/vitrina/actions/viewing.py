"""Pictures as the studio shows them: tiles, where a picture lies on its source, and what has been looked at."""

from __future__ import annotations

import hashlib
import json
import threading
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vitrina.actions.gate import answer, show_checklist
from vitrina.actions.house import House, actor, holds, sku_called
from vitrina.actions.pictures import OURS
from vitrina.errors import Conflict, Missing, NotAllowed
from vitrina.files import write_bytes
from vitrina.model import Digest
from vitrina.stages.catalogue import verify_facts
from vitrina.stages.review import State
from vitrina.store import Connection, Row, keys, pictures

LEAST_MS = 700
"""How long a place must have been on the screen, at LEAST_ZOOM or more, to count as looked at."""
LEAST_ZOOM = 100
LONGEST_MS = 60_000
"""More than this is not taken from one message: nobody looked at a single place for longer at one go."""

_LOCKS = tuple(threading.Lock() for _ in range(16))


def show_picture(house: House, code: str, digest: str, entry: str) -> bytes:
    """One file of a picture's pyramid, for those who may see its SKU. Raises Missing for another SKU's picture."""
    with house.store.reading() as conn:
        actor(conn, house, "read")
        room = _room_of(conn, code, digest)
    blobs = house.originals if room == "originals" else house.works
    path = pyramid_file(house, digest, lambda: _pyramid(house, blobs.get(Digest(digest))))
    return read_entry(path, entry)


def describe_picture(house: House, code: str, digest: str) -> dict[str, Any]:
    """Width, height, tile size and number of levels of a picture."""
    described: dict[str, Any] = json.loads(show_picture(house, code, digest, "info.json"))
    return described


def read_entry(path: Path, entry: str) -> bytes:
    """A file of a pyramid; raises Missing."""
    try:
        with zipfile.ZipFile(path) as packed:
            return packed.read(entry)
    except KeyError as error:
        raise Missing(f"the picture has no part {entry!r}.") from error


def pyramid_file(house: House, name: str, make: Callable[[], bytes]) -> Path:
    """The pyramid called `name` in the home's previews, made when it is not there. Previews may be deleted any time."""
    path = house.config.home / "previews" / name[:2] / f"{name}.zip"
    if not path.is_file():
        with _LOCKS[hash(name) % len(_LOCKS)]:
            if not path.is_file():
                write_bytes(path, make())
    return path


def show_pair(house: House, code: str, number: int, *, market: str = "") -> dict[str, Any]:
    """Everything that comparing a variant with its source needs.

    ``pictures`` have a ``matrix`` [a, b, c, d, e, f] that takes source pixels to theirs; every finding and every place
    to look at has its ``region`` in source pixels.
    """
    with house.store.reading() as conn:
        actor(conn, house, "read")
        sku = sku_called(conn, code)
        variant = _variant(conn, sku, number)
        photo = pictures.get_photo(conn, variant.photo_id)
        made = pictures.renditions_of(conn, variant.id)
        found = pictures.findings_of(conn, sku.id, variant_id=variant.id)
        sees_all = holds(conn, house, "audit.read")
    report = report_of(house, variant)
    shown = next((r for r in made if r.market == market), made[0] if made else None)
    edit = shown.digest if shown is not None else variant.digest
    placed = _placements(report, photo.name, variant.look)
    source = describe_picture(house, code, photo.digest)
    picture = describe_picture(house, code, edit)
    key = f"{shown.market}/{shown.name}" if shown is not None else ""
    measured = _aligned(house, photo.digest, edit)
    matrix = placed.get(key) or (measured["edit"] if measured else fitted(source, picture))
    has_master = variant.tool == OURS and not variant.planted and shown is not None
    layers = {
        "source": {"digest": photo.digest, **source, "matrix": [1, 0, 0, 1, 0, 0]},
        "edit": {"digest": edit, **picture, "matrix": matrix},
    }
    if has_master:
        layers["master"] = {"digest": variant.digest, **describe_picture(house, code, variant.digest),
                            "matrix": [1, 0, 0, 1, 0, 0]}  # fmt: skip
    if measured is not None:
        heat = json.loads(read_entry(_heat_path(house, photo.digest, edit), "info.json"))
        layers["heat"] = {"digest": "", **heat, "matrix": measured["heat"]}
    listed = []
    for finding in found:
        if finding.market and shown is not None and finding.market != shown.market:
            continue
        own = matrix if finding.market or not report else _matrix_of(report, photo.name, variant.look, finding)
        region = turned_back(finding.region, own) if finding.region else None
        listed.append({**{k: getattr(finding, k) for k in _FINDING}, "region": region, "market": finding.market or ""})
    return {
        "schema": "vitrina.pair/1",
        "sku": code,
        "title": sku.title,
        "variant": variant.number,
        "look": variant.look,
        "tool": variant.tool,
        "state": variant.state,
        "verdict": variant.verdict,
        "reason": variant.reason if sees_all or not variant.planted else "",
        "second_look": variant.second_look,
        "market": shown.market if shown is not None else "",
        "markets": list(dict.fromkeys(r.market for r in made)),
        "pictures": layers,
        "findings": listed,
        "places": places_of(house, code, photo.digest, variant.digest if has_master else "", source),
        "heat": _heat_name(photo.digest, edit) if measured is not None else "",
    }


_FINDING = ("check", "code", "severity", "measured", "limit", "unit", "message")


def places_of(house: House, code: str, source: str, master: str, described: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Where a reviewer must have looked: the riskiest squares of the piece; without a cutout its quarters."""
    width, height = int(described["width"]), int(described["height"])
    if not master:
        return [
            {"what": "part", "region": {"x": x * width // 2, "y": y * height // 2, "width": width // 2,
                                        "height": height // 2}}
            for y in (0, 1)
            for x in (0, 1)
        ]  # fmt: skip
    path = house.config.home / "previews" / master[:2] / f"{master}-{source[:16]}.places.json"
    if not path.is_file():
        from vitrina import steps

        data = house.works.get(Digest(master))
        before = steps.take_in(house.originals.get(Digest(source)), name=code, max_megapixels=1000)
        found = steps.places_to_look_at(before, steps.read_matte(data, name=f"the master of {code}"))
        write_bytes(path, json.dumps(found).encode())
    places: list[dict[str, Any]] = json.loads(path.read_bytes())
    return places


def look(house: House, code: str, number: int, *, seen: Sequence[Mapping[str, int]]) -> dict[str, Any]:
    """Record how long the person at the desk has looked at which places, and at what zoom."""
    pair = show_pair(house, code, number)
    with house.store.writing() as conn:
        person = actor(conn, house, "review.decide")
        variant = _variant(conn, sku_called(conn, code), number)
        for item in seen:
            ms, zoom = min(int(item["ms"]), LONGEST_MS), int(item["zoom"])
            if 0 <= int(item["place"]) < len(pair["places"]) and ms > 0 and zoom >= LEAST_ZOOM:
                keys.see(
                    conn, variant.id, person=person, digest=variant.digest, place=int(item["place"]), ms=ms,
                    zoom=min(zoom, 3200), at=house.now(),
                )  # fmt: skip
    return show_desk(house, code, number)


def show_desk(house: House, code: str, number: int) -> dict[str, Any]:
    """The checklist of a variant in review for the person at the desk: each line open or shut, and what is unseen."""
    pair = show_pair(house, code, number)
    told = show_checklist(house, code, number=number)["variants"][0]
    with house.store.reading() as conn:
        person = actor(conn, house, "review.decide")
        variant = _variant(conn, sku_called(conn, code), number)
        looked = keys.seen(conn, variant.id, person=person, digest=variant.digest)
    places = pair["places"]
    unseen = [n for n in range(len(places)) if looked.get(n, 0) < LEAST_MS]
    lines = [{**line, "open": not [n for n in unseen if n in _needed(line["line"], places)]} for line in told["lines"]]
    return {"schema": "vitrina.desk/1", "sku": code, "variant": number, "digest": told["digest"], "lines": lines,
            "seen": [n for n in range(len(places)) if n not in unseen], "places": len(places)}  # fmt: skip


def answer_after_looking(house: House, code: str, number: int, line: str, *, yes: bool) -> dict[str, Any]:
    """Answer a checklist line; raises NotAllowed while it is shut, because its places have not been looked at."""
    desk = show_desk(house, code, number)
    known = {item["line"]: item for item in desk["lines"]}
    if line in known and yes and not known[line]["open"]:
        raise NotAllowed(
            f"{line}: look first. {desk['places'] - len(desk['seen'])} of {desk['places']} places have not been seen "
            f"at {LEAST_ZOOM} % or more. Go through them with the key “.”."
        )
    answer(house, code, [line], yes=yes, number=number)
    return show_desk(house, code, number)


def draw_heat(house: House, code: str, number: int, *, market: str = "") -> dict[str, Any]:
    """Measure a pair anew for its heatmap and its exact alignment; some seconds. Returns the pair."""
    pair = show_pair(house, code, number, market=market)
    source, edit = (pair["pictures"][name]["digest"] for name in ("source", "edit"))
    if not pair["heat"]:
        from vitrina import steps
        from vitrina.codec.tiles import pyramid_of
        from vitrina.stages.verify import load_facts

        with house.store.reading() as conn:
            facts = verify_facts(sku_called(conn, code).facts)
        seen = steps.examine(
            steps.take_in(house.originals.get(Digest(source)), name="the photo"),
            steps.take_in(house.works.get(Digest(edit)), name="the picture"),
            facts=load_facts(facts, name="the SKU's facts") if facts.strip() else None,
        )
        if seen.pair is None:
            raise Conflict(
                f"{code} variant {number}: the piece was not found in the picture, so nothing is to compare."
            )
        pyramid_file(house, _heat_name(source, edit), lambda: pyramid_of(seen.heatmap()))
        write_bytes(_heat_path(house, source, edit).with_suffix(".json"), json.dumps(aligned(seen.pair)).encode())
    return show_pair(house, code, number, market=market)


def show_heat(house: House, code: str, number: int, market: str, entry: str) -> bytes:
    """One file of a heatmap's pyramid; raises Missing before `draw_heat`."""
    pair = show_pair(house, code, number, market=market)
    if not pair["heat"]:
        raise Missing("the heatmap has not been drawn yet.")
    return read_entry(house.config.home / "previews" / pair["heat"][:2] / f"{pair['heat']}.zip", entry)


def aligned(pair: Any) -> dict[str, list[float]]:
    """How source pixels go to the edit and to the heatmap, each in the order of a canvas: [a, b, c, d, e, f].

    A slight perspective is left out: this places pictures on a screen, it measures nothing.
    """
    m = [[float(v) for v in row] for row in pair.matrix]
    if len(m) == 3 and pair.mirrored:
        m[0] = [pair.size.width - 1 - v if n == 2 else -v for n, v in enumerate(m[0])]
    heat = [m[0][0], m[1][0], m[0][1], m[1][1], m[0][2], m[1][2]]
    return {"heat": heat, "edit": [value / float(pair.scale) for value in heat]}


def _needed(line: str, places: Sequence[Mapping[str, Any]]) -> list[int]:
    """The places that belong to a checklist line; every one when none does."""
    kinds = {"stones": "stones", "chain": "thin parts", "edges": "edges"}
    own = [n for n, place in enumerate(places) if place["what"] == kinds.get(line)]
    return own or list(range(len(places)))


def _room_of(conn: Connection, code: str, digest: str) -> str:
    sku = sku_called(conn, code)
    if any(photo.digest == digest for photo in pictures.photos_of(conn, sku.id)):
        return "originals"
    for variant in pictures.variants_of(conn, sku.id):
        if digest == variant.digest or any(r.digest == digest for r in pictures.renditions_of(conn, variant.id)):
            return "works"
    raise Missing(f"{code} has no such picture.")


def _variant(conn: Connection, sku: Row[Any], number: int) -> Row[Any]:
    for variant in pictures.variants_of(conn, sku.id):
        if variant.number == number:
            return variant
    raise Missing(f"{sku.code} has no variant {number}.")


def _pyramid(house: House, data: bytes) -> bytes:
    from vitrina.codec.tiles import pyramid

    return pyramid(data, name="the picture", max_megapixels=max(house.config.max_megapixels, 400.0))


def report_of(house: House, variant: Row[Any]) -> dict[str, Any]:
    """The card that a variant of ours belongs to; empty when there is none."""
    if variant.tool != OURS or variant.planted or not house.works.has(Digest(variant.card)):
        return {}
    try:
        report: dict[str, Any] = json.loads(house.works.get(Digest(variant.card)))
    except ValueError:
        return {}
    return report


def _placements(report: Mapping[str, Any], photo: str, look: str) -> dict[str, list[float]]:
    return {
        f"{draft['market']}/{draft['file'].rsplit('/', 1)[-1]}": _as_matrix(draft["placement"])
        for draft in report.get("drafts", ())
        if draft["photo"] == photo and draft["look"] == look and "placement" in draft
    }


def _matrix_of(report: Mapping[str, Any], photo: str, look: str, finding: Row[Any]) -> list[float]:
    """Where a finding that belongs to no marketplace was measured: on the cutout, or on the full-size variant."""
    for taken in report.get("photos", ()):
        if taken["photo"] != photo:
            continue
        cutout = (taken.get("cutout") or {}).get("findings", ())
        if any(f["code"] == finding.code and f["region"] == finding.region for f in cutout):
            break
        for variant in taken.get("variants", ()):
            if variant["look"] == look and "placement" in variant:
                return _as_matrix(variant["placement"])
    return [1, 0, 0, 1, 0, 0]


def _as_matrix(placement: Mapping[str, float]) -> list[float]:
    return [placement["scale"], 0, 0, placement["scale"], placement["dx"], placement["dy"]]


def _aligned(house: House, source: str, edit: str) -> dict[str, list[float]] | None:
    path = _heat_path(house, source, edit).with_suffix(".json")
    return json.loads(path.read_bytes()) if path.is_file() else None


def fitted(source: Mapping[str, Any], edit: Mapping[str, Any]) -> list[float]:
    """The edit laid over the middle of the source: all that is known before the two were measured."""
    scale = min(edit["width"] / source["width"], edit["height"] / source["height"])
    dx, dy = (edit["width"] - scale * source["width"]) / 2, (edit["height"] - scale * source["height"]) / 2
    return [scale, 0, 0, scale, dx, dy]


def turned_back(region: Mapping[str, int], matrix: Sequence[float]) -> dict[str, float]:
    """A region of a picture in pixels of its source: the box around its turned-back corners."""
    a, b, c, d, e, f = matrix
    det = a * d - b * c
    corners = [
        ((d * (x - e) - c * (y - f)) / det, (a * (y - f) - b * (x - e)) / det)
        for x in (region["x"], region["x"] + region["width"])
        for y in (region["y"], region["y"] + region["height"])
    ]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return {"x": min(xs), "y": min(ys), "width": max(xs) - min(xs), "height": max(ys) - min(ys)}


def _heat_name(source: str, edit: str) -> str:
    return hashlib.sha256(f"heat {source} {edit}".encode()).hexdigest()


def _heat_path(house: House, source: str, edit: str) -> Path:
    name = _heat_name(source, edit)
    return house.config.home / "previews" / name[:2] / f"{name}.zip"


def is_in_review(pair: Mapping[str, Any]) -> bool:
    """Whether a pair waits for decisions."""
    return bool(pair["state"] == State.IN_REVIEW)
