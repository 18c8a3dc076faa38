"""The live board on its database: one's own practices, of one's own organisation, and counts that tell nobody apart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from callcenter.calls.counts import Counts, counts
from callcenter.kernel.clock import DrivenClock
from callcenter.routing.queue import Arrival
from callcenter.staff.values import Role
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from tests.integration.supervising import Supervised, supervised


@pytest.fixture
async def house(database: Database, sealer: Sealer, clock: DrivenClock) -> AsyncIterator[Supervised]:
    async with supervised(database, sealer, clock) as house:
        yield house


async def tried(house: Supervised, practice: UUID, *, right: bool = False, again: UUID | None = None) -> UUID:
    """A challenge of a call, a decoy like any other."""
    call, challenge, now = again or await house.ours.call(practice), uuid4(), house.console.clock.now()
    async with house.console.database.practice(practice) as tx:
        await tx.connection.execute(
            text(
                "INSERT INTO challenge (id, practice_id, call_id, created_at, expires_at, consumed_at) "
                "VALUES (:id, :practice, :call, :now, :later, :used)"
            ),
            {
                "id": challenge,
                "practice": practice,
                "call": call,
                "now": now,
                "later": now + timedelta(minutes=10),
                "used": now if right else None,
            },
        )
    return call


async def test_a_supervisor_sees_their_own_practices_and_nobody_elses(house: Supervised) -> None:
    ours, theirs = await house.staff("nous"), await house.staff("eux", of=house.theirs.organisation)
    await house.theirs.operator(house.foreign)
    for _ in range(3):
        await house.theirs.waits(house.foreign)
    await house.ours.waits(house.practice)
    house.console.clock.advance(125)
    await house.signed_in(ours)
    page = await house.guest.get("/en-direct")
    assert "Appels en attente 1 " in page.words
    assert "Attente maximale en cours 2:05 objectif ≤ 2:00 ▲ à surveiller" in page.words
    assert f"cabinet-{house.practice}" in page.words
    assert str(house.foreign) not in page.text
    assert "Personne n’est présent" in page.words
    await house.signed_in(theirs)
    page = await house.guest.get("/en-direct")
    assert "Appels en attente 3 " in page.words
    assert str(house.practice) not in page.text


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.PRACTITIONER, Role.ADMINISTRATOR])
async def test_no_other_role_has_a_board(house: Supervised, role: Role) -> None:
    await house.signed_in(await house.staff("autre", role))
    for path in ("/en-direct", "/en-direct/etat", "/en-direct/mur", "/en-direct/mur/etat", "/en-direct/evenements"):
        assert (await house.guest.get(path)).status == 404, path


async def test_verifications_are_counted_by_call_and_urgent_messages_until_they_are_handled(house: Supervised) -> None:
    await tried(house, house.practice)
    call = await tried(house, house.practice)
    await tried(house, house.practice, right=True, again=call)
    await tried(house, house.foreign, right=True)
    async with house.console.database.practice(house.practice) as tx:
        await tx.connection.execute(
            text(
                "INSERT INTO message (id, practice_id, kind, reason, urgency, created_at) "
                "VALUES (:id, :practice, 'voice', 'voice_message', 'urgent', now())"
            ),
            {"id": uuid4(), "practice": house.practice},
        )
    await house.signed_in(await house.staff("nous"))
    words = (await house.guest.get("/en-direct")).words
    assert "Taux de vérification 50 % 1 / 2" in words
    assert "Messages urgents à traiter 1 objectif 0 ✕ hors objectif" in words


async def test_p5_counting_many_practices_leaves_the_connection_in_none(house: Supervised) -> None:
    await tried(house, house.practice)
    now = house.console.clock.now()
    async with house.console.database.house() as connection:
        found = await counts(connection, [house.practice, house.foreign], now - timedelta(hours=1), now)
        assert found == {house.practice: Counts(1, 0, 0)}
        with pytest.raises(Exception, match="invalid input syntax for type uuid"):
            await connection.execute(text("SELECT count(*) FROM challenge"))


async def test_the_board_of_an_entry_that_is_of_another_organisation_now(house: Supervised) -> None:
    """A practice that another organisation takes over leaves with its queue."""
    call = await house.ours.call(house.practice)
    await house.ours.do(house.ours.queue.enter, Arrival(call, house.practice))
    await house.signed_in(await house.staff("nous"))
    await house.ours.run(
        "UPDATE practice SET organisation_id = :other WHERE id = :id",
        other=house.theirs.organisation,
        id=house.practice,
    )
    await house.ours.practice()
    words = (await house.guest.get("/en-direct")).words
    assert "Appels en attente 0 " in words
    assert "Appels présentés 0 " in words
