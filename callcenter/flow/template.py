"""What an author may write in a prompt: Jinja's syntax in a small sandbox, read to the parts of ``flow.words``.

Literal text, ``{{ root.field }}``, ``{{ root.field | filter }}`` and ``{% if root.field %}``, ``not`` and ``else``:
what cannot be resolved from the text alone cannot be proven. Jinja only parses; no expression is ever evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import jinja2
from jinja2 import nodes

from callcenter.flow.hidden import Variables, kept_by, labelled, named_in, path_of, said_of
from callcenter.flow.words import (
    CASE_FIELDS,
    MOMENT_FIELDS,
    MOMENT_FILTERS,
    TEXT_FILTERS,
    YES_NO_FIELDS,
    Part,
    Value,
    When,
    Words,
)
from callcenter.kernel.labels import FIELD_LABELS


@dataclass(frozen=True, slots=True)
class Fault:
    """What a prompt's text may not hold, and how to mend it; without the place, which the reader of the file knows."""

    what: str
    mend: str


def parse(text: str) -> tuple[tuple[Part, ...], tuple[Fault, ...]]:
    """The parts of ``text``, and all that it may not hold."""
    try:
        template = _jinja(text)
        parser = _Parser(kept_by(template, {}))
        parts = parser.parts(template.body)
    except jinja2.TemplateSyntaxError as error:
        return (), (Fault(f"it is not readable: {error.message}", "correct the braces"),)
    except RecursionError:
        return (), (Fault("it nests too deeply", "write simpler text"),)
    return parts, tuple(parser.faults)


def _jinja(text: str) -> nodes.Template:
    return jinja2.Environment(autoescape=False).parse(text)  # noqa: S701 - parsed only, and no markup is made


class _Parser:
    """Walks what Jinja read, keeps the three kinds of parts, and collects the rest as faults."""

    def __init__(self, variables: Variables) -> None:
        self.faults: list[Fault] = []
        self._variables = variables

    def parts(self, body: Sequence[nodes.Node]) -> tuple[Part, ...]:
        return tuple(part for node in body for part in self.part(node))

    def part(self, node: nodes.Node) -> Iterator[Part]:
        match node:
            case nodes.Output():
                yield from self.parts(node.nodes)
            case nodes.TemplateData():
                yield Words(node.data)
            case nodes.If():
                yield from self.condition(node)
            case nodes.Getattr() | nodes.Filter() | nodes.Name():
                yield from self.value(node)
            case _:
                self.refuse(node)

    def condition(self, node: nodes.If) -> Iterator[Part]:
        """An ``if``: its ways change places under ``not``, and an ``elif`` is an ``if`` in what is said otherwise."""
        negated = isinstance(node.test, nodes.Not)
        field = self.field(node.test.node if isinstance(node.test, nodes.Not) else node.test)
        inner = self.parts(node.body)
        if node.elif_:
            first, *others = node.elif_
            otherwise = tuple(self.condition(nodes.If(first.test, first.body, others, node.else_)))
        else:
            otherwise = self.parts(node.else_)
        if field is not None:
            yield When(field, otherwise, inner) if negated else When(field, inner, otherwise)

    def value(self, node: nodes.Getattr | nodes.Filter | nodes.Name) -> Iterator[Part]:
        name = None
        target: nodes.Node | None = node
        if isinstance(node, nodes.Filter):
            name, target = node.name, node.node
            self.arguments(node)
        field = self.field(target)
        if field is not None and self.suits(field, name):
            yield Value(field, name)

    def arguments(self, node: nodes.Filter) -> None:
        given = [*node.args, *node.kwargs, *(one for one in (node.dyn_args, node.dyn_kwargs) if one is not None)]
        if not given:
            return
        told = labelled(self.named(given))
        what = f"the filter « {node.name} » is given " + (said_of(told) if told else "arguments")
        self.fault(what, "say a field by itself: a filter takes nothing else")

    def suits(self, field: str, name: str | None) -> bool:
        if name is not None and name not in {**MOMENT_FILTERS, **TEXT_FILTERS}:
            known = ", ".join([*MOMENT_FILTERS, *TEXT_FILTERS])
            self.fault(f"« {name} » is not a filter", f"the filters are {known}")
        elif field in CASE_FIELDS:
            self.fault(f"« {field} » is a case to branch on, not something to say", "branch on it in the flow")
            return False
        elif field in YES_NO_FIELDS:
            self.fault(f"« {field} » is yes or no and cannot be said", f"use it in « {{% if {field} %}} »")
        elif field in MOMENT_FIELDS and name not in MOMENT_FILTERS:
            known = ", ".join(MOMENT_FILTERS)
            self.fault(f"« {field} » is a date and time", f"say it through one of {known}")
        elif field not in MOMENT_FIELDS and name in MOMENT_FILTERS:
            self.fault(f"« {field} » is not a date and time", f"say it without « | {name} »")
        else:
            return True
        return False

    def field(self, node: nodes.Node | None) -> str | None:
        # « a['b'] » is refused: a field is written in one way.
        path = None if node is None or isinstance(node, nodes.Getitem) else path_of(node)
        if path is None:
            self.refuse(node)
        elif path.split(".")[0] in self._variables:
            what = f"it says or asks a variable « {path} »{self.which_may_hold(self._variables[path.split('.')[0]])}"
            self.fault(what, "name the field itself")
        elif path not in FIELD_LABELS:
            self.fault(f"« {path} » is not a field", f"the fields are {', '.join(sorted(FIELD_LABELS))}")
        else:
            return path
        return None

    def refuse(self, node: nodes.Node | None) -> None:
        """Refuse a construct, with all that it would tell: it may hide what no check of a field would find."""
        match node:
            case nodes.For():
                over = self.named(node.iter)
                inside = labelled(self.named((*node.body, *node.else_)) - over)
                what = f"it loops over {said_of(over) or 'something'}"
                what += f" and names {said_of(inside)} inside" if inside else ""
                self.fault(f"{what}: what a loop says cannot be proven", "write it without a loop, one field at a time")
            case nodes.Assign() | nodes.AssignBlock():
                name = ", ".join(kept_by(node, {})) or "…"
                held = self.named(node.node if isinstance(node, nodes.Assign) else node.body)
                what = f"it sets a variable « {name} »{self.which_may_hold(held)}"
                self.fault(what, "name the field itself, where it is said")
            case _:
                told = frozenset[str]() if node is None else labelled(self.named(node))
                what = f"it holds something that a prompt may not hold ({type(node).__name__.lower()})"
                what += f", and names {said_of(told)} in it" if told else ""
                mend = "a prompt holds text, {{ a.b }}, {{ a.b | filter }} and {% if a.b %}, with « not » and « else »"
                self.fault(what, mend)

    def named(self, tree: nodes.Node | Sequence[nodes.Node]) -> frozenset[str]:
        return named_in(tree, self._variables)

    def which_may_hold(self, paths: frozenset[str]) -> str:
        return f", which may hold {said_of(paths)}" if paths else ""

    def fault(self, what: str, mend: str) -> None:
        self.faults.append(Fault(what, mend))
