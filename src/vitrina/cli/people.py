"""``vitrina people``, ``policy`` and ``line``."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from vitrina.cli.desk import As, Home, Json, run, say, table
from vitrina.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    people = typer.Typer(help="Who is in the house, and their roles.", no_args_is_help=True)
    people.command("add")(add)
    people.command("take")(take)
    people.command("list")(list_people)
    people.command("password")(password)
    app.add_typer(people, name="people")
    policy = typer.Typer(help="What the house has decided: who exports, spot checks, retention.", no_args_is_help=True)
    policy.command("show")(show_policies)
    policy.command("set")(set_policy)
    app.add_typer(policy, name="policy")
    line = typer.Typer(help="Lines (collections): their recipe and their own checklist.", no_args_is_help=True)
    line.command("set")(set_line)
    line.command("copy")(copy_line)
    line.command("list")(list_lines)
    app.add_typer(line, name="line")


def add(
    name: Annotated[str, typer.Argument(help="The person's name.", show_default=False)],
    role: Annotated[
        list[str],
        typer.Option(help="photographer, retoucher, reviewer, publisher, auditor or admin; several times for several."),
    ],
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Add a person or give one more roles. The first person must be an admin."""
    from vitrina.actions.people import add_person

    return run(home, as_, json, lambda house: add_person(house, name, role), _tell_people)


def take(
    name: Annotated[str, typer.Argument(help="The person's name.", show_default=False)],
    role: Annotated[str, typer.Option(help="The role to take away.", show_default=False)],
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Take a role from a person."""
    from vitrina.actions.people import take_role

    return run(home, as_, json, lambda house: take_role(house, name, role), _tell_people)


def password(
    name: Annotated[str, typer.Argument(help="Whose password.", show_default=False)],
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Set a person's password for the web studio: asked for twice, or the first line of a pipe. Their sessions end."""
    from vitrina.actions.doors import set_password

    if sys.stdin.isatty():
        text = typer.prompt("password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        text = sys.stdin.readline().rstrip("\n")
    return run(
        home, as_, json, lambda house: set_password(house, name, text), lambda d: say(f"{d['name']} can sign in now")
    )


def list_people(as_: As = None, home: Home = None, json: Json = False) -> int:
    """Everybody and their roles."""
    from vitrina.actions import people

    return run(home, as_, json, people.list_people, _tell_people)


def show_policies(as_: As = None, home: Home = None, json: Json = False) -> int:
    """Every policy and its value."""
    from vitrina.actions import people

    return run(home, as_, json, people.show_policies, _tell_policies)


def set_policy(
    name: Annotated[str, typer.Argument(help="The policy.", show_default=False)],
    value: Annotated[str, typer.Argument(help="Roles by commas, or a number.", show_default=False)],
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Change a policy."""
    from vitrina.actions import people

    return run(home, as_, json, lambda house: people.set_policy(house, name, value), _tell_policies)


def set_line(
    name: Annotated[str, typer.Argument(help="The line's name.", show_default=False)],
    looks: Annotated[str, typer.Option(help="Looks of the line's cards, by commas.")] = "",
    markets: Annotated[str, typer.Option(help="Marketplaces of the line's cards, by commas.")] = "",
    check: Annotated[
        list[str] | None, typer.Option(help="A checklist line of its own, NAME=TEXT; several times for several.")
    ] = None,
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Make a line, or change its recipe and its own checklist lines."""
    from vitrina.actions import skus

    recipe = {
        key: [part.strip() for part in text.split(",") if part.strip()]
        for key, text in (("looks", looks), ("markets", markets))
        if text
    }
    checklist = {}
    for item in check or []:
        key, mark, text = item.partition("=")
        if not mark or not key.strip() or not text.strip() or " " in key.strip():
            raise UsageError(f"--check {item!r}: write NAME=TEXT, the name without spaces.")
        checklist[key.strip()] = text.strip()
    return run(
        home, as_, json, lambda house: skus.set_line(house, name, recipe=recipe, checklist=checklist), _tell_line
    )


def copy_line(
    old: Annotated[str, typer.Argument(help="The line to copy from.", show_default=False)],
    new: Annotated[str, typer.Argument(help="The new line.", show_default=False)],
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Copy a line's recipe and checklist; never approvals, nor presets nobody checked."""
    from vitrina.actions import skus

    return run(home, as_, json, lambda house: skus.copy_line(house, old, new), _tell_line)


def list_lines(as_: As = None, home: Home = None, json: Json = False) -> int:
    """Every line."""
    from vitrina.actions import skus

    return run(home, as_, json, skus.list_lines, lambda d: table(d["lines"], ("line", "recipe", "checklist")))


def _tell_people(document: Any) -> None:
    table(document["people"], ("name", "roles"))


def _tell_policies(document: Any) -> None:
    table([{"policy": k, "value": v} for k, v in document["policies"].items()], ("policy", "value"))


def _tell_line(document: Any) -> None:
    say(f"{document['line']}: recipe {document['recipe']}, checklist {document['checklist']}")
    if document.get("left_behind"):
        say(f"  left behind, for nobody checked them: {', '.join(document['left_behind'])}")
