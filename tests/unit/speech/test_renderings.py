"""A leak test is only as good as the list of what it looks for."""

from __future__ import annotations

import base64
import html
import json
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.speech.french import renderings, spoken_date, spoken_datetime, spoken_digits, spoken_phone, spoken_time

APPOINTMENT = datetime(2026, 12, 1, 14, 30, tzinfo=timezone(timedelta(hours=1)))


def leaks(value: date | time | str, document: str) -> bool:
    return any(rendering in document for rendering in renderings(value))


@pytest.mark.parametrize(
    "written",
    [
        "2026-12-01", "20261201", "01122026", "01/12/2026", "1/12/2026", "01-12-26", "01.12.2026", "01 12 20 26",
        "0 1 1 2 2 0 2 6", "le 1er décembre", "1 décembre 2026", "premier décembre", "MARDI 1ER DÉCEMBRE",
        "mardi 1er decembre", "mardi 1er décembre deux mille vingt-six", "1er déc. 2026", "rdv 01/12 à",
        "zéro un, douze, vingt, vingt-six", "1er\u00a0décembre",
    ],
)  # fmt: skip
def test_a_date_is_found_however_it_is_written(written: str) -> None:
    assert leaks(date(2026, 12, 1), f"<Say>{written}</Say>")


@pytest.mark.parametrize(
    "written", ["14:30", "14h30", "14 h 30", "14 heures 30", "quatorze heures trente", "2:30 pm", "20261201T1430"]
)
def test_a_time_is_found_however_it_is_written(written: str) -> None:
    assert leaks(time(14, 30), written)


@pytest.mark.parametrize(
    "written",
    [
        "2026-12-01T14:30:00+01:00", "2026-12-01T13:30:00Z", "20261201T143000", "01/12 à 14h30", "mardi à 14h30",
        "mardi 14 heures 30", str(int(APPOINTMENT.timestamp())), spoken_datetime(APPOINTMENT, date(2026, 11, 23)),
    ],
)  # fmt: skip
def test_an_appointment_is_found_however_it_is_written(written: str) -> None:
    assert leaks(APPOINTMENT, f"rendez-vous {written}.")


def test_a_moment_near_midnight_is_found_by_its_date_in_utc_too() -> None:
    assert leaks(datetime(2026, 12, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))), "2026-11-30")
    assert leaks(datetime(2026, 12, 1, 0, 30, tzinfo=UTC), "2026-12-01")


@pytest.mark.parametrize(
    "written",
    [
        "+33465710001", "33465710001", "0033465710001", "0465710001", "04 65 71 00 01", "04.65.71.00.01",
        "04-65-71-00-01", "+33 4 65 71 00 01", "+33 (0)4 65 71 00 01", "0 4 6 5 7 1 0 0 0 1", "tel:+33465710001",
        "%2B33465710001", "zéro quatre, soixante-cinq, soixante et onze, zéro zéro, zéro un", "0465 7100 01",
        "zero quatre soixante-cinq soixante et onze zero zero zero un",
    ],
)  # fmt: skip
@pytest.mark.parametrize("number", ["+33465710001", "0465710001"])
def test_a_telephone_number_is_found_however_it_is_written(number: str, written: str) -> None:
    assert leaks(number, written)


@pytest.mark.parametrize(
    "written",
    [
        "Hélène Lecœur", "HÉLÈNE LECŒUR", "helene lecoeur", "Lecœur, Hélène", "LECŒUR Hélène", "docteur Hélène Lecœur",
        "helene.lecoeur@example.org", "helene-lecoeur", "H. Lecœur", "Madame Lecœur", "H\u00e9l\u00e8ne",
        "He\u0301le\u0300ne", "H%C3%A9l%C3%A8ne", "H\\u00e9l\\u00e8ne", "H&#233;l&#232;ne", "Hélène+Lecœur",
    ],
)  # fmt: skip
def test_a_name_is_found_however_it_is_written(written: str) -> None:
    assert leaks("Dr Hélène Lecœur", written)


@pytest.mark.parametrize("written", ["482719", "482 719", "4 8 2 7 1 9", spoken_digits("482719", 2)])
def test_a_code_is_found_however_it_is_written(written: str) -> None:
    assert leaks("482719", f"Code {written}.")


def test_a_document_about_something_else_is_clean() -> None:
    document = (
        "Cabinet des Tilleuls, bonjour. En cas d'urgence vitale, raccrochez et composez le 15 ou le 112. "
        "Le cabinet ouvre mardi à 8 heures 30. +33465710002 7d9f2c4be1a0 Hector Lecomte, 2026-11-30, docteur Martin"
    )
    for value in (date(1948, 3, 5), APPOINTMENT, time(14, 30), "+33465710001", "Dr Hélène Lecœur", "482719"):
        assert not leaks(value, document)


CARRIERS: dict[str, Callable[[str], str]] = {
    "as is": str,
    "NFC": lambda text: unicodedata.normalize("NFC", text),
    "NFD": lambda text: unicodedata.normalize("NFD", text),
    "upper case": str.upper,
    "URL": quote,
    "form": quote_plus,
    "JSON": json.dumps,
    "HTML": html.escape,
    "hexadecimal": lambda text: text.encode().hex(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64, at 1": lambda text: base64.b64encode(f"x{text}!".encode()).decode(),
    "base64, at 2": lambda text: base64.b64encode(f"xy{text}!!".encode()).decode(),
    "base64url": lambda text: base64.urlsafe_b64encode(f"xyz{text}?".encode()).decode(),
}


@pytest.mark.parametrize("carrier", CARRIERS)
@given(
    born=st.dates(date(1900, 1, 1), date(2100, 12, 31)),
    at=st.times(timezones=st.none()),
    number=st.from_regex(r"\+33[1-9][0-9]{8}", fullmatch=True),
)
@settings(deadline=None, max_examples=10)
def test_every_spoken_and_iso_form_is_found_in_every_encoding(carrier: str, born: date, at: time, number: str) -> None:
    forms: dict[date | time | str, list[str]] = {
        born: [born.isoformat(), f"{born:%d%m}{born.year:04d}", spoken_date(born), spoken_date(born, with_year=False)],
        # In the middle of base64 a short text leaves too few whole characters to prove anything.
        at: [form for form in (f"{at:%H:%M}", spoken_time(at)) if len(form) > 9 or not carrier.startswith("base64")],
        number: [number, f"0{number[3:]}", spoken_phone(number)],
    }
    for value, written in forms.items():
        sought = renderings(value)
        for form in written:
            document = f"before {CARRIERS[carrier](form)} after"
            assert any(rendering in document for rendering in sought), form


def test_nothing_is_looked_for_that_chance_would_find() -> None:
    for value in (time(9), date(2026, 3, 3), "Jo Ng", "15"):
        assert all(len(rendering) >= 4 for rendering in renderings(value))
