"""What of the shipped script is offered once the caller has gone: what can be noted, and the end."""

from __future__ import annotations

from random import Random

import pytest

from callcenter.flow.language import Book, Channel, End, Flow, MessageKind, Step, TakeMessage
from callcenter.flow.load import load_flow
from callcenter.flow.screens import AtKeys, Choice, Filled, Finished, Form, Option, Screen
from callcenter.flow.script_alone import alone
from callcenter.flow.script_language import Dispose, Disposed, Disposition, Pick, Way
from callcenter.flow.state import Phase, State
from callcenter.flow.subflow_language import Leave, Run, Subflow
from tests.unit.flow.script_doubles import BOOK, EXTERNAL, PUBLIC, ROOT, Script
from tests.unit.flow.test_script_operateur import FREE, JEANNE, MOREAU


@pytest.fixture(scope="module")
def operateur() -> Flow:
    return load_flow(ROOT / "flows/operateur.yaml", BOOK)


@pytest.fixture
async def script(operateur: Flow) -> Script:
    script = Script(operateur, [JEANNE], practitioners=[MOREAU], free=FREE)
    await script.begin()
    return script


def left(script: Script) -> Screen:
    return alone(script.flow, script.state, script.screen, BOOK)


def words(screen: Screen) -> list[str]:
    return [line.prompt for line in screen.lines]


def offered(script: Script) -> list[str]:
    """The words of what can be chosen."""
    screen = left(script)
    assert not isinstance(screen, Finished)
    return [option.label.prompt for option in screen.options]


async def test_of_the_reasons_those_are_left_that_are_noted(script: Script) -> None:
    kept = ["message", "renewal", "certificate", "close"]
    assert offered(script) == [f"operator.{one}" for one in kept]
    assert words(left(script)) == ["script.instructions", "practice.instructions", "script.caller_gone"]


@pytest.mark.parametrize(
    ("way", "kept"),
    [
        (["6"], ["script.leave"]),
        (["2"], ["operator.close"]),
        (["2", "2"], ["script.leave"]),
        (["2", "2", "1"], ["script.leave"]),
        (["7"], ["operator.back"]),
        (["3"], ["operator.same_patient", "operator.close"]),
        (["6", "leave"], ["operator.message", "operator.other_request", "operator.close"]),
    ],
)
async def test_what_needs_the_caller_is_not_offered(script: Script, way: list[str], kept: list[str]) -> None:
    for choice in way:
        await script.send(Filled(choice))
    assert offered(script) == kept
    assert isinstance(left(script), Choice)


async def test_what_was_said_on_the_way_holds_and_what_is_asked_does_not(script: Script) -> None:
    """A message that was sent just before they hung up, or is sent after, is known to be sent."""
    await script.pick("1")
    await script.fill(text="Rappeler", urgency="normal")
    assert words(script.screen) == ["script.message_taken", "operator.next"]
    assert words(left(script)) == ["script.message_taken", "script.caller_gone"]
    await script.send(Filled("0"))
    assert words(left(script)) == ["script.dispose"]


async def test_a_file_is_listed_no_more_and_nobody_is_waited_for(script: Script) -> None:
    await script.pick("6")
    await script.claim("14031962")
    assert isinstance(script.screen, AtKeys)
    assert offered(script) == ["script.at_keys_leave"]
    await script.caller_types()
    assert offered(script) == ["script.onward"]
    await script.pick("then")
    assert offered(script) == ["operator.other_request", "operator.close"]


@pytest.mark.parametrize("way", [["1"], ["4"], ["5"], ["0"]])
async def test_what_is_being_noted_stays_as_it_is(script: Script, way: list[str]) -> None:
    await script.pick(*way)
    assert isinstance(script.screen, Form)
    assert left(script) == script.screen


async def test_instructions_can_be_read_to_their_end(operateur: Flow) -> None:
    script = Script(operateur, public={**PUBLIC, "script.instructions_changed": True})
    await script.begin()
    assert left(script) == script.screen


@pytest.mark.parametrize("seed", range(12))
async def test_p7_from_everywhere_a_message_is_still_taken_and_the_call_closed(operateur: Flow, seed: int) -> None:
    """Somewhere in the script the caller hangs up; from there on nothing is chosen but what is left."""
    random = Random(seed)
    agenda = EXTERNAL if seed % 2 else {}
    script = Script(operateur, [JEANNE], public={**PUBLIC, **agenda}, practitioners=[MOREAU], free=FREE)
    await script.begin()
    for _ in range(random.randrange(1, 30)):
        if isinstance(script.flow.steps[script.state.step], Dispose):
            break
        if isinstance(script.screen, AtKeys):
            await script.caller_types()
        elif script.state.step == "identify":
            await script.claim("14031962")
        else:
            await script.pick(random.choice(script.offered))
    for _ in range(8):
        screen = left(script)
        if isinstance(screen, Form):
            break
        assert isinstance(screen, Choice)
        message = next((one for one in screen.options if one.label.prompt == "operator.message"), screen.options[0])
        await script.send(Filled(message.choice))
    if not isinstance(script.flow.steps[script.state.step], Dispose):
        await script.fill(text="Rappeler", urgency="normal")
        assert [one.text for one in script.messages.inbox] == ["Rappeler"]
        await script.send(Filled("0"))
    await script.fill(disposition=Disposition.HUNG_UP.value)
    assert script.finished


def test_a_message_that_stands_in_a_subflow_is_still_offered() -> None:
    """Through the sub-flow, and through one that leads back to whoever takes the message."""
    close = Dispose("close", 0, Disposed.CALL, "bye")
    kept = {
        "1": Way("inside", "noting"),
        "2": Way("behind", "passing"),
        "3": Way("nothing", "book"),
        "0": Way("end", "close"),
    }
    steps: list[Step] = [
        Pick("reason", 0, "reason", kept),
        Run("noting", 0, "notes", {"done": "close"}),
        Run("passing", 0, "passes", {"done": "message"}),
        TakeMessage("message", 0, MessageKind.CALLBACK, "close", "close"),
        Book("book", 0, "close", "close", "close", "close"),
        close,
        End("bye", 0, None),
        TakeMessage("note", 0, MessageKind.CALLBACK, "noted", "noted"),
        Leave("noted", 0, "done"),
        Leave("passed", 0, "done"),
    ]
    parts = {
        "notes": Subflow("notes", "notes.yaml", "note", frozenset({"note", "noted"})),
        "passes": Subflow("passes", "passes.yaml", "passed", frozenset({"passed"})),
    }
    named = {step.name: step for step in steps}
    flow = Flow("f", Channel.CONSOLE, "f.yaml", "reason", "reason", named, "00", subflows=parts)
    screen = Choice((), tuple(Option(key, key) for key in kept))
    stands = alone(flow, State("reason", Phase.KEY), screen, BOOK)
    assert isinstance(stands, Choice)
    assert [option.choice for option in stands.options] == ["1", "2", "0"]
