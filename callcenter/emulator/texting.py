"""Text messages to the account's numbers: the application is asked, its answer is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urljoin
from xml.etree import ElementTree

from callcenter.emulator.messages import Draft, Message, Messages, OptOut, Refused, segments
from callcenter.emulator.settings import EmulatorSettings
from callcenter.emulator.verbs import Alert, Method
from callcenter.emulator.webhooks import Answered, Delivery, Parameters, Unanswered, Webhooks

DOCUMENTS = 10  # that lead to one another by Redirect, as many as the carrier follows HTTP redirects
TWIML_TYPES = frozenset({"text/xml", "application/xml", "text/html"})
CONFIRMED: dict[OptOut, str] = {
    "STOP": "You have successfully been unsubscribed. Reply START to resubscribe.",
    "START": "You have successfully been re-subscribed. Reply STOP to unsubscribe.",
}


@dataclass(slots=True)
class Received:
    """What became of a message to the account.

    Arguments:
        status: what the application answered at last, None if it was not asked or did not answer.
        replies: what it answered with, sent or refused.
        alerts: what the carrier's debugger would show.
    """

    message: Message
    status: int | None = None
    replies: list[Message | Refused] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)


class Texting:
    """Telephones that send text messages to the account.

    Arguments:
        settings: where the application is asked.
        messages: keeps them, and sends the answers.
        webhooks: how the application is asked.
    """

    def __init__(self, settings: EmulatorSettings, messages: Messages, webhooks: Webhooks) -> None:
        self._settings = settings
        self._messages = messages
        self._webhooks = webhooks

    def takes(self, number: str) -> bool:
        """Whether messages to a number are messages to the account."""
        own = self._settings.senders | self._settings.numbers.keys()
        return number in own or not self._settings.numbers

    async def receive(self, draft: Draft) -> Received:
        """A telephone sends a message; returns when the application has answered and its answer was sent.

        Source: https://www.twilio.com/docs/messaging/guides/webhook-request
        """
        message, opt_out = self._messages.receive(draft)
        received = Received(message)
        if opt_out is not None:
            self._answer(received, draft.to, draft.sender, CONFIRMED[opt_out], unblocked=True)
        url = self._settings.number(draft.to).messaging_url
        method: Method = "POST"
        for _ in range(DOCUMENTS):
            if url is None:
                return received
            delivery = Delivery("webhook", url, method, self._parameters(message, opt_out), keeps_https_port=True)
            next_document = self._take(received, await self._webhooks.send(delivery))
            if next_document is None:
                return received
            url, method = next_document
        received.alerts.append(Alert(11215, "error", f"More than {DOCUMENTS} documents", url or ""))
        return received

    def _parameters(self, message: Message, opt_out: OptOut | None) -> Parameters:
        draft = message.draft
        pairs = [
            ("MessageSid", message.sid),
            ("SmsSid", message.sid),
            ("SmsMessageSid", message.sid),
            ("AccountSid", self._settings.account_sid),
            ("From", draft.sender),
            ("To", draft.to),
            ("Body", draft.body),
            ("NumMedia", "0"),
            ("NumSegments", str(segments(draft.body))),
            ("SmsStatus", "received"),
            ("ApiVersion", "2010-04-01"),
        ]
        for role, number in (("From", draft.sender), ("To", draft.to)):
            pairs.append((f"{role}Country", "FR" if number.startswith("+33") else ""))
            pairs += [(f"{role}{place}", "") for place in ("City", "State", "Zip")]
        if opt_out is not None:
            pairs.append(("OptOutType", opt_out))
        return tuple(pairs)

    def _take(self, received: Received, reply: Answered | Unanswered) -> tuple[str, Method] | None:
        """Send what the application answered; the next document, if it names one."""
        if isinstance(reply, Unanswered):
            received.alerts.append(Alert(reply.code, "error", reply.why, reply.url))
            return None
        received.status = reply.status
        if not HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
            received.alerts.append(Alert(11200, "error", f"HTTP {reply.status}", reply.url))
            return None
        draft = received.message.draft
        if reply.content_type == "text/plain":
            if text := reply.body.decode(errors="replace").strip():
                self._answer(received, draft.to, draft.sender, text)
        elif reply.content_type in TWIML_TYPES and reply.body.strip():
            return self._document(received, reply)
        elif reply.body.strip():
            received.alerts.append(Alert(12300, "error", f"Invalid Content-Type {reply.content_type!r}", reply.url))
        return None

    def _document(self, received: Received, reply: Answered) -> tuple[str, Method] | None:
        try:
            root = ElementTree.fromstring(reply.body)  # noqa: S314 - from the application under test
        except (ElementTree.ParseError, ValueError, LookupError) as error:
            received.alerts.append(Alert(12100, "error", f"Document parse failure: {error}", reply.url))
            return None
        if root.tag != "Response":
            received.alerts.append(Alert(12100, "error", f"The root is <{root.tag}>, not <Response>", reply.url))
            return None
        draft = received.message.draft
        for element in root:
            if element.tag == "Message":
                to, sender = element.get("to", draft.sender), element.get("from", draft.to)
                self._answer(received, sender, to, _body(element), callback=_absolute(reply, element))
            elif element.tag == "Redirect":
                method: Method = "GET" if element.get("method") == "GET" else "POST"
                return urljoin(reply.url, (element.text or "").strip()), method
            else:
                message = f"<{element.tag}> is not a verb of a message; it is skipped"
                received.alerts.append(Alert(12200, "warning", message, reply.url))
        return None

    def _answer(
        self, received: Received, sender: str, to: str, body: str, *, callback: str = "", unblocked: bool = False
    ) -> None:
        draft = Draft(to, sender, "", body, callback)
        reply = self._messages.create(draft, "outbound-reply", unblocked=unblocked)
        received.replies.append(reply)
        if isinstance(reply, Refused):
            received.alerts.append(Alert(reply.code, "error", reply.message))


def _body(element: ElementTree.Element) -> str:
    """The text of a Message: its own, or that of its Body."""
    return "".join(_texts(element)).strip()


def _texts(element: ElementTree.Element) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        if child.tag == "Body":
            yield child.text or ""
        yield child.tail or ""


def _absolute(reply: Answered, element: ElementTree.Element) -> str:
    callback = element.get("statusCallback", "")
    return urljoin(reply.url, callback) if callback else ""
