"""The studio's words in English, Russian and Kazakh, and numbers and times as each of them writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from vitrina.errors import Broken

LANGUAGES = {"en": "English", "ru": "Русский", "kk": "Қазақша"}


def say(language: str, key: str, **values: Any) -> str:
    """The words of `key`; English where a language has none. Raises Broken for a key that no catalogue has."""
    for tongue in dict.fromkeys((language, "en")):
        bundle = catalogue(tongue)
        if bundle.has_message(key):
            text, errors = bundle.format_pattern(bundle.get_message(key).value, values)
            if errors:
                raise Broken(f"the words of {key!r} in {tongue} are broken: {errors[0]}")
            return str(text)
    raise Broken(f"there are no words for {key!r}.")


def refusal(language: str, text: str) -> str | None:
    """The refusal `text`, as the program words it in English, in another language; None where there are no words.

    The English catalogue holds the program's own sentences as patterns under ``refusal-…``; what stands in their
    places is carried over.
    """
    for key, pattern in refusals():
        found = pattern.fullmatch(text)
        if found:
            return say(language, key, **found.groupdict())
    return None


@cache
def refusals() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The refusals' keys and what they look like in English, the most particular first."""
    from fluent.syntax import FluentParser, ast

    told = []
    for entry in FluentParser().parse(_text("en")).body:
        if not isinstance(entry, ast.Message) or not entry.id.name.startswith("refusal-") or entry.value is None:
            continue
        parts, named = [], set[str]()
        for element in entry.value.elements:
            if isinstance(element, ast.TextElement):
                parts.append(re.escape(element.value))
            elif isinstance(element, ast.Placeable) and isinstance(element.expression, ast.VariableReference):
                name = element.expression.id.name
                parts.append(f"(?P={name})" if name in named else f"(?P<{name}>.*?)")
                named.add(name)
        told.append((entry.id.name, re.compile("".join(parts), re.DOTALL)))
    return tuple(sorted(told, key=lambda one: -len(one[1].pattern)))


@cache
def catalogue(language: str) -> Any:
    """A language's Fluent catalogue."""
    from fluent.runtime import FluentBundle, FluentResource

    bundle = FluentBundle([language], use_isolating=False)
    bundle.add_resource(FluentResource(_text(language)))
    return bundle


def _text(language: str) -> str:
    return files("vitrina.web").joinpath(f"messages/{language}.ftl").read_text("utf-8")


def when(text: str | None) -> str:
    """A time of the records as people read it, the same in every language: 2026-11-25 07:30 UTC."""
    if not text:
        return ""
    time = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
    return f"{time:%Y-%m-%d %H:%M} UTC"


def best_language(accepted: str, chosen: str | None) -> str:
    """The language of a visitor: the chosen one, else the browser's first that there is."""
    if chosen in LANGUAGES:
        return str(chosen)
    for part in accepted.split(","):
        tongue = part.split(";")[0].strip().lower()[:2]
        if tongue in LANGUAGES:
            return tongue
    return "en"
