"""One frozen Config, read once: the environment over ``vitrina.toml`` in the home over the defaults."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vitrina.errors import UsageError

SETTINGS = {
    "VITRINA_HOME": "folder of records and originals",
    "VITRINA_MAX_MEGAPIXELS": "largest photo taken in, in megapixels ([intake] max_megapixels in vitrina.toml)",
    "VITRINA_DEBUG": "1: show the traceback of an unexpected error",
}
"""Every environment variable that is read, and what it does."""


@dataclass(frozen=True, slots=True)
class Config:
    """What can be set from outside."""

    home: Path
    max_megapixels: float = 120.0
    debug: bool = False


def load_config(environ: Mapping[str, str] | None = None, *, home: Path | None = None) -> Config:
    """Read the settings; `home` (the ``--home`` option) goes before the environment.

    Raises UsageError naming the setting, its value and what is wanted.
    """
    env = os.environ if environ is None else environ
    folder = home or (Path(env["VITRINA_HOME"]) if env.get("VITRINA_HOME") else _user_data(env))
    folder = folder.expanduser()
    limit: object = env.get("VITRINA_MAX_MEGAPIXELS") or _from_file(folder / "vitrina.toml") or 120.0
    return Config(folder, _positive(limit), env.get("VITRINA_DEBUG", "") not in ("", "0"))


def _from_file(path: Path) -> object:
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        return None  # the home is unusable; whoever writes there says so
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as TOML ({error}). Mend or remove it.") from error
    unknown = set(table) - {"intake"} | set(table.get("intake", {})) - {"max_megapixels"}
    if unknown:
        raise UsageError(f"{path}: unknown setting {sorted(unknown)[0]!r}; known: [intake] max_megapixels.")
    return table.get("intake", {}).get("max_megapixels")


def _positive(value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if not 0 < number < 10_000:
        raise UsageError(
            f"VITRINA_MAX_MEGAPIXELS: {value!r} is not a number of megapixels (0 to 10000), for example 120."
        )
    return number


def _user_data(env: Mapping[str, str]) -> Path:
    if sys.platform == "win32":
        return Path(env.get("LOCALAPPDATA", "~")) / "Vitrina"
    if sys.platform == "darwin":
        return Path("~/Library/Application Support/Vitrina")
    return Path(env.get("XDG_DATA_HOME") or "~/.local/share") / "vitrina"
