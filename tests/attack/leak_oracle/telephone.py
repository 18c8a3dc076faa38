"""A telephone of the emulator, and the text messages of whoever holds it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from callcenter.emulator.client import CallState, ControlClient
from callcenter.store.database import DatabaseDown
from tests.attack.leak_oracle.people import Person
from tests.attack.leak_oracle.premises import Premises

#: Seconds of silence that end any question but the one for a code, and that one.
SILENCE, LONG_SILENCE = 10.5, 15.5
#: Seconds after which a telephone that nobody answers rings no more.
RINGING = 31.0


class Telephone:
    """One call, from ringing to the judgement of all that left during it.

    Arguments:
        premises: whom it calls.
        client: the emulator's control interface.
    """

    def __init__(self, premises: Premises, client: ControlClient) -> None:
        self.sid = ""
        self._premises = premises
        self._client = client
        self._messages_before = 0

    async def ring(self, number: str, called: str) -> None:
        """Call ``called`` (E.164) from ``number``, which may be anything that a carrier sends."""
        self._premises.observer.begin()
        self._messages_before = await self._client.last_message()
        self.sid = await self._client.start(number, called, "scripted")

    async def state(self) -> CallState:
        """The call, once it waits for something or has ended."""
        return await self._client.settled(self.sid)

    async def press(self, *keys: str) -> None:
        """Press keys; each group when the question before it has been answered."""
        for group in keys:
            await self.state()
            await self._client.press(self.sid, group)

    async def say(self, words: str) -> None:
        """Say something after the tone."""
        await self.state()
        await self._client.speak(self.sid, words)
        await self.state()

    async def leave_message(self, words: str, person: Person) -> None:
        """A whole call of somebody who leaves a message with the practice of ``person``."""
        await self.ring("anonymous", next(iter(person.practice.numbers)))
        await self.press("2", "1")
        await self.say(words)
        await self.press("#")
        await self.state()
        await self.ended()
        await self._premises.administrator.recordings_done()
        await self.judged()

    async def wait(self, seconds: float) -> None:
        """Say and press nothing."""
        await self._client.advance(self.sid, seconds)

    async def answered_at(self, number: str) -> None:
        """Somebody answers at a telephone that rings for this call, and hangs up once they have talked."""
        for leg in await self._client.ringing(number, 1):
            if leg.parent == self.sid:
                await self._client.answer(leg.sid)
                await self.state()
                await self._client.hang_up(leg.sid)

    async def waits(self, called: str, number: str = "anonymous") -> None:
        """Ring a practice and ask for a person, up to the wait for one."""
        await self.ring(number, called)
        await self.press("0")
        await self.state()

    async def taken_at(self, desk: str) -> str | None:
        """An operator answers at ``desk`` and takes the call by a key; their leg, once the two hear each other."""
        leg = await self.offered_at(desk)
        if leg is None:
            return None
        await self.takes(leg)
        for _ in range(500):
            if leg in (await self._client.state(self.sid)).hears:
                return leg
            await asyncio.sleep(0.02)
        raise AssertionError("the caller and the operator never met")

    async def heard_again(self) -> str:
        """The leg of whoever the caller talks with, once they are back with them."""
        for _ in range(500):
            if hears := (await self._client.state(self.sid)).hears:
                return next(iter(hears))
            await asyncio.sleep(0.02)
        raise AssertionError("the caller never came back to the operator")

    async def offered_at(self, desk: str) -> str | None:
        """An operator answers at ``desk``, and hears what is offered; their leg, if it rings there."""
        ringing = await self._client.ringing(desk, 10)
        if not ringing:
            return None
        await self._client.answer(ringing[-1].sid)
        await self._client.settled(ringing[-1].sid)
        return ringing[-1].sid

    async def takes(self, leg: str) -> None:
        """The operator takes the call."""
        await self._client.press(leg, "1")
        await self._client.settled(leg)

    async def declined_by(self, leg: str) -> None:
        """The operator types a key that takes nothing; or has heard that the call waits no more."""
        if (await self._client.state(leg)).activity != "ended":
            await self._client.press(leg, "5")
        await self._client.closed(leg)

    async def left_by(self, leg: str) -> None:
        """The operator hangs up."""
        await self._client.hang_up(leg)
        await self._client.closed(leg)

    async def hang_up(self) -> None:
        """Hang up, wherever the call is."""
        await self._client.hang_up(self.sid)

    async def code(self, phones: Sequence[str]) -> str | None:
        """The code that has arrived at one of ``phones`` since the call began."""
        await self._premises.administrator.jobs_done()
        for phone in phones:
            arrived = await self._client.inbox(phone, after=self._messages_before)
            if arrived:
                return arrived[-1].body.removeprefix("Code ")[:7].replace(" ", "")
        return None

    async def prove(self, person: Person) -> None:
        """Ring as a patient who knows what to type, up to the question whether they can listen."""
        await self.ring(person.phones[0], next(iter(person.practice.numbers)))
        await self.press("1", "1", f"{person.birth_date:%d%m%Y}")
        await self.state()
        await self.press(await self.code(person.phones) or "000000")
        await self.state()

    async def hear(self, person: Person) -> None:
        """A whole call of a patient who proves who they are and hears their next appointment."""
        await self.prove(person)
        await self.press("1")
        await self.state()
        await self.judged()

    async def call(self) -> tuple[UUID, UUID] | None:
        """Our identifier of the call, and whose it is."""
        return await self._premises.ledger.call_of(self.sid)

    async def may_not_hear(self, what: UUID) -> None:
        """From now on nothing may be told in this call about a patient, or an appointment."""
        if (begun := await self.call()) is not None:
            await self._premises.judge.close(what, begun[0])

    async def has_proved_too_long_ago(self) -> None:
        """From now on, what was proved in this call so far is worth nothing."""
        if (begun := await self.call()) is not None:
            await self._premises.judge.age(begun[0])

    async def ended(self) -> None:
        """See to it that the call is over and the house has done everything about it."""
        await self.hang_up()
        await self._client.closed(self.sid)
        await self._premises.administrator.jobs_done()

    async def judged(self) -> None:
        """End the call, have all that left judged, and put the practice's file in order."""
        await self.ended()
        premises = self._premises
        await premises.shift.over(self._client)
        premises.edge.before_answer = premises.voice.before_sound = premises.observer.after_find = None
        async with premises.session.delete(f"{premises.emulator.base_url}/emulator/messages/failures") as mended:
            assert mended.status == 200, "the next caller's messages would be refused"
        await premises.after_call()
        premises.judge.reopen()
        with suppress(DatabaseDown):  # a connection that was cut is noticed now, and not in the next call
            await premises.running.database.check()
        if (begun := await self.call()) is not None:
            await premises.office.restore(begun[1])
        await premises.administrator.let_a_day_pass()
