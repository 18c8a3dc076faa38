"""The step ``reach_out``: who it is about, then always the same sentence; a job looks at the file, once nobody listens.

The call itself reads no file, so that no word, order, number of questions or statement can depend on one (P6).
"""

from __future__ import annotations

from callcenter.flow import claiming
from callcenter.flow.claiming import Claimed
from callcenter.flow.conversation import Keyed
from callcenter.flow.keypad import GaveUp
from callcenter.flow.language import ReachKind, ReachOut
from callcenter.flow.outcomes import Left, Outcome, Scene
from callcenter.flow.state import State


def enter(state: State, scene: Scene) -> Outcome:
    """Ask the first question."""
    return claiming.ask(state, scene)


async def answer(step: ReachOut, state: State, keyed: Keyed, scene: Scene) -> Outcome:
    """Take the answer to the question that ``state`` waits at."""
    match claiming.answer(state, keyed, scene):
        case Claimed() as claimed:
            return await _reach_out(step, claimed, scene)
        case GaveUp():
            return Left("refused", claiming.forgetting(state))
        case waiting:
            return waiting


async def _reach_out(step: ReachOut, claimed: Claimed, scene: Scene) -> Outcome:
    outreach = scene.world.outreach
    match step.kind:
        case ReachKind.REMINDER:
            await outreach.send_reminder(claimed.born, claimed.telephone)
            said = scene.line("reach_out.reminder")
        case ReachKind.RETURN_CALL:
            code = await outreach.return_call(claimed.born, claimed.telephone)
            said = scene.line("reach_out.return_call", call__return_code=" ".join(code))
    return Left("then", claimed.state, (said,))
