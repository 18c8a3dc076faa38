"""Which steps stand on which channel, and what the steps of an operator's script must be besides proven.

A caller answers by keys and hears; an operator fills in a screen. A step that asks in the one way makes no sense in the
other: each is refused where it does not belong, with what to write instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from callcenter.flow.language import (
    Act,
    Ask,
    Branch,
    Card,
    Channel,
    Choose,
    Connect,
    Direction,
    Disclose,
    Do,
    Flow,
    MessageKind,
    Move,
    Moved,
    Prove,
    Queue,
    ReachOut,
    Reference,
    Speak,
    Step,
    Switch,
    TakeMessage,
)
from callcenter.flow.prompts import PromptBook
from callcenter.flow.said import step_prompts
from callcenter.flow.script_language import Declare, Dispose, Forget, Pick, Reveal, Show
from callcenter.flow.soundness import step_problem
from callcenter.kernel.documents import Document
from callcenter.kernel.errors import Problem
from callcenter.kernel.labels import FIELD_LABELS, Category

#: Public fields that are for operators: no caller hears of them, and no caller's way depends on them.
FOR_OPERATORS = frozenset({"practice.agenda", "practice.agenda_link"})
#: What ``find`` binds: the root of every field that may be revealed.
_BOUND = "appointment."
_KEYS = frozenset("0123456789")


def script_problems(flow: Flow, book: PromptBook, document: Document, emergency: str | None) -> list[Problem]:
    """What stands on the wrong channel, and what is wrong with single steps of a script.

    Arguments:
        emergency: prompt key of the emergency line, as the file names it.
    """
    if flow.channel is not Channel.CONSOLE:
        spoken = [problem for step in flow.steps.values() for problem in _spoken_problems(flow, step, book)]
        return [*_script_head_problems(flow, document), *spoken]
    problems = list(_head_problems(flow, document, emergency))
    for step in flow.steps.values():
        problems += _shown_problems(flow, step)
        problems += _screen_problems(flow, step)
    return problems


def _head_problems(flow: Flow, document: Document, emergency: str | None) -> Iterator[Problem]:
    if emergency is not None:
        what = "a script names an emergency line, which no caller would hear"
        yield document.problem(("emergency",), what, "take « emergency » out: the operator's page has the red button")
    if flow.direction is not Direction.INCOMING:
        what = "a script has a direction, which only calls have"
        yield document.problem(("direction",), what, "take « direction » out")


def _script_head_problems(flow: Flow, document: Document) -> Iterator[Problem]:
    if flow.withheld:
        what = "a flow of calls names a step « withheld », which only scripts have"
        yield document.problem(("withheld",), what, "take it out: what is withheld from callers leads to a person")


# --- what only an operator can answer


def _spoken_problems(flow: Flow, step: Step, book: PromptBook) -> Iterator[Problem]:
    mend = _instead_when_spoken(step)
    if mend is not None:
        yield step_problem(flow, step, f"step « {step.name} » is for an operator's screen", mend)
    named = {step.on} if isinstance(step, Branch | Switch) else frozenset[str]()
    said = (book[key].fields for key in step_prompts(step, flow.channel) if key in book)
    for field in sorted(FOR_OPERATORS.intersection(named.union(*said))):
        what = f"step « {step.name} » names « {field} » to callers, which is for operators"
        yield step_problem(flow, step, what, "name it in a flow of the channel console")


def _instead_when_spoken(step: Step) -> str | None:
    match step:
        case Pick():
            return "write « keys » and « silence » instead of « options »"
        case Show():
            return "say what callers should hear in a say step; instructions are never read to them"
        case Reveal() | Declare():
            return "use a disclose step"
        case Forget():
            return "take it out: in a caller's own call, evidence ends by itself"
        case Dispose():
            return "use an end step"
        case Move(what=Moved.APPOINTMENT):
            return "write « move: slot », behind a reference step"
        case _:
            return None


# --- what only a caller can answer


def _shown_problems(flow: Flow, step: Step) -> Iterator[Problem]:
    mend = _instead_when_shown(step)
    if mend is not None:
        yield step_problem(flow, step, f"step « {step.name} » is for a caller's keypad", mend)


def _instead_when_shown(step: Step) -> str | None:
    match step:
        case Choose():
            return "write « options » instead of « keys » and « silence »"
        case Ask() | ReachOut():
            return "use a verify step: it asks what is needed in one form"
        case Disclose():
            return "use a reveal step: the operator sees one field after another"
        case Prove():
            return "use a verify step: the code is typed by the caller"
        case Reference() | Card() | Do(act=Act.CANCEL_SLOT) | Move(what=Moved.SLOT):
            return "act on an appointment that a find step has found"
        case Connect() | Queue():
            return "take it out: operators send calls on by the buttons of their page"
        case Speak():
            return "take it out: the operator speaks"
        case TakeMessage(kind=MessageKind.VOICE):
            return "write « take_message: callback »: the operator writes the message down"
        case _:
            return None


# --- screens


def _screen_problems(flow: Flow, step: Step) -> Iterator[Problem]:
    match step:
        case Pick():
            for key in sorted(step.options.keys() - _KEYS):
                yield step_problem(flow, step, f"the choice « {step.name} » has a key « {key} »", "keys are 0 to 9")
        case Reveal():
            yield from _reveal_problems(flow, step)
        case Declare():
            if Category.PUBLIC in step.categories:
                what = f"step « {step.name} » declares D00, which tells nothing about a patient"
                yield step_problem(flow, step, what, "take it out: what is public needs no record")
            for category in _twice(step.categories):
                what = f"step « {step.name} » declares {category} twice"
                yield step_problem(flow, step, what, "name it once")
        case _:
            pass


def _reveal_problems(flow: Flow, step: Reveal) -> Iterator[Problem]:
    known = ", ".join(sorted(field for field in FIELD_LABELS if field.startswith(_BOUND)))
    for field in sorted(set(step.fields)):
        if field not in FIELD_LABELS or not field.startswith(_BOUND):
            what = f"step « {step.name} » reveals « {field} », which find does not find"
            yield step_problem(flow, step, what, f"reveal some of {known}")
    for field in _twice(step.fields):
        yield step_problem(flow, step, f"step « {step.name} » reveals « {field} » twice", "name it once")


def _twice(named: tuple[str, ...] | tuple[Category, ...]) -> list[str]:
    return sorted(str(one) for one, times in Counter(named).items() if times > 1)
