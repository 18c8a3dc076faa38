"""Reading what a Dial leads to: numbers, and a queue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from callcenter.emulator.attributes import Attributes, Warn
from callcenter.emulator.verbs import DialledNumber, DialledQueue

EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
LONGEST_QUEUE_NAME = 64  # characters: https://www.twilio.com/docs/voice/twiml/enqueue


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

    def read(self, dial: Element) -> None:
        """Read all that stands in a Dial; plain text is a number, and a queue stands alone."""
        if plain := (dial.text or "").strip():
            self.numbers.append(DialledNumber(plain))
        for child in dial:
            if self.queue is not None or (child.tag == "Queue" and self.numbers):
                self.warn(13215, f"<{child.tag}> beside another noun of <Dial>; it is skipped")
            elif child.tag == "Number":
                self.numbers.append(self._number(child))
            elif child.tag == "Queue":
                self.queue = self._queue(child)
            else:
                self.warn(13215, f"<{child.tag}> is not a noun of <Dial>; it is skipped")

    def _number(self, element: Element) -> DialledNumber:
        attributes = self._attributes(element, "sendDigits", "byoc", "statusCallbackMethod", "machineDetection")
        whisper, callback = attributes.text("url", ""), attributes.text("statusCallback", "")
        number = DialledNumber(
            (element.text or "").strip(),
            url=self.resolve(whisper) if whisper else None,
            method=attributes.method("method", 13221),
            status_callback=self.resolve(callback) if callback else None,
            events=frozenset(attributes.text("statusCallbackEvent", "completed").split()) & EVENTS,
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

    def _attributes(self, element: Element, *ignored: str) -> Attributes:
        return Attributes(element.tag, element.attrib, frozenset(ignored), self.warn)
