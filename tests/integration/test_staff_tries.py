"""What tries of a password count towards, by where they come from."""

from __future__ import annotations

from datetime import timedelta

from argon2.profiles import CHEAPEST

from callcenter.kernel.clock import DrivenClock
from callcenter.staff.limits import Bound, LoginLimits
from callcenter.staff.login import Begun, PasswordChanged
from callcenter.staff.room import StaffLimits
from callcenter.staff.values import Refused
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer
from tests.staff import ADDRESS, BY, PASSWORD, Desk

ELSEWHERE = "203.0.113.66"


async def test_passwords_are_counted_at_a_familiar_place_too(
    database: Database, sealer: Sealer, clock: DrivenClock
) -> None:
    """A place that is familiar to one login is no more to another than any other place."""
    bound = Bound(3, timedelta(minutes=15))
    desk = await Desk.on(
        database, sealer, clock, limits=StaffLimits(login=LoginLimits(login=bound), parameters=CHEAPEST)
    )
    begin = desk.room.logins.begin
    one, other = await desk.person(), await desk.person("operatrice2")
    await desk.begun(one)
    for person in (one, other):
        for number in range(bound.tries):
            assert await begin(person.account.login, f"x{number}", ADDRESS) == Refused()
        assert await begin(person.account.login, PASSWORD, ADDRESS) == Refused(900)
    assert isinstance(await begin(one.account.login, PASSWORD, ELSEWHERE), Begun)
    assert await begin(other.account.login, PASSWORD, ELSEWHERE) == Refused(900)
    for person in (one, other):
        await desk.room.logins.forget_tries(person.account, BY)
        assert isinstance(await begin(person.account.login, PASSWORD, ADDRESS), Begun)
    desk.room.close()


async def test_whose_password_is_being_guessed_changes_it(
    database: Database, sealer: Sealer, clock: DrivenClock
) -> None:
    desk = await Desk.on(database, sealer, clock)
    person = await desk.person()
    token = await desk.signed_in(person)
    for number in range(20):
        await desk.room.logins.begin(person.account.login, "x", f"203.0.113.{number}")
    change = desk.room.logins.change_password
    assert await change(token, PASSWORD, "Une tisane de tilleul 8") == PasswordChanged()
    for _ in range(10):  # at a screen that was left open
        assert await change(token, "x", PASSWORD) == Refused()
    refused = await change(token, "Une tisane de tilleul 8", PASSWORD)
    assert isinstance(refused, Refused)
    assert refused.retry_after
    desk.room.close()
