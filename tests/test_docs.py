"""The documents are tested: what exists is documented, what is documented exists, and what is shown runs."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Protocol

import pytest

import vitrina
from vitrina import plugins
from vitrina.config import SETTINGS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def text(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the usual viewers make them."""
    found = re.findall(r"^#+ +(.*)$", page.read_text("utf-8"), re.M)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in found)
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in plain}


def test_the_page_of_commands_is_the_programs_own_help() -> None:
    made = runpy.run_path(str(ROOT / "scripts" / "commands"))["page"]()
    assert made == text("docs/commands.md"), "run scripts/commands"


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_is_documented(setting: str) -> None:
    assert f"`{setting}`" in text("docs/operations.md")


def test_every_seam_is_documented() -> None:
    page = text("docs/plugins.md")
    seams = [kind for kind in vars(plugins).values() if isinstance(kind, type) and Protocol in kind.__bases__]
    assert len(seams) >= 2
    for seam in seams:
        assert f"`{seam.__name__}`" in page
        for method in (name for name in vars(seam) if not name.startswith("_")):
            assert method in page, f"{seam.__name__}.{method}"
    for group, members in PROJECT["project"]["entry-points"].items():
        assert f"`{group}`" in page
        for member in members:
            assert f"`{member}`" in page


@pytest.mark.parametrize("name", vitrina.__all__)
def test_every_public_name_is_documented(name: str) -> None:
    assert re.search(rf"`{name}[`(]", text("docs/library.md")), f"docs/library.md does not tell of {name}"


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 5, 130])
def test_every_exit_code_is_documented(code: int) -> None:
    assert re.search(rf"^\| {code} \| \w", text("docs/operations.md"), re.M)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{name_of(page)} links to {target}"
        if anchor:
            assert anchor in anchors(file), f"{name_of(page)} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_in_the_documents_runs(page: Path, tmp_path: Path) -> None:
    for number, block in enumerate(re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)):
        script = tmp_path / f"block{number}.py"
        script.write_text(block, "utf-8")
        answer = subprocess.run([sys.executable, str(script)], cwd=ROOT, capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_shown_in_the_documents_exist(page: Path) -> None:
    known = text("docs/commands.md")
    for line in re.findall(r"^(?:[^`\n|]*&& )?(?:uv run )?vitrina ([a-z-]+)", page.read_text("utf-8"), re.M):
        assert f"vitrina {line}\n" in known, f"{name_of(page)} shows vitrina {line}"


def test_the_readme_has_its_two_commands() -> None:
    shown = re.findall(r"^pip install uv && (uv run .*)$", text("README.md"), re.M)
    assert len(shown) == 2
    card, tests = shown
    assert tests == "uv run --group dev pytest -q"
    words = card.split()
    assert words[:4] == ["uv", "run", "vitrina", "card"]
    photo = ROOT / words[4]
    assert photo.is_file(), f"the photo of the README is not there: {words[4]}"
    assert photo.stat().st_size < 1_000_000


def test_pictures_in_the_readme_are_small() -> None:
    for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", text("README.md")):
        assert (ROOT / picture).stat().st_size < 300_000


def test_versions_are_pinned_once() -> None:
    """constraints.txt (for pip) and pyproject.toml (for uv) hold the same list; scripts/pin writes both."""
    pins = [line for line in text("constraints.txt").splitlines() if line.strip()]
    assert pins == PROJECT["tool"]["uv"]["constraint-dependencies"]
    assert not any("://" in pin or "@" in pin for pin in pins)


def test_the_changelog_is_open() -> None:
    assert "\n## Unreleased\n" in text("CHANGELOG.md")


@pytest.mark.parametrize("script", ["simple.py", "advanced.py", "expert.py", "judge.py"])
def test_examples_run(script: str, tmp_path: Path) -> None:
    path = ROOT / "examples" / script
    answer = subprocess.run(
        [sys.executable, str(path)], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip()


def test_every_family_of_rules_is_documented() -> None:
    from vitrina.rules.pack import FAMILIES

    page = text("docs/rule-packs.md")
    for family in FAMILIES:
        assert f"`{family}`" in page, f"docs/rule-packs.md does not tell of {family}"
