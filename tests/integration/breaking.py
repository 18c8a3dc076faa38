"""The demo's practices, whose glass may be broken, and who is before them at a browser."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from callcenter.kernel.clock import DrivenClock
from callcenter.practice.demo_file import demo_id
from callcenter.staff.values import Account, Role
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from tests.integration.supervising import Supervised, supervised
from tests.unit.console.guest import Answer

TILLEULS, PORT = demo_id("practice", "cabinet-des-tilleuls"), demo_id("practice", "maison-de-sante-du-port")
PATH = "/bris-de-glace"
WHY, WHO, NUMBER = "Trouvée inconsciente dans la rue.", "Docteur Weil, SAMU 69", "04 65 71 00 99"
#: Adults without a mark; of Yves, no practitioner of whose practice is sensitive.
JEANNE = {"naissance": "1962-03-14", "nom": "Martin Duval", "prenom": "Jeanne"}
YVES = {"naissance": "1971-08-08", "nom": "LE BRAS", "prenom": "yves"}
#: A minor, a sensitive appointment, the deceased, a birth date that is a convention, nobody.
WITHHELD = {
    "minor": {"naissance": "2012-05-05", "nom": "Petit", "prenom": "Lucas"},
    "sensitive": {"naissance": "1990-07-21", "nom": "Haddad", "prenom": "Karim"},
    "deceased": {"naissance": "1931-01-30", "nom": "Roux", "prenom": "Odette"},
    "fictive date": {"naissance": "1980-12-31", "nom": "Bernard", "prenom": "Sophie"},
    "nobody": {"naissance": "1962-03-15", "nom": "Martin Duval", "prenom": "Jeanne"},
    "another name": {**JEANNE, "nom": "Martin"},
}
SWITCH = """
    WITH change AS (UPDATE practice SET revision = revision + 1 WHERE id = '{practice}' RETURNING id, revision)
    INSERT INTO setting_version (practice_id, revision, setting, value, effective_from, made_at, made_by)
    SELECT id, revision, 'break_glass', '"{value}"', 'epoch', now(), 'tests' FROM change
"""


@dataclass(slots=True)
class GlassHouse:
    """A console before the demo's practices.

    Arguments:
        clock: moved on for each second factor, so that each is another one.
    """

    house: Supervised
    clock: DrivenClock
    sealer: Sealer

    async def switch(self, value: str = "on", practice: UUID = TILLEULS) -> None:
        await self.house.ours.run(SWITCH.format(practice=practice, value=value))

    async def comes(self, account: Account) -> None:
        """Somebody is at the browser, and has given a second factor just now."""
        self.clock.advance(1)
        await self.house.signed_in(account)
        await self.house.guest.get("/compte")

    async def breaks(self, who: dict[str, str] = JEANNE, practice: UUID = TILLEULS, **more: str) -> Answer:
        given = {"cabinet": str(practice), "demandeur": "rescue", "qui": WHO, "numero": NUMBER, "texte": WHY}
        return await self.house.guest.post(PATH, **{**given, **who, **more})

    async def opens(self, page: str, topic: str) -> Answer:
        return await self.house.guest.post(f"{page}/rubrique", rubrique=topic)

    async def reviews(self, page: str, verdict: str = "justified") -> Answer:
        await self.house.guest.get(page)
        return await self.house.guest.post(f"{page}/relecture", verdict=verdict, texte="Le SAMU a rappelé.")

    async def supervisor(self, login: str) -> Account:
        """A supervisor of both practices, at the browser."""
        account = await self.house.staff(login)
        await self.comes(account)
        return account

    async def doctor(self, login: str = "docteur") -> Account:
        account = await self.house.staff(login, Role.PRACTITIONER)
        await self.comes(account)
        return account

    async def records(self, practice: UUID = TILLEULS, *events: str) -> list[dict[str, Any]]:
        """What the ledger of a practice has, in order; of some events alone."""
        async with self.house.console.database.practice(practice) as tx:
            rows = (await tx.connection.exec_driver_sql("SELECT body FROM audit_record")).all()
        bodies = [json.loads(row.body) for row in rows]
        ordered = sorted(bodies, key=lambda body: (body["ts"], body["stream"], body["seq"]))
        return [body for body in ordered if not events or body["event"] in events]


def value_on(page: Answer) -> list[str]:
    """What a page shows of a file."""
    return re.findall(r'<dd class="value">([^<]*)</dd>', page.text)


@asynccontextmanager
async def glass_house(database: Database, sealer: Sealer, clock: DrivenClock) -> AsyncIterator[GlassHouse]:
    """On a database with the demo's people, whose practices the console's organisation staffs."""
    async with supervised(database, sealer, clock) as house:
        for practice in (TILLEULS, PORT):
            await house.ours.run(
                "UPDATE practice SET organisation_id = :ours WHERE id = :id", ours=house.ours.organisation, id=practice
            )
        yield GlassHouse(house, clock, sealer)
