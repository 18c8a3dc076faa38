"""Telling practices of incidents: what each is told, by whom and how, and who of it has read that (RGPD 33.2).

The organisation is the processor and each practice the controller. A practice sees that an incident concerns it from
the moment in which it is declared; of what was written, only what was written *for it*, in its own scope (P5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.ledger import EventKind, Value
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import NotFound
from callcenter.kernel.randomness import Random, new_id
from callcenter.practice.inbox import NOTICES
from callcenter.staff.acts import StaffActs
from callcenter.staff.incident_tables import EntryKind, IncidentKind, Means
from callcenter.staff.incident_values import (
    Contact,
    Notice,
    NotPlausible,
    Reach,
    Receipt,
    Register,
    Telling,
    Told,
)
from callcenter.staff.incidents import Incidents
from callcenter.staff.records import Act
from callcenter.staff.rights import names_of
from callcenter.staff.values import Account, Role, day_of
from callcenter.store.database import Database, in_practice
from callcenter.store.jobs import defer
from callcenter.store.sealed import Place, Sealer

#: Incidents that a practice's list shows, and names of practitioners that a contact has: the first of them.
MOST, MOST_NAMES = 100, 6
#: The job that mails a practice that there is something to be read.
TELL_OF_INCIDENT = "tell_of_incident"


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose incidents somebody of a practice may see.

    Arguments:
        practices: those of which they are a practitioner at this moment.
    """

    account: Account
    practices: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class ToTell:
    """A practice that is to be told, with all that is needed for it.

    Arguments:
        notices: what it was told already, the last first.
    """

    register: Register
    contact: Contact
    notices: tuple[Notice, ...]


class IncidentNotices:
    """Acts about telling. Those of the organisation take the reach of whoever acts; those of a practice, its reader.

    Arguments:
        incidents: the registers, which grow by each act.
    """

    def __init__(
        self, database: Database, sealer: Sealer, clock: Clock, random: Random, acts: StaffActs, incidents: Incidents
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._clock = clock
        self._random = random
        self._acts = acts
        self._incidents = incidents

    # --- the organisation

    async def to_tell(self, reach: Reach, incident: UUID, practice: UUID, *, exported: bool = False) -> ToTell:
        """What there is to tell a practice, and by what it is reached. That the register is read is on record.

        Arguments:
            exported: it is taken along, all of it: so that is on record, and in the register.

        Raises:
            NotFound: the incident does not concern it, or one may not see it, or the practice is out of reach.
        """
        async with self._database.house() as connection:
            listed = await self._incidents.seen(connection, reach, incident, hold=exported)
            await self._concerned(connection, reach, incident, practice)
            refs: list[Value] = [f"practice:{practice}"]
            act, by = Act.INCIDENT_EXPORTED if exported else Act.INCIDENT_READ, reach.account.id
            await self._incidents.noted(connection, act, by, incident, {"refs": refs})
            if exported:
                await self._incidents.enter(connection, by, incident, EntryKind.EXPORTED)
            register = await self._incidents.registered(connection, listed, whole=exported)
            number = (await connection.execute(_NUMBER, {"practice": practice})).scalar_one()
            today = day_of(self._clock.now())
            names = await names_of(connection, Role.PRACTITIONER, practice, today, limit=MOST_NAMES)
            notices = await self._notices(connection, incident, practice)
        return ToTell(register, Contact(tuple(names), number), notices)

    async def make(self, reach: Reach, incident: UUID, practice: UUID, words: str, after: UUID | None) -> bool:
        """Put what a practice is told on its page. False where another one was put there meanwhile.

        Arguments:
            after: the last one that whoever writes has seen.

        Raises:
            NotFound: as for :meth:`to_tell`.
        """
        async with self._database.house() as connection:
            await self._incidents.seen(connection, reach, incident, hold=True)
            await self._concerned(connection, reach, incident, practice)
            values = {"incident": incident, "practice": practice}
            if (await connection.execute(_LAST, values)).scalar_one_or_none() != after:
                return False
            await self._put(connection, reach.account.id, incident, practice, words)
        return True

    async def several(self, reach: Reach, incident: UUID) -> Register:
        """The register, to choose the practices of that are told the same. That it is read is on record.

        Raises:
            NotFound: there is no incident that one may see.
        """
        return await self._incidents.read(reach, incident)

    async def make_each(self, reach: Reach, incident: UUID, practices: Sequence[UUID], words: str) -> Sequence[UUID]:
        """Put the same words on the page of each: a notice, its record and its mail for each, as by :meth:`make`.

        Each is a transaction of its own, so that nobody waits for fifty: what fails stands for those before, and
        whoever sends it again leaves these out.

        Arguments:
            practices: at most :data:`incident_values.MOST_AT_ONCE`.

        Returns:
            Those that were told meanwhile, or have a notice: they are left out, and nothing is changed for them.

        Raises:
            NotFound: as for :meth:`to_tell`, for any of them; then nobody was told, unless one was taken from their
                reach just now.
        """
        async with self._database.house() as connection:
            await self._incidents.seen(connection, reach, incident)
            for practice in practices:
                await self._concerned(connection, reach, incident, practice)
        return [one for one in practices if not await self._make_first(reach, incident, one, words)]

    async def _make_first(self, reach: Reach, incident: UUID, practice: UUID, words: str) -> bool:
        """Tell a practice what it is told first. False where it was told, or has something to read."""
        async with self._database.house() as connection:
            await self._incidents.seen(connection, reach, incident, hold=True)
            await self._concerned(connection, reach, incident, practice)
            values = {"incident": incident, "practice": practice}
            if (await connection.execute(_TOLD_BEFORE, values)).one_or_none() is not None:
                return False
            await self._put(connection, reach.account.id, incident, practice, words)
        return True

    async def _put(self, connection: AsyncConnection, by: UUID, incident: UUID, practice: UUID, words: str) -> None:
        """A notice: its row, the register and the records, its words in the practice's own scope, and its mail."""
        notice = new_id(self._random)
        values = {"incident": incident, "practice": practice, "id": notice, "now": self._clock.now(), "by": by}
        await connection.execute(_MAKE, values)
        await self._incidents.enter(connection, by, incident, EntryKind.PRACTICE_NOTICE, about=practice)
        await self._written(connection, by, incident, EntryKind.PRACTICE_NOTICE, practice)
        tx = await in_practice(connection, practice)
        sealed = self._sealer.seal_text(words, _place(practice, notice))
        await connection.execute(_KEEP, {"practice": practice, "notice": notice, "words": sealed})
        await self._acts.incident_notice(tx, EventKind.INCIDENT_NOTICE, incident, notice, by)
        await defer(connection, TELL_OF_INCIDENT, queue=NOTICES, practice=practice, notice=notice)

    async def informed(self, reach: Reach, incident: UUID, practice: UUID, telling: Telling) -> bool:
        """The practice, as controller, was told. Once: False where it had been, and nothing is changed.

        Raises:
            NotFound: as for :meth:`to_tell`.
            NotPlausible: it cannot have been told then.
        """
        async with self._database.house() as connection:
            listed = await self._incidents.seen(connection, reach, incident, hold=True)
            await self._concerned(connection, reach, incident, practice)
            if not listed.known_at <= telling.at <= self._clock.now():
                raise NotPlausible
            values = {"incident": incident, "practice": practice, "at": telling.at, "means": telling.means.value}
            if (await connection.execute(_INFORMED, values)).one_or_none() is None:
                return False
            by = reach.account.id
            kind = EntryKind.PRACTICE_INFORMED
            await self._incidents.enter(connection, by, incident, kind, telling.words, about=practice)
            await self._written(connection, by, incident, kind, practice)
            await self._acts.incident_told(await in_practice(connection, practice), incident, str(by))
        return True

    # --- the practice

    async def mine(self, reader: Reader) -> Sequence[Told]:
        """The incidents that concern one's practices, the last first."""
        async with self._database.house() as connection:
            rows = (await connection.execute(_MINE, {**_eyes(reader), "most": MOST})).all()
        return [_told(row) for row in rows]

    async def unread(self, reader: Reader) -> int:
        """How many of them have something to be read, or concern one's practice without a word of it yet."""
        async with self._database.house() as connection:
            return int((await connection.execute(_UNREAD, _eyes(reader))).scalar_one())

    async def read(self, reader: Reader, incident: UUID, practice: UUID) -> tuple[Told, tuple[Notice, ...]]:
        """What one's practice was told, the last first; that somebody reads it is on record.

        Raises:
            NotFound: it does not concern a practice of theirs.
        """
        async with self._database.house() as connection:
            told = await self._mine(connection, reader, incident, practice)
            refs: list[Value] = [f"practice:{practice}"]
            await self._incidents.noted(connection, Act.INCIDENT_READ, reader.account.id, incident, {"refs": refs})
            return told, await self._notices(connection, incident, practice)

    async def acknowledge(self, reader: Reader, incident: UUID, practice: UUID, notice: UUID) -> bool:
        """Somebody of the practice says to have read a notice: so the practice is informed, if nobody had noted it.

        Returns False where that is not the last one any more: then there is more to read first.

        Raises:
            NotFound: as for :meth:`read`.
        """
        async with self._database.house() as connection:
            await self._mine(connection, reader, incident, practice)
            await connection.execute(_HOLD, {"incident": incident})
            values = {"incident": incident, "practice": practice}
            if (await connection.execute(_LAST, values)).scalar_one_or_none() != notice:
                return False
            now, by = self._clock.now(), reader.account.id
            receipt = {"practice": practice, "notice": notice, "by": by, "now": now}
            if (await connection.execute(_RECEIVE, receipt)).one_or_none() is None:
                return True
            await connection.execute(_INFORMED, {**values, "at": now, "means": Means.PAGE.value})
            await self._incidents.enter(connection, by, incident, EntryKind.PRACTICE_READ, about=practice)
            await self._written(connection, by, incident, EntryKind.PRACTICE_READ, practice)
            tx = await in_practice(connection, practice)
            await self._acts.incident_notice(tx, EventKind.INCIDENT_NOTICE_READ, incident, notice, by)
        return True

    # --- both

    async def _concerned(self, connection: AsyncConnection, reach: Reach, incident: UUID, practice: UUID) -> None:
        values = {"incident": incident, "practice": practice, "reach": list(reach.practices)}
        if (await connection.execute(_CONCERNED, values)).one_or_none() is None:
            raise NotFound

    async def _mine(self, connection: AsyncConnection, reader: Reader, incident: UUID, practice: UUID) -> Told:
        values = {**_eyes(reader), "incident": incident, "practice": practice}
        row = (await connection.execute(_ONE_OF_MINE, values)).one_or_none()
        if row is None:
            raise NotFound
        return _told(row)

    async def _written(
        self, connection: AsyncConnection, by: UUID, incident: UUID, kind: EntryKind, practice: UUID
    ) -> None:
        content: dict[str, Value] = {"kind": kind.value, "refs": [f"practice:{practice}"]}
        await self._incidents.noted(connection, Act.INCIDENT_WRITTEN, by, incident, content)

    async def _notices(self, connection: AsyncConnection, incident: UUID, practice: UUID) -> tuple[Notice, ...]:
        await in_practice(connection, practice)
        values = {"incident": incident, "practice": practice}
        receipts: dict[UUID, list[Receipt]] = {}
        for row in (await connection.execute(_RECEIPTS, values)).all():
            receipts.setdefault(row.notice_id, []).append(Receipt(row.display_name, row.at))
        return tuple(
            Notice(
                row.id,
                row.made_at,
                row.display_name,
                self._sealer.open_text(row.words, _place(practice, row.id)),
                tuple(receipts.get(row.id, ())),
            )
            for row in (await connection.execute(_NOTICES, values)).all()
        )


def _place(practice: UUID, notice: UUID) -> Place:
    return Place(practice, "incident_notice_words", "words", notice)


def _eyes(reader: Reader) -> dict[str, object]:
    return {"staff": reader.account.id, "mine": list(reader.practices)}


def _told(row: Row[Any]) -> Told:
    return Told(
        row.id,
        row.practice_id,
        IncidentKind(row.kind),
        row.known_at,
        row.declared_at,
        row.closed_at,
        row.organisation,
        row.noticed_at,
        row.unread,
    )


_NUMBER = text("SELECT rescue_number FROM practice WHERE id = :practice")
_CONCERNED = text(
    """
    SELECT practice_id FROM incident_practice
    WHERE incident_id = :incident AND practice_id = :practice AND practice_id = ANY(:reach)
    """
)
_LAST = text(
    """
    SELECT id FROM incident_notice WHERE incident_id = :incident AND practice_id = :practice
    ORDER BY made_at DESC, id DESC LIMIT 1
    """
)
_TOLD_BEFORE = text(
    """
    SELECT n.practice_id FROM incident_practice n
    WHERE n.incident_id = :incident AND n.practice_id = :practice AND (n.informed_at IS NOT NULL OR EXISTS (
        SELECT FROM incident_notice x WHERE x.incident_id = n.incident_id AND x.practice_id = n.practice_id))
    """
)
_MAKE = text(
    """
    INSERT INTO incident_notice (id, incident_id, practice_id, made_at, made_by)
    VALUES (:id, :incident, :practice, :now, :by)
    """
)
_KEEP = text("INSERT INTO incident_notice_words (practice_id, notice_id, words) VALUES (:practice, :notice, :words)")
_INFORMED = text(
    """
    UPDATE incident_practice SET informed_at = :at, means = :means
    WHERE incident_id = :incident AND practice_id = :practice AND informed_at IS NULL RETURNING practice_id
    """
)
_NOTICES = text(
    """
    SELECT x.id, x.made_at, a.display_name, w.words
    FROM incident_notice x JOIN incident_notice_words w ON w.practice_id = x.practice_id AND w.notice_id = x.id
    JOIN staff_account a ON a.id = x.made_by
    WHERE x.incident_id = :incident AND x.practice_id = :practice ORDER BY x.made_at DESC, x.id DESC
    """
)
_RECEIPTS = text(
    """
    SELECT r.notice_id, a.display_name, r.at
    FROM incident_receipt r JOIN incident_notice x ON x.practice_id = r.practice_id AND x.id = r.notice_id
    JOIN staff_account a ON a.id = r.staff_id
    WHERE x.incident_id = :incident AND x.practice_id = :practice ORDER BY r.at, r.staff_id
    """
)
# The incident first, then the log of the house: as whoever writes into its register.
_HOLD = text("SELECT id FROM incident WHERE id = :incident FOR NO KEY UPDATE")
_RECEIVE = text(
    """
    INSERT INTO incident_receipt (notice_id, practice_id, staff_id, at) VALUES (:notice, :practice, :by, :now)
    ON CONFLICT (notice_id, staff_id) DO NOTHING RETURNING notice_id
    """
)
# A practice that another organisation staffs by now is concerned all the same.
_SEEN = """
    FROM incident_practice n JOIN incident i ON i.id = n.incident_id JOIN organisation o ON o.id = i.organisation_id
    LEFT JOIN LATERAL (
        SELECT x.id, x.made_at FROM incident_notice x
        WHERE x.incident_id = n.incident_id AND x.practice_id = n.practice_id ORDER BY x.made_at DESC, x.id DESC LIMIT 1
    ) last ON true
    CROSS JOIN LATERAL (
        SELECT last.id IS NOT NULL AND NOT EXISTS (
            SELECT FROM incident_receipt r WHERE r.notice_id = last.id AND r.staff_id = :staff) AS unread
    ) eyes
    WHERE n.practice_id = ANY(:mine)
"""
_TOLD = """
    i.id, n.practice_id, i.kind, i.known_at, i.declared_at, i.closed_at, o.name AS organisation,
    last.made_at AS noticed_at, eyes.unread
"""
_MINE = text(f"SELECT {_TOLD} {_SEEN} ORDER BY i.declared_at DESC, i.id, n.practice_id LIMIT :most")
_ONE_OF_MINE = text(f"SELECT {_TOLD} {_SEEN} AND n.incident_id = :incident AND n.practice_id = :practice")
_UNREAD = text(f"SELECT count(*) {_SEEN} AND (eyes.unread OR (last.id IS NULL AND i.closed_at IS NULL))")
