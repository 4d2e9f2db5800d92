"""The house map: who may import whom, which room knows which library, and how large a module may grow.

This table is the law (docs/decisions/rooms.md says where it goes beyond the plan of the house, and why).
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "vitrina"
MODULES = sorted(path for path in SOURCE.rglob("*.py"))

ANYBODY = {"model", "errors", "__init__"}
MAY_IMPORT: dict[str, set[str]] = {
    "model": set(),
    "errors": set(),
    "imaging": set(),
    "access": set(),
    "config": set(),
    "plugins": set(),
    "files": set(),
    "codec": {"imaging"},
    "rules": {"imaging"},
    "stages": {"imaging", "codec", "rules", "plugins"},
    "backends": {"imaging", "codec", "plugins", "files"},
    "store": {"config"},
    "jobs": {"config", "store"},
    "reports": {"config", "store"},
    "pages": {"imaging", "codec", "rules"},
    "card_folder": {"files"},
    "card_report": {"rules"},
    "drafts": {"steps", "stages", "rules", "plugins"},
    "certificate": {"drafts", "steps", "stages", "plugins", "imaging", "codec", "files"},
    "steps": {"stages", "rules", "imaging", "codec", "plugins"},
    "pipeline": {
        "steps", "stages", "rules", "store", "plugins", "config", "files", "codec", "imaging",
        "card_folder", "card_report", "certificate", "drafts", "pages",
    },
    "actions": {
        "pipeline", "steps", "jobs", "store", "reports", "rules", "access", "plugins", "config",
        "backends", "codec", "files", "stages", "card_folder", "certificate",
    },
    "web": {"actions", "config"},
    "cli": {"actions", "config", "jobs", "web"},
    "__init__": {"steps", "pipeline"},
    "__main__": {"cli"},
}  # fmt: skip

ONLY_IN: dict[str, set[str]] = {
    "PIL": {"codec"},
    "pyvips": {"codec"},
    "pi_heif": {"codec"},
    "onnxruntime": {"backends"},
    "rapidocr": {"backends"},
    "fluent": {"stages", "pages", "cli", "web"},
    "sqlalchemy": {"store"},
    "alembic": {"store"},
    "dbos": {"jobs"},
    "jinja2": {"pages", "web"},
    "typer": {"cli"},
    "rich": {"cli"},
    "cv2": {"imaging", "stages", "backends", "rules", "pages", "actions"},
}
"""Third-party libraries and the rooms that may name them."""

PURE = {"imaging": {"numpy", "cv2", "scipy"}, "stages": {"numpy", "cv2", "scipy", "fluent"}}
"""Rooms without I/O, and the libraries they may use besides the standard one."""

IMPURE = {"os", "io", "pathlib", "shutil", "tempfile", "socket", "subprocess", "urllib", "random", "logging"}
"""Standard modules that a room without I/O, clocks and globals has no use for."""

CLOCKS = {"date.today", "datetime.now", "datetime.utcnow", "time.time", "np.random.seed", "np.random.rand"}
"""Calls that make the same input give another answer tomorrow. Time comes from a `clock`, chance from a seed."""

LONGEST = 400


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> Iterator[str]:
    """Every imported module of a file, dotted, wherever in the file it is imported."""
    package = ("vitrina", *path.relative_to(SOURCE).with_suffix("").parts)
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: -node.level]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            if module == "vitrina":
                yield from (f"vitrina.{alias.name}" for alias in node.names)
            else:
                yield module


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_room_imports_only_its_neighbours(path: Path) -> None:
    room = room_of(path)
    assert room in MAY_IMPORT, f"{room} is not a room of the house: add it to the table, with a reason"
    allowed = MAY_IMPORT[room] | ANYBODY | {room}
    for module in imports_of(path):
        if module.startswith("vitrina."):
            wanted = module.split(".")[1]
            if wanted.startswith("__version"):
                continue
            assert wanted in allowed, f"{room} may not import {module}; it may import {sorted(allowed)}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_library_is_known_in_its_room_only(path: Path) -> None:
    room = room_of(path)
    for module in imports_of(path):
        library = module.split(".")[0]
        assert room in ONLY_IN.get(library, {room}), f"{library} belongs to {sorted(ONLY_IN[library])}, not to {room}"
        if room in PURE and library not in ("vitrina", "__future__"):
            assert library in PURE[room] or library in sys.stdlib_module_names, f"{room} does without {library}"
            assert library not in IMPURE, f"{room} has no I/O, clock or chance: not {library}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_is_short_and_says_what_it_is(path: Path) -> None:
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    assert len(text.splitlines()) <= LONGEST, f"split {path.name} along a real seam: more than {LONGEST} lines"
    assert ast.get_docstring(tree), f"{path.name} has no docstring"
    for node in tree.body:
        is_public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        is_one_of_a_tree = isinstance(node, ast.ClassDef) and bool(node.bases)  # its base says what they all are
        if is_public and not is_one_of_a_tree:
            assert ast.get_docstring(node), f"{path.name}: {node.name} has no docstring"
    for marker in ("TO" + "DO", "FIX" + "ME", "X" * 3):
        assert marker not in text, f"{path.name} says {marker}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_pictures_go_through_the_codec(path: Path) -> None:
    if room_of(path) == "codec":
        return
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute):
            assert node.attr not in ("imread", "imwrite", "imdecode", "imencode"), f"{path.name} uses cv2.{node.attr}"


@pytest.mark.parametrize("path", [path for path in MODULES if room_of(path) in PURE], ids=name_of)
def test_arrays_and_values_know_no_clock_and_no_chance(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in CLOCKS | {"open", "print", "input"}, f"{path.name} calls {called}"


def test_the_table_names_no_room_that_nobody_plans() -> None:
    named = set().union(*MAY_IMPORT.values()) | ANYBODY
    assert named <= set(MAY_IMPORT)


def test_the_map_finds_a_trespasser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks above can fail: a module of `imaging` that reads files and calls the pipeline is caught."""
    room = tmp_path / "imaging"
    room.mkdir()
    bad = room / "bad.py"
    bad.write_text('"""Bad."""\nfrom vitrina import pipeline\nimport os\nimport PIL.Image\n', "utf-8")
    monkeypatch.setattr(sys.modules[__name__], "SOURCE", tmp_path)
    with pytest.raises(AssertionError, match=r"may not import vitrina\.pipeline"):
        test_a_room_imports_only_its_neighbours(bad)
    with pytest.raises(AssertionError, match="not os"):
        test_a_library_is_known_in_its_room_only(bad)
