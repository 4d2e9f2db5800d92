"""Marketplaces on this machine: five interfaces in their published shapes, with their errors and limits."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qs, urlsplit

from PIL import Image

from tests.doubles.serving import Quiet, serving

GATEWAY = {"title": "unauthorized", "detail": "token problem", "code": "07e4668e", "requestId": "1", "origin": "s2s",
           "status": 401, "statusText": "Unauthorized", "timestamp": "2026-11-25T00:00:00Z"}  # fmt: skip
LISTING = {
    "wildberries": {"nm_id": "123"},
    "ozon": {"product_id": "77"},
    "etsy": {"shop_id": "9", "listing_id": "55"},
    "ebay": {"item": "EB-1", "language": "en-US"},
    "kaspi": {"product": json.dumps({"sku": "R-1", "title": "Ring", "brand": "Aru", "category": "Master - Rings"})},
}
"""Whose listing a parcel goes to."""
SETTINGS = {
    "VITRINA_WILDBERRIES_TOKEN": "wb-token-1",
    "VITRINA_OZON_CLIENT_ID": "42",
    "VITRINA_OZON_API_KEY": "ozon-key-1",
    "VITRINA_ETSY_KEYSTRING": "keystring",
    "VITRINA_ETSY_SHARED_SECRET": "shared",
    "VITRINA_ETSY_TOKEN": "etsy-1",
    "VITRINA_EBAY_TOKEN": "ebay-1",
    "VITRINA_KASPI_TOKEN": "kaspi-1",
}
"""The credentials that are taken here."""
HOSTS = {
    "WILDBERRIES": "/wb", "OZON": "/ozon", "ETSY": "/etsy", "EBAY": "/ebay/inventory", "EBAY_MEDIA": "/ebay/media",
    "KASPI": "/kaspi",
}  # fmt: skip
"""Where each interface lies."""


@dataclass
class Fault:
    """Requests whose path holds `path` are answered with this, `times` times, `after` so many that go through; `kept`:
    they take effect all the same."""

    path: str
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1
    kept: bool = False
    after: int = 0

    def strikes(self, path: str) -> bool:
        """Whether this request is the one; counts down."""
        if self.path not in path or self.times <= 0:
            return False
        self.after -= 1
        if self.after >= 0:
            return False
        self.times -= 1
        return True


@dataclass
class Seen:
    """A request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    form: dict[str, str]
    file: bytes


@dataclass
class Bazaar:
    """What the marketplaces hold. `swallows`: WB answers 200 and keeps nothing; `delay`: looks until Ozon shows."""

    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    gallery: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    errors: list[dict[str, str]] = field(default_factory=list)
    swallows: bool = False
    reencodes: bool = False
    delay: int = 0
    item: dict[str, Any] = field(
        default_factory=lambda: {"sku": "EB-1", "condition": "NEW", "product": {"title": "Ring"}}
    )
    etsy: list[dict[str, Any]] = field(default_factory=list)
    etsy_forgets_rank: bool = False
    imports: dict[str, Any] = field(default_factory=dict)
    expires: str = "2999-01-01T00:00:00.000Z"
    """When eBay throws a picture away that no item shows."""
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1001, 9999)))

    def asked(self, path: str) -> list[Seen]:
        return [seen for seen in self.seen if path in seen.path]

    def host(self, data: bytes, name: str = "") -> str:
        """Put bytes where anybody can fetch them; a marketplace that encodes again stores another file."""
        if self.reencodes and not name:
            out = io.BytesIO()
            Image.open(io.BytesIO(data)).convert("RGB").save(out, "JPEG", quality=75)
            data = out.getvalue()
        name = name or f"{next(self.numbers)}.jpg"
        self.files[name] = data
        return f"{self.url}/files/{name}"

    def answer(self, seen: Seen) -> tuple[int, Any, dict[str, str]]:
        path, query = urlsplit(seen.path).path, parse_qs(urlsplit(seen.path).query)
        if path.startswith("/wb"):
            return self._wb(path, seen)
        if path.startswith("/ozon"):
            return self._ozon(path, seen)
        if path.startswith("/etsy"):
            return self._etsy(seen)
        if path.startswith("/ebay"):
            return self._ebay(path, seen)
        if path.startswith("/kaspi"):
            return self._kaspi(path, seen, query)
        return 404, None, {}

    def _wb(self, path: str, seen: Seen) -> tuple[int, Any, dict[str, str]]:
        if seen.headers.get("authorization") != "wb-token-1":
            return 401, GATEWAY, {}
        if path.endswith("/content/v2/get/cards/list"):
            assert seen.body["settings"]["filter"]["textSearch"]
            cards = [{"nmID": 123, "vendorCode": "R", "photos": [{"big": url, "tm": url} for url in self.gallery]}]
            return 200, {"cards": cards, "cursor": {"total": 1}}, {}
        if seen.headers["x-nm-id"] != "123":
            return 400, _media("The nomenclature was not found"), {}
        width, height = Image.open(io.BytesIO(seen.file)).size
        if width < 700 or height < 900:
            return 400, _media(f"Image is smaller than 700x900: {width}x{height}"), {}
        if not self.swallows:
            place = min(int(seen.headers["x-photo-number"]) - 1, len(self.gallery))
            self.gallery[place : place + 1] = [self.host(seen.file)]
        return 200, {"data": {}, "error": False, "errorText": "", "additionalErrors": None}, {}

    def _ozon(self, path: str, seen: Seen) -> tuple[int, Any, dict[str, str]]:
        if seen.headers.get("client-id") != "42" or seen.headers.get("api-key") != "ozon-key-1":
            return 403, {"code": 7, "message": "Invalid Api-Key, please contact support", "details": []}, {}
        if path.endswith("/v1/product/pictures/import"):
            self.gallery, self.waiting = [], list(seen.body["images"])
            product = seen.body["product_id"]
            assert isinstance(product, int)
            made = [
                {"is_360": False, "is_color": False, "is_primary": i == 0, "product_id": product, "state": "imported",
                 "url": url} for i, url in enumerate(self.waiting)
            ]  # fmt: skip
            return 200, {"result": {"pictures": made}}, {}
        assert seen.body == {"product_id": ["77"]}
        if self.waiting and self.delay <= 0 and not self.errors:
            self.gallery = [self.host(self.files[url.rsplit("/", 1)[-1]]) for url in self.waiting]
            self.waiting = []
        self.delay -= 1
        first, rest = self.gallery[:1], self.gallery[1:]
        item = {"product_id": 77, "primary_photo": first, "photo": rest, "color_photo": [], "errors": self.errors}
        return 200, {"items": [item]}, {}

    def _etsy(self, seen: Seen) -> tuple[int, Any, dict[str, str]]:
        if seen.headers.get("x-api-key") != "keystring:shared" or seen.headers.get("authorization") != "Bearer etsy-1":
            return 403, {"error": "Invalid API key: should be in the format 'keystring:shared_secret'."}, {}
        if seen.method == "GET":
            return 200, {"count": len(self.etsy), "results": list(reversed(self.etsy))}, {}
        if seen.method == "PATCH":
            assert set(seen.body) == {"image_ids"}, "the state of a listing is never touched: activating is billed"
            by = {image["listing_image_id"]: image for image in self.etsy}
            self.etsy = [by[number] for number in seen.body["image_ids"]]
            self._rank()
            return 200, {"listing_id": 55, "state": "draft"}, {}
        if len(self.etsy) >= 20:
            return 400, {"error": "The listing already has the maximum number of images."}, {}
        rank = 1 if self.etsy_forgets_rank else int(seen.form.get("rank", 1))
        new = {"listing_image_id": next(self.numbers), "listing_id": 55, "url_fullxfull": self.host(seen.file)}
        replaced = seen.form.get("overwrite") == "true" and rank <= len(self.etsy) and not self.etsy_forgets_rank
        self.etsy[rank - 1 : rank if replaced else rank - 1] = [new]
        self._rank()
        return 201, new, {"x-remaining-this-second": "9"}

    def _rank(self) -> None:
        for rank, image in enumerate(self.etsy, start=1):
            image["rank"] = rank

    def _ebay(self, path: str, seen: Seen) -> tuple[int, Any, dict[str, str]]:
        if seen.headers.get("authorization") != "Bearer ebay-1":
            return 401, {"errors": [_ebay_error(1001, "Invalid access token")]}, {}
        if path.endswith("/image/create_image_from_file"):
            if len(seen.file) > 12582912:
                return 400, {"errors": [_ebay_error(190201, "The file is too large")]}, {}
            url = self.host(seen.file)
            body = {"imageUrl": url, "expirationDate": self.expires}
            return 201, body, {"Location": f"https://apim.ebay.com/commerce/media/v1_beta/image/{next(self.numbers)}"}
        if seen.method == "GET":
            return 200, self.item, {}
        if "content-language" not in seen.headers:
            return 400, {"errors": [_ebay_error(25709, "Invalid value for header Content-Language.")]}, {}
        self.item = {"sku": "EB-1", **seen.body}
        return 204, None, {}

    def _kaspi(self, path: str, seen: Seen, query: dict[str, list[str]]) -> tuple[int, Any, dict[str, str]]:
        if seen.headers.get("x-auth-token") != "kaspi-1":
            return 401, {"message": "Unauthorized"}, {}
        if seen.method == "POST":
            assert seen.headers["content-type"] == "text/plain"
            code = f"import-{next(self.numbers)}"
            self.imports[code] = seen.body
            return 200, {"code": code, "status": "UPLOADED"}, {}
        code = query["i"][0]
        if path.endswith("/result"):
            skus = {product["sku"]: {"state": "CREATED"} for product in self.imports[code]}
            if self.errors:
                return 200, {"errors": 1, "warnings": 0, "skipped": 0, "total": 1, "result": self.errors[0]}, {}
            return 200, {"errors": 0, "warnings": 0, "skipped": 0, "total": len(skus), "result": skus}, {}
        self.delay -= 1
        return 200, {"code": code, "status": "UPLOADED" if self.delay >= 0 else "FINISHED"}, {}


def _media(said: str) -> dict[str, Any]:
    return {"data": None, "error": True, "errorText": said, "additionalErrors": {}}


def _ebay_error(number: int, said: str) -> dict[str, Any]:
    return {"errorId": number, "domain": "API_MEDIA", "category": "REQUEST", "message": said, "longMessage": f"{said}.",
            "parameters": []}  # fmt: skip


@contextmanager
def a_bazaar() -> Iterator[Bazaar]:
    """All five on one port, under /wb, /ozon, /etsy, /ebay and /kaspi; /files hands out pictures."""
    bazaar = Bazaar()

    class Handler(Quiet):
        def _handle(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {key.lower(): value for key, value in self.headers.items()}
            if self.path.startswith("/files/"):
                data = bazaar.files.get(self.path.rsplit("/", 1)[-1])
                return self._reply(200 if data else 404, data or b"", {"Content-Type": "image/jpeg"})
            seen = Seen(self.command, self.path, headers, None, {}, b"")
            kind = headers.get("content-type", "")
            if kind.startswith("multipart/"):
                message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + raw)
                for part in message.iter_parts():  # type: ignore[attr-defined]
                    name = part.get_param("name", header="content-disposition")
                    if part.get_filename():
                        seen.file, seen.form["(file)"] = part.get_payload(decode=True), str(name)
                    else:
                        seen.form[str(name)] = part.get_payload(decode=True).decode()
            elif raw:
                seen.body = json.loads(raw)
            bazaar.seen.append(seen)
            fault = next((f for f in bazaar.faults if f.strikes(self.path)), None)
            if fault is not None:
                if fault.kept:
                    bazaar.answer(seen)
                return self._reply(fault.status, json.dumps(fault.body).encode(), fault.headers)
            status, body, more = bazaar.answer(seen)
            return self._reply(status, b"" if body is None else json.dumps(body).encode(), more)

        def _reply(self, status: int, data: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = _handle

    with serving(Handler) as bazaar.url:
        yield bazaar
