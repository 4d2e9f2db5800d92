"""How often verify flags, names and places a known defect, and how often it cries wolf.

    python benchmarks/verify.py FOLDER [--matte] [--jobs 2] [--peers] [--markdown docs/fidelity.md] [--list]

FOLDER holds manifest.csv and one folder per scene with source.jpg (and alpha.png), as the rendered data has and as
benchmarks/edits.py writes. Per kind of defect it prints how many were flagged (verdict not `pass`), named (the right
family among the findings that block or warn) and located, with Wilson's intervals at 95 %, and how many clean edits of
each kind raised a false alarm; scenes of the validation split apart from those that thresholds were tuned on. Stopped
by ^C it reports what it has judged so far.

`--matte` gives verify the true matte instead of letting it cut out; the clean card that peers compare with is always
made with it. `--peers` judges the same pairs by what people use today (benchmarks/peers.py) in the same run.
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from peers import PEERS, distances

from vitrina.backends.segmenters import load_segmenter
from vitrina.codec.decode import decode
from vitrina.model import Alpha, Finding, Severity, Source, Verdict
from vitrina.stages.verify import Prepared, examine_prepared, prepare

FAMILIES = {
    "background": ("bg_",), "clasp": ("clasp_", "earwire_"), "framing": ("cropped",), "edges": ("edge_",),
    "pieces": ("extra_piece", "piece_"), "glare": ("glare_",), "chain": ("link_",), "metal": ("metal_",),
    "texture": ("oversmoothed", "oversharpened", "invented_detail", "scratch_removed"), "stones": ("stone_",),
    "text": ("text_",), "geometry": ("mirrored", "stretched", "warped"),
}  # fmt: skip
"""The family that has to name a kind, by the kind's beginnings."""

GLOBAL = ("background", "metal", "edges", "texture", "geometry", "framing")
"""Families whose region may be the whole piece: what they judge is everywhere. The rest have to say where."""
LOCAL_KINDS = ("invented_detail", "scratch_removed", "warped")
"""Kinds of those families that sit in one place all the same."""
WIDEST = 4.0
"""A strict region may be this many times the true one's area, or a fiftieth of the picture if that is more."""
BEGIN, END = "<!-- measured: {} -->", "<!-- /measured: {} -->"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one pair. `located` is lenient (any region meets the true one), `strict` wants the right size."""

    kind: str
    is_clean: bool
    validation: bool
    flagged: bool
    named: bool
    first: bool
    located: bool
    strict: bool
    wall_s: float
    cpu_s: float
    source_s: float
    told: str
    file: str
    peers: dict[str, float] = field(default_factory=dict)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--matte", action="store_true", help="give verify the true matte")
    parser.add_argument("--scenes", default="", help="only these: s01,s02")
    parser.add_argument("--kinds", default="", help="only kinds that begin so: stone,clean")
    parser.add_argument("--every", type=int, default=1, help="only every Nth row, for a quick look")
    parser.add_argument("--validation", default="s02,s07,s10", help="scenes that were never looked at while tuning")
    parser.add_argument("--peers", action="store_true", help="the usual measures too, on the same pairs")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--markdown", type=Path, help="write the tables between this document's markers")
    parser.add_argument("--title", default="rendered", help="which of the document's tables")
    parser.add_argument("--list", action="store_true", help="print every judgement that is not as it should be")
    args = parser.parse_args()
    scenes, kinds = (tuple(filter(None, text.split(","))) for text in (args.scenes, args.kinds))
    with (args.folder / "manifest.csv").open(encoding="utf-8") as file:
        rows = [
            row for row in csv.DictReader(file)
            if (not scenes or row["scene"] in scenes) and (not kinds or row["kind"].startswith(kinds))
        ][:: args.every]  # fmt: skip
    if not rows:
        parser.error("no rows are left")
    validation = set(args.validation.split(","))
    tasks = [(args.folder, row, args.matte, args.peers, row["scene"] in validation) for row in rows]
    started = time.perf_counter()
    answers: list[Answer] = []
    try:
        for answer in _answers(tasks, args.jobs):
            answers.append(answer)
            if args.list and (line := _complaint(answer)):
                print(line, flush=True)
    except KeyboardInterrupt:
        if not answers:
            raise
        print(f"stopped: {len(answers)} of {len(tasks)} pairs were judged", flush=True)
        args.markdown = None
    took = time.perf_counter() - started
    text = report(answers, took, jobs=args.jobs, peers=args.peers, matte=args.matte)
    print(text)
    if args.markdown:
        write_between(args.markdown, args.title, text)


def _answers(tasks: Sequence[tuple], jobs: int) -> Iterable[Answer]:
    if jobs == 1:
        yield from map(judge, tasks)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_be_modest) as pool:
        try:
            yield from pool.map(judge, tasks, chunksize=4)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _be_modest() -> None:
    """A process per core: one thread each; ^C is the parent's to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    os.environ["OMP_NUM_THREADS"] = "1"


@lru_cache(maxsize=1)
def _segmenter():
    return load_segmenter()


@lru_cache(maxsize=2)
def _source(folder: Path, scene: str) -> tuple[Source, Alpha]:
    # The matte is stored as numbers, not as light: it is read as it is written.
    matte = cv2.imread(str(folder / scene / "alpha.png"), cv2.IMREAD_GRAYSCALE)
    source = decode((folder / scene / "source.jpg").read_bytes(), name=scene)
    return source, np.asarray(matte, np.float32) / 255


@lru_cache(maxsize=2)
def _prepared(folder: Path, scene: str, with_matte: bool) -> tuple[Prepared, float]:
    """The source's side of a comparison, made once for all its edits as `--pairs` does, and its CPU seconds."""
    source, alpha = _source(folder, scene)
    segmenter = None if with_matte else _segmenter()
    cpu = time.process_time()
    made = prepare(source, segmenter=segmenter, matte=alpha if with_matte else None)
    return made, time.process_time() - cpu


def judge(task: tuple[Path, dict[str, str], bool, bool, bool]) -> Answer:
    """One row of the manifest, judged."""
    folder, row, with_matte, with_peers, validation = task
    source, alpha = _source(folder, row["scene"])
    made, source_s = _prepared(folder, row["scene"], with_matte)
    edit = decode((folder / row["file"]).read_bytes(), name=row["file"])
    wall, cpu = time.perf_counter(), time.process_time()
    seen = examine_prepared(made, edit)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    answer = seen.judgement
    telling = [finding for finding in answer.findings if finding.severity is not Severity.NOTE]
    kind, family = row["kind"], family_of(row["kind"])
    is_clean = row["class"] != "defect"
    return Answer(
        kind=kind, is_clean=is_clean, validation=validation, flagged=answer.verdict is not Verdict.PASS,
        named=any(finding.check == family for finding in telling), first=bool(telling) and telling[0].check == family,
        located=not is_clean and any(_meets(finding, row) for finding in telling),
        strict=not is_clean and any(_is_there(finding, row, family) for finding in telling),
        wall_s=wall, cpu_s=cpu, source_s=source_s, told=_short(answer.findings), file=row["file"],
        peers=distances(source, alpha, edit, seen.pair) if with_peers else {},
    )  # fmt: skip


def family_of(kind: str) -> str:
    """The family that has to name a kind of defect; empty for clean ones."""
    return next((family for family, starts in FAMILIES.items() if kind.startswith(starts)), "")


def _true_box(row: dict[str, str]) -> tuple[float, float, float, float]:
    """The change in the edit; of what was cropped away, the border beside it."""
    x0, y0, x1, y1 = (float(row[key]) for key in ("x0", "y0", "x1", "y1"))
    return x0 - 2, y0 - 2, x1 + 2, y1 + 2


def _meets(finding: Finding, row: dict[str, str]) -> bool:
    x0, y0, x1, y1 = _true_box(row)
    r = finding.region
    return r is not None and r.x <= x1 and r.x + r.width >= x0 and r.y <= y1 and r.y + r.height >= y0


def _is_there(finding: Finding, row: dict[str, str], family: str) -> bool:
    """The finding meets the true box, covers a fair part of it or lies within it, and is not much larger."""
    r = finding.region
    if r is None or not _meets(finding, row):
        return False
    if family in GLOBAL and row["kind"] not in LOCAL_KINDS:
        return True
    x0, y0, x1, y1 = _true_box(row)
    common = max(0.0, min(r.x + r.width, x1) - max(r.x, x0)) * max(0.0, min(r.y + r.height, y1) - max(r.y, y0))
    true, found = (x1 - x0) * (y1 - y0), float(r.width * r.height)
    enough = common >= 0.1 * true or common >= 0.5 * found
    return enough and found <= max(WIDEST * true, 0.02 * float(row["width"]) * float(row["height"]))


def _short(findings: Sequence[Finding]) -> str:
    return ", ".join(
        f"{f.check}/{f.code}:{round(f.measured, 2) if isinstance(f.measured, float) else f.measured}" for f in findings
    )[:230]


def _complaint(answer: Answer) -> str:
    if answer.is_clean:
        return f"  FALSE {answer.file}: {answer.told}" if answer.flagged else ""
    hits = (answer.flagged, answer.named, answer.located, answer.strict)
    words = ("MISSED", "UNNAMED", "UNPLACED", "VAGUE")
    wrong = [word for word, good in zip(words, hits, strict=True) if not good]
    return f"  {' '.join(wrong)} {answer.file}: {answer.told}" if wrong else ""


def interval(hits: int, total: int) -> str:
    """A share in per cent with Wilson's interval at 95 % (Wilson 1927)."""
    if not total:
        return "–"
    z, p = 1.96, hits / total
    centre = (p + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return f"{100 * p:.0f} % [{100 * max(0, centre - half):.0f}–{100 * min(1, centre + half):.0f}]"


def report(answers: Sequence[Answer], took: float, *, jobs: int, peers: bool, matte: bool) -> str:
    """Everything measured, as Markdown that reads well in a terminal too."""
    parts = []
    for name, chosen in (("Tuning scenes", False), ("Validation scenes", True)):
        own = [answer for answer in answers if answer.validation is chosen]
        if own:
            parts += [f"**{name}**", "", *_defects(own), "", *_alarms(own), ""]
    if peers:
        parts += [*_peer_table(answers), ""]
    wall, cpu, once = ([getattr(answer, key) for answer in answers] for key in ("wall_s", "cpu_s", "source_s"))
    parts.append(
        f"{len(answers)} pairs, {'the true matte given' if matte else 'no matte given'}. Per pair: CPU "
        f"{_median(cpu):.2f} s (median; {max(cpu):.2f} s at most), wall {_median(wall):.2f} s (median); "
        f"once per source before that: CPU {_median(once):.2f} s (median); the whole run {took:.0f} s with {jobs} "
        f"process{'es' if jobs > 1 else ''}."
    )
    return "\n".join(parts)


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


HITS: dict[str, Callable[[Answer], bool]] = {
    "flagged": lambda a: a.flagged, "named": lambda a: a.named, "named first": lambda a: a.first,
    "located": lambda a: a.located, "located strictly": lambda a: a.strict,
}  # fmt: skip


def _defects(answers: Sequence[Answer]) -> list[str]:
    by_kind: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        if not answer.is_clean:
            by_kind[answer.kind].append(answer)
    if not by_kind:
        return []
    lines = [f"| defect | n | {' | '.join(HITS)} |", f"| --- | --: |{' --: |' * len(HITS)}"]
    every = [answer for own in by_kind.values() for answer in own]
    for kind, own in [*sorted(by_kind.items()), ("**all**", every)]:
        cells = " | ".join(interval(sum(map(hit, own)), len(own)) for hit in HITS.values())
        lines.append(f"| {kind} | {len(own)} | {cells} |")
    return lines


def _alarms(answers: Sequence[Answer]) -> list[str]:
    by_kind: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        if answer.is_clean:
            by_kind[answer.kind].append(answer)
    if not by_kind:
        return []
    lines = ["| allowed edit | n | false alarms |", "| --- | --: | --: |"]
    every = [answer for kind, own in by_kind.items() for answer in own if "relit" not in kind]
    for kind, own in [*sorted(by_kind.items()), ("**all** (relit apart)", every)]:
        lines.append(f"| {kind} | {len(own)} | {interval(sum(a.flagged for a in own), len(own))} |")
    return lines


def _peer_table(answers: Sequence[Answer]) -> list[str]:
    """Each measure at the threshold that catches most defects with no more false alarms than verify raises."""
    clean = [a for a in answers if a.is_clean and "relit" not in a.kind]
    defects = [a for a in answers if not a.is_clean]
    if not clean or not defects:
        return []
    alarms = sum(a.flagged for a in clean)
    families = sorted({family_of(a.kind) for a in defects})
    lines = [
        f"Flagged at no more false alarms than verify ({alarms} of {len(clean)} clean edits):",
        "",
        f"| measure | threshold | all | {' | '.join(families)} |",
        f"| --- | --: | --: |{' --: |' * len(families)}",
    ]

    def row(name: str, limit: str, is_hit: Callable[[Answer], bool]) -> str:
        cells = [interval(sum(map(is_hit, defects)), len(defects))]
        for family in families:
            own = [a for a in defects if family_of(a.kind) == family]
            cells.append(f"{100 * sum(map(is_hit, own)) / len(own):.0f} %")
        return f"| {name} | {limit} | {' | '.join(cells)} |"

    lines.append(row("**verify**", "", lambda a: a.flagged))
    for name in PEERS:
        for way in ("registered", "as it comes"):
            key = f"{name}, {way}"
            limit = sorted((a.peers[key] for a in clean), reverse=True)[min(alarms, len(clean) - 1)]
            lines.append(row(key, f"{limit:.3g}", lambda a, key=key, limit=limit: a.peers[key] > limit))
    return lines


def write_between(path: Path, title: str, text: str) -> None:
    """Put `text` between the markers of `title` in a document; everything else stays."""
    whole = path.read_text(encoding="utf-8")
    begin, end = BEGIN.format(title), END.format(title)
    if begin not in whole or end not in whole:
        raise SystemExit(f"{path}: the markers {begin} and {end} are wanted")
    before, rest = whole.split(begin, 1)
    _, after = rest.split(end, 1)
    path.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
