"""Transcripts: whole telephone calls as YAML that a secretary can read, loaded strictly.

    title: Jeanne entend son prochain rendez-vous
    at: "2026-11-26T10:00+01:00"
    call: {from: "+33639980001", to: "+33465710001"}
    steps:
      - hears: "composez le 15"
      - presses: "1"
    ledger: []

Every key that is not known is an error, and every error names its line and what to write.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import yaml

from callcenter.emulator.lines import AFTER, SHOWN, WHENS, Forwarding
from callcenter.emulator.messages import E164
from callcenter.emulator.nodes import (
    MOMENT,
    TEXT,
    Problems,
    Record,
    items_of,
    line_of,
    pattern_of,
    record_of,
    seconds_of,
    text_of,
    true_of,
)
from callcenter.emulator.steps import (
    Action,
    Answers,
    Ends,
    HangsUp,
    Hears,
    HearsNot,
    LedgerRow,
    NoTexts,
    Presses,
    Says,
    SendsText,
    Step,
    Texts,
    Transcript,
    TranscriptError,
    Waits,
)

KEYS = re.compile(r"(?:[0-9*#,]|\{[A-Za-z_]\w*!?\})+")
NAME = re.compile(r"[A-Za-z_]\w*")
REFERENCE = re.compile(r"\{(\w+)!?\}")
NUMBER = '"+33465710001"'
LINE = '"+33465710099"'
#: What a disclosure's record may be asked for.
LEDGER_KEYS = ("categories", "level", "decision", "reason", "prompt", "step", "playback", "redelivered")


__all__ = ["Transcript", "TranscriptError", "load_transcript"]


def load_transcript(path: Path) -> Transcript:
    """Read a transcript.

    Raises:
        TranscriptError: it cannot be read, or something in it is unknown, missing or of the wrong type: all of it.
    """
    problems = Problems(path)
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise TranscriptError([f"{path}: cannot be read ({error.strerror}): give the path of a file"]) from error
    except UnicodeDecodeError as error:
        raise TranscriptError([f"{path}: is not UTF-8: save it as UTF-8"]) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 0
        problems.at(line, f"this is not YAML ({error.problem}): check quotes and indentation")
        raise TranscriptError(problems.found) from error
    except yaml.YAMLError as error:
        raise TranscriptError([f"{path}: this is not YAML ({error}): remove control characters"]) from error
    if root is None:
        raise TranscriptError([f"{path}: is empty: write title, call and steps"])
    transcript = _Reader(problems).transcript(root)
    if problems.found or transcript is None:
        raise TranscriptError(problems.found)
    return transcript


class _Reader:
    """Reads one file; knows which names have been given so far."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._captured: set[str] = set()
        self._answered: set[str] = set()
        self._actions: dict[str, Callable[[yaml.Node], Action | None]] = {
            "hears": self._hears,
            "hears_not": self._hears_not,
            "presses": self._presses,
            "texts": self._texts,
            "no_texts": self._no_texts,
            "sends_text": self._sends_text,
            "waits": self._waits,
            "says": self._says,
            "answers": self._answers,
            "hangs_up": self._hangs_up,
            "ended": self._ended,
        }

    def transcript(self, root: yaml.Node) -> Transcript | None:
        record = record_of(root, self._problems, "a transcript", "title, call and steps")
        if record is None:
            return None
        title = record.text("title", '"Jeanne entend son prochain rendez-vous"')
        at = self._at(record.node("at"))
        call = self._call(record.node("call"), record.line)
        forwarding_node = record.node("forwarding")
        forwarding = self._forwardings(forwarding_node) if forwarding_node is not None else ()
        steps = self._steps(record.node("steps"), record.line)
        ledger_node = record.node("ledger")
        ledger = self._ledger(ledger_node) if ledger_node is not None else None
        record.finish()
        if title is None or call is None:
            return None
        line = line_of(ledger_node) if ledger_node is not None else 0
        caller, called, forwarded_from = call
        return Transcript(
            self._problems.path, title, caller, called, steps, at, ledger, line, forwarded_from, forwarding
        )

    def _at(self, node: yaml.Node | None) -> datetime | None:
        if node is None:
            return None
        try:
            moment = datetime.fromisoformat(node.value) if node.tag in {TEXT, MOMENT} else None
        except (TypeError, ValueError):
            moment = None
        if moment is None or moment.tzinfo is None:
            example = 'at: "2026-11-26T10:00+01:00"'
            self._problems.at(line_of(node), f"'at' is no date and time with an offset: write {example}")
            return None
        return moment

    def _call(self, node: yaml.Node | None, line: int) -> tuple[str, str, str | None] | None:
        example = f'call: {{from: "+33639980001", to: {NUMBER}}}'
        if node is None:
            self._problems.at(line, f"a transcript has no 'call': write {example}")
            return None
        record = record_of(node, self._problems, "call", example)
        if record is None:
            return None
        caller, called = record.text("from", '"+33639980001", or anonymous'), record.text("to", NUMBER)
        forwarded_from = record.text("forwarded_from", NUMBER, required=False)
        record.finish()
        return (caller, called, forwarded_from) if caller is not None and called is not None else None

    def _forwardings(self, node: yaml.Node) -> tuple[Forwarding, ...]:
        example = f"forwarding: [{{line: {LINE}, to: {NUMBER}, when: always}}]"
        found: dict[tuple[str, str], Forwarding] = {}
        for item in items_of(node, self._problems, "forwarding", example):
            record = record_of(item, self._problems, "a forwarding", example)
            forwarding = self._forwarding(record) if record is not None else None
            if forwarding is None:
                continue
            if (forwarding.line, forwarding.when) in found:
                message = f"{forwarding.line} forwards twice when {forwarding.when}: write it once"
                self._problems.at(line_of(item), message)
            found[forwarding.line, forwarding.when] = forwarding
        return tuple(found.values())

    def _forwarding(self, record: Record) -> Forwarding | None:
        line, to = record.text("line", LINE), record.text("to", NUMBER)
        when, caller = record.choice("when", WHENS, "always"), record.choice("caller", SHOWN, "kept")
        reported = record.truth("reported", default=True)
        after = record.node("after")
        seconds = seconds_of(after, self._problems, "after") if after is not None else AFTER
        if after is not None and when != "unanswered":
            self._problems.at(line_of(after), "after is for lines that nobody answers: write when: unanswered")
        record.finish()
        for name, number in (("line", line), ("to", to)):
            if number is not None and E164.fullmatch(number) is None:
                self._problems.at(record.line, f"{name} is no number: write {name}: {NUMBER}")
        if line is None or to is None or seconds is None:
            return None
        return Forwarding(line, to, when, caller, reported, seconds)

    def _steps(self, node: yaml.Node | None, line: int) -> tuple[Step, ...]:
        example = 'steps: [{hears: "bonjour"}]'
        if node is None or (isinstance(node, yaml.SequenceNode) and not node.value):
            self._problems.at(line, f"a transcript has no steps: write {example}")
            return ()
        steps = []
        for number, item in enumerate(items_of(node, self._problems, "steps", example), start=1):
            action = self._action(item)
            if action is not None:
                steps.append(Step(number, line_of(item), action))
        return tuple(steps)

    def _action(self, node: yaml.Node) -> Action | None:
        known = ", ".join(self._actions)
        if not isinstance(node, yaml.MappingNode) or len(node.value) != 1:
            self._problems.at(line_of(node), f"a step has one key: write - and one of {known}")
            return None
        key, value = node.value[0]
        read = self._actions.get(str(key.value))
        if read is None:
            self._problems.at(line_of(key), f"there is no step {key.value!r}: write one of {known}")
            return None
        return read(value)

    def _hears(self, node: yaml.Node) -> Action | None:
        pattern = pattern_of(node, self._problems, 'hears: "bonjour"')
        return Hears(pattern) if pattern is not None else None

    def _hears_not(self, node: yaml.Node) -> Action | None:
        pattern = pattern_of(node, self._problems, 'hears_not: "Moreau"')
        return HearsNot(pattern) if pattern is not None else None

    def _presses(self, node: yaml.Node) -> Action | None:
        text = text_of(node, self._problems, 'presses: "1"')
        keys = self._keys(text, line_of(node))
        return Presses(keys) if keys is not None else None

    def _texts(self, node: yaml.Node) -> Action | None:
        example = 'texts: {to: "+33639980001", match: "(\\\\d{6})", as: code}'
        record = record_of(node, self._problems, "texts", example)
        if record is None:
            return None
        to, pattern = record.text("to", '"+33639980001"'), record.pattern("match", '"(\\\\d{6})"')
        name = self._name(record)
        record.finish()
        if name is not None:
            self._captured.add(name)
        return Texts(to, pattern, name) if to is not None and pattern is not None else None

    def _no_texts(self, node: yaml.Node) -> Action | None:
        record = record_of(node, self._problems, "no_texts", 'no_texts: {to: "+33639980001"}')
        if record is None:
            return None
        to = record.text("to", '"+33639980001"')
        record.finish()
        return NoTexts(to) if to is not None else None

    def _sends_text(self, node: yaml.Node) -> Action | None:
        example = 'sends_text: {to: "+33199000001", body: "STOP"}'
        record = record_of(node, self._problems, "sends_text", example)
        if record is None:
            return None
        to, body = record.text("to", '"+33199000001"'), record.text("body", '"STOP"')
        sender = record.text("from", '"+33639980001"', required=False)
        record.finish()
        return SendsText(to, body, sender) if to is not None and body is not None else None

    def _waits(self, node: yaml.Node) -> Action | None:
        seconds = seconds_of(node, self._problems, "waits")
        return Waits(seconds) if seconds is not None else None

    def _says(self, node: yaml.Node) -> Action | None:
        text = text_of(node, self._problems, 'says: "le secrétariat"')
        return Says(text) if text is not None else None

    def _answers(self, node: yaml.Node) -> Action | None:
        example = 'answers: {on: "+33472000000", hears: "tapez 1", presses: "1", as: second}'
        record = record_of(node, self._problems, "answers", example)
        if record is None:
            return None
        on = record.text("on", '"+33472000000"')
        pattern = record.pattern("hears", '"tapez 1"', required=False)
        keys = self._keys(record.text("presses", '"1"', required=False), record.line)
        name = self._name(record)
        record.finish()
        if name is not None:
            self._answered.add(name)
        return Answers(on, pattern, keys, name) if on is not None else None

    def _hangs_up(self, node: yaml.Node) -> Action | None:
        if isinstance(node, yaml.ScalarNode) and node.tag == TEXT:
            if node.value not in self._answered:
                message = f"no telephone was answered as {node.value!r}: write hangs_up: true for the caller"
                self._problems.at(line_of(node), message)
            return HangsUp(str(node.value))
        true_of(node, self._problems, "hangs_up")
        return HangsUp(None)

    def _ended(self, node: yaml.Node) -> Action | None:
        true_of(node, self._problems, "ended")
        return Ends()

    def _name(self, record: Record) -> str | None:
        name = record.text("as", "code", required=False)
        if name is not None and not NAME.fullmatch(name):
            self._problems.at(record.line, f"'as' is a name of letters and digits, not {name!r}: write as: code")
            return None
        return name

    def _keys(self, text: str | None, line: int) -> str | None:
        if text is None:
            return None
        if not KEYS.fullmatch(text):
            example = 'presses: "12#", or presses: "{code}"'
            self._problems.at(line, f"{text!r} are no keys: 0-9 * # and , only, or a name in braces; write {example}")
            return None
        for name in REFERENCE.findall(text):
            if name not in self._captured:
                message = f"nothing was kept as {name!r} before this step: write as: {name} in a texts step above it"
                self._problems.at(line, message)
        return text

    def _ledger(self, node: yaml.Node) -> tuple[LedgerRow, ...]:
        example = "ledger: [{categories: [D01], level: 2, decision: granted}]"
        rows = []
        for item in items_of(node, self._problems, "ledger", example):
            if not isinstance(item, yaml.MappingNode) or not item.value:
                self._problems.at(line_of(item), f"a record of the ledger is a set of keys: write {example}")
                continue
            record = Record(item, self._problems, "a record of the ledger")  # notes a key that stands there twice
            for name in LEDGER_KEYS:
                record.node(name)
            record.finish()
            fields = yaml.SafeLoader("").construct_document(item)
            rows.append(LedgerRow(line_of(item), tuple((str(name), value) for name, value in fields.items())))
        return tuple(rows)
