"""Which prompts an operator's script shows: its author's, and those of steps that ask several questions."""

from __future__ import annotations

from callcenter.flow import (
    script_alone,
    script_booking,
    script_choosing,
    script_disposing,
    script_engine,
    script_files,
    script_messages,
    script_verifying,
)
from callcenter.flow.language import Book, End, Find, MessageKind, Move, Say, Step, TakeMessage, Verify
from callcenter.flow.script_forms import FORM_PROMPTS
from callcenter.flow.script_language import Declare, Dispose, Pick, Reveal, Show

#: What a script says of itself, whatever its steps.
SCRIPT_PROMPTS = (*script_engine.PROMPTS, script_alone.GONE_PROMPT)


def script_prompts(step: Step) -> tuple[str, ...]:
    """Every prompt that ``step`` may show."""
    match step:
        case Say():
            return (step.prompt,)
        case End():
            return () if step.prompt is None else (step.prompt,)
        case Pick():
            return (step.prompt, *(way.label for way in step.options.values()))
        case Show():
            return script_choosing.SHOW_PROMPTS
        case Verify():
            return (*script_verifying.PROMPTS, *FORM_PROMPTS)
        case TakeMessage(kind=MessageKind.VOICE):
            return ()
        case TakeMessage():
            return (script_messages.ASK[step.kind], *script_messages.PROMPTS, *FORM_PROMPTS)
        case Book():
            return (*script_booking.BOOK_PROMPTS, *FORM_PROMPTS)
        case Move():
            return script_booking.MOVE_PROMPTS
        case Find() | Reveal() | Declare():
            return script_files.prompts(step)
        case Dispose():
            return (*script_disposing.PROMPTS, *FORM_PROMPTS)
        case _:
            return ()
