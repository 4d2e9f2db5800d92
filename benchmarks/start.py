"""How quickly the command line answers: wall and CPU seconds of ``--version`` and ``--help``, and what they import.

    python benchmarks/start.py [--runs 9] [--limit 0.5]

Prints the median and the fastest of several runs, each in a process of its own. Exit code 1 when the fastest run of
either takes longer than the limit.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--limit", type=float, default=0.5, help="seconds")
    args = parser.parse_args()
    is_late = False
    for option in ("--version", "--help"):
        wall, cpu = zip(*(measure(option) for _ in range(args.runs)), strict=True)
        is_late = is_late or min(wall) > args.limit
        print(
            f"vitrina {option:10} wall {statistics.median(wall):.2f} s (fastest {min(wall):.2f}), "
            f"CPU {statistics.median(cpu):.2f} s, limit {args.limit:g} s"
        )
    return int(is_late)


def measure(option: str) -> tuple[float, float]:
    """Wall and CPU seconds of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "vitrina", option], check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())
