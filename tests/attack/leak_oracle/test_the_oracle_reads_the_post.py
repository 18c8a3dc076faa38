"""What callcenter sends by itself: reminders hold what is on record and may be told, notices and mails hold nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from callcenter.audit.ledger import Entry, EventKind
from callcenter.calls import delivery
from callcenter.disclosure.gate import Gate
from callcenter.kernel.randomness import SystemRandom
from callcenter.notices import sending
from callcenter.notices.wording import Notice
from callcenter.practice.changing import NothingToChange, SettingsDesk
from callcenter.practice.practice_form import Setting
from callcenter.practice.setting_versions import Author, Period
from callcenter.staff.acts import StaffActs
from tests.attack.leak_oracle.people import OPEN
from tests.attack.leak_oracle.post import sent, take_a_message
from tests.attack.leak_oracle.premises import Premises
from tests.attack.leak_oracle.verdict import Sink

Patch = pytest.MonkeyPatch

#: At 10 o'clock in Paris, before the first visit to come; and until after the last one (``invention``).
FIRST_DAY, DAYS = datetime(2027, 1, 3, 9, 0, tzinfo=UTC), 180


@pytest.fixture
def post(house: Premises) -> Iterator[Premises]:
    """A house of which nothing has been found yet."""
    house.clock.set(OPEN)
    house.judge.findings.clear()
    yield house
    house.judge.findings.clear()


async def remind_everybody(house: Premises, days: int = 50) -> None:
    """Every practice reminds of everything to come, some days before it."""
    for facts in house.population.practices.values():
        async with house.running.database.practice(facts.id) as tx:
            await tx.connection.execute(text("DELETE FROM reminder WHERE practice_id = :id"), {"id": facts.id})
        now = house.clock.now()
        desk = SettingsDesk(
            house.running.database, facts.slug, Author("oracle", now), StaffActs(house.clock, SystemRandom())
        )
        with suppress(NothingToChange):
            await desk.put(Setting.REMINDERS, {"mode": "opt_out", "hours_before": 48}, Period(now))
    house.clock.set(FIRST_DAY)
    for _ in range(days):
        if await house.running.outreach.reminders.find():
            await _send_what_is_due(house)
        house.clock.advance(24 * 3600)
    await sent(house)


async def _send_what_is_due(house: Premises) -> None:
    """Before the clock goes on: the worker would find the day over."""
    for facts in house.population.practices.values():
        async with house.running.database.practice(facts.id) as tx:
            due = list((await tx.connection.execute(text("SELECT id FROM reminder WHERE outcome = 'due'"))).scalars())
        for reminder in due:
            await house.running.outreach.reminders.send(facts.id, reminder)


async def test_p1_reminders_and_notices_hold_what_they_may_and_nothing_else(post: Premises) -> None:
    reminders, mails = post.outbox.reminders, post.outbox.mails
    await remind_everybody(post, DAYS)
    await take_a_message(post)
    await post.after_call()
    await post.at_the_end()
    assert not post.judge.findings, "\n".join(map(str, post.judge.findings))
    assert post.outbox.reminders > reminders
    assert post.outbox.mails > mails


async def test_p1_a_reminder_without_its_record_is_seen(post: Premises, monkeypatch: Patch) -> None:
    async def another_record(self: Gate, *_: Any) -> Any:
        return await self._writing.add(Entry(EventKind.WEBHOOK_LATE, self._actor))

    monkeypatch.setattr(Gate, "_write_down", another_record)
    await remind_everybody(post)
    assert {(Sink.SMS_BODY, "appointment.starts_at"), (Sink.SMS_TO, "contact.phone")} <= post.judge.found()


async def test_p1_a_reminder_that_the_marks_do_not_stop_is_seen(post: Premises, monkeypatch: Patch) -> None:
    monkeypatch.setattr(Gate, "_push_refusal", lambda *_: None)
    await remind_everybody(post)
    assert (Sink.SMS_BODY, "appointment.starts_at") in post.judge.found()


async def test_more_than_a_reminder_may_say_is_seen(post: Premises, monkeypatch: Patch) -> None:
    name = post.population.people["several"].record.birth_name
    words_of = delivery.words_of
    monkeypatch.setattr(delivery, "words_of", lambda spoken: f"{name}, {words_of(spoken)}")
    await remind_everybody(post)
    assert (Sink.SMS_BODY, "patient.birth_name") in post.judge.found()


async def test_a_notice_that_tells_who_rang_is_seen_in_texts_and_mails(post: Premises, monkeypatch: Patch) -> None:
    number = post.population.strangers[0].callback_number
    monkeypatch.setattr(sending, "urgent_notice", lambda *_: Notice("1 message urgent", f"Rappeler le {number}"))
    await take_a_message(post)
    assert {(Sink.MAIL, "caller.callback_number"), (Sink.SMS_BODY, "caller.callback_number")} <= post.judge.found()
