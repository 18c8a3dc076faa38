"""Staff, ledger and reports, as the pages of supervisors' review ask for them."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from callcenter.audit.watching import LedgerWatch
from callcenter.calls.call_references import NoCall, call_of
from callcenter.calls.script_notes import notes_of
from callcenter.calls.shelf import Shelf
from callcenter.console.on_duty import display_name
from callcenter.console.review_ports import (
    Asked,
    CallNote,
    CallReview,
    LookUp,
    LookUpProblem,
    Match,
    Matches,
    Results,
    ReviewDesk,
    Unreferred,
    Unsealed,
    Untrained,
)
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import IntegrityError
from callcenter.kernel.labels import Category
from callcenter.kernel.randomness import Random, new_id
from callcenter.practice.called import plain_name, practice_name
from callcenter.reports.on_record import MOST_FOUND, Sought, TooMany, patients_on_record
from callcenter.reports.paper import Edition, on_paper
from callcenter.reports.people import colleagues, supervised
from callcenter.reports.reasons import keep_reason
from callcenter.reports.searching import LINES, MOST_LINES, search
from callcenter.reports.spreadsheet import spreadsheet
from callcenter.reports.timeline import timeline_of
from callcenter.reports.values import Criteria, OnRecord, Page, Place
from callcenter.staff.acts import StaffActs
from callcenter.staff.limits import Bound
from callcenter.staff.rights import NotTheirs, may
from callcenter.staff.room import StaffRoom
from callcenter.staff.sessions import StaffSession
from callcenter.staff.throttle import Counted, Tallies
from callcenter.staff.values import Role, day_of
from callcenter.store.database import Database, Transaction
from callcenter.store.sealed import Place as Seal
from callcenter.store.sealed import Sealer

#: How long one of those who were found can be listed.
KEY_LIVES = timedelta(minutes=30)
#: Practices of a list that one chooses from, which keeps its page under 100 kB; and of those that a name has found.
MOST_LISTED, MOST_NAMED = 700, 50


@dataclass(frozen=True, slots=True)
class Followed:
    """A patient who was found, and by which search.

    Arguments:
        reason: kept of the search (``reports.reasons``).
    """

    patient: UUID
    subject: UUID
    reason: UUID


@dataclass(frozen=True, slots=True)
class StaffReviews:
    """Implements ``console.review_ports.Reviews``.

    Arguments:
        attempts: connections of their own, for counting.
        ledger: knows whether what is told is sealed in time.
        look_ups: how many patients one supervisor may look for.
    """

    room: StaffRoom
    database: Database
    attempts: Database
    sealer: Sealer
    clock: Clock
    random: Random
    flows: Shelf
    ledger: LedgerWatch
    look_ups: Bound = field(default_factory=lambda: Bound(30, timedelta(hours=24)))

    async def desk(self, token: str, named: str = "", chosen: UUID | None = None) -> ReviewDesk:
        session, now = await self.room.standing(token), self.clock.now()
        async with self.database.house() as connection:
            every = await supervised(connection, session.account.id, now, day_of(now))
            if not every:
                raise NotTheirs
            people = await colleagues(connection, session.account.id)
        rules = self.flows.policy.rules
        categories = tuple((category.value, rules[category].name) for category in Category)
        if len(every) <= MOST_LISTED:
            return ReviewDesk(day_of(now), every, people, categories)
        typed = plain_name(named)
        fit = tuple(one for one in every if typed and typed in plain_name(one.name))
        kept = tuple(one for one in (fit[MOST_NAMED:] if typed else every) if one.id == chosen)
        return ReviewDesk(day_of(now), fit[:MOST_NAMED] + kept, people, categories, many=True, found=len(fit))

    async def practice_of(self, token: str, reference: str) -> UUID:
        session, now = await self.room.standing(token), self.clock.now()
        async with self.database.house() as connection:
            theirs = await supervised(connection, session.account.id, now, day_of(now))
            call = await call_of(connection, reference, [one.id for one in theirs])
        if isinstance(call, NoCall):
            raise Unreferred(call)
        return call.practice

    async def search(self, token: str, asked: Asked) -> Results:
        session = await self.room.standing(token)
        staff, practice = session.account.id, asked.criteria.practice
        await self._supervises(session, practice)
        criteria = await self._of_call(asked.criteria, asked.reference)
        followed = self.opened(session, practice, asked.patient)
        after = self._place(staff, practice, asked.after)
        async with self.database.practice(practice) as tx:
            page = await self._page(tx, staff, criteria, followed, after, LINES)
            if followed is None:
                await self._acts.listed(tx, criteria.kind.value, len(page.found), str(staff))
        return Results(page.found, "" if page.after is None else self._cursor(staff, practice, page.after))

    async def look_up(self, token: str, wanted: LookUp) -> Matches | LookUpProblem:
        session, now = await self.room.standing(token), self.clock.now()
        account, practice = session.account, wanted.criteria.practice
        await self._supervises(session, practice)
        if not account.standing(now).may_reveal:
            return LookUpProblem.UNTRAINED
        if not session.may_change_account:
            return LookUpProblem.UNCONFIRMED
        criteria = await self._of_call(wanted.criteria, wanted.reference)
        tallies = Tallies(self.attempts, self.sealer, self.clock)
        if await tallies.count([Counted("review.patient", str(account.id), self.look_ups)]) is not None:
            return LookUpProblem.BOUND
        reason = new_id(self.random)
        sought = Sought(wanted.birth_date, wanted.letters)
        async with self.database.practice(practice) as tx:
            await keep_reason(tx, self.sealer, reason, account.id, wanted.purpose.value, wanted.reason, now)
            try:
                found = await patients_on_record(tx, self.sealer, criteria, sought)
            except TooMany:
                await self._acts.patient_searched(tx, reason, wanted.purpose.value, (), str(account.id))
                return LookUpProblem.TOO_MANY
            shown = found[:MOST_FOUND]
            named = [one.patient for one in shown]
            await self._acts.patient_searched(tx, reason, wanted.purpose.value, named, str(account.id))
        matches = tuple(Match(self._key(account.id, practice, reason, one), one.records) for one in shown)
        return Matches(matches, more=len(found) > len(shown))

    async def call(self, token: str, call: UUID) -> CallReview:
        session = await self.room.standing(token)
        return await self._reviewed(session, call, printed=False)

    async def notes(self, token: str, call: UUID) -> CallReview:
        session = await self.room.standing(token)
        practice = await self._practice_of(session, call)
        if not session.account.standing(self.clock.now()).may_reveal:
            raise Untrained
        async with self.database.practice(practice) as tx:
            await self._acts.call_notes_read(tx, call, str(session.account.id))
            written = await notes_of(tx, self.sealer, call)
            names = {one.staff: await display_name(tx.connection, one.staff) for one in written}
        review = await self._reviewed(session, call, printed=False)
        return replace(review, notes=tuple(CallNote(names[one.staff], one.at, one.words) for one in written))

    async def paper(self, token: str, call: UUID) -> bytes:
        session, now = await self.room.standing(token), self.clock.now()
        review = await self._reviewed(session, call, printed=True)
        edition = Edition(session.account.display_name, now, review.practice)
        return await asyncio.to_thread(on_paper, review.timeline, edition)

    async def export(self, token: str, asked: Asked) -> bytes:
        session = await self.room.standing(token)
        staff = session.account.id
        await self._supervises(session, asked.criteria.practice)
        criteria = await self._of_call(asked.criteria, asked.reference)
        followed = self.opened(session, criteria.practice, asked.patient)
        async with self.database.practice(criteria.practice) as tx:
            page = await self._page(tx, staff, criteria, followed, None, MOST_LINES)
            patient = None if followed is None else followed.patient
            await self._acts.list_exported(tx, criteria.kind.value, len(page.found), patient, str(staff))
        return spreadsheet(page.found)

    # --- whose, and what for

    @property
    def _acts(self) -> StaffActs:
        return StaffActs(self.clock, self.random)

    async def _supervises(self, session: StaffSession, practice: UUID) -> None:
        """Let somebody on who supervises the practice at this moment, while its ledger is sealed in time (P4).

        Raises:
            NotTheirs: it is another's, or none.
            Unsealed: nothing about patients is told for now.
        """
        async with self.database.house() as connection:
            if not await may(connection, session.account.id, Role.SUPERVISOR, practice, day_of(self.clock.now())):
                raise NotTheirs
        if self.ledger.is_behind(practice):
            raise Unsealed

    async def _of_call(self, criteria: Criteria, reference: str) -> Criteria:
        """``criteria`` for the one call that was named, if one was.

        Raises:
            Unreferred: the practice has none such, or several.
        """
        if not reference:
            return criteria
        async with self.database.house() as connection:
            call = await call_of(connection, reference, [criteria.practice])
        if isinstance(call, NoCall):
            raise Unreferred(call)
        return replace(criteria, call=call.id)

    async def _reviewed(self, session: StaffSession, call: UUID, *, printed: bool) -> CallReview:
        """The call's timeline, with the record of this look in it: it is committed before anything of it leaves."""
        now, practice = self.clock.now(), await self._practice_of(session, call)
        async with self.database.practice(practice) as tx:
            await self._acts.call_reviewed(tx, call, str(session.account.id), printed=printed)
            timeline = await timeline_of(tx, call, self.flows)
            name = await practice_name(tx.connection, practice, now)
        if timeline is None:
            raise NotTheirs
        return CallReview(timeline, name)

    async def _practice_of(self, session: StaffSession, call: UUID) -> UUID:
        """Whose call it is, if they supervise it.

        Raises:
            NotTheirs: they do not, or there is none.
        """
        async with self.database.house() as connection:
            practice: UUID | None = (await connection.execute(_PRACTICE, {"call": call})).scalar_one_or_none()
        if practice is None:
            raise NotTheirs
        await self._supervises(session, practice)
        return practice

    async def _page(
        self,
        tx: Transaction,
        staff: UUID,
        criteria: Criteria,
        followed: Followed | None,
        after: Place | None,
        lines: int,
    ) -> Page:
        """What fits; what is listed about a patient goes on record with it."""
        if followed is not None:
            await self._acts.patient_followed(tx, followed.patient, followed.reason, str(staff))
        subject = None if followed is None else followed.subject
        return await search(tx, replace(criteria, subject=subject), after, lines)

    # --- what pages are given to come back with: sealed for this person and practice

    def _key(self, staff: UUID, practice: UUID, reason: UUID, one: OnRecord) -> str:
        until = (self.clock.now() + KEY_LIVES).isoformat()
        return self._sealed(staff, practice, "patient", [str(one.patient), str(one.subject), str(reason), until])

    def opened(self, session: StaffSession, practice: UUID, key: str) -> Followed | None:
        """Who is listed, if somebody is.

        Raises:
            NotTheirs: the key is none of theirs, or too old.
            Untrained: they may look for nobody any more.
        """
        if not key:
            return None
        now = self.clock.now()
        patient, subject, reason, until = self._unsealed(session.account.id, practice, "patient", key)
        if now > datetime.fromisoformat(until):
            raise NotTheirs
        if not session.account.standing(now).may_reveal:
            raise Untrained
        return Followed(UUID(patient), UUID(subject), UUID(reason))

    def _cursor(self, staff: UUID, practice: UUID, place: Place) -> str:
        return self._sealed(staff, practice, "cursor", [place.at, str(place.id)])

    def _place(self, staff: UUID, practice: UUID, cursor: str) -> Place | None:
        if not cursor:
            return None
        at, identifier = self._unsealed(staff, practice, "cursor", cursor)
        return Place(at, UUID(identifier))

    def _sealed(self, staff: UUID, practice: UUID, what: str, value: list[str]) -> str:
        sealed = self.sealer.seal_text(json.dumps(value), Seal(practice, "console.review", what, staff))
        return base64.urlsafe_b64encode(sealed).decode()

    def _unsealed(self, staff: UUID, practice: UUID, what: str, given: str) -> list[str]:
        """What was sealed for them.

        Raises:
            NotTheirs: it was made for somebody else, for another practice, or by nobody of ours.
        """
        try:
            sealed = base64.urlsafe_b64decode(given.encode())
            value: list[str] = json.loads(self.sealer.open_text(sealed, Seal(practice, "console.review", what, staff)))
        except (IntegrityError, binascii.Error, ValueError) as error:
            raise NotTheirs from error
        return value


_PRACTICE = text("SELECT practice_id FROM call WHERE id = :call")
