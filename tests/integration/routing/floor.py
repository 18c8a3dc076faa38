"""A télésecrétariat's floor: practices whose calls come in, operators who sit there, what routing does with them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom, new_id
from callcenter.routing.presence import Present, move, present, seen
from callcenter.routing.queue import Arrival, Entered, Queue
from callcenter.routing.reservations import Reservations
from callcenter.routing.reserving import Reserving
from callcenter.routing.rules import Rule, choose_rule
from callcenter.routing.sweeping import Sweeping
from callcenter.routing.values import Limits, PresenceState, Reservation, Strategy
from callcenter.store.database import Database

T = TypeVar("T")

#: Invariants that hold whenever no transaction is under way; each query finds what breaks it.
INVARIANTS = {
    "a call is held for two operators": """
        SELECT call_id FROM reservation WHERE ended_at IS NULL GROUP BY call_id HAVING count(*) > 1
    """,
    "an operator is held for two calls": """
        SELECT staff_id FROM reservation WHERE ended_at IS NULL GROUP BY staff_id HAVING count(*) > 1
    """,
    "an operator is stuck, or free with a call": """
        SELECT p.staff_id, p.state, r.state FROM presence p
        LEFT JOIN reservation r ON r.staff_id = p.staff_id AND r.ended_at IS NULL
        WHERE p.state IS DISTINCT FROM CASE
            WHEN r.state IN ('offered', 'accepted') THEN 'reserved' WHEN r.state = 'connected' THEN 'on_call'
            WHEN p.state IN ('reserved', 'on_call') THEN 'free' ELSE p.state END
    """,
    "a call is stuck, or waits while it is held": """
        SELECT e.call_id, e.state, r.state FROM queue_entry e
        LEFT JOIN reservation r ON r.call_id = e.call_id AND r.ended_at IS NULL
        WHERE e.state IS DISTINCT FROM CASE
            WHEN r.state IN ('offered', 'accepted') THEN 'reserved' WHEN r.state = 'connected' THEN 'connected'
            WHEN e.state IN ('reserved', 'connected') THEN 'waiting' ELSE e.state END
    """,
    "a call was taken twice at once": """
        SELECT a.call_id FROM reservation a JOIN reservation b ON b.call_id = a.call_id AND b.number > a.number
        WHERE a.ended_at > b.made_at OR a.ended_at IS NULL
    """,
    "an event is missing": """
        SELECT r.id, r.state FROM reservation r WHERE NOT EXISTS (
            SELECT FROM routing_event v WHERE v.reservation_id = r.id AND v.kind = 'offered'
        ) OR (r.ended_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM routing_event v WHERE v.reservation_id = r.id
                AND v.kind IN ('refused', 'missed', 'withdrawn', 'returned', 'unreached', 'over')
        ))
    """,
    "an event came twice": """
        SELECT reservation_id, kind FROM routing_event WHERE reservation_id IS NOT NULL
        GROUP BY reservation_id, kind HAVING count(*) > 1
    """,
    "a wait was counted twice": """
        SELECT call_id FROM routing_event WHERE waited IS NOT NULL AND kind IN ('connected', 'left')
        GROUP BY call_id HAVING count(*) > (
            SELECT count(*) FROM routing_event n WHERE n.call_id = routing_event.call_id AND n.kind = 'entered'
        )
    """,
    "a call left without a word": """
        SELECT e.call_id FROM queue_entry e WHERE e.state = 'left' AND NOT EXISTS (
            SELECT FROM routing_event v WHERE v.call_id = e.call_id AND v.kind = 'left' AND v.detail = e.left_reason
        )
    """,
    "an operator was offered what they may not have": """
        SELECT r.id FROM reservation r JOIN queue_entry e ON e.call_id = r.call_id
        JOIN staff_account a ON a.id = r.staff_id
        WHERE NOT e.language = ANY(a.languages) OR NOT EXISTS (
            SELECT FROM staff_role s JOIN portfolio f ON f.id = s.portfolio_id
            LEFT JOIN portfolio_practice o ON o.portfolio_id = f.id AND o.practice_id = e.practice_id
            JOIN practice c ON c.id = e.practice_id
            WHERE s.staff_id = r.staff_id AND s.role = 'operator' AND f.organisation_id = c.organisation_id
                AND (f.whole OR o.practice_id IS NOT NULL)
        )
    """,
}


@dataclass
class Floor:
    """One organisation, and whatever is added to it.

    Arguments:
        chance: of everything that is made.
    """

    database: Database
    clock: DrivenClock
    chance: SeededRandom
    limits: Limits = field(default_factory=Limits)
    organisation: UUID = field(default_factory=uuid4)

    def __post_init__(self) -> None:
        self.queue = Queue(self.limits)
        self.reservations = Reservations(self.limits)
        self.reserving = Reserving(self.database, self.chance, self.limits)
        self.sweeping = Sweeping(self.database, self.limits)

    def _id(self) -> UUID:
        return new_id(self.chance)

    async def run(self, statement: str, **values: object) -> Sequence[Any]:
        """Rows of a statement, in a transaction of its own."""
        async with self.database.house() as connection:
            result = await connection.execute(text(statement), values)
            return result.all() if result.returns_rows else []

    async def do(self, act: Callable[..., Awaitable[T]], *args: object, **more: object) -> T:
        """An act of routing at the clock's time, in a transaction of its own."""
        async with self.database.house() as connection:
            return await act(connection, *args, self.clock.now(), **more)

    async def open(self, strategy: Strategy = Strategy.LONGEST_IDLE, wrap_up_seconds: int = 0) -> None:
        """Make the organisation."""
        await self.run(
            "INSERT INTO organisation (id, name) VALUES (:id, :name)",
            id=self.organisation,
            name=f"Télésecrétariat {self.organisation}",
        )
        async with self.database.house() as connection:
            await choose_rule(connection, self.organisation, Rule(strategy, wrap_up_seconds))

    async def practice(self) -> UUID:
        practice = self._id()
        await self.run(
            "INSERT INTO practice (id, organisation_id, slug, rescue_number) VALUES (:id, :organisation, :slug, :line)",
            id=practice,
            organisation=self.organisation,
            slug=f"cabinet-{practice}",
            line="+33261990000",
        )
        return practice

    async def operator(
        self, *practices: UUID, languages: Sequence[str] = ("fr",), available: bool = True, role: str = "operator"
    ) -> UUID:
        """Somebody who answers for ``practices``, or for all of the organisation when none is named."""
        staff, portfolio = self._id(), self._id()
        values = {
            "staff": staff,
            "portfolio": portfolio,
            "organisation": self.organisation,
            "languages": list(languages),
            "login": f"o{staff.hex}",
            "name": str(portfolio),
            "whole": not practices,
            "practices": list(practices),
            "role": role,
            "now": self.clock.now(),
        }
        async with self.database.house() as connection:
            for statement in _OPERATOR:
                await connection.execute(statement, values)
        if available:
            assert await self.moves(staff, PresenceState.AVAILABLE)
        return staff

    async def moves(self, staff: UUID, to: PresenceState) -> bool:
        return await self.do(move, staff, to)

    async def sees(self, staff: UUID) -> PresenceState:
        return await self.do(seen, staff)

    async def present(self, staff: UUID) -> Present:
        async with self.database.house() as connection:
            found = await present(connection, staff)
        assert found is not None
        return found

    async def state(self, staff: UUID) -> PresenceState:
        return (await self.present(staff)).state

    async def call(self, practice: UUID) -> UUID:
        """A call that has come in."""
        call = self._id()
        await self.run(
            "INSERT INTO call (id, practice_id, carrier_sid, status, started_at) "
            "VALUES (:id, :practice, :sid, 3, :now)",
            id=call,
            practice=practice,
            sid=f"CA{call.hex}",
            now=self.clock.now(),
        )
        return call

    async def ends(self, call: UUID) -> None:
        """The carrier says that the call is over; nobody tells the queue."""
        await self.run(
            "UPDATE call SET status = 10, ended_at = :now WHERE id = :id AND ended_at IS NULL",
            id=call,
            now=self.clock.now(),
        )

    async def waits(self, practice: UUID, **arrival: Any) -> UUID:
        """A call that has come in and waits."""
        call = await self.call(practice)
        assert await self.do(self.queue.enter, Arrival(call, practice, **arrival)) in (Entered.NEW, Entered.AGAIN)
        return call

    async def offers(self) -> list[tuple[UUID, UUID]]:
        """Who is offered what now."""
        return [(one.call, one.staff) for one in await self.reserve()]

    async def reserve(self) -> list[Reservation]:
        return await self.reserving.reserve(self.clock.now())

    async def one_offer(self) -> Reservation:
        (offer,) = await self.reserve()
        return offer

    async def talk(self) -> Reservation:
        """The next call is offered, taken and connected."""
        offer = await self.one_offer()
        await self.do(self.reservations.accept, offer.id, offer.staff)
        assert await self.do(self.reservations.connected, offer.id, offer.staff)
        return offer

    async def entry(self, call: UUID) -> Any:
        return (await self.run("SELECT * FROM queue_entry WHERE call_id = :call", call=call))[0]

    async def events(self, call: UUID) -> list[str]:
        rows = await self.run("SELECT kind FROM routing_event WHERE call_id = :call ORDER BY number", call=call)
        return [row.kind for row in rows]

    async def broken(self) -> dict[str, Sequence[Any]]:
        """The invariants that do not hold, with what breaks them."""
        async with self.database.house() as connection:
            return await broken(connection)


async def broken(connection: AsyncConnection) -> dict[str, Sequence[Any]]:
    """The invariants that do not hold, with what breaks them."""
    found = {name: (await connection.execute(text(query))).all() for name, query in INVARIANTS.items()}
    return {name: rows for name, rows in found.items() if rows}


_OPERATOR = (
    text(
        "INSERT INTO staff_account (id, organisation_id, login, display_name, languages, made_at, secrecy_signed_on) "
        "VALUES (:staff, :organisation, :login, 'Télésecrétaire', :languages, :now, cast(:now AS timestamptz)::date)"
    ),
    text("INSERT INTO portfolio (id, organisation_id, name, whole) VALUES (:portfolio, :organisation, :name, :whole)"),
    text(
        "INSERT INTO portfolio_practice (portfolio_id, practice_id, organisation_id) "
        "SELECT :portfolio, one, :organisation FROM unnest(cast(:practices AS uuid[])) one"
    ),
    text(
        "INSERT INTO staff_role (staff_id, portfolio_id, role, organisation_id) "
        "VALUES (:staff, :portfolio, :role, :organisation)"
    ),
)

#: What a test of routing writes, in the order in which it can be deleted.
_WRITTEN = (
    "script",
    "talk_party",
    "talk",
    "call_session",
    "practitioner",
    "callback_ring",
    "callback",
    *("routing_event", "reservation", "queue_entry", "presence", "routing_rule", "staff_role", "portfolio_practice"),
    *("portfolio", "staff_account", "call", "practice", "organisation", "procrastinate_jobs"),
)


async def emptied(root: Database) -> None:
    """Delete what other tests wrote, as the superuser."""
    async with root.house() as connection:
        # Without looking up whatever could refer to each row: all of that goes.
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table in _WRITTEN:
            await connection.execute(text(f"DELETE FROM {table}"))
