"""The step ``take_message``: something for the practice's people, who call back. Needs no verification.

A request is a reason by key, or a practitioner by key, and a number. A spoken message is recorded, and only that: where
the practice has switched it off, a request to be called back takes its place. This is where every refusal ends while
no person answers, so it gives up late: only a caller whose number is withheld and who types none leaves no request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from callcenter.flow.conversation import LONGEST_MESSAGE, SECONDS_FOR_A_CHOICE, Keyed, Recorded, Recording
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
from callcenter.flow.language import MessageKind, TakeMessage
from callcenter.flow.outcomes import Left, Outcome, Scene, Waiting
from callcenter.flow.ports import Addressee, CallbackRequest
from callcenter.flow.state import Phase, State
from callcenter.flow.words import SPEECH
from callcenter.speech import typed

# Names under which answers are kept. A step ``ask`` with ``into: number`` before this one replaces its question.
REASON = "reason"
NUMBER = "number"
PRACTITIONER = "practitioner"
MESSAGE = "message"

_REASONS = {"1": "appointment", "2": "prescription", "3": "administrative", "4": "other"}
_UNSPECIFIED = "unspecified"
_REASON_OF = {MessageKind.RENEWAL: "prescription", MessageKind.CERTIFICATE: "certificate"}
_REASON_PROMPT = "callback.reason"
_THIS_NUMBER = "1"

#: Whether callers may leave spoken messages here.
VOICE_MESSAGES = "practice.voice_messages"
_VOICE_PROMPT, _VOICE_AGAIN, _NOTHING_HEARD = "message.voice", "message.voice_again", "message.nothing_heard"
#: A spoken message is asked for once, and once more.
_TRIES_TO_SPEAK = 2

_PRACTITIONER_PROMPT, _SPOKEN_PROMPT = "request.practitioner", "request.spoken"
#: Practitioners with a key of their own; 9 is for every other, and 0 leads to a person.
_NAMED_KEYS = "12345678"
_ANOTHER, _PERSON = "9", "0"

_NUMBER = DigitQuestion("callback.number", again=("callback.number_again",), digits=10)
_NUMBER_OR_THIS = DigitQuestion("callback.number_or_this", again=("callback.number_again",), digits=10)


async def enter(step: TakeMessage, state: State, scene: Scene) -> Outcome:
    """Ask the first question."""
    match step.kind:
        case MessageKind.VOICE if _may_speak(scene):
            return _ask_to_speak(state.asking(Phase.RECORDING), scene, _VOICE_PROMPT)
        case MessageKind.RENEWAL | MessageKind.CERTIFICATE:
            return await _for_whom(step, state.keeping(REASON, _REASON_OF[step.kind]), scene)
        case MessageKind.CALLBACK if REASON in state.typed:  # an earlier step has left it
            return await _ask_number(step, state, scene)
        case _:
            return _ask_reason(state.asking(Phase.REASON), scene)


async def answer(step: TakeMessage, state: State, keyed: Keyed, scene: Scene) -> Outcome:
    """Take the answer to the question that ``state`` waits at."""
    match state.phase:
        case Phase.REASON:
            return await _reason(step, state, keyed, scene)
        case Phase.PRACTITIONER:
            return await _practitioner(step, state, keyed, scene)
        case Phase.RECORDING:
            return _nothing_spoken(step, state, scene)
        case _:
            return await _number(step, state, keyed, scene)


async def recorded(step: TakeMessage, state: State, spoken: Recorded, scene: Scene) -> Outcome:
    """Keep what the caller has spoken."""
    messages = scene.world.messages
    if MESSAGE in state.typed:
        message = UUID(state.typed[MESSAGE])
    else:
        addressees = await messages.addressees()
        whom = addressees[0].reference if len(addressees) == 1 else None
        message = await messages.leave(_request(state, _UNSPECIFIED, _this(scene), step.kind, whom))
    await messages.add_voice(message, spoken)
    return _taken(state, scene)


def _request(
    state: State, reason: str, number: str | None, kind: MessageKind, practitioner: UUID | None
) -> CallbackRequest:
    """A request of this caller, who is to be called back in the manner in which they have spoken."""
    manner = state.manner
    return CallbackRequest(reason, number, kind, practitioner, manner.language, manner.relay)


# --- the reason of a request to be called back


def _ask_reason(state: State, scene: Scene, *before: str) -> Waiting:
    return Waiting(scene.question(*before, _REASON_PROMPT, max_keys=1, seconds=SECONDS_FOR_A_CHOICE), state)


async def _reason(step: TakeMessage, state: State, keyed: Keyed, scene: Scene) -> Outcome:
    if keyed.keys in _REASONS:
        return await _ask_number(step, state.keeping(REASON, _REASONS[keyed.keys]), scene)
    match count(state, menu_cause(keyed)):
        case GaveUp():
            return await _ask_number(step, state.keeping(REASON, _UNSPECIFIED), scene)
        case AskAgain(Cause.NONSENSE, counted):
            return _ask_reason(counted, scene, NONSENSE_PROMPT)
        case AskAgain(_, counted):
            return _ask_reason(counted, scene)


# --- whom a renewal or a certificate is asked of


async def _for_whom(step: TakeMessage, state: State, scene: Scene) -> Outcome:
    addressees = await scene.world.messages.addressees()
    if len(addressees) > 1:
        return _ask_practitioner(state.asking(Phase.PRACTITIONER), addressees, scene)
    kept = state.keeping(PRACTITIONER, str(addressees[0].reference)) if addressees else state
    return await _ask_number(step, kept, scene)


#: How a key is asked for.
_PRESS = {"fr": "tapez", "en": "press"}


def _ask_practitioner(state: State, addressees: Sequence[Addressee], scene: Scene, *before: str) -> Waiting:
    named = zip(addressees, _NAMED_KEYS, strict=False)
    speech, press = SPEECH[scene.manner.language], _PRESS[scene.manner.language]
    choices = ", ".join(f"{speech.spoken_name(one.name)}, {press} {key}" for one, key in named)
    asked = scene.line(_PRACTITIONER_PROMPT, request__practitioners=choices)
    question = scene.question(*before, max_keys=1, seconds=SECONDS_FOR_A_CHOICE)
    return Waiting(replace(question, lines=(*question.lines, asked)), state)


async def _practitioner(step: TakeMessage, state: State, keyed: Keyed, scene: Scene) -> Outcome:
    addressees = await scene.world.messages.addressees()
    named = dict(zip(_NAMED_KEYS, addressees, strict=False))
    if keyed.keys in named:
        kept = state.keeping(PRACTITIONER, str(named[keyed.keys].reference))
        return await _ask_number(step, kept, scene)
    if keyed.keys == _ANOTHER:
        return await _ask_number(step, state, scene)
    if keyed.keys == _PERSON:
        return Left("abandoned", _forgetting(state))
    match count(state, menu_cause(keyed)):
        case GaveUp():
            return await _ask_number(step, state, scene)
        case AskAgain(Cause.NONSENSE, counted):
            return _ask_practitioner(counted, addressees, scene, NONSENSE_PROMPT)
        case AskAgain(_, counted):
            return _ask_practitioner(counted, addressees, scene)


# --- the number


async def _ask_number(step: TakeMessage, state: State, scene: Scene) -> Outcome:
    if NUMBER in state.typed:
        return await _leave(step, state, state.typed[NUMBER], scene)
    return _question(scene).ask(state.asking(Phase.NUMBER), scene)


def _question(scene: Scene) -> DigitQuestion:
    return _NUMBER if _this(scene) is None else _NUMBER_OR_THIS


def _this(scene: Scene) -> str | None:
    """The calling number, if the practice can ring it: a number is easily forged, and some cost whoever rings them."""
    number = scene.world.caller.number
    return None if number is None or typed.is_surtaxed(number) else number


async def _number(step: TakeMessage, state: State, keyed: Keyed, scene: Scene) -> Outcome:
    this = _this(scene)
    keys = state.begun + keyed.keys
    if this is not None and since_star(keys) in ("", _THIS_NUMBER) and not keys.endswith("*"):
        return await _leave(step, state, this, scene)
    question = _question(scene)
    match question.read(keyed, state):
        case Begun() as begun:
            return question.go_on(begun, state, scene)
        case Digits(keys):
            number = typed.telephone(keys)
            if isinstance(number, str):
                return await _leave(step, state, number, scene)
            return await _number_again(step, Cause.NONSENSE, state, scene)
        case Cause.ESCAPE:
            # Nobody is left to escape to: "#" must not cost a caller the message.
            return await _number_again(step, Cause.SILENCE, state, scene)
        case Cause() as cause:
            return await _number_again(step, cause, state, scene)


async def _number_again(step: TakeMessage, cause: Cause, state: State, scene: Scene) -> Outcome:
    asked = _question(scene).ask_again(cause, state, scene)
    if isinstance(asked, Waiting):
        return asked
    this = _this(scene)
    if this is not None:
        return await _leave(step, state, this, scene)
    return Left("abandoned", _forgetting(state), (scene.line("callback.abandoned"),))


async def _leave(step: TakeMessage, state: State, number: str, scene: Scene) -> Outcome:
    """Leave the request. It stands from here on, whether or not the caller adds to it by voice."""
    kind = MessageKind.CALLBACK if step.kind is MessageKind.VOICE else step.kind
    whom = UUID(state.typed[PRACTITIONER]) if PRACTITIONER in state.typed else None
    message = await scene.world.messages.leave(_request(state, state.typed[REASON], number, kind, whom))
    if kind in _REASON_OF and _may_speak(scene):
        kept = _forgetting(state).keeping(MESSAGE, str(message))
        return _ask_to_speak(kept.asking(Phase.RECORDING), scene, _SPOKEN_PROMPT)
    return _taken(state, scene)


# --- a spoken message


def _may_speak(scene: Scene) -> bool:
    return scene.world.public.get(VOICE_MESSAGES) is True


def _ask_to_speak(state: State, scene: Scene, *prompts: str) -> Waiting:
    return Waiting(Recording(tuple(scene.line(prompt) for prompt in prompts), LONGEST_MESSAGE), state)


def _nothing_spoken(step: TakeMessage, state: State, scene: Scene) -> Outcome:
    """Nothing was heard. What may be added to a request is asked for once; a message once more, then by keys."""
    if MESSAGE in state.typed:
        return _taken(state, scene)
    match count(state, Cause.SILENCE, _TRIES_TO_SPEAK):
        case AskAgain(_, counted):
            return _ask_to_speak(counted, scene, _VOICE_AGAIN)
        case GaveUp():
            return _ask_reason(state.asking(Phase.REASON), scene, _NOTHING_HEARD)


# --- on the way out


def _taken(state: State, scene: Scene) -> Left:
    return Left("taken", _forgetting(state), (scene.line("callback.taken"),))


def _forgetting(state: State) -> State:
    return state.forgetting(REASON, NUMBER, PRACTITIONER, MESSAGE)
