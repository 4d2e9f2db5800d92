"""``vitrina report``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from vitrina.cli.desk import As, Home, Json, run, say, table

Quarter = Annotated[str | None, typer.Option(help="2026-Q4; the present one otherwise.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(help="Monthly, quarterly and per-line reports.", no_args_is_help=True)
    group.command("rejections")(rejections)
    group.command("returns")(returns)
    group.command("audit")(audit)
    group.command("line")(line)
    app.add_typer(group, name="report")


def rejections(
    month: Annotated[str | None, typer.Option(help="2026-11; the present one otherwise.", show_default=False)] = None,
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """What people rejected in a month, why, and what the rejected have in common."""
    from vitrina.actions.reporting import report_rejections

    def tell(document: Mapping[str, Any]) -> None:
        share = document["share_rejected"]
        say(f"{document['period']}: {document['decisions'] or 'no decisions'}; rejected {share if share else 0:.1%}")
        _tell_counts(document["by"])
        table(document["findings"], ("finding", "number"))
        table(document["latest"], ("at", "sku", "variant", "person", "reason", "words", "capture"))

    return run(home, as_, json, lambda house: report_rejections(house, month), tell)


def returns(quarter: Quarter = None, as_: As = None, home: Home = None, json: Json = False) -> int:
    """What buyers sent back in a quarter, why, and who had approved its pictures."""
    from vitrina.actions.reporting import report_returns

    def tell(document: Mapping[str, Any]) -> None:
        say(f"{document['period']}: {document['number']} returns")
        _tell_counts(document["by"])
        table(document["returns"], ("returned_on", "ordered_on", "sku", "reason", "words", "approved_by"))

    return run(home, as_, json, lambda house: report_returns(house, quarter), tell)


def audit(quarter: Quarter = None, as_: As = None, home: Home = None, json: Json = False) -> int:
    """Who decided what in a quarter, how many planted faults they noticed, what went out; the newest events."""
    from vitrina.actions.reporting import report_audit

    def tell(document: Mapping[str, Any]) -> None:
        ledger = document["ledger"]
        say(f"{document['period']}: the ledger has {ledger['events']} events, head {ledger['head']}")
        table(document["reviewers"], ("person", "approved", "rejected", "void", "planted", "noticed", "catch_rate"))
        table(document["exports"], ("market", "exports", "skus"))
        table(document["verbs"], ("verb", "number"))
        table(document["events"], ("seq", "at", "person", "verb", "subject", "details"))

    return run(home, as_, json, lambda house: report_audit(house, quarter), tell)


def line(
    name: Annotated[str, typer.Argument(help="One line; all otherwise.")] = "",
    market: Annotated[
        str, typer.Option(help="Measure how alike the line's main pictures for it are.", show_default=False)
    ] = "",
    as_: As = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """How each line stands; with --market also how alike its main pictures are, and which to make again."""
    from vitrina.actions.reporting import report_line

    def tell(document: Mapping[str, Any]) -> None:
        table(document["lines"], ("line", "skus", "stock", "photos", "variants"))
        if market:
            told = document["meter"]
            spread = ", ".join(f"{key} {value}" for key, value in told["spread"].items())
            say(f"main pictures for {told['market']}: {spread}")
            for outlier in told["outliers"]:
                say(f"  {outlier['severity']:5} {outlier['message']}")

    return run(home, as_, json, lambda house: report_line(house, name, market=market), tell)


def _tell_counts(by: Mapping[str, list[Mapping[str, Any]]]) -> None:
    for name, counts in by.items():
        said = ", ".join(f"{count[name] or 'none'} {count['number']}" for count in counts)
        say(f"  by {name}: {said or 'nothing'}")
