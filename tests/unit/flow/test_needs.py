"""What each step needs, one by one, in the words that its author reads: the proof is worth what these are."""

from __future__ import annotations

import pytest

from callcenter.disclosure.policy import Never, Policy, Requirement, Rule, SmsRule
from callcenter.flow.language import (
    Act,
    Branch,
    Card,
    Choose,
    Disclose,
    Do,
    End,
    Find,
    Flow,
    Go,
    Lookup,
    Move,
    Moved,
    Say,
    Speak,
    Step,
    Switch,
)
from callcenter.flow.needs import Need, needs, needs_emergency, told_by
from callcenter.flow.prompts import Prompt, PromptBook
from callcenter.flow.script_language import Declare, Reveal
from callcenter.flow.subflow_language import Leave, Run
from callcenter.flow.template import parse
from callcenter.kernel.labels import Category
from callcenter.kernel.levels import Channel, Level

#: By voice. On the screen a place opens too, and all else as here.
LEVELS: dict[Category, Requirement] = {
    Category.PUBLIC: Level.UNKNOWN,
    Category.RECORD_EXISTS: Level.VERIFIED,
    Category.APPOINTMENT_EXISTS: Level.VERIFIED,
    Category.APPOINTMENT_TIME: Level.VERIFIED,
    Category.PRACTITIONER: Level.VERIFIED,
    Category.SPECIALITY: Level.STRONG,
    Category.DECEASED: Level.IDENTIFIED,
    Category.BILLING: Level.UNKNOWN,
}


def policy_of(levels: dict[Category, Requirement]) -> Policy:
    return Policy(
        "test",
        {
            category: Rule(
                f"rule of {category.value}",
                3,
                {
                    Channel.VOICE: levels.get(category, Never()),
                    Channel.CONSOLE: Level.STRONG if category is Category.PLACE else levels.get(category, Never()),
                },
                SmsRule.NEVER,
            )
            for category in Category
        },
    )


POLICY = policy_of(LEVELS)
TEXTS = {
    "time": "{{ appointment.starts_at | spoken_time }}",
    "practitioner": "{{ appointment.practitioner }}",
    "speciality": "{{ practice.name }} {{ appointment.speciality }} {{ appointment.starts_at | spoken_time }}",
    "place": "{{ appointment.place }}",
    "slot": "{{ slot.starts_at | spoken_time }}",
    "slot_place": "{{ slot.place }}",
    "both": "{{ slot.starts_at | spoken_time }} {{ slot.place }}",
    "mixed": "{{ slot.starts_at | spoken_time }} {{ appointment.starts_at | spoken_time }}",
    "public": "{{ practice.name }}",
}
BOOK = PromptBook("book", {key: Prompt(key, text, parse(text)[0]) for key, text in TEXTS.items()})
FLOW = Flow("f", Channel.VOICE, "f.yaml", "a", "a", {}, "digest")
SCRIPT = Flow("f", Channel.CONSOLE, "f.yaml", "a", "a", {}, "digest")


def level(number: int, why: str) -> Need:
    mend = "let every path to « a » pass the outlet « verified » of a verify step"
    above = " of level 3" if number == 3 else ""
    return Need(f"level>={number}", f"{why}, which needs level {number}", mend + above)


def bound(why: str) -> Need:
    mend = "let every path to « a » pass the outlet « found » of a find step"
    return Need("bound:appointment", f"{why}, which a find step must have found", mend)


def referred(why: str) -> Need:
    mend = "let every path to « a » pass the outlet « known » of a reference step"
    return Need("bound:slot", f"{why}, which a reference step must have found", mend)


def card(fields: str) -> Need:
    mend = "let every path to « a » pass the outlet « proved » of a card step"
    return Need("card:slot", f"says {fields}, which needs an appointment card", mend)


def never(why: str, channel: str = "voice") -> Need:
    return Need(None, f"{why}, which is never told by {channel}", "take it out of step « a »: no level opens it")


TIME = level(2, "says D03 (rule of D03)")
EXISTS = level(2, "tells D02 (rule of D02)")
RECORD = level(2, "tells D01 (rule of D01)")

#: Each step of a flow of a voice, and what it needs.
BY_VOICE: list[tuple[Step, list[Need]]] = [
    (Say("a", 1, "public", "b"), []),
    (Choose("a", 1, "public", {}, "b", "b"), []),
    (Disclose("a", 1, "time", "b", "c"), [TIME, bound("names « appointment »")]),
    (Disclose("a", 1, "practitioner", "b", "c"),
     [level(2, "says D04 (rule of D04)"), bound("names « appointment »")]),
    (Disclose("a", 1, "speciality", "b", "c"),
     [level(3, "says D05 (rule of D05)"), bound("names « appointment »")]),
    (Disclose("a", 1, "place", "b", "c"), [never("says D06 (rule of D06)"), bound("names « appointment »")]),
    (Disclose("a", 1, "slot", "b", "c"), [card("slot.starts_at"), referred("names « slot »")]),
    (Disclose("a", 1, "slot_place", "b", "c"), [never("says D06 (rule of D06)"), referred("names « slot »")]),
    (Disclose("a", 1, "both", "b", "c"),
     [never("says D06 (rule of D06)"), card("slot.starts_at"), referred("names « slot »")]),
    (Disclose("a", 1, "mixed", "b", "c"),
     [TIME, card("slot.starts_at"), bound("names « appointment »"), referred("names « slot »")]),
    (Disclose("a", 1, "public", "b", "c"), []),
    (Find("a", 1, Lookup.NEXT_APPOINTMENT, "b", "c", "d"), [RECORD]),
    (Find("a", 1, Lookup.FOLLOWING_APPOINTMENT, "b", "c", "d"),
     [RECORD, bound("looks for what follows an appointment")]),
    (Do("a", 1, Act.CANCEL_SLOT, "b", "c"), [referred("acts on a slot")]),
    (Do("a", 1, Act.CANCEL_APPOINTMENT, "b", "c"), [EXISTS, bound("acts on an appointment")]),
    (Do("a", 1, Act.CONFIRM_APPOINTMENT, "b", "c"), [EXISTS, bound("acts on an appointment")]),
    (Card("a", 1, "b", "c"), [referred("is about a slot")]),
    (Move("a", 1, "b", "c", "d", Moved.SLOT), [referred("is about a slot")]),
    (Move("a", 1, "b", "c", "d", Moved.APPOINTMENT), [EXISTS, bound("acts on an appointment")]),
]  # fmt: skip

#: Each step of an operator's script, and what it needs.
ON_THE_SCREEN: list[tuple[Step, list[Need]]] = [
    (Reveal("a", 1, ("appointment.starts_at",), "b", "c"),
     [level(2, "reveals D03 (rule of D03)"), bound("names « appointment »")]),
    (Reveal("a", 1, ("appointment.starts_at", "appointment.place"), "b", "c"),
     [level(3, "reveals D06 (rule of D06)"), bound("names « appointment »")]),
    (Reveal("a", 1, ("slot.starts_at", "appointment.starts_at"), "b", "c"),
     [level(2, "reveals D03 (rule of D03)"), bound("names « appointment »"), referred("names « slot »")]),
    (Declare("a", 1, (Category.APPOINTMENT_TIME, Category.RECORD_EXISTS), "b", "c"),
     [level(2, "declares D01 (rule of D01)")]),
    (Declare("a", 1, (Category.DECEASED,), "b", "c"), [level(1, "declares D19 (rule of D19)")]),
    (Declare("a", 1, (Category.BILLING,), "b", "c"), []),
    (Declare("a", 1, (Category.SPECIALITY, Category.MEDICAL), "b", "c"),
     [never("declares D13 (rule of D13)", "console")]),
]  # fmt: skip


@pytest.mark.parametrize(("step", "wanted"), BY_VOICE, ids=lambda value: type(value).__name__)
def test_p9_what_a_step_of_a_flow_needs(step: Step, wanted: list[Need]) -> None:
    assert list(needs(step, FLOW, BOOK, POLICY)) == wanted


@pytest.mark.parametrize(("step", "wanted"), ON_THE_SCREEN, ids=lambda value: type(value).__name__)
def test_p9_what_a_step_of_a_script_needs(step: Step, wanted: list[Need]) -> None:
    assert list(needs(step, SCRIPT, BOOK, POLICY)) == wanted


def test_p9_what_is_implied_is_needed_where_it_is_the_stricter() -> None:
    strict = policy_of({**LEVELS, Category.APPOINTMENT_EXISTS: Level.STRONG})
    implied = level(3, "says D02 (rule of D02)")
    assert needs(Disclose("a", 1, "time", "b", "c"), FLOW, BOOK, strict)[0] == implied
    revealed = Reveal("a", 1, ("appointment.starts_at",), "b", "c")
    assert needs(revealed, SCRIPT, BOOK, strict)[0] == level(3, "reveals D02 (rule of D02)")
    declared = Declare("a", 1, (Category.APPOINTMENT_TIME,), "b", "c")
    assert needs(declared, SCRIPT, BOOK, strict)[0] == level(3, "declares D02 (rule of D02)")


@pytest.mark.parametrize("category", [Category.APPOINTMENT_TIME, Category.APPOINTMENT_EXISTS])
@pytest.mark.parametrize("required", [Level.STRONG, Never()])
def test_p9_a_card_opens_nothing_that_needs_more_than_level_2(category: Category, required: Requirement) -> None:
    strict = policy_of({**LEVELS, category: required})
    said = f"says {category.value} (rule of {category.value})"
    wanted = never(said) if isinstance(required, Never) else level(3, said)
    assert list(needs(Disclose("a", 1, "slot", "b", "c"), FLOW, BOOK, strict)) == [wanted, referred("names « slot »")]


def test_p9_a_card_opens_what_it_opens_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callcenter.flow.needs.CARD_OPENS", frozenset({Category.APPOINTMENT_TIME, Category.PLACE}))
    wanted = [TIME, referred("names « slot »")]  # a time tells that there is an appointment
    assert list(needs(Disclose("a", 1, "slot", "b", "c"), FLOW, BOOK, POLICY)) == wanted


def test_p9_a_card_is_worth_level_2_and_what_needs_less_needs_it_too() -> None:
    mild = policy_of({**LEVELS, Category.APPOINTMENT_TIME: Level.IDENTIFIED, Category.PLACE: Level.VERIFIED})
    wanted = [card("slot.place, slot.starts_at"), referred("names « slot »")]
    assert list(needs(Disclose("a", 1, "both", "b", "c"), FLOW, BOOK, mild)) == wanted


def test_p9_what_each_step_tells() -> None:
    none: frozenset[Category] = frozenset()
    exists = frozenset({Category.APPOINTMENT_EXISTS})
    told = {
        Disclose("a", 1, "speciality", "b", "c"): {Category.SPECIALITY, Category.APPOINTMENT_TIME},
        Find("a", 1, Lookup.NEXT_APPOINTMENT, "b", "c", "d"): {Category.RECORD_EXISTS, Category.APPOINTMENT_EXISTS},
        Do("a", 1, Act.CANCEL_SLOT, "b", "c"): none,
        Do("a", 1, Act.CANCEL_APPOINTMENT, "b", "c"): exists,
        Move("a", 1, "b", "c", "d", Moved.SLOT): none,
        Move("a", 1, "b", "c", "d", Moved.APPOINTMENT): exists,
        Reveal("a", 1, ("appointment.starts_at", "appointment.place"), "b", "c"): {
            Category.APPOINTMENT_TIME, Category.PLACE,
        },
        Declare("a", 1, (Category.BILLING, Category.MEDICAL), "b", "c"): {Category.BILLING, Category.MEDICAL},
        Say("a", 1, "public", "b"): none,
    }  # fmt: skip
    assert {step: told_by(step, BOOK) for step in told} == told


# --- the emergency line


URGENT = Flow("f", Channel.VOICE, "f.yaml", "a", "a", {}, "digest", emergency="urgent")
HEARD = Need(
    "heard:emergency",
    "is met by callers, which needs the emergency line « urgent » before it",
    "say « urgent » on every path to « a », before all else",
)
WORDLESS: list[Step] = [
    Branch("a", 1, "practice.is_open", "b", "c"),
    Switch("a", 1, "call.arrival", {}),
    Speak("a", 1, None, None, False, "b"),
    Go("a", 1, "b"),
    Run("a", 1, "subflow", {}),
    Leave("a", 1, "outlet"),
]


def test_p7_all_that_is_said_or_asked_needs_the_emergency_line_before_it_all_other_needs() -> None:
    for step in (Say("a", 1, "public", "b"), Choose("a", 1, "urgent", {}, "b", "b"), End("a", 1, "urgent")):
        assert needs(step, URGENT, BOOK, POLICY) == (HEARD,)
        assert needs_emergency(step, URGENT)
        assert needs(step, FLOW, BOOK, POLICY) == ()
        assert not needs_emergency(step, FLOW)
    assert needs(Disclose("a", 1, "time", "b", "c"), URGENT, BOOK, POLICY) == (
        HEARD,
        TIME,
        bound("names « appointment »"),
    )


@pytest.mark.parametrize("step", [Say("a", 1, "urgent", "b"), *WORDLESS], ids=lambda step: type(step).__name__)
def test_p7_what_says_the_line_and_what_says_nothing_needs_none_before_it(step: Step) -> None:
    assert needs(step, URGENT, BOOK, POLICY) == ()
    assert not needs_emergency(step, URGENT)
