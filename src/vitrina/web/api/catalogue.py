"""SKUs, rules, reports, the ledger and people."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from vitrina.actions import studio
from vitrina.actions.people import list_people
from vitrina.actions.reporting import report_audit, report_line, report_rejections, report_returns
from vitrina.actions.rule_packs import list_rules, show_rules
from vitrina.actions.skus import list_skus, put_sku, show_sku
from vitrina.web.api.caller import PROBLEMS, By, as_bytes

router = APIRouter(responses=PROBLEMS)

Limit = Annotated[int, Query(ge=1, le=500)]
Text = Annotated[str, Field(max_length=2000)]


class SkuFacts(BaseModel):
    """What may be said of an SKU, as the columns of a price list; what is empty leaves what is on record."""

    model_config = ConfigDict(extra="forbid")

    title: Text = ""
    piece_type: Text = ""
    line: Text = ""
    stock: Annotated[int, Field(ge=0, le=10_000_000)] | None = None
    factory: Text = ""
    stone_batch: Text = ""

    def cells(self, code: str) -> dict[str, str]:
        """As the cells of a price list."""
        said = {key: str(value) for key, value in self.model_dump().items() if value not in (None, "")}
        return {"sku": code, **said}


class NewSku(SkuFacts):
    """A new SKU."""

    sku: Annotated[str, Field(min_length=1, max_length=120)]


@router.get("/skus", tags=["catalogue"])
def skus(
    by: By, search: str = "", line: str = "", state: str = "", after: str = "", limit: Limit = 50
) -> dict[str, Any]:
    """A page of the catalogue; `next_after` of one page is `after` of the next."""
    return list_skus(by.need("read"), search=search[:200], line=line, state=state, after=after, limit=limit)


@router.post("/skus", status_code=201, tags=["catalogue"])
async def add_sku(by: By, body: NewSku) -> Response:
    """Add an SKU."""
    return await by.write(
        "sku.edit", lambda house: put_sku(house, body.cells(body.sku), is_new=True), body=as_bytes(body), status=201
    )


@router.get("/skus/{code}", tags=["catalogue"])
def sku(by: By, code: str) -> dict[str, Any]:
    """Everything about an SKU, except what would spoil a blind second look."""
    return show_sku(by.need("read"), code)


@router.patch("/skus/{code}", tags=["catalogue"])
async def change_sku(by: By, code: str, body: SkuFacts) -> Response:
    """Change an SKU; what rests on a changed fact goes back to draft."""
    return await by.write("sku.edit", lambda house: put_sku(house, body.cells(code), is_new=False), body=as_bytes(body))


@router.get("/skus/{code}/variants", tags=["catalogue"])
def variants(by: By, code: str) -> dict[str, Any]:
    """The variants of an SKU with their findings and renditions."""
    return {"schema": "vitrina.variants/1", "sku": code, "variants": show_sku(by.need("read"), code)["variants"]}


@router.get("/rules", tags=["rules"])
def rules(by: By) -> dict[str, Any]:
    """Every rule pack in short."""
    return list_rules(by.need("read").config)


@router.get("/rules/{market}", tags=["rules"])
def rule_pack(by: By, market: str) -> dict[str, Any]:
    """A rule pack in full: every rule with its day and address."""
    return show_rules(by.need("read").config, market)


@router.get("/reports/rejections", tags=["reports"])
def rejections(by: By, month: str | None = None) -> dict[str, Any]:
    """The rejections of a month (2026-11), this one by default."""
    return report_rejections(by.need("read"), month)


@router.get("/reports/returns", tags=["reports"])
def returns(by: By, quarter: str | None = None) -> dict[str, Any]:
    """The returns of a quarter (2026-Q4), this one by default."""
    return report_returns(by.need("read"), quarter)


@router.get("/reports/audit", tags=["reports"])
def audit(by: By, quarter: str | None = None) -> dict[str, Any]:
    """The audit of a quarter."""
    return report_audit(by.need("audit.read"), quarter)


@router.get("/reports/line", tags=["reports"])
def line(by: By, name: str = "") -> dict[str, Any]:
    """How each line stands, or one of them."""
    return report_line(by.need("read"), name)


@router.get("/ledger", tags=["reports"])
def ledger(by: By, before: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0, limit: Limit = 100) -> dict[str, Any]:
    """A page of the ledger, newest first; `next_before` of one page is `before` of the next."""
    return studio.read_ledger(by.need("audit.read"), before=before, limit=limit)


@router.get("/people", tags=["people"])
def people(by: By) -> dict[str, Any]:
    """Everybody and their roles."""
    studio.people_of(by.need("people.edit"))
    return list_people(by.house)
