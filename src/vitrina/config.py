"""One frozen Config, read once: the environment over ``vitrina.toml`` in the home over the defaults."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vitrina.errors import UsageError

SETTINGS = {
    "VITRINA_HOME": "folder of records and originals",
    "VITRINA_MAX_MEGAPIXELS": "largest photo taken in, in megapixels ([intake] max_megapixels in vitrina.toml)",
    "VITRINA_DATABASE": "the records: sqlite:///PATH or postgresql://… ([store] database); home/app.sqlite by default",
    "VITRINA_BLOBS": "where originals and works are kept: s3://BUCKET/PREFIX ([store] blobs); in the home by default",
    "VITRINA_USER": "the person who acts, when --as does not say",
    "VITRINA_COPYRIGHT": "the copyright line in exported files ([export] copyright), for example © 2026 Atelier Aru",
    "VITRINA_C2PA_CERTIFICATE": "the seller's certificate chain (PEM): exported files are signed by C2PA",
    "VITRINA_C2PA_KEY": "the private key of that certificate (PEM)",
    "VITRINA_OIDC_ISSUER": "an OpenID provider by which people may come in, exactly as it calls itself",
    "VITRINA_OIDC_CLIENT_ID": "who the studio is at that provider",
    "VITRINA_OIDC_CLIENT_SECRET": "and its secret there",
    **{
        f"VITRINA_{name}": "a credential for publishing (or in the keyring, service vitrina)"
        for name in (
            "WILDBERRIES_TOKEN",
            "OZON_CLIENT_ID",
            "OZON_API_KEY",
            "ETSY_KEYSTRING",
            "ETSY_SHARED_SECRET",
            "ETSY_TOKEN",
            "EBAY_TOKEN",
            "KASPI_TOKEN",
        )
    },
    **{
        f"VITRINA_{name}_URL": "another address of its interface: a sandbox, a server of your own"
        for name in ("WILDBERRIES", "OZON", "ETSY", "EBAY", "EBAY_MEDIA", "KASPI")
    },
    "VITRINA_DEBUG": "1: show the traceback of an unexpected error",
}
"""Every environment variable that is read, and what it does."""


@dataclass(frozen=True, slots=True)
class Config:
    """What can be set from outside."""

    home: Path
    max_megapixels: float = 120.0
    debug: bool = False
    database: str | None = None
    user: str | None = None
    rights: str = ""
    certificate: Path | None = None
    certificate_key: Path | None = None
    blobs: str | None = None
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = field(default="", repr=False)
    is_named: bool = False
    """Whether somebody said where the home is: by option or environment, not by the platform's custom."""


def load_config(environ: Mapping[str, str] | None = None, *, home: Path | None = None) -> Config:
    """Read the settings; `home` (the ``--home`` option) goes before the environment.

    Raises UsageError naming the setting, its value and what is wanted.
    """
    env = os.environ if environ is None else environ
    folder = home or (Path(env["VITRINA_HOME"]) if env.get("VITRINA_HOME") else _user_data(env))
    folder = folder.expanduser()
    table = _from_file(folder / "vitrina.toml")
    limit: object = env.get("VITRINA_MAX_MEGAPIXELS") or table.get("max_megapixels") or 120.0
    database = env.get("VITRINA_DATABASE") or table.get("database")
    if database is not None and not str(database).startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise UsageError(
            f"VITRINA_DATABASE: {str(database).split('@')[-1]!r} is not a database. Write sqlite:///PATH or postgresql://USER@HOST/NAME."
        )
    if env.get("VITRINA_OIDC_ISSUER") and not env.get("VITRINA_OIDC_CLIENT_ID"):
        raise UsageError("VITRINA_OIDC_ISSUER is set and VITRINA_OIDC_CLIENT_ID is not. Register the studio there.")
    blobs = env.get("VITRINA_BLOBS") or table.get("blobs")
    if blobs is not None and not (str(blobs).startswith("s3://") and len(str(blobs)) > len("s3://")):
        raise UsageError(f"VITRINA_BLOBS: {str(blobs)!r} names no bucket. Write s3://BUCKET/PREFIX.")
    return Config(
        folder,
        _positive(limit),
        env.get("VITRINA_DEBUG", "") not in ("", "0"),
        database=str(database) if database else None,
        user=env.get("VITRINA_USER") or None,
        rights=str(env.get("VITRINA_COPYRIGHT") or table.get("copyright") or "").strip()[:300],
        certificate=Path(env["VITRINA_C2PA_CERTIFICATE"]) if env.get("VITRINA_C2PA_CERTIFICATE") else None,
        certificate_key=Path(env["VITRINA_C2PA_KEY"]) if env.get("VITRINA_C2PA_KEY") else None,
        blobs=str(blobs) if blobs else None,
        oidc_issuer=env.get("VITRINA_OIDC_ISSUER", "").strip(),
        oidc_client_id=env.get("VITRINA_OIDC_CLIENT_ID", "").strip(),
        oidc_client_secret=env.get("VITRINA_OIDC_CLIENT_SECRET", "").strip(),
        is_named=home is not None or bool(env.get("VITRINA_HOME")),
    )


_KNOWN = {"intake": {"max_megapixels"}, "store": {"database", "blobs"}, "export": {"copyright"}}


def _from_file(path: Path) -> dict[str, object]:
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}  # an unusable home is told by whoever writes there
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as TOML ({error}). Mend or remove it.") from error
    found: dict[str, object] = {}
    known = ", ".join(f"[{section}] {name}" for section, names in _KNOWN.items() for name in sorted(names))
    for section, settings in table.items():
        if not isinstance(settings, dict) or section not in _KNOWN or set(settings) - _KNOWN[section]:
            unknown = (
                section
                if section not in _KNOWN or not isinstance(settings, dict)
                else sorted(set(settings) - _KNOWN[section])[0]
            )
            raise UsageError(f"{path}: unknown setting {unknown!r}; known: {known}.")
        found.update(settings)
    return found


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
