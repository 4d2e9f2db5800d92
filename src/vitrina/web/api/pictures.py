"""Pictures in: photos, checks and verdicts; cards and batches; and pictures out."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Path, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from vitrina.actions import brush, closeups, studio, viewing
from vitrina.actions.cards import recipe_of
from vitrina.actions.origins import stated
from vitrina.web.api.caller import PROBLEMS, By, as_bytes
from vitrina.web.pages.catalogue import picture_answer

router = APIRouter(responses=PROBLEMS, tags=["pictures"])

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
DEFAULT_MARKETS = ["kaspi", "wildberries", "ozon", "etsy", "ebay"]


class CardOrder(BaseModel):
    """What card is wanted."""

    model_config = ConfigDict(extra="forbid")

    looks: Annotated[list[str], Field(max_length=20)] = ["white", "grey"]
    markets: Annotated[list[str], Field(max_length=20)] = DEFAULT_MARKETS
    force: bool = False


@router.post("/verify")
async def verify(
    by: By,
    source: Annotated[UploadFile, File()],
    edit: Annotated[UploadFile, File()],
    facts: Annotated[str, Form(max_length=20_000, description="What the SKU says, as TOML.")] = "",
) -> Response:
    """Does `edit` still show the piece in `source`? The document of `vitrina verify`, and where to look at the pair."""
    first, second = await source.read(), await edit.read()

    def act(house: Any) -> dict[str, Any]:
        kept = studio.judge_pair(
            house, (source.filename or "source", first), (edit.filename or "edit", second), facts=facts.encode()
        )
        return {**kept["verify"], "source": kept["source"], "edit": kept["edit"], "page": f"/judge/{kept['id']}"}

    return await by.write("read", act, body=_digests(first, second, facts.encode()))


@router.post("/inspect")
async def inspect(
    by: By, photo: Annotated[UploadFile, File()], language: Annotated[str, Form(max_length=8)] = "en"
) -> Response:
    """The source check of a photo, which is not kept."""
    data = await photo.read()
    return await by.write(
        "read",
        lambda house: studio.inspect_bytes(house, data, name=photo.filename or "photo", language=language),
        body=_digests(data, language.encode()),
    )


@router.post("/skus/{code}/photos", status_code=201)
async def add_photo(
    by: By,
    code: str,
    photo: Annotated[UploadFile, File()],
    right: Annotated[str, Form(max_length=20)] = "",
    taken_by: Annotated[str, Form(max_length=300)] = "",
    licence: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """Archive a photo under an SKU, byte for byte, and check it.

    `right` says whose it is: own, commissioned, licensed (then `licence` says where that is written) or supplier, which
    is refused.
    """
    data = await photo.read()
    rights = stated(right, taken_by, licence)
    return await by.write(
        "photo.add",
        lambda house: studio.add_photo(house, code, photo.filename or "photo", data, rights=rights),
        body=_digests(data, *(text.encode() for text in (right, taken_by, licence))),
        status=201,
    )


@router.post("/skus/{code}/cards", status_code=202)
async def ask_card(by: By, code: str, body: CardOrder) -> Response:
    """Ask for a card of the SKU's photos; the batch tells how far it is."""

    def act(house: Any) -> dict[str, Any]:
        recipe = recipe_of(looks=",".join(body.looks), markets=",".join(body.markets), force=body.force)
        return {"schema": "vitrina.batch-ask/1", "batch": studio.ask_card(house, code, recipe=recipe), "refused": []}

    return await by.write("card.make", act, body=as_bytes(body), status=202)


class Stroke(BaseModel):
    """A line drawn with a round brush, in pixels of the upright photo."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["keep", "drop"]
    radius: Annotated[float, Field(ge=0.5, le=2000)]
    points: Annotated[list[tuple[float, float]], Field(min_length=1, max_length=4000)]


class Strokes(BaseModel):
    """What the repair brush drew over a cutout."""

    model_config = ConfigDict(extra="forbid")

    strokes: Annotated[list[Stroke], Field(min_length=1, max_length=400)]

    def told(self) -> list[dict[str, Any]]:
        """As the verb takes them."""
        return [stroke.model_dump(mode="json") for stroke in self.strokes]


@router.post("/skus/{code}/edits", status_code=201)
async def add_edit(
    by: By,
    code: str,
    picture: Annotated[UploadFile, File()],
    tool: Annotated[str, Form(max_length=120, description="The program or the person that made it.")],
    source: Annotated[str, Form(max_length=64, description="The photo's digest, when there are several.")] = "",
    look: Annotated[str, Form(max_length=40)] = "white",
) -> Response:
    """Bring in a picture that another tool made: an unverified draft, verified against its photo at once."""
    data = await picture.read()
    return await by.write(
        "variant.import",
        lambda house: studio.add_edit(
            house, code, picture.filename or "edit", data, tool=tool, source=source, look=look
        ),
        body=_digests(data, tool.encode(), source.encode(), look.encode()),
        status=201,
    )


@router.post("/skus/{code}/variants/{number}/strokes", status_code=202)
async def mend(by: By, code: str, number: Number, body: Strokes) -> Response:
    """Ask for a new card whose cutout is mended with the strokes of a brush."""
    return await by.write(
        "card.make", lambda house: brush.keep_strokes(house, code, number, body.told()), body=as_bytes(body), status=202
    )


@router.get("/skus/{code}/variants/{number}/strips")
def strips(by: By, code: str, number: Number, market: str = "") -> dict[str, Any]:
    """Every stone, link and tone of a variant beside its source, in pixels of the source."""
    return closeups.show_strips(by.need("read"), code, number, market=market)


@router.get("/batches")
def batches(by: By) -> dict[str, Any]:
    """Every batch and how far it is."""
    return studio.list_batches(by.need("read"))


@router.get("/batches/{number}")
def batch(by: By, number: Number) -> dict[str, Any]:
    """A batch with its SKUs, and its failures grouped by cause."""
    return studio.show_batch(by.need("read"), number)


@router.get("/skus/{code}/pictures/{digest}/{entry:path}")
def picture(by: By, code: str, digest: str, entry: str) -> Response:
    """A part of a picture of this SKU: info.json, thumb.jpg, preview.jpg, tiles/LEVEL/X_Y.jpg (or .webp)."""
    return picture_answer(viewing.show_picture(by.need("read"), code, digest, entry), entry)


def _digests(*parts: bytes) -> bytes:
    return " ".join(hashlib.sha256(part).hexdigest() for part in parts).encode()
