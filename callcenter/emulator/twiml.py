"""Reading TwiML: bytes in, a document of verbs out."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urljoin
from xml.etree import ElementTree

from callcenter.emulator.attributes import Attributes
from callcenter.emulator.errors import EmulatorError
from callcenter.emulator.nouns import Nouns
from callcenter.emulator.verbs import (
    Alert,
    Dial,
    Document,
    Enqueue,
    Gather,
    Hangup,
    Leave,
    Pause,
    Play,
    Prompt,
    Record,
    Redirect,
    Reject,
    Say,
    Unsupported,
    Verb,
)

LARGEST = 64 * 1024  # bytes: error 11750
ENDLESS = 1000  # what loop="0" comes to
LONGEST_RECORDING = 14_400.0  # seconds; the carrier's pages say so, or six times as much
RECORDING_EVENTS = frozenset({"in-progress", "completed", "absent"})
LONGEST_SAY = 4096  # characters: warning 13521
SHORTEST_RING, LONGEST_RING = 5.0, 600.0  # seconds of a Dial, the grace not counted

# Verbs and nouns that the carrier knows and this emulator does not play.
OTHERS = frozenset(
    {"Connect", "Start", "Stop", "Pay", "Prompt", "Refer", "Sms", "Echo"} | {"Sip", "Sim", "WhatsApp", "Application"}
)


class DocumentFailed(EmulatorError):
    """A document that cannot be fetched or executed.

    Arguments:
        code: the carrier's error code.
        url: the address that failed.
        message: why.
    """

    def __init__(self, code: int, url: str, message: str) -> None:
        self.code = code
        self.url = url
        super().__init__(message)


def parse(body: bytes, url: str | None) -> Document:
    """Read a document.

    Arguments:
        body: UTF-8 XML.
        url: its address, against which relative URLs resolve; None for inline TwiML.

    Raises:
        DocumentFailed: 11770 empty, 11750 too large, 12100 not TwiML.
    """
    if not body.strip():
        raise DocumentFailed(11770, url or "", "Empty TwiML response body")
    if len(body) > LARGEST:
        raise DocumentFailed(11750, url or "", "TwiML response body too large")
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - from the application under test; expat bounds entities
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise DocumentFailed(12100, url or "", f"Document parse failure: {error}") from error
    if root.tag != "Response":
        raise DocumentFailed(12100, url or "", f"Document parse failure: the root is <{root.tag}>, not <Response>")
    return _Reader(url).document(root)


class _Reader:
    """Reads the elements of one document and keeps what it warns about."""

    def __init__(self, url: str | None) -> None:
        self._url = url
        self._alerts: list[Alert] = []
        self._verbs: dict[str, Callable[[ElementTree.Element], Verb]] = {
            "Say": self._say,
            "Play": self._play,
            "Pause": self._pause,
            "Gather": self._gather,
            "Record": self._record,
            "Redirect": self._redirect,
            "Reject": self._reject,
            "Hangup": self._hangup,
            "Dial": self._dial,
            "Enqueue": self._enqueue,
            "Leave": self._leave,
        }

    def document(self, root: ElementTree.Element) -> Document:
        self._attributes(root).finish()
        verbs = [verb for element in root if (verb := self._verb(element)) is not None]
        return Document(self._url, tuple(verbs), tuple(self._alerts))

    def _verb(self, element: ElementTree.Element) -> Verb | None:
        if element.tag in OTHERS:
            return Unsupported(element.tag)
        if read := self._verbs.get(element.tag):
            return read(element)
        self._warn(12200, f"<{element.tag}> is not a verb; it is skipped")
        return None

    def _say(self, element: ElementTree.Element) -> Say:
        attributes = self._attributes(element, "voice")
        text = " ".join("".join(element.itertext()).split())
        if len(text) > LONGEST_SAY:
            self._warn(13521, f"<Say> of {len(text)} characters; {LONGEST_SAY} at most")
        say = Say(text, attributes.whole("loop", 1) or ENDLESS, attributes.text("language", ""))
        attributes.finish()
        return say

    def _play(self, element: ElementTree.Element) -> Play:
        attributes = self._attributes(element)
        text = (element.text or "").strip()
        digits = attributes.text("digits", "") or ""
        if bad := set(digits) - set("0123456789ABCD*#wW"):
            self._warn(13430, f"<Play digits> has {''.join(sorted(bad))!r}; allowed are 0-9 A-D * # w W")
            digits = ""
        play = Play(self._resolve(text) if text else None, digits, loop=attributes.whole("loop", 1) or ENDLESS)
        attributes.finish()
        return play

    def _pause(self, element: ElementTree.Element) -> Pause:
        attributes = self._attributes(element)
        pause = Pause(attributes.seconds("length", 1.0))
        attributes.finish()
        return pause

    def _gather(self, element: ElementTree.Element) -> Gather:
        known = "language hints profanityFilter speechModel speechTimeout enhanced bargeIn maxSpeechTime"
        attributes = self._attributes(
            element, *known.split(), "partialResultCallback", "partialResultCallbackMethod", "debug"
        )
        inputs = (attributes.text("input", "dtmf") or "dtmf").split()
        if not inputs or set(inputs) - {"dtmf", "speech"}:
            self._warn(12200, f"<Gather input={' '.join(inputs)!r}>: dtmf, speech or both; dtmf is used")
            inputs = ["dtmf"]
        finish_on = attributes.text("finishOnKey", "#")
        if set(finish_on) - set("0123456789*#"):
            self._warn(13310, f"<Gather finishOnKey={finish_on!r}>: 0-9 * # or nothing; # is used")
            finish_on = "#"
        gather = Gather(
            action=self._resolve(attributes.text("action", "")),
            method=attributes.method("method", 13312),
            keys="dtmf" in inputs,
            speech="speech" in inputs,
            timeout=attributes.seconds("timeout", 5.0, 13313),
            num_digits=attributes.whole("numDigits", 0, 13314) or None,
            finish_on=finish_on,
            empty_too=attributes.flag("actionOnEmptyResult"),
            prompts=tuple(prompt for child in element if (prompt := self._prompt(child)) is not None),
        )
        attributes.finish()
        return gather

    def _prompt(self, element: ElementTree.Element) -> Prompt | None:
        verb = self._verb(element) if element.tag in {"Say", "Play", "Pause"} else None
        if isinstance(verb, Play) and verb.digits:
            self._warn(13430, "<Play digits> is not allowed in <Gather>; it is skipped")
            return None
        if isinstance(verb, Say | Play | Pause):
            return verb
        self._warn(13320, f"<{element.tag}> is not allowed in <Gather>; it is skipped")
        return None

    def _record(self, element: ElementTree.Element) -> Record:
        attributes = self._attributes(element, "transcribe", "transcribeCallback", "recordingTrack")
        finish_on = attributes.text("finishOnKey", "1234567890*#")
        if set(finish_on) - set("0123456789*#"):
            self._warn(12200, f"<Record finishOnKey={finish_on!r}>: 0-9 * # or nothing; any key is used")
            finish_on = "1234567890*#"
        trim = attributes.text("trim", "trim-silence")
        if trim not in {"trim-silence", "do-not-trim"}:
            self._warn(12200, f"<Record trim={trim!r}>: trim-silence or do-not-trim; trim-silence is used")
        callback = attributes.text("recordingStatusCallback", "")
        record = Record(
            action=self._resolve(attributes.text("action", "")),
            method=attributes.method("method", 12200),
            timeout=attributes.seconds("timeout", 5.0),
            finish_on=finish_on,
            max_length=min(max(attributes.seconds("maxLength", 3600.0), 1.0), LONGEST_RECORDING),
            beep=attributes.flag("playBeep", default=True),
            trim=trim != "do-not-trim",
            callback=self._resolve(callback) if callback else None,
            callback_method=attributes.method("recordingStatusCallbackMethod", 12200),
            events=frozenset(attributes.text("recordingStatusCallbackEvent", "completed").split()) & RECORDING_EVENTS,
        )
        attributes.finish()
        return record

    def _redirect(self, element: ElementTree.Element) -> Redirect:
        attributes = self._attributes(element)
        redirect = Redirect(self._resolve((element.text or "").strip()), attributes.method("method", 13710))
        attributes.finish()
        return redirect

    def _reject(self, element: ElementTree.Element) -> Reject:
        attributes = self._attributes(element)
        reason = attributes.text("reason", "rejected")
        attributes.finish()
        return Reject("busy" if reason == "busy" else "rejected")

    def _hangup(self, element: ElementTree.Element) -> Hangup:
        self._attributes(element).finish()
        return Hangup()

    def _dial(self, element: ElementTree.Element) -> Dial | Unsupported:
        foreign = next((child.tag for child in element if child.tag in OTHERS), None)
        if foreign is not None:
            return Unsupported(f"Dial/{foreign}")
        attributes = self._attributes(
            element, "ringTone", "sequential", "record", "trim", "callReason", "recordingStatusCallback",
            "recordingStatusCallbackMethod", "recordingStatusCallbackEvent", "recordingTrack", "events",
        )  # fmt: skip
        action = attributes.text("action", "")
        nouns = Nouns(self._resolve, self._warn)
        nouns.read(element)
        dial = Dial(
            numbers=tuple(nouns.numbers),
            queue=nouns.queue,
            conference=nouns.conference,
            action=self._resolve(action) if action else None,
            method=attributes.method("method", 13212),
            timeout=min(max(attributes.seconds("timeout", 30.0, 13213), SHORTEST_RING), LONGEST_RING),
            time_limit=attributes.seconds("timeLimit", 14_400.0, 13216),
            caller_id=attributes.text("callerId", "") or None,
            hangup_on_star=attributes.flag("hangupOnStar"),
            answer_on_bridge=attributes.flag("answerOnBridge"),
        )
        attributes.finish()
        return dial

    def _enqueue(self, element: ElementTree.Element) -> Enqueue | Unsupported:
        if "workflowSid" in element.attrib or len(element):
            return Unsupported("Enqueue/Task")
        attributes = self._attributes(element)
        action, wait = attributes.text("action", ""), attributes.text("waitUrl", "")
        enqueue = Enqueue(
            (element.text or "").strip(),
            action=self._needed(action, 14203),
            method=attributes.method("method", 14201),
            wait_url=self._needed(wait, 14202),
            wait_method=attributes.method("waitUrlMethod", 14201),
            max_size=attributes.whole("maxQueueSize", 0) or None,
        )
        attributes.finish()
        return enqueue

    def _leave(self, element: ElementTree.Element) -> Leave:
        self._attributes(element).finish()
        return Leave()

    def _needed(self, reference: str, code: int) -> str | None:
        """An absolute URL, None for no reference; one that cannot be resolved is warned about and passed on."""
        if not reference:
            return None
        if (url := self._resolve(reference)) is None:
            self._warn(code, f"{reference!r} is no absolute URL, and the document has none")
        return url or reference

    def _resolve(self, reference: str) -> str | None:
        """An absolute URL; the document's own for an empty reference; None if there is nothing to resolve against."""
        if self._url is None:
            return reference if "://" in reference else None
        return urljoin(self._url, reference) if reference else self._url

    def _attributes(self, element: ElementTree.Element, *ignored: str) -> Attributes:
        return Attributes(element.tag, element.attrib, frozenset(ignored), self._warn)

    def _warn(self, code: int, message: str) -> None:
        self._alerts.append(Alert(code, "warning", message, self._url or ""))
