"""Comparing the records that a call left with those that its transcript expects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from callcenter.emulator.outcomes import Differed
from callcenter.emulator.steps import Transcript


def compare(transcript: Transcript, found: Sequence[Mapping[str, object]]) -> Differed | None:
    """The first difference, or None.

    Every expected record must be found in its place with equal values under the keys given, and there must be no
    others.

    Arguments:
        transcript: one that expects records.
        found: the records, in order.
    """
    expected, step = transcript.ledger or (), len(transcript.steps) + 1
    if len(expected) != len(found):
        count = f"{len(expected)} enregistrement(s) au registre"
        return Differed(step, transcript.ledger_line, count, f"{len(found)} : {_words(found)}")
    for number, (row, record) in enumerate(zip(expected, found, strict=True), start=1):
        wrong = {name: value for name, value in row.fields if _plain(record.get(name)) != value or name not in record}
        if wrong:
            there = {name: _plain(record.get(name, "rien")) for name in wrong}
            return Differed(step, row.line, f"enregistrement {number} : {_fields(wrong)}", _fields(there))
    return None


def _plain(value: object) -> object:
    """A value as YAML would give it: lists for tuples."""
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    return value


def _fields(fields: Mapping[str, object]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in fields.items())


def _words(records: Sequence[Mapping[str, object]]) -> str:
    return " ; ".join(_fields(record) for record in records) or "aucun"
