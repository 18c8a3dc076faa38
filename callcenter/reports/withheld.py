"""Which reasons of a record are shown to whoever has not looked a patient up: those that tell nothing of a file.

Others, and those that are yet to come, are shown of a patient alone who is followed by a look-up that is on record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callcenter.audit.ledger import EventKind
from callcenter.calls import codes, reminders_again, ring_back
from callcenter.disclosure.gate import Reason
from callcenter.identity.challenges import Over
from callcenter.reports.values import Outcome

#: What was not proved, is told to nobody, or was tried too often; and whoever would tell it may not.
OPEN_REASONS = frozenset(
    {
        *(reason.value for reason in (Reason.LEVEL, Reason.NEVER, Reason.UNVERIFIED, Reason.UNTRAINED)),
        Reason.UNSEALED.value,
        *(reason.value for reason in (Reason.OTHER_PATIENT, Reason.OTHER_SLOT, Reason.CARD, Reason.NOT_DECLARED)),
        *(over.value for over in Over),
        *("code", "codes_per_call", "asks_per_talk", "claims_per_operator"),
    }
)

#: Jobs that find out whether there is a patient as somebody has claimed. What they write differs by that (P6).
FINDING_OUT = frozenset(str(module.JOB_ACTOR["id"]) for module in (codes, reminders_again, ring_back))


#: Acts whose reason a caller, a colleague or the carrier has given, and no file.
_GIVEN = frozenset(kind.value for kind in (EventKind.MESSAGE_TAKEN, EventKind.MESSAGE_READ, EventKind.VOICE_LOST))


def is_open(event: object, reason: object) -> bool:
    """Whether the reason of an event is shown although nobody was looked up."""
    return event in _GIVEN or reason in OPEN_REASONS


def outcome_of(body: Mapping[str, Any]) -> Outcome:
    """What was decided about telling something, by the record of it: lists and timelines call it the same."""
    if body.get("decision") == "granted":
        return Outcome.GRANTED
    return Outcome.REFUSED if body.get("reason") in OPEN_REASONS else Outcome.WITHHELD
