"""What is asked for by name, a mode or a format; what is not built is refused in plain words."""

from __future__ import annotations

from vitrina.errors import NotBuilt, UsageError
from vitrina.rules.load import refuse_video
from vitrina.stages.export import KINDS

__all__ = ["kind_called", "mode_called", "refuse_video"]


def mode_called(name: str) -> str:
    """The mode called `name`; raises NotBuilt for one that is not there yet, UsageError for one that never was."""
    if name in ("jewelry", "lifestyle"):
        raise NotBuilt(
            f"--mode {name} is not built yet: nothing may be generated around the piece so far. Use --mode exact."
        )
    if name != "exact":
        refuse_video(name)
        raise UsageError(f"--mode {name!r}: there are exact, jewelry and lifestyle.")
    return name


def kind_called(name: str) -> str:
    """The kind of file called `name`, empty for none; raises UsageError for one that is not written."""
    wanted = {"": "", "JPG": "JPEG"}.get(name.upper(), name.upper())
    if wanted and wanted not in KINDS:
        raise UsageError(f"--format {name!r}: there are {', '.join(kind.lower() for kind in KINDS)}.")
    return wanted
