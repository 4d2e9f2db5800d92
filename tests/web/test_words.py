"""The catalogues: the same keys in every language, no silent holes, and every word that a template asks for."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest
from fluent.syntax import FluentParser, ast

from vitrina.errors import Broken
from vitrina.stages.review import FIVE_LINES, REASONS, TYPE_LINES, State
from vitrina.web.words import LANGUAGES, best_language, catalogue, say

TEMPLATES = Path(str(files("vitrina.web").joinpath("templates")))


def entries(language: str) -> dict[str, set[str]]:
    """The messages of a catalogue and the variables of each; anything else in the file is a fault."""
    text = files("vitrina.web").joinpath(f"messages/{language}.ftl").read_text("utf-8")
    told = {}
    for entry in FluentParser().parse(text).body:
        assert not isinstance(entry, ast.Junk), entry.content
        if isinstance(entry, ast.Message):
            assert entry.id.name not in told
            told[entry.id.name] = set(
                re.findall(r"\{ \$([\w-]+) \}", text.split(f"\n{entry.id.name} = ")[1].split("\n")[0])
            )
    return told


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything(language: str) -> None:
    assert entries(language) == entries("en")


def test_templates_ask_only_for_words_that_there_are() -> None:
    known = entries("en")
    for path in TEMPLATES.glob("*.html"):
        for key in re.findall(r"""\bt\(["']([a-z0-9-]+)["'][,)]""", path.read_text("utf-8")):
            assert key in known, f"{path.name}: {key}"


def test_words_made_of_parts_are_all_there() -> None:
    wanted = [f"state-{state.value.replace(' ', '-')}" for state in State]
    wanted += [f"reason-{reason}" for reason in REASONS] + [f"type-{kind}" for kind in TYPE_LINES]
    wanted += [f"line-{line}" for line in (*FIVE_LINES, *(k for lines in TYPE_LINES.values() for k in lines))]
    from vitrina.access import ROLES
    from vitrina.model import CHECKS

    wanted += [f"role-{role}" for role in ROLES] + [f"check-{check}" for check in CHECKS]
    assert [key for key in wanted if not catalogue("en").has_message(key)] == []


def test_a_missing_word_is_loud() -> None:
    with pytest.raises(Broken):
        say("en", "no-such-word")


def test_the_language_is_the_chosen_one_else_the_browsers() -> None:
    assert best_language("kk-KZ,ru;q=0.8", None) == "kk"
    assert best_language("de,fr", None) == "en"
    assert best_language("kk", "ru") == "ru"
    assert best_language("ru", "xx") == "ru"
