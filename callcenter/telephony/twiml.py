"""Documents as TwiML: the same document is always the same bytes.

A Gather carries ``actionOnEmptyResult``, so silence and ``#`` alone reach the server as an answer; no verb behind it
is needed, and none could be reached. Every URL is absolute, because a carrier that holds no current document cannot
resolve another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import quote

from twilio.twiml import TwiML
from twilio.twiml import voice_response as verbs

from callcenter.calls.values import (
    Continue,
    Dial,
    Document,
    Element,
    End,
    Gather,
    PlayAudio,
    Record,
    SayText,
    Slot,
    Wait,
)
from callcenter.flow.language import Pace
from callcenter.kernel.errors import CallcenterError
from callcenter.telephony.urls import Urls

#: Twilio error 11750: a larger document is not executed.
LONGEST_DOCUMENT = 64 * 1024
#: Twilio warning 13521: Amazon's voices take 3,000 characters, and any voice 4,500 once percent-encoded.
LONGEST_SAY = 3_000
LONGEST_SAY_ENCODED = 4_500

#: That end a spoken message.
SECONDS_OF_SILENCE = 5

#: A line rings for so long; the carrier adds about five seconds. Then whoever waits is received by us.
RING_SECONDS = 25
#: The longest talk.
TALK_SECONDS = 3_600

_SENTENCE = re.compile(r"(?<=[.!?…;:])\s+")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Unrenderable(CallcenterError):
    """The document cannot be given to the carrier."""


@dataclass(frozen=True, slots=True)
class CarrierVoice:
    """A voice of the carrier.

    Arguments:
        voice: the carrier's name of it.
        language: language tag that goes with it.
    """

    voice: str
    language: str


_VOICES = MappingProxyType(
    {"fr": CarrierVoice("Polly.Lea-Neural", "fr-FR"), "en": CarrierVoice("Polly.Amy-Neural", "en-GB")}
)


@dataclass(frozen=True, slots=True)
class CarrierVoices:
    """Which voice of the carrier says which language.

    Arguments:
        by_language: language of a prompt to voice; French must be there.
    """

    by_language: Mapping[str, CarrierVoice] = field(default_factory=lambda: _VOICES)

    @classmethod
    def with_french(cls, voice: str) -> CarrierVoices:
        """The usual voices, but French in the carrier's voice of this name."""
        return cls(MappingProxyType({**_VOICES, "fr": CarrierVoice(voice, "fr-FR")}))

    def voice(self, language: str) -> CarrierVoice:
        """The voice for ``language``.

        Raises:
            Unrenderable: no voice is set for it; another would read it unintelligibly.
        """
        try:
            return self.by_language[language]
        except KeyError:
            raise Unrenderable(f"no carrier's voice is set for the language {language!r}") from None


def _fits(text: str) -> bool:
    return len(text) <= LONGEST_SAY and len(quote(text)) <= LONGEST_SAY_ENCODED


def _pieces(text: str) -> Iterator[str]:
    """``text`` cut into sentences, where a sentence alone is too long into words, and those into parts."""
    for sentence in _SENTENCE.split(text):
        if _fits(sentence):
            yield sentence
            continue
        for word in sentence.split():
            yield from (word[start : start + 300] for start in range(0, len(word), 300))


def sayable_parts(text: str) -> tuple[str, ...]:
    """``text`` in parts that a carrier's voice says whole, cut between sentences where that is possible.

    Characters that XML cannot carry are left out.
    """
    clean = " ".join(_NOT_XML.sub(" ", text).split())
    if _fits(clean):
        return (clean,) if clean else ()
    parts = [""]
    for piece in _pieces(clean):
        longer = f"{parts[-1]} {piece}".lstrip()
        if _fits(longer):
            parts[-1] = longer
        else:
            parts.append(piece)
    return tuple(parts)


#: How fast a carrier's voice speaks, in the words of SSML.
_RATE = {Pace.SLOW: "slow", Pace.FAST: "fast"}


def say(parent: TwiML, text: str, voice: CarrierVoice, pace: Pace = Pace.NORMAL) -> None:
    """Append what is needed to say ``text``."""
    for part in sayable_parts(text):
        if pace is Pace.NORMAL:
            parent.append(verbs.Say(part, voice=voice.voice, language=voice.language))
            continue
        slowly = verbs.Say(voice=voice.voice, language=voice.language)
        slowly.prosody(part, rate=_RATE[pace])
        parent.append(slowly)


def serialise(response: TwiML) -> bytes:
    """The document's bytes.

    Raises:
        Unrenderable: it is larger than the carrier executes.
    """
    body = str(response).encode()
    if len(body) > LONGEST_DOCUMENT:
        raise Unrenderable(f"a document of {len(body)} bytes is larger than the carrier executes ({LONGEST_DOCUMENT})")
    return body


#: Where another document stands already, or nobody listens.
EMPTY_DOCUMENT = serialise(verbs.VoiceResponse())


def last_words(text: str, voice: CarrierVoice) -> bytes:
    """A document that says ``text``, and ends the call."""
    response = verbs.VoiceResponse()
    say(response, text, voice)
    response.append(verbs.Hangup())
    return serialise(response)


def hang_up() -> bytes:
    """A document that ends the call."""
    response = verbs.VoiceResponse()
    response.append(verbs.Hangup())
    return serialise(response)


def _gather(document: Document, question: Gather, urls: Urls) -> TwiML:
    attributes: dict[str, object] = {
        "input": "dtmf",
        "action": urls.step(document.call, document.number, Slot.NEXT),
        "method": "POST",
        "timeout": question.seconds,
        "finish_on_key": "#",
        "action_on_empty_result": True,
    }
    if question.max_keys is not None:
        attributes["num_digits"] = question.max_keys
    return verbs.Gather(**attributes)


def _record(document: Document, asked: Record, urls: Urls) -> TwiML:
    """Silence falls through to the next verb; whoever hangs up is reported all the same, with ``Digits=hangup``."""
    return verbs.Record(
        action=urls.step(document.call, document.number, Slot.RECORDED),
        method="POST",
        timeout=SECONDS_OF_SILENCE,
        finish_on_key="#",
        max_length=asked.seconds,
        play_beep=True,
        trim="trim-silence",
        recording_status_callback=urls.recording(document.call, document.number),
        recording_status_callback_method="POST",
        recording_status_callback_event="completed absent",
    )


def _dial(document: Document, asked: Dial, urls: Urls) -> TwiML:
    """Ring a line, as one of our own numbers: the account may show it, and by it a call that comes round is known.

    Without ``answerOnBridge``, which does nothing once words were said; the conversation is never recorded.
    """
    dial = verbs.Dial(
        action=urls.step(document.call, document.number, Slot.DIALLED),
        method="POST",
        timeout=RING_SECONDS,
        time_limit=TALK_SECONDS,
        caller_id=asked.shown,
    )
    dial.append(verbs.Number(asked.line))
    return dial


def _enqueue(document: Document, asked: Wait, urls: Urls) -> TwiML:
    """What is heard in the queue is asked for again and again, until the caller leaves it."""
    return verbs.Enqueue(
        asked.queue,
        action=urls.step(document.call, document.number, Slot.ENQUEUED),
        method="POST",
        wait_url=urls.wait(document.call, document.number),
        wait_url_method="POST",
    )


def render(document: Document, urls: Urls, voices: CarrierVoices) -> bytes:
    """A document as TwiML.

    Arguments:
        document: what the caller meets.
        urls: where its continuations and its audio are.
        voices: the carrier's voices.

    Raises:
        Unrenderable: it is too large, or a language has no voice.
    """

    def append(parent: TwiML, elements: tuple[Element, ...]) -> None:
        for element in elements:
            match element:
                case SayText(text, language, pace):
                    say(parent, text, voices.voice(language), pace)
                case PlayAudio(token):
                    parent.append(verbs.Play(urls.audio(document.call, token)))

    response = verbs.VoiceResponse()
    append(response, document.before)
    match document.then:
        case Gather() as asked:
            question = _gather(document, asked, urls)
            append(question, asked.elements)
            response.append(question)
        case Record() as asked:
            append(response, asked.elements)
            response.append(_record(document, asked, urls))
            response.append(verbs.Redirect(urls.step(document.call, document.number, Slot.NEXT), method="POST"))
        case Dial() as asked:
            append(response, asked.elements)
            response.append(_dial(document, asked, urls))
        case Wait() as asked:
            append(response, asked.elements)
            if asked.expected:
                response.append(verbs.Redirect(urls.meeting(document.call, document.number), method="POST"))
            else:
                response.append(_enqueue(document, asked, urls))
        case Continue():
            response.append(verbs.Redirect(urls.step(document.call, document.number, Slot.NEXT), method="POST"))
        case End():
            response.append(verbs.Hangup())
    return serialise(response)
