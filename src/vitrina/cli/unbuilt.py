"""Commands of the contract that do not exist yet: they say so instead of pretending."""

from __future__ import annotations

import typer

from vitrina.errors import NotBuilt

_COMING = {
    "serve": "the web studio",
}


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    for name, what in _COMING.items():
        _add(app, name, what)


def _add(app: typer.Typer, name: str, what: str) -> None:
    text = f"{what[0].upper()}{what[1:]} (not built yet)."

    @app.command(name, help=text, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
    def command() -> None:
        raise NotBuilt(f"{name}: {what} is not built yet. `vitrina card` makes drafts of one SKU at a time.")
