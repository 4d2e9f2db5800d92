"""The web studio: server-rendered pages, a little plain JavaScript, and REST under /api/v1; all by way of `actions`."""

from vitrina.web.app import Door, make_app

__all__ = ["Door", "make_app"]
