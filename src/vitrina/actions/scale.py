"""The verbs of the scale card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vitrina.errors import InputError
from vitrina.files import read_bytes, require_writable, write_bytes


def scale_card(target: Path) -> None:
    """Write the card as a PDF in true size."""
    from vitrina import steps

    require_writable(target)
    write_bytes(target, steps.scale_card())


def measure(path: Path, *, facts: Path | None = None, model: Path | None = None) -> dict[str, Any]:
    """Measure the piece in a photo with the card in it; `facts` says what the description promises."""
    from vitrina import steps
    from vitrina.stages.verify.facts import load_facts

    told = load_facts(read_bytes(facts), name=str(facts)).extra if facts else {}
    source = steps.take_in(read_bytes(path), name=str(path))
    judgement = steps.measure(
        source,
        finder=steps.segmenter(model),
        chain_length_mm=_length(told, "chain_length_mm", facts),
        inner_diameter_mm=_length(told, "inner_diameter_mm", facts),
    )
    return {"file": str(path), **judgement.as_dict()}


def _length(told: dict[str, object], key: str, facts: Path | None) -> float | None:
    value = told.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 100_000:
        raise InputError(f"{facts}: {key}: {value!r} is not a length. Write millimetres, for example {key} = 450.")
    return float(value)
