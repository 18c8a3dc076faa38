"""Enrolling a practice from its file: what a new installation begins with, and how a practice is changed."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import DataProblems
from callcenter.kernel.randomness import SeededRandom
from callcenter.practice import practitioners
from callcenter.practice.demo import FOLDER
from callcenter.practice.directory import Directory, NoSuchPractice
from callcenter.practice.enrolling import NoOrganisation, NotSensitive, enrol
from callcenter.practice.enrolment import NumberTaken
from callcenter.practice.practitioners import (
    has_sensitive_practitioner,
    practitioner_names,
    sensitive_practitioners,
    those_with_a_line,
)
from callcenter.practice.setting_versions import Author
from callcenter.staff.acts import StaffActs
from callcenter.store.database import Database
from tests.conftest import TODAY

AUTHOR = Author("tests", TODAY)
ACTS = StaffActs(DrivenClock(TODAY), SeededRandom(9))
DESCRIPTION = (FOLDER / "practices" / "cabinet-des-tilleuls.yaml").read_text(encoding="utf-8")


def described(folder: Path, text: str = DESCRIPTION) -> Path:
    file = folder / "practice.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def line_of(part: str, text: str = DESCRIPTION) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


async def test_a_new_practice_answers_at_its_number(database: Database, random: SeededRandom, tmp_path: Path) -> None:
    enrolled = await enrol(database, described(tmp_path), "Télésecrétariat", random, AUTHOR, ACTS)
    assert enrolled.is_new
    assert enrolled.practitioners == ("Claire Moreau", "Antoine Lefèvre", "Nadia Benali")
    async with database.house() as connection:
        assert await Directory.facts(connection, enrolled.facts.id, TODAY) == enrolled.facts
        assert "+33465710001" in await Directory.all_numbers(connection)
    async with database.practice(enrolled.facts.id) as tx:
        assert await has_sensitive_practitioner(tx)


async def test_a_second_time_it_is_changed_and_keeps_its_identifiers(
    database: Database, random: SeededRandom, tmp_path: Path
) -> None:
    first = await enrol(database, described(tmp_path), "Télésecrétariat", random, AUTHOR, ACTS)
    async with database.practice(first.facts.id) as tx:
        before = await practitioner_names(tx)
    changed = DESCRIPTION.replace("12 rue des Tilleuls", "14 rue des Tilleuls").replace("Antoine Lefèvre", "Anne Roy")
    second = await enrol(database, described(tmp_path, changed), "Télésecrétariat", random, AUTHOR, ACTS)
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
    with pytest.raises(DataProblems, match=r"practice\.yaml:12: "):
        await enrol(database, described(tmp_path, wrong), "Télésecrétariat", random, AUTHOR, ACTS)
    async with database.house() as connection:
        with pytest.raises(NoSuchPractice):
            await Directory.by_slug(connection, "cabinet-des-tilleuls", TODAY)


async def test_a_name_that_cannot_be_kept_leaves_nothing_half_enrolled(
    database: Database, random: SeededRandom, tmp_path: Path
) -> None:
    wrong = DESCRIPTION.replace("Nadia Benali", "Нadia Benali")
    with pytest.raises(DataProblems, match=rf"practice\.yaml:{line_of('Nadia')}: .*CYRILLIC"):
        await enrol(database, described(tmp_path, wrong), "Télésecrétariat", random, AUTHOR, ACTS)
    async with database.house() as connection:
        with pytest.raises(NoSuchPractice):
            await Directory.by_slug(connection, "cabinet-des-tilleuls", TODAY)


async def test_p7_a_number_of_another_practice_is_refused(
    database: Database, random: SeededRandom, tmp_path: Path
) -> None:
    await enrol(database, described(tmp_path), "Télésecrétariat", random, AUTHOR, ACTS)
    other = DESCRIPTION.replace("slug: cabinet-des-tilleuls", "slug: autre").replace("+33465710001", "+33465710090")
    other = other.replace('rescue_number: "+33465710090"', 'rescue_number: "+33465710095"')
    other = other.replace("+33465710002", "+33465710012").replace("+33465710003", "+33465710013")
    with pytest.raises(NumberTaken, match="rescue number of another practice"):
        await enrol(database, described(tmp_path, other), "Télésecrétariat", random, AUTHOR, ACTS)


WITHOUT_MARK = DESCRIPTION.replace("speciality: psychiatrie, sensitive: true", "speciality: psychiatrie")


async def is_sensitive(database: Database, practice: UUID) -> bool:
    async with database.practice(practice) as tx:
        return await has_sensitive_practitioner(tx)


async def test_a_sensitive_mark_does_not_go_by_leaving_a_word_out(
    database: Database, random: SeededRandom, tmp_path: Path
) -> None:
    first = await enrol(database, described(tmp_path), "Télésecrétariat", random, AUTHOR, ACTS)
    with pytest.raises(DataProblems, match=rf"practice\.yaml:{line_of('Nadia', WITHOUT_MARK)}: .*sensitive on file"):
        await enrol(database, described(tmp_path, WITHOUT_MARK), "Télésecrétariat", random, AUTHOR, ACTS)
    assert await is_sensitive(database, first.facts.id)
    other_spelling = WITHOUT_MARK.replace("Nadia Benali", "NADIA BENALI")
    with pytest.raises(DataProblems, match="--no-longer-sensitive « NADIA BENALI »"):
        await enrol(database, described(tmp_path, other_spelling), "Télésecrétariat", random, AUTHOR, ACTS)
    assert await is_sensitive(database, first.facts.id)


async def test_a_sensitive_mark_goes_when_it_is_said_of_whom(
    database: Database, random: SeededRandom, tmp_path: Path
) -> None:
    first = await enrol(database, described(tmp_path), "Télésecrétariat", random, AUTHOR, ACTS)
    for nobody in ("Claire Moreau", "Nadia Benaly"):
        with pytest.raises(NotSensitive, match="nobody of that name loses the mark"):
            await enrol(
                database,
                described(tmp_path, WITHOUT_MARK),
                "Télésecrétariat",
                random,
                AUTHOR,
                ACTS,
                no_longer_sensitive=["Nadia Benali", nobody],
            )
    assert await is_sensitive(database, first.facts.id)
    await enrol(
        database,
        described(tmp_path, WITHOUT_MARK),
        "Télésecrétariat",
        random,
        AUTHOR,
        ACTS,
        no_longer_sensitive=["nadia benali"],
    )
    assert not await is_sensitive(database, first.facts.id)


async def test_one_person_twice_is_refused_by_line_and_no_mark_is_lost(
    database: Database, random: SeededRandom, tmp_path: Path
) -> None:
    twice = DESCRIPTION.rstrip() + "\n  - {title: Dr, name: Nadia BÉNALI, speciality: psychiatrie}\n"
    with pytest.raises(DataProblems) as refused:
        await enrol(database, described(tmp_path, twice), "Télésecrétariat", random, AUTHOR, ACTS)
    (problem,) = refused.value.problems
    assert problem.line == len(twice.splitlines())
    assert f"line {line_of('Nadia')}" in problem.what


async def test_another_spelling_is_the_same_practitioner(
    database: Database, random: SeededRandom, tmp_path: Path
) -> None:
    first = await enrol(database, described(tmp_path), "Télésecrétariat", random, AUTHOR, ACTS)
    async with database.practice(first.facts.id) as tx:
        before, marked = await practitioner_names(tx), await sensitive_practitioners(tx)
    changed = DESCRIPTION.replace("Claire Moreau", "Claire MOREAU")
    second = await enrol(database, described(tmp_path, changed), "Télésecrétariat", random, AUTHOR, ACTS)
    async with database.practice(first.facts.id) as tx:
        after = await practitioner_names(tx)
        assert await sensitive_practitioners(tx) == marked
    assert second.unnamed == ()
    assert after["Claire MOREAU"] == before["Claire Moreau"]


async def lines(database: Database, practice: UUID) -> dict[str, str | None]:
    async with database.practice(practice) as tx:
        named = await practitioner_names(tx)
        return {name: await practitioners.line_of(tx, whom) for name, whom in named.items()}


async def test_a_practitioners_line_is_read_as_written_and_goes_when_the_file_has_none(
    database: Database, random: SeededRandom, tmp_path: Path
) -> None:
    nationally = DESCRIPTION.replace('line: "+33465710061"', 'line: "04 65 71 00 62"')
    first = await enrol(database, described(tmp_path, nationally), "Télésecrétariat", random, AUTHOR, ACTS)
    nobody = {"Antoine Lefèvre": None, "Nadia Benali": None}
    assert await lines(database, first.facts.id) == {"Claire Moreau": "+33465710062", **nobody}
    async with database.practice(first.facts.id) as tx:
        assert [one.titled for one in await those_with_a_line(tx)] == ["Dr Claire Moreau"]
    without = DESCRIPTION.replace(', line: "+33465710061"', "")
    await enrol(database, described(tmp_path, without), "Télésecrétariat", random, AUTHOR, ACTS)
    assert await lines(database, first.facts.id) == {"Claire Moreau": None, **nobody}


async def test_p7_a_line_that_we_answer_for_another_practice_is_refused_and_nothing_is_enrolled(
    database: Database, random: SeededRandom, tmp_path: Path
) -> None:
    port = (FOLDER / "practices" / "maison-de-sante-du-port.yaml").read_text(encoding="utf-8")
    await enrol(database, described(tmp_path, port), "Télésecrétariat", random, AUTHOR, ACTS)
    theirs = DESCRIPTION.replace('line: "+33465710061"', 'line: "+33261910001"')
    with pytest.raises(NumberTaken, match="« Claire Moreau » \\+33261910001\n    mend: "):
        await enrol(database, described(tmp_path, theirs), "Télésecrétariat", random, AUTHOR, ACTS)
    async with database.house() as connection:
        with pytest.raises(NoSuchPractice):
            await Directory.by_slug(connection, "cabinet-des-tilleuls", TODAY)


async def test_an_organisation_has_a_name(database: Database, random: SeededRandom, tmp_path: Path) -> None:
    with pytest.raises(NoOrganisation):
        await enrol(database, described(tmp_path), "  ", random, AUTHOR, ACTS)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("\nname: Cabinet des Tilleuls", '\nname: " "', "name"),
        ("spoken_name: Cabinet des Tilleuls", 'spoken_name: ""', "spoken_name"),
        ("spoken_name: Cabinet des Tilleuls", "spoken_name: " + "a" * 121, "spoken_name"),
        ("slug: cabinet-des-tilleuls", "slug: Cabinet des Tilleuls", "slug"),
        ("speciality: cardiologie", 'speciality: ""', "Antoine"),
        ("name: Antoine Lefèvre", 'name: ""', "speciality: cardiologie"),
        ("title: Dr, name: Antoine", 'title: "D\\nr", name: Antoine', "Antoine"),
        ("closing_conduct: ", "closing_conduct: " + "x" * 70_000 + " ", "closing_conduct"),
        ("mardi: [", "mardi: [18:00-19:00, ", "mardi"),
        ("timezone: Europe/Paris", "holiday_subdivision: '99'", "holiday_subdivision"),
        ('rescue_number: "+33465710090"', 'rescue_number: "+33465710001"', "rescue_number"),
        ('line: "+33465710061"', 'line: "+33899000000"', "Claire Moreau, speciality"),
        ('line: "+33465710061"', 'line: "15"', "Claire Moreau, speciality"),
        ('line: "+33465710061"', 'line: "+33465710003"', "Claire Moreau, speciality"),
    ],
)
async def test_whatever_is_wrong_has_its_line(
    database: Database, random: SeededRandom, tmp_path: Path, old: str, new: str, key: str
) -> None:
    assert DESCRIPTION.count(old) == 1
    wrong = DESCRIPTION.replace(old, new)
    with pytest.raises(DataProblems) as refused:
        await enrol(database, described(tmp_path, wrong), "Télésecrétariat", random, AUTHOR, ACTS)
    (problem,) = refused.value.problems
    assert key in wrong.splitlines()[problem.line - 1]
    assert problem.line > 0
    assert len(str(problem)) < 1000
