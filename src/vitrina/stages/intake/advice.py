"""What the findings of the source check say, in the seller's language (Fluent catalogues beside this file)."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from vitrina.errors import ResourceError, UsageError
from vitrina.model import Finding, Region, Severity

LANGUAGES = ("en", "ru", "kk")
"""English, Russian, Kazakh."""


def finding(
    check: str,
    code: str,
    severity: Severity,
    *,
    measured: float | str | None = None,
    limit: float | str | None = None,
    unit: str = "",
    region: Region | None = None,
) -> Finding:
    """A finding with its English sentence."""
    return Finding(check, code, severity, measured, limit, unit, say(code, "en", measured, limit), region)


def translate(found: Finding, language: str) -> str:
    """What `found` says in `language`; findings of other checkers keep their own sentence."""
    _require(language)
    if language == "en" or not knows(found.code):
        return found.message
    return say(found.code, language, found.measured, found.limit)


def knows(code: str) -> bool:
    """Whether `code` has a sentence here."""
    return bool(_bundle("en").has_message(code))


def say(code: str, language: str, measured: float | str | None, limit: float | str | None) -> str:
    """The sentence of `code`. Shares are given to the catalogue as percent too ($percent, $limit-percent)."""
    _require(language)
    bundle = _bundle(language)
    values: dict[str, Any] = {"measured": _value(measured), "limit": _value(limit)}
    values["percent"], values["limit-percent"] = _percent(measured), _percent(limit)
    text, errors = bundle.format_pattern(bundle.get_message(code).value, values)
    if errors:
        raise ResourceError(f"message {code} ({language}) cannot be formed: {errors[0]}. Reinstall vitrina.")
    return str(text)


def catalogue(language: str) -> str:
    """The text of a language's catalogue."""
    return files(__package__).joinpath("messages", f"{language}.ftl").read_text("utf-8")


def _value(number: float | str | None) -> float | str:
    return "" if number is None else number


def _percent(number: float | str | None) -> float | str:
    return 100 * number if isinstance(number, int | float) else ""


def _require(language: str) -> None:
    if language not in LANGUAGES:
        raise UsageError(f"no advice in {language!r}; there are: {', '.join(LANGUAGES)}.")


@cache
def _bundle(language: str) -> Any:
    from fluent.runtime import FluentBundle, FluentResource

    bundle = FluentBundle([language], use_isolating=False)
    bundle.add_resource(FluentResource(catalogue(language)))
    return bundle
