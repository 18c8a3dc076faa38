"""Files of data (YAML) read with their line numbers, so that whatever is wrong names file, line and mend.

Scalars are read narrowly: a telephone number, ``08:30`` or ``no`` stay text, as their author meant; only plain decimal
numbers, ``true``, ``false`` and ``null`` are more than text. Keys are always text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from callcenter.kernel.errors import DataProblems, Problem

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32

PathKey = str | int


@dataclass(frozen=True, slots=True)
class Document:
    """One file of data.

    Arguments:
        file: path as the user gave it.
        text: the file's text.
        data: what it says, as plain values; every key is text.
        lines: 1-based line of each key or list item, by its path.
    """

    file: str
    text: str
    data: Mapping[str, Any]
    lines: Mapping[tuple[PathKey, ...], int]

    def line(self, *path: PathKey) -> int:
        """1-based line of the key at ``path``, or of the nearest one above it that exists; 0 for the whole file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines[path] if path else 0

    def problem(self, path: tuple[PathKey, ...], what: str, mend: str) -> Problem:
        """What is wrong at ``path``."""
        return Problem(self.file, self.line(*path), what, mend)


class _Loader(yaml.SafeLoader):
    """Composes nodes with narrow scalars; no aliases, no deep nesting."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - the name and the kind that PyYAML reads
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise self.refusal("an alias (*name) is not read")
        if self.depth >= MAX_DEPTH:
            raise self.refusal("it nests too deeply")
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1

    def refusal(self, what: str) -> yaml.MarkedYAMLError:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # types-PyYAML leaves it without types
        return yaml.MarkedYAMLError(problem=what, problem_mark=event.start_mark)


_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), ["t", "f"])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]*)$"), list("-0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^-?[0-9]+\.[0-9]+$"), list("-0123456789"))


class _Reader:
    """Turns nodes into plain values, and keeps lines and problems on the way."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[tuple[PathKey, ...], int] = {}
        self.problems: list[Problem] = []

    def value(self, node: yaml.Node, path: tuple[PathKey, ...]) -> object:
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if isinstance(node, yaml.MappingNode) and kind == "map":
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and kind == "seq":
            return self.sequence(node, path)
        return self.scalar(node, kind)

    def mapping(self, node: yaml.MappingNode, path: tuple[PathKey, ...]) -> dict[str, object]:
        values: dict[str, object] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.refuse(key_node, "a key is not a plain word", "write the key as one word")
                continue
            key = key_node.value
            if key in values:
                self.refuse(key_node, f"the key « {key} » stands twice", "keep one of them")
                continue
            self.lines[(*path, key)] = _line(key_node)
            values[key] = self.value(value_node, (*path, key))
        return values

    def sequence(self, node: yaml.SequenceNode, path: tuple[PathKey, ...]) -> list[object]:
        values: list[object] = []
        for index, item in enumerate(node.value):
            self.lines[(*path, index)] = _line(item)
            values.append(self.value(item, (*path, index)))
        return values

    def scalar(self, node: yaml.Node, kind: str) -> object:
        text = node.value if isinstance(node, yaml.ScalarNode) else None
        match kind:
            case "str" if text is not None:
                return text
            case "null" if text in ("", "null", "~"):
                return None
            case "bool" if text in ("true", "false"):
                return text == "true"
            case "int" if text and re.fullmatch(r"-?[0-9]{1,18}", text):
                return int(text)
            case "float" if text and re.fullmatch(r"-?[0-9]{1,18}\.[0-9]{1,18}", text):
                return float(text)
        self.refuse(node, "a value has a type that is not read here", "write plain text, a number, true or false")
        return None

    def refuse(self, node: yaml.Node, what: str, mend: str) -> None:
        self.problems.append(Problem(self.file, _line(node), what, mend))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


class Texts(Protocol):
    """Where the texts of files are read: a disk, or what is kept of one."""

    def read(self, file: str) -> str:
        """The text of ``file``.

        Raises:
            DataProblems: it cannot be read, is not UTF-8, or exceeds 1 MiB.
        """
        ...

    def holds(self, file: str) -> bool:
        """Whether there is such a file."""
        ...

    def listed(self, folder: str) -> list[str]:
        """The ``*.yaml`` files directly in ``folder``, in order of their names."""
        ...


class Disk:
    """Files as they lie on the disk. Implements :class:`Texts`."""

    def read(self, file: str) -> str:
        return _read_text(file)

    def holds(self, file: str) -> bool:
        return Path(file).is_file()

    def listed(self, folder: str) -> list[str]:
        return [str(file) for file in sorted(Path(folder).glob("*.yaml"))]


DISK = Disk()


@dataclass(frozen=True, slots=True)
class Kept:
    """Files that are kept as texts, by the path under which they are asked for. Implements :class:`Texts`."""

    texts: Mapping[str, str]

    def read(self, file: str) -> str:
        if file not in self.texts:
            raise DataProblems(
                [Problem(file, 0, "it is not among the texts that are kept", "publish it with the rest")]
            )
        if len(self.texts[file].encode()) > MAX_BYTES:
            raise DataProblems([Problem(file, 0, "it is larger than 1 MiB", "split it")])
        return self.texts[file]

    def holds(self, file: str) -> bool:
        return file in self.texts

    def listed(self, folder: str) -> list[str]:
        return sorted(file for file in self.texts if file.endswith(".yaml") and str(Path(file).parent) == folder)


def read_yaml(path: str | Path, texts: Texts = DISK) -> Document:
    """The file at ``path``, with the line of every key.

    Arguments:
        texts: where it is read.

    Raises:
        DataProblems: it cannot be read, is not one YAML mapping in UTF-8, exceeds 1 MiB, or has a key twice.
    """
    return parse_yaml(texts.read(str(path)), str(path))


def parse_yaml(text: str, file: str) -> Document:
    """``text`` as a file of the name ``file`` would be read.

    Raises:
        DataProblems: as :func:`read_yaml`.
    """
    root = _compose(file, text)
    reader = _Reader(file)
    if not isinstance(root, yaml.MappingNode):
        raise DataProblems([Problem(file, 1, "the file does not hold keys and values", "begin it with « key: value »")])
    data = reader.mapping(root, ())
    if reader.problems:
        raise DataProblems(reader.problems)
    return Document(file, text, data, reader.lines)


def _read_text(file: str) -> str:
    try:
        with Path(file).open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: the path has a null character
        what = f"it cannot be read ({getattr(error, 'strerror', None) or type(error).__name__})"
        raise DataProblems([Problem(file, 0, what, "check the path and the rights")]) from error
    if len(raw) > MAX_BYTES:
        raise DataProblems([Problem(file, 0, "it is larger than 1 MiB", "split it")])
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataProblems([Problem(file, line, "it is not UTF-8 text", "save it as UTF-8")]) from error


def _compose(file: str, text: str) -> yaml.Node | None:
    try:
        loader = _Loader(text)
        try:
            node: yaml.Node | None = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = f"it is not readable YAML: {error.problem or error.context}"
        problem = Problem(file, mark.line + 1 if mark else 0, what, "correct the text here or just above")
        raise DataProblems([problem]) from error
    except yaml.YAMLError as error:
        what = "it holds a character that YAML does not allow"
        raise DataProblems([Problem(file, 0, what, "remove control characters")]) from error
    return node


# --- what pydantic found, in plain words

_EXPECTED: Mapping[str, str] = {
    "string_type": "write text here",
    "int_type": "write a whole number here",
    "int_parsing": "write a whole number here",
    "int_from_float": "write a whole number here",
    "float_type": "write a number here",
    "float_parsing": "write a number here",
    "bool_type": "write true or false here",
    "bool_parsing": "write true or false here",
    "dict_type": "write keys and values here",
    "mapping_type": "write keys and values here",
    "model_type": "write keys and values here",
    "model_attributes_type": "write keys and values here",
    "list_type": "write a list here",
    "tuple_type": "write a list here",
    "set_type": "write a list here",
    "frozen_set_type": "write a list here",
    "date_from_datetime_parsing": "write a date as 2026-12-01",
    "date_parsing": "write a date as 2026-12-01",
    "time_parsing": "write a time as 08:30",
    "datetime_parsing": "write a date and time as 2026-12-01T08:30+01:00",
    "url_parsing": "write a whole address, beginning with https://",
    "string_too_short": "write more than this",
}


def from_pydantic(error: ValidationError, document: Document, *under: PathKey) -> list[Problem]:
    """What pydantic refused, as problems of ``document``; what was written there is not repeated (it may be a secret).

    Arguments:
        under: path at which the validated part stands in the document.
    """
    details = error.errors(include_url=False, include_input=False)
    return [_from_detail(detail, document, under) for detail in details]


def _from_detail(detail: ErrorDetails, document: Document, under: tuple[PathKey, ...]) -> Problem:
    path = _known(document, under, detail["loc"])
    name = ".".join(str(part) for part in path) or "the file"
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "missing":
        key = detail["loc"][-1]
        return document.problem(path, f"« {key} » is missing in « {name} »", f"add « {key}: … »")
    if kind == "extra_forbidden":
        what = f"« {path[-1] if path else name} » is not a key that is known here"
        return document.problem(path, what, "correct its spelling, or remove it")
    if kind in ("enum", "literal_error"):
        return document.problem(path, f"« {name} » has a value that is not known", f"write {context['expected']}")
    message = str(context["error"]) if "error" in context and kind == "value_error" else detail["msg"]
    mend = _EXPECTED.get(kind) or _within(context)
    return document.problem(path, f"« {name} »: {message[:1].lower()}{message[1:]}", mend)


def _within(context: Mapping[str, Any]) -> str:
    """How to mend a value that is out of bounds; nothing more precise is known of any other."""
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    bounds = [f"{words[bound]} {context[bound]}" for bound in words if bound in context]
    return f"write {' and '.join(bounds)}" if bounds else "correct the value"


def _known(document: Document, under: tuple[PathKey, ...], location: tuple[PathKey, ...]) -> tuple[PathKey, ...]:
    """``location`` without what pydantic adds to it (names of a union's members) or misses (keys that are absent)."""
    path = under
    for part in location:
        if (*path, part) in document.lines:
            path = (*path, part)
    return path
