"""Positive control of the queue: what is planted in a wait, an offer, a room, a ring, a row or a notice is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest

from callcenter.app.by_carrier import CarrierLines
from callcenter.calls.operators import Operators
from callcenter.calls.values import Meeting, WaitOver
from callcenter.calls.waiting_room import WaitingRoom
from callcenter.routing.waking import Waking
from callcenter.store.sealed import Sealer
from callcenter.telephony import waiting
from tests.attack.leak_oracle.canaries import Canary
from tests.attack.leak_oracle.premises import Premises
from tests.attack.leak_oracle.telephone import Telephone
from tests.attack.leak_oracle.verdict import Sink

Patch = pytest.MonkeyPatch


async def _talks(house: Premises, telephone: Telephone) -> None:
    """A whole call: somebody waits, an operator takes the call and hangs up."""
    practice = house.population.practices["port"]
    await house.shift.begins(practice)
    await telephone.waits(next(iter(practice.numbers)))
    leg = await telephone.taken_at(house.shift.desk(practice))
    assert leg is not None, "no operator was rung"
    await telephone.left_by(leg)
    assert (await telephone.state()).activity == "ended"
    await telephone.judged()


async def test_an_honest_wait_is_not_accused_and_all_of_it_is_read(house: Premises, telephone: Telephone) -> None:
    house.judge.sinks.clear()
    offered = house.outbox.offered
    await _talks(house, telephone)
    await house.at_the_end()
    assert not house.judge.findings, "\n".join(map(str, house.judge.findings))
    assert house.outbox.offered > offered
    assert {Sink.CALL_TO, Sink.REST, Sink.URL, Sink.ROUTING, Sink.NOTICE, Sink.SOUND} <= house.judge.sinks
    left = b"".join(house.edge.seen).decode(errors="replace")
    for words in (
        "Vous êtes la prochaine personne",
        "Un appel pour",
        "tapez 1",
        "<Conference",
        "Vous êtes en relation",
    ):
        assert words in left, words


def in_a_wait(patch: Patch, canary: Canary) -> None:
    line = WaitingRoom._line

    def and_whom(self: WaitingRoom, *what: Any) -> Any:
        said = line(self, *what)
        return replace(said, text=f"{said.text} {canary.value}")

    patch.setattr(WaitingRoom, "_line", and_whom)


def in_an_offer(patch: Patch, canary: Canary) -> None:
    offer = Operators.offer

    async def and_who_waits(self: Operators, which: UUID) -> str | None:
        return f"{await offer(self, which)} {canary.value}"

    patch.setattr(Operators, "offer", and_who_waits)


def in_the_name_of_a_room(patch: Patch, canary: Canary) -> None:
    meeting = WaitingRoom.meeting

    async def named(self: WaitingRoom, at: Any) -> Meeting | WaitOver:
        met = await meeting(self, at)
        return replace(met, room=f"{met.room} {canary.value}") if isinstance(met, Meeting) else met

    patch.setattr(WaitingRoom, "meeting", named)


def in_what_rings(patch: Patch, canary: Canary) -> None:
    ring = CarrierLines.ring

    async def shows_the_caller(self: CarrierLines, number: str, _: str, offer: UUID) -> bool:
        return await ring(self, number, str(canary.value), offer)

    patch.setattr(CarrierLines, "ring", shows_the_caller)


def in_whom_it_rings(patch: Patch, canary: Canary) -> None:
    ring = CarrierLines.ring

    async def and_somebody_else(self: CarrierLines, number: str, shown: str, offer: UUID) -> bool:
        await ring(self, str(canary.value), shown, offer)
        return await ring(self, number, shown, offer)

    patch.setattr(CarrierLines, "ring", and_somebody_else)


def in_where_it_leads(patch: Patch, canary: Canary) -> None:
    async def lead(self: CarrierLines, carrier_sid: str, call: UUID, document: int) -> bool:
        return await self.carrier.lead(
            carrier_sid, f"{self.urls.meeting(call, document)}?of={quote(str(canary.value))}"
        )

    patch.setattr(CarrierLines, "lead", lead)


def in_a_mark_that_hides_nothing(patch: Patch, canary: Canary) -> None:
    index = Sealer.blind_index

    def plain(self: Sealer, practice: UUID, purpose: str, value: str) -> bytes:
        if purpose == "queue.caller":
            return str(canary.value).encode().ljust(32)
        return index(self, practice, purpose, value)

    patch.setattr(Sealer, "blind_index", plain)


def in_a_notice(patch: Patch, canary: Canary) -> None:
    patch.setattr(Waking, "__str__", lambda self: f"{self.about.value}:{self.id}:{canary.value}")


def in_the_music(patch: Patch, canary: Canary) -> None:
    music = waiting.waiting_music()
    patch.setattr(waiting, "waiting_music", lambda: music + b"LIST\x00" + str(canary.value).encode())


PLANTS: list[tuple[Sink, Callable[[Patch, Canary], None], str, str]] = [
    (Sink.ANSWER, in_a_wait, "several", "patient.used_name"),
    (Sink.ANSWER, in_an_offer, "stranger_one", "caller.number"),
    (Sink.ANSWER, in_the_name_of_a_room, "single", "patient.birth_name"),
    (Sink.SOUND, in_the_music, "minor", "patient.first_name"),
    (Sink.REST, in_what_rings, "several", "contact.phone"),
    (Sink.CALL_TO, in_whom_it_rings, "couple_one", "contact.phone"),
    (Sink.REST, in_where_it_leads, "couple_two", "patient.birth_name"),
    (Sink.URL, in_where_it_leads, "several", "appointment.place"),
    (Sink.ROUTING, in_a_mark_that_hides_nothing, "landline", "contact.phone"),
    (Sink.NOTICE, in_a_notice, "fictive", "patient.birth_name"),
]


@pytest.mark.parametrize(("sink", "plant", "owner", "field"), PLANTS, ids=[plant.__name__ for _, plant, _, _ in PLANTS])
async def test_a_value_planted_in_a_wait_is_found(
    house: Premises, telephone: Telephone, monkeypatch: Patch, sink: Sink, plant: Any, owner: str, field: str
) -> None:
    canary = next(one for one in house.population.canaries() if (one.owner, one.field) == (owner, field))
    practice = house.population.practices["port"]
    await house.shift.begins(practice)
    plant(monkeypatch, canary)
    await telephone.waits(next(iter(practice.numbers)), number=house.population.strangers[0].number)
    await house.judge_routing()  # what is forgotten again once the wait is over
    leg = await telephone.offered_at(house.shift.desk(practice))
    if leg is not None:
        await telephone.takes(leg)
        await telephone.state()
    await telephone.judged()
    await house.at_the_end()
    assert (sink, canary) in {(finding.sink, finding.canary) for finding in house.judge.findings}
