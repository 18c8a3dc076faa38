"""The tables of ``docs/flow-language.md``: which fields and filters a prompt may name, from what the loader knows."""

from __future__ import annotations

from datetime import datetime

from callcenter.flow.sinks import GIVEN_FIELDS, PASSING_FIELDS
from callcenter.flow.words import CASE_FIELDS, MOMENT_FIELDS, MOMENT_FILTERS, SCREEN_FIELDS, TEXT_FILTERS, YES_NO_FIELDS
from callcenter.kernel.labels import FIELD_LABELS, with_implied
from callcenter.speech import french

BEGIN_WORDS, END_WORDS = "<!-- made by make docs: fields and filters -->\n", "<!-- end of fields and filters -->\n"

#: Thursday 26 November 2026: what the filters are shown with.
TODAY = datetime(2026, 11, 26)  # noqa: DTZ001 - a practice's own clock, as a prompt is given it
MOMENT = datetime(2026, 12, 1, 14, 30)  # noqa: DTZ001 - the same
TEXTS = {"spoken_name": "Dr Claire MOREAU", "spoken_phone": "+33465710001"}


def flow_words() -> str:
    """The tables, in Markdown."""
    fields = [f"| `{name}` | {_kind(name)} | {_tells(name)} | {_said(name)} |" for name in FIELD_LABELS]
    moments = [
        f"| `{name}` | date and time | {say(french, MOMENT, TODAY.date())} |" for name, say in MOMENT_FILTERS.items()
    ]
    texts = [f"| `{name}` | text | `{TEXTS[name]}`: {say(french, TEXTS[name])} |" for name, say in TEXT_FILTERS.items()]
    return "\n".join(
        [
            "| field | is | tells | may stand in |\n|---|---|---|---|",
            *fields,
            "\n| filter | for | as in |\n|---|---|---|",
            *moments,
            *texts,
            "",
        ]
    )


def _kind(field: str) -> str:
    if field in YES_NO_FIELDS:
        return "yes or no"
    if field in CASE_FIELDS:
        return "one of " + ", ".join(f"`{case}`" for case in sorted(CASE_FIELDS[field]))
    return "date and time" if field in MOMENT_FIELDS else "text"


def _tells(field: str) -> str:
    label = FIELD_LABELS[field]
    implied = sorted(with_implied(frozenset({label})) - {label})
    return ", ".join([f"{label.value} {label.name.lower().replace('_', ' ')}", *(other.value for other in implied)])


def _said(field: str) -> str:
    places = [f"`{prompt}`" for prompt, given in (*GIVEN_FIELDS.items(), *PASSING_FIELDS.items()) if field in given]
    if places:
        return f"words and `if` of the prompt{'s' * (len(places) > 1)} {', '.join(places)}"
    if field in YES_NO_FIELDS:
        return "`if`, `branch`"
    if field in CASE_FIELDS:
        return "`branch` with `cases`"
    if field in SCREEN_FIELDS:
        return "words and `if` of a console flow; callers never hear it"
    return "`if`, a filter for it" if field in MOMENT_FIELDS else "words, `if`"
