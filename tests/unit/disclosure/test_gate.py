"""What only the gate makes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast
from uuid import UUID

import pytest

from callcenter.audit.ledger import Writing
from callcenter.disclosure.exits import (
    _GRANTED,
    GlassReceipt,
    Receipt,
    Shown,
    Uncovered,
    lines_of,
    release,
    show,
    uncover,
    value_of,
)
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


# --- broken glass

NEXT = Protected((("appointment", "9 h"),), Category.APPOINTMENT_TIME, SOMEBODY)


def broken(*categories: Category, patient: UUID = SOMEBODY, is_open: bool = True) -> GlassReceipt:
    pen = cast(Writing, SimpleNamespace(is_open=is_open))
    return GlassReceipt(UUID(int=2), patient, frozenset(categories), pen, _GRANTED)


def test_p1_broken_glass_uncovers_what_its_receipt_is_for() -> None:
    uncovered = uncover(broken(Category.APPOINTMENT_TIME), "appointments.next", NEXT)
    assert (lines_of(uncovered), uncovered.record) == ((("appointment", "9 h"),), UUID(int=2))
    assert repr(uncovered) == "<Uncovered appointments.next>"


@pytest.mark.parametrize(
    ("receipt", "path"),
    [
        (broken(Category.APPOINTMENT_TIME, is_open=False), "appointments.next"),
        (broken(Category.APPOINTMENT_TIME, patient=UUID(int=3)), "appointments.next"),
        (broken(Category.PRACTITIONER), "appointments.next"),
        (broken(Category.APPOINTMENT_TIME), "appointment.starts_at"),
        (granted(Category.APPOINTMENT_TIME), "appointments.next"),
    ],
    ids=["after its transaction", "another patient's", "another category", "a flow's field", "a receipt of a call"],
)
def test_p1_broken_glass_uncovers_nothing_else(receipt: GlassReceipt, path: str) -> None:
    with pytest.raises(Forbidden):
        uncover(receipt, path, NEXT)


def test_p1_what_breaks_the_glass_opens_no_other_exit() -> None:
    receipt = cast(Receipt, broken(Category.APPOINTMENT_TIME))
    with pytest.raises(Forbidden, match="nothing else"):
        show(receipt, "appointment.starts_at", HOUR, str)
    with pytest.raises(Forbidden, match="nothing else"):
        release(receipt, "prompt", {"appointment.starts_at": HOUR}, str)


@pytest.mark.parametrize("proof", [None, object(), True])
def test_p1_a_glass_receipt_and_what_it_uncovers_are_made_by_the_gate_alone(proof: object) -> None:
    with pytest.raises(TypeError, match="by the gate alone"):
        GlassReceipt(UUID(int=2), SOMEBODY, frozenset(Category), cast(Writing, None), proof)
    with pytest.raises(TypeError, match="by the gate alone"):
        Uncovered((), "appointments.next", broken(), proof=proof)
