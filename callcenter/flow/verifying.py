"""The step ``verify``: birth date, telephone, code.

The questions, their number and their words follow from what the caller typed and from whether the number is withheld,
and from nothing else: a caller cannot tell a known patient from an unknown one (P6).
"""

from __future__ import annotations

from dataclasses import replace

from callcenter.flow import claiming
from callcenter.flow.claiming import Claimed
from callcenter.flow.conversation import Keyed
from callcenter.flow.keypad import FREE_RESTARTS, Begun, Cause, DigitQuestion, Digits, GaveUp, since_star
from callcenter.flow.language import Verify
from callcenter.flow.outcomes import Left, Outcome, Scene, Waiting
from callcenter.flow.ports import (
    ChallengeOver,
    CodeRight,
    CodeSent,
    CodeWrong,
    NoMoreCodes,
    VerificationDown,
)
from callcenter.flow.state import Phase, State

#: A code has to arrive, be found and be read: a caller gets this many prompts of this many seconds, all alike.
CODE_PROMPTS = 4
CODE_SECONDS = 15
CODE_DIGITS = 6

_CODE = DigitQuestion(
    "verify.code", again=("verify.code_wrong",), digits=CODE_DIGITS, seconds=CODE_SECONDS, prompts=CODE_PROMPTS
)


async def enter(step: Verify, state: State, scene: Scene) -> Outcome:
    """Live evidence answers at once; otherwise the first question is asked, or, if an operator was told who it is, a
    code is sent."""
    if await scene.world.verifier.standing() >= step.level:
        return Left("verified", claiming.forgetting(state))
    told = claiming.taken(state)
    return claiming.ask(state, scene) if told is None else await _open_challenge(told, scene)


async def answer(step: Verify, state: State, keyed: Keyed, scene: Scene) -> Outcome:
    """Take the answer to the question that ``state`` waits at."""
    if state.phase is Phase.CODE:
        return await _code(step, state, keyed, scene)
    match claiming.answer(state, keyed, scene):
        case Claimed() as claimed:
            return await _open_challenge(claimed, scene)
        case GaveUp(cause):
            return _gave_up(cause, state, scene)
        case waiting:
            return waiting


async def _open_challenge(claimed: Claimed, scene: Scene) -> Outcome:
    used = claimed.state
    match await scene.world.verifier.open_challenge(claimed.born, claimed.telephone):
        case CodeSent():
            return _CODE.ask(used.asking(Phase.CODE), scene)
        case NoMoreCodes():
            return _failed(used, scene)
        case VerificationDown():
            return _unavailable(used, scene)


async def _code(step: Verify, state: State, keyed: Keyed, scene: Scene) -> Outcome:
    match _CODE.read(keyed, state):
        case Begun() as begun:
            return _CODE.go_on(begun, state, scene)
        case Digits(keys) if len(keys) <= CODE_DIGITS:
            return await _check(step, state, keys, scene)
        case Digits():
            return _again(_CODE, Cause.NONSENSE, state, scene)
        case Cause.RESTART if state.restarts >= FREE_RESTARTS and since_star(keyed.keys):
            # No free restart is left: it is a try like any other, and tries are the verifier's to count (OB-03).
            return await _check(step, state, since_star(keyed.keys), scene)
        case Cause() as cause:
            return _again(_CODE, cause, state, scene)


async def _check(step: Verify, state: State, keys: str, scene: Scene) -> Outcome:
    match await scene.world.verifier.check_code(keys):
        case CodeRight(level) if level >= step.level:
            # What was bound before belonged to whoever was verified then.
            return Left("verified", replace(state, bound={}))
        case CodeWrong():
            afresh = replace(state, begun="")
            return Waiting(scene.question("verify.code_wrong", max_keys=CODE_DIGITS, seconds=CODE_SECONDS), afresh)
        case CodeRight() | ChallengeOver():
            return _failed(state, scene)
        case VerificationDown():
            return _unavailable(state, scene)


def _again(question: DigitQuestion, cause: Cause, state: State, scene: Scene) -> Outcome:
    asked = question.ask_again(cause, state, scene)
    return _gave_up(asked.cause, state, scene) if isinstance(asked, GaveUp) else asked


def _gave_up(cause: Cause, state: State, scene: Scene) -> Left:
    forgotten = claiming.forgetting(state)
    if state.phase is not Phase.CODE and cause in (Cause.SILENCE, Cause.ESCAPE):
        # The caller chose not to be verified: there is no failure to speak of.
        return Left("refused", forgotten)
    return _failed(forgotten, scene)


def _failed(state: State, scene: Scene) -> Left:
    return Left("refused", state, (scene.line("verify.failed"),))


def _unavailable(state: State, scene: Scene) -> Left:
    return Left("unavailable", state, (scene.line("verify.unavailable"),))
