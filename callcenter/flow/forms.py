"""What stands under a step's name in a flow's file: the form that the kinds of steps share."""

from __future__ import annotations

from abc import abstractmethod

from pydantic import BaseModel, ConfigDict

from callcenter.flow.language import Step


class Form(BaseModel):
    """A part of a flow's file: nothing in it that is not known, and nothing of another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class StepForm(Form):
    """What stands under a step's name."""

    @abstractmethod
    def step(self, name: str, line: int) -> Step:
        """The step itself."""
