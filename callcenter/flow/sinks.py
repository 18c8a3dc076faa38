"""Where the words of a prompt go: to the caller's line, or to somebody else's ear or eye, who has proved nothing.

What a step says on the caller's line is proven by what the caller has proved (``flow.proof``). Words that leave by any
other way are heard by whoever is there. So each such prompt stands in a table here, with where it goes; what it may
name is decided by that alone, whoever writes the flow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from callcenter.disclosure.gate import SHARED_CONTACT_OPENS
from callcenter.disclosure.policy import Policy
from callcenter.flow.hidden import said_of
from callcenter.flow.prompts import Prompt, PromptBook
from callcenter.flow.said import PRESENCE_PROMPTS, PROVE_PROMPTS
from callcenter.flow.script_alone import GONE_PROMPT
from callcenter.flow.script_booking import BOOKED_PROMPT, SLOT_PROMPT
from callcenter.flow.template import Fault
from callcenter.kernel.errors import Problem
from callcenter.kernel.labels import FIELD_LABELS, Category, with_implied


class Sink(StrEnum):
    """Where words go. The values are said in verdicts."""

    #: In a flow of the channel voice, whatever is not below: the proof says what may be told there.
    LINE = "the caller's line"
    WAIT = "the wait view"
    #: To an operator, a colleague or a practitioner, by telephone and before a key.
    WHISPER = "the whisper"
    #: A call that we place, before a key. A machine may answer it: we leave no voice message but this.
    OUR_CALL = "the question of our own call"
    TEXT = "the text message"
    #: As it stands in the book, with no value for a field.
    SCREEN = "the screen outside every step"


@dataclass(frozen=True, slots=True)
class TextMessage:
    """What is known where a text message is written.

    Arguments:
        own: fields that this text alone may name.
        required: the field without which it tells nothing: said outside any « if ».
        optional: those of ``own`` that may have no value: each is said inside an « if » of its own.
        about: fields of the patient that it may name, where the policy lets them be pushed to a telephone on file.
    """

    own: frozenset[str]
    required: str
    optional: frozenset[str] = frozenset()
    about: frozenset[str] = frozenset()


#: The words that leave by text message, and what is known where each is written.
TEXTS: Mapping[str, TextMessage] = MappingProxyType(
    {
        "text.appointment": TextMessage(
            own=frozenset({"text.number", "text.stop_number", "text.stop_word"}),
            required="appointment.starts_at",
            optional=frozenset({"text.stop_number", "text.stop_word"}),
            about=frozenset({"appointment.starts_at"}),
        ),
        "text.code": TextMessage(own=frozenset({"code.digits", "code.minutes"}), required="code.digits"),
    }
)
#: What is whispered outside every flow: to whom a call is sent, and to whom a question is put in private.
HOUSE_WHISPERS = ("queue.sent", "queue.consult")
#: What an operator's screen shows of itself: in an emergency, and once the caller is gone.
HOUSE_SCREENS = ("script.emergency", GONE_PROMPT)
#: Every prompt that goes elsewhere than to the caller's line, or to an operator's screen by a step.
SINKS: Mapping[str, Sink] = MappingProxyType(
    {
        "queue.wait": Sink.WAIT,
        "queue.still": Sink.WAIT,
        "queue.next": Sink.WAIT,
        "queue.before": Sink.WAIT,
        "queue.range": Sink.WAIT,
        "queue.closed": Sink.WAIT,
        "queue.nobody": Sink.WAIT,
        "queue.too_long": Sink.WAIT,
        "queue.callback_key": Sink.WAIT,
        "queue.keys": Sink.WAIT,
        "queue.taken": Sink.WAIT,
        "queue.line": Sink.WAIT,
        "queue.line_silent": Sink.WAIT,
        "queue.offer": Sink.WHISPER,
        "queue.offer_callback": Sink.WHISPER,
        **dict.fromkeys(HOUSE_WHISPERS, Sink.WHISPER),
        **dict.fromkeys((*PROVE_PROMPTS, *PRESENCE_PROMPTS), Sink.OUR_CALL),
        **dict.fromkeys(HOUSE_SCREENS, Sink.SCREEN),
        **dict.fromkeys(TEXTS, Sink.TEXT),
    }
)
#: Fields that one place alone knows, by the prompt that is said there.
GIVEN_FIELDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "request.practitioner": frozenset({"request.practitioners"}),
        "reach_out.return_call": frozenset({"call.return_code"}),
        "queue.before": frozenset({"queue.others"}),
        "queue.range": frozenset({"queue.range"}),
        **{key: message.own for key, message in TEXTS.items()},
    }
)
_OFFER = frozenset({"offer.practitioner", "offer.starts_at"})
#: Fields that have a value only while a slot is offered or booked, by the prompt that is said with it, and in none of
#: the other questions of that step. D04: whoever has a reference has proved nothing, and has named nobody: no
#: practitioner is named to them.
PASSING_FIELDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "booking.practitioner": frozenset({"offer.key", "offer.practitioner"}),
        "booking.offer": _OFFER,
        "booking.next_offer": _OFFER,
        "booking.move_offer": frozenset({"offer.starts_at"}),
        "booking.move_next_offer": frozenset({"offer.starts_at"}),
        "booking.booked": frozenset({"booking.reference"}),
        SLOT_PROMPT: frozenset({"offer.starts_at"}),
        BOOKED_PROMPT: frozenset({"booking.reference"}),
    }
)
#: What whoever takes a call of ours is told before a key: who calls, when they asked to be rung, and else nothing.
_BEFORE_A_KEY = {"prove.presence": frozenset({"practice.spoken_name"})}
_WHO = {
    Sink.WAIT: "whoever waits has proved nothing that outlasts the wait",
    Sink.WHISPER: "whoever takes an offered call has proved nothing",
    Sink.OUR_CALL: "whoever answers may be anybody, or a machine that keeps it",
    Sink.SCREEN: "nothing is known there",
}
_TAKE_OUT = "take the field out of the prompt"


def sink_of(key: str) -> Sink:
    """Where the prompt of ``key`` goes when a flow for calls says it."""
    return SINKS.get(key, Sink.LINE)


def sink_fault(step: str | None, prompt: Prompt) -> Fault | None:
    """What ``prompt`` names that nobody may hear where it goes.

    Arguments:
        step: that says it; ``None`` where no flow does.
    """
    sink = sink_of(prompt.key)
    if sink not in _WHO:
        return None
    where = f"{sink} of step « {step} »" if step else sink
    if told := prompt.of_patients:
        return Fault(f"{where} says the prompt « {prompt.key} », which names {said_of(told)}: {_WHO[sink]}", _TAKE_OUT)
    if unknown := sorted(field for field in prompt.fields if not _known(field, prompt.key, sink)):
        names = ", ".join(unknown)
        return Fault(f"{where} says the prompt « {prompt.key} », which names {names}: not known there", _TAKE_OUT)
    return None


def house_problems(book: PromptBook, policy: Policy) -> list[Problem]:
    """What is wrong with the prompts that are said outside every step: whispers of the house, texts, and words that a
    screen shows by itself."""
    return [
        Problem(book.file, book[key].line if key in book else 0, fault.what, fault.mend)
        for key in (*HOUSE_WHISPERS, *HOUSE_SCREENS, *TEXTS)
        for fault in _house_faults(key, book, policy)
    ] + [
        Problem(str(Path(book.file).with_name(f"{language}.yaml")), words[key].line, fault.what, fault.mend)
        for language, words in book.translations.items()
        for key in TEXTS.keys() & words.keys()
        for fault in _text_faults(words[key], TEXTS[key])
    ]


def _house_faults(key: str, book: PromptBook, policy: Policy) -> Iterator[Fault]:
    if key not in book:
        yield Fault(f"{sink_of(key)} says a prompt « {key} » that is not in {book.file}", "write the prompt")
    elif key in TEXTS:
        told = list(_told_by_text(book[key], TEXTS[key], policy))
        yield from told or _text_faults(book[key], TEXTS[key])
    elif fault := sink_fault(None, book[key]):
        yield fault


def _text_faults(prompt: Prompt, message: TextMessage) -> Iterator[Fault]:
    """What would keep a text from being written, or leave it without what it is sent for."""
    where = f"{Sink.TEXT} « {prompt.key} »"
    if bare := sorted(prompt.fields & message.optional - prompt.optional):
        what = f"{where} names {', '.join(bare)}: there may be none"
        yield Fault(what, "name it in « optional », and say it inside an « if » of its own")
    if message.required not in prompt.always_told:
        mend = "say it, outside any « if »"
        yield Fault(f"{where} does not always say {message.required}, for which it is sent", mend)


def _told_by_text(prompt: Prompt, message: TextMessage, policy: Policy) -> Iterator[Fault]:
    """P9: a text answers no question. It tells what the policy lets be pushed, where there is a gate; or nothing."""
    told = prompt.of_patients
    closed = {field for field in told if not may_be_texted(with_implied(frozenset({FIELD_LABELS[field]})), policy)}
    where = f"{Sink.TEXT} « {prompt.key} »"
    if closed:
        what = f"{where} names {said_of(closed)}, which the policy lets no text message tell"
        yield Fault(what, _TAKE_OUT)
    elif told and not message.about:
        yield Fault(f"{where} names {said_of(told)}, and no gate is asked before it is sent", _TAKE_OUT)
    elif unknown := sorted(prompt.fields - message.own - message.about):
        known = ", ".join(sorted(message.own | message.about))
        yield Fault(f"{where} names {', '.join(unknown)}: not known there", f"it may name {known}")


def may_be_texted(categories: frozenset[Category], policy: Policy) -> bool:
    """Whether all of ``categories`` may be told by text to a telephone on file: as the gate decides it."""
    about = categories - {Category.PUBLIC}
    return policy.may_push(about) and about <= SHARED_CONTACT_OPENS


def _known(field: str, key: str, sink: Sink) -> bool:
    match sink:
        case Sink.OUR_CALL:
            return field in _BEFORE_A_KEY.get(key, frozenset())
        case Sink.SCREEN:
            return False
        case _:
            return field.startswith("practice.") or field in GIVEN_FIELDS.get(key, frozenset())
