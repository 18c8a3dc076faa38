"""The room of staff, the queue and the carrier, as the page of whoever answers calls sees them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.app import own_work
from callcenter.calls.keypad import Asked as AskedToType
from callcenter.calls.keypad import Keypad, Proved
from callcenter.calls.own_legs import identity_of
from callcenter.calls.talk_values import Acted, Colleague, PracticeLine, Practitioner
from callcenter.calls.talk_values import Whom as TalkWhom
from callcenter.calls.talks import Talks
from callcenter.console import on_duty
from callcenter.console.workplace_ports import Act, Asked, Doing, Ring, SoftphonePass, Talk, Third, Whom, Workplace
from callcenter.console.workplace_ports import Keypad as Typed
from callcenter.kernel.clock import Clock
from callcenter.kernel.levels import Level
from callcenter.practice.called import practice_name
from callcenter.routing.presence import Present, move, present, seen
from callcenter.routing.reservations import Accepted, Reservations
from callcenter.routing.rooms import dissolve_of_talk
from callcenter.routing.talks import FIRST_SEAT, Party, Standing, asked_of, hears_music, talk_of
from callcenter.routing.values import (
    EntryKind,
    Limits,
    PartyState,
    PresenceState,
    Priority,
    Reservation,
    ReservationState,
    Way,
)
from callcenter.staff.room import StaffRoom
from callcenter.staff.sessions import StaffSession
from callcenter.staff.telephones import telephone_of
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from callcenter.telephony.access_tokens import Passes

#: The key of the practice's own line, among those who can be asked into a talk.
LINE = "ligne"
LINE_NAME = "Ligne directe du cabinet"
#: Before a practitioner's identifier, in the key of theirs.
PRACTITIONER = "praticien-"
#: Before a session ends for want of a hand, somebody on duty is asked whether they are there: for a minute, and for as
#: long as it takes a page to look.
ASKED = timedelta(seconds=75)


@dataclass(frozen=True, slots=True)
class StaffWorkplaces:
    """Implements ``console.workplace_ports.Workplaces``.

    Arguments:
        database: the console's own, so that pages hold up no caller.
        talks: what is done with a talk, and by those who are asked into one.
        keypad: what callers are asked to type.
        passes: for the softphone, where there is one.
    """

    room: StaffRoom
    database: Database
    sealer: Sealer
    clock: Clock
    reservations: Reservations
    talks: Talks
    keypad: Keypad
    passes: Passes | None
    limits: Limits = field(default_factory=Limits)

    async def look(self, token: str) -> Workplace:
        session, now = await self.room.standing(token, active=False), self.clock.now()
        staff = session.account.id
        async with self.database.house() as connection:
            doing = Doing(await seen(connection, staff, now))
            there = await present(connection, staff)
            way = self._way(there)
            # At a telephone calls ring without the page.
            on_duty_here = doing.on_duty and way is Way.BROWSER
            if on_duty_here:
                await self.room.sessions.on_duty(connection, token)
            held = await self.reservations.of(connection, staff)
            name = "" if held is None else await practice_name(connection, held.practice, now)
            proved = None if held is None else await self.keypad.look(connection, staff, held.id)
            talk = None if held is None else await self._talk(connection, held, name, proved)
            done = await own_work.today(connection, staff, now)
            unfinished = await own_work.unfinished(connection, staff, now)
            may_ask = talk is not None and talk.since is not None and talk.third is None and held is not None
            return Workplace(
                now=now,
                answers=await on_duty.answers(connection, staff),
                doing=doing,
                since=None if there is None or doing is Doing.OFFLINE else there.since,
                by_telephone=way is Way.TELEPHONE,
                wrap_up_until=None if there is None else there.wrap_up_until,
                waiting=await on_duty.waiting_for(connection, staff),
                ring=None if held is None else _ring(held, name, way),
                talk=talk,
                asked=await self._asked(connection, staff, now),
                hand_by=session.hand_by if on_duty_here and _is_near(session, now) else None,
                lines=await _lines(connection, held.practice) if may_ask and held is not None else (),
                colleagues=await on_duty.colleagues(connection, staff, held.call, now, self.limits.unseen)
                if may_ask and held is not None
                else (),
                unfinished=unfinished,
                today=done,
            )

    async def move(self, token: str, to: Doing) -> bool:
        staff = (await self.room.standing(token, active=False)).account.id
        async with self.database.house() as connection:
            if not await on_duty.answers(connection, staff):
                return False
            way = Way.BROWSER if self.passes is not None else Way.TELEPHONE
            if way is Way.TELEPHONE and await telephone_of(connection, self.sealer, staff) is None:
                return False  # calls would ring nowhere
            now = self.clock.now()
            if to is Doing.AVAILABLE and await self._is_to_close_a_call(connection, staff, now):
                return False
            return await move(connection, staff, PresenceState(to), now, way=way)

    async def act(self, token: str, act: Act, call: UUID, whom: str = "") -> bool:
        staff = (await self.room.standing(token, active=False)).account.id
        match act:
            case Act.ACCEPT | Act.REFUSE | Act.GIVE_BACK:
                return await self._with_offer(staff, act, call)
            case Act.JOIN:
                return await self.talks.join(staff, call) is not None
            case Act.LEAVE:
                return await self.talks.decline(staff, call)
            case Act.HANG_UP:
                return await self._hang_up(staff, call)
            case _:
                return await self._in_talk(staff, act, call, whom) is Acted.DONE

    async def softphone_pass(self, token: str) -> SoftphonePass | None:
        session = await self.room.standing(token, active=False)
        if self.passes is None:
            return None
        made = self.passes.made(identity_of(session.account.id), self.clock.now(), session.ends_at)
        return None if made is None else SoftphonePass(made.token, made.seconds)

    @staticmethod
    async def _is_to_close_a_call(connection: AsyncConnection, staff: UUID, now: datetime) -> bool:
        """Whether somebody has said of a call of theirs not yet what became of it: they do so before the next. Whoever
        is available already may say so again."""
        there = await present(connection, staff)
        if there is not None and there.state is PresenceState.AVAILABLE:
            return False
        return bool(await own_work.unfinished(connection, staff, now))

    async def _with_offer(self, staff: UUID, act: Act, call: UUID) -> bool:
        now = self.clock.now()
        async with self.database.house() as connection:
            match act:
                case Act.ACCEPT:
                    # At a telephone a key takes the call, and only then is somebody on the line.
                    if self._way(await present(connection, staff)) is Way.TELEPHONE:
                        return False
                    return isinstance(await self.reservations.accept(connection, call, staff, now), Accepted)
                case Act.REFUSE:
                    return await self.reservations.refuse(connection, call, staff, now)
            given_back = await self.reservations.dropped(connection, call, staff, now)
            if given_back:  # a caller who is in the room already is alone there
                await dissolve_of_talk(connection, call)
        return given_back or await self.talks.decline(staff, call)

    async def _hang_up(self, staff: UUID, call: UUID) -> bool:
        """End the talk, whether or not the carrier follows: the room ends with the operator's own leg too."""
        ended = await self.talks.hang_up(staff, call)
        if ended is Acted.DONE:
            return True
        now = self.clock.now()
        async with self.database.house() as connection:
            over = await self.reservations.over(connection, call, staff, now)
            over = over or await self.reservations.dropped(connection, call, staff, now)
        return over or ended is Acted.NOT_DONE

    async def _in_talk(self, staff: UUID, act: Act, call: UUID, whom: str) -> Acted:
        match act:
            case Act.HOLD | Act.RESUME:
                return await self.talks.hold(staff, call, act is Act.HOLD)
            case Act.END_CONSULTATION:
                return await self.talks.end_consultation(staff, call)
            case Act.TOGETHER:
                return await self.talks.bring_together(staff, call)
            case Act.HAND_OVER:
                return await self.talks.hand_over(staff, call)
            case Act.KEYPAD:
                asked = await self.keypad.ask(staff, call)
                return Acted.DONE if asked in (AskedToType.ASKED, AskedToType.ALREADY) else Acted.NOT_NOW
        named = _whom(whom)
        match act:
            case Act.CONSULT | Act.CONSULT_HEARD if named is not None:
                return await self.talks.consult(staff, call, named, act is Act.CONSULT_HEARD)
            case Act.SEND if isinstance(named, Colleague | PracticeLine):
                return await self.talks.send(staff, call, named)
        return Acted.NOT_NOW

    async def _talk(
        self, connection: AsyncConnection, held: Reservation, practice: str, proved: Proved | None
    ) -> Talk | None:
        if held.state is ReservationState.OFFERED:
            return None
        callback = held.kind is EntryKind.CALLBACK
        standing = await talk_of(connection, held.staff, held.id)
        if standing is None:  # taken, and not together yet
            return Talk(held.id, practice, None, held.id, frozenset({Act.HANG_UP}), callback=callback)
        voice = held.id if standing.seat == FIRST_SEAT else UUID(standing.seat)
        third = None if standing.third is None else await _third(connection, standing, standing.third)
        alone = standing.third is None and not standing.on_hold
        return Talk(
            held.id,
            practice,
            standing.since,
            voice,
            frozenset({Act.HANG_UP}) if proved is not None and proved.typing else _possible(standing, proved, alone),
            held=standing.on_hold,
            third=third,
            keypad=_keypad(proved),
            level=None if proved is None else int(proved.level),
            callback=callback,
        )

    async def _asked(self, connection: AsyncConnection, staff: UUID, now: datetime) -> Asked | None:
        asked = await asked_of(connection, staff)
        if asked is None or asked[0].way is Way.TELEPHONE:
            return None
        party, practice = asked
        name = await practice_name(connection, practice, now)
        who = await on_duty.display_name(connection, party.owner)
        held = await hears_music(connection, party)
        return Asked(party.id, name, who, party.made_at, party.state is PartyState.THERE, held)

    def _way(self, there: Present | None) -> Way:
        """How somebody speaks: as they do now, or as they would from here on."""
        if there is not None and there.state is not PresenceState.OFFLINE:
            return there.way
        return Way.TELEPHONE if self.passes is None else Way.BROWSER


def _is_near(session: StaffSession, now: datetime) -> bool:
    """Whether a session ends soon for want of a hand; where it ends soon anyway, a hand changes nothing."""
    return now >= session.hand_by - ASKED and session.hand_by < session.ends_at


def _whom(key: str) -> TalkWhom | None:
    """Whom a form names; ``None`` for nobody that it could."""
    if key == LINE:
        return PracticeLine()
    try:
        if key.startswith(PRACTITIONER):
            return Practitioner(UUID(key.removeprefix(PRACTITIONER)))
        return Colleague(UUID(key))
    except ValueError:
        return None


async def _lines(connection: AsyncConnection, practice: UUID) -> tuple[Whom, ...]:
    """Whom an operator reaches at the practice of their call: its practitioners, then its own line."""
    practitioners = await on_duty.practitioners(connection, practice)
    asked = (Whom(PRACTITIONER + one.id.hex, one.titled, takes_calls=False) for one in practitioners)
    return *asked, Whom(LINE, LINE_NAME)


def _keypad(proved: Proved | None) -> Typed:
    if proved is None or (proved.level is Level.UNKNOWN and not proved.typing):
        return Typed.NOTHING
    return Typed.UNDER_WAY if proved.typing else Typed.PROVED


def _possible(standing: Standing, proved: Proved | None, alone: bool) -> frozenset[Act]:
    """What can be done with a talk as it stands.

    Arguments:
        alone: the two hear each other, and nobody else is asked in.
    """
    acts = {Act.HANG_UP, Act.RESUME if standing.on_hold else Act.HOLD}
    if alone and proved is not None and proved.level is Level.UNKNOWN:
        acts.add(Act.KEYPAD)
    if standing.third is None:
        return frozenset(acts | {Act.CONSULT, Act.CONSULT_HEARD, Act.SEND})
    acts.add(Act.END_CONSULTATION)
    if standing.third.state is PartyState.THERE:
        acts.add(Act.HAND_OVER)
        if standing.on_hold:
            acts = acts - {Act.RESUME} | {Act.TOGETHER}
    return frozenset(acts)


async def _third(connection: AsyncConnection, talk: Standing, party: Party) -> Third:
    if party.staff is not None:
        name = await on_duty.display_name(connection, party.staff)
    elif party.practitioner is not None:
        name = await on_duty.practitioner_name(connection, talk.practice, party.practitioner) or LINE_NAME
    else:
        name = LINE_NAME
    return Third(name, party.state is PartyState.THERE)


def _ring(held: Reservation, practice: str, way: Way) -> Ring | None:
    if held.state is not ReservationState.OFFERED:
        return None
    return Ring(
        held.id,
        practice,
        held.waiting_since,
        held.ends_at,
        way is Way.TELEPHONE,
        callback=held.kind is EntryKind.CALLBACK,
        language=held.language,
        professional=held.priority is Priority.PROFESSIONAL,
    )
