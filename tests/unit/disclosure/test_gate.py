"""What only the gate makes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast
from uuid import UUID

import pytest

from callcenter.audit.ledger import Writing
from callcenter.disclosure.gate import _GRANTED, Receipt, Shown, show, value_of
from callcenter.kernel.errors import Forbidden
from callcenter.kernel.labels import Category
from callcenter.kernel.protected import Protected

SOMEBODY = UUID(int=1)


@pytest.mark.parametrize("proof", [None, object(), True])
def test_p1_a_receipt_is_made_by_the_gate_alone(proof: object) -> None:
    with pytest.raises(TypeError, match="by the gate alone"):
        Receipt(UUID(int=2), SOMEBODY, frozenset(Category), cast(Writing, None), proof)


HOUR = Protected("9 h", Category.APPOINTMENT_TIME, SOMEBODY)


def granted(*categories: Category, patient: UUID = SOMEBODY, is_open: bool = True) -> Receipt:
    """What the gate gives for ``categories``, in a transaction that is open, or over."""
    pen = cast(Writing, SimpleNamespace(is_open=is_open))
    return Receipt(UUID(int=2), patient, frozenset(categories), pen, _GRANTED)


def test_p1_a_field_is_shown_with_its_record() -> None:
    shown = show(granted(Category.APPOINTMENT_TIME), "appointment.starts_at", HOUR, str)
    assert (value_of(shown), shown.path, shown.category, shown.record) == (
        "9 h",
        "appointment.starts_at",
        Category.APPOINTMENT_TIME,
        UUID(int=2),
    )
    assert repr(shown) == "<Shown appointment.starts_at>"


@pytest.mark.parametrize(
    ("receipt", "path"),
    [
        (granted(Category.APPOINTMENT_TIME, is_open=False), "appointment.starts_at"),
        (granted(Category.APPOINTMENT_TIME, patient=UUID(int=3)), "appointment.starts_at"),
        (granted(Category.PLACE), "appointment.starts_at"),
        (granted(Category.APPOINTMENT_TIME), "appointment.place"),
    ],
    ids=["after its transaction", "another patient's", "another category", "under another name"],
)
def test_p1_a_receipt_shows_nothing_else(receipt: Receipt, path: str) -> None:
    with pytest.raises(Forbidden):
        show(receipt, path, HOUR, str)


@pytest.mark.parametrize("proof", [None, object(), True])
def test_p1_a_shown_value_is_made_by_the_gate_alone(proof: object) -> None:
    with pytest.raises(TypeError, match="by the gate alone"):
        Shown("9 h", "appointment.starts_at", Category.APPOINTMENT_TIME, granted(), proof=proof)
