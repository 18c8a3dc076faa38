"""``dispose``: what became of the call, required of the operator who had it, with a note if they have one.

What the script did itself is suggested; the operator has the last word.
"""

from __future__ import annotations

from callcenter.flow.outcomes import Asking, Left, ScriptOutcome, ScriptScene
from callcenter.flow.screens import SEND, FieldKind, Filled, Option
from callcenter.flow.script_forms import Asked, Faulty, NotOffered, form, read
from callcenter.flow.script_language import Disposition
from callcenter.flow.state import Phase, State

#: The name under which what the script did is kept: a key of :class:`Disposition`.
SUGGESTED = "suggested"

DISPOSITION, NOTE = "disposition", "note"
ASK_PROMPT, DISPOSITION_PROMPT, NOTE_PROMPT = "script.dispose", "script.disposition", "script.note"
MISSING_PROMPT = "script.disposition_missing"
LABELS = {disposition: f"script.disposition_{disposition}" for disposition in Disposition}
PROMPTS = (ASK_PROMPT, DISPOSITION_PROMPT, NOTE_PROMPT, MISSING_PROMPT, *LABELS.values())


def suggesting(state: State, disposition: Disposition) -> State:
    """``state`` with what the script has just done, to be suggested once the call is closed."""
    return state.keeping(SUGGESTED, disposition.value)


def enter(state: State, scene: ScriptScene) -> Asking:
    """Ask what became of the call."""
    values = {DISPOSITION: state.typed[SUGGESTED]} if SUGGESTED in state.typed else {}
    return Asking(form(scene, scene.lines(ASK_PROMPT), _fields(scene), values, may_leave=False), _asked(state))


async def answer(state: State, filled: Filled, scene: ScriptScene) -> ScriptOutcome:
    """Keep what became of the call."""
    if filled.choice != SEND:
        raise NotOffered("a call is closed with what became of it, or not at all")
    fields = _fields(scene)
    said = read(fields, filled.values, scene.world.now.date())
    if isinstance(said, Faulty):
        again = form(scene, scene.lines(ASK_PROMPT), fields, filled.values, said.faults, may_leave=False)
        return Asking(again, _asked(state))
    await scene.world.notes.dispose(Disposition(said[DISPOSITION]), said[NOTE])
    return Left("then", state.forgetting(SUGGESTED))


def _asked(state: State) -> State:
    return state.asking(Phase.FORM)


def _fields(scene: ScriptScene) -> tuple[Asked, ...]:
    dispositions = tuple(Option(disposition.value, scene.line(LABELS[disposition])) for disposition in Disposition)
    return (
        Asked(DISPOSITION, FieldKind.CHOICE, DISPOSITION_PROMPT, options=dispositions, missing=MISSING_PROMPT),
        Asked(NOTE, FieldKind.TEXT, NOTE_PROMPT, required=False),
    )
