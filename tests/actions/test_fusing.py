"""Several frames of one view as files: the fused draft says what it is, and is never taken for an original."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests import scenes
from tests.doubles.house import a_house
from vitrina import steps
from vitrina.actions import pictures, skus
from vitrina.codec.encode import encode_png16
from vitrina.codec.metadata import probe
from vitrina.codec.xmp import fused_packet
from vitrina.errors import UsageError
from vitrina.model import Severity, Size
from vitrina.stages.intake import check_source

SIZE = Size(480, 400)


def fused_file(path: Path) -> Path:
    rgb = np.clip(scenes.ring(SIZE).rgb, 0, 1).astype(np.float32)
    path.write_bytes(encode_png16(rgb, xmp=fused_packet("focus", ["a" * 64, "b" * 64])))
    return path


def test_a_fused_file_names_its_frames_and_is_no_original(tmp_path: Path) -> None:
    data = fused_file(tmp_path / "x.png").read_bytes()
    assert b"a" * 64 in data
    facts = probe(data, name="x.png")
    assert facts.metadata["DigitalSourceType"] == "computationalCapture"
    scene = scenes.ring(SIZE)
    findings, _ = check_source(steps.take_in(data, name="x.png"), piece=scene.alpha)
    found = {finding.code: finding.severity for finding in findings}
    assert found["not-original"] is Severity.BLOCK
    assert "ai-marked" not in found


def test_a_fused_file_is_not_archived_as_a_photo(tmp_path: Path) -> None:
    path = fused_file(tmp_path / "x.png")
    with a_house(tmp_path / "home") as house:
        skus.put_sku(house, {"sku": "RING-1", "piece_type": "ring"}, is_new=True)
        with pytest.raises(UsageError, match="no original"):
            pictures.import_photo(house, "RING-1", path)
        assert list(house.originals.digests()) == []
