"""Messages on pages, on the database: who reads, what is on record before it leaves, receipts, answers, follow-ups."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from callcenter.app import by_inbox
from callcenter.console.inbox_ports import Act, Answer, As, Due, Heard, Sound, Why
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import Forbidden, NotFound
from callcenter.kernel.randomness import SeededRandom
from callcenter.practice.correspondence import Correspondence
from callcenter.practice.inbox import Inbox
from callcenter.practice.values import Change, Urgency
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from tests.integration.mailroom import CLAIRE, NADIA, NUMBER, PORT, SOUND, TILLEULS, WORDS, Mailroom, mailroom

START = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


@pytest.fixture
async def room(database: Database, sealer: Sealer) -> AsyncIterator[Mailroom]:
    async with mailroom(database, sealer, DrivenClock(START), SeededRandom(11)) as room:
        yield room


async def test_a_practitioner_reads_and_the_writer_sees_the_receipt(room: Mailroom) -> None:
    doctor, operator = await room.doctor(), await room.operator()
    message = await room.left(CLAIRE, writer=operator.staff, text=WORDS, urgency=Urgency.URGENT)
    listed = (await room.inboxes.overview(doctor.token, None)).for_me
    assert [(line.id, line.urgent, line.read_at) for line in listed] == [(message, True, None)]
    opened = await room.inboxes.open(doctor.token, TILLEULS, message, None)
    assert (opened.how, opened.number, opened.text) == (As.ADDRESSEE, NUMBER, WORDS)
    assert await room.events(message) == ["message.read"]
    (seen,) = (await room.inboxes.overview(operator.token, None)).waiting
    assert (seen.own, seen.read_at, seen.read_by) == (True, room.clock.now(), doctor.account.display_name)
    room.clock.advance(60)
    await room.inboxes.open(doctor.token, TILLEULS, message, None)
    (again,) = (await room.inboxes.overview(operator.token, None)).waiting
    assert again.read_at == seen.read_at
    assert await room.records_named(message) == [("message.read", doctor.staff, "addressee")] * 2


async def test_reading_an_urgent_message_is_its_acknowledgement(room: Mailroom) -> None:
    doctor = await room.doctor()
    message = await room.left(CLAIRE, urgency=Urgency.URGENT)
    await room.watched(message)
    await room.inboxes.open(doctor.token, TILLEULS, message, None)
    assert await room.one("SELECT ending FROM escalation") == "acknowledged"
    assert await room.events(message) == ["message.read", "message.acknowledged"]


async def test_an_answer_is_what_operators_have_to_do_and_one_of_them_does_it(room: Mailroom) -> None:
    doctor, first, second = await room.doctor(), await room.operator(), await room.operator()
    message = await room.left(CLAIRE, text=WORDS, writer=first.staff, spoken=True)
    await room.inboxes.open(doctor.token, TILLEULS, message, None)
    assert (await room.inboxes.overview(first.token, None)).to_do == ()
    done = await room.inboxes.answer(doctor.token, TILLEULS, message, Answer.CALL_BACK, "à jeun", Due.HOUR)
    assert done
    assert not await room.inboxes.answer(doctor.token, TILLEULS, message, Answer.NOTHING, "", Due.HOUR)
    (due,) = (await room.inboxes.overview(second.token, None)).to_do
    assert (due.answer, due.due_at) == (Answer.CALL_BACK, room.clock.now() + timedelta(hours=1))
    both = [first, second] * 3
    takings = await asyncio.gather(*(room.inboxes.take(one.token, TILLEULS, message) for one in both))
    winners = {one.staff for one, taken in zip(both, takings, strict=True) if taken is not None}
    assert len(winners) == 1
    winner, loser = (first, second) if first.staff in winners else (second, first)
    taken = next(taken for taken in takings if taken is not None)
    # What was said to the practitioner is not the operator's: whom to call is, and what was answered.
    assert (taken.how, taken.number, taken.answer_text) == (As.OPERATOR, NUMBER, "à jeun")
    assert (taken.text, taken.voice) == (None, None)
    assert not await room.inboxes.leave(loser.token, TILLEULS, message, Act.FINISH)
    assert await room.inboxes.leave(winner.token, TILLEULS, message, Act.GIVE_BACK)
    assert await room.inboxes.take(loser.token, TILLEULS, message) is not None
    assert await room.inboxes.leave(loser.token, TILLEULS, message, Act.FINISH)
    assert (await room.inboxes.overview(first.token, None)).to_do == ()
    assert await room.inboxes.take(winner.token, TILLEULS, message) is None
    assert (await room.events(message))[-3:] == ["follow_up.given_back", "follow_up.taken", "follow_up.done"]
    (told,) = (await room.inboxes.overview(first.token, None)).waiting  # its writer sees what became of it
    assert (told.answer, told.own) == (Answer.CALL_BACK, True)
    room.clock.advance(timedelta(days=8).total_seconds())
    assert (await room.inboxes.overview((await room.again(first)).token, None)).waiting == ()


async def test_a_request_of_a_document_is_asked_for_ready_or_refused(room: Mailroom) -> None:
    doctor, operator = await room.doctor(), await room.operator()
    renewal, certificate = [
        await room.left(CLAIRE, kind=kind, writer=operator.staff) for kind in ("renewal", "certificate")
    ]
    callback = await room.left(CLAIRE)
    for message, answer in ((renewal, Answer.READY), (certificate, Answer.REFUSED), (callback, Answer.READY)):
        await room.inboxes.open(doctor.token, TILLEULS, message, None)
        done = await room.inboxes.answer(doctor.token, TILLEULS, message, answer, "", Due.DAY)
        assert done is (message is not callback)
    name = doctor.account.display_name
    lines = (await room.inboxes.overview(operator.token, None)).waiting
    assert {line.id: (line.answer, line.handled_by) for line in lines} == {
        renewal: (Answer.READY, name),
        certificate: (Answer.REFUSED, name),
        callback: (None, None),
    }
    by = await room.one("SELECT handled_by FROM message WHERE answer = 'ready'")
    assert by == str(doctor.staff)


async def test_an_answer_that_asks_for_nothing_leaves_nothing_to_do(room: Mailroom) -> None:
    doctor, operator = await room.doctor(of_practice=True), await room.operator()
    message = await room.left(None)
    assert [line.id for line in (await room.inboxes.overview(operator.token, None)).to_do] == [message]
    await room.inboxes.open(doctor.token, TILLEULS, message, None)
    assert await room.inboxes.answer(doctor.token, TILLEULS, message, Answer.NOTHING, "", Due.HOUR)
    assert (await room.inboxes.overview(operator.token, None)).to_do == ()
    assert (await room.inboxes.overview(doctor.token, None)).for_me == ()


async def test_a_message_for_the_practice_is_followed_up_by_an_operator_who_hears_it(room: Mailroom) -> None:
    operator, doctor = await room.operator(), await room.doctor(of_practice=True)
    message = await room.left(None, text=WORDS, spoken=True)
    assert await room.inboxes.sound(doctor.token, TILLEULS, message) is Heard.NOT_OPENED
    with pytest.raises(NotFound):
        await room.inboxes.sound(operator.token, TILLEULS, message)
    taken = await room.inboxes.take(operator.token, TILLEULS, message)
    assert taken is not None
    assert (taken.text, taken.number) == (WORDS, NUMBER)
    assert await room.inboxes.sound(operator.token, TILLEULS, message) == Sound(SOUND, "audio/wav")
    await room.inboxes.open(doctor.token, TILLEULS, message, None)
    # An operator does it at this moment.
    assert not await room.inboxes.answer(doctor.token, TILLEULS, message, Answer.CALL_BACK, "", Due.HOUR)
    assert await room.inboxes.leave(operator.token, TILLEULS, message, Act.FINISH)
    assert await room.one("SELECT handled_by FROM message") == str(operator.staff)
    assert (await room.events(message))[-2:] == ["message.read", "follow_up.done"]
    assert (await room.inboxes.overview(doctor.token, None)).for_me == ()


async def test_what_was_taken_and_left_lying_may_be_taken_by_somebody_else(room: Mailroom) -> None:
    first, second = await room.operator(), await room.operator()
    message = await room.left(None)
    assert await room.inboxes.take(first.token, TILLEULS, message) is not None
    assert await room.inboxes.take(second.token, TILLEULS, message) is None
    room.clock.advance(timedelta(hours=1, seconds=1).total_seconds())
    second = await room.again(second)
    assert await room.inboxes.take(second.token, TILLEULS, message) is not None
    assert not await room.inboxes.leave((await room.again(first)).token, TILLEULS, message, Act.FINISH)


async def test_what_was_taken_over_an_hour_ago_is_neither_finished_nor_given_back(room: Mailroom) -> None:
    operator = await room.operator()
    message = await room.left(None)
    assert await room.inboxes.take(operator.token, TILLEULS, message) is not None
    room.clock.advance(timedelta(hours=1).total_seconds())
    operator = await room.again(operator)
    for act in (Act.FINISH, Act.GIVE_BACK):
        assert not await room.inboxes.leave(operator.token, TILLEULS, message, act)
    assert await room.one("SELECT handled_at FROM message") is None
    assert await room.inboxes.take(operator.token, TILLEULS, message) is not None
    assert await room.inboxes.leave(operator.token, TILLEULS, message, Act.FINISH)


async def test_an_answer_is_taken_anew_by_whoever_took_the_message_before_it(room: Mailroom) -> None:
    operator, doctor = await room.operator(), await room.doctor(of_practice=True)
    message = await room.left(None)
    assert await room.inboxes.take(operator.token, TILLEULS, message) is not None
    room.clock.advance(timedelta(hours=1).total_seconds())
    doctor = await room.again(doctor)
    await room.inboxes.open(doctor.token, TILLEULS, message, None)
    assert await room.inboxes.answer(doctor.token, TILLEULS, message, Answer.CALL_BACK, "à jeun", Due.HOUR)
    assert (await room.one("SELECT taken_by FROM follow_up"), await room.one("SELECT taken_at FROM follow_up")) == (
        None,
        None,
    )
    operator = await room.again(operator)
    assert not await room.inboxes.leave(operator.token, TILLEULS, message, Act.FINISH)
    (due,) = (await room.inboxes.overview(operator.token, None)).to_do
    assert (due.answer, due.mine) == (Answer.CALL_BACK, False)


async def test_a_notice_of_a_message_may_be_made_while_somebody_has_the_message(room: Mailroom, sealer: Sealer) -> None:
    """Else whoever goes on with its escalation waits for a page that waits for the escalation."""
    message = await room.left(CLAIRE, urgency=Urgency.URGENT)
    as_a_foreign_key = text("SELECT id FROM message WHERE id = :message FOR KEY SHARE NOWAIT")
    async with room.database.practice(TILLEULS) as page:
        assert await Correspondence(sealer).held(page, message) is not None
        async with room.database.practice(TILLEULS) as notices:
            await notices.connection.execute(as_a_foreign_key, {"message": message})


async def test_a_sound_is_heard_a_few_times_within_minutes_of_the_opening_each_on_record(room: Mailroom) -> None:
    doctor = await room.doctor()
    message = await room.left(CLAIRE, spoken=True)
    assert await room.inboxes.sound(doctor.token, TILLEULS, message) is Heard.NOT_OPENED
    await room.inboxes.open(doctor.token, TILLEULS, message, None)
    room.clock.advance(timedelta(minutes=6).total_seconds())  # the second factor was given longer ago: it goes on
    for _ in range(by_inbox.FETCHES):
        assert isinstance(await room.inboxes.sound(doctor.token, TILLEULS, message), Sound)
    assert await room.inboxes.sound(doctor.token, TILLEULS, message) is Heard.TOO_OFTEN
    assert (await room.events(message)).count("message.voice_opened") == by_inbox.FETCHES
    room.clock.advance(timedelta(minutes=5).total_seconds())
    assert await room.inboxes.sound(doctor.token, TILLEULS, message) is Heard.NOT_OPENED
    room.clock.advance(timedelta(minutes=5).total_seconds())
    await room.run("UPDATE voice_message SET state = 'erased', sound = NULL, media_type = NULL")
    doctor = await room.again(doctor)
    opened = await room.inboxes.open(doctor.token, TILLEULS, message, None)
    assert opened.voice is not None
    assert opened.voice.state == "erased"
    with pytest.raises(NotFound):
        await room.inboxes.sound(doctor.token, TILLEULS, message)


async def test_a_supervisor_reads_with_a_reason_on_record_and_gives_no_receipt(room: Mailroom) -> None:
    supervisor = await room.supervisor()
    message = await room.left(CLAIRE, text=WORDS)
    envelope = await room.inboxes.envelope(supervisor.token, TILLEULS, message)
    assert envelope.ways == {As.SUPERVISOR}
    with pytest.raises(NotFound):
        await room.inboxes.open(supervisor.token, TILLEULS, message, None)
    opened = await room.inboxes.open(supervisor.token, TILLEULS, message, Why.ABSENCE)
    assert (opened.how, opened.text, opened.answers) == (As.SUPERVISOR, WORDS, ())
    (record,) = await room.bodies(message)
    assert (record["as"], record["reason"]) == ("supervisor", "absence")
    assert opened.line.read_at is None


async def test_without_a_second_factor_given_just_now_nothing_is_opened(room: Mailroom) -> None:
    doctor = await room.doctor()
    message = await room.left(CLAIRE, text=WORDS)
    room.clock.advance(timedelta(minutes=5, seconds=1).total_seconds())
    with pytest.raises(Forbidden):
        await room.inboxes.open(doctor.token, TILLEULS, message, None)
    with pytest.raises(Forbidden):  # nor answered, unread
        await room.inboxes.answer(doctor.token, TILLEULS, message, Answer.CALL_BACK, "", Due.HOUR)
    assert await room.events(message) == []
    assert await room.one("SELECT read_at FROM message") is None


async def test_whoever_takes_their_time_to_write_answers_all_the_same(room: Mailroom) -> None:
    doctor = await room.doctor()
    message = await room.left(CLAIRE)
    await room.inboxes.open(doctor.token, TILLEULS, message, None)
    room.clock.advance(timedelta(minutes=9).total_seconds())
    assert await room.inboxes.answer(doctor.token, TILLEULS, message, Answer.OTHER, "à voir", Due.DAY)


async def test_over_an_hour_after_the_opening_nothing_is_answered_until_it_is_opened_again(room: Mailroom) -> None:
    doctor = await room.doctor()
    message = await room.left(CLAIRE)
    await room.inboxes.open(doctor.token, TILLEULS, message, None)
    room.clock.advance(timedelta(hours=1).total_seconds())
    doctor = await room.again(doctor)
    with pytest.raises(Forbidden):
        await room.inboxes.answer(doctor.token, TILLEULS, message, Answer.OTHER, "à voir", Due.DAY)
    await room.inboxes.open(doctor.token, TILLEULS, message, None)
    assert await room.inboxes.answer(doctor.token, TILLEULS, message, Answer.OTHER, "à voir", Due.DAY)


async def test_whose_training_has_lapsed_sees_that_there_are_messages_and_opens_none(room: Mailroom) -> None:
    operator = await room.operator(trained=False)
    message = await room.left(None, writer=operator.staff, text=WORDS)
    assert [line.id for line in (await room.inboxes.overview(operator.token, None)).to_do] == [message]
    envelope = await room.inboxes.envelope(operator.token, TILLEULS, message)
    assert (envelope.ways, envelope.may_take) == (frozenset(), False)
    with pytest.raises(Forbidden):
        await room.inboxes.take(operator.token, TILLEULS, message)
    with pytest.raises(NotFound):
        await room.inboxes.open(operator.token, TILLEULS, message, None)


async def test_what_the_command_line_has_handled_is_nobodys_to_do(room: Mailroom, sealer: Sealer) -> None:
    operator = await room.operator()
    message = await room.left(None)
    async with room.database.practice(TILLEULS) as tx:
        assert await Inbox(sealer).handle(tx, message, "mme-brun", room.clock.now()) is Change.DONE
    assert (await room.inboxes.overview(operator.token, None)).to_do == ()


async def test_a_message_stays_while_something_is_to_be_done_about_it(room: Mailroom, owner_database: Database) -> None:
    doctor, operator = await room.doctor(), await room.operator()
    message = await room.left(CLAIRE)
    await room.inboxes.open(doctor.token, TILLEULS, message, None)
    assert await room.inboxes.answer(doctor.token, TILLEULS, message, Answer.CALL_BACK, "", Due.HOUR)
    async with owner_database.house() as connection:
        await connection.execute(text("UPDATE message SET handling_noted_at = now() - interval '9 days'"))
    erase = text("SELECT forget_messages('2999-01-01', 10)")
    async with room.database.practice(TILLEULS) as tx:
        assert (await tx.connection.execute(erase)).all() == []
    assert await room.inboxes.take(operator.token, TILLEULS, message) is not None
    assert await room.inboxes.leave(operator.token, TILLEULS, message, Act.FINISH)
    async with room.database.practice(TILLEULS) as tx:
        assert (await tx.connection.execute(erase)).scalars().all() == [message]
    assert await room.one("SELECT count(*) FROM follow_up") == 0


async def test_of_many_practices_one_is_chosen(room: Mailroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_inbox, "PRACTICES", 1)
    operator = await room.operator()
    message = await room.left(CLAIRE)
    overview = await room.inboxes.overview(operator.token, None)
    assert [practice.id for practice in overview.practices] == [TILLEULS, PORT]
    assert overview.waiting == ()
    chosen = await room.inboxes.overview(operator.token, TILLEULS)
    assert [line.id for line in chosen.waiting] == [message]
    assert (await room.inboxes.overview(operator.token, PORT)).waiting == ()
    with pytest.raises(NotFound):
        await room.inboxes.overview(operator.token, UUID(int=9))


async def test_urgent_ones_come_first_then_the_oldest(room: Mailroom) -> None:
    doctor = await room.doctor()
    normal = await room.left(CLAIRE)
    room.clock.advance(60)
    later, urgent = await room.left(CLAIRE), await room.left(CLAIRE, urgency=Urgency.URGENT)
    await room.left(NADIA)
    assert [line.id for line in (await room.inboxes.overview(doctor.token, None)).for_me] == [urgent, normal, later]
