"""The report document of a card: what was asked, what was made, what was found, and why something was not made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vitrina import __version__
from vitrina.errors import InputError
from vitrina.model import Finding, Severity, Verdict, verdict_of
from vitrina.rules.pack import Pack

__all__ = ["CHECKLIST", "NOTICE", "left_out", "report_document", "what_blocks"]

CHECKLIST = (
    "Stones and metal match the piece in your hand: number, cut, colour, tone.",
    "The chain has no breaks and no doubled links; clasps and hooks are whole.",
    "The edges were looked at at 200 %: no halo, no fringe, no lost thin parts.",
    "The background of the main picture is neutral: no text, no logo, no props.",
    "The marketplace's current rules were checked by hand in its seller cabinet.",
)
"""What a person ticks before anything is published."""

NOTICE = (
    "These pictures are drafts. The program measures and warns; it does not decide. Whoever publishes a picture "
    "answers for it. Vitrina is not affiliated with any marketplace, and passing its checks promises no marketplace's "
    "approval: rules change, and the marketplace decides."
)


def report_document(
    asked: Mapping[str, Any],
    *,
    photos: Sequence[dict[str, Any]],
    drafts: Sequence[dict[str, Any]],
    errors: Sequence[InputError],
    found: Sequence[tuple[str, Finding]],
    packs: Sequence[Pack],
) -> dict[str, Any]:
    """The document ``vitrina.card/1``. `asked` is the order with ``made_at`` and ``seconds``; `found` says where.

    Without a draft the verdict is always reject, and ``stopped`` says why.
    """
    verdict = verdict_of(finding for _, finding in found) if drafts else Verdict.REJECT
    return {
        "schema": "vitrina.card/1",
        "version": __version__,
        "sku": asked["sku"],
        "status": "draft",
        "made_at": asked["made_at"].isoformat(timespec="seconds"),
        "mode": asked["mode"],
        "looks": list(asked["looks"]),
        "markets": list(asked["markets"]),
        "forced": asked["force"],
        "verdict": verdict.value,
        "stopped": None if drafts else _why_nothing(photos),
        "summary": _summary(found),
        "photos": list(photos),
        "drafts": list(drafts),
        "errors": [
            {"kind": type(error).__name__, "message": str(error), "exit_code": error.exit_code} for error in errors
        ],
        "packs": {
            pack.market: {
                "version": pack.version,
                "checked_on": pack.checked_on.isoformat(),
                "local": list(pack.local.changes) if pack.local else [],
            }
            for pack in packs
        },
        "checklist": list(CHECKLIST),
        "notice": NOTICE,
        "seconds": {"total": round(asked["seconds"], 3)},
    }


def left_out(error: InputError) -> Finding:
    """What is said of a photo that could not be read while others could."""
    return Finding("file", "unreadable", Severity.WARN, None, None, "", f"A photo was left out. {error}")


def what_blocks(findings: Iterable[Finding]) -> str:
    """What blocks, each thing said once."""
    blocks = [finding.message for finding in findings if finding.severity is Severity.BLOCK]
    return " ".join(dict.fromkeys(blocks))


def _why_nothing(photos: Sequence[dict[str, Any]]) -> str:
    """Why there is no draft, photo by photo."""
    reasons = [photo["stopped"] for photo in photos if photo["stopped"]]
    return " ".join(dict.fromkeys(reasons)) or "no photo could be worked on."


def _summary(found: Sequence[tuple[str, Finding]]) -> list[dict[str, Any]]:
    """Each kind of finding once, the gravest first, with the places where it was found."""
    order = (Severity.BLOCK, Severity.WARN, Severity.NOTE)
    kinds: dict[tuple[str, str, Severity], tuple[Finding, list[str]]] = {}
    for where, finding in found:
        _, places = kinds.setdefault((finding.check, finding.code, finding.severity), (finding, []))
        if where not in places:
            places.append(where)
    ranked = sorted(kinds.values(), key=lambda kind: order.index(kind[0].severity))
    return [{**finding.as_dict(), "where": places} for finding, places in ranked]
