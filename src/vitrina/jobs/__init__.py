"""Durable work behind a small port: kinds of jobs made of steps, and the worker that carries them out."""

from vitrina.jobs.port import Kind, Outcome, Step

__all__ = ["Kind", "Outcome", "Step"]
