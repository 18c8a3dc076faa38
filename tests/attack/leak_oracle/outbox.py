"""The tap on text messages and mails: whom a code or a reminder is sent to, and whether that is on record before it
leaves; and that a notice holds nothing."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from callcenter.calls.documents import token_hash
from callcenter.identity.challenges import code_of
from callcenter.kernel.randomness import Random
from callcenter.notices.mail import Mailer
from callcenter.practice import bookings
from callcenter.store.sealed import Sealer
from callcenter.telephony.rest import TwilioCarrier
from tests.attack.leak_oracle.canaries import Value
from tests.attack.leak_oracle.ledger import Ledger
from tests.attack.leak_oracle.office import Office, Reached
from tests.attack.leak_oracle.people import Population
from tests.attack.leak_oracle.verdict import Judge, Sink

_CODE = re.compile(r"\d{3} \d{3}")


@dataclass(slots=True)
class Outbox:
    """Sees every message at the moment when it leaves.

    Arguments:
        codes: that were sent, in order.
        seen: recipient and words of every message; the line that each call rings.
        mails, reminders, rung, offered: how many left; the last are calls that ring at an operator's.
        seen: recipient and words of every message.
        references: of every booking that was made, in order, and of every printed card.
    """

    judge: Judge
    ledger: Ledger
    office: Office
    population: Population
    sealer: Sealer
    codes: list[str] = field(default_factory=list)
    seen: set[tuple[str, ...]] = field(default_factory=set)
    mails: int = 0
    reminders: int = 0
    rung: int = 0
    offered: int = 0
    seen: set[tuple[str, str]] = field(default_factory=set)
    references: list[str] = field(default_factory=list)

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        """Watch until ``patch`` is undone."""
        send = TwilioCarrier.send_message

        async def tapped(carrier: TwilioCarrier, to: str, body: str, *, reference: UUID) -> Any:
            await self._leaves(to, body, reference)
            return await send(carrier, to, body, reference=reference)

        draw = bookings.draw_reference

        def drawn(random: Random) -> str:
            self.references.append(draw(random))
            return self.references[-1]

        patch.setattr(TwilioCarrier, "send_message", tapped)
        mail = Mailer.send_mail

        async def tapped_mail(mailer: Mailer, to: str, subject: str, body: str, *, reference: UUID) -> Any:
            self.mails += 1
            self.judge.leaves(Sink.MAIL, f"{to}\n{subject}\n{body}")
            return await mail(mailer, to, subject, body, reference=reference)

        patch.setattr(Mailer, "send_mail", tapped_mail)
        ring = TwilioCarrier.ring

        async def tapped_call(carrier: TwilioCarrier, to: str, shown: str, url: str, **more: Any) -> Any:
            if "/voice/reached/" in url:
                await self._rings(to, url)
            if "/voice/offers/" in url:
                self._rings_staff(to, url, self.population.desks.values())
            if "/voice/parties/" in url:
                self._rings_staff(to, url, [*self.population.desks.values(), *self.population.lines.values()])
            return await ring(carrier, to, shown, url, **more)

        patch.setattr(TwilioCarrier, "ring", tapped_call)
        patch.setattr(bookings, "draw_reference", drawn)

    async def _leaves(self, to: str, body: str, challenge: UUID) -> None:
        self.seen.add((to, body))
        reminded = await self._reminded(challenge)
        if reminded:
            self.reminders += 1
            self.judge.leaves(Sink.SMS_TO, to, allowed=reminded)
            self.judge.leaves(Sink.SMS_BODY, body, allowed=reminded)
            return
        codes = [code.replace(" ", "") for code in _CODE.findall(body)]
        self.codes += codes
        reminded = await self.office.outreach(id=challenge)
        if reminded is not None:
            grant = await self.ledger.pushed(reminded.practice, challenge)
            rightly = grant is not None and grant.subject == reminded.patient
            self.judge.leaves(Sink.SMS_TO, to, allowed=[self._number(reminded)] if rightly else [])
            self.judge.leaves(Sink.SMS_BODY, body, pushed=grant)
            return
        self.judge.leaves(Sink.SMS_TO, to, allowed=[await self._challenged_number(challenge, codes) or ""])
        self.judge.leaves(Sink.SMS_BODY, body)

    async def _reminded(self, reminder: UUID) -> list[Value]:
        """What a text of this reference may hold: date and hour of an appointment that may be told, and whose
        telephones it may go to; nothing, if that is not on record as somebody else sees it (P1)."""
        for facts in self.population.practices.values():
            if (of := await self.ledger.reminder_on_record(facts.id, reminder)) is not None:
                patient, visit = of
                tellable = [
                    canary.value
                    for canary in self.population.canaries()
                    if (canary.subject, canary.appointment, canary.told_as) == (patient, visit, "appointment.starts_at")
                ]
                person = next(person for person in self.population.people.values() if person.id == patient)
                return [*tellable, *person.phones] if tellable else []
        return []

    async def _rings(self, to: str, answer_url: str) -> None:
        """A line is rung: one on file, whose patient is on record, at an address that names nobody."""
        self.seen.add((to,))
        reached = await self.office.outreach(token=token_hash(answer_url.rpartition("/")[2]))
        on_record = reached is not None and await self.ledger.ring_on_record(
            reached.patient, reached.practice, reached.request
        )
        self.rung += 1
        self.judge.leaves(Sink.CALL_TO, to, allowed=[self._number(reached)] if reached and on_record else [])
        self.judge.leaves(Sink.URL, answer_url)

    def _rings_staff(self, to: str, answer_url: str, theirs: Collection[str]) -> None:
        """The telephone of an operator, or of a practitioner whom they consult, is rung, at an address that names
        nobody."""
        self.seen.add((to,))
        self.offered += 1
        self.judge.leaves(Sink.CALL_TO, to, allowed=theirs)
        self.judge.leaves(Sink.URL, answer_url)

    def _number(self, reached: Reached) -> str:
        person = next(person for person in self.population.people.values() if person.id == reached.patient)
        return next(entry.phone for entry in person.contacts if entry.id == reached.contact)

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
