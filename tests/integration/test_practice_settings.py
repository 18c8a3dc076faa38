"""A practice's settings in time: what holds when, what is refused with which mend, and what is on record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import DataProblems
from callcenter.kernel.randomness import SeededRandom
from callcenter.practice.changing import NothingToChange, SettingsChanged, SettingsDesk
from callcenter.practice.demo import FOLDER
from callcenter.practice.demo_file import demo_id, read_demonstration
from callcenter.practice.directory import Directory, NoSuchPractice
from callcenter.practice.enrolment import (
    NumberTaken,
    UnusablePractice,
    write_organisation,
    write_practice,
    write_practitioners,
)
from callcenter.practice.facts import Arrival, PracticeFacts
from callcenter.practice.practice_form import Setting
from callcenter.practice.setting_versions import Author, NothingToWithdraw, Period, SettingVersions, UnusableAuthor
from callcenter.staff.acts import StaffActs
from callcenter.store.database import Database

PARIS = ZoneInfo("Europe/Paris")
TILLEULS, PORT = demo_id("practice", "cabinet-des-tilleuls"), demo_id("practice", "maison-de-sante-du-port")
OURS, RESCUE = "+33465710001", "+33465710090"


@dataclass
class Office:
    """Somebody who changes the settings of the Tilleuls."""

    database: Database
    clock: DrivenClock
    random: SeededRandom

    def desk(self, slug: str = "cabinet-des-tilleuls") -> SettingsDesk:
        author = Author("anna", self.clock.now(), "une note")
        return SettingsDesk(self.database, slug, author, StaffActs(self.clock, self.random))

    async def put(
        self, setting: Setting, value: Any, begins: datetime | None = None, ends: datetime | None = None
    ) -> SettingsChanged:
        return await self.desk().put(setting, value, Period(begins or self.clock.now(), ends))

    async def facts(self, at: datetime | None = None) -> PracticeFacts:
        async with self.database.house() as connection:
            return await Directory.facts(connection, TILLEULS, at or self.clock.now())

    async def records(self) -> list[dict[str, Any]]:
        async with self.database.practice(TILLEULS) as tx:
            rows = await tx.connection.execute(
                text("SELECT convert_from(body, 'UTF8')::json AS body FROM audit_record")
            )
            return [row.body for row in rows]


@pytest.fixture
async def office(database: Database, clock: DrivenClock, random: SeededRandom) -> Office:
    demonstration = read_demonstration(FOLDER)
    async with database.house() as connection:
        await write_organisation(connection, demonstration.organisation_id, demonstration.organisation)
        for described in demonstration.practices.values():
            await write_practice(connection, described.facts, Author("tests", clock.now()))
    for described in demonstration.practices.values():
        async with database.practice(described.facts.id) as tx:
            await write_practitioners(tx, described.practitioners)
    return Office(database, clock, random)


async def test_a_change_holds_from_now_on_and_is_on_record_without_its_value(office: Office) -> None:
    before = office.clock.now()
    office.clock.advance(60)
    outcome = await office.put(Setting.ADDRESS, "14 rue des Tilleuls, 69003 Lyon")
    assert outcome.facts.address.startswith("14 rue")
    assert (await office.facts()).address.startswith("14 rue")
    assert (await office.facts(before)).address.startswith("12 rue")
    (record,) = await office.records()
    assert (record["event"], record["actor"]) == ("settings.changed", {"kind": "staff", "id": "anna"})
    assert record["refs"] == [f"setting:address:{outcome.changed.revision}"]
    assert "rue" not in str(record)


async def test_this_weeks_hours_lie_over_the_usual_ones_which_show_again(office: Office) -> None:
    monday = datetime(2026, 11, 30, tzinfo=PARIS)
    await office.put(Setting.HOURS, {"lundi": ["09:00-10:00"]}, monday, monday + timedelta(days=7))
    for days, opens in ((-1, False), (0, False), (1, False), (7, True)):
        at = monday + timedelta(days=days, hours=11)
        assert (await office.facts(at)).is_open(at) is opens, days
    at = monday + timedelta(hours=9, minutes=30)
    assert (await office.facts(at)).is_open(at)


async def test_a_message_of_the_day_ends_by_itself_and_must(office: Office) -> None:
    with pytest.raises(DataProblems, match=r"until when it is said\n    mend: add --until"):
        await office.put(Setting.MESSAGE_OF_THE_DAY, "Retard de 45 minutes.")
    with pytest.raises(DataProblems, match="more than 14 days"):
        await office.put(Setting.MESSAGE_OF_THE_DAY, "Retard.", ends=office.clock.now() + timedelta(days=15))
    with pytest.raises(DataProblems, match="longer than 300 characters"):
        await office.put(Setting.MESSAGE_OF_THE_DAY, "é" * 301, ends=office.clock.now() + timedelta(hours=1))
    await office.put(Setting.MESSAGE_OF_THE_DAY, "Retard de 45 minutes.", ends=office.clock.now() + timedelta(hours=8))
    assert (await office.facts()).message_of_the_day == "Retard de 45 minutes."
    assert (await office.facts(office.clock.now() + timedelta(hours=8))).message_of_the_day == ""


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("Mme Martin-Duval est priée de rappeler.", "a name"),
        ("Le patient né le 14/03/1962 doit rappeler.", "a date of birth"),
        ("Rappelez le 06 39 98 00 01.", "a telephone number"),
        ("MME DUVAL est priée de rappeler.", "a name"),
        ("Mr. Duval est prié de rappeler.", "a name"),
        ("Patient : Karim Haddad.", "a name"),
        ("Qui est du 14-03-1962 doit rappeler.", "a date of birth"),
        ("Qui est du 14 mars 1962 doit rappeler.", "a date of birth"),
        ("Rappelez le +33 (0)6 39 98 00 01.", "a telephone number"),
        ("Rappelez le 0033639980001.", "a telephone number"),
    ],
)
async def test_a_message_that_seems_to_be_about_a_patient_is_warned_of(office: Office, words: str, what: str) -> None:
    outcome = await office.put(Setting.MESSAGE_OF_THE_DAY, words, ends=office.clock.now() + timedelta(hours=1))
    assert any(what in warning for warning in outcome.warnings)


@pytest.mark.parametrize("setting", [Setting.CLOSING_CONDUCT, Setting.ACCESS, Setting.ADDRESS])
async def test_whatever_else_is_said_to_everybody_is_warned_of_too(office: Office, setting: Setting) -> None:
    assert (await office.put(setting, "Mme Duval est attendue.")).warnings


async def test_ordinary_messages_are_not_warned_of(office: Office) -> None:
    for words in ("Retard de 45 minutes.", "Le docteur Moreau reprend lundi 30 novembre 2026 à 8 heures 30."):
        outcome = await office.put(Setting.MESSAGE_OF_THE_DAY, words, ends=office.clock.now() + timedelta(hours=1))
        assert outcome.warnings == ()


@pytest.mark.parametrize(
    ("setting", "value", "what"),
    [
        (Setting.CLOSING_CONDUCT, "  ", "empty"),  # EM-05
        (Setting.OUT_OF_HOURS_NUMBER, "3639", "costs extra"),  # EM-04, UX-05
        (Setting.VOICE, "nobody", "local"),
        (Setting.ANSWER_MODE, "robot", "direct"),
        (Setting.TIMEZONE, "Europe/Lyon", "no such time zone"),
        (Setting.TIMEZONE, "Europe", "no such time zone"),
        (Setting.HOURS, {"lundi": ["8h-12h"]}, "from-to"),
        (Setting.HOURS, {"lundi": "08:30-12:00"}, "a list is meant"),
        (Setting.HOURS, {"monday": []}, "days are called lundi"),
        (Setting.RECEPTION, [{"answers": "closed", "dates": "2026-12-32"}], "no such date"),
        (Setting.RECEPTION, [{"answers": "closed", "on": "2026-12-31"}], "Extra inputs"),
        (Setting.AGENDA, {"external": "http://agenda.example"}, "https://"),
        (
            Setting.NUMBERS,
            {OURS: {"entry": "main", "practitioner": "Gregory House"}},
            "no practitioner of the practice",
        ),
        (Setting.NUMBERS, {"+33639980099": "main"}, "06 and 07"),
    ],
)
async def test_a_wrong_value_is_refused_with_the_mend_and_nothing_changes(
    office: Office, setting: Setting, value: object, what: str
) -> None:
    before = await office.facts()
    with pytest.raises(DataProblems, match=f"(?s){what}.*mend: "):
        await office.put(setting, value)
    after = await office.facts()
    assert (after, after.revision) == (before, before.revision)
    assert await office.records() == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        (Setting.RESCUE_NUMBER, OURS),
        (Setting.RESCUE_NUMBER, "+33261910001"),
        (Setting.NUMBERS, {RESCUE: "main"}),
        (Setting.NUMBERS, {"+33261910090": "main"}),
        (Setting.OTHER_LINES, [RESCUE]),
    ],
)
async def test_p7_a_number_plan_that_points_at_ourselves_is_refused(
    office: Office, setting: Setting, value: object
) -> None:
    with pytest.raises(NumberTaken, match=r"\n    mend: (name a line that rings|a number belongs to one practice)"):
        await office.put(setting, value)
    assert (await office.facts()).rescue_number == RESCUE


async def test_a_practice_keeps_a_number_at_which_it_is_answered(office: Office) -> None:
    with pytest.raises(UnusablePractice, match="no number is left at which we answer"):
        await office.put(Setting.NUMBERS, {})


async def test_the_number_plan_changes_at_once_for_calls_and_for_the_documents_of_last_resort(office: Office) -> None:
    tomorrow = office.clock.now() + timedelta(days=1)
    with pytest.raises(DataProblems, match="changes at once"):
        await office.put(Setting.NUMBERS, {OURS: "main"}, tomorrow)
    plan = {OURS: "main", "+33465710004": {"entry": "professionals", "practitioner": "Claire Moreau"}}
    outcome = await office.put(Setting.NUMBERS, plan)
    assert outcome.facts.arrival("+33465710004", office.clock.now()) is Arrival.PROFESSIONALS
    async with office.database.house() as connection:
        assert "+33465710004" in await Directory.all_numbers(connection)


async def test_p7_a_number_that_is_a_practitioners_line_cannot_become_one_that_we_answer(office: Office) -> None:
    with pytest.raises(NumberTaken, match="« Claire Moreau » \\+33465710061"):
        await office.put(Setting.NUMBERS, {OURS: "main", "+33465710061": "overflow"})
    async with office.database.house() as connection:
        assert "+33465710061" not in await Directory.all_numbers(connection)


async def test_p7_no_emergency_line_is_one_that_we_answer_whichever_comes_first(office: Office) -> None:
    port, later = "+33261910001", "+33261910007"
    with pytest.raises(NumberTaken, match="a number that we answer\n    mend: name a direct line"):
        await office.put(Setting.EMERGENCY_LINE, port)
    tomorrow = office.clock.now() + timedelta(days=1)
    with pytest.raises(NumberTaken, match="a number that we answer"):
        await office.put(Setting.EMERGENCY_LINE, port, tomorrow)
    assert (await office.facts()).emergency_line == ""

    await office.put(Setting.EMERGENCY_LINE, later, tomorrow)
    neighbour = "maison-de-sante-du-port"
    plan = {port: "main", later: "main"}
    with pytest.raises(NumberTaken, match="emergency line of another practice, now or later"):
        await office.desk(neighbour).put(Setting.NUMBERS, plan, Period(office.clock.now()))
    office.clock.advance(1)
    over = await office.put(Setting.EMERGENCY_LINE, "+33465710099", tomorrow)
    await office.desk(neighbour).put(Setting.NUMBERS, plan, Period(office.clock.now()))
    with pytest.raises(NumberTaken, match="a number that we answer"):
        await office.desk().withdraw(Setting.EMERGENCY_LINE, over.changed.revision)


async def test_a_rollback_is_a_change_of_its_own(office: Office) -> None:
    first = (await office.facts()).revision
    office.clock.advance(1)
    await office.put(Setting.ADDRESS, "14 rue des Tilleuls")
    office.clock.advance(1)
    await office.put(Setting.ANSWER_MODE, "direct")
    office.clock.advance(1)
    await office.put(Setting.NUMBERS, {OURS: "main", "+33465710004": "overflow"})
    office.clock.advance(1)
    outcome = await office.desk().roll_back(first, Setting.ADDRESS)
    assert outcome.changed.settings == {Setting.ADDRESS}
    outcome = await office.desk().roll_back(first)
    assert outcome.changed.settings == {Setting.ANSWER_MODE, Setting.NUMBERS}
    async with office.database.house() as connection:
        assert "+33465710004" not in await Directory.all_numbers(connection)
    with pytest.raises(NothingToChange):
        await office.desk().roll_back(first)
    with pytest.raises(DataProblems, match="has no revision 99"):
        await office.desk().roll_back(99)
    async with office.database.house() as connection:
        history = await SettingVersions.history(connection, TILLEULS, Setting.ADDRESS)
    assert [version.author.by for version in history] == ["anna", "anna", "tests"]
    assert history[0].author.note == "une note"
    assert len([record for record in await office.records() if record["event"] == "settings.changed"]) == 5


async def test_a_rollback_brings_back_what_held_for_a_while_with_its_own_end(office: Office) -> None:
    now = office.clock.now()
    tonight, week = now + timedelta(hours=8), now + timedelta(days=7)
    await office.put(Setting.ADDRESS, "8 rue du Port")
    await office.put(Setting.ADDRESS, "pendant les travaux : 2 rue Basse", ends=week)
    await office.put(Setting.ADDRESS, "ce soir seulement : 4 rue Haute", ends=tonight)
    before = (await office.put(Setting.ACCESS, "bus 27", ends=week)).changed.revision
    office.clock.advance(1)
    await office.put(Setting.ADDRESS, "une erreur")
    await office.put(Setting.ACCESS, "une autre")
    outcome = await office.desk().roll_back(before)
    assert outcome.changed.settings == {Setting.ADDRESS, Setting.ACCESS}

    async def told(at: datetime) -> tuple[str, str]:
        facts = await office.facts(at)
        return facts.address, facts.access

    assert await told(office.clock.now()) == ("ce soir seulement : 4 rue Haute", "bus 27")
    assert await told(tonight) == ("pendant les travaux : 2 rue Basse", "bus 27")
    assert (await told(week))[0] == "8 rue du Port"
    assert (await told(week))[1] not in ("bus 27", "une autre")
    with pytest.raises(NothingToChange):
        await office.desk().roll_back(before)


async def test_a_rollback_says_that_the_message_of_the_day_is_still_said(office: Office) -> None:
    first = (await office.facts()).revision
    office.clock.advance(1)
    tonight = office.clock.now() + timedelta(hours=8)
    await office.put(Setting.MESSAGE_OF_THE_DAY, "Mme Durand est attendue.", ends=tonight)
    with pytest.raises(DataProblems, match=r"no rollback touches it\n    mend: callcenter practice withdraw"):
        await office.desk().roll_back(first, Setting.MESSAGE_OF_THE_DAY)
    with pytest.raises(NothingToChange, match="message_of_the_day is no part of a rollback and is still said"):
        await office.desk().roll_back(first)
    office.clock.advance(1)
    said = (await office.put(Setting.ADDRESS, "une erreur")).changed.revision
    assert (await office.desk().roll_back(first)).warnings
    assert (await office.facts()).message_of_the_day == "Mme Durand est attendue."
    office.clock.advance(1)
    assert not (await office.desk().roll_back(said)).warnings  # it was said then too


async def test_what_is_planned_can_be_taken_back(office: Office) -> None:
    december = datetime(2026, 12, 1, tzinfo=PARIS)
    planned = await office.put(Setting.ANSWER_MODE, "direct", december)
    assert (await office.facts(december)).reception.mode == "direct"
    await office.desk().withdraw(Setting.ANSWER_MODE, planned.changed.revision)
    assert (await office.facts(december)).reception.mode == "menu"
    with pytest.raises(NothingToWithdraw):
        await office.desk().withdraw(Setting.ANSWER_MODE, planned.changed.revision)
    with pytest.raises(DataProblems, match="not taken back by version"):
        await office.desk().withdraw(Setting.NUMBERS, 1)


async def test_p7_what_lies_under_a_change_that_ends_is_not_taken_back(office: Office) -> None:
    """Nothing would be said while the practice is closed, once the change has ended; and no call be answered."""
    week = office.clock.now() + timedelta(days=7)
    await office.put(Setting.CLOSING_CONDUCT, "Cette semaine, le docteur Vasseur vous reçoit.", ends=week)
    office.clock.advance(60)
    with pytest.raises(DataProblems, match=r"(?s)closing_conduct: no practice is without it, now or later.*mend: "):
        await office.desk().withdraw(Setting.CLOSING_CONDUCT, 1)
    await office.put(Setting.CLOSING_CONDUCT, "Le docteur Vasseur vous reçoit.")
    await office.desk().withdraw(Setting.CLOSING_CONDUCT, 1)
    assert (await office.facts(week)).closing_conduct == "Le docteur Vasseur vous reçoit."


async def test_p7_the_out_of_hours_number_is_none_that_the_practice_has_us_answer(office: Office) -> None:
    with pytest.raises(UnusablePractice, match="would say to dial it again"):
        await office.put(Setting.OUT_OF_HOURS_NUMBER, OURS)


async def test_what_a_call_began_with_is_read_the_same_after_changes_and_withdrawals(office: Office) -> None:
    at, began_with = office.clock.now(), (await office.facts()).revision
    office.clock.advance(1)
    changed = await office.put(Setting.ADDRESS, "14 rue des Tilleuls")
    await office.desk().withdraw(Setting.ADDRESS, changed.changed.revision)
    async with office.database.house() as connection:
        for revision, address in ((began_with, "12 rue"), (changed.changed.revision, "14 rue")):
            snapshot = await Directory.snapshot(connection, TILLEULS, at + timedelta(seconds=1), revision)
            assert snapshot.written["address"].startswith(address)


async def test_changes_begin_now_or_later_and_end_after_they_began(office: Office) -> None:
    now = office.clock.now()
    with pytest.raises(DataProblems, match="begin in the past"):
        await office.put(Setting.ADDRESS, "ici", now - timedelta(hours=1))
    with pytest.raises(DataProblems, match="ended before it begins"):
        await office.put(Setting.ADDRESS, "ici", now + timedelta(hours=2), now + timedelta(hours=1))
    with pytest.raises(NothingToChange):
        await office.put(Setting.ANSWER_MODE, "menu")
    with pytest.raises(NoSuchPractice, match="practice list"):
        await office.desk("cabinet-des-erables").put(Setting.ADDRESS, "ici", Period(now))


@pytest.mark.parametrize(
    ("by", "note", "mend"),
    [(" ", "", "--by NAME"), ("x" * 121, "", "--by NAME"), ("anna", "x" * 501, "shorten --note")],
)
def test_who_changes_it_and_why_must_fit_on_record(clock: DrivenClock, by: str, note: str, mend: str) -> None:
    with pytest.raises(UnusableAuthor, match=mend):
        Author(by, clock.now(), note)


async def test_the_app_cannot_rewrite_a_version(office: Office) -> None:
    for statement in ("UPDATE setting_version SET value = '\"autre\"'", "DELETE FROM setting_version"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with office.database.house() as connection:
                await connection.execute(text(statement))


async def test_instructions_carry_the_revision_that_made_them_whatever_else_changes(office: Office) -> None:
    """So whoever has read them is asked to read them again when they change, and not when anything else does."""
    first = (await office.facts()).instructions_revision
    changed = await office.put(Setting.INSTRUCTIONS, "Un message, jamais d’avis.\nPas de visite.")
    await office.put(Setting.ADDRESS, "14 rue des Tilleuls")
    tomorrow = office.clock.now() + timedelta(days=1)
    passing = await office.put(Setting.INSTRUCTIONS, {"practice": "Grève.", "practitioners": {}}, ends=tomorrow)
    now, later = await office.facts(), await office.facts(tomorrow)
    assert first < changed.changed.revision == later.instructions_revision
    assert (now.instructions.text, now.instructions_revision) == ("Grève.", passing.changed.revision)
    assert later.instructions.text == "Un message, jamais d’avis.\nPas de visite."
    with pytest.raises(DataProblems, match="Luc Petit » is no practitioner of the practice, and has no instructions"):
        await office.put(Setting.INSTRUCTIONS, {"practitioners": {"Luc Petit": "Rien."}})


async def test_what_is_asked_of_days_to_come_is_read_as_it_will_stand_then(office: Office) -> None:
    tonight = datetime(2026, 11, 27, tzinfo=PARIS)
    usual = (await office.facts()).opening
    await office.put(Setting.HOURS, {"jeudi": ["00:00-23:59"]}, ends=tonight)
    await office.put(
        Setting.RECEPTION, [{"answers": "closed"}], tonight + timedelta(days=3), tonight + timedelta(days=10)
    )
    await office.put(Setting.AGENDA, {"external": "https://agenda.example.org"}, tonight + timedelta(days=30))
    facts = await office.facts()
    assert [one.since for one in facts.later] == [tonight + timedelta(days=days) for days in (0, 3, 10, 30)]
    assert [one.opening == usual for one in (facts, *facts.later)] == [False, True, True, True, True]
    assert [len(one.reception.rules) for one in facts.later] == [0, 1, 0, 0]
    assert [bool(one.booking.practitioners) for one in facts.later] == [True, True, True, False]
    assert facts.timetable.now.booking == facts.booking
    async with office.database.house() as connection:
        every = await Directory.all(connection, office.clock.now())
    assert [one.later for one in every if one.id == TILLEULS] == [facts.later]


async def test_what_was_taken_back_or_lies_under_another_is_not_to_come(office: Office) -> None:
    begins = office.clock.now() + timedelta(days=2)
    first = await office.put(Setting.HOURS, {"lundi": ["09:00-10:00"]}, begins)
    assert len((await office.facts()).later) == 1
    await office.desk().withdraw(Setting.HOURS, first.changed.revision)
    assert (await office.facts()).later == ()
    await office.put(Setting.HOURS, {"lundi": ["09:00-10:00"]}, ends=begins)
    await office.put(Setting.HOURS, {"mardi": ["09:00-10:00"]})
    (one,) = (await office.facts()).later
    assert one.opening == (await office.facts()).opening
    async with office.database.house() as connection:
        before = await Directory.snapshot(connection, TILLEULS, office.clock.now(), first.changed.revision)
    assert len(before.ahead) == 1  # a call goes on with what it began with


async def test_what_holds_for_a_while_can_be_made_the_rule(office: Office) -> None:
    """It stood so already, until tonight: to say it for good was refused as no change."""
    address, tonight = "14 rue des Tilleuls, 69003 Lyon", office.clock.now() + timedelta(hours=8)
    await office.put(Setting.ADDRESS, address, ends=tonight)
    assert (await office.facts(tonight)).address != address
    await office.put(Setting.ADDRESS, address)
    assert (await office.facts(tonight)).address == address
    with pytest.raises(NothingToChange):
        await office.put(Setting.ADDRESS, address)


async def test_what_is_to_come_and_cannot_be_read_keeps_nobody_from_being_answered(office: Office) -> None:
    begins = office.clock.now() + timedelta(days=2)
    async with office.database.practice(TILLEULS) as tx:
        revision = await SettingVersions.next_revision(tx.connection, TILLEULS)
        author = Author("tests", office.clock.now())
        await SettingVersions.add(tx.connection, TILLEULS, revision, {Setting.HOURS: "?"}, Period(begins), author)
    facts = await office.facts()
    assert facts.opening.weekly
    assert facts.next_opening(begins) is None
