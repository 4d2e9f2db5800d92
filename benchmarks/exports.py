"""Every export held against its marketplace's rules by other means than those that wrote it.

    python benchmarks/exports.py PHOTO... [--kept DIR] [--kinds JPEG,WEBP,PNG] [--markets kaspi,etsy]

Each photo is cut out once (`--kept` keeps the masters for the next run), dressed in white and rendered for the main
picture of all nine marketplaces, in every format of `--kinds` that the marketplace takes. tests/rules/independent.py
then reads the file's container by hand and its pixels by Pillow, and says what is wrong with it. Only the limits come
from the packs. Nothing is enlarged, so a small photo may not fill its slot; where our own checks say so, that is
counted apart.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.masters import dressed
from tests.rules.independent import problems
from vitrina import steps
from vitrina.rules.load import find_slot, list_markets, load_pack
from vitrina.rules.pack import taken_kinds
from vitrina.stages.export import check_size

ROOT = Path(__file__).parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path, default=[ROOT / "examples" / "ring.jpg"])
    parser.add_argument("--kept", type=Path, help="folder of masters, read and filled")
    parser.add_argument("--kinds", default="JPEG")
    parser.add_argument("--markets", default=",".join(list_markets()))
    asked = parser.parse_args()
    photos = files = wrong = small = 0
    for photo in asked.photos:
        variant = dressed(photo, "white", kept=asked.kept)
        if variant is None:
            print(f"{photo.name}: no piece was found")
            continue
        photos += 1
        for market in asked.markets.split(","):
            pack = load_pack(market)
            slot = find_slot(pack, "main")
            for kind in [kind for kind in asked.kinds.split(",") if kind in taken_kinds(slot)]:
                made = steps.render(variant, market=pack, kind=kind)
                said = [*check_size(made, variant, pack), *steps.check_rules(made.data, market=pack).findings]
                is_small = any(finding.code in ("piece-small", "fill-low") for finding in said)
                found = problems(made.data, slot, whole_fill=not is_small)
                files, wrong, small = files + 1, wrong + bool(found), small + is_small
                told = "; ".join(found) or "keeps the rules"
                note = ", the piece is small" if is_small else ""
                print(
                    f"{photo.name} {market}: {kind} {made.size} {len(made.data) / 1e3:.0f} kB{note}: {told}", flush=True
                )
    print(f"{files} files of {photos} photos ({small} of a piece too small for the slot): {wrong} with something wrong")


if __name__ == "__main__":
    main()
