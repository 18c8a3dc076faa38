"""French stands on every page as it is set in France, and English as it is in England."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from callcenter.console.words import FOLDER, Language, translations
from callcenter.speech.typography import set_in_french
from tests.unit.console.wording import CONSOLE, messages, translated

#: What no text of a page may hold, and how it is written instead.
FRENCH = {
    r"\w'\w": "the apostrophe is ’",
    r'"': "quotation marks are « »",
    r"\.\.\.": "the ellipsis is …",
    r"  ": "two spaces",
    r"[^\s(]([;!?»])|«\S": "a space stands before ; ! ? » and behind «",
    r"[^\s\d]:(\s|$)": "a space stands before the colon",
    r"\s[,.…]": "no space stands before a comma or a stop",
}
ENGLISH = {
    r"\w'\w": "the apostrophe is ’",
    r"\s[:;!?,.]": "no space stands before it",
    r"[«»]": "quotation marks are “ ”",
    r"\.\.\.": "the ellipsis is …",
}
#: A narrow or full space is missing between words and high punctuation, as a page shows them.
UNSET = re.compile(r"[ \t\n][:;!?»]|«[ \t\n]")
_BEYOND_WORDS = re.compile(r"\{#.*?#\}|\{%\s*trans\b.*?endtrans\s*%\}|\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", re.DOTALL)
#: Whoever sets words has this line.
IMPORTED = "from callcenter.speech.typography import"
#: Read out and not seen: it has no spaces.
_UNSEEN = '<span class="unseen"> : '


def faults(text: str, rules: dict[str, str]) -> list[str]:
    return [f"{mend}: {text}" for rule, mend in rules.items() if re.search(rule, text)]


def french() -> Iterator[str]:
    for entry in messages().values():
        yield from (form for form in (entry.one, entry.many) if form is not None)


def test_what_is_written_in_french_is_written_with_its_own_signs() -> None:
    written = list(french())
    assert len(written) > 1000
    assert [fault for text in written for fault in faults(text, FRENCH)] == []


def test_what_is_written_in_english_has_its_own_signs() -> None:
    forms = [form for path in (FOLDER / "en").glob("*.po") for entry in translated(path) for form in entry.forms]
    assert len(forms) > 1000
    assert [fault for form in forms for fault in faults(form, ENGLISH)] == []


def test_every_word_of_ours_is_set_where_it_is_shown() -> None:
    words = translations(Language.FRENCH)
    for entry in messages().values():
        said = [words.gettext(entry.one)] if entry.many is None else [words.ngettext(entry.one, entry.many, 2)]
        assert [text for text in said if UNSET.search(text)] == []


def test_no_template_has_punctuation_outside_its_words() -> None:
    """It would be French in every language: between two values stands ``sign(":")``, and round one ``quoted``."""
    wrong = []
    for path in sorted(CONSOLE.glob("templates/*.html")):
        words = _BEYOND_WORDS.sub("_", path.read_text(encoding="utf-8").replace(_UNSEEN, ""))
        wrong += [f"{path.name}: {line.strip()}" for line in words.splitlines() if re.search(r" [:;!?»]|[«»]", line)]
    assert wrong == []


@pytest.mark.parametrize(
    ("written", "as_set"),
    [
        ("Erreur : rien", "Erreur\u00a0: rien"),
        ("Sûr ? Oui ! Non ; si", "Sûr\u202f? Oui\u202f! Non\u202f; si"),
        ("« %(note)s »", "«\u00a0%(note)s\u00a0»"),
        ("J'ai lu d'abord : « l'appel »", "J’ai lu d’abord\u00a0: «\u00a0l’appel\u00a0»"),
        ("'seul' et l' 'autre", "'seul' et l' 'autre"),
        ("à 10:05, https://exemple.fr/?a", "à 10:05, https://exemple.fr/?a"),
    ],
)
def test_spaces_are_set_where_french_has_them(written: str, as_set: str) -> None:
    assert set_in_french(written) == as_set


def test_what_is_heard_is_not_set() -> None:
    """A voice, or a carrier that speaks for us, is handed the words as they are written."""
    package = CONSOLE.parent
    using = {
        path.relative_to(package).parts[0] for path in package.rglob("*.py") if IMPORTED in path.read_text("utf-8")
    }
    pictures = {
        path.relative_to(package / "flow").parts[0]
        for path in (package / "flow").rglob("*.py")
        if IMPORTED in path.read_text("utf-8")
    }
    assert using == {"console", "reports", "flow"}
    assert pictures == {"picture"}
