"""Moments as staff read them in a list of slots."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from callcenter.speech import english, french

TODAY = date(2026, 11, 26)


@pytest.mark.parametrize(
    ("at", "written", "in_english"),
    [
        (datetime(2026, 12, 1, 14, 30, tzinfo=UTC), "mar. 1er déc. 14 h 30", "Tue 1 Dec 14:30"),
        (datetime(2026, 12, 3, 9, 5, tzinfo=UTC), "jeu. 3 déc. 9 h 05", "Thu 3 Dec 09:05"),
        (datetime(2027, 5, 14, 0, 0, tzinfo=UTC), "ven. 14 mai 0 h", "Fri 14 May 00:00"),
        (datetime(2027, 12, 1, 8, 0, tzinfo=UTC), "mer. 1er déc. 2027 8 h", "Wed 1 Dec 2027 08:00"),
    ],
)
def test_a_slot_is_written_as_an_agenda_writes_it(at: datetime, written: str, in_english: str) -> None:
    assert french.written_slot(at, TODAY).replace("\N{NO-BREAK SPACE}", " ") == written
    assert english.written_slot(at, TODAY).replace("\N{NO-BREAK SPACE}", " ") == in_english


def test_every_month_is_told_from_every_other() -> None:
    months = {french.written_slot(datetime(2027, month, 2, tzinfo=UTC), TODAY).split()[2] for month in range(1, 13)}
    assert len(months) == 12
