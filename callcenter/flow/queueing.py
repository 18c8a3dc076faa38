"""``queue``: the caller waits for an operator, and ends with them, asks for something else, or comes back.

Whoever has met somebody keeps nothing of what was found or typed before, but for who they have told them that they are,
when they are sent to their keys for it; whoever has only waited keeps what the call is about. No step behind a wait may
build on what was proved before it (``flow.proof``).
"""

from __future__ import annotations

from dataclasses import replace

from callcenter.flow.claiming import still_told
from callcenter.flow.conversation import Dequeued, Queueing
from callcenter.flow.message_taking import REASON
from callcenter.flow.outcomes import Left, Outcome, Scene, Waiting
from callcenter.flow.ports import Admitted, NotAdmitted, Parted
from callcenter.flow.state import Phase, State

#: Events of a call, after which nobody waits again whose talk was cut off (P7).
TURNS_TO_WAIT_AGAIN = 30


async def enter(state: State, scene: Scene) -> Outcome:
    """Have the caller wait, if there is anybody to wait for."""
    match await scene.world.lobby.enter(state.manner.language, relayed=state.manner.relay):
        case Admitted(queue, expected):
            return Waiting(Queueing((), queue, expected), state.going_away(Phase.QUEUED, scene.world.now))
        case NotAdmitted():
            return Left("unanswered", _about(state))


async def dequeued(state: State, event: Dequeued, scene: Scene) -> Outcome:
    """The caller waits no more. Whoever's talk was cut off waits again, at the place that they had; not for ever."""
    told, state = still_told(state), state.emptied() if event.met else _about(state)
    match await scene.world.lobby.left(met=event.met):
        case Parted.KEYPAD:
            return Left(Parted.KEYPAD.value, told.asking(Phase.NONE))
        case Parted.CUT_OFF if state.turns < TURNS_TO_WAIT_AGAIN:
            return await enter(state, scene)
        case Parted.CUT_OFF:
            return Left("unanswered", state.asking(Phase.NONE))
        case parted:
            return Left(parted.value, state.asking(Phase.NONE))


def _about(state: State) -> State:
    """With what the call is about alone: nobody else has held the telephone, and it need not be said again."""
    return replace(state.emptied(), typed={REASON: state.typed[REASON]} if REASON in state.typed else {})
