"""Reading the steps of a transcript that are about several telephones: who calls, who refuses, who hears whom."""

from __future__ import annotations

import yaml

from callcenter.emulator.clients import IDENTITY
from callcenter.emulator.lines import Unreached
from callcenter.emulator.nodes import Problems, items_of, line_of, record_of, text_of, true_of, truth_of
from callcenter.emulator.steps import CALLER, Calls, HearsWhom, Held, OnDuty, Operates, Rejects

NUMBER = '"+33472000000"'
REASONS: tuple[Unreached, ...] = ("busy", "no-answer", "failed")


def read_clients(node: yaml.Node, problems: Problems) -> tuple[str, ...]:
    """The clients that wait for calls while the transcript runs."""
    example = "clients: [secretariat]"
    found = []
    for item in items_of(node, problems, "clients", example):
        identity = text_of(item, problems, example)
        if identity is not None and IDENTITY.fullmatch(identity) is None:
            problems.at(line_of(item), f"{identity!r} is no identity of a client: write {example}")
        elif identity is not None:
            found.append(identity)
    return tuple(found)


def read_on_duty(node: yaml.Node, problems: Problems) -> tuple[OnDuty, ...]:
    """Who answers calls by a telephone while the transcript runs."""
    example = 'on_duty: [{login: operatrice1, telephone: "+33465710071"}]'
    found = []
    for item in items_of(node, problems, "on_duty", example):
        record = record_of(item, problems, "on_duty", example)
        if record is None:
            continue
        login, telephone = record.text("login", "operatrice1"), record.text("telephone", '"+33465710071"')
        record.finish()
        if login is not None and telephone is not None:
            found.append(OnDuty(login, telephone))
    return tuple(found)


def read_calls(node: yaml.Node, problems: Problems) -> Calls | None:
    """Another telephone calls."""
    example = 'calls: {from: "+33639980002", to: "+33465710001", as: autre}'
    record = record_of(node, problems, "calls", example)
    if record is None:
        return None
    caller, called = record.text("from", '"+33639980002"'), record.text("to", '"+33465710001"')
    name = record.text("as", "autre")
    record.finish()
    return Calls(caller, called, name) if caller is not None and called is not None and name is not None else None


def read_rejects(node: yaml.Node, problems: Problems) -> Rejects | None:
    """Another telephone rings and is refused."""
    record = record_of(node, problems, "rejects", f"rejects: {{on: {NUMBER}, reason: busy}}")
    if record is None:
        return None
    on, reason = record.text("on", NUMBER), record.choice("reason", REASONS, "busy")
    record.finish()
    return Rejects(on, reason) if on is not None else None


def read_hears_whom(node: yaml.Node, problems: Problems, known: set[str]) -> HearsWhom | None:
    """Whom the telephone whose turn it is hears."""
    example = "hears_whom: [caller], or hears_whom: [] for nobody"
    names = []
    for item in items_of(node, problems, "hears_whom", example):
        name = text_of(item, problems, example)
        if name is not None and name != CALLER and name not in known:
            message = f"no telephone is called {name!r}: write as: {name} in an answers or calls step above this one"
            problems.at(line_of(item), message)
        elif name is not None:
            names.append(name)
    return HearsWhom(frozenset(names))


def read_held(node: yaml.Node, problems: Problems) -> Held | None:
    """Whether the telephone whose turn it is is on hold."""
    held = truth_of(node, problems, "held")
    return Held(held) if held is not None else None


def read_operator(node: yaml.Node, problems: Problems, on_duty: tuple[OnDuty, ...]) -> Operates | None:
    """Somebody on duty looks at their screen, and answers it.

    Arguments:
        on_duty: who may be named.
    """
    example = 'operator: {login: operatrice1, sees: "Que souhaite", chooses: "1"}'
    record = record_of(node, problems, "operator", example)
    if record is None:
        return None
    login = record.text("login", "operatrice1")
    pattern = record.pattern("sees", '"Que souhaite"', required=False)
    absent = record.pattern("sees_not", '"14 h 30"', required=False)
    chooses = record.text("chooses", '"1"', required=False)
    fields = record.node("fills")
    fills = _fills(fields, problems) if fields is not None else ()
    pressed = record.node("emergency")
    if pressed is not None:
        true_of(pressed, problems, "emergency")
    record.finish()
    if login is None or not _is_on_duty(login, on_duty, record.line, problems):
        return None
    if sum((absent is not None, chooses is not None, bool(fills), pressed is not None)) > 1 or (absent and pattern):
        problems.at(record.line, f"sees_not stands alone, and so does chooses, fills or emergency: write {example}")
        return None
    return Operates(login, absent or pattern, absent is not None, chooses, fills, pressed is not None)


def _is_on_duty(login: str, on_duty: tuple[OnDuty, ...], line: int, problems: Problems) -> bool:
    if any(one.login == login for one in on_duty):
        return True
    problems.at(line, f"{login!r} is not on duty: write them under on_duty, above the steps")
    return False


def _fills(node: yaml.Node, problems: Problems) -> tuple[tuple[str, str], ...]:
    example = 'fills: {text: "rappeler demain"}'
    if not isinstance(node, yaml.MappingNode) or not node.value:
        problems.at(line_of(node), f"fills is a set of fields: write {example}")
        return ()
    read = [(str(key.value), text_of(value, problems, example)) for key, value in node.value]
    return tuple((name, value) for name, value in read if value is not None)
