"""A mark of the file withholds everything, whatever was proved, and the ledger keeps which one it was."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest

from callcenter.audit.ledger import Entry, Writing
from callcenter.disclosure.exits import GlassReceipt
from callcenter.disclosure.gate import Gate, Granted, Inquiry, Reason, Refused, Situation
from callcenter.disclosure.policy import EMERGENCY_MOST, load_policy
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


def gate_of(channel: Channel, pen: Pen) -> Gate:
    return Gate(POLICY, channel, cast(Writing, pen), {"kind": "ivr", "id": "test"}, {}, date(2026, 11, 26), sealed=True)


async def decide(situation: Situation) -> tuple[Any, list[Entry]]:
    pen = Pen()
    return await gate_of(Channel.VOICE, pen).decide(INQUIRY, VERIFIED, situation), pen.entries


async def test_without_a_mark_it_is_granted() -> None:
    decision, _ = await decide(UNMARKED)
    assert isinstance(decision, Granted)


async def test_p1_nothing_is_told_by_a_record_that_says_nothing_was() -> None:
    pen, nothing = Pen(), replace(INQUIRY, categories=frozenset())
    assert await gate_of(Channel.VOICE, pen).decide(nothing, VERIFIED, UNMARKED) == Refused(Reason.NEVER)
    assert await gate_of(Channel.SMS, pen).push(nothing, UNMARKED, None) == Refused(Reason.NEVER)
    assert [entry.content["decision"] for entry in pen.entries] == ["refused", "refused"]


async def test_for_how_long_it_is_shown_is_on_record_of_what_is_shown_alone() -> None:
    pen, shown = Pen(), replace(INQUIRY, seconds=60)
    gate = gate_of(Channel.CONSOLE, pen)
    await gate.decide(shown, VERIFIED, UNMARKED)
    await gate.decide(shown, VERIFIED, replace(UNMARKED, deceased=True))
    await gate.decide(INQUIRY, VERIFIED, UNMARKED)
    assert [entry.content.get("seconds") for entry in pen.entries] == [60, None, None]


@pytest.mark.parametrize("mark", ["deceased", "homonym", "doubtful", "fictitious", "contact_restricted", "sensitive"])
async def test_id_03_with_a_mark_it_is_refused_and_the_ledger_says_why(mark: str) -> None:
    decision, entries = await decide(replace(UNMARKED, **{mark: True}))
    assert isinstance(decision, Refused)
    assert decision.reason.value == mark
    (entry,) = entries
    assert (entry.content["decision"], entry.content["reason"], entry.subject) == ("refused", mark, PATIENT)


# --- broken glass

MARKS = ["deceased", "homonym", "doubtful", "fictitious", "contact_restricted", "sensitive"]


async def break_glass(
    situation: Situation | None, *categories: str, trained: bool = True
) -> tuple[GlassReceipt | Refused, Entry]:
    pen = Pen()
    actor = {"kind": "staff", "id": "test"}
    today = date(2026, 11, 26)
    gate = Gate(POLICY, Channel.CONSOLE, cast(Writing, pen), actor, {}, today, sealed=True, trained=trained)
    inquiry = Inquiry(frozenset(map(Category, categories or ("D01",))), frozenset(), (), {}, "break_glass")
    decision = await gate.break_glass(inquiry, situation, "rescue")
    (entry,) = pen.entries
    return decision, entry


async def test_broken_glass_is_granted_for_its_purpose_and_to_whom_asks() -> None:
    decision, entry = await break_glass(UNMARKED, "D02", "D03")
    assert isinstance(decision, GlassReceipt)
    said = {name: entry.content[name] for name in ("decision", "purpose", "recipient", "level", "level_required")}
    assert said == {
        "decision": "granted",
        "purpose": "ETREAT",
        "recipient": "rescue",
        "level": 0,
        "level_required": "break_glass",
    }
    assert entry.content["flow"] is None


@pytest.mark.parametrize("mark", MARKS)
async def test_sp_07_a_mark_withholds_behind_broken_glass_too(mark: str) -> None:
    decision, entry = await break_glass(replace(UNMARKED, **{mark: True}))
    assert isinstance(decision, Refused)
    assert (entry.content["reason"], entry.subject) == (mark, PATIENT)


async def test_broken_glass_tells_nothing_of_a_minor_nor_by_whose_training_has_lapsed() -> None:
    young = Protected(date(2012, 3, 14), Category.RECORD_EXISTS, PATIENT)
    assert (await break_glass(replace(UNMARKED, birth_date=young)))[0] == Refused(Reason.MINOR)
    assert (await break_glass(UNMARKED, trained=False))[0] == Refused(Reason.UNTRAINED)


async def test_broken_glass_names_nobody_where_a_practitioner_is_sensitive() -> None:
    there = replace(UNMARKED, practice_has_sensitive=True)
    assert (await break_glass(there, "D02", "D04"))[0] == Refused(Reason.SENSITIVE)
    assert isinstance((await break_glass(there, "D02", "D03"))[0], GlassReceipt)


async def test_p6_nobody_is_refused_by_a_record_of_the_same_form_as_whoever_is_withheld() -> None:
    (_, nobody), (_, withheld) = await break_glass(None), await break_glass(replace(UNMARKED, contact_restricted=True))
    assert nobody.content.keys() == withheld.content.keys()
    differs = {name for name in nobody.content if nobody.content[name] != withheld.content[name]}
    assert differs == {"reason"}


@pytest.mark.parametrize("category", sorted(set(Category) - EMERGENCY_MOST))
async def test_broken_glass_opens_no_other_category(category: Category) -> None:
    assert (await break_glass(UNMARKED, category.value))[0] == Refused(Reason.NEVER)


# --- the ledger is behind


def unsealed(channel: Channel, pen: Pen) -> Gate:
    return Gate(
        POLICY, channel, cast(Writing, pen), {"kind": "ivr", "id": "test"}, {}, date(2026, 11, 26), sealed=False
    )


async def test_p4_nothing_is_told_by_any_channel_while_the_ledger_is_behind_and_the_record_says_so() -> None:
    pen = Pen()
    glass = frozenset({Category.RECORD_EXISTS})
    refused = [
        await unsealed(Channel.VOICE, pen).decide(INQUIRY, VERIFIED, UNMARKED),
        await unsealed(Channel.CONSOLE, pen).decide(INQUIRY, VERIFIED, UNMARKED),
        await unsealed(Channel.SMS, pen).push(INQUIRY, UNMARKED, None),
        await unsealed(Channel.CONSOLE, pen).break_glass(replace(INQUIRY, categories=glass), UNMARKED, "rescue"),
    ]
    assert refused == [Refused(Reason.UNSEALED)] * 4
    assert [entry.content["reason"] for entry in pen.entries] == ["unsealed"] * 4


async def test_p6_it_is_refused_before_anything_of_a_file_is_looked_at() -> None:
    """Whoever asks while it is behind learns of no mark, and not whether there is a file."""
    pen = Pen()
    deceased = replace(UNMARKED, deceased=True)
    assert await unsealed(Channel.VOICE, pen).decide(INQUIRY, VERIFIED, deceased) == Refused(Reason.UNSEALED)
    assert await unsealed(Channel.SMS, pen).push(INQUIRY, deceased, Reason.OPPOSED) == Refused(Reason.UNSEALED)
    assert await unsealed(Channel.CONSOLE, pen).break_glass(INQUIRY, None, "rescue") == Refused(Reason.UNSEALED)


async def test_p7_what_tells_nothing_new_goes_on_while_the_ledger_is_behind() -> None:
    pen = Pen()
    assert await unsealed(Channel.VOICE, pen).check(INQUIRY, VERIFIED, UNMARKED) is None
    assert pen.entries == []
