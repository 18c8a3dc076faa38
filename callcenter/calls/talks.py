"""What an operator does with a call that they have: hold, ask somebody in, hand over, send on, end.

What is so is decided in our own database, and the carrier is asked to follow; where the carrier comes first, nothing
is written down until it has. An act that the carrier refuses leaves the talk as it was, and says so. Whoever calls has
checked who ``staff`` is; that the talk is theirs, and goes on, is checked here, every time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.calls.evidence_ends import forget_what_was_proved, lock_the_call
from callcenter.calls.house import House
from callcenter.calls.line_sending import LineSending
from callcenter.calls.lines import practice_line, practitioners_line
from callcenter.calls.rooms import CALLER, Rooms, hold_caller
from callcenter.calls.shown import shown_for
from callcenter.calls.talk_values import Acted, Colleague, PracticeLine, Practitioner, Seat, Whom
from callcenter.calls.thirds import Thirds
from callcenter.kernel.errors import Unavailable
from callcenter.kernel.randomness import new_id
from callcenter.routing import talks as standing_talks
from callcenter.routing.talks import Party, Standing
from callcenter.routing.values import (
    Limits,
    PartyState,
    Reservation,
    ReservationState,
    Way,
)
from callcenter.staff.telephones import telephone_of

_log = structlog.get_logger(__name__)


class Talks:
    """Acts on talks.

    Arguments:
        thirds: those who are asked into them.
        offered: rings whoever a call is offered to, as for every offer.
        to_line: sends callers on to the practice's line.
    """

    def __init__(
        self,
        house: House,
        rooms: Rooms,
        thirds: Thirds,
        offered: Callable[[Reservation], Awaitable[None]],
        to_line: LineSending,
        limits: Limits | None = None,
    ) -> None:
        self._house = house
        self._rooms = rooms
        self._thirds = thirds
        self._offered = offered
        self._to_line = to_line
        self._limits = limits or Limits()

    async def join(self, staff: UUID, request: UUID) -> Seat | None:
        """``staff`` comes to what they are asked into: where their softphone comes in, and under which label; the
        conference does not end when it leaves. ``None`` when they are not asked any more. The same again changes
        nothing."""
        return await self._thirds.join(staff, request)

    async def decline(self, staff: UUID, request: UUID) -> bool:
        """``staff`` does not come, or has left: the caller hears the operator again. False when they are asked no
        more."""
        return await self._thirds.decline(staff, request)

    async def hold(self, staff: UUID, reservation: UUID, on: bool) -> Acted:
        """Let the caller hear music, or the others again. The same again changes nothing."""
        talk = await self._talk(staff, reservation)
        if talk is None:
            return Acted.NOT_YOURS
        return Acted.NOT_NOW if talk.at_keypad else await self._holds(talk, on)

    async def hang_up(self, staff: UUID, reservation: UUID) -> Acted:
        """The talk is over for everybody; the caller hears what the flow says behind it."""
        house = self._house
        talk = await self._talk(staff, reservation)
        if talk is None:
            return Acted.NOT_YOURS
        found = await self._found(talk)
        if found is None:
            return Acted.NOT_DONE
        async with house.database.house() as connection:
            await self._third_goes(connection, talk, PartyState.LEFT)
            if not await house.reservations.over(connection, reservation, staff, house.clock.now()):
                return Acted.NOT_YOURS
        await self._no_more_ringing(talk.third)
        return Acted.DONE if await self._done(lambda: self._rooms.close(found), tries=2) else Acted.NOT_DONE

    async def consult(self, staff: UUID, reservation: UUID, whom: Whom, caller_hears: bool) -> Acted:
        """Ask somebody into the talk; the caller hears music meanwhile, unless ``caller_hears``.

        ``NOT_NOW``: somebody was asked already, or the colleague is not available, may not answer for this
        practice, or speaks by a telephone that nobody knows; the practitioner is another practice's, or has no line.
        """
        house, now = self._house, self._house.clock.now()
        async with house.database.house() as connection:
            locked = await standing_talks.lock_talk(connection, reservation, staff)
            if locked is None:
                return Acted.NOT_YOURS
            talk, colleague = locked[1], whom.staff if isinstance(whom, Colleague) else None
            practitioner = whom.id if isinstance(whom, Practitioner) else None
            if practitioner and await practitioners_line(connection, talk.practice, practitioner) is None:
                return Acted.NOT_NOW
            party = await standing_talks.ask(
                connection,
                talk,
                new_id(house.random),
                colleague,
                now,
                private=not caller_hears,
                limits=self._limits,
                practitioner=practitioner,
            )
            if party is None:
                return Acted.NOT_NOW
        # A private word begins with nobody listening, and no telephone rings that could not be told so.
        if not caller_hears and not talk.on_hold and await self._holds(talk, True) is not Acted.DONE:
            await self._asked_in_vain(party)
            return Acted.NOT_DONE
        if await self._rings(talk, party):
            return Acted.DONE
        await self._asked_in_vain(party)
        if not caller_hears and not talk.on_hold:
            await self._holds(talk, False)
        return Acted.NOT_DONE

    async def end_consultation(self, staff: UUID, reservation: UUID) -> Acted:
        """Whoever was asked in leaves, or is rung no longer, and the caller hears the operator again."""
        talk = await self._talk(staff, reservation)
        if talk is None:
            return Acted.NOT_YOURS
        third = talk.third
        if third is None:
            return Acted.NOT_NOW
        found = await self._found(talk)
        if found is None or not await self._gone(found, third):
            return Acted.NOT_DONE
        async with self._house.database.house() as connection:
            await self._third_goes(connection, talk, PartyState.LEFT)
        # Only now: whoever was spoken to in private does not hear the caller on their way out.
        for _ in range(2):
            if not talk.on_hold or await self._holds(talk, False) is Acted.DONE:
                return Acted.DONE
        return Acted.NOT_DONE

    async def bring_together(self, staff: UUID, reservation: UUID) -> Acted:
        """The caller hears, and is heard by, everybody in the room."""
        talk = await self._talk(staff, reservation)
        if talk is None:
            return Acted.NOT_YOURS
        if talk.third is None or talk.third.state is not PartyState.THERE:
            return Acted.NOT_NOW
        return await self._holds(talk, False)

    async def hand_over(self, staff: UUID, reservation: UUID) -> Acted:
        """The operator leaves; the caller and whoever was asked in talk on. What was proved is not handed over (P2).

        Nobody leaves before it is settled whose leaving ends the talk.
        """
        house = self._house
        talk = await self._talk(staff, reservation)
        if talk is None:
            return Acted.NOT_YOURS
        third = talk.third
        if third is None or third.state is not PartyState.THERE:
            return Acted.NOT_NOW
        found = await self._found(talk)
        if found is None or not await self._changes_hands(found, talk, third):
            return Acted.NOT_DONE
        async with house.database.house() as connection:
            await lock_the_call(connection, talk.call)
            locked = await standing_talks.lock_talk(connection, reservation, staff)
            done = locked is not None and await standing_talks.handed_over(
                connection, *locked, new_id(house.random), house.clock.now()
            )
            if done:
                await forget_what_was_proved(house, connection, talk.practice, talk.call)
        if not done:
            await self._done(lambda: self._rooms.ends(found, talk.seat, True))
            return Acted.NOT_NOW
        if third.staff is None:  # nobody of ours is there any more: the two are one another's end
            await self._done(lambda: self._rooms.ends(found, CALLER, True))
        # Whoever is not put out hangs up: that ends nothing any more.
        await self._done(lambda: self._rooms.put_out(found, talk.seat), tries=2)
        return Acted.DONE

    async def send(self, staff: UUID, reservation: UUID, whom: Colleague | PracticeLine) -> Acted:
        """The caller waits again, before all who came later, and is offered to a colleague first; if they do not take
        it, to anybody. Or they hear the practice's line ring, and wait again if it does not take the call. The operator
        is done with the call. What was proved is not sent along (P2)."""
        talk = await self._talk(staff, reservation)
        if talk is None:
            return Acted.NOT_YOURS
        if talk.third is not None or talk.at_keypad:
            return Acted.NOT_NOW
        found = await self._found(talk)
        if found is None:
            return Acted.NOT_DONE
        made = None
        if isinstance(whom, Colleague):
            sent, made = await self._sent_on(staff, talk, whom)
        else:
            sent = await self._to_line.send(staff, talk)
        if sent is not Acted.DONE:
            return sent
        closed = await self._done(lambda: self._rooms.close(found), tries=2)
        if made is not None and made.state is ReservationState.OFFERED:
            await self._offered(made)
        return Acted.DONE if closed else Acted.NOT_DONE

    async def _sent_on(self, staff: UUID, talk: Standing, colleague: Colleague) -> tuple[Acted, Reservation | None]:
        """The call waits for ``colleague``, who has an offer of it."""
        house, now = self._house, self._house.clock.now()
        offer = new_id(house.random)
        async with house.database.house() as connection:
            await lock_the_call(connection, talk.call)
            locked = await standing_talks.lock_talk(connection, talk.reservation, staff)
            if locked is None:
                return Acted.NOT_YOURS, None
            if locked[1].at_keypad or locked[1].third is not None:
                return Acted.NOT_NOW, None
            if not await standing_talks.sent_on(connection, *locked, colleague.staff, offer, now, self._limits):
                return Acted.NOT_NOW, None
            await forget_what_was_proved(house, connection, talk.practice, talk.call)
            return Acted.DONE, await house.reservations.of(connection, colleague.staff)

    async def _talk(self, staff: UUID, reservation: UUID) -> Standing | None:
        async with self._house.database.house() as connection:
            return await standing_talks.talk_of(connection, staff, reservation)

    async def _found(self, talk: Standing) -> str | None:
        try:
            return await self._rooms.find(talk.room.hex)
        except Unavailable:
            return None

    async def _done(self, act: Callable[[], Awaitable[bool]], *, tries: int = 1) -> bool:
        for _ in range(tries):
            try:
                return await act()
            except Unavailable as error:
                _log.warning("talk_not_changed", error=type(error).__name__)
        return False

    async def _gone(self, found: str, third: Party) -> bool:
        """Put the third out, or ring them no more. False when it is not known that they are gone: they may listen."""
        try:
            if third.state is PartyState.THERE:
                await self._rooms.put_out(found, third.label)  # refused: they have hung up just now
            elif third.carrier_sid is not None:
                await self._rooms.hang_up(third.carrier_sid)
        except Unavailable:
            return False
        return True

    async def _holds(self, talk: Standing, on: bool) -> Acted:
        return Acted.DONE if await hold_caller(self._house, self._rooms, talk, on) else Acted.NOT_DONE

    async def _rings(self, talk: Standing, party: Party) -> bool:
        """Ring whoever is asked; whose way is the browser sees it on their page."""
        house = self._house
        if party.way is Way.BROWSER:
            return True
        async with house.database.house() as connection:
            if party.staff is not None:
                number = await telephone_of(connection, house.sealer, party.staff)
            elif party.practitioner is not None:
                number = await practitioners_line(connection, talk.practice, party.practitioner)
            else:
                number = await practice_line(house, connection, talk.practice, house.clock.now())
            shown = await shown_for(house, connection, talk.practice, talk.call)
        if number is None or shown is None:
            return False
        try:
            leg = await self._rooms.ring(number, shown, party.id)
        except Unavailable:
            return False
        if leg is not None:
            async with house.database.house() as connection:
                await standing_talks.rung(connection, party.id, leg)
        return leg is not None

    async def _changes_hands(self, found: str, talk: Standing, third: Party) -> bool:
        """From here on the third's leaving ends it, and the operator's does not. All of it, or as it was."""
        rooms = self._rooms
        if talk.on_hold and await self._holds(talk, False) is not Acted.DONE:
            return False
        if await self._done(lambda: rooms.ends(found, third.label, True)):
            if await self._done(lambda: rooms.ends(found, talk.seat, False)):
                return True
            await self._done(lambda: rooms.ends(found, talk.seat, True))
            await self._done(lambda: rooms.ends(found, third.label, False))
        return False

    async def _asked_in_vain(self, party: Party) -> None:
        async with self._house.database.house() as connection:
            locked = await standing_talks.lock_talk(connection, party.reservation, party.owner)
            if locked is not None:
                await standing_talks.ended(connection, locked[0], party, PartyState.FAILED, self._house.clock.now())

    async def _third_goes(self, connection: AsyncConnection, talk: Standing, why: PartyState) -> None:
        """Whoever was asked in is asked no more; one who has not come has missed it."""
        locked = await standing_talks.lock_talk(connection, talk.reservation, talk.staff)
        if locked is None or locked[1].third is None:
            return
        third = locked[1].third
        so = why if third.state is PartyState.THERE else PartyState.MISSED
        await standing_talks.ended(connection, locked[0], third, so, self._house.clock.now())

    async def _no_more_ringing(self, third: Party | None) -> None:
        leg = None if third is None or third.state is not PartyState.RINGING else third.carrier_sid
        if leg is not None:
            await self._done(lambda: self._rooms.hang_up(leg))
