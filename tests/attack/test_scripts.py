"""An operator's script used for more than it is for: values of others, of nobody, after the talk, or by fishing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from callcenter.calls import coming_in, script_door, script_record, script_rows, script_verifier, talks
from callcenter.calls.script_door import At
from callcenter.calls.script_values import Operator
from callcenter.calls.script_verifier import OperatorsVerifier
from callcenter.disclosure.gate import Gate
from callcenter.flow.screens import Filled, Form
from callcenter.identity.challenges import Limits
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import Forbidden
from callcenter.practice import slot_references
from callcenter.practice.demo_file import demo_id
from callcenter.routing import held
from tests.attack.defence import FOILED, Defence, Outcome, Sabotage, attack, gained, replaced
from tests.attack.ground import Ground
from tests.attack.scene import TILLEULS
from tests.scripting import MINUTE, Desk, at_the_desk

STARTS = "reveal:appointment.starts_at"
PAULS_VISIT = demo_id("appointment", "paul-garnier/1")
#: A child of fourteen.
LUCAS = demo_id("patient", "lucas-petit")


@pytest.fixture
async def desk(ground: Ground, clock: DrivenClock) -> Desk:
    return await at_the_desk(ground, clock)


async def reads(desk: Desk, **how: Any) -> Outcome:
    """Whether the operator has Jeanne's appointment shown."""
    made = await desk.scripts.answer(desk.operator, desk.talk.id, how.get("document", desk.document), Filled(STARTS))
    return gained(made is not None and made.stands.shown)


GATE = replaced("the gate decides on values", "P2: evidence is about one patient", Gate, "_refusal", lambda *_: None)


# --- without evidence that lives


def _for_ever(sabotage: Sabotage) -> None:
    made = Limits.__init__

    def endless(self: Limits, *given: Any, **more: Any) -> None:
        made(self, *given, **{**more, "evidence_life": timedelta(days=1)})

    sabotage.replace(Limits, "__init__", endless)


DIES = Defence("evidence dies by its age", "P2: no level without evidence", _for_ever)


@attack(stopped_by=DIES)
async def test_p2_a_field_is_shown_after_the_evidence_has_died(desk: Desk) -> Outcome:
    await desk.proves()
    await desk.to_the_fields()
    desk.clock.advance((11 * MINUTE).total_seconds())
    return await reads(desk)


def _whatever_the_state(sabotage: Sabotage) -> None:
    sabotage.replace(script_door, "LIVE", frozenset(script_door.ReservationState))


LIVES = Defence("evidence is worth something in the talk", "P2: it dies with the talk", _whatever_the_state)


@attack(stopped_by=LIVES)
async def test_p2_a_field_is_shown_after_the_caller_has_hung_up(desk: Desk) -> Outcome:
    await desk.proves()
    await desk.to_the_fields()
    await desk.hang_up()
    return await reads(desk)


@attack(stopped_by=LIVES)
async def test_p2_a_field_is_shown_before_the_two_talk(desk: Desk) -> Outcome:
    """Of a call that was taken, with what its caller has proved in the menu."""
    await desk.proves()
    await desk.to_the_fields()
    await desk.ground.change("UPDATE reservation SET state = 'accepted' WHERE id = :id", id=desk.talk.id)
    return await reads(desk)


@attack(stopped_by=LIVES)
async def test_p2_a_value_stays_on_the_screen_after_the_caller_has_hung_up(desk: Desk) -> Outcome:
    await desk.proves()
    await desk.to_the_fields()
    assert (await desk.answer(STARTS)).shown
    await desk.hang_up()
    return gained((await desk.look()).shown)


# --- whose talk it is


def _anybodys(sabotage: Sabotage) -> None:
    sabotage.rewrite(script_rows, "WHOSE", "staff_id = :staff", "cast(:staff AS uuid) IS NOT NULL")
    sabotage.rewrite(held, "_LOCK", "r.staff_id = :staff", "cast(:staff AS uuid) IS NOT NULL")


THEIRS = Defence("a script is found with its operator", "a call is its operator's", _anybodys)


@attack(stopped_by=THEIRS)
async def test_an_operator_reads_in_the_call_of_a_colleague(desk: Desk) -> Outcome:
    await desk.proves()
    await desk.to_the_fields()
    thief = await desk.floor.operator(TILLEULS)
    return await reads(replace(desk, operator=Operator(thief, trained=True)))


@attack(stopped_by=THEIRS)
async def test_a_colleague_reads_what_was_typed_before_the_call_was_theirs(desk: Desk) -> Outcome:
    """Whoever has the call from now on opens the former page of it, by its address."""
    await desk.look()
    form = await desk.answer("2")
    await desk.scripts.draft(desk.operator, desk.talk.id, form.document, {"text": "Elle tousse"})
    colleague = await desk.handed_over()
    made = await desk.scripts.look(colleague.operator, desk.talk.id)
    read = made is not None and made.stands.screen
    return gained(isinstance(read, Form) and [one for one in read.fields if one.value == "Elle tousse"])


async def _whoever_asks(*_: object) -> bool:
    return True


ROLE = Defence(
    "an operator is one of the practice, now",
    "P5: staff see their own practices",
    lambda sabotage: sabotage.replace(script_door, "may", _whoever_asks),
)


@attack(stopped_by=ROLE)
async def test_p5_an_operator_reads_on_whose_role_was_taken_away_meanwhile(desk: Desk) -> Outcome:
    await desk.proves()
    await desk.to_the_fields()
    await desk.ground.change("DELETE FROM staff_role WHERE staff_id = :id", id=desk.operator.staff)
    try:
        return await reads(desk)
    except Forbidden:
        return FOILED


def _trained_or_not(sabotage: Sabotage) -> None:
    made = Gate.__init__

    def gate(self: Gate, *given: Any, **more: Any) -> None:
        made(self, *given, **{**more, "trained": True})

    sabotage.replace(Gate, "__init__", gate)


TRAINED = Defence("the gate asks for training", "SM-02", _trained_or_not)


@attack(stopped_by=TRAINED)
async def test_an_operator_reads_whose_training_has_lapsed_in_mid_call(desk: Desk) -> Outcome:
    await desk.proves()
    await desk.to_the_fields()
    return await reads(replace(desk, operator=replace(desk.operator, trained=False)))


async def _kept(*_: object) -> None:
    """What was proved goes on."""


JOINED = Defence(
    "a third who comes in ends what was proved",
    "P2: evidence is for whoever talks with the caller",
    lambda sabotage: sabotage.replace(coming_in, "forget_what_was_proved", _kept),
)
HANDED = Defence(
    "a call that changes hands ends what was proved",
    "P2: evidence is for whoever talks with the caller",
    lambda sabotage: sabotage.replace(talks, "forget_what_was_proved", _kept),
)


@attack(stopped_by=(JOINED, HANDED))
async def test_p2_a_colleague_reads_what_was_proved_before_the_call_was_theirs(desk: Desk) -> Outcome:
    await desk.proves()
    colleague = await desk.handed_over()
    await colleague.look()
    await colleague.answer("1")
    return await reads(colleague)


# --- another screen than the one that stands


def _any_document(sabotage: Sabotage) -> None:
    sabotage.replace(At, "stands_at", lambda *_: True)


STALE = Defence("an answer is to the screen that stands", "P3: never a second effect", _any_document)


@attack(stopped_by=STALE)
async def test_p3_a_page_that_was_left_open_has_a_field_shown(desk: Desk) -> Outcome:
    """A second click of the same form, after the first has been answered."""
    await desk.proves()
    before = (await desk.to_the_fields()).document
    await desk.answer(STARTS)
    await desk.answer(STARTS, document=before)
    return gained(len(await desk.records("disclosure")) > 2)  # the look, and one field


# --- another patient


@attack(stopped_by=GATE)
async def test_p2_another_patients_appointment_is_shown_by_a_fault_of_the_flow(desk: Desk) -> Outcome:
    await desk.proves()
    await desk.to_the_fields()
    await desk.rebind(appointment=PAULS_VISIT)
    return await reads(desk)


def _of_the_patient_alone(sabotage: Sabotage) -> None:
    sabotage.rewrite(slot_references, "_APPOINTMENT", "a.patient_id = :patient", "cast(:patient AS uuid) IS NOT NULL")


THEIR_OWN = Defence(
    "an appointment is moved with its patient", "P2: evidence is about one patient", _of_the_patient_alone
)


@attack(stopped_by=THEIR_OWN)
async def test_p2_another_patients_appointment_is_moved_by_a_fault_of_the_flow(desk: Desk) -> Outcome:
    await desk.proves()
    await desk.to_the_fields()
    await desk.answer("then")
    await desk.rebind(appointment=PAULS_VISIT)
    await desk.answer("2")
    await desk.answer("1")
    return gained(await desk.records("appointment.moved"))


def _nothing_ends(sabotage: Sabotage) -> None:
    async def end(self: OperatorsVerifier, session: Any) -> None:
        """What stood before goes on."""

    sabotage.replace(OperatorsVerifier, "_end", end)


ENDS = Defence("another patient ends what was proved", "P2: a second patient keeps nothing", _nothing_ends)


@attack(stopped_by=ENDS)
async def test_p2_a_second_patient_of_the_call_has_what_the_first_had_proved(desk: Desk) -> Outcome:
    await desk.proves()
    await desk.to_the_fields()
    await desk.answer("then")
    await desk.answer("3")
    await desk.answer("4")  # another patient
    await desk.answer("1")
    return gained(desk.now.level >= 2)


@attack(stopped_by=ENDS)
async def test_p2_the_first_patients_value_stands_beside_the_second(desk: Desk) -> Outcome:
    await desk.proves()
    await desk.to_the_fields()
    await desk.answer(STARTS)
    await desk.answer("then")
    await desk.answer("3")
    return gained((await desk.answer("4")).shown)


@attack(stopped_by=ENDS)
async def test_p2_the_list_says_verified_of_the_second_patient_because_the_first_was(desk: Desk) -> Outcome:
    """Whoever believes it reads on in the practice's own agenda, where nothing of ours stands in the way."""
    await desk.proves()
    proved = [one.kind for one in (await desk.look()).timeline]
    assert "verification.succeeded" in proved, "there is something to be said wrongly"
    another = await desk.answer("4")
    return gained("verification.succeeded" in [one.kind for one in another.timeline])


# --- fishing

CLAIMS = 10


def _uncounted(sabotage: Sabotage) -> None:
    async def count(*_: object) -> bool:
        return True

    sabotage.replace(script_verifier, "count_claim", count)


COUNTED = Defence("an operator's claims are counted", "ID-05: an operator verifies, and does not search", _uncounted)


@attack(stopped_by=COUNTED)
async def test_an_operator_tries_one_birth_date_after_another(ground: Ground, clock: DrivenClock) -> Outcome:
    """In one call after another, with a line of their own as the caller."""
    desk, claimed = await at_the_desk(ground, clock, limits=Limits(claims_per_operator=CLAIMS)), 0
    for number in range(CLAIMS + 2):
        await desk.look()
        await desk.answer("1")
        born = (date(1962, 3, 1) + timedelta(days=number)).strftime("%d%m%Y")
        await desk.answer("send", birth_date=born, telephone="0639980001")
        claimed += len(await desk.records("verification.claimed"))
        desk = await desk.next_call()
    return gained(claimed > CLAIMS)


# --- declared


@attack(stopped_by=DIES)
async def test_p2_a_disclosure_is_declared_on_evidence_that_has_died(desk: Desk) -> Outcome:
    """The agenda is the practice's own: nothing is shown, and what is said is said after the fact."""
    await _agenda_elsewhere(desk)
    await desk.proves()
    await desk.look()
    await desk.answer("6")
    desk.clock.advance((11 * MINUTE).total_seconds())
    await desk.answer("declare:D03")
    return await declared(desk)


@attack(stopped_by=GATE)
async def test_a_disclosure_is_declared_about_a_child(desk: Desk) -> Outcome:
    await _agenda_elsewhere(desk)
    await desk.proves(LUCAS)
    await desk.look()
    await desk.answer("6")
    await desk.answer("declare:D03")
    return await declared(desk)


def _declared_anyhow(sabotage: Sabotage) -> None:
    sabotage.replace(script_record, "AgendaKind", SimpleNamespace(INTERNAL=None))


NOT_OURS = Defence("what is ours is not declared", "declared and enforced are never mixed", _declared_anyhow)


@attack(stopped_by=NOT_OURS)
async def test_a_disclosure_is_declared_of_an_agenda_that_is_ours(desk: Desk) -> Outcome:
    """It would stand on record as told by hand, and nobody would look for the record of a screen."""
    await desk.proves()
    await desk.look()
    await desk.answer("6")
    await desk.answer("declare:D03")
    return await declared(desk)


async def declared(desk: Desk) -> Outcome:
    granted = [one for one in await desk.records("disclosure") if one["decision"] == "granted"]
    return gained([one for one in granted if one["control"] == "declared"])


async def _agenda_elsewhere(desk: Desk) -> None:
    await desk.ground.change(
        "WITH change AS (UPDATE practice SET revision = revision + 1 WHERE id = :id RETURNING id, revision) "
        "INSERT INTO setting_version (practice_id, revision, setting, value, effective_from, made_at, made_by) "
        """SELECT id, revision, 'agenda', '{"external": "https://agenda.example/"}', 'epoch', now(), """
        "'tests' FROM change",
        id=TILLEULS,
    )
