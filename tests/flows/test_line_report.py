"""The report of one line measures its main pictures as they are on record."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles.house import Opinions, a_house, hire
from tests.doubles.house import picture as photo
from tests.stages.test_line_meter import picture
from vitrina.actions import pictures, skus
from vitrina.actions.reporting import report_line
from vitrina.codec.encode import encode_jpeg
from vitrina.errors import Missing, UsageError
from vitrina.store import pictures as records


def test_a_line_is_measured_and_the_odd_one_named(tmp_path: Path) -> None:
    with a_house(tmp_path / "home", None, Opinions()) as house:
        hire(house)
        skus.set_line(house.acting_as("Ann"), "Dew", recipe={}, checklist={})
        for number in range(5):
            code = f"R-{number}"
            skus.put_sku(house.acting_as("Phil"), {"sku": code, "line": "Dew", "metal": "gold"}, is_new=True)
            path = tmp_path / f"{number}.png"
            path.write_bytes(photo(100 + number))
            pictures.import_photo(house.acting_as("Phil"), code, path)
            path.write_bytes(photo(200 + number))
            pictures.import_variant(house.acting_as("Ray"), code, path, tool="Other")
            data = encode_jpeg(picture(ground=255 if number else 236, seed=number), quality=95)
            with house.store.writing() as conn:
                digest = house.works.put(data)
                records.keep_blob(conn, digest, room="works", size=len(data), at="t")
                records.add_rendition(
                    conn, number + 1, market="wildberries", slot="main", name="a.jpg", digest=digest, verdict="pass"
                )
        assert "meter" not in report_line(house.acting_as("Rita"), "Dew")
        told = report_line(house.acting_as("Rita"), "Dew", market="wildberries")
        assert told["lines"][0]["skus"] == 5 and told["meter"]["market"] == "wildberries"
        assert [(item["sku"], item["code"]) for item in told["meter"]["outliers"]] == [("R-0", "line-ground")]
        assert told["verdict"] == "review" and len(told["meter"]["pictures"]) == 5
        elsewhere = report_line(house.acting_as("Rita"), "Dew", market="kaspi")
        assert elsewhere["meter"]["spread"] == {"pictures": 0} and elsewhere["verdict"] == "pass"
        assert "meter" not in report_line(house.acting_as("Rita"), "")
        with pytest.raises(Missing, match="no line 'Fog'"):
            report_line(house.acting_as("Rita"), "Fog")
        with pytest.raises(UsageError, match="bazaar"):
            report_line(house.acting_as("Rita"), "Dew", market="bazaar")
        with pytest.raises(UsageError, match="name the line"):
            report_line(house.acting_as("Rita"), "", market="kaspi")
