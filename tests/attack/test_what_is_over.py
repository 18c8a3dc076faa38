"""What was ended or used once, and is to open something again: by a statement of the server that forgets to ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SystemRandom, new_id
from callcenter.staff.invitations import Purpose
from callcenter.staff.proofs import name_account
from callcenter.staff.sessions import mark_of
from tests.attack.defence import FOILED, SUCCEEDED, Defence, Outcome, Sabotage, attack, gained, unanimous
from tests.attack.ground import Ground
from tests.staff import BY, Desk, Person

#: Every column that is set once, by its table.
SET_ONCE = (
    ("staff_session", "revoked_at"),
    ("staff_invitation", "used_at"),
    ("staff_invitation", "withdrawn_at"),
    ("staff_recovery_code", "used_at"),
    ("staff_account", "closed_at"),
)


def _anything_comes_back(sabotage: Sabotage) -> None:
    for table, column in SET_ONCE:
        sabotage.sql(f"DROP TRIGGER {table}_{column}_once ON {table}")
    sabotage.sql("DROP TRIGGER challenge_consumed_at_once ON challenge")
    sabotage.sql("DROP TRIGGER staff_credential_totp_step_grows ON staff_credential")


STAYS = Defence("what is over stays over in the database", "AU-02, AU-06, OB-03", _anything_comes_back)


@pytest.fixture
async def desk(ground: Ground, clock: DrivenClock) -> AsyncIterator[Desk]:
    desk = await Desk.on(ground.app, ground.sealer, clock)
    yield desk
    desk.room.close()


async def _done(desk: Desk, statement: str, staff: UUID, **values: object) -> Outcome:
    """Whether the server, as it is connected, may do this to rows of an account; that it does nothing is a failure."""
    try:
        async with desk.database.house() as connection:
            await name_account(connection, staff)
            changed = (await connection.execute(text(statement), {"staff": staff, **values})).rowcount
    except DBAPIError as error:
        if "what is over stays over" not in str(error.orig):
            raise  # something else was in the way
        return FOILED
    assert changed > 0
    return SUCCEEDED


async def _gone(desk: Desk) -> Person:
    """Somebody of whom everything is over that can be: a printed code was used, an invitation withdrawn, all closed."""
    person = await desk.person()
    staff = person.account.id
    await desk.room.logins.recovery(await desk.begun(person), person.codes[0])
    await desk.room.invitations.invite(staff, Purpose.RESET, BY)
    await desk.room.invitations.invite(staff, Purpose.RESET, BY)
    async with desk.database.house() as connection:
        await desk.room.sessions.end_all(connection, staff, BY)
        await connection.execute(
            text("UPDATE staff_account SET closed_at = :now WHERE id = :id"), {"id": staff, "now": desk.clock.now()}
        )
    return person


@pytest.mark.parametrize("to", ["nothing", "another moment"])
@attack(stopped_by=STAYS)
async def test_what_was_ended_or_used_is_set_back(desk: Desk, to: str) -> Outcome:
    staff = (await _gone(desk)).account.id
    value: datetime | None = None if to == "nothing" else desk.clock.now() + timedelta(days=1)
    outcomes = {}
    for table, column in SET_ONCE:
        key = "id" if table == "staff_account" else "staff_id"
        statement = (
            f"UPDATE {table} SET {column} = cast(:value AS timestamptz) WHERE {key} = :staff AND {column} IS NOT NULL"
        )
        outcomes[f"{table}.{column}"] = await _done(desk, statement, staff, value=value)
    return unanimous(outcomes)


@attack(stopped_by=STAYS)
async def test_a_session_that_was_ended_is_revived(desk: Desk) -> Outcome:
    """Of somebody who was locked out, and is let in again: what was open before stays shut."""
    person = await desk.person()
    token = await desk.signed_in(person)
    await desk.room.sessions.revoke(token)
    back = "UPDATE staff_session SET revoked_at = NULL WHERE staff_id = :staff AND token_mark = :mark"
    done = await _done(desk, back, person.account.id, mark=mark_of(token))
    assert (done is SUCCEEDED) == (await desk.room.sessions.of(token) is not None)
    return done


@attack(stopped_by=STAYS)
async def test_the_step_of_an_application_is_turned_back(desk: Desk) -> Outcome:
    """Then a code that was seen opens once more."""
    person = await desk.person()
    await desk.signed_in(person)
    return await _done(
        desk, "UPDATE staff_credential SET totp_step = totp_step - 1 WHERE staff_id = :staff", person.account.id
    )


@attack(stopped_by=STAYS)
async def test_a_callers_code_that_was_used_is_used_again(desk: Desk) -> Outcome:
    practice, call, challenge = await desk.practice(), new_id(SystemRandom()), new_id(SystemRandom())
    values = {"practice": practice, "call": call, "sid": f"CA{call.hex}", "now": desk.clock.now(), "id": challenge}
    async with desk.database.practice(practice) as tx:
        for statement in (
            "INSERT INTO call (id, practice_id, carrier_sid, status, started_at) "
            "VALUES (:call, :practice, :sid, 3, :now)",
            "INSERT INTO challenge (id, practice_id, call_id, created_at, expires_at, consumed_at) "
            "VALUES (:id, :practice, :call, :now, cast(:now AS timestamptz) + interval '10 minutes', :now)",
        ):
            used = {name: value for name, value in values.items() if f":{name}" in statement}
            await tx.connection.execute(text(statement), used)
    try:
        async with desk.database.practice(practice) as tx:
            back = "UPDATE challenge SET consumed_at = NULL WHERE id = :id"
            return gained((await tx.connection.execute(text(back), {"id": challenge})).rowcount)
    except DBAPIError as error:
        if "what is over stays over" not in str(error.orig):
            raise  # something else was in the way
        return FOILED
