"""How often verify flags, names and places a known defect, and how often it cries wolf.

    python benchmarks/verify.py FOLDER [--matte] [--scenes s01,s02] [--list]

FOLDER holds manifest.csv and one folder per scene with source.jpg (and alpha.png), as the rendered data has. `--matte`
gives verify the true matte instead of letting it cut out. Intervals are Wilson's at 95 %.
"""

from __future__ import annotations

import argparse
import csv
import math
import time
from collections import defaultdict
from pathlib import Path

from vitrina.backends.segmenters import load_segmenter
from vitrina.codec.decode import decode
from vitrina.model import Judgement, Severity, Verdict
from vitrina.stages.verify import verify

FAMILIES = {
    "bg_gradient": {"background"}, "bg_tint": {"background"}, "clasp_missing": {"clasp"}, "clasp_moved": {"clasp"},
    "clasp_type": {"clasp"}, "cropped": {"framing"}, "earwire_changed": {"clasp"}, "earwire_missing": {"clasp"},
    "edge_eroded": {"edges"}, "edge_halo": {"edges"}, "extra_piece": {"pieces"}, "glare_added": {"glare"},
    "link_doubled": {"chain"}, "link_melted": {"chain"}, "link_removed": {"chain"}, "metal_drift_3": {"metal"},
    "metal_drift_5": {"metal"}, "metal_drift_8": {"metal"}, "metal_swap": {"metal"}, "oversmoothed": {"texture"},
    "piece_missing": {"pieces"}, "scratch_removed": {"texture"}, "stone_color": {"stones"},
    "stone_color_subtle": {"stones"}, "stone_cut": {"stones"}, "stone_enlarged": {"stones"}, "stone_extra": {"stones"},
    "stone_missing": {"stones"}, "stone_missing_filled": {"stones"}, "text_banner": {"text"}, "text_diagonal": {"text"},
    "text_logo": {"text"},
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--matte", action="store_true")
    parser.add_argument("--scenes", default="")
    parser.add_argument("--kinds", default="")
    parser.add_argument("--list", action="store_true", help="print every judgement that is not as it should be")
    args = parser.parse_args()
    wanted, kinds = set(filter(None, args.scenes.split(","))), set(filter(None, args.kinds.split(",")))
    rows = [
        r for r in csv.DictReader((args.folder / "manifest.csv").open())
        if (not wanted or r["scene"] in wanted) and (not kinds or r["kind"] in kinds)
    ]  # fmt: skip
    segmenter = load_segmenter()
    sources: dict[str, tuple] = {}
    counts: dict[str, list[tuple[bool, bool, bool]]] = defaultdict(list)
    clean: dict[str, list[Verdict]] = defaultdict(list)
    seconds = []
    for row in rows:
        scene = row["scene"]
        if scene not in sources:
            folder = args.folder / scene
            source = decode((folder / "source.jpg").read_bytes(), name=scene)
            matte = decode((folder / "alpha.png").read_bytes(), name=scene)
            # The matte is stored as numbers, not as light: undo the transfer curve that decoding applied.
            from vitrina.imaging.colour import encode_srgb

            sources = {scene: (source, encode_srgb(matte.rgb[..., 0]))}
        source, alpha = sources[scene]
        edit = decode((args.folder / row["file"]).read_bytes(), name=row["file"])
        started = time.perf_counter()
        answer = verify(source, edit, segmenter=segmenter, matte=alpha if args.matte else None)
        seconds.append(time.perf_counter() - started)
        kind = row["kind"]
        if row["class"] != "defect":
            clean[kind].append(answer.verdict)
            if answer.verdict is not Verdict.PASS and args.list:
                print(f"  FALSE {row['file']}: {_short(answer)}")
            continue
        flagged = answer.verdict is not Verdict.PASS
        named = any(f.check in FAMILIES[kind] and f.severity is not Severity.NOTE for f in answer.findings)
        located = _located(answer, row)
        counts[kind].append((flagged, named, located))
        if args.list and not (flagged and named and located):
            wrong = [
                word for word, good in (("MISSED", flagged), ("UNNAMED", named), ("UNPLACED", located)) if not good
            ]
            print(f"  {' '.join(wrong)} {row['file']}: {_short(answer)}")
    _report(counts, clean, seconds)


def _short(answer: Judgement) -> str:
    return ", ".join(
        f"{f.check}/{f.code}:{f.measured if not isinstance(f.measured, float) else round(f.measured, 2)}"
        for f in answer.findings
    )[:230]


def _located(answer: Judgement, row: dict[str, str]) -> bool:
    x0, y0, x1, y1 = (float(row[k]) for k in ("x0", "y0", "x1", "y1"))
    for finding in answer.findings:
        r = finding.region
        if r is None or finding.severity is Severity.NOTE:
            continue
        if r.x <= x1 + 2 and r.x + r.width >= x0 - 2 and r.y <= y1 + 2 and r.y + r.height >= y0 - 2:
            return True
    return False


def _interval(hits: int, total: int) -> str:
    if not total:
        return ""
    z, p = 1.96, hits / total
    centre = (p + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return f"{100 * p:5.1f} % [{100 * (centre - half):.0f}–{100 * min(1, centre + half):.0f}]"


def _report(counts: dict, clean: dict, seconds: list[float]) -> None:
    print(f"{'defect':22}{'n':>4}  {'flagged':20}{'named':20}{'located':20}")
    everything = []
    for kind in sorted(counts):
        rows = counts[kind]
        everything += rows
        print(
            f"{kind:22}{len(rows):4}  "
            + "".join(f"{_interval(sum(r[k] for r in rows), len(rows)):20}" for k in range(3))
        )
    if everything:
        print(
            f"{'all':22}{len(everything):4}  "
            + "".join(f"{_interval(sum(r[k] for r in everything), len(everything)):20}" for k in range(3))
        )
    alarms = total = 0
    for kind in sorted(clean):
        verdicts = clean[kind]
        wrong = sum(v is not Verdict.PASS for v in verdicts)
        if "relit" not in kind:
            alarms, total = alarms + wrong, total + len(verdicts)
        print(f"{kind:22}{len(verdicts):4}  false alarms {_interval(wrong, len(verdicts))}")
    if total:
        print(f"{'all clean':22}{total:4}  false alarms {_interval(alarms, total)}   (relit reported apart)")
    print(f"seconds per pair: median {sorted(seconds)[len(seconds) // 2]:.2f}, worst {max(seconds):.2f}")


if __name__ == "__main__":
    main()
