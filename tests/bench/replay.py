"""The recorded statements of one call, for another person and with fresh identifiers: what a handler written by hand
would send."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from secrets import randbits
from typing import Any
from uuid import UUID

from tests.bench.values import Begin, Commit, Execute, Operation, Person, Recording, Step

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DIGEST = 32


@dataclass(frozen=True, slots=True)
class Fresh:
    """One call of a floor.

    Arguments:
        sid: the carrier's identifier of it.
        mask: 256 random bits that turn every recorded identifier into this call's own.
    """

    person: Person
    sid: str
    mask: int

    @classmethod
    def call(cls, person: Person, sid: str) -> Fresh:
        return cls(person, sid, randbits(256))

    def id(self, recorded: UUID) -> UUID:
        return UUID(int=recorded.int ^ (self.mask >> 128))

    def digest(self, recorded: bytes) -> bytes:
        return (int.from_bytes(recorded) ^ self.mask).to_bytes(_DIGEST)


Fill = Callable[[Fresh], Any]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement whose parameters are made for each call."""

    transaction: int
    sql: str
    parameters: tuple[Fill, ...]


Move = Begin | Prepared | Commit


def _values(operation: Operation) -> Iterator[Any]:
    """Every single parameter, those in arrays too."""
    if isinstance(operation, Execute):
        for value in operation.parameters:
            yield from value if isinstance(value, list) else (value,)


class Script:
    """The recording, ready to be filled in.

    Arguments:
        recording: of the product.
    """

    def __init__(self, recording: Recording) -> None:
        self._sid = recording.sid
        self._people: Mapping[Any, str] = {
            getattr(recording.person, name): name
            for name in ("called", "practice", "patient", "contact", "appointment", "birth_phone")
        }
        self._call = recording.call
        values = [value for moves in recording.operations.values() for each in moves for value in _values(each)]
        self._leaves = {sha256(b"\x00" + value).digest() for value in values if isinstance(value, bytes)}
        self.moves = {step: [self._move(each) for each in found] for step, found in recording.operations.items()}

    def call(self, fresh: Fresh) -> UUID:
        """Our identifier of a call of the floor."""
        return fresh.id(self._call)

    def audio(self) -> tuple[list[Move], list[Move]]:
        """The fetch of a sound in two parts: before it leaves, and once it has."""
        moves = self.moves[Step.AUDIO]
        first = next(at for at, move in enumerate(moves, start=1) if isinstance(move, Commit))
        return moves[:first], moves[first:]

    def _move(self, operation: Operation) -> Move:
        if isinstance(operation, Execute):
            return Prepared(operation.transaction, operation.sql, tuple(map(self._fill, operation.parameters)))
        return operation

    def _fill(self, recorded: Any) -> Fill:
        match recorded:
            case UUID() | bytes() | str() if recorded in self._people:
                name = self._people[recorded]
                return lambda fresh: getattr(fresh.person, name)
            case UUID():
                return lambda fresh: fresh.id(recorded)
            case bytes() if len(recorded) == _DIGEST and recorded not in self._leaves:
                return lambda fresh: fresh.digest(recorded)
            case str() if recorded == self._sid:
                return lambda fresh: fresh.sid
            case str() if _UUID.search(recorded):
                return self._text(recorded)
            case list():
                fills = [self._fill(item) for item in recorded]
                return lambda fresh: [fill(fresh) for fill in fills]
            case _:  # times, numbers, words, sealed values, records with their leaves: their size is what counts
                return lambda fresh: recorded

    def _text(self, recorded: str) -> Fill:
        """A text that holds identifiers, such as a job's arguments."""
        parts = _UUID.split(recorded)
        fills = [self._fill(UUID(found)) for found in _UUID.findall(recorded)]

        def fill(fresh: Fresh) -> str:
            return parts[0] + "".join(f"{each(fresh)}{part}" for each, part in zip(fills, parts[1:], strict=True))

        return fill
