"""The proof that a flow cannot disclose without sufficient verification (P9).

A must-analysis: at each step, the facts that hold on *every* way there. Each outlet establishes facts and ends others;
ways that meet keep what all of them hold; the greatest fixed point is what a step may rely on. A flow whose needs are
not met is refuted by the shortest way that shows it. Dominators would not do: they say that every way visits a verify
step, but not by which outlet it left.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from callcenter.disclosure.gate import CARD_OPENS
from callcenter.disclosure.policy import Never, Policy
from callcenter.flow.language import (
    Act,
    Card,
    Connect,
    Disclose,
    Do,
    Find,
    Flow,
    Level,
    Lookup,
    Move,
    Moved,
    Prove,
    Queue,
    Reference,
    Step,
    Verify,
)
from callcenter.flow.prompts import PromptBook
from callcenter.flow.script_language import Declare, Forget, Reveal
from callcenter.flow.state import SLOT
from callcenter.kernel.labels import FIELD_LABELS, Category, with_implied

Fact = str
Facts = frozenset[Fact]

#: What ``find`` binds; with what ``reference`` binds, the roots of fields that are not always there.
APPOINTMENT = "appointment"
#: The birth date that goes with a reference was typed: it opens that slot and nothing else, and is no level.
CARD_FACT: Fact = "card:slot"


def level_fact(level: int) -> Fact:
    """The caller is verified to at least ``level`` for the patient at hand."""
    return f"level>={level}"


def bound_fact(root: str) -> Fact:
    """``find`` has bound ``root`` in the record of the patient at hand."""
    return f"bound:{root}"


# --- verdicts


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a way.

    Arguments:
        step: name of the step.
        outlet: by which it is left; empty for the last one.
        level: that is known on arrival, on this way.
    """

    step: str
    outlet: str
    level: Level


@dataclass(frozen=True, slots=True)
class Counterexample:
    """One step whose need is not met, and the shortest way that shows it."""

    file: str
    line: int
    what: str
    path: tuple[Hop, ...]
    mend: str


@dataclass(frozen=True, slots=True)
class Guarded:
    """One step that needs something, and what it may rely on."""

    step: str
    needs: tuple[Fact, ...]
    holds: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Proven:
    """No way through the flow can disclose without sufficient verification.

    Arguments:
        flow: its name.
        digest: of the flow and its prompts, which alone the proof is about.
        policy: version of the policy against which it was proven.
        summary: every step that needs something.
    """

    flow: str
    digest: str
    policy: str
    summary: tuple[Guarded, ...]


@dataclass(frozen=True, slots=True)
class Refuted:
    """Some way could disclose without sufficient verification: one counterexample for each step that is in need."""

    flow: str
    counterexamples: tuple[Counterexample, ...]


# --- needs


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
    """All that ``step`` needs. They come from the fields of its words and from the policy, never from its author."""
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


def _reveal_needs(step: Reveal, flow: Flow, policy: Policy) -> tuple[Need, ...]:
    """Whoever may see one of the fields may see any: the strictest of all of them counts."""
    told = frozenset(FIELD_LABELS[field] for field in step.fields)
    levels = _category_needs(step, "reveals", told, with_implied(told), flow, policy)
    roots = sorted({field.split(".")[0] for field in step.fields})
    return (*levels, *(_bound_need(step, root, f"names « {root} »") for root in roots))


def _disclosure_needs(step: Disclose, book: PromptBook, flow: Flow, policy: Policy) -> tuple[Need, ...]:
    """What a card opens needs a card; all else needs a level, whatever cards there are."""
    fields = {field for field in book[step.prompt].fields if FIELD_LABELS[field] is not Category.PUBLIC}
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
    return categories <= CARD_OPENS and not isinstance(required, Never) and required <= Level.VERIFIED


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


# --- facts along a way


def after(step: Step, outlet: str, facts: Facts) -> Facts:
    """The facts that hold beyond ``outlet``, if ``facts`` held on arrival at ``step``."""
    match step, outlet:
        case (Verify(), "verified") | (Prove(), "proved"):
            # It may have been for another patient: what was found before is not this patient's.
            levels = {level_fact(level) for level in range(Level.IDENTIFIED, _proves(step) + 1)}
            return frozenset(fact for fact in facts if not fact.startswith(("bound:", "card:"))) | levels
        case Find(), "found":
            return facts | {bound_fact(APPOINTMENT)}
        case Reference(), "known":
            # Another slot, perhaps: the card that was shown before is not this one's.
            return (facts - {CARD_FACT}) | {bound_fact(SLOT)}
        case Card(), "proved":
            return facts | {CARD_FACT}
        case Do(act=Act.CANCEL_SLOT), "done":
            return facts - {bound_fact(SLOT), CARD_FACT}
        case Connect() | Queue(), _:
            return frozenset()  # somebody else may have held the telephone meanwhile: nothing that was proved stands
        case Forget(), _:
            return frozenset()  # somebody else is spoken of: nothing that was proved or found is about them (P2)
        case (Do(act=Act.CANCEL_APPOINTMENT), "done") | (Move(what=Moved.APPOINTMENT), "moved"):
            return facts - {bound_fact(APPOINTMENT)}
        case _:
            return facts


def _proves(step: Step) -> Level:
    return step.level if isinstance(step, Verify | Prove) else Level.UNKNOWN


def guaranteed(flow: Flow) -> Mapping[str, Facts]:
    """For every step that can be reached, the facts that hold on every way to it: the greatest fixed point.

    The engine may lead to the person step from anywhere, so nothing is taken to hold there.
    """
    holds: dict[str, Facts] = {flow.start: frozenset(), flow.person: frozenset()}
    waiting = deque(holds)
    while waiting:
        step = flow.steps[waiting.popleft()]
        for outlet, target in step.outlets().items():
            beyond = after(step, outlet, holds[step.name])
            met = beyond & holds.get(target, beyond)
            if holds.get(target) != met:
                holds[target] = met
                waiting.append(target)
    return holds


def _level(facts: Facts) -> Level:
    return max((level for level in Level if level_fact(level) in facts), default=Level.UNKNOWN)


# --- the proof


def prove(flow: Flow, book: PromptBook, policy: Policy) -> Proven | Refuted:
    """Whether no way through ``flow`` can disclose without what ``policy`` requires.

    Arguments:
        flow: as ``flow.load`` made it; every prompt that it names is in ``book``.
    """
    holds = guaranteed(flow)
    guarded: list[Guarded] = []
    refuted: list[Counterexample] = []
    for step in flow.steps.values():
        if step.name not in holds:
            continue
        wanted = needs(step, flow, book, policy)
        unmet = next((need for need in wanted if need.fact is None or need.fact not in holds[step.name]), None)
        if unmet:
            refuted.append(_counterexample(flow, step, unmet))
        elif wanted:
            facts = tuple(need.fact for need in wanted if need.fact)
            guarded.append(Guarded(step.name, facts, tuple(sorted(holds[step.name]))))
    if refuted:
        return Refuted(flow.name, tuple(refuted))
    return Proven(flow.name, flow.digest, policy.version, tuple(guarded))


def _counterexample(flow: Flow, step: Step, need: Need) -> Counterexample:
    path = next(way for way, facts in ways(flow, step.name) if need.fact is None or need.fact not in facts)
    arrives = ""
    if need.fact and need.fact.startswith("level>="):
        arrives = f"; it can be reached with level {path[-1].level.value}"
    elif need.fact:
        arrives = "; it can be reached without"
    return Counterexample(
        flow.file_of(step.name), step.line, f"step « {step.name} » {need.why}{arrives}", path, need.mend
    )


def ways(flow: Flow, goal: str) -> Iterator[tuple[tuple[Hop, ...], Facts]]:
    """Ways to ``goal`` with the facts that each brings, shortest first: one for each set of facts (breadth first)."""
    queue: deque[tuple[str, Facts, tuple[Hop, ...]]] = deque()
    seen: set[tuple[str, Facts]] = set()
    for root in (flow.start, flow.person):
        if (root, frozenset()) not in seen:
            seen.add((root, frozenset()))
            queue.append((root, frozenset(), ()))
    while queue:
        name, facts, hops = queue.popleft()
        if name == goal:
            yield (*hops, Hop(name, "", _level(facts))), facts
        step = flow.steps[name]
        for outlet, target in step.outlets().items():
            beyond = after(step, outlet, facts)
            if (target, beyond) not in seen:
                seen.add((target, beyond))
                queue.append((target, beyond, (*hops, Hop(name, outlet, _level(facts)))))
