"""Advance an operator's script by one answer: the walk, the state and the proof of a caller's flow, on a screen.

An operator is asked as often as it takes: no question counts its tries. A script is bounded as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from callcenter.flow import (
    common,
    script_booking,
    script_choosing,
    script_disposing,
    script_files,
    script_messages,
    script_verifying,
)
from callcenter.flow.conversation import Line, Started
from callcenter.flow.language import (
    Book,
    Branch,
    Do,
    End,
    Find,
    Flow,
    Go,
    Move,
    Say,
    Step,
    Switch,
    TakeMessage,
    Verify,
)
from callcenter.flow.outcomes import Asking, Ended, Left, Prompts, ScriptOutcome, ScriptScene
from callcenter.flow.screens import Filled, Finished, Returned, Screen, ScriptEvent
from callcenter.flow.script_disposing import SUGGESTED, suggesting
from callcenter.flow.script_forms import NotOffered
from callcenter.flow.script_language import Declare, Dispose, Disposition, Forget, Pick, Reveal, Show
from callcenter.flow.script_ports import ScriptWorld
from callcenter.flow.state import Phase, State, initial
from callcenter.flow.walking import FlowStuck, Walked, begin, step_of, walk

__all__ = ["FlowStuck", "NotOffered", "ScriptTurn", "advance_script", "initial"]

#: At this many events a script is led to the step that closes it, once.
LEAD_EVENT = 480
#: At this many it is over: nobody answers so often, and each answer writes rows.
LAST_EVENT = 500

LIMIT_PROMPT, OVER_PROMPT = "script.limit", "script.over"
PROMPTS = (LIMIT_PROMPT, OVER_PROMPT)


@dataclass(frozen=True, slots=True)
class ScriptTurn:
    """What one answer led to.

    Arguments:
        screen: what the operator meets next. It is kept by whoever runs the script: looking again is no event.
        state: where the script stands now.
        visited: (step, outlet) taken, in order.
    """

    screen: Screen
    state: State
    visited: tuple[tuple[str, str], ...]


async def advance_script(flow: Flow, book: Prompts, state: State, event: ScriptEvent, world: ScriptWorld) -> ScriptTurn:
    """Take one event.

    Arguments:
        flow: of the channel ``console``, proven.
        book: its prompts.
        state: :func:`initial`, or what the last turn left.
        event: ``Started`` once, then ``Filled``, or ``Returned`` where the caller was at their keys.
        world: the ports, for this turn.

    Raises:
        NotOffered: the screen that stands has no such option; nothing was done, and the state stays as it was.
        FlowStuck: the event does not fit the state, or the flow goes round in circles.
    """
    counted = replace(state, turns=state.turns + 1)
    scene = ScriptScene(book, world, state.manner)
    walked = await walk(flow, await _take(flow, counted, event, scene), scene, _enter)
    walked = await _within_bounds(flow, walked, scene)
    lines = tuple(words for words in walked.said if isinstance(words, Line))
    if isinstance(walked.stop, Ended):
        return ScriptTurn(Finished(lines), replace(walked.stop.state, typed={}, bound={}), walked.visited)
    screen = replace(walked.stop.screen, lines=lines + walked.stop.screen.lines, way=len(lines))
    return ScriptTurn(screen, walked.stop.state, walked.visited)


async def _take(flow: Flow, state: State, event: ScriptEvent, scene: ScriptScene) -> ScriptOutcome:
    step = step_of(flow, state)
    match event:
        case Started():
            if state.turns > 1:
                raise FlowStuck("a script that is under way cannot start")
            return await begin(flow, replace(state, started_at=scene.world.now), scene, _enter)
        case Filled():
            if state.phase is Phase.NONE:
                raise FlowStuck("a screen was answered where none was shown")
            return await _answer(step, state, event, scene)
        case Returned():
            if state.phase is not Phase.AT_KEYS or not isinstance(step, Verify):
                raise FlowStuck("a caller is back who was not at their keys")
            return await script_verifying.returned(step, state, scene)


async def _within_bounds(flow: Flow, walked: Walked[Asking], scene: ScriptScene) -> Walked[Asking]:
    state = walked.stop.state
    if isinstance(walked.stop, Ended) or state.turns < LEAD_EVENT:
        return walked
    if state.turns >= LAST_EVENT:
        return replace(walked, stop=Ended(state.at(state.step)), said=(*walked.said, scene.line(OVER_PROMPT)))
    if state.limited or isinstance(step_of(flow, state), Dispose):
        return walked
    led = replace(_only_suggesting(state).led_to(flow.person), limited=True)
    onward = await walk(flow, await begin(flow, led, scene, _enter), scene, _enter)
    said = (*walked.said, scene.line(LIMIT_PROMPT), *onward.said)
    return Walked(onward.stop, said, walked.visited + onward.visited)


async def _enter(step: Step, state: State, scene: ScriptScene) -> ScriptOutcome:
    match step:
        case Show():
            return script_choosing.enter_show(state, scene)
        case Pick():
            return script_choosing.enter_pick(step, state, scene)
        case Verify():
            return await script_verifying.enter(step, state, scene)
        case Find():
            left = await common.find(step, state, scene.world.record)
            return script_files.withheld(left.state, scene) if left.outlet == script_files.WITHHELD else left
        case Reveal():
            return script_files.enter_reveal(step, state, scene)
        case Declare():
            return script_files.enter_declare(step, state, scene)
        case Do():
            return await _do(step, state, scene)
        case Book():
            return await script_booking.enter_book(state, scene)
        case Move():
            return await script_booking.enter_move(step, state, scene)
        case TakeMessage():
            return await script_messages.enter(step, state, scene)
        case Forget():
            return await _forget(state, scene)
        case Dispose():
            return script_disposing.enter(state, scene)
        case Say():
            return Left("then", state, scene.lines(step.prompt))
        case Branch():
            return Left(common.branch(step, scene.world.public), state)
        case Switch():
            return Left(common.case(step, scene.world.public), state)
        case Go():
            return Left("go", state)
        case End():
            return Ended(state, () if step.prompt is None else (scene.line(step.prompt),))
        case _:
            raise FlowStuck(f"step {step.name} is for a caller's keypad")


async def _answer(step: Step, state: State, filled: Filled, scene: ScriptScene) -> ScriptOutcome:
    match step:
        case Show():
            return await script_choosing.answer_show(step, state, filled, scene)
        case Pick():
            return script_choosing.answer_pick(step, state, filled)
        case Verify():
            return await script_verifying.answer(step, state, filled, scene)
        case Reveal():
            return await script_files.answer_reveal(step, state, filled, scene)
        case Declare():
            return await script_files.answer_declare(step, state, filled, scene)
        case Book():
            return await script_booking.answer_book(step, state, filled, scene)
        case Move():
            return await script_booking.answer_move(step, state, filled, scene)
        case TakeMessage():
            return await script_messages.answer(step, state, filled, scene)
        case Dispose():
            return await script_disposing.answer(state, filled, scene)
        case _:
            raise FlowStuck(f"step {step.name} asks nothing")


_SUGGESTED_BY = {"cancel_appointment": Disposition.CANCELLED, "confirm_appointment": Disposition.TOLD}


async def _do(step: Do, state: State, scene: ScriptScene) -> Left:
    left = await common.do(step, state, scene.world.record)
    if left.outlet != "done":
        return left
    return replace(left, state=suggesting(left.state, _SUGGESTED_BY[step.act]))


async def _forget(state: State, scene: ScriptScene) -> Left:
    """P2: neither what was proved nor what was found is about whoever is spoken of next."""
    await scene.world.verifier.forget()
    return Left("then", _only_suggesting(state))


def _only_suggesting(state: State) -> State:
    """``state`` with nothing but what the call may be closed with, which names nobody."""
    kept = {SUGGESTED: state.typed[SUGGESTED]} if SUGGESTED in state.typed else {}
    return replace(state.emptied(), typed=kept)
