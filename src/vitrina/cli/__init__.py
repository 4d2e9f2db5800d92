"""The command line: one module per command group. Heavy libraries are imported by the commands, not here."""

from __future__ import annotations

import io
import os
import signal
import sys
from types import FrameType
from typing import Annotated, NoReturn

import typer

from vitrina import __version__
from vitrina.cli import (
    archive,
    batch,
    card,
    certificate,
    doctor,
    people,
    photos,
    publish,
    report,
    review,
    rules,
    scale,
    serve,
    sku,
    verify,
)
from vitrina.cli.output import complain
from vitrina.errors import VitrinaError

app = typer.Typer(
    name="vitrina",
    help="Jewelry marketplace photos that still show the very piece, and the measurements that prove it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (
    batch,
    card,
    photos,
    verify,
    rules,
    scale,
    certificate,
    sku,
    review,
    publish,
    report,
    people,
    archive,
    doctor,
    serve,
):
    group.register(app)

_INTERRUPTED = 130
_BUG = "Please report it with the command and the line above (VITRINA_DEBUG=1 shows the traceback)."


def _version(wanted: bool) -> None:
    if wanted:
        print(f"vitrina {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def main() -> NoReturn:
    """Run the program; every way out is one of the contract's exit codes and at most a line of explanation."""
    signal.signal(signal.SIGTERM, _stop)
    # Our matrices are a few columns wide: a second thread on them only spins. Read when numpy is imported, later.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Whatever the terminal's own encoding: a document is UTF-8, and a file name that is no text stays JSON.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    try:
        code = app(args=arguments, prog_name="vitrina", standalone_mode=False)
        sys.stdout.flush()
        if code == _INTERRUPTED:  # typer's way of passing on a ^C
            raise KeyboardInterrupt
        return code if isinstance(code, int) else 0
    except VitrinaError as error:
        complain(str(error))
        return error.exit_code
    except typer.TyperException as error:
        return _tell_misuse(error, arguments)
    except (KeyboardInterrupt, typer.Abort):
        complain("stopped. Nothing half-written is left behind; run the same command again.")
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; leave quietly, and keep Python from flushing into the void at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 4
    except MemoryError:
        complain("out of memory. Close other programs or resize the photo.")
        return 4
    except OSError as error:
        complain(
            f"{error.filename or 'the system'}: {error.strerror or error}. "
            "Check the path, its permissions and the free space."
        )
        return 4
    except Exception as error:
        if os.environ.get("VITRINA_DEBUG", "") not in ("", "0"):
            raise
        complain(f"an unexpected {type(error).__name__}: {error}. {_BUG}")
        return 4


def _tell_misuse(error: typer.TyperException, arguments: list[str]) -> int:
    """Say what is wrong with the command line, and where its help is; a group named alone shows its help.

    An option or a command that asks for video or Reels is no slip of the pen: it is refused as what is not built.
    """
    from vitrina.actions.asked import refuse_video

    try:
        for word in (getattr(error, "option_name", None), *arguments[:1]):
            refuse_video(word or "")
    except VitrinaError as refusal:
        complain(str(refusal))
        return refusal.exit_code
    where = getattr(getattr(error, "ctx", None), "command_path", "vitrina")
    message = error.format_message()
    if "\n" in message:  # the whole help text, of a group that was named without a command
        print(message, file=sys.stderr)
    else:
        complain(f"{message.rstrip('.')}. See {where} --help.")
    return 2


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
