"""The extract for a machine: what stands on the paper, in a form that stays (docs/register-extract.md)."""

from __future__ import annotations

import json
from typing import Any

from callcenter.reports import register_notes as notes
from callcenter.reports import register_words as words
from callcenter.reports.register_extract import Extract, Line, OfCall

#: A change that breaks a reader makes another version.
FORMAT, VERSION = "callcenter-register-extract", 1


def as_json(extract: Extract) -> bytes:
    """The extract as one JSON object, UTF-8, its keys in order."""
    told = {
        "format": FORMAT,
        "version": VERSION,
        "language": "fr",
        "id": str(extract.request.id),
        "practice": {
            "name": extract.practice.name,
            "address": extract.practice.address,
            "processor": extract.practice.organisation,
            "timezone": extract.practice.zone.key,
        },
        "person": {
            "name": extract.request.named.name,
            "first_name": extract.request.named.first_name,
            "birth_date": extract.request.named.birth_date.isoformat(),
        },
        "period": {"first": extract.request.first.isoformat(), "last": extract.request.last.isoformat()},
        "asked_by": extract.request.asks.value,
        "asked_at": extract.request.asked_at.astimezone(extract.practice.zone).isoformat(),
        "identity_check": extract.request.check.value,
        "made_at": extract.made_at.astimezone(extract.practice.zone).isoformat(),
        "staff_named": extract.staff_named,
        "lines": [_line(line, extract) for line in extract.lines],
        "calls": [_call(call, extract) for call in extract.calls],
        "reach": {
            "begins": None if extract.reach.begins is None else extract.reach.begins.isoformat(),
            "erasures": [at.isoformat() for at in extract.reach.erasures],
            "missing": extract.missing,
            "missing_without_cause": extract.taken,
            "whole": extract.whole,
        },
        "records_sha256": extract.digest,
        "summary": list(notes.in_short(extract)),
        "notes": [{"heading": heading, "points": list(points)} for heading, points in notes.parts(extract)],
    }
    return (json.dumps(told, ensure_ascii=False, indent=2) + "\n").encode()


def _line(line: Line, extract: Extract) -> dict[str, Any]:
    return {
        "record": str(line.record),
        "at": line.at.astimezone(extract.practice.zone).isoformat(),
        "section": line.section.value,
        "section_title": words.SECTIONS[line.section][0],
        "title": line.title,
        "categories": [{"code": code, "said": said} for code, said in zip(line.codes, line.what, strict=True)],
        "to": line.whom or None,
        "by": words.with_name(line.by, line.name),
        "verified_by": list(line.means),
        "heard": words.with_count(line.heard, line.given) or None,
        "why": line.why or None,
        "call": line.call,
        "intact": line.intact,
    }


def _call(call: OfCall, extract: Extract) -> dict[str, Any]:
    zone = extract.practice.zone
    return {
        "number": call.number,
        "id": str(call.id),
        "started": call.started.astimezone(zone).isoformat(),
        "ended": None if call.ended is None else call.ended.astimezone(zone).isoformat(),
    }
