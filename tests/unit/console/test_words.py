"""Whatever the pages say is said in every language, and nothing else stands in the catalogues.

``make words`` adds what is missing to the catalogues, without words, and takes out what no page says any more.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from callcenter.console.words import FOLDER, Language, asked_language, translations
from tests.unit.console.wording import CONSOLE, Key, Translated, messages, placeholders, translated, written

ENGLISH = FOLDER / "en"
FILES = {path.stem: path for path in sorted(ENGLISH.glob("*.po"))}

#: What is the same in every language.
NAMES = frozenset({"callcenter", "Alt"})
#: The block of a template that names a class.
SHAPE = "shape"


@pytest.fixture(scope="module")
def found() -> dict[Key, object]:
    if os.environ.get("CALLCENTER_DOCS") == "write":
        for area, text in written(FILES, messages()).items():
            (ENGLISH / f"{area}.po").write_bytes(text)
    return dict(messages())


def entries() -> list[Translated]:
    return [entry for path in sorted(ENGLISH.glob("*.po")) for entry in translated(path)]


def faults(found: set[Key], entries: list[Translated]) -> list[str]:
    """What is wrong with the translations of some messages."""
    said: dict[Key, set[tuple[str, ...]]] = defaultdict(set)
    wrong = []
    for entry in entries:
        said[entry.key].add(entry.forms)
        if entry.key not in found:
            wrong.append(f"{entry.file}: no page says it any more: {entry.one}")
        if entry.fuzzy or not all(form.strip() for form in entry.forms):
            wrong.append(f"{entry.file}: not translated: {entry.one}")
            continue
        # One of a plural may leave its number out: « one person waits ».
        allowed = [placeholders(entry.one)] if entry.many is None else [placeholders(entry.many)]
        if placeholders(entry.forms[-1]) not in allowed:
            wrong.append(f"{entry.file}: filled in with something else: {entry.one}")
        if entry.many is not None and placeholders(entry.forms[0]) not in (placeholders(entry.one), *allowed):
            wrong.append(f"{entry.file}: filled in with something else: {entry.one}")
        if (entry.one[:1].isspace(), entry.one[-1:].isspace()) != (
            entry.forms[0][:1].isspace(),
            entry.forms[0][-1:].isspace(),
        ):
            wrong.append(f"{entry.file}: other spaces around: {entry.one}")
    wrong += [f"said in two ways: {key[0]}" for key, ways in said.items() if len(ways) > 1]
    wrong += [f"in no catalogue: {one}" for one, many in found if (one, many) not in said]
    return wrong


def test_every_message_is_translated_and_nothing_else(found: dict[Key, object]) -> None:
    assert len(found) > 150
    assert faults(set(found), entries()) == [], "make words adds what is missing; then translate it"


def test_the_catalogues_stand_as_they_are_written(found: dict[Key, object]) -> None:
    """So that « make words » changes what is to be changed, and no other line."""
    stale = [area for area, text in written(FILES, messages()).items() if FILES[area].read_bytes() != text]
    assert stale == [], "make words puts them in order"


@pytest.mark.parametrize(
    ("forms", "fault"),
    [
        (("One of %(count)s",), "filled in with something else"),
        (("",), "not translated"),
        (("For %(name)s, 100 %",), "filled in with something else"),
        ((" For %(name)s",), "other spaces around"),
    ],
)
def test_a_translation_that_would_fail_is_seen(forms: tuple[str, ...], fault: str) -> None:
    one = Translated("x.po", "Pour %(name)s", None, forms, fuzzy=False)
    assert [fault in wrong for wrong in faults({one.key}, [one])] == [True]


def test_what_is_missing_stale_fuzzy_or_said_in_two_ways_is_seen() -> None:
    good = Translated("x.po", "Pour", None, ("For",), fuzzy=False)
    assert faults({good.key}, [good]) == []
    assert faults({good.key, ("Non", None)}, [good]) == ["in no catalogue: Non"]
    assert faults(set(), [good]) == ["x.po: no page says it any more: Pour"]
    other = Translated("y.po", "Pour", None, ("To",), fuzzy=False)
    assert faults({good.key}, [good, other]) == ["said in two ways: Pour"]
    assert faults({good.key}, [Translated("x.po", "Pour", None, ("For",), fuzzy=True)]) == [
        "x.po: not translated: Pour"
    ]


def test_messages_are_found_in_templates_and_code(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    page = "{% trans n=many %}Un{% pluralize %}{{ n }} autres{% endtrans %} {{ _('Deux') }} {{ _(chosen) }}"
    (tmp_path / "templates" / "page.html").write_text(page, encoding="utf-8")
    (tmp_path / "page.py").write_text('X = marked("Trois")\nwords.gettext("Quatre")\n', encoding="utf-8")
    assert set(messages(tmp_path)) == {("Un", "%(n)s autres"), ("Deux", None), ("Trois", None), ("Quatre", None)}


def test_nothing_is_said_past_the_catalogues() -> None:
    """Between the tags of a template, and in the attributes that are read aloud, no word stands by itself."""
    assert {path.name: bare(path.read_text(encoding="utf-8")) for path in CONSOLE.glob("templates/*.html")} == {
        path.name: [] for path in CONSOLE.glob("templates/*.html")
    }


@pytest.mark.parametrize("line", ["<p>Bonjour</p>", '<a href="/" aria-label="Accueil">', '<p title="Oui">', "<p\n>Non"])
def test_a_word_past_the_catalogues_is_seen(line: str) -> None:
    assert bare(line) != []
    assert bare(f'<p class="soft">{{% trans %}}{line}{{% endtrans %}}</p>') == []


_SPOKEN = re.compile(r'\b(?:aria-label|title|alt|placeholder|content|data-[a-z-]+)="([^"]*)"?')
_TAG = re.compile(
    r'<!--.*?-->|<(?:script|style|code|kbd)\b.*?</(?:script|style|code|kbd)>|</?[a-z!][^>]*>?|\baria-[a-z]+="[^"]*"',
    re.S,
)
_WORD = re.compile(r"[A-Za-zÀ-ÿ]{2,}")
#: Attributes that name things for scripts, and heads for browsers.
_UNREAD = re.compile(r"width=|light dark|0; url=")


def bare(template: str) -> list[str]:
    """Words of a template that stand outside of messages."""
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    parsed = environment.parse(template)
    for block in parsed.find_all(nodes.Block):
        block.body = [] if block.name == SHAPE else block.body
    # What is made by an expression leaves a mark, so that a tag around it stays one tag.
    whole = "".join(
        part.data if isinstance(part, nodes.TemplateData) else "\x00"
        for output in parsed.find_all(nodes.Output)
        for part in output.nodes
    )
    spoken = [words for words in _SPOKEN.findall(whole) if " " in words or words[:1].isupper()]
    read = [words for words in spoken if not _UNREAD.search(words)] + [_TAG.sub(" ", whole)]
    return [word for words in read for word in _WORD.findall(words) if word not in NAMES]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "fr"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("fr-FR, fr;q=0.9, en;q=0.8", "fr"),
        ("en;q=0.8, fr;q=0.9", "fr"),
        ("de, en;q=0.7, fr;q=0.3", "en"),
        ("de", "fr"),
        ("en;q=0", "fr"),
        ("en;q=x", "fr"),
        ("de," * 2000 + "en", "fr"),
        ("*", "fr"),
        ("EN", "en"),
    ],
)
def test_a_browser_is_answered_in_its_language(header: str, language: str) -> None:
    assert asked_language(header) is Language(language)


def test_numbers_are_counted_as_each_language_does() -> None:
    one, many = "%(count)s cabinet", "%(count)s cabinets"
    french, english = translations(Language.FRENCH), translations(Language.ENGLISH)
    assert [french.ngettext(one, many, n) for n in (0, 1, 2)] == [one, one, many]
    assert [english.ngettext(one, many, n) for n in (0, 1, 2)] == [
        "%(count)s practices",
        "%(count)s practice",
        "%(count)s practices",
    ]
