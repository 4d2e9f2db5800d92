"""How quickly the catalogue answers: 10,000 SKUs with 60,000 photos, every list and report, on SQLite or PostgreSQL.

    python benchmarks/catalogue.py [--skus 10000] [--database postgresql://…] [--repeat 5]

Records are filled in directly (the files themselves play no part in lists and reports), with variants, findings,
decisions, exports, returns and a ledger in proportion. Printed: the median and the worst of the repetitions in
milliseconds beside the limit of 200 ms, and the processor's part of the median, which says on a busy machine how much
of it was waiting for others. The exit code is 1 when a median is over the limit.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from vitrina import reports
from vitrina.actions import gate, reporting, skus, studio
from vitrina.actions.calendar import calendar
from vitrina.actions.house import House, open_house
from vitrina.actions.people import add_person, list_people
from vitrina.actions.rule_packs import list_rules
from vitrina.config import Config
from vitrina.store import events, schema

LIMIT_MS = 200.0
START = datetime(2026, 1, 1, tzinfo=UTC)
STATES = ("checked", "in review", "approved", "rejected", "exported")


def fill(house: House, number: int, seed: int) -> None:
    """A year of a shop: six photos and two variants per SKU, and what people did with them."""
    chance = random.Random(seed)
    at = [(START + timedelta(minutes=i * 525_000 / number)).isoformat() for i in range(number)]
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in schema.metadata.tables}
    rows["lines"] = [
        {"id": n, "name": f"Line {n:02}", "recipe": {}, "checklist": {}, "added_at": at[0]} for n in range(1, 41)
    ]
    for i in range(1, number + 1):
        moment = at[i - 1]
        rows["skus"].append(
            {"id": i, "code": f"SKU-{i:05}", "title": f"Ring {i} with {i % 9} stones", "piece_type": "ring",
             "line_id": 1 + i % 40, "stock": i % 7, "is_top": i % 50 == 0, "factory": f"Factory {i % 12}",
             "stone_batch": f"B{i % 100}", "facts": {"pieces": 1, "metal": "gold"}, "added_at": moment,
             "changed_at": moment}
        )  # fmt: skip
        for j in range(6):
            digest = hashlib.sha256(f"photo {i} {j}".encode()).hexdigest()
            rows["blobs"].append({"digest": digest, "room": "originals", "bytes": 4_000_000, "kept_at": moment})
            rows["photos"].append(
                {"id": 6 * i + j, "sku_id": i, "digest": digest, "name": f"{j}.jpg", "verdict": "pass",
                 "capture": {"camera": f"Phone {i % 5}"}, "added_at": moment}
            )  # fmt: skip
        for j in range(2):
            variant = 2 * i + j
            digest = hashlib.sha256(f"variant {variant}".encode()).hexdigest()
            state = chance.choice(STATES)
            rows["blobs"].append({"digest": digest, "room": "works", "bytes": 9_000_000, "kept_at": moment})
            rows["variants"].append(
                {"id": variant, "sku_id": i, "number": j + 1, "photo_id": 6 * i, "look": ("white", "grey")[j],
                 "tool": "vitrina", "digest": digest, "card": digest, "verdict": "review", "state": state, "reason": "",
                 "basis": {}, "second_look": ["the program is in doubt"] if variant % 3 == 0 else [],
                 "planted": "no clasp" if variant % 200 == 0 else None, "made_by": "Phil", "made_at": moment,
                 "changed_at": moment}
            )  # fmt: skip
            for market in ("kaspi", "ozon", "wildberries"):
                rows["renditions"].append(
                    {"variant_id": variant, "market": market, "slot": "main", "name": f"{j}.jpg", "digest": digest,
                     "verdict": "pass"}
                )  # fmt: skip
            for k in range(3):
                rows["findings"].append(
                    {"sku_id": i, "variant_id": variant, "photo_id": None, "market": None,
                     "check": ("metal", "stones", "edges")[k], "code": f"code-{chance.randrange(6)}",
                     "severity": ("warn", "note")[k % 2], "measured": 1.0, "limit": 2.0, "unit": "px", "region": None,
                     "message": "A message of the usual length, with a value and what to do.", "found_at": moment}
                )  # fmt: skip
            if state in ("approved", "exported", "rejected"):
                rejects = state == "rejected"
                rows["decisions"].append(
                    {"variant_id": variant, "sku_id": i, "person": ("Rita", "Rob")[i % 2],
                     "verdict": "reject" if rejects else "approve", "digest": digest, "names": {"master": digest},
                     "basis": {}, "reason": chance.choice(("stones", "metal", "edges")) if rejects else "", "words": "",
                     "at": moment, "void_at": None, "void_why": ""}
                )  # fmt: skip
            if state == "exported":
                rows["exports"].append(
                    {"variant_id": variant, "sku_id": i, "market": "kaspi", "files": {"a.jpg": digest}, "folder": "out",
                     "person": "Pat", "at": moment}
                )  # fmt: skip
        if i % 20 == 0:
            day = moment[:10]
            rows["returns"].append(
                {"sku_id": i, "ordered_on": day, "returned_on": day, "reason": "colour", "words": "paler"}
            )
    with house.store.writing() as conn:
        for table in schema.metadata.sorted_tables:
            for begin in range(0, len(rows[table.name]), 5000):
                conn.execute(table.insert(), rows[table.name][begin : begin + 5000])
        for moment in at:
            for verb in ("sku.add", "card.make", "review.start", "review.approve"):
                subject = f"sku/SKU-{chance.randrange(number):05}"
                events.append(conn, at=moment, person="Rita", verb=verb, subject=subject, details={"variant": 1})
        conn.exec_driver_sql("ANALYZE")


def questions(house: House, number: int) -> dict[str, Callable[[], Any]]:
    """Every list and report, as a person would ask for it, each with an access check and its whole document."""
    rita, aud = house.acting_as("Rita"), house.acting_as("Aud")
    middle = f"SKU-{number // 2:05}"
    return {
        "sku list, first page": lambda: skus.list_skus(rita),
        "sku list, page in the middle": lambda: skus.list_skus(rita, after=middle),
        "sku list, search in titles": lambda: skus.list_skus(rita, search="with 7"),
        "sku list, search without a hit": lambda: skus.list_skus(rita, search="no such thing"),
        "sku list, one line": lambda: skus.list_skus(rita, line="Line 07"),
        "sku list, in review": lambda: skus.list_skus(rita, state="in review"),
        "sku show": lambda: skus.show_sku(rita, middle),
        "review queue, first page": lambda: gate.queue(rita),
        "review queue, page in the middle": lambda: gate.queue(rita, after=number),
        "report rejections, a month": lambda: reporting.report_rejections(rita, "2026-06"),
        "report returns, a quarter": lambda: reporting.report_returns(rita, "2026-Q2"),
        "report audit, a quarter": lambda: reporting.report_audit(aud, "2026-Q2"),
        "report line, all": lambda: reporting.report_line(rita, ""),
        "report line, one: its records": lambda: records_of(house, "Line 07"),
        "today": lambda: studio.today(rita),
        "calendar": lambda: calendar(rita),
        "ledger, first page": lambda: studio.read_ledger(aud),
        "ledger, page in the middle": lambda: studio.read_ledger(aud, before=2 * number),
        "batches": lambda: studio.list_batches(rita),
        "rule packs": lambda: list_rules(house.config),
        "people": lambda: list_people(house),
    }


def records_of(house: House, line: str) -> dict[str, Any]:
    """What ``report line NAME`` says of the records; it also measures the line's pictures, which are no records."""
    with house.store.reading() as conn:
        return reports.line(conn, line)


def main() -> int:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--skus", type=int, default=10_000)
    parser.add_argument("--database", default=None)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    slow = 0
    with tempfile.TemporaryDirectory() as folder, open_house(Config(Path(folder), database=given.database)) as house:
        for name, role in (("Ann", "admin"), ("Rita", "reviewer"), ("Aud", "auditor")):
            add_person(house.acting_as("Ann"), name, [role])
        started = time.perf_counter()
        fill(house, given.skus, given.seed)
        print(f"{given.skus} SKUs, {6 * given.skus} photos, filled in {time.perf_counter() - started:.1f} s")
        print(f"{'question':36} {'median ms':>10} {'worst ms':>10} {'cpu ms':>8}")
        for name, ask in questions(house, given.skus).items():
            taken, cpu = [], []
            for _ in range(given.repeat):
                begun, worked = time.perf_counter(), time.process_time()
                ask()
                cpu.append(1000 * (time.process_time() - worked))
                taken.append(1000 * (time.perf_counter() - begun))
            median = statistics.median(taken)
            slow += median > LIMIT_MS
            over = f"  over {LIMIT_MS:.0f} ms" if median > LIMIT_MS else ""
            print(f"{name:36} {median:10.1f} {max(taken):10.1f} {statistics.median(cpu):8.1f}{over}")
    return 1 if slow else 0


if __name__ == "__main__":
    raise SystemExit(main())
