"""The disclosure policy: for each category D00-D20, the level at which each channel opens. Data, with a version.

Deny by default: a policy that leaves a category out does not load.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from callcenter.kernel.documents import Document, from_pydantic, read_yaml
from callcenter.kernel.errors import DataProblems, Problem
from callcenter.kernel.labels import Category
from callcenter.kernel.levels import Channel, Level


@dataclass(frozen=True, slots=True)
class Never:
    """No level opens this category on this channel."""


Requirement = Level | Never


class SmsRule(StrEnum):
    """What a text message may tell. A message answers no question: it goes to a contact on file, or not at all."""

    OPEN = "open"
    PUSH = "push"
    PUSH_IF_NEUTRAL = "push_if_neutral"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Rule:
    """What the policy says of one category.

    Arguments:
        name: what it is about, in French, for staff and for verdicts.
        sensitivity: 0 (public) to 5 (very high).
        required: what each channel needs.
        sms: what a text message may tell.
        emergency: a supervisor may open it where a life is in danger, on record and reviewed (decision 53).
    """

    name: str
    sensitivity: int
    required: Mapping[Channel, Requirement]
    sms: SmsRule
    emergency: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole matrix.

    Arguments:
        version: stands in every disclosure record.
        rules: one for every category.
        digest: SHA-256 of the file, in hexadecimal; stands beside the version, which a change may have forgotten.
    """

    version: str
    rules: Mapping[Category, Rule]
    digest: str = ""

    def required(self, category: Category, channel: Channel) -> Requirement:
        """The level that ``category`` needs on ``channel``."""
        rule = self.rules.get(category)
        return rule.required.get(channel, Never()) if rule else Never()

    def strictest(self, categories: Iterable[Category], channel: Channel) -> Requirement:
        """What all of ``categories`` need together on ``channel``; level 0 for none."""
        strictest = Level.UNKNOWN
        for category in categories:
            match self.required(category, channel):
                case Never():
                    return Never()
                case Level() as level:
                    strictest = max(strictest, level)
        return strictest

    def may_push(self, categories: Iterable[Category]) -> bool:
        """Whether a text message to a contact on file may tell all of ``categories``, whatever its words; not for none:
        what tells nothing that is known here is not known to tell nothing."""
        rules = [self.rules.get(category) for category in categories]
        return bool(rules) and all(rule is not None and rule.sms in (SmsRule.OPEN, SmsRule.PUSH) for rule in rules)

    def in_emergency(self, categories: Iterable[Category]) -> bool:
        """Whether all of ``categories`` may be opened where a life is in danger."""
        rules = [self.rules.get(category) for category in categories]
        return bool(rules) and all(rule is not None and rule.emergency for rule in rules)


#: Never told by a machine on the telephone, whatever the caller proves: contents of results and documents, medical
#: advice, who was told, the national identifier, the deceased, third persons (NI-01, L. 1110-4, L. 1111-7).
CLOSED_ON_THE_TELEPHONE = frozenset(Category(code) for code in ("D10", "D11", "D13", "D17", "D18", "D19", "D20"))
#: That somebody is a patient here, and of whom and when: to nobody who is not verified, by machine or person
#: (SM-03), but what ``EMERGENCY_MOST`` allows a supervisor to open.
VERIFIED_ONLY = frozenset(Category(code) for code in ("D01", "D02", "D03", "D04", "D05", "D06"))
#: What may be opened to save a life at most: whether somebody is a patient here and who they are, when they come, to
#: whom, and their telephones (RGPD 9.2 c).
EMERGENCY_MOST = frozenset(Category(code) for code in ("D01", "D02", "D03", "D04", "D15"))


# --- the file

_LevelOrNever = Annotated[int, Field(ge=0, le=3)] | Literal["never"]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _RuleForm(_Form):
    name: str = Field(min_length=1)
    sensitivity: int = Field(ge=0, le=5)
    voice: _LevelOrNever
    console: _LevelOrNever
    sms: Annotated[SmsRule, Field(strict=False)]
    emergency: bool = False
    note: str = ""


class _PolicyForm(_Form):
    version: str = Field(min_length=1, max_length=40)
    categories: dict[str, _RuleForm]


def load_policy(path: str | Path) -> Policy:
    """The policy in the file at ``path``.

    Raises:
        DataProblems: a category is missing or unknown, a value is out of range, something is open that the law closes,
            or the file cannot be read.

    Source: docs/disclosure-policy.md; what the law closes is named there.
    """
    document = read_yaml(path)
    try:
        form = _PolicyForm.model_validate(document.data)
    except ValidationError as error:
        raise DataProblems(from_pydantic(error, document)) from error
    problems = _category_problems(form, document) or _opened_against_the_law(form, document)
    if problems:
        raise DataProblems(problems)
    rules = {category: _rule(form.categories[category.value]) for category in Category}
    return Policy(form.version, rules, hashlib.sha256(document.text.encode()).hexdigest())


def _category_problems(form: _PolicyForm, document: Document) -> list[Problem]:
    known = {category.value for category in Category}
    missing = [
        document.problem(
            ("categories",), f"category {code} is missing", f"add {code}; « never » where nothing opens it"
        )
        for code in sorted(known - form.categories.keys())
    ]
    unknown = [
        document.problem(("categories", code), f"« {code} » is not a category", "categories are D00 to D20")
        for code in form.categories
        if code not in known
    ]
    return missing + unknown


def _opened_against_the_law(form: _PolicyForm, document: Document) -> list[Problem]:
    problems = []
    for category in sorted(CLOSED_ON_THE_TELEPHONE):
        if form.categories[category.value].voice != "never":
            what = f"{category.value} is never told by a machine on the telephone"
            problems.append(document.problem(("categories", category.value, "voice"), what, "write voice: never"))
    for category in sorted(VERIFIED_ONLY):
        row = form.categories[category.value]
        for channel, needs in (("voice", row.voice), ("console", row.console)):
            if isinstance(needs, int) and needs < Level.VERIFIED:
                what = f"{category.value} is told to nobody who is not verified"
                mend = f"write {channel}: {int(Level.VERIFIED)} or more, or never"
                problems.append(document.problem(("categories", category.value, channel), what, mend))
    for code, row in sorted(form.categories.items()):
        if row.emergency and Category(code) not in EMERGENCY_MOST:
            what = f"{code} is opened to nobody who is not verified, not even in an emergency"
            problems.append(document.problem(("categories", code, "emergency"), what, "write emergency: false"))
    return problems


def _rule(form: _RuleForm) -> Rule:
    required = {Channel.VOICE: _requirement(form.voice), Channel.CONSOLE: _requirement(form.console)}
    return Rule(form.name, form.sensitivity, required, form.sms, form.emergency)


def _requirement(value: int | str) -> Requirement:
    return Level(value) if isinstance(value, int) else Never()
