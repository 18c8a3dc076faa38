"""Whether an event is what IHE's profile of a disclosure wants, checked apart from what makes events.

Source: IHE ITI BALP 1.1.4, ``IHE.BasicAudit.PrivacyDisclosure.Source`` (FSH of the guide), and the cardinalities of
FHIR R4's AuditEvent. It is no validator of FHIR: value sets and data types are for one (``callcenter[fhir]``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_DCM = "http://dicom.nema.org/resources/ontology/DCM"
_HL7 = "http://terminology.hl7.org/CodeSystem/"
_PROFILE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PrivacyDisclosure.Source"
_NETWORKS = frozenset("12345")
_OUTCOMES = frozenset({"0", "4", "8", "12"})

Event = Mapping[str, Any]


def faults(event: Event) -> list[str]:
    """What is wrong with an event, in words; of one that does not claim the profile only what R4 asks of every one."""
    wrong = _of_every_event(event)
    if _PROFILE in (event.get("meta") or {}).get("profile", ()):
        wrong += _of_a_disclosure(event)
    return wrong


def _of_every_event(event: Event) -> list[str]:
    agents = _list(event, "agent")
    checks = (
        (event.get("resourceType") == "AuditEvent", "it is no AuditEvent"),
        (bool(_code(event.get("type"))), "type is missing"),
        (isinstance(event.get("recorded"), str) and event["recorded"].endswith("Z"), "recorded has no zone"),
        (event.get("outcome") in _OUTCOMES, "outcome is none of 0, 4, 8, 12"),
        (bool(agents), "there is no agent"),
        (all(isinstance(one.get("requestor"), bool) for one in agents), "an agent does not say whether it asked"),
        (bool((event.get("source") or {}).get("observer")), "source.observer is missing"),
        (
            all(one["network"].get("type") in _NETWORKS for one in agents if "network" in one),
            "a network's type is none of 1 to 5",
        ),
    )
    return [says for holds, says in checks if not holds]


def _of_a_disclosure(event: Event) -> list[str]:
    agents, entities = _list(event, "agent"), _list(event, "entity")
    sources, recipients = (_of_type(agents, code) for code in ("110153", "110152"))
    patients = [one for one in entities if _code(one.get("type")) == (f"{_HL7}audit-entity-type", "1")]
    observer = (event.get("source") or {}).get("observer")
    checks = (
        (_code(event.get("type")) == (_DCM, "110106"), "type is not Export"),
        (
            (f"{_HL7}iso-21089-lifecycle", "disclose") in [_code(one) for one in _list(event, "subtype")],
            "no subtype is disclose",
        ),
        (event.get("action") == "R", "action is not R"),
        ("modifierExtension" not in event, "there is a modifierExtension"),
        (len(sources) == 1, "there is not one agent that is the source"),
        (len(recipients) == 1, "there is not one agent that is the recipient"),
        (all("who" in one and "network" in one for one in sources + recipients), "a role has no who, or no network"),
        (all(one.get("who") == observer for one in sources), "the source is not the observer (val-audit-source)"),
        (len(entities) >= 2, "there are not two entities"),
        (len(patients) == 1, "there is not one patient"),
        (
            all(_code(one.get("role")) == (f"{_HL7}object-role", "1") and "what" in one for one in patients),
            "the patient has another role, or is not named",
        ),
        (any("what" in one for one in entities if one not in patients), "no data are named"),
    )
    return [says for holds, says in checks if not holds]


def _list(event: Event, name: str) -> Sequence[Event]:
    found = event.get(name)
    return found if isinstance(found, list) else []


def _code(coding: Any) -> tuple[str, str] | None:
    """System and code, where there is a code."""
    if not isinstance(coding, Mapping) or not coding.get("code"):
        return None
    return str(coding.get("system")), str(coding["code"])


def _of_type(agents: Sequence[Event], code: str) -> list[Event]:
    """The agents that have one role of DICOM's."""
    return [
        one for one in agents if (_DCM, code) in [_code(each) for each in (one.get("type") or {}).get("coding", ())]
    ]
