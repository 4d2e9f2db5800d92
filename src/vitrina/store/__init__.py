"""The records: an engine, the tables, and one module of queries per noun, each taking an open connection."""

from sqlalchemy.engine import Connection, Row

__all__ = ["Connection", "Row"]
