"""Advance a call by one event: a pure function but for the ports that it is handed.

A step is entered, or takes an answer; it is left by an outlet, or waits, or ends the call. The outlet leads to the
next step, in the same turn. Every call ends (P7): each question is asked a bounded number of times, and the whole call
has a bounded number of turns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from callcenter.flow import (
    asking,
    booking,
    common,
    connecting,
    message_taking,
    proving,
    queueing,
    reaching_out,
    referring,
    verifying,
)
from callcenter.flow.conversation import (
    Dequeued,
    Dialled,
    Event,
    HangUp,
    Keyed,
    Line,
    Recorded,
    Reply,
    Started,
)
from callcenter.flow.language import (
    Act,
    Ask,
    Book,
    Branch,
    Card,
    Choose,
    Connect,
    Disclose,
    Do,
    End,
    Find,
    Flow,
    Go,
    Move,
    Prove,
    Queue,
    ReachOut,
    Reference,
    Say,
    Speak,
    Step,
    Switch,
    TakeMessage,
    Verify,
)
from callcenter.flow.outcomes import Ended, Left, Outcome, Prompts, Scene, Waiting
from callcenter.flow.ports import Done, Failed, Told, Withheld, World
from callcenter.flow.script_language import Declare, Dispose, Forget, Pick, Reveal, Show
from callcenter.flow.state import AWAY, SLOT, Manner, Phase, State, initial
from callcenter.flow.subflow_language import Leave, Run
from callcenter.flow.walking import FlowStuck, Walked, begin, step_of, walk

__all__ = ["FlowStuck", "Turn", "advance", "initial"]

#: At this many events a call has grown too long: it is led to a person, once.
LEAD_TO_A_PERSON = 40
#: At this many it ends, so that with the carrier's own requests it stays within 60 (P7).
LAST_TURN = 52
#: The same two bounds in time. No question and no spoken message lasts three minutes, so that a call ends within 15.
LEAD_AFTER = timedelta(minutes=9)
LAST_AFTER = timedelta(minutes=12)

LIMIT_PROMPT = "engine.limit"
FAREWELL_PROMPT = "engine.farewell"

_CallerWalked = Walked[Waiting]


@dataclass(frozen=True, slots=True)
class Turn:
    """What one event led to.

    Arguments:
        reply: what the caller meets next.
        state: where the call stands now.
        visited: (step, outlet) taken, in order. Being led to a person because the call is long is no outlet: it shows
            as a line ``engine.limit`` in the reply.
    """

    reply: Reply
    state: State
    visited: tuple[tuple[str, str], ...]


async def advance(flow: Flow, book: Prompts, state: State, event: Event, world: World) -> Turn:
    """Take one event.

    Arguments:
        flow: proven.
        book: its prompts.
        state: :func:`initial`, or what the last turn left.
        event: ``Started`` once, then ``Keyed``, ``Recorded`` where a message is spoken, ``Dialled`` where the call was
            put through, or ``Dequeued`` where an operator was waited for.
        world: the ports, for this turn.

    Raises:
        FlowStuck: the event does not fit the state, or the flow goes round in circles.
    """
    counted = replace(state, turns=state.turns + 1)
    scene = Scene(book, world, state.manner)
    walked = await walk(flow, await _take(flow, counted, event, scene), scene, _enter)
    walked = await _within_bounds(flow, walked, scene)
    stands = walked.stop.state
    if isinstance(walked.stop, Ended):
        stands = replace(stands, typed={})  # personal data that nothing will use any more
    return Turn(_reply(walked), stands, walked.visited)


# --- the walk


async def _take(flow: Flow, state: State, event: Event, scene: Scene) -> Outcome:
    match event:
        case Started():
            if state.turns > 1:
                raise FlowStuck("a call that is under way cannot start")
            return await begin(flow, replace(state, started_at=scene.world.now), scene, _enter)
        case Keyed():
            if state.phase is Phase.NONE or state.phase in AWAY:
                raise FlowStuck("keys were typed where nothing was asked")
            return await _answer(step_of(flow, state), state, event, scene)
        case Recorded():
            if state.phase is not Phase.RECORDING:
                raise FlowStuck("a message was spoken where none was asked for")
            return await message_taking.recorded(_message_step(flow, state), state, event, scene)
        case Dialled():
            if state.phase is not Phase.RINGING:
                raise FlowStuck("a line was rung where none was to be")
            return await connecting.dialled(state.back(scene.world.now), event, scene)
        case Dequeued():
            if state.phase is not Phase.QUEUED:
                raise FlowStuck("somebody waits no more who was not waiting")
            return await queueing.dequeued(state.back(scene.world.now), event, scene)


async def _within_bounds(flow: Flow, walked: _CallerWalked, scene: Scene) -> _CallerWalked:
    state = walked.stop.state
    if state.phase in AWAY:
        # It stands on record that a line rings or somebody waits; either comes back to us, or the call is over.
        return walked
    scene = replace(scene, manner=state.manner)
    lasted = scene.world.now - (state.started_at or scene.world.now)
    if isinstance(walked.stop, Ended) or (state.turns < LEAD_TO_A_PERSON and lasted < LEAD_AFTER):
        return walked
    if state.turns >= LAST_TURN or lasted >= LAST_AFTER:
        farewell = scene.line(FAREWELL_PROMPT)
        return replace(walked, stop=Ended(state.at(state.step)), said=(*walked.said, farewell))
    if state.limited or isinstance(step_of(flow, state), TakeMessage):
        # Whoever is leaving a message is at the end of the way already.
        return walked
    led = replace(state.led_to(flow.person), limited=True, typed={})
    onward = await walk(flow, await begin(flow, led, scene, _enter), scene, _enter)
    said = (*walked.said, scene.line(LIMIT_PROMPT), *onward.said)
    return Walked(onward.stop, said, walked.visited + onward.visited)


def _message_step(flow: Flow, state: State) -> TakeMessage:
    step = step_of(flow, state)
    if not isinstance(step, TakeMessage):
        raise FlowStuck(f"step {step.name} takes no message")
    return step


def _reply(walked: _CallerWalked) -> Reply:
    match walked.stop:
        case Ended():
            return Reply(walked.said, HangUp())
        case Waiting(question):
            patient_words = (at for at, words in enumerate(walked.said, start=1) if not isinstance(words, Line))
            heard_whole = max(patient_words, default=0)
            lines = tuple(words for words in walked.said[heard_whole:] if isinstance(words, Line))
            return Reply(walked.said[:heard_whole], replace(question, lines=lines + question.lines))


# --- one step


async def _enter(step: Step, state: State, scene: Scene) -> Outcome:
    match step:
        case Say():
            return Left("then", state, scene.lines(step.prompt))
        case Choose():
            return asking.enter_choose(step, state, scene)
        case Ask():
            return asking.enter_ask(step, state, scene)
        case Verify():
            return await verifying.enter(step, state, scene)
        case Find():
            return await common.find(step, state, scene.world.record)
        case Disclose():
            return await _disclose(step, state, scene)
        case Do(act=Act.CANCEL_SLOT):
            return await _cancel_slot(state, scene)
        case Do():
            return await common.do(step, state, scene.world.record)
        case TakeMessage():
            return await message_taking.enter(step, state, scene)
        case Branch():
            return Left(common.branch(step, scene.world.public), state)
        case Switch():
            return Left(common.case(step, scene.world.public), state)
        case Speak():
            return Left("then", _spoken_to(step, state))
        case Go():
            return Left("go", state)
        case End():
            return Ended(state, () if step.prompt is None else (scene.line(step.prompt),))
        case Queue():
            return await queueing.enter(state, scene)
        case Connect():
            return await connecting.enter(state, scene)
        case ReachOut():
            return reaching_out.enter(state, scene)
        case Prove():
            return proving.enter(step, state, scene)
        case Book():
            return await booking.enter_book(state, scene)
        case Move():
            return await booking.enter_move(state, scene)
        case Reference():
            return referring.enter_reference(state, scene)
        case Card():
            return await referring.enter_card(state, scene)
        case Show() | Pick() | Reveal() | Declare() | Forget() | Dispose():
            raise FlowStuck(f"step {step.name} is for an operator's screen")
        case Run() | Leave():
            raise FlowStuck(f"step {step.name} is walked through, and not entered")


async def _answer(step: Step, state: State, keyed: Keyed, scene: Scene) -> Outcome:
    match step:
        case Choose():
            return asking.answer_choose(step, state, keyed, scene)
        case Ask():
            return asking.answer_ask(step, state, keyed, scene)
        case Verify():
            return await verifying.answer(step, state, keyed, scene)
        case TakeMessage():
            return await message_taking.answer(step, state, keyed, scene)
        case ReachOut():
            return await reaching_out.answer(step, state, keyed, scene)
        case Prove():
            return await proving.answer(step, state, keyed, scene)
        case Book():
            return await booking.answer_book(state, keyed, scene)
        case Move():
            return await booking.answer_move(state, keyed, scene)
        case Reference():
            return await referring.answer_reference(state, keyed, scene)
        case Card():
            return await referring.answer_card(state, keyed, scene)
        case _:
            raise FlowStuck(f"step {step.name} asks nothing")


async def _disclose(step: Disclose, state: State, scene: Scene) -> Outcome:
    match await _told(step, state, scene):
        case Told(words):
            return Left("then", state, (words,))
        case Withheld():
            return Left("withheld", state)


async def _told(step: Disclose, state: State, scene: Scene) -> Told | Withheld:
    """Words of a slot are its card's to open; all others are the verified patient's."""
    prompt = scene.book.said(step.prompt, state.manner.language)
    if not any(field.startswith(f"{SLOT}.") for field in prompt.fields):
        return await scene.world.record.tell(step.prompt, state.bound, state.manner.language)
    slot = state.bound.get(SLOT)
    if slot is None:
        return Withheld()
    return await scene.world.references.tell(step.prompt, slot, state.manner.language)


def _spoken_to(step: Speak, state: State) -> State:
    manner = state.manner
    return replace(
        state,
        manner=Manner(step.language or manner.language, step.pace or manner.pace, step.relay or manner.relay),
    )


async def _cancel_slot(state: State, scene: Scene) -> Outcome:
    slot = state.bound.get(SLOT)
    if slot is None:
        raise FlowStuck("a slot is to be cancelled, and no reference leads to one")
    match await scene.world.references.cancel(slot):
        case Done():
            return Left("done", state.unbinding(SLOT))
        case Failed():
            return Left("failed", state)
