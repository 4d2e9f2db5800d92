"""The catalogues: the same keys in every language, no silent holes, and every word that a template asks for."""

from __future__ import annotations

import ast as python
import re
from importlib.resources import files
from pathlib import Path

import pytest
from fluent.syntax import FluentParser, ast

from vitrina.errors import Broken
from vitrina.stages.review import FIVE_LINES, REASONS, TYPE_LINES, State
from vitrina.web.words import LANGUAGES, best_language, catalogue, refusal, refusals, say

TEMPLATES = Path(str(files("vitrina.web").joinpath("templates")))
SOURCES = Path(str(files("vitrina")))


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
    told, english = entries(language), entries("en")
    assert told.keys() == english.keys()
    for key, wanted in english.items():
        if key.startswith("refusal-"):  # the places of the program's own sentence; not all need be carried over
            assert told[key] <= wanted, key
        else:
            assert told[key] == wanted, key


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


def test_every_verb_of_the_ledger_has_words() -> None:
    verbs = set[str]()
    for path in SOURCES.glob("actions/*.py"):
        tree = python.parse(path.read_text("utf-8"))
        named = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, python.Assign) and isinstance(node.value, python.Constant)
            for target in node.targets
            if isinstance(target, python.Name)
        }
        for node in python.walk(tree):
            if isinstance(node, python.Call) and isinstance(node.func, python.Name) and node.func.id == "log":
                for word in python.walk(node.args[3]):
                    text = named.get(word.id) if isinstance(word, python.Name) else getattr(word, "value", None)
                    verbs |= {text} if isinstance(text, str) else set()
    assert len(verbs) > 40
    lacking = [verb for verb in verbs if not catalogue("en").has_message(f"verb-{verb.replace('.', '-')}")]
    assert lacking == []


def test_every_rule_family_has_words() -> None:
    from vitrina.rules.load import list_markets, load_pack

    families = {family for market in list_markets() for slot in load_pack(market).slot for family, _ in slot.rules()}
    assert [one for one in families if not catalogue("en").has_message(f"rule-{one.replace('_', '-')}")] == []


def test_everything_that_a_publisher_needs_has_words() -> None:
    from vitrina.plugins import plugin, plugins_of

    wanted = []
    for name in plugins_of("publishers"):
        needs = vars(plugin("publishers", name))["needs"]
        wanted += [f"need-{name}-{key.replace('_', '-')}" for key in needs]
    assert len(wanted) > 5 and [key for key in wanted if not catalogue("en").has_message(key)] == []


def sentences() -> list[str]:
    """What the program may say when it refuses, with a number in each of its places."""
    told = []
    for path in SOURCES.rglob("*.py"):
        for node in python.walk(python.parse(path.read_text("utf-8"))):
            if isinstance(node, python.Raise) and node.exc is not None:
                for part in python.walk(node.exc):
                    if isinstance(part, python.JoinedStr):
                        told.append("".join(getattr(x, "value", "") if isinstance(x, python.Constant) else "7"
                                            for x in part.values))  # fmt: skip
                    elif isinstance(part, python.Constant) and isinstance(part.value, str):
                        told.append(part.value)
    return told


def test_refusals_are_sentences_that_the_program_still_says() -> None:
    said = sentences()
    silent = [key for key, pattern in refusals() if not any(pattern.fullmatch(text) for text in said)]
    assert len(refusals()) > 60 and silent == []


@pytest.mark.parametrize(
    ("language", "told"), [("ru", "У RING-7 нет варианта 3."), ("kk", "RING-7 үшін 3 нұсқасы жоқ.")]
)
def test_a_refusal_is_said_in_the_visitors_language(language: str, told: str) -> None:
    assert refusal(language, "RING-7 has no variant 3.") == told
    assert refusal(language, "a sentence that nobody has put into words") is None


def test_a_missing_word_is_loud() -> None:
    with pytest.raises(Broken):
        say("en", "no-such-word")


def test_the_language_is_the_chosen_one_else_the_browsers() -> None:
    assert best_language("kk-KZ,ru;q=0.8", None) == "kk"
    assert best_language("de,fr", None) == "en"
    assert best_language("kk", "ru") == "ru"
    assert best_language("ru", "xx") == "ru"
