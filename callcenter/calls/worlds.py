"""What a flow may reach in a call: the ports that it is handed, built upon the rows of one step."""

from __future__ import annotations

from dataclasses import dataclass

from callcenter.calls.booking import CallBooking
from callcenter.calls.desk import Desk
from callcenter.calls.house import House
from callcenter.calls.lobby import CallLobby
from callcenter.calls.messages import CallMessages
from callcenter.calls.outreach import CallOutreach
from callcenter.calls.record import CallRecord
from callcenter.calls.references import CallReferences
from callcenter.calls.session import Session
from callcenter.calls.switchboard import CallSwitchboard
from callcenter.calls.verifier import CallVerifier
from callcenter.flow.ports import Caller, World
from callcenter.flow.prompts import PromptBook
from callcenter.identity.challenges import Challenges
from callcenter.identity.references import ReferenceTries
from callcenter.practice.bookings import Bookings
from callcenter.practice.inbox import Inbox
from callcenter.practice.patients import Patients
from callcenter.practice.voice_messages import VoiceMessages


@dataclass(frozen=True, slots=True)
class Worlds:
    """Builds the world of a flow, anew for each step."""

    house: House
    patients: Patients
    inbox: Inbox
    voices: VoiceMessages
    challenges: Challenges
    bookings: Bookings
    tries: ReferenceTries

    @classmethod
    def on(cls, house: House) -> Worlds:
        """With whatever reaches rows, as this house has it."""
        return cls(
            house,
            Patients(house.sealer),
            Inbox(house.sealer),
            VoiceMessages(house.sealer),
            Challenges(house.sealer, house.clock, house.random, house.limits, house.attempts),
            Bookings(house.sealer, house.random),
            ReferenceTries(house.sealer, house.clock, house.reference_limits, house.attempts),
        )

    def of_step(self, desk: Desk, session: Session, book: PromptBook) -> World:
        """What it may do in this step."""
        house = self.house
        of_the_call: dict[str, str | bool] = {
            "caller.number_withheld": session.caller is None,
            "call.arrival": session.beginning.arrival.value,
        }
        public = {**desk.facts.public(desk.now), **of_the_call}
        return World(
            now=desk.now.astimezone(desk.facts.timezone),
            caller=Caller(session.caller),
            public=public,
            verifier=CallVerifier(desk, self.patients, self.challenges, house.limits, house.random),
            record=CallRecord(desk, book, self.patients, house.limits),
            messages=CallMessages(desk, session.beginning, self.inbox, self.voices, house.random),
            outreach=CallOutreach(desk, house.sealer, house.random),
            translated={one: {**desk.facts.public(desk.now, one), **of_the_call} for one in book.translations},
            booking=CallBooking(desk, self.bookings, session.beginning.practitioner),
            references=CallReferences(desk, book, self.bookings, self.patients, self.tries, house.limits),
            switchboard=CallSwitchboard(desk, session.beginning, house.lines),
            lobby=CallLobby(desk, session.beginning, house.queue, house.reservations, house.sealer),
        )
