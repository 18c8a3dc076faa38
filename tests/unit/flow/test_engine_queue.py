"""A caller who waits for an operator: nothing that was proved survives a talk, every wait leads on, time waits too."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from callcenter.flow.conversation import Dequeued, Dialled, HangUp, Keyed, Line, Question, Queueing, Rang
from callcenter.flow.engine import LAST_AFTER, LAST_TURN, FlowStuck
from callcenter.flow.language import Choose, End, Flow, MessageKind, Pace, Queue, QueueFor, Say, Speak, TakeMessage
from callcenter.flow.ports import Parted
from callcenter.flow.proof import guaranteed
from callcenter.flow.queueing import TURNS_TO_WAIT_AGAIN
from callcenter.flow.state import Phase, State
from callcenter.kernel.levels import Channel, Level
from tests.unit.flow.doubles import Call

FLOW = Flow(
    "essai",
    Channel.VOICE,
    "essai.yaml",
    "welcome",
    "person",
    {
        step.name: step
        for step in (
            Say("welcome", 1, "welcome", "person"),
            Queue("person", 2, QueueFor.OPERATORS, "talked", "ask_call", "rung", "nobody", keypad="slowly"),
            End("talked", 3, None),
            End("rung", 3, "kept"),
            Say("nobody", 4, "nobody", "ask"),
            Choose("ask", 5, "ask", {"0": "person", "6": "slowly"}, "bye", "bye"),
            TakeMessage("ask_call", 6, MessageKind.CALLBACK, "bye", "bye"),
            Speak("slowly", 7, "en", Pace.SLOW, True, "person"),
            End("bye", 8, "goodbye"),
        )
    },
    "00",
)


def calling() -> Call:
    """A call while an operator is on duty."""
    call = Call(FLOW)
    call.lobby.admits = True
    return call


async def test_whoever_waits_hears_what_was_to_be_said_before_and_then_waits() -> None:
    call = calling()
    reply = await call.ring()
    assert reply.then == Queueing((Line("welcome", "[welcome]"),), "waiting")
    assert (call.state.phase, call.state.away_since) == (Phase.QUEUED, call.now)


async def test_where_nobody_waits_what_it_is_about_is_not_asked_again_and_nothing_else_is_kept() -> None:
    call = calling()
    call.lobby.admits = False
    bound, typed = {"appointment": UUID(int=1)}, {"reason": "appointment", "born": "1962-03-14"}
    call.state = replace(call.state, bound=bound, typed=typed)
    await call.ring()
    assert (call.state.step, call.state.bound, call.state.typed) == ("ask", {}, {"reason": "appointment"})


@pytest.mark.parametrize(
    ("parted", "outlet"),
    [
        (Parted.CONNECTED, "talked"),
        (Parted.MESSAGE, "ask_call"),
        (Parted.CALLBACK, "rung"),
        (Parted.UNANSWERED, "nobody"),
        (Parted.KEYPAD, "slowly"),
    ],
)
async def test_each_end_of_a_wait_has_its_outlet(parted: Parted, outlet: str) -> None:
    call = calling()
    await call.ring()
    call.lobby.parts = parted
    await call.send(Dequeued(met=True))
    assert call.visited[1] == ("person", parted.value)
    assert FLOW.steps["person"].outlets()[parted.value] == outlet


async def test_two_who_have_talked_hear_nothing_more() -> None:
    call = calling()
    await call.ring()
    call.lobby.parts = Parted.CONNECTED
    reply = await call.send(Dequeued(met=True))
    assert (reply.before, reply.then) == ((), HangUp())


async def test_whoever_is_cut_off_waits_again_at_once() -> None:
    call = calling()
    await call.ring()
    call.lobby.parts = Parted.CUT_OFF
    reply = await call.send(Dequeued(met=True))
    assert reply.then == Queueing((), "waiting")
    assert len(call.lobby.entered) == 2


async def test_p7_nobody_is_cut_off_and_waits_again_for_ever() -> None:
    call = calling()
    await call.ring()
    call.lobby.parts = Parted.CUT_OFF
    for _ in range(TURNS_TO_WAIT_AGAIN):
        reply = await call.send(Dequeued(met=True))
        if isinstance(reply.then, Question):
            break
    assert call.heard()[-2:] == ["nobody", "ask"]


async def test_p7_where_nobody_can_be_waited_for_the_call_goes_on() -> None:
    call = calling()
    call.lobby.admits = False
    reply = await call.ring()
    assert call.heard() == ["welcome", "nobody", "ask"]
    assert isinstance(reply.then, Question)


async def test_the_queue_is_told_how_the_caller_is_spoken_to() -> None:
    call = calling()
    call.lobby.admits = False
    await call.ring()
    call.lobby.admits = True
    await call.send(Keyed("6"))
    assert call.lobby.entered == [("en", True)]


@pytest.mark.parametrize("parted", list(Parted))
async def test_p2_nothing_that_was_found_or_typed_is_kept_by_whoever_met_somebody(parted: Parted) -> None:
    call = calling()
    call.state = call.state.binding("appointment", UUID(int=1)).keeping("reason", "other")
    call.verifier.level = Level.STRONG
    await call.ring()
    call.lobby.parts = parted
    await call.send(Dequeued(met=True))
    assert (call.state.bound, call.state.typed) == ({}, {})
    talked = parted in (Parted.CONNECTED, Parted.CUT_OFF)
    assert call.verifier.level is (Level.UNKNOWN if talked else Level.STRONG)


@pytest.mark.parametrize("admits", [True, False])
async def test_whoever_has_only_waited_need_not_say_again_what_the_call_is_about(admits: bool) -> None:
    call = calling()
    call.lobby.admits = admits
    call.state = call.state.keeping("reason", "other")
    await call.ring()
    if admits:
        await call.send(Dequeued(met=False))
    assert call.state.typed == {"reason": "other"}


def test_p2_the_proof_builds_on_nothing_from_before_a_wait() -> None:
    assert all(guaranteed(FLOW)[name] == frozenset() for name in ("talked", "nobody", "ask", "ask_call"))


async def test_p7_the_time_of_a_wait_is_none_of_the_calls() -> None:
    call = calling()
    await call.ring()
    call.now += LAST_AFTER * 3
    await call.send(Dequeued(met=True))
    assert call.heard()[-2:] == ["nobody", "ask"]
    call.now += LAST_AFTER + timedelta(seconds=1)
    await call.send(Keyed(""))
    assert call.heard()[-1] == "engine.farewell"


async def test_p7_a_long_call_that_comes_back_ends() -> None:
    call = calling()
    await call.ring()
    call.state = replace(call.state, turns=LAST_TURN)
    await call.send(Dequeued(met=True))
    assert call.heard()[-1] == "engine.farewell"
    assert call.ended


async def test_keys_and_lines_are_no_end_of_a_wait() -> None:
    call = calling()
    await call.ring()
    for event in (Keyed("1"), Dialled(Rang.TALKED)):
        with pytest.raises(FlowStuck):
            await call.send(event)


async def test_nobody_leaves_a_queue_twice() -> None:
    call = calling()
    await call.ring()
    await call.send(Dequeued(met=True))
    with pytest.raises(FlowStuck):
        await call.send(Dequeued(met=True))


async def test_where_a_wait_began_outlives_two_webhooks() -> None:
    call = calling()
    await call.ring()
    assert State.from_json(call.state.to_json()) == call.state
