"""A CSV file as practices export it: encoding and delimiter found out, size bounded, every row with its line."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from callcenter.kernel.errors import DataProblems, Problem

MAX_BYTES = 64 * 1024 * 1024
MAX_ROWS = 200_000

_DELIMITERS = (";", ",", "\t")
#: The first line by which a spreadsheet tells another one the delimiter.
_DELIMITER_LINE = re.compile(r"\"?sep=([;,\t])\"?\r?\n?")
_ENCODINGS = ("utf-8-sig", "cp1252")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True, repr=False)
class SheetRow:
    """One row: the 1-based line where it begins, and its cells by column, without the empty ones."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True, repr=False)
class Sheet:
    """A whole file.

    Arguments:
        file: path as the user gave it.
        columns: the names in the header, in order; columns without name or cell are left out.
        rows: what stands below it; rows without any cell are left out.
    """

    file: str
    columns: tuple[str, ...]
    rows: tuple[SheetRow, ...]


def read_sheet(path: Path) -> Sheet:
    """Read the CSV file at ``path``: UTF-8 or Windows-1252, separated by ``;``, ``,`` or tabulators.

    Raises:
        DataProblems: it cannot be read, is over 64 MiB or 200,000 rows, or rows do not fit its header; all at once.
    """
    file = str(path)
    lines = _numbered(file, _decode(file, _read(path, file)))
    header = next(lines, None)
    if header is None:
        raise _refuse(file, 0, "it is empty", "export it again, with a header of column names")
    columns = tuple(name.strip() for name in header[1])
    problems = _header_problems(file, header[0], columns)
    rows: list[SheetRow] = []
    for line, cells in lines:
        if len(rows) == MAX_ROWS:
            raise _refuse(
                file,
                line,
                f"it has more than {MAX_ROWS:,} rows",
                "split it, all rows of a patient in one part",
            )
        wrong = _row_problems(file, line, columns, cells)
        problems += wrong
        if not wrong:
            filled = {column: cell.strip() for column, cell in zip(columns, cells, strict=True) if cell.strip()}
            rows.append(SheetRow(line, filled))
    if problems:
        raise DataProblems(problems)
    return Sheet(file, tuple(filter(None, columns)), tuple(rows))


def _refuse(file: str, line: int, what: str, mend: str) -> DataProblems:
    return DataProblems([Problem(file, line, what, mend)])


def _read(path: Path, file: str) -> bytes:
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise _refuse(file, 0, f"it cannot be read ({error.strerror})", "check the path and the rights") from error
    if len(raw) > MAX_BYTES:
        raise _refuse(file, 0, "it is larger than 64 MiB", "split it, all rows of a patient in one part")
    return raw


def _decode(file: str, raw: bytes) -> str:
    if not raw.startswith(_UTF16_MARKS):
        for encoding in _ENCODINGS:
            try:
                text = raw.decode(encoding)
            except UnicodeDecodeError:
                continue
            if "\x00" not in text:
                return text
    raise _refuse(file, 0, "it is neither UTF-8 nor Windows-1252 text", "save it as « CSV UTF-8 »")


def _first_line(text: str) -> str:
    return text[: text.find("\n") + 1] or text


def _delimiter(header: str) -> str:
    """The one that gives the header more columns."""
    return max(_DELIMITERS, key=lambda delimiter: len(next(csv.reader([header], delimiter=delimiter), [])))


def _numbered(file: str, text: str) -> Iterator[tuple[int, Sequence[str]]]:
    """The rows that are not blank, each with the line on which it begins. A line that names the delimiter is no row."""
    if "\n" not in text and "\r" in text:
        raise _refuse(file, 1, "its lines end as nobody's do any more (CR alone)", "save it as « CSV UTF-8 »")
    named = _DELIMITER_LINE.fullmatch(_first_line(text))
    skipped = 1 if named else 0
    text = text[len(_first_line(text)) :] if named else text
    line = first = 1 + skipped
    try:
        delimiter = named[1] if named else _delimiter(_first_line(text))
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + first
    except csv.Error as error:
        raise _refuse(file, line, f"it is not readable as CSV ({error})", "close every double quote") from error


def _header_problems(file: str, line: int, columns: Sequence[str]) -> list[Problem]:
    mend = "give each column its own name"
    return [
        Problem(file, line, f"{count} columns are called « {name} »", mend)
        for name, count in Counter(columns).items()
        if name and count > 1
    ]


def _row_problems(file: str, line: int, columns: Sequence[str], cells: Sequence[str]) -> list[Problem]:
    if len(cells) != len(columns):
        what = f"it has {len(cells)} cells under {len(columns)} columns"
        return [Problem(file, line, what, "put a cell that contains the delimiter in double quotes")]
    if any(cell.strip() and not column for column, cell in zip(columns, cells, strict=True)):
        return [Problem(file, line, "a cell stands under a column without a name", "name the column, or empty it")]
    return []
