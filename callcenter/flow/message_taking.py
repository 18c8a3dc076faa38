"""The step ``take_message``: a reason by key, a number, and the practice calls back. Needs no verification.

This is where every refusal ends while no person answers, so it gives up late: only a caller whose number is withheld
and who types none leaves without a message.
"""

from __future__ import annotations

from callcenter.flow.conversation import SECONDS_FOR_A_CHOICE, Keyed
from callcenter.flow.keypad import (
    NONSENSE_PROMPT,
    AskAgain,
    Begun,
    Cause,
    DigitQuestion,
    Digits,
    GaveUp,
    count,
    menu_cause,
    since_star,
)
from callcenter.flow.outcomes import Left, Outcome, Scene, Waiting
from callcenter.flow.ports import CallbackRequest
from callcenter.flow.state import Phase, State
from callcenter.speech import typed

# Names under which answers are kept. A step ``ask`` with ``into: number`` before this one replaces its question.
REASON = "reason"
NUMBER = "number"

_REASONS = {"1": "appointment", "2": "prescription", "3": "administrative", "4": "other"}
_UNSPECIFIED = "unspecified"
_REASON_PROMPT = "callback.reason"
_THIS_NUMBER = "1"

_NUMBER = DigitQuestion("callback.number", again=("callback.number_again",), digits=10)
_NUMBER_OR_THIS = DigitQuestion("callback.number_or_this", again=("callback.number_again",), digits=10)


def enter(state: State, scene: Scene) -> Outcome:
    """Ask the reason."""
    return _ask_reason(state.asking(Phase.REASON), scene)


async def answer(state: State, keyed: Keyed, scene: Scene) -> Outcome:
    """Take the answer to the question that ``state`` waits at."""
    if state.phase is Phase.REASON:
        return await _reason(state, keyed, scene)
    return await _number(state, keyed, scene)


def _ask_reason(state: State, scene: Scene, *before: str) -> Waiting:
    return Waiting(scene.question(*before, _REASON_PROMPT, max_keys=1, seconds=SECONDS_FOR_A_CHOICE), state)


async def _reason(state: State, keyed: Keyed, scene: Scene) -> Outcome:
    if keyed.keys in _REASONS:
        return await _ask_number(state.keeping(REASON, _REASONS[keyed.keys]), scene)
    match count(state, menu_cause(keyed)):
        case GaveUp():
            return await _ask_number(state.keeping(REASON, _UNSPECIFIED), scene)
        case AskAgain(Cause.NONSENSE, counted):
            return _ask_reason(counted, scene, NONSENSE_PROMPT)
        case AskAgain(_, counted):
            return _ask_reason(counted, scene)


async def _ask_number(state: State, scene: Scene) -> Outcome:
    if NUMBER in state.typed:
        return await _leave(state, state.typed[NUMBER], scene)
    return _question(scene).ask(state.asking(Phase.NUMBER), scene)


def _question(scene: Scene) -> DigitQuestion:
    return _NUMBER if scene.world.caller.number is None else _NUMBER_OR_THIS


async def _number(state: State, keyed: Keyed, scene: Scene) -> Outcome:
    this = scene.world.caller.number
    keys = state.begun + keyed.keys
    if this is not None and since_star(keys) in ("", _THIS_NUMBER) and not keys.endswith("*"):
        return await _leave(state, this, scene)
    question = _question(scene)
    match question.read(keyed, state):
        case Begun() as begun:
            return question.go_on(begun, state, scene)
        case Digits(keys):
            number = typed.telephone(keys)
            if isinstance(number, str):
                return await _leave(state, number, scene)
            return await _number_again(Cause.NONSENSE, state, scene)
        case Cause.ESCAPE:
            # Nobody is left to escape to: "#" must not cost a caller the message.
            return await _number_again(Cause.SILENCE, state, scene)
        case Cause() as cause:
            return await _number_again(cause, state, scene)


async def _number_again(cause: Cause, state: State, scene: Scene) -> Outcome:
    asked = _question(scene).ask_again(cause, state, scene)
    if isinstance(asked, Waiting):
        return asked
    if scene.world.caller.number is not None:
        return await _leave(state, scene.world.caller.number, scene)
    return Left("abandoned", state.forgetting(REASON, NUMBER), (scene.line("callback.abandoned"),))


async def _leave(state: State, number: str, scene: Scene) -> Outcome:
    await scene.world.messages.leave(CallbackRequest(state.typed[REASON], number))
    return Left("taken", state.forgetting(REASON, NUMBER), (scene.line("callback.taken"),))
