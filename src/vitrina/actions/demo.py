"""A house to look around in: a few rendered pieces in a home of its own, every one of them called a demo."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from vitrina.actions.house import House
from vitrina.actions.pictures import import_photo, import_variant
from vitrina.actions.skus import put_sku
from vitrina.actions.studio import ask_card
from vitrina.config import Config
from vitrina.files import write_bytes
from vitrina.stages.rights import Right, Rights
from vitrina.store import skus

LINE = "Demo"
RECIPE = {"mode": "exact", "looks": ["white", "grey"], "markets": ["kaspi", "wildberries"], "force": False}
RENDERED = Rights(Right.LICENSED, "rendered by the authors of Vitrina", "Apache License 2.0")

PIECES: Mapping[str, Mapping[str, str]] = {
    "DEMO-RING": {"title": "Demo: a ring with a ruby", "piece_type": "ring", "metal": "gold", "photo": "ring.jpg"},
    "DEMO-EARRINGS": {"title": "Demo: earrings with garnets", "piece_type": "earrings", "metal": "gold",
                      "pieces": "2", "photo": "earrings.jpg"},
    "DEMO-NECKLACE": {"title": "Demo: a necklace with a pink sapphire", "piece_type": "necklace",
                      "metal": "rose gold", "clasp": "lobster", "photo": "necklace.jpg"},
}  # fmt: skip
EDIT = ("DEMO-RING", "ring-without-a-stone.jpg")
"""What a generator could have made of the ring: one stone is gone, and the program must say so."""


def demo_config(config: Config) -> Config:
    """The same settings in a home inside of the home, with records and archive of its own."""
    return replace(config, home=config.home / "demo", database=None, blobs=None, is_named=True)


def furnish(house: House, *, say: Callable[[str], None] = lambda _text: None) -> bool:
    """Put the demo's pieces into an empty catalogue and ask for their cards; False when there is something already."""
    with house.store.reading() as conn:
        if skus.count(conn):
            return False
    say("preparing the demo")
    with tempfile.TemporaryDirectory() as folder:
        for code, piece in PIECES.items():
            cells = {key: value for key, value in piece.items() if key != "photo"}
            put_sku(house, {"sku": code, "line": LINE, **cells}, is_new=True)
            import_photo(house, code, _file(Path(folder), piece["photo"]), rights=RENDERED)
            ask_card(house, code, recipe=RECIPE)
        import_variant(house, EDIT[0], _file(Path(folder), EDIT[1]), tool="Demo edit: a stone is gone")
    return True


def _file(folder: Path, name: str) -> Path:
    path = folder / name
    write_bytes(path, files("vitrina").joinpath(f"demo/{name}").read_bytes())
    return path
