"""A decision to tell something as a FHIR R4 AuditEvent, in the shape of IHE's profile for a disclosure at its source.

The ledger's record is what counts: the event is made of it alone, names its identifier and leaf, and adds nothing. It
holds references and codes; whose a patient's token is, only the database knows. Source: IHE ITI Basic Audit Log
Patterns (BALP) 1.1.4, ``IHE.BasicAudit.PrivacyDisclosure.Source``; FHIR R4 (4.0.1), AuditEvent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

PROFILE: Final = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PrivacyDisclosure.Source"

DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
SCT: Final = "http://snomed.info/sct"
REASONS: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
LIFECYCLE: Final = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
ENTITY_TYPES: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
ENTITY_ROLES: Final = "http://terminology.hl7.org/CodeSystem/object-role"
SOURCE_TYPES: Final = "http://terminology.hl7.org/CodeSystem/security-source-type"
AUTHORISATION: Final = "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType"
#: RFC 3986: what stands beneath is an address or a name of its own.
URI: Final = "urn:ietf:rfc:3986"

SOURCE, RECIPIENT, CUSTODIAN = (DCM, "110153"), (DCM, "110152"), (SCT, "159541003")
TOLD, APPLICATION = (PARTICIPATION, "IRCP"), (DCM, "110150")
EXPORT, ALERT = (DCM, "110106"), (DCM, "110113")
DISCLOSE = (LIFECYCLE, "disclose")
#: FHIR R4, AuditEvent.outcome: success; a serious failure, which is what IHE's example of a denial says.
SUCCESS, DENIED = "0", "8"
#: FHIR R4, AuditEvent.agent.network.type: a machine's name; a URI.
BY_NAME, BY_URI = "1", "5"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose record it is.

    Arguments:
        server: the public address of the installation.
        practice: its identifier, written out.
    """

    server: str
    practice: str


def event_of(body: Mapping[str, Any], leaf: bytes, origin: Origin) -> Json:
    """The event of a record ``disclosure``.

    Arguments:
        body: of the record, parsed.
        leaf: its hash (32 bytes).
    """
    granted = body.get("decision") == "granted"
    event: Json = {
        "resourceType": "AuditEvent",
        "id": body["id"],
        "type": _coding(EXPORT, "Export") if granted else _coding(ALERT, "Security Alert"),
        "subtype": [
            _coding(DISCLOSE, "Disclose Record Lifecycle Event")
            if granted
            else _coding((AUTHORISATION, "AuthZ-Consent"))
        ],
        "action": "R" if granted else "E",
        "recorded": body["ts"],
        "outcome": SUCCESS if granted else DENIED,
        "agent": _agents(body, origin, granted=granted),
        "source": {
            "site": _urn(origin.practice),
            "observer": _server(origin),
            "type": [_coding((SOURCE_TYPES, "4"), "Application Server")],
        },
        "entity": _entities(body, leaf, granted=granted),
    }
    if granted:  # a refusal has the shape of IHE's AuthZconsent, which wants a Consent resource: it claims no profile
        event["meta"] = {"profile": [PROFILE]}
    if body.get("reason"):
        event["outcomeDesc"] = str(body["reason"])
    if body.get("purpose"):
        event["purposeOfEvent"] = [_concept((REASONS, str(body["purpose"])))]
    return event


def _agents(body: Mapping[str, Any], origin: Origin, *, granted: bool) -> list[Json]:
    host = urlsplit(origin.server).hostname or origin.server
    call = _urn(str(body.get("call") or body["stream"]))
    # The number that called is not in the record: the line is named by the call.
    line = {"address": call, "type": BY_URI}
    agents: list[Json] = [
        {
            "type": _concept(SOURCE if granted else APPLICATION, "Source Role ID" if granted else "Application"),
            "who": _server(origin),
            "requestor": False,
            "network": {"address": host, "type": BY_NAME},
        },
        {
            "type": _concept(RECIPIENT, "Destination Role ID"),
            "who": {"identifier": _identifier(call)},
            "requestor": False,
            "network": line,
        },
        {"type": _concept(TOLD), "who": _whoever_asks(body), "requestor": True},
        {
            "type": _concept(CUSTODIAN),
            "who": {"type": "Organization", "identifier": _identifier(_urn(origin.practice))},
            "requestor": False,
        },
    ]
    actor = body.get("actor") or {}
    if actor.get("kind") in ("operator", "staff"):  # who said it, or opened it on a screen
        who = {"type": "Practitioner", "identifier": {"value": str(actor.get("id"))}}
        agents.append({"type": _concept((PARTICIPATION, "PPRF")), "who": who, "requestor": False})
    return agents


def _whoever_asks(body: Mapping[str, Any]) -> Json:
    """The patient, by their token; anybody else by the closed list that the record names them from."""
    recipient, subject = str(body.get("recipient") or ""), body.get("subject")
    if recipient == "patient" and subject:
        return {"type": "Patient", "identifier": _identifier(_urn(str(subject)))}
    return {"display": recipient or "unknown"}


def _entities(body: Mapping[str, Any], leaf: bytes, *, granted: bool) -> list[Json]:
    entities: list[Json] = []
    if body.get("subject"):
        entities.append(
            {
                "what": {"type": "Patient", "identifier": _identifier(_urn(str(body["subject"])))},
                "type": _coding((ENTITY_TYPES, "1"), "Person"),
                "role": _coding((ENTITY_ROLES, "1"), "Patient"),
            }
        )
    # Without a reference there is the record itself, of which it is said what was decided about.
    told = [str(ref) for ref in body.get("refs") or ()] or [f"record:{body['id']}"]
    for place, reference in enumerate(told):
        entity: Json = {
            "what": {"identifier": {"system": f"urn:callcenter:{reference.partition(':')[0]}", "value": reference}},
            "type": _coding((ENTITY_TYPES, "2"), "System Object"),
            "role": _coding((ENTITY_ROLES, "3"), "Report"),
        }
        if place == 0:
            entity["detail"] = [{"type": name, "valueString": value} for name, value in _details(body, leaf)]
        entities.append(entity)
    return entities


def _details(body: Mapping[str, Any], leaf: bytes) -> list[tuple[str, str]]:
    """What leads back to the record, and to what it was decided by."""
    flow, prompt = body.get("flow") or {}, body.get("prompt") or {}
    told = {
        "record": body["id"],
        "stream": body["stream"],
        "seq": body["seq"],
        "leaf": leaf.hex(),
        "categories": " ".join(body.get("categories") or ()),
        "level": f"V{body['level']}" if "level" in body else None,
        "level_required": body.get("level_required"),
        "evidence": " ".join(body.get("evidence") or ()),
        "control": body.get("control"),
        "channel": body.get("channel"),
        "step": body.get("step"),
        "flow": flow.get("sha256"),
        "prompt": prompt.get("sha256") or prompt.get("key"),
        "policy": body.get("policy"),
        "policy_digest": body.get("policy_digest"),
    }
    return [(name, str(value)) for name, value in told.items() if value not in (None, "")]


def _coding(code: tuple[str, str], display: str = "") -> Json:
    return {"system": code[0], "code": code[1], **({"display": display} if display else {})}


def _concept(code: tuple[str, str], display: str = "") -> Json:
    return {"coding": [_coding(code, display)]}


def _identifier(value: str) -> Json:
    return {"system": URI, "value": value}


def _server(origin: Origin) -> Json:
    """The same wherever it stands: the profile's source of the event is the agent that disclosed (val-audit-source)."""
    return {"type": "Device", "identifier": _identifier(origin.server), "display": "callcenter"}


def _urn(uuid: str) -> str:
    return f"urn:uuid:{uuid}"
