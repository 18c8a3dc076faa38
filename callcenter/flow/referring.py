"""The steps ``reference`` (eight digits lead to a slot) and ``card`` (the birth date that goes with it).

A wrong reference, one that is cancelled, one of another practice and one too many sound alike and lead to the same next
question, and then to a person (OB-13).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from callcenter.flow.conversation import Keyed
from callcenter.flow.keypad import Begun, Cause, DigitQuestion, Digits, GaveUp
from callcenter.flow.outcomes import Left, Outcome, Scene, Waiting
from callcenter.flow.ports import CardRight, NotKnown, SlotKnown
from callcenter.flow.state import SLOT, Phase, State
from callcenter.speech import typed

REFERENCE_DIGITS = 8

_REFERENCE = DigitQuestion("reference.ask", again=("reference.again",), digits=REFERENCE_DIGITS)
_BIRTH_DATE = DigitQuestion("card.birth_date", again=("card.again",), digits=8)


def enter_reference(state: State, scene: Scene) -> Outcome:
    """Ask for the reference. What another one led to is forgotten."""
    return _REFERENCE.ask(state.unbinding(SLOT).asking(Phase.REFERENCE), scene)


async def answer_reference(state: State, keyed: Keyed, scene: Scene) -> Outcome:
    """Take the reference."""
    match _REFERENCE.read(keyed, state):
        case Begun() as begun:
            return _REFERENCE.go_on(begun, state, scene)
        case Digits(keys) if len(keys) == REFERENCE_DIGITS:
            match await scene.world.references.find(keys):
                case SlotKnown(slot):
                    return Left("known", state.binding(SLOT, slot))
                case NotKnown(last):
                    return _not_known(_REFERENCE, "reference.failed", state, scene, last=last)
        case Digits():
            return _again(_REFERENCE, "reference.failed", Cause.NONSENSE, state, scene)
        case Cause() as cause:
            return _again(_REFERENCE, "reference.failed", cause, state, scene)


async def enter_card(state: State, scene: Scene) -> Outcome:
    """A card that was shown a moment ago is not asked for again."""
    slot = state.bound.get(SLOT)
    if slot is None:
        return Left("refused", state)
    if await scene.world.references.card_stands(slot):
        return Left("proved", state)
    return _BIRTH_DATE.ask(state.asking(Phase.BIRTH_DATE), scene)


async def answer_card(state: State, keyed: Keyed, scene: Scene) -> Outcome:
    """Take the birth date."""
    match _BIRTH_DATE.read(keyed, state):
        case Begun() as begun:
            return _BIRTH_DATE.go_on(begun, state, scene)
        case Digits(keys):
            born = typed.birth_date(keys, scene.world.now.date())
            if not isinstance(born, date):
                return _again(_BIRTH_DATE, "card.failed", Cause.NONSENSE, state, scene)
            match await scene.world.references.check_birth_date(state.bound[SLOT], born):
                case CardRight():
                    return Left("proved", state)
                case NotKnown(last):
                    return _not_known(_BIRTH_DATE, "card.failed", state, scene, last=last)
        case Cause() as cause:
            return _again(_BIRTH_DATE, "card.failed", cause, state, scene)


def _not_known(question: DigitQuestion, failed: str, state: State, scene: Scene, *, last: bool) -> Outcome:
    """Ask once more in words that tell nothing. The tries are the port's to count; the engine bounds them besides."""
    if last:
        return Left("refused", state, (scene.line(failed),))
    return _again(question, failed, Cause.NONSENSE, replace(state, begun=""), scene)


def _again(question: DigitQuestion, failed: str, cause: Cause, state: State, scene: Scene) -> Outcome:
    asked = question.ask_again(cause, state, scene)
    if isinstance(asked, Waiting):
        return asked
    chose = isinstance(asked, GaveUp) and asked.cause in (Cause.SILENCE, Cause.ESCAPE)
    return Left("refused", state, () if chose else (scene.line(failed),))
