"""Talks in the database: who has one, who is asked into it, and to whom it is handed over.

Every act begins with the locks of ``routing.held``; a colleague who is asked is reserved, so that no call is offered
to them meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.routing.events import note_call, note_presence
from callcenter.routing.fitting import HELP_FOR, SEEN, SPEAKS
from callcenter.routing.held import Held, end, free, leave, lock_reservation, to_front, wrap_up
from callcenter.routing.values import (
    EventKind,
    LeftReason,
    Limits,
    PartyState,
    PresenceState,
    Reservation,
    ReservationState,
    Way,
)
from callcenter.routing.waking import About, Waking, wake
from callcenter.staff.values import day_of

#: Of an operator who has taken the call out of the queue; whoever is handed one has the name of their request.
FIRST_SEAT = "operator"
_LIVE = frozenset({PartyState.RINGING, PartyState.THERE})


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody who is, or was, asked into a talk.

    Arguments:
        staff: of a colleague; ``None`` for a line of the practice.
        way: how the colleague speaks.
        private: the caller hears music meanwhile.
        carrier_sid: of the leg that we ring, once it is known.
        sent: the talk is over, and the line rings for the caller alone (``routing.sent_lines``).
        practitioner: whose line of the practice it is; ``None`` for its own.
    """

    id: UUID
    reservation: UUID
    owner: UUID
    staff: UUID | None
    way: Way | None
    state: PartyState
    private: bool
    made_at: datetime
    ends_at: datetime
    joined_at: datetime | None
    carrier_sid: str | None
    sent: bool
    practitioner: UUID | None

    @property
    def live(self) -> bool:
        return self.state in _LIVE

    @property
    def label(self) -> str:
        """By which it is found in the room."""
        return self.id.hex


@dataclass(frozen=True, slots=True)
class Standing:
    """A talk that goes on.

    Arguments:
        room: names the conference.
        seat: label of the operator in it.
        at_keypad: the caller is out of it, to type something: until they are back, nobody is asked in and nothing
            changes hands, since what they prove is for this operator alone (P2).
    """

    reservation: UUID
    staff: UUID
    call: UUID
    practice: UUID
    since: datetime
    room: UUID
    seat: str
    on_hold: bool
    third: Party | None
    at_keypad: bool


async def talk_of(connection: AsyncConnection, staff: UUID, reservation: UUID | None = None) -> Standing | None:
    """The talk of ``staff``; ``None`` when they have none, or it is not ``reservation``."""
    row = (await connection.execute(_TALK, {"staff": staff, "id": reservation})).one_or_none()
    if row is None:
        return None
    third = (await connection.execute(_THIRD, {"reservation": row.id})).one_or_none()
    return Standing(
        row.id,
        row.staff_id,
        row.call_id,
        row.practice_id,
        row.connected_at,
        row.room,
        row.seat,
        row.on_hold,
        None if third is None else _party(third),
        row.keypad_at is not None,
    )


async def lock_talk(connection: AsyncConnection, reservation: UUID, staff: UUID) -> tuple[Held, Standing] | None:
    """The same, with the locks of everything that it is made of."""
    held = await lock_reservation(connection, reservation, staff)
    if held is None or held.reservation is None or held.reservation.state is not ReservationState.CONNECTED:
        return None
    standing = await talk_of(connection, staff, reservation)
    return None if standing is None else (held, standing)


async def party_of(connection: AsyncConnection, party: UUID, staff: UUID | None = None) -> Party | None:
    """Somebody who was asked into a talk, whatever has become of it.

    Arguments:
        staff: who it must be, if that matters.
    """
    row = (await connection.execute(_PARTY, {"id": party, "staff": staff})).one_or_none()
    return None if row is None else _party(row)


async def asked_of(connection: AsyncConnection, staff: UUID) -> tuple[Party, UUID] | None:
    """What ``staff`` is asked into now, and its practice."""
    row = (await connection.execute(_ASKED, {"staff": staff})).one_or_none()
    return None if row is None else (_party(row), row.practice_id)


async def hears_music(connection: AsyncConnection, party: Party) -> bool:
    """Whether the caller of the talk hears music once ``party`` is in it, or now."""
    if party.state is PartyState.RINGING:
        return party.private
    return bool((await connection.execute(_HELD, {"id": party.reservation})).scalar_one_or_none())


async def put_on_hold(connection: AsyncConnection, standing: Standing, on: bool) -> None:
    """Write down that the caller hears music, or hears the others again; whoever is in the talk sees it."""
    values = {"id": standing.reservation, "room": standing.room, "seat": standing.seat, "on": on}
    await connection.execute(_HOLD, values)
    there = (standing.staff, None if standing.third is None else standing.third.staff)
    await wake(connection, *(Waking(About.STAFF, one) for one in there if one is not None))


async def ask(
    connection: AsyncConnection,
    standing: Standing,
    party: UUID,
    colleague: UUID | None,
    now: datetime,
    *,
    private: bool,
    limits: Limits,
    practitioner: UUID | None = None,
) -> Party | None:
    """Ask somebody into a talk that is locked; a colleague is reserved. ``None`` when they cannot be asked now.

    Arguments:
        colleague: of staff; without one, a line of the practice is rung.
        practitioner: whose line that is; by default the practice's own.
    """
    if standing.third is not None or standing.at_keypad or colleague == standing.staff:
        return None
    if colleague is not None and not await _reserved(connection, standing.call, colleague, now, limits):
        return None
    values = {
        "id": party,
        "reservation": standing.reservation,
        "staff": colleague,
        "practitioner": practitioner,
        "private": private,
        "now": now,
        "ends": now + limits.connect,
    }
    await connection.execute(_ASK, values)
    await wake(connection, *(Waking(About.STAFF, one) for one in (standing.staff, colleague) if one is not None))
    return await party_of(connection, party)


async def _reserved(connection: AsyncConnection, call: UUID, colleague: UUID, now: datetime, limits: Limits) -> bool:
    values = {"call": call, "staff": colleague, "now": now, "seen": now - limits.unseen, "today": day_of(now)}
    if (await connection.execute(_RESERVE, values)).one_or_none() is None:
        return False
    await note_presence(connection, colleague, PresenceState.RESERVED.value, now)
    return True


async def rung(connection: AsyncConnection, party: UUID, carrier_sid: str) -> None:
    """Keep which leg rings."""
    await connection.execute(_RUNG, {"id": party, "sid": carrier_sid})


async def joined(connection: AsyncConnection, standing: Standing, now: datetime) -> bool:
    """Whoever was asked comes; the same again has no effect. False when the request is over."""
    third = standing.third
    if third is None or (third.state is PartyState.RINGING and now >= third.ends_at):
        return False
    await connection.execute(_JOIN, {"id": third.id, "now": now})
    await wake(connection, *(Waking(About.STAFF, one) for one in (standing.staff, third.staff) if one is not None))
    return True


async def ended(connection: AsyncConnection, held: Held, party: Party, why: PartyState, now: datetime) -> bool:
    """A request is over; the colleague is as free as before. False when it was already."""
    row = (await connection.execute(_END, {"id": party.id, "why": why.value, "now": now})).one_or_none()
    if row is None:
        return False
    if party.staff is not None:
        await free(connection, held, party.staff, PresenceState.AVAILABLE, now, still_idle=not party.joined_at)
    await wake(connection, Waking(About.STAFF, party.owner))
    return True


async def handed_over(
    connection: AsyncConnection, held: Held, standing: Standing, reservation: UUID, now: datetime
) -> bool:
    """Whoever is there besides has the talk from here on: a colleague under ``reservation``; with a line of the
    practice the call is answered, and leaves. False when nobody is there."""
    third = standing.third
    if third is None or third.state is not PartyState.THERE or held.reservation is None:
        return False
    await given_away(connection, held, held.reservation, now)
    await connection.execute(_END, {"id": third.id, "why": PartyState.TOOK.value, "now": now})
    if third.staff is None:
        await leave(connection, held, LeftReason.ANSWERED, now)
    else:
        values = {"id": reservation, "call": held.call, "staff": third.staff, "now": now, "today": day_of(now)}
        # A browser's leg that is lost later is found by it, as that of whoever has taken a call.
        leg = third.carrier_sid if third.way is Way.BROWSER else None
        await connection.execute(_TAKE_OVER, {**values, "ends": now + Limits().offer, "leg": leg})
        await connection.execute(_TALK_OF_TAKER, {"id": reservation, "room": standing.room, "seat": third.label})
        await connection.execute(_ON_CALL, {"staff": third.staff, "now": now, "today": day_of(now)})
        await note_call(
            connection,
            EventKind.CONNECTED,
            held.call,
            now,
            staff=third.staff,
            reservation=reservation,
            detail=held.kind.value,
        )
        await wake(connection, Waking(About.STAFF, third.staff))
    await wrap_up(connection, held, standing.staff, now)
    return True


async def sent_on(
    connection: AsyncConnection,
    held: Held,
    standing: Standing,
    colleague: UUID,
    reservation: UUID,
    now: datetime,
    limits: Limits,
) -> bool:
    """The call waits again, before all who came later, and is offered to ``colleague`` first, then to anybody.

    False when that colleague cannot be asked now.
    """
    if held.reservation is None or colleague == standing.staff:
        return False
    if not await _reserved(connection, held.call, colleague, now, limits):
        return False
    await given_away(connection, held, held.reservation, now)
    await to_front(connection, held, now, passed_by=standing.staff)
    values = {"id": reservation, "call": held.call, "staff": colleague, "now": now, "ends": now + limits.offer}
    await connection.execute(_OFFER, values)
    await connection.execute(_RESERVED_ENTRY, {"call": held.call})
    await note_call(connection, EventKind.OFFERED, held.call, now, staff=colleague, reservation=reservation)
    await wake(connection, Waking(About.STAFF, colleague))
    await wrap_up(connection, held, standing.staff, now)
    return True


async def given_away(connection: AsyncConnection, held: Held, reservation: Reservation, now: datetime) -> None:
    """The talk is that operator's no more, although its caller is still there."""
    await end(connection, reservation, ReservationState.OVER, now)
    await note_call(
        connection,
        EventKind.OVER,
        held.call,
        now,
        staff=reservation.staff,
        reservation=reservation.id,
        detail="transferred",
    )


def _party(row: Row[Any]) -> Party:
    return Party(
        row.party,
        row.reservation_id,
        row.owner,
        row.asked,
        None if row.way is None else Way(row.way),
        PartyState(row.party_state),
        row.private,
        row.asked_at,
        row.party_ends,
        row.joined_at,
        row.carrier_sid,
        row.sent,
        row.practitioner_id,
    )


_TALK = text(
    """
    SELECT r.id, r.staff_id, r.call_id, e.practice_id, r.connected_at, coalesce(t.room, r.id) AS room,
        coalesce(t.seat, 'operator') AS seat, coalesce(t.on_hold, false) AS on_hold, r.keypad_at
    FROM reservation r JOIN queue_entry e ON e.call_id = r.call_id LEFT JOIN talk t ON t.reservation_id = r.id
    WHERE r.staff_id = :staff AND r.state = 'connected' AND (cast(:id AS uuid) IS NULL OR r.id = :id)
    """
)
_PARTY_COLUMNS = """
    y.id AS party, y.reservation_id, y.staff_id AS asked, y.state AS party_state, y.private, y.made_at AS asked_at,
    y.ends_at AS party_ends, y.joined_at, y.carrier_sid, y.sent, y.practitioner_id, r.staff_id AS owner, p.way
"""
_PARTY_TABLES = """
    talk_party y JOIN reservation r ON r.id = y.reservation_id LEFT JOIN presence p ON p.staff_id = y.staff_id
"""
_PARTY = text(
    f"""
    SELECT {_PARTY_COLUMNS} FROM {_PARTY_TABLES}
    WHERE y.id = :id AND (cast(:staff AS uuid) IS NULL OR y.staff_id = :staff)
    """  # noqa: S608 - our own words alone
)
_THIRD = text(
    f"""
    SELECT {_PARTY_COLUMNS} FROM {_PARTY_TABLES}
    WHERE y.reservation_id = :reservation AND y.state IN ('ringing', 'there')
    """  # noqa: S608 - our own words alone
)
_ASKED = text(
    f"""
    SELECT {_PARTY_COLUMNS}, e.practice_id FROM {_PARTY_TABLES} JOIN queue_entry e ON e.call_id = r.call_id
    WHERE y.staff_id = :staff AND y.state IN ('ringing', 'there') AND r.state = 'connected'
    """  # noqa: S608 - our own words alone
)
_HELD = text("SELECT on_hold FROM talk WHERE reservation_id = :id")
_HOLD = text(
    """
    INSERT INTO talk (reservation_id, room, seat, on_hold) VALUES (:id, :room, :seat, :on)
    ON CONFLICT (reservation_id) DO UPDATE SET on_hold = excluded.on_hold
    """
)
_TALK_OF_TAKER = text("INSERT INTO talk (reservation_id, room, seat) VALUES (:id, :room, :seat)")
_ASK = text(
    """
    INSERT INTO talk_party (id, reservation_id, staff_id, practitioner_id, state, private, made_at, ends_at)
    VALUES (:id, :reservation, :staff, :practitioner, 'ringing', :private, :now, :ends)
    """
)
_RUNG = text("UPDATE talk_party SET carrier_sid = :sid WHERE id = :id")
_JOIN = text("UPDATE talk_party SET state = 'there', joined_at = :now WHERE id = :id AND state = 'ringing'")
_END = text(
    """
    UPDATE talk_party SET state = :why, ended_at = :now WHERE id = :id AND state IN ('ringing', 'there') RETURNING id
    """
)
_RESERVE = text(
    f"""
    UPDATE presence p SET state = 'reserved', since = :now
    FROM staff_account a, queue_entry e JOIN practice c ON c.id = e.practice_id
    WHERE p.staff_id = :staff AND a.id = p.staff_id AND e.call_id = :call AND p.state = 'available'
        AND {SEEN} AND {SPEAKS} AND p.staff_id IN ({HELP_FOR})
    RETURNING p.staff_id
    """  # noqa: S608 - our own words alone
)
_TAKE_OVER = text(
    """
    INSERT INTO reservation (id, call_id, staff_id, state, made_at, ends_at, accepted_at, connected_at, leg)
    VALUES (:id, :call, :staff, 'connected', :now, :ends, :now, :now, :leg)
    """
)
_OFFER = text(
    """
    INSERT INTO reservation (id, call_id, staff_id, state, made_at, ends_at)
    VALUES (:id, :call, :staff, 'offered', :now, :ends)
    """
)
_RESERVED_ENTRY = text("UPDATE queue_entry SET state = 'reserved', offers = offers + 1 WHERE call_id = :call")
_ON_CALL = text(
    """
    UPDATE presence SET state = 'on_call', since = :now, calls_on = :today,
        calls = CASE WHEN calls_on = :today THEN calls + 1 ELSE 1 END
    WHERE staff_id = :staff
    """
)
