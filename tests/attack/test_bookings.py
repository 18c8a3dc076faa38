"""Guessing references and cards, booking what is not for one, and looking for a patient through either."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from callcenter.calls import references as call_references
from callcenter.calls.references import CallReferences
from callcenter.disclosure.gate import Gate
from callcenter.identity.evidence import CardEvidence
from callcenter.identity.references import ReferenceLimits, ReferenceTries, Try
from callcenter.kernel.randomness import SystemRandom
from callcenter.practice import free_slots, slot_references
from callcenter.practice.bookings import Bookings
from callcenter.practice.directory import Directory
from callcenter.practice.facts import PracticeFacts
from callcenter.practice.free_slots import OfferedTo
from callcenter.practice.slot_references import ReferencedSlots
from callcenter.store.database import Transaction
from callcenter.store.sealed import Sealer
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained
from tests.attack.ground import Ground
from tests.attack.scene import (
    A_STRANGER,
    CARD,
    FIRST_VISIT,
    JEANNES_BIRTHDAY,
    JEANNES_MOBILE,
    PORT,
    START,
    TILLEULS,
    House,
    Line,
)
from tests.locks import over_or_waiting

ANOTHERS_REFERENCE = "59382047"
CANCEL_QUESTION = "Pour confirmer l'annulation"
SLOT_MENU = "Pour annuler avec cette référence"
HER_DAY = "mardi 1er décembre, 14 heures 30"


async def give_card(ground: Ground, reference: str = CARD, appointment: UUID = FIRST_VISIT) -> None:
    """A printed card for an appointment."""
    index = slot_references.reference_index(ground.sealer, TILLEULS, reference)
    await ground.change(
        "UPDATE appointment SET reference_index = :index WHERE id = :appointment", index=index, appointment=appointment
    )


async def to_reference(line: Line) -> Line:
    """Up to the question for the reference."""
    await line.dial()
    await line.press("1", "3")
    return line


# --- guessing references


def _tries_are_not_bounded(sabotage: Sabotage) -> None:
    more = dict.fromkeys(("per_call", "per_caller", "withheld", "per_reference", "per_practice", "everywhere"), 10**9)
    monkey = ReferenceLimits(**more)
    count = ReferenceTries.count

    async def unbounded(self: ReferenceTries, *what: Any) -> Try:
        self._limits = monkey
        return await count(self, *what)

    sabotage.replace(ReferenceTries, "count", unbounded)


TRIES = Defence("tries at references are counted", "OB-13: three a call, ten a number and day", _tries_are_not_bounded)


@attack(stopped_by=TRIES)
async def test_somebody_who_has_guessed_all_day_guesses_right_at_last(house: House) -> Outcome:
    """From one number, ten wrong ones and then the right one, three a call."""
    await give_card(house.ground)
    guesses = [f"{n:08d}" for n in range(1, 12)] + [CARD]
    found = False
    for at in range(0, len(guesses), 2):
        line = await to_reference(house.line(A_STRANGER))
        for guess in guesses[at : at + 2]:
            if line.question is not None and not found:
                await line.press(guess)
                found = SLOT_MENU in line.all_heard
        await line.hang_up()
    return gained(found)


def _per_number_only(sabotage: Sabotage) -> None:
    limits = ReferenceLimits(per_practice=10**9)
    count = ReferenceTries.count

    async def unbounded(self: ReferenceTries, *what: Any) -> Try:
        self._limits = limits
        return await count(self, *what)

    sabotage.replace(ReferenceTries, "count", unbounded)


PER_PRACTICE = Defence("a practice's references are bounded too", "OB-13: numbers are easily forged", _per_number_only)


@attack(stopped_by=PER_PRACTICE)
async def test_somebody_with_a_number_for_each_guess_guesses_right_at_last(house: House) -> Outcome:
    await give_card(house.ground)
    await house.ground.change(
        "INSERT INTO reference_try (practice_id, call_id, document, keyed, kind, target, caller_index, at) "
        "SELECT :practice, gen_random_uuid(), 3, sha256(n::text::bytea), 'reference', sha256(n::text::bytea), "
        "sha256(n::text::bytea), :at FROM generate_series(1, 100) AS n",
        practice=TILLEULS,
        at=house.clock.now(),
    )
    line = await to_reference(house.line("+33639980077"))
    await line.press(CARD)
    return gained(SLOT_MENU in line.all_heard)


def _counted_in_the_step(sabotage: Sabotage) -> None:
    """A counter that cannot be written lets everything through."""
    counted = CallReferences._count

    async def open_handed(self: CallReferences, *what: Any) -> Try | None:
        now = self._desk.now
        return await counted(self, *what) or Try(self._desk.call, self._desk.document, bytes(32), now, None, last=False)

    sabotage.replace(CallReferences, "_count", open_handed)


FAILS_CLOSED = Defence("what cannot be counted is not right", "counters fail closed", _counted_in_the_step)


@attack(stopped_by=FAILS_CLOSED)
async def test_the_counter_is_broken_and_the_guessing_goes_on(house: House) -> Outcome:
    await give_card(house.ground)
    await house.ground.change("REVOKE INSERT ON reference_try FROM callcenter_app")
    line = await to_reference(house.line(A_STRANGER))
    await line.press(CARD)
    return gained(SLOT_MENU in line.all_heard)


def _rows_are_everybodys(sabotage: Sabotage) -> None:
    for table in ("appointment", "booking_request", "practitioner"):
        sabotage.sql(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


def _one_key_for_all_practices(sabotage: Sabotage) -> None:
    def anywhere(sealer: Sealer, _: UUID, reference: str) -> bytes:
        return sealer.blind_index(UUID(int=0), "booking.reference", reference)

    sabotage.replace(slot_references, "reference_index", anywhere)


ROW_SECURITY = Defence("row-level security", "P5: no row crosses a practice", _rows_are_everybodys)
KEY_OF_THE_PRACTICE = Defence("references are hashed by practice", "P5", _one_key_for_all_practices)


@attack(stopped_by=(ROW_SECURITY, KEY_OF_THE_PRACTICE))
async def test_p5_a_reference_is_typed_at_another_practice(ground: Ground) -> Outcome:
    await give_card(ground)
    async with ground.app.practice(PORT) as tx:
        return gained(await ReferencedSlots(ground.sealer).by_reference(tx, CARD, START))


# --- cards


def _any_birth_date(sabotage: Sabotage) -> None:
    sabotage.replace(call_references, "matches", lambda *_: True)


BIRTH_DATE = Defence("the birth date goes with the card", "D02, D03, D06: the slot of a card", _any_birth_date)


@attack(stopped_by=BIRTH_DATE)
async def test_p2_a_card_that_was_found_in_the_street_tells_when_she_comes(house: House) -> Outcome:
    await give_card(house.ground)
    line = await to_reference(house.line(A_STRANGER))
    await line.press(CARD, "3", "15031962")
    if line.question is not None:
        await line.press("1")
    return gained(HER_DAY in line.all_heard)


def _birth_dates_are_not_bounded(sabotage: Sabotage) -> None:
    limits = ReferenceLimits(per_reference=10**9)
    count = ReferenceTries.count

    async def unbounded(self: ReferenceTries, *what: Any) -> Try:
        self._limits = limits
        return await count(self, *what)

    sabotage.replace(ReferenceTries, "count", unbounded)


PER_CARD = Defence("five birth dates a card and day", "a birth date is one of 36,000", _birth_dates_are_not_bounded)


@attack(stopped_by=PER_CARD)
async def test_p2_a_found_card_is_tried_with_one_birth_date_after_the_other(house: House) -> Outcome:
    """From a new number each time."""
    await give_card(house.ground)
    guesses = [f"{day:02d}031962" for day in range(1, 7)]
    for at in range(0, len(guesses), 2):
        line = await to_reference(house.line(f"+3363998006{at}"))
        await line.press(CARD, "3", *guesses[at : at + 2])
        await line.hang_up()
    line = await to_reference(house.line("+33639980069"))
    await line.press(CARD, "3", JEANNES_BIRTHDAY)
    if line.question is not None:
        await line.press("1")
    return gained(HER_DAY in line.all_heard)


def _a_card_is_any_slots(sabotage: Sabotage) -> None:
    standing = call_references.card_standing

    def anywhere(evidence: CardEvidence | None, *, slot: UUID, **what: Any) -> Any:
        moved = None if evidence is None else replace(evidence, slot=slot)
        return standing(moved, slot=slot, **what)

    sabotage.replace(call_references, "card_standing", anywhere)


ONE_SLOT = Defence("a card opens its own slot alone", "V2 by appointment card for that slot", _a_card_is_any_slots)


@attack(stopped_by=ONE_SLOT)
async def test_p2_a_card_of_ones_own_opens_somebody_elses_slot(house: House) -> Outcome:
    """Two references in one call, and only the birth date of the first."""
    await give_card(house.ground)
    (karims,) = await house.ground.rows("SELECT id FROM appointment WHERE external_id = 'paul-garnier/1'")
    await give_card(house.ground, ANOTHERS_REFERENCE, karims.id)
    line = await to_reference(house.line(A_STRANGER))
    await line.press(ANOTHERS_REFERENCE, "3", "12061957", "1")
    assert "vendredi" in line.all_heard
    await line.press("1", "1", "1")  # it is cancelled: after that, the menu
    await line.press("1", "3", CARD, "3")
    if line.question is not None:
        await line.press("1")
    return gained(HER_DAY in line.all_heard)


def _told_without_the_gate(sabotage: Sabotage) -> None:
    sabotage.replace(Gate, "_refusal", lambda *_: None)


GATE = Defence(
    "the gate decides for cards too", "D05: a sensitive practitioner's appointment is not told", _told_without_the_gate
)


@attack(stopped_by=GATE)
async def test_a_card_of_a_sensitive_practitioner_is_read_aloud(house: House) -> Outcome:
    (karims,) = await house.ground.rows("SELECT id FROM appointment WHERE external_id = 'karim-haddad/1'")
    await give_card(house.ground, ANOTHERS_REFERENCE, karims.id)
    line = await to_reference(house.line(A_STRANGER))
    await line.press(ANOTHERS_REFERENCE, "3", "21071990", "1")
    return gained("16 heures" in line.all_heard)


# --- booking what is not for one


async def _facts(ground: Ground) -> PracticeFacts:
    async with ground.app.house() as connection:
        return await Directory.facts(connection, TILLEULS, START)


async def book(line: Line, number: str = "1#", born: str = "01021985") -> bool:
    """Book the first free slot of Dr Lefèvre; whether that is done."""
    await line.dial()
    await line.press("1", "2", "2")
    if "Réserver : 1" not in " ".join(line.heard[-2:]):
        return False
    await line.press("1", born, number)
    return "C'est réservé" in line.all_heard


def _as_many_as_one_likes(sabotage: Sabotage) -> None:
    sabotage.replace(free_slots, "_holds_enough", lambda *_: False)
    sabotage.replace(free_slots, "_has_booked_enough", lambda *_: False)


ENOUGH = Defence("two bookings a number", "the agenda is for everybody", _as_many_as_one_likes)


@attack(stopped_by=ENOUGH)
async def test_one_number_books_a_third_slot(house: House) -> Outcome:
    booked = [await book(house.line(A_STRANGER)) for _ in range(3)]
    assert booked[:2] == [True, True]
    return gained(booked[2])


@attack(stopped_by=ENOUGH)
async def test_callers_who_withhold_their_number_book_for_one_number(house: House) -> Outcome:
    booked = [await book(house.line("anonymous"), "0639980050") for _ in range(3)]
    assert booked[:2] == [True, True]
    return gained(booked[2])


@attack(stopped_by=ENOUGH)
async def test_callers_who_withhold_their_number_hold_every_slot(house: House) -> Outcome:
    """Each call holds one, and none is booked."""
    for _ in range(6):
        line = await house.line("anonymous").dial()
        await line.press("1", "2", "2")
    (held,) = await house.ground.rows("SELECT count(*) FROM slot_hold")
    return gained(held[0] > free_slots.WITHHELD_HOLDS)


def _holds_last_for_ever(sabotage: Sabotage) -> None:
    sabotage.replace(free_slots, "HOLD", timedelta(days=365))


HOLDS_END = Defence("a hold ends after five minutes", "nobody keeps a slot by hanging up", _holds_last_for_ever)


@attack(stopped_by=HOLDS_END)
async def test_a_slot_is_kept_by_hanging_up(house: House) -> Outcome:
    line = await house.line(A_STRANGER).dial()
    await line.press("1", "2", "2")
    first = line.heard[-2]
    await line.hang_up()
    house.clock.advance(301)
    another = await house.line(JEANNES_MOBILE).dial()
    await another.press("1", "2", "2")
    return gained(another.heard[-2] != first)


def _no_lock(sabotage: Sabotage) -> None:
    async def unlocked(*_: object) -> None:
        """Nobody waits for anybody."""

    sabotage.replace(free_slots, "_lock", unlocked)


def _slots_may_be_shared(sabotage: Sabotage) -> None:
    for table in ("booking_request", "slot_hold"):
        sabotage.sql(f"ALTER TABLE {table} DROP CONSTRAINT ex_{table}_overlap")
    sabotage.sql("DROP INDEX uq_booking_request_slot")
    sabotage.sql("ALTER TABLE slot_hold DROP CONSTRAINT uq_slot_hold_practice_id_practitioner_id_starts_at")


ONE_AT_A_TIME = Defence("one caller at a time", "no slot is booked twice", _no_lock)
ONE_BOOKING = Defence("one booking a slot in the schema", "no slot is booked twice", _slots_may_be_shared)


def _holds_are_not_seen(sabotage: Sabotage) -> None:
    sabotage.rewrite(free_slots, "_TAKEN", "call_id <> :call AND held_until > :now", "false")


HELD_IS_TAKEN = Defence("what another call holds is taken", "no slot is booked twice", _holds_are_not_seen)


@attack(stopped_by=(ONE_AT_A_TIME, ONE_BOOKING, HELD_IS_TAKEN))
async def test_two_callers_book_the_same_slot_at_the_same_moment(house: House) -> Outcome:
    """Both are offered at once, on connections of their own; then both book."""
    ground, facts = house.ground, await _facts(house.ground)
    numbers = (A_STRANGER, "+33639980043")
    callers = [OfferedTo(await (await house.line(number).dial()).id(), number) for number in numbers]
    first, second = callers
    async with ground.app.practice(TILLEULS) as tx:
        await _offer(ground, tx, facts, first)
        other = asyncio.create_task(_offer_alone(ground, facts, second))
        await over_or_waiting(other, ground.app)
    await other
    async with ground.app.practice(TILLEULS) as tx:
        await _book(ground, tx, facts, first)
        other = asyncio.create_task(_book_alone(ground, facts, second))
        await over_or_waiting(other, ground.app)
    await other
    twice = await ground.rows(
        "SELECT starts_at FROM booking_request GROUP BY practitioner_id, starts_at HAVING count(*) > 1"
    )
    return gained(twice)


async def _offer(ground: Ground, tx: Transaction, facts: PracticeFacts, to: OfferedTo) -> None:
    desk = Bookings(ground.sealer, SystemRandom())
    assert await desk.free.offer(tx, facts, to, (await desk.free.practitioners(tx, facts))[0], START) is not None


async def _offer_alone(ground: Ground, facts: PracticeFacts, to: OfferedTo) -> None:
    with suppress(IntegrityError):
        async with ground.app.practice(TILLEULS) as tx:
            await _offer(ground, tx, facts, to)


async def _book_alone(ground: Ground, facts: PracticeFacts, to: OfferedTo) -> None:
    with suppress(IntegrityError):
        async with ground.app.practice(TILLEULS) as tx:
            await _book(ground, tx, facts, to)


async def _book(ground: Ground, tx: Transaction, facts: PracticeFacts, to: OfferedTo) -> None:
    await Bookings(ground.sealer, SystemRandom()).book(tx, facts, to, date(1985, 2, 1), to.caller or "", START)
