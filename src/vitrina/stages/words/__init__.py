"""What every checker's findings say in Russian and Kazakh (Fluent catalogues beside this file).

A finding's English sentence is written where it is measured, with its numbers. Here a sentence hangs on check and code
alone: the numbers are shown beside it, with `amount`.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any

from vitrina.stages.intake import advice

_PLACES = re.compile(r" \((\d+) places\)$")


def sentence(check: str, code: str, message: str, language: str, *, measured: Any = None, limit: Any = None) -> str:
    """What a finding says in `language`; its own English `message` where the catalogue has no sentence for it."""
    if language == "en":
        return message
    bundle, key = _bundle(language), f"{check}-{code}"
    if bundle.has_message(key):
        text, _ = bundle.format_pattern(bundle.get_message(key).value, {})
        places = _PLACES.search(message)
        return f"{text} (×{places[1]})" if places else str(text)
    # The source check's sentences have their numbers in them; two of its codes are other checkers' words as well.
    return advice.say(code, language, measured, limit) if advice.knows(code) and measured is not None else message


def is_translated(check: str, code: str, language: str) -> bool:
    """Whether a finding has a sentence in `language`."""
    return language == "en" or bool(_bundle(language).has_message(f"{check}-{code}"))


def amount(value: float | str | None, unit: str, language: str) -> str:
    """A measured value with its unit: shares as per cent, units in `language` where it has a word for them."""
    if value is None:
        return ""
    if isinstance(value, int | float) and (unit.startswith(("share", "of the", "of its")) or unit == "ratio"):
        return f"{_number(100 * value, language)} %"
    shown = _number(value, language) if isinstance(value, int | float) else str(value)
    bundle = _bundle(language) if language != "en" else None
    if bundle is not None and bundle.has_message(f"unit-{unit}"):
        unit = str(bundle.format_pattern(bundle.get_message(f"unit-{unit}").value, {})[0])
    return f"{shown} {unit}".strip()


def _number(value: float, language: str) -> str:
    """Three digits that count, with the decimal sign of the language."""
    text = str(value) if isinstance(value, int) else f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return text if language == "en" else text.replace(".", ",")


@cache
def _bundle(language: str) -> Any:
    from fluent.runtime import FluentBundle, FluentResource

    bundle = FluentBundle([language], use_isolating=False)
    bundle.add_resource(FluentResource(files(__package__).joinpath(f"{language}.ftl").read_text("utf-8")))
    return bundle
