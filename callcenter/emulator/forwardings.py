"""The lines of a transcript that forward, read from YAML."""

from __future__ import annotations

import yaml

from callcenter.emulator.lines import AFTER, SHOWN, WHENS, Forwarding
from callcenter.emulator.messages import E164
from callcenter.emulator.nodes import Problems, Record, items_of, line_of, record_of, seconds_of

LINE, NUMBER = '"+33465710099"', '"+33465710001"'


def read_forwardings(node: yaml.Node, problems: Problems) -> tuple[Forwarding, ...]:
    """The lines that forward while a call lasts; what is wrong with them is noted."""
    example = f"forwarding: [{{line: {LINE}, to: {NUMBER}, when: always}}]"
    found: dict[tuple[str, str], Forwarding] = {}
    for item in items_of(node, problems, "forwarding", example):
        record = record_of(item, problems, "a forwarding", example)
        forwarding = _forwarding(record, problems) if record is not None else None
        if forwarding is None:
            continue
        if (forwarding.line, forwarding.when) in found:
            message = f"{forwarding.line} forwards twice when {forwarding.when}: write it once"
            problems.at(line_of(item), message)
        found[forwarding.line, forwarding.when] = forwarding
    return tuple(found.values())


def _forwarding(record: Record, problems: Problems) -> Forwarding | None:
    line, to = record.text("line", LINE), record.text("to", NUMBER)
    when, caller = record.choice("when", WHENS, "always"), record.choice("caller", SHOWN, "kept")
    reported = record.truth("reported", default=True)
    after = record.node("after")
    seconds = seconds_of(after, problems, "after") if after is not None else AFTER
    if after is not None and when != "unanswered":
        problems.at(line_of(after), "after is for lines that nobody answers: write when: unanswered")
    record.finish()
    for name, number in (("line", line), ("to", to)):
        if number is not None and E164.fullmatch(number) is None:
            problems.at(record.line, f"{name} is no number: write {name}: {NUMBER}")
    if line is None or to is None or seconds is None:
        return None
    return Forwarding(line, to, when, caller, reported, seconds)
