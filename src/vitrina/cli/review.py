"""``vitrina review``, ``approve``, ``reject`` and ``export``: the gate."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from vitrina.cli.desk import As, Code, Home, Json, Number, run, say, table

Words = Annotated[str, typer.Option(help="In your own words.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(help="What waits for a person: queue, checklist, planted faults.", no_args_is_help=True)
    group.command("start")(start)
    group.command("refresh")(refresh)
    group.command("queue")(queue)
    group.command("checklist")(checklist)
    group.command("answer")(answer)
    group.command("plant")(plant)
    group.command("release")(release)
    app.add_typer(group, name="review")
    app.command("approve")(approve)
    app.command("reject")(reject)
    app.command("export")(export)


def start(code: Code, variant: Number = None, as_: As = None, home: Home = None, json: Json = False) -> int:
    """Start the review of an SKU's checked variants; what rests on changed facts is checked again first."""
    from vitrina.actions.pictures import submit

    def tell(document: Mapping[str, Any]) -> None:
        for item in document["in_review"]:
            why = f"; two reviewers: {', '.join(item['second_look'])}" if item["second_look"] else ""
            say(f"{code} variant {item['variant']} is in review{why}")
        for item in document["held_back"]:
            say(f"{code} variant {item['variant']} stays a draft: {item['reason']}")

    return run(home, as_, json, lambda house: submit(house, code, number=variant), tell)


def refresh(as_: As = None, home: Home = None, json: Json = False) -> int:
    """Take back what rests on marketplace rules that have changed since; every worker does so when it starts."""
    from vitrina.actions.recheck import recheck

    def tell(document: Mapping[str, Any]) -> None:
        for told in document["back_to_draft"]:
            say(f"{told}: back to draft")
        if not document["back_to_draft"]:
            say("nothing rests on rules that have changed")

    return run(home, as_, json, recheck, tell)


def queue(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Pictures per page.")] = 50,
    after: Annotated[int, typer.Option(help="Where the page before ended.")] = 0,
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """What waits for you. It does not tell whether anybody has decided already."""
    from vitrina.actions import gate

    return run(
        home,
        as_,
        json,
        lambda house: gate.queue(house, limit=limit, after=after),
        lambda d: table(d["waiting"], ("sku", "variant", "look", "tool", "verdict", "second_look", "title")),
    )


def checklist(code: Code, variant: Number = None, as_: As = None, home: Home = None, json: Json = False) -> int:
    """The lines to answer before an approval."""
    from vitrina.actions.gate import show_checklist

    return run(home, as_, json, lambda house: show_checklist(house, code, number=variant), _tell_checklist)


def answer(
    code: Code,
    lines: Annotated[
        list[str], typer.Argument(metavar="LINE...", help="Names of checklist lines.", show_default=False)
    ],
    yes: Annotated[bool, typer.Option("--yes/--no", help="The answer.")] = True,
    variant: Number = None,
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Answer checklist lines, after looking."""
    from vitrina.actions import gate

    return run(home, as_, json, lambda h: gate.answer(h, code, lines, yes=yes, number=variant), _tell_checklist)


def plant(
    code: Code,
    path: Annotated[Path, typer.Argument(metavar="PICTURE", help="A picture that is known to be bad.")],
    fault: Annotated[str, typer.Option(help="What is wrong with it.", show_default=False)],
    look: Annotated[str, typer.Option(help="How it is dressed.")] = "white",
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Let a known-bad picture into the queue, to see who notices. It can never be exported."""
    from vitrina.actions import gate

    return run(
        home,
        as_,
        json,
        lambda house: gate.plant(house, code, path, fault=fault, look=look),
        lambda d: say(f"{code} variant {d['variant']} is planted: {d['fault']}"),
    )


def release(
    batch: Annotated[int, typer.Argument(help="The batch's number.", show_default=False)],
    words: Annotated[str, typer.Option(help="What was done about the failures.", show_default=False)],
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Let a batch go on that a failed spot check holds."""
    from vitrina.actions import gate

    return run(
        home,
        as_,
        json,
        lambda house: gate.release(house, batch, words=words),
        lambda d: say(f"batch {d['batch']} is {d['state']}"),
    )


def approve(
    code: Code, variant: Number = None, words: Words = "", as_: As = None, home: Home = None, json: Json = False
) -> int:
    """Approve the exact bytes of what is in review. Every checklist line must have been answered yes."""
    from vitrina.actions import gate

    return run(home, as_, json, lambda house: gate.approve(house, code, number=variant, words=words), _tell_decision)


def reject(
    code: Code,
    reason: Annotated[
        str,
        typer.Option(
            help="stones, metal, chain, clasp, parts, edges, background, text, glare, texture, framing, colour, "
            "source, rules or other.",
            show_default=False,
        ),
    ],
    variant: Number = None,
    words: Words = "",
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Reject what is in review, or take an approval back."""
    from vitrina.actions import gate

    code_ = run(
        home, as_, json, lambda h: gate.reject(h, code, reason=reason, number=variant, words=words), _tell_decision
    )
    return 0 if code_ == 1 else code_


def export(
    code: Code,
    market: Annotated[str, typer.Option(help="The marketplace.", show_default=False)],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="The folder to write into.")] = None,
    copied_from: Annotated[
        str | None,
        typer.Option("--from", help="Take the files approved for that marketplace, held against this one's own rules."),
    ] = None,
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Write an SKU's approved files for one marketplace; without the approvals, nothing (exit code 5)."""
    from vitrina.actions import release

    def tell(document: Mapping[str, Any]) -> None:
        say(f"{code}: {len(document['files'])} files for {market} in {document['folder']}")
        for line in [*document["warnings"], document["notice"]]:
            say(f"  {line}")

    return run(
        home, as_, json,
        lambda house: release.export(house, code, market=market, out=output, copied_from=copied_from), tell,
    )  # fmt: skip


def _tell_checklist(document: Mapping[str, Any]) -> None:
    for item in document["variants"]:
        say(f"{document['sku']} variant {item['variant']}")
        for line in item["lines"]:
            mark = {True: "yes", False: "no", None: "—"}[line["answer"]]
            say(f"  {mark:4}{line['line']:12} {line['asks']}")


def _tell_decision(document: Mapping[str, Any]) -> None:
    for item in document["decided"]:
        waits = f", waits for {item['waits_for']}" if "waits_for" in item else ""
        why = f": {item['reason']}" if item.get("reason") else ""
        say(f"{document['sku']} variant {item['variant']} ({item['digest'][:12]}…): {item['state']}{waits}{why}")
        if "held" in item:
            say(f"  the batch is held; its failures share: {', '.join(item['held']) or 'nothing that is recorded'}")
