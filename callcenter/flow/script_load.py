"""The forms of the steps that only an operator's script has, as they stand in a flow's file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from callcenter.flow.forms import Form, StepForm
from callcenter.flow.language import Step
from callcenter.flow.script_language import (
    Declare,
    Dispose,
    Disposed,
    Forget,
    Forgotten,
    Pick,
    Reveal,
    Show,
    Shown,
    Way,
)
from callcenter.kernel.labels import Category


class _WayForm(Form):
    label: str
    to: str


class PickForm(StepForm):
    """A choice on a screen."""

    choose: str
    options: Annotated[dict[str, _WayForm], Field(min_length=1)]

    def step(self, name: str, line: int) -> Step:
        return Pick(name, line, self.choose, {key: Way(way.label, way.to) for key, way in self.options.items()})


class _ShowForm(StepForm):
    show: Annotated[Shown, Field(strict=False)]
    then: str

    def step(self, name: str, line: int) -> Step:
        return Show(name, line, self.show, self.then)


class _RevealForm(StepForm):
    reveal: Annotated[list[str], Field(min_length=1)]
    then: str
    withheld: str

    def step(self, name: str, line: int) -> Step:
        return Reveal(name, line, tuple(self.reveal), self.then, self.withheld)


class _DeclareForm(StepForm):
    declare: Annotated[list[Annotated[Category, Field(strict=False)]], Field(min_length=1)]
    then: str
    withheld: str

    def step(self, name: str, line: int) -> Step:
        return Declare(name, line, tuple(self.declare), self.then, self.withheld)


class _ForgetForm(StepForm):
    forget: Annotated[Forgotten, Field(strict=False)]
    then: str

    def step(self, name: str, line: int) -> Step:
        return Forget(name, line, self.forget, self.then)


class _DisposeForm(StepForm):
    dispose: Annotated[Disposed, Field(strict=False)]
    then: str

    def step(self, name: str, line: int) -> Step:
        return Dispose(name, line, self.dispose, self.then)


#: By the verb that stands for the kind of a step.
SCRIPT_FORMS: Mapping[str, type[StepForm]] = {
    "show": _ShowForm,
    "reveal": _RevealForm,
    "declare": _DeclareForm,
    "forget": _ForgetForm,
    "dispose": _DisposeForm,
}
