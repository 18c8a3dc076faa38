"""How long records are kept, and whether they may go because somebody orders it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from callcenter.app.erasing import rules_of, terms_of
from callcenter.audit.ledger import EventKind
from callcenter.audit.letting_go import may_go, runs
from callcenter.audit.retention import CLASS_OF, USUAL, RecordClass, RetentionTerms, events_of
from callcenter.audit.verify import ERASURE, ROTATION
from callcenter.kernel.errors import ConfigurationError
from callcenter.settings.sections import LedgerSettings, RetentionSettings
from callcenter.staff.records import Act


def test_every_kind_of_record_has_a_class_and_nothing_else_has() -> None:
    assert CLASS_OF.keys() == {*map(str, EventKind), *map(str, Act)}


def test_what_explains_the_log_itself_is_never_erased() -> None:
    now = datetime(2126, 1, 1, tzinfo=UTC)
    assert {ERASURE, ROTATION} <= set(events_of(RecordClass.ALWAYS))
    assert RetentionTerms().cut_off(RecordClass.ALWAYS, now) is None
    assert not may_go({"event": ERASURE, "ts": "2026-01-01T00:00:00.000000Z"}, RetentionTerms(), now, whole=True)
    assert not may_go(
        {"event": "of a later version", "ts": "2026-01-01T00:00:00.000000Z"}, RetentionTerms(), now, whole=True
    )


@pytest.mark.parametrize(
    ("months", "now", "before"),
    [
        (12, (2028, 2, 29), (2027, 2, 28)),
        (6, (2027, 3, 31), (2026, 9, 30)),
        (12, (2027, 12, 31), (2026, 12, 31)),
        (36, (2027, 1, 15), (2024, 1, 15)),
        (1, (2027, 1, 31), (2026, 12, 31)),
    ],
)
def test_months_are_those_of_the_calendar(months: int, now: Any, before: Any) -> None:
    terms = RetentionTerms({RecordClass.LOOKS: months})
    assert terms.cut_off(RecordClass.LOOKS, datetime(*now, 7, 30, tzinfo=UTC)) == datetime(*before, 7, 30, tzinfo=UTC)


NOW = datetime(2026, 11, 30, tzinfo=UTC)
YOUNG, OLD = "2026-11-01T00:00:00.000000Z", "2020-01-01T00:00:00.000000Z"


@pytest.mark.parametrize(
    ("event", "at", "whole", "may"),
    [
        ("review.patient_followed", YOUNG, False, True),
        ("disclosure", YOUNG, False, False),
        ("disclosure", YOUNG, True, True),
        ("disclosure", OLD, False, True),
        ("reminders.chosen", YOUNG, False, False),
        ("incident.declared", YOUNG, True, False),  # RGPD 33.5
        ("incident.declared", "no time", True, False),
        ("incident.declared", OLD, True, True),
    ],
)
def test_what_may_go_on_an_order(event: str, at: str, whole: bool, may: bool) -> None:
    assert may_go({"event": event, "ts": at}, RetentionTerms(), NOW, whole=whole) is may


def test_indices_are_named_as_ranges() -> None:
    assert runs([7, 3, 4, 4, 9, 8]) == [(3, 4), (7, 9)]
    assert runs([]) == []


def test_settings_shorten_and_lengthen_only_with_a_reason() -> None:
    assert terms_of(RetentionSettings()).months == USUAL
    assert terms_of(RetentionSettings(ledger_looks_months=6)).months[RecordClass.LOOKS] == 6
    with pytest.raises(ValidationError, match="ledger_disclosures_months"):
        RetentionSettings(ledger_disclosures_months=120)
    why = "contrat avec le cabinet du 3 mars, analyse d'impact no 4"
    kept = RetentionSettings(ledger_disclosures_months=120, ledger_longer_because=why)
    assert terms_of(kept).months[RecordClass.DISCLOSURES] == 120
    for wrong in ({"ledger_looks_months": 5}, {"ledger_looks_months": 37}, {"ledger_consent_months": 35}):
        with pytest.raises(ValidationError):
            RetentionSettings(**wrong, ledger_longer_because=why)


def test_a_key_that_is_none_is_named() -> None:
    class Settings:
        retention = RetentionSettings()
        ledger = LedgerSettings(erasure_keys=("claire+00000000+BAAA",))

    with pytest.raises(ConfigurationError, match=r"ledger.erasure_keys\[0\]"):
        rules_of(Settings())  # type: ignore[arg-type]
