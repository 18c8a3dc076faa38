"""Reminders of appointments: minimal, on record before they leave, and never to whoever must or will not have one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from callcenter.audit.ledger import Writing
from callcenter.calls.delivery import Undeliverable
from callcenter.emulator.client import ArrivedMessage, ControlClient
from callcenter.kernel.randomness import SystemRandom, new_id
from callcenter.notices.choices import Choice, choose_for_patient
from callcenter.notices.reminders import OPTED_OUT, MobileSender
from callcenter.practice.demo_file import demo_id
from callcenter.practice.directory import Directory
from callcenter.practice.everywhere import PracticesFailed
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.file import PatientFile
from callcenter.practice.intake import ContactEntry, put_contacts
from callcenter.practice.numbers import E164
from callcenter.practice.practice_form import Setting
from tests.acceptance.on_the_line import BORN, calling
from tests.acceptance.outreach import (
    PORT,
    SENDER,
    TILLEULS,
    Outside,
    change,
    damage_settings,
    outside,
    paris,
    practice_id,
    put,
    records,
    rows,
)
from tests.acceptance.stage import Stage
from tests.sealing import Behind

JEANNE, KARIM, ODETTE, UNKNOWN = "+33639980001", "+33639980004", "+33639980005", "+33639980090"
#: Jeanne's appointment is on Tuesday 1 December at 14:30.
THE_DAY_BEFORE = paris(2026, 11, 30, 15, 0)
WORDS = "Rappel : RDV le 01/12 à 14h30. Infos : 04 65 71 00 01. STOP au 01 99 00 00 01"


async def reminded(stage: Stage, seen: Outside, number: str = JEANNE) -> list[ArrivedMessage]:
    """Look for what is due now; what has arrived at ``number``."""
    await stage.running.outreach.reminders.find()
    return await seen.texts(number)


async def switch_on(stage: Stage, mode: str = "opt_out", slug: str = TILLEULS) -> None:
    stage.clock.set(THE_DAY_BEFORE - timedelta(hours=1))
    await put(stage, Setting.REMINDERS, mode, slug)
    stage.clock.set(THE_DAY_BEFORE)


async def jeanne(stage: Stage, what: str) -> None:
    await change(
        stage, f"UPDATE patient SET {what} WHERE id = :jeanne", jeanne=demo_id("patient", "jeanne-martin-duval")
    )


async def refusals(stage: Stage) -> list[str]:
    subject = "SELECT token FROM audit_subject WHERE patient_id = :jeanne"
    (row,) = await rows(stage, subject, jeanne=demo_id("patient", "jeanne-martin-duval"))
    of_her = [one for one in await records(stage, "disclosure") if one["subject"] == str(row.token)]
    return [str(one.get("reason")) for one in of_her]


async def test_no_practice_reminds_unless_it_has_said_so(stage: Stage) -> None:
    stage.clock.set(THE_DAY_BEFORE)
    async with outside(stage) as seen:
        assert await stage.running.outreach.reminders.find() == 0
        assert await seen.every_text() == 0


async def test_a_reminder_says_date_hour_and_number_once(stage: Stage) -> None:
    await switch_on(stage)
    async with outside(stage) as seen:
        (text,) = await reminded(stage, seen)
        assert (text.body, text.sender) == (WORDS, SENDER)
        stage.clock.advance(3600)
        assert len(await reminded(stage, seen)) == 1
        (row,) = await rows(stage, "SELECT id FROM reminder WHERE appointment_id = :id", id=appointment())
        await stage.running.outreach.reminders.send(practice_id(), row.id)
        assert len(await seen.texts(JEANNE)) == 1


async def test_p4_while_the_ledger_is_behind_a_reminder_stays_due_and_is_not_lost(stage: Stage) -> None:
    await switch_on(stage)
    behind = replace(stage.running.outreach.reminders, ledger=Behind())
    async with stage.running.database.practice(practice_id()) as tx:
        reminder = new_id(SystemRandom())
        made = (
            "INSERT INTO reminder (id, practice_id, appointment_id, made_at) VALUES (:id, :practice, :appointment, :at)"
        )
        values = {"id": reminder, "practice": practice_id(), "appointment": appointment(), "at": stage.clock.now()}
        await tx.connection.execute(text(made), values)
    await behind.send(practice_id(), reminder)
    (row,) = await rows(stage, "SELECT outcome FROM reminder WHERE id = :id", id=reminder)
    assert (row.outcome, await records(stage, "disclosure")) == ("due", [])
    await stage.running.outreach.reminders.send(practice_id(), reminder)
    (row,) = await rows(stage, "SELECT outcome FROM reminder WHERE id = :id", id=reminder)
    assert row.outcome == "sent"


def appointment() -> object:
    return demo_id("appointment", "jeanne-martin-duval/1")


async def test_p1_its_record_names_what_it_tells_by_which_policy(stage: Stage) -> None:
    await switch_on(stage)
    async with outside(stage) as seen:
        await reminded(stage, seen)
    (row,) = await rows(stage, "SELECT id FROM reminder WHERE appointment_id = :id", id=appointment())
    (record,) = [one for one in await records(stage, "disclosure") if one["stream"] == str(row.id)]
    told = {key: record[key] for key in ("decision", "categories", "channel", "level_required", "purpose", "recipient")}
    assert told == {
        "decision": "granted",
        "categories": ["D02", "D03"],
        "channel": "sms",
        "level_required": "push",
        "purpose": "PATADMIN",
        "recipient": "patient",
    }
    assert record["refs"] == [f"appointment:{appointment()}", f"reminder:{row.id}"]


async def test_p1_without_its_record_no_reminder_leaves(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: the ledger cannot be written."""
    await switch_on(stage)

    async def broken(self: Writing) -> None:
        raise RuntimeError("the ledger is full")

    monkeypatch.setattr(Writing, "flush", broken)
    async with outside(stage) as seen:
        assert await reminded(stage, seen) == []
        assert await seen.every_text() == 0
        (row,) = await rows(stage, "SELECT outcome FROM reminder WHERE appointment_id = :id", id=appointment())
        assert row.outcome == "due"


@pytest.mark.parametrize(
    ("mark", "reason"),
    [
        ("contact_restricted = true", "contact_restricted"),
        ("deceased = true", "deceased"),
        ("homonym = true", "homonym"),
        ("identity_status = 'PROV', doubtful = true", "doubtful"),
    ],
)
async def test_whoever_must_not_be_told_gets_none_and_that_is_on_record(stage: Stage, mark: str, reason: str) -> None:
    await switch_on(stage)
    await jeanne(stage, mark)
    async with outside(stage) as seen:
        assert await reminded(stage, seen) == []
    assert await refusals(stage) == [reason]


async def test_a_sensitive_appointment_is_not_reminded_of(stage: Stage) -> None:
    await switch_on(stage)
    stage.clock.set(paris(2026, 12, 2, 17, 0))  # the day before Karim's
    async with outside(stage) as seen:
        assert await reminded(stage, seen, KARIM) == []
    assert "sensitive" in {one.get("reason") for one in await records(stage, "disclosure")}


async def test_neither_a_minor_nor_a_landline_nor_an_old_number_is_reminded(stage: Stage) -> None:
    await switch_on(stage)
    await change(stage, "UPDATE contact SET confirmed_at = '2017-01-01T00:00Z', entered_at = '2017-01-01T00:00Z'")
    async with outside(stage) as seen:
        await reminded(stage, seen)
        stage.clock.set(paris(2026, 12, 1, 15, 0))  # the day before the twins'
        await reminded(stage, seen)
        assert await seen.every_text() == 0
    assert {one["reason"] for one in await records(stage, "disclosure")} == {"no_telephone", "minor", "sensitive"}


async def test_where_consent_is_asked_for_only_whoever_gave_it_is_reminded(stage: Stage) -> None:
    await switch_on(stage, "consent")
    async with outside(stage) as seen:
        await reminded(stage, seen)
        assert await seen.every_text() == 0
    await change(stage, "DELETE FROM reminder")
    async with stage.running.database.practice(practice_id()) as tx:
        whose = demo_id("patient", "jeanne-martin-duval")
        await choose_for_patient(tx, whose, Choice.CONSENTED, stage.clock.now(), SystemRandom())
    async with outside(stage) as seen:
        assert [one.body for one in await reminded(stage, seen)] == [WORDS]
        assert await seen.every_text() == 1


async def test_staff_keep_an_opposition(stage: Stage) -> None:
    await switch_on(stage)
    async with stage.running.database.practice(practice_id()) as tx:
        whose = demo_id("patient", "jeanne-martin-duval")
        await choose_for_patient(tx, whose, Choice.OPPOSED, stage.clock.now(), SystemRandom())
    async with outside(stage) as seen:
        assert await reminded(stage, seen) == []
    assert await refusals(stage) == ["opposed"]


@pytest.mark.parametrize("word", ["STOP", "stop", " Arrêt. ", "Stop SMS"])
async def test_stop_ends_reminders_and_start_brings_them_back(stage: Stage, word: str) -> None:
    await switch_on(stage)
    async with outside(stage) as seen:
        await reminded(stage, seen)
        assert await seen.client.send_text(JEANNE, SENDER, word) == 200
        await stage.messages_sent()
        assert await reminded_anew(stage, seen) == 0
        assert await refusals(stage) == ["None", "opposed"]
        assert len(await records(stage, "reminders.chosen")) == 1
        stage.clock.advance(60)
        assert await seen.client.send_text(JEANNE, SENDER, "START") == 200
        await stage.messages_sent()
        assert await reminded_anew(stage, seen) == 1


async def reminded_anew(stage: Stage, seen: Outside) -> int:
    """As if this were another appointment: how many texts it makes at Jeanne's."""
    stage.clock.advance(60)
    before = len(await seen.texts(JEANNE))
    await change(stage, "UPDATE reminder SET outcome = 'due' WHERE appointment_id = :id", id=appointment())
    (row,) = await rows(stage, "SELECT id FROM reminder WHERE appointment_id = :id", id=appointment())
    await stage.running.outreach.reminders.send(practice_id(), row.id)
    return len(await seen.texts(JEANNE)) - before


async def test_p6_a_stop_is_answered_alike_whoever_sends_it(stage: Stage) -> None:
    await switch_on(stage)
    async with outside(stage) as seen:
        await reminded(stage, seen)
        before = await seen.client.last_message()
        answers = [await seen.client.send_text(number, SENDER, "STOP") for number in (JEANNE, ODETTE, UNKNOWN)]
        answers.append(await seen.client.send_text(UNKNOWN, SENDER, "Bonjour, je voudrais un rendez-vous"))
        assert set(answers) == {200}
        await stage.messages_sent()
        assert await seen.client.last_message() - before == len(answers), "nothing is sent back"
    choices = await rows(stage, "SELECT choice, channel, wording FROM reminder_choice")
    assert {(one.choice, one.channel) for one in choices} == {("opposed", "sms")}
    assert len(choices) == 2, "of those on file, and not of the stranger"
    assert choices[0].wording


async def test_p5_a_stop_is_kept_by_the_practice_that_has_the_number_and_by_no_other(stage: Stage) -> None:
    await switch_on(stage)
    await put(stage, Setting.REMINDERS, "opt_out", PORT)
    async with outside(stage) as seen:
        await reminded(stage, seen)
        await seen.client.send_text(JEANNE, SENDER, "STOP")
        await stage.messages_sent()
    assert len(await rows(stage, "SELECT id FROM reminder_choice")) == 1
    assert await rows(stage, "SELECT id FROM reminder_choice", PORT) == []


async def test_the_carriers_own_stop_is_an_opposition(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    await switch_on(stage)

    async def opted_out(self: object, to: str, body: str, *, reference: object) -> Undeliverable:
        return Undeliverable(OPTED_OUT)

    monkeypatch.setattr("callcenter.app.by_carrier.CarrierMessenger.send_message", opted_out)
    async with outside(stage) as seen:
        assert await reminded(stage, seen) == []
    monkeypatch.undo()
    choices = await rows(stage, "SELECT choice, channel FROM reminder_choice")
    assert {(one.choice, one.channel) for one in choices} == {("opposed", "carrier")}
    assert {one["reason"] for one in await records(stage, "reminder.not_sent")} == {"refused_21610"}
    async with outside(stage) as seen:
        assert await reminded_anew(stage, seen) == 0


async def test_none_arrives_at_night_on_a_sunday_or_a_holiday(stage: Stage) -> None:
    await switch_on(stage)
    async with outside(stage) as seen:
        for moment in ((2026, 11, 30, 20, 0), (2026, 11, 29, 15, 0), (2026, 12, 25, 15, 0), (2026, 12, 1, 8, 59)):
            stage.clock.set(paris(*moment))
            await reminded(stage, seen)
        assert await seen.every_text() == 0
        stage.clock.set(paris(2026, 12, 1, 12, 31))  # two hours before it, it would be of no use
        assert await reminded(stage, seen) == []


async def test_an_early_appointment_after_a_silence_is_reminded_of_before_it(stage: Stage) -> None:
    """A day before a Monday's 8:30 is a Sunday: its text may arrive on Saturday until eight, and no more after that."""
    await switch_on(stage)
    await change(
        stage,
        "UPDATE appointment SET starts_at = :at WHERE id = :id",
        at=paris(2026, 12, 7, 8, 30),
        id=appointment(),
    )
    async with outside(stage) as seen:
        stage.clock.set(paris(2026, 12, 5, 18, 3))
        assert await reminded(stage, seen) == []
        stage.clock.set(paris(2026, 12, 5, 19, 3))  # the last look of that day
        (text,) = await reminded(stage, seen)
        assert "RDV le 07/12 à 08h30" in text.body


async def test_a_reminder_whose_job_comes_at_night_waits_for_the_morning(stage: Stage) -> None:
    await switch_on(stage)
    reminders = stage.running.outreach.reminders
    async with outside(stage) as seen:
        async with stage.running.database.practice(practice_id()) as tx:
            await reminders._find(tx, await facts(stage), stage.clock.now())
            await tx.connection.exec_driver_sql("DELETE FROM procrastinate_jobs")
        (row,) = await rows(stage, "SELECT id FROM reminder WHERE appointment_id = :id", id=appointment())
        stage.clock.set(paris(2026, 11, 30, 21, 0))
        await reminders.send(practice_id(), row.id)
        assert await seen.texts(JEANNE) == []
        stage.clock.set(paris(2026, 12, 1, 9, 3))
        assert [one.body for one in await reminded(stage, seen)] == [WORDS]


async def facts(stage: Stage) -> PracticeFacts:
    async with stage.running.database.house() as connection:
        return await Directory.facts(connection, practice_id(), stage.clock.now())


async def test_two_jobs_of_one_reminder_send_it_once(stage: Stage) -> None:
    await switch_on(stage)
    async with outside(stage) as seen:
        await reminded(stage, seen)
        await change(stage, "UPDATE reminder SET outcome = 'due' WHERE appointment_id = :id", id=appointment())
        (row,) = await rows(stage, "SELECT id FROM reminder WHERE appointment_id = :id", id=appointment())
        send = stage.running.outreach.reminders.send
        await asyncio.gather(*(send(practice_id(), row.id) for _ in range(4)))
        assert len(await seen.texts(JEANNE)) == 2


async def test_reminders_are_never_from_a_mobile(stage: Stage) -> None:
    await switch_on(stage)
    from_a_mobile = replace(stage.running.outreach.reminders, sender="+33639980099")
    with pytest.raises(MobileSender, match="OU-05"):
        await from_a_mobile.find()
    assert await rows(stage, "SELECT id FROM reminder") == []


async def test_reminders_that_fail_for_one_practice_fail_for_no_other(stage: Stage) -> None:
    await switch_on(stage)
    await damage_settings(stage)
    async with outside(stage) as seen:
        with pytest.raises(PracticesFailed):
            await stage.running.outreach.reminders.find()
        assert [text.body for text in await seen.texts(JEANNE)] == [WORDS]


async def test_a_stop_after_a_reminder_asked_for_again_ends_both_kinds_of_reminder(stage: Stage) -> None:
    """The practice sends none by itself yet: the number is on file, and that is enough."""
    async with outside(stage) as seen:
        assert len(await asked_again(stage, seen)) == 1
        assert await seen.client.send_text(JEANNE, SENDER, "STOP") == 200
        await stage.messages_sent()
        await switch_on(stage)
        assert len(await reminded(stage, seen)) == 1
        assert len(await asked_again(stage, seen)) == 1
    reasons = [one["reason"] for one in await records(stage, "disclosure") if one["decision"] == "refused"]
    assert reasons[:1] + reasons[-1:] == ["opposed", "opposed"]


async def test_a_code_still_comes_after_a_stop(stage: Stage) -> None:
    async with calling(stage) as line, ControlClient(stage.emulator.base_url) as client:
        assert await client.send_text(JEANNE, SENDER, "STOP") == 200
        await stage.messages_sent()
        assert len(await rows(stage, "SELECT id FROM reminder_choice")) == 1
        await line.verify()


async def test_a_stop_of_the_mobile_holds_though_the_landline_on_file_is_typed(stage: Stage) -> None:
    whose, entered = demo_id("patient", "jeanne-martin-duval"), stage.clock.now() - timedelta(days=99)
    landline = ContactEntry(new_id(SystemRandom()), whose, date(1962, 3, 14), E164("+33465710098"), entered, entered)
    async with stage.running.database.practice(practice_id()) as tx:
        await put_contacts(tx, PatientFile(stage.running.sealer, practice_id()), [landline])
    async with outside(stage) as seen:
        assert len(await asked_again(stage, seen, landline.phone)) == 1
        assert await seen.client.send_text(JEANNE, SENDER, "STOP") == 200
        await stage.messages_sent()
        stage.clock.advance(timedelta(days=2).total_seconds())
        assert len(await asked_again(stage, seen, landline.phone)) == 1


async def asked_again(stage: Stage, seen: Outside, caller: str = JEANNE) -> list[ArrivedMessage]:
    """« Renvoyer le rappel », from a telephone of Jeanne's; what has arrived at her mobile."""
    async with calling(stage, caller) as line:
        await line.press("1", "4", BORN)
        await line.hang_up()
    return await seen.texts(JEANNE)
