"""The fidelity certificate of a card: what was kept, what was measured, and a way to compute all of it again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vitrina import __version__, steps
from vitrina.codec.decode import decode
from vitrina.drafts import Reference, reference_of
from vitrina.errors import Missing, Unreadable
from vitrina.files import read_bytes
from vitrina.imaging.colour import encode_srgb
from vitrina.imaging.resample import resample, resample_plane
from vitrina.model import Adjustment, Cutout, Finding, Placement, Severity, Size, Source, verdict_of
from vitrina.plugins import Segmenter
from vitrina.stages.verify import LIMITS

CERTIFICATE = "certificate.json"
DRAFTS, REJECTED, MASTERS, ORIGINALS = "drafts", "drafts-rejected", "masters", "original"
"""The folders of a card."""
SCHEMA = "vitrina.certificate/1"
_ROWS = 512
_CODE = 1.01 / 65535
"""One step of 16 bits: as near as a PNG of 16 bits can come."""
_DEPARTURE_CODES = 6.0
"""Root mean square distance, in 8-bit codes over the piece, of a JPEG from the picture its certificate describes."""

Say = Callable[[str, float], None]
"""Called with what is being done and the share that is done, 0…1."""


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
    photos = [
        {
            "photo": photo["photo"],
            "source": f"{ORIGINALS}/{photo['photo']}",
            "source_sha256": photo["sha256"],
            "rights": photo["rights"],
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


@dataclass(frozen=True, slots=True)
class _Proof:
    """One photo of a certified card with its master, both read from their files."""

    source: Source
    cut: Cutout
    adjustment: Adjustment
    reference: Reference


def check_certificate(folder: Path, *, finder: Segmenter, say: Say = lambda _w, _s: None) -> dict[str, Any]:
    """Compute everything in a card's certificate again from the files in `folder`; differences are findings.

    Hashes are taken again; the master is compared with the photo pixel by pixel; every rendition is composed again from
    the master under the recorded adjustment and placement and compared with its file, and verified again.

    Raises Missing or Unreadable when there is no certificate, or none that can be read.
    """
    stated = _read(folder / CERTIFICATE)
    findings: list[Finding] = []
    if stated["version"] != __version__:
        findings.append(
            Finding(
                "file", "other-version", Severity.NOTE, __version__, str(stated["version"]), "version",
                f"Certified by version {stated['version']}, checked by {__version__}: measures may differ a little.",
            )
        )  # fmt: skip
    if not stated["renditions"]:
        findings.append(
            Finding(
                "file", "nothing-certified", Severity.WARN, 0, 1, "renditions",
                "The certificate is of a card without drafts: there is nothing that could be fit to publish.",
            )
        )  # fmt: skip
    proofs: dict[str, _Proof] = {}
    work = len(stated["photos"]) + len(stated["renditions"])
    for number, photo in enumerate(stated["photos"]):
        say(f"checking {photo['photo']}", number / work)
        found, proof = _check_photo(folder, photo, finder)
        findings += found
        if proof is not None:
            proofs[photo["photo"]] = proof
    measures = {}
    for number, rendition in enumerate(stated["renditions"], start=len(stated["photos"])):
        say(f"checking {rendition['file']}", number / work)
        found, departure = _check_rendition(folder, rendition, proofs.get(rendition["photo"]))
        findings += found
        measures[rendition["file"]] = {"departure_codes": departure}
    return {
        "schema": "vitrina.certificate-check/1",
        "folder": str(folder),
        "sku": stated["sku"],
        "verdict": verdict_of(findings).value,
        "photos": len(stated["photos"]),
        "renditions": len(stated["renditions"]),
        "findings": [finding.as_dict() for finding in findings],
        "measures": measures,
    }


def _read(path: Path) -> dict[str, Any]:
    try:
        stated = json.loads(read_bytes(path))
        if stated["schema"] != SCHEMA or not {"version", "sku", "photos", "renditions"} <= set(stated):
            raise ValueError(f"schema {stated.get('schema')!r}, {SCHEMA} wanted")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"{path}: not a certificate ({error}). Make the card again.") from error
    return dict(stated)


def _check_photo(folder: Path, photo: Mapping[str, Any], finder: Segmenter) -> tuple[list[Finding], _Proof | None]:
    original, first = _same_bytes(folder, photo["source"], photo["source_sha256"])
    master, second = _same_bytes(folder, photo["master"], photo["master_sha256"])
    findings = [*first, *second]
    if original is None or master is None:
        return findings, None
    source = steps.take_in(original, name=photo["source"])
    cut = steps.cutout(steps.take_in(master, name=photo["master"], max_megapixels=float("inf")), finder=finder)
    if cut.size != source.size:
        findings.append(_block("other-size", f"{photo['master']}: {cut.size}, its photo is {source.size}."))
        return findings, None
    share = share_of_source(source, master, name=photo["master"])
    for name, value in share.items():
        if abs(value - float(photo["product_pixels"][name])) > 1e-6:
            findings.append(
                Finding(
                    "file", "share-differs", Severity.BLOCK, value, float(photo["product_pixels"][name]), name,
                    f"{photo['master']}: the share of product pixels ({name}) is {value:.4%}, the certificate says "
                    f"{float(photo['product_pixels'][name]):.4%}. Make the card again.",
                )
            )  # fmt: skip
    stated = photo["adjustment"] or {"gains": (1.0, 1.0, 1.0), "reason": "none"}
    red, green, blue = (float(gain) for gain in stated["gains"])
    adjustment = Adjustment((red, green, blue), stated["reason"])
    return findings, _Proof(source, cut, adjustment, reference_of(source, cut))


def _check_rendition(
    folder: Path, stated: Mapping[str, Any], proof: _Proof | None
) -> tuple[list[Finding], float | None]:
    data, findings = _same_bytes(folder, stated["file"], stated["sha256"])
    if data is None or proof is None:
        return findings, None
    shipped = steps.take_in(data, name=stated["file"])
    departure = _departure(proof, stated, shipped)
    if departure is None or departure > _DEPARTURE_CODES:
        findings.append(
            Finding(
                "file", "not-from-master", Severity.BLOCK, departure, _DEPARTURE_CODES, "8-bit codes",
                f"{stated['file']}: is not the master on its ground under the recorded adjustment. Render it again.",
            )
        )  # fmt: skip
    seen = proof.reference.verify(shipped, placement=_placement(stated))
    before = sorted((finding["check"], finding["code"], finding["severity"]) for finding in stated["findings"])
    now = sorted((finding.check, finding.code, finding.severity.value) for finding in seen.findings)
    if before != now:
        severity = Severity.BLOCK if seen.verdict.value != stated["verdict"] else Severity.WARN
        findings.append(
            Finding(
                "file", "judged-otherwise", severity, seen.verdict.value, str(stated["verdict"]), "verdict",
                f"{stated['file']}: verification now says {seen.verdict.value}, the certificate {stated['verdict']}. "
                "Make the card again with this version.",
            )
        )  # fmt: skip
    return findings, departure


def _departure(proof: _Proof, stated: Mapping[str, Any], shipped: Source) -> float | None:
    """RMS distance over the piece of the file from master, adjustment, look and placement put together again."""
    placement = _placement(stated)
    if placement.size != shipped.size:
        return None
    variant = steps.compose(proof.cut, stated["look"], adjustment=proof.adjustment)
    own = variant.placement
    onward = Placement(
        placement.scale / own.scale,
        placement.dx - own.dx * placement.scale / own.scale,
        placement.dy - own.dy * placement.scale / own.scale,
        placement.size,
    )
    red, green, blue = (float(value) for value in variant.rgb[0, 0])
    wanted = encode_srgb(resample(variant.rgb, onward, fill=(red, green, blue)))
    inside = resample_plane(variant.alpha, onward) > 0.5
    if not inside.any():
        return None
    return float(255 * np.sqrt(np.mean((wanted[inside] - encode_srgb(shipped.rgb)[inside]) ** 2)))


def _placement(stated: Mapping[str, Any]) -> Placement:
    place = stated["placement"]
    return Placement(place["scale"], place["dx"], place["dy"], Size(place["width"], place["height"]))


def _same_bytes(folder: Path, name: str, digest: str) -> tuple[bytes | None, list[Finding]]:
    """The bytes of a certified file, or None and why not."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        return None, [_block("outside", f"{name}: lies outside the card's folder.")]
    try:
        data = read_bytes(path)
    except Missing:
        return None, [_block("file-missing", f"{name}: the certified file is gone. Restore it or make the card again.")]
    found = hashlib.sha256(data).hexdigest()
    if found == digest:
        return data, []
    return None, [
        Finding(
            "file", "file-changed", Severity.BLOCK, found[:12], digest[:12], "SHA-256",
            f"{name}: is not the certified file (its SHA-256 differs). Restore it or make the card again.",
        )
    ]  # fmt: skip


def _block(code: str, message: str) -> Finding:
    return Finding("file", code, Severity.BLOCK, None, None, "", message)
