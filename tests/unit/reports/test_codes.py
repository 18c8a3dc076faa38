"""Every code that may stand in a record, or beside it, has a word of ours: a new one without a word fails here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum, IntEnum
from pathlib import Path

import pytest

from callcenter.audit import ledger
from callcenter.calls import carrier_values, reminders_again, ring_back, unreached, values
from callcenter.calls import codes as sending
from callcenter.calls.playbacks import Heard
from callcenter.calls.recordings import NoSound
from callcenter.console import extract_ports, inbox_ports, review_ports
from callcenter.disclosure import gate
from callcenter.flow import message_taking, script_messages
from callcenter.flow.conversation import Rang
from callcenter.flow.language import Act, Lookup, MessageKind, ReachKind
from callcenter.flow.ports import Parted
from callcenter.flow.script_language import Disposition
from callcenter.flow.state import Phase
from callcenter.identity.challenges import Over
from callcenter.identity.evidence import Factor
from callcenter.kernel.labels import FIELD_LABELS
from callcenter.kernel.levels import Channel
from callcenter.practice.facts import Arrival
from callcenter.practice.practice_form import Setting
from callcenter.reports import codes, extract_tables, words
from callcenter.reports.values import Kind, Outcome
from callcenter.routing.queue import Entered
from callcenter.routing.values import EntryKind, EventKind, LeftReason
from callcenter.staff import glass_tables

ROOT = Path("callcenter")

#: Nothing is asked; the caller has no place in the queue.
NEVER = {"question": {""}, "place": {"ended", "full"}}

SOURCES: dict[str, list[type[Enum] | Iterable[str]]] = {
    "decision": [{"granted", "refused"}, {Outcome.GRANTED, Outcome.REFUSED, Outcome.WITHHELD}],
    "reason": [
        *(gate.Reason, Over, sending.NotSent, reminders_again.NotSent, ring_back.NotRung, NoSound, inbox_ports.Why),
        {unreached.NOT_REACHED, unreached.WANTS_TO_BE_RUNG},
        message_taking._REASONS.values(),
        script_messages._REASON.values(),
        {script_messages._UNSPECIFIED},
    ],
    "factors": [Factor],
    "evidence": [Factor],
    "playback": [Heard],
    "channel": [Channel],
    "control": [gate.Control],
    "purpose": [gate.Purpose, review_ports.Purpose],
    "step": [Lookup, Act],
    "arrival": [Arrival],
    "status": [{one.name.lower() for one in values.CallStatus if one.terminal}],
    "rang": [Rang],
    "place": [Entered],
    "ended": [Parted],
    "act": [Act],
    "kind": [MessageKind, glass_tables.Asks, carrier_values.Difference],
    "cause": [carrier_values.Cause],
    "recipient": [glass_tables.Asks, {"patient"}, extract_tables.Asks],
    "check": [extract_tables.IdentityCheck],
    "form": [extract_ports.Form],
    "staff": [{"named", "unnamed"}],
    "verdict": [glass_tables.Verdict],
    "disposition": [Disposition],
    "as": [inbox_ports.As],
    "answer": [inbox_ports.Answer],
    "by": [ReachKind],
    "question": [Phase],
    "detail": [EntryKind, LeftReason],
    "list": [Kind],
}


def _codes(source: type[Enum] | Iterable[str]) -> set[str]:
    if isinstance(source, type):
        assert not issubclass(source, IntEnum)
        return {str(one.value) for one in source}
    return {str(one) for one in source}


@pytest.mark.parametrize("field", SOURCES)
def test_every_code_of_a_field_has_a_word(field: str) -> None:
    known = set().union(*(_codes(source) for source in SOURCES[field])) - NEVER.get(field, set())
    without = sorted(code for code in known if code not in codes.WORDS[field])
    assert not without, f"give {without} of « {field} » a word in reports/codes.py"
    for code in known:
        assert words.plain(code, field) in words.OURS


#: Fields whose values are codes, each written down as one in the program: ``"reason": "…"`` or ``reason="…"``.
WRITTEN = ("reason", "act", "place", "detail", "direction", "level_required", "step")


@pytest.mark.parametrize("field", WRITTEN)
def test_every_code_that_the_program_spells_out_has_a_word(field: str) -> None:
    spelt = set()
    for room in ("audit", "calls", "disclosure", "identity", "notices", "routing"):
        for path in sorted((ROOT / room).glob("*.py")):
            spelt |= set(re.findall(rf'(?:"{field}": |\b{field}=)"([a-z_.]+)"', path.read_text(encoding="utf-8")))
    assert not {code for code in spelt if code not in codes.WORDS[field]} - {"emergency"}
    assert spelt or field in ("step",)


def test_every_step_at_which_the_gate_is_asked_has_a_word() -> None:
    """Where an inquiry has no prompt, whose key would be its step, the step is spelt out."""
    made = [path for room in ("calls", "disclosure", "notices") for path in (ROOT / room).glob("*.py")]
    asked = {one for path in made for one in re.findall(r'Inquiry\(.*\{\}, "([a-z_]+)"', path.read_text("utf-8"))}
    assert {"reveal", "declare", "moved"} <= asked, "the search finds what it looks for"
    assert asked <= codes.WORDS["step"].keys()


def test_everything_that_routing_and_the_ledger_write_down_has_a_title_and_nothing_else_has() -> None:
    assert {kind.value for kind in ledger.EventKind} == words.EVENTS.keys()
    assert {kind.value for kind in EventKind} - {"presence"} == words.ROUTING.keys()


def test_what_an_operators_own_list_has_words_for_is_written_down() -> None:
    template = Path("callcenter/console/templates/script_part.html").read_text(encoding="utf-8")
    (listed,) = re.findall(r"{% set events = {(.*?)} %}", template, re.DOTALL)
    kinds = set(re.findall(r'"([a-z_.]+)": _\(', listed))
    assert "script.begun" in kinds, "the search finds what it looks for"
    assert kinds <= {kind.value for kind in ledger.EventKind}


def test_every_setting_field_and_reference_has_a_word() -> None:
    assert {setting.value for setting in Setting} == codes.SETTINGS.keys()
    assert FIELD_LABELS.keys() == words.LABELS.keys()
    about_files = {path for path in FIELD_LABELS if path.startswith(("appointment.", "slot."))}
    assert about_files <= codes.REFERENCES.keys()
    kinds: set[str] = set()
    for room in ("calls", "disclosure", "notices", "staff", "app"):
        for path in sorted((ROOT / room).glob("*.py")):
            for line in path.read_text(encoding="utf-8").splitlines():
                if "refs" in line or "references" in line or "Inquiry(" in line:
                    kinds |= set(re.findall(r'"([a-z_]+(?:\.[a-z_]+)?):(?:\{|[a-z])', line))
    of_the_house = {"practice", "portfolio", "organisation", "staff_session", "staff_passkey", "setting", "list"}
    assert len(kinds) > 12, "the search above finds what it looks for"
    assert kinds - of_the_house <= codes.REFERENCES.keys()


def test_a_reference_is_told_in_words_with_what_tells_it_apart() -> None:
    one = "01930000-0000-7000-8000-000000000001"
    for written, told in (
        (f"appointment.starts_at:{one}", f"date et heure du rendez-vous ({one})"),
        ("setting:rescue_number", "numéro de secours"),
        ("setting:hours:12", "horaires d’ouverture (12)"),
        ("list:staff", "consultations et changements du personnel"),
        ("agenda:external", "agenda du cabinet"),
        (f"something_new:{one}", f"something_new:{one}"),
        ("appointment:Jeanne Martin", words.HIDDEN),
        ("setting:Jeanne Martin", words.HIDDEN),
    ):
        assert words.plain(written, "refs") == told
