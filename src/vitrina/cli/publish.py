"""``vitrina publish``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from vitrina.cli.desk import As, Code, Home, Json, run, say
from vitrina.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("publish")(publish)


def publish(
    code: Code,
    market: Annotated[str, typer.Option(help="The marketplace whose approved files are sent.", show_default=False)],
    by: Annotated[str, typer.Option(help="folder, or the marketplace's own interface; by default the latter.")] = "",
    to: Annotated[
        list[str] | None,
        typer.Option(
            help="KEY=VALUE: whose listing, such as nm_id=123, or path=ring.zip; KEY=@FILE reads a file.",
            show_default=False,
        ),
    ] = None,
    pictures_at: Annotated[
        str, typer.Option(help="Where the exported files can be fetched, for marketplaces that take addresses.")
    ] = "",
    upload_to: Annotated[
        str, typer.Option(help="s3://BUCKET/PREFIX: put the files there first; --pictures-at is its public address.")
    ] = "",
    dry_run: Annotated[bool, typer.Option(help="Show what would be sent; send nothing.")] = False,
    replace: Annotated[bool, typer.Option(help="Let pictures go that the listing shows now.")] = False,
    again: Annotated[bool, typer.Option(help="Send what was answered already, too.")] = False,
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Send an SKU's approved files to a listing and compare what it shows then. Nothing is put on sale."""
    from vitrina.actions import publishing

    listing = dict(_pair(text) for text in to or [])
    sending = publishing.Sending(market, by, listing, pictures_at, dry_run, again, replace, upload_to)
    return run(home, as_, json, lambda house: publishing.publish(house, code, sending), _tell)


def _pair(text: str) -> tuple[str, str]:
    key, mark, value = text.partition("=")
    if not mark or not key:
        raise UsageError(f"--to {text!r}: KEY=VALUE is wanted, for example nm_id=123.")
    return key, value


def _tell(document: Mapping[str, Any]) -> None:
    what = "would be sent" if document["dry_run"] else "were sent" if document["sent"] else "had been sent already"
    say(f"{document['sku']}: {len(document['pictures'])} pictures {what} to {document['market']} by {document['by']}")
    for place, picture in enumerate(document["pictures"], start=1):
        say(f"  {place}. {picture['name']} ({picture['slot']}, {picture['bytes'] / 1e3:.0f} kB)")
    if document["dry_run"]:
        if document["upload_to"]:
            say(f"  the files would be put into {document['upload_to']} first")
        for request in document["requests"]:
            say(f"  {request}")
    for finding in document["findings"]:
        say(f"  {finding['severity']:5} {finding['check']}: {finding['message']}")
    for line in [*document["warnings"], document["notice"]]:
        say(f"  {line}")
