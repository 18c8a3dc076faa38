"""What the parts of the bench hand each other. Uses nothing of ours: the floors load this, and are to be light."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID


class Step(StrEnum):
    """The requests of one call, in order, named for what has just happened."""

    RINGS = "rings"
    APPOINTMENTS = "appointments"
    BOOKED = "booked"
    BIRTH_DATE = "birth date"
    CODE = "code"
    IN_PRIVATE = "in private"
    AUDIO = "audio"
    HEARD = "heard"
    CONFIRMS = "confirms"
    GOODBYE = "goodbye"
    ENDED = "ended"


#: What is timed as a step: every webhook. The sound is reported apart.
WEBHOOKS = tuple(step for step in Step if step is not Step.AUDIO)


@dataclass(frozen=True, slots=True)
class Person:
    """A patient who does not exist, and what the database knows them by.

    Arguments:
        phone, called: E.164: their mobile, and their practice's number.
        birth_phone: the blind index under which their contact is found.
    """

    phone: str
    called: str
    birth_date: date
    practice: UUID
    patient: UUID
    contact: UUID
    appointment: UUID
    birth_phone: bytes


@dataclass(frozen=True, slots=True)
class Begin:
    """A transaction begins.

    Arguments:
        transaction: tells apart those that are open at once within a step.
        pool: connections of that pool: its size.
    """

    transaction: int
    pool: int


@dataclass(frozen=True, slots=True)
class Execute:
    """A statement in asyncpg's form, and its parameters."""

    transaction: int
    sql: str
    parameters: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Commit:
    transaction: int


Operation = Begin | Execute | Commit


@dataclass(frozen=True, slots=True)
class Counts:
    """How often a step waits for the database, once everything is prepared.

    Arguments:
        statements: without BEGIN and COMMIT.
    """

    transactions: int
    statements: int

    @property
    def round_trips(self) -> int:
        return self.statements + 2 * self.transactions


@dataclass(frozen=True, slots=True)
class Recording:
    """One verified call.

    Arguments:
        person: whose.
        sid, call: the carrier's identifier of it, and ours.
        operations: by step, in order.
        answers: the bytes of every answer, the sound included.
    """

    person: Person
    sid: str
    call: UUID
    operations: dict[Step, list[Operation]]
    answers: dict[Step, bytes]

    def counts(self) -> dict[Step, Counts]:
        """By step: how often it waits for the database."""
        return {
            step: Counts(
                sum(isinstance(operation, Begin) for operation in operations),
                sum(isinstance(operation, Execute) for operation in operations),
            )
            for step, operations in self.operations.items()
        }
