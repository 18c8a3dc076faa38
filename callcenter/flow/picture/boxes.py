"""What stands in the box of one step: its kind, its name, what it does, what it tells, and where its outlets lead."""

from __future__ import annotations

from dataclasses import dataclass

from callcenter.disclosure.policy import Policy
from callcenter.flow.language import Flow, Step
from callcenter.flow.picture.frames import rows_of
from callcenter.flow.picture.guards import Guard, Guards, Region
from callcenter.flow.picture.kinds import Kind, kind_of
from callcenter.flow.picture.letters import fitted, width, wrapped
from callcenter.flow.picture.words import FACTS, categories_in_french, deed, options_of, outlets_in_french
from callcenter.flow.prompts import PromptBook
from callcenter.flow.subflow_language import Leave, Run
from callcenter.kernel.levels import Channel
from callcenter.speech.typography import set_in_french

#: All boxes are as wide; their words are this far from the edge.
WIDE, EDGE = 236, 11
INNER = WIDE - 2 * EDGE
#: Sizes of letters, and how far a line is from the next.
HEAD_SIZE, NAME_SIZE, TEXT_SIZE, ROW_SIZE = 10, 12, 11.5, 10.5
HEAD_HIGH, NAME_HIGH, LINE, ROW_LINE, FLAG_HIGH = 20, 20, 15, 14, 16
#: Between blocks.
_BLOCK = 5
#: Lines of what a step says or does: of a question more, for it says what its keys are.
_DEED_LINES, _QUESTION_LINES = 3, 6

#: Below the last row, where corners are cut off.
_BELOW = {Kind.DISCLOSURE: 11, Kind.QUESTION: 9, Kind.TURN: 8, Kind.END: 5}


@dataclass(frozen=True, slots=True)
class RowShown:
    """One way out, as it is shown.

    Arguments:
        top: from the top of the box.
        lines: what the outlets are called.
        target: where they lead.
        flag: the name of that place, for a flag; empty where a line leaves.
        beside: the flag stands beside the words, and not under them.
        to_person: they lead to where every refusal leads.
    """

    top: int
    lines: tuple[str, ...]
    target: str
    flag: str
    beside: bool
    to_person: bool

    @property
    def high(self) -> int:
        return len(self.lines) * ROW_LINE + (0 if self.beside or not self.flag else FLAG_HIGH) + 4

    @property
    def port(self) -> int:
        """Where a line leaves, from the top of the box."""
        return self.top + 2 + ROW_LINE // 2


@dataclass(frozen=True, slots=True)
class StepShown:
    """One step, as it is shown.

    Arguments:
        name: its name.
        kind: what it is called is ``head``.
        badge: what is guaranteed on arrival, in a word; empty for nothing.
        region: of it; ``None`` where no way leads.
        title: its name, shortened where it must be.
        deed: lines of what it says or does.
        guard: lines of what it tells and needs, each with whether it is of the latter.
        guard_top: from the top of the box.
        met: what it needs is guaranteed.
        rows: its ways out.
        high: of the box.
    """

    name: str
    kind: Kind
    head: str
    badge: str
    region: Region | None
    title: str
    deed: tuple[str, ...]
    guard: tuple[tuple[str, bool], ...]
    guard_top: int
    met: bool
    rows: tuple[RowShown, ...]
    high: int


def shown(name: str, flow: Flow, book: PromptBook, policy: Policy, guards: Guards, flags: dict[str, str]) -> StepShown:
    """The step ``name`` as it is shown.

    Arguments:
        flags: what a flag says, for each of its targets to which no line leads.
    """
    step = flow.steps[name]
    kind, region, guard = kind_of(step), guards.regions.get(name), guards.guarded.get(name)
    most = _QUESTION_LINES if kind is Kind.QUESTION else _DEED_LINES
    words = wrapped(set_in_french(deed(step, flow, book, policy)), TEXT_SIZE, INNER, most)
    guard_lines = () if guard is None else _guard_lines(guard, policy)
    top = HEAD_HIGH + NAME_HIGH + len(words) * LINE + _BLOCK
    guard_top = top
    if guard_lines:
        top += len(guard_lines) * ROW_LINE + 6 + _BLOCK
    rows = []
    options = options_of(step, book)
    for row in rows_of(step):
        said = outlets_in_french(row.outlets, options)
        one = _row(top, said, row.target, flags.get(row.target, ""), to_person=row.target == flow.person)
        rows.append(one)
        top += one.high
    return StepShown(
        name=name,
        kind=kind,
        head=person_head(flow) if name == flow.person else _head(step, kind),
        badge=badge(region),
        region=region,
        title=fitted(name, NAME_SIZE, INNER, bold=True),
        deed=words,
        guard=guard_lines,
        guard_top=guard_top,
        met=guard is None or guard.met,
        rows=tuple(rows),
        high=top + _BELOW.get(kind, 3),
    )


def _head(step: Step, kind: Kind) -> str:
    match step:
        case Run():
            return "SOUS-SCÉNARIO"
        case Leave():
            return "RETOUR"
        case _:
            return kind.french.upper()


def _row(top: int, said: str, target: str, flag: str, *, to_person: bool) -> RowShown:
    most = INNER - 14
    flag = fitted(flag, ROW_SIZE, most, bold=True)
    beside = bool(flag) and width(said, ROW_SIZE) + width(flag, ROW_SIZE, bold=True) + 18 <= INNER
    lines = (said,) if beside else wrapped(said, ROW_SIZE, most, 6)
    return RowShown(top, lines, target, flag, beside, to_person)


def _guard_lines(guard: Guard, policy: Policy) -> tuple[tuple[str, bool], ...]:
    wanted = ", ".join("rien ne l’ouvre" if fact is None else FACTS.get(fact, fact) for fact in guard.needs)
    held = "\xa0✓" if guard.met else " — non garanti"
    needed = f"Exige\xa0: {wanted}{held}"
    told = f"Révèle\xa0: {categories_in_french(guard.told, policy)}" if guard.told else ""
    lines = [(line, False) for line in wrapped(told, ROW_SIZE, INNER - 8)]
    return (*lines, *((line, True) for line in wrapped(needed, ROW_SIZE, INNER - 8, bold=True)))


def badge(region: Region | None) -> str:
    """What is guaranteed on arrival at a step, in a word."""
    if region is None:
        return ""
    said = [f"NIVEAU {region.level.value}"] if region.level else []
    said += ["CARTE"] if region.card else []
    return " + ".join(said)


def person_head(flow: Flow) -> str:
    """What the step is called to which every refusal leads."""
    return "SECRÉTARIAT" if flow.channel is Channel.VOICE else "À LA PLACE"


def flag_of(target: str, flow: Flow, *, back: bool) -> str:
    """What a flag says that leads to ``target``."""
    if target == flow.person and flow.channel is Channel.VOICE:
        return "→\xa0secrétariat"
    return f"{'↩' if back else '→'}\xa0{target}"
