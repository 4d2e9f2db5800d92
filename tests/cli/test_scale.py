"""``vitrina scale-card`` and ``vitrina measure``."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from vitrina.cli import run
from vitrina.codec.encode import encode_png8
from vitrina.imaging.scale_card import draw


def test_the_card_is_a_pdf_of_a6(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["scale-card", "-o", str(tmp_path / "card.pdf")]) == 0
    assert "100 mm" in capsys.readouterr().err
    data = (tmp_path / "card.pdf").read_bytes()
    assert data.startswith(b"%PDF-1.7") and data.endswith(b"%%EOF\n")
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", data)
    assert box is not None
    assert [float(side) / 72 * 25.4 for side in box.groups()] == pytest.approx([148, 105], abs=0.01)
    table = int(data.rsplit(b"startxref\n", 1)[1].split()[0])
    assert data[table:].startswith(b"xref")
    for number, place in enumerate(re.findall(rb"(\d{10}) 00000 n", data), 1):
        assert data[int(place) :].startswith(b"%d 0 obj" % number)


def test_a_photo_of_the_card_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "card.png").write_bytes(encode_png8(draw(6)))
    assert run(["measure", str(tmp_path / "card.png"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "vitrina.measure/1"
    assert document["measures"]["mm_per_px"] == pytest.approx(1 / 6, rel=0.003)


def test_a_length_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "card.png").write_bytes(encode_png8(draw(3)))
    (tmp_path / "facts.toml").write_text('chain_length_mm = "long"', "utf-8")
    assert run(["measure", str(tmp_path / "card.png"), "--facts", str(tmp_path / "facts.toml")]) == 3
    assert "chain_length_mm = 450" in capsys.readouterr().err
