"""The demo's messages: two for the practitioner who signs in there, one for the practice, so that pages show some."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.demo_staff import only_for_play
from callcenter.kernel.clock import Clock
from callcenter.kernel.randomness import Random
from callcenter.practice.demo import FOLDER
from callcenter.practice.demo_file import demo_id, read_demonstration
from callcenter.practice.inbox import Inbox
from callcenter.practice.numbers import parse_number
from callcenter.settings import Settings
from callcenter.staff.accounts import NoSuchAccount, account_called
from callcenter.staff.practitioners import Practises, StaffPractitioners, practises
from callcenter.staff.records import Actor, HouseLog
from callcenter.staff.values import Account, day_of
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer

#: Who reads them, and who has written the one with a text.
READER, WRITER = "praticien", "operatrice1"
_BY = Actor.command("demonstration")


@dataclass(frozen=True, slots=True)
class _Left:
    """A message of the demo.

    Arguments:
        person: key of a patient of the demonstration, whose number is left.
        ago: when, before the demo was started for the first time.
    """

    key: str
    kind: str
    reason: str
    person: str
    ago: timedelta
    for_practice: bool = False
    words: str | None = None


_MESSAGES = (
    _Left(
        "conseil",
        "callback",
        "other",
        "jeanne-martin-duval",
        timedelta(minutes=25),
        words="Demande si elle doit venir à jeun à son prochain rendez-vous.\nPréfère être rappelée avant midi.",
    ),
    _Left("ordonnance", "renewal", "prescription", "jeanne-martin-duval", timedelta(hours=2)),
    _Left("accueil", "callback", "administrative", "jeanne-martin-duval", timedelta(minutes=50), for_practice=True),
)


async def seed_messages(settings: Settings, database: Database, sealer: Sealer, clock: Clock, random: Random) -> None:
    """Leave the messages that are not there, and say whose the practitioner's account is; what was answered stays so.

    Raises:
        ConfigurationError: this is not the demo.
        NoSuchAccount: the demo's staff have not been made.
    """
    only_for_play(settings)
    demonstration, now = read_demonstration(FOLDER), clock.now()
    people = {person.key: person for person in demonstration.named}
    practice = demonstration.practices[people[_MESSAGES[0].person].practice]
    doctor, tilleuls = practice.practitioners[0], practice.facts.id
    async with database.practice(tilleuls) as tx:
        reader, writer = [await _account(tx.connection, login) for login in (READER, WRITER)]
        if not await practises(tx.connection, reader.id, day_of(now)):
            kept = StaffPractitioners(HouseLog(clock, random))
            await kept.name(tx.connection, reader.id, Practises(tilleuls, doctor.id, of_practice=False), _BY)
        for left in _MESSAGES:
            message = demo_id("message", left.key)
            if (await tx.connection.execute(_THERE, {"practice": tilleuls, "message": message})).one_or_none():
                continue
            await Inbox(sealer).leave(
                tx,
                id=message,
                reason=left.reason,
                number=str(parse_number(people[left.person].phones[0])),
                call_reference=None,
                now=now - left.ago,
                kind=left.kind,
                practitioner=None if left.for_practice else doctor.id,
                text=left.words,
                written_by=None if left.words is None else writer.id,
            )


async def _account(connection: AsyncConnection, login: str) -> Account:
    account = await account_called(connection, login)
    if account is None:
        raise NoSuchAccount
    return account


_THERE = text("SELECT id FROM message WHERE practice_id = :practice AND id = :message")
