"""Whoever follows ``docs/import.md`` has a file that is taken: its headers are known, and its values are read."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from callcenter.practice.columns import match_columns
from callcenter.practice.importing import RECORDS, ImportKind, import_fields
from callcenter.practice.records import Reading

PAGE = Path(__file__).resolve().parents[2] / "docs" / "import.md"
READING = Reading(ZoneInfo("Europe/Paris"), datetime(2026, 11, 26, 9, tzinfo=UTC), frozenset())

#: A file's row that is taken, by field; what the page says about each field is tried in its place.
ROWS = {
    ImportKind.PATIENTS: {
        "external_id": "7",
        "birth_name": "X",
        "first_name": "Y",
        "birth_date": "1962-03-14",
        "sex": "F",
    },
    ImportKind.CONTACTS: {"patient": "7", "phone": "0639980001"},
    ImportKind.APPOINTMENTS: {"external_id": "1", "patient": "7", "practitioner": "Z", "starts_at": "02/01/2150 09:00"},
}


def rows(kind: ImportKind) -> list[list[str]]:
    section = PAGE.read_text(encoding="utf-8").split(f"## `--kind {kind.value}`\n")[1].split("\n## ")[0]
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in section.splitlines() if row.startswith("| `")]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("kind", ImportKind)
def test_the_page_has_every_field_and_whether_it_must_be_there(kind: ImportKind) -> None:
    assert {quoted(row[0])[0]: row[2] == "**yes**" for row in rows(kind)} == import_fields(kind)


@pytest.mark.parametrize("kind", ImportKind)
def test_a_header_of_the_page_means_its_field(kind: ImportKind) -> None:
    for field, headers, *_ in rows(kind):
        for header in (*quoted(headers), *(word.upper().replace(" ", "_") for word in quoted(headers))):
            assert match_columns("file.csv", [header], {quoted(field)[0]: True}, {}) == {header: quoted(field)[0]}


@pytest.mark.parametrize("kind", ImportKind)
def test_a_word_that_the_page_offers_is_read(kind: ImportKind) -> None:
    """Words that stand for themselves, and the forms of dates with a date in their place."""
    offered = 0
    for field, _, _, written, _ in rows(kind):
        for word in quoted(written):
            if word == "+":
                continue
            value = word
            for letters, digits in (("JJ", "03"), ("AAAA", "2026" if "_at" in field else "1962"), ("HH:MM", "14:30")):
                value = value.replace(letters, digits)
            value = value.replace("MM", "04")
            RECORDS[kind].model_validate({**ROWS[kind], quoted(field)[0]: value}, context=READING)
            offered += 1
    assert offered > 3


@pytest.mark.parametrize("kind", ImportKind)
def test_a_row_without_what_the_page_requires_is_refused(kind: ImportKind) -> None:
    RECORDS[kind].model_validate(ROWS[kind], context=READING)
    for field in (quoted(row[0])[0] for row in rows(kind) if row[2] == "**yes**"):
        without = {name: value for name, value in ROWS[kind].items() if name != field}
        with pytest.raises(ValidationError):
            RECORDS[kind].model_validate(without, context=READING)
