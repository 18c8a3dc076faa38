"""Enrolling a practice from its file: what a new installation begins with, and how a practice is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from callcenter.kernel.errors import DataProblems
from callcenter.kernel.randomness import SeededRandom
from callcenter.practice.demo import FOLDER
from callcenter.practice.directory import Directory, NoSuchPractice
from callcenter.practice.enrolling import enrol
from callcenter.practice.enrolment import NumberTaken
from callcenter.practice.names import UnmappedCharacter
from callcenter.practice.practitioners import has_sensitive_practitioner, practitioner_names
from callcenter.store.database import Database

DESCRIPTION = (FOLDER / "practices" / "cabinet-des-tilleuls.yaml").read_text(encoding="utf-8")


def described(folder: Path, text: str = DESCRIPTION) -> Path:
    file = folder / "practice.yaml"
    file.write_text(text, encoding="utf-8")
    return file


async def test_a_new_practice_answers_at_its_number(database: Database, random: SeededRandom, tmp_path: Path) -> None:
    enrolled = await enrol(database, described(tmp_path), "Télésecrétariat", random)
    assert enrolled.is_new
    assert enrolled.practitioners == ("Claire Moreau", "Antoine Lefèvre", "Nadia Benali")
    async with database.house() as connection:
        entry = await Directory.for_number(connection, "+33465710001")
    assert entry is not None
    assert entry.facts == enrolled.facts
    async with database.practice(enrolled.facts.id) as tx:
        assert await has_sensitive_practitioner(tx)


async def test_a_second_time_it_is_changed_and_keeps_its_identifiers(
    database: Database, random: SeededRandom, tmp_path: Path
) -> None:
    first = await enrol(database, described(tmp_path), "Télésecrétariat", random)
    async with database.practice(first.facts.id) as tx:
        before = await practitioner_names(tx)
    changed = DESCRIPTION.replace("12 rue des Tilleuls", "14 rue des Tilleuls").replace("Antoine Lefèvre", "Anne Roy")
    second = await enrol(database, described(tmp_path, changed), "Télésecrétariat", random)
    assert not second.is_new
    assert (second.facts.id, second.facts.organisation_id) == (first.facts.id, first.facts.organisation_id)
    assert second.facts.address.startswith("14 rue")
    assert second.unnamed == ("Antoine Lefèvre",)
    async with database.practice(first.facts.id) as tx:
        after = await practitioner_names(tx)
    assert after["Claire Moreau"] == before["Claire Moreau"]
    assert after.keys() == {"Claire Moreau", "Nadia Benali", "Antoine Lefèvre", "Anne Roy"}


async def test_what_is_wrong_is_named_by_line_and_nothing_is_enrolled(
    database: Database, random: SeededRandom, tmp_path: Path
) -> None:
    wrong = DESCRIPTION.replace('rescue_number: "+33465710090"', 'rescue_number: "+33899000000"')
    with pytest.raises(DataProblems, match=r"practice\.yaml:10: "):
        await enrol(database, described(tmp_path, wrong), "Télésecrétariat", random)
    async with database.house() as connection:
        with pytest.raises(NoSuchPractice):
            await Directory.by_slug(connection, "cabinet-des-tilleuls")


async def test_a_name_that_cannot_be_kept_leaves_nothing_half_enrolled(
    database: Database, random: SeededRandom, tmp_path: Path
) -> None:
    wrong = DESCRIPTION.replace("Nadia Benali", "Нadia Benali")
    with pytest.raises(UnmappedCharacter, match="CYRILLIC"):
        await enrol(database, described(tmp_path, wrong), "Télésecrétariat", random)
    async with database.house() as connection:
        with pytest.raises(NoSuchPractice):
            await Directory.by_slug(connection, "cabinet-des-tilleuls")


async def test_p7_a_number_of_another_practice_is_refused(
    database: Database, random: SeededRandom, tmp_path: Path
) -> None:
    await enrol(database, described(tmp_path), "Télésecrétariat", random)
    other = DESCRIPTION.replace("slug: cabinet-des-tilleuls", "slug: autre").replace("+33465710001", "+33465710090")
    other = other.replace('rescue_number: "+33465710090"', 'rescue_number: "+33465710095"')
    with pytest.raises(NumberTaken, match="rescue number of another practice"):
        await enrol(database, described(tmp_path, other), "Télésecrétariat", random)
