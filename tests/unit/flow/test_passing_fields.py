"""P9: what is known only while a slot is offered or booked is named in the words that are said with it alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from callcenter.flow.load import load_flow
from callcenter.flow.prompts import Prompt
from callcenter.flow.sinks import PASSING_FIELDS
from tests.unit.flow.doubles import NOW, Appointment, Call, Patient
from tests.unit.flow.script_doubles import BOOK, ROOT, Script
from tests.unit.flow.test_engine_accueil import ACCUEIL, PUBLIC
from tests.unit.flow.test_engine_booking import BORN, LEFEVRE, MOREAU, REFERENCE, SLOT, SLOTS

OPERATEUR = ROOT / "flows/operateur.yaml"
_PASSING = frozenset[str]().union(*PASSING_FIELDS.values())
Given = defaultdict[str, set[str]]


@dataclass(frozen=True, slots=True)
class Listening:
    """A prompt that notes which passing fields it is handed."""

    prompt: Prompt
    given: Given

    @property
    def language(self) -> str:
        return self.prompt.language

    @property
    def fields(self) -> frozenset[str]:
        return self.prompt.fields

    def render(self, values: Mapping[str, object], /) -> str:
        self.given[self.prompt.key] |= values.keys() & _PASSING
        return self.prompt.render(values)


@dataclass(slots=True)
class ListeningBook:
    given: Given = field(default_factory=lambda: defaultdict(set))

    def said(self, key: str, language: str, /) -> Listening:
        return Listening(BOOK.said(key, language), self.given)


async def by_telephone(book: ListeningBook, *answers: str) -> Call:
    known = {REFERENCE: (SLOT, BORN, SLOTS[0])}
    public = {**PUBLIC, "caller.number_withheld": False}
    call = Call(ACCUEIL, public=public, book=book, practitioners=(MOREAU, LEFEVRE), free=SLOTS, references_known=known)
    await call.ring()
    await call.press("1", *answers)
    return call


async def at_a_screen(book: ListeningBook) -> Script:
    free = [NOW + timedelta(days=5, hours=hour) for hour in range(12)]
    visits = (Appointment(SLOT, NOW + timedelta(days=3)),)
    patient = Patient(BORN, frozenset({"+33639980001"}), "+33639980001", visits)
    script = Script(load_flow(OPERATEUR, BOOK), [patient], practitioners=(LEFEVRE,), free=free, book=book)
    await script.begin()
    return script


async def test_p9_the_engine_hands_each_prompt_of_a_slot_what_it_may_name_and_no_other_any_of_it() -> None:
    book = ListeningBook()
    booked = await by_telephone(book, "2", "1", "1", "2", "1", "01021985", "1#")
    assert booked.booking.booked
    moved = await by_telephone(book, "3", REFERENCE, "2", "2", "1")
    assert moved.references.moved
    script = await at_a_screen(book)
    await script.pick("2", "2", "3")
    await script.fill(booking_birth_date="05/03/1948", booking_number="06 39 98 00 02")
    assert script.booking.booked
    script = await at_a_screen(book)
    await script.pick("6")
    await script.claim(f"{BORN:%d/%m/%Y}")
    await script.caller_types()
    await script.pick("then", "2", "1")
    assert script.record.moved
    assert {key: frozenset(given) for key, given in book.given.items() if given} == PASSING_FIELDS
    assert len(book.given) > 30  # among all that was said


def test_p9_the_shipped_words_name_all_that_is_known_there() -> None:
    """Else a field would be allowed where nobody tries whether it has a value."""
    for key, known in PASSING_FIELDS.items():
        assert BOOK[key].fields & _PASSING == known
