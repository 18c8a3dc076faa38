"""Acts of staff on record: each has a stream of its own in the ledger of the practice that it concerns (LG-01)."""

from __future__ import annotations

from uuid import UUID

from callcenter.audit.ledger import Entry, EventKind, Value, note
from callcenter.kernel.clock import Clock
from callcenter.kernel.randomness import Random
from callcenter.practice.enrolment import Changed
from callcenter.practice.setting_versions import Author
from callcenter.store.database import Transaction


class StaffActs:
    """Writes acts of staff into the ledger, in the transaction of each. Implements ``practice.changing.Recorder``."""

    def __init__(self, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random

    async def settings_changed(self, tx: Transaction, changed: Changed, author: Author) -> None:
        """Record a change of settings: which, and as of which revision; never their values."""
        if not changed.settings:
            return
        content: dict[str, Value] = {
            "refs": [f"setting:{name}:{changed.revision}" for name in sorted(changed.settings)],
        }
        await self._add(tx, EventKind.SETTINGS_CHANGED, author.by, content)

    async def voice_opened(self, tx: Transaction, message: UUID, by: str) -> None:
        """Record that what a caller has spoken is opened; the words leave only once this is committed (P1)."""
        await self._add(tx, EventKind.VOICE_OPENED, by, {"refs": [f"message:{message}"]})

    async def message_handled(self, tx: Transaction, message: UUID, by: str) -> None:
        """Record that a message has been answered."""
        await self._add(tx, EventKind.MESSAGE_HANDLED, by, {"refs": [f"message:{message}"]})

    async def notice_address_added(self, tx: Transaction, address: UUID, by: str) -> None:
        """Record that somebody is told of messages from now on; never where."""
        await self._add(tx, EventKind.NOTICE_ADDRESS_ADDED, by, {"refs": [f"notice_address:{address}"]})

    async def notice_address_removed(self, tx: Transaction, address: UUID, by: str) -> None:
        """Record that somebody is told of messages no more."""
        await self._add(tx, EventKind.NOTICE_ADDRESS_REMOVED, by, {"refs": [f"notice_address:{address}"]})

    async def reminders_chosen(self, tx: Transaction, patient: UUID, choice: UUID, by: str) -> None:
        """Record what a patient has told staff about reminders."""
        await self._add(tx, EventKind.REMINDERS_CHOSEN, by, {"refs": [f"reminder_choice:{choice}"]}, patient)

    async def booking_handled(self, tx: Transaction, booking: UUID, by: str) -> None:
        """Record that somebody of the practice has dealt with a booking."""
        await self._add(tx, EventKind.BOOKING_HANDLED, by, {"refs": [f"booking:{booking}"]})

    async def incident_declared(self, tx: Transaction, incident: UUID, by: str) -> None:
        """Record that an incident concerns the practice; never what is known of it."""
        await self._add(tx, EventKind.INCIDENT_DECLARED, by, {"refs": [f"incident:{incident}"]})

    async def incident_told(self, tx: Transaction, incident: UUID, by: str) -> None:
        """Record that the practice was told of an incident."""
        await self._add(tx, EventKind.INCIDENT_TOLD, by, {"refs": [f"incident:{incident}"]})

    async def call_held(self, tx: Transaction, incident: UUID, call: UUID, by: str, *, held: bool) -> None:
        """Record that nothing of a call is erased from now on, or that it is again."""
        kind = EventKind.CALL_HELD if held else EventKind.CALL_HOLD_LIFTED
        await self._add(tx, kind, by, {"refs": [f"incident:{incident}", f"call:{call}"]})

    async def lock_release_asked(self, tx: Transaction, release: UUID, call: UUID, by: str) -> None:
        """Record that somebody wants a lock lifted; why stands sealed beside it."""
        await self._add(tx, EventKind.LOCK_RELEASE_ASKED, by, {"refs": [f"lock_release:{release}", f"call:{call}"]})

    async def lock_released(self, tx: Transaction, release: UUID, call: UUID, by: str) -> None:
        """Record that somebody else has confirmed it. It names no patient: whether there is one, nobody is told."""
        await self._add(tx, EventKind.LOCK_RELEASED, by, {"refs": [f"lock_release:{release}", f"call:{call}"]})

    async def _add(
        self, tx: Transaction, kind: EventKind, by: str, content: dict[str, Value], subject: UUID | None = None
    ) -> None:
        await note(tx, Entry(kind, {"kind": "staff", "id": by}, subject, content), self._clock, self._random)
