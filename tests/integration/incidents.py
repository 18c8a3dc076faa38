"""Incidents at the console of two organisations: declared, told to a practice, and who of a practice reads that."""

from __future__ import annotations

import re
from datetime import date
from uuid import UUID

from callcenter.staff.administration import NewAccount
from callcenter.staff.values import Account, Role
from tests.integration.consoles import BY, ORGANISATION
from tests.integration.supervising import Supervised

FACTS = "Une date a été dite à un tiers, appel cité plus bas."


async def declared(house: Supervised, *practices: UUID) -> UUID:
    """An incident of whoever is signed in, known since 9:30 in Paris."""
    await house.guest.get("/incidents/nouveau")
    given = {"nature": "wrong_person", "connu": "2026-11-26T09:30", "facts": FACTS}
    answer = await house.guest.post("/incidents/nouveau", **given, **{f"cabinet-{one.hex}": "1" for one in practices})
    assert answer.status == 303, answer.words
    return UUID(answer.location.rpartition("/")[2])


async def remitted(house: Supervised, incident: UUID, practice: UUID, words: str) -> str:
    """A practice is told of it, after what it was told before. Returns the notice's identifier."""
    page = f"/incidents/{incident}/cabinets/{practice}"
    answer = await house.guest.post(page + "/remise", avis=words, apres=last_on((await house.guest.get(page)).text))
    assert answer.status == 303, answer.words
    return last_on((await house.guest.get(page)).text)


def last_on(page: str) -> str:
    """The notice that stands on a page as the last; empty for none."""
    found = re.search(r'name="apres" value="([0-9a-f-]*)"', page)
    assert found
    return found[1]


async def practitioner(house: Supervised, login: str, practice: UUID, *, of: UUID = ORGANISATION) -> Account:
    """Somebody who is a practitioner of one practice, and nothing else."""
    room, administration = house.console.room, house.console.room.administration
    account = await administration.create(NewAccount(of, login, login.capitalize()), BY)
    await administration.sign(account.id, date(2026, 1, 5), BY)
    portfolio = await room.portfolios.create(of, f"Cabinet de {login}", BY)
    await room.portfolios.add(portfolio, practice, BY)
    await administration.grant(account, Role.PRACTITIONER, portfolio, BY)
    return account
