"""Everything whose time is over is erased at once: for a database that comes back from a backup.

What upkeep does by the clock, a little at a time, is done here before the first call, until nothing is left to do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from callcenter.audit.letting_go import Rules
from callcenter.audit.retention import RecordClass, RetentionTerms
from callcenter.audit.verify import Malformed, VerifierKey
from callcenter.calls.old_messages import OldMessages
from callcenter.calls.recordings import erase_sounds
from callcenter.calls.upkeep import forget
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import ConfigurationError, Problem
from callcenter.kernel.randomness import Random
from callcenter.notices.unfinished import forget_sent
from callcenter.routing.old_calls import OldCalls
from callcenter.settings import Settings
from callcenter.settings.sections import RetentionSettings
from callcenter.staff.old_records import OldRecords
from callcenter.staff.upkeep import StaffUpkeep
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer


def terms_of(retention: RetentionSettings) -> RetentionTerms:
    """How long the ledger is kept, as it is set."""
    return RetentionTerms(
        {
            RecordClass.ATTEMPTS: retention.ledger_attempts_months,
            RecordClass.LOOKS: retention.ledger_looks_months,
            RecordClass.OPERATION: retention.ledger_operation_months,
            RecordClass.DISCLOSURES: retention.ledger_disclosures_months,
            RecordClass.CONSENT: retention.ledger_consent_months,
            RecordClass.INCIDENTS: retention.ledger_incidents_months,
        }
    )


def rules_of(settings: Settings) -> Rules:
    """What the sealer holds erasures against.

    Raises:
        ConfigurationError: a key of those who may order erasures is none.
    """
    keys = []
    for number, written in enumerate(settings.ledger.erasure_keys):
        try:
            keys.append(VerifierKey.parse(written))
        except Malformed as error:
            what, mend = f"ledger.erasure_keys[{number}] is no key: {error}", "copy the line of `audit cosign new-key`"
            raise ConfigurationError([Problem("configuration", 0, what, mend)]) from error
    return Rules(terms_of(settings.retention), tuple(keys))


#: A run of ``forget`` takes some hundreds of callbacks a practice, and one of ``OldCalls`` 50,000 calls.
MOST_ROUNDS = 1_000


async def erase_what_is_over(
    database: Database, sealer: Sealer, retention: RetentionSettings, clock: Clock, random: Random
) -> Mapping[str, int]:
    """Erase whatever upkeep would; returns how many rows of which kind went.

    Raises:
        PracticesFailed: it could not be done for some practice.
    """
    calls = OldCalls(database, clock, timedelta(days=retention.queue_days))
    return {
        "answers, codes, tries and traces": await _all(lambda: forget(database, clock)),
        "spoken messages": await erase_sounds(database, sealer, clock, random),
        "handled messages": await OldMessages(
            database, clock, random, timedelta(days=retention.handled_message_days)
        ).erase(),
        "waits and presence": await _all(calls.erase),
        "notices and reminders": await forget_sent(database, clock),
        "records of the ledger that were let go": await OldRecords(
            database, clock, random, terms_of(retention)
        ).finish(),
        "sessions, invitations and tries of staff": await StaffUpkeep(database, clock).forget(),
    }


async def _all(work: Callable[[], Awaitable[int]]) -> int:
    """Do ``work`` until it finds nothing more."""
    erased = 0
    for _ in range(MOST_ROUNDS):
        gone = await work()
        erased += gone
        if not gone:
            break
    return erased
