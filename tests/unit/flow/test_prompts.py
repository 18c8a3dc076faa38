"""Prompts: a closed language, labels from fields, words from values."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from callcenter.flow.prompts import Prompt, PromptBook
from callcenter.flow.said import CALLBACK_PROMPTS, ENGINE_PROMPTS, VERIFY_PROMPTS
from callcenter.flow.words import MOMENT_FIELDS, YES_NO_FIELDS, PromptError
from callcenter.kernel.errors import DataProblems, Problem
from callcenter.kernel.labels import FIELD_LABELS, Category

SHIPPED = Path(__file__).parents[3] / "flows" / "prompts" / "fr.yaml"
SUMMARY = (
    "Rendez-vous : {{ appointment.starts_at | spoken_datetime -}}\n"
    "{% if appointment.practitioner %}, {{ appointment.practitioner | spoken_name }}{% endif %}."
)
AT = datetime(2026, 12, 1, 14, 30)  # noqa: DTZ001 - only its parts are said


def book_of(folder: Path, entry: object) -> PromptBook:
    file = folder / "book.yaml"
    file.write_text(json.dumps({"prompts": {"x": entry}}, ensure_ascii=False), encoding="utf-8")
    return PromptBook.load(file)


def prompt_of(folder: Path, entry: object) -> Prompt:
    return book_of(folder, entry)["x"]


def refused(folder: Path, entry: object) -> list[Problem]:
    with pytest.raises(DataProblems) as refusal:
        book_of(folder, entry)
    return list(refusal.value.problems)


# --- labels


def test_labels_come_from_every_field_conditions_included_with_what_they_imply(tmp_path: Path) -> None:
    prompt = prompt_of(tmp_path, "{% if appointment.practitioner %}Bonjour {{ practice.name }}{% endif %}")
    assert prompt.fields == {"appointment.practitioner", "practice.name"}
    assert prompt.told == {Category.PRACTITIONER, Category.PUBLIC}
    assert prompt.categories == {Category.PRACTITIONER, Category.APPOINTMENT_EXISTS, Category.PUBLIC}
    assert not prompt.is_public
    assert prompt_of(tmp_path, "{{ practice.name }}").is_public
    assert prompt_of(tmp_path, "Bonjour.").categories == frozenset()


def test_a_comment_and_raw_text_name_no_field(tmp_path: Path) -> None:
    prompt = prompt_of(tmp_path, "{# {{ appointment.place }} #}Bonjour {% raw %}{{ appointment.place }}{% endraw %}")
    assert prompt.fields == frozenset()
    assert prompt.render({"appointment.place": "Aile B"}) == "Bonjour {{ appointment.place }}"


def test_every_kind_of_field_exists() -> None:
    assert FIELD_LABELS.keys() >= YES_NO_FIELDS | MOMENT_FIELDS
    assert all(FIELD_LABELS[field] is Category.PUBLIC for field in YES_NO_FIELDS)


# --- the sandbox


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{{ appointment.place() }}", "(call)"),
        ("{{ range(9) }}", "(call)"),
        ("{{ appointment['place'] }}", "(getitem)"),
        ("{{ 'Lyon' }}", "(const)"),
        ("{{ practice.name ~ appointment.place }}", "(concat)"),
        ("{{ practice.name if practice.is_open }}", "(condexpr)"),
        ("{% include 'x' %}", "(include)"),
        ("{% import 'x' as y %}", "(import)"),
        ("{% extends 'x' %}", "(extends)"),
        ("{% macro m() %}{% endmacro %}", "(macro)"),
        ("{% set a = 1 %}", "it sets a variable « a »"),
        ("{% for a in practice.name %}{% endfor %}", "it loops over practice.name: what a loop says cannot be proven"),
        ("{% for a in [1] %}{% endfor %}", "it loops over something: "),
        ("{% filter upper %}a{% endfilter %}", "(filterblock)"),
        ("{% if not (not practice.is_open) %}a{% endif %}", "(not)"),
        ("{% if practice.is_open and practice.access %}a{% endif %}", "(and)"),
        ("{% if practice.name == 'x' %}a{% endif %}", "(compare)"),
        ("{% if practice.name is defined %}a{% endif %}", "(test)"),
        ("{% if practice.is_open %}a{% else %}{{ f() }}{% endif %}", "(call)"),
        ("{% if practice.is_open %}a{% elif f() %}b{% endif %}", "(call)"),
        ("{% if practice.is_open %}a{% elif practice.access %}b{% else %}{{ f() }}{% endif %}", "(call)"),
        ("{% if practice.is_open %}{{ appointment.secret }}{% endif %}", "« appointment.secret » is not a field"),
        ("{{ appointment }}", "« appointment » is not a field"),
        ("{{ appointment.place.__class__ }}", "« appointment.place.__class__ » is not a field"),
        ("{{ self }}", "« self » is not a field"),
        ("{{ appointment.place | upper }}", "« upper » is not a filter"),
        ("{{ appointment.place | attr('x') }}", "« attr » is given arguments"),
        ("{{ appointment.place | spoken_name('x') }}", "« spoken_name » is given arguments"),
        ("{{ appointment.place | spoken_name(a='x') }}", "« spoken_name » is given arguments"),
        ("{{ appointment.place | spoken_name(*'x') }}", "« spoken_name » is given arguments"),
        ("{{ appointment.place | spoken_name(**'x') }}", "« spoken_name » is given arguments"),
        ("{{ appointment.place | spoken_name | spoken_phone }}", "(filter)"),
        ("{{ appointment.starts_at }}", "is a date and time"),
        ("{{ appointment.starts_at | spoken_name }}", "is a date and time"),
        ("{{ appointment.place | spoken_date }}", "is not a date and time"),
        ("{{ practice.is_open }}", "yes or no"),
        ("{{ practice.name", "not readable"),
        ("{% if practice.is_open %}a", "not readable"),
        ("{{ " + "(" * 1900, "deeply"),
    ],
)
def test_anything_else_is_refused_with_line_and_mend(tmp_path: Path, text: str, what: str) -> None:
    problems = refused(tmp_path, text)
    assert any(what in problem.what for problem in problems), problems
    assert all(problem.line == 1 and problem.mend and "prompt « x »" in problem.what for problem in problems)


HIDDEN = "appointment.practitioner (D04)"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{% set x = appointment.practitioner %}", f"it sets a variable « x », which may hold {HIDDEN}"),
        ("{% set x, y = 1, appointment.practitioner %}", f"« x, y », which may hold {HIDDEN}"),
        ("{% set x %}{{ appointment.practitioner }}{% endset %}", f"« x », which may hold {HIDDEN}"),
        ("{% set x = appointment.practitioner %}{{ x }}", f"it says or asks a variable « x », which may hold {HIDDEN}"),
        ("{% set x = appointment.practitioner %}{% if x %}!{% endif %}", f"a variable « x », which may hold {HIDDEN}"),
        ("{% set x = appointment.practitioner %}{% set y = x %}", f"variable « y », which may hold {HIDDEN}"),
        ("{% set x = appointment.practitioner %}{{ x.title() }}", f"(call), and names {HIDDEN} in it"),
        ("{% set x = appointment %}{{ x.practitioner }}", "« x.practitioner », which may hold appointment (D03 D04"),
        ("{% with x = appointment.practitioner %}{{ x }}{% endwith %}", f"(with), and names {HIDDEN} in it"),
        ("{% for x in appointment.practitioner %}{{ x }}{% endfor %}", f"it loops over {HIDDEN}: what a loop"),
        ("{% for x in practice.name %}{{ appointment.practitioner }}{% endfor %}", f"names {HIDDEN} inside: what"),
        ("{% for x in practice.name %}{% else %}{{ appointment.practitioner }}{% endfor %}", f"names {HIDDEN} inside:"),
        ("{% for x in appointment.all %}{{ x }}{% endfor %}", "it loops over appointment.all (D03 D04 D05 D06): what"),
        ("{% for x in practice.name ~ appointment.place %}{% endfor %}", "over appointment.place (D06), practice.name"),
        ("{{ practice.name | default(appointment.practitioner) }}", f"« default » is given {HIDDEN}"),
        ("{{ practice.name | default(x=appointment.practitioner) }}", f"« default » is given {HIDDEN}"),
        ("{{ practice.name | default(*appointment.practitioner) }}", f"« default » is given {HIDDEN}"),
        ("{{ practice.name | default(**appointment.practitioner) }}", f"« default » is given {HIDDEN}"),
        ("{{ appointment['practitioner'] }}", f"(getitem), and names {HIDDEN} in it"),
        ("{{ appointment['practitioner'] | spoken_name }}", f"(getitem), and names {HIDDEN} in it"),
        ("{% if appointment['practitioner'] %}!{% endif %}", f"(getitem), and names {HIDDEN} in it"),
        ("{{ appointment[practice.name] }}", "(getitem), and names appointment (D03 D04 D05 D06) in it"),
        ("{{ practice[appointment.practitioner] }}", f"(getitem), and names {HIDDEN} in it"),
        ("{{ practice[1][appointment.practitioner] }}", f"(getitem), and names {HIDDEN} in it"),
        ("{{ practice.name ~ appointment.practitioner }}", f"(concat), and names {HIDDEN} in it"),
        ("{% if practice.is_open and appointment.practitioner %}!{% endif %}", f"(and), and names {HIDDEN} in it"),
        ("{% if practice.is_open or appointment.practitioner %}!{% endif %}", f"(or), and names {HIDDEN} in it"),
        ("{{ 'a' if appointment.practitioner else 'b' }}", f"(condexpr), and names {HIDDEN} in it"),
        ("{% macro m(x=appointment.practitioner) %}{% endmacro %}", f"(macro), and names {HIDDEN} in it"),
        ("{% call f() %}{{ appointment.practitioner }}{% endcall %}", f"(callblock), and names {HIDDEN} in it"),
        ("{% filter upper %}{{ appointment.practitioner }}{% endfilter %}", f"(filterblock), and names {HIDDEN} in"),
        ("{% include appointment.practitioner %}", f"(include), and names {HIDDEN} in it"),
        ("{{ f(appointment.practitioner).x }}", f"(getattr), and names {HIDDEN} in it"),
    ],
)
def test_p9_what_is_refused_says_which_label_it_hides(tmp_path: Path, text: str, what: str) -> None:
    problems = refused(tmp_path, text)
    assert any(what in problem.what for problem in problems), problems


@pytest.mark.parametrize(
    "entry", ["", "   ", 3, None, [], {"text": "a", "optionnal": []}, {"optional": []}, "a" * 2001]
)
def test_a_prompt_that_is_no_prompt_is_refused(tmp_path: Path, entry: object) -> None:
    assert len(refused(tmp_path, entry)) == 1


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "book.yaml"
    file.write_text(
        "prompts:\n  a: '{{ x.y }}'\n  b: fine\n  c: '{{ f() }} {{ appointment.place | up }}'\n", encoding="utf-8"
    )
    with pytest.raises(DataProblems) as refusal:
        PromptBook.load(file)
    assert [problem.line for problem in refusal.value.problems] == [2, 4, 4]


def test_a_field_that_may_be_left_out_is_said_inside_an_if_of_its_own(tmp_path: Path) -> None:
    optional = ["appointment.practitioner"]
    assert prompt_of(tmp_path, {"text": SUMMARY, "optional": optional}).optional == frozenset(optional)
    outside = "{{ appointment.practitioner }}{% if appointment.practitioner %}{{ appointment.practitioner }}{% endif %}"
    inside_another = "{% if practice.is_open %}{{ appointment.practitioner }}{% endif %}"
    for text in (outside, inside_another):
        [problem] = refused(tmp_path, {"text": text, "optional": optional})
        assert "outside an « if » of its own" in problem.what
    [problem] = refused(tmp_path, {"text": "Bonjour", "optional": optional})
    assert "does not name it" in problem.what


ABSENT = "{% if appointment.practitioner %}Avec{% else %}Sans{% endif %}"


def test_p9_both_ways_of_a_condition_and_the_condition_itself_have_their_labels(tmp_path: Path) -> None:
    said_otherwise = "{% if practice.is_open %}a{% elif practice.access %}b{% else %}{{ appointment.place }}{% endif %}"
    assert prompt_of(tmp_path, said_otherwise).fields == {"practice.is_open", "practice.access", "appointment.place"}
    asked = "{% if practice.is_open %}a{% elif appointment.place %}b{% endif %}"
    assert prompt_of(tmp_path, asked).fields == {"practice.is_open", "appointment.place"}
    negated = "{% if not appointment.place %}a{% endif %}"
    assert prompt_of(tmp_path, negated).fields == {"appointment.place"}
    assert prompt_of(tmp_path, ABSENT).told == {Category.PRACTITIONER}


def test_what_may_be_left_out_is_not_said_where_it_is_missing(tmp_path: Path) -> None:
    name = "practice.access"
    for text in (
        "{% if practice.access %}a{% else %}{{ practice.access }}{% endif %}",
        "{% if not practice.access %}{{ practice.access }}{% endif %}",
        "{% if practice.is_open %}a{% elif practice.name %}{{ practice.access }}{% endif %}",
        "{% if practice.access %}{% if not practice.access %}{{ practice.access }}{% endif %}{% endif %}",
    ):
        [problem] = refused(tmp_path, {"text": text, "optional": [name]})
        assert "outside an « if » of its own" in problem.what
    for text in (
        "{% if not practice.access %}a{% else %}{{ practice.access }}{% endif %}",
        "{% if practice.is_open %}a{% elif practice.access %}{{ practice.access }}{% endif %}",
    ):
        assert prompt_of(tmp_path, {"text": text, "optional": [name]}).optional == {name}


def test_p9_that_something_is_withheld_has_no_words_of_its_own(tmp_path: Path) -> None:
    inside = "{% if practice.is_open %}{% if not appointment.practitioner %}Sans{% endif %}{% endif %}"
    behind = "{% if practice.is_open %}a{% elif appointment.practitioner %}{% else %}b{% endif %}"
    for text in (ABSENT, inside, behind):
        [problem] = refused(tmp_path, {"text": text, "optional": ["appointment.practitioner"]})
        assert "that something is withheld must not be heard" in problem.what
    assert prompt_of(tmp_path, {"text": "{% if not practice.access %}a{% endif %}", "optional": ["practice.access"]})


# --- words


def test_one_way_or_the_other_is_said(tmp_path: Path) -> None:
    text = "{% if practice.is_open %}a{% elif not practice.access %}b{% elif practice.name %}c{% else %}d{% endif %}"
    prompt = prompt_of(tmp_path, {"text": text, "optional": ["practice.access", "practice.name"]})
    said = [
        prompt.render({"practice.is_open": is_open, "practice.access": access, "practice.name": name})
        for is_open, access, name in ((True, "x", "x"), (False, "", "x"), (False, "x", "x"), (False, "x", ""))
    ]
    assert said == ["a", "b", "c", "d"]


def test_rendered_with_and_without_what_is_optional(tmp_path: Path) -> None:
    prompt = prompt_of(tmp_path, {"text": SUMMARY, "optional": ["appointment.practitioner"]})
    values = {"appointment.starts_at": AT, "appointment.practitioner": "Dr Claire MOREAU", "appointment.place": "B"}
    today = date(2026, 11, 26)
    full = "Rendez-vous : mardi 1er décembre, 14 heures 30, docteur Claire Moreau."
    assert prompt.render(values, today=today) == full
    left_out = "Rendez-vous : mardi 1er décembre, 14 heures 30."
    assert prompt.render({**values, "appointment.practitioner": None}, today=today) == left_out
    assert prompt.render({"appointment.starts_at": AT}, today=today) == left_out
    assert "deux mille vingt-six, 14 heures 30." in prompt.render({"appointment.starts_at": AT})


def test_a_value_that_is_missing_or_of_another_kind_is_never_said(tmp_path: Path) -> None:
    prompt = prompt_of(tmp_path, SUMMARY)
    with pytest.raises(PromptError, match=r"misses appointment\.practitioner"):
        prompt.render({"appointment.starts_at": AT, "appointment.practitioner": None})
    for value in ("canary", 1962, ["canary"]):
        with pytest.raises(PromptError) as refusal:
            prompt.render({"appointment.starts_at": value, "appointment.practitioner": "x"})
        assert str(value) not in str(refusal.value)


def test_an_if_on_no_or_on_nothing_is_not_said(tmp_path: Path) -> None:
    prompt = prompt_of(
        tmp_path, "{% if practice.is_open %}Ouvert.{% endif %} {% if practice.access %}Accès.{% endif %}"
    )
    assert prompt.render({"practice.is_open": True, "practice.access": ""}) == "Ouvert."
    assert prompt.render({"practice.is_open": False, "practice.access": "Métro"}) == "Accès."


def test_a_value_is_said_and_never_read_as_a_template(tmp_path: Path) -> None:
    prompt = prompt_of(tmp_path, "{{ practice.name }} & co")
    assert prompt.render({"practice.name": "{{ practice.address }} <b>"}) == "{{ practice.address }} <b> & co"


def test_white_space_is_collapsed_and_no_break_spaces_stay(tmp_path: Path) -> None:
    prompt = prompt_of(tmp_path, "  Un\n  mot\t\u00a0;\n\n deux. ")
    assert prompt.render({}) == "Un mot \u00a0; deux."


def test_what_is_always_said_leaves_conditions_out(tmp_path: Path) -> None:
    text = "Le 15. {% if practice.is_open %}Le 112.{% endif %} Bonjour {{ practice.name }}."
    assert prompt_of(tmp_path, text).always_said == "Le 15. Bonjour ."
    either = "Le 15. {% if practice.is_open %}Le 112.{% else %}Le 112.{% endif %}"
    assert prompt_of(tmp_path, either).always_said == "Le 15."


def test_the_digest_follows_text_and_optional_fields(tmp_path: Path) -> None:
    optional = {"text": SUMMARY, "optional": ["appointment.practitioner"]}
    digests = {prompt_of(tmp_path, entry).digest for entry in (SUMMARY, SUMMARY + " ", optional)}
    assert len(digests) == 3
    assert prompt_of(tmp_path, SUMMARY).digest == prompt_of(tmp_path, {"text": SUMMARY}).digest


# --- the shipped book


def test_the_shipped_book_has_the_words_of_every_compound_step() -> None:
    book = PromptBook.load(SHIPPED)
    for key in (*ENGINE_PROMPTS, *VERIFY_PROMPTS, *CALLBACK_PROMPTS):
        assert book[key].is_public
    assert "absent" not in book
    assert len(book) == len(set(book))


def test_p6_the_words_of_verification_depend_on_nothing() -> None:
    book = PromptBook.load(SHIPPED)
    for key in VERIFY_PROMPTS:
        assert book[key].fields == frozenset()


def test_the_practitioner_is_optional_wherever_an_appointment_is_read() -> None:
    book = PromptBook.load(SHIPPED)
    reading = [book[key] for key in book if Category.PRACTITIONER in book[key].told]
    assert reading
    assert all(prompt.optional == {"appointment.practitioner"} for prompt in reading)
    known = {"appointment.starts_at": AT}
    assert all(prompt.render(known).endswith("14 heures 30.") for prompt in reading)


# --- translations

FLOWS = Path(__file__).parents[3] / "flows"


def translated(folder: Path, french: str, english: str) -> PromptBook:
    (folder / "fr.yaml").write_text(f"prompts:\n{french}", encoding="utf-8")
    (folder / "en.yaml").write_text(f"prompts:\n{english}", encoding="utf-8")
    return PromptBook.load(folder / "fr.yaml")


VISIT = "  visit: '{{ appointment.starts_at | spoken_datetime }}'\n"


def test_a_translation_lies_beside_the_book_and_is_said_in_its_language(tmp_path: Path) -> None:
    book = translated(tmp_path, "  a: Bonjour.\n" + VISIT, "  a: Hello.\n" + VISIT)
    assert [book.said("a", language).text for language in ("fr", "en", "de")] == ["Bonjour.", "Hello.", "Bonjour."]
    values = {"appointment.starts_at": datetime(2026, 12, 1, 14, 30, tzinfo=UTC)}
    said = [book.said("visit", one).render(values, today=date(2026, 11, 26)) for one in ("fr", "en")]
    assert said == ["mardi 1er décembre, 14 heures 30", "Tuesday 1 December, 2:30 pm"]


@pytest.mark.parametrize(
    ("english", "what"),
    [
        ("  b: Hello.\n", "« a » of .* is missing"),
        ("  a: Hello.\n  c: More.\n", "« c » is not in"),
        ("  a: '{{ appointment.starts_at | spoken_datetime }}'\n", "other fields of a patient"),
        ("  a: '{{ practice.name }}'\n", "names fields that it has not"),
        ("  a: {text: Hallo., language: de}\n", "no language « de » is spoken"),
    ],
)
def test_p9_a_translation_is_complete_and_tells_nothing_else(tmp_path: Path, english: str, what: str) -> None:
    with pytest.raises(DataProblems, match=what):
        translated(tmp_path, "  a: Bonjour.\n", english)


def test_the_shipped_translation_names_the_emergency_numbers_wherever_french_does() -> None:
    book = PromptBook.load(FLOWS / "prompts" / "fr.yaml")
    for key, prompt in book.prompts.items():
        english = book.said(key, "en")
        for number in ("15", "112", "114"):
            assert (number in prompt.text.split("{")[0].replace(".", " ").split()) <= (number in english.text), key
