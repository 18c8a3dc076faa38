"""What is left of a script once its operator no longer talks with the caller: noting what remains, and closing.

A screen was asked for while they talked, and stands. Of it is shown what can still be done; nothing that was typed for
the practice is taken away.
"""

from __future__ import annotations

from callcenter.flow.conversation import Line
from callcenter.flow.language import Flow, Go, Step, TakeMessage
from callcenter.flow.outcomes import Prompts
from callcenter.flow.screens import LEAVE, ONWARD, Choice, Finished, Option, Screen
from callcenter.flow.script_language import Dispose, Pick, Show
from callcenter.flow.state import State
from callcenter.flow.subflow_language import Leave, Run

GONE_PROMPT = "script.caller_gone"
#: The key that leads on from every choice; it is not what a choice is for.
_WAY_OUT = "0"


def alone(flow: Flow, state: State, screen: Screen, book: Prompts) -> Screen:
    """What can be answered of ``screen`` without the caller.

    What it asks is asked no more; what was said on the way to it, such as that a message is sent, holds.

    Arguments:
        state: in which ``screen`` stands.
    """
    step = flow.steps[state.step]
    if isinstance(screen, Finished) or isinstance(step, Show | TakeMessage | Dispose):
        return screen
    words = book.said(GONE_PROMPT, state.manner.language)
    lines = (*screen.lines[: screen.way], Line(GONE_PROMPT, words.render({}), words.language))
    if isinstance(step, Pick):
        left = tuple(one for one in screen.options if _is_left(flow, step, one.choice))
        return Choice(lines, left, screen.way)
    # Proving, showing, booking: all that is left is to go on.
    onward = tuple(Option(one.choice, one.label) for one in screen.options if one.choice in (LEAVE, ONWARD))
    return Choice(lines, onward, screen.way)


def _is_left(flow: Flow, step: Pick, key: str) -> bool:
    return key == _WAY_OUT or _notes(flow, flow.steps[step.options[key].to], {step.name})


def _notes(flow: Flow, step: Step, seen: set[str]) -> bool:
    """Whether choices alone lead from ``step`` to something that is noted, and not back to where one was."""
    match step:
        case TakeMessage() | Dispose():
            return True
        case Go(to=to):
            led = {to}
        case Run(subflow=subflow):
            led = {flow.subflows[subflow].start}
        case Leave():
            led = set(flow.behind(step))
        case Pick(options=options):
            led = {way.to for key, way in options.items() if key != _WAY_OUT}
        case _:
            return False
    seen.add(step.name)
    return any(_notes(flow, flow.steps[name], seen) for name in led - seen)
