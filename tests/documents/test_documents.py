"""What the documents say is what the program does. ``make docs`` writes them anew; otherwise a stale one fails."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import database_name, furnished, keys_file, stage  # noqa: F401 - fixtures, by name
from tests.acceptance.stage import Stage
from tests.documents.commands import commands_page
from tests.documents.configuration import configuration_page
from tests.documents.conversation import played
from tests.documents.flow_pictures import PICTURES, flow_files, flow_picture
from tests.documents.flow_words import BEGIN_WORDS, END_WORDS, flow_words
from tests.documents.imports import import_page
from tests.documents.policy import policy_page
from tests.documents.practice_settings import (
    BEGIN_EXAMPLES,
    BEGIN_TABLE,
    END_EXAMPLES,
    END_TABLE,
    examples,
    table,
)

ROOT = Path(__file__).resolve().parents[2]
TRANSCRIPT = ROOT / "tests" / "acceptance" / "transcripts" / "verified_by_sms.yaml"
BEGIN, END = "<!-- made by make docs: the call -->\n", "<!-- end -->\n"


def fresh(path: Path, made: str) -> None:
    """The document at ``path`` is what was ``made``; it is written where ``make docs`` asks for it."""
    if os.environ.get("CALLCENTER_DOCS") == "write":
        path.write_text(made, encoding="utf-8")
    stands = path.read_text(encoding="utf-8") if path.exists() else ""
    assert stands == made, f"{path.relative_to(ROOT)} is stale: run make docs"


def test_the_configuration_reference_is_the_models() -> None:
    fresh(ROOT / "docs" / "configuration.md", configuration_page())


def test_the_command_reference_is_what_the_commands_say() -> None:
    fresh(ROOT / "docs" / "commands.md", commands_page())


def test_the_import_page_is_what_reads_the_files() -> None:
    fresh(ROOT / "docs" / "import.md", import_page())


def test_the_words_of_the_flow_language_are_what_the_loader_knows() -> None:
    page = ROOT / "docs" / "flow-language.md"
    head, _, rest = page.read_text(encoding="utf-8").partition(BEGIN_WORDS)
    _, _, tail = rest.partition(END_WORDS)
    fresh(page, f"{head}{BEGIN_WORDS}{flow_words()}{END_WORDS}{tail}")


@pytest.mark.parametrize("name", [file.stem for file in flow_files(ROOT)])
def test_each_shipped_flow_stands_in_the_documents_as_it_is_drawn(name: str) -> None:
    (ROOT / PICTURES).mkdir(exist_ok=True)
    fresh(ROOT / PICTURES / f"{name}.svg", flow_picture(ROOT, name))


def test_there_is_no_picture_of_a_flow_that_is_not_shipped_and_the_page_shows_each() -> None:
    names = {file.stem for file in flow_files(ROOT)}
    assert {file.stem for file in (ROOT / PICTURES).iterdir()} == names
    page = (ROOT / "docs" / "flow-language.md").read_text(encoding="utf-8")
    assert all(f"](images/flows/{name}.svg)" in page for name in names)


@pytest.mark.parametrize(
    ("begin", "end", "made"), [(BEGIN_TABLE, END_TABLE, table), (BEGIN_EXAMPLES, END_EXAMPLES, examples)]
)
def test_the_settings_of_the_settings_page_are_those_of_the_form(begin: str, end: str, made: Callable[[], str]) -> None:
    page = ROOT / "docs" / "practice-settings.md"
    head, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, _, tail = rest.partition(end)
    fresh(page, f"{head}{begin}{made()}{end}{tail}")


def test_the_disclosure_page_is_the_policy() -> None:
    fresh(ROOT / "docs" / "disclosure-policy.md", policy_page(ROOT / "config" / "disclosure-policy.yaml"))


async def test_the_call_in_the_readme_is_one_that_was_made(stage: Stage) -> None:  # noqa: F811 - the fixture
    readme = ROOT / "README.md"
    head, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    call = await played(stage, TRANSCRIPT)
    fresh(readme, f"{head}{BEGIN}```text\n{call}\n```\n{END}{tail}")


@pytest.mark.parametrize(
    "page", sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]), ids=lambda path: path.stem
)
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    import re

    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} names {target}, which is not there"
