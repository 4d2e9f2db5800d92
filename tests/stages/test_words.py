"""Findings in Russian and Kazakh: a sentence for every check and code that a checker's source names."""

from __future__ import annotations

import ast
import re
from importlib.resources import files
from pathlib import Path

import pytest

from vitrina.stages import verify, words
from vitrina.stages.verify.messages import WORDS

STAGES = Path(verify.__file__).parents[1]


def named_codes() -> set[tuple[str, str]]:
    """Every (check, code) that stands as two strings in a call of Finding, Name or edge_finding."""
    found = set()
    for path in [*(STAGES / "verify").glob("*.py"), *(STAGES / "edges").glob("*.py"), STAGES / "cutout.py",
                 STAGES / "export.py"]:  # fmt: skip
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Finding", "Name", "edge_finding"):
                texts = [arg.value for arg in node.args[:4] if isinstance(arg, ast.Constant)]
                strings = [text for text in texts if isinstance(text, str)]
                if len(strings) >= 2:
                    found.add((strings[0], strings[1]))
    return found


@pytest.mark.parametrize("language", ["ru", "kk"])
def test_every_code_has_a_sentence(language: str) -> None:
    named = named_codes()
    assert len(named) > 45
    assert {code for _, code in named} >= {"halo", "metal-shift", "piece-small"}
    missing = sorted(f"{check}-{code}" for check, code in named if not words.is_translated(check, code, language))
    assert missing == []
    translated = files(words.__name__).joinpath(f"{language}.ftl").read_text("utf-8")
    assert [code for code in WORDS if f"-{code} = " not in translated] == []


def test_both_languages_say_the_same_keys() -> None:
    keys = [
        re.findall(r"^([a-z][a-z-]+) = \S", files(words.__name__).joinpath(f"{tongue}.ftl").read_text("utf-8"), re.M)
        for tongue in ("ru", "kk")
    ]
    assert sorted(keys[0]) == sorted(keys[1]) and len(set(keys[0])) == len(keys[0])


def test_a_sentence_and_its_numbers() -> None:
    english = "Links do not look as in the source (melted, doubled or redrawn). Regenerate or reject. (3 places)"
    assert words.sentence("chain", "link-altered", english, "en") == english
    assert words.sentence("chain", "link-altered", english, "ru").endswith("(×3)")
    assert words.sentence("chain", "brand-new", "Something new.", "kk") == "Something new."
    assert words.amount(0.0371, "share of the contour", "ru") == "3,71 %"
    assert words.amount(6, "stones", "en") == "6 stones" and words.amount(6, "stones", "ru") == "6 камн."
    assert words.amount(None, "px", "en") == ""


def test_the_source_check_keeps_its_own_sentences() -> None:
    assert "фокусе" in words.sentence("focus", "blur", "Out of focus.", "ru", measured=4.2, limit=2.5)
