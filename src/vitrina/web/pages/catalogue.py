"""Today, the SKUs, one SKU, and capture."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from vitrina.actions import studio, uploads, viewing
from vitrina.actions.calendar import calendar
from vitrina.actions.cards import recipe_of
from vitrina.actions.closeups import show_parts
from vitrina.actions.handing import publishers, readiness
from vitrina.actions.origins import stated
from vitrina.actions.pictures import submit
from vitrina.actions.rule_packs import list_rules
from vitrina.actions.shots import shots_wanted
from vitrina.actions.skus import list_lines, list_skus, put_sku, show_sku
from vitrina.errors import UsageError, VitrinaError
from vitrina.web.page import At, Checked, Desk, Form, go

router = APIRouter()

PER_PAGE = 50
STATES = ("draft", "checked", "in review", "approved", "rejected", "exported", "published", "superseded")
TYPES = ("ring", "earrings", "necklace", "chain", "bracelet", "pendant", "brooch", "set", "other")
FIELDS = ("title", "piece_type", "line", "stock", "factory", "stone_batch")


@router.get("/")
def today(at: At) -> Response:
    """What waits."""
    return at.page("today.html", today=studio.today(at.house), calendar=calendar(at.house))


@router.get("/skus")
def skus(at: At, search: str = "", line: str = "", state: str = "", after: str = "") -> Response:
    """A page of the catalogue."""
    found = list_skus(at.house, search=search[:120], line=line, state=state, after=after, limit=PER_PAGE)
    lines = [item["line"] for item in list_lines(at.house)["lines"]]
    return at.page("skus.html", found=found, lines=lines, states=STATES, search=search, line=line, state=state,
                   after=after)  # fmt: skip


@router.get("/skus/new")
def new_sku(at: At) -> Response:
    """The form of a new SKU."""
    return at.page("sku_form.html", sku=None, types=TYPES, problem="", given={})


@router.post("/skus/new")
def add_sku(at: At, form: Form) -> Response:
    """Add an SKU."""
    given = {key: str(form.get(key, "")).strip() for key in ("sku", *FIELDS)}
    try:
        put_sku(at.house, _cells(given), is_new=True)
    except UsageError as error:
        return at.page("sku_form.html", error.http_status, sku=None, types=TYPES, problem=str(error), given=given)
    return go(f"/skus/{given['sku']}")


@router.get("/skus/{code}")
def sku(at: At, code: str, done: str = "") -> Response:
    """Everything about an SKU."""
    document = show_sku(at.house, code)
    markets = [pack["market"] for pack in list_rules(at.house.config)["packs"]]
    return at.page("sku.html", sku=document, markets=markets, done=done, ready=readiness(at.house, code)["markets"],
                   parts=show_parts(at.house, code), publishers=publishers)  # fmt: skip


@router.get("/skus/{code}/change")
def show_change(at: At, code: str) -> Response:
    """The form of an SKU's facts."""
    document = show_sku(at.house, code)
    return at.page("sku_form.html", sku=code, types=TYPES, problem="", given=document)


@router.post("/skus/{code}/change")
def change_sku(at: At, form: Form, code: str) -> Response:
    """Change an SKU."""
    given = {"sku": code, **{key: str(form.get(key, "")).strip() for key in FIELDS}}
    try:
        put_sku(at.house, given, is_new=False)
    except UsageError as error:
        return at.page("sku_form.html", error.http_status, sku=code, types=TYPES, problem=str(error), given=given)
    return go(f"/skus/{code}", done="changed")


@router.post("/skus/{code}/card")
def make_card(at: At, form: Form, code: str) -> Response:
    """Ask for a card of the SKU's photos."""
    number = studio.ask_card(at.house, code, recipe=recipe_from(form))
    left = studio.show_batch(at.house, number)["counts"]
    return go(f"/skus/{code}", done="card" if left.get("waiting") or left.get("running") else "same")


@router.post("/skus/{code}/edits")
async def add_edit(at: At, form: Form, code: str) -> Response:
    """Bring in a picture that another tool made, and verify it."""
    from starlette.concurrency import run_in_threadpool

    def act() -> Any:
        told = {key: str(form.get(key, "")) for key in ("tool", "source", "look")}
        return studio.add_edit(
            at.house, code, name, data, tool=told["tool"], source=told["source"], look=told["look"] or "white"
        )

    name, data = await upload(form, "picture")
    document = await run_in_threadpool(act)
    return go(f"/skus/{code}/variants/{document['variant']}")


@router.post("/skus/{code}/review")
def start_review(at: At, form: Form, code: str) -> Response:  # noqa: ARG001
    """Start the review of what is checked."""
    submit(at.house, code)
    return go(f"/skus/{code}", done="review")


@router.get("/skus/{code}/pictures/{digest}/{entry:path}")
def picture(at: At, code: str, digest: str, entry: str) -> Response:
    """A part of a picture: a tile, the thumbnail, the preview."""
    return picture_answer(viewing.show_picture(at.house, code, digest, entry), entry)


@router.get("/capture")
def capture(at: At, sku: str = "") -> Response:
    """The phone's page: choose an SKU, photograph it, see at once whether the photo will do."""
    found = list_skus(at.house, search=sku[:120], limit=20)["skus"]
    exact = next((item for item in found if item["sku"] == sku), None)
    return _capture(at, sku=sku, exact=exact, found=found)


@router.post("/capture/check")
async def check(at: At, form: Form) -> Response:
    """Check a downscaled preview, which nobody keeps."""
    from starlette.concurrency import run_in_threadpool

    name, data = await upload(form, "photo")
    document = await run_in_threadpool(
        studio.inspect_bytes, at.house, data, name=name, language=at.language, is_live=True
    )
    return JSONResponse({"verdict": document["verdict"], "findings": document["findings"]})


@router.post("/skus/{code}/photos")
async def add_photo(at: At, form: Form, code: str) -> Response:
    """Archive a photo under an SKU; a script gets the document, a form the page."""
    from starlette.concurrency import run_in_threadpool

    try:
        name, data = await upload(form, "photo")
        rights = stated(*(str(form.get(key) or "") for key in ("right", "taken_by", "licence")))
        document = await run_in_threadpool(
            studio.add_photo, at.house, code, name, data, language=at.language, rights=rights
        )
    except VitrinaError as error:
        if not _wants_page(at):
            raise
        return _capture(at, error.http_status, sku=code, exact=None, problem=str(error))
    if not _wants_page(at):
        return JSONResponse(document)
    return _capture(at, sku=code, exact={"sku": code, "title": ""}, added=document)


@router.post("/skus/{code}/uploads")
def begin(at: At, form: Form, code: str) -> Response:
    """Begin to send a photo in pieces."""
    try:
        size = int(str(form.get("size", "")))
    except ValueError as error:
        raise UsageError("size: the photo's bytes are wanted.") from error
    whose = {key: str(form.get(key) or "") for key in ("right", "taken_by", "licence")}
    return JSONResponse(uploads.begin_upload(at.house, code, str(form.get("name", "photo")), size, **whose), 201)


@router.get("/skus/{code}/uploads/{number}")
def how_far(at: At, code: str, number: str) -> Response:
    """From where an upload goes on."""
    return JSONResponse(uploads.show_upload(at.house, code, number))


@router.patch("/skus/{code}/uploads/{number}")
async def piece(at: At, _: Checked, code: str, number: str, offset: int) -> Response:
    """The next piece of a photo."""
    from starlette.concurrency import run_in_threadpool

    data = await at.request.body()
    return JSONResponse(
        await run_in_threadpool(uploads.send_piece, at.house, code, number, offset, data, language=at.language)
    )


def _capture(
    at: Desk, status: int = 200, *, sku: str, exact: Any, found: Any = (), added: Any = None, problem: str = ""
) -> Response:
    document = show_sku(at.house, sku) if exact else None
    shots = shots_wanted(document["piece_type"]) if document else []
    photos = document["photos"] if document else []
    return at.page("capture.html", status, sku=sku, exact=exact, found=found, photos=photos, added=added,
                   problem=problem, shots=shots)  # fmt: skip


async def upload(form: Any, name: str) -> tuple[str, bytes]:
    """An uploaded file's name and bytes; raises UsageError when none was sent."""
    file = form.get(name)
    if file is None or isinstance(file, str) or not file.filename:
        raise UsageError("no file was sent: choose one.")
    return str(file.filename), await file.read()


def picture_answer(data: bytes, entry: str) -> Response:
    """A picture that the browser alone may keep."""
    kind = {"jpg": "image/jpeg", "ebp": "image/webp"}.get(entry[-3:], "application/json")
    return Response(data, media_type=kind, headers={"Cache-Control": "private, max-age=604800, immutable"})


def recipe_from(form: Any) -> dict[str, Any]:
    """The recipe of a card that a form asks for."""
    looks = ",".join(str(v) for v in form.getlist("look")) or "white,grey"
    markets = ",".join(str(v) for v in form.getlist("market"))
    return recipe_of(looks=looks, markets=markets, force=bool(form.get("force")))


def _wants_page(at: Any) -> bool:
    return "text/html" in at.request.headers.get("accept", "")


def _cells(given: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in given.items() if value or key == "sku"}
