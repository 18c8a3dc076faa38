"""A mark of the file withholds everything, whatever was proved, and the ledger keeps which one it was."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest

from callcenter.audit.ledger import Entry, Writing
from callcenter.disclosure.gate import Gate, Granted, Inquiry, Refused, Situation
from callcenter.disclosure.policy import load_policy
from callcenter.identity.evidence import Standing
from callcenter.kernel.labels import Category
from callcenter.kernel.levels import Channel, Level
from callcenter.kernel.protected import Protected

POLICY = load_policy(Path(__file__).resolve().parents[3] / "config" / "disclosure-policy.yaml")
PATIENT = UUID(int=1)
UNMARKED = Situation(
    patient=PATIENT,
    birth_date=Protected(date(1962, 3, 14), Category.RECORD_EXISTS, PATIENT),
    deceased=False,
    homonym=False,
    doubtful=False,
    fictitious=False,
    contact_restricted=False,
    sensitive=False,
    practice_has_sensitive=False,
)
INQUIRY = Inquiry(frozenset({Category.RECORD_EXISTS, Category.APPOINTMENT_EXISTS}), frozenset(), (), {}, "step")
VERIFIED = Standing(Level.VERIFIED, PATIENT)


@dataclass
class Pen:
    """The ledger's pen, on nothing."""

    entries: list[Entry] = field(default_factory=list)

    async def add(self, entry: Entry) -> UUID:
        self.entries.append(entry)
        return UUID(int=len(self.entries))


async def decide(situation: Situation) -> tuple[Any, list[Entry]]:
    pen = Pen()
    gate = Gate(POLICY, Channel.VOICE, cast(Writing, pen), {"kind": "ivr", "id": "test"}, {}, date(2026, 11, 26))
    return await gate.decide(INQUIRY, VERIFIED, situation), pen.entries


async def test_without_a_mark_it_is_granted() -> None:
    decision, _ = await decide(UNMARKED)
    assert isinstance(decision, Granted)


@pytest.mark.parametrize("mark", ["deceased", "homonym", "doubtful", "fictitious", "contact_restricted", "sensitive"])
async def test_id_03_with_a_mark_it_is_refused_and_the_ledger_says_why(mark: str) -> None:
    decision, entries = await decide(replace(UNMARKED, **{mark: True}))
    assert isinstance(decision, Refused)
    assert decision.reason.value == mark
    (entry,) = entries
    assert (entry.content["decision"], entry.content["reason"], entry.subject) == ("refused", mark, PATIENT)
