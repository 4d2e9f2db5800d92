"""``vitrina serve``: the web studio with a worker inside."""

from __future__ import annotations

import os
import secrets
import socket
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from vitrina.cli.desk import Home
from vitrina.cli.output import complain
from vitrina.config import load_config
from vitrina.errors import ResourceError, UsageError

if TYPE_CHECKING:
    from vitrina.jobs.crew import Crew


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("serve")(serve)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; this machine alone by default.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0: any free one.")] = 8765,
    name: Annotated[
        list[str] | None,
        typer.Option(help="A name under which the studio is reached, beside the address; several times for several."),
    ] = None,
    worker: Annotated[bool, typer.Option("--worker/--no-worker", help="Make cards too, or serve pages only.")] = True,
    demo: Annotated[
        bool,
        typer.Option("--demo", help="Look around among rendered pieces, in a home of their own inside of the home."),
    ] = False,
    home: Home = None,
) -> int:
    """The web studio in the browser, with a worker inside. Stop it at any moment: nothing that was saved is lost."""
    import uvicorn

    from vitrina.actions import doors
    from vitrina.actions.house import open_house
    from vitrina.actions.studio import as_nobody
    from vitrina.web import Door, make_app
    from vitrina.web.app import is_loopback

    config = load_config(home=home)
    if demo:
        from vitrina.actions.demo import demo_config, furnish

        config = demo_config(config)
        for setting in ("VITRINA_DATABASE", "VITRINA_BLOBS"):
            os.environ.pop(setting, None)  # the worker that is started below must not look into the real ones
    listener = _listen(host, port)
    bound = listener.getsockname()[1]
    is_open = not is_loopback(host)
    with open_house(config) as house:
        if demo:
            furnish(as_nobody(house), say=complain)
        is_first = doors.needs_first_person(house)
        code = secrets.token_urlsafe(9) if is_open and is_first else ""
        door = Door(("127.0.0.1", "localhost", "[::1]", _as_name(host), *(name or ())), code)
        if host in ("0.0.0.0", "::") and not name:
            door = Door(("*",), code)
        complain(f"the studio is at http://{_as_name(host)}:{bound}/")
        if is_open:
            complain(
                f"{host} is not this machine alone: whoever reaches it sees the sign-in page, and passwords travel "
                "unencrypted unless a proxy in front speaks HTTPS (docs/web.md)."
            )
        if is_first:
            complain(
                "nobody is registered: the first visitor makes the admin" + (f", with the code {code}" if code else "")
            )
        settings = uvicorn.Config(
            make_app(house, door, is_demo=demo), log_level="warning", access_log=False, server_header=False,
            timeout_keep_alive=30, timeout_graceful_shutdown=3, limit_concurrency=200,
            h11_max_incomplete_event_size=32_768, forwarded_allow_ips="127.0.0.1",
        )  # fmt: skip
        server = uvicorn.Server(settings)
        with _Helpers(str(config.home), wanted=worker) as tend:
            stop = threading.Event()
            watch = threading.Thread(target=_watch, args=(tend, stop), daemon=True)
            watch.start()
            try:
                server.run(sockets=[listener])
            finally:
                stop.set()
                watch.join(5)
                listener.close()
    return 0


class _Helpers:
    """One worker process beside the pages; with `wanted` false, nobody."""

    def __init__(self, home: str, *, wanted: bool) -> None:
        self.home, self.wanted = home, wanted
        self.crew: Crew | None = None

    def __enter__(self) -> Callable[[], None]:
        if not self.wanted:
            return lambda: None
        from vitrina.jobs.crew import Crew

        command = [sys.executable, "-m", "vitrina", "worker", "--parent", str(os.getpid()), "--home", self.home]
        self.crew = Crew(command, 1)
        self.crew.__enter__()
        return self.crew.tend

    def __exit__(self, *_: object) -> None:
        if self.crew is not None:
            self.crew.__exit__()


def _watch(tend: Callable[[], None], stop: threading.Event) -> None:
    while not stop.wait(2.0):
        try:
            tend()
        except ResourceError as error:
            complain(f"no cards are made until the studio is started again: {error}")
            return


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    except socket.gaierror as error:
        raise UsageError(f"--host {host}: there is no such address ({error.strerror}).") from error
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(256)  # whoever comes from now on waits until the pages are ready
    except OSError as error:
        listener.close()
        raise ResourceError(
            f"{host}:{port} cannot be listened on ({error.strerror}). Choose another --port."
        ) from error
    return listener


def _as_name(host: str) -> str:
    return f"[{host}]" if ":" in host else host
