"""What the house hands to the durable engine: plain functions, named and in order. Jobs know no photos."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Payload = Mapping[str, Any]
"""What a job was asked for, as JSON."""
Outcome = Mapping[str, Any]
"""What the steps so far gave, by step name, as JSON."""


@dataclass(frozen=True, slots=True)
class Step:
    """One durable step. It may run more than once, so running it twice must come to the same as once."""

    name: str
    run: Callable[[Payload, Outcome], Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job: its steps in order, and what is done when one of them cannot be done.

    `park` is given the payload, the step's name and the reason in words; it too may run twice. A step is tried `tries`
    times; a worker has `at_once` jobs of the kind in hand, in a queue of their own when that is not one.
    """

    name: str
    steps: tuple[Step, ...]
    park: Callable[[Payload, str, str], None]
    tries: int = 5
    at_once: int = 1

    @property
    def queue(self) -> str:
        """The queue these jobs wait in."""
        return "work" if self.at_once == 1 else f"work-{self.name}"
