"""When an account opens, and when it reveals (SM-02)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from callcenter.staff.values import Account, Shut, Standing, Training

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
TODAY = NOW.date()


def account(**values: object) -> Account:
    told = {"secrecy_signed_on": date(2026, 1, 5), "trained_until": date(2027, 6, 30), **values}
    return Account(UUID(int=1), UUID(int=2), "operatrice1", "Télésecrétaire 1", ("fr",), **told)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "shut"),
    [
        ({}, None),
        ({"locked": NOW}, Shut.LOCKED),
        ({"closed": NOW, "locked": NOW}, Shut.CLOSED),
        ({"expires_on": TODAY}, None),
        ({"expires_on": TODAY - timedelta(days=1)}, Shut.EXPIRED),
        ({"secrecy_signed_on": None}, Shut.NO_UNDERTAKING),
        ({"secrecy_signed_on": TODAY + timedelta(days=1)}, Shut.NO_UNDERTAKING),
        ({"trained_until": None}, None),  # answers and takes messages
    ],
)
def test_sm_02_what_an_account_opens(values: dict[str, object], shut: Shut | None) -> None:
    assert account(**values).shut(NOW) is shut


@pytest.mark.parametrize(
    ("days", "standing", "reveals"),
    [
        (31, Standing(Training.OK), True),
        (30, Standing(Training.WARNS, 30), True),
        (7, Standing(Training.WARNS, 7), True),
        (0, Standing(Training.WARNS, 0), True),
        (-1, Standing(Training.LAPSED), False),
    ],
)
def test_a_training_that_ends_is_told_and_one_that_lapsed_reveals_nothing(
    days: int, standing: Standing, reveals: bool
) -> None:
    found = account(trained_until=TODAY + timedelta(days=days)).standing(NOW)
    assert (found, found.may_reveal) == (standing, reveals)


def test_who_was_never_trained_or_has_not_undertaken_reveals_nothing() -> None:
    assert account(trained_until=None).standing(NOW) == Standing(Training.LAPSED)
    found = account(secrecy_signed_on=None).standing(NOW)
    assert (found.training, found.may_reveal) == (Training.NO_UNDERTAKING, False)


def test_a_day_ends_at_midnight_in_france() -> None:
    last = account(expires_on=TODAY)
    assert last.shut(datetime(2026, 11, 26, 22, 59, tzinfo=UTC)) is None
    assert last.shut(datetime(2026, 11, 26, 23, 0, tzinfo=UTC)) is Shut.EXPIRED
