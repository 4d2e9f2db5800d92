"""A crew of worker processes: started, looked after while there is work, and sent home."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from vitrina.errors import ResourceError

CARD_BYTES = 2 * 2**30
"""Memory that one card may take (12 megapixels: under 2 GiB)."""

_FALLS = 3
"""So many deaths of young workers in a row, and the crew does not get up again."""

_YOUNG_S = 60.0


def crew_size(wanted: int | None) -> int:
    """How many workers there is room for: one per core, and one per card's memory; `wanted` may make it fewer."""
    room = max(1, _free_bytes() // CARD_BYTES)
    return max(1, min(wanted or os.cpu_count() or 1, room))


class Crew:
    """Worker processes that run `command`; one that dies is replaced."""

    def __init__(self, command: Sequence[str], number: int) -> None:
        self.command = list(command)
        self.number = number
        self.falls = 0
        self._members: list[subprocess.Popen[bytes]] = []
        self._hired_at: list[float] = []

    def __enter__(self) -> Crew:
        self._members = [self._hire() for _ in range(self.number)]
        self._hired_at = [time.monotonic()] * self.number
        return self

    def __exit__(self, *_: object) -> None:
        for member in self._members:
            with contextlib.suppress(ProcessLookupError):
                member.terminate()
        for member in self._members:
            try:
                member.wait(10)
            except subprocess.TimeoutExpired:
                member.kill()
                member.wait()

    def tend(self) -> None:
        """Replace those that died. Raises ResourceError when they keep dying."""
        for place, member in enumerate(self._members):
            if member.poll() is None:
                continue
            is_young = time.monotonic() - self._hired_at[place] < _YOUNG_S
            self.falls = self.falls + 1 if is_young else 0
            if self.falls >= _FALLS:
                raise ResourceError(
                    f"the workers keep ending (exit code {member.returncode}); what they said stands above. "
                    "Run the same command again when it is mended: it goes on where it stopped."
                )
            self._members[place] = self._hire()
            self._hired_at[place] = time.monotonic()

    def _hire(self) -> subprocess.Popen[bytes]:
        env = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(_share(self.number)))}
        # A session of its own: ^C reaches the one who waits, and it sends the crew home.
        return subprocess.Popen(
            self.command, env=env, stdin=subprocess.DEVNULL, stdout=sys.stderr, start_new_session=True
        )


def _share(number: int) -> int:
    return max(1, (os.cpu_count() or 1) // number)


def _free_bytes() -> int:
    try:
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return 4 * CARD_BYTES
