"""The pages of messages on the whole house: nothing that one says is on a list, an unopened message or an address."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from callcenter.console.inbox_ports import Answer as Said
from callcenter.console.inbox_ports import Due
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from tests.integration.consoles import opened_console
from tests.integration.mailroom import CLAIRE, NADIA, NUMBER, SOUND, TILLEULS, WORDS, Somebody, mailroom
from tests.unit.console.guest import Answer, Guest

ANSWERED = "Passer prendre le papier bleu."
SECRETS = (WORDS, ANSWERED, NUMBER, NUMBER.replace(" ", ""), "639980001", SOUND.decode())


START = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


def _without_reference(page: str) -> str:
    return re.sub(r"[0-9a-f]{10}", "", page)


def as_(guest: Guest, one: Somebody) -> Guest:
    guest.cookies["__Host-callcenter"] = one.token
    return guest


def nothing_of_it(page: Answer) -> None:
    """The page holds nothing that a message says."""
    assert page.status == 200
    assert [secret for secret in SECRETS if secret in page.text or secret in str(page.headers)] == []


async def _everybodys_lists(guest: Guest, people: list[Somebody], address: str) -> None:
    for one in people:
        nothing_of_it(await as_(guest, one).get("/messages"))
        nothing_of_it(await guest.get(address))


async def test_lists_and_unopened_messages_hold_nothing_of_what_was_said(database: Database, sealer: Sealer) -> None:
    clock = DrivenClock(START)
    async with (
        opened_console(database, sealer, clock) as console,
        mailroom(database, sealer, clock, SeededRandom(12)) as room,
    ):
        guest = console.guest
        doctor, operator, supervisor = await room.doctor(), await room.operator(), await room.supervisor()
        message = await room.left(CLAIRE, text=WORDS, writer=operator.staff, spoken=True)
        address, people = f"/messages/{TILLEULS}/{message}", [doctor, operator, supervisor]
        await _everybodys_lists(guest, people, address)
        assert await room.events(message) == []  # whoever has only seen that it is there has opened nothing
        await as_(guest, doctor).get("/messages")
        read = await guest.post(address)
        assert WORDS in read.words
        assert NUMBER in read.words
        sound = await guest.get(address + "/son")
        assert (sound.status, sound.text) == (200, SOUND.decode())
        done = await guest.post(address + "/reponse", reponse="call_back", precision=ANSWERED, echeance="hour")
        assert done.location == "/messages?fait=repondu"
        await _everybodys_lists(guest, people, address)
        await as_(guest, operator).get("/messages")
        taken = await guest.post(address + "/suite/prendre")
        assert ANSWERED in taken.words
        assert NUMBER in taken.words
        assert WORDS not in taken.words
        assert (await guest.get(address + "/son")).status == 403  # their own message, which they have not opened
        assert (await guest.post(address + "/suite/terminer")).location == "/messages?fait=terminer"
        await _everybodys_lists(guest, people, address)
        assert await room.events(message) == [
            "message.read",
            "message.voice_opened",
            "message.answered",
            "follow_up.taken",
            "follow_up.done",
        ]


async def test_nothing_that_a_message_says_is_on_record(database: Database, sealer: Sealer) -> None:
    async with mailroom(database, sealer, DrivenClock(START), SeededRandom(13)) as room:
        doctor = await room.doctor()
        message = await room.left(CLAIRE, text=WORDS)
        await room.inboxes.open(doctor.token, TILLEULS, message, None)
        assert await room.inboxes.answer(doctor.token, TILLEULS, message, Said.OTHER, ANSWERED, Due.HOUR)
        ledger = str(await room.bodies(message))
        assert "message.answered" in ledger
        assert [secret for secret in SECRETS if secret in ledger] == []


async def test_a_colleague_and_nobody_get_the_same_answer(database: Database, sealer: Sealer) -> None:
    clock = DrivenClock(START)
    async with (
        opened_console(database, sealer, clock) as console,
        mailroom(database, sealer, clock, SeededRandom(12)) as room,
    ):
        colleague = await room.doctor(NADIA)
        message = await room.left(CLAIRE, text=WORDS)
        guest = as_(console.guest, colleague)
        await guest.get("/messages")
        addresses = [
            f"/messages/{TILLEULS}/{message}",
            f"/messages/{TILLEULS}/{TILLEULS}",
            f"/messages/{message}/{message}",
        ]
        answers = [answer for address in addresses for answer in (await guest.get(address), await guest.post(address))]
        assert {answer.status for answer in answers} == {404}
        assert len({_without_reference(answer.text) for answer in answers}) == 1
