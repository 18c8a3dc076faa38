"""The step ``prove``: whoever takes a call of ours types the code that was given out in another call (OB-09).

Nothing is said but the question, which names nobody: a machine, or whoever else answers, hears that and no more.
"""

from __future__ import annotations

from dataclasses import replace

from callcenter.flow.conversation import Keyed
from callcenter.flow.keypad import FREE_RESTARTS, Begun, Cause, DigitQuestion, Digits, GaveUp, since_star
from callcenter.flow.language import ProofKind, Prove
from callcenter.flow.outcomes import Left, Outcome, Scene, Waiting
from callcenter.flow.ports import ChallengeOver, CodeRight, CodeWrong, VerificationDown
from callcenter.flow.state import Phase, State

CODE_DIGITS = 4
#: A machine types nothing: the call ends at the second silence.
PROMPTS = 2

_CODE = DigitQuestion("prove.return_call", again=("prove.return_call_again",), digits=CODE_DIGITS, prompts=PROMPTS)


#: The key that somebody presses who is there, and seconds for it.
PRESENCE_KEY, PRESENCE_SECONDS = "1", 8


def enter(step: Prove, state: State, scene: Scene) -> Outcome:
    """Ask for the code, or for a sign of life."""
    if step.by is ProofKind.PRESENCE:
        return _ask_presence(state.asking(Phase.CODE), scene)
    return _CODE.ask(state.asking(Phase.CODE), scene)


def _ask_presence(state: State, scene: Scene) -> Waiting:
    return Waiting(scene.question("prove.presence", max_keys=1, seconds=PRESENCE_SECONDS), state)


def _presence(state: State, keyed: Keyed, scene: Scene) -> Outcome:
    """Any other key, as silence, is asked again, once."""
    if keyed.keys == PRESENCE_KEY:
        return Left("proved", state)
    asked = replace(state, silences=state.silences + 1)
    return Left("refused", state) if asked.silences >= PROMPTS else _ask_presence(asked, scene)


async def answer(step: Prove, state: State, keyed: Keyed, scene: Scene) -> Outcome:
    """Take the code, or the key."""
    if step.by is ProofKind.PRESENCE:
        return _presence(state, keyed, scene)
    match _CODE.read(keyed, state):
        case Begun() as begun:
            return _CODE.go_on(begun, state, scene)
        case Digits(keys):
            return await _check(step, state, keys, scene)
        case Cause.RESTART if state.restarts >= FREE_RESTARTS and since_star(keyed.keys):
            return await _check(step, state, since_star(keyed.keys), scene)
        case Cause() as cause:
            asked = _CODE.ask_again(cause, state, scene)
            return Left("refused", state) if isinstance(asked, GaveUp) else asked


async def _check(step: Prove, state: State, keys: str, scene: Scene) -> Outcome:
    match await scene.world.verifier.check_code(keys):
        case CodeRight(level) if level >= step.level:
            return Left("proved", replace(state, bound={}))
        case CodeWrong():
            afresh = replace(state, begun="")
            return Waiting(
                scene.question("prove.return_call_again", max_keys=CODE_DIGITS, seconds=_CODE.seconds), afresh
            )
        case CodeRight() | ChallengeOver() | VerificationDown():
            return Left("refused", state)
