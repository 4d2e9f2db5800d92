"""The catalogues: every finding can be said in every language, with the numbers in it."""

from __future__ import annotations

import re

import pytest

from vitrina.errors import UsageError
from vitrina.model import Finding, Severity
from vitrina.stages.intake import advice

CODES = re.findall(r"^([a-z-]+) =", advice.catalogue("en"), re.MULTILINE)


def test_the_catalogues_know_the_same_findings() -> None:
    for language in advice.LANGUAGES:
        assert re.findall(r"^([a-z-]+) =", advice.catalogue(language), re.MULTILINE) == CODES


@pytest.mark.parametrize("language", advice.LANGUAGES)
@pytest.mark.parametrize("code", CODES)
def test_every_line_parses_and_names_what_was_measured(code: str, language: str) -> None:
    text = advice.say(code, language, 47.0, 0.2)
    assert "{" not in text and text.endswith(".")
    assert re.search(r"47|4.?700", text)


def test_a_finding_is_translated_from_what_it_measured() -> None:
    found = advice.finding("focus", "blur", Severity.WARN, measured=2.34, limit=1.9, unit="px")
    assert "2.3 px" in found.message
    assert "2,3" in advice.translate(found, "ru")
    assert advice.translate(found, "kk") != found.message


def test_other_checkers_keep_their_own_sentence() -> None:
    found = Finding("edges", "undecided", Severity.WARN, 0.1, 0.04, "share", "As it was said.")
    assert advice.translate(found, "ru") == "As it was said."


def test_an_unknown_language_is_refused() -> None:
    found = advice.finding("focus", "blur", Severity.WARN, measured=2.34, limit=1.9, unit="px")
    with pytest.raises(UsageError, match="en, ru, kk"):
        advice.translate(found, "de")
