"""Migrations, append-only: one file per step, never edited once it has been released."""
