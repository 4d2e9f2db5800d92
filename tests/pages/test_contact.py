"""The contact sheet: every picture in its cell, its verdict under it."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from vitrina.pages.contact import CELL_PX, GAP_PX, LINE_PX, contact_sheet, framed


@pytest.mark.parametrize(("count", "cells"), [(1, (1, 1)), (4, (4, 1)), (5, (4, 2))])
def test_every_picture_has_its_cell_and_mark(count: int, cells: tuple[int, int]) -> None:
    verdicts = ("pass", "review", "reject")
    frames = [
        framed(np.full((90, 120, 3), 0.02 * i, np.float32), title=f"main {i}", words="кольцо", verdict=verdicts[i % 3])
        for i in range(count)
    ]
    with Image.open(io.BytesIO(contact_sheet(frames))) as image:
        sheet = np.asarray(image)
    across, down = cells
    assert sheet.shape[:2] == (GAP_PX + down * (CELL_PX + LINE_PX + GAP_PX), GAP_PX + across * (CELL_PX + GAP_PX))
    for i in range(count):
        x, y = GAP_PX + i % 4 * (CELL_PX + GAP_PX), GAP_PX + i // 4 * (CELL_PX + LINE_PX + GAP_PX)
        middle = sheet[y + CELL_PX // 2, x + CELL_PX // 2].astype(int)
        assert middle.max() < 90, "the picture"
        mark = sheet[y + CELL_PX + 5, x + CELL_PX // 2].astype(int)
        assert (mark[1] > mark[0]) if verdicts[i % 3] == "pass" else (mark[0] > mark[1])
