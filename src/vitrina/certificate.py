"""The fidelity certificate of a card: what was kept, what was measured, and a way to compute all of it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from vitrina.codec.decode import decode
from vitrina.imaging.colour import encode_srgb
from vitrina.model import Source

CERTIFICATE = "certificate.json"
DRAFTS, MASTERS, ORIGINALS = "drafts", "masters", "original"
"""The folders of a card."""
SCHEMA = "vitrina.certificate/1"
_ROWS = 512
_CODE = 1.01 / 65535
"""One step of 16 bits: as near as a PNG of 16 bits can come."""


def share_of_source(source: Source, master: bytes, *, name: str) -> dict[str, float]:
    """How much of the product in the file `master` is the source's, pixel by pixel.

    ``opaque`` is the share of the product (by coverage) where its matte is 1; ``same`` the share of those pixels that
    equal the source's within one 16-bit step; ``rim`` the share where product and old backdrop mix, whose colour was
    freed from the backdrop. The master carries no adjustment: that is one gain per channel, recorded beside it.
    """
    kept = decode(master, name=name, max_megapixels=float("inf"))
    alpha = kept.alpha if kept.alpha is not None else np.ones(kept.rgb.shape[:2], np.float32)
    covered = float(alpha.sum(dtype=np.float64))
    opaque = same = 0
    for start in range(0, len(alpha), _ROWS):
        rows = slice(start, start + _ROWS)
        full = alpha[rows] >= 1
        if full.any():
            apart = np.abs(encode_srgb(kept.rgb[rows][full]) - encode_srgb(source.rgb[rows][full])).max(axis=-1)
            opaque += int(full.sum())
            same += int((apart <= _CODE).sum())
    return {
        "opaque": round(opaque / covered, 6) if covered else 0.0,
        "same": round(same / opaque, 6) if opaque else 0.0,
        "rim": round(1 - opaque / covered, 6) if covered else 0.0,
    }


def certify(report: Mapping[str, Any], *, finder: str) -> dict[str, Any]:
    """The certificate of a card from its report document."""
    from vitrina.stages.verify import LIMITS

    photos = [
        {
            "photo": photo["photo"],
            "source": f"{ORIGINALS}/{photo['photo']}",
            "source_sha256": photo["sha256"],
            "master": photo["cutout"]["master"],
            "master_sha256": photo["cutout"]["master_sha256"],
            "product_pixels": photo["cutout"]["product_pixels"],
            "adjustment": photo.get("adjustment"),
        }
        for photo in report["photos"]
        if "master" in photo.get("cutout", {})
    ]
    renditions = [
        {
            "file": draft["file"],
            "sha256": draft["sha256"],
            "photo": draft["photo"],
            "market": draft["market"],
            "slot": draft["slot"],
            "look": draft["look"],
            "placement": draft["placement"],
            "verdict": draft["verify"]["verdict"],
            "findings": draft["verify"]["findings"],
            "measures": draft["verify"]["measures"],
        }
        for draft in report["drafts"]
    ]
    return {
        "schema": SCHEMA,
        "version": report["version"],
        "sku": report["sku"],
        "mode": report["mode"],
        "made_at": report["made_at"],
        "status": "draft",
        "generated": {
            "product": False,
            "background": False,
            "statement": "No generative model touched the product or its ground. A segmentation network drew the "
            "matte; the ground is one plain colour, with a computed shadow where the look has one.",
            "segmentation": finder,
        },
        "limits": asdict(LIMITS),
        "photos": photos,
        "renditions": renditions,
    }
