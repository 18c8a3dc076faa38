"""The words of every text message: what is said, in the alphabet of the GSM, in one message."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from callcenter.calls import appointment_texts, codes
from callcenter.calls.appointment_texts import WORDING, appointment_words, told_by
from callcenter.calls.codes import code_message
from callcenter.emulator.messages import segments
from callcenter.flow.prompts import Prompt, PromptBook
from callcenter.kernel.labels import Category
from callcenter.practice.numbers import E164
from tests.texts import APPOINTMENT_TEXT, CODE_TEXT

BOOK = PromptBook.load(Path(__file__).parents[3] / "flows/prompts/fr.yaml")
AT, NUMBER = datetime(2026, 12, 1, 14, 30, tzinfo=UTC), E164("+33465710001")
A_NUMBER, A_SERVICE, A_NAME = "+33199000001", "MG0123456789abcdef0123456789abcdef", "CABINET"


@pytest.mark.parametrize(
    ("sender", "refuses"),
    [
        (A_NUMBER, "STOP au 01 99 00 00 01"),
        (A_SERVICE, "Plus de rappels : répondez STOP"),
        (A_NAME, "Plus de rappels : appelez ce numéro"),  # a name receives nothing
    ],
)
def test_a_reminder_says_date_hour_number_and_how_to_refuse(sender: str, refuses: str) -> None:
    words = appointment_words(APPOINTMENT_TEXT, AT, NUMBER, sender)
    assert words == f"Rappel : RDV le 01/12 à 14h30. Infos : 04 65 71 00 01. {refuses}"


def test_a_code_comes_with_a_warning() -> None:
    assert code_message(CODE_TEXT, "123456", 10) == (
        "Code 123 456, valable 10 min. Tapez-le seulement dans l'appel que vous avez passé. "
        "Ne le dites à personne qui vous appelle."
    )


def in_every_language(key: str) -> list[Prompt]:
    return [BOOK.said(key, language) for language in ("fr", *BOOK.translations)]


@pytest.mark.parametrize("words", in_every_language(appointment_texts.KEY), ids=lambda words: words.language)
@pytest.mark.parametrize("sender", [A_NUMBER, A_SERVICE, A_NAME])
def test_a_reminder_is_one_message(words: Prompt, sender: str) -> None:
    longest = datetime(2026, 9, 30, 14, 30, tzinfo=UTC)
    assert segments(appointment_words(words, longest, NUMBER, sender)) == 1


@pytest.mark.parametrize("words", in_every_language(codes.KEY), ids=lambda words: words.language)
def test_a_code_is_one_message(words: Prompt) -> None:
    assert segments(code_message(words, "123456", 60)) == 1


def test_an_english_reminder_cannot_be_read_the_other_way_round() -> None:
    words = appointment_words(BOOK.said(appointment_texts.KEY, "en"), AT, NUMBER, A_SERVICE)
    told = "Reminder: appointment on 1 Dec at 14:30. Info: 04 65 71 00 01. No more reminders: answer STOP"
    assert words == told


def test_p1_a_text_about_an_appointment_tells_that_there_is_one_whatever_its_words() -> None:
    assert told_by(Prompt("text.appointment", "Bonjour.", ())) == {Category.APPOINTMENT_EXISTS}


def test_what_an_opposition_names_is_what_such_a_text_tells() -> None:
    """Whoever has consented to one kind of text has not consented to another: ``WORDING`` must change with this."""
    told = frozenset({Category.APPOINTMENT_EXISTS, Category.APPOINTMENT_TIME})
    assert {WORDING: told} == {"2026-11-2": told_by(APPOINTMENT_TEXT)}
