"""The reports say what the records hold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.doubles.house import WARN, Opinions, a_house, hire, picture
from vitrina import reports
from vitrina.actions import gate, pictures, reporting, skus
from vitrina.actions.house import House
from vitrina.errors import Missing, NotAllowed, UsageError


@pytest.fixture
def house(tmp_path: Path, database: str) -> Iterator[House]:
    """Two SKUs of one line and one of none: one approved, one rejected by both, one fault planted and missed."""
    opinions = Opinions()
    with a_house(tmp_path / "home", database, opinions) as house:
        hire(house)
        for number, code in enumerate(("A", "B", "C")):
            opinions.findings = [WARN] if code == "B" else []
            line = "Night" if code != "C" else ""
            cells = {"sku": code, "line": line, "stock": "2", "factory": f"F{code}"}
            skus.put_sku(house.acting_as("Phil"), cells, is_new=True)
            for shade in (2 * number, 2 * number + 1):
                (tmp_path / f"{shade}.png").write_bytes(picture(shade))
            pictures.import_photo(house.acting_as("Phil"), code, tmp_path / f"{2 * number}.png")
            pictures.import_variant(house.acting_as("Ray"), code, tmp_path / f"{2 * number + 1}.png", tool="Other")
            pictures.submit(house.acting_as("Ray"), code)
        (tmp_path / "bad.png").write_bytes(picture(99))
        gate.plant(house.acting_as("Ann"), "C", tmp_path / "bad.png", fault="no clasp")
        for code in ("A", "C"):
            rita = house.acting_as("Rita")
            gate.answer(rita, code, ["stones", "chain", "edges", "background", "rules"], yes=True)
            gate.approve(rita, code)
        for who in ("Rita", "Rob"):
            gate.reject(house.acting_as(who), "B", reason="stones", words="too blue")
        skus.add_return(
            house.acting_as("Pat"), "A", ordered="2026-01-02", returned="2026-01-20", reason="colour", words="paler"
        )
        yield house


def test_rejections_are_counted_by_what_they_share(house: House) -> None:
    told = reporting.report_rejections(house.acting_as("Rita"), "2026-01")
    assert told["decisions"] == {"approve": 3, "reject": 2}
    assert told["share_rejected"] == 0.4
    assert told["by"]["reason"] == [{"reason": "stones", "number": 2}]
    assert told["by"]["factory"] == [{"factory": "FB", "number": 2}]
    assert told["by"]["reviewer"] == [{"reviewer": "Rita", "number": 1}, {"reviewer": "Rob", "number": 1}]
    assert told["findings"] == [{"finding": "stones/stone-colour", "number": 1}]
    assert [(item["sku"], item["words"]) for item in told["latest"]] == [("B", "too blue")] * 2
    assert reporting.report_rejections(house.acting_as("Rita"), "2025-12")["latest"] == []


def test_returns_name_who_had_approved(house: House) -> None:
    told = reporting.report_returns(house.acting_as("Rita"), "2026-Q1")
    assert told["number"] == 1
    assert told["by"]["line"] == [{"line": "Night", "number": 1}]
    assert told["returns"][0]["approved_by"] == ["Rita"]
    assert reporting.report_returns(house.acting_as("Rita"), "2026-Q2")["number"] == 0


def test_the_audit_tells_each_reviewers_catch_rate(house: House) -> None:
    told = reporting.report_audit(house.acting_as("Aud"), "2026-Q1")
    rates = {row["person"]: (row["approved"], row["rejected"], row["catch_rate"]) for row in told["reviewers"]}
    assert rates == {"Rita": (3, 1, 0.0), "Rob": (0, 1, None)}
    assert {"verb": "review.plant", "number": 1} in told["verbs"]
    assert told["events"][0]["seq"] == told["ledger"]["events"]
    with pytest.raises(NotAllowed, match="the role auditor or admin is lacking"):
        reporting.report_audit(house.acting_as("Rita"), None)


def test_a_line_stands_as_its_skus_do(house: House) -> None:
    told = {row["line"]: row for row in reporting.report_line(house.acting_as("Rita"), "")["lines"]}
    assert told["Night"]["skus"] == 2 and told["Night"]["stock"] == 4 and told["Night"]["photos"] == 2
    assert told["Night"]["variants"] == {"approved": 1, "rejected": 1}
    assert told[""]["variants"] == {"approved": 1, "superseded": 1}
    assert len(reporting.report_line(house.acting_as("Rita"), "Night")["lines"]) == 1
    with pytest.raises(Missing, match="no line"):
        reporting.report_line(house.acting_as("Rita"), "Day")


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [("2026-Q1", "2026-01-01", "2026-04-01"), ("2026-Q4", "2026-10-01", "2027-01-01")],
)
def test_quarters_meet(text: str, since: str, until: str) -> None:
    period = reports.quarter(text)
    assert (period.name, period.since, period.until) == (text, date.fromisoformat(since), date.fromisoformat(until))


def test_months_meet_and_nonsense_is_refused() -> None:
    assert [reports.month(f"2026-{m:02}").until for m in (1, 12)] == [date(2026, 2, 1), date(2027, 1, 1)]
    assert reports.month(None).since.day == 1
    assert reports.quarter(None).since.month in (1, 4, 7, 10)
    for wrong in ("2026-Q5", "Q1", "last"):
        with pytest.raises(UsageError, match="not a quarter"):
            reports.quarter(wrong)
    with pytest.raises(UsageError, match="not a period"):
        reports.month("2026-13")
