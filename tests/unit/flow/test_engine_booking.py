"""The steps ``book``, ``move``, ``reference`` and ``card``: what is asked, in which order, and where each ends."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from callcenter.flow.ports import BookablePractitioner, CallbackRequest
from tests.unit.flow.doubles import Call, Words
from tests.unit.flow.test_engine_accueil import ACCUEIL, BOOK, PUBLIC

MOREAU = BookablePractitioner(UUID(int=11), "Dr Claire Moreau", new_patients=False)
LEFEVRE = BookablePractitioner(UUID(int=12), "Dr Antoine Lefèvre", new_patients=True)
SLOTS = [datetime(2026, 11, 27, hour, tzinfo=UTC) for hour in (9, 10, 11, 14)]
SLOT = UUID(int=21)
REFERENCE, BORN = "48271936", date(1985, 2, 1)


def call(*practitioners: BookablePractitioner, number: str | None = "+33639980071") -> Call:
    known = {REFERENCE: (SLOT, BORN, SLOTS[0])}
    public = {**PUBLIC, "caller.number_withheld": number is None}
    return Call(
        ACCUEIL,
        number=number,
        public=public,
        book=BOOK,
        practitioners=practitioners,
        free=SLOTS,
        references_known=known,
    )


async def ringing(*answers: str, to: tuple[BookablePractitioner, ...] = (MOREAU, LEFEVRE), **how: str | None) -> Call:
    on = call(*to, **how)
    await on.ring()
    await on.press("1", *answers)
    return on


def said(on: Call) -> str:
    return " ".join(words for words in on.words())


async def test_a_booking_asks_with_whom_when_for_whom_and_at_which_number() -> None:
    on = await ringing("2", "2", "2", "1", "01021985", "1#")
    assert on.booking.booked == [(SLOTS[1], BORN, "+33639980071")]
    assert said(on).count("4 8 2 7, 1 9 3 6") == 2
    assert on.visited[-1] == ("book", "booked")
    assert on.state.typed == {}


async def test_where_one_practitioner_alone_takes_bookings_nobody_is_asked_with_whom() -> None:
    on = await ringing("2", to=(LEFEVRE,))
    assert on.heard() == ["booking.offer", "booking.offer_keys"]


async def test_only_a_practitioner_without_new_patients_asks_whether_one_has_been_there() -> None:
    assert (await ringing("2", "1")).heard() == ["booking.seen_before"]
    assert (await ringing("2", "1", "1")).heard() == ["booking.offer", "booking.offer_keys"]
    refused = await ringing("2", "1", "2")
    assert ("book", "refused") in refused.visited
    assert refused.booking.booked == []


@pytest.mark.parametrize(
    ("answers", "outlet"),
    [
        (("2", "0"), "abandoned"),
        (("2", "", "", ""), "abandoned"),
        (("2", "7", "8", "9"), "abandoned"),
        (("2", "2", "0"), "abandoned"),
        (("2", "2", "", "", ""), "abandoned"),
        (("2", "2", "2", "2", "2"), "none"),
        (("2", "2", "1", "#"), "abandoned"),
        (("2", "2", "1", "01021985", "#"), "abandoned"),
        (("2", "2", "1", "01021985", "", "", ""), "abandoned"),
    ],
)
async def test_p7_whoever_does_not_book_reaches_a_person_and_holds_nothing(
    answers: tuple[str, ...], outlet: str
) -> None:
    on = await ringing(*answers)
    assert ("book", outlet) in on.visited
    assert on.booking.held is None
    assert on.booking.booked == []
    await on.press("1#")
    assert on.messages.inbox == [CallbackRequest("appointment", "+33639980071")]


async def test_an_agenda_without_slots_of_ours_leads_to_a_request() -> None:
    on = await ringing("2", to=())
    assert ("book", "none") in on.visited
    assert "callback.number_or_this" in on.heard()


async def test_an_offer_is_repeated_as_it_was() -> None:
    on = await ringing("2", "2", "*")
    first, again = on.replies[-2].then, on.replies[-1].then
    assert [line.text for line in again.lines] == [line.text for line in first.lines]  # type: ignore[union-attr]
    assert on.booking.asked == ["offer"]


async def test_a_slot_that_somebody_took_meanwhile_is_not_booked() -> None:
    on = await ringing("2", "2", "1", "01021985")
    on.booking.free.clear()
    await on.press("1#")
    assert ("book", "none") in on.visited


async def test_who_withholds_their_number_types_one() -> None:
    on = await ringing("2", "2", "1", "01021985", number=None)
    assert on.heard() == ["booking.number"]
    await on.press("0639980072")
    assert on.booking.booked == [(SLOTS[0], BORN, "+33639980072")]


# --- by reference


async def test_ob_13_a_reference_cancels_after_one_more_yes_and_says_nothing_of_the_slot() -> None:
    on = await ringing("3", REFERENCE, "1")
    assert on.references.cancelled == []
    await on.press("1")
    assert on.references.cancelled == [SLOT]
    assert on.references.ledger == []
    assert "slot" not in on.state.bound


async def test_a_reference_moves_to_a_slot_that_is_offered() -> None:
    on = await ringing("3", REFERENCE, "2", "2", "1", to=(LEFEVRE,))
    assert on.references.moved == [SLOT]
    assert ("slot_move", "moved") in on.visited


async def test_what_was_cancelled_elsewhere_meanwhile_is_not_cancelled_again() -> None:
    on = await ringing("3", REFERENCE, "1")
    on.references.cancelled.append(SLOT)
    await on.press("1")
    assert ("slot_cancel", "failed") in on.visited


async def test_wrong_references_are_asked_for_again_twice_and_then_a_person_comes() -> None:
    on = await ringing("3", "00000001")
    assert on.heard() == ["reference.again"]
    await on.press("00000002", "00000003")
    assert ("by_reference", "refused") in on.visited
    assert on.references.tried == ["00000001", "00000002", "00000003"]


async def test_what_is_no_reference_is_no_try() -> None:
    on = await ringing("3", "1234#", "12#")
    assert on.references.tried == []
    assert on.heard() == ["reference.again"]


async def test_a_card_is_heard_with_the_birth_date_and_after_a_warning() -> None:
    on = await ringing("3", REFERENCE, "3", "01021985")
    assert on.references.ledger == []
    await on.press("1")
    assert on.references.ledger == [("tell", "slot_summary")]
    told = [words for reply in on.replies for words in reply.before if isinstance(words, Words)]
    assert [words.prompt for words in told] == ["slot_summary"]


async def test_a_wrong_birth_date_is_asked_for_again_and_then_a_person_comes() -> None:
    on = await ringing("3", REFERENCE, "3", "02021985")
    assert on.heard() == ["card.again"]
    await on.press("03021985", "04021985")
    assert ("slot_card", "refused") in on.visited


async def test_a_card_is_shown_once() -> None:
    on = await ringing("3", REFERENCE, "3", "01021985", "1", "3")
    assert on.heard() == ["slot_privacy"]


async def test_what_the_gate_withholds_leads_to_a_person_without_a_word() -> None:
    on = await ringing("3", REFERENCE, "3", "01021985")
    on.references.withheld = True
    reply = await on.press("1")
    assert on.heard(reply)[0] == "person_open"
