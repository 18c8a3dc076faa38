"""Incidents: declared in a minute, with a clock of 72 hours and a register that is only added to (BR-01, BR-02).

Who may see one: whoever has declared it, and who supervises or administers every practice that it concerns. What was
written of it is sealed; that somebody reads it is on record before they do (P1).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.audit.ledger import Value
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import NotFound
from callcenter.kernel.randomness import Random, new_id
from callcenter.staff.acts import StaffActs
from callcenter.staff.incident_tables import EntryKind, IncidentKind, Means
from callcenter.staff.incident_values import (
    WITHOUT_DELAY,
    Concerned,
    Declaration,
    Hold,
    Listed,
    NotPlausible,
    Reach,
    Register,
    Written,
)
from callcenter.staff.records import Act, Actor, HouseLog
from callcenter.store.database import SET_ROW, Database, in_practice
from callcenter.store.sealed import NO_PRACTICE, Place, Sealer

#: Incidents that a list shows, and entries of a register on its page: the first of them. A paper holds all.
MOST, MOST_ENTRIES = 100, 1_000


class Incidents:
    """Acts on incidents. Every method takes the reach of whoever acts, as it is at this moment."""

    def __init__(
        self, database: Database, sealer: Sealer, clock: Clock, random: Random, log: HouseLog, acts: StaffActs
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._clock = clock
        self._random = random
        self._log = log
        self._acts = acts

    async def declare(self, reach: Reach, declaration: Declaration) -> UUID:
        """Open an incident; the clock runs from when it was known.

        Raises:
            NotFound: a practice is out of reach.
            NotPlausible: it cannot be known since then.
        """
        now, incident = self._clock.now(), new_id(self._random)
        if not now - timedelta(days=365) <= declaration.known_at <= now:
            raise NotPlausible
        practices = list(dict.fromkeys(declaration.practices))
        if not set(practices) <= set(reach.practices):
            raise NotFound
        values = {
            "id": incident,
            "organisation": reach.account.organisation,
            "kind": declaration.kind.value,
            "known": declaration.known_at,
            "now": now,
            "by": reach.account.id,
        }
        refs: list[Value] = [f"practice:{practice}" for practice in practices]
        async with self._database.house() as connection:
            await connection.execute(_DECLARE, values)
            await connection.execute(_CONCERN, {"incident": incident, "practices": practices})
            content: dict[str, Value] = {"refs": refs, "kind": declaration.kind.value}
            await self.noted(connection, Act.INCIDENT_DECLARED, reach.account.id, incident, content)
            for kind, words in declaration.entries:
                await self.enter(connection, reach.account.id, incident, kind, words)
            for practice in practices:
                tx = await in_practice(connection, practice)
                await self._acts.incident_declared(tx, incident, str(reach.account.id))
        return incident

    async def running(self, reach: Reach) -> Sequence[Listed]:
        """Incidents that wait for somebody, by their deadline: the clock runs, or a practice is told late of it."""
        values = {**_sight(reach), "late": self._clock.now() - WITHOUT_DELAY}
        async with self._database.house() as connection:
            rows = (await connection.execute(_RUNNING, values)).all()
        return [_listed(row) for row in rows]

    async def all(self, reach: Reach) -> Sequence[Listed]:
        """Incidents of the organisation that one may see, the last first."""
        async with self._database.house() as connection:
            rows = (await connection.execute(_ALL, _sight(reach))).all()
        return [_listed(row) for row in rows]

    async def read(self, reach: Reach, incident: UUID, *, exported: bool = False) -> Register:
        """The register, to be taken along all of it; that it is read, or taken along, is on record.

        Raises:
            NotFound: there is none that one may see.
        """
        async with self._database.house() as connection:
            # What writes takes the incident first, then the log of the house: so does this (no deadlock).
            listed = await self.seen(connection, reach, incident, hold=exported)
            act = Act.INCIDENT_EXPORTED if exported else Act.INCIDENT_READ
            await self.noted(connection, act, reach.account.id, incident)
            if exported:
                await self.enter(connection, reach.account.id, incident, EntryKind.EXPORTED)
            return await self.registered(connection, listed, whole=exported)

    async def write(self, reach: Reach, incident: UUID, kind: EntryKind, words: str) -> None:
        """Add an entry. That the authority was notified, or that the incident is closed, stops the clock.

        Raises:
            NotFound: there is none that one may see, or it is closed.
        """
        async with self._database.house() as connection:
            listed = await self.seen(connection, reach, incident, hold=True)
            if listed.closed_at is not None:
                raise NotFound
            stops = {EntryKind.NOTIFIED: _NOTIFIED, EntryKind.CLOSED: _CLOSED}.get(kind)
            if stops is not None:
                await connection.execute(stops, {"incident": incident, "now": self._clock.now()})
            act = Act.INCIDENT_CLOSED if kind is EntryKind.CLOSED else Act.INCIDENT_WRITTEN
            await self.enter(connection, reach.account.id, incident, kind, words)
            await self.noted(connection, act, reach.account.id, incident, {"kind": kind.value})

    async def hold(self, reach: Reach, incident: UUID, call: UUID) -> bool:
        """Have nothing erased of a call of a practice that the incident concerns. False where it is none."""
        async with self._database.house() as connection:
            await self.seen(connection, reach, incident, hold=True)
            now, hold = self._clock.now(), new_id(self._random)
            values = {
                "id": hold,
                "incident": incident,
                "call": call,
                "now": now,
                "by": reach.account.id,
                "reach": list(reach.practices),
            }
            practice: UUID | None = (await connection.execute(_HOLD, values)).scalar_one_or_none()
            if practice is None:
                return (await connection.execute(_HELD, values)).one_or_none() is not None
            await self._held(connection, reach, incident, Hold(hold, practice, call, now), held=True)
        return True

    async def lift(self, reach: Reach, incident: UUID, hold: UUID) -> bool:
        """Let a call be erased in its time again. False where it is not held, or of a practice out of reach."""
        async with self._database.house() as connection:
            await self.seen(connection, reach, incident, hold=True)
            values = {
                "id": hold,
                "incident": incident,
                "now": self._clock.now(),
                "by": reach.account.id,
                "reach": list(reach.practices),
            }
            row = (await connection.execute(_LIFT, values)).one_or_none()
            if row is None:
                return False
            lifted = Hold(hold, row.practice_id, row.call_id, row.placed_at)
            await self._held(connection, reach, incident, lifted, held=False)
        return True

    async def _held(self, connection: AsyncConnection, reach: Reach, incident: UUID, hold: Hold, *, held: bool) -> None:
        kind, by = EntryKind.HELD if held else EntryKind.HOLD_LIFTED, reach.account.id
        await self.enter(connection, by, incident, kind, about=hold.call)
        refs: list[Value] = [f"practice:{hold.practice}", f"call:{hold.call}"]
        await self.noted(connection, Act.INCIDENT_WRITTEN, by, incident, {"kind": kind.value, "refs": refs})
        tx = await in_practice(connection, hold.practice)
        await self._acts.call_held(tx, incident, hold.call, str(reach.account.id), held=held)

    # --- in a transaction that goes on, which takes the incident first, then the log of the house

    async def seen(self, connection: AsyncConnection, reach: Reach, incident: UUID, *, hold: bool = False) -> Listed:
        """The incident, if it is one that one may see.

        Arguments:
            hold: nobody else may change it until the transaction ends.

        Raises:
            NotFound: there is none that one may see.
        """
        query = _ONE_TO_CHANGE if hold else _ONE
        row = (await connection.execute(query, {**_sight(reach), "incident": incident})).one_or_none()
        if row is None:
            raise NotFound
        return _listed(row)

    async def noted(
        self,
        connection: AsyncConnection,
        act: Act,
        by: UUID,
        incident: UUID,
        content: dict[str, Value] | None = None,
    ) -> None:
        """Put an act on record, in the chain of the incident: references and kinds, no words."""
        await self._log.note(connection, act, Actor.staff(by), None, content, stream=incident)

    async def enter(
        self,
        connection: AsyncConnection,
        by: UUID,
        incident: UUID,
        kind: EntryKind,
        words: str = "",
        about: UUID | None = None,
    ) -> None:
        """Add an entry to the register.

        Arguments:
            by: the account that adds it.
            about: a practice or a call, for some kinds.
        """
        entry = new_id(self._random)
        await connection.execute(SET_ROW, {"row": str(incident)})
        values = {
            "id": entry,
            "incident": incident,
            "kind": kind.value,
            "now": self._clock.now(),
            "by": by,
            "about": about,
            "words": self._sealer.seal_text(words, _place(entry)) if words else None,
        }
        await connection.execute(_WRITE, values)

    async def registered(self, connection: AsyncConnection, listed: Listed, *, whole: bool) -> Register:
        """The register of an incident that one may see; its words are opened here."""
        values = {"incident": listed.id, "most": None if whole else MOST_ENTRIES}
        await connection.execute(SET_ROW, {"row": str(listed.id)})
        head = (await connection.execute(_HEAD, values)).one()
        concerned = (await connection.execute(_CONCERNED, values)).all()
        entries = (await connection.execute(_ENTRIES, values)).all()
        holds = (await connection.execute(_HOLDS, values)).all()
        return Register(
            listed,
            head.organisation,
            head.declared_by,
            tuple(_concerned(row) for row in concerned),
            tuple(
                Written(
                    EntryKind(row.kind),
                    row.at,
                    row.display_name,
                    "" if row.words is None else self._sealer.open_text(row.words, _place(row.id)),
                    row.about,
                )
                for row in entries
            ),
            tuple(Hold(row.id, row.practice_id, row.call_id, row.placed_at) for row in holds),
        )


def _place(entry: UUID) -> Place:
    return Place(NO_PRACTICE, "incident_entry", "words", entry)


def _listed(row: Row[Any]) -> Listed:
    kind = IncidentKind(row.kind)
    return Listed(row.id, kind, row.known_at, row.declared_at, row.notified_at, row.closed_at, row.untold)


def _concerned(row: Row[Any]) -> Concerned:
    means = None if row.means is None else Means(row.means)
    return Concerned(row.practice_id, row.informed_at, means, row.noticed_at, row.read_at)


def _sight(reach: Reach) -> dict[str, object]:
    return {
        "organisation": reach.account.organisation,
        "staff": reach.account.id,
        "reach": list(reach.practices),
        "whole": reach.whole,
        "most": MOST,
    }


# Of practices that the organisation staffs no more it is for nobody to say who may see them.
_CONCERNS = """
    SELECT FROM incident_practice n JOIN practice p ON p.id = n.practice_id
    WHERE n.incident_id = i.id AND p.organisation_id = i.organisation_id
"""
_SIGHT = f"""
    i.organisation_id = :organisation AND (i.declared_by = :staff OR (
        NOT EXISTS ({_CONCERNS} AND NOT p.id = ANY(:reach)) AND (:whole OR EXISTS ({_CONCERNS}))
    ))
"""
_UNTOLD = """
    i.*, (SELECT count(*) FROM incident_practice n WHERE n.incident_id = i.id AND n.informed_at IS NULL) AS untold
"""
_RUNNING = text(
    f"""
    SELECT {_UNTOLD} FROM incident i WHERE {_SIGHT} AND i.closed_at IS NULL AND (i.notified_at IS NULL OR (
        i.known_at < :late AND EXISTS (
            SELECT FROM incident_practice n WHERE n.incident_id = i.id AND n.informed_at IS NULL)))
    ORDER BY i.known_at LIMIT :most
    """  # noqa: S608 - our own words alone
)
_ALL = text(
    f"SELECT {_UNTOLD} FROM incident i WHERE {_SIGHT} ORDER BY i.declared_at DESC, i.id LIMIT :most"  # noqa: S608
)
_ONE = text(f"SELECT {_UNTOLD} FROM incident i WHERE i.id = :incident AND {_SIGHT}")  # noqa: S608
# No key is changed: entries, which refer to the incident, may be made meanwhile.
_ONE_TO_CHANGE = text(
    f"SELECT {_UNTOLD} FROM incident i WHERE i.id = :incident AND {_SIGHT} FOR NO KEY UPDATE OF i"  # noqa: S608
)
_DECLARE = text(
    """
    INSERT INTO incident (id, organisation_id, kind, known_at, declared_at, declared_by)
    VALUES (:id, :organisation, :kind, :known, :now, :by)
    """
)
_CONCERN = text(
    """
    INSERT INTO incident_practice (incident_id, practice_id)
    SELECT cast(:incident AS uuid), one FROM unnest(cast(:practices AS uuid[])) one
    """
)
_WRITE = text(
    """
    INSERT INTO incident_entry (id, incident_id, kind, at, "by", about, words)
    VALUES (:id, :incident, :kind, :now, :by, :about, :words)
    """
)
_NOTIFIED = text("UPDATE incident SET notified_at = :now WHERE id = :incident AND notified_at IS NULL")
_CLOSED = text("UPDATE incident SET closed_at = :now WHERE id = :incident AND closed_at IS NULL")
_HOLD = text(
    """
    INSERT INTO call_hold (id, incident_id, practice_id, call_id, placed_at, placed_by)
    SELECT cast(:id AS uuid), n.incident_id, k.practice_id, k.id, cast(:now AS timestamptz), cast(:by AS uuid)
    FROM call k JOIN incident_practice n ON n.practice_id = k.practice_id AND n.incident_id = :incident
    WHERE k.id = :call AND k.practice_id = ANY(:reach) AND NOT EXISTS (
        SELECT FROM call_hold h WHERE h.incident_id = :incident AND h.call_id = k.id AND h.lifted_at IS NULL)
    RETURNING practice_id
    """
)
_HELD = text("SELECT id FROM call_hold WHERE incident_id = :incident AND call_id = :call AND lifted_at IS NULL")
_LIFT = text(
    """
    UPDATE call_hold SET lifted_at = :now, lifted_by = :by
    WHERE id = :id AND incident_id = :incident AND practice_id = ANY(:reach) AND lifted_at IS NULL
    RETURNING practice_id, call_id, placed_at
    """
)
_HEAD = text(
    """
    SELECT o.name AS organisation, a.display_name AS declared_by
    FROM incident i JOIN organisation o ON o.id = i.organisation_id JOIN staff_account a ON a.id = i.declared_by
    WHERE i.id = :incident
    """
)
_CONCERNED = text(
    """
    SELECT n.practice_id, n.informed_at, n.means, last.made_at AS noticed_at,
        (SELECT min(r.at) FROM incident_receipt r WHERE r.notice_id = last.id) AS read_at
    FROM incident_practice n LEFT JOIN LATERAL (
        SELECT x.id, x.made_at FROM incident_notice x
        WHERE x.incident_id = n.incident_id AND x.practice_id = n.practice_id ORDER BY x.made_at DESC, x.id DESC LIMIT 1
    ) last ON true
    WHERE n.incident_id = :incident ORDER BY 1
    """
)
_ENTRIES = text(
    """
    SELECT e.id, e.kind, e.at, a.display_name, e.about, e.words
    FROM incident_entry e JOIN staff_account a ON a.id = e."by"
    WHERE e.incident_id = :incident ORDER BY e.at, e.id LIMIT cast(:most AS bigint)
    """
)
_HOLDS = text(
    """
    SELECT id, practice_id, call_id, placed_at FROM call_hold
    WHERE incident_id = :incident AND lifted_at IS NULL ORDER BY placed_at, id LIMIT cast(:most AS bigint)
    """
)
