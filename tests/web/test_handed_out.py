"""Exported pictures at the studio's own address, for marketplaces that fetch them: those and no others."""

from __future__ import annotations

from pathlib import Path

from tests.flows.test_gate import approve, make
from tests.web.studio import a_client, a_studio
from vitrina.actions import gate, pictures, release
from vitrina.backends.blobs import digest_of


def test_only_what_was_exported_is_handed_out_and_only_while_its_approval_holds(tmp_path: Path) -> None:
    with a_studio(tmp_path / "home") as (app, house):
        make(house, tmp_path)
        nobody = a_client(app, html=False)
        where = "/handed-out/RING-1/kaspi/RING-1-main.png"
        pictures.submit(house.acting_as("Ray"), "RING-1")
        approved = approve(house, "Rita")["decided"][0]["digest"]
        assert nobody.get(where).status_code == 404, "approved, but not exported"
        assert release.export(house.acting_as("Pat"), "RING-1", market="kaspi")["files"] == ["RING-1-main.png"]
        answer = nobody.get(where)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
        assert digest_of(answer.content) == approved
        assert nobody.head(where).status_code == 200
        told = {
            nobody.get(other).text
            for other in (
                "/handed-out/RING-1/ozon/RING-1-main.png", "/handed-out/RING-1/kaspi/other.png",
                "/handed-out/RING-9/kaspi/RING-1-main.png",
            )
        }  # fmt: skip
        assert len(told) == 1 and "no such file" in told.pop(), "what there is besides is not told"
        gate.reject(house.acting_as("Rob"), "RING-1", reason="colour", words="The piece is paler.")
        assert nobody.get(where).status_code == 404
