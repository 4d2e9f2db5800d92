"""SKUs as values: what a row of a price list says, every problem in it, and the same row written again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vitrina.model import Sku
from vitrina.stages.review import TYPE_LINES

COLUMNS = (
    "sku",
    "title",
    "piece_type",
    "line",
    "stock",
    "top",
    "factory",
    "stone_batch",
    "metal",
    "alloy",
    "stones",
    "pieces",
    "parts",
    "links",
    "chain_length_mm",
    "link_pattern",
    "clasp",
    "engraving",
    "marks",
)
"""The columns of an import and an export, in order."""

_TEXTS = ("metal", "alloy", "link_pattern", "clasp", "engraving")
_COUNTS = {"pieces": 1000, "links": 100_000, "chain_length_mm": 100_000}
_LISTS = ("parts", "marks")
MAX_TEXT = 2000


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in one row of a price list (rows count from 1, the heading is row 1)."""

    row: int
    sku: str
    column: str
    message: str

    def as_dict(self) -> dict[str, Any]:
        return {"row": self.row, "sku": self.sku, "column": self.column, "message": self.message}


def parse_rows(rows: Iterable[Mapping[str, str]]) -> tuple[list[Sku], list[Problem]]:
    """The SKUs of a price list and every problem in it; a row with a problem gives no SKU."""
    skus: list[Sku] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    told: set[str] = set()
    for number, row in enumerate(rows, start=2):
        if not any(row.values()):
            continue
        found: list[Problem] = []
        unknown = [key for key in row if key not in COLUMNS and key not in told]
        told.update(unknown)
        if unknown:
            problems += [Problem(1, "", key, f"unknown column {key!r}; known: {', '.join(COLUMNS)}") for key in unknown]
        sku = _parse(row, number, found)
        if sku.code in seen:
            found.append(Problem(number, sku.code, "sku", f"{sku.code} stands in row {seen[sku.code]} already"))
        seen.setdefault(sku.code, number)
        problems += found
        if not found:
            skus.append(sku)
    return skus, problems


def parse_one(cells: Mapping[str, str]) -> tuple[Sku, list[Problem]]:
    """One SKU from texts by column, and what is wrong with them."""
    problems: list[Problem] = []
    return _parse(cells, 1, problems), problems


def as_row(sku: Sku) -> dict[str, str]:
    """`sku` as the texts of a row; `parse_rows` reads the same SKU back."""
    facts = sku.facts
    row = {
        "sku": sku.code,
        "title": sku.title,
        "piece_type": sku.piece_type,
        "line": sku.line,
        "stock": str(sku.stock),
        "top": "yes" if sku.is_top else "",
        "factory": sku.factory,
        "stone_batch": sku.stone_batch,
        "stones": "; ".join(_stone_text(stone) for stone in facts.get("stones", [])),
    }
    row |= {key: str(facts.get(key, "")) for key in (*_TEXTS, *_COUNTS)}
    row |= {key: "; ".join(facts.get(key, [])) for key in _LISTS}
    return {column: row[column] for column in COLUMNS}


def verify_facts(facts: Mapping[str, Any]) -> bytes:
    """What a picture can contradict, as the TOML that `verify --facts` reads."""
    lines = []
    if "stones" in facts:
        lines.append(f"stones = {sum(int(stone['count']) for stone in facts['stones'])}")
    lines += [f"{key} = {int(facts[key])}" for key in ("pieces", "links") if key in facts]
    metal = " ".join(str(facts[key]) for key in ("alloy", "metal") if facts.get(key))
    if metal:
        lines.append("metal = " + '"' + metal.replace("\\", "\\\\").replace('"', '\\"') + '"')
    return ("\n".join(lines) + "\n").encode()


def parts_of(sku: Sku) -> tuple[str, ...]:
    """The parts of a set that must each be seen, by name, or by number when they have none."""
    named = tuple(sku.facts.get("parts", ()))
    if named or sku.piece_type != "set":
        return named
    return tuple(f"piece {number}" for number in range(1, int(sku.facts.get("pieces", 0)) + 1))


def _parse(row: Mapping[str, str], number: int, problems: list[Problem]) -> Sku:
    cells = {key: value.strip() for key, value in row.items()}
    code = cells.get("sku", "")

    def wrong(column: str, message: str) -> None:
        problems.append(Problem(number, code, column, message))

    if not code:
        wrong("sku", "no SKU code")
    elif len(code) > 120 or not code.isprintable() or any(c in code for c in '/\\:*?"<>|') or code.strip(".") == "":
        wrong("sku", f'{code[:40]!r} cannot be a SKU code: up to 120 characters, none of / \\ : * ? " < > |')
    for key, value in cells.items():
        limit = 120 if key in ("factory", "stone_batch", "line") else MAX_TEXT
        if len(value) > limit:
            wrong(key, f"{len(value)} characters, limit {limit}")
    piece_type = cells.get("piece_type", "").lower() or "other"
    if piece_type not in TYPE_LINES:
        wrong("piece_type", f"{piece_type!r} is none of {', '.join(TYPE_LINES)}")
    stock = _count(cells.get("stock", "") or "0", 10**9)
    if stock is None:
        wrong("stock", f"{cells['stock']!r} is not a number of pieces from 0")
    top = cells.get("top", "").lower()
    if top not in ("", "yes", "no", "1", "0", "true", "false", "да", "нет", "иә", "жоқ"):
        wrong("top", f"{top!r} is neither yes nor no")
    facts: dict[str, Any] = {key: cells[key] for key in _TEXTS if cells.get(key)}
    for key, limit in _COUNTS.items():
        if cells.get(key):
            number_of = _count(cells[key], limit)
            if number_of is None:
                wrong(key, f"{cells[key]!r} is not a whole number from 0 to {limit}")
            else:
                facts[key] = number_of
    for key in _LISTS:
        if cells.get(key):
            facts[key] = [item.strip() for item in cells[key].split(";") if item.strip()]
    if cells.get("stones"):
        stones = [_stone(item) for item in cells["stones"].split(";") if item.strip()]
        if None in stones:
            wrong("stones", f"{cells['stones']!r}: write COUNT KIND/CUT/COLOUR, several with ; — 7 sapphire/round/blue")
        facts["stones"] = [stone for stone in stones if stone is not None]
    if facts.get("pieces") and facts.get("parts") and len(facts["parts"]) != facts["pieces"]:
        wrong("parts", f"{len(facts['parts'])} parts are named, but pieces is {facts['pieces']}")
    return Sku(
        code,
        cells.get("title", ""),
        piece_type,
        cells.get("line", ""),
        stock or 0,
        top in ("yes", "1", "true", "да", "иә"),
        cells.get("factory", ""),
        cells.get("stone_batch", ""),
        facts,
    )


def _stone(text: str) -> dict[str, Any] | None:
    count, _, rest = text.strip().partition(" ")
    number = _count(count, 100_000)
    kind, cut, colour = (*(part.strip() for part in rest.split("/")), "", "", "")[:3]
    if number is None or not kind or rest.count("/") > 2:
        return None
    return {"count": number, "kind": kind, **({"cut": cut} if cut else {}), **({"colour": colour} if colour else {})}


def _stone_text(stone: Mapping[str, Any]) -> str:
    tail = [stone["kind"], stone.get("cut", ""), stone.get("colour", "")]
    return f"{stone['count']} {'/'.join(tail).rstrip('/')}"


def _count(text: str, limit: int) -> int | None:
    text = text.removesuffix(".0")  # spreadsheets write whole numbers so
    return int(text) if text.isascii() and text.isdigit() and int(text[:12]) <= limit else None
