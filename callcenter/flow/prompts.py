"""The book of prompts: the words of flows, by key. A prompt's labels come from the fields that it names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from callcenter.flow.words import Part, PromptError, always_said, fields_of, parse, render, unguarded
from callcenter.kernel.documents import Document, from_pydantic, read_yaml
from callcenter.kernel.errors import DataProblems, Problem
from callcenter.kernel.labels import FIELD_LABELS, Category, with_implied


@dataclass(frozen=True, slots=True)
class Prompt:
    """The words of one key.

    Arguments:
        key: its key in the book.
        text: as the author wrote it.
        parts: the text, parsed.
        optional: fields that may be left out (``None``): each is said inside an ``if`` of its own.
    """

    key: str
    text: str
    parts: tuple[Part, ...]
    optional: frozenset[str] = frozenset()

    @property
    def fields(self) -> frozenset[str]:
        """Every field that the text names, conditions included."""
        return fields_of(self.parts)

    @property
    def told(self) -> frozenset[Category]:
        """The categories of the fields themselves."""
        return frozenset(FIELD_LABELS[field] for field in self.fields)

    @property
    def categories(self) -> frozenset[Category]:
        """The categories of the fields, and those that they imply."""
        return with_implied(self.told)

    @property
    def is_public(self) -> bool:
        """Whether it tells nothing about any patient."""
        return self.categories <= {Category.PUBLIC}

    @property
    def always_said(self) -> str:
        """The literal words that are said whatever the values are."""
        return always_said(self.parts)

    @property
    def digest(self) -> str:
        """SHA-256 (hexadecimal) of key, text and optional fields: the prompt's version in a record."""
        content = json.dumps([self.key, self.text, sorted(self.optional)], ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()

    def render(self, values: Mapping[str, object], *, today: date | None = None) -> str:
        """The words, with white space collapsed.

        Arguments:
            values: by field (``appointment.starts_at``: aware local date and time; others: text or yes/no); fields
                that the text does not name are left aside. A field in ``optional`` may be absent or ``None``.
            today: the practice's date of today; without it, a date is said with its year.

        Raises:
            PromptError: a value is missing, or of another kind than the text needs. No value is in the message.
        """
        missing = sorted(field for field in self.fields - self.optional if values.get(field) is None)
        if missing:
            raise PromptError(f"the prompt {self.key} misses {', '.join(missing)}")
        return render(self.parts, values, today)


@dataclass(frozen=True, slots=True)
class PromptBook:
    """All prompts of one file.

    Arguments:
        file: where it was read, as the user gave it.
        prompts: by key.
    """

    file: str
    prompts: Mapping[str, Prompt]

    @classmethod
    def load(cls, path: str | Path) -> PromptBook:
        """The book in the file at ``path``.

        Raises:
            DataProblems: all that is wrong in the file.
        """
        document = read_yaml(path)
        try:
            form = _BookForm.model_validate(document.data)
        except ValidationError as error:
            raise DataProblems(from_pydantic(error, document)) from error
        prompts: dict[str, Prompt] = {}
        problems: list[Problem] = []
        for key, entry in form.prompts.items():
            parts, faults = parse(entry.text)
            prompts[key] = Prompt(key, entry.text, parts, frozenset(entry.optional))
            problems += [_problem(document, key, fault.what, fault.mend) for fault in faults]
            if not faults:
                problems += _optional_problems(document, prompts[key])
        if problems:
            raise DataProblems(problems)
        return cls(document.file, prompts)

    def __getitem__(self, key: str) -> Prompt:
        return self.prompts[key]

    def __contains__(self, key: object) -> bool:
        return key in self.prompts

    def __iter__(self) -> Iterator[str]:
        return iter(self.prompts)

    def __len__(self) -> int:
        return len(self.prompts)


# --- the file

_Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"\S")]
_Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$")]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _PromptForm(_Form):
    text: _Text
    optional: list[str] = Field(default_factory=list)


def _whole(value: object) -> object:
    """A prompt that is only a text, in its full form."""
    return {"text": value} if isinstance(value, str) else value


class _BookForm(_Form):
    prompts: dict[_Key, Annotated[_PromptForm, BeforeValidator(_whole)]]


def _optional_problems(document: Document, prompt: Prompt) -> Iterator[Problem]:
    for field in sorted(prompt.optional - prompt.fields):
        what = f"« {field} » is optional, but the text does not name it"
        yield _problem(document, prompt.key, what, "remove it from « optional »")
    for field in sorted(prompt.optional & set(unguarded(prompt.parts))):
        what = f"« {field} » may be left out, but is said outside an « if » of its own"
        yield _problem(document, prompt.key, what, f"put it between « {{% if {field} %}} » and « {{% endif %}} »")


def _problem(document: Document, key: str, what: str, mend: str) -> Problem:
    return document.problem(("prompts", key), f"prompt « {key} »: {what}", mend)
