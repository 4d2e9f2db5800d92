"""The house about itself: its policies, and the settings that it was opened with."""

from __future__ import annotations

import sys
from typing import Any

from vitrina import __version__
from vitrina.actions.house import House, actor
from vitrina.actions.people import show_policies


def about_house(house: House) -> dict[str, Any]:
    """Policies and settings, for those who may change them; no secret and no password of a database is told."""
    with house.store.reading() as conn:
        actor(conn, house, "policy.edit")
    config = house.config
    database = (config.database or "").split("@")[-1] or f"{config.home / 'app.sqlite'}"
    settings: dict[str, str | float | bool] = {
        "home": str(config.home),
        "database": database,
        "blobs": config.blobs or str(config.home),
        "max-megapixels": config.max_megapixels,
        "copyright": config.rights,
        "signed": config.certificate is not None,
        "version": f"{__version__} · Python {sys.version.split()[0]}",
    }
    return {"schema": "vitrina.about/1", "policies": show_policies(house)["policies"], "settings": settings}
