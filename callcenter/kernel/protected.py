"""Values about patients, which cannot be formatted, compared, serialised or logged.

A ``Protected`` is made where the database is read. It leaves by three named exits only: ``disclosure.exits`` (to words,
against a receipt), ``identity.matching`` (to a verdict on a caller's claim) and ``calls.delivery`` (to the ``To`` of a
message). Each of them calls :func:`expose`; ruff bans its import everywhere else (``pyproject.toml``, TID251).

Python cannot make this unforgeable. It makes a leak a failing test, and an exit visible to a reviewer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NoReturn, TypeVar
from uuid import UUID

from callcenter.kernel.errors import Leak
from callcenter.kernel.labels import Category

T = TypeVar("T")
U = TypeVar("U")


class Protected(Generic[T]):
    """A value about one patient.

    Arguments:
        value: the value itself.
        category: what it tells.
        subject: the patient whom it is about.
    """

    __slots__ = ("_value", "category", "subject")
    __hash__ = None  # type: ignore[assignment]  # a hash would let a set or a dict compare values

    def __init__(self, value: T, category: Category, subject: UUID) -> None:
        self._value = value
        self.category = category
        self.subject = subject

    def map(self, compute: Callable[[T], U]) -> Protected[U]:
        """Compute inside the protection: the result is protected too."""
        return Protected(compute(self._value), self.category, self.subject)

    def __repr__(self) -> str:
        return f"<Protected {self.category.value}>"

    __str__ = __repr__  # so that a log line stays readable and empty of values

    def _refuse(self, *_: object) -> NoReturn:
        raise Leak(f"a protected value ({self.category.value}) was used outside its exits")

    __format__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __bool__ = __len__ = __iter__ = __add__ = __radd__ = __contains__ = _refuse
    __reduce__ = __reduce_ex__ = __getstate__ = _refuse


def expose(protected: Protected[T]) -> T:
    """The value itself. Only the three exits named above may import this function."""
    return protected._value  # noqa: SLF001 - the one way out; its importers are named in pyproject.toml
