"""Which steps of a flow are drawn together, and which of their outlets are lines: the others are flags.

A flag names where an outlet leads, at the step itself. What leads to the person step, back to an earlier step, out of a
frame or far across a picture is a flag: forty lines to one place would hide all others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from callcenter.flow.language import Flow, Step
from callcenter.flow.picture.columns import Line, back_lines, ranks

#: How many columns a line may lead across at most, and how many lines may come in at one step.
_FAR, _CROWD = 3, 5
#: How many steps may stand in one column as a stack, each behind the one above.
STACK = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One way out of a step, by one outlet or several.

    Arguments:
        outlets: their names.
        target: the step that they lead to.
    """

    outlets: tuple[str, ...]
    target: str


@dataclass(frozen=True, slots=True)
class Frame:
    """Steps that are drawn together.

    Arguments:
        title: in French; empty for the flow's own.
        roots: where it begins.
        names: of its steps, in the order in which they are met.
        lines: its outlets that are lines, but those inside of stacks; ports are numbers of rows.
        stacks: steps that stand in one column, each reached from the one above alone; the rest stand by themselves.
        backs: of outlets that are flags, those that lead back, as (step, target).
    """

    title: str
    roots: tuple[str, ...]
    names: tuple[str, ...]
    lines: tuple[Line, ...]
    stacks: tuple[tuple[str, ...], ...]
    backs: frozenset[tuple[str, str]] = field(default=frozenset())


def rows_of(step: Step) -> tuple[Row, ...]:
    """The ways out of ``step``, each target once."""
    targets: dict[str, list[str]] = {}
    for outlet, target in step.outlets().items():
        targets.setdefault(target, []).append(outlet)
    return tuple(Row(tuple(outlets), target) for target, outlets in targets.items())


def frames_of(flow: Flow) -> tuple[Frame, ...]:
    """The frames of ``flow``: its own, the way to a person, and what no way leads to, if there is such."""
    people = tuple(dict.fromkeys(name for name in (flow.person, flow.withheld) if name))
    apart = frozenset(people) - {flow.start}
    main = _met(flow, [flow.start], apart)
    refuge = [name for name in _met(flow, [name for name in people if name in apart], frozenset()) if name not in main]
    seen = {*main, *refuge}
    rest = [name for name in flow.steps if name not in seen]
    parts = [("", (flow.start,), list(main)), ("Là où tout mène en dernier recours", people, refuge)]
    parts.append(("Qu’aucun chemin n’atteint", (), rest))
    return tuple(_frame(flow, title, roots, names, apart) for title, roots, names in parts if names)


def _met(flow: Flow, roots: Iterable[str], beyond: Collection[str]) -> dict[str, None]:
    """The steps that are met from ``roots``, depth first, but not those ``beyond`` nor what they alone lead to."""
    met: dict[str, None] = {}
    waiting = list(reversed(list(roots)))
    while waiting:
        name = waiting.pop()
        if name in met:
            continue
        met[name] = None
        targets = [target for target in flow.steps[name].outlets().values() if target not in beyond]
        waiting.extend(reversed(targets))
    return met


def _frame(flow: Flow, title: str, roots: Sequence[str], names: Sequence[str], apart: Collection[str]) -> Frame:
    inside = frozenset(names)
    lines = [
        Line(name, number, row.target)
        for name in names
        for number, row in enumerate(rows_of(flow.steps[name]))
        if row.target in inside and row.target != name and row.target not in apart
    ]
    back = back_lines(names, lines, [root for root in roots if root in inside])
    backs = {(lines[number].source, lines[number].target) for number in back}
    backs |= {(name, name) for name in names if name in flow.steps[name].outlets().values()}
    ahead = [line for number, line in enumerate(lines) if number not in back]
    stacks = _stacks(names, ahead)
    foot = {stack[0]: stack for stack in stacks}
    head = {name: stack[0] for stack in stacks for name in stack}
    between = [line for line in ahead if head[line.source] != head[line.target]]
    rank = ranks(list(foot), [Line(head[line.source], line.port, head[line.target]) for line in between])
    kept = _near(between, {name: rank[head[name]] for name in names})
    return Frame(title, tuple(roots), tuple(names), tuple(kept), stacks, frozenset(backs))


def _near(lines: Sequence[Line], rank: Mapping[str, int]) -> Iterator[Line]:
    """The lines that lead to their step from near; of a crowd, the nearest: one from the next column is among them."""
    coming: dict[str, list[Line]] = {}
    for line in lines:
        coming.setdefault(line.target, []).append(line)
    for line in lines:
        rivals = coming[line.target]
        far = rank[line.target] - rank[line.source]
        if far <= (_FAR if len(rivals) <= _CROWD else 1):
            yield line


def _stacks(names: Sequence[str], lines: Sequence[Line]) -> tuple[tuple[str, ...], ...]:
    """Steps one above the other, where one leads on to the next alone, and nothing else leads there."""
    out: dict[str, list[str]] = {}
    into: dict[str, list[str]] = {}
    for line in lines:
        out.setdefault(line.source, []).append(line.target)
        into.setdefault(line.target, []).append(line.source)
    following = {name: targets[0] for name, targets in out.items() if len(targets) == 1 and len(into[targets[0]]) == 1}
    done: set[str] = set()
    stacks: list[tuple[str, ...]] = []
    behind = frozenset(following.values())
    for name in [*(name for name in names if name not in behind), *names]:
        at: str | None = name
        while at is not None and at not in done:
            stack = [at]
            while len(stack) < STACK and (after := following.get(stack[-1])) is not None and after not in done:
                stack.append(after)
            done.update(stack)
            stacks.append(tuple(stack))
            at = following.get(stack[-1])
    order = {name: place for place, name in enumerate(names)}
    return tuple(sorted(stacks, key=lambda stack: order[stack[0]]))
