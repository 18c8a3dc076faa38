"""The inboxes of practices, as the pages of messages see them: who may see, read, answer and follow up what."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from callcenter.app.inbox_lines import line_of, names_in, opened_as
from callcenter.app.inbox_readers import Reader, answers_for, can_take, takes, way_of
from callcenter.audit.ledger import EventKind
from callcenter.audit.reading import Record, latest_of_stream
from callcenter.console.inbox_ports import (
    Act,
    Answer,
    As,
    Due,
    Envelope,
    Heard,
    Line,
    Named,
    Opened,
    Overview,
    Sound,
    TakenTooMuch,
    Why,
)
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import Forbidden, NotFound
from callcenter.kernel.randomness import Random
from callcenter.notices.escalating import read_on_a_page
from callcenter.practice import correspondence as letters
from callcenter.practice import follow_ups
from callcenter.practice.called import practice_name
from callcenter.practice.correspondence import Correspondence, Heading, Whose
from callcenter.practice.follow_ups import FollowUp, follow_up_of
from callcenter.practice.inbox import Inbox
from callcenter.practice.values import Urgency
from callcenter.practice.voice_messages import VoiceMessages
from callcenter.staff.acts import StaffActs
from callcenter.staff.limits import Bound
from callcenter.staff.practitioners import Practises, practises
from callcenter.staff.rights import may
from callcenter.staff.room import StaffRoom
from callcenter.staff.sessions import StaffSession
from callcenter.staff.throttle import Counted, Tallies
from callcenter.staff.values import Role, day_of
from callcenter.store.database import Database, Transaction
from callcenter.store.sealed import Sealer

#: Lines of each list of a page, and practices whose messages one page shows together: each is a transaction of its own.
LINES, PRACTICES = 40, 20
#: For so long after a message was opened its sound is given to who opened it, so many times.
HEARD_FOR, FETCHES = timedelta(minutes=10), 6
#: For so long after it was opened it may be answered.
ANSWERED_WITHIN = timedelta(hours=1)
#: More than anybody calls back in an hour.
TAKES = Bound(40, timedelta(hours=1))
#: Records of a message that are looked through for that.
_LOOKED_AT = 200

_DUE = {Due.HOUR: timedelta(hours=1), Due.HALF_DAY: timedelta(hours=4), Due.DAY: timedelta(hours=24)}


@dataclass(frozen=True, slots=True)
class StaffInboxes:
    """Implements ``console.inbox_ports.Inboxes``.

    Arguments:
        database: the console's own, so that pages hold up no caller.
        attempts: connections of their own, for counting.
        takes: how often one person may take something to do, and be shown whom to call.
    """

    room: StaffRoom
    database: Database
    sealer: Sealer
    clock: Clock
    random: Random
    attempts: Database
    takes: Bound = TAKES

    # --- lists

    async def overview(self, token: str, chosen: UUID | None) -> Overview:
        session, now = await self.room.standing(token), self.clock.now()
        account = session.account
        async with self.database.house() as connection:
            own = list(await practises(connection, account.id, day_of(now)))
        answered = {
            practice
            for role in (Role.OPERATOR, Role.SUPERVISOR)
            for practice in await self.room.rights.practices(account, role)
        }
        for_me, more_for_me = await self._for_me(account.id, own, now)
        to_do, more_to_do = await self._to_do(account.id, sorted(answered), now)
        waiting, more, practices, picked = await self._waiting(account.id, answered, chosen, now)
        return Overview(
            now=now,
            reads=bool(own),
            works=bool(answered),
            for_me=for_me,
            more_for_me=more_for_me,
            to_do=to_do,
            more_to_do=more_to_do,
            waiting=waiting,
            more_waiting=more,
            practices=practices,
            chosen=picked,
        )

    async def _for_me(self, staff: UUID, own: Sequence[Practises], now: datetime) -> tuple[tuple[Line, ...], bool]:
        lines: list[Line] = []
        for one in own[:PRACTICES]:
            whose = Whose(practitioner=one.practitioner, of_practice=one.of_practice)
            lines += await self._lines(staff, one.practice, whose, now)
        lines.sort(key=lambda line: (not line.urgent, line.since, line.id))
        return tuple(lines[:LINES]), len(lines) > LINES or len(own) > PRACTICES

    async def _to_do(self, staff: UUID, practices: Sequence[UUID], now: datetime) -> tuple[tuple[Line, ...], int]:
        async with self.database.house() as connection:
            due = await follow_ups.to_do(connection, practices, LINES)
            more = 0 if len(due) < LINES else await follow_ups.count_to_do(connection, practices) - len(due)
        lines: list[Line] = []
        for practice, some in groupby(sorted(due, key=lambda one: str(one.practice)), key=lambda one: one.practice):
            of_message = {one.message: one for one in some}
            async with self.database.practice(practice) as tx:
                named = Named(practice, await practice_name(tx.connection, practice, now))
                found = await Correspondence(self.sealer).headings_of(tx, of_message)
                names = await names_in(tx.connection, found)
            lines += [line_of(staff, named, one, now, of_message[one.id], names) for one in found]
        lines.sort(key=lambda line: (not line.mine, line.due_at or now, line.id))
        return tuple(lines), max(0, more)

    async def _waiting(
        self, staff: UUID, answered: set[UUID], chosen: UUID | None, now: datetime
    ) -> tuple[tuple[Line, ...], bool, tuple[Named, ...], Named | None]:
        """Messages of the practices that one answers for; of many, those of the one that is chosen."""
        if chosen is not None and chosen not in answered:
            raise NotFound
        practices: tuple[Named, ...] = ()
        if len(answered) > PRACTICES:
            async with self.database.house() as connection:
                practices = tuple(
                    sorted(
                        [Named(one, await practice_name(connection, one, now)) for one in answered],
                        key=lambda named: named.name,
                    )
                )
            shown = [] if chosen is None else [chosen]
        else:
            shown = sorted(answered)
        lines: list[Line] = []
        for practice in shown:
            lines += await self._lines(staff, practice, Whose(everybodys=True, writer=staff), now)
        lines.sort(key=lambda line: (line.handled_at is not None, not line.urgent, line.since, line.id))
        picked = next((one for one in practices if one.id == chosen), None)
        return tuple(lines[:LINES]), len(lines) > LINES, practices, picked

    async def _lines(self, staff: UUID, practice: UUID, whose: Whose, now: datetime) -> list[Line]:
        async with self.database.practice(practice) as tx:
            named = Named(practice, await practice_name(tx.connection, practice, now))
            found = await Correspondence(self.sealer).headings(tx, whose, now, LINES + 1)
            names = await names_in(tx.connection, found)
        return [line_of(staff, named, one, now, None, names) for one in found]

    # --- one message

    async def envelope(self, token: str, practice: UUID, message: UUID) -> Envelope:
        async with self._at(token, practice, message) as (tx, reader, heading):
            left = await follow_up_of(tx.connection, practice, message)
            line = await self._line_of(tx, reader, heading, left)
            now = self.clock.now()
            may_take, answers = can_take(reader, left, now), answers_for(reader, heading, left, now)
            return Envelope(line, reader.ways(heading), may_take, answers)

    async def open(self, token: str, practice: UUID, message: UUID, why: Why | None) -> Opened:
        async with self._at(token, practice, message) as (tx, reader, heading):
            how = way_of(reader, heading, why)
            if not reader.confirmed:
                raise Forbidden("no second factor was given just now")
            now = self.clock.now()
            # P1: the record and the receipt are committed before the page is made.
            await self._acts.message_read(tx, message, reader.staff, how.value, None if why is None else why.value)
            if how is As.ADDRESSEE:
                heading = await self._received(tx, reader, heading, now)
            contents = await Correspondence(self.sealer).opened(tx, message)
            left = await follow_up_of(tx.connection, practice, message)
            line = await self._line_of(tx, reader, heading, left)
        return opened_as(line, how, contents, answers_for(reader, heading, left, now))

    async def _received(self, tx: Transaction, reader: Reader, heading: Heading, now: datetime) -> Heading:
        """The receipt of whoever a message is for; an urgent one rings nobody any more."""
        if await Correspondence(self.sealer).read(tx, heading.id, reader.staff, now):
            heading = replace(heading, read_at=now, read_by=reader.staff)
        if heading.urgency is Urgency.URGENT and await read_on_a_page(tx, heading.id, now):
            await self._acts.message_acknowledged(tx, heading.id, reader.staff)
        return heading

    async def sound(self, token: str, practice: UUID, message: UUID) -> Sound | Heard:
        async with self._at(token, practice, message) as (tx, reader, heading):
            now = self.clock.now()
            own = _by(await latest_of_stream(tx, message, _LOOKED_AT), reader.staff, now - HEARD_FOR)
            left = await follow_up_of(tx.connection, practice, message)
            follows = takes(reader, left, now) and heading.practitioner is None
            if not reader.ways(heading) and not follows:
                raise NotFound
            if not {EventKind.MESSAGE_READ.value, *([EventKind.FOLLOW_UP_TAKEN.value] if follows else [])} & set(own):
                return Heard.NOT_OPENED
            if own.count(EventKind.VOICE_OPENED.value) >= FETCHES:
                return Heard.TOO_OFTEN
            found = await VoiceMessages(self.sealer).sound(tx, message)
            if found is None:
                raise NotFound
            await self._acts.message_heard(tx, message, reader.staff)
        return Sound(found.content, found.media_type)

    async def answer(self, token: str, practice: UUID, message: UUID, answer: Answer, words: str, due: Due) -> bool:
        async with self._at(token, practice, message) as (tx, reader, heading):
            if not reader.is_addressee(heading):
                raise NotFound
            chosen, now = letters.Answer(answer.value), self.clock.now()
            # Whoever takes their time to write is asked for no second factor meanwhile: an answer shows nothing.
            own = _by(await latest_of_stream(tx, message, _LOOKED_AT), reader.staff, now - ANSWERED_WITHIN)
            if EventKind.MESSAGE_READ.value not in own:
                raise Forbidden("the message was not opened")
            left = await follow_up_of(tx.connection, practice, message)
            if answer not in answers_for(reader, heading, left, now):
                return False
            added = words or None
            if not await Correspondence(self.sealer).answer(tx, message, chosen, added, reader.staff, now):
                return False
            await self._acts.message_answered(tx, message, reader.staff, answer.value)
            if chosen is letters.Answer.NOTHING:
                await follow_ups.nothing_left(tx.connection, practice, message, now)
            else:
                await follow_ups.ask_for(tx.connection, practice, message, now + _DUE[due], now)
        return True

    # --- what is to be done

    async def take(self, token: str, practice: UUID, message: UUID) -> Opened | None:
        session = self.room.confirmed(await self.room.standing(token))
        # Counted apart, and first: whatever becomes of the rest, a number that was shown is counted.
        tallies = Tallies(self.attempts, self.sealer, self.clock)
        if await tallies.count([Counted("follow_up.taken", str(session.account.id), self.takes)]) is not None:
            raise TakenTooMuch
        async with self._at(token, practice, message) as (tx, reader, heading):
            if not reader.works:
                raise NotFound
            if not reader.reveals:
                raise Forbidden("the training has lapsed")
            now = self.clock.now()
            if not await follow_ups.take(tx.connection, practice, message, reader.staff, now):
                return None
            await self._acts.follow_up(tx, EventKind.FOLLOW_UP_TAKEN, message, reader.staff)
            contents = await Correspondence(self.sealer).opened(tx, message)
            left = await follow_up_of(tx.connection, practice, message)
            line = await self._line_of(tx, reader, heading, left)
        if heading.practitioner is not None:  # what was said to a practitioner is theirs: the answer is for operators
            contents = replace(contents, text=None, voice=None)
        return opened_as(line, As.OPERATOR, contents, ())

    async def leave(self, token: str, practice: UUID, message: UUID, act: Act) -> bool:
        async with self._at(token, practice, message) as (tx, reader, heading):
            if not reader.works:
                raise NotFound
            connection, now = tx.connection, self.clock.now()
            if act is Act.GIVE_BACK:
                done = await follow_ups.give_back(connection, practice, message, reader.staff, now)
            else:
                done = await follow_ups.finish(connection, practice, message, reader.staff, now)
            if done:
                kind = EventKind.FOLLOW_UP_GIVEN_BACK if act is Act.GIVE_BACK else EventKind.FOLLOW_UP_DONE
                await self._acts.follow_up(tx, kind, message, reader.staff)
                if act is Act.FINISH and heading.handled_at is None:
                    await Inbox(self.sealer).handle(tx, message, str(reader.staff), now)
                    await self._acts.message_handled(tx, message, str(reader.staff))
        return done

    # --- who is there

    @property
    def _acts(self) -> StaffActs:
        return StaffActs(self.clock, self.random)

    @asynccontextmanager
    async def _at(
        self, token: str, practice: UUID, message: UUID
    ) -> AsyncIterator[tuple[Transaction, Reader, Heading]]:
        """One message that the reader may know of, held until the transaction is over.

        Raises:
            NotFound: there is none such, for them.
        """
        session = await self.room.standing(token)
        async with self.database.practice(practice) as tx:
            reader = await self._reader(tx, session)
            heading = await Correspondence(self.sealer).held(tx, message)
            if heading is None or not reader.sees(heading):
                raise NotFound
            yield tx, reader, heading

    async def _reader(self, tx: Transaction, session: StaffSession) -> Reader:
        """What somebody is at the practice of a transaction, as it stands at this moment."""
        now, account = self.clock.now(), session.account
        today = day_of(now)
        own = await practises(tx.connection, account.id, today)
        answers, supervises = [
            await may(tx.connection, account.id, role, tx.practice, today) for role in (Role.OPERATOR, Role.SUPERVISOR)
        ]
        return Reader(
            staff=account.id,
            answers=answers,
            supervises=supervises,
            practises=next((one for one in own if one.practice == tx.practice), None),
            reveals=account.standing(now).may_reveal,
            confirmed=session.may_change_account,
        )

    async def _line_of(self, tx: Transaction, reader: Reader, heading: Heading, left: FollowUp | None) -> Line:
        now = self.clock.now()
        named = Named(tx.practice, await practice_name(tx.connection, tx.practice, now))
        return line_of(reader.staff, named, heading, now, left, await names_in(tx.connection, [heading]))


def _by(records: Sequence[Record], staff: UUID, since: datetime) -> list[str]:
    """What somebody has done with a message since a moment, by the names of the records."""
    return [
        record.body["event"]
        for record in records
        if record.body["actor"]["id"] == str(staff) and datetime.fromisoformat(record.body["ts"]) > since
    ]
