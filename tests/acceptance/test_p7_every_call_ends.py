"""P7: under silence and under garbage every call ends within 60 webhooks and 15 minutes, and the last thing heard is a
goodbye: whoever stops behaving, at whatever question, is led to a person or to a message, and then to an end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import repeat
from random import Random

import pytest
from sqlalchemy import select

from callcenter.calls.flows import load_flows
from callcenter.calls.session import Session, session_place
from callcenter.calls.tables import call as call_table
from callcenter.calls.tables import call_session
from callcenter.flow.language import Ask, Choose, Flow, TakeMessage, Verify
from callcenter.flow.state import Phase
from callcenter.practice.inbox import Inbox
from tests.acceptance.caller import BREST, JEANNE, LYON, SILENCE, Caller, calling
from tests.acceptance.stage import Stage
from tests.conftest import TODAY
from tests.soaking import SOAKING

WEBHOOKS, SECONDS = 60, 15 * 60


class Own(StrEnum):
    """Answers that are each patient's own."""

    BIRTH_DATE = "birth date"
    TELEPHONE = "telephone"
    CODE = "code"


@dataclass(frozen=True)
class Patient:
    number: str
    birth_date: str
    practice: str = LYON


#: One for each way to behave badly: whoever has typed wrong codes is sent none for a day.
PATIENTS = (
    Patient(JEANNE, "14031962"),
    Patient("+33639980002", "17091984"),
    Patient("+33639980006", "12061957"),
    Patient("+33639980006", "03041959"),
    Patient("+33639980007", "08081971", BREST),
)

#: Good calls, answer by answer; between them they meet every question of the flow.
WAYS = {
    "confirms": ("1", "1", Own.BIRTH_DATE, Own.CODE, "1", "1", "2"),
    "cancels": ("1", "1", Own.BIRTH_DATE, Own.CODE, "1", "2", "1", "2"),
    "listens to all": ("1", "1", Own.BIRTH_DATE, Own.CODE, "1", "3", "*", "2", "2"),
    "mistypes the code": ("1", "1", Own.BIRTH_DATE, "111111", "222222"),
    "wants a person": ("0", "1", "1#"),
    "wants slower words": ("6", "1", "9"),
    "asks for a renewal": ("2", "2", "9", "1#"),
}
WITHHELD_WAYS = {
    "types the telephone": ("1", "1", Own.BIRTH_DATE, Own.TELEPHONE, Own.CODE, "0", "1", "0639980008"),
}


#: Steps whose questions need what these patients do not have (a booking, a reference, a voice), with the
#: tests that meet silence and nonsense there.
ELSEWHERE = {
    "leave_message": "tests/acceptance/test_voice_messages.py",
    "renewal": "tests/acceptance/test_voice_messages.py",  # what is asked behind its first questions
    "certificate": "tests/acceptance/test_voice_messages.py",
    "slot_menu": "tests/acceptance/test_bookings.py",
    "slot_privacy": "tests/acceptance/test_bookings.py",
    "slot_cancel_question": "tests/acceptance/test_bookings.py",
    "identify_for_operator": "tests/acceptance/test_typed_in_a_talk.py",  # where the operator waits for them
}


def beginnings() -> Iterator[tuple[bool, tuple[str, ...]]]:
    """Every way up to every one of its questions, once; and whether the number is withheld."""
    for withheld, ways in ((False, WAYS), (True, WITHHELD_WAYS)):
        yield from dict.fromkeys((withheld, way[:answers]) for way in ways.values() for answers in range(len(way)))


def named(beginning: tuple[bool, tuple[str, ...]]) -> str:
    withheld, answers = beginning
    return " ".join([*(["withheld"] if withheld else []), *answers]) or "at once"


# --- behaving badly


def garbage(seed: object) -> Iterator[str]:
    """Keys without sense, by ones and by many, and now and then nothing."""
    chance = Random(str(seed))
    while True:
        length = chance.choice((0, 1, 1, 2, 3, 5, 6, 8, 10, 12, 20))
        yield "".join(chance.choices("0123456789*#", k=length))


def bad_manners() -> dict[str, Iterator[str]]:
    return {
        "silence": repeat(SILENCE),
        "hash": repeat("#"),
        "star": repeat("*" * 20),
        "garbage 1": garbage(1),
        "garbage 2": garbage(2),
    }


def manners_of(turn: int) -> list[tuple[Patient, str, Iterator[str]]]:
    """Silence, the key that ends a number, and in turn one of the others; in ``make soak`` all of them."""
    ways = [(patient, name, keys) for patient, (name, keys) in zip(PATIENTS, bad_manners().items(), strict=True)]
    return ways if SOAKING else [*ways[:2], ways[2 + turn % len(ways[2:])]]


#: What passes while a key is pressed that nobody waits for.
UNHEARD_SECONDS = 6.0


async def behaves(caller: Caller, manners: Iterator[str], before_each: float = 0.0) -> None:
    """Go on like this until the other side ends the call; a call without end is not followed for ever.

    Arguments:
        before_each: seconds for which nothing is done before each answer.
    """
    for answer in manners:
        if caller.ended or len(caller.exchanges()) > WEBHOOKS:
            return
        if before_each:
            await caller.waits(before_each)
        asked = len(caller.exchanges())
        await caller.does(answer)
        if len(caller.exchanges()) == asked:  # keys change nothing while a message is spoken: time does
            await caller.waits(UNHEARD_SECONDS)


async def goes(caller: Caller, patient: Patient, answers: tuple[str, ...]) -> None:
    """Behave well so far."""
    for answer in answers:
        match answer:
            case Own.BIRTH_DATE:
                await caller.does(patient.birth_date)
            case Own.TELEPHONE:
                await caller.does("0" + patient.number.removeprefix("+33"))
            case Own.CODE:
                await caller.does((await caller.codes(patient.number))[-1])
            case _:
                await caller.does(answer)
        assert not caller.ended, f"{answer} ended the call"


def ends_well(caller: Caller, what: str) -> None:
    exchanges = caller.exchanges()
    assert caller.state.hung_up_by == "carrier", f"{what}: the call goes on after {len(exchanges)} webhooks"
    assert len(exchanges) <= WEBHOOKS, f"{what}: {len(exchanges)} webhooks"
    assert {exchange.kind for exchange in exchanges} == {"webhook", "status"}, what
    assert all(exchange.status in (200, 204) for exchange in exchanges), what
    seconds = int(exchanges[-1].form["CallDuration"])
    assert seconds <= SECONDS, f"{what}: {seconds} seconds"
    last = caller.heard[-1].text
    assert last.endswith(("Au revoir.", "Goodbye.")), f"{what}: the last thing heard was {last}"
    assert "rencontre une difficulté technique" not in caller.words, what


@pytest.mark.parametrize(("turn", "beginning"), list(enumerate(beginnings())), ids=[named(one) for one in beginnings()])
async def test_p7_whoever_stops_behaving_is_led_to_an_end(
    stage: Stage, turn: int, beginning: tuple[bool, tuple[str, ...]]
) -> None:
    withheld, answers = beginning
    for patient, manners, keys in manners_of(turn):
        async with calling(stage, "anonymous" if withheld else patient.number, patient.practice) as caller:
            await goes(caller, patient, answers)
            assert (await question(caller)).phase is not Phase.NONE
            await behaves(caller, keys)
        ends_well(caller, f"{named(beginning)}, then {manners}")
        if manners in ("silence", "hash"):
            assert await message_was_left(caller) == (not withheld)


async def test_p7_whoever_presses_one_key_for_ever_is_led_to_an_end(stage: Stage) -> None:
    numbers = (JEANNE, "anonymous")
    for turn, key in enumerate("0123456789*#"):
        for number in numbers if SOAKING else (numbers[turn % 2],):
            async with calling(stage, number) as caller:
                await behaves(caller, repeat(key * 20))
            ends_well(caller, f"{key} from {number}")


@pytest.mark.parametrize(
    ("number", "answers"),
    [
        (JEANNE, ("1",)),
        (JEANNE, ("1", "1")),
        (JEANNE, ("1", "1", "15031962")),
        ("anonymous", ("1", "1", "15031962")),
        ("anonymous", ("0", "1")),
    ],
    ids=["appointments", "birth date", "code", "telephone", "number"],
)
async def test_p7_whoever_types_without_sense_as_slowly_as_can_be_is_led_to_an_end(
    stage: Stage, number: str, answers: tuple[str, ...]
) -> None:
    one_by_one = (key for answer in garbage(3) for key in answer)
    for manners, keys in (("star", repeat("*")), ("garbage", one_by_one)):
        async with calling(stage, number) as caller:
            await caller.does(*answers)
            await behaves(caller, keys, before_each=9.5)  # half a second more, and the question would have ended
        ends_well(caller, f"{named((number == 'anonymous', answers))}, then slow {manners}")


async def test_p7_whoever_waits_where_a_practice_answers_itself_and_nobody_does_is_led_to_an_end(stage: Stage) -> None:
    await stage.furnish(TODAY + timedelta(days=1))  # a Friday morning, in Brest
    for manners, keys in bad_manners().items():
        async with calling(stage, JEANNE, BREST) as caller:
            assert "mettons en relation avec le cabinet" in caller.words
            await behaves(caller, keys)
        assert "Nous prenons votre appel" in caller.words
        ends_well(caller, f"nobody answers, then {manners}")


async def test_p7_garbage_from_the_first_moment_leads_to_an_end(stage: Stage) -> None:
    for seed in range(100, 160 if SOAKING else 112):
        async with calling(stage, ("+33639980099", "anonymous")[seed % 2]) as caller:
            await behaves(caller, garbage(seed))
        ends_well(caller, f"garbage {seed}")


# --- where a call stands


@dataclass(frozen=True, slots=True, order=True)
class Question:
    """One question that a step of the flow asks."""

    step: str
    phase: Phase


async def call_of(caller: Caller) -> tuple[object, object]:
    """Our identifier of a call, and the practice's."""
    async with caller.stage.running.database.house() as connection:
        query = select(call_table.c.id, call_table.c.practice_id).where(call_table.c.carrier_sid == caller.sid)
        row = (await connection.execute(query)).one()
    return row.id, row.practice_id


async def question(caller: Caller) -> Question:
    """The question that a call waits at."""
    running = caller.stage.running
    call, practice = await call_of(caller)
    async with running.database.practice(practice) as tx:
        query = select(call_session.c.state).where(call_session.c.id == call)
        sealed = (await tx.connection.execute(query)).scalar_one()
    state = Session.from_json(running.sealer.open(sealed, session_place(practice, call))).state
    return Question(state.step, state.phase)


async def message_was_left(caller: Caller) -> bool:
    running = caller.stage.running
    call, practice = await call_of(caller)
    async with running.database.practice(practice) as tx:
        return any(message.call_reference == call for message in await Inbox(running.sealer).waiting(tx))


def questions(flow: Flow) -> set[Question]:
    """Every question that the flow can ask."""
    phases = {
        Choose: (Phase.KEY,),
        Ask: (Phase.DIGITS,),
        Verify: (Phase.BIRTH_DATE, Phase.TELEPHONE, Phase.CODE),
        TakeMessage: (Phase.REASON, Phase.NUMBER),
    }
    return {Question(step.name, phase) for step in flow.steps.values() for phase in phases.get(type(step), ())}


async def test_p7_the_ways_meet_every_question_of_the_flow(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = stage.running.settings.flows
    flow = load_flows(chosen.folder, chosen.entry, chosen.prompts, chosen.policy).entry
    met: set[Question] = set()
    patients = iter(PATIENTS * 2)
    for withheld, ways in ((False, WAYS), (True, WITHHELD_WAYS)):
        for way in ways.values():
            patient = next(patients)
            async with calling(stage, "anonymous" if withheld else patient.number, patient.practice) as caller:
                met.add(await question(caller))
                for answer in way[:-1]:
                    await goes(caller, patient, (answer,))
                    met.add(await question(caller))
    with capsys.disabled():
        print(f"\nquestions at which callers stop behaving: {len(met)} of {len(questions(flow))}")
        for step in sorted({asked.step for asked in met}):
            print(f"  {step}: {', '.join(sorted(asked.phase for asked in met if asked.step == step))}")
    left_out = {asked.step for asked in questions(flow) - met}
    assert left_out == ELSEWHERE.keys()
