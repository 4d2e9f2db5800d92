"""The verbs of the house: paths and settings in, the contract's documents out. The command line calls only these."""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitrina import __version__
from vitrina.config import Config, load_config
from vitrina.errors import NotAllowed, ResourceError, Unreadable, UsageError, VitrinaError
from vitrina.files import read_bytes, require_writable, write_bytes
from vitrina.stages.rights import UNSTATED, Rights

if TYPE_CHECKING:
    from vitrina.model import Alpha, Mask, Source
    from vitrina.stages.verify.facts import Facts

Say = Callable[[str, float], None]

_LIBRARIES = (
    "numpy",
    "opencv-python-headless",
    "onnxruntime",
    "pyvips",
    "pyvips-binary",
    "pillow",
    "pi-heif",
    "rapidocr",
)


def inspect(path: Path, *, model: Path | None = None, language: str = "en") -> dict[str, Any]:
    """Check one photo; the advice is in `language` (en, ru or kk)."""
    from vitrina import steps

    judgement = steps.inspect(_take_in(path), finder=steps.segmenter(model))
    return {"file": str(path), **steps.advise(judgement, language).as_dict()}


def cutout_targets(photos: Sequence[Path], output: Path) -> dict[Path, Path]:
    """Where each photo's cutout goes: one photo to the file `output`, several into the folder `output`.

    Raises UsageError when two photos would write the same file, NotWritable when none could be written there.
    """
    if len(photos) == 1 and not output.is_dir():
        require_writable(output)
        return {photos[0]: output}
    targets: dict[Path, Path] = {}
    for photo in dict.fromkeys(photos):
        target = output / f"{photo.stem}.png"
        if target in targets.values():
            raise UsageError(f"two photos are called {photo.stem}: their cutouts would both be {target}. Rename one.")
        targets[photo] = target
    require_writable(output / "cutout.png")
    return targets


def cutout(
    path: Path,
    target: Path,
    *,
    model: Path | None = None,
    keep: Path | None = None,
    drop: Path | None = None,
    piece_type: str | None = None,
) -> dict[str, Any]:
    """Cut one photo out into the PNG `target` and check its edges."""
    from vitrina import steps
    from vitrina.codec.encode import encode_png16

    source = _take_in(path)
    cut = steps.cutout(source, finder=steps.segmenter(model), keep=_mask(keep), drop=_mask(drop))
    judgement = steps.check_edges(source, cut, piece_type=piece_type)
    judgement = replace(judgement, findings=(*judgement.findings, *steps.check_reflections(source, cut)))
    write_bytes(target, encode_png16(cut.foreground, cut.alpha))
    parts = [{"region": part.region.as_dict(), "area_px": part.area_px, "holes": part.holes} for part in cut.parts]
    return {"file": str(path), "output": str(target), "method": cut.method, "parts": parts, **judgement.as_dict()}


def judge(
    source: Path,
    edit: Path,
    *,
    matte: Path | None = None,
    facts: Path | None = None,
    heatmap: Path | None = None,
    named: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Does the file `edit` still show the piece in the file `source`?

    With `heatmap`, the document says where it was written; None when the piece was not found and there is none to draw.
    """
    from vitrina import steps
    from vitrina.codec.encode import encode_png8
    from vitrina.stages.verify import load_facts

    if heatmap is not None:
        require_writable(heatmap)
    before = _take_in(source)
    told = load_facts(read_bytes(facts), name=str(facts)) if facts else None
    seen = steps.examine(before, _take_in(edit), matte=_alpha(matte), facts=told)
    document = {**(named or {"source": str(source), "edit": str(edit)}), **seen.judgement.as_dict()}
    if heatmap is None:
        return document
    if seen.pair is not None:
        write_bytes(heatmap, encode_png8(seen.heatmap()))
    return {**document, "heatmap": None if seen.pair is None else str(heatmap)}


@dataclass(frozen=True, slots=True)
class Pair:
    """One row of a --pairs file: the paths as they were found, and source and edit as they were written."""

    source: Path
    edit: Path
    matte: Path | None
    facts: Path | None
    named: Mapping[str, str]


def read_pairs(path: Path) -> list[Pair]:
    """The rows of a CSV with the columns source, edit and optionally matte, facts.

    A relative path is looked up from the current folder first, then from the CSV's own folder.
    """
    try:
        text = read_bytes(path).decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Unreadable(
            f"{path}: not a CSV in UTF-8 ({error}). Its first line names the columns: source,edit"
        ) from error
    if not rows:
        raise Unreadable(
            f"{path}: no pairs in it (a first line with the columns source,edit and a line per pair are wanted)."
        )
    pairs = []
    for number, row in enumerate(rows, start=2):
        cells = {
            str(key).strip().lower(): (value or "").strip() for key, value in row.items() if isinstance(value, str)
        }
        if not cells.get("source") or not cells.get("edit"):
            raise Unreadable(
                f"{path}: line {number} names no source or no edit. The columns are source,edit[,matte,facts]."
            )
        found = {key: _look_up(cells[key], path.parent) if cells.get(key) else None for key in ("matte", "facts")}
        named = {"source": cells["source"], "edit": cells["edit"]}
        where = [_look_up(cells[key], path.parent) for key in ("source", "edit")]
        pairs.append(Pair(where[0], where[1], found["matte"], found["facts"], named))
    return pairs


def judge_pairs(pairs: Sequence[Pair], *, workers: int = 2) -> Iterator[dict[str, Any]]:
    """Judge every pair, in order; what cannot be read gives an error document and the rest goes on.

    Several processes share the work, each with its models loaded once. Pairs of one source in a row stay together.
    """
    runs = [tuple(group) for _, group in groupby(pairs, key=lambda pair: (pair.source, pair.matte))]
    chunks = [run[i : i + 8] for run in runs for i in range(0, len(run), 8)]
    if workers == 1 or len(pairs) < 3:
        for chunk in chunks:
            yield from _judge_chunk(chunk)
        return
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    with ProcessPoolExecutor(
        min(workers, len(chunks)), mp_context=get_context("spawn"), initializer=_be_modest
    ) as pool:
        waiting = [pool.submit(_judge_chunk, chunk) for chunk in chunks]
        try:
            for answer in waiting:
                yield from answer.result()
        except BrokenProcessPool as error:
            raise ResourceError("a worker process died, most likely out of memory. Try --workers 1.") from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def card(
    photos: Sequence[Path],
    *,
    sku: str,
    out: Path,
    mode: str,
    looks: Sequence[str],
    markets: Sequence[str],
    force: bool,
    model: Path | None,
    config: Config,
    say: Say,
    person: str | None = None,
    rights: Rights | None = None,
    file_format: str = "",
) -> dict[str, Any]:
    """The main job: a checked card of one SKU in the folder `out`. Returns the report document.

    `file_format` is what its files shall be (jpeg, webp, png) where the marketplace takes it; empty: as its pack says.

    When somebody named a home the card is put on record there as a batch's is, and the document says so under
    ``catalogue``; what the catalogue says of the SKU is held against its pictures. A supplier's photos without a
    commercial right are refused (NotAllowed).
    """
    from vitrina import pipeline, steps
    from vitrina.actions.asked import kind_called, mode_called
    from vitrina.actions.house import imprint_of, open_blobs
    from vitrina.actions.rule_packs import packs_of

    said = rights or UNSTATED
    facts, rights_by = _told(config, sku, person, said, photos)
    order = pipeline.CardOrder(
        photos=tuple(photos), sku=sku, out=out, mode=mode_called(mode), looks=tuple(looks), markets=tuple(markets),
        force=force, max_megapixels=config.max_megapixels, pack_of=packs_of(config),
        imprint=replace(imprint_of(config), kind=kind_called(file_format)), facts=facts, rights_of=rights_by,
    )  # fmt: skip
    document = pipeline.make_card(
        order, blobs=open_blobs(config), finder=steps.segmenter(model), clock=lambda: datetime.now(UTC), say=say
    )
    return document | {"catalogue": _on_record(config, sku, person, out, document)} if config.is_named else document


def _told(
    config: Config, sku: str, person: str | None, said: Rights, photos: Sequence[Path]
) -> tuple[Facts | None, Callable[[str], Rights]]:
    """What the catalogue says of `sku`, and whose its photos are; raises NotAllowed before any work when `person` may
    not make cards, or when the photos must not be used."""
    from vitrina.actions.house import actor, open_house
    from vitrina.actions.origins import admit, rights_of
    from vitrina.stages.catalogue import verify_facts
    from vitrina.stages.verify import load_facts
    from vitrina.store import skus

    is_kept = config.is_named and (config.database is not None or (config.home / "app.sqlite").exists())
    if not is_kept and not (config.is_named and said.refusal):
        if said.refusal:
            raise NotAllowed(said.refusal)
        return None, lambda _digest: said
    with open_house(config, person=person) as house:
        admit(house, "card.make", f"sku/{sku}", said, [path.name for path in photos])
        with house.store.reading() as conn:
            said = said.taken_by_default(actor(conn, house, "card.make"))
            known = skus.get(conn, sku)
            rights_by = rights_of(conn, sku, said)
    text = verify_facts(known.facts) if known is not None else b""
    return load_facts(text, name=f"the facts of {sku}") if text.strip() else None, rights_by


def _on_record(config: Config, sku: str, person: str | None, out: Path, document: Mapping[str, Any]) -> dict[str, Any]:
    """Put the card in `out` on record; raises ResourceError that says the card itself is whole when that fails."""
    from vitrina.actions.cards import file_card
    from vitrina.actions.house import open_house

    try:
        with open_house(config, person=person) as house:
            return {"home": str(config.home), "sku": sku, **file_card(house, sku, out, document)}
    except ResourceError as error:
        raise ResourceError(
            f"{error} The card in {out} is complete, but it is not in the catalogue: run the same command again."
        ) from error


def check_certificate(folder: Path, *, model: Path | None, say: Say) -> dict[str, Any]:
    """Compute the certificate of the card in `folder` again."""
    from vitrina import steps
    from vitrina.certificate import check_certificate

    return check_certificate(folder, finder=steps.segmenter(model), say=say)


def examine_house(config: Config, *, archive: bool, say: Say) -> dict[str, Any]:
    """What is installed and in which state; with `archive` every original is read and hashed again."""
    from vitrina.actions.rule_packs import packs_of
    from vitrina.backends.segmenters import check_models
    from vitrina.rules.load import list_markets

    say("checking the models", 0.1)
    versions = {
        "vitrina": __version__,
        "python": sys.version.split()[0],
        **{name: _version(name) for name in _LIBRARIES},
    }
    models = check_models()
    today = date.today()
    packs = [packs_of(config)(market) for market in list_markets()]
    told = {pack.market: {"version": pack.edition, "read on": str(pack.read_on)} for pack in packs}
    stale = [pack for pack in packs if pack.is_stale(today)]
    problems = [f"{name}: missing. Reinstall vitrina." for name, state in versions.items() if state == "missing"]
    broken = [
        f"{name}: the model file is {state}. Reinstall vitrina." for name, state in models.items() if state != "ok"
    ]
    old = [
        f"{pack.market}: the rules were read on {pack.read_on}; read the marketplace's page again." for pack in stale
    ]
    home, damaged = _examine_home(config, archive=archive, say=say)
    return {
        "schema": "vitrina.doctor/1",
        "versions": versions,
        "models": models,
        "rule_packs": told,
        "home": home,
        "problems": [*problems, *broken, *old, *damaged],
        "exit_code": 4 if problems or broken or damaged else 1 if old else 0,
    }


def _examine_home(config: Config, *, archive: bool, say: Say) -> tuple[dict[str, Any], list[str]]:
    from vitrina.actions.house import open_blobs

    originals = sum(1 for _ in open_blobs(config).digests())
    home: dict[str, Any] = {"path": str(config.home), "originals": originals, "hashed": archive, "damaged": 0}
    if not archive or not (originals or config.database or (config.home / "app.sqlite").exists()):
        return home, []
    from vitrina.actions.archive import examine_archive
    from vitrina.actions.house import open_house

    with open_house(config) as house:
        examined = examine_archive(house, say=say)
    problems = list(examined.pop("problems"))
    return {**home, "damaged": len(examined["lost"]) + len(examined["altered"]), **examined}, problems


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "missing"


def _take_in(path: Path) -> Source:
    from vitrina import steps

    return steps.take_in(read_bytes(path), name=str(path), max_megapixels=load_config().max_megapixels)


def _alpha(path: Path | None) -> Alpha | None:
    """A matte from a picture file: its alpha channel, else its grey values as they are written."""
    from vitrina.steps import read_matte

    return None if path is None else read_matte(read_bytes(path), name=str(path))


def _mask(path: Path | None) -> Mask | None:
    alpha = _alpha(path)
    return None if alpha is None else alpha > 0.5


def _look_up(name: str, beside: Path) -> Path:
    path = Path(name)
    return path if path.is_absolute() or path.exists() or not (beside / path).exists() else beside / path


def _judge_chunk(chunk: Sequence[Pair]) -> list[dict[str, Any]]:
    return [_judge_pair(pair) for pair in chunk]


def _judge_pair(pair: Pair) -> dict[str, Any]:
    try:
        return judge(pair.source, pair.edit, matte=pair.matte, facts=pair.facts, named=pair.named)
    except VitrinaError as error:
        what = {"kind": type(error).__name__, "message": str(error), "exit_code": error.exit_code}
        return {"schema": "vitrina.error/1", **pair.named, "error": what}


def _be_modest() -> None:
    """A worker process leaves ^C to its parent and uses one core, for there is a worker per core."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("OMP_NUM_THREADS", "VIPS_CONCURRENCY"):
        os.environ.setdefault(name, "1")
    import cv2

    cv2.setNumThreads(1)
