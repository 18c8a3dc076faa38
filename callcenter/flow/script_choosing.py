"""The steps of a script that one key answers: ``choose``, and ``show`` where something is to be acknowledged."""

from __future__ import annotations

from callcenter.flow.conversation import Line
from callcenter.flow.language import Flow, Verify
from callcenter.flow.outcomes import Asking, Left, ScriptOutcome, ScriptScene
from callcenter.flow.screens import ONWARD, Choice, Filled, Option
from callcenter.flow.script_forms import NotOffered
from callcenter.flow.script_language import Pick, Show
from callcenter.flow.state import Phase, State

#: What the practice asks of whoever answers for it; never said to callers.
INSTRUCTIONS = "practice.instructions"
#: Whether they changed since this operator has acknowledged them.
CHANGED = "script.instructions_changed"
INSTRUCTIONS_PROMPT, CHANGED_PROMPT, READ_PROMPT = (
    "script.instructions",
    "script.instructions_new",
    "script.instructions_read",
)
SHOW_PROMPTS = (INSTRUCTIONS_PROMPT, CHANGED_PROMPT, READ_PROMPT)


def proving(flow: Flow, state: State) -> str:
    """The option of the choice that stands which leads to a proof at once; empty where none does."""
    step = flow.steps[state.step]
    if not isinstance(step, Pick):
        return ""
    return next((key for key, way in step.options.items() if isinstance(flow.steps[way.to], Verify)), "")


def enter_pick(step: Pick, state: State, scene: ScriptScene) -> Asking:
    """Show the options."""
    options = tuple(Option(key, scene.line(way.label), key) for key, way in step.options.items())
    return Asking(Choice(scene.lines(step.prompt), options), state.asking(Phase.KEY))


def answer_pick(step: Pick, state: State, filled: Filled) -> Left:
    """Take the option."""
    if filled.choice not in step.options:
        raise NotOffered(f"step {step.name} has no option « {filled.choice[:20]} »")
    return Left(f"key {filled.choice}", state)


def enter_show(state: State, scene: ScriptScene) -> ScriptOutcome:
    """Show the instructions; whoever has acknowledged them as they stand goes on."""
    instructions = scene.world.public.get(INSTRUCTIONS)
    if not isinstance(instructions, str) or not instructions.strip():
        return Left("then", state)
    changed = scene.world.public.get(CHANGED) is True
    # Their lines stay as the practice has written them, which no prompt would leave.
    lines = (scene.line(CHANGED_PROMPT if changed else INSTRUCTIONS_PROMPT), Line(INSTRUCTIONS, instructions))
    if not changed:
        return Left("then", state, lines)
    return Asking(Choice(lines, (Option(ONWARD, scene.line(READ_PROMPT), "1"),)), state.asking(Phase.KEY))


async def answer_show(step: Show, state: State, filled: Filled, scene: ScriptScene) -> ScriptOutcome:
    """They have read it."""
    if filled.choice != ONWARD:
        raise NotOffered("what is to be acknowledged has one option")
    await scene.world.notes.acknowledge(step.what)
    return Left("then", state)
