"""Marketplaces and their rules, reports, the ledger, people and policies."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from vitrina.actions import doors, studio
from vitrina.actions.about import about_house
from vitrina.actions.people import set_policy, take_role
from vitrina.actions.reporting import report_line, report_rejections, report_returns
from vitrina.actions.rule_packs import confirm_rules, list_rules, show_rules
from vitrina.errors import UsageError
from vitrina.web.page import At, Desk, Form, go

router = APIRouter()


@router.get("/marketplaces")
def marketplaces(at: At) -> Response:
    """Every rule pack in short."""
    return at.page("markets.html", packs=list_rules(at.house.config)["packs"])


@router.get("/marketplaces/{market}")
def marketplace(at: At, market: str) -> Response:
    """One marketplace's rules, each with its day and address."""
    return at.page("market.html", pack=show_rules(at.house.config, market))


@router.post("/marketplaces/{market}/confirm")
def confirm(at: At, form: Form, market: str) -> Response:
    """Put on record that the marketplace's pages still say the same."""
    confirm_rules(at.house, market, words=str(form.get("words", ""))[:1000])
    return go(f"/marketplaces/{market}")


@router.get("/reports")
def reports(at: At, month: str = "", quarter: str = "") -> Response:
    """Rejections of a month, returns of a quarter, and how the lines stand."""
    problem = ""
    try:
        rejections = report_rejections(at.house, month or None)
        returns = report_returns(at.house, quarter or None)
    except UsageError as error:
        problem = str(error)
        rejections, returns = report_rejections(at.house, None), report_returns(at.house, None)
    lines = report_line(at.house, "")["lines"]
    return at.page(
        "reports.html", 400 if problem else 200, rejections=rejections, returns=returns, lines=lines, problem=problem
    )


@router.get("/ledger")
def ledger(at: At, before: int = 0, check: str = "") -> Response:
    """The ledger, newest first."""
    checked = studio.verify_ledger(at.house) if check else None
    return at.page("ledger.html", ledger=studio.read_ledger(at.house, before=before), checked=checked)


@router.get("/people")
def people(at: At) -> Response:
    """Who is in the house, and what it has decided."""
    return _people(at)


@router.post("/people")
def invite(at: At, form: Form) -> Response:
    """Add a person, or roles to one; the invitation is on this answer alone."""
    name, roles = str(form.get("name", "")), [str(role) for role in form.getlist("role")]
    try:
        invitation = doors.invite(at.house, name, roles)
    except UsageError as error:
        return _people(at, problem=str(error))
    return _people(at, invitation=invitation)


@router.post("/people/invite")
def invite_again(at: At, form: Form) -> Response:
    """A new invitation, when the first was lost or a password forgotten."""
    return _people(at, invitation=doors.renew_invitation(at.house, str(form.get("name", ""))))


@router.post("/people/take")
def take(at: At, form: Form) -> Response:
    """Take a role."""
    try:
        take_role(at.house, str(form.get("name", "")), str(form.get("role", "")))
    except UsageError as error:
        return _people(at, problem=str(error))
    return go("/people")


@router.post("/settings/policy")
def policy(at: At, form: Form) -> Response:
    """Change a policy."""
    try:
        set_policy(at.house, str(form.get("policy", "")), str(form.get("value", "")))
    except UsageError as error:
        return _settings(at, problem=str(error))
    return go("/settings")


@router.get("/settings")
def settings(at: At) -> Response:
    """What the house has decided, what is installed, and where things are kept."""
    return _settings(at)


def _settings(at: Desk, problem: str = "") -> Response:
    return at.page("settings.html", 400 if problem else 200, about=about_house(at.house), problem=problem)


def _people(at: Desk, *, invitation: dict[str, str] | None = None, problem: str = "") -> Response:
    known = studio.people_of(at.house)
    base = str(at.request.base_url).rstrip("/")
    return at.page(
        "people.html", 400 if problem else 200, people=known["people"], roles=known["roles"],
        invitation=invitation, base=base, problem=problem,
    )  # fmt: skip
