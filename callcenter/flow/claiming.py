"""The questions that ask who it is about: birth date, then the telephone, unless the calling number is shown.

They are asked in one way wherever they are asked, so that no step tells by its questions who is on file (P6).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from callcenter.flow.conversation import Keyed
from callcenter.flow.keypad import Begun, Cause, DigitQuestion, Digits, GaveUp
from callcenter.flow.outcomes import Scene, Waiting
from callcenter.flow.state import Phase, State
from callcenter.speech import typed

# Names under which answers are kept. A step ``ask`` with ``into: telephone`` before this one replaces its question.
BIRTH_DATE = "birth_date"
TELEPHONE = "telephone"

# The same, as an operator was told them by the caller whom they talk with: then nobody is asked for them once more.
TOLD_BIRTH_DATE = "told_birth_date"
TOLD_TELEPHONE = "told_telephone"

_BIRTH_DATE = DigitQuestion("verify.birth_date", again=("verify.birth_date_again",), digits=8)
_TELEPHONE = DigitQuestion("verify.telephone", again=("verify.telephone_again",), digits=10)


@dataclass(frozen=True, slots=True)
class Claimed:
    """Who it is about, as the caller says.

    Arguments:
        telephone: E.164.
        state: without what was typed.
    """

    born: date
    telephone: str
    state: State


def told(state: State, born: date, telephone: str) -> State:
    """``state`` with what an operator was told, and nothing of what was found or typed before: it may have been about
    somebody else (P2).

    Arguments:
        telephone: E.164.
    """
    return state.emptied().keeping(TOLD_BIRTH_DATE, born.isoformat()).keeping(TOLD_TELEPHONE, telephone)


def still_told(state: State) -> State:
    """``state`` with what an operator was told alone, if they were."""
    kept = {name: state.typed[name] for name in (TOLD_BIRTH_DATE, TOLD_TELEPHONE) if name in state.typed}
    return replace(state.emptied(), typed=kept)


def taken(state: State) -> Claimed | None:
    """What an operator was told, once: it is claimed as if it had been typed."""
    if TOLD_BIRTH_DATE not in state.typed or TOLD_TELEPHONE not in state.typed:
        return None
    born, telephone = date.fromisoformat(state.typed[TOLD_BIRTH_DATE]), state.typed[TOLD_TELEPHONE]
    return Claimed(born, telephone, forgetting(state))


def ask(state: State, scene: Scene) -> Waiting:
    """Ask the first question."""
    return _BIRTH_DATE.ask(state.asking(Phase.BIRTH_DATE), scene)


def answer(state: State, keyed: Keyed, scene: Scene) -> Waiting | Claimed | GaveUp:
    """Take the answer to the question that ``state`` waits at."""
    return _telephone(state, keyed, scene) if state.phase is Phase.TELEPHONE else _birth_date(state, keyed, scene)


def _birth_date(state: State, keyed: Keyed, scene: Scene) -> Waiting | Claimed | GaveUp:
    match _BIRTH_DATE.read(keyed, state):
        case Begun() as begun:
            return _BIRTH_DATE.go_on(begun, state, scene)
        case Digits(keys):
            born = typed.birth_date(keys, scene.world.now.date())
            if not isinstance(born, date):
                return _BIRTH_DATE.ask_again(Cause.NONSENSE, state, scene)
            kept = state.keeping(BIRTH_DATE, born.isoformat())
            telephone = kept.typed.get(TELEPHONE) or scene.world.caller.number
            if telephone is None:
                return _TELEPHONE.ask(kept.asking(Phase.TELEPHONE), scene)
            return _claimed(kept, born, telephone)
        case Cause() as cause:
            return _BIRTH_DATE.ask_again(cause, state, scene)


def _telephone(state: State, keyed: Keyed, scene: Scene) -> Waiting | Claimed | GaveUp:
    match _TELEPHONE.read(keyed, state):
        case Begun() as begun:
            return _TELEPHONE.go_on(begun, state, scene)
        case Digits(keys):
            telephone = typed.telephone(keys)
            if not isinstance(telephone, str):
                return _TELEPHONE.ask_again(Cause.NONSENSE, state, scene)
            return _claimed(state, date.fromisoformat(state.typed[BIRTH_DATE]), telephone)
        case Cause() as cause:
            return _TELEPHONE.ask_again(cause, state, scene)


def _claimed(state: State, born: date, telephone: str) -> Claimed:
    return Claimed(born, telephone, forgetting(state))


def forgetting(state: State) -> State:
    """``state`` without what was typed, or told."""
    return state.forgetting(BIRTH_DATE, TELEPHONE, TOLD_BIRTH_DATE, TOLD_TELEPHONE)
