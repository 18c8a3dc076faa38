"""What every flow must be besides proven: whole, public where it says so, and never without a way to a person (P7).

``local_problems`` looks at one step at a time; ``graph_problems`` follows the ways through a flow whose steps are right
by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from callcenter.flow.language import (
    Ask,
    Book,
    Branch,
    Card,
    Channel,
    Choose,
    Connect,
    Direction,
    Disclose,
    Do,
    End,
    Find,
    Flow,
    Go,
    MessageKind,
    Move,
    Prove,
    ReachKind,
    ReachOut,
    Reference,
    Say,
    Speak,
    Step,
    Switch,
    TakeMessage,
    Verify,
)
from callcenter.flow.prompts import Prompt, PromptBook
from callcenter.flow.words import CASE_FIELDS, YES_NO_FIELDS
from callcenter.kernel.documents import Document
from callcenter.kernel.errors import Problem
from callcenter.kernel.labels import FIELD_LABELS, Category

#: The words that the engine says of itself, whatever the flow.
ENGINE_PROMPTS = ("engine.nonsense", "engine.restart", "engine.limit", "engine.farewell")
#: The words that ask who it is about: the same wherever it is asked.
CLAIM_PROMPTS = ("verify.birth_date", "verify.birth_date_again", "verify.telephone", "verify.telephone_again")
#: The words of the steps that ask several questions.
VERIFY_PROMPTS = (
    *CLAIM_PROMPTS,
    "verify.code",
    "verify.code_wrong",
    "verify.failed",
    "verify.unavailable",
)
CALLBACK_PROMPTS = (
    "callback.reason",
    "callback.number",
    "callback.number_or_this",
    "callback.number_again",
    "callback.taken",
    "callback.abandoned",
)
#: The words of a spoken message, and of a request for a renewal or a certificate.
VOICE_PROMPTS = ("message.voice", "message.voice_again", "message.nothing_heard")
REQUEST_PROMPTS = ("request.practitioner", "request.spoken")
#: Fields that one step alone knows, by the prompt in which it gives them.
GIVEN_FIELDS = {"request.practitioner": frozenset({"request.practitioners"})}
REACH_OUT_PROMPTS = {
    ReachKind.REMINDER: (*CLAIM_PROMPTS, "reach_out.reminder"),
    ReachKind.RETURN_CALL: (*CLAIM_PROMPTS, "reach_out.return_call"),
}
#: Whoever answers a call of ours has asked for nothing, perhaps: this is all that they hear before a key.
PROVE_PROMPTS = ("prove.return_call", "prove.return_call_again")
#: Who is offered a slot, and when it is.
OFFER_PROMPTS = ("booking.offer", "booking.next_offer", "booking.offer_keys")
BOOK_PROMPTS = (
    "booking.with_whom",
    "booking.practitioner",
    "booking.person",
    "booking.seen_before",
    *OFFER_PROMPTS,
    "booking.birth_date",
    "booking.birth_date_again",
    "booking.number",
    "booking.number_or_this",
    "booking.number_again",
    "booking.booked",
)
REFERENCE_PROMPTS = ("reference.ask", "reference.again", "reference.failed")
CARD_PROMPTS = ("card.birth_date", "card.again", "card.failed")
#: The words of a step that asks several questions, by its kind.
STEP_PROMPTS: Mapping[type[Step], tuple[str, ...]] = {
    Book: BOOK_PROMPTS,
    Reference: REFERENCE_PROMPTS,
    Card: CARD_PROMPTS,
    Move: OFFER_PROMPTS,
}
#: Fields that have a value only while such a step speaks.
PASSING_FIELDS = frozenset({"offer.key", "offer.practitioner", "offer.starts_at", "booking.reference"})
#: Steps at which a caller always has the word. Not ``verify``: live evidence answers it without a question.
QUESTIONS = (Choose, Ask, TakeMessage, ReachOut, Prove)
#: Outlets by which something has failed or been refused: none may lead into a corner.
FALLBACKS = frozenset(
    {"silence", "nonsense", "refused", "unavailable", "withheld", "failed", "abandoned", "unanswered"}
)
MENU_KEYS = frozenset("0123456789*")


def prompt_keys(steps: Iterable[Step]) -> frozenset[str]:
    """Every prompt that ``steps`` and the engine say."""
    keys = set(ENGINE_PROMPTS)
    for step in steps:
        match step:
            case Say() | Choose() | Ask() | Disclose():
                keys.add(step.prompt)
            case End():
                keys.update(() if step.prompt is None else (step.prompt,))
            case Verify():
                keys.update(VERIFY_PROMPTS)
            case TakeMessage():
                keys.update(message_prompts(step))
            case ReachOut():
                keys.update(REACH_OUT_PROMPTS[step.kind])
            case Prove():
                keys.update(PROVE_PROMPTS)
            case Book() | Reference() | Card() | Move():
                keys.update(STEP_PROMPTS[type(step)])
            case Find() | Do() | Branch() | Switch() | Speak() | Go() | Connect():
                pass
    return frozenset(keys)


def message_prompts(step: TakeMessage) -> tuple[str, ...]:
    """Every prompt that ``step`` may say."""
    match step.kind:
        case MessageKind.VOICE:
            return (*CALLBACK_PROMPTS, *VOICE_PROMPTS)
        case MessageKind.RENEWAL | MessageKind.CERTIFICATE:
            return (*CALLBACK_PROMPTS, *REQUEST_PROMPTS)
        case MessageKind.CALLBACK:
            return CALLBACK_PROMPTS


# --- one step at a time


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
        for key, name in (("start", flow.start), ("person", flow.person))
        if name not in names
    ]
    problems += _emergency_problems(flow, book, document, emergency)
    for key in ENGINE_PROMPTS:
        problems += _public_prompt_problems(flow, None, key, book)
    for step in flow.steps.values():
        problems += _target_problems(flow, step, names)
        problems += _prompt_problems(flow, step, book)
        problems += _step_problems(flow, step, book)
    return problems


def _emergency_problems(flow: Flow, book: PromptBook, document: Document, emergency: str | None) -> Iterator[Problem]:
    """P7: the emergency line stands first, in words that no condition can take away."""
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
    start = flow.steps.get(flow.start)
    if start is not None and not (isinstance(start, Say) and start.prompt == emergency):
        what = f"the first step « {start.name} » does not say the emergency line « {emergency} »"
        yield _problem(flow, start, what, f"begin with a step that says « {emergency} », before any question")


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
        yield _problem(flow, start, what, "begin with a prove step: nothing may be said before a key")
    for key in PROVE_PROMPTS:
        if key in book and book[key].fields:
            what = f"the prompt « {key} » names {', '.join(sorted(book[key].fields))} to whoever takes the call"
            yield _problem(flow, start, what, "take every field out of it: it may tell nothing before a key")


def _target_problems(flow: Flow, step: Step, names: frozenset[str]) -> Iterator[Problem]:
    for outlet, target in step.outlets().items():
        if target not in names:
            what = f"the outlet « {outlet} » of step « {step.name} » leads to « {target} », which does not exist"
            yield _problem(flow, step, what, "name one of the steps")


def _prompt_problems(flow: Flow, step: Step, book: PromptBook) -> Iterator[Problem]:
    match step:
        case Say() | Choose() | Ask():
            yield from _public_prompt_problems(flow, step, step.prompt, book)
        case End():
            if step.prompt is not None:
                yield from _public_prompt_problems(flow, step, step.prompt, book)
        case Verify():
            for key in VERIFY_PROMPTS:
                yield from _public_prompt_problems(flow, step, key, book)
        case TakeMessage():
            for key in message_prompts(step):
                yield from _public_prompt_problems(flow, step, key, book)
        case ReachOut():
            for key in REACH_OUT_PROMPTS[step.kind]:
                yield from _public_prompt_problems(flow, step, key, book)
        case Prove():
            for key in PROVE_PROMPTS:
                yield from _public_prompt_problems(flow, step, key, book)
        case Book() | Reference() | Card() | Move():
            for key in STEP_PROMPTS[type(step)]:
                yield from _public_prompt_problems(flow, step, key, book)
        case Disclose():
            yield from _disclosed_prompt_problems(flow, step, book)
        case Find() | Do() | Branch() | Switch() | Speak() | Go() | Connect():
            pass


def _public_prompt_problems(flow: Flow, step: Step | None, key: str, book: PromptBook) -> Iterator[Problem]:
    speaker = f"step « {step.name} »" if step else "the engine"
    if key not in book:
        yield _problem(flow, step, f"{speaker} says a prompt « {key} » that is not in {book.file}", "write the prompt")
    elif not book[key].is_public:
        fields = ", ".join(_labelled(book[key]))
        what = f"{speaker} says the prompt « {key} » to anybody, but it names {fields}"
        yield _problem(flow, step, what, "say it in a disclose step, or take the field out of the prompt")
    elif foreign := sorted(book[key].fields & _given_to_others(key)):
        what = f"{speaker} says the prompt « {key} », which names {', '.join(foreign)}: not known there"
        yield _problem(flow, step, what, f"name it only in « {_known_in(foreign[0])} »")
    elif book[key].fields & PASSING_FIELDS and not isinstance(step, Book | Move):
        fields = ", ".join(sorted(book[key].fields & PASSING_FIELDS))
        what = f"{speaker} says the prompt « {key} », which names {fields}: known only while a slot is booked or moved"
        yield _problem(flow, step, what, "take the field out of the prompt")


def _given_to_others(key: str) -> frozenset[str]:
    return frozenset[str]().union(*(fields for prompt, fields in GIVEN_FIELDS.items() if prompt != key))


def _known_in(field: str) -> str:
    return next(prompt for prompt, fields in GIVEN_FIELDS.items() if field in fields)


def _disclosed_prompt_problems(flow: Flow, step: Disclose, book: PromptBook) -> Iterator[Problem]:
    if step.prompt not in book:
        what = f"step « {step.name} » says a prompt « {step.prompt} » that is not in {book.file}"
        yield _problem(flow, step, what, "write the prompt")
    elif book[step.prompt].is_public:
        what = f"step « {step.name} » discloses the prompt « {step.prompt} », which names nothing about a patient"
        yield _problem(flow, step, what, "say it in a say step")
    elif len({field.split(".")[0] for field in _labelled(book[step.prompt])}) > 1:
        what = f"step « {step.name} » names an appointment and a slot, which nobody proves both at once"
        yield _problem(flow, step, what, "say each in a disclose step of its own")


def _labelled(prompt: Prompt) -> list[str]:
    return sorted(field for field in prompt.fields if FIELD_LABELS[field] is not Category.PUBLIC)


def _step_problems(flow: Flow, step: Step, book: PromptBook) -> Iterator[Problem]:
    match step:
        case Choose():
            for key in sorted(step.keys.keys() - MENU_KEYS):
                yield _problem(flow, step, f"the menu « {step.name} » has a key « {key} »", "keys are 0 to 9 and *")
        case Speak() if step.language is not None and step.language not in {"fr", *book.translations}:
            what = f"step « {step.name} » speaks « {step.language} », in which there are no prompts"
            yield _problem(flow, step, what, f"write {step.language}.yaml beside {book.file}")
        case Prove() if flow.direction is not Direction.OUTGOING:
            what = f"step « {step.name} » asks for a call-back code in a call that we have not placed"
            yield _problem(flow, step, what, "use verify, or write « direction: outgoing »")
        case Prove() if not isinstance(flow.steps.get(step.refused), End):
            what = f"the outlet « refused » of step « {step.name} » says more than an end to whoever has proved nothing"
            yield _problem(flow, step, what, "lead to an end step")
        case Connect() if flow.direction is Direction.OUTGOING:
            what = f"step « {step.name} » puts a call through that we have placed ourselves"
            yield _problem(flow, step, what, "put through only calls that come in")
        case Verify() | ReachOut() if flow.direction is Direction.OUTGOING:
            what = f"step « {step.name} » asks who it is about in a call that we have placed (OB-09)"
            yield _problem(flow, step, what, "use a prove step")
        case Switch() if step.on not in CASE_FIELDS:
            what = f"step « {step.name} » branches on « {step.on} », which has no cases"
            yield _problem(flow, step, what, f"branch on one of {', '.join(sorted(CASE_FIELDS))}")
        case Switch() if step.cases.keys() != CASE_FIELDS[step.on]:
            known = ", ".join(sorted(CASE_FIELDS[step.on]))
            what = f"step « {step.name} » does not have exactly the cases of « {step.on} »"
            yield _problem(flow, step, what, f"write a way for each of {known}, and for nothing else")
        case Branch() if FIELD_LABELS.get(step.on) is not Category.PUBLIC:
            what = f"step « {step.name} » branches on « {step.on} », which is not a public field"
            yield _problem(flow, step, what, "branch on a public field; only find may branch on a record")
        case Branch() if step.on not in YES_NO_FIELDS:
            what = f"step « {step.name} » branches on « {step.on} », which is not yes or no"
            yield _problem(flow, step, what, f"branch on one of {', '.join(sorted(YES_NO_FIELDS))}")
        case _:
            pass


# --- the ways through a flow


def graph_problems(flow: Flow) -> list[Problem]:
    """What is wrong with the ways through a flow whose steps are right by themselves."""
    person_path = _reached(flow, [flow.person])
    problems = [*_end_problems(flow), *_wordless_problems(flow)]
    problems += [*_cycle_problems(flow), *_person_problems(flow, person_path)]
    heard = _reached(flow, [flow.start]) | person_path
    for step in flow.steps.values():
        if step.name not in heard:
            problems.append(_problem(flow, step, f"no way leads to step « {step.name} »", "lead to it, or remove it"))
        elif step.name not in person_path:
            problems += _way_to_person_problems(flow, step)
    return problems


def _reached(flow: Flow, roots: Iterable[str]) -> frozenset[str]:
    seen: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(flow.steps[name].outlets().values())
    return frozenset(seen)


def _end_problems(flow: Flow) -> Iterator[Problem]:
    for step in flow.steps.values():
        if not any(isinstance(flow.steps[name], End) for name in _reached(flow, [step.name])):
            yield _problem(flow, step, f"no way leads from step « {step.name} » to an end", "lead to an end step")


def _wordless_problems(flow: Flow) -> Iterator[Problem]:
    """Only two who have talked need no goodbye: everybody else would take a call that ends in silence for a fault."""
    wordless = {step.name for step in flow.steps.values() if isinstance(step, End) and step.prompt is None}
    led = {(target, name, outlet) for name, outlet, target in flow.edges() if target in wordless}
    for target, name, outlet in sorted(led):
        if not (isinstance(flow.steps[name], Connect) and outlet == "connected"):
            what = f"the outlet « {outlet} » of step « {name} » leads to « {target} », which ends without words"
            yield _problem(flow, flow.steps[name], what, "lead to an end with a prompt")
    for name in sorted(wordless & {flow.start, flow.person}):
        what = f"the step « {name} » ends the call of somebody who has talked to nobody, without words"
        yield _problem(flow, flow.steps[name], what, "give it a prompt")


def _cycle_problems(flow: Flow) -> Iterator[Problem]:
    """A round without a question would run for ever; only callers' answers may bring a flow back to a step."""
    told: set[str] = set()
    for step in flow.steps.values():
        cycle = None if step.name in told else _silent_round(flow, step.name)
        if cycle:
            told.update(cycle)
            what = f"the steps {' → '.join([*cycle, step.name])} come round without a question"
            yield _problem(flow, step, what, "put a menu into the round, or lead out of it")


def _silent_round(flow: Flow, start: str) -> list[str] | None:
    """The shortest way from ``start`` back to it that passes no question."""
    ways: list[list[str]] = [[start]]
    seen: set[str] = set()
    for way in ways:
        step = flow.steps[way[-1]]
        if isinstance(step, QUESTIONS):
            continue
        for target in step.outlets().values():
            if target == start:
                return way
            if target not in seen:
                seen.add(target)
                ways.append([*way, target])
    return None


def _person_problems(flow: Flow, person_path: frozenset[str]) -> Iterator[Problem]:
    """The way to a person asks for no proof: whoever could not be verified must be able to walk it to its end."""
    for name in person_path:
        step = flow.steps[name]
        if isinstance(step, Verify | Prove | Find | Disclose | Do | Reference | Card | Move):
            what = (
                f"step « {name} » stands on the way to a person (from « {flow.person} »), which must ask for no proof"
            )
            yield _problem(flow, step, what, "end the way to a person with a message or an end")


def _way_to_person_problems(flow: Flow, step: Step) -> Iterator[Problem]:
    """P7 for one step outside the way to a person; the menus on that way are on it already and need no ``0``."""
    if isinstance(step, Choose) and not ("0" in step.keys and _is_person(flow, step.keys["0"])):
        what = f"the menu « {step.name} » does not lead to a person by 0"
        yield _problem(flow, step, what, f"add the key « 0: {flow.person} »")
    for outlet, target in step.outlets().items():
        if outlet == "withheld" and not _is_person(flow, target):
            # Words between the refusal and the person would tell that something is withheld.
            what = f"the outlet « withheld » of step « {step.name} » does not lead to « {flow.person} » at once"
            yield _problem(flow, step, what, f"write « withheld: {flow.person} »")
        elif isinstance(step, Prove):
            continue  # whoever has not typed the code is told nothing, and is put through to nobody
        elif outlet in FALLBACKS and flow.person not in _reached(flow, [target]):
            what = f"no way leads to a person from the outlet « {outlet} » of step « {step.name} »"
            yield _problem(flow, step, what, f"lead to « {flow.person} », or to a menu")


def _is_person(flow: Flow, name: str) -> bool:
    """Whether ``name`` is the person step, perhaps through go steps, which say nothing."""
    seen: set[str] = set()
    while name != flow.person and name not in seen:
        seen.add(name)
        step = flow.steps[name]
        if isinstance(step, Go):
            name = step.to
    return name == flow.person


def _problem(flow: Flow, step: Step | None, what: str, mend: str) -> Problem:
    return Problem(flow.file_of(step.name) if step else flow.file, step.line if step else 0, what, mend)
