"""Calls over REST: create, fetch, update, list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from aiohttp import web

from callcenter.emulator.calls import Call, Diverted, Fetch, HungUp, Inline, Source, Subscription
from callcenter.emulator.clients import is_client
from callcenter.emulator.identifiers import rfc2822
from callcenter.emulator.messages import E164
from callcenter.emulator.rest import PREFIX, Form, RestError, form, http_method, not_found, page, settle
from callcenter.emulator.switchboard import Order, Switchboard
from callcenter.emulator.verbs import Alert

LONGEST_TWIML = 4000  # characters: error 32018
WAITING = {"queued", "initiated", "ringing"}
DEFAULT_TIMEOUT = 60
LONGEST_TIMEOUT = 600


class CallsResource:
    """``/Accounts/{AC}/Calls``.

    Arguments:
        switchboard: has the calls.
    """

    def __init__(self, switchboard: Switchboard) -> None:
        self._switchboard = switchboard

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        calls = PREFIX + "/Accounts/{account}/Calls"
        return [
            web.post(calls + ".json", self.create),
            web.get(calls + ".json", self.list),
            web.get(calls + "/{sid}.json", self.fetch),
            web.post(calls + "/{sid}.json", self.update),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """Ring somebody."""
        fields = await form(request)
        caller, called = parties(fields)
        source = _source(fields)
        if source is None:
            raise RestError(21205, "Url or Twiml is required")
        order = Order(caller, called, source, _fallback(fields), subscription(fields), timeout(fields))
        call = self._switchboard.order(order)
        if fields.get("Url") and fields.get("Twiml"):
            call.alert(Alert(32019, "warning", "Url and Twiml are both given: Url is used"))
        return web.json_response(body(call), status=HTTPStatus.CREATED)

    async def list(self, request: web.Request) -> web.Response:
        """Calls, newest first, those that the query asks for."""
        wanted = {name: request.query.get(name) for name in ("To", "From", "Status", "ParentCallSid")}
        times = Span.asked(request)

        def shown(call: Call) -> bool:
            of = call.parties
            has = {"To": of.called, "From": of.caller, "Status": call.status, "ParentCallSid": of.parent}
            named = all(value is None or has[name] == value for name, value in wanted.items())
            return not call.outside and named and started(call) in times

        calls = [body(call) for call in reversed(self._switchboard.calls.values()) if shown(call)]
        return page(request, "calls", calls)

    async def fetch(self, request: web.Request) -> web.Response:
        """One call."""
        return web.json_response(body(self._find(request)))

    async def update(self, request: web.Request) -> web.Response:
        """End a call, or give it another document."""
        call, fields = self._find(request), await form(request)
        status, source = fields.get("Status"), _source(fields)
        if status not in {None, "completed", "canceled"}:
            raise RestError(21218, "Status is completed or canceled")
        if status is not None and source is not None:
            raise RestError(20001, "Status excludes Url and Twiml")
        if fields.get("Url") and fields.get("Twiml"):  # of a new call the Url is used, of one that exists neither
            raise RestError(20001, "Url excludes Twiml")
        if call.over or (status == "canceled" and call.status not in WAITING):
            raise RestError(21220, f"Invalid call state: {call.status}")
        if status is not None:
            call.interrupt(HungUp("carrier"))
            await settle(call.timeline.changes, lambda: call.over)
        elif source is not None:
            self._divert(call, source, fields)
        return web.json_response(body(call))

    def _divert(self, call: Call, source: Source, fields: Form) -> None:
        if call.answered is None:
            raise RestError(21220, "Call is not in-progress. Cannot redirect.")
        call.fallback = _fallback(fields) or call.fallback
        # Only along with a Url: https://github.com/twilio/twilio-python/issues/884
        call.subscription = subscription(fields) or call.subscription
        call.interrupt(Diverted(source))

    def _find(self, request: web.Request) -> Call:
        call = self._switchboard.calls.get(request.match_info["sid"])
        if call is None or call.outside:
            raise not_found(request)
        return call


@dataclass(frozen=True, slots=True)
class Span:
    """When calls began that a list shows.

    Arguments:
        since: it and whatever is later; ``None``: no bound.
        until: whatever is earlier.
    """

    since: datetime | None
    until: datetime | None

    @classmethod
    def asked(cls, request: web.Request) -> Span:
        """``StartTime``, a whole day of UTC, or its bounds ``StartTime>`` (on or after) and ``StartTime<`` (before).

        Raises:
            RestError: 20001 for what is no time.
        """
        day, since, until = (_moment(request, name) for name in ("StartTime", "StartTime>", "StartTime<"))
        if day is not None:
            since, until = day, day + timedelta(days=1)
        return cls(since, until)

    def __contains__(self, moment: datetime) -> bool:
        return (self.since is None or self.since <= moment) and (self.until is None or moment < self.until)


def started(call: Call) -> datetime:
    """By what the list goes: when a call was answered, or else when it came in."""
    return call.answered or call.created


def parties(fields: Form) -> tuple[str, str]:
    """Who rings whom.

    Raises:
        RestError: with the carrier's code for a number that is missing or none.
    """
    called, caller = fields.get("To", ""), fields.get("From", "")
    if not called:
        raise RestError(21201, "No 'To' number is specified")
    if not caller:
        raise RestError(21213, "'From' phone number is required")
    if not (E164.fullmatch(called) or is_client(called)):
        raise RestError(21211, f"Invalid 'To' Phone Number: {called}")
    if not (E164.fullmatch(caller) or is_client(caller)):
        raise RestError(21212, f"Invalid 'From' Phone Number: {caller}")
    return caller, called


def body(call: Call) -> dict[str, object]:
    """A call as the carrier describes it."""
    of = call.parties
    uri = f"{PREFIX}/Accounts/{of.account_sid}/Calls/{of.sid}"
    return {
        "sid": of.sid,
        "date_created": rfc2822(call.created),
        "date_updated": rfc2822(call.updated),
        "parent_call_sid": of.parent,
        "account_sid": of.account_sid,
        "to": of.called,
        "to_formatted": of.called,
        "from": of.caller,
        "from_formatted": of.caller,
        "phone_number_sid": None,
        "status": call.status,
        "start_time": rfc2822(started(call)) if call.answered or call.ended else None,
        "end_time": rfc2822(call.ended) if call.ended else None,
        "duration": str(call.duration) if call.ended else None,
        "price": None,
        "price_unit": "EUR",
        "direction": of.direction,
        "answered_by": None,
        "api_version": "2010-04-01",
        "forwarded_from": of.forwarded_from,
        "group_sid": None,
        "caller_name": None,
        "queue_time": "0",
        "trunk_sid": None,
        "uri": f"{uri}.json",
        "subresource_uris": {"recordings": f"{uri}/Recordings.json"},
    }


def _source(fields: Form) -> Source | None:
    url, twiml = fields.get("Url"), fields.get("Twiml")
    if url:
        if "://" not in url:
            raise RestError(21205, f"Url is not a valid URL: {url}")
        return Fetch(url, http_method(fields, "Method"))
    if twiml and len(twiml) > LONGEST_TWIML:
        raise RestError(32018, f"Twiml has more than {LONGEST_TWIML} characters")
    return Inline(twiml) if twiml else None


def _fallback(fields: Form) -> Fetch | None:
    url = fields.get("FallbackUrl")
    return Fetch(url, http_method(fields, "FallbackMethod")) if url else None


def subscription(fields: Form) -> Subscription | None:
    """Who is told of the leg's progress."""
    url = fields.get("StatusCallback")
    if not url:
        return None
    events = [event for value in fields.getall("StatusCallbackEvent", ["completed"]) for event in value.split()]
    return Subscription(url, http_method(fields, "StatusCallbackMethod"), frozenset(events))


def timeout(fields: Form) -> float:
    """Seconds that a telephone rings."""
    text = fields.get("Timeout", str(DEFAULT_TIMEOUT))
    if not (text.isascii() and text.isdigit() and int(text) <= LONGEST_TIMEOUT):
        raise RestError(20001, f"Timeout is a number of seconds up to {LONGEST_TIMEOUT}")
    return float(text)


def _moment(request: web.Request, name: str) -> datetime | None:
    """A day or a moment of UTC, as ISO 8601 writes it."""
    text = request.query.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RestError(20001, f"{name} is a day (YYYY-MM-DD) or a moment of UTC") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
