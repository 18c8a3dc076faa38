"""What a step needs on arrival. It comes from the fields of its words and from the policy, never from its author."""

from __future__ import annotations

from dataclasses import dataclass

from callcenter.disclosure.gate import CARD_OPENS
from callcenter.disclosure.policy import Never, Policy
from callcenter.flow.facts import APPOINTMENT, CARD_FACT, EMERGENCY, bound_fact, level_fact
from callcenter.flow.graph import Fact
from callcenter.flow.language import (
    Act,
    Branch,
    Card,
    Disclose,
    Do,
    Find,
    Flow,
    Go,
    Level,
    Lookup,
    Move,
    Moved,
    Say,
    Speak,
    Step,
    Switch,
)
from callcenter.flow.prompts import PromptBook
from callcenter.flow.script_language import Declare, Reveal
from callcenter.flow.state import SLOT
from callcenter.flow.subflow_language import Leave, Run
from callcenter.kernel.labels import FIELD_LABELS, Category, with_implied


@dataclass(frozen=True, slots=True)
class Need:
    """What a step needs on arrival.

    Arguments:
        fact: that must hold; ``None`` if nothing can ever meet the need.
        why: what the step does that needs it, and what it needs; it follows the step's name.
        mend: what to do about it.
    """

    fact: Fact | None
    why: str
    mend: str


def needs(step: Step, flow: Flow, book: PromptBook, policy: Policy) -> tuple[Need, ...]:
    """All that ``step`` needs."""
    return (*_emergency_needs(step, flow), *_record_needs(step, flow, book, policy))


#: Steps that neither say nor ask anything.
_WORDLESS = (Branch, Switch, Speak, Go, Run, Leave)


def needs_emergency(step: Step, flow: Flow) -> bool:
    """P7: whoever calls hears the emergency line before anything else is said or asked."""
    says_it = isinstance(step, Say) and step.prompt == flow.emergency
    return bool(flow.emergency) and not says_it and not isinstance(step, _WORDLESS)


def _emergency_needs(step: Step, flow: Flow) -> tuple[Need, ...]:
    if not needs_emergency(step, flow):
        return ()
    why = f"is met by callers, which needs the emergency line « {flow.emergency} » before it"
    mend = f"say « {flow.emergency} » on every path to « {step.name} », before all else"
    return (Need(EMERGENCY, why, mend),)


def _record_needs(step: Step, flow: Flow, book: PromptBook, policy: Policy) -> tuple[Need, ...]:
    match step:
        case Disclose():
            return _disclosure_needs(step, book, flow, policy)
        case Find():
            # Both outlets tell something: that there is a record, and whether it holds an appointment.
            told = frozenset({Category.RECORD_EXISTS, Category.APPOINTMENT_EXISTS})
            found = _category_needs(step, "tells", told, told, flow, policy)
            if step.what is Lookup.FOLLOWING_APPOINTMENT:
                return (*found, _bound_need(step, APPOINTMENT, "looks for what follows an appointment"))
            return found
        case Do(act=Act.CANCEL_SLOT):
            return (_bound_need(step, SLOT, "acts on a slot"),)
        case Card() | Move(what=Moved.SLOT):
            return (_bound_need(step, SLOT, "is about a slot"),)
        case Do() | Move():
            told = frozenset({Category.APPOINTMENT_EXISTS})
            found = _category_needs(step, "tells", told, told, flow, policy)
            return (*found, _bound_need(step, APPOINTMENT, "acts on an appointment"))
        case Reveal():
            return _reveal_needs(step, flow, policy)
        case Declare():
            told = frozenset(step.categories)
            return _category_needs(step, "declares", told, with_implied(told), flow, policy)
        case _:
            return ()


def told_by(step: Step, book: PromptBook) -> frozenset[Category]:
    """The categories of what ``step`` tells about a patient, by what it says or by where it leads."""
    match step:
        case Disclose():
            return book[step.prompt].told - {Category.PUBLIC}
        case Find():
            return frozenset({Category.RECORD_EXISTS, Category.APPOINTMENT_EXISTS})
        case Do(act=Act.CANCEL_SLOT) | Move(what=Moved.SLOT):
            return frozenset()
        case Do() | Move():
            return frozenset({Category.APPOINTMENT_EXISTS})
        case Reveal():
            return frozenset(FIELD_LABELS[field] for field in step.fields)
        case Declare():
            return frozenset(step.categories)
        case _:
            return frozenset()


def _reveal_needs(step: Reveal, flow: Flow, policy: Policy) -> tuple[Need, ...]:
    """Whoever may see one of the fields may see any: the strictest of all of them counts."""
    told = frozenset(FIELD_LABELS[field] for field in step.fields)
    levels = _category_needs(step, "reveals", told, with_implied(told), flow, policy)
    roots = sorted({field.split(".")[0] for field in step.fields})
    return (*levels, *(_bound_need(step, root, f"names « {root} »") for root in roots))


def _disclosure_needs(step: Disclose, book: PromptBook, flow: Flow, policy: Policy) -> tuple[Need, ...]:
    """What a card opens needs a card; all else needs a level, whatever cards there are."""
    fields = book[step.prompt].of_patients
    by_card = {field for field in fields if field.startswith(f"{SLOT}.") and _card_opens(field, flow, policy)}
    told = frozenset(FIELD_LABELS[field] for field in fields - by_card)
    levels = _category_needs(step, "says", told, with_implied(told), flow, policy) if told else ()
    roots = sorted({field.split(".")[0] for field in fields})
    bound = [_bound_need(step, root, f"names « {root} »") for root in roots]
    if by_card:
        mend = f"let every path to « {step.name} » pass the outlet « proved » of a card step"
        bound.insert(0, Need(CARD_FACT, f"says {', '.join(sorted(by_card))}, which needs an appointment card", mend))
    return (*levels, *bound)


def _card_opens(field: str, flow: Flow, policy: Policy) -> bool:
    """Whether a card is worth level 2 for what ``field`` tells."""
    categories = with_implied(frozenset({FIELD_LABELS[field]}))
    required = policy.strictest(categories, flow.channel)
    return CARD_OPENS.issuperset(categories) and not isinstance(required, Never) and required <= Level.VERIFIED


def _category_needs(
    step: Step, verb: str, told: frozenset[Category], categories: frozenset[Category], flow: Flow, policy: Policy
) -> tuple[Need, ...]:
    """The need of the strictest of ``categories``; of equals, a told one comes before an implied one."""

    def strictness(category: Category) -> tuple[int, bool, str]:
        required = policy.required(category, flow.channel)
        return (-len(Level) if isinstance(required, Never) else -required, category not in told, category.value)

    strictest = min(categories, key=strictness)
    subject = f"{verb} {strictest.value} ({policy.rules[strictest].name})"
    match policy.required(strictest, flow.channel):
        case Never():
            why = f"{subject}, which is never told by {flow.channel.value}"
            return (Need(None, why, f"take it out of step « {step.name} »: no level opens it"),)
        case Level.UNKNOWN:
            return ()
        case Level() as level:
            mend = f"let every path to « {step.name} » pass the outlet « verified » of a verify step"
            if level > Level.VERIFIED:
                mend += f" of level {level.value}"
            return (Need(level_fact(level), f"{subject}, which needs level {level.value}", mend),)


def _bound_need(step: Step, root: str, why: str) -> Need:
    verb, outlet = ("reference", "known") if root == SLOT else ("find", "found")
    mend = f"let every path to « {step.name} » pass the outlet « {outlet} » of a {verb} step"
    return Need(bound_fact(root), f"{why}, which a {verb} step must have found", mend)
