"""``connect``: the call is put through to the practice's own telephone, and ends with it or comes back.

Whoever talks there is another person, and whoever comes back from there may be another caller: what was proved in the
call, found in it or typed in it is left behind before it rings.
"""

from __future__ import annotations

from callcenter.flow.conversation import Dialled, PutThrough, Rang
from callcenter.flow.outcomes import Left, Outcome, Scene, Waiting
from callcenter.flow.ports import MayNotRing, MayRing
from callcenter.flow.state import Phase, State


async def enter(state: State, scene: Scene) -> Outcome:
    """Have the practice's telephone rung, if it may be."""
    state = state.emptied()
    match await scene.world.switchboard.put_through():
        case MayRing(line, shown):
            return Waiting(PutThrough((), line, shown), state.going_away(Phase.RINGING, scene.world.now))
        case MayNotRing():
            return Left("unanswered", state)


async def dialled(state: State, event: Dialled, scene: Scene) -> Outcome:
    """The two have talked, or nobody has answered."""
    await scene.world.switchboard.came_back(event.rang)
    return Left("connected" if event.rang is Rang.TALKED else "unanswered", state.asking(Phase.NONE))
