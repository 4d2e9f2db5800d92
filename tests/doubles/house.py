"""A house whose program judges at once, as it is told, so that the gate can be tested without pixels."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from PIL import Image

from vitrina.actions.house import CardRequest, House, Program, open_house
from vitrina.actions.people import add_person
from vitrina.backends.blobs import digest_of
from vitrina.card_folder import CardFolder
from vitrina.config import Config
from vitrina.rules.load import load_pack

WARN = {"check": "stones", "code": "stone-colour", "severity": "warn", "measured": 3.0, "limit": 2.0, "unit": "ΔE00",
        "region": None, "message": "A stone's colour moved."}  # fmt: skip
BLOCK = {**WARN, "code": "stone-missing", "severity": "block", "message": "Stone 4 of 7 is not in the edit."}


@dataclass
class Opinions:
    """What the program will say: of edits, of files against rules, and which rules there are."""

    findings: list[dict[str, Any]] = field(default_factory=list)
    rule_findings: list[dict[str, Any]] = field(default_factory=list)
    pack: str | None = None
    """The edition of every pack, where it is not the real one."""
    judged: list[tuple[bytes, bytes, bytes]] = field(default_factory=list)

    def judge(self, source: bytes, edit: bytes, facts: bytes) -> dict[str, Any]:
        self.judged.append((source, edit, facts))
        return self._document(self.findings)

    def rules(self, _data: bytes, _market: str, _slot: str, _name: str) -> dict[str, Any]:
        return self._document(self.rule_findings)

    @staticmethod
    def _document(findings: list[dict[str, Any]]) -> dict[str, Any]:
        severities = {finding["severity"] for finding in findings}
        verdict = "reject" if "block" in severities else "review" if "warn" in severities else "pass"
        return {"verdict": verdict, "findings": list(findings)}


@contextmanager
def a_house(
    home: Path, database: str | None = None, opinions: Opinions | None = None, *, blobs: str | None = None
) -> Iterator[House]:
    """A house with nobody in it, a clock that ticks by seconds, and a program with `opinions`."""
    says = opinions or Opinions()
    ticks = itertools.count()
    start = datetime(2026, 1, 1, tzinfo=UTC)
    with open_house(Config(home, database=database, blobs=blobs)) as house:
        yield replace(
            house,
            clock=lambda: start + timedelta(seconds=next(ticks)),
            program=Program(says.judge, says.rules, lambda market: says.pack or load_pack(market).edition, draw_card),
        )


CREW = {
    "Ann": ["admin"],
    "Phil": ["photographer"],
    "Ray": ["retoucher"],
    "Rita": ["reviewer"],
    "Rob": ["reviewer"],
    "Pat": ["publisher"],
    "Aud": ["auditor"],
}


def hire(house: House) -> None:
    """One person per role, and two reviewers."""
    for name, roles in CREW.items():
        add_person(house.acting_as("Ann"), name, roles)


def picture(shade: int = 200, *, side: int = 12) -> bytes:
    """A small picture, different for each `shade`."""
    out = io.BytesIO()
    Image.new("RGB", (side, side), (shade % 256, shade // 256, 100)).save(out, "PNG")
    return out.getvalue()


def draw_card(request: CardRequest) -> dict[str, Any]:
    """A card as the pipeline leaves it, in a moment: a master and a draft per look and marketplace."""
    document: dict[str, Any] = {"schema": "vitrina.card/1", "sku": request.sku, "verdict": "pass", "errors": [],
                                "photos": [], "drafts": [], "refused": [], "stopped": None}  # fmt: skip
    empty = {"verdict": "pass", "findings": []}
    files: dict[str, bytes] = {"report.html": request.sku.encode(), "certificate.json": b"{}"}
    for photo in request.photos:
        data = photo.read_bytes()
        master = f"masters/{photo.stem}-cutout.png"
        files[master] = b"cutout of " + data
        files[f"original/{photo.name}"] = data
        looks = [{"look": look, "verify": empty} for look in request.recipe["looks"]]
        cutout = {"method": "drawn", "master": master, "master_sha256": digest_of(files[master]), **empty}
        document["photos"].append(
            {"photo": photo.name, "sha256": digest_of(data), "inspect": empty, "cutout": cutout, "variants": looks}
        )
        for look in request.recipe["looks"]:
            for market in request.recipe["markets"]:
                name = f"drafts/{market}/{request.sku}-{photo.stem}-{look}.jpg"
                files[name] = f"{market} {look} of ".encode() + data
                document["drafts"].append(
                    {"file": name, "sha256": digest_of(files[name]), "market": market, "slot": "main", "look": look,
                     "photo": photo.name, "verdict": "pass", "verify": empty, "rules": empty}
                )  # fmt: skip
    with CardFolder(request.folder, request.sku) as folder:
        for name, data in files.items():
            folder.put(name, data)
        folder.finish(document)
    return document
