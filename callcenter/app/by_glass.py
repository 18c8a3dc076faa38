"""Broken glass, as supervisors break it and somebody else reviews it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.ledger import Entry, EventKind, Segment, Value, Writing, writing
from callcenter.audit.reading import first_of_stream
from callcenter.audit.watching import LedgerWatch
from callcenter.calls.call_references import NoCall, call_of
from callcenter.console.dates import ZONE
from callcenter.console.glass_ports import (
    Breaking,
    GlassDesk,
    Listed,
    Named,
    NotNow,
    NotShown,
    Opened,
    Own,
    Shown,
    ToReview,
)
from callcenter.disclosure.emergency import Behind, Sought, Topic
from callcenter.disclosure.emergency import Glass as Pane
from callcenter.disclosure.exits import lines_of
from callcenter.disclosure.gate import Gate, Purpose
from callcenter.disclosure.policy import Policy
from callcenter.kernel.clock import Clock
from callcenter.kernel.levels import Channel
from callcenter.kernel.randomness import Random, new_id
from callcenter.practice.called import practice_names
from callcenter.practice.directory import Directory
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.inbox import Inbox
from callcenter.practice.numbers import in_pairs
from callcenter.practice.practice_form import Setting
from callcenter.practice.setting_versions import SettingVersions
from callcenter.practice.values import Urgency, lets_glass_be_broken
from callcenter.routing.presence import in_a_talk
from callcenter.staff import glass as rows
from callcenter.staff.acts import StaffActs, glass_segment
from callcenter.staff.glass_tables import Verdict
from callcenter.staff.limits import Bound
from callcenter.staff.rights import NotTheirs, may
from callcenter.staff.room import StaffRoom
from callcenter.staff.sessions import StaffSession
from callcenter.staff.throttle import Counted, Tallies
from callcenter.staff.values import Role, day_of
from callcenter.store.database import Database, Transaction
from callcenter.store.sealed import Sealer

#: Who reviews: never whoever has broken it.
REVIEWERS = (Role.SUPERVISOR, Role.PRACTITIONER)
#: Disclosures of one that are told to whoever reviews it: the search for the file, and all that may follow.
_RECORDS = 1 + rows.MOST_TOPICS
_MESSAGE = (
    "Un superviseur a brisé la glace d’un dossier en urgence, le {at}. À porter aujourd’hui à la connaissance d’un "
    "praticien : « Bris de glace » dit pourquoi et qui l’a demandé, à relire avant le {due}."
)


@dataclass(frozen=True, slots=True)
class StaffGlass:
    """Implements ``console.glass_ports.GlassBreaking``.

    Arguments:
        attempts: connections of their own, for counting.
        ledger: knows whether what is told is sealed in time.
        bound: how often one supervisor may break it.
    """

    room: StaffRoom
    database: Database
    attempts: Database
    sealer: Sealer
    clock: Clock
    random: Random
    policy: Policy
    ledger: LedgerWatch
    bound: Bound = field(default_factory=lambda: Bound(5, timedelta(hours=24)))

    async def desk(self, token: str) -> GlassDesk:
        session, now = await self.room.standing(token), self.clock.now()
        supervised, practised = [await self.room.rights.practices(session.account, role) for role in REVIEWERS]
        if not supervised and not practised:
            raise NotTheirs
        theirs = sorted({*supervised, *practised})
        async with self.database.house() as connection:
            said = await SettingVersions.everywhere(connection, Setting.BREAK_GLASS, now)
            found = await rows.listed(connection, theirs, now)
            opens = [one for one in supervised if lets_glass_be_broken(said.get(one))]
            names = await practice_names(connection, sorted({*opens, *(one.practice for one in found)}), now)
            talking = await in_a_talk(connection, session.account.id)
            confirmed = await self._confirmed(connection, session)
        return GlassDesk(
            now=now,
            practices=tuple(sorted((Named(one, names[one]) for one in opens), key=lambda named: named.name)),
            breaks=bool(supervised),
            not_now=self._not_now(session, talking=talking, confirmed=confirmed),
            listed=tuple(Listed(one, names[one.practice], one.staff == session.account.id) for one in found),
        )

    async def break_glass(self, token: str, wanted: Breaking) -> UUID | NotNow:
        session, now = await self.room.standing(token), self.clock.now()
        account = session.account
        async with self.database.house() as connection:
            facts = await self._may_break(connection, session, wanted.practice)
            call = await call_of(connection, wanted.reference, [wanted.practice]) if wanted.reference else None
            talking = await in_a_talk(connection, account.id)
        confirmed_at = session.stepped_up_at
        confirmed = session.may_change_account and is_just_now(confirmed_at, now)
        not_now = self._not_now(session, talking=talking, confirmed=confirmed)
        if not_now is None and isinstance(call, NoCall):
            not_now = NotNow.SEVERAL_CALLS if call is NoCall.SEVERAL else NotNow.CALL
        if not_now is None and self.ledger.is_behind(wanted.practice):
            not_now = NotNow.UNSEALED
        if not_now is not None or confirmed_at is None or isinstance(call, NoCall):
            return not_now or NotNow.UNCONFIRMED
        tallies = Tallies(self.attempts, self.sealer, self.clock)
        if await tallies.count([Counted("glass", str(account.id), self.bound)]) is not None:
            return NotNow.BOUND
        glass, of_call = new_id(self.random), None if call is None else call.id
        breaking = rows.Breaking(glass, account.id, wanted.asks, of_call, confirmed_at, now)
        async with self.database.practice(wanted.practice) as tx:
            if not await rows.break_glass(tx, self.sealer, breaking, wanted.asked):
                return NotNow.UNCONFIRMED
            async with writing(tx, Segment(glass, of_call), self.clock, self.random) as pen:
                content: dict[str, Value] = {
                    "refs": [f"glass_break:{glass}"],
                    "kind": wanted.asks.value,
                    "purpose": Purpose.EMERGENCY.value,
                }
                await pen.add(Entry(EventKind.GLASS_BROKEN, _actor(session), None, content))
                sought = Sought(wanted.birth_date, wanted.name, wanted.first_name)
                patient = await self._behind(tx, pen, session, facts).find(Pane(glass, wanted.asks.value), sought)
            if patient is not None:
                await rows.open_file(tx, glass, patient)
            await self._tell(tx, glass, of_call, account.id, now)
        return glass

    async def look(self, token: str, glass: UUID) -> Own | ToReview:
        session, now = await self.room.standing(token), self.clock.now()
        async with self._held(session, glass) as (tx, one, facts):
            listed = Listed(one, facts.name, is_own(one, session.account.id))
            if listed.own:
                found = await rows.file_of(tx, glass) is not None
                return Own(listed, now, found, found and now < one.open_until, in_pairs(facts.rescue_number))
            opened = await _opened(tx, glass)
            if not is_trained(session, now):  # SM-02: words may say whom it is about
                return ToReview(listed, now, opened, trained=False)
            asked = await rows.asked_of(tx, self.sealer, glass)
            verdict = await rows.verdict_of(tx, self.sealer, glass)
            if asked is not None:
                asked = replace(asked, number=in_pairs(asked.number))
            if asked is not None or verdict is not None:
                await self._acts.glass_reviewed(tx, glass, one.call, str(session.account.id))
            return ToReview(listed, now, opened, trained=True, asked=asked, verdict=verdict)

    async def open(self, token: str, glass: UUID, topic: Topic) -> Shown | NotShown:
        session, now = await self.room.standing(token), self.clock.now()
        async with self._held(session, glass) as (tx, one, _):
            facts = await self._may_break(tx.connection, session, one.practice)
            if not is_own(one, session.account.id):
                raise NotTheirs
            if now >= one.open_until:
                return NotShown.WITHHELD
            if not may_go_on(await _opened(tx, glass)):
                return NotShown.ENOUGH
            patient = await rows.file_of(tx, glass)
            pane, segment = Pane(glass, one.asks.value), await glass_segment(tx, glass, one.call)
            async with writing(tx, segment, self.clock, self.random) as pen:
                behind = self._behind(tx, pen, session, facts)
                if patient is None:
                    await behind.refuse(pane, topic)
                    return NotShown.WITHHELD
                uncovered = await behind.open(pane, patient, topic)
        # P1: the record is committed before anything of it leaves.
        return NotShown.WITHHELD if uncovered is None else Shown(topic, lines_of(uncovered))

    async def review(self, token: str, glass: UUID, verdict: Verdict, words: str) -> bool | NotNow:
        session, now = await self.room.standing(token), self.clock.now()
        by = session.account.id
        async with self._held(session, glass) as (tx, one, _):
            if is_own(one, by):
                raise NotTheirs
            if not is_trained(session, now):  # they have not read what they judge
                return NotNow.UNTRAINED
            if not await rows.review(tx, self.sealer, glass, by, verdict, words, now):
                return False
            await self._acts.glass_reviewed(tx, glass, one.call, str(by), verdict.value)
        return True

    # --- who, and what for

    @property
    def _acts(self) -> StaffActs:
        return StaffActs(self.clock, self.random)

    async def _may_break(self, connection: AsyncConnection, session: StaffSession, practice: UUID) -> PracticeFacts:
        """The practice, of which they may break the glass.

        Raises:
            NotTheirs: they do not supervise it, or it has not switched that on.
        """
        now = self.clock.now()
        if not await may(connection, session.account.id, Role.SUPERVISOR, practice, day_of(now)):
            raise NotTheirs
        facts = await Directory.facts(connection, practice, now)
        if not lets_glass_be_broken(facts.break_glass):
            raise NotTheirs
        return facts

    async def _confirmed(self, connection: AsyncConnection, session: StaffSession) -> bool:
        """Whether they have given a second factor just now that has broken no glass yet."""
        at = session.stepped_up_at
        if at is None or not is_just_now(at, self.clock.now()):
            return False
        return not await rows.was_used(connection, session.account.id, at)

    def _not_now(self, session: StaffSession, *, talking: bool, confirmed: bool) -> NotNow | None:
        checks = (
            (not is_trained(session, self.clock.now()), NotNow.UNTRAINED),
            (talking, NotNow.TALKING),
            (not confirmed, NotNow.UNCONFIRMED),
        )
        return next((why for applies, why in checks if applies), None)

    @asynccontextmanager
    async def _held(
        self, session: StaffSession, glass: UUID
    ) -> AsyncIterator[tuple[Transaction, rows.Glass, PracticeFacts]]:
        """One that somebody has broken or reviews, held until the transaction is over.

        Raises:
            NotTheirs: there is none such, for them.
        """
        now, staff = self.clock.now(), session.account.id
        async with self.database.house() as connection:
            practice = (await connection.execute(_PRACTICE, {"id": glass})).scalar_one_or_none()
        if practice is None:
            raise NotTheirs
        async with self.database.practice(practice) as tx:
            reviews = [await may(tx.connection, staff, role, practice, day_of(now)) for role in REVIEWERS]
            one = await rows.held(tx.connection, glass)
            if one is None or not any(reviews):
                raise NotTheirs
            yield tx, one, await Directory.facts(tx.connection, practice, now)

    def _behind(self, tx: Transaction, pen: Writing, session: StaffSession, facts: PracticeFacts) -> Behind:
        now = self.clock.now()
        today, trained = now.astimezone(facts.timezone).date(), is_trained(session, now)
        sealed = not self.ledger.is_behind(tx.practice)
        gate = Gate(self.policy, Channel.CONSOLE, pen, _actor(session), {}, today, sealed=sealed, trained=trained)
        return Behind(tx, self.sealer, gate, now, facts.timezone)

    async def _tell(self, tx: Transaction, glass: UUID, call: UUID | None, by: UUID, now: datetime) -> None:
        """The practice has a message at once, without a word about the patient."""
        at, due = (f"{moment.astimezone(ZONE):%d/%m/%Y à %H:%M}" for moment in (now, now + rows.REVIEWED_WITHIN))
        await Inbox(self.sealer).leave(
            tx,
            id=new_id(self.random),
            reason="break_glass",
            number=None,
            call_reference=call,
            now=now,
            urgency=Urgency.URGENT,
            text=_MESSAGE.format(at=at, due=due),
            written_by=by,
        )


def is_trained(session: StaffSession, now: datetime) -> bool:
    """Whether anything that may say whom it is about is shown to them (SM-02)."""
    return session.account.standing(now).may_reveal


def is_just_now(confirmed_at: datetime | None, now: datetime) -> bool:
    """Whether a second factor is recent enough to break glass, as the schema has it."""
    return confirmed_at is not None and confirmed_at <= now <= confirmed_at + rows.CONFIRMED_WITHIN


def may_go_on(asked: Sequence[Opened]) -> bool:
    """Whether another topic may be asked for: no more than whoever reviews it is shown."""
    return len(asked) < _RECORDS


def is_own(one: rows.Glass, staff: UUID) -> bool:
    """Whether somebody has broken it themselves: they read on, and somebody else reviews it."""
    return one.staff == staff


def _actor(session: StaffSession) -> dict[str, Value]:
    return {"kind": "staff", "id": str(session.account.id)}


async def _opened(tx: Transaction, glass: UUID) -> tuple[Opened, ...]:
    """What was asked of the gate, in order: topics and whether they were opened, and no more than that."""
    found = await first_of_stream(tx, glass, EventKind.DISCLOSURE, _RECORDS)
    return tuple(
        Opened(datetime.fromisoformat(body["ts"]), str(body["refs"][-1]), body["decision"] == "granted")
        for body in (record.body for record in found)
    )


_PRACTICE = text("SELECT practice_id FROM glass_break WHERE id = :id")
