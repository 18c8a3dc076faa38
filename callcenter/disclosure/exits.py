"""The gate's receipts, and what they let out: words for a voice or a text, a field for a screen, lines behind glass.

Receipts are made by the gate, once its grant is in the ledger; what they let out is opaque but to what carries it on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import InitVar, dataclass
from uuid import UUID

from callcenter.audit.ledger import Writing
from callcenter.kernel.errors import Forbidden
from callcenter.kernel.labels import EMERGENCY_LABELS, FIELD_LABELS, Category
from callcenter.kernel.protected import Protected, expose

_GRANTED = object()


@dataclass(frozen=True, slots=True)
class Receipt:
    """The gate's grant, made by it alone. Worth something only while the transaction that wrote its record is open.

    Arguments:
        record: of the ledger.
        patient: whom the grant is about.
        categories: what was granted.
    """

    record: UUID
    patient: UUID
    categories: frozenset[Category]
    writing: Writing
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        if proof is not _GRANTED:
            raise TypeError("a Receipt is made by the gate alone, once the grant is in the ledger")


@dataclass(frozen=True, slots=True)
class GlassReceipt:
    """What the gate gives where the glass is broken. No other exit takes it, and this one takes no other.

    Arguments:
        as of :class:`Receipt`.
    """

    record: UUID
    patient: UUID
    categories: frozenset[Category]
    writing: Writing
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        if proof is not _GRANTED:
            raise TypeError("a GlassReceipt is made by the gate alone, once the grant is in the ledger")


_RELEASED = object()


class Spoken:
    """Words about a patient that the gate has let out. Opaque: only what carries them to the caller asks for them."""

    carries_patient_data = True  # kernel.logs redacts by it
    __slots__ = ("_words", "categories", "language", "prompt", "record")
    __hash__ = None  # type: ignore[assignment]  # words are not compared

    def __init__(self, words: str, prompt: str, receipt: Receipt, language: str, *, proof: object) -> None:
        if proof is not _RELEASED:
            raise TypeError("Spoken words are made by the gate alone")
        self._words = words
        self.language = language
        self.prompt = prompt
        self.record = receipt.record
        self.categories = receipt.categories

    def __repr__(self) -> str:
        return f"<Spoken {self.prompt}>"


class Shown:
    """One field of a file that the gate has let out for a screen. Opaque: only what keeps it sealed asks for it."""

    carries_patient_data = True  # kernel.logs redacts by it
    __slots__ = ("_value", "category", "path", "record")
    __hash__ = None  # type: ignore[assignment]  # values are not compared

    def __init__(self, value: str, path: str, category: Category, receipt: Receipt, *, proof: object) -> None:
        if proof is not _RELEASED:
            raise TypeError("a Shown value is made by the gate alone")
        self._value = value
        self.path = path
        self.category = category
        self.record = receipt.record

    def __repr__(self) -> str:
        return f"<Shown {self.path}>"


def value_of(shown: Shown) -> str:
    """The value itself, for the screen. Only ``calls.script_session``, which seals it, may import this (TID251)."""
    return shown._value  # noqa: SLF001 - as in words_of


Line = tuple[str, str]


class Uncovered:
    """Lines of a file, each with what it is called, that the gate has let out through broken glass. Opaque."""

    carries_patient_data = True  # kernel.logs redacts by it
    __slots__ = ("_lines", "path", "record")
    __hash__ = None  # type: ignore[assignment]  # values are not compared

    def __init__(self, lines: tuple[Line, ...], path: str, receipt: GlassReceipt, *, proof: object) -> None:
        if proof is not _RELEASED:
            raise TypeError("an Uncovered value is made by the gate alone")
        self._lines = lines
        self.path = path
        self.record = receipt.record

    def __repr__(self) -> str:
        return f"<Uncovered {self.path}>"


def lines_of(uncovered: Uncovered) -> tuple[Line, ...]:
    """The lines themselves, for the page. Only ``app.by_glass``, after its transaction, may import this (TID251)."""
    return uncovered._lines  # noqa: SLF001 - as in words_of


def words_of(spoken: Spoken) -> str:
    """The words themselves, for the voice. Only ``calls.documents`` may import this (ruff TID251)."""
    return spoken._words  # noqa: SLF001 - the one way out; its importers are named in pyproject.toml


def release(
    receipt: Receipt,
    prompt: str,
    values: Mapping[str, Protected[object]],
    phrase: Callable[[Mapping[str, object]], str],
    language: str = "fr",
) -> Spoken:
    """Words about a patient, from protected values and a receipt that covers them.

    Arguments:
        receipt: the gate's grant, of the transaction that is still open.
        prompt: key of the words.
        values: by field path. One whose category the receipt does not cover is absent (``None``) for ``phrase``.
        phrase: makes the words from the opened values.
        language: in which it makes them.

    Raises:
        Forbidden: the receipt is of a transaction that is over, or of another patient.
    """
    return Spoken(phrase(_opened(receipt, values)), prompt, receipt, language, proof=_RELEASED)


def show(receipt: Receipt, path: str, value: Protected[object], phrase: Callable[[object], str]) -> Shown:
    """One field of a file for an operator's screen, from its protected value and a receipt that covers it.

    Arguments:
        receipt: the gate's grant, of the transaction that is still open.
        path: of the field; its category is what the receipt must cover.
        phrase: writes the opened value.

    Raises:
        Forbidden: the receipt is of a transaction that is over, of another patient, or does not cover the field.
    """
    opened = _opened(receipt, {path: value})[path]
    if opened is None:
        raise Forbidden("a receipt of the gate was used for a field that it does not cover")
    return Shown(phrase(opened), path, value.category, receipt, proof=_RELEASED)


def uncover(receipt: GlassReceipt, path: str, value: Protected[tuple[Line, ...]]) -> Uncovered:
    """Lines of a file for the page of a supervisor who has broken the glass.

    Arguments:
        receipt: the gate's own grant for it, of the transaction that is still open.
        path: what it is (``kernel.labels.EMERGENCY_LABELS``).

    Raises:
        Forbidden: the receipt is another one, or does not cover it, or its transaction is over.
    """
    covered = value.category in receipt.categories and EMERGENCY_LABELS.get(path) == value.category
    if not (isinstance(receipt, GlassReceipt) and receipt.writing.is_open and covered):
        raise Forbidden("broken glass opens what its own receipt covers, in its own transaction")
    if value.subject != receipt.patient:
        raise Forbidden("a receipt of the gate was used for another patient")
    return Uncovered(expose(value), path, receipt, proof=_RELEASED)


def _opened(receipt: Receipt, values: Mapping[str, Protected[object]]) -> dict[str, object]:
    """What the receipt covers; the rest is absent."""
    if not isinstance(receipt, Receipt):
        raise Forbidden("what breaks the glass opens nothing else")
    if not receipt.writing.is_open:
        raise Forbidden("a receipt of the gate was used after its transaction")
    opened: dict[str, object] = {}
    for path, value in values.items():
        if value.subject != receipt.patient:
            raise Forbidden("a receipt of the gate was used for another patient")
        covered = value.category in receipt.categories and FIELD_LABELS.get(path) == value.category
        opened[path] = expose(value) if covered else None
    return opened
