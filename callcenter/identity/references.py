"""How often references and the birth dates of appointment cards may be guessed at (OB-13).

Eight digits are a hundred million; of them, a busy practice uses a thousand. Each try is counted in a transaction of
its own before anything is compared, and counts as wrong until it is found to be right. A try beyond a bound is compared
all the same, and is never right: it sounds and costs like any other wrong one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text

from callcenter.kernel.clock import Clock
from callcenter.store.database import Database, Transaction
from callcenter.store.sealed import Sealer


class TryKind(StrEnum):
    """What is guessed at."""

    REFERENCE = "reference"
    BIRTH_DATE = "birth_date"


@dataclass(frozen=True, slots=True)
class ReferenceLimits:
    """How wrong tries are bounded, references and birth dates together.

    Arguments:
        per_call: in one call.
        per_caller: by one calling number within ``window``.
        withheld: by all callers of a practice together who withhold theirs.
        per_reference: birth dates at one reference.
        per_practice: at one practice, whoever calls.
        everywhere: at all practices together, within the hour.
    """

    per_call: int = 3
    per_caller: int = 10
    withheld: int = 30
    per_reference: int = 5
    per_practice: int = 100
    everywhere: int = 1000
    window: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Try:
    """A try that stands in the database.

    Arguments:
        document, keyed: its key, with the call.
        hour: in which it is tallied.
        bound: the name of the bound that it is beyond, or ``None``; for the ledger only.
        last: the call has no try left behind it.
    """

    call: UUID
    document: int
    keyed: bytes
    hour: datetime
    bound: str | None
    last: bool


class ReferenceTries:
    """Counts tries.

    Arguments:
        attempts: connections of their own.
    """

    def __init__(self, sealer: Sealer, clock: Clock, limits: ReferenceLimits, attempts: Database) -> None:
        self._sealer = sealer
        self._clock = clock
        self._limits = limits
        self._attempts = attempts

    async def count(
        self, practice: UUID, call: UUID, document: int, kind: TryKind, target: bytes, keys: str, caller: str | None
    ) -> Try:
        """Count one try, committed before anything is compared.

        Arguments:
            document: number of the document that is answered: a webhook repeated after a rollback counts once.
            target: keyed hash of the reference.
            keys: what was typed.
            caller: E.164, or ``None`` when withheld.

        Raises:
            DatabaseDown: it cannot be counted; then no reference is right.
        """
        now = self._clock.now()
        hour = now.replace(minute=0, second=0, microsecond=0)
        keyed = self._sealer.blind_index(practice, "reference_try", f"{call}|{keys}")
        values = {
            "practice": practice,
            "call": call,
            "document": document,
            "keyed": keyed,
            "kind": kind.value,
            "target": target,
            "caller": None if caller is None else self._sealer.blind_index(practice, "reference_try.caller", caller),
            "now": now,
            "since": now - self._limits.window,
            "hour": hour,
        }
        async with self._attempts.practice(practice) as tx:
            await tx.connection.execute(_LOCK, {"whose": f"reference_try/{practice}"})
            before = (await tx.connection.execute(_COUNT, values)).one()
        limits = self._limits
        bounds = (
            ("per_call", before.in_call >= limits.per_call),
            ("per_caller", before.by_caller >= (limits.withheld if caller is None else limits.per_caller)),
            ("per_reference", kind is TryKind.BIRTH_DATE and before.at_target >= limits.per_reference),
            ("per_practice", before.of_practice >= limits.per_practice),
            ("everywhere", before.everywhere >= limits.everywhere),
        )
        bound = next((name for name, reached in bounds if reached), None)
        return Try(call, document, keyed, hour, bound, last=before.in_call + 1 >= limits.per_call)

    @staticmethod
    async def right(tx: Transaction, tried: Try) -> None:
        """It was right: it counts no more."""
        values = {"call": tried.call, "document": tried.document, "keyed": tried.keyed, "hour": tried.hour}
        await tx.connection.execute(_RIGHT, values)


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:whose, 0))")

# All parts run whatever they find (P6). What stands already (the step rolled back after counting) is not counted again.
_COUNT = text(
    """
    WITH before AS (
        SELECT count(*) FILTER (WHERE call_id = :call) AS in_call,
            count(*) FILTER (WHERE caller_index IS NOT DISTINCT FROM cast(:caller AS bytea)) AS by_caller,
            count(*) FILTER (WHERE kind = 'birth_date' AND target = :target) AS at_target,
            count(*) AS of_practice
        FROM reference_try
        WHERE practice_id = :practice AND at > :since AND NOT "right"
          AND NOT (call_id = :call AND document = :document AND keyed = :keyed)
    ), tally AS (
        SELECT coalesce(sum(wrong), 0) AS everywhere FROM reference_tally WHERE hour = :hour
    ), counted AS (
        INSERT INTO reference_try (practice_id, call_id, document, keyed, kind, target, caller_index, at)
        VALUES (:practice, :call, :document, :keyed, :kind, :target, :caller, :now)
        ON CONFLICT DO NOTHING RETURNING 1
    ), tallied AS (
        INSERT INTO reference_tally (hour, wrong) SELECT cast(:hour AS timestamptz), 1 FROM counted
        ON CONFLICT (hour) DO UPDATE SET wrong = reference_tally.wrong + 1
    )
    SELECT before.*, tally.everywhere FROM before, tally
    """
)

_RIGHT = text(
    """
    WITH found AS (
        UPDATE reference_try SET "right" = true
        WHERE call_id = :call AND document = :document AND keyed = :keyed AND NOT "right" RETURNING 1
    )
    UPDATE reference_tally SET wrong = wrong - 1 WHERE hour = :hour AND EXISTS (SELECT 1 FROM found)
    """
)
