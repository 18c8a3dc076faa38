"""The tables of ``docs/practice-settings.md``: every setting of a practice, from the form that reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from callcenter.practice.changing import LONGEST_PASSING
from callcenter.practice.instructions import LONGEST_INSTRUCTIONS
from callcenter.practice.opening import HOLIDAY_SUBDIVISIONS
from callcenter.practice.practice_file import read_practice_file
from callcenter.practice.practice_form import LONGEST_MESSAGE_OF_THE_DAY, PracticeForm, Setting, as_written

BEGIN_TABLE, END_TABLE = "<!-- made by make docs: every setting -->\n", "<!-- end of every setting -->\n"
BEGIN_EXAMPLES, END_EXAMPLES = "<!-- made by make docs: an example of each -->\n", "<!-- end of the examples -->\n"

SLUG = "cabinet-des-tilleuls"
TILLEULS = Path(__file__).resolve().parents[2] / "config" / "demo" / "practices" / f"{SLUG}.yaml"


@dataclass(frozen=True, slots=True)
class Described:
    """What the page says of one setting.

    Arguments:
        means: what it is and how it is written.
        limits: what is refused.
        example: as it is typed behind the setting's name, in a shell's quotes; with options, if it needs them.
        refused: a value that is not taken, and words of the reason.
    """

    means: str
    limits: str
    example: str
    refused: tuple[Any, str]


_LINE = "one line, at most {} characters"
_SURTAXED = "none that costs extra (081, 082, 089, 36xx, 118)"

#: A new setting has its row here; a test finds one that is missing.
ROWS: Mapping[Setting, Described] = {
    Setting.NAME: Described(
        "its name, in lists and on pages", _LINE.format(120), "'Cabinet médical des Tilleuls'", ("x" * 121, "longer")
    ),
    Setting.SPOKEN_NAME: Described(
        "its name as callers hear it, first of all", _LINE.format(120), "'Cabinet médical des Tilleuls'", ("", "empty")
    ),
    Setting.ADDRESS: Described(
        "where it is, as it is said", _LINE.format(300), "'14 rue des Tilleuls, 69003 Lyon'", ("a\nb", "line break")
    ),
    Setting.ACCESS: Described(
        "how to get there; may be empty",
        _LINE.format(600),
        "'bus 27, arrêt Tilleuls ; entrée de plain-pied'",
        ("x" * 601, "longer"),
    ),
    Setting.TIMEZONE: Described(
        "the zone of its hours, by its IANA name", "one that there is", "Europe/Brussels", ("Europe/Lyon", "no such")
    ),
    Setting.HOLIDAY_SUBDIVISION: Described(
        "the part of France whose public holidays it keeps besides, or `null`",
        ", ".join(f"`{name}`" for name in sorted(HOLIDAY_SUBDIVISIONS)),
        "'\"57\"'",
        ("69", "no part of France"),
    ),
    Setting.NUMBERS: Described(
        "the numbers that we answer, each with its entry `main`, `overflow`, `professionals` or `closed`, or with "
        "`{entry: main, practitioner: NAME}`",
        f"none in 06 or 07, {_SURTAXED}, none that another practice has; at most 100; names of its practitioners",
        '\'{"+33465710001": main, "+33465710004": {entry: main, practitioner: Claire Moreau}}\'',
        ({"+33639980099": "main"}, "06 and 07"),
    ),
    Setting.RESCUE_NUMBER: Described(
        "a line that rings at the practice and is never forwarded to us",
        f"{_SURTAXED}; none that we answer, and no `other_lines` of any practice",
        "'+33465710092'",
        ("+33899123456", "costs extra"),
    ),
    Setting.OTHER_LINES: Described(
        "its other lines: a call from one of them says nothing about who calls",
        f"{_SURTAXED}; no rescue number of any practice; at most 100",
        '\'["+33465710091", "+33465710093"]\'',
        (["15"], "length or beginning"),
    ),
    Setting.HOURS: Described(
        "opening hours by day, `lundi` to `dimanche`; a day that is missing is closed",
        "at most 6 stretches a day, in order, without overlap",
        "'{lundi: [08:30-12:00, 14:00-18:30], jeudi: [09:00-12:00]}'",
        ({"monday": []}, "days are called lundi"),
    ),
    Setting.RECEPTION: Described(
        "who answers when the hours alone do not say it: rules, of which the first that fits decides. `answers`: "
        "`practice`, `service`, `menu` or `closed`; and, all together, `days`, `dates`, `holidays: true`, "
        "`hours` (`00:00` ends a day; a night is two rules)",
        "at most 100 rules",
        "'[{answers: closed, dates: 2026-12-24..2027-01-02}, {answers: menu, days: [mercredi], hours: 14:00-18:30}]'",
        ([{"answers": "closed", "dates": "2026-12-32"}], "no such date"),
    ),
    Setting.ANSWER_MODE: Described(
        "how the answering service answers: `menu`, `direct` (a short notice, then a person) or `overflow` (the same, "
        "for callers who have waited already)",
        "these three",
        "direct",
        ("robot", "direct"),
    ),
    Setting.MESSAGE_OF_THE_DAY: Described(
        "what callers hear with the notice, behind the emergency line (those of `professionals` do not); never about a "
        "patient",
        f"one line, at most {LONGEST_MESSAGE_OF_THE_DAY} characters; what looks like a name, a date of birth or a "
        "telephone number is warned of",
        "'Le docteur Moreau a 45 minutes de retard.' --until 18:30",
        ("x" * (LONGEST_MESSAGE_OF_THE_DAY + 1), "longer"),
    ),
    Setting.INSTRUCTIONS: Described(
        "what operators read before anything else (« consignes »), in lines, or "
        "`{practice: …, practitioners: {NAME: …}}`; callers never hear it; never about a patient",
        f"at most {LONGEST_INSTRUCTIONS} characters in all; names of its practitioners; what looks like a name or a "
        "date of birth is warned of",
        "'{practice: Aucun avis médical par téléphone., practitioners: {Claire Moreau: Ne pas déplacer ses visites.}}'",
        ("x" * (LONGEST_INSTRUCTIONS + 1), "longer"),
    ),
    Setting.CLOSING_CONDUCT: Described(
        "what to do while it is closed, and who stands in (EM-05)",
        f"{_LINE.format(1000)}; not empty",
        "'En l’absence de vos médecins, le docteur Paul Vasseur vous reçoit au 8 rue des Acacias.'",
        ("  ", "empty"),
    ),
    Setting.OUT_OF_HOURS_NUMBER: Described(
        "the out-of-hours number of its region (EM-04), short or in full; a short one in quotes",
        _SURTAXED,
        "'\"15\"'",
        ("3639", "costs extra"),
    ),
    Setting.EMERGENCY_LINE: Described(
        "a direct number of the rescue service (SAMU) of its sector, in full: operators are shown it with the red "
        "button, as 15 leads to the sector of whoever dials it; callers never hear it",
        _SURTAXED + "; none of its own lines; none that we answer, for whichever practice",
        "'+33465710015'",
        ("15", "this length"),
    ),
    Setting.VOICE: Described(
        "whose voice says what concerns a patient: `local` (made here) or `carrier` (the carrier gets the text)",
        "these two",
        "carrier",
        ("nobody", "local"),
    ),
    Setting.AGENDA: Described(
        "where appointments are made: `internal`, or `{external: ADDRESS}`",
        "an address `https://…` without a name or password in it, at most 500 characters",
        "'{external: \"https://agenda.example.org/tilleuls\"}'",
        ({"external": "http://agenda.example"}, "https://"),
    ),
    Setting.VOICE_MESSAGES: Described(
        "whether callers may leave spoken messages, `on` or `off`; where they may not, a request to be called back "
        "takes their place",
        "these two",
        "off",
        ("perhaps", "on"),
    ),
    Setting.REMINDERS: Described(
        "whether patients are reminded by text: `off`, `opt_out` (who has not opposed it) or `consent` (who has agreed)"
        ", or `{mode: consent, hours_before: 48}`",
        "from 2 to 72 hours before",
        "'{mode: consent, hours_before: 48}'",
        ({"mode": "opt_out", "hours_before": 73}, "72"),
    ),
    Setting.ESCALATION: Described(
        "when an urgent message that nobody reads rings the practitioner: `{after_minutes: 15, at_night: true}`",
        "from 5 to 240 minutes",
        "'{after_minutes: 30, at_night: false}'",
        ({"after_minutes": 4}, "5"),
    ),
    Setting.BOOKING: Described(
        "who is booked by telephone, in an agenda that is ours: `practitioners`, each with `new_patients`, "
        "`slot_minutes`, `first_day_ahead` (0 is today) and `days_ahead`; `offers` in one call; `open_per_caller`: "
        "bookings to come of one telephone number",
        "at most 9 of its practitioners; slots of 5 to 240 minutes; at most 90 days ahead, 10 offers, 20 open bookings",
        "'{practitioners: {Claire Moreau: {new_patients: false, slot_minutes: 20}}, offers: 2}'",
        ({"practitioners": {"Claire Moreau": {"slot_minutes": 4}}}, "greater than or equal to 5"),
    ),
    Setting.WAITING: Described(
        "how callers wait for an operator (« attente ») : `callbacks`, whether 1 keeps their place and has them rung "
        "back (« rappel à votre tour ») ; `longest_minutes`, after which a message is taken instead (« attente la plus "
        "longue ») ; `most`, how many wait at once (« personnes en attente au plus »), beyond which a message is taken",
        "from 1 to 60 minutes; from 0 (nobody waits) to 200 callers",
        "'{callbacks: false, longest_minutes: 5, most: 8}'",
        ({"longest_minutes": 61}, "60"),
    ),
    Setting.BREAK_GLASS: Described(
        "whether, where a life is in danger, a supervisor may open a few facts of one file for whoever cannot be "
        "verified (« bris de glace »), `on` or `off`; the practice is told at once, and reviews it",
        "these two; on the console, practitioners and administrators alone change it",
        "on",
        ("perhaps", "on"),
    ),
}


def table() -> str:
    """Every setting, in Markdown."""
    rows = [
        f"| `{setting}` | {row.means} | {_default(setting)} | {row.limits} | {_planned(setting)} |"
        for setting, row in ROWS.items()
    ]
    head = "| setting | what it is, and how it is written | default | limits | `--from`, `--until` |"
    return "\n".join([head, "|---|---|---|---|---|", *rows, ""])


def examples() -> str:
    """A command for each setting, in Markdown."""
    lines = [f"callcenter practice set {SLUG} {setting} {row.example}" for setting, row in ROWS.items()]
    return "\n".join(["```sh", *lines, "```", ""])


def _planned(setting: Setting) -> str:
    if setting.immediate:
        return "no: at once, for good"
    if setting.passing:
        return f"`--until` must be given: {LONGEST_PASSING.days} days at most"
    return "yes"


def _default(setting: Setting) -> str:
    field = PracticeForm.model_fields[setting.value]
    if field.is_required():
        return "**must be given**"
    facts = read_practice_file(TILLEULS, UUID(int=0), lambda *_: UUID(int=1)).facts
    written = {name.value: value for name, value in as_written(facts).items()}
    needed = {name: value for name, value in written.items() if PracticeForm.model_fields[name].is_required()}
    form = PracticeForm.model_validate(needed)
    value = as_written(form.facts(id=UUID(int=1), organisation_id=UUID(int=0), slug=SLUG))[setting]
    return f"`{value if isinstance(value, str) and value else json.dumps(value)}`"
