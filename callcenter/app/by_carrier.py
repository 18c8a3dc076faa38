"""The carrier as the rooms below see it: what sends messages, watches what became of them, and rings lines."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import structlog
from prometheus_client import Counter

from callcenter.calls.delivery import MessageNotTaken, Undeliverable
from callcenter.calls.text_messages import TextMessages
from callcenter.calls.values import Slot
from callcenter.kernel.errors import Unavailable
from callcenter.telephony.carrier import CallPlaced, CallRefused, Carrier, MessageRefused, MessageSent
from callcenter.telephony.fallback import StaticAnswers
from callcenter.telephony.ports import MessageStatus
from callcenter.telephony.rest_rooms import Rooms
from callcenter.telephony.switch import RescueSwitch
from callcenter.telephony.urls import Urls

_log = structlog.get_logger(__name__)


class CallNotTaken(Unavailable):
    """The carrier does not place a call."""


@dataclass(frozen=True, slots=True)
class CarrierMessenger:
    """The carrier as the jobs see it: a refusal that may pass later is worth another try, another one is not."""

    carrier: Carrier
    messages: Counter
    texts: TextMessages

    async def send_message(self, to: str, body: str, *, reference: UUID) -> Undeliverable | None:
        match await self.carrier.send_message(to, body, reference=reference):
            case MessageSent(sid=sid):
                self.messages.labels("accepted").inc()
                try:
                    await self.texts.sent(sid, reference)
                except Exception as error:  # the message is on its way: trying again would send a second one
                    _log.warning("message_not_noted", sid=sid, reference=str(reference), error=type(error).__name__)
            case MessageRefused(code=code, permanent=permanent):
                self.messages.labels("refused").inc()
                _log.warning("message_refused", code=code, permanent=permanent, reference=str(reference))
                if not permanent:
                    raise MessageNotTaken("the carrier does not take messages now")
                return Undeliverable(code)
        return None


@dataclass(frozen=True, slots=True)
class MessageWatch:
    """Counts what became of messages, each step once. Implements ``telephony.ports.MessageStatuses``."""

    messages: Counter
    texts: TextMessages

    async def message_status(self, sid: str, status: MessageStatus, error_code: int | None) -> None:
        moved = await self.texts.moved(sid, status.value, status.rank, error_code)
        if moved is None:
            return
        self.messages.labels(status.value).inc()
        if status in (MessageStatus.FAILED, MessageStatus.UNDELIVERED):
            reference = None if moved.reference is None else str(moved.reference)
            _log.warning("message_not_delivered", status=status.value, code=error_code, sid=sid, reference=reference)


@dataclass(frozen=True, slots=True)
class CarrierTelephone:
    """The carrier as notices ring by it. Implements ``notices.ports.Telephone``."""

    carrier: Carrier
    urls: Urls

    async def ring(self, to: str, shown: str, practice: UUID, *, reference: UUID) -> Undeliverable | None:
        url = self.urls.notice_call(practice, reference, 1)
        match await self.carrier.ring(to, shown, url, reference=reference):
            case CallPlaced():
                return None
            case CallRefused(code=code):
                return Undeliverable(code)


@dataclass(frozen=True, slots=True)
class CarrierLines:
    """The carrier as operators are reached by it. Implements ``calls.operators.Lines``, ``calls.keypad.Ways``
    and ``calls.line_sending.LineWays``.

    Arguments:
        static, switch: for whose practice nobody is rung back now.
    """

    carrier: Carrier
    urls: Urls
    static: StaticAnswers
    switch: RescueSwitch

    async def ring(self, number: str, shown: str, offer: UUID) -> bool:
        urls = self.urls
        placed = await self.carrier.ring(
            number, shown, urls.offer(offer), reference=offer, status_url=urls.offer_status(offer)
        )
        return isinstance(placed, CallPlaced)

    async def lead(self, carrier_sid: str, call: UUID, document: int) -> bool:
        return await self.carrier.lead(carrier_sid, self.urls.meeting(call, document))

    async def lead_out(self, carrier_sid: str, call: UUID, document: int) -> bool:
        return await self.carrier.lead(carrier_sid, self.urls.step(call, document, Slot.NEXT))

    async def lead_to_line(self, carrier_sid: str, call: UUID, document: int) -> bool:
        return await self.carrier.lead(carrier_sid, self.urls.line(call, document))

    async def ring_back(self, number: str, shown: str, token: str, reservation: UUID) -> bool:
        if self.switch.now().takes(self.static.practice(shown)):
            return False
        answered, over = self.urls.reached(token), self.urls.offer_rung(reservation)
        placed = await self.carrier.ring(number, shown, answered, reference=reservation, status_url=over)
        return isinstance(placed, CallPlaced)

    async def nobody_came(self, operator_leg: str, reservation: UUID) -> bool:
        return await self.carrier.lead(operator_leg, self.urls.offer_nobody(reservation))


@dataclass(frozen=True, slots=True)
class CarrierRooms:
    """The carrier's conferences as talks see them. Implements ``calls.rooms.Rooms``.

    Arguments:
        rooms: once the carrier's client is started.
    """

    carrier: Carrier
    rooms: Rooms
    urls: Urls

    async def find(self, room: str) -> str | None:
        return await self.rooms.find(room)

    async def hold(self, found: str, label: str, on: bool) -> bool:
        return await self.rooms.change(found, label, hold=on, hold_url=self.urls.hold if on else None)

    async def ends(self, found: str, label: str, on: bool) -> bool:
        return await self.rooms.change(found, label, ends=on)

    async def put_out(self, found: str, label: str) -> bool:
        return await self.rooms.put_out(found, label)

    async def close(self, found: str) -> bool:
        return await self.rooms.end(found)

    async def ring(self, number: str, shown: str, party: UUID) -> str | None:
        urls = self.urls
        placed = await self.carrier.ring(
            number, shown, urls.party(party), reference=party, status_url=urls.party_status(party)
        )
        return placed.sid if isinstance(placed, CallPlaced) else None

    async def hang_up(self, leg: str) -> bool:
        return await self.rooms.hang_up(leg)


@dataclass(frozen=True, slots=True)
class CarrierRinger:
    """The carrier as the job that rings lines sees it. Implements ``calls.delivery.Ringer``."""

    carrier: Carrier
    urls: Urls

    async def place_call(self, to: str, *, shown: str, token: str, reference: UUID) -> None:
        urls = self.urls
        answered, reported = urls.reached(token), urls.status
        match await self.carrier.ring(to, shown, answered, reference=reference, status_url=reported):
            case CallPlaced():
                return
            case CallRefused():
                raise CallNotTaken
