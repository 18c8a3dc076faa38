"""The directory: which practice answers at a number, and that no number is both served and a way out."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from uuid import UUID

import pytest
from sqlalchemy import insert, text, update
from sqlalchemy.exc import IntegrityError

from callcenter.practice.demo import FOLDER
from callcenter.practice.demo_file import Demonstration, demo_id, read_demonstration
from callcenter.practice.directory import Directory, NoSuchPractice
from callcenter.practice.enrolment import (
    NumberTaken,
    PractitionerRecord,
    write_organisation,
    write_practice,
    write_practitioners,
)
from callcenter.practice.facts import Door, Fallback
from callcenter.practice.names import UnmappedCharacter
from callcenter.practice.numbers import E164
from callcenter.practice.practitioners import has_sensitive_practitioner, practitioner_names
from callcenter.practice.setting_versions import Author
from callcenter.practice.tables import directory_number, practice, practitioner
from callcenter.practice.values import EntryKind
from callcenter.store.database import Database
from tests.conftest import TODAY

AUTHOR = Author("tests", TODAY)
TILLEULS, PORT = demo_id("practice", "cabinet-des-tilleuls"), demo_id("practice", "maison-de-sante-du-port")


@pytest.fixture
async def demonstration(database: Database) -> Demonstration:
    """The two practices of the demonstration, enrolled without patients."""
    demonstration = read_demonstration(FOLDER)
    async with database.house() as connection:
        await write_organisation(connection, demonstration.organisation_id, demonstration.organisation)
        for described in demonstration.practices.values():
            await write_practice(connection, described.facts, AUTHOR)
    for described in demonstration.practices.values():
        async with database.practice(described.facts.id) as tx:
            await write_practitioners(tx, described.practitioners)
    return demonstration


async def test_a_number_leads_to_its_practice_with_all_facts(database: Database, demonstration: Demonstration) -> None:
    written = demonstration.practices["cabinet-des-tilleuls"].facts
    async with database.house() as connection:
        read = await Directory.facts(connection, TILLEULS, TODAY)
        assert read == written
        assert read.hours[0] == ((time(8, 30), time(12)), (time(14), time(18, 30)))
        assert await Directory.by_slug(connection, "cabinet-des-tilleuls", TODAY) == written
        assert {facts.id for facts in await Directory.all(connection, TODAY)} == {TILLEULS, PORT}
        with pytest.raises(NoSuchPractice):
            await Directory.facts(connection, UUID(int=7), TODAY)
        with pytest.raises(NoSuchPractice):
            await Directory.by_slug(connection, "cabinet-des-erables", TODAY)


async def test_a_practice_without_hours_and_lines_is_read_too(database: Database, demonstration: Demonstration) -> None:
    bare = replace(
        demonstration.practices["maison-de-sante-du-port"].facts,
        opening=replace(demonstration.practices["maison-de-sante-du-port"].facts.opening, weekly={}),
        other_lines=frozenset(),
    )
    async with database.house() as connection:
        await write_practice(connection, bare, AUTHOR)
        assert await Directory.facts(connection, PORT, TODAY) == bare


async def test_p7_every_served_number_has_its_fallback(database: Database, demonstration: Demonstration) -> None:
    async with database.house() as connection:
        assert await Directory.all_numbers(connection) == {
            **{f"+3346571000{end}": Fallback(E164("+33465710090"), "cabinet-des-tilleuls") for end in (1, 2, 3)},
            "+33261910001": Fallback(E164("+33261910090"), "maison-de-sante-du-port"),
        }


async def test_p7_no_rescue_number_is_served_whichever_practice_comes_first(
    database: Database, demonstration: Demonstration
) -> None:
    port = demonstration.practices["maison-de-sante-du-port"].facts
    for change in (
        replace(port, rescue_number=E164("+33465710001")),  # the other practice's number
        replace(port, rescue_number=E164("+33261910001")),  # its own number
        replace(port, numbers={E164("+33465710090"): Door()}),  # the other practice's way out
        replace(port, numbers={E164("+33465710001"): Door(EntryKind.OVERFLOW)}),  # the other practice's number
    ):
        with pytest.raises(NumberTaken, match=r"\+33(465710001|261910001|465710090)"):
            async with database.house() as connection:
                await write_practice(connection, change, AUTHOR)
    async with database.house() as connection:
        assert await Directory.facts(connection, PORT, TODAY) == port


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO directory_number (number, practice_id) SELECT rescue_number, id FROM practice",
        "UPDATE directory_number SET number = '+33465710090' WHERE number = '+33465710001'",
        "UPDATE practice SET rescue_number = '+33465710001'",
    ],
)
async def test_p7_the_schema_itself_keeps_a_rescue_number_from_being_served(
    database: Database, demonstration: Demonstration, statement: str
) -> None:
    with pytest.raises(IntegrityError, match="a number that we serve cannot be a rescue number"):
        async with database.house() as connection:
            await connection.execute(text(statement))


async def test_p7_two_practices_that_contradict_each_other_at_the_same_moment_do_not_both_stand(
    database: Database, demonstration: Demonstration
) -> None:
    number = "+33465710044"
    async with database.engine.connect() as serving, database.engine.connect() as ringing:
        await serving.execute(insert(directory_number).values(number=number, practice_id=TILLEULS))
        await ringing.execute(update(practice).where(practice.c.id == PORT).values(rescue_number=number))
        await serving.commit()
        with pytest.raises(IntegrityError, match="a number that we serve cannot be a rescue number"):
            await ringing.commit()


async def test_a_practice_may_exchange_its_rescue_number_and_one_that_we_serve(
    database: Database, demonstration: Demonstration
) -> None:
    port = demonstration.practices["maison-de-sante-du-port"].facts
    served = {port.rescue_number: Door()}
    async with database.house() as connection:
        await write_practice(connection, replace(port, rescue_number=E164("+33261910001"), numbers=served), AUTHOR)
    async with database.house() as connection:
        assert (await Directory.facts(connection, PORT, TODAY)).rescue_number == "+33261910001"


@pytest.mark.parametrize(
    "broken",
    [
        {"rescue_number": "+33899123456"},
        {"slug": "Cabinet des Érables"},
    ],
)
async def test_the_schema_itself_refuses_a_broken_practice(
    database: Database, demonstration: Demonstration, broken: dict[str, str]
) -> None:
    with pytest.raises(IntegrityError):
        async with database.house() as connection:
            await connection.execute(update(practice).where(practice.c.id == PORT).values(**broken))


async def test_which_practice_has_a_sensitive_practitioner(database: Database, demonstration: Demonstration) -> None:
    async with database.practice(TILLEULS) as tx:
        assert await has_sensitive_practitioner(tx)
        assert set(await practitioner_names(tx)) == {"Claire Moreau", "Antoine Lefèvre", "Nadia Benali"}
    async with database.practice(PORT) as tx:
        assert not await has_sensitive_practitioner(tx)
        assert set(await practitioner_names(tx)) == {"Yann Kervella", "Anne Le Bihan"}


async def test_a_practitioner_whose_name_cannot_be_compared_is_refused(
    database: Database, demonstration: Demonstration
) -> None:
    nobody = PractitionerRecord(UUID(int=1), "R2-D2", "Dr", "robotique", False)
    with pytest.raises(UnmappedCharacter):
        async with database.practice(PORT) as tx:
            await write_practitioners(tx, [nobody])


async def test_one_practice_cannot_enrol_practitioners_of_another(
    database: Database, demonstration: Demonstration
) -> None:
    moreau = next(p for p in demonstration.practices["cabinet-des-tilleuls"].practitioners if p.name == "Claire Moreau")
    with pytest.raises(Exception, match="row-level security"):
        async with database.practice(PORT) as tx:
            await write_practitioners(tx, [replace(moreau, name="Clara Moreau")])
    async with database.practice(TILLEULS) as tx:
        assert "Claire Moreau" in await practitioner_names(tx)
    row = {"id": UUID(int=9), "practice_id": TILLEULS, "name": "X", "title": "", "speciality": "x"}
    with pytest.raises(Exception, match="row-level security"):
        async with database.practice(PORT) as tx:
            await tx.connection.execute(insert(practitioner).values(row))
