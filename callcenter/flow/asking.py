"""The steps ``choose`` (one key of a menu) and ``ask`` (digits that the caller knows)."""

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
)
from callcenter.flow.language import Ask, Choose
from callcenter.flow.outcomes import Left, Outcome, Scene, Waiting
from callcenter.flow.state import Phase, State
from callcenter.speech import typed


def enter_choose(step: Choose, state: State, scene: Scene) -> Outcome:
    """Say the menu."""
    return _ask_choice(step, state.asking(Phase.KEY), scene)


def answer_choose(step: Choose, state: State, keyed: Keyed, scene: Scene) -> Outcome:
    """Take the key."""
    if keyed.keys in step.keys:
        return Left(f"key {keyed.keys}", state)
    match count(state, menu_cause(keyed)):
        case GaveUp(Cause.NONSENSE):
            return Left("nonsense", state)
        case GaveUp():
            return Left("silence", state)
        case AskAgain(Cause.NONSENSE, counted):
            return _ask_choice(step, counted, scene, NONSENSE_PROMPT)
        case AskAgain(_, counted):
            return _ask_choice(step, counted, scene)


def enter_ask(step: Ask, state: State, scene: Scene) -> Outcome:
    """Ask for the digits."""
    return _digit_question(step).ask(state.asking(Phase.DIGITS), scene)


def answer_ask(step: Ask, state: State, keyed: Keyed, scene: Scene) -> Outcome:
    """Take the digits."""
    question = _digit_question(step)
    match question.read(keyed, state):
        case Begun() as begun:
            return question.go_on(begun, state, scene)
        case Digits(keys):
            telephone = typed.telephone(keys)
            if isinstance(telephone, str):
                return Left("then", state.keeping(step.into, telephone))
            cause = Cause.NONSENSE
        case Cause() as cause:
            pass
    match question.ask_again(cause, state, scene):
        case GaveUp(Cause.NONSENSE):
            return Left("nonsense", state)
        case GaveUp():
            return Left("silence", state)
        case Waiting() as waiting:
            return waiting


def _ask_choice(step: Choose, state: State, scene: Scene, *before: str) -> Waiting:
    return Waiting(scene.question(*before, step.prompt, max_keys=1, seconds=SECONDS_FOR_A_CHOICE), state)


def _digit_question(step: Ask) -> DigitQuestion:
    # AskKind has one kind: a telephone, ten digits.
    return DigitQuestion(step.prompt, again=(NONSENSE_PROMPT, step.prompt), digits=10)
