"""Messages over REST: create, fetch, list."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from callcenter.emulator.identifiers import rfc2822
from callcenter.emulator.messages import Draft, Message, Messages, Refused, segments
from callcenter.emulator.rest import PREFIX, RestError, form, not_found, page


class MessagesResource:
    """``/Accounts/{AC}/Messages``.

    Arguments:
        messages: has them.
    """

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        messages = PREFIX + "/Accounts/{account}/Messages"
        return [
            web.post(messages + ".json", self.create),
            web.get(messages + ".json", self.list),
            web.get(messages + "/{sid}.json", self.fetch),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """Send a text message."""
        fields = await form(request)
        draft = Draft(
            fields.get("To", ""),
            fields.get("From", ""),
            fields.get("MessagingServiceSid", ""),
            fields.get("Body", ""),
            fields.get("StatusCallback", ""),
        )
        created = self._messages.create(draft)
        if isinstance(created, Refused):
            raise RestError(created.code, created.message, created.status)
        return web.json_response(body(created, request.match_info["account"]), status=HTTPStatus.CREATED)

    async def list(self, request: web.Request) -> web.Response:
        """Messages, newest first, those that the query asks for."""
        to, sender = request.query.get("To"), request.query.get("From")
        shown = [
            body(message, request.match_info["account"])
            for message in reversed(self._messages.all)
            if to in (None, message.draft.to) and sender in (None, message.draft.sender)
        ]
        return page(request, "messages", shown)

    async def fetch(self, request: web.Request) -> web.Response:
        """One message."""
        message = self._messages.find(request.match_info["sid"])
        if message is None:
            raise not_found(request)
        return web.json_response(body(message, request.match_info["account"]))


def body(message: Message, account_sid: str) -> dict[str, object]:
    """A message as the carrier describes it."""
    uri = f"{PREFIX}/Accounts/{account_sid}/Messages/{message.sid}"
    return {
        "sid": message.sid,
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "body": message.draft.body,
        "date_created": rfc2822(message.created),
        "date_sent": rfc2822(message.sent) if message.sent else None,
        "date_updated": rfc2822(message.updated),
        "direction": message.direction,
        "error_code": message.error_code,
        "error_message": None,
        "from": message.draft.sender or None,
        "messaging_service_sid": message.draft.service or None,
        "num_media": "0",
        "num_segments": str(segments(message.draft.body)),
        "price": None,
        "price_unit": "EUR",
        "status": message.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": message.draft.to,
        "uri": f"{uri}.json",
    }
