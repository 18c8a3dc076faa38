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

from callcenter.emulator.company_steps import (
    read_calls,
    read_clients,
    read_hears_whom,
    read_held,
    read_on_duty,
    read_operator,
    read_rejects,
)
from callcenter.emulator.forwardings import read_forwardings
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
    CALLER,
    Action,
    Answers,
    ContinuesOn,
    Ends,
    HangsUp,
    Hears,
    HearsNot,
    LedgerRow,
    Mails,
    NoMails,
    NoRings,
    NoTexts,
    OnDuty,
    Presses,
    Rings,
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
#: What a disclosure's record may be asked for.
LEDGER_KEYS = ("categories", "level", "decision", "reason", "prompt", "step", "playback", "redelivered", "control")


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
        self._on_duty: tuple[OnDuty, ...] = ()
        self._actions: dict[str, Callable[[yaml.Node], Action | None]] = {
            "hears": self._hears,
            "hears_not": self._hears_not,
            "presses": self._presses,
            "texts": self._texts,
            "no_texts": self._no_texts,
            "mails": self._mails,
            "no_mails": self._no_mails,
            "rings": self._rings,
            "no_rings": self._no_rings,
            "sends_text": self._sends_text,
            "waits": self._waits,
            "says": self._says,
            "answers": self._answers,
            "calls": self._calls,
            "rejects": lambda node: read_rejects(node, self._problems),
            "hears_whom": lambda node: read_hears_whom(node, self._problems, self._answered),
            "held": lambda node: read_held(node, self._problems),
            "operator": lambda node: read_operator(node, self._problems, self._on_duty),
            "continues_on": self._continues_on,
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
        forwarding = read_forwardings(forwarding_node, self._problems) if forwarding_node is not None else ()
        clients_node = record.node("clients")
        clients = read_clients(clients_node, self._problems) if clients_node is not None else ()
        on_duty_node = record.node("on_duty")
        on_duty = self._on_duty = read_on_duty(on_duty_node, self._problems) if on_duty_node is not None else ()
        steps = self._steps(record.node("steps"), record.line)
        ledger_node = record.node("ledger")
        ledger = self._ledger(ledger_node) if ledger_node is not None else None
        record.finish()
        if title is None or call is None:
            return None
        line = line_of(ledger_node) if ledger_node is not None else 0
        caller, called, forwarded_from = call
        return Transcript(
            self._problems.path, title, caller, called, steps, at, ledger, line, forwarded_from, forwarding,
            clients, on_duty,
        )  # fmt: skip

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
        if not isinstance(node, yaml.MappingNode):
            pattern = pattern_of(node, self._problems, 'hears: "bonjour"')
            return Hears(pattern) if pattern is not None else None
        record = record_of(node, self._problems, "hears", 'hears: {match: "code : (\\d{4})", as: code}')
        if record is None:
            return None
        pattern, name = record.pattern("match", '"code : (\\d{4})"'), self._name(record)
        record.finish()
        if name is not None:
            self._captured.add(name)
        return Hears(pattern, name) if pattern is not None else None

    def _hears_not(self, node: yaml.Node) -> Action | None:
        pattern = pattern_of(node, self._problems, 'hears_not: "Moreau"')
        return HearsNot(pattern) if pattern is not None else None

    def _presses(self, node: yaml.Node) -> Action | None:
        text = text_of(node, self._problems, 'presses: "1"')
        keys = self._keys(text, line_of(node))
        return Presses(keys) if keys is not None else None

    def _texts(self, node: yaml.Node) -> Action | None:
        arrival = self._arrival(node, "texts", '"+33639980001"')
        return Texts(*arrival) if arrival is not None else None

    def _no_texts(self, node: yaml.Node) -> Action | None:
        to = self._nowhere(node, "no_texts", '"+33639980001"')
        return NoTexts(to) if to is not None else None

    def _mails(self, node: yaml.Node) -> Action | None:
        arrival = self._arrival(node, "mails", "secretariat@cabinet.example")
        return Mails(*arrival) if arrival is not None else None

    def _no_mails(self, node: yaml.Node) -> Action | None:
        to = self._nowhere(node, "no_mails", "secretariat@cabinet.example")
        return NoMails(to) if to is not None else None

    def _rings(self, node: yaml.Node) -> Action | None:
        on = self._nowhere(node, "rings", '"+33465710099"', key="on")
        return Rings(on) if on is not None else None

    def _no_rings(self, node: yaml.Node) -> Action | None:
        on = self._nowhere(node, "no_rings", '"+33465710099"', key="on")
        return NoRings(on) if on is not None else None

    def _arrival(self, node: yaml.Node, what: str, where: str) -> tuple[str, re.Pattern[str], str | None] | None:
        record = record_of(node, self._problems, what, f'{what}: {{to: {where}, match: "(\\\\d{{6}})", as: code}}')
        if record is None:
            return None
        to, pattern = record.text("to", where), record.pattern("match", '"(\\\\d{6})"')
        name = self._name(record)
        record.finish()
        if name is not None:
            self._captured.add(name)
        return (to, pattern, name) if to is not None and pattern is not None else None

    def _nowhere(self, node: yaml.Node, what: str, where: str, *, key: str = "to") -> str | None:
        record = record_of(node, self._problems, what, f"{what}: {{{key}: {where}}}")
        if record is None:
            return None
        to = record.text(key, where)
        record.finish()
        return to

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
        if name == CALLER:
            self._problems.at(record.line, f"as: {CALLER} is the caller's own name: write another one")
        elif name is not None:
            self._answered.add(name)
        return Answers(on, pattern, keys, name) if on is not None else None

    def _calls(self, node: yaml.Node) -> Action | None:
        calls = read_calls(node, self._problems)
        if calls is not None and (calls.name == CALLER or not NAME.fullmatch(calls.name)):
            self._problems.at(line_of(node), f"{calls.name!r} is no name for another telephone: write as: autre")
        elif calls is not None:
            self._answered.add(calls.name)
        return calls

    def _continues_on(self, node: yaml.Node) -> Action | None:
        name = text_of(node, self._problems, "continues_on: domicile, or continues_on: caller")
        if name is not None and name != CALLER and name not in self._answered:
            message = f"no telephone was answered as {name!r}: write as: {name} in an answers step above this one"
            self._problems.at(line_of(node), message)
        return None if name is None else ContinuesOn(None if name == CALLER else name)

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
                mend = f"write as: {name} in a hears, texts or mails step above it"
                message = f"nothing was kept as {name!r} before this step: {mend}"
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
