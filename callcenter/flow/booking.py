"""The steps ``book`` and ``move``: free slots, one by one, and whoever wants one takes it.

What is offered follows from the agenda and from the practice's settings; the questions follow from those and from what
the caller typed. Nothing is looked up about anybody, so that everybody hears the same (P6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import ModuleType
from uuid import UUID

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
from callcenter.flow.message_taking import REASON
from callcenter.flow.outcomes import Left, Outcome, Scene, Waiting
from callcenter.flow.ports import BookablePractitioner, BookingMade, Done, NoSlot, Offered
from callcenter.flow.state import SLOT, Phase, State
from callcenter.speech import english, french, typed

# Names under which answers are kept.
PRACTITIONER = "booking_practitioner"
BORN = "booking_birth_date"
OFFER = "booking_offer"

_TAKE, _ANOTHER, _PERSON = "1", "2", "0"
_KNOWN, _NEW = "1", "2"


@dataclass(frozen=True, slots=True)
class _OfferPrompts:
    """The words of a first slot, and of those that follow it.

    Arguments:
        named: they may name the practitioner.
    """

    first: str
    next: str
    named: bool


_BOOKING = _OfferPrompts("booking.offer", "booking.next_offer", named=True)
#: D04: whoever has a reference has proved nothing, and has named nobody: nobody is named to them.
_MOVING = _OfferPrompts("booking.move_offer", "booking.move_next_offer", named=False)

_BIRTH_DATE = DigitQuestion("booking.birth_date", again=("booking.birth_date_again",), digits=8)
_NUMBER = DigitQuestion("booking.number", again=("booking.number_again",), digits=10)
_NUMBER_OR_THIS = DigitQuestion("booking.number_or_this", again=("booking.number_again",), digits=10)


async def enter_book(state: State, scene: Scene) -> Outcome:
    """Ask with whom, unless there is only one."""
    practitioners = await scene.world.booking.practitioners()
    match practitioners:
        case []:
            return await _leave("none", state, scene)
        case [only]:
            return await _with(only, state, scene)
        case _:
            return _ask_practitioner(practitioners, state.asking(Phase.PRACTITIONER), scene)


async def answer_book(state: State, keyed: Keyed, scene: Scene) -> Outcome:
    """Take the answer to the question that ``state`` waits at."""
    match state.phase:
        case Phase.PRACTITIONER:
            return await _practitioner(state, keyed, scene)
        case Phase.SEEN_BEFORE:
            return await _seen_before(state, keyed, scene)
        case Phase.OFFER:
            return await _taken_up(state, keyed, scene)
        case Phase.BIRTH_DATE:
            return await _birth_date(state, keyed, scene)
        case _:
            return await _number(state, keyed, scene)


async def enter_move(state: State, scene: Scene) -> Outcome:
    """Offer the first slot in place of the one that is bound."""
    return await _offer_for_move(state, scene)


async def answer_move(state: State, keyed: Keyed, scene: Scene) -> Outcome:
    """Take one of the slots, or go on to the next."""
    match keyed.keys:
        case "1":
            moved = await scene.world.references.move(state.bound[SLOT])
            return Left("moved" if isinstance(moved, Done) else "none", _forgetting(state))
        case "2":
            return await _offer_for_move(state, scene)
    return await _offer_again(state, keyed, scene, _MOVING)


# --- with whom


def _ask_practitioner(
    practitioners: Sequence[BookablePractitioner], state: State, scene: Scene, *before: str
) -> Waiting:
    choices = [
        scene.line("booking.practitioner", offer__key=str(key), offer__practitioner=_spoken(one.name, scene))
        for key, one in enumerate(practitioners, start=1)
    ]
    asked = scene.question(*before, "booking.with_whom", "booking.person", max_keys=1, seconds=SECONDS_FOR_A_CHOICE)
    lines = (*asked.lines[:-1], *choices, asked.lines[-1])
    return Waiting(replace(asked, lines=lines), state)


async def _practitioner(state: State, keyed: Keyed, scene: Scene) -> Outcome:
    practitioners = await scene.world.booking.practitioners()
    chosen = int(keyed.keys) if keyed.keys.isascii() and keyed.keys.isdigit() else 0
    if 1 <= chosen <= len(practitioners):
        return await _with(practitioners[chosen - 1], state, scene)
    if keyed.keys == _PERSON:
        return await _leave("abandoned", state, scene)
    match count(state, menu_cause(keyed)):
        case GaveUp():
            return await _leave("abandoned", state, scene)
        case AskAgain(Cause.NONSENSE, counted):
            return _ask_practitioner(practitioners, counted, scene, NONSENSE_PROMPT)
        case AskAgain(_, counted):
            return _ask_practitioner(practitioners, counted, scene)


async def _with(practitioner: BookablePractitioner, state: State, scene: Scene) -> Outcome:
    kept = state.keeping(PRACTITIONER, str(practitioner.id))
    if practitioner.new_patients:
        return await _offer(kept, scene)
    return _ask("booking.seen_before", kept.asking(Phase.SEEN_BEFORE), scene)


async def _seen_before(state: State, keyed: Keyed, scene: Scene) -> Outcome:
    match keyed.keys:
        case "1":
            return await _offer(state, scene)
        case "2":
            return await _leave("refused", state, scene)
        case "0":
            return await _leave("abandoned", state, scene)
    match count(state, menu_cause(keyed)):
        case GaveUp():
            return await _leave("abandoned", state, scene)
        case AskAgain(Cause.NONSENSE, counted):
            return _ask("booking.seen_before", counted, scene, NONSENSE_PROMPT)
        case AskAgain(_, counted):
            return _ask("booking.seen_before", counted, scene)


# --- when


async def _offer(state: State, scene: Scene) -> Outcome:
    return await _offered(await scene.world.booking.offer(UUID(state.typed[PRACTITIONER])), state, scene, _BOOKING)


async def _offer_for_move(state: State, scene: Scene) -> Outcome:
    slot = state.bound.get(SLOT)
    offered = NoSlot() if slot is None else await scene.world.references.offer(slot)
    return await _offered(offered, state, scene, _MOVING)


async def _offered(offered: Offered | NoSlot, state: State, scene: Scene, prompts: _OfferPrompts) -> Outcome:
    match offered:
        case NoSlot():
            return await _leave("none", state, scene)
        case Offered(practitioner, starts_at):
            whom = {"offer__practitioner": _spoken(practitioner, scene)} if prompts.named else {}
            words = scene.line(
                prompts.next if OFFER in state.typed else prompts.first,
                offer__starts_at=_speech(scene).spoken_datetime(starts_at, scene.world.now.date()),
                **whom,
            )
            return _ask_offer(words.text, state.asking(Phase.OFFER).keeping(OFFER, words.text), scene, prompts)


def _ask_offer(words: str, state: State, scene: Scene, prompts: _OfferPrompts, *before: str) -> Waiting:
    """Ask with the words of the offer, kept until it is answered: it is repeated as it was."""
    asked = scene.question(*before, "booking.offer_keys", max_keys=1, seconds=SECONDS_FOR_A_CHOICE)
    offer = replace(asked.lines[-1], prompt=prompts.first, text=words)
    lines = (*asked.lines[:-1], offer, asked.lines[-1])
    return Waiting(replace(asked, lines=lines), state)


async def _taken_up(state: State, keyed: Keyed, scene: Scene) -> Outcome:
    match keyed.keys:
        case "1":
            return _BIRTH_DATE.ask(state.asking(Phase.BIRTH_DATE), scene)
        case "2":
            return await _offer(state, scene)
    return await _offer_again(state, keyed, scene, _BOOKING)


async def _offer_again(state: State, keyed: Keyed, scene: Scene, prompts: _OfferPrompts) -> Outcome:
    if keyed.keys == _PERSON:
        return await _leave("abandoned", state, scene)
    match count(state, menu_cause(keyed)):
        case GaveUp():
            return await _leave("abandoned", state, scene)
        case AskAgain(Cause.NONSENSE, counted):
            return _ask_offer(state.typed[OFFER], counted, scene, prompts, NONSENSE_PROMPT)
        case AskAgain(_, counted):
            return _ask_offer(state.typed[OFFER], counted, scene, prompts)


# --- for whom


async def _birth_date(state: State, keyed: Keyed, scene: Scene) -> Outcome:
    match _BIRTH_DATE.read(keyed, state):
        case Begun() as begun:
            return _BIRTH_DATE.go_on(begun, state, scene)
        case Digits(keys):
            born = typed.birth_date(keys, scene.world.now.date())
            if isinstance(born, date):
                kept = state.keeping(BORN, born.isoformat())
                return _number_question(scene).ask(kept.asking(Phase.NUMBER), scene)
            return await _again(_BIRTH_DATE, Cause.NONSENSE, state, scene)
        case Cause() as cause:
            return await _again(_BIRTH_DATE, cause, state, scene)


def _this(scene: Scene) -> str | None:
    """The calling number, if the practice can ring it."""
    number = scene.world.caller.number
    return None if number is None or typed.is_surtaxed(number) else number


def _number_question(scene: Scene) -> DigitQuestion:
    return _NUMBER if _this(scene) is None else _NUMBER_OR_THIS


async def _number(state: State, keyed: Keyed, scene: Scene) -> Outcome:
    question, this = _number_question(scene), _this(scene)
    if this is not None and since_star(state.begun + keyed.keys) == "1":
        return await _book(state, this, scene)
    match question.read(keyed, state):
        case Begun() as begun:
            return question.go_on(begun, state, scene)
        case Digits(keys):
            number = typed.telephone(keys)
            if isinstance(number, str):
                return await _book(state, number, scene)
            return await _again(question, Cause.NONSENSE, state, scene)
        case Cause() as cause:
            return await _again(question, cause, state, scene)


async def _book(state: State, number: str, scene: Scene) -> Outcome:
    match await scene.world.booking.book(date.fromisoformat(state.typed[BORN]), number):
        case BookingMade(reference):
            booked = scene.line("booking.booked", booking__reference=_grouped(reference))
            return Left("booked", _forgetting(state), (booked,))
        case NoSlot():
            return await _leave("none", state, scene)


# --- within


def _ask(prompt: str, state: State, scene: Scene, *before: str) -> Waiting:
    return Waiting(scene.question(*before, prompt, max_keys=1, seconds=SECONDS_FOR_A_CHOICE), state)


async def _again(question: DigitQuestion, cause: Cause, state: State, scene: Scene) -> Outcome:
    asked = question.ask_again(cause, state, scene)
    return await _leave("abandoned", state, scene) if isinstance(asked, GaveUp) else asked


async def _leave(outlet: str, state: State, scene: Scene) -> Left:
    """Leave without a slot. Whoever then leaves a message wants an appointment: they are not asked once more."""
    await scene.world.booking.release()
    return Left(outlet, _forgetting(state).keeping(REASON, "appointment"))


def _forgetting(state: State) -> State:
    return state.forgetting(PRACTITIONER, BORN, OFFER)


def _speech(scene: Scene) -> ModuleType:
    return english if scene.manner.language == "en" else french


def _spoken(name: str, scene: Scene) -> str:
    return str(_speech(scene).spoken_name(name))


def _grouped(reference: str) -> str:
    """``4 8 2 7, 1 9 3 6``."""
    return f"{' '.join(reference[:4])}, {' '.join(reference[4:])}"
