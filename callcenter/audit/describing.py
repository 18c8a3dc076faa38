"""A ledger record in words, for people."""

from __future__ import annotations

from callcenter.audit.reading import Record


def describe_record(record: Record) -> str:
    """One record on one line."""
    body = record.body
    parts = [f"{body['ts'][11:23]}Z", f"{record.seq:>3}", f"{body['event']:<24}"]
    if body.get("decision"):
        parts.append(f"{body['decision']} {'+'.join(body['categories'])} at V{body['level']}")
        parts.append(f"({body['reason']})" if body.get("reason") else f"[{body['step']}]")
    if not body.get("decision"):
        parts += [f"{name} {body[name]}" for name in ("playback", "reason", "status", "rang") if body.get(name)]
    if body.get("factors"):
        parts.append("V{} by {}".format(body["level"], ", ".join(body["factors"])))
    return "  ".join(parts)
