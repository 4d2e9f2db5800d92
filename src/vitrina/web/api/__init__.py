"""REST under /api/v1: tokens or sessions in, the contract's documents out, problem+json for errors."""

from fastapi import FastAPI

from vitrina.web.api import catalogue, gate, pictures, progress, webhooks

__all__ = ["register"]

PREFIX = "/api/v1"


def register(app: FastAPI) -> None:
    """Add every endpoint to `app`."""
    for module in (catalogue, gate, pictures, progress, webhooks):
        app.include_router(module.router, prefix=PREFIX)
