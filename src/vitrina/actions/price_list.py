"""Price lists as files: CSV in UTF-8 and XLSX, read into rows of text and written from them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from vitrina.errors import Unreadable
from vitrina.stages.catalogue import COLUMNS

MAX_ROWS = 200_000


def read_rows(data: bytes, *, name: str) -> list[dict[str, str]]:
    """The rows of a CSV (UTF-8; commas, semicolons or tabs) or an XLSX's first sheet, as texts by lower-case column.

    Raises Unreadable. Empty rows are kept, so that row numbers stay those the person sees.
    """
    table = _xlsx(data, name) if data[:2] == b"PK" else _csv(data, name)
    try:
        heading = [str(cell or "").strip().lower() for cell in next(table)]
    except StopIteration:
        raise Unreadable(f"{name}: empty. The first line names the columns: {', '.join(COLUMNS)}.") from None
    rows: list[dict[str, str]] = []
    for cells in table:
        if len(rows) >= MAX_ROWS:
            raise Unreadable(f"{name}: more than {MAX_ROWS} rows. Split the file.")
        rows.append({key: _untame(_text(value).strip()) for key, value in zip(heading, cells, strict=False) if key})
    return rows


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
