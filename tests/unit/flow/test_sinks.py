"""Where the words of prompts go, and what may be named there."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from callcenter.calls.flows import load_flows
from callcenter.disclosure.policy import Policy, SmsRule, load_policy
from callcenter.flow.prompts import Prompt, PromptBook
from callcenter.flow.said import PRESENCE_PROMPTS, PROVE_PROMPTS, QUEUE_PROMPTS
from callcenter.flow.sinks import (
    GIVEN_FIELDS,
    HOUSE_SCREENS,
    SINKS,
    TEXTS,
    Sink,
    house_problems,
    may_be_texted,
    sink_fault,
    sink_of,
)
from callcenter.flow.template import parse
from callcenter.kernel.errors import DataProblems
from callcenter.kernel.labels import FIELD_LABELS, Category

ROOT = Path(__file__).parents[3]
BOOK = PromptBook.load(ROOT / "flows/prompts/fr.yaml")
POLICY = load_policy(ROOT / "config/disclosure-policy.yaml")


def prompt(key: str, text: str) -> Prompt:
    parts, faults = parse(text)
    assert not faults
    return Prompt(key, text, parts)


def book_with(*prompts: Prompt) -> PromptBook:
    return replace(BOOK, prompts={**BOOK.prompts, **{one.key: one for one in prompts}})


def problems_of(key: str, text: str, policy: Policy = POLICY) -> list[str]:
    return [problem.what for problem in house_problems(book_with(prompt(key, text)), policy)]


# --- the table is whole


def said_above_the_flow() -> set[str]:
    """Every key of the book that stands in the code of a room above ``flow``."""
    keys: set[str] = set()
    for file in (ROOT / "callcenter").rglob("*.py"):
        if file.parent.name in {"app", "calls", "console", "notices", "telephony"}:
            nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            keys |= {str(node.value) for node in nodes if isinstance(node, ast.Constant)} & set(BOOK)
    return {key for key in keys if "." in key}


def test_p9_whatever_is_said_outside_a_step_stands_in_the_table() -> None:
    assert said_above_the_flow() <= SINKS.keys()
    assert said_above_the_flow() >= {"queue.sent", "queue.consult", "queue.offer", "text.code", "text.appointment"}


def test_p9_the_table_names_every_prompt_of_a_wait_a_whisper_our_call_and_a_text() -> None:
    elsewhere = {key for key in BOOK if key.startswith(("queue.", "prove.", "text."))}
    assert elsewhere | set(HOUSE_SCREENS) == SINKS.keys()
    assert SINKS.keys() >= {*QUEUE_PROMPTS, *PROVE_PROMPTS, *PRESENCE_PROMPTS}
    assert {sink_of(key) for key in (*PROVE_PROMPTS, *PRESENCE_PROMPTS)} == {Sink.OUR_CALL}
    assert {key for key, sink in SINKS.items() if sink is Sink.TEXT} == TEXTS.keys()
    assert {key for key, sink in SINKS.items() if sink is Sink.WHISPER} == {
        *("queue.offer", "queue.offer_callback", "queue.sent", "queue.consult")
    }


def test_p9_a_field_of_one_place_is_public_and_is_known_in_one_place() -> None:
    fields = [field for given in GIVEN_FIELDS.values() for field in given]
    assert len(fields) == len(set(fields))
    assert all(FIELD_LABELS[field] is Category.PUBLIC for field in fields)


def test_p9_no_prompt_and_so_no_field_reaches_an_email() -> None:
    """Notices hold counts: they are made of numbers and of what is public, and the room of notices has no prompt but
    the one of reminders, which is a text."""
    asking = [
        file.name
        for file in (ROOT / "callcenter/notices").glob("*.py")
        if "callcenter.flow" in file.read_text(encoding="utf-8")
    ]
    assert asking == ["reminders.py"]


# --- what may be named where


@pytest.mark.parametrize("key", sorted(SINKS.keys() - TEXTS.keys()))
def test_p9_nothing_about_a_patient_is_heard_where_nothing_is_proved(key: str) -> None:
    hidden = "Bonjour.{% if practice.is_open %}{% if not appointment.place %}!{% endif %}{% endif %}"
    fault = sink_fault("x", prompt(key, hidden))
    assert fault is not None
    assert f"{SINKS[key]} of step « x » says the prompt « {key} », which names appointment.place (D06): " in fault.what
    assert fault.mend == "take the field out of the prompt"
    assert sink_fault(None, prompt(key, "Bonjour.")) is None


@pytest.mark.parametrize(
    ("key", "text", "unknown"),
    [
        ("queue.offer", "{{ practice.name }}", None),
        ("queue.before", "{{ queue.others }}", None),
        ("queue.offer", "{{ queue.others }}", "queue.others"),
        (
            "queue.next",
            "{% if caller.number_withheld %}!{% endif %}{{ queue.range }}",
            "caller.number_withheld, queue.ran",
        ),
        ("prove.presence", "{{ practice.spoken_name }}", None),
        ("prove.presence", "{{ practice.address }}", "practice.address"),
        ("prove.return_call", "{{ practice.spoken_name }}", "practice.spoken_name"),
    ],
)
def test_only_what_is_known_there_can_be_said(key: str, text: str, unknown: str | None) -> None:
    fault = sink_fault("x", prompt(key, text))
    assert (fault is None) if unknown is None else (fault is not None and f"which names {unknown}" in fault.what)


def test_the_callers_line_and_the_operators_screen_are_proven_elsewhere() -> None:
    assert sink_of("appointment_summary") is Sink.LINE
    assert sink_fault("x", BOOK["appointment_summary"]) is None


# --- outside every flow


def test_p9_the_shipped_whispers_and_texts_tell_no_more_than_they_may() -> None:
    assert house_problems(BOOK, POLICY) == []


def sms(policy: Policy, category: Category, rule: SmsRule) -> Policy:
    return replace(policy, rules={**policy.rules, category: replace(policy.rules[category], sms=rule)})


def test_p9_a_text_tells_what_the_policy_lets_be_pushed() -> None:
    closed = sms(POLICY, Category.APPOINTMENT_TIME, SmsRule.NEVER)
    [problem] = house_problems(BOOK, closed)
    assert problem.file == BOOK.file
    assert problem.line == BOOK["text.appointment"].line > 0
    assert problem.what == (
        "the text message « text.appointment » names appointment.starts_at (D03), "
        "which the policy lets no text message tell"
    )


@pytest.mark.parametrize("rule", [SmsRule.PUSH_IF_NEUTRAL, SmsRule.NEVER])
def test_p9_what_a_category_implies_is_not_pushed_either(rule: SmsRule) -> None:
    assert house_problems(BOOK, sms(POLICY, Category.APPOINTMENT_EXISTS, rule))


def test_p9_a_policy_that_opens_more_than_the_gate_opens_nothing() -> None:
    """A telephone on file may be shared: who the practitioner is does not go there, whatever the policy says."""
    opened = sms(POLICY, Category.PRACTITIONER, SmsRule.PUSH)
    assert not may_be_texted(frozenset({Category.PRACTITIONER}), opened)
    [told] = problems_of("text.appointment", "Avec {{ appointment.practitioner }}.", opened)
    assert "names appointment.practitioner (D04), which the policy lets no text message tell" in told


@pytest.mark.parametrize(
    ("key", "text", "what"),
    [
        (
            "text.code",
            "{{ code.digits }} {{ appointment.starts_at | written_day }}",
            "and no gate is asked before it is",
        ),
        ("text.code", "{{ code.digits }} {{ practice.name }}", "names practice.name: not known there"),
        ("text.appointment", "{{ slot.starts_at | written_day }}", "names slot.starts_at: not known there"),
        ("text.appointment", "{{ code.digits }}", "names code.digits: not known there"),
        ("text.appointment", "Un rendez-vous.", "does not always say appointment.starts_at, for which it is sent"),
        (
            "text.appointment",
            "{% if text.number %}{{ appointment.starts_at | written_day }}{% endif %}",
            "does not always say appointment.starts_at, for which it is sent",
        ),
        (
            "text.appointment",
            "{{ appointment.starts_at | written_day }}. STOP au {{ text.stop_number }}",
            "names text.stop_number: there may be none",
        ),
        (
            "text.appointment",
            "{{ appointment.starts_at | written_day }}. Répondez {{ text.stop_word }}",
            "names text.stop_word: there may be none",
        ),
        ("text.code", "Un code est là.", "does not always say code.digits, for which it is sent"),
        (
            "text.code",
            "{% if code.minutes %}{{ code.digits }}{% endif %}",
            "does not always say code.digits, for which it is sent",
        ),
        ("queue.sent", "{{ appointment.practitioner }}", "the whisper says the prompt « queue.sent », which names"),
        (
            "queue.consult",
            "{{ queue.range }}",
            "the whisper says the prompt « queue.consult », which names queue.range",
        ),
    ],
)
def test_p9_a_text_or_a_whisper_that_tells_more_is_refused(key: str, text: str, what: str) -> None:
    [told] = problems_of(key, text)
    assert what in told


def test_a_text_in_another_language_says_what_it_is_sent_for_too() -> None:
    english = {**BOOK.translations["en"], "text.code": replace(prompt("text.code", "A code."), line=7)}
    [problem] = house_problems(replace(BOOK, translations={"en": english}), POLICY)
    assert problem.file == BOOK.file.replace("fr.yaml", "en.yaml")
    assert (problem.line, "does not always say code.digits" in problem.what) == (7, True)


@pytest.mark.parametrize("key", HOUSE_SCREENS)
@pytest.mark.parametrize("text", ["{{ practice.name }}", "{% if practice.is_open %}!{% endif %}"])
def test_p7_what_a_screen_shows_by_itself_names_nothing(key: str, text: str) -> None:
    """It has no values there: in an emergency there would be an error instead of the words."""
    [told] = problems_of(key, text)
    assert f"the screen outside every step says the prompt « {key} », which names practice." in told
    assert problems_of(key, "Raccrochez et faites le 15.") == []


@pytest.mark.parametrize("key", ["queue.sent", "queue.consult", *HOUSE_SCREENS, *TEXTS])
def test_a_book_without_them_is_refused_before_a_call_misses_them(key: str) -> None:
    book = replace(BOOK, prompts={name: one for name, one in BOOK.prompts.items() if name != key})
    [problem] = house_problems(book, POLICY)
    assert f"a prompt « {key} » that is not in" in problem.what


def test_p9_no_server_starts_with_a_text_that_tells_more(tmp_path: Path) -> None:
    words = (ROOT / "flows/prompts/fr.yaml").read_text(encoding="utf-8")
    told = words.replace("Infos : {{ text.number }}.", "Avec {{ appointment.practitioner }}.")
    assert told != words
    (tmp_path / "fr.yaml").write_text(told, encoding="utf-8")
    english = (ROOT / "flows/prompts/en.yaml").read_text(encoding="utf-8")
    (tmp_path / "en.yaml").write_text(english.replace("{{ text.number }}", "{{ appointment.practitioner }}"), "utf-8")
    with pytest.raises(DataProblems, match=r"names appointment.practitioner \(D04\), which the policy lets no text"):
        load_flows(ROOT / "flows", "accueil", tmp_path / "fr.yaml", ROOT / "config/disclosure-policy.yaml")
