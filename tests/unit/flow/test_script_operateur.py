"""The shipped script, from the first screen to the last: what an operator meets, and how many keys it takes."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from callcenter.flow.language import Act, Flow, MessageKind
from callcenter.flow.load import load_flow
from callcenter.flow.ports import Addressee, BookablePractitioner
from callcenter.flow.screens import LEAVE, FieldKind, Filled
from callcenter.flow.script_forms import NotOffered
from callcenter.flow.script_language import Disposition, Shown, Urgency
from callcenter.flow.state import Manner
from callcenter.kernel.labels import Category
from callcenter.kernel.levels import Level
from callcenter.speech.written import written_slot
from tests.unit.flow.doubles import NOW, Appointment, Patient
from tests.unit.flow.script_doubles import BOOK, EXTERNAL, PUBLIC, ROOT, Script

FIRST, SECOND = UUID(int=1), UUID(int=2)
VISITS = (Appointment(FIRST, NOW + timedelta(days=3)), Appointment(SECOND, NOW + timedelta(days=40)))
JEANNE = Patient(date(1962, 3, 14), frozenset({"+33639980001"}), "+33639980001", VISITS)
MOREAU = BookablePractitioner(UUID(int=7), "Dr Claire Moreau", new_patients=True)
PETIT = BookablePractitioner(UUID(int=8), "Dr Paul Petit", new_patients=False)
FREE = tuple(NOW + timedelta(days=5, hours=hour) for hour in range(12))
#: Besides the text of the message.
KEYS_OF_A_MESSAGE = 6


@pytest.fixture(scope="module")
def operateur() -> Flow:
    return load_flow(ROOT / "flows/operateur.yaml", BOOK)


@pytest.fixture
async def script(operateur: Flow) -> Script:
    script = Script(operateur, [JEANNE], practitioners=[MOREAU], free=FREE)
    await script.begin()
    return script


async def close(script: Script, disposition: Disposition | None = None, note: str = "") -> None:
    values = {} if disposition is None else {"disposition": disposition.value}
    await script.fill(note=note, **values)
    assert script.finished


# --- the beginning and the end


async def test_the_instructions_stand_above_the_first_choice(script: Script) -> None:
    assert script.shown() == ["script.instructions", "practice.instructions", "operator.reason"]
    assert script.screen.lines[1].text == PUBLIC["practice.instructions"]  # with its lines
    assert [option.key for option in script.choice.options] == ["1", "2", "3", "4", "5", "6", "7", "0"]


async def test_instructions_that_changed_are_acknowledged_first(operateur: Flow) -> None:
    script = Script(operateur, public={**PUBLIC, "script.instructions_changed": True})
    await script.begin()
    assert script.shown() == ["script.instructions_new", "practice.instructions"]
    assert script.notes.acknowledged == []
    await script.pick("then")
    assert script.notes.acknowledged == [Shown.INSTRUCTIONS]
    assert script.shown() == ["operator.reason"]


@pytest.mark.parametrize("changed", [True, False])
async def test_without_instructions_there_is_nothing_to_acknowledge(operateur: Flow, changed: bool) -> None:
    script = Script(operateur, public={**PUBLIC, "practice.instructions": " ", "script.instructions_changed": changed})
    await script.begin()
    assert script.shown() == ["operator.reason"]


async def test_a_call_is_closed_with_what_became_of_it_or_not_at_all(script: Script) -> None:
    await script.pick("0")
    assert [(one.name, one.required, one.longest) for one in script.form.fields] == [
        ("disposition", True, 1000),
        ("note", False, 1000),
    ]
    assert [option.choice for option in script.form.options] == ["send"]
    await script.fill(note="personne au bout du fil")
    assert script.faults() == {"disposition": "script.disposition_missing"}
    assert script.form.fields[1].value == "personne au bout du fil"  # what was typed is kept
    await script.fill(disposition="holiday")
    assert script.faults() == {"disposition": "script.choice_wrong"}
    assert script.notes.disposed == []
    await close(script, Disposition.HUNG_UP, "personne au bout du fil")
    assert script.notes.disposed == [(Disposition.HUNG_UP, "personne au bout du fil")]
    assert script.state.typed == {}


async def test_what_anybody_may_be_told_takes_one_key(script: Script) -> None:
    await script.pick("3")
    assert script.shown() == ["operator.hours", "operator.way", "operator.next"]
    await script.pick("0")
    await close(script, Disposition.INFORMATION)


# --- messages


async def test_a_message_takes_at_most_six_keys_besides_its_text(script: Script) -> None:
    await script.pick("1")
    form = script.form
    assert [one.name for one in form.fields] == ["text", "number", "urgency"]  # typing begins in the text
    assert {one.name: one.value for one in form.fields} == {"text": "", "number": "0639980001", "urgency": "normal"}
    await script.fill(text="Jeanne Robert demande un rappel.\nAprès 17 heures.")
    assert script.shown() == ["script.message_taken", "operator.next"]
    await script.pick("0")
    await close(script)
    assert script.keys_pressed <= KEYS_OF_A_MESSAGE
    [request] = script.messages.inbox
    assert (request.kind, request.number, request.practitioner) == (MessageKind.CALLBACK, "+33639980001", None)
    assert (request.text, request.urgency) == ("Jeanne Robert demande un rappel.\nAprès 17 heures.", Urgency.NORMAL)
    assert request.reason == "unspecified"
    assert script.notes.disposed == [(Disposition.MESSAGE, "")]  # suggested by what the script did


async def test_a_message_is_for_somebody_urgent_and_for_another_number(operateur: Flow) -> None:
    people = [Addressee(UUID(int=7), "Dr Claire Moreau"), Addressee(UUID(int=8), "Dr Paul Petit")]
    script = Script(operateur, addressees=people, number=None)
    await script.begin()
    await script.pick("1")
    whom = script.form.fields[3]
    assert (whom.kind, whom.value) == (FieldKind.CHOICE, "practice")
    assert [option.label.text for option in whom.options] == ["Le cabinet", "Dr Claire Moreau", "Dr Paul Petit"]
    await script.fill(text="Rappeler", number="+32 2 555 12 12", urgency="urgent", whom=str(UUID(int=8)))
    [request] = script.messages.inbox
    assert (request.practitioner, request.number, request.urgency) == (UUID(int=8), "+3225551212", Urgency.URGENT)


async def test_a_message_needs_its_text_and_may_lack_a_number(operateur: Flow) -> None:
    script = Script(operateur, number=None, addressees=[Addressee(UUID(int=7), "Dr Claire Moreau")])
    await script.begin()
    await script.pick("1")
    await script.fill(text="  ", number="12")
    assert script.faults() == {"text": "script.missing", "number": "script.telephone_wrong"}
    assert script.form.fields[1].value == "12"
    await script.fill(text="x" * 1001, number="")
    assert script.faults() == {"text": "script.text_wrong"}
    assert script.messages.inbox == []
    await script.fill(text="Rappeler", number="")
    [request] = script.messages.inbox
    assert (request.number, request.practitioner) == (None, UUID(int=7))  # the number called is theirs


@pytest.mark.parametrize("number", ["+33899123456", None], ids=["premium", "withheld"])
async def test_a_number_that_nobody_should_ring_stands_in_no_form(operateur: Flow, number: str | None) -> None:
    for way, field in ((["1"], "number"), (["2", "2", "1"], "booking_number"), (["6"], "telephone")):
        script = Script(operateur, number=number, practitioners=[MOREAU], free=FREE)
        await script.begin()
        await script.pick(*way)
        assert next(one for one in script.form.fields if one.name == field).value == ""
        await script.fill(**{field: "0899123456"})
        assert script.faults()[field] == "script.telephone_wrong"


@pytest.mark.parametrize(
    ("key", "kind", "reason", "disposition"),
    [
        ("4", MessageKind.RENEWAL, "prescription", Disposition.RENEWAL),
        ("5", MessageKind.CERTIFICATE, "certificate", Disposition.MESSAGE),
    ],
)
async def test_renewals_and_certificates_are_messages(
    script: Script, key: str, kind: MessageKind, reason: str, disposition: Disposition
) -> None:
    await script.pick(key)
    await script.fill(text="Paul Robert")
    [request] = script.messages.inbox
    assert (request.kind, request.reason) == (kind, reason)
    await script.pick("0")
    await close(script)
    assert script.notes.disposed == [(disposition, "")]


async def test_a_message_that_is_not_taken_leads_to_what_else_can_be_offered(script: Script) -> None:
    await script.pick("1")
    await script.pick(LEAVE)
    assert script.shown() == ["operator.otherwise"]
    assert script.messages.inbox == []


# --- appointments


async def test_a_verified_caller_is_told_the_date_and_no_more_than_is_asked(script: Script) -> None:
    await script.pick("2", "1")
    assert [(one.name, one.value) for one in script.form.fields] == [("birth_date", ""), ("telephone", "0639980001")]
    await script.claim("14031962")
    assert script.waits
    assert script.keys.claims == [(date(1962, 3, 14), "+33639980001")]
    await script.caller_types()
    assert [(item.choice, item.category, item.done, item.key) for item in script.files.items] == [
        ("reveal:appointment.starts_at", Category.APPOINTMENT_TIME, False, "1"),
        ("reveal:appointment.practitioner", Category.PRACTITIONER, False, "2"),
        ("reveal:appointment.place", Category.PLACE, False, "3"),
    ]
    assert script.record.ledger == [("find", "next_appointment")]
    await script.pick("reveal:appointment.starts_at")
    assert script.record.ledger[1:] == [("show", f"appointment.starts_at of {FIRST}")]
    assert [item.done for item in script.files.items] == [True, False, False]
    await script.pick("then", "0")
    await close(script)
    assert script.notes.disposed == [(Disposition.TOLD, "")]


async def test_nothing_of_a_patient_outlasts_the_script(script: Script) -> None:
    await script.pick("6")
    await script.verified()
    await script.pick("then", "0")
    assert script.state.bound == {"appointment": FIRST}
    await close(script, Disposition.TOLD)
    assert (script.state.bound, script.state.typed) == ({}, {})


async def test_a_second_look_is_asked_for_again(script: Script) -> None:
    await script.pick("6")
    await script.verified()
    await script.pick("reveal:appointment.place", "reveal:appointment.place")
    assert [kind for kind, _ in script.record.ledger] == ["find", "show", "show"]


async def test_another_appointment_is_listed_with_nothing_shown(script: Script) -> None:
    await script.pick("6")
    await script.verified()
    await script.pick("reveal:appointment.starts_at", "then", "4")
    assert [item.done for item in script.files.items] == [False, False, False]
    await script.pick("reveal:appointment.starts_at")
    assert script.record.ledger[-1] == ("show", f"appointment.starts_at of {SECOND}")
    await script.pick("then", "4")
    assert script.shown() == ["operator.no_following", "operator.acts"]


async def test_an_appointment_is_confirmed(script: Script) -> None:
    await script.pick("6")
    await script.verified()
    await script.pick("then", "1")
    assert script.record.acts == [(Act.CONFIRM_APPOINTMENT, FIRST)]
    assert script.shown() == ["operator.confirmed", "operator.next"]


async def test_an_appointment_is_cancelled_once_that_is_sure(script: Script) -> None:
    await script.pick("6")
    await script.verified()
    await script.pick("then", "3", "2", "3")
    assert script.record.acts == []
    await script.pick("1")
    assert script.record.acts == [(Act.CANCEL_APPOINTMENT, FIRST)]
    assert script.state.bound == {}
    await script.pick("0")
    await close(script)
    assert script.notes.disposed == [(Disposition.CANCELLED, "")]


async def test_an_act_that_fails_leads_to_what_else_can_be_offered(script: Script) -> None:
    await script.pick("6")
    await script.verified()
    script.record.cancel_elsewhere(FIRST)
    await script.pick("then", "1")
    assert script.shown() == ["operator.not_done", "operator.otherwise"]


async def test_an_appointment_is_moved_to_one_of_the_slots_on_the_screen(script: Script) -> None:
    await script.pick("6")
    await script.verified()
    await script.pick("then", "2")
    assert [option.key for option in script.choice.options] == [*"12345678", "9", "0"]
    assert script.choice.options[0].label.text == "mar. 1er\N{NO-BREAK SPACE}déc. 10\N{NO-BREAK SPACE}h"
    assert not any("Moreau" in line.text for line in script.screen.lines)  # D04: slots name nobody
    await script.pick("9")
    assert [option.key for option in script.choice.options] == [*"1234", "9", "0"]
    await script.pick("9")
    assert script.shown()[0] == "script.slots_no_later"
    await script.pick("2")
    assert script.record.moved == [(FIRST, FREE[9])]
    assert script.state.bound == {}  # what it was is not what it is: it is found anew
    assert script.shown() == ["script.moved", "operator.moved", "operator.next"]
    assert script.screen.lines[0].text == "Le rendez-vous est déplacé."
    slot = written_slot(FREE[9], script.world.now.date())
    assert not any(slot in line.text for line in script.screen.lines), "D03: the date is shown, and hides itself"
    await script.pick("0")
    await close(script)
    assert script.notes.disposed == [(Disposition.MOVED, "")]


async def test_a_slot_that_is_gone_is_said_and_others_are_offered(script: Script) -> None:
    await script.pick("6")
    await script.verified()
    await script.pick("then", "2")
    script.record.taken.add(FREE[0])
    await script.pick("1")
    assert script.shown() == ["script.slot_gone", "script.move_slots"]
    assert script.record.moved == []
    await script.pick("1")
    assert script.record.moved == [(FIRST, FREE[1])]


async def test_where_nothing_is_free_an_appointment_stays_where_it_is(operateur: Flow) -> None:
    script = Script(operateur, [JEANNE])
    await script.begin()
    await script.pick("6")
    await script.verified()
    await script.pick("then", "2")
    assert script.shown() == ["operator.no_slot", "operator.otherwise"]


async def test_leaving_the_slots_leads_back_to_the_appointment(script: Script) -> None:
    await script.pick("6")
    await script.verified()
    await script.pick("then", "2", LEAVE)
    assert script.shown() == ["operator.acts"]
    assert script.state.bound == {"appointment": FIRST}
    assert "slots" not in script.state.typed


async def test_whoever_has_none_to_come_is_told_so(operateur: Flow) -> None:
    script = Script(operateur, [replace(JEANNE, appointments=())])
    await script.begin()
    await script.pick("6")
    await script.verified()
    assert script.shown() == ["operator.no_appointment", "operator.next"]


# --- booking: for anybody


async def test_anybody_may_book_and_nothing_is_looked_up(script: Script) -> None:
    await script.pick("2", "2", "3")
    assert script.shown() == ["script.book_held"]
    assert script.booking.held == FREE[2]
    await script.fill(booking_birth_date="5/3/1948", booking_number="06 39 98 00 02")
    assert script.shown() == ["script.booked", "operator.next"]
    assert "4827 1936" in script.screen.lines[0].text
    assert script.booking.booked == [(FREE[2], date(1948, 3, 5), "+33639980002")]
    assert script.record.ledger == []
    assert script.keys.claims == []
    await script.pick("0")
    await close(script)
    assert script.notes.disposed == [(Disposition.BOOKED, "")]


async def test_with_several_practitioners_one_is_chosen_and_asked_about(operateur: Flow) -> None:
    script = Script(operateur, practitioners=[MOREAU, PETIT], free=FREE)
    await script.begin()
    await script.pick("2", "2")
    assert [option.label.text for option in script.choice.options[:2]] == ["Dr Claire Moreau", "Dr Paul Petit"]
    await script.pick("2")
    assert script.shown() == ["script.book_seen"]
    await script.pick("2")
    assert script.shown() == ["operator.no_new_patients", "operator.otherwise"]
    await script.pick("2", "2", "1", "1")
    assert script.booking.held == FREE[0]


async def test_whoever_is_chosen_is_who_stood_on_the_screen(operateur: Flow) -> None:
    """The practice changes who is booked by telephone while the operator looks at the list."""
    third = BookablePractitioner(UUID(int=9), "Dr Anne Roux", new_patients=True)
    script = Script(operateur, practitioners=[MOREAU, PETIT, third], free=FREE)
    await script.begin()
    await script.pick("2", "2")
    script.booking.change([PETIT, third])
    await script.pick("3", "1")
    assert script.booking.held_with == third.id
    gone = Script(operateur, practitioners=[MOREAU, PETIT, third], free=FREE)
    await gone.begin()
    await gone.pick("2", "2")
    gone.booking.change([PETIT, third])
    await gone.pick("1")
    assert [option.label.text for option in gone.choice.options[:2]] == ["Dr Paul Petit", "Dr Anne Roux"]


async def test_a_slot_taken_meanwhile_is_offered_no_more(script: Script) -> None:
    await script.pick("2", "2")
    script.booking.free.remove(FREE[0])
    await script.pick("1")
    assert script.shown() == ["script.slot_gone", "script.book_slots"]
    await script.pick("1")
    script.booking.free.remove(FREE[1])
    await script.fill(booking_birth_date="05031948")
    assert script.shown() == ["script.slot_gone", "script.book_slots"]
    assert script.booking.booked == []


async def test_whoever_books_nothing_may_leave_a_message_about_an_appointment(script: Script) -> None:
    await script.pick("2", "2", "1")
    await script.fill(LEAVE)
    assert script.booking.held is None
    assert script.shown() == ["operator.otherwise"]
    await script.pick("1")
    await script.fill(text="Veut un rendez-vous")
    assert script.messages.inbox[0].reason == "appointment"


async def test_a_wrong_date_is_asked_for_again_with_what_was_typed(script: Script) -> None:
    await script.pick("2", "2", "1")
    for born in ("5/3/48", "31/02/1948", "tomorrow", "27112026"):
        await script.fill(booking_birth_date=born, booking_number="0639980002")
        assert script.faults() == {"booking_birth_date": "script.date_wrong"}
        assert [one.value for one in script.form.fields] == [born, "0639980002"]
    assert script.booking.booked == []


# --- the practice's own agenda


async def test_where_the_practice_keeps_its_agenda_what_was_told_is_declared(operateur: Flow) -> None:
    script = Script(operateur, [JEANNE], public={**PUBLIC, **EXTERNAL})
    await script.begin()
    await script.pick("2", "1")
    await script.verified()
    assert script.files.link == "https://agenda.example.org/"
    assert [(item.choice, item.key) for item in script.files.items] == [
        ("declare:D02", "1"),
        ("declare:D03", "2"),
        ("declare:D04", "3"),
        ("declare:D06", "4"),
    ]
    await script.pick("declare:D03")
    assert [item.done for item in script.files.items] == [False, True, False, False]
    assert script.record.ledger == [("declare", "D03")]
    await script.pick("then", "0")
    await close(script)
    assert script.notes.disposed == [(Disposition.TOLD, "")]


async def test_there_a_new_appointment_is_made_in_their_tool(operateur: Flow) -> None:
    script = Script(operateur, public={**PUBLIC, **EXTERNAL})
    await script.begin()
    await script.pick("2", "2")
    assert script.shown() == ["operator.book_outside", "operator.next"]
    assert "https://agenda.example.org/" in script.screen.lines[0].text


# --- refusals


@pytest.mark.parametrize(
    ("key", "words", "then"),
    [("1", "say_somebody", "instead"), ("2", "say_results", "otherwise"), ("3", "say_elsewhere", "instead")],
)
async def test_sentences_to_refuse_with_are_ready(script: Script, key: str, words: str, then: str) -> None:
    await script.pick("7", key)
    assert script.shown() == [f"operator.{words}", f"operator.{then}"]


def test_a_sentence_to_be_said_fits_whoever_says_it() -> None:
    """« Je suis » asks for a participle, and most who say it are women."""
    said = {key: prompt.text for key, prompt in BOOK.prompts.items() if prompt.text.startswith("À dire :")}
    assert len(said) > 5
    assert [key for key, text in said.items() if re.search(r"\b[Jj]e suis\b", text)] == []


@pytest.mark.parametrize("withheld", ["appointment.starts_at", "appointment.practitioner"])
async def test_p6_a_field_that_is_withheld_says_so_where_it_stands_and_the_list_goes_on(
    script: Script, withheld: str
) -> None:
    script.record.withholds.add(withheld)
    await script.pick("6")
    await script.verified()
    await script.pick(f"reveal:{withheld}")
    assert script.shown() == ["script.withheld", "script.reveal"]
    assert [item.path for item in script.files.items if item.withheld] == [withheld]
    assert ("show", withheld) not in script.record.ledger
    with pytest.raises(NotOffered):
        await script.send(Filled(f"reveal:{withheld}"))
    await script.pick("reveal:appointment.place")
    assert script.shown() == ["script.reveal"]
    assert [item.done for item in script.files.items] == [False, False, True]
    assert [item.path for item in script.files.items if item.withheld] == [withheld]
    await script.pick("withheld")
    assert script.shown() == ["script.withheld", "operator.otherwise"]
    assert script.keys.level is Level.VERIFIED  # what was proved lives on
    await script.pick("3")
    assert [item.withheld for item in script.files.items] == [False, False, False]


async def test_p6_a_verified_caller_of_whom_nothing_may_be_said_hears_the_same_words(operateur: Flow) -> None:
    """A minor, a homonym, an appointment with a sensitive practitioner: they are verified, and told so by no word."""
    script = Script(operateur, [replace(JEANNE, withheld=True)])
    await script.begin()
    await script.pick("6")
    await script.verified()
    assert script.shown() == ["script.withheld", "operator.otherwise"]
    assert script.keys.level is Level.VERIFIED
    await script.pick("1")
    await script.fill(text="Rappeler")
    assert len(script.messages.inbox) == 1


async def test_what_else_can_be_offered_is_no_option_where_nothing_is_withheld(script: Script) -> None:
    await script.pick("6")
    await script.verified()
    assert "withheld" not in script.offered
    with pytest.raises(NotOffered):
        await script.send(Filled("withheld"))


async def test_what_is_withheld_from_a_declaration_too(operateur: Flow) -> None:
    script = Script(operateur, [JEANNE], public={**PUBLIC, **EXTERNAL})
    script.record.withholds.add("D04")
    await script.begin()
    await script.pick("6")
    await script.verified()
    await script.pick("declare:D04")
    assert script.shown() == ["script.withheld", "script.declare"]
    assert [item.withheld for item in script.files.items] == [False, False, True, False]
    assert script.record.ledger == []


async def test_evidence_that_has_ended_meanwhile_finds_nothing(script: Script) -> None:
    await script.pick("6")
    await script.verified()
    script.keys.level, script.keys.verified = Level.UNKNOWN, None
    await script.pick("reveal:appointment.place")
    assert script.shown() == ["script.withheld", "script.reveal"]
    await script.pick("withheld", "3")
    assert script.shown() == ["script.verify"]


# --- from everywhere


@pytest.mark.parametrize("way", [["1"], ["2", "2", "1"], ["6"], ["7"], ["7", "1"], ["3"], ["2", "1"]])
async def test_a_message_and_the_end_are_within_three_keys_of_every_screen(script: Script, way: list[str]) -> None:
    await script.pick(*way)
    await script.pick(*([LEAVE] if LEAVE in script.offered else []))
    if "operator.next" in script.shown():
        await script.pick("1", "1")
    elif script.shown() == ["operator.refuse_what"]:
        await script.pick("0", "1")
    else:
        await script.pick("1")
    assert script.form.fields[0].name == "text"


# --- in another language


async def test_another_language_is_another_book(operateur: Flow) -> None:
    script = Script(operateur, [JEANNE], practitioners=[MOREAU], free=FREE)
    script.state = replace(script.state, manner=Manner(language="en"))
    await script.begin()
    assert script.screen.lines[-1].text == "What does the person want?"
    await script.pick("2", "2")
    assert script.choice.options[0].label.text == "Tue 1\N{NO-BREAK SPACE}Dec 10:00"
    await script.pick("1")
    await script.fill(booking_birth_date="no date")
    assert script.form.fields[0].fault is not None
    said = [*script.screen.lines, *(one.label for one in script.form.fields), script.form.fields[0].fault]
    assert {line.language for line in said} == {"en"}
