"""The control interface to the mailbox: what arrived, and what is refused."""

from __future__ import annotations

from aiohttp import web

from callcenter.emulator.control import LONGEST_POLL, poll
from callcenter.emulator.errors import Refusal
from callcenter.emulator.mailbox import STAGES, Mail, Mailbox, Refusing
from callcenter.emulator.reading import Body, Query

MAILS = "/emulator/mails"


class MailboxControl:
    """``/emulator/mails``.

    Arguments:
        mailbox: has them.
    """

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self.port: int | None = None

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        return [
            web.get(MAILS, self.mails),
            web.post(MAILS + "/failures", self.fail),
            web.delete(MAILS + "/failures", self.mend),
        ]

    async def mails(self, request: web.Request) -> web.Response:
        """Mails that arrived; ``?to=`` an address, ``?after=`` a mail's number, ``?wait=`` seconds for one."""
        query = Query(request)
        to, after = query.text("to"), query.whole("after", 0)
        wait = query.seconds("wait", 0.0, LONGEST_POLL)
        query.finish()
        await poll(self._mailbox.changes, lambda: bool(self._mailbox.arrived(to, after)), wait)
        shown = [mail_body(mail) for mail in self._mailbox.arrived(to, after)]
        return web.json_response({"mails": shown, "last": len(self._mailbox.all), "port": self.port})

    async def fail(self, request: web.Request) -> web.Response:
        """Refuse mails: ``{"code": 400 to 599, "message", "at": "recipient"|"message", "to"}``, the next ``"count"`` of
        them (one if left out), or all with ``"for_ever": true``."""
        body = await Body.read(request)
        code = body.whole("code", 451, least=400, most=599)
        message = body.text("message", "what the server says", "Refused on request")
        stage, to = body.choice("at", STAGES, "recipient"), body.optional("to", "the only address that is refused")
        for_ever, count = body.flag("for_ever", default=False), body.whole("count", 0, least=0, most=10_000)
        body.finish()
        if not message.isascii() or not message.isprintable():
            raise Refusal('"message" is one line of ASCII, as SMTP has it')
        if for_ever and count:
            raise Refusal('"count" and "for_ever" exclude each other: send one of them')
        self._mailbox.refusing = Refusing(code, message, stage, to, None if for_ever else count or 1)
        return web.json_response({"code": code, "at": stage, "count": None if for_ever else count or 1})

    async def mend(self, request: web.Request) -> web.Response:
        """Take every mail again."""
        Query(request).finish()
        self._mailbox.refusing = None
        return web.json_response({"code": None})


def mail_body(mail: Mail) -> dict[str, object]:
    """A mail that arrived."""
    return {
        "number": mail.number,
        "from": mail.sender,
        "to": list(mail.to),
        "subject": mail.subject,
        "text": mail.text,
        "at": mail.at.isoformat(),
    }
