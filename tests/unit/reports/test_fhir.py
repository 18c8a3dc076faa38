"""Records as FHIR AuditEvents: what IHE's profile wants is there, and each thing that is missing is found."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from callcenter.reports.fhir import PROFILE, Origin, event_of
from callcenter.reports.fhir_profile import faults

RECORD, STREAM, CALL = (str(UUID(int=number)) for number in (1, 2, 3))
SUBJECT, PRACTICE = str(UUID(int=4)), str(UUID(int=5))
LEAF = bytes(range(32))
ORIGIN = Origin("https://voix.example.fr", PRACTICE)

GRANTED: dict[str, Any] = {
    "v": 1,
    "log": f"callcenter/{PRACTICE}",
    "id": RECORD,
    "stream": STREAM,
    "seq": 4,
    "prev": "0" * 64,
    "ts": "2026-11-26T09:00:00.123456Z",
    "event": "disclosure",
    "actor": {"kind": "ivr", "id": "callcenter"},
    "call": CALL,
    "subject": SUBJECT,
    "level": 2,
    "level_required": "V2",
    "evidence": ["birth_date", "sms_code"],
    "evidence_records": [],
    "purpose": "PATRQT",
    "decision": "granted",
    "categories": ["D02", "D03"],
    "refs": ["appointment.starts_at:77777777-2222-4333-8444-555555555555", "appointment.place:x"],
    "prompt": {"key": "appointment_summary", "sha256": "ab" * 32},
    "step": "next_appointment",
    "flow": {"name": "accueil", "sha256": "cd" * 32},
    "channel": "voice",
    "control": "enforced",
    "policy": "2026-11-2",
    "policy_digest": "ef" * 32,
    "recipient": "patient",
}
REFUSED = {**GRANTED, "decision": "refused", "reason": "unverified", "subject": None, "level": 0, "refs": []}
GLASS = {
    **GRANTED,
    "actor": {"kind": "staff", "id": SUBJECT},
    "call": None,
    "recipient": "rescue",
    "purpose": "ETREAT",
    "refs": [],
    "prompt": None,
    "flow": None,
}
EVERY = {"granted": GRANTED, "refused": REFUSED, "glass": GLASS}


@pytest.mark.parametrize("name", EVERY)
def test_every_event_is_what_the_profile_wants(name: str) -> None:
    event = event_of(EVERY[name], LEAF, ORIGIN)
    assert faults(event) == []
    assert (PROFILE in event.get("meta", {}).get("profile", ())) is (EVERY[name]["decision"] == "granted")


def test_a_disclosure_names_what_was_told_to_whom_by_what() -> None:
    event = event_of(GRANTED, LEAF, ORIGIN)
    assert (event["id"], event["recorded"], event["outcome"]) == (RECORD, GRANTED["ts"], "0")
    assert event["purposeOfEvent"][0]["coding"][0]["code"] == "PATRQT"
    source, recipient, told, custodian = event["agent"]
    assert source["who"] == event["source"]["observer"]
    assert source["network"] == {"address": "voix.example.fr", "type": "1"}
    assert recipient["who"]["identifier"]["value"] == f"urn:uuid:{CALL}"
    assert told["who"]["identifier"]["value"] == f"urn:uuid:{SUBJECT}"
    assert [one["requestor"] for one in event["agent"]] == [False, False, True, False]
    assert custodian["who"]["identifier"]["value"] == f"urn:uuid:{PRACTICE}"
    patient, first, second = event["entity"]
    assert patient["what"]["identifier"]["value"] == f"urn:uuid:{SUBJECT}"
    assert [one["what"]["identifier"]["value"] for one in (first, second)] == GRANTED["refs"]
    details = {one["type"]: one["valueString"] for one in first["detail"]}
    assert (details["leaf"], details["record"], details["level"]) == (LEAF.hex(), RECORD, "V2")
    assert (details["categories"], details["flow"]) == ("D02 D03", "cd" * 32)


def test_a_refusal_names_nobody_and_says_why() -> None:
    event = event_of(REFUSED, LEAF, ORIGIN)
    assert (event["outcome"], event["action"], event["outcomeDesc"]) == ("8", "E", "unverified")
    assert event["type"]["code"] == "110113"
    assert SUBJECT not in str(event)


def test_glass_that_was_broken_names_who_opened_it_and_for_whom() -> None:
    event = event_of(GLASS, LEAF, ORIGIN)
    told, performer = event["agent"][2], event["agent"][4]
    assert told["who"] == {"display": "rescue"}
    assert performer["who"] == {"type": "Practitioner", "identifier": {"value": SUBJECT}}
    assert event["agent"][1]["who"]["identifier"]["value"] == f"urn:uuid:{STREAM}"
    assert event["entity"][1]["what"]["identifier"]["value"] == f"record:{RECORD}"


def _without(*path: str | int) -> Callable[[dict[str, Any]], None]:
    def change(event: dict[str, Any]) -> None:
        place: Any = event
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return change


def _set(value: object, *path: str | int) -> Callable[[dict[str, Any]], None]:
    def change(event: dict[str, Any]) -> None:
        place: Any = event
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_set("Patient", "resourceType"), "it is no AuditEvent"),
        (_without("type"), "type is missing"),
        (_set("2026-11-26T09:00:00", "recorded"), "recorded has no zone"),
        (_set("1", "outcome"), "outcome is none of 0, 4, 8, 12"),
        (_set([], "agent"), "there is no agent"),
        (_without("agent", 3, "requestor"), "an agent does not say whether it asked"),
        (_without("source", "observer"), "source.observer is missing"),
        (_set("9", "agent", 0, "network", "type"), "a network's type is none of 1 to 5"),
        (_set("110107", "type", "code"), "type is not Export"),
        (_set([], "subtype"), "no subtype is disclose"),
        (_set("C", "action"), "action is not R"),
        (_set([{"url": "x"}], "modifierExtension"), "there is a modifierExtension"),
        (_without("agent", 0), "there is not one agent that is the source"),
        (_without("agent", 1), "there is not one agent that is the recipient"),
        (_without("agent", 1, "network"), "a role has no who, or no network"),
        (_set({"display": "another"}, "agent", 0, "who"), "the source is not the observer (val-audit-source)"),
        (_without("entity", 0), "there is not one patient"),
        (_set("2", "entity", 0, "role", "code"), "the patient has another role, or is not named"),
        (_set([{}], "entity"), "there are not two entities"),
        (_set("1", "entity", 1, "type", "code"), "there is not one patient"),
    ],
)
def test_whatever_the_profile_misses_is_said(change: Callable[[dict[str, Any]], None], says: str) -> None:
    event = copy.deepcopy(event_of(GRANTED, LEAF, ORIGIN))
    change(event)
    assert says in faults(event)


@pytest.mark.parametrize("name", EVERY)
def test_fhir_itself_takes_every_event(name: str) -> None:
    """Where ``callcenter[fhir]`` is installed: the resource of R4 with its types and cardinalities."""
    pytest.importorskip("fhir.resources")
    resource = importlib.import_module("fhir.resources.R4B.auditevent").AuditEvent
    event = event_of(EVERY[name], LEAF, ORIGIN)
    assert resource.model_validate(event).id == RECORD
    broken = copy.deepcopy(event)
    del broken["agent"][0]["requestor"]
    with pytest.raises(ValueError, match="requestor"):
        resource.model_validate(broken)
