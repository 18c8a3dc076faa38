"""The book of prompts: the words of flows, by key. A prompt's labels come from the fields that it names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from callcenter.flow.template import parse
from callcenter.flow.words import (
    SPEECH,
    Part,
    PromptError,
    Value,
    always_said,
    fields_of,
    render,
    told_by_absence,
    unguarded,
)
from callcenter.kernel.documents import DISK, Document, Texts, from_pydantic, read_yaml
from callcenter.kernel.errors import DataProblems, Problem
from callcenter.kernel.labels import FIELD_LABELS, Category, with_implied


class WordsRefused(DataProblems):
    """A book of prompts that can be read, and holds words that cannot be proven: no flow may say them."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """The words of one key.

    Arguments:
        key: its key in the book.
        text: as the author wrote it.
        parts: the text, parsed.
        optional: fields that may be left out (``None``): each is said inside an ``if`` of its own.
        language: in which it is written.
        line: at which it stands in its file; 0 if it stands in none.
    """

    key: str
    text: str
    parts: tuple[Part, ...]
    optional: frozenset[str] = frozenset()
    language: str = "fr"
    line: int = 0

    @property
    def fields(self) -> frozenset[str]:
        """Every field that the text names, conditions included."""
        return fields_of(self.parts)

    @property
    def of_patients(self) -> frozenset[str]:
        """The fields that tell something of a patient."""
        return frozenset(field for field in self.fields if FIELD_LABELS[field] is not Category.PUBLIC)

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
    def always_told(self) -> frozenset[str]:
        """The fields that are said whatever the values are."""
        return frozenset(part.field for part in self.parts if isinstance(part, Value))

    @property
    def digest(self) -> str:
        """SHA-256 (hexadecimal) of key, text, optional fields and language: the prompt's version in a record."""
        content = json.dumps([self.key, self.text, sorted(self.optional), self.language], ensure_ascii=False)
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
        return render(self.parts, values, today, self.language)


@dataclass(frozen=True, slots=True)
class PromptBook:
    """All prompts in one language, with their translations.

    Arguments:
        file: where it was read, as the user gave it.
        prompts: by key.
        translations: the same prompts in other languages, by language: the same keys, and the same fields of patients.
    """

    file: str
    prompts: Mapping[str, Prompt]
    translations: Mapping[str, Mapping[str, Prompt]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: str | Path, texts: Texts = DISK) -> PromptBook:
        """The book in the file at ``path``, with the translations that lie beside it (``en.yaml``).

        Arguments:
            texts: where the files are read.

        Raises:
            WordsRefused: all that no prompt may hold, and all that a translation lacks.
            DataProblems: a file that cannot be read, or is no book.
        """
        book, problems = cls._read(path, Path(path).stem if Path(path).stem in SPEECH else "fr", texts), []
        translations: dict[str, Mapping[str, Prompt]] = {}
        for language in SPEECH:
            beside = Path(path).with_name(f"{language}.yaml")
            if Path(path).stem in SPEECH and beside != Path(path) and texts.holds(str(beside)):
                translation = cls._read(beside, language, texts)
                problems += list(_translation_problems(book, translation))
                translations[language] = translation.prompts
        if problems:
            raise WordsRefused(problems)
        return cls(book.file, book.prompts, translations)

    @classmethod
    def _read(cls, path: str | Path, language: str, texts: Texts) -> PromptBook:
        document = read_yaml(path, texts)
        try:
            form = _BookForm.model_validate(document.data)
        except ValidationError as error:
            raise DataProblems(from_pydantic(error, document)) from error
        prompts: dict[str, Prompt] = {}
        problems: list[Problem] = []
        for key, entry in form.prompts.items():
            parts, faults = parse(entry.text)
            spoken = entry.language or language
            line = document.line("prompts", key)
            prompts[key] = Prompt(key, entry.text, parts, frozenset(entry.optional), spoken, line)
            if spoken not in SPEECH:
                problems.append(
                    _problem(document, key, f"no language « {spoken} » is spoken", f"use {', '.join(SPEECH)}")
                )
            problems += [_problem(document, key, fault.what, fault.mend) for fault in faults]
            if not faults:
                problems += _optional_problems(document, prompts[key])
        if problems:
            raise WordsRefused(problems)
        return cls(document.file, prompts)

    def __getitem__(self, key: str) -> Prompt:
        return self.prompts[key]

    def said(self, key: str, language: str) -> Prompt:
        """The prompt of ``key`` in ``language``, or in the book's own where there is no translation."""
        return self.translations.get(language, self.prompts).get(key) or self.prompts[key]

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
    language: str | None = None


def _whole(value: object) -> object:
    """A prompt that is only a text, in its full form."""
    return {"text": value} if isinstance(value, str) else value


class _BookForm(_Form):
    prompts: dict[_Key, Annotated[_PromptForm, BeforeValidator(_whole)]]


def _optional_problems(document: Document, prompt: Prompt) -> Iterator[Problem]:
    for name in sorted(prompt.optional - prompt.fields):
        what = f"« {name} » is optional, but the text does not name it"
        yield _problem(document, prompt.key, what, "remove it from « optional »")
    for name in sorted(prompt.optional & set(unguarded(prompt.parts))):
        what = f"« {name} » may be left out, but is said outside an « if » of its own"
        yield _problem(document, prompt.key, what, f"put it between « {{% if {name} %}} » and « {{% endif %}} »")
    for name in sorted(prompt.optional & set(told_by_absence(prompt.parts)) & prompt.of_patients):
        what = f"« {name} » may be left out, and words say that it is: that something is withheld must not be heard"
        yield _problem(document, prompt.key, what, "say nothing in its place, or remove it from « optional »")


def _translation_problems(book: PromptBook, other: PromptBook) -> Iterator[Problem]:
    """A translation says everything, and tells nothing else about a patient."""
    for key in sorted(book.prompts.keys() - other.prompts.keys()):
        yield Problem(other.file, 0, f"the prompt « {key} » of {book.file} is missing", "translate it")
    for key in sorted(other.prompts.keys() - book.prompts.keys()):
        yield Problem(
            other.file, 0, f"the prompt « {key} » is not in {book.file}", "remove it, or write it there first"
        )
    for key in sorted(book.prompts.keys() & other.prompts.keys()):
        ours, theirs = book[key], other[key]
        if (
            ours.of_patients != theirs.of_patients
            or ours.optional & ours.of_patients != theirs.optional & theirs.of_patients
        ):
            what = f"the prompt « {key} » names other fields of a patient than in {book.file}"
            yield Problem(other.file, 0, what, "name the same ones: what may be said is proven for those")
        elif not theirs.fields <= ours.fields:
            what = f"the prompt « {key} » names fields that it has not in {book.file}"
            yield Problem(other.file, 0, what, "name no others")


def _problem(document: Document, key: str, what: str, mend: str) -> Problem:
    return document.problem(("prompts", key), f"prompt « {key} »: {what}", mend)
