"""The words of every reminder, whatever brings it about."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from callcenter.calls.appointment_texts import appointment_words
from callcenter.emulator.messages import segments
from callcenter.practice.numbers import E164

AT, NUMBER = datetime(2026, 12, 1, 14, 30, tzinfo=UTC), E164("+33465710001")


@pytest.mark.parametrize(
    ("sender", "refuses"),
    [
        ("+33199000001", "STOP au 01 99 00 00 01"),
        ("MG0123456789abcdef0123456789abcdef", "Plus de rappels : répondez STOP"),
        ("CABINET", "Plus de rappels : appelez ce numéro"),  # a name receives nothing
    ],
)
def test_a_reminder_says_date_hour_number_and_how_to_refuse_in_one_message(sender: str, refuses: str) -> None:
    words = appointment_words(AT, NUMBER, sender)
    assert words == f"Rappel : RDV le 01/12 à 14h30. Infos : 04 65 71 00 01. {refuses}"
    assert segments(words) == 1
