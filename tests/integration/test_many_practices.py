"""A thousand practices are brought in by three commands; here three are, with one bad file among them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.practice.directory import Directory
from callcenter.practice.enrolling_many import Attempt, NoDescriptions, described_in, enrol_each
from callcenter.practice.importing_folder import NothingToImport, PracticeImport, import_each, practices_in
from callcenter.practice.invented_practices import FILES, PRACTICES, Amounts, FolderNotEmpty, TooMany, write_invented
from callcenter.practice.setting_versions import Author
from callcenter.practice.tables import appointment
from callcenter.staff.acts import StaffActs
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from tests.conftest import TODAY

AMOUNTS = Amounts(practices=3, patients=40, appointments=170)
AUTHOR = Author("tests", TODAY)
#: What the Arcep reserves for fiction, as E.164.
FICTION = ("+33199", "+3326191", "+3335301", "+3346571", "+3353649", "+3363998")


def generated(folder: Path, amounts: Amounts = AMOUNTS, seed: int = 1) -> list[str]:
    return list(write_invented(amounts, folder, seed, TODAY.date()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    generated(tmp_path / "invented")
    return tmp_path / "invented"


async def enrolled(database: Database, random: SeededRandom, folder: Path) -> list[Attempt]:
    acts, files = StaffActs(DrivenClock(TODAY), random), described_in([folder / PRACTICES])
    return [attempt async for attempt in enrol_each(database, files, "Télésecrétariat", random, AUTHOR, acts)]


async def imported(
    database: Database, sealer: Sealer, random: SeededRandom, folder: Path, begin_at: str | None = None
) -> list[PracticeImport]:
    folders = practices_in(folder / FILES, begin_at)
    return [done async for done in import_each(database, sealer, folders, DrivenClock(TODAY), random)]


def rows(done: list[PracticeImport]) -> list[tuple[int, int]]:
    """Added and updated, of each practice."""
    return [(sum(file.added for file in each.reports), sum(file.updated for file in each.reports)) for each in done]


def every_file(folder: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(folder.rglob("*.*")):
        yield str(file.relative_to(folder)), file.read_text(encoding="utf-8")


# --- made up


def test_the_same_seed_and_day_give_the_same_files_and_another_seed_other_people(tmp_path: Path) -> None:
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        generated(tmp_path / name, seed=seed)
    assert list(every_file(tmp_path / "first")) == list(every_file(tmp_path / "again"))
    assert list(every_file(tmp_path / "first")) != list(every_file(tmp_path / "other"))


def test_the_amounts_are_spread_over_the_practices_and_nothing_is_lost(folder: Path) -> None:
    for name, total in (("patients.csv", AMOUNTS.patients), ("appointments.csv", AMOUNTS.appointments)):
        lines = [len(file.read_text().splitlines()) - 1 for file in (folder / FILES).glob(f"*/{name}")]
        assert sum(lines) == total
        assert max(lines) - min(lines) <= 1


def test_no_number_of_an_invented_practice_or_patient_may_be_somebodys(folder: Path) -> None:
    written = [word.strip("':;") for _, text_ in every_file(folder) for word in text_.replace(";", " ").split()]
    numbers = [word for word in written if word.startswith("+")]
    assert len(numbers) > AMOUNTS.patients
    assert all(number.startswith(FICTION) for number in numbers)


def test_nobody_is_booked_twice_at_once_and_a_third_of_the_days_has_gone_by(tmp_path: Path) -> None:
    generated(tmp_path / "agenda", Amounts(1, 50, 3_000))
    file = next((tmp_path / "agenda").rglob("appointments.csv"))
    booked = [tuple(line.split(";")[2:4]) for line in file.read_text(encoding="utf-8").splitlines()[1:]]
    assert len(set(booked)) == len(booked) == 3_000
    gone = sum(date.fromisoformat(begins[:10]) < TODAY.date() for _, begins in booked)
    assert 0.25 < gone / len(booked) < 0.45


@pytest.mark.parametrize(
    ("amounts", "told"),
    [
        (Amounts(10_000, 1, 0), "9,999 practices"),
        (Amounts(0, 0, 0), "9,999 practices"),
        (Amounts(1, 9_901, 0), "9,900 patients a practice"),
        (Amounts(1, 1, 200_001), "200,000 appointments a practice"),
        (Amounts(1, 0, 1), "write --patients"),
    ],
)
def test_more_than_can_be_invented_is_refused_with_the_bound(tmp_path: Path, amounts: Amounts, told: str) -> None:
    with pytest.raises(TooMany, match=told):
        generated(tmp_path / "invented", amounts)
    assert not (tmp_path / "invented").exists()


def test_a_folder_that_holds_something_is_left_alone(folder: Path) -> None:
    before = list(every_file(folder))
    with pytest.raises(FolderNotEmpty):
        generated(folder)
    assert list(every_file(folder)) == before


# --- brought in


async def test_all_of_it_is_enrolled_and_imported_and_a_second_time_updated(
    database: Database, sealer: Sealer, random: SeededRandom, folder: Path
) -> None:
    assert all(attempt.enrolled and attempt.enrolled.is_new for attempt in await enrolled(database, random, folder))
    first = await imported(database, sealer, random, folder)
    assert [done.refused for done in first] == [None, None, None]
    assert sum(added for added, _ in rows(first)) > AMOUNTS.patients * 2 + AMOUNTS.appointments
    assert sum(updated for _, updated in rows(first)) == 0
    assert all(attempt.enrolled and not attempt.enrolled.is_new for attempt in await enrolled(database, random, folder))
    again = await imported(database, sealer, random, folder)
    assert rows(again) == [(0, added) for added, _ in rows(first)]


async def test_what_is_imported_is_what_the_file_says(
    database: Database, sealer: Sealer, random: SeededRandom, folder: Path
) -> None:
    await enrolled(database, random, folder)
    await imported(database, sealer, random, folder)
    slug = "cabinet-invente-0002"
    async with database.house() as connection:
        facts = await Directory.by_slug(connection, slug, TODAY)
    async with database.practice(facts.id) as tx:
        found = (await tx.connection.execute(select(appointment.c.external_id, appointment.c.starts_at))).all()
    lines = (folder / FILES / slug / "appointments.csv").read_text(encoding="utf-8").splitlines()[1:]
    local = {
        key: datetime.fromisoformat(begins).replace(tzinfo=ZoneInfo("Europe/Paris"))
        for key, _, _, begins, _ in (line.split(";") for line in lines)
    }
    assert {row.external_id: row.starts_at for row in found} == local


async def test_a_description_that_cannot_be_used_keeps_no_other_practice_back(
    database: Database, random: SeededRandom, folder: Path
) -> None:
    bad = folder / PRACTICES / "cabinet-invente-0002.yaml"
    bad.write_text(bad.read_text(encoding="utf-8").replace("116117", "0892 123 456"), encoding="utf-8")
    attempts = await enrolled(database, random, folder)
    assert [attempt.enrolled is not None for attempt in attempts] == [True, False, True]
    assert attempts[1].refused is not None
    assert str(bad) in attempts[1].refused
    async with database.house() as connection:
        standing = {facts.slug for facts in await Directory.all(connection, TODAY)}
    assert standing == {"cabinet-invente-0001", "cabinet-invente-0003"}


async def test_a_file_that_cannot_be_used_keeps_no_other_practice_back_and_the_rest_of_its_own(
    database: Database, sealer: Sealer, random: SeededRandom, folder: Path
) -> None:
    await enrolled(database, random, folder)
    bad = folder / FILES / "cabinet-invente-0002" / "contacts.csv"
    bad.write_text(bad.read_text().replace(";+33639980103;", ";0892123456;"))
    done = await imported(database, sealer, random, folder)
    assert [each.refused is None for each in done] == [True, False, True]
    assert [len(each.reports) for each in done] == [3, 1, 3]
    assert done[1].refused is not None
    assert f"{bad}:" in done[1].refused
    assert "0892123456" not in done[1].refused, "a problem never shows a cell"


async def test_a_run_that_was_stopped_goes_on_where_it_is_told_to(
    database: Database, sealer: Sealer, random: SeededRandom, folder: Path
) -> None:
    await enrolled(database, random, folder)
    done = await imported(database, sealer, random, folder, "cabinet-invente-0002")
    assert [each.slug for each in done] == ["cabinet-invente-0002", "cabinet-invente-0003"]


async def test_a_folder_of_nobody_and_a_strange_file_are_told_and_touch_nothing(
    database: Database, sealer: Sealer, random: SeededRandom, folder: Path
) -> None:
    await enrolled(database, random, folder)
    (folder / FILES / "zzz").mkdir()
    (folder / FILES / "cabinet-invente-0001" / "visites.csv").write_text("x")
    done = await imported(database, sealer, random, folder)
    assert "visites.csv" in (done[0].refused or "")
    assert done[0].reports == ()
    assert "patients.csv" in (done[-1].refused or "")
    (folder / FILES / "zzz" / "patients.csv").write_text("external_id\n")
    done = await imported(database, sealer, random, folder, "zzz")
    assert "there is no practice « zzz »" in (done[0].refused or "")


def test_folders_without_anything_are_told(tmp_path: Path) -> None:
    with pytest.raises(NoDescriptions, match=r"\.yaml"):
        described_in([tmp_path])
    for wanted, told in ((tmp_path, "holds no folder"), (tmp_path / "none", "is no folder")):
        with pytest.raises(NothingToImport, match=told):
            practices_in(wanted)
    (tmp_path / "one").mkdir()
    with pytest.raises(NothingToImport, match="« two »"):
        practices_in(tmp_path, "two")
    assert practices_in(tmp_path, "one") == [tmp_path / "one"]
