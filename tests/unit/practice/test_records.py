"""Cells of a practice's file are read once; what cannot be read is refused with a reason that repeats no value."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel, ValidationError

from callcenter.practice.numbers import E164
from callcenter.practice.records import AppointmentRecord, ContactRecord, PatientRecord, Reading
from callcenter.practice.values import AppointmentStatus, IdentityStatus, Sex

READING = Reading(ZoneInfo("Europe/Paris"), datetime(2026, 11, 26, 9, tzinfo=UTC), frozenset({E164("+33465710001")}))
EMILE = {
    "external_id": "P1",
    "birth_name": "D'Angélo-Le Gœff",
    "first_name": "Émile",
    "birth_date": "02/11/1948",
    "sex": "h",
}
CONTACT = {"patient": "P1", "phone": "06 39 98 00 01"}
VISIT = {"external_id": "A1", "patient": "P1", "practitioner": "Dr Moreau", "starts_at": "01/12/2026 14:30"}


def whys(model: type[BaseModel], cells: dict[str, str]) -> str:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(cells, context=READING)
    return "; ".join(detail["msg"] for detail in caught.value.errors(include_url=False))


def test_a_patient_is_read() -> None:
    emile = PatientRecord.model_validate(EMILE, context=READING)
    assert (emile.birth_name, emile.birth_date, emile.sex) == ("D'Angélo-Le Gœff", date(1948, 11, 2), Sex.MALE)
    assert emile.identity_status is IdentityStatus.PROVISIONAL
    assert emile.used_name is None
    assert emile.all_first_names == "Émile"


def test_a_record_shows_nothing_of_the_patient() -> None:
    emile = PatientRecord.model_validate(EMILE, context=READING)
    assert repr(emile) == str(emile) == f"{emile}" == "<PatientRecord>"


@pytest.mark.parametrize(
    ("field", "cell", "why"),
    [
        ("birth_date", "02/11/48", "two digits"),
        ("birth_date", "31/02/1980", "does not exist"),
        ("birth_date", "1980-13-01", "does not exist"),
        ("birth_date", "le 2 novembre", "not a date"),
        ("birth_date", "27/11/2026", "future"),
        ("birth_date", "02/11/1848", "130 years"),
        ("birth_date", "01/01/0001", "before 1800"),
        ("birth_name", "Martin2", "no equivalent among A-Z"),
        ("sex", "X", "not a sex"),
        ("identity_status", "OK", "not an identity status"),
        ("birth_place_code", "1004", "INSEE"),
        ("deceased", "peut-être", "neither yes nor no"),
        ("first_names", "Paul, Émile", "not the first of the first names"),
        ("external_id", "P\n1", "control character"),
        ("external_id", "P" * 201, "longer than 200"),
    ],
)
def test_cells_of_patients_that_cannot_be_used(field: str, cell: str, why: str) -> None:
    message = whys(PatientRecord, EMILE | {field: cell})
    assert why in message
    assert cell not in message


def test_all_that_is_wrong_in_a_row_is_said() -> None:
    message = whys(PatientRecord, EMILE | {"birth_date": "1/1/48", "sex": "?", "birth_name": "A1"})
    assert all(why in message for why in ("two digits", "not a sex", "no equivalent"))


def test_id03_a_fictitious_identity_is_provisional_and_nothing_else_beside() -> None:
    assert "fictitious" in whys(PatientRecord, EMILE | {"fictitious": "oui", "identity_status": "QUAL"})
    for other in ("doubtful", "homonym"):
        assert "fictitious" in whys(PatientRecord, EMILE | {"fictitious": "oui", other: "oui"})
    assert PatientRecord.model_validate(EMILE | {"fictitious": "x"}, context=READING).fictitious


def test_id03_only_doubtful_and_homonym_may_be_together() -> None:
    both = PatientRecord.model_validate(EMILE | {"doubtful": "oui", "homonym": "oui"}, context=READING)
    assert (both.doubtful, both.homonym, both.fictitious) == (True, True, False)


def test_id03_a_doubtful_identity_is_provisional() -> None:
    assert "doubtful" in whys(PatientRecord, EMILE | {"doubtful": "oui", "identity_status": "VALI"})
    assert PatientRecord.model_validate(EMILE | {"doubtful": "x"}, context=READING).doubtful


@pytest.mark.parametrize("every", ["Jean-Pierre, Marie", "JEAN PIERRE MARIE", "Jean Pierre"])
def test_ma03_the_first_name_leads_the_first_names(every: str) -> None:
    cells = EMILE | {"first_name": "Jean-Pierre", "first_names": every}
    assert PatientRecord.model_validate(cells, context=READING).all_first_names == every


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("01/12/2026 14:30", datetime(2026, 12, 1, 13, 30, tzinfo=UTC)),
        ("1/12/2026 9h05", datetime(2026, 12, 1, 8, 5, tzinfo=UTC)),
        ("2026-07-01T14:30:00", datetime(2026, 7, 1, 12, 30, tzinfo=UTC)),
        ("2026-12-01T14:30+01:00", datetime(2026, 12, 1, 13, 30, tzinfo=UTC)),
        ("2026-12-01T13:30Z", datetime(2026, 12, 1, 13, 30, tzinfo=UTC)),
        ("2026-10-25T02:30+01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    ],
)
def test_starts_are_local_to_the_practice_or_carry_an_offset(written: str, utc: datetime) -> None:
    assert AppointmentRecord.model_validate(VISIT | {"starts_at": written}, context=READING).starts_at == utc


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("01/12/2026", "no time"),
        ("01/12/2026 25:00", "time that does not exist"),
        ("29/03/2026 02:30", "clock change"),  # that hour is skipped
        ("25/10/2026 02:30", "clock change"),  # that hour happens twice
        ("01/12/26 14:30", "two digits"),
        ("demain 14:30", "not a date and time"),
        ("01/01/0001 00:00", "before 1800"),
        ("9999-12-31T23:59-05:00", "after 2199"),
        ("2026-12-31T10:00+25:00", "offset that does not exist"),
    ],
)
def test_starts_that_cannot_be_used(written: str, why: str) -> None:
    assert why in whys(AppointmentRecord, VISIT | {"starts_at": written})


def test_an_appointments_other_cells() -> None:
    visit = AppointmentRecord.model_validate(VISIT | {"status": "Annulé", "duration_minutes": "30"}, context=READING)
    assert (visit.status, visit.duration_minutes) == (AppointmentStatus.CANCELLED, 30)
    for field, cell in (
        ("status", "peut-être"),
        ("duration_minutes", "0"),
        ("duration_minutes", "²"),
        ("duration_minutes", "0001440999"),
        ("duration_minutes", "1" * 5000),
    ):
        assert "is not" in whys(AppointmentRecord, VISIT | {field: cell})


def test_a_contact_is_read() -> None:
    contact = ContactRecord.model_validate(CONTACT | {"entered_at": "01/02/2026"}, context=READING)
    assert contact.phone == "+33639980001"
    assert contact.entered_at == datetime(2026, 1, 31, 23, tzinfo=UTC)
    assert contact.confirmed_at is None


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"phone": "04 65 71 00 01"}, "line of the practice"),
        ({"phone": "0899 12 34 56"}, "costs extra"),
        ({"phone": "inconnu"}, "not a telephone number"),
        ({"entered_at": "27/11/2026"}, "future"),
        ({"entered_at": "01/01/0001 00:00:00"}, "before 1800"),
        ({"entered_at": "01/02/2026", "confirmed_at": "01/01/2026"}, "before it was entered"),
    ],
)
def test_contacts_that_cannot_be_used(cells: dict[str, str], why: str) -> None:
    assert why in whys(ContactRecord, CONTACT | cells)
