"""Reading what a Dial leads to: numbers, clients, a queue, a conference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from callcenter.emulator.attributes import Attributes, Warn
from callcenter.emulator.clients import SCHEME, is_client
from callcenter.emulator.verbs import DialledConference, DialledNumber, DialledQueue

EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
CONFERENCE_EVENTS = frozenset({"start", "end", "join", "leave", "mute", "hold", "modify", "speaker", "announcement"})
BEEPS = ("true", "false", "onEnter", "onExit")
MOST_PARTICIPANTS = 250
MUSIC = "\0"  # stands for no waitUrl at all, which is not the same as an empty one


@dataclass(slots=True)
class Nouns:
    """The nouns of one Dial, as far as they have been read.

    Arguments:
        resolve: makes an address absolute.
        warn: told a code and a message.
    """

    resolve: Callable[[str], str | None]
    warn: Warn
    numbers: list[DialledNumber] = field(default_factory=list)
    queue: DialledQueue | None = None
    conference: DialledConference | None = None

    def read(self, dial: Element) -> None:
        """Read all that stands in a Dial; plain text is a number; a queue or a conference stands alone."""
        if plain := (dial.text or "").strip():
            self.numbers.append(DialledNumber(plain))
        for child in dial:
            alone = self.queue or self.conference or (self.numbers and child.tag in {"Queue", "Conference"})
            if alone:
                self.warn(13215, f"<{child.tag}> beside another noun of <Dial>; it is skipped")
            elif child.tag == "Number":
                self.numbers.append(self._number(child))
            elif child.tag == "Client":
                self.numbers += [client] if (client := self._client(child)) is not None else []
            elif child.tag == "Queue":
                self.queue = self._queue(child)
            elif child.tag == "Conference":
                self.conference = self._conference(child)
            else:
                self.warn(13215, f"<{child.tag}> is not a noun of <Dial>; it is skipped")

    def _number(self, element: Element) -> DialledNumber:
        return self._rung(element, (element.text or "").strip(), (), "sendDigits", "byoc", "machineDetection")

    def _client(self, element: Element) -> DialledNumber | None:
        """Source: https://www.twilio.com/docs/voice/twiml/client"""
        identity, parameters = (element.text or "").strip(), []
        for child in element:
            if child.tag == "Identity":
                identity = (child.text or "").strip()
            elif child.tag == "Parameter":
                parameters.append((child.get("name", ""), child.get("value", "")))
            else:
                self.warn(12200, f"<{child.tag}> is nothing that <Client> has; it is skipped")
        if not is_client(SCHEME + identity):
            self.warn(12200, f"<Client>: {identity!r} is no identity; it is skipped")
            return None
        return self._rung(element, SCHEME + identity, tuple(parameters), "clientNotificationUrl")

    def _rung(
        self, element: Element, address: str, parameters: tuple[tuple[str, str], ...], *ignored: str
    ) -> DialledNumber:
        attributes = self._attributes(element, *ignored)
        whisper, callback = attributes.text("url", ""), attributes.text("statusCallback", "")
        number = DialledNumber(
            address,
            url=self.resolve(whisper) if whisper else None,
            method=attributes.method("method", 13221),
            status_callback=self.resolve(callback) if callback else None,
            events=frozenset(attributes.text("statusCallbackEvent", "completed").split()) & EVENTS,
            status_method=attributes.method("statusCallbackMethod", 12200),
            parameters=parameters,
        )
        attributes.finish()
        return number

    def _queue(self, element: Element) -> DialledQueue:
        attributes = self._attributes(element, "reservationSid", "postWorkActivitySid")
        url = attributes.text("url", "")
        queue = DialledQueue(
            (element.text or "").strip(),
            url=self.resolve(url) if url else None,
            method=attributes.method("method", 12200),
        )
        attributes.finish()
        return queue

    def _conference(self, element: Element) -> DialledConference:
        """Source: https://www.twilio.com/docs/voice/twiml/conference"""
        attributes = self._attributes(
            element, "record", "region", "trim", "jitterBufferSize", "recordingStatusCallback", "eventCallbackUrl",
            "recordingStatusCallbackMethod", "recordingStatusCallbackEvent",
        )  # fmt: skip
        wait, callback = attributes.text("waitUrl", MUSIC), attributes.text("statusCallback", "")
        events = attributes.text("statusCallbackEvent", "start end").split()
        if unknown := set(events) - CONFERENCE_EVENTS:
            self.warn(12200, f"<Conference statusCallbackEvent>: there is no {', '.join(sorted(unknown))}")
        beep = attributes.text("beep", "true")
        if beep not in BEEPS:
            self.warn(13235, f"<Conference beep={beep!r}>: one of {', '.join(BEEPS)}; true is used")
        conference = DialledConference(
            (element.text or "").strip(),
            muted=attributes.flag("muted", code=13230),
            starts=attributes.flag("startConferenceOnEnter", default=True, code=13232),
            ends=attributes.flag("endConferenceOnExit", code=13231),
            label=attributes.text("participantLabel", "") or None,
            wait_url=None if wait == MUSIC else self._waiting(wait) if wait else "",
            wait_method=attributes.method("waitMethod", 13234),
            most=min(attributes.whole("maxParticipants", MOST_PARTICIPANTS) or MOST_PARTICIPANTS, MOST_PARTICIPANTS),
            coach=attributes.text("coach", "") or None,
            beep=beep if beep in BEEPS else "true",
            callback=self.resolve(callback) if callback else None,
            callback_method=attributes.method("statusCallbackMethod", 12200),
            events=frozenset(events) & CONFERENCE_EVENTS,
        )
        attributes.finish()
        return conference

    def _waiting(self, reference: str) -> str:
        if (url := self.resolve(reference)) is None:
            self.warn(13233, f"<Conference waitUrl={reference!r}> is no absolute URL, and the document has none")
        return url or reference

    def _attributes(self, element: Element, *ignored: str) -> Attributes:
        return Attributes(element.tag, element.attrib, frozenset(ignored), self.warn)
