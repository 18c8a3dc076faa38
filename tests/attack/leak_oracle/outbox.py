"""The tap on text messages: whom a code is sent to, and whether that is on record before it leaves."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from callcenter.identity.challenges import code_of
from callcenter.store.sealed import Sealer
from callcenter.telephony.rest import TwilioCarrier
from tests.attack.leak_oracle.ledger import Ledger
from tests.attack.leak_oracle.office import Office
from tests.attack.leak_oracle.people import Population
from tests.attack.leak_oracle.verdict import Judge, Sink

_CODE = re.compile(r"\d{3} \d{3}")


@dataclass(slots=True)
class Outbox:
    """Sees every message at the moment when it leaves.

    Arguments:
        codes: that were sent, in order.
        seen: recipient and words of every message.
    """

    judge: Judge
    ledger: Ledger
    office: Office
    population: Population
    sealer: Sealer
    codes: list[str] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        """Watch until ``patch`` is undone."""
        send = TwilioCarrier.send_message

        async def tapped(carrier: TwilioCarrier, to: str, body: str, *, reference: UUID) -> Any:
            await self._leaves(to, body, reference)
            return await send(carrier, to, body, reference=reference)

        patch.setattr(TwilioCarrier, "send_message", tapped)

    async def _leaves(self, to: str, body: str, challenge: UUID) -> None:
        self.seen.add((to, body))
        codes = [code.replace(" ", "") for code in _CODE.findall(body)]
        self.codes += codes
        self.judge.leaves(Sink.SMS_TO, to, allowed=await self._challenged_number(challenge, codes))
        self.judge.leaves(Sink.SMS_BODY, body)

    async def _challenged_number(self, challenge: UUID, codes: list[str]) -> str | None:
        """The number on file to which this code may go: the challenge is about it, and that is on record."""
        about = await self.office.challenge(challenge)
        if about is None:
            return None
        patient, contact, secret = about
        person = next(person for person in self.population.people.values() if person.id == patient)
        practice = person.practice.id
        its_own = codes == [code_of(self.sealer, practice, challenge, secret)]
        if not its_own or not await self.ledger.code_on_record(patient, practice, challenge):
            return None
        return next(entry.phone for entry in person.contacts if entry.id == contact)
