"""The house map: who may import whom, which room knows which library, and how large a module may grow.

This table is the law (docs/decisions/rooms.md says where it goes beyond the plan of the house, and why).
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
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
        "backends", "codec", "files", "stages", "card_folder", "certificate", "drafts",
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
    "rawpy": {"codec"},
    "onnxruntime": {"backends"},
    "rapidocr": {"backends"},
    "fluent": {"stages", "pages", "cli", "web"},
    "sqlalchemy": {"store"},
    "alembic": {"store"},
    "dbos": {"jobs"},
    "fastapi": {"web"},
    "starlette": {"web"},
    "uvicorn": {"cli"},
    "pwdlib": {"actions"},
    "jinja2": {"pages", "web"},
    "typer": {"cli"},
    "rich": {"cli"},
    "urllib3": {"backends"},
    "keyring": {"backends"},
    "c2pa": {"backends"},
    "joserfc": {"backends"},
    "cv2": {"imaging", "stages", "backends", "rules", "pages", "actions"},
}
"""Third-party libraries and the rooms that may name them."""

PURE = {"imaging": {"numpy", "cv2", "scipy"}, "stages": {"numpy", "cv2", "scipy", "fluent"}}
"""Rooms without I/O, and the libraries they may use besides the standard one."""

IMPURE = {"os", "io", "pathlib", "shutil", "tempfile", "socket", "subprocess", "urllib", "random", "logging"}
"""Standard modules that a room without I/O, clocks and globals has no use for."""

CLOCKS = {
    "date.today", "datetime.now", "datetime.utcnow", "time.time", "np.random.seed", "np.random.rand",
    "open", "print", "input",
}  # fmt: skip
"""Calls that make the same input give another answer tomorrow, or reach out. Time comes from a `clock`, chance from a
seed."""

CODECS = {"imread", "imwrite", "imdecode", "imencode"}
"""OpenCV's own ways into and out of files."""

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


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def trespasses(path: Path) -> Iterator[str]:
    """Imports of rooms that are not neighbours."""
    room = room_of(path)
    if room not in MAY_IMPORT:
        yield f"{name_of(path)}: {room} is not a room of the house: add it to the table, with a reason"
        return
    allowed = MAY_IMPORT[room] | ANYBODY | {room}
    for module in imports_of(path):
        if module.startswith("vitrina.") and module.split(".")[1] not in allowed | {"__version__"}:
            yield f"{name_of(path)}: {room} may not import {module}; it may import {sorted(allowed)}"


def strangers(path: Path) -> Iterator[str]:
    """Libraries named in a room that should not know them."""
    room = room_of(path)
    for module in imports_of(path):
        library = module.split(".")[0]
        if room not in ONLY_IN.get(library, {room}):
            yield f"{name_of(path)}: {library} belongs to {sorted(ONLY_IN[library])}, not to {room}"
        if room in PURE and library not in ("vitrina", "__future__"):
            if library not in PURE[room] and library not in sys.stdlib_module_names:
                yield f"{name_of(path)}: {room} does without {library}"
            if library in IMPURE:
                yield f"{name_of(path)}: {room} has no I/O, clock or chance: not {library}"


def untidiness(path: Path) -> Iterator[str]:
    """Too long, unexplained or unfinished modules."""
    text, tree = path.read_text("utf-8"), tree_of(path)
    if len(text.splitlines()) > LONGEST:
        yield f"{name_of(path)}: more than {LONGEST} lines; split it along a real seam"
    if not ast.get_docstring(tree):
        yield f"{name_of(path)}: no docstring"
    for node in tree.body:
        is_public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        is_one_of_a_tree = isinstance(node, ast.ClassDef) and bool(node.bases)  # its base says what they all are
        if is_public and not is_one_of_a_tree and not ast.get_docstring(node):
            yield f"{name_of(path)}: {node.name} has no docstring"
    for marker in ("TO" + "DO", "FIX" + "ME", "X" * 3):
        if marker in text:
            yield f"{name_of(path)}: says {marker}"


def back_doors(path: Path) -> Iterator[str]:
    """Pictures that are read or written past the codec; in rooms of values, clocks, chance and files."""
    room = room_of(path)
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute) and room != "codec" and node.attr in CODECS:
            yield f"{name_of(path)}: uses cv2.{node.attr}"
        if isinstance(node, ast.Call) and room in PURE and ast.unparse(node.func) in CLOCKS:
            yield f"{name_of(path)}: calls {ast.unparse(node.func)}"


@pytest.mark.parametrize("check", [trespasses, strangers, untidiness, back_doors], ids=lambda check: check.__name__)
def test_the_house_is_in_order(check: Callable[[Path], Iterator[str]]) -> None:
    assert not [problem for path in MODULES for problem in check(path)]


def test_the_table_names_no_room_that_nobody_plans() -> None:
    named = set().union(*MAY_IMPORT.values()) | ANYBODY
    assert named <= set(MAY_IMPORT)


def test_the_checks_find_what_they_look_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of `imaging` that reads files, asks the clock and calls the pipeline is caught on every count."""
    room = tmp_path / "imaging"
    room.mkdir()
    bad = room / "bad.py"
    bad.write_text("from vitrina import pipeline\nimport os\nimport PIL.Image\ncv2.imread(date.today())\n", "utf-8")
    monkeypatch.setattr(sys.modules[__name__], "SOURCE", tmp_path)
    assert [problem.split(";")[0] for problem in trespasses(bad)] == [
        "imaging/bad.py: imaging may not import vitrina.pipeline"
    ]
    assert len(list(strangers(bad))) == 3
    assert list(untidiness(bad)) == ["imaging/bad.py: no docstring"]
    assert len(list(back_doors(bad))) == 2
