"""Whoever follows ``docs/practice-settings.md`` types what is taken: every example is given to the command itself."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from pydantic import ValidationError

from callcenter.cli import main
from callcenter.practice.enrolment import UnusablePractice, check_practice
from callcenter.practice.practice_file import read_practice_file
from callcenter.practice.practice_form import PracticeForm, Setting, as_written
from callcenter.settings import PROJECT
from callcenter.store.schema import APP
from tests.acceptance.conftest import database_name, furnished, keys_file  # noqa: F401 - fixtures, by name
from tests.conftest import Cluster
from tests.documents.practice_settings import ROWS, SLUG, TILLEULS

PAGE = PROJECT / "docs" / "practice-settings.md"
Run = Callable[..., Result]


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch,
    cluster: Cluster,
    database_name: str,  # noqa: F811 - the fixture
    keys_file: Path,  # noqa: F811 - the fixture
) -> Run:
    """A command as it is typed, on a database of its own."""
    monkeypatch.setenv("DATABASE_URL", cluster.server.url(user=APP, database=database_name, driver="postgresql"))
    monkeypatch.setenv("CALLCENTER_KEYS_FILE", str(keys_file))
    monkeypatch.chdir(PROJECT)
    return lambda *words: CliRunner().invoke(main, [*words])


def typed() -> dict[str, list[str]]:
    """The page's examples: the words behind ``callcenter``, by setting."""
    lines = PAGE.read_text(encoding="utf-8").split("an example of each -->\n")[1].split("```\n")[0].splitlines()[1:]
    return {words[4]: words[1:] for words in map(shlex.split, lines)}


def test_the_page_has_every_setting() -> None:
    assert list(ROWS) == list(Setting), "tests/documents/practice_settings.py has a row for each setting, in order"
    assert list(typed()) == [setting.value for setting in Setting]


async def test_every_example_is_taken(run: Run) -> None:
    for setting, words in typed().items():
        told = await asyncio.to_thread(run, *_at_any_hour(words), "--by", "anna")
        assert told.exit_code == 0, f"{setting}: {told.output}"
        assert told.stdout.startswith(f"{SLUG}: {setting} changed, revision "), told.output


def _at_any_hour(words: list[str]) -> list[str]:
    """The hour of today behind --until may be over while this runs: a day of next week stands for it."""
    if "--until" not in words:
        return words
    next_week = datetime.now(UTC).date() + timedelta(days=7)
    return [*words[: words.index("--until")], "--until", next_week.isoformat()]


@pytest.mark.parametrize("setting", Setting)
def test_what_the_page_calls_a_limit_is_one(setting: Setting) -> None:
    value, why = ROWS[setting].refused
    facts = read_practice_file(TILLEULS, UUID(int=0), lambda *_: UUID(int=1)).facts
    written = {**{name.value: kept for name, kept in as_written(facts).items()}, setting.value: value}
    with pytest.raises((ValidationError, UnusablePractice), match=why):
        check_practice(PracticeForm.model_validate(written).facts(id=facts.id, organisation_id=facts.id, slug=SLUG))


async def test_what_begins_later_is_told_as_such(run: Run) -> None:
    told = await asyncio.to_thread(
        run, *("practice", "set", SLUG, "answer_mode", "direct", "--from", "2150-12-01T08:30", "--by", "anna")
    )
    assert told.stdout == f"{SLUG}: answer_mode changed, revision 2; calls from 2150-12-01 08:30 on meet it\n"


@pytest.mark.parametrize(("setting", "value"), [("out_of_hours_number", "15"), ("closing_conduct", "")])
async def test_a_number_or_nothing_where_words_are_meant_is_told_how_to_quote(
    run: Run, setting: str, value: str
) -> None:
    told = await asyncio.to_thread(run, "practice", "set", SLUG, setting, value, "--by", "anna")
    assert told.exit_code == 2
    assert f"{setting}: it is a number" in told.stderr
    assert "mend: write it in quotes that reach us" in told.stderr
