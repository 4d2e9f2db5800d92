"""Vitrina: jewelry marketplace photos that still show the very piece, and the measurements that prove it.

The front door. Everything here takes and gives typed values and works on numpy arrays without a database::

    import vitrina

    source = vitrina.take_in(open("ring.jpg", "rb").read(), name="ring.jpg")
    cut = vitrina.cutout(source)
    white = vitrina.compose(cut, "white")
    print(vitrina.verify(source, vitrina.from_array(white.rgb)).verdict)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "take_in": "steps",
    "from_array": "steps",
    "inspect": "steps",
    "cutout": "steps",
    "check_edges": "steps",
    "compose": "steps",
    "verify": "steps",
    "render": "steps",
    "check_rules": "steps",
    "make_card": "pipeline",
    "CardOrder": "pipeline",
    "Source": "model",
    "Cutout": "model",
    "Variant": "model",
    "Rendition": "model",
    "Finding": "model",
    "Judgement": "model",
    "Severity": "model",
    "Verdict": "model",
    "VitrinaError": "errors",
}

__all__ = [
    "CardOrder", "Cutout", "Finding", "Judgement", "Rendition", "Severity", "Source", "Variant", "Verdict",
    "VitrinaError", "__version__", "check_edges", "check_rules", "compose", "cutout", "from_array", "inspect",
    "make_card", "render", "take_in", "verify",
]  # fmt: skip

if TYPE_CHECKING:
    from vitrina.errors import VitrinaError
    from vitrina.model import Cutout, Finding, Judgement, Rendition, Severity, Source, Variant, Verdict
    from vitrina.pipeline import CardOrder, make_card
    from vitrina.steps import (
        check_edges,
        check_rules,
        compose,
        cutout,
        from_array,
        inspect,
        render,
        take_in,
        verify,
    )  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a name of the front door when it is first asked for: `import vitrina` alone stays quick."""
    if name not in _HOME:
        raise AttributeError(f"module 'vitrina' has no attribute {name!r}")
    value = getattr(import_module(f"vitrina.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
