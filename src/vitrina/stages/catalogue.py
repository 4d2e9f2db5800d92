"""SKUs as values: what a row of a price list says, every problem in it, and the same row written again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from vitrina.errors import Unreadable
from vitrina.stages.review import TYPE_LINES

COLUMNS = (
    "sku", "title", "piece_type", "line", "stock", "top", "factory", "stone_batch", "metal", "alloy", "stones", "pieces", "parts",
    "links", "chain_length_mm", "link_pattern", "clasp", "engraving", "marks",
)  # fmt: skip
"""The columns of an import and an export, in order."""

_TEXTS = ("metal", "alloy", "link_pattern", "clasp", "engraving")
_COUNTS = {"pieces": 1000, "links": 100_000, "chain_length_mm": 100_000}
_LISTS = ("parts", "marks")
MAX_TEXT = 2000
MAX_ROWS = 200_000


@dataclass(frozen=True, slots=True)
class Sku:
    """What is sold. `facts` holds what the description promises: only the keys that it speaks of."""

    code: str
    title: str = ""
    piece_type: str = "other"
    line: str = ""
    stock: int = 0
    is_top: bool = False
    factory: str = ""
    stone_batch: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in one row of a price list (rows count from 1, the heading is row 1)."""

    row: int
    sku: str
    column: str
    message: str

    def as_dict(self) -> dict[str, Any]:
        return {"row": self.row, "sku": self.sku, "column": self.column, "message": self.message}


def read_rows(data: bytes, *, name: str) -> list[dict[str, str]]:
    """The rows of a CSV (UTF-8; commas, semicolons or tabs) or an XLSX's first sheet, as texts by lower-case column.

    Raises Unreadable. Empty rows are kept, so that row numbers stay those the person sees.
    """
    table = _xlsx(data, name) if data[:2] == b"PK" else _csv(data, name)
    try:
        heading = [str(cell or "").strip().lower() for cell in next(table)]
    except StopIteration:
        raise Unreadable(f"{name}: empty. The first line names the columns: {', '.join(COLUMNS)}.") from None
    rows = []
    for cells in table:
        if len(rows) >= MAX_ROWS:
            raise Unreadable(f"{name}: more than {MAX_ROWS} rows. Split the file.")
        rows.append({key: _text(value) for key, value in zip(heading, cells, strict=False) if key})
    return rows


def parse_rows(rows: Iterable[Mapping[str, str]]) -> tuple[list[Sku], list[Problem]]:
    """The SKUs of a price list and every problem in it; a row with a problem gives no SKU."""
    skus: list[Sku] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, start=2):
        if not any(row.values()):
            continue
        found: list[Problem] = []
        unknown = [key for key in row if key not in COLUMNS]
        if number == 2:
            found += [Problem(1, "", key, f"unknown column {key!r}; known: {', '.join(COLUMNS)}") for key in unknown]
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


def write_csv(rows: Iterable[Mapping[str, str]]) -> bytes:
    """Rows as CSV: UTF-8 with a mark that spreadsheets recognise; cells that look like formulas are quoted as text."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    writer.writerows({key: _tame(value) for key, value in row.items()} for row in rows)
    return out.getvalue().encode("utf-8-sig")


def write_xlsx(rows: Iterable[Mapping[str, str]]) -> bytes:
    """Rows as the first sheet of an XLSX workbook; every cell is text."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("SKUs")
    sheet.append(list(COLUMNS))
    for row in rows:
        sheet.append([_tame(row[column]) for column in COLUMNS])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


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
    cells = {key: _untame(value.strip()) for key, value in row.items()}
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
            value = _count(cells[key], limit)
            if value is None:
                wrong(key, f"{cells[key]!r} is not a whole number from 0 to {limit}")
            else:
                facts[key] = value
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


def _tame(text: str) -> str:
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r", "'") else text


def _untame(text: str) -> str:
    return text[1:] if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@", "\t", "\r", "'") else text


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _csv(data: bytes, name: str) -> Iterator[list[str]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"{name}: not UTF-8 at byte {error.start}. Save it as CSV UTF-8 or as XLSX.") from error
    heading = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=heading.count)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise Unreadable(f"{name}: not a CSV ({error}). Save it again as CSV UTF-8 or as XLSX.") from error


def _xlsx(data: bytes, name: str) -> Iterator[list[Any]]:
    import zipfile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > 512 * 2**20:
                raise Unreadable(f"{name}: unpacks to more than 512 MiB. Save the first sheet as CSV.")
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        yield from (list(row) for row in book.worksheets[0].iter_rows(values_only=True))
    except (zipfile.BadZipFile, InvalidFileException, KeyError, IndexError, ValueError, OSError) as error:
        raise Unreadable(f"{name}: not an XLSX workbook ({error}). Save it as XLSX or as CSV UTF-8.") from error
