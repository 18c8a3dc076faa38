"""Extracts of the register, as supervisors prepare them and the practice's own people give them to patients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.app.by_review import Followed, StaffReviews
from callcenter.audit.about import About, reach_of, records_about
from callcenter.audit.ledger import EventKind, Value
from callcenter.calls.call_references import NoCall, call_of
from callcenter.console.extract_ports import Desk, Given, Listed, NotNow, Read, Start, Wanted
from callcenter.kernel.age import is_adult
from callcenter.kernel.randomness import new_id
from callcenter.practice.called import practice_names
from callcenter.practice.directory import Directory
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.patients import Patients
from callcenter.reports import extracts as rows
from callcenter.reports.extract_rules import (
    Choice,
    Form,
    Objection,
    as_read,
    days_as_moments,
    is_unsure,
    may_ask,
    released,
)
from callcenter.reports.extract_tables import Asks, ExtractOutcome, IdentityCheck
from callcenter.reports.extracts_given import given_before
from callcenter.reports.on_record import is_of
from callcenter.reports.people import names_of
from callcenter.reports.register_extract import MOST_RECORDS, Extract, Material, Practice, Request, compose
from callcenter.reports.register_json import as_json
from callcenter.reports.register_paper import on_paper
from callcenter.staff.acts import StaffActs
from callcenter.staff.limits import Bound
from callcenter.staff.rights import NotTheirs, may
from callcenter.staff.sessions import StaffSession
from callcenter.staff.throttle import Counted, Tallies
from callcenter.staff.values import Role, day_of
from callcenter.store.database import Database, Transaction

#: Who has to do with extracts: the first prepares them, the second decides for the practice.
PREPARES: Final = Role.SUPERVISOR
DECIDES: Final = Role.PRACTITIONER
_WRITERS: Final = {Form.PDF: on_paper, Form.JSON: as_json}
_DAY: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class _Held:
    """A request, held until its transaction is over."""

    tx: Transaction
    listed: Listed
    facts: PracticeFacts
    by: UUID

    @property
    def request(self) -> rows.RequestRow:
        return self.listed.request


@dataclass(frozen=True, slots=True)
class StaffExtracts:
    """Implements ``console.extract_ports.Extracts``.

    Arguments:
        reviews: knows whom a look-up has found, and has what these need besides.
        preparations, releases: how many one account may do.
    """

    reviews: StaffReviews
    preparations: Bound = field(default_factory=lambda: Bound(30, _DAY))
    releases: Bound = field(default_factory=lambda: Bound(60, _DAY))

    async def desk(self, token: str) -> Desk:
        session, now = await self._standing(token)
        rights = self.reviews.room.rights
        prepares, decides = [await rights.practices(session.account, role) for role in (PREPARES, DECIDES)]
        if not prepares and not decides:
            raise NotTheirs
        async with self._database.house() as connection:
            found = await rows.listed(connection, sorted({*prepares, *decides}), now)
            names = await practice_names(connection, sorted({one.practice for one in found}), now)
        return Desk(now, tuple(Listed(one, names[one.practice], one.practice in decides) for one in found))

    async def start(self, token: str, practice: UUID, patient: str) -> Start:
        session, now = await self._standing(token)
        await self._followed(session, practice, patient)
        async with self._database.practice(practice) as tx:
            facts = await Directory.facts(tx.connection, practice, now)
            begins = (await reach_of(tx)).begins
        today = now.astimezone(facts.timezone).date()
        return Start(facts.name, today, today if begins is None else begins.astimezone(facts.timezone).date())

    async def prepare(self, token: str, wanted: Wanted) -> UUID | NotNow:
        session, now = await self._standing(token)
        practice, by = wanted.practice, session.account.id
        followed = await self._followed(session, practice, wanted.patient)
        if not session.may_change_account:
            return NotNow.UNCONFIRMED
        if self.reviews.ledger.is_behind(practice):  # whether that is their name is something of the file, too
            return NotNow.UNSEALED
        if not await self._counts("extract.prepare", by, self.preparations):
            return NotNow.BOUND
        async with self._database.practice(practice) as tx:
            facts = await Directory.facts(tx.connection, practice, now)
            flags = await Patients(self.reviews.sealer).flags(tx, followed.patient)
            if not await is_of(tx, self.reviews.sealer, followed.patient, wanted.named):
                return NotNow.SOMEBODY_ELSE
            today = now.astimezone(facts.timezone).date()
            not_now = _said(may_ask(wanted.asks, wanted.check, wanted.named.birth_date, flags, today))
            call = None if not_now else await self._proof(tx, wanted, followed.subject, now)
            if not_now is not None or isinstance(call, NotNow):
                return not_now or NotNow.CALL
            extract = new_id(self.reviews.random)
            days = (wanted.first, wanted.last)
            prepared = rows.Prepared(extract, wanted.asks, wanted.check, call, *days, by, now)
            named = wanted.named
            await rows.prepare(tx, self.reviews.sealer, prepared, followed.patient, followed.reason, named)
            content: dict[str, Value] = {"recipient": wanted.asks.value, "check": wanted.check.value}
            await self._acts.extract(tx, EventKind.EXTRACT_ASKED, extract, followed.patient, str(by), content)
        return extract

    async def read(self, token: str, extract: UUID, *, again: bool = False) -> Read:
        session, now = await self._standing(token)
        async with self._held(session, extract) as held:
            trained = session.account.standing(now).may_reveal
            unsealed = self.reviews.ledger.is_behind(held.request.practice)
            closed = held.request.outcome is ExtractOutcome.RELEASED and not again
            given = await given_before(held.tx, extract)
            if closed or not trained or unsealed or not held.request.may_be_made(now):
                return Read(held.listed, now, trained, unsealed=unsealed, given=given)
            whose = await rows.whose(held.tx, self.reviews.sealer, extract)
            flags = await Patients(self.reviews.sealer).flags(held.tx, whose.patient)
            await self._acts.extract(held.tx, EventKind.EXTRACT_READ, extract, whose.patient, str(held.by), {})
            # This reading is part of what is read: when it is given, the same question has the same answer.
            now = self.reviews.clock.now()
            made = await self._made(held, whose, Choice(Form.PDF), now)
        minor = not is_adult(whose.named.birth_date, now.astimezone(held.facts.timezone).date())
        return Read(held.listed, now, trained, made, whose.named, minor, is_unsure(flags), given=given)

    async def release(self, token: str, extract: UUID, choice: Choice) -> Given | NotNow:
        session, now = await self._standing(token)
        async with self._held(session, extract, decides=True) as held:
            not_now = await self._not_now(session, held.request, now)
            if not_now is None and self.reviews.ledger.is_behind(held.request.practice):
                not_now = NotNow.UNSEALED
            if not_now is None and not await self._counts("extract.release", held.by, self.releases):
                not_now = NotNow.BOUND
            if not_now is not None:
                return not_now
            whose = await rows.whose(held.tx, self.reviews.sealer, extract)
            flags = await Patients(self.reviews.sealer).flags(held.tx, whose.patient)
            today, request = now.astimezone(held.facts.timezone).date(), held.request
            not_now = _said(may_ask(request.asks, request.check, whose.named.birth_date, flags, today))
            if not_now is not None:
                return not_now
            shown = await self._made(held, whose, replace(choice, held_back=frozenset()), now)
            not_now = _said(as_read(shown, choice))
            if not_now is not None:
                return not_now
            made = await self._made(held, whose, choice, now)
            content = await asyncio.to_thread(_WRITERS[choice.form], made)
            digest = sha256(content).hexdigest()
            await rows.close(held.tx, extract, held.by, ExtractOutcome.RELEASED, now)
            if choice.staff_named:
                words = new_id(self.reviews.random)
                await rows.keep_words(held.tx, self.reviews.sealer, words, extract, "staff", choice.why)
            told = released(request, choice, made, digest)
            await self._acts.extract(held.tx, EventKind.EXTRACT_RELEASED, extract, whose.patient, str(held.by), told)
        # P1: the record is committed before anything of it leaves.
        return Given(choice.form, content, digest)

    async def decline(self, token: str, extract: UUID, why: str) -> bool | NotNow:
        session, now = await self._standing(token)
        async with self._held(session, extract, decides=True) as held:
            if held.request.outcome is not None:
                return False
            not_now = await self._not_now(session, held.request, now)
            if not_now is not None:
                return not_now
            whose = await rows.whose(held.tx, self.reviews.sealer, extract)
            await rows.close(held.tx, extract, held.by, ExtractOutcome.DECLINED, now)
            words = new_id(self.reviews.random)
            await rows.keep_words(held.tx, self.reviews.sealer, words, extract, "declined", why)
            await self._acts.extract(held.tx, EventKind.EXTRACT_DECLINED, extract, whose.patient, str(held.by), {})
        return True

    # --- who, and what for

    @property
    def _database(self) -> Database:
        return self.reviews.database

    @property
    def _acts(self) -> StaffActs:
        return StaffActs(self.reviews.clock, self.reviews.random)

    async def _standing(self, token: str) -> tuple[StaffSession, datetime]:
        return await self.reviews.room.standing(token), self.reviews.clock.now()

    async def _followed(self, session: StaffSession, practice: UUID, patient: str) -> Followed:
        """Whom they have found at a practice that they supervise.

        Raises:
            NotTheirs: the practice is not, or nobody was found by them.
            Untrained: they may look for nobody any more.
        """
        async with self._database.house() as connection:
            if not await may(connection, session.account.id, PREPARES, practice, day_of(self.reviews.clock.now())):
                raise NotTheirs
        followed = self.reviews.opened(session, practice, patient)
        if followed is None:
            raise NotTheirs
        return followed

    async def _counts(self, what: str, staff: UUID, bound: Bound) -> bool:
        tallies = Tallies(self.reviews.attempts, self.reviews.sealer, self.reviews.clock)
        return await tallies.count([Counted(what, str(staff), bound)]) is None

    async def _not_now(self, session: StaffSession, request: rows.RequestRow, now: datetime) -> NotNow | None:
        checks = (
            (not session.account.standing(now).may_reveal, NotNow.UNTRAINED),
            (not session.may_change_account, NotNow.UNCONFIRMED),
            (not request.may_be_made(now), NotNow.CLOSED),
        )
        return next((why for applies, why in checks if applies), None)

    async def _proof(self, tx: Transaction, wanted: Wanted, subject: UUID, now: datetime) -> UUID | NotNow | None:
        """The call in which the patient was verified, if it is to be one."""
        if wanted.check is not IdentityCheck.VERIFIED_CALL:
            return None
        call = await call_of(tx.connection, wanted.call, [wanted.practice])
        if call is NoCall.SEVERAL:
            return NotNow.SEVERAL_CALLS
        if isinstance(call, NoCall) or wanted.asks is not Asks.PATIENT:
            return NotNow.CALL
        return call.id if await rows.was_verified(tx, call.id, subject, now) else NotNow.CALL

    @asynccontextmanager
    async def _held(self, session: StaffSession, extract: UUID, *, decides: bool = False) -> AsyncIterator[_Held]:
        """One of a practice that they supervise or practise at, held until the transaction is over.

        Arguments:
            decides: only for whoever decides for the practice.

        Raises:
            NotTheirs: there is none such, for them.
        """
        now, staff = self.reviews.clock.now(), session.account.id
        async with self._database.house() as connection:
            practice = await rows.practice_of(connection, extract)
        if practice is None:
            raise NotTheirs
        async with self._database.practice(practice) as tx:
            decider = await answers_for(tx.connection, staff, practice, day_of(now))
            prepares = await may(tx.connection, staff, PREPARES, practice, day_of(now))
            request = await rows.held(tx.connection, extract)
            if request is None or not (decider or (prepares and not decides)):
                raise NotTheirs
            facts = await Directory.facts(tx.connection, practice, now)
            yield _Held(tx, Listed(request, facts.name, decider), facts, staff)

    # --- the extract itself

    async def _made(self, held: _Held, whose: rows.Whose, choice: Choice, now: datetime) -> Extract:
        """The extract as it stands now, without the record of its own making."""
        tx, facts, row = held.tx, held.facts, held.request
        about = About((), {}, whole=True)
        if whose.subject is not None:
            since, until = days_as_moments(row.first, row.last, facts.timezone)
            # What nobody of the practice has read is not given: it may be what a minor keeps secret (SP-01).
            until = until if choice.seen_at is None else min(until, choice.seen_at + timedelta.resolution)
            about = await records_about(tx, whose.subject, since, until, MOST_RECORDS)
        calls = [told.call for told in about.records if told.call is not None]
        actors = [told.one.record.body.get("actor") for told in about.records]
        ids = [str(actor.get("id")) for actor in actors if isinstance(actor, dict)]
        material = Material(
            about=about,
            reach=await reach_of(tx),
            calls=await rows.times_of(tx, calls),
            names=await names_of(tx.connection, ids) if choice.staff_named else {},
            held_back=choice.held_back,
            staff_named=choice.staff_named,
        )
        request = Request(row.id, row.asks, row.check, whose.named, row.first, row.last, row.at)
        organisation = await rows.organisation_name(tx.connection, row.practice)
        practice = Practice(facts.name, facts.address, organisation, facts.timezone)
        return compose(request, practice, now, material)


async def answers_for(connection: AsyncConnection, staff: UUID, practice: UUID, today: date) -> bool:
    """Whether somebody decides for the practice: its own people do, and not whoever answers its telephone."""
    return await may(connection, staff, DECIDES, practice, today)


def _said(objection: Objection | None) -> NotNow | None:
    """What the rules have against it, in the pages' words."""
    return None if objection is None else NotNow(objection.value)
