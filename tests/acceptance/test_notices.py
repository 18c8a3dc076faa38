"""Practitioners are told that messages wait, never what they say; an urgent one that nobody reads rings them."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from callcenter.emulator.client import ControlClient
from callcenter.kernel.randomness import SystemRandom, new_id
from callcenter.notices.addresses import NoticeChannel, Rank, Which
from callcenter.notices.unfinished import Unfinished
from callcenter.practice.everywhere import PracticesFailed
from callcenter.practice.inbox import Inbox
from callcenter.practice.practice_form import Setting
from callcenter.practice.values import Change
from callcenter.practice.waiting_bookings import WaitingBookings
from callcenter.staff import incident_notices
from callcenter.staff.acts import StaffActs
from callcenter.staff.incident_notices import IncidentNotices, Reader
from callcenter.staff.incident_tables import EntryKind, IncidentKind
from callcenter.staff.incident_values import Declaration, Reach
from callcenter.staff.incidents import Incidents
from callcenter.staff.records import HouseLog
from callcenter.staff.values import Account
from callcenter.store.database import Transaction
from tests.acceptance.caller import calling
from tests.acceptance.outreach import (
    DEPUTY,
    DESK,
    DOCTOR,
    PORT,
    change,
    damage_settings,
    leave,
    outside,
    paris,
    practice_id,
    put,
    records,
    rows,
    tell,
)
from tests.acceptance.stage import Stage

URGENT = "Cabinet des Tilleuls : 1 message urgent à lire"
NOT_RUNG = 0.05


async def escalated(stage: Stage, minutes: float = 15.5) -> None:
    stage.clock.advance(minutes * 60)
    await stage.running.outreach.escalations.advance()
    await stage.messages_sent()


async def ringing(stage: Stage, number: str, wait: float = NOT_RUNG) -> list[str]:
    async with ControlClient(stage.emulator.base_url) as client:
        return [leg.sid for leg in await client.ringing(number, wait)]


async def answer(stage: Stage, number: str, *keys: str) -> str:
    """Pick up, listen, press each key, and hear it out; everything that was heard."""
    async with ControlClient(stage.emulator.base_url) as client:
        (leg,) = await client.ringing(number, 5)
        await client.answer(leg.sid)
        for key in keys:
            await client.settled(leg.sid)
            await client.press(leg.sid, key)
        for _ in range(12):
            state = await client.settled(leg.sid)
            if state.activity == "ended":
                break
            await client.advance(leg.sid, 10)
        else:
            pytest.fail("the call does not end")
        return " ".join(spoken.text for spoken in state.heard)


async def ending(stage: Stage, message: UUID) -> str | None:
    (row,) = await rows(stage, "SELECT ending FROM escalation WHERE message_id = :message", message=message)
    return None if row.ending is None else str(row.ending)


async def test_an_urgent_message_is_told_at_once_without_its_content(stage: Stage) -> None:
    await tell(stage, NoticeChannel.SMS, DOCTOR)
    await tell(stage, NoticeChannel.EMAIL, DESK, which=Which.URGENT)
    async with outside(stage) as seen:
        await leave(stage, urgent=True)
        (text,), (mail,) = await seen.texts(DOCTOR), await seen.mails()
    where = " Lire : callcenter inbox --practice cabinet-des-tilleuls"
    assert text.body == f"{URGENT}.{where}"
    assert (mail.subject, mail.text.strip(), mail.sender) == (URGENT, text.body, "telephone@callcenter.example")


async def test_nobody_is_told_at_once_of_what_is_not_urgent_or_only_wants_digests(stage: Stage) -> None:
    await tell(stage, NoticeChannel.SMS, DOCTOR)
    await tell(stage, NoticeChannel.EMAIL, DESK, which=Which.DIGEST)
    await tell(stage, NoticeChannel.SMS, DEPUTY, rank=Rank.DEPUTY)
    async with outside(stage) as seen:
        await leave(stage)
        assert (await seen.every_text(), await seen.mails()) == (0, [])
        await leave(stage, urgent=True)
        assert (len(await seen.texts(DOCTOR)), await seen.every_text(), await seen.mails()) == (1, 1, [])


async def test_a_job_that_runs_twice_tells_once(stage: Stage) -> None:
    await tell(stage, NoticeChannel.SMS, DOCTOR)
    outreach = stage.running.outreach
    async with outside(stage) as seen:
        message = await leave(stage, urgent=True)
        await seen.texts(DOCTOR)
        for _ in range(2):
            await outreach.teller.tell(practice_id(), message)
        (notice,) = await rows(stage, "SELECT id, outcome FROM message_notice")
        assert notice.outcome == "sent"
        await asyncio.gather(*(outreach.notices.send(practice_id(), notice.id) for _ in range(3)))
        assert len(await seen.texts(DOCTOR)) == 1


async def test_a_mail_says_that_an_incident_concerns_the_practice_and_nothing_of_it(stage: Stage) -> None:
    await tell(stage, NoticeChannel.SMS, DOCTOR)
    await tell(stage, NoticeChannel.EMAIL, DESK, which=Which.DIGEST)
    outreach = stage.running.outreach
    incidents, notices = incident_desks(stage)
    who, doctor = await somebody(stage, "superviseur1"), await somebody(stage, "docteur1")
    reach = Reach(who, [practice_id()], whole=True)
    facts = [(EntryKind.FACTS, "Une date dite à un tiers.")]
    incident = await incidents.declare(reach, Declaration(IncidentKind.LOSS, stage.clock.now(), [practice_id()], facts))
    async with outside(stage) as seen:
        assert await notices.make(reach, incident, practice_id(), "Une clé USB perdue.", None)
        (mail,) = await seen.mails()
        subject = "Cabinet des Tilleuls : un incident vous concerne"
        assert (mail.subject, mail.text.strip()) == (
            subject,
            f"{subject}. Connectez-vous à la console, page « Avis d’incident ».",
        )
        assert await seen.every_text() == 0, "it is no text's to say"
        (notice,) = await rows(stage, "SELECT incident_notice_id AS id FROM message_notice WHERE kind = 'incident'")
        await outreach.teller.tell_of_incident(practice_id(), notice.id)
        assert len(await seen.mails()) == 1, "a job that runs twice mails once"
        assert await notices.acknowledge(Reader(doctor, [practice_id()]), incident, practice_id(), notice.id)
        await tell(stage, NoticeChannel.EMAIL, "autre@tilleuls.example")
        await outreach.teller.tell_of_incident(practice_id(), notice.id)
        assert await seen.mails("autre@tilleuls.example") == [], "it has been read"


async def test_a_mail_about_an_incident_whose_job_was_lost_is_sent_all_the_same(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    outreach, jobs = stage.running.outreach, "SELECT id FROM procrastinate_jobs WHERE task_name = 'tell_of_incident'"
    incidents, notices = incident_desks(stage)
    who, doctor = await somebody(stage, "superviseur1"), await somebody(stage, "docteur1")
    reach, reader = Reach(who, [practice_id()], whole=True), Reader(doctor, [practice_id()])
    monkeypatch.setattr(incident_notices, "defer", lost)

    async def told(incident: UUID, words: str, after: UUID | None = None) -> UUID:
        assert await notices.make(reach, incident, practice_id(), words, after)
        _, (last, *_) = await notices.read(reader, incident, practice_id())
        return last.id

    facts = [(EntryKind.FACTS, "Une date dite à un tiers.")]
    declaration = Declaration(IncidentKind.LOSS, stage.clock.now(), [practice_id()], facts)
    unread, read = [await incidents.declare(reach, declaration) for _ in range(2)]
    last = await told(unread, "Elle est retrouvée.", await told(unread, "Une clé USB perdue."))
    assert await notices.acknowledge(reader, read, practice_id(), await told(read, "Une autre."))
    async with outside(stage) as seen:
        stage.clock.advance(timedelta(minutes=21).total_seconds())
        await outreach.unfinished.settle()
        assert await rows(stage, jobs) == [], "there is nobody to mail to"
        await tell(stage, NoticeChannel.EMAIL, DESK, which=Which.DIGEST)
        await outreach.unfinished.settle()
        assert len(await seen.mails()) == 1, "of what is last and unread"
        before = await rows(stage, jobs)
        await outreach.unfinished.settle()
        assert await rows(stage, jobs) == before, "once"
        (mailed,) = await rows(stage, "SELECT incident_notice_id AS id FROM message_notice WHERE kind = 'incident'")
        assert mailed.id == last


def incident_desks(stage: Stage) -> tuple[Incidents, IncidentNotices]:
    """Registers, and what practices are told of them, as the house has them."""
    clock, random = stage.clock, SystemRandom()
    at = stage.running.database, stage.running.sealer, clock, random
    incidents = Incidents(*at, HouseLog(clock, random), StaffActs(clock, random))
    return incidents, IncidentNotices(*at, StaffActs(clock, random), incidents)


async def lost(*_: object, **__: object) -> None:
    """In the place of what defers a job: a restore forgets it, or its tries are over."""


async def somebody(stage: Stage, login: str) -> Account:
    """Somebody of the organisation that staffs the practice."""
    (found,) = await rows(stage, "SELECT organisation_id FROM practice WHERE id = :id", id=practice_id())
    account = Account(new_id(SystemRandom()), found.organisation_id, login, login.capitalize(), ("fr",))
    named = {"login": login, "name": account.display_name}
    values = {"id": account.id, "organisation": account.organisation, "now": stage.clock.now(), **named}
    await change(
        stage,
        "INSERT INTO staff_account (id, organisation_id, login, display_name, languages, made_at) "
        "VALUES (:id, :organisation, :login, :name, '{fr}', :now)",
        **values,
    )
    return account


async def test_a_digest_at_noon_and_at_six_counts_what_waits(stage: Stage) -> None:
    await tell(stage, NoticeChannel.EMAIL, DESK)
    teller = stage.running.outreach.teller
    async with outside(stage) as seen:
        stage.clock.set(paris(2026, 11, 26, 12, 5))
        assert await teller.digests() == 0, "nothing waits, nothing is sent"
        stage.clock.set(paris(2026, 11, 26, 15, 0))
        first = await leave(stage)
        await leave(stage)
        assert await teller.digests() == 0, "it is neither noon nor six"
        stage.clock.set(paris(2026, 11, 26, 18, 0))
        assert [await teller.digests() for _ in range(3)] == [1, 0, 0]
        (mail,) = await seen.mails()
        assert mail.subject == "Cabinet des Tilleuls : 2 messages à lire"
        await handle(stage, first)
        stage.clock.set(paris(2026, 11, 27, 12, 10))
        await leave(stage)  # after noon: it waits for six
        await teller.digests()
        assert [mail.subject for mail in await seen.mails()][1:] == ["Cabinet des Tilleuls : 1 message à lire"]


async def test_a_digest_counts_what_was_booked_moved_or_cancelled_and_nothing_of_it(stage: Stage) -> None:
    """Until the practice has dealt with it; whoever is told of one practitioner's messages, of those bookings."""
    await tell(stage, NoticeChannel.EMAIL, DESK, which=Which.DIGEST)
    (moreau,) = await rows(stage, "SELECT id FROM practitioner WHERE name = 'Claire Moreau'")
    await tell(stage, NoticeChannel.SMS, DOCTOR, practitioner=moreau.id)  # the bookings are Dr Lefèvre's
    teller, bookings = stage.running.outreach.teller, WaitingBookings(stage.running.sealer)
    where = "callcenter practice bookings cabinet-des-tilleuls"
    async with outside(stage) as seen:
        references = [await books(stage, number) for number in ("+33639980071", "+33639980072")]
        stage.clock.set(paris(2026, 11, 26, 18, 0))
        await teller.digests()
        (mail,), texts = await seen.mails(), await seen.texts(DOCTOR)
        assert texts == []
        assert mail.subject == "Cabinet des Tilleuls : 2 demandes de rendez-vous à traiter"
        assert mail.text.strip() == f"{mail.subject}. Lire : {where}"
        async with stage.running.database.practice(practice_id()) as tx:
            for booking in await bookings.waiting(tx):
                await bookings.handle(tx, booking.id, "camille", stage.clock.now())
        stage.clock.set(paris(2026, 11, 27, 12, 0))
        assert await teller.digests() == 0, "they were dealt with"
        async with calling(stage, "+33639980071") as caller:
            assert "Le rendez-vous est annulé" in await caller.does("1", "3", references[0], "1", "1")
        await leave(stage, urgent=True)
        stage.clock.set(paris(2026, 11, 27, 18, 0))
        await teller.digests()
        mail = (await seen.mails())[-1]
        assert mail.subject == (
            "Cabinet des Tilleuls : 1 message à lire, dont 1 urgent ; 1 demande de rendez-vous à traiter"
        )
        assert mail.text.strip().endswith(f". Lire : callcenter inbox --practice cabinet-des-tilleuls ; {where}")


@pytest.mark.parametrize("damaged", ["settings", "address"])
async def test_a_digest_that_fails_for_one_practice_fails_for_no_other(stage: Stage, damaged: str) -> None:
    """Nor does it go unnoticed: the log names the practice, and the job fails once the others are told."""
    await tell(stage, NoticeChannel.EMAIL, DESK)
    await leave(stage)
    await leave(stage, slug=PORT)
    await (damage_settings(stage) if damaged == "settings" else damage_address(stage))
    stage.clock.set(paris(2026, 11, 26, 18, 0))
    async with outside(stage) as seen:
        with capture_logs() as logs, pytest.raises(PracticesFailed):
            await stage.running.outreach.teller.digests()
        assert [mail.subject for mail in await seen.mails()] == ["Cabinet des Tilleuls : 1 message à lire"]
    failed = {one["practice"] for one in logs if one["event"] == "practice_failed"}  # the worker's own looks as well
    assert failed == {str(practice_id(PORT))}


async def test_what_was_interrupted_is_cried_about_whatever_fails_for_another_practice(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tell(stage, NoticeChannel.SMS, DOCTOR)
    await leave(stage, urgent=True)
    await stage.messages_sent()
    await change(stage, "UPDATE message_notice SET outcome = 'sending', sent_at = NULL")
    of_practice = Unfinished._of_practice

    async def but_not_at_the_port(self: Unfinished, tx: Transaction) -> tuple[list[UUID], list[UUID]]:
        if tx.practice == practice_id(PORT):
            raise ValueError("a damaged row")
        return await of_practice(self, tx)

    monkeypatch.setattr(Unfinished, "_of_practice", but_not_at_the_port)
    with capture_logs() as logs:
        stage.clock.advance(timedelta(minutes=16).total_seconds())
        with pytest.raises(PracticesFailed):
            await stage.running.outreach.unfinished.settle()
    assert "notice_failed" in {one["kind"] for one in logs if one["event"] == "alert"}


async def damage_address(stage: Stage, slug: str = PORT) -> None:
    """Somebody of a practice is told of messages where nobody can read where."""
    damaged = "INSERT INTO notice_address VALUES (:id, :practice, NULL, 1, 'call', 'urgent', :sealed, :index, :now)"
    one = {"id": new_id(SystemRandom()), "practice": practice_id(slug), "now": stage.clock.now()}
    await change(stage, damaged, slug, **one, sealed=b"damaged", index=bytes(32))


async def books(stage: Stage, number: str) -> str:
    """Book the first free slot of Dr Lefèvre; the reference."""
    async with calling(stage, number) as caller:
        heard = await caller.does("1", "2", "2", "1", "01021985", "1#")
        assert "C'est réservé" in heard
        return "".join(re.findall(r"\d", heard.partition("référence :")[2].partition(".")[0]))


async def handle(stage: Stage, message: UUID) -> None:
    async with stage.running.database.practice(practice_id()) as tx:
        done = await Inbox(stage.running.sealer).handle(tx, message, "camille", stage.clock.now())
    assert done is Change.DONE


async def test_the_practitioner_is_rung_and_a_key_confirms(stage: Stage) -> None:
    address = await tell(stage, NoticeChannel.CALL, DOCTOR, which=Which.URGENT)
    await tell(stage, NoticeChannel.CALL, DEPUTY, which=Which.URGENT, rank=Rank.DEPUTY)
    message = await leave(stage, urgent=True)
    await stage.messages_sent()
    await escalated(stage, 14)
    assert await ringing(stage, DOCTOR) == [], "it was read for a quarter of an hour"
    await escalated(stage, 2)
    heard = await answer(stage, DOCTOR, "1")
    assert "Un message urgent vous attend" in heard
    assert heard.endswith("Merci, c'est noté. Au revoir.")
    assert await ending(stage, message) == "acknowledged"
    (record,) = await records(stage, "message.acknowledged")
    assert record["refs"] == [f"message:{message}", f"notice_address:{address}"]
    await escalated(stage, 60)
    assert await ringing(stage, DEPUTY) == []


async def test_p7_a_voicemail_confirms_nothing_and_the_call_ends(stage: Stage) -> None:
    await tell(stage, NoticeChannel.CALL, DOCTOR, which=Which.URGENT)
    await tell(stage, NoticeChannel.CALL, DEPUTY, which=Which.URGENT, rank=Rank.DEPUTY)
    await tell(stage, NoticeChannel.SMS, DEPUTY, rank=Rank.DEPUTY)
    message = await leave(stage, urgent=True)
    await stage.messages_sent()
    await escalated(stage)
    heard = await answer(stage, DOCTOR)
    assert heard.count("Un message urgent vous attend") == 2
    assert heard.endswith("nous préviendrons une autre personne. Au revoir.")
    assert await ending(stage, message) is None
    async with outside(stage) as seen:
        await escalated(stage)
        assert [one.body.startswith(URGENT) for one in await seen.texts(DEPUTY)] == [True]
    assert (await answer(stage, DEPUTY, "7", "8", "9")).count("autre personne") == 1
    await escalated(stage)
    assert await ending(stage, message) == "alerted"
    async with outside(stage) as seen:
        await escalated(stage, 600)
        assert (await seen.every_text(), await ringing(stage, DOCTOR)) == (0, [])


async def test_whoever_handles_the_message_stops_the_calls(stage: Stage) -> None:
    await tell(stage, NoticeChannel.CALL, DOCTOR, which=Which.URGENT)
    message = await leave(stage, urgent=True)
    await stage.messages_sent()
    await handle(stage, message)
    await escalated(stage)
    assert await ringing(stage, DOCTOR) == []
    assert await ending(stage, message) == "handled"


async def test_nobody_is_rung_at_night_where_the_practice_says_so(stage: Stage) -> None:
    await tell(stage, NoticeChannel.CALL, DOCTOR, which=Which.URGENT)
    await put(stage, Setting.ESCALATION, {"after_minutes": 5, "at_night": False})
    stage.clock.set(paris(2026, 11, 26, 23, 0))
    await leave(stage, urgent=True)
    await stage.messages_sent()
    await escalated(stage, 30)
    assert await ringing(stage, DOCTOR) == []
    stage.clock.set(paris(2026, 11, 27, 7, 1))
    await escalated(stage, 0)
    assert len(await ringing(stage, DOCTOR, 5)) == 1


async def test_an_urgent_message_whose_job_was_lost_is_told_all_the_same(stage: Stage) -> None:
    await tell(stage, NoticeChannel.SMS, DOCTOR)
    unfinished = stage.running.outreach.unfinished
    async with outside(stage) as seen:
        message = await leave(stage, urgent=True, job_lost=True)
        await leave(stage, job_lost=True)  # it waits for the digest
        await unfinished.settle()
        assert await seen.texts(DOCTOR) == [], "its job may be tried again still"
        stage.clock.advance(timedelta(minutes=21).total_seconds())
        await unfinished.settle()
        assert [one.body.startswith(URGENT) for one in await seen.texts(DOCTOR)] == [True]
        assert await ending(stage, message) is None
        await unfinished.settle()
        assert len(await seen.texts(DOCTOR)) == 1


async def test_p7_a_message_that_cannot_be_gone_on_with_keeps_no_other_back(stage: Stage) -> None:
    """An address of another practice was damaged: its message comes first each time, and is the house's to look at."""
    await tell(stage, NoticeChannel.CALL, DOCTOR, which=Which.URGENT)
    stuck = await leave(stage, urgent=True, slug=PORT, job_lost=True)
    await damage_address(stage)
    port, now = practice_id(PORT), stage.clock.now()
    watch = "INSERT INTO escalation (message_id, practice_id, next_at) VALUES (:message, :practice, :now)"
    await change(stage, watch, PORT, message=stuck, practice=port, now=now)
    await leave(stage, urgent=True)
    await stage.messages_sent()
    with capture_logs() as logs:
        await escalated(stage)
    assert len(await ringing(stage, DOCTOR, 5)) == 1
    alerts = [one for one in logs if one["event"] == "alert"]  # of the worker's own looks as well
    assert {(one["kind"], one["message"]) for one in alerts} == {("message_unread", str(stuck))}


async def test_a_crash_between_is_seen_and_nothing_is_sent_again(stage: Stage) -> None:
    await tell(stage, NoticeChannel.SMS, DOCTOR)
    async with outside(stage) as seen:
        await leave(stage, urgent=True)
        await seen.texts(DOCTOR)
        async with stage.running.database.practice(practice_id()) as tx:
            await tx.connection.exec_driver_sql("UPDATE message_notice SET outcome = 'sending', sent_at = NULL")
        unfinished = stage.running.outreach.unfinished
        assert await unfinished.settle() == 0, "it may be under way"
        stage.clock.advance(timedelta(minutes=16).total_seconds())
        assert await unfinished.settle() == 1
        (notice,) = await rows(stage, "SELECT id, outcome FROM message_notice")
        assert notice.outcome == "unconfirmed"
        await stage.running.outreach.notices.send(practice_id(), notice.id)
        assert len(await seen.texts(DOCTOR)) == 1
