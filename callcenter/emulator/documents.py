"""Asking the application for a document and judging what it answers."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal

from callcenter.emulator.calls import Call, Fetch, Inline, Source
from callcenter.emulator.twiml import DocumentFailed, parse
from callcenter.emulator.verbs import Document, Hangup, Say
from callcenter.emulator.webhooks import Answered, Delivery, Unanswered, Webhooks

TWIML_TYPES = frozenset({"text/xml", "application/xml", "text/html"})


class Documents:
    """Obtains the documents of one leg.

    Arguments:
        call: the leg, whose parameters every request carries.
        webhooks: how the application is asked.
    """

    def __init__(self, call: Call, webhooks: Webhooks) -> None:
        self._call = call
        self._webhooks = webhooks

    async def obtain(self, source: Source, kind: Literal["webhook", "fallback"] = "webhook") -> Document:
        """A document that can be executed.

        Raises:
            DocumentFailed: with the carrier's error code.
        """
        if isinstance(source, Inline):
            document = parse(source.twiml.encode(), None)
        else:
            document = judge(await self._ask(source, kind))
        self._call.alert(*document.alerts)
        return document

    async def _ask(self, source: Fetch, kind: Literal["webhook", "fallback"]) -> Answered | Unanswered:
        call = self._call
        delivery = Delivery(kind, source.url, source.method, call.base_parameters(), source.extras, call.sid)
        return await self._webhooks.send(delivery, call.cookies)


def judge(reply: Answered | Unanswered) -> Document:
    """What a reply comes to, by status and content type. Source: https://www.twilio.com/docs/voice/twiml

    Raises:
        DocumentFailed: no answer, an error status, an empty body, another content type, or not TwiML.
    """
    if isinstance(reply, Unanswered):
        raise DocumentFailed(reply.code, reply.url, reply.why)
    if not HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
        raise DocumentFailed(11200, reply.url, f"HTTP {reply.status}")
    if reply.content_type.startswith("audio/"):
        return Document(reply.url, (), audio=reply.body)
    if reply.content_type == "text/plain" and reply.body.strip():
        return _plain(reply)
    if reply.content_type not in TWIML_TYPES and reply.body.strip():
        raise DocumentFailed(12300, reply.url, f"Invalid Content-Type {reply.content_type!r}")
    return parse(reply.body, reply.url)


def _plain(reply: Answered) -> Document:
    """Plain text is TwiML if it reads as such, otherwise it is spoken."""
    try:
        return parse(reply.body, reply.url)
    except DocumentFailed as failed:
        if failed.code != 12100:
            raise
        return Document(reply.url, (Say(reply.body.decode(errors="replace").strip()), Hangup()))
