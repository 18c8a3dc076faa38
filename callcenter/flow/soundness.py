"""What every step must be besides proven: whole, and public where it says so.

What the ways through a flow must be whose steps are right by themselves is in ``flow.ways``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from callcenter.flow.language import (
    Ask,
    Book,
    Branch,
    Channel,
    Choose,
    Connect,
    Direction,
    Disclose,
    End,
    Flow,
    Move,
    Prove,
    ReachOut,
    Say,
    Speak,
    Step,
    Switch,
    Verify,
)
from callcenter.flow.prompts import Prompt, PromptBook
from callcenter.flow.said import engine_prompts, step_prompts
from callcenter.flow.script_language import Pick
from callcenter.flow.sinks import GIVEN_FIELDS, PASSING_FIELDS, SINKS, sink_fault, sink_of
from callcenter.flow.words import CASE_FIELDS, MAYBE_FIELDS, SCREEN_FIELDS, YES_NO_FIELDS
from callcenter.kernel.documents import Document
from callcenter.kernel.errors import Problem
from callcenter.kernel.labels import FIELD_LABELS, Category

MENU_KEYS = frozenset("0123456789*")


def local_problems(
    flow: Flow, names: frozenset[str], book: PromptBook, document: Document, emergency: str | None
) -> list[Problem]:
    """What is wrong with single steps and with the flow's head.

    Arguments:
        names: of all steps in the file, those included whose form was refused.
        emergency: prompt key of the emergency line, as the file names it.
    """
    problems = [
        document.problem((key,), f"« {key} » names a step « {name} » that does not exist", "name one of the steps")
        for key, name in (("start", flow.start), ("person", flow.person), ("withheld", flow.withheld))
        if name and name not in names
    ]
    problems += _emergency_problems(flow, book, document, emergency)
    for key in engine_prompts(flow.channel):
        problems += _public_prompt_problems(flow, None, key, book)
    for step in flow.steps.values():
        problems += _target_problems(flow, step, names)
        problems += _prompt_problems(flow, step, book)
        problems += _step_problems(flow, step, book)
    return problems


def _emergency_problems(flow: Flow, book: PromptBook, document: Document, emergency: str | None) -> Iterator[Problem]:
    """P7: the emergency line stands in words that no condition can take away. That it comes first is proven."""
    if flow.channel is not Channel.VOICE:
        return
    if flow.direction is Direction.OUTGOING:
        yield from _outgoing_problems(flow, book, document, emergency)
        return
    mend = "add « emergency: KEY », the key of a prompt with the 15 and the 112, and say it in the first step"
    if emergency is None or emergency not in book:
        yield document.problem(("emergency",), "the flow names no prompt with the emergency line", mend)
        return
    for prompt in (book[emergency], *(told[emergency] for told in book.translations.values())):
        words = prompt.always_said
        if not (re.search(r"\b15\b", words) and re.search(r"\b112\b", words)):
            where = "" if prompt is book[emergency] else f" ({prompt.language})"
            what = f"the prompt « {emergency} »{where} does not always say both the 15 and the 112"
            yield document.problem(("emergency",), what, "write both in it, outside any « if »")


def _outgoing_problems(flow: Flow, book: PromptBook, document: Document, emergency: str | None) -> Iterator[Problem]:
    """Who answers a call of ours may be anybody, or a machine: nothing is said before they have typed the code.

    The emergency line is for people who call for help: here it would tell whose call it is, and hold up the question.
    """
    if emergency is not None:
        what = "a flow of outgoing calls names an emergency line, which whoever is called has not asked for"
        yield document.problem(("emergency",), what, "take « emergency » out")
    start = flow.steps.get(flow.start)
    if start is not None and not isinstance(start, Prove):
        what = f"the first step « {start.name} » of a flow of outgoing calls does not ask for proof"
        yield step_problem(flow, start, what, "begin with a prove step: nothing may be said before a key")


def _target_problems(flow: Flow, step: Step, names: frozenset[str]) -> Iterator[Problem]:
    for outlet, target in step.outlets().items():
        if target not in names:
            what = f"the outlet « {outlet} » of step « {step.name} » leads to « {target} », which does not exist"
            yield step_problem(flow, step, what, "name one of the steps")


def _prompt_problems(flow: Flow, step: Step, book: PromptBook) -> Iterator[Problem]:
    if isinstance(step, Disclose):
        yield from _disclosed_prompt_problems(flow, step, book)
        return
    for key in step_prompts(step, flow.channel):
        yield from _public_prompt_problems(flow, step, key, book)


def _public_prompt_problems(flow: Flow, step: Step | None, key: str, book: PromptBook) -> Iterator[Problem]:
    speaker = f"step « {step.name} »" if step else "the engine"
    if key not in book:
        yield step_problem(
            flow, step, f"{speaker} says a prompt « {key} » that is not in {book.file}", "write the prompt"
        )
    elif heard := _heard_screen_fields(flow, book, key):
        what = f"{speaker} says the prompt « {key} » to callers, but it names {heard}, which is for operators"
        yield step_problem(flow, step, what, "show it in a flow of the channel console")
    elif step and key in SINKS and key in _written(step):
        yield _elsewhere(flow, step, key)
    elif step and (fault := sink_fault(step.name, book[key])):
        yield step_problem(flow, step, fault.what, fault.mend)
    elif not book[key].is_public:
        fields = ", ".join(sorted(book[key].of_patients))
        what = f"{speaker} says the prompt « {key} » to anybody, but it names {fields}"
        yield step_problem(flow, step, what, "say it in a disclose step, or take the field out of the prompt")
    elif foreign := sorted(book[key].fields & _given_to_others(step, key)):
        what = f"{speaker} says the prompt « {key} », which names {', '.join(foreign)}: not known there"
        place = _known_in(foreign[0])
        mend = "write a prompt of its own" if place == key else f"name it only in « {place} »"
        yield step_problem(flow, step, what, mend)
    elif passing := sorted(book[key].fields & _passing_elsewhere(step, key)):
        yield _too_early(flow, step, key, passing)


def _written(step: Step) -> frozenset[str]:
    """The prompts that the author of the flow names in ``step``; the others are the engine's."""
    match step:
        case Say() | Choose() | Ask() | Disclose() | End():
            return frozenset() if step.prompt is None else frozenset({step.prompt})
        case Pick():
            return frozenset({step.prompt, *(way.label for way in step.options.values())})
        case _:
            return frozenset()


def _elsewhere(flow: Flow, step: Step, key: str) -> Problem:
    what = f"step « {step.name} » says the prompt « {key} », whose words go to {sink_of(key)}: no step says it"
    return step_problem(flow, step, what, "write a prompt of its own")


def _given_to_others(step: Step | None, key: str) -> frozenset[str]:
    """Fields that have no value where ``step`` says the prompt of ``key``: they are given by the engine alone."""
    given = frozenset() if step and key in _written(step) else GIVEN_FIELDS.get(key, frozenset())
    return frozenset[str]().union(*GIVEN_FIELDS.values()) - given


def _passing_elsewhere(step: Step | None, key: str) -> frozenset[str]:
    """Fields that pass, and have no value in the words of ``key`` when ``step`` says them."""
    known = PASSING_FIELDS.get(key, frozenset()) if isinstance(step, Book | Move) else frozenset[str]()
    return frozenset[str]().union(*PASSING_FIELDS.values()) - known


def _too_early(flow: Flow, step: Step | None, key: str, passing: list[str]) -> Problem:
    speaker = f"step « {step.name} »" if step else "the engine"
    what = f"{speaker} says the prompt « {key} », which names {', '.join(passing)}"
    if not isinstance(step, Book | Move):
        what = f"{what}: known only while a slot is booked or moved"
        return step_problem(flow, step, what, "take the field out of the prompt")
    said = step_prompts(step, flow.channel)
    places = ", ".join(f"« {place} »" for place in said if passing[0] in PASSING_FIELDS.get(place, ()))
    mend = f"name {passing[0]} only in {places}" if places else "take the field out of the prompt"
    return step_problem(flow, step, f"{what}: not known there", mend)


def _known_in(field: str) -> str:
    return next(prompt for prompt, fields in GIVEN_FIELDS.items() if field in fields)


def _disclosed_prompt_problems(flow: Flow, step: Disclose, book: PromptBook) -> Iterator[Problem]:
    if step.prompt in SINKS:
        yield _elsewhere(flow, step, step.prompt)
    elif step.prompt not in book:
        what = f"step « {step.name} » says a prompt « {step.prompt} » that is not in {book.file}"
        yield step_problem(flow, step, what, "write the prompt")
    elif heard := _heard_screen_fields(flow, book, step.prompt):
        what = f"step « {step.name} » says the prompt « {step.prompt} », which names {heard}: that is for operators"
        yield step_problem(flow, step, what, "show it in a flow of the channel console")
    elif book[step.prompt].is_public:
        what = f"step « {step.name} » discloses the prompt « {step.prompt} », which names nothing about a patient"
        yield step_problem(flow, step, what, "say it in a say step")
    elif len({field.split(".")[0] for field in book[step.prompt].of_patients}) > 1:
        what = f"step « {step.name} » names an appointment and a slot, which nobody proves both at once"
        yield step_problem(flow, step, what, "say each in a disclose step of its own")
    else:
        yield from _valueless_problems(flow, step, book[step.prompt])


def _valueless_problems(flow: Flow, step: Disclose, prompt: Prompt) -> Iterator[Problem]:
    """What has no value where a record is told: all that is known there is the patient's, and the practice's."""
    says = f"step « {step.name} » says the prompt « {step.prompt} », which names"
    public = prompt.fields - prompt.of_patients
    if foreign := sorted(field for field in public if not field.startswith("practice.")):
        what = f"{says} {', '.join(foreign)}: not known there"
        yield step_problem(flow, step, what, "take the field out of the prompt")
    if bare := sorted(prompt.fields & MAYBE_FIELDS - prompt.optional):
        what = f"{says} {', '.join(bare)}: there may be none"
        yield step_problem(flow, step, what, "name it in « optional », and say it inside an « if » of its own")


def _heard_screen_fields(flow: Flow, book: PromptBook, key: str) -> str:
    """What callers would hear that is for operators, in whichever language; a translation names no other fields."""
    told = book[key].fields & SCREEN_FIELDS if flow.channel is Channel.VOICE else frozenset[str]()
    return ", ".join(sorted(told))


def _step_problems(flow: Flow, step: Step, book: PromptBook) -> Iterator[Problem]:
    match step:
        case Choose():
            for key in sorted(step.keys.keys() - MENU_KEYS):
                yield step_problem(flow, step, f"the menu « {step.name} » has a key « {key} »", "keys are 0 to 9 and *")
        case Speak() if step.language is not None and step.language not in {"fr", *book.translations}:
            what = f"step « {step.name} » speaks « {step.language} », in which there are no prompts"
            yield step_problem(flow, step, what, f"write {step.language}.yaml beside {book.file}")
        case Prove() if flow.direction is not Direction.OUTGOING:
            what = f"step « {step.name} » asks for a call-back code in a call that we have not placed"
            yield step_problem(flow, step, what, "use verify, or write « direction: outgoing »")
        case Prove() if not isinstance(flow.steps.get(step.refused), End):
            what = f"the outlet « refused » of step « {step.name} » says more than an end to whoever has proved nothing"
            yield step_problem(flow, step, what, "lead to an end step")
        case Connect() if flow.direction is Direction.OUTGOING:
            what = f"step « {step.name} » puts a call through that we have placed ourselves"
            yield step_problem(flow, step, what, "put through only calls that come in")
        case Verify() | ReachOut() if flow.direction is Direction.OUTGOING:
            what = f"step « {step.name} » asks who it is about in a call that we have placed (OB-09)"
            yield step_problem(flow, step, what, "use a prove step")
        case Switch() if step.on not in CASE_FIELDS:
            what = f"step « {step.name} » branches on « {step.on} », which has no cases"
            yield step_problem(flow, step, what, f"branch on one of {', '.join(sorted(CASE_FIELDS))}")
        case Switch() if step.cases.keys() != CASE_FIELDS[step.on]:
            known = ", ".join(sorted(CASE_FIELDS[step.on]))
            what = f"step « {step.name} » does not have exactly the cases of « {step.on} »"
            yield step_problem(flow, step, what, f"write a way for each of {known}, and for nothing else")
        case Branch() if FIELD_LABELS.get(step.on) is not Category.PUBLIC:
            what = f"step « {step.name} » branches on « {step.on} », which is not a public field"
            yield step_problem(flow, step, what, "branch on a public field; only find may branch on a record")
        case Branch() if step.on not in YES_NO_FIELDS:
            what = f"step « {step.name} » branches on « {step.on} », which is not yes or no"
            yield step_problem(flow, step, what, f"branch on one of {', '.join(sorted(YES_NO_FIELDS))}")
        case _:
            pass


def step_problem(flow: Flow, step: Step | None, what: str, mend: str) -> Problem:
    """What is wrong with ``step``, or with the flow itself, where it stands in its file."""
    return Problem(flow.file_of(step.name) if step else flow.file, step.line if step else 0, what, mend)
