"""``docs/rules.md`` has every rule that code, tests and pages cite, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "docs" / "rules.md"

FOLDERS = ("callcenter", "config", "docs", "flows", "migrations", "tests")
TEXT = frozenset({".md", ".py", ".yaml", ".csv", ".mako"})

_ID = re.compile(r"\b[A-Z]{2}-\d{2}\b")
_IN_A_NAME = re.compile(r"\bdef test_([a-z]{2})_(\d{2})_")
_ROW = re.compile(r"^\| (?P<id>[^|]+) \| (?P<rule>[^|]+) \| (?P<source>[^|]+) \|$", re.MULTILINE)


def rows() -> list[re.Match[str]]:
    return list(_ROW.finditer(RULES.read_text(encoding="utf-8").split("|---|---|---|\n", 1)[1]))


def cited() -> Iterator[tuple[str, str]]:
    """Every rule that is cited, and where."""
    pages = [*ROOT.glob("*.md"), *(file for folder in FOLDERS for file in (ROOT / folder).rglob("*"))]
    for file in pages:
        if file.suffix in TEXT and file != RULES:
            text, where = file.read_text(encoding="utf-8"), str(file.relative_to(ROOT))
            yield from ((found, where) for found in _ID.findall(text))
            yield from ((f"{group.upper()}-{number}", where) for group, number in _IN_A_NAME.findall(text))


def test_every_rule_that_is_cited_has_its_row() -> None:
    known = {row["id"] for row in rows()}
    assert sorted({f"{rule} in {where}" for rule, where in cited() if rule not in known}) == []


def test_no_rule_stands_there_that_nothing_keeps() -> None:
    used = {rule for rule, _ in cited()}
    assert [row["id"] for row in rows() if row["id"] not in used] == []


def test_a_rule_is_one_sentence_and_names_its_source() -> None:
    ids = [row["id"] for row in rows()]
    assert ids == sorted(set(ids)) != []
    for row in rows():
        assert _ID.fullmatch(row["id"]), row[0]
        assert re.fullmatch(r"[A-ZÀ-Ý][^.]*\.", row["rule"]), row[0]
        assert row["source"].strip(), row[0]


def test_nothing_is_cited_that_is_not_in_the_repository() -> None:
    """A reader can look everything up: pages, decisions and rules, by their names."""
    pages = "regulation|architecture|assurance|contact-centre"
    elsewhere = re.compile(rf"\b(?:{pages})(?: §|, |: |\.md| [A-Z]{{2}}-)", re.IGNORECASE)
    found = [
        f"{file.relative_to(ROOT)}: {hit[0]}"
        for folder in ("callcenter", "docs", "migrations", "config", "tests")
        for file in sorted((ROOT / folder).rglob("*"))
        if file.suffix in TEXT
        for hit in elsewhere.finditer(file.read_text(encoding="utf-8"))
    ]
    assert found == []
