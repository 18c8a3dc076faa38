"""The style sheet and the pages know the same classes: neither a rule without a page nor a class without a rule."""

from __future__ import annotations

import re

from callcenter.console.files import FOLDER
from callcenter.reports.values import Area, Outcome
from tests.unit.console.wording import CONSOLE

_CLASSES = re.compile(r'\b(?:class|cls)="((?:\{\{.*?\}\}|\{%.*?%\}|[^"])*)"|block shape %\}(.*?)\{%')
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")
#: By which tests find a list.
HOOKS = {"files"}


def of_the_sheet(text: str) -> set[str]:
    bare = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return {name for rule in re.findall(r"[^{}]+(?=\{)", bare) for name in re.findall(r"\.([a-z][\w-]*)", rule)}


def of_the_pages(*, written_only: bool) -> set[str]:
    """Classes of the templates.

    Arguments:
        written_only: without what an expression may say.
    """
    names: set[str] = set()
    for path in CONSOLE.glob("templates/*.html"):
        for one, shape in _CLASSES.findall(path.read_text(encoding="utf-8")):
            names |= set(re.findall(r"[\w-]+", _JINJA.sub(" ", one) if written_only else one + " " + shape))
    return names


def of_the_scripts() -> set[str]:
    strings = (
        string
        for path in FOLDER.glob("*.js")
        for string in re.findall(r"[\"'`]([^\"'`]*)[\"'`]", path.read_text(encoding="utf-8"))
    )
    return {name for string in strings for name in re.findall(r"[\w-]+", string)}


def test_every_rule_has_a_page_and_every_class_a_rule() -> None:
    sheet = of_the_sheet((FOLDER / "console.css").read_text(encoding="utf-8"))
    told = {one.value for values in (Area, Outcome) for one in values}
    assert len(sheet) > 100
    assert sheet - of_the_pages(written_only=False) - of_the_scripts() - told == set()
    assert of_the_pages(written_only=True) - sheet - HOOKS == set()


def test_a_rule_is_seen_wherever_it_stands() -> None:
    assert of_the_sheet("/* .no { } */ .a, p.b > .c:hover { x: 1.5rem } @media (x) { .d { } }") == {"a", "b", "c", "d"}
