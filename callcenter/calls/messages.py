"""The port by which a flow leaves something for people."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from callcenter.audit.ledger import Entry, EventKind
from callcenter.calls.desk import Desk
from callcenter.calls.session import Beginning
from callcenter.flow.conversation import Recorded
from callcenter.flow.ports import Addressee, CallbackRequest
from callcenter.kernel.randomness import Random, new_id
from callcenter.practice.facts import Arrival
from callcenter.practice.inbox import Inbox
from callcenter.practice.practitioners import public_names
from callcenter.practice.values import Urgency
from callcenter.practice.voice_messages import VoiceMessages


class CallMessages:
    """The practice's inbox, as a flow sees it. Implements ``flow.ports.Messages``."""

    def __init__(self, desk: Desk, beginning: Beginning, inbox: Inbox, voices: VoiceMessages, random: Random) -> None:
        self._desk = desk
        self._beginning = beginning
        self._inbox = inbox
        self._voices = voices
        self._random = random

    async def leave(self, request: CallbackRequest) -> UUID:
        desk = self._desk
        message = new_id(self._random)
        await self._inbox.leave(
            desk.tx,
            id=message,
            reason=request.reason,
            number=request.number,
            call_reference=desk.call,
            now=desk.now,
            kind=request.kind.value,
            practitioner=request.practitioner,
            urgency=self._urgency if request.urgency is None else Urgency(request.urgency.value),
            language=request.language,
            relayed=request.relayed,
            text=request.text or None,
            written_by=self._writer,
        )
        content = {"refs": [f"message:{message}"], "reason": request.reason, "kind": request.kind.value}
        await desk.writing.add(Entry(EventKind.MESSAGE_TAKEN, desk.actor, None, content))
        return message

    @property
    def _writer(self) -> UUID | None:
        """The operator who writes it down, to be told when it is read."""
        actor = self._desk.actor
        return UUID(str(actor["id"])) if actor["kind"] == "operator" else None

    @property
    def _urgency(self) -> Urgency:
        """Only the line that the practice gives to health professionals is urgent (decision 0020)."""
        return Urgency.URGENT if self._beginning.arrival is Arrival.PROFESSIONALS else Urgency.NORMAL

    async def add_voice(self, message: UUID, recorded: Recorded) -> None:
        desk = self._desk
        voice = new_id(self._random)
        await self._voices.add(
            desk.tx,
            id=voice,
            message_id=message,
            call=desk.call,
            recording_sid=recorded.reference,
            seconds=recorded.seconds,
            now=desk.now,
        )
        content = {"refs": [f"message:{message}", f"voice_message:{voice}"]}
        await desk.writing.add(Entry(EventKind.VOICE_LEFT, desk.actor, None, content))

    async def addressees(self) -> Sequence[Addressee]:
        names = await public_names(self._desk.tx)
        called = [one for one in names if one.name == self._beginning.practitioner]
        return [Addressee(one.id, one.titled) for one in called or names]
