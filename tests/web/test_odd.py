"""Odd requests to every endpoint: whatever is asked, nothing breaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.web.studio import a_studio, sign_in
from tests.web.test_rights import API
from vitrina.actions.people import add_person

ODD = ("\x00", "a" * 5000, "..", "😀", "'; drop table skus;--", "9" * 30)
NAMES = ("{code}", "{number}", "{delivery}", "{market}", "{digest}", "{entry:path}")


def test_no_request_breaks_an_endpoint(tmp_path: Path) -> None:
    with a_studio(tmp_path) as (app, house):
        add_person(house.acting_as("Ann"), "Ann", ["reviewer", "publisher", "photographer", "auditor"])
        client = sign_in(app, house, "Ann")
        client.headers["accept"] = "application/json"
        for method, path in API:
            for odd in ODD:
                where = "/api/v1" + path
                for name in NAMES:
                    where = where.replace(name, quote(odd, safe=""))
                said: dict[str, Any] = {key: odd for key in ("search", "after", "line", "month", "quarter", "name")}
                body = {
                    "sku": odd,
                    "title": odd,
                    "reason": odd,
                    "market": odd,
                    "markets": [odd],
                    "yes": True,
                    "url": odd,
                    "types": [odd],
                }
                said |= {"last-event-id": odd} | ({"seconds": 0} if path.endswith("/progress") else {})
                how: dict[str, Any] = {"params": said} if method == "GET" else {"json": body}
                answer = client.request(method, where, **how)
                assert answer.status_code < 500, (method, path, odd[:20], answer.text[:300])
                if answer.status_code >= 400:
                    assert answer.headers["content-type"] == "application/problem+json"
