"""What may be known at a step, as the proof names it, and as people read it.

Facts are about the patient at hand, about the slot that a reference leads to, about whoever holds the telephone, or
about the call itself; each kind is ended by other things (P2): another patient ends what is about the patient, another
person on the line ends all but what the call has heard. These are all that there are. That somebody may speak for a
patient, or that a patient lets somebody help them, is no fact: no step establishes it, and no step tells anything to
whoever is not verified as the patient.
"""

from __future__ import annotations

from callcenter.flow.graph import Fact, Facts
from callcenter.flow.state import SLOT
from callcenter.kernel.levels import Level

#: What ``find`` binds; with what ``reference`` binds, the roots of fields that are not always there.
APPOINTMENT = "appointment"


def level_fact(level: int) -> Fact:
    """The caller is verified to at least ``level`` for the patient at hand."""
    return f"level>={level}"


def bound_fact(root: str) -> Fact:
    """``root`` is bound: « appointment » by ``find``, in the record of the patient at hand; « slot » by a reference."""
    return f"bound:{root}"


#: The birth date that goes with a reference was typed: it opens that slot and nothing else, and is no level.
CARD_FACT: Fact = "card:slot"
#: A code was typed that only whoever holds a telephone on file was given. It holds wherever level 2 does, and no step
#: asks for it besides that: people read it.
POSSESSION: Fact = "possession"
#: The emergency line was said to whoever is on the line (P7).
EMERGENCY: Fact = "heard:emergency"

PROVABLE = tuple(level for level in Level if level is not Level.UNKNOWN)
LEVELS: Facts = frozenset(level_fact(level) for level in PROVABLE)
#: What is about the patient at hand, and what about the slot that a reference leads to.
OF_THE_PATIENT: Facts = LEVELS | {POSSESSION, bound_fact(APPOINTMENT)}
OF_THE_SLOT: Facts = frozenset({bound_fact(SLOT), CARD_FACT})
#: What was found or shown: it is about one patient, or one slot.
FOUND: Facts = OF_THE_SLOT | {bound_fact(APPOINTMENT)}
#: What another person on the line ends, and what another patient ends: all that was proved, and all that was found.
PROVED: Facts = OF_THE_PATIENT | OF_THE_SLOT


def level_in(facts: Facts) -> Level:
    """The level that ``facts`` hold."""
    return max((level for level in PROVABLE if level_fact(level) in facts), default=Level.UNKNOWN)


_WORDS = {
    bound_fact(APPOINTMENT): "an appointment is found",
    bound_fact(SLOT): "a slot is found by its reference",
    CARD_FACT: "its card is shown",
}


def known(facts: Facts) -> str:
    """What ``facts`` say of the caller, in words."""
    said = [words for fact, words in _WORDS.items() if fact in facts]
    level = level_in(facts)
    return ", ".join([f"level {level.value}", *said])
