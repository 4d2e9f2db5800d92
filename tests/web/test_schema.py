"""Requests drawn from the API's own schema: none of them may be answered with a fault of ours."""

from __future__ import annotations

from pathlib import Path

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error

from tests.web.studio import a_studio, drawn, sign_in
from vitrina.actions.people import add_person
from vitrina.actions.pictures import import_photo
from vitrina.actions.skus import put_sku

EXAMPLES = 12
"""Requests of each operation."""


def test_no_request_of_the_schema_is_a_server_error(tmp_path: Path) -> None:
    with a_studio(tmp_path) as (app, house):
        add_person(house.acting_as("Ann"), "Ann", ["reviewer", "publisher", "photographer", "auditor"])
        put_sku(house.acting_as("Phil"), {"sku": "R-1", "piece_type": "ring"}, is_new=True)
        (tmp_path / "ring.png").write_bytes(drawn(200))
        import_photo(house.acting_as("Phil"), "R-1", tmp_path / "ring.png")
        client = sign_in(app, house, "Ann")
        headers = {
            "Host": "127.0.0.1:8765",
            "X-Form-Token": client.headers["X-Form-Token"],
            "Accept": "application/json",
        }
        cookies = {"vitrina_session": client.cookies["vitrina_session"]}
        schema = schemathesis.openapi.from_asgi("/openapi.json", app, headers=headers)
        asked = 0
        for found in schema.get_all_operations():
            operation = found.ok()
            if operation.path.endswith("/progress"):  # streams that do not end
                continue

            @given(case=st.one_of(operation.as_strategy()))
            @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
                      phases=(Phase.generate,), suppress_health_check=list(HealthCheck))  # fmt: skip
            def ask(case: schemathesis.Case) -> None:
                nonlocal asked
                asked += 1
                case.call_and_validate(headers=headers, cookies=cookies, checks=[not_a_server_error])

            ask()
        assert asked > 20 * EXAMPLES
