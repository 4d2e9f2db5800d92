"""The look-up by name, and that the built-in plugins register the way any other does."""

from __future__ import annotations

import pytest

from vitrina.backends.blobs import FolderBlobs
from vitrina.backends.segmenters import load_segmenter
from vitrina.errors import UsageError
from vitrina.plugins import plugin


def test_the_built_in_plugins_are_found_by_name() -> None:
    assert plugin("segmenters", "onnx") is load_segmenter
    assert plugin("blobs", "folder") is FolderBlobs


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"'cloud'.*onnx"):
        plugin("segmenters", "cloud")


def test_an_unknown_kind_has_none() -> None:
    with pytest.raises(UsageError, match="none"):
        plugin("teleporters", "x")
