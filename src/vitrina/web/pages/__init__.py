"""The pages, by what they are about."""

from fastapi import FastAPI

from vitrina.web.pages import books, brush, catalogue, compare, door, judge, outside, webhooks, work

__all__ = ["register"]


def register(app: FastAPI) -> None:
    """Add every page to `app`."""
    for module in (door, outside, catalogue, compare, brush, judge, work, books, webhooks):
        app.include_router(module.router, include_in_schema=False)
