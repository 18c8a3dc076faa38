"""Reading YAML strictly: every value has a line, and what is wrong is collected rather than raised one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import yaml

TEXT = "tag:yaml.org,2002:str"
WHOLE = "tag:yaml.org,2002:int"
DECIMAL = "tag:yaml.org,2002:float"
TRUTH = "tag:yaml.org,2002:bool"
MOMENT = "tag:yaml.org,2002:timestamp"
Word = TypeVar("Word", bound=str)
TRUE = frozenset({"true", "yes", "on"})


@dataclass(slots=True)
class Problems:
    """What is wrong with one file."""

    path: Path
    found: list[str] = field(default_factory=list)

    def at(self, line: int, message: str) -> None:
        """Note one problem; line 0 means the whole file."""
        self.found.append(f"{self.path}:{line}: {message}" if line else f"{self.path}: {message}")


def plain(text: str) -> str:
    """A text with plain spaces and apostrophes only: nobody types the no-break ones that French typography puts."""
    return re.sub(r"\s+", " ", text).replace("\u2019", "'")


def line_of(node: yaml.Node) -> int:
    """The line of a node, from 1."""
    return int(node.start_mark.line) + 1


class Record:
    """A mapping, read key by key.

    Arguments:
        node: the mapping.
        problems: gets what is wrong.
        what: what it is, for messages.
    """

    def __init__(self, node: yaml.MappingNode, problems: Problems, what: str) -> None:
        self.line = line_of(node)
        self._problems = problems
        self._what = what
        self._asked: list[str] = []
        self._left: dict[str, tuple[int, yaml.Node]] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in self._left:
                problems.at(line_of(key), f"{what} has {name!r} twice: write it once")
            self._left[name] = (line_of(key), value)

    def node(self, name: str) -> yaml.Node | None:
        """A value as it stands, or None."""
        self._asked.append(name)
        _, node = self._left.pop(name, (0, None))
        return node

    def text(self, name: str, example: str, *, required: bool = True) -> str | None:
        """A text that is not empty."""
        node = self.node(name)
        if node is None:
            if required:
                self._problems.at(self.line, f"{self._what} has no {name!r}: write {name}: {example}")
            return None
        return text_of(node, self._problems, f"{name}: {example}")

    def pattern(self, name: str, example: str, *, required: bool = True) -> re.Pattern[str] | None:
        """A regular expression."""
        node = self.node(name)
        if node is None:
            if required:
                self._problems.at(self.line, f"{self._what} has no {name!r}: write {name}: {example}")
            return None
        return pattern_of(node, self._problems, f"{name}: {example}")

    def choice(self, name: str, choices: Sequence[Word], default: Word) -> Word:
        """One of a few words."""
        node = self.node(name)
        if node is None:
            return default
        chosen = next((word for word in choices if isinstance(node, yaml.ScalarNode) and word == node.value), None)
        if chosen is not None:
            return chosen
        self._problems.at(line_of(node), f"{name} is one of {', '.join(choices)}: write {name}: {default}")
        return default

    def truth(self, name: str, *, default: bool) -> bool:
        """True or false."""
        node = self.node(name)
        if node is None:
            return default
        if isinstance(node, yaml.ScalarNode) and node.tag == TRUTH:
            return node.value.lower() in TRUE
        self._problems.at(line_of(node), f"{name} is true or false: write {name}: {str(default).lower()}")
        return default

    def finish(self) -> None:
        """Note every key that nobody asked for."""
        for name, (line, _) in self._left.items():
            self._problems.at(line, f"{self._what} has no key {name!r}: write one of {', '.join(self._asked)}")


def record_of(node: yaml.Node, problems: Problems, what: str, example: str) -> Record | None:
    """A mapping, or a problem."""
    if isinstance(node, yaml.MappingNode):
        return Record(node, problems, what)
    problems.at(line_of(node), f"{what} is not a set of keys: write {example}")
    return None


def items_of(node: yaml.Node, problems: Problems, what: str, example: str) -> Iterator[yaml.Node]:
    """The items of a list, or a problem."""
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    else:
        problems.at(line_of(node), f"{what} is not a list: write {example}")


def text_of(node: yaml.Node, problems: Problems, example: str) -> str | None:
    """A text that is not empty, or a problem; what YAML takes for a number must be quoted."""
    if isinstance(node, yaml.ScalarNode) and node.tag == TEXT and node.value:
        return str(node.value)
    if isinstance(node, yaml.ScalarNode) and node.tag in {WHOLE, DECIMAL, MOMENT}:
        problems.at(line_of(node), f'YAML reads {node.value} as a number: put it in quotes, "{node.value}"')
    else:
        problems.at(line_of(node), f"a text is missing here: write {example}")
    return None


def pattern_of(node: yaml.Node, problems: Problems, example: str) -> re.Pattern[str] | None:
    """A regular expression, whatever the case of letters, or a problem."""
    text = text_of(node, problems, example)
    if text is None:
        return None
    try:
        return re.compile(plain(text), re.IGNORECASE)
    except re.error as error:
        problems.at(
            line_of(node), f"{text!r} is no regular expression ({error}): put a backslash before a plain ( or +"
        )
        return None


def true_of(node: yaml.Node, problems: Problems, what: str) -> None:
    """Nothing but ``true``."""
    if not (isinstance(node, yaml.ScalarNode) and node.tag == TRUTH and node.value.lower() in TRUE):
        problems.at(line_of(node), f"{what} takes true only: write {what}: true, or leave the step out")


def truth_of(node: yaml.Node, problems: Problems, what: str) -> bool | None:
    """True or false, or a problem."""
    if isinstance(node, yaml.ScalarNode) and node.tag == TRUTH:
        return str(node.value).lower() in TRUE
    problems.at(line_of(node), f"{what} is true or false: write {what}: true")
    return None


def seconds_of(node: yaml.Node, problems: Problems, what: str) -> float | None:
    """A number above zero."""
    if isinstance(node, yaml.ScalarNode) and node.tag in {WHOLE, DECIMAL}:
        value = yaml.safe_load(str(node.value))
        if isinstance(value, int | float) and 0 < value <= 86_400:
            return float(value)
    problems.at(line_of(node), f"{what} is a number of seconds above 0: write {what}: 12")
    return None
