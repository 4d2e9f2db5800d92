"""A piece's type says how many parts its cutout has, and that a ring is open."""

from __future__ import annotations

import numpy as np
import pytest

from tests.scenes import chain, earrings, ring
from vitrina.errors import UsageError
from vitrina.model import Alpha
from vitrina.stages.cutout import parts_of
from vitrina.stages.edges.contract import CONTRACTS, check_contract
from vitrina.stages.review import TYPE_LINES


def codes(alpha: Alpha, piece_type: str) -> list[str]:
    return [finding.code for finding in check_contract(alpha, parts_of(alpha), piece_type)]


def test_every_piece_type_of_the_catalogue_has_a_contract() -> None:
    assert set(CONTRACTS) == set(TYPE_LINES)


def test_what_keeps_its_contract_is_fine() -> None:
    assert codes(ring().alpha, "ring") == []
    assert codes(earrings().alpha, "earrings") == []
    assert codes(chain().alpha, "other") == []


def test_a_ring_that_was_filled_is_asked_about() -> None:
    filled = ring()
    alpha = np.where(filled.daylight, 1, filled.alpha).astype(np.float32)
    assert codes(alpha, "ring") == ["opening-closed"]


def test_one_earring_is_no_pair_and_a_pair_is_no_ring() -> None:
    pair = earrings().alpha
    one = pair.copy()
    one[:, : one.shape[1] // 2] = 0
    assert codes(one, "earrings") == ["parts-unlike-type"]
    assert "parts-unlike-type" in codes(pair, "ring")


def test_an_empty_cutout_has_said_so_already_and_unknown_types_are_refused() -> None:
    assert codes(np.zeros((40, 40), np.float32), "ring") == []
    with pytest.raises(UsageError, match="there are ring"):
        codes(ring().alpha, "crown")
