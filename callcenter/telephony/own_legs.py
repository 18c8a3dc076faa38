"""The leg that an operator's browser places once its page has taken a call: it comes into the room, or is sent away.

The carrier says whose browser it is (``From``, out of the token that we gave it). Which call is meant is the page's
word (``offer``), and worth nothing unless our own row says that the call is theirs.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from aiohttp import web
from multidict import MultiMapping

from callcenter.calls.own_legs import InRoom, staff_of
from callcenter.telephony import webhooks
from callcenter.telephony.alerts import AlertKind, Alerts
from callcenter.telephony.offers import RINGS, joined
from callcenter.telephony.ports import OwnLegs
from callcenter.telephony.responses import OUTCOME, Outcome, respond, twiml
from callcenter.telephony.twiml import CarrierVoices, hang_up, last_words
from callcenter.telephony.urls import Urls

NOT_YOURS = "Cet appel n'est plus le vôtre. Au revoir."

_CLIENT = "client:"
_OFFER = re.compile(r"[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Placed:
    """A browser has placed a leg.

    Arguments:
        leg: the carrier's identifier of it.
    """

    staff: UUID
    offer: UUID
    leg: str


class OwnLegCalls:
    """Handlers of everything that the carrier asks about such legs.

    Arguments:
        own_legs: knows whose call is whose.
        alerts: told of every failure.
        urls, voices: how documents are rendered.
        seconds: how long ``own_legs`` may take.
    """

    def __init__(self, *, own_legs: OwnLegs, alerts: Alerts, urls: Urls, voices: CarrierVoices, seconds: float) -> None:
        self._own_legs = own_legs
        self._alerts = alerts
        self._urls = urls
        self._voices = voices
        self._seconds = seconds

    async def placed(self, request: web.Request) -> web.Response:
        """A browser has placed a leg."""
        read = read_placed(await request.post())
        if isinstance(read, webhooks.Malformed):
            self._alerts.report(AlertKind.MALFORMED_WEBHOOK, field=read.field)
            return twiml(request, self._goodbye(), Outcome.MALFORMED)
        try:
            async with asyncio.timeout(self._seconds):
                into = await self._own_legs.joins(read.staff, read.offer, read.leg)
        except Exception as error:
            self._alerts.failed(AlertKind.STEP_FAILED, error)
            return twiml(request, self._goodbye(), Outcome.FAILED)
        return twiml(request, self._goodbye() if into is None else self._joined(into), Outcome.ANSWERED)

    async def over(self, request: web.Request) -> web.Response:
        """The talk is over."""
        return twiml(request, hang_up(), Outcome.ANSWERED)

    async def status(self, request: web.Request) -> web.Response:
        """How far such a leg has come. A failure is a 503, which lets the carrier's retries work."""
        event = webhooks.read_status_change(await request.post())
        if isinstance(event, webhooks.Malformed):
            self._alerts.report(AlertKind.MALFORMED_WEBHOOK, field=event.field)
            request[OUTCOME] = Outcome.MALFORMED.value
            return respond(204)
        if event.status.terminal:
            try:
                async with asyncio.timeout(self._seconds):
                    await self._own_legs.ended(event.carrier_sid)
            except Exception as error:
                self._alerts.failed(AlertKind.STATUS_FAILED, error)
                request[OUTCOME] = Outcome.FAILED.value
                return respond(503)
        request[OUTCOME] = Outcome.ACCEPTED.value
        return respond(204)

    def _joined(self, into: InRoom) -> bytes:
        words, music = ((RINGS, self._voices.voice("fr")), self._urls.music) if into.rings else (None, "")
        return joined(into.room, self._urls.own_leg_over, into.label, ends_all=into.ends_all, words=words, music=music)

    def _goodbye(self) -> bytes:
        return last_words(NOT_YOURS, self._voices.voice("fr"))


def read_placed(form: MultiMapping[Any]) -> Placed | webhooks.Malformed:
    """A leg that a browser has placed."""
    leg = webhooks.read_leg(form)
    if leg is None:
        return webhooks.Malformed("CallSid")
    origin, offer = (webhooks.read_field(form, name) or "" for name in ("From", "offer"))
    staff = staff_of(origin.removeprefix(_CLIENT)) if origin.startswith(_CLIENT) else None
    if staff is None:
        return webhooks.Malformed("From")
    if not _OFFER.fullmatch(offer):
        return webhooks.Malformed("offer")
    return Placed(staff, UUID(offer), leg)
