"""Which steps of a flow are drawn together, and which of their outlets are lines: the others are flags.

A flag names where an outlet leads, at the step itself. What leads to the person step, back to an earlier step, out of a
frame or far across a picture is a flag: forty lines to one place would hide all others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from callcenter.flow.language import Flow, Step
from callcenter.flow.picture.columns import Line, back_lines, ranks
from callcenter.flow.subflow_language import Run, Subflow
from callcenter.kernel.levels import Channel

#: How many columns a line may lead across at most, and how many lines may come in at one step.
_FAR, _CROWD = 3, 5
#: How many steps may stand in one column as a stack, each behind the one above.
STACK = 3
#: A part of so many steps has a frame of its own.
_CHAPTER = 5
_REFUGES = {Channel.VOICE: "Vers une personne", Channel.CONSOLE: "Ce qui est proposé à la place"}


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
    """The frames of ``flow``: its own steps, its parts and sub-flows, the way to a person, and what no way leads to."""
    inside = {name: part.name for part in flow.subflows.values() for name in part.steps}
    people = tuple(dict.fromkeys(name for name in (flow.person, flow.withheld) if name))
    apart = frozenset(people) - {flow.start}
    main = _met(flow, [flow.start], apart | inside.keys())
    refuge = [name for name in _met(flow, [one for one in people if one in apart], inside.keys()) if name not in main]
    chapters = _chapters(flow, main)
    parts: list[tuple[str, tuple[str, ...], list[str]]] = [
        ("", (flow.start,), [name for name in main if name not in chapters])
    ]
    for chapter in dict.fromkeys(chapters.values()):
        names = [name for name in main if chapters.get(name) == chapter]
        parts.append((f"Partie « {chapter} »", (names[0],), names))
    for part in flow.subflows.values():
        met = list(_met(flow, [part.start], flow.steps.keys() - part.steps))
        parts.append((_subflow_title(flow, part), (part.start,), met))
    parts.append((_REFUGES[flow.channel], people, refuge))
    seen = {name for _, _, names in parts for name in names}
    parts.append(("Qu’aucun chemin n’atteint", (), [name for name in flow.steps if name not in seen]))
    return tuple(_frame(flow, title, roots, names) for title, roots, names in parts if names)


def _chapters(flow: Flow, met: Mapping[str, str]) -> Mapping[str, str]:
    """The part in which each step is drawn that is not drawn among the flow's own.

    A part that is long is a picture of its own; the steps of a short one are drawn with what leads to them.

    Arguments:
        met: from where each step was met.
    """
    files = {name: flow.part_of[name] for name in met if name in flow.part_of and name != flow.start}
    sizes = Counter(files.values())
    chapters: dict[str, str] = {}
    for name, before in met.items():
        if name in files and _CHAPTER <= sizes[files[name]] < len(met):
            chapters[name] = PurePath(files[name]).stem
        elif name in files and before in chapters:
            chapters[name] = chapters[before]
    return chapters


def _subflow_title(flow: Flow, part: Subflow) -> str:
    runners = [step.name for step in flow.steps.values() if isinstance(step, Run) and step.subflow == part.name]
    return f"Sous-scénario « {part.name} », par où passent : {', '.join(runners) or 'aucune étape'}"


def _met(flow: Flow, roots: Iterable[str], beyond: Collection[str]) -> dict[str, str]:
    """The steps that are met from ``roots``, depth first, each with the one that led there.

    Arguments:
        beyond: steps that are not met, nor what they alone lead to.
    """
    met: dict[str, str] = {}
    waiting = [(root, "") for root in reversed(list(roots))]
    while waiting:
        name, before = waiting.pop()
        if name not in met:
            met[name] = before
            targets = [target for target in flow.steps[name].outlets().values() if target not in beyond]
            waiting.extend((target, name) for target in reversed(targets))
    return met


def _frame(flow: Flow, title: str, roots: Sequence[str], names: Sequence[str]) -> Frame:
    inside, people = frozenset(names), {flow.person, flow.withheld} - {flow.start}
    lines = [
        Line(name, number, row.target)
        for name in names
        for number, row in enumerate(rows_of(flow.steps[name]))
        if row.target in inside and row.target != name and row.target not in people
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
