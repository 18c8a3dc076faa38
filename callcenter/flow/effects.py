"""What each outlet of a step does to what is known: what it establishes, and what it ends."""

from __future__ import annotations

from callcenter.flow.facts import (
    APPOINTMENT,
    CARD_FACT,
    EMERGENCY,
    FOUND,
    OF_THE_PATIENT,
    OF_THE_SLOT,
    POSSESSION,
    PROVED,
    bound_fact,
    level_fact,
)
from callcenter.flow.graph import Effect
from callcenter.flow.language import (
    Act,
    Card,
    Connect,
    Do,
    Find,
    Flow,
    Level,
    Move,
    Moved,
    Prove,
    Queue,
    Reference,
    Say,
    Step,
    Verify,
)
from callcenter.flow.script_language import Forget
from callcenter.flow.state import SLOT

#: By which the engine leads to the person step, once a call has grown too long. What was proved before may be about
#: anybody: nothing of it is relied on there.
LIMIT = "limit"
AT_THE_LIMIT = Effect(ends=PROVED)


def effect(step: Step, outlet: str, flow: Flow) -> Effect:
    """What leaving ``step`` by ``outlet`` does."""
    match step, outlet:
        case Say(prompt=prompt), _ if prompt == flow.emergency:
            return Effect(frozenset({EMERGENCY}))
        case (Verify(level=level), "verified") | (Prove(level=level), "proved"):
            # It may have been for another patient: what was found before is not this patient's.
            return Effect(_proved_by(level), FOUND)
        case Verify() | Prove(), _:
            # A claim ends what was proved before, whatever becomes of it: they may have claimed to be somebody else.
            return Effect(ends=OF_THE_PATIENT)
        case Find(), "found":
            return Effect(frozenset({bound_fact(APPOINTMENT)}))
        case Reference(), "known":
            # Another slot, perhaps: the card that was shown before is not this one's.
            return Effect(frozenset({bound_fact(SLOT)}), frozenset({CARD_FACT}))
        case Reference(), _:
            return Effect(ends=OF_THE_SLOT)  # the slot before is forgotten as soon as another is asked for
        case Card(), "proved":
            return Effect(frozenset({CARD_FACT}))
        case Card(), _:
            return Effect(ends=frozenset({CARD_FACT}))
        case Do(act=Act.CANCEL_SLOT), "done":
            return Effect(ends=frozenset({bound_fact(SLOT), CARD_FACT}))
        case Connect() | Queue(), _:
            return Effect(ends=PROVED)  # somebody else may have held the telephone meanwhile: nothing proved stands
        case Forget(), _:
            return Effect(ends=PROVED)  # somebody else is spoken of: nothing proved or found is about them (P2)
        case (Do(act=Act.CANCEL_APPOINTMENT), "done") | (Move(what=Moved.APPOINTMENT), "moved"):
            return Effect(ends=frozenset({bound_fact(APPOINTMENT)}))
        case _:
            return Effect()


def _proved_by(level: Level) -> frozenset[str]:
    """A level holds with all below it; from level 2 on, it rests on possession of a telephone on file."""
    levels = frozenset(level_fact(lower) for lower in range(Level.IDENTIFIED, level + 1))
    return levels | {POSSESSION} if level >= Level.VERIFIED else levels
