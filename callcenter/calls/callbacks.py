"""Callbacks: who may ask to be rung back in the place that they have, and each attempt, kept before anybody is rung.

Whether 1 is offered goes by the practice's settings, the hour and the number that is shown, and by no file: whoever
forges a number hears nothing about it. For the same reason a number for which one is under way already, or was asked
for too often, hears the same words: it is rung no oftener, and the practice is told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.calls.documents import token_hash
from callcenter.calls.outreach import WINDOW, line_hash, number_to_show
from callcenter.calls.ring_back import FROM, UNTIL
from callcenter.kernel.randomness import Random, new_token
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.numbers import may_be_rung
from callcenter.routing.callbacks import RungBack
from callcenter.routing.queue import Queue
from callcenter.routing.reservations import NOTE_UNREACHED
from callcenter.routing.values import LeftReason
from callcenter.store.database import SET_PRACTICE, Transaction
from callcenter.store.jobs import defer
from callcenter.store.sealed import Place, Sealer

#: Callbacks that one number is rung for in a day, at one practice: whoever forges it has no more.
MOST_OF_A_LINE = 3
#: For which an answer to a call that we have placed counts.
ANSWERED_WITHIN = timedelta(minutes=5)
#: Days that are looked at for an hour at which somebody may be rung.
_DAYS = 14


@dataclass(frozen=True, slots=True)
class Due:
    """Somebody who is to be rung.

    Arguments:
        number: E.164.
        shown: our number.
        token: with which the carrier comes back when they answer.
    """

    number: str = field(repr=False)
    shown: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """Somebody has answered whom we rang.

    Arguments:
        callback: the call in which they asked for it.
        number: E.164; ``None`` when it is forgotten already.
        language: in which they were spoken to (ISO 639-1).
    """

    callback: UUID
    number: str | None = field(repr=False)
    language: str


def may_ask(facts: PracticeFacts, caller: str | None, *, relayed: bool, now: datetime) -> bool:
    """Whether whoever waits may ask to be rung back.

    Arguments:
        caller: E.164, ``None`` when it is withheld.
        relayed: they speak through a relay service, whose number would be rung in vain.
    """
    return (
        facts.waiting.callbacks
        and caller is not None
        and not relayed
        and may_be_rung(caller)
        and caller not in facts.own_lines
        and number_to_show(facts) is not None
        and rests_until(facts, now) is None
    )


def rests_until(facts: PracticeFacts, now: datetime) -> datetime | None:
    """Until when nobody is rung back for the practice, ``None`` if somebody may be now (aware): while it is answered,
    and from 8 to 20 o'clock (OU-04)."""
    if facts.is_open(now) and FROM <= now.astimezone(facts.timezone).time() < UNTIL:
        return None
    moment = now
    for _ in range(_DAYS):
        local = moment.astimezone(facts.timezone)
        eight = local.replace(hour=FROM.hour, minute=0, second=0, microsecond=0)
        ahead = eight if eight > local else eight + timedelta(days=1)
        opens = facts.next_opening(moment)
        begins = ahead if opens is None else min(ahead, opens)
        if facts.is_open(begins) and FROM <= begins.astimezone(facts.timezone).time() < UNTIL:
            return begins
        moment = begins
    return now + timedelta(days=1)


async def ask(tx: Transaction, sealer: Sealer, queue: Queue, call: UUID, number: str, now: datetime) -> bool:
    """Let whoever waits in ``call`` hang up and be rung at ``number`` (E.164). False when somebody has taken it."""
    line = line_hash(sealer, tx.practice, number)
    await tx.connection.execute(_LOCK, {"whom": f"callback|{line.hex()}"})
    lately = (await tx.connection.execute(_LATELY, {"line": line, "call": call, "since": now - WINDOW})).one()
    if not await queue.ask_callback(tx.connection, call, now):
        return False
    kept = None if lately.under_way else sealer.seal_text(number, _place(tx.practice, call))
    values = {"call": call, "practice": tx.practice, "number": kept, "line": line, "now": now}
    await tx.connection.execute(_KEEP, values)
    if lately.under_way or lately.asked >= MOST_OF_A_LINE:
        await queue.leave(tx.connection, call, LeftReason.CANCELLED, now)
        if not lately.under_way:
            await defer(tx.connection, NOTE_UNREACHED, practice=tx.practice, call=call)
    return True


async def begin_ring(
    tx: Transaction,
    sealer: Sealer,
    random: Random,
    facts: PracticeFacts,
    call: UUID,
    reservation: UUID,
    operator_leg: str,
    now: datetime,
) -> Due | None:
    """Write down that the caller of ``call`` is rung now for ``reservation``, whose operator waits on ``operator_leg``
    (the carrier's identifier). ``None`` when there is nobody to ring."""
    number = await _number(tx, sealer, call)
    shown = number_to_show(facts)
    if number is None or shown is None:
        return None
    token = new_token(random)
    values = {
        "reservation": reservation,
        "practice": tx.practice,
        "call": call,
        "leg": operator_leg,
        "token_hash": token_hash(token),
        "now": now,
    }
    begun = (await tx.connection.execute(_BEGIN, values)).one_or_none()
    return None if begun is None else Due(number, shown, token)


async def operator_sits_at(connection: AsyncConnection, practice: UUID, reservation: UUID, leg: str) -> None:
    """The operator for whom somebody is rung waits on another leg by now: it is the one that is told if nobody comes.
    ``connection`` is in the scope of ``practice`` afterwards."""
    await connection.execute(SET_PRACTICE, {"practice": str(practice)})
    await connection.execute(_SITS_AT, {"reservation": reservation, "leg": leg})


async def take_rung(tx: Transaction, sealer: Sealer, call: UUID, token: str, now: datetime) -> Answered | None:
    """Whom ``token`` was to reach, in ``call``; ``None`` when it is none, or has served another call."""
    values = {"token_hash": token_hash(token), "call": call, "since": now - ANSWERED_WITHIN}
    row = (await tx.connection.execute(_TAKE, values)).one_or_none()
    if row is None:
        return None
    return Answered(row.call_id, await _number(tx, sealer, row.call_id), row.language)


async def rung_back_as(tx: Transaction, call: UUID, overflow_at: datetime) -> RungBack | None:
    """What ``call`` rings somebody back for, who leaves at ``overflow_at`` if nobody is there; or ``None``."""
    row = (await tx.connection.execute(_RUNG_AS, {"call": call})).one_or_none()
    return None if row is None else RungBack(row.call_id, row.reservation_id, overflow_at)


async def leg_to_tell(tx: Transaction, reservation: UUID, now: datetime) -> str | None:
    """The operator's leg on which nobody has come, to be told so; once."""
    return (await tx.connection.execute(_TELL, {"reservation": reservation, "now": now})).scalar_one_or_none()


async def number_of(tx: Transaction, sealer: Sealer, call: UUID) -> str | None:
    """The number (E.164) of the callback of ``call``, which is forgotten with that; ``None`` when it is already."""
    number = await _number(tx, sealer, call)
    await tx.connection.execute(_FORGET, {"call": call})
    return number


async def _number(tx: Transaction, sealer: Sealer, call: UUID) -> str | None:
    sealed = (await tx.connection.execute(_NUMBER, {"call": call})).scalar_one_or_none()
    return None if sealed is None else sealer.open_text(sealed, _place(tx.practice, call))


def _place(practice: UUID, call: UUID) -> Place:
    return Place(practice, "callback", "number", call)


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:whom, 0))")
_LATELY = text(
    """
    SELECT count(*) AS asked, coalesce(bool_or(e.kind = 'callback' AND e.state <> 'left'), false) AS under_way
    FROM callback b LEFT JOIN queue_entry e ON e.call_id = b.call_id
    WHERE b.line = :line AND b.call_id <> :call AND (b.asked_at > :since OR e.state <> 'left')
    """
)
_KEEP = text(
    """
    INSERT INTO callback (call_id, practice_id, number, line, asked_at)
    VALUES (:call, :practice, :number, :line, :now) ON CONFLICT (call_id) DO UPDATE SET number = excluded.number
    """
)
_NUMBER = text("SELECT number FROM callback WHERE call_id = :call FOR UPDATE")
_FORGET = text("UPDATE callback SET number = NULL WHERE call_id = :call")
_BEGIN = text(
    """
    INSERT INTO callback_ring (reservation_id, practice_id, call_id, operator_leg, token_hash, rung_at)
    VALUES (:reservation, :practice, :call, :leg, :token_hash, :now)
    ON CONFLICT (reservation_id) DO NOTHING RETURNING reservation_id
    """
)
_TAKE = text(
    """
    UPDATE callback_ring r SET reached_call_id = :call FROM queue_entry e
    WHERE r.token_hash = :token_hash AND r.reached_call_id IS NULL AND r.rung_at > :since AND e.call_id = r.call_id
    RETURNING r.call_id, e.language
    """
)
_RUNG_AS = text("SELECT call_id, reservation_id FROM callback_ring WHERE reached_call_id = :call")
_SITS_AT = text("UPDATE callback_ring SET operator_leg = :leg WHERE reservation_id = :reservation AND told_at IS NULL")
_TELL = text(
    """
    UPDATE callback_ring SET told_at = :now WHERE reservation_id = :reservation AND told_at IS NULL
        AND NOT EXISTS (SELECT FROM reservation r WHERE r.id = reservation_id AND r.connected_at IS NOT NULL)
    RETURNING operator_leg
    """
)
